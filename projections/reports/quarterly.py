"""用户行为分析季报: how people use the service. Counts persons and names nobody.

Only who agreed is counted. A cell of fewer than K persons is not shown; where the cells of a table
add up to a total that is, a second one is kept back too, or the first could be reckoned.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select

from casework.clocks import SHANGHAI
from projections.behaviour import BEHAVIOUR, BehaviourRow
from projections.reports.document import (
    CHANNELS,
    Column,
    Drawing,
    Draws,
    Heading,
    Kind,
    Part,
    Table,
    Words,
)
from projections.statistics import percent
from projections.tables import micros, moment, structs

K = 5
"""Persons below which a number is not shown (k-匿名)."""

HIDDEN = f"不足 {K} 人或与之相关的格不公布，以「—」表示。"

TIMES = ("0—6 时", "6—12 时", "12—18 时", "18—24 时")
DAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
OFTEN = ("1 次", "2—4 次", "5 次及以上")


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what in a quarter: the rows of those who agreed, and who came in the one before."""

    rows: tuple[BehaviourRow, ...]
    earlier: frozenset[bytes]
    until: int
    """What was rated later is not counted, microseconds since 1970."""


def use(
    connection: Connection, first: datetime, last: datetime, before: datetime, now: datetime
) -> Use:
    """The rows of [first, last) as far as the time has come; the persons of [before, first)."""
    until = micros(min(last, now))
    column = BEHAVIOUR.c
    rows = structs(
        connection,
        BehaviourRow,
        select(BEHAVIOUR).where(column.at >= micros(first), column.at < until).order_by(column.at),
    )
    earlier = connection.scalars(
        select(column.person)
        .where(column.at >= micros(before), column.at < micros(first))
        .distinct()
    )
    return Use(rows=tuple(rows), earlier=frozenset(earlier), until=until)


def guarded(counts: Iterable[int], *, adds_up: bool) -> list[int | None]:
    """The counts that may be shown, None for the others.

    `adds_up` says that their sum is shown: then one hidden alone would be no secret, and the
    smallest of the others is hidden with it. A zero hides nobody and is shown.
    """
    found: list[int | None] = [n if n == 0 or n >= K else None for n in counts]
    if adds_up and found.count(None) == 1:
        rest = [(n, at) for at, n in enumerate(found) if n]
        if rest:
            found[min(rest)[1]] = None
    return found


def quarterly_parts(found: Use, indicator_name: Callable[[str], str]) -> tuple[Part, ...]:
    """The report without its head."""
    persons = {row.person for row in found.rows}
    if len(persons) < K:
        return (
            Heading("一、总体"),
            Words(f"本季度同意统计使用情况的不足 {K} 人，按规定不予公布。"),
        )
    rated = {r.person for r in found.rows if r.rated_at is not None and r.rated_at < found.until}
    return (
        Heading("一、总体"),
        _overall(found, persons, rated),
        _often(found),
        Heading("二、在哪里、什么时候"),
        _by(found, "上报渠道", lambda r: CHANNELS.get(r.channel, r.channel)),
        _by(found, "上报时段", lambda r: TIMES[_local(r).hour // 6], TIMES),
        _by(found, "星期", lambda r: DAYS[_local(r).weekday()], DAYS),
        Heading("三、关心什么"),
        _by(found, "关心的指标", lambda r: indicator_name(r.indicator)
            if r.indicator else "（未定）"),
    )  # fmt: skip


def _local(row: BehaviourRow) -> datetime:
    return moment(row.at).astimezone(SHANGHAI)


def _overall(found: Use, persons: set[bytes], rated: set[bytes]) -> Table:
    again = len(persons & found.earlier)
    photo = {row.person for row in found.rows if row.photo}
    joined = {row.person for row in found.rows if row.joined}
    lines = (
        ("上报或参与的人数", len(persons), len(persons)),
        ("其中上季度也参与过的", again, len(persons) - again),
        ("其中附过照片的", len(photo), len(persons - photo)),
        ("其中点过「我也遇到」的", len(joined), len(persons - joined)),
        ("其中评价过办理结果的", len(rated), len(persons - rated)),
    )
    # Who is not in a line is as few as the rest: both must be shown or neither.
    shown = [n if _fine(n) and _fine(rest) else None for _, n, rest in lines]
    return Table(
        title="参与情况",
        columns=(Column("项目", share=2), Column("人数", Kind.COUNT), Column("占比", Kind.RATE)),
        rows=tuple(
            (name, n, None if n is None else percent(n, len(persons)))
            for (name, _, _), n in zip(lines, shown, strict=True)
        ),
        note=HIDDEN,
    )


def _fine(n: int) -> bool:
    return n == 0 or n >= K


def _often(found: Use) -> Table:
    times: dict[bytes, int] = defaultdict(int)
    for row in found.rows:
        times[row.person] += 1
    counts = [0, 0, 0]
    for n in times.values():
        counts[0 if n == 1 else 1 if n < 5 else 2] += 1
    return _table("参与次数", "次数", OFTEN, guarded(counts, adds_up=True), "每人只计一格。")


def _by(
    found: Use,
    title: str,
    group: Callable[[BehaviourRow], str],
    order: tuple[str, ...] = (),
) -> Table:
    persons: dict[str, set[bytes]] = defaultdict(set)
    for row in found.rows:
        persons[group(row)].add(row.person)
    names = order or tuple(sorted(persons, key=lambda name: (-len(persons[name]), name)))
    counts = [len(persons[name]) for name in names]
    # Most persons are in one cell only: as if they added up.
    return _table(title, title, names, guarded(counts, adds_up=True), "同一人可计入多格。")


def _table(
    title: str, head: str, names: tuple[str, ...], counts: list[int | None], note: str
) -> Table:
    return Table(
        title=title,
        columns=(Column(head, share=2), Column("人数", Kind.COUNT)),
        rows=tuple(zip(names, counts, strict=True)),
        drawing=Drawing(how=Draws.BARS, title=f"{title}（人）", label=0, values=(1,)),
        note=f"{note}{HIDDEN}",
    )
