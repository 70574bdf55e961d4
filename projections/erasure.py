"""Leaves no trace of an erased person in the views: scrubs the files, and can look for a trace.

The views' own folds wipe the rows; this sees to what a database keeps of a wiped row. Knows no
case and no key.
"""

import mmap
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Engine

from projections.reading import Readers
from projections.tables import is_sqlite

HARD_WAIT_MILLISECONDS = 2_000
"""How long a scrub waits for readers to let go of the WAL before it is tried again later."""


def scrub(readers: Readers) -> bool:
    """Merge the indexes, then cut the WAL back to nothing. False: a reader is in the way, again.

    On PostgreSQL the tables are unlogged, so no WAL holds a word; the dead row versions go with
    the vacuum of these tables.
    """
    with readers.engine.begin() as connection:
        for view in readers.views.values():
            view.scrub(connection)
    if is_sqlite(readers.engine):
        return _truncate(readers.engine)
    _vacuum(readers.engine)
    return True


def _truncate(engine: Engine) -> bool:
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {HARD_WAIT_MILLISECONDS}")
        busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.close()
    finally:
        connection.invalidate()  # its busy_timeout is not the others'
    return not busy


def _vacuum(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")


def files_of(path: Path) -> list[Path]:
    """A SQLite file and what lies beside it."""
    return [p for p in (path, Path(f"{path}-wal"), Path(f"{path}-shm")) if p.exists()]


def holding(paths: Iterable[Path], words: Iterable[str]) -> list[str]:
    """The words that stand in some byte of some of the files, as UTF-8.

    A file that is gone when its turn comes, as those on their way in are, holds nothing.
    """
    left = set(words)
    for path in paths:
        with suppress(FileNotFoundError), path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                continue
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                left -= {word for word in left if content.find(word.encode()) >= 0}
    return sorted(set(words) - left)
