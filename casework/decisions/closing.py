"""核查、结案、评价、复核: from the hand-over to the archive, and back if it was not solved."""

from datetime import timedelta
from uuid import UUID

from casework import clocks
from casework import commands as ask
from casework import events as did
from casework.decisions.asking import KEPT_AT_THE_END, Asking, sealed
from casework.decisions.handling import handling_again, require_none
from casework.decisions.intake import require_few
from casework.decisions.territory import require_no_second
from casework.errors import (
    ConflictOfInterest,
    Exhausted,
    Missing,
    NotPermitted,
    TooEarly,
    TooLate,
    UnseenFindings,
)
from casework.lifecycle import NAME_OF, ROLE_NAMES, Action, Status
from casework.model import (
    Assignment,
    Clock,
    ClockStarted,
    ClockStopped,
    Limit,
    Role,
    Solved,
    StreetCode,
    Unit,
)
from casework.state import Rating

WAITING_COUNTS = frozenset({"R01", "R04", "R05"})
"""Rework for these: the hand-over was none, so the wait counts as handling time (section 4)."""

SUPERVISED_FROM_ROUND = 3
REOPEN_WITHIN = timedelta(days=90)
LEAST_AFTER_REOPENING = Limit(2, Unit.DUTY_HOUR)
IN_APP = "in_app"


def request_site_check(a: Asking, c: ask.RequestSiteCheck) -> list[did.Event]:
    require_none(a, Action.REQUEST_SITE_CHECK)
    started = (a.start(Clock.SITE_CHECK, "request_site_check"),)
    return [did.SiteCheckRequested(words=c.words.sealed, started=started)]


def report_site_check(a: Asking, c: ask.ReportSiteCheck) -> list[did.Event]:
    require_few(c.photos)
    return [
        did.SiteCheckReported(
            findings=c.findings.sealed,
            photos=c.photos,
            stopped=a.stop(Clock.SITE_CHECK, "report_site_check"),
        )
    ]


def order_rework(a: Asking, c: ask.OrderRework) -> list[did.Event]:
    """返工: with R01, R04, R05 the verification time counts; else the remainder resumes."""
    a.never_own(Action.ORDER_REWORK)
    _require_seen(c)
    code = a.code(c.code, "R", c.words)
    counts = code in WAITING_COUNTS
    assert a.case.rectified_at
    waited = ((a.case.rectified_at, a.at),) if counts else ()
    return [
        did.ReworkOrdered(
            code=code,
            words=c.words.sealed,
            findings_seen=c.findings_seen,
            verification_counts=counts,
            stopped=a.stop_all("order_rework"),
            started=(handling_again(a, "order_rework", waited),),
        )
    ]


def _require_seen(c: ask.OrderRework | ask.Close) -> None:
    """Findings refuse nothing, but whoever decides must have seen them (section 6)."""
    unseen = tuple(f"{f.says}（{f.id}）" for f in c.findings if f.id not in c.findings_seen)
    if unseen:
        raise UnseenFindings(unseen)


def hand_back_unreadable(a: Asking, c: ask.HandBackUnreadable) -> list[did.Event]:
    """A hand-over without a photo that can be read was none: the wait counts, as with R04."""
    if not a.case.handed_over or not set(a.case.handed_over) <= set(c.unreadable):
        raise Missing("unreadable", "整改照片中有可以读取的，由审核员核查。")
    assert a.case.rectified_at
    waited = ((a.case.rectified_at, a.at),)
    return [
        did.RectificationUnreadable(
            photos=a.case.handed_over,
            stopped=a.stop_all("hand_back_unreadable"),
            started=(handling_again(a, "hand_back_unreadable", waited),),
        )
    ]


def close(a: Asking, c: ask.Close) -> list[did.Event]:
    """结案: the standard ticked, a reply in words; the rating window opens."""
    a.never_own(Action.CLOSE)
    if not c.standard_met:
        raise Missing("standard_met", "请核对并勾选结案标准；未达标的请返工。")
    _require_seen(c)
    assert a.case.indicator and a.case.condition
    standard = a.rules.catalogue.indicator(a.case.indicator).row(a.case.condition).standard
    return [
        did.CaseClosed(
            reply=c.reply.sealed,
            standard=standard,
            findings_seen=c.findings_seen,
            stopped=a.stop_all("close"),
            started=windows(a, "close"),
        )
    ]


def windows(a: Asking, because: str) -> tuple[ClockStarted, ...]:
    """What opens with every closing: 15 days to rate, 5 working days to appeal (once)."""
    rating = a.start(Clock.RATING, because)
    if a.case.appealed:
        return (rating,)
    return (rating, a.start(Clock.APPEAL_WINDOW, because))


def transfer_out(a: Asking, c: ask.TransferOut) -> list[did.Event]:
    require_no_second(a, Action.TRANSFER_OUT)
    if not c.body.strip() or not c.number.strip():
        raise Missing("body", "请填写接收单位和对方受理编号。")
    return [
        did.TransferRequested(
            body=c.body.strip(),
            number=c.number.strip(),
            words=sealed(c.words),
            started=(a.start(Clock.SECOND_PERSON, "transfer_out"),),
        )
    ]


def confirm_transfer_out(a: Asking) -> list[did.Event]:
    pending = a.case.pending[Action.TRANSFER_OUT]
    a.never_own(Action.CONFIRM_TRANSFER_OUT)
    a.never_asked(Action.CONFIRM_TRANSFER_OUT, Action.TRANSFER_OUT)
    return [
        did.CaseTransferred(
            body=pending.body,
            number=pending.number,
            stopped=a.stop_all("confirm_transfer_out"),
            started=windows(a, "confirm_transfer_out"),
        )
    ]


def request_force_close(a: Asking, c: ask.RequestForceClose) -> list[did.Event]:
    require_no_second(a, Action.REQUEST_FORCE_CLOSE)
    return [
        did.ForceCloseRequested(
            code=a.code(c.code, "F", c.words),
            words=c.words.sealed,
            started=(a.start(Clock.SECOND_PERSON, "request_force_close"),),
        )
    ]


def confirm_force_close(a: Asking) -> list[did.Event]:
    pending = a.case.pending[Action.REQUEST_FORCE_CLOSE]
    a.never_own(Action.CONFIRM_FORCE_CLOSE)
    a.never_asked(Action.CONFIRM_FORCE_CLOSE, Action.REQUEST_FORCE_CLOSE)
    return [
        did.CaseForceClosed(
            code=pending.code,
            stopped=a.stop_all("confirm_force_close"),
            started=windows(a, "confirm_force_close"),
        )
    ]


def decline_second(a: Asking, c: ask.DeclineSecond, request: Action) -> list[did.Event]:
    """The second person does not agree; the case stays as it is."""
    return [
        did.SecondPersonDeclined(
            request=request,
            words=c.words.sealed,
            stopped=a.stop(Clock.SECOND_PERSON, "decline_second"),
        )
    ]


def notify(a: Asking, c: ask.Notify) -> list[did.Event]:
    """反馈 delivered. The first delivery outside the in-app inbox opens the window anew."""
    if c.person not in a.case.reporters:
        raise Missing("person", "该人不是这个案件的反映人。")
    if c.channel == IN_APP or a.case.notified:
        return [did.CitizenNotified(person=c.person, channel=c.channel, read=c.read)]
    return [
        did.CitizenNotified(
            person=c.person,
            channel=c.channel,
            read=c.read,
            stopped=a.stop(Clock.RATING, "notify", final=False),
            started=(a.start(Clock.RATING, "notify"),),
        )
    ]


def rate(a: Asking, c: ask.Rate) -> list[did.Event]:
    """评价. The first partly or no opens a recheck; all solved archives the case."""
    name, who = NAME_OF[Action.RATE], UUID(a.by.id)
    if a.case.rating_of(who):
        raise Exhausted(name, 1, "轮")
    assert a.case.rating_until
    if a.at > a.case.rating_until:
        raise TooLate(name, a.case.rating_until)
    if not (1 <= c.satisfaction <= 5 and 1 <= c.efficiency <= 5):
        raise Missing("satisfaction", "满意度和处置效率请选1到5分。")
    rated = did.CaseRated(
        person=who,
        round=a.case.round,
        solved=c.solved,
        satisfaction=c.satisfaction,
        efficiency=c.efficiency,
        words=sealed(c.words),
    )
    return [rated, *_after_rating(a, Rating(who, a.case.round, c.solved))]


def _after_rating(a: Asking, rating: Rating) -> list[did.Event]:
    if a.case.status is not Status.CLOSED:
        return []
    if rating.solved is not Solved.YES:
        return [
            did.RecheckOpened(
                stopped=a.stop(Clock.RATING, "rate"), started=(a.start(Clock.RECHECK, "rate"),)
            )
        ]
    happy = {r.person for r in (*a.case.ratings, rating) if r.round == a.case.round}
    if happy >= set(a.case.reporters):
        return [did.CaseCompleted(stopped=archived(a, "rate"))]
    return []


def archived(
    a: Asking, because: str, keep: frozenset[Clock] = frozenset()
) -> tuple[ClockStopped, ...]:
    """What stops when a case goes to the archive; appeals and their window live on."""
    return a.stop_all(because, KEPT_AT_THE_END | {Clock.APPEAL_WINDOW} | keep)


def lapse_rating(a: Asking) -> list[did.Event]:
    due_at = a.case.clocks[Clock.RATING].fact.due_at
    if a.at <= due_at:
        raise TooEarly(NAME_OF[Action.LAPSE_RATING], due_at)
    others = archived(a, "lapse_rating", frozenset({Clock.RATING}))
    lapsed = a.stop(Clock.RATING, "lapse_rating", at=due_at)
    return [did.RatingLapsed(fell_due_at=due_at, stopped=(*lapsed, *others))]


def record_visit(a: Asking, c: ask.RecordVisit) -> list[did.Event]:
    """回访: never by the 街镇 that handled it."""
    a.never_own(Action.RECORD_VISIT)
    if c.satisfaction is not None and not 1 <= c.satisfaction <= 5:
        raise Missing("satisfaction", "满意度请选1到5分。")
    return [did.VisitRecorded(words=c.words.sealed, solved=c.solved, satisfaction=c.satisfaction)]


def uphold(a: Asking, c: ask.Uphold) -> list[did.Event]:
    """维持结案, by a reviewer who did not close it."""
    a.never_own(Action.UPHOLD)
    if a.by.id in a.case.closed_by:
        raise ConflictOfInterest(NAME_OF[Action.UPHOLD], "案件由您结案")
    require_few(c.photos)
    return [
        did.RecheckUpheld(
            code=a.code(c.code, "V0", c.words),
            words=c.words.sealed,
            photos=c.photos,
            stopped=archived(a, "uphold"),
        )
    ]


def reopen(a: Asking, c: ask.Reopen) -> list[did.Event]:
    """重办: half the limit; from round 3 the supervisor decides."""
    if a.case.round + 1 >= SUPERVISED_FROM_ROUND and not a.by.holds(Role.SUPERVISOR):
        raise NotPermitted(
            f"第{a.case.round + 1}轮{NAME_OF[Action.REOPEN]}", (ROLE_NAMES[Role.SUPERVISOR],)
        )
    code = a.code(c.code, "V1", c.words)
    return [_reopened(a, code, c.words, c.street, c.proposal)]


def supervise_reopen(a: Asking, c: ask.SuperviseReopen) -> list[did.Event]:
    """督办重办: false rectification found within 90 days."""
    assert a.case.completed_at
    until = a.case.completed_at + REOPEN_WITHIN
    if a.at > until:
        raise TooLate(NAME_OF[Action.SUPERVISE_REOPEN], until)
    return [_reopened(a, "V13", c.words, None, None, supervised=True)]


def _reopened(
    a: Asking,
    code: str,
    words: ask.Words,
    street: StreetCode | None,
    proposal: Assignment | None,
    *,
    supervised: bool = False,
) -> did.CaseReopened:
    to = street or a.case.street
    if to is None or a.case.indicator is None or a.case.condition is None:
        raise Missing("street", "案件此前没有派遣过街镇，请指明派往的街镇。")
    handling = _half_the_limit(a, to)
    return did.CaseReopened(
        code=code,
        words=words.sealed,
        street=to,
        assignment=proposal or a.case.assignment,
        limit=handling.limit,
        due_at=handling.due_at,
        round=a.case.round + 1,
        supervised=supervised,
        stopped=a.stop_all("reopen"),
        started=(a.start(Clock.ACKNOWLEDGE, "reopen"), handling, *a.still_noted("reopen")),
    )


def _half_the_limit(a: Asking, street: StreetCode) -> ClockStarted:
    """Half of what the catalogue gives, but never less than two duty hours."""
    assert a.case.indicator and a.case.condition
    indicator, on = a.case.indicator, a.at.astimezone(clocks.SHANGHAI).date()
    full = a.rules.limit(indicator, a.case.condition, street, a.case.place.kind, on)
    return max(
        (
            a.start_handling("reopen", limit, street=street, indicator=indicator)
            for limit in (clocks.half(full, a.rules.calendar), LEAST_AFTER_REOPENING)
        ),
        key=lambda clock: clock.due_at,
    )
