"""What a reviewer needs beside one case: why it is here, what it may be, what is like it.

Gathered from the API's own answers, the log and the catalogue. Decides nothing, proposes only.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from api.door import Door, assigned
from api.evidence_schemas import SimilarOut
from api.pages.action_forms import ActionForm
from api.pages.frame import Frame
from api.pages.shown_case import Shown, shown_case
from api.parts import Parts
from api.routes.similar import similar_to_case
from api.routes.visits import RatedRoundOut, ratings
from api.schemas import CaseOut, PhotoOut, Step
from api.shown import indicator_name, name_of_street, street_name
from api.typical_cases import candidate_in
from casework import candidates
from casework.application import Loaded
from casework.catalogue import Catalogue
from casework.clock_words import limit_in_words
from casework.clocks import SHANGHAI
from casework.events import ReportSubmitted
from casework.indicators import NotInCatalogue, Wording
from casework.lifecycle import Action, Status
from casework.log.port import Recorded
from casework.model import Certainty, PlaceKind
from projections.evidence import HANDED_OVER
from projections.evidence_seen import BY_REPORTERS
from recognition.model import Asked, Recognised

FAINT = 0.05
"""What recognition holds for less likely than this is not put before a reviewer."""

PATIENCE = 1.5
"""Seconds a page waits for a proposal; the model is trained at the first question of all."""

CERTAINTY_NAMES: Mapping[Certainty, str] = {
    Certainty.INSIDE: "属地明确",
    Certainty.NEAR_BORDER: "靠近边界",
    Certainty.CONTESTED: "争议区域",
    Certainty.OUTSIDE_DISTRICT: "不在海淀区",
}

MERGED_FROM = frozenset({Status.SUBMITTED, Status.REGISTERED, Status.DISPATCHED, Status.HANDLING})

_FROM_REPORTERS = frozenset(
    {"information-supplied", "information-added", "reporter-joined", "refusal-objected"}
)
_VISITED = frozenset({Status.CLOSED, Status.UNDER_RECHECK, Status.COMPLETED})
_ENDED = frozenset({Status.CLOSED, Status.COMPLETED})


class Row(msgspec.Struct, frozen=True):
    """A condition row to register under: what is posted, and what stands beside it."""

    value: str
    condition: str
    limit: str
    standard: str


class Offer(msgspec.Struct, frozen=True):
    """An indicator that it may be, and why; its rows, the one meant for the place first."""

    code: str
    name: str
    says: str
    rows: tuple[Row, ...]


class Candidate(msgspec.Struct, frozen=True):
    """A 街镇 that the case may be dispatched to, and what speaks for it."""

    code: str
    name: str
    says: str


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """Why the case is in this territory, and which other one it may be."""

    certainty: Certainty
    certainty_name: str
    because: str
    border_m: float | None
    candidates: tuple[Candidate, ...]
    """The likeliest first; the second is the runner-up."""
    returned_by: tuple[str, ...]


class Claim(msgspec.Struct, frozen=True):
    """Who has the case at the desk just now, and until when."""

    name: str
    until: datetime
    mine: bool


class Before(msgspec.Struct, frozen=True):
    """What recognition showed the reporter."""

    says: tuple[str, ...]
    warned: bool


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """The case as its pane shows it."""

    shown: Shown
    case: CaseOut
    text: str
    where: Where
    offers: tuple[Offer, ...]
    others: tuple[Offer, ...]
    scope: str
    not_yet: str
    """Why there is no proposal, where one was looked for."""
    before: Before | None
    dangers: tuple[Wording, ...]
    elsewhere: tuple[Wording, ...]
    similar: tuple[SimilarOut, ...]
    supplements: tuple[Step, ...]
    asked: Step | None
    """The street's request of return, or the site check that was asked for."""
    reported: Step | None
    """What the checker found."""
    standard: str
    before_photos: tuple[PhotoOut, ...]
    after_photos: tuple[PhotoOut, ...]
    other_photos: tuple[PhotoOut, ...]
    """Of a site check, or of a recheck."""
    claim: Claim | None
    ratings: tuple[RatedRoundOut, ...]
    nominate: str
    """"" where it may not be nominated for typical cases; else the month it would be in."""
    why_not: str

    def form(self, action: str) -> ActionForm | None:
        return self.shown.form(action)

    @property
    def proposed(self) -> str:
        """The row that stands chosen before anybody has touched the form."""
        return self.offers[0].rows[0].value if self.offers and self.offers[0].rows else ""


async def review_of(frame: Frame, reference: str) -> Review:
    """All that the pane needs. Raises UnknownCase."""
    parts, visitor = frame.parts, frame.visitor
    shown = await shown_case(frame, reference)
    case, status = shown.case, Status(shown.case.status)
    loaded, by_id = shown.loaded, str(case.case_id)
    similar: tuple[SimilarOut, ...] = ()
    if status in MERGED_FROM and frame.may("cases.similar"):
        similar = await similar_to_case(by_id, parts, visitor, None)
    catalogue = parts.catalogue
    text = next((s.words or "" for s in shown.steps if s.name == "report-submitted"), "")
    recognised = await proposal_for(parts, text, case) if status is Status.SUBMITTED else None
    rated: tuple[RatedRoundOut, ...] = ()
    if status in _VISITED:
        rated = (await ratings(by_id, parts, visitor, None)).rounds
    nominate, why_not = await _nomination(frame, shown)
    offers = _offers(catalogue, case, recognised)
    offered = {offer.code for offer in offers}
    return Review(
        shown=shown,
        case=case,
        text=text,
        where=_where(parts, loaded),
        offers=offers,
        others=tuple(
            _offer(catalogue, code, case.place_kind, "")
            for code in sorted(catalogue.indicators)
            if code not in offered
        ),
        scope=_scope(recognised),
        not_yet=_not_yet(status, text, recognised),
        before=_before(parts, shown.history),
        dangers=tuple(w for w in catalogue.danger_words if w.name in case.danger),
        elsewhere=catalogue.out_of_scope_in(text),
        similar=similar,
        supplements=tuple(step for step in shown.steps if step.name in _FROM_REPORTERS),
        asked=_asked(shown.steps, case),
        reported=_last(shown.steps, "site-check-reported"),
        standard=_standard(catalogue, case),
        before_photos=tuple(p for p in case.photos if p.came_with in BY_REPORTERS),
        after_photos=tuple(p for p in case.photos if p.came_with == HANDED_OVER),
        other_photos=tuple(
            p for p in case.photos if p.came_with not in {*BY_REPORTERS, HANDED_OVER}
        ),
        claim=await _claim(frame, case),
        ratings=rated,
        nominate=nominate,
        why_not=why_not,
    )


# what it may be ----------------------------------------------------------------------------


async def proposal_for(parts: Parts, text: str, case: CaseOut) -> Recognised | None:
    """What recognition says of the words as they are now; None where it takes too long."""
    if not text:
        return None
    catalogue = parts.catalogue
    asked = Asked(text=text, place_kind=case.place_kind)
    answer = asyncio.ensure_future(
        parts.recognising.answer(
            asked, None, lambda said: [w.name for w in catalogue.out_of_scope_in(said)]
        )
    )
    done, _ = await asyncio.wait({answer}, timeout=PATIENCE)
    return answer.result() if done else None


def _offers(
    catalogue: Catalogue, case: CaseOut, recognised: Recognised | None
) -> tuple[Offer, ...]:
    """The reporter's choice first, then what recognition proposes."""
    says: dict[str, str] = {}
    if case.indicator:
        says[case.indicator] = "已选定" if case.condition else "反映人所选"
    for each in recognised.proposals if recognised else ():
        if each.confidence < FAINT and says:
            continue
        why = f"推荐（{each.confidence:.0%}）" + (
            f"：{'、'.join(each.because)}" if each.because else ""
        )
        known = says.get(each.indicator)
        says[each.indicator] = f"{known}；{why}" if known else why
    return tuple(
        _offer(catalogue, code, case.place_kind, why)
        for code, why in says.items()
        if code in catalogue.indicators
    )


def _offer(catalogue: Catalogue, code: str, place_kind: str, says: str) -> Offer:
    indicator = catalogue.indicator(code)
    first = indicator.row_for(PlaceKind(place_kind))
    rows = (first, *(row for row in indicator.conditions if row.id != first.id))
    return Offer(
        code,
        indicator.name,
        says,
        tuple(
            Row(f"{code} {row.id}", row.condition, limit_in_words(row.limit), row.standard)
            for row in rows
        ),
    )


def _scope(recognised: Recognised | None) -> str:
    """That it may be none of the indicators, and whose it is then."""
    if recognised is None or not recognised.out_of_scope.flagged:
        return ""
    door = recognised.out_of_scope.door
    where = f"，建议转告反映人：{door.door.removesuffix('。')}" if door else ""
    return f"可能不属于现行指标（{recognised.out_of_scope.confidence:.0%}）{where}。"


def _not_yet(status: Status, text: str, recognised: Recognised | None) -> str:
    if status is not Status.SUBMITTED or recognised is not None:
        return ""
    if not text:
        return "没有文字描述，无法推荐类别，请看照片或听录音后选择。"
    return "类别推荐正在准备，稍后重新打开可见；可先自己选择。"


def _before(parts: Parts, history: Sequence[Recorded]) -> Before | None:
    """What the reporter was shown before sending; None where nothing was."""
    report = history[0].event
    told = report.recognition if isinstance(report, ReportSubmitted) else None
    if told is None:
        return None
    return Before(
        tuple(
            f"{indicator_name(parts, each.indicator)}（{each.confidence:.0%}）"
            for each in told.proposals
        ),
        told.warned,
    )


def _standard(catalogue: Catalogue, case: CaseOut) -> str:
    """What must be so before the case may be closed."""
    if not case.indicator or not case.condition:
        return ""
    try:
        return catalogue.indicator(case.indicator).row(case.condition).standard
    except NotInCatalogue:
        return ""


# where it is ---------------------------------------------------------------------------------


def _where(parts: Parts, loaded: Loaded) -> Where:
    """The verdict on the place, made anew without the 街镇 that returned it."""
    case = loaded.case
    map_ = parts.boundaries.of(case.assignment.boundary_version)
    fresh = assigned(map_, case.place, case.returned_by)
    found: dict[str, Candidate] = {}
    for code, says in ((fresh.street, "建议派往"), (fresh.runner_up, "另一种可能")):
        if code and code not in case.returned_by:
            found.setdefault(code, Candidate(code, name_of_street(parts, code), says))
    return Where(
        certainty=fresh.certainty,
        certainty_name=CERTAINTY_NAMES[fresh.certainty],
        because=fresh.because,
        border_m=fresh.border_m,
        candidates=tuple(found.values()),
        returned_by=tuple(sorted(street_name(parts, code) or code for code in case.returned_by)),
    )


# who said and did what -----------------------------------------------------------------------


def _last(steps: Sequence[Step], name: str) -> Step | None:
    return next((step for step in reversed(steps) if step.name == name), None)


def _asked(steps: Sequence[Step], case: CaseOut) -> Step | None:
    if Action.REQUEST_RETURN in case.pending:
        return _last(steps, "return-requested")
    if Action.REQUEST_SITE_CHECK in case.pending:
        return _last(steps, "site-check-requested")
    return None


async def _claim(frame: Frame, case: CaseOut) -> Claim | None:
    by, until = case.claimed_by, case.claimed_until
    if by is None or until is None:
        return None
    names = await frame.names_of([by])
    mine = by == frame.visitor.principal.actor_id
    return Claim(names.get(by, "其他审核员"), until, mine)


# for typical cases ---------------------------------------------------------------------------


async def _nomination(frame: Frame, shown: Shown) -> tuple[str, str]:
    """The month in which the case would be nominated, and why it cannot be."""
    parts, case_id = frame.parts, shown.case.case_id
    if Status(shown.case.status) not in _ENDED or not frame.may("typical_cases.nominate"):
        return "", ""
    found = await Door(parts).in_thread(lambda: candidate_in(parts, case_id, shown.history))
    if found is None:
        return "", ""
    why = candidates.why_not(found)
    if why is not None:
        return "", why
    return f"{parts.now().astimezone(SHANGHAI):%Y-%m}", ""
