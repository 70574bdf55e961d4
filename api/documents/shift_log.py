"""值班与交接班记录 of a day: who was on duty at each desk, and what was handed over to whom."""

from datetime import datetime
from itertools import chain

from api.accounts.people import Account
from api.duty import STATE_NAMES, Shift, accounts_of, page_of
from api.parts import Parts
from api.routes.at_desk import desk_name, every_desk
from casework.clock_words import CLOCK_NAMES
from casework.roster import Duty
from projections.periods import Period
from projections.reports.document import Column, Heading, Kind, Part, Table, clock

_ALL = 1_000_000


def shift_parts(parts: Parts, period: Period, cut: datetime) -> tuple[Part, ...]:
    """The report without its head; an answer given after the cut is not told."""
    desks = every_desk(parts)
    duties = {
        desk: [d for d in parts.duty.read().duties.get(desk, ()) if _touches(d, period)]
        for desk in desks
    }
    log = parts.casework.eventlog
    shifts = {
        desk: [
            as_it_stood(shift, cut)
            for shift in reversed(page_of(log, desk, None, _ALL))
            if period.first <= shift.handed_over_at < min(period.last, cut)
        ]
        for desk in desks
    }
    ids = chain(
        (duty.account for each in duties.values() for duty in each),
        (shift.handed_over_by for each in shifts.values() for shift in each),
        (shift.answered_by for each in shifts.values() for shift in each if shift.answered_by),
    )
    accounts = accounts_of(parts.desk, ids)
    return (
        Heading("一、值班"),
        _duties(parts, duties, accounts),
        Heading("二、交接班"),
        _handed_over(parts, shifts, accounts),
        _items(parts, shifts),
    )


def _touches(duty: Duty, period: Period) -> bool:
    return duty.begins < period.last and duty.ends > period.first


def as_it_stood(shift: Shift, cut: datetime) -> Shift:
    """The hand-over before an answer that came after the cut."""
    if shift.answered_at is None or shift.answered_at < cut:
        return shift
    return Shift(
        number=shift.number,
        handed_over_by=shift.handed_over_by,
        handed_over_at=shift.handed_over_at,
        summary=shift.summary,
        words=shift.words,
    )


def _who(accounts: dict[str, Account], account: str | None) -> str | None:
    if account is None:
        return None
    found = accounts.get(account)
    return found.display_name if found else account


def _duties(parts: Parts, duties: dict[str, list[Duty]], accounts: dict[str, Account]) -> Table:
    return Table(
        title="值班表",
        columns=(
            Column("工作台", share=2),
            Column("值班人"),
            Column("自", share=1.5),
            Column("至", share=1.5),
        ),
        rows=tuple(
            (
                desk_name(parts, desk),
                _who(accounts, duty.account),
                clock(duty.begins)[:16],
                clock(duty.ends)[:16],
            )
            for desk, each in duties.items()
            for duty in each
        ),
        empty="当天没有排班。",
    )


def _handed_over(
    parts: Parts, shifts: dict[str, list[Shift]], accounts: dict[str, Account]
) -> Table:
    return Table(
        title="交接班",
        columns=(
            Column("工作台", share=1.8),
            Column("编号", Kind.COUNT, 0.6),
            Column("交班人"),
            Column("交班时间", share=1.6),
            Column("在办", Kind.COUNT, 0.6),
            Column("临期", Kind.COUNT, 0.6),
            Column("超期", Kind.COUNT, 0.6),
            Column("待答复", Kind.COUNT, 0.8),
            Column("督办", Kind.COUNT, 0.6),
            Column("状态", share=0.9),
            Column("接班人"),
            Column("接班时间", share=1.6),
            Column("说明", share=2),
        ),
        rows=tuple(
            (
                desk_name(parts, desk),
                shift.number,
                _who(accounts, shift.handed_over_by),
                clock(shift.handed_over_at)[:16],
                shift.summary.open,
                shift.summary.near_due,
                shift.summary.overdue,
                shift.summary.pending,
                shift.summary.notes,
                STATE_NAMES[shift.state],
                _who(accounts, shift.answered_by),
                clock(shift.answered_at)[:16],
                " / ".join(filter(None, (shift.words, shift.answer))) or None,
            )
            for desk, each in shifts.items()
            for shift in each
        ),
        note="数目为交班时由系统清点；临期指四小时内到期。",
        empty="当天没有交接班。",
    )


def _items(parts: Parts, shifts: dict[str, list[Shift]]) -> Table:
    return Table(
        title="交接清单",
        columns=(
            Column("工作台", share=1.5),
            Column("交接班编号", Kind.COUNT),
            Column("案件编号", share=1.6),
            Column("环节"),
            Column("应于", share=1.5),
        ),
        rows=tuple(
            (
                desk_name(parts, desk),
                shift.number,
                item.number,
                CLOCK_NAMES[item.clock],
                clock(item.due_at)[:16],
            )
            for desk, each in shifts.items()
            for shift in each
            for item in shift.summary.items
        ),
        empty="没有列入清单的案件。",
    )
