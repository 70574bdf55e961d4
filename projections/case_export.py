"""What is exported of a case: the columns, who gets them, and the rows page by page.

No person, no address, no raw word: words are the masked first line, and only for those who ask
for it and may. Positions are the pin in WGS-84 degrees, times aware and in UTC.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import msgspec
from sqlalchemy import ColumnElement, Connection, func, select

from casework.lifecycle import LABELS, Status
from projections.case_board import CASE_BOARD, BoardRow
from projections.facts import CASE_FACT, CLOSED, FOREVER, FactRow, Flag
from projections.tables import chunks, micros, moment, structs

PAGE = 2_000
"""Cases read at a time, each page in a transaction of its own: an export holds up no checkpoint."""

Cell: TypeAlias = str | int | float | bool | datetime | None


class Kind(StrEnum):
    """What stands in a column."""

    TEXT = "text"
    WHOLE = "whole"
    NUMBER = "number"
    TRUTH = "truth"
    TIME = "time"


class Names(msgspec.Struct, frozen=True):
    """What codes are called: by the layer that knows maps and the catalogue."""

    street: Callable[[str], str]
    indicator: Callable[[str], str]


class Exported(msgspec.Struct, frozen=True):
    """A case with the facts of its last stay, or of its report where there is none."""

    case: BoardRow
    fact: FactRow | None
    names: Names


class Field(msgspec.Struct, frozen=True):
    """A column: its name, its Chinese title, what stands in it, what it means."""

    name: str
    title: str
    kind: Kind
    says: str
    read: Callable[[Exported], Cell]
    for_street: bool = True
    """Whether a 街镇 gets it too; what it gets is of its own cases only."""
    words: bool = False
    """Masked words: only where they are asked for."""


def _time(at: int | None) -> datetime | None:
    return None if at is None else moment(at)


def _fact(field: str) -> Callable[[Exported], Cell]:
    return lambda row: None if row.fact is None else getattr(row.fact, field)


def _fact_time(field: str) -> Callable[[Exported], Cell]:
    return lambda row: None if row.fact is None else _time(getattr(row.fact, field))


def _flag(flag: Flag) -> Callable[[Exported], Cell]:
    return lambda row: row.fact is not None and row.fact.has(flag)


def _in_time(row: Exported) -> bool | None:
    """Of the hand-over; None while there is none."""
    if row.fact is None or row.fact.handed_at is None:
        return None
    return row.fact.has(Flag.HANDED_IN_TIME)


def _closed_how(row: Exported) -> str | None:
    if row.fact is None or not row.fact.flags & CLOSED:
        return None
    if row.fact.has(Flag.ACCEPTED):
        return "核查通过"
    return "转办" if row.fact.has(Flag.TRANSFERRED) else "强制结案"


_T, _W, _N, _B, _D = Kind.TEXT, Kind.WHOLE, Kind.NUMBER, Kind.TRUTH, Kind.TIME

FIELDS: tuple[Field, ...] = (
    Field("number", "案件编号", _T, "全区唯一", lambda r: r.case.number),
    Field("status", "状态代码", _T, "现在的状态", lambda r: r.case.status),
    Field("status_name", "状态", _T, "状态的名称", lambda r: LABELS[Status(r.case.status)].staff),
    Field("street", "街镇代码", _T, "九位代码；未派遣的为属地建议", lambda r: r.case.street),
    Field("street_name", "街镇", _T, "街镇的名称",
          lambda r: r.names.street(r.case.street) if r.case.street else None),
    Field("indicator", "指标代码", _T, "立案或上报时的指标", lambda r: r.case.indicator),
    Field("indicator_name", "指标", _T, "指标的名称",
          lambda r: r.names.indicator(r.case.indicator) if r.case.indicator else None),
    Field("condition", "立案条件", _T, "立案条件的代码", lambda r: r.case.condition),
    Field("place_kind", "场所类型", _T, "场所类型的代码", lambda r: r.case.place_kind),
    Field("channel", "来源渠道", _T, "上报的渠道", lambda r: r.case.channel, for_street=False),
    Field("lon", "经度", _N, "WGS-84，度", lambda r: r.case.lon),
    Field("lat", "纬度", _N, "WGS-84，度", lambda r: r.case.lat),
    Field("round", "轮次", _W, "重办一次加一", lambda r: r.case.round),
    Field("submitted_at", "上报时间", _D, "", lambda r: _time(r.case.submitted_at)),
    Field("updated_at", "更新时间", _D, "最近一次办理", lambda r: _time(r.case.updated_at)),
    Field("dispatched_at", "派遣时间", _D, "最近一次派遣", _fact_time("dispatched_at")),
    Field("acknowledged_at", "签收时间", _D, "该次派遣的签收", _fact_time("acknowledged_at")),
    Field("due_at", "处置到期时间", _D, "冻结的到期时间", _fact_time("due_at")),
    Field("handed_over_at", "反馈时间", _D, "最近一次整改反馈", _fact_time("handed_at")),
    Field("in_time", "按期反馈", _B, "反馈不晚于到期时间；未反馈的为空", _in_time),
    Field("closed_at", "结案时间", _D, "", _fact_time("closed_at")),
    Field("closed_how", "结案方式", _T, "核查通过、转办、强制结案", _closed_how),
    Field("outcome", "处置结果", _T, "处置结果的代码", _fact("outcome")),
    Field("code", "原因代码", _T, "不予受理、退回或强制结案的原因", _fact("code")),
    Field("reworked", "曾返工", _B, "本次派遣以来", _flag(Flag.REWORKED)),
    Field("extended", "曾延期", _B, "本次派遣以来", _flag(Flag.EXTENDED)),
    Field("suspended", "曾挂账", _B, "本次派遣以来", _flag(Flag.SUSPENDED)),
    Field("exempted", "申诉成立", _B, "统计剔除，事实不变", _flag(Flag.EXEMPTED)),
    Field("ratings", "评价份数", _W, "本轮", _fact("ratings")),
    Field("solved", "是否解决", _T, "本轮评价中最差的", _fact("solved")),
    Field("satisfaction", "满意度", _W, "1 至 5，本轮评价中最低的", _fact("satisfaction")),
    Field("staff_entered", "自报自处", _B, "工作人员录入的", _flag(Flag.STAFF_ENTERED)),
    Field("demonstration", "演示数据", _B, "", lambda r: r.case.demonstration),
    Field("text", "描述", _T, "第一行，已脱敏", lambda r: r.case.first_line, for_street=False,
          words=True),
)  # fmt: skip


def fields_for(*, street: bool, words: bool) -> list[Field]:
    """The columns that somebody gets: of a 街镇 or the district, with masked words or without."""
    return [
        each for each in FIELDS if (each.for_street or not street) and (words or not each.words)
    ]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which cases: submitted in [first, last), of a 街镇, of an indicator. None is all."""

    first: datetime | None = None
    last: datetime | None = None
    street: str | None = None
    indicator: str | None = None
    dispatched: bool = False
    """Only those that are or were with a 街镇: what is not dispatched is no 街镇's to see."""


_WITH_STREET = (Status.DISPATCHED, Status.HANDLING, Status.SUSPENDED, Status.RECTIFIED,
                Status.CLOSED, Status.UNDER_RECHECK, Status.COMPLETED)  # fmt: skip
_C = CASE_BOARD.c


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.first is not None:
        found.append(_C.submitted_at >= micros(wanted.first))
    if wanted.last is not None:
        found.append(_C.submitted_at < micros(wanted.last))
    if wanted.street is not None:
        found.append(_C.street == wanted.street)
    if wanted.indicator is not None:
        found.append(_C.indicator == wanted.indicator)
    if wanted.dispatched:
        found.append(_C.status.in_([str(status) for status in _WITH_STREET]))
    return found


def count(connection: Connection, wanted: Wanted) -> int:
    """How many cases that is."""
    question = select(func.count()).select_from(CASE_BOARD).where(*_conditions(wanted))
    return int(connection.scalar(question) or 0)


def page(connection: Connection, wanted: Wanted, after: int, names: Names) -> list[Exported]:
    """The next cases in the order of submission, after this `seq`; empty at the end."""
    question = (
        select(CASE_BOARD).where(_C.seq > after, *_conditions(wanted)).order_by(_C.seq).limit(PAGE)
    )
    found = structs(connection, BoardRow, question)
    facts = _last_facts(connection, (row.stream for row in found))
    return [Exported(row, facts.get(row.stream), names) for row in found]


def _last_facts(connection: Connection, streams: Iterator[bytes]) -> dict[bytes, FactRow]:
    last: dict[bytes, FactRow] = {}
    for chunk in chunks(streams):
        question = select(CASE_FACT).where(
            CASE_FACT.c.stream.in_(chunk), CASE_FACT.c.to_pos == FOREVER
        )
        for row in structs(connection, FactRow, question):
            if row.stream not in last or last[row.stream].ordinal < row.ordinal:
                last[row.stream] = row
    return last
