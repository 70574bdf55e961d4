"""处置: what the 街镇 does and asks for, and what the supervisor answers."""

from datetime import date, datetime, time, timedelta

from casework import clocks
from casework import commands as ask
from casework import events as did
from casework.clocks import SHANGHAI, Calendar
from casework.decisions.asking import KEPT, Asking, sealed
from casework.decisions.intake import require_few
from casework.errors import Exhausted, Missing, NothingPending, TooEarly, TooLate
from casework.lifecycle import NAME_OF, Action
from casework.model import CLOCK, Clock, ClockStarted, Limit, Unit

LONGEST_SUSPENSION = 180
"""Days; beyond `PLAIN_SUSPENSION` the request must be argued in words (section 4)."""
PLAIN_SUSPENSION = 90
SHORT = 4 * clocks.HOUR
"""Limits up to four hours get no extension (section 4)."""


def acknowledge(a: Asking) -> list[did.Event]:
    assert a.case.street
    return [
        did.CaseAcknowledged(street=a.case.street, stopped=a.stop(Clock.ACKNOWLEDGE, "acknowledge"))
    ]


def assign(c: ask.Assign) -> list[did.Event]:
    if not c.handler.strip():
        raise Missing("handler", "请填写经办人。")
    return [did.HandlerAssigned(handler=c.handler.strip(), link=c.link)]


def request_coordination(a: Asking, c: ask.RequestCoordination) -> list[did.Event]:
    """提请协调. The 街镇 stays 主办 and its clock runs on."""
    require_none(a, Action.REQUEST_COORDINATION)
    return [
        did.CoordinationRequested(
            code=a.code(c.code, "K", c.words),
            words=sealed(c.words),
            started=(a.start(Clock.COORDINATION, "request_coordination"),),
        )
    ]


def require_none(a: Asking, action: Action) -> None:
    """One open request of a kind at a time."""
    if action in a.case.pending:
        raise NothingPending(NAME_OF[action], "已有一项同类申请待决，请等待答复。")


def name_co_handler(a: Asking, c: ask.NameCoHandler) -> list[did.Event]:
    """确定协办: with or without a request, a body and its limit."""
    if not c.body.strip():
        raise Missing("body", "请填写协办单位。")
    if c.limit.amount <= 0:
        raise Missing("limit", "协办时限须大于零。")
    calendar = a.rules.calendar
    due_at, _ = calendar.after(clocks.family(c.limit.unit), a.at, clocks.micros(c.limit, calendar))
    return [
        did.CoHandlerNamed(
            body=c.body.strip(),
            limit=c.limit,
            due_at=due_at,
            stopped=a.stop(Clock.COORDINATION, "name_co_handler"),
        )
    ]


def extensions_allowed(limit: Limit, calendar: Calendar) -> int:
    """None for limits up to 4 hours, one up to a day of their kind of time, two above."""
    micros = clocks.micros(limit, calendar)
    if micros <= SHORT:
        return 0
    return 1 if micros <= clocks.day_micros(clocks.family(limit.unit), calendar) else 2


def request_extension(a: Asking, c: ask.RequestExtension) -> list[did.Event]:
    """延期: asked before due, at most the original limit each time."""
    may_extend(a)
    assert a.case.limit
    calendar, original = a.rules.calendar, a.case.limit
    if clocks.family(c.by.unit) is not clocks.family(original.unit):
        raise Missing("by", "延期的计时方式须与原时限一致。")
    if not 0 < clocks.micros(c.by, calendar) <= clocks.micros(original, calendar):
        raise Missing("by", "每次延期须大于零且不超过原时限。")
    return [
        did.ExtensionRequested(
            code=a.code(c.code, "E", c.words),
            by=c.by,
            words=sealed(c.words),
            started=(a.start(Clock.EXTENSION, "request_extension"),),
        )
    ]


def may_extend(a: Asking) -> datetime:
    """Until when the 街镇 may ask for more time: what is due then is the handling.

    Raises:
        NothingPending: a request waits for its answer.
        Exhausted: as often as the limit allows it was granted.
        TooLate: the case is overdue.

    """
    name = NAME_OF[Action.REQUEST_EXTENSION]
    require_none(a, Action.REQUEST_EXTENSION)
    assert a.case.limit
    most = extensions_allowed(a.case.limit, a.rules.calendar)
    if a.case.extensions >= most:
        raise Exhausted(name, most, "次派遣")
    due_at = a.case.clocks[Clock.HANDLING].fact.due_at
    if a.at > due_at:
        raise TooLate(name, due_at)
    return due_at


def grant_extension(a: Asking) -> list[did.Event]:
    a.never_asked(Action.GRANT_EXTENSION, Action.REQUEST_EXTENSION)
    asked = a.case.pending[Action.REQUEST_EXTENSION].extend_by
    assert asked
    running = a.case.clocks[Clock.HANDLING].fact
    assert a.case.street and a.case.indicator
    stopped = a.stop(Clock.HANDLING, "extension", final=False)
    plain = running.plain_limit
    if plain and clocks.family(plain.unit) is clocks.family(asked.unit):
        plain = clocks.plus(plain, asked, a.rules.calendar)
    longer = a.start_handling(
        "extension",
        clocks.plus(running.limit, asked, a.rules.calendar),
        street=a.case.street,
        indicator=a.case.indicator,
        carried=stopped[0].used,
        spans=a.handled(),
        plain=plain,
    )
    return [
        did.ExtensionGranted(
            by=asked,
            due_at=longer.due_at,
            stopped=(*stopped, *a.stop(Clock.EXTENSION, "grant_extension")),
            started=(longer,),
        )
    ]


def deny_extension(a: Asking, c: ask.DenyExtension) -> list[did.Event]:
    """If it was already due meanwhile, overdue stands from the original due time."""
    stopped = a.stop(Clock.EXTENSION, "deny_extension")
    return [did.ExtensionDenied(words=c.words.sealed, stopped=stopped)]


def request_suspension(a: Asking, c: ask.RequestSuspension) -> list[did.Event]:
    """挂账: once a round, until an agreed day."""
    may_suspend(a)
    days = (c.resume_on - a.at.astimezone(SHANGHAI).date()).days
    if not 1 <= days <= LONGEST_SUSPENSION:
        raise Missing("resume_on", f"恢复日期须在明天至{LONGEST_SUSPENSION}天之内。")
    if days > PLAIN_SUSPENSION and (c.words is None or c.words.length < 10):
        raise Missing("words", f"挂账超过{PLAIN_SUSPENSION}天须写明理由，至少10个字。")
    return [
        did.SuspensionRequested(
            code=a.code(c.code, "S", c.words),
            resume_on=c.resume_on,
            words=sealed(c.words),
            started=(a.start(Clock.SUSPENSION, "request_suspension"),),
        )
    ]


def may_suspend(a: Asking) -> date:
    """The last day until which the 街镇 may ask to suspend the case, in Shanghai.

    Raises:
        NothingPending: a request waits for its answer.
        Exhausted: it was suspended in this round.

    """
    require_none(a, Action.REQUEST_SUSPENSION)
    if a.case.was_suspended:
        raise Exhausted(NAME_OF[Action.REQUEST_SUSPENSION], 1, "轮处置")
    return a.at.astimezone(SHANGHAI).date() + timedelta(days=LONGEST_SUSPENSION)


def grant_suspension(a: Asking) -> list[did.Event]:
    """The handling clock pauses until 00:00 of the agreed day."""
    a.never_asked(Action.GRANT_SUSPENSION, Action.REQUEST_SUSPENSION)
    pending = a.case.pending[Action.REQUEST_SUSPENSION]
    assert pending.resume_on
    day = datetime.combine(pending.resume_on, time(), SHANGHAI).astimezone(a.at.tzinfo)
    if day <= a.at:
        raise TooLate(NAME_OF[Action.GRANT_SUSPENSION], day)
    days = max((day - a.at) // timedelta(days=1), 1)
    wake = ClockStarted(Clock.RESUMPTION, Limit(days, Unit.CALENDAR_DAY), day, "grant_suspension")
    return [
        did.CaseSuspended(
            code=pending.code,
            resume_on=pending.resume_on,
            stopped=a.stop_all("grant_suspension", paused=frozenset({Clock.HANDLING})),
            started=(wake,),
        )
    ]


def deny_suspension(a: Asking, c: ask.DenySuspension) -> list[did.Event]:
    stopped = a.stop(Clock.SUSPENSION, "deny_suspension")
    return [did.SuspensionDenied(words=c.words.sealed, stopped=stopped)]


def resume(a: Asking) -> list[did.Event]:
    """The remainder runs on; the clock itself may only resume on the day.

    However late that is noticed, the handling clock runs from the day that was agreed.
    """
    day = a.case.clocks[Clock.RESUMPTION].fact.due_at
    if a.by == CLOCK and a.at < day:
        raise TooEarly(NAME_OF[Action.RESUME], day)
    since = min(a.at, day)
    handling = handling_again(a, "resume", since=since)
    return [
        did.CaseResumed(
            due_at=handling.due_at,
            fell_due_at=day if a.by == CLOCK else None,
            stopped=(
                *a.stop(Clock.RESUMPTION, "resume", at=since),
                *a.stop_all("resume", KEPT | {Clock.RESUMPTION}),
            ),
            started=(handling,),
        )
    ]


def handling_again(
    a: Asking,
    because: str,
    waited: tuple[tuple[datetime, datetime], ...] = (),
    since: datetime | None = None,
) -> ClockStarted:
    """The handling clock with what was used, and waiting that counts as well, carried over."""
    assert a.case.total_limit and a.case.street and a.case.indicator
    kind, skips = clocks.family(a.case.total_limit.unit), a.skips(a.case.street, a.case.indicator)
    counted = a.rules.calendar.counted
    carried = a.case.used(Clock.HANDLING)
    return a.start_handling(
        because,
        a.case.total_limit,
        street=a.case.street,
        indicator=a.case.indicator,
        carried=carried + sum(counted(kind, first, last, skips) for first, last in waited),
        spans=(*a.handled(), *waited),
        plain=a.case.plain_limit,
        since=since,
    )


def rectify(a: Asking, c: ask.Rectify) -> list[did.Event]:
    """整改反馈: the hand-over stops the handling clock, provided that it is accepted."""
    assert a.case.street
    if not c.photos:
        raise Missing("photos", "请至少上传一张整改后的照片。")
    require_few(c.photos)
    return [
        did.CaseRectified(
            street=a.case.street,
            outcome=c.outcome,
            photos=c.photos,
            words=c.words.sealed,
            demonstration=c.demonstration,
            stopped=a.stop_all("rectify", paused=frozenset({Clock.HANDLING})),
            started=(a.start(Clock.VERIFICATION, "rectify"),),
        )
    ]
