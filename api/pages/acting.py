"""An action on a case from a page: the same door, the same rules; a refusal keeps what was typed.

A lost race says who did what meanwhile.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from uuid import UUID

import msgspec
from msgspec.structs import replace
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from api.access import POLICY, Visitor, permit
from api.accounts.principal import PrincipalKind
from api.actions import FORMS, Form
from api.door import Acted, Door, Request
from api.duty import accounts_of
from api.messages import field_errors
from api.pages.action_forms import LABELS, PROSE, label_of
from api.pages.frame import Frame
from api.pages.posted import Posted, shaped
from api.parts import Parts
from api.problems import FieldError, Problem, ProblemError, of_refusal
from api.routes.cases import look
from api.routes.reports import take_in
from api.schemas import Step
from api.shown import desk_step, name_of_street, public_step
from api.visitors import keep_rate
from casework.errors import Refusal, Stale, UnknownCase
from casework.lifecycle import Action
from casework.model import ActorKind
from evidence.errors import UploadRefused
from evidence.signatures import Kind
from projections import timeline


class Wrong(msgspec.Struct, frozen=True):
    """What is wrong with one field: its name on the page, its label, what to do."""

    field: str
    label: str
    says: str


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Why a form was not taken; what stood in it; what others have done since it was shown."""

    action: str
    status: int
    title: str
    says: str
    wrong: tuple[Wrong, ...] = ()
    values: Mapping[str, tuple[str, ...]] = {}
    since: tuple[Step, ...] = ()
    headers: Mapping[str, str] = {}

    @property
    def typed(self) -> tuple[str, ...]:
        """The words that were typed, for where their form is no longer there."""
        return tuple(text for name in PROSE for text in self.values.get(name, ()) if text.strip())

    def of(self, field: str) -> str:
        """What is wrong with a field, or nothing."""
        return next((w.says for w in self.wrong if w.field == field), "")


NOTHING_TYPED: Mapping[str, tuple[str, ...]] = {}


async def act(frame: Frame, reference: str, action: Action, form: Posted) -> Acted | Refused:
    """Carry out an action that was posted.

    Raises what a page shows instead of the form: UnknownCase, and problems of 401 and 403.
    """
    parts, visitor = frame.parts, drafted(frame.visitor, form.key)
    permit(POLICY[f"cases.{action}"], visitor)
    values = dict(form.values)
    try:
        if visitor.principal.kind is not PrincipalKind.STAFF:
            keep_rate(parts, visitor, "actions", parts.limits.citizens)
        photos = await taken_in(frame.parts, visitor, form.files.get("photo_files", ()), reference)
        values["photos"] = (*form.every("photos"), *photos)
        posted = Posted(values, {})
        values |= await _primary(frame, action, posted)
        posted = Posted(values, {})
        read = _read(FORMS[action], posted)
        request = Request(
            visitor=visitor,
            key=form.key,
            path=frame.path,
            body=msgspec.json.encode([reference, read.model_dump(mode="json")], order="sorted"),
            expect=form.version,
        )
        return await Door(parts).act(request, reference, action, read)
    except UnknownCase:
        raise
    except (Refusal, UploadRefused) as refusal:
        problem, headers = of_refusal(refusal)
        since = await _since(frame, reference, form) if isinstance(refusal, Stale) else ()
        return refused(action, problem, values, since, headers)
    except ValidationError as invalid:
        wrong = field_errors([{**e} for e in invalid.errors(include_url=False)])
        problem = Problem("/problems/invalid", "请检查填写的内容", 422, "", wrong)
        return refused(action, problem, values)
    except ProblemError as error:
        if error.problem.status in {401, 403}:
            raise
        return refused(action, error.problem, values, headers=error.headers)


def refused(
    action: str,
    problem: Problem,
    values: Mapping[str, tuple[str, ...]] = NOTHING_TYPED,
    since: Sequence[Step] = (),
    headers: Mapping[str, str] | None = None,
    label: Callable[[str, str], str] | None = None,
) -> Refused:
    """A problem as the page shows it beside the form.

    `label` tells what a field of the form is called; without it, as the actions of a case do.
    """
    return Refused(
        action=action,
        status=problem.status,
        title=problem.title,
        says=problem.detail,
        wrong=wrongs(action, problem.errors, label or _label),
        values=values,
        since=tuple(since),
        headers=dict(headers or {}),
    )


def wrongs(
    action: str, errors: Sequence[FieldError], label: Callable[[str, str], str]
) -> tuple[Wrong, ...]:
    """The errors of fields under the names and labels that they have on a page."""
    found: dict[tuple[str, str], Wrong] = {}
    for error in errors:
        name = _on_the_page(error.field)
        says = error.message.removeprefix(f"{error.field}: ")
        found[name, says] = Wrong(name, label(action, name), says)
    return tuple(found.values())


def _on_the_page(field: str) -> str:
    """The field that a person sees: without the number of an item in a list."""
    parts: list[str] = []
    for part in field.split("."):
        if part.isdigit():
            break
        parts.append(part)
    return ".".join(parts)


def _label(action: str, name: str) -> str:
    try:
        return label_of(action, name)
    except KeyError:
        return LABELS.get(name.partition(".")[0], "")


def _read(form: type[Form], posted: Posted) -> Form:
    return form.model_validate_json(msgspec.json.encode(shaped(form, posted)))


def drafted(visitor: Visitor, key: str) -> Visitor:
    """The visitor with the form's key as the draft under which files stand, without an account."""
    if not visitor.is_anonymous or visitor.receipt:
        return visitor
    try:
        return replace(visitor, draft=UUID(key))
    except ValueError:
        return visitor


async def taken_in(
    parts: Parts,
    visitor: Visitor,
    files: Sequence[UploadFile],
    case: str | None = None,
    source: str = "unknown",
) -> tuple[str, ...]:
    """The photos that came with the form itself, as without a script, each as a form cites it."""
    cited: list[str] = []
    for file in files:
        kept = await take_in(parts, visitor, file, Kind.PICTURE, case)
        cited.append(f"{kept.upload} {source}")
    return tuple(cited)


async def _primary(frame: Frame, action: Action, posted: Posted) -> dict[str, tuple[str, ...]]:
    """A case is named by its number on a page, and by its id at the door."""
    number = posted.one("primary")
    if action is not Action.MERGE or not number:
        return {}
    try:
        return {"primary": (str(await Door(frame.parts).case_id(number)),)}
    except UnknownCase:
        says = f"没有编号为{number}的案件，请核对编号。"
        raise ProblemError(
            Problem(
                "/problems/unknown-primary", "没有找到主案", 422, says,
                (FieldError("primary", says),),
            )
        ) from None  # fmt: skip


async def _since(frame: Frame, reference: str, form: Posted) -> tuple[Step, ...]:
    """What has happened to the case since the version that the form shows."""
    parts, seen = frame.parts, form.version
    case_id = await Door(parts).case_id(reference)
    history = await Door(parts).in_thread(lambda: parts.casework.history(case_id))
    later = [recorded for recorded in history if recorded.version > (seen or 0)]
    if not later:
        return ()
    await parts.feed.seen(later[-1].position)
    name = partial(name_of_street, parts)
    first = later[0].position
    if frame.staff:
        every = await look(parts, lambda c: timeline.steps_of(c, case_id, name))
        steps = [step for step in every if step.position >= first]
        ids = [step.actor_id for step in steps if step.actor_kind == ActorKind.STAFF]
        known = await Door(parts).in_thread(lambda: accounts_of(parts.desk, ids))
        who = {account: one.display_name for account, one in known.items()}
        return tuple(
            desk_step(parts, step).model_copy(
                update={"by": f"{step.role}{who.get(step.actor_id, '')}"}
            )
            for step in steps
        )
    public = await look(parts, lambda c: timeline.public_steps_of(c, case_id, name))
    return tuple(public_step(parts, step) for step in public if step.position >= first)
