"""What every test starts from. Fixtures of a package are its own modules."""

import gc

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests import profiles, sharing

profiles.load()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first: begun last, it would be waited for alone."""
    items.sort(key=lambda item: sharing.rank(sharing.group_of(item.nodeid)))


def pytest_collection_finish() -> None:
    """What was made by now stays to the end; looked through again, it would stop what is timed."""
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling | None:
    """`--dist loadfile`, with groups that are more than a file. Other ways stay as they are."""
    if config.getvalue("dist") != "loadfile":
        return None
    made = LoadScopeScheduling(config, log)
    made._split_scope = sharing.group_of
    return made
