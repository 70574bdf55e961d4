"""Strategies for anything that may be asked of a case: sound, slightly wrong, and far off.

Knows which fields a command has, not what the rules say about them.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from casework import commands as ask
from casework.lifecycle import ACTION_OF, Action
from casework.model import Assignment, Limit, Outcome, Photo, Place, PlaceKind, Solved, Unit
from tests.history import (
    AT_BORDER,
    CITIZEN,
    EVERYBODY,
    GREEN,
    HAIDIAN,
    INSIDE,
    INSIDE_012,
    NEIGHBOUR,
    OUTSIDE,
    PASSER_BY,
    PHOTO,
    QINGLONGQIAO,
    RULES,
    SEALED,
    ZHONGGUANCUN,
    person,
    words,
)

Commands = SearchStrategy[ask.Command]

actors = st.sampled_from(EVERYBODY)
persons = st.sampled_from([person(who) for who in (CITIZEN, NEIGHBOUR, PASSER_BY)])
streets = st.sampled_from([ZHONGGUANCUN, ZHONGGUANCUN, HAIDIAN, QINGLONGQIAO])
inside = st.sampled_from([INSIDE, INSIDE, INSIDE_012, AT_BORDER])
solved = st.sampled_from(Solved)
places = st.sampled_from(
    [GREEN, GREEN, *(Place(lon=116.3, lat=39.9, kind=kind) for kind in PlaceKind)]
)
ROWS = [
    (code, row.id)
    for code, indicator in RULES.catalogue.indicators.items()
    for row in indicator.conditions
]


class Values(NamedTuple):
    """What the fields of commands are drawn from."""

    words: SearchStrategy[ask.Words]
    photos: SearchStrategy[tuple[Photo, ...]]
    grades: SearchStrategy[int]
    limits: SearchStrategy[Limit]
    rows: SearchStrategy[tuple[str, str]]
    proposals: SearchStrategy[Assignment]
    days: SearchStrategy[int]
    stray_codes: tuple[str, ...]


SOUND = Values(
    words=st.just(words(12)),
    photos=st.just((PHOTO,)),
    grades=st.integers(1, 5),
    limits=st.sampled_from([Limit(1, Unit.DUTY_HOUR), Limit(1, Unit.CALENDAR_DAY)]),
    rows=st.sampled_from(ROWS),
    proposals=st.sampled_from([INSIDE, INSIDE, INSIDE_012, AT_BORDER]),
    days=st.sampled_from([1, 2, 30]),
    stray_codes=(),
)
"""Nothing wrong in itself; whether it fits the case is another matter."""

WILD = Values(
    words=st.sampled_from([words(12), words(3), words(0)]),
    photos=st.sampled_from([(PHOTO,), (), (PHOTO,) * 10]),
    grades=st.integers(0, 6),
    limits=st.builds(Limit, st.sampled_from([1, 4, 8, 0]), st.sampled_from(Unit)),
    rows=st.sampled_from([*ROWS, ("Z99", "Z99-1"), ("P04", "C01-1")]),
    proposals=st.sampled_from([INSIDE, INSIDE_012, AT_BORDER, OUTSIDE]),
    days=st.sampled_from([1, 2, 90, 91, 180, 181, 0, -1]),
    stray_codes=("N01", "R01", "ZZ"),
)


def submissions(v: Values, number: str = "HD202603020001") -> SearchStrategy[ask.Submit]:
    return st.builds(
        ask.Submit,
        number=st.just(number),
        person=persons,
        place=places,
        assignment=v.proposals,
        indicator=st.sampled_from(["P04", "C01", None, "Z99"]),
        text=st.none() | v.words,
        recording=st.sampled_from([None, PHOTO]),
        photos=v.photos,
        no_photo_reason=st.sampled_from([None, "夜间"]),
        contact=st.sampled_from([None, SEALED]),
        channel=st.sampled_from(["app", "web", "phone"]),
        danger=st.sampled_from([(), (), ("火情",)]),
    )


def sound_submissions(number: str) -> SearchStrategy[ask.Submit]:
    """Reports that the rules take."""
    return st.builds(
        ask.Submit,
        number=st.just(number),
        person=persons,
        place=st.just(GREEN),
        assignment=inside,
        indicator=st.just("P04"),
        photos=st.just((PHOTO,)),
        danger=st.sampled_from([(), (), ("火情",)]),
    )


def _registering(row: tuple[str, str], proposal: Assignment | None) -> ask.Register:
    return ask.Register(indicator=row[0], condition=row[1], proposal=proposal)


def _reclassifying(row: tuple[str, str], reason: ask.Words, *, bare: bool) -> ask.Reclassify:
    return ask.Reclassify(indicator=row[0], condition=None if bare else row[1], reason=reason)


@cache
def commands(v: Values, cases: tuple[UUID, ...], today: date) -> Mapping[Action, Commands]:
    """A strategy for every action; `cases` are those one may name."""
    bare = (
        ask.Withdraw,
        ask.ConfirmRevocation,
        ask.AcceptReturn,
        ask.Acknowledge,
        ask.Resume,
        ask.Claim,
        ask.Release,
        ask.GrantExtension,
        ask.GrantSuspension,
        ask.ConfirmTransferOut,
        ask.ConfirmForceClose,
        ask.LapseInformation,
        ask.LapseRating,
        ask.SettleDueTimes,
        ask.ApplySpecialPeriods,
    )
    w, m = v.words, st.none() | v.words
    resume_on = v.days.map(lambda n: today + timedelta(days=n))

    def codes(family: str) -> SearchStrategy[str]:
        own = (reason.code for reason in RULES.catalogue.family(family))
        return st.sampled_from([*own, *v.stray_codes])

    primaries = st.sampled_from([*cases, UUID(int=0xDEAD)])
    return {
        Action.SUBMIT: submissions(v),
        Action.SUPPLY_INFORMATION: st.builds(ask.SupplyInformation, text=m, photos=v.photos),
        Action.ADD_INFORMATION: st.builds(ask.AddInformation, text=m, photos=v.photos),
        Action.JOIN: st.builds(ask.Join, text=m, photos=v.photos),
        Action.OBJECT: st.builds(ask.Object, words=w),
        Action.RATE: st.builds(
            ask.Rate, solved=solved, satisfaction=v.grades, efficiency=v.grades, words=m
        ),
        Action.REQUEST_INFORMATION: st.builds(ask.RequestInformation, code=codes("Q"), question=w),
        Action.REGISTER: st.builds(_registering, v.rows, st.none() | v.proposals),
        Action.REFUSE: st.builds(ask.Refuse, code=codes("N"), words=w),
        Action.MERGE: st.builds(ask.Merge, primary=primaries),
        Action.UNMERGE: st.builds(ask.Unmerge, reason=w),
        Action.REVOKE_REGISTRATION: st.builds(ask.RevokeRegistration, code=codes("X"), words=w),
        Action.RECLASSIFY: st.builds(_reclassifying, v.rows, w, bare=st.booleans()),
        Action.CORRECT_PLACE: st.builds(
            ask.CorrectPlace, place=places, assignment=inside, reason=w
        ),
        Action.DISPATCH: st.builds(ask.Dispatch, street=streets, proposal=v.proposals, reason=m),
        Action.DESIGNATE: st.builds(ask.Designate, street=streets, proposal=v.proposals, reason=w),
        Action.RECALL: st.builds(ask.Recall, reason=w),
        Action.REJECT_RETURN: st.builds(ask.RejectReturn, code=codes("TR"), words=m),
        Action.REQUEST_SITE_CHECK: st.builds(ask.RequestSiteCheck, words=w),
        Action.REPORT_SITE_CHECK: st.builds(ask.ReportSiteCheck, findings=w, photos=v.photos),
        Action.ORDER_REWORK: st.builds(ask.OrderRework, code=codes("R"), words=w),
        Action.HAND_BACK_UNREADABLE: st.builds(
            ask.HandBackUnreadable,
            unreadable=v.photos.map(lambda photos: tuple(photo.upload for photo in photos)),
        ),
        Action.CLOSE: st.builds(
            ask.Close, standard_met=st.sampled_from([True, True, False]), reply=w
        ),
        Action.UPHOLD: st.builds(ask.Uphold, code=codes("V0"), words=w, photos=v.photos),
        Action.REOPEN: st.builds(ask.Reopen, code=codes("V1"), words=w, street=st.none() | streets),
        Action.RECORD_VISIT: st.builds(
            ask.RecordVisit, words=w, solved=st.none() | solved, satisfaction=st.none() | v.grades
        ),
        Action.ASSIGN: st.builds(ask.Assign, handler=st.sampled_from(["张师傅", " "])),
        Action.REQUEST_RETURN: st.builds(ask.RequestReturn, code=codes("T"), words=m),
        Action.REQUEST_COORDINATION: st.builds(ask.RequestCoordination, code=codes("K"), words=m),
        Action.REQUEST_EXTENSION: st.builds(
            ask.RequestExtension, code=codes("E"), by=v.limits, words=m
        ),
        Action.REQUEST_SUSPENSION: st.builds(
            ask.RequestSuspension, code=codes("S"), resume_on=resume_on, words=m
        ),
        Action.RECTIFY: st.builds(
            ask.Rectify, outcome=st.sampled_from(Outcome), photos=v.photos, words=w
        ),
        Action.APPEAL: st.builds(ask.Appeal, code=codes("A"), words=w),
        Action.ANSWER_NOTE: st.builds(ask.AnswerNote, note=st.integers(1, 4), words=w),
        Action.NAME_CO_HANDLER: st.builds(
            ask.NameCoHandler, body=st.sampled_from(["园林局", ""]), limit=v.limits
        ),
        Action.DENY_EXTENSION: st.builds(ask.DenyExtension, words=w),
        Action.DENY_SUSPENSION: st.builds(ask.DenySuspension, words=w),
        Action.TRANSFER_OUT: st.builds(
            ask.TransferOut, body=st.just("市排水集团"), number=st.sampled_from(["1", ""])
        ),
        Action.REQUEST_FORCE_CLOSE: st.builds(ask.RequestForceClose, code=codes("F"), words=w),
        Action.DECLINE_SECOND: st.builds(ask.DeclineSecond, words=w),
        Action.SUPERVISE_REOPEN: st.builds(ask.SuperviseReopen, words=w),
        Action.UPHOLD_APPEAL: st.builds(ask.UpholdAppeal, words=m),
        Action.DISMISS_APPEAL: st.builds(ask.DismissAppeal, code=codes("AD"), words=m),
        Action.NOTE: st.builds(ask.Note, words=w),
        Action.NOTIFY: st.builds(
            ask.Notify, person=persons, channel=st.sampled_from(["sms", "in_app"])
        ),
        **{ACTION_OF[kind]: st.builds(kind) for kind in bare},
    }
