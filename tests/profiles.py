"""How hard Hypothesis tries: `dev` at the desk, `ci` on every change, `deep` by `make deep`.

Chosen by the environment variable HYPOTHESIS_PROFILE; loaded by tests/conftest.py. A time limit
for one example would fail on a machine that others use too, so there is none.
"""

import os

from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
"""Examples of a whole life of a case are long by intention."""

settings.register_profile("dev", max_examples=20, deadline=None, suppress_health_check=SLOW)
settings.register_profile("ci", max_examples=100, deadline=None, suppress_health_check=SLOW)
settings.register_profile(
    "deep", max_examples=3000, deadline=None, suppress_health_check=SLOW, print_blob=True
)


def load() -> None:
    """Load the profile of HYPOTHESIS_PROFILE, or `dev`."""
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
