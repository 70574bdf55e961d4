"""How often a place code was scanned, by day. Knows no source, no time of day and no person.

The rows are counted once and cannot be folded from the log again, so they lie among the ledgers,
which are backed up.
"""

from collections.abc import Collection
from datetime import date

from sqlalchemy import Column, Date, Engine, Integer, MetaData, Table, Text, func, select
from sqlalchemy.dialects import postgresql, sqlite

from projections.tables import IN_CHUNK, is_sqlite, reading

SCANS = MetaData()

PLACE_CODE_SCAN = Table(
    "place_code_scan",
    SCANS,
    Column("code", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("n", Integer, nullable=False),
)

_C = PLACE_CODE_SCAN.c


class PlaceCodeScans:
    """Counts in one table over the ledgers' engine. Days are days in Shanghai."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def prepare(self) -> None:
        """Make the table. Not for a serving process."""
        SCANS.create_all(self._engine)

    def add(self, code: str, day: date) -> None:
        """One more scan. On the disk when it returns."""
        with self._engine.begin() as connection:
            insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
            first = insert(PLACE_CODE_SCAN).values(code=code, day=day, n=1)
            connection.execute(
                first.on_conflict_do_update(index_elements=["code", "day"], set_={"n": _C.n + 1})
            )

    def days(self, code: str, first: date, last: date) -> list[tuple[date, int]]:
        """Scans by day, both ends included; days without any are left out."""
        question = (
            select(_C.day, _C.n)
            .where(_C.code == code, _C.day.between(first, last))
            .order_by(_C.day)
        )
        with reading(self._engine) as connection:
            return [(day, n) for day, n in connection.execute(question)]

    def totals(self, codes: Collection[str]) -> dict[str, int]:
        """All scans of each code, at most 500 codes; a code without any is left out."""
        assert len(codes) <= IN_CHUNK
        question = select(_C.code, func.sum(_C.n)).where(_C.code.in_(codes)).group_by(_C.code)
        with reading(self._engine) as connection:
            return {code: int(n) for code, n in connection.execute(question)}
