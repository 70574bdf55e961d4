"""Values reach SQLite without a search for somebody to adapt them, and are what they were."""

import pytest
from pysqlite3 import dbapi2

from casework.log.binding import bind_as_they_are

KINDS = {b"\x00\xff": "blob", None: "null", True: "integer", False: "integer"}


def test_no_adapter_is_searched_for_bytes_none_and_truths() -> None:
    searched = dict(dbapi2.adapters)
    for value in KINDS:
        dbapi2.adapters.pop((type(value), dbapi2.PrepareProtocol), None)
    try:
        with pytest.raises(dbapi2.ProgrammingError):  # searched to the end, and found nobody
            dbapi2.adapt(b"\x00")
        bind_as_they_are()
        assert [dbapi2.adapt(value) for value in KINDS] == list(KINDS)
    finally:
        dbapi2.adapters.update(searched)


def test_what_is_bound_is_stored_as_it_always_was() -> None:
    bind_as_they_are()
    connection = dbapi2.connect(":memory:")
    connection.execute("CREATE TABLE t (v)")
    connection.executemany("INSERT INTO t VALUES (?)", [(value,) for value in KINDS])
    stored = connection.execute("SELECT v, typeof(v) FROM t").fetchall()
    connection.close()
    assert stored == list(KINDS.items())
