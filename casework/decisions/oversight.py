"""督办、申诉、领办: what runs beside the life of a case without moving it."""

from datetime import datetime, timedelta

from casework import commands as ask
from casework import events as did
from casework.decisions.asking import Asking, sealed
from casework.errors import ConflictOfInterest, Exhausted, NothingPending, TooLate
from casework.lifecycle import NAME_OF, Action
from casework.model import Clock

CLAIM_FOR = timedelta(minutes=15)


def appeal(a: Asking, c: ask.Appeal) -> list[did.Event]:
    """申诉: once a case, within five working days of the closing."""
    may_appeal(a)
    return [
        did.AppealMade(
            code=a.code(c.code, "A", c.words),
            words=c.words.sealed,
            stopped=a.stop(Clock.APPEAL_WINDOW, "appeal"),
            started=(a.start(Clock.APPEAL, "appeal"),),
        )
    ]


def may_appeal(a: Asking) -> datetime:
    """Until when the 街镇 may appeal.

    Raises:
        Exhausted: it has appealed already.
        TooLate: that time is over.

    """
    name = NAME_OF[Action.APPEAL]
    if a.case.appealed:
        raise Exhausted(name, 1, "案")
    until = a.case.clocks[Clock.APPEAL_WINDOW].fact.due_at
    if a.at > until:
        raise TooLate(name, until)
    return until


def uphold_appeal(a: Asking, c: ask.UpholdAppeal) -> list[did.Event]:
    """申诉成立: a statistical overlay; the facts stand."""
    _other_than_decided(a, Action.UPHOLD_APPEAL)
    stopped = a.stop(Clock.APPEAL, "uphold_appeal")
    return [did.AppealUpheld(code=a.case.appeal_code, words=sealed(c.words), stopped=stopped)]


def dismiss_appeal(a: Asking, c: ask.DismissAppeal) -> list[did.Event]:
    _other_than_decided(a, Action.DISMISS_APPEAL)
    return [
        did.AppealDismissed(
            code=a.code(c.code, "AD", c.words),
            words=sealed(c.words),
            stopped=a.stop(Clock.APPEAL, "dismiss_appeal"),
        )
    ]


def _other_than_decided(a: Asking, action: Action) -> None:
    """Nobody decides an appeal of their own or against their own decision (section 2)."""
    a.never_asked(action, Action.APPEAL)
    decided = {
        "A01": a.case.dispatched_by,
        "A02": a.case.return_rejected_by,
        "A06": a.case.rework_by,
    }.get(a.case.appeal_code)
    if a.by.id in {decided, *a.case.closed_by}:
        raise ConflictOfInterest(NAME_OF[action], "申诉针对的是您的决定")


def note(a: Asking, c: ask.Note) -> list[did.Event]:
    """督办: the clock runs while any instruction is unanswered, from the first."""
    running = Clock.NOTE in a.case.clocks
    started = () if running else (a.start(Clock.NOTE, "note"),)
    return [did.InstructionNoted(note=len(a.case.notes) + 1, words=c.words.sealed, started=started)]


def answer_note(a: Asking, c: ask.AnswerNote) -> list[did.Event]:
    if c.note not in a.case.open_notes:
        raise NothingPending(NAME_OF[Action.ANSWER_NOTE], f"没有待答复的第{c.note}号督办意见。")
    last = len(a.case.open_notes) == 1
    stopped = a.stop(Clock.NOTE, "answer_note") if last else ()
    return [did.InstructionAnswered(note=c.note, words=c.words.sealed, stopped=stopped)]


def claim(a: Asking) -> list[did.Event]:
    """领办: so that two people don't open one case; lapses after 15 minutes."""
    live = a.case.claimed_until is not None and a.at < a.case.claimed_until
    if live and a.case.claimed_by != a.by.id:
        raise NothingPending(NAME_OF[Action.CLAIM], "该案件正由其他人员办理，请稍后再试。")
    return [did.CaseClaimed(until=a.at + CLAIM_FOR)]


def release(a: Asking) -> list[did.Event]:
    if a.case.claimed_by != a.by.id:
        raise NothingPending(NAME_OF[Action.RELEASE], "您没有领办这个案件。")
    return [did.ClaimReleased()]
