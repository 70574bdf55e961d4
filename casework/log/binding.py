"""How values are bound to SQLite's statements. Knows no statement.

For a value that is not exactly int, float or str the driver first looks for somebody who would
adapt it: for bytes, None and bool it asks three dictionaries and two attributes that are not there,
0.9 µs a value, thirty times what it costs to bind one. Half of what the log and the views store
is of these kinds. An adapter that gives back the value itself ends the search at its first step.
"""

from pysqlite3 import dbapi2


def bind_as_they_are() -> None:
    """Let bytes, None and bool be bound without a search, in the whole process; again does nothing.

    What is stored does not change: a bool was an integer in SQLite before.
    """
    dbapi2.register_adapter(bytes, bytes.__bytes__)
    dbapi2.register_adapter(bool, bool.__int__)
    dbapi2.register_adapter(type(None), {None: None}.get)  # in C, as the two above are
