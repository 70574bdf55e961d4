"""SQL views for analysts, with the names of the exports: `cases`, `case_rounds`, and its history.

They hold no words, no person and no address, and can only be read. Times are instants on
PostgreSQL and UTC texts on SQLite.
"""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, inspect

from projections.tables import is_sqlite

CASES = "cases"
ROUNDS = "case_rounds"
HISTORY = "case_rounds_history"

_OF_CASE = ("number", "status", "street", "indicator", "condition", "place_kind", "channel", "lon",
            "lat", "round")  # fmt: skip
_TIMES_OF_CASE = ("submitted_at", "updated_at", "ended_at")
_OF_ROUND = ("number", "ordinal", "round", "street", "indicator", "place_kind", "channel",
             "cell_east", "cell_north", "stage", "code", "outcome", "ratings", "solved",
             "satisfaction", "efficiency")  # fmt: skip
_TIMES_OF_ROUND = ("submitted_at", "reviewed_at", "dispatched_at", "acknowledged_at", "due_at",
                   "handed_at", "closing_due_at", "closed_at", "appealed_at")  # fmt: skip
_RENAMED = {"handed_at": "handed_over_at"}


def statements(
    flags: Mapping[str, int], forever: int, *, sqlite: bool, with_board: bool
) -> Iterator[str]:
    """What makes them, over the tables of one generation; `flags` by name, as `case_fact` has."""
    rounds = ", ".join(_round_columns(flags, sqlite=sqlite))
    now = f"to_pos = {forever}"
    yield f"CREATE VIEW {ROUNDS} AS SELECT {rounds} FROM case_fact WHERE {now}"  # noqa: S608  names of our own columns
    span = f", from_pos, CASE WHEN {now} THEN NULL ELSE to_pos END AS to_pos"
    yield f"CREATE VIEW {HISTORY} AS SELECT {rounds}{span} FROM case_fact"  # noqa: S608  names of our own columns
    if with_board:
        columns = [*_OF_CASE, *(_time(name, sqlite=sqlite) for name in _TIMES_OF_CASE)]
        yield f"CREATE VIEW {CASES} AS SELECT {', '.join(columns)}, demonstration FROM case_board"  # noqa: S608  names of our own columns


def _round_columns(flags: Mapping[str, int], *, sqlite: bool) -> Iterator[str]:
    yield from _OF_ROUND
    for name in _TIMES_OF_ROUND:
        yield _time(name, sqlite=sqlite)
    for name, flag in flags.items():
        yield f"(flags & {flag}) <> 0 AS is_{name.lower()}"


def _time(name: str, *, sqlite: bool) -> str:
    written = f"datetime({name} / 1000000, 'unixepoch')" if sqlite else (
        f"to_timestamp({name} / 1000000.0)"
    )  # fmt: skip
    return f"{written} AS {_RENAMED.get(name, name)}"


def make(connection: Connection, flags: Mapping[str, int], forever: int) -> None:
    """Make them where the tables have just been made."""
    board = inspect(connection).has_table("case_board")
    for statement in statements(flags, forever, sqlite=is_sqlite(connection), with_board=board):
        connection.exec_driver_sql(statement)
