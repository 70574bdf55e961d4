"""案件: lists, one case, its timeline, its clocks, what may be done; and every action's path."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Path, Query, Response
from fastapi import Request as HttpRequest
from msgspec.structs import replace
from sqlalchemy import Connection

from api.access import Visitor, actor_at, require_sight
from api.accounts.audit import entry_of
from api.accounts.principal import PrincipalKind
from api.actions import FORMS, Form
from api.clocks import ExplainOut
from api.door import Door
from api.hygiene import Code, Line, Moment, StreetText
from api.one_case import clocks_told, steps_told, with_photos
from api.parts import Parts
from api.pictures import photos_shown
from api.problems import FieldError, problem_error
from api.routes.asked import Key, Match, asked
from api.schemas import (
    ActionOut,
    CaseOut,
    CasePage,
    DoneOut,
    DueOut,
    MyCaseOut,
    RevealIn,
    RevealOut,
    StatusOut,
    StreetDeskOut,
    StreetSectionOut,
    StreetTaskOut,
    TimelineOut,
)
from api.shown import (
    Seen,
    name_of_street,
    of_done,
    of_state,
    of_view,
    public_step,
    street_name,
)
from api.time_left import Lefts
from api.visitors import With, guard, keep_rate
from casework.application import Loaded
from casework.clock_words import CLOCK_NAMES
from casework.clocks import SHANGHAI
from casework.errors import Missing, UnknownCase
from casework.events import ReporterJoined, ReportSubmitted
from casework.lifecycle import LABELS, ROWS_OF, Action, Status, rows_from
from casework.log.port import Recorded
from casework.model import Actor, ActorKind, Role, Sealed
from casework.numbers import is_case_number
from casework.sealing import ERASED_TEXT
from casework.state import allowed
from projections import case_list, due, evidence_seen, my_cases, search, street_desk, timeline
from projections.case_list import CaseView, Filters, StaleCursor
from projections.feed import BeyondHead
from projections.street_desk import Task
from projections.tables import reading

router = APIRouter()

CaseRef = Annotated[
    str,
    Path(
        min_length=1,
        max_length=40,
        description="案件 id 或案件编号。",
        examples=["HD26112200123452"],
    ),
]
After = Annotated[
    int | None,
    Query(ge=0, le=2**53, description="等视图读到这个位置再回答，最多等 2 秒。"),
]
T = TypeVar("T")

_SOON = timedelta(hours=24)
"""What a desk counts as due soon."""


async def look(parts: Parts, question: Callable[[Connection], T]) -> T:
    """Ask the views, in a thread."""

    def ask_them() -> T:
        with reading(parts.feed.readers.engine) as connection:
            return question(connection)

    return await asyncio.get_running_loop().run_in_executor(parts.work, ask_them)


async def seen_up_to(parts: Parts, after: int | None) -> int:
    """Wait for a position if one is asked for; the position that the views have read.

    Raises:
        ProblemError: 400 for a position beyond the end of the log.

    """
    if after is None:
        return parts.feed.as_of().position
    try:
        return (await parts.feed.seen(after)).position
    except BeyondHead:
        raise problem_error(
            400,
            "beyond-head",
            "位置不存在",
            "after 超出了日志的末尾，请使用答复中给出的 position。",
        ) from None


async def sight(parts: Parts, visitor: Visitor, reference: str) -> tuple[Loaded, Actor]:
    """The case and who looks; or UnknownCase, also for a case that is another's."""
    door = Door(parts)
    case_id = await door.case_id(reference)
    loaded = await door.loaded(case_id)
    actor = actor_at(visitor, case_id, loaded.case, parts.receipts)
    return loaded, require_sight(actor, case_id, loaded.case)


# lists -----------------------------------------------------------------------------------

_WITH_A_STREET = (
    Status.DISPATCHED,
    Status.HANDLING,
    Status.SUSPENDED,
    Status.RECTIFIED,
    Status.CLOSED,
    Status.UNDER_RECHECK,
    Status.COMPLETED,
)


@router.get("/cases", name="cases.list", tags=["案件"], summary="案件列表，新的在前")
async def list_cases(  # noqa: PLR0913  a query parameter each
    *,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("cases.list"))],
    status: Annotated[list[Status] | None, Query()] = None,
    street: Annotated[StreetText | None, Query()] = None,
    indicator: Annotated[Code | None, Query()] = None,
    due_before: Annotated[Moment | None, Query()] = None,
    overdue: Annotated[bool, Query()] = False,
    bbox: Annotated[str | None, Query(max_length=120, description="西,南,东,北 (WGS-84)")] = None,
    from_: Annotated[Moment | None, Query(alias="from")] = None,
    to: Annotated[Moment | None, Query()] = None,
    q: Annotated[Line | None, Query(min_length=1, max_length=60)] = None,
    pending: Annotated[
        Action | None, Query(description="有这种申请等待答复的，如 request_site_check。")
    ] = None,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    after: After = None,
) -> CasePage:
    """The cases this visitor may see, through the filters, newest first."""
    as_of = await seen_up_to(parts, after)
    filters = Filters(
        status=tuple(status or ()),
        street=street,
        indicator=indicator,
        due_before=_aware(due_before, "due_before"),
        overdue=parts.now() if overdue else None,
        bbox=_box(bbox),
        start=_aware(from_, "from"),
        end=_aware(to, "to"),
        pending=pending,
    )
    within = scoped(visitor, filters)
    if within is None:
        return CasePage(cases=(), next=None, as_of=as_of)
    epoch = parts.casework.eventlog.epoch

    def question(connection: Connection) -> case_list.Page:
        if q is not None:
            return search.find(connection, q, within, epoch=epoch, cursor=cursor, limit=limit)
        return case_list.newest(connection, within, epoch=epoch, cursor=cursor, limit=limit)

    try:
        page = await look(parts, question)
    except StaleCursor as stale:
        raise problem_error(400, "stale-cursor", "翻页标记失效", str(stale)) from None
    seen = Seen(visitor.principal.actor())
    return CasePage(
        cases=tuple(of_view(parts, view, seen, as_of) for view in page.cases),
        next=page.cursor,
        as_of=as_of,
    )


def _aware(moment: datetime | None, field: str) -> datetime | None:
    """A time with its offset; without one nobody knows which moment is meant."""
    if moment is not None and moment.tzinfo is None:
        raise _bad(field, "请写明时区，如 2026-11-22T08:00:00+08:00。")
    return moment


def _bad(field: str, why: str) -> Exception:
    return problem_error(422, "bad-parameter", "参数不正确", why, errors=(FieldError(field, why),))


def _box(text: str | None) -> tuple[float, float, float, float] | None:
    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise _bad("bbox", "应为四个数: 西,南,东,北。") from None
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise _bad("bbox", "应为四个数: 西,南,东,北，且西不大于东、南不大于北。")
    return west, south, east, north


def scoped(visitor: Visitor, filters: Filters) -> Filters | None:
    """The filters within what this desk or partner may see; None where nothing is left."""
    principal = visitor.principal
    if principal.kind is PrincipalKind.PARTNER:
        return replace(filters, sent_by=str(principal.account_id))
    if principal.holds(Role.REVIEWER, Role.SUPERVISOR, Role.ANALYST):
        return filters
    if principal.holds(Role.STREET, Role.STREET_LEAD):
        if filters.street not in (None, principal.street):
            return None
        return _within(replace(filters, street=principal.street), _WITH_A_STREET)
    if principal.holds(Role.EDITOR):
        return _within(filters, (Status.CLOSED, Status.COMPLETED))
    return replace(filters, pending=Action.REQUEST_SITE_CHECK)


def _within(filters: Filters, statuses: tuple[Status, ...]) -> Filters | None:
    """Only these statuses; None where the filter asks for others only."""
    left = tuple(s for s in statuses if not filters.status or s in filters.status)
    return replace(filters, status=left) if left else None


@router.get("/my/cases", name="cases.mine", tags=["市民"], summary="我的上报")
async def mine(
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("cases.mine"))],
    after: After = None,
) -> tuple[MyCaseOut, ...]:
    """The cases this citizen reported or joined, newest first, and what is asked now."""
    as_of = await seen_up_to(parts, after)
    person = visitor.principal.person_id
    assert person is not None
    return await mine_of(parts, person, as_of)


async def mine_of(parts: Parts, person: UUID, as_of: int) -> tuple[MyCaseOut, ...]:
    """The cases of a person, newest first, by their pseudonymous id."""
    found = await look(
        parts,
        lambda c: my_cases.cases_of(c, person, lambda code: name_of_street(parts, code)),
    )
    return tuple(
        MyCaseOut(
            case_id=case.case_id,
            number=case.number,
            how=case.how,
            since=case.since,
            status=case.status,
            label=case.label,
            text=case.shown.first_line,
            street_name=street_name(parts, case.shown.street),
            asked=case.asked,
            until=case.until,
            rated=case.rated,
            as_of=as_of,
        )
        for case in found
    )


@router.get("/desk/street", name="desk.street", tags=["街镇"], summary="街镇工作台")
async def street_tasks(
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("desk.street"))],
    after: After = None,
) -> StreetDeskOut:
    """The street's cases, what presses most first, with counts."""
    as_of = await seen_up_to(parts, after)
    street, now = visitor.principal.street, parts.now()
    seen = Seen(visitor.principal.actor())
    if street is None:
        raise Missing("street", "您的账号没有所属街镇，请联系管理员。")
    midnight = _midnight(now)

    def ask(
        c: Connection,
    ) -> tuple[street_desk.Desk, list[Task], dict[str, tuple[Task, ...]], dict[str, int], Lefts]:
        tasks = street_desk.pressing(c, street)
        sections = street_desk.sections(c, street, now, now + _SOON, midnight)
        shown = {task.case.case_id for some in (tasks, *sections.values()) for task in some}
        return (
            street_desk.desk(c, street, now, now + _SOON, midnight),
            tasks,
            sections,
            street_desk.beside(c, street, now),
            Lefts.of_cases(parts, c, shown, now),
        )

    desk, tasks, sections, beside, lefts = await look(parts, ask)

    def told(task: Task) -> StreetTaskOut:
        left = (
            lefts.of(task.case.case_id, task.clock, task.due_at)
            if task.clock is not None and task.due_at is not None
            else None
        )
        return StreetTaskOut(
            case=of_view(parts, task.case, seen, as_of),
            clock=task.clock,
            clock_name=CLOCK_NAMES[task.clock] if task.clock else None,
            due_at=task.due_at,
            overdue=task.due_at is not None and task.due_at < now,
            remaining=left.says if left else None,
            left=left,
            again=task.again,
        )

    counts = {
        "notes": desk.pending.get(Action.NOTE, 0),
        "overdue": desk.overdue,
        "due_today": desk.due_today,
        "to_acknowledge": desk.to_acknowledge,
        "again": desk.again,
        "dissatisfied": desk.dissatisfied,
        "suspensions_ending": desk.suspensions_ending,
        **beside,
        "tasks": sum(desk.by_status[status] for status in street_desk.WITH_STREET),
    }
    return StreetDeskOut(
        street=street,
        street_name=name_of_street(parts, street),
        by_status={str(s): n for s, n in desk.by_status.items()},
        overdue=desk.overdue,
        due_soon=desk.due_soon,
        due_today=desk.due_today,
        to_acknowledge=desk.to_acknowledge,
        again=desk.again,
        dissatisfied=desk.dissatisfied,
        suspensions_ending=desk.suspensions_ending,
        pending=desk.pending,
        tasks=tuple(of_view(parts, task.case, seen, as_of) for task in tasks),
        sections=tuple(
            StreetSectionOut(
                key=key,
                name=SECTION_NAMES[key],
                count=counts[key],
                tasks=tuple(told(task) for task in listed),
            )
            for key, listed in {**sections, "tasks": tuple(tasks)}.items()
        ),
    )


SECTION_NAMES = {
    "notes": "督办待答复",
    "overdue": "超期",
    "due_today": "今日到期",
    "to_acknowledge": "待签收",
    "again": "返工/重办",
    "dissatisfied": "群众不满意",
    "suspensions_ending": "挂账到期",
    "requests": "申请待答复",
    "appealable": "可申诉",
    "tasks": "全部在办",
}


def _midnight(now: datetime) -> datetime:
    """The end of the day in Shanghai."""
    today = now.astimezone(SHANGHAI).date()
    return datetime.combine(today + timedelta(days=1), time(0), SHANGHAI)


@router.get("/desk/due", name="desk.due", tags=["案件"], summary="到期清单")
async def due_list(
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("desk.due"))],
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> tuple[DueOut, ...]:
    """The clocks that are due, the longest first."""
    now = parts.now()
    found = await look(parts, lambda c: due.due(c, now, limit))
    return tuple(DueOut(case_id=c.case_id, clock=c.clock, due_at=c.due_at) for c in found)


# one case --------------------------------------------------------------------------------


@router.get("/cases/{case}", name="cases.read", tags=["案件"], summary="查看案件")
async def read_case(
    case: CaseRef,
    response: Response,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("cases.read"))],
    after: After = None,
) -> CaseOut:
    """The case with its running clocks and what this visitor may do now."""
    as_of = await seen_up_to(parts, after)
    loaded, actor = await sight(parts, visitor, case)
    view, photos = await look(
        parts,
        lambda c: (
            case_list.one(c, loaded.case_id),
            evidence_seen.photos_of_case(c, loaded.case_id),
        ),
    )
    response.headers["ETag"] = f'"{loaded.version}"'
    response.headers["Cache-Control"] = "private, no-cache"
    return of_state(parts, loaded, view, Seen(actor), as_of, photos_shown(photos, actor))


@router.get("/cases/{case}/timeline", name="cases.timeline", tags=["案件"], summary="办理过程")
async def read_timeline(
    case: CaseRef,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("cases.timeline"))],
    after: After = None,
) -> TimelineOut:
    """What happened, step by step; for citizens and partners without accounts or persons."""
    as_of = await seen_up_to(parts, after)
    loaded, actor = await sight(parts, visitor, case)
    steps, photos = await look(
        parts,
        lambda c: (
            steps_told(c, parts, loaded.case_id, actor),
            evidence_seen.photos_of_case(c, loaded.case_id),
        ),
    )
    return TimelineOut(
        case_id=loaded.case_id,
        number=loaded.case.number,
        steps=with_photos(steps, photos_shown(photos, actor)),
        as_of=as_of,
    )


@router.get("/cases/{case}/clock", name="cases.clock", tags=["案件"], summary="时限说明")
async def explain_clock(
    case: CaseRef,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("cases.clock"))],
    as_of: Annotated[
        Moment | None,
        Query(description="过去的某一时间：按当时已经发生的事实说明；不填即现在。"),
    ] = None,
) -> ExplainOut:
    """How each clock stands now or stood then, and how its due time came about, line by line.

    Reporters and partners are told of the clocks of their case, not of what desks ask each other.
    """
    loaded, actor = await sight(parts, visitor, case)
    now = parts.now()
    at = max(now, loaded.case.last_at) if as_of is None else _past(as_of, now)
    told = await Door(parts).in_thread(
        lambda: clocks_told(parts, loaded, actor, parts.casework.history(loaded.case_id), at)
    )
    if told is None:
        raise _bad("as_of", "该时间案件尚未上报，请填写上报之后的时间。")
    return told


def _past(moment: datetime, now: datetime) -> datetime:
    """A moment that has come; only the past is told as it was."""
    asked_for = _aware(moment, "as_of")
    assert asked_for is not None
    if asked_for > now:
        raise _bad("as_of", "只能查看过去的时间，请填写不晚于现在的时间。")
    return asked_for.astimezone(UTC)


@router.get("/cases/{case}/allowed", name="cases.allowed", tags=["案件"], summary="可办操作")
async def read_allowed(
    case: CaseRef,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("cases.allowed"))],
) -> tuple[ActionOut, ...]:
    """What the table offers this visitor now."""
    loaded, actor = await sight(parts, visitor, case)
    rows = {row.action: row for row in rows_from(loaded.case.status)}
    return tuple(
        ActionOut(action=action, name=rows[action].name, needs=rows[action].needs)
        for action in allowed(loaded.case, actor)
    )


@router.post("/cases/{case}/reveal", name="cases.reveal", tags=["案件"], summary="查看原文")
async def reveal(
    case: CaseRef,
    form: RevealIn,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("cases.reveal"))],
) -> RevealOut:
    """The original words. The look is in the audit trail before the answer is given."""
    loaded, actor = await sight(parts, visitor, case)
    if actor.holds(Role.REVIEWER, Role.SUPERVISOR) and actor.street in loaded.case.handled_by:
        raise UnknownCase(loaded.case_id)
    await parts.audit.record_durably(
        entry_of(
            visitor.principal,
            "reveal",
            parts.now(),
            target=f"case/{loaded.case_id}",
            facts={"reason": form.reason},
        )
    )
    history = await Door(parts).in_thread(lambda: parts.casework.history(loaded.case_id))
    return await Door(parts).in_thread(lambda: _opened(parts, loaded, history, actor))


def _opened(parts: Parts, loaded: Loaded, history: list[Recorded], actor: Actor) -> RevealOut:
    first = history[0]
    report = first.event
    assert isinstance(report, ReportSubmitted)
    own = actor.kind is not ActorKind.CITIZEN or str(report.person) == actor.id

    def words(sealed: Sealed | None, field: str, recorded: Recorded) -> str | None:
        if sealed is None:
            return None
        text = parts.sealer.open(sealed, loaded.case_id, field, recorded.command_id)
        return ERASED_TEXT if text is None else text

    joined = tuple(
        words(r.event.text, "text", r)
        for r in history
        if isinstance(r.event, ReporterJoined)
        and (actor.kind is not ActorKind.CITIZEN or str(r.event.person) == actor.id)
    )
    return RevealOut(
        case_id=loaded.case_id,
        text=words(report.text, "text", first) if own else None,
        contact=words(report.contact, "contact", first) if own else None,
        address=words(report.place.address, "address", first) if own else None,
        device=words(report.place.device, "device", first) if own else None,
        joined=joined,
    )


@router.get("/status/{number}", name="status.read", tags=["市民"], summary="办理状态")
async def read_status(
    number: Annotated[str, Path(min_length=1, max_length=40, examples=["HD26112200123452"])],
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("status.read"))],
    after: After = None,
) -> StatusOut:
    """Status, dates and street; with the receipt, or signed in as a reporter, the steps too."""
    keep_rate(parts, visitor, "status", parts.limits.status)
    await seen_up_to(parts, after)
    wanted = number.upper()

    def name(code: str) -> str:
        return name_of_street(parts, code)

    view = None
    if is_case_number(wanted):
        view = await look(parts, lambda c: case_list.one_by_number(c, wanted))
    if view is None:
        raise UnknownCase(number)
    steps: tuple[timeline.PublicStep, ...] = ()
    if visitor.receipt or not visitor.is_anonymous:
        shown: CaseView = view
        try:
            await sight(parts, visitor, str(shown.case_id))
        except UnknownCase:
            pass
        else:
            found = await look(parts, lambda c: timeline.public_steps_of(c, shown.case_id, name))
            steps = tuple(found)
    street = view.street if view.status in _WITH_A_STREET else None
    return StatusOut(
        number=view.number,
        status=view.status,
        status_name=case_list.citizen_label(view, name),
        submitted_at=view.submitted_at,
        updated_at=view.updated_at,
        street=street,
        street_name=street_name(parts, street),
        steps=tuple(public_step(parts, step) for step in steps),
    )


# actions ---------------------------------------------------------------------------------


def _add_action(action: Action, form_type: type[Form]) -> None:
    """A path of its own for every action, so that its permission shows."""
    rows = ROWS_OF[action]

    async def act(
        case: CaseRef,
        form: Form,
        request: HttpRequest,
        response: Response,
        parts: With,
        visitor: Annotated[Visitor, Depends(guard(f"cases.{action}"))],
        key: Key,
        match: Match = None,
    ) -> DoneOut:
        if visitor.principal.kind is not PrincipalKind.STAFF:
            keep_rate(parts, visitor, "actions", parts.limits.citizens)
        acted = await Door(parts).act(await asked(request, visitor, key, match), case, action, form)
        response.headers["ETag"] = f'"{acted.done.version}"'
        answer = of_done(acted.done)
        return answer.model_copy(update={"receipt": acted.receipt, "upload_link": acted.link})

    # The form's type is known only here; FastAPI reads it from the annotations.
    act.__annotations__["form"] = Annotated[form_type, Body()]
    sources = sorted({LABELS[s].staff for row in rows for s in row.sources})
    ends = sorted({LABELS[s].staff if s else "状态不变" for row in rows for s in row.to})
    router.add_api_route(
        f"/cases/{{case}}/{action.replace('_', '-')}",
        act,
        methods=["POST"],
        name=f"cases.{action}",
        tags=["办理"],
        summary=rows[0].name,
        description=(
            f"从: {'、'.join(sources)}。到: {'、'.join(ends)}。"
            f"要求: {'；'.join(dict.fromkeys(row.needs for row in rows))}。"
        ),
        response_model=DoneOut,
    )


for _action, _form in FORMS.items():
    _add_action(_action, _form)
