"""What every test starts from, and in which order. Fixtures of a package are its own modules."""

import pytest

from tests import profiles

profiles.load()

LONG = (
    "town-postgres",
    "town-sqlite",
    "kill-sqlite",
    "tests/api/test_policy_matrix.py",
    "kill-postgres",
    "demonstration",
    "tests/api/test_boundaries_command.py",
    "tests/casework/test_case_machine.py",
    "tests/running/test_command_line.py",
    "tests/api/test_schemathesis.py",
    "tests/api/test_watch_api.py",
    "tests/projections/test_rebuild.py",
)
"""The groups that take longest, longest first: begun last, they would be waited for alone."""


def group_of(item: pytest.Item) -> str:
    """Whose worker a test goes to: that of its group, or else that of its file."""
    marked = item.get_closest_marker("xdist_group")
    return str(marked.args[0]) if marked else item.location[0]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests go to one worker, so that what they share is made once; long groups first."""
    rank = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(group_of(item), len(rank)))
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(group_of(item)))
