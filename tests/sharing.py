"""Which tests go to one worker, so that what they share is made once; and which go first.

A group is read from a test's name alone. The mark `xdist_group` of pytest-xdist 3.8 is without
effect under pytest 9.2, whose names cannot be changed, and nothing tells of it.
"""

import zlib

DEMONSTRATION = frozenset(
    f"tests/running/test_{name}.py"
    for name in ("demo", "demo_desks", "dry_run_command", "reports_command", "tour", "verification")
)
"""The files that look at the one demonstration."""

BROWSERS = tuple(f"browser-{number}" for number in range(2))
"""Workers that share the tests of pages; each has a Chromium and a server of its own."""

ACROSS_FILES = ("town-postgres", "town-sqlite", "kill-postgres", "kill-sqlite")
"""Groups of tests in whose parameters one of these words stands."""

LONGEST = (
    *BROWSERS,
    "town-postgres",
    "town-sqlite",
    "tests/api/test_policy_matrix.py",
    "kill-postgres",
    "demonstration",
    "tests/assurance/test_kill.py",
    "tests/api/test_boundaries_command.py",
    "tests/running/test_command_line.py",
    "tests/casework/test_case_machine.py",
    "tests/projections/test_rebuild.py",
    "kill-sqlite",
    "tests/assurance/test_faults.py",
    "tests/assurance/test_checker.py",
    "tests/api/test_watch_api.py",
    "tests/api/test_persons_api.py",
    "tests/api/test_evidence_api.py",
    "tests/accounts/test_audit.py",
    "tests/accounts/test_sign_in.py",
    "tests/api/test_ogc_api.py",
)
"""Groups of more than some seconds, longest first."""


def group_of(nodeid: str) -> str:
    """Whose worker a test goes to: that of its group, or else that of its file."""
    file, _, test = nodeid.partition("::")
    for name in ACROSS_FILES:
        if name in test.partition("[")[2]:
            return name
    if file.startswith("tests/browser/"):
        return BROWSERS[zlib.crc32(file.encode()) % len(BROWSERS)]
    return "demonstration" if file in DEMONSTRATION else file


def rank(group: str) -> int:
    """Its place in the order of beginning."""
    return LONGEST.index(group) if group in LONGEST else len(LONGEST)
