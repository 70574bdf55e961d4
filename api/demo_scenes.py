"""Parts that many scripts of the demonstration share: as far as 立案, 签收, 结案, 评价."""

from datetime import date, timedelta

from api import demo_words
from api.demo_telling import Scene, Seen, Teller
from casework.lifecycle import Action, Status
from casework.model import Clock

A = Action


def registered(t: Teller, *, dispatch: bool = True) -> Scene:
    """Reported, looked at, registered; and dispatched, by a person where the map is not sure."""
    yield from t.submit()
    return (yield from taken_on(t, dispatch=dispatch))


def taken_on(t: Teller, *, dispatch: bool = True) -> Scene:
    """What was reported is looked at and registered; the same."""
    t.later(3, 22)
    if t.rng.random() < 0.2:
        yield from t.ask(t.reviewer, A.CLAIM)
        t.later(1, 3)
    seen = yield from t.ask(
        t.reviewer,
        A.REGISTER,
        indicator=t.kind.indicator,
        condition=t.kind.condition,
        dispatch=dispatch,
    )
    if dispatch and seen.case.status is Status.REGISTERED:
        seen = yield from dispatched(t)
    return seen


def dispatched(t: Teller, street: str | None = None) -> Scene:
    """A person dispatches, saying why where the proposal is another."""
    t.later(2, 10)
    return (
        yield from t.ask(
            t.reviewer,
            A.DISPATCH,
            street=street or t.spot.street,
            reason="经与两家街镇核对现场照片，按管养范围派遣。",
        )
    )


def handling(t: Teller) -> Scene:
    """As far as the 街镇 having signed for it."""
    yield from registered(t)
    return (yield from acknowledged(t))


def acknowledged(t: Teller) -> Scene:
    t.later(3, 25)
    seen = yield from t.ask("street", A.ACKNOWLEDGE)
    if t.rng.random() < 0.4:
        t.later(1, 8)
        seen = yield from t.ask("street", A.ASSIGN, handler=demo_words.handler(t.rng))
    return seen


def rectified(
    t: Teller, seen: Seen, share: float | None = None, *, elsewhere: bool = True, **fields: object
) -> Scene:
    """Handed over after a share of the time that is left; above one it is late.

    Seen from `elsewhere` each time, or from where the report was made.
    """
    due = seen.case.clocks[Clock.HANDLING].fact.due_at
    t.until(due, share if share is not None else t.rng.uniform(0.25, 0.85))
    t.scene += 7 if elsewhere else 0
    photos = t.photo(after=fields.get("outcome", "rectified") == "rectified")
    return (
        yield from t.tell(
            "street",
            A.RECTIFY,
            {"outcome": "rectified", "words": t.remedy + "。", **fields},
            photos,
        )
    )


def closed(t: Teller, seen: Seen, words: str | None = None) -> Scene:
    """Verified and closed by a reviewer, with a reply; the in-app notice follows."""
    t.later(8, 100)
    street = seen.case.assignment.street or t.spot.street
    reply = words or demo_words.reply(t.rng, STREETS.get(street, "属地街镇"), t.remedy)
    seen = yield from t.ask(t.reviewer, A.CLOSE, standard_met=True, reply=reply)
    if t.rng.random() < 0.5:
        t.at += timedelta(seconds=t.rng.uniform(3, 60))
        person = str(seen.case.own_reporters[0])
        seen = yield from t.ask("clock", A.NOTIFY, person=person, channel="in_app")
    return seen


STREETS: dict[str, str] = {"110108012": "海淀街道", "110108011": "中关村街道"}
"""How replies name the two; the others are just 属地街镇."""


def solved(t: Teller, seen: Seen) -> Scene:
    """From handling to a closed case."""
    seen = yield from rectified(t, seen)
    return (yield from closed(t, seen))


def rated(t: Teller, answer: str, satisfaction: int) -> Scene:
    """The reporter's rating, if they can give one; hours or days later."""
    t.later(20, 3500)
    fields: dict[str, object] = {
        "solved": answer,
        "satisfaction": satisfaction,
        "efficiency": max(1, min(5, satisfaction + t.rng.choice((-1, 0, 0, 1)))),
    }
    words = demo_words.rated(t.rng, satisfaction)
    if words:
        fields["words"] = words
    return (yield from t.as_reporter(A.RATE, **fields))


def asked_for_more(t: Teller, share: float = 0.3) -> Scene:
    """延期 asked for after a share of the limit."""
    seen = yield from handling(t)
    limit = seen.case.limit
    assert limit is not None
    t.until(seen.case.clocks[Clock.HANDLING].fact.due_at, share)
    yield from t.ask(
        "street",
        A.REQUEST_EXTENSION,
        code="E01",
        by={"amount": max(1, limit.amount // 2), "unit": limit.unit.value},
        words="量大，需调车分两次清运。",
    )
    t.later(10, 60)
    return seen


def suspension_asked(t: Teller, resume: date | None = None) -> Scene:
    """挂账 asked for until a day; some days on, where none is given."""
    yield from handling(t)
    t.later(20, 120)
    seen = yield from t.ask(
        "street_lead",
        A.REQUEST_SUSPENSION,
        code="S02",
        resume_on=(resume or t.day(t.rng.randint(3, 8))).isoformat(),
        words="已纳入本月环境整治专项，统一施工。",
    )
    t.later(10, 60)
    return seen
