"""Which cases' photos show what: for learning how indicators look. Knows no photo and no model."""

from collections import Counter
from uuid import UUID

from sqlalchemy import Connection, func, select

from projections.lines import CASE_KEY
from projections.training import FOUND_TO_BE

_F = FOUND_TO_BE.c


def registered(connection: Connection, each: int) -> list[tuple[UUID, str]]:
    """The newest cases and what they were last found to be, at most `each` of one indicator."""
    last = select(func.max(_F.position)).group_by(_F.stream)
    rows = connection.execute(
        select(CASE_KEY.c.case_id, _F.indicator)
        .join(FOUND_TO_BE, _F.stream == CASE_KEY.c.stream)
        .where(_F.position.in_(last), _F.indicator.is_not(None))
        .order_by(_F.position.desc())
    )
    counts: Counter[str] = Counter()
    found = []
    for case_id, indicator in rows:
        counts[indicator] += 1
        if counts[indicator] <= each:
            found.append((UUID(bytes=case_id), indicator))
    return found
