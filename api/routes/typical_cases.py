"""月度典型案例: the public's months, the desk's proposal and list, each step of an entry."""

from collections import Counter
from collections.abc import Callable
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from fastapi import Request as HttpRequest
from starlette.responses import Response

from api.access import Visitor
from api.accounts.audit import entry_of
from api.accounts.errors import NotThere
from api.conditional import conditional
from api.door import Door
from api.duty import accounts_of
from api.geojson import bad
from api.hygiene import StreetText
from api.office_schemas import IndicatorCode
from api.parts import Parts
from api.problems import ProblemError, problem_error
from api.routes.asked import Key, Match, version_of
from api.routes.cases import After, CaseRef, look, seen_up_to, sight
from api.routes.noted import asked_of, command_id, note_done, noting_refusals
from api.shown import indicator_name, street_name
from api.typical_cases import (
    candidate_of,
    consent_stream,
    look_at,
    pictures,
    publication,
    read_issue,
    record,
    require_not_erased,
)
from api.typical_schemas import (
    ApproveEntryIn,
    ConsentOut,
    DeskEntryOut,
    IssueDeskOut,
    IssueLine,
    IssuesDeskOut,
    NominateIn,
    ProposalOut,
    ProposedOut,
    RedactEntryIn,
    StageCount,
    TypicalMonthOut,
    TypicalMonthsOut,
    TypicalOut,
    WithdrawEntryIn,
)
from api.typical_shown import month_line, month_title, public_entry, public_month
from api.visitors import With, guard, keep_rate
from casework import candidates, monthly_issue
from casework.candidates import Candidate
from casework.errors import Missing, NothingPending, UnknownCase
from casework.events import PublicationConsentWithdrawn
from casework.model import ActorKind
from casework.monthly_issue import (
    MOST_ENTRIES,
    Approve,
    Command,
    Entry,
    Issue,
    Nominate,
    Redact,
    Withdraw,
)
from evidence.masking import mask
from evidence.redaction import redact_caption
from projections import typical_cases as view
from projections.typical_cases import Standing

router = APIRouter(tags=["月度典型案例"])

JSON = "application/json"
API = "/api/v1"
ONE = "这件典型案例"
OF_EACH = 5
"""Cases looked at of each 街镇 and indicator: more of the same kind would stand back anyway."""

RULE = (
    "从当月评价、同意公开的案件中推荐：评价均为已解决且满意度4分以上，有整改前后照片；"
    "转办、强制结案、现场未发现的不推荐。按满意度、处置效率、照片、按期、一次办结、反映人数计分，"
    "同一街镇、同一指标已有的往后排。"
)
STAGES = {
    "nominated": "待处理",
    "redacted": "待批准",
    "approved": "待发布",
    "published": "已公开",
    "withdrawn": "已撤回",
    "removed": "已移除",
}

MonthPath = Annotated[
    str,
    Path(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="月份，如 2026-05。"),
]
PUBLIC: dict[int | str, dict[str, object]] = {
    304: {"description": "与 If-None-Match 或 If-Modified-Since 所给的相同"},
    404: {"description": "没有找到"},
}


# the public ------------------------------------------------------------------------------


class About(NamedTuple):
    """Of which 街镇 and indicator the public asks, if not of all; and from which position on."""

    street: str | None
    indicator: str | None
    after: int | None


async def about(
    parts: With,
    street: Annotated[StreetText | None, Query(description="只看一个街镇。")] = None,
    indicator: Annotated[IndicatorCode | None, Query(description="只看一个指标。")] = None,
    after: After = None,
) -> About:
    """See About. Raises ProblemError for a 街镇 that is none."""
    if street is not None and street not in parts.dispatcher.boundaries.codes:
        raise bad("street", "没有这个街镇。")
    return About(street, indicator, after)


AskedAbout = Annotated[About, Depends(about)]


@router.get(
    "/typical-cases",
    name="typical_cases.list",
    summary="已公开的月份，新的在前",
    response_model=TypicalMonthsOut,
    responses={304: PUBLIC[304]},
)
async def list_months(
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("typical_cases.list"))],
) -> Response:
    """Every published month."""
    keep_rate(parts, visitor, "map", parts.limits.maps)
    months = await look(parts, view.published)
    body = TypicalMonthsOut(months=tuple(month_line(month) for month in months))
    changed = max((line.updated_at for line in body.months), default=None)
    return conditional(request, body.model_dump_json().encode(), JSON, changed, parts.now())


@router.get(
    "/typical-cases/{month}",
    name="typical_cases.read",
    summary="一个月的典型案例",
    response_model=TypicalMonthOut,
    responses=PUBLIC,
)
async def read_month(
    month: MonthPath,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("typical_cases.read"))],
    asked: AskedAbout,
) -> Response:
    """A published month. Withdrawn and corrected entries stay in it and say so."""
    keep_rate(parts, visitor, "map", parts.limits.maps)
    await seen_up_to(parts, asked.after)
    found = await look(parts, lambda c: view.month_of(c, month))
    if found is None or not found.public:
        raise none_published()
    body = public_month(parts, found, asked.street, asked.indicator)
    content = body.model_dump_json().encode()
    return conditional(request, content, JSON, body.updated_at, parts.now())


def none_published() -> ProblemError:
    """Of this month the public has seen nothing yet."""
    return problem_error(404, "no-issue", "没有找到", "这个月还没有公开典型案例。")


@router.get(
    "/typical-cases/{month}/photos/{name}",
    name="typical_cases.photo",
    summary="典型案例的照片",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, **PUBLIC},
)
async def photo(
    month: MonthPath,
    name: Annotated[str, Path(min_length=1, max_length=80, description="照片的随机名称。")],
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("typical_cases.photo"))],
) -> Response:
    """A redacted picture of an entry that is shown now; gone as soon as the entry is."""
    keep_rate(parts, visitor, "map", parts.limits.maps)
    found = await look(parts, lambda c: view.month_of(c, month))
    place = _place_of(found, name) if found else None
    if place is not None:
        case, upload = place
        read = await Door(parts).in_thread(lambda: parts.public_photos.read(case, upload, name))
        if read is not None:
            return conditional(request, read.content, read.media_type, None, parts.now())
    raise problem_error(404, "unknown-file", "没有找到", "没有找到这张照片。")


def _place_of(month: view.Month, name: str) -> tuple[UUID, UUID] | None:
    """Case and upload of a picture that is shown now."""
    for standing in month.public:
        shown = standing.shown
        for picture in (*shown.before, *shown.after) if shown else ():
            if picture.name == name:
                return standing.entry.case, picture.upload
    return None


# the desk --------------------------------------------------------------------------------


@router.get("/desk/typical-cases", name="typical_cases.months", summary="各月案例办到哪一步")
async def list_desk_months(
    parts: With, _visitor: Annotated[Visitor, Depends(guard("typical_cases.months"))]
) -> IssuesDeskOut:
    """Every month that anything was nominated for, and how many entries stand at which stage."""
    months = await look(parts, view.begun)
    return IssuesDeskOut(months=tuple(_counted(month) for month in months))


def _counted(month: view.Month) -> IssueLine:
    counts = Counter(stage_of(each.entry) for each in month.entries)
    return IssueLine(
        month=month.month,
        title=month_title(month.month),
        stages=tuple(
            StageCount(stage=stage, stage_name=name, entries=counts[stage])
            for stage, name in STAGES.items()
        ),
        must_withdraw=sum(map(_must_withdraw, month.entries)),
        published_at=month.issue.published_at,
    )


def _must_withdraw(standing: Standing) -> bool:
    """Hidden for good already, and nobody has recorded yet that it is withdrawn."""
    return (
        standing.doubt not in {None, view.Doubt.RECHECKING}
        and standing.entry.published_at is not None
        and standing.entry.withdrawn_at is None
    )


@router.get("/typical-cases/{month}/desk", name="typical_cases.desk", summary="本月案例的办理情况")
async def desk(
    month: MonthPath,
    response: Response,
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("typical_cases.desk"))],
    after: After = None,
    entry: Annotated[int | None, Query(ge=1, le=MOST_ENTRIES, description="只看第几件。")] = None,
) -> IssueDeskOut:
    """Every entry, or one, with its stage, and what stands against showing it now."""
    await seen_up_to(parts, after)
    standings = await _standings(parts, month)

    def read() -> IssueDeskOut:
        issue = read_issue(parts.casework.eventlog, month)
        return _desk(parts, month, issue, standings, only=entry)

    told = await Door(parts).in_thread(read)
    response.headers["ETag"] = f'"{told.version}"'
    return told


async def _standings(parts: Parts, month: str) -> dict[int, Standing]:
    """The entries by number, each with what has come between, as the views know it."""
    found = await look(parts, lambda c: view.month_of(c, month))
    return {each.entry.number: each for each in found.entries} if found else {}


def _desk(
    parts: Parts,
    month: str,
    issue: Issue,
    standings: dict[int, Standing],
    position: int | None = None,
    only: int | None = None,
) -> IssueDeskOut:
    names = _names(parts, issue)
    return IssueDeskOut(
        month=month,
        version=issue.version,
        publications=issue.publications,
        published_at=issue.published_at,
        entries=tuple(
            _at_desk(parts, entry, standings.get(entry.number), names)
            for entry in issue.entries.values()
            if only in {None, entry.number}
        ),
        position=position,
    )


def _names(parts: Parts, issue: Issue) -> Callable[[str], str]:
    """What the accounts are called that had a hand in the month."""
    ids = {
        account
        for entry in issue.entries.values()
        for account in (entry.nominated_by, *entry.redactors, entry.approved_by)
        if account is not None
    }
    known = accounts_of(parts.desk, sorted(ids))

    def name(account: str) -> str:
        return known[account].display_name if account in known else account

    return name


def stage_of(entry: Entry) -> str:
    if entry.withdrawn_at is not None:
        return "withdrawn"
    if entry.erased_at is not None:
        return "removed"
    if entry.approved_by is not None:
        return "approved"
    if entry.redacted:
        return "redacted"
    return "nominated" if entry.shown is None else "published"


def _at_desk(
    parts: Parts, entry: Entry, standing: Standing | None, name: Callable[[str], str]
) -> DeskEntryOut:
    stage = stage_of(entry)
    pictures = (*entry.pictures_before, *entry.pictures_after)
    return DeskEntryOut(
        entry=entry.number,
        case_id=entry.case,
        number=entry.case_number,
        stage=stage,
        stage_name=STAGES[stage],
        title=entry.title,
        caption=entry.caption,
        why=entry.why,
        before=entry.before,
        after=entry.after,
        alt={picture.upload: picture.alt for picture in pictures if picture.alt},
        nominated_by=entry.nominated_by,
        nominated_by_name=name(entry.nominated_by),
        nominated_at=entry.nominated_at,
        redacted_by=entry.redactors,
        redacted_by_names=tuple(name(account) for account in entry.redactors),
        approved_by=entry.approved_by,
        approved_by_name=name(entry.approved_by) if entry.approved_by else None,
        published_at=entry.published_at,
        correcting=entry.shown is not None and not entry.gone,
        withdrawn_code=entry.withdrawn_code,
        withdrawn_words=entry.withdrawn_words,
        withdrawn_at=entry.withdrawn_at,
        against=() if entry.gone else _against(parts, entry),
        must_withdraw=standing is not None and _must_withdraw(standing),
    )


def _against(parts: Parts, entry: Entry) -> tuple[str, ...]:
    found = look_at(parts, entry)
    barred = candidates.why_not(found.candidate) if found.candidate else "没有找到案件。"
    return tuple(dict.fromkeys([*([barred] if barred else []), *found.against]))


@router.get(
    "/typical-cases/{month}/desk/{entry}/preview",
    name="typical_cases.preview",
    summary="一件案例发布后的样子",
)
async def preview(
    month: MonthPath,
    entry: Annotated[int, Path(ge=1, le=MOST_ENTRIES, description="第几件。")],
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("typical_cases.preview"))],
) -> TypicalOut:
    """The draft as a publication now would show it, whether or not it may be published.

    Its pictures are fetched as those of a case are, by who may see them there.
    """

    def read() -> TypicalOut:
        issue = read_issue(parts.casework.eventlog, month)
        draft = issue.entries.get(entry)
        if draft is None:
            raise NotThere(ONE)
        look = look_at(parts, draft)
        then = None if draft.gone else monthly_issue.previewed(draft, look, parts.now())
        if then is None:
            raise NothingPending("预览", f"第{entry}件还没有可以预览的稿件。")
        return public_entry(parts, month, Standing(then), f"{API}/photos")

    return await Door(parts).in_thread(read)


@router.get(
    "/typical-cases/{month}/proposal",
    name="typical_cases.proposal",
    summary="推荐哪些案件，各因为什么",
)
async def proposal(
    month: MonthPath,
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("typical_cases.proposal"))],
    most: Annotated[int, Query(ge=1, le=50, description="最多推荐几件。")] = 20,
    after: After = None,
) -> ProposalOut:
    """The best of the month, spread over 街镇 and indicators; a person nominates."""
    as_of = await seen_up_to(parts, after)
    number = int(month.replace("-", ""))
    found = await look(parts, lambda c: view.candidates_of(c, number, OF_EACH))
    fit = await look(parts, lambda c: view.fit_count(c, number))

    def rank() -> tuple[ProposedOut, ...]:
        issue = read_issue(parts.casework.eventlog, month)
        live = [e for e in issue.entries.values() if e.withdrawn_at is None]
        taken = [c for e in live if (c := candidate_of(parts, e.case)) is not None]
        cases = {e.case for e in live}
        left = [(case, candidate) for case, candidate in found if case not in cases]
        return tuple(_proposed(parts, each) for each in candidates.ranked(left, taken, most))

    return ProposalOut(
        month=month,
        fit=fit,
        proposed=await Door(parts).in_thread(rank),
        rule=RULE,
        as_of=as_of,
    )


def _proposed(parts: Parts, one: candidates.Proposed) -> ProposedOut:
    case = one.candidate
    return ProposedOut(
        case_id=one.case,
        number=case.number,
        street=case.street,
        street_name=street_name(parts, case.street),
        indicator=case.indicator,
        indicator_name=indicator_name(parts, case.indicator),
        score=one.score,
        because=one.because,
        satisfaction=case.satisfaction,
        efficiency=case.efficiency,
        minutes=case.minutes,
        before=tuple(shot.upload for shot in case.before if shot.person in case.consenting),
        after=case.after,
        demonstration=case.demonstration,
    )


# the steps -------------------------------------------------------------------------------


class Sent(NamedTuple):
    """What every step is sent with, and where its answer's headers go."""

    request: HttpRequest
    response: Response
    key: str
    match: str | None


async def sent(request: HttpRequest, response: Response, key: Key, match: Match = None) -> Sent:
    """See Sent."""
    return Sent(request, response, key, match)


Step = Annotated[Sent, Depends(sent)]


@router.post(
    "/typical-cases/{month}/nominate",
    name="typical_cases.nominate",
    status_code=201,
    summary="推荐案件",
)
async def nominate(
    month: MonthPath,
    form: NominateIn,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("typical_cases.nominate"))],
    step: Step,
) -> IssueDeskOut:
    """A case that is solved and rated, for the month's issue."""
    operation = "typical_cases.nominate"
    async with noting_refusals(parts, visitor, operation, f"issue/{month}"):
        loaded, _actor = await sight(parts, visitor, form.case)

        def command(_issue: Issue) -> Command:
            candidate = _known(parts, loaded.case_id)
            require_not_erased(parts, candidate)
            return Nominate(
                case=loaded.case_id,
                candidate=candidate,
                caption=redact_caption(form.caption),
                before=form.before,
                after=form.after,
            )

    return await _step(step, parts, visitor, operation, month, command)


def _known(parts: Parts, case_id: UUID) -> Candidate:
    found = candidate_of(parts, case_id)
    if found is None:
        raise UnknownCase(case_id)
    return found


@router.post(
    "/typical-cases/{month}/redact", name="typical_cases.redact", summary="处理说明和照片，或更正"
)
async def redact(
    month: MonthPath,
    form: RedactEntryIn,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("typical_cases.redact"))],
    step: Step,
) -> IssueDeskOut:
    """The caption and the redacted pictures as they shall be shown; of a public entry a correction.

    What is public stays as it is until somebody else approves and it is published again.
    """

    def command(issue: Issue) -> Command:
        entry = issue.entries.get(form.entry)
        before = form.before if form.before is not None else entry.before if entry else ()
        after = form.after if form.after is not None else entry.after if entry else ()
        if not form.alt.keys() <= {*before, *after}:
            raise Missing("alt", "照片的文字说明只能写给选用的照片。")
        alt = {**_alt(entry), **{upload: redact_caption(form.alt[upload]) for upload in form.alt}}
        kept = entry.title if entry else ""
        return Redact(
            entry=form.entry,
            title=kept if form.title is None else redact_caption(form.title),
            caption=redact_caption(form.caption),
            before=pictures(parts, entry, before, alt) if entry else (),
            after=pictures(parts, entry, after, alt) if entry else (),
            why=mask(form.why),
        )

    return await _step(step, parts, visitor, "typical_cases.redact", month, command)


def _alt(entry: Entry | None) -> dict[UUID, str]:
    """What was written of the photos before."""
    if entry is None:
        return {}
    return {p.upload: p.alt for p in (*entry.pictures_before, *entry.pictures_after)}


@router.post("/typical-cases/{month}/approve", name="typical_cases.approve", summary="批准")
async def approve(
    month: MonthPath,
    form: ApproveEntryIn,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("typical_cases.approve"))],
    step: Step,
) -> IssueDeskOut:
    """By an account that neither nominated nor redacted it."""
    return await _step(
        step,
        parts,
        visitor,
        "typical_cases.approve",
        month,
        lambda _issue: Approve(entry=form.entry),
    )


@router.post("/typical-cases/{month}/publish", name="typical_cases.publish", summary="发布")
async def publish(
    month: MonthPath,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("typical_cases.publish"))],
    step: Step,
) -> IssueDeskOut:
    """Everything approved becomes public, after a last look at each; or nothing, and why."""
    return await _step(
        step,
        parts,
        visitor,
        "typical_cases.publish",
        month,
        lambda issue: publication(parts, issue),
    )


@router.post("/typical-cases/{month}/withdraw", name="typical_cases.withdraw", summary="撤回")
async def withdraw(
    month: MonthPath,
    form: WithdrawEntryIn,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("typical_cases.withdraw"))],
    step: Step,
) -> IssueDeskOut:
    """With a W… code; the public reads that it was withdrawn, and why."""
    command = Withdraw(entry=form.entry, code=form.code, words=mask(form.words))
    return await _step(
        step,
        parts,
        visitor,
        "typical_cases.withdraw",
        month,
        lambda _issue: command,
    )


async def _step(
    step: Sent,
    parts: Parts,
    visitor: Visitor,
    operation: str,
    month: str,
    command: Callable[[Issue], Command],
) -> IssueDeskOut:
    """Carry it out in a thread; then its audit row, once however often it is sent."""
    expect = version_of(step.match)
    asked = await asked_of(step.request, parts, visitor, step.key)

    async with noting_refusals(parts, visitor, operation, f"issue/{month}"):
        issue, position = await Door(parts).in_thread(
            lambda: record(parts, month, asked, expect, command)
        )
    await note_done(parts, visitor, operation, asked, f"issue/{month}", version=issue.version)
    await seen_up_to(parts, position)  # what has come between is the views' to know
    standings = await _standings(parts, month)
    step.response.headers["ETag"] = f'"{issue.version}"'
    return await Door(parts).in_thread(lambda: _desk(parts, month, issue, standings, position))


# the reporter ----------------------------------------------------------------------------


@router.post(
    "/cases/{case}/withdraw-publication-consent",
    name="cases.withdraw_consent",
    summary="不再同意公开照片",
)
async def withdraw_consent(
    case: CaseRef,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("cases.withdraw_consent"))],
    key: Key,
) -> ConsentOut:
    """Photos of this reporter are shown no more, from now on, whatever was published."""
    loaded, actor = await sight(parts, visitor, case)
    person = next((p for p in loaded.case.reporters if str(p) == actor.id), None)
    if actor.kind is not ActorKind.CITIZEN or person is None:
        raise UnknownCase(case)
    at = parts.now()
    command = command_id(visitor, request.url.path, key, person=str(person))
    fact = PublicationConsentWithdrawn(case=loaded.case_id, person=person)
    done = await Door(parts).in_thread(
        lambda: parts.casework.record_fact(
            consent_stream(loaded.case_id), fact, at=at, by=actor, command_id=command
        )
    )
    await parts.audit.record_durably(
        entry_of(
            visitor.principal,
            "cases.withdraw_consent",
            at,
            target=f"case/{loaded.case_id}",
            command_id=command,
        )
    )
    return ConsentOut(case_id=loaded.case_id, publication=False, position=max(done.positions))
