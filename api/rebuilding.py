"""Builds the views anew from the log, in processes of their own. Serves nothing.

The server imports this only when there is something to rebuild.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

from psycopg import connect

from api.settings import Settings
from api.texts import OpenedTexts
from api.wiring import all_views, keys_path, log_environment, master_path, now, open_shelf
from casework import key_file
from casework.application import NAMES, Casework, case_of
from casework.keys import KeyStore
from casework.sealing import Sealer
from evidence.masking import mask
from projections.lines import Opener
from projections.rebuild import WORKERS, Rebuilt, Source, rebuild
from projections.stored_log import (
    ReadRows,
    StoredLog,
    open_sqlite_log,
    postgres_rows,
    sqlite_rows,
)


def rebuild_views(settings: Settings, *, workers: int = WORKERS) -> Rebuilt:
    """A new generation of every view, up to the log's head, which then serves."""
    return rebuild(
        partial(open_source, settings), partial(open_shelf, settings), all_views(), workers=workers
    )


@contextmanager
def open_source(settings: Settings) -> Iterator[Source]:
    """The log and the keys as a rebuild reads them, in a process of its own."""
    casework = Casework(log_environment(settings))
    keys = KeyStore(keys_path(settings), key_file.read_master_key(master_path(settings)), now)
    try:
        opener = Opener(OpenedTexts(Sealer(keys)), mask, case_of)
        with _rows(settings) as rows:
            yield StoredLog(casework.eventlog, opener, rows, NAMES.decode)
    finally:
        keys.close()
        casework.close()


@contextmanager
def _rows(settings: Settings) -> Iterator[ReadRows]:
    """The log's rows as the storage itself can filter them."""
    if settings.database:
        with connect(settings.database, autocommit=True) as connection:
            yield postgres_rows(connection)
        return
    with closing(open_sqlite_log(settings.var / "log.db")) as connection:
        yield sqlite_rows(connection)
