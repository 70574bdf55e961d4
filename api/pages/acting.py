"""An action on a case from a page: the same door, the same rules; a refusal keeps what was typed.

A lost race says who did what meanwhile.
"""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

import msgspec
from msgspec.structs import replace
from starlette.datastructures import UploadFile

from api.access import POLICY, Visitor, permit
from api.accounts.principal import PrincipalKind
from api.actions import FORMS
from api.door import Acted, Door, Request
from api.pages.action_forms import LABELS, label_of
from api.pages.frame import Frame
from api.pages.posted import Posted
from api.pages.refusing import Refused
from api.pages.submitting import read, submitted
from api.parts import Parts
from api.problems import FieldError, Problem, ProblemError
from api.routes.cases import look
from api.routes.reports import take_in
from api.schemas import Step
from api.shown import desk_step, name_of_street, public_step
from api.visitors import keep_rate
from casework.errors import UnknownCase
from casework.lifecycle import Action
from casework.model import ActorKind
from evidence.signatures import Kind
from projections import timeline


async def act(frame: Frame, reference: str, action: Action, form: Posted) -> Acted | Refused:
    """Carry out an action that was posted.

    Raises what a page shows instead of the form: UnknownCase, and problems of 401 and 403.
    """
    parts, visitor = frame.parts, drafted(frame.visitor, form.key)
    permit(POLICY[f"cases.{action}"], visitor)
    values = dict(form.values)

    async def work() -> Acted:
        if visitor.principal.kind is not PrincipalKind.STAFF:
            keep_rate(parts, visitor, "actions", parts.limits.citizens)
        photos = await taken_in(parts, visitor, form.files.get("photo_files", ()), reference)
        values["photos"] = (*form.every("photos"), *photos)
        values.update(await _primary(frame, action, form))
        filled = read(FORMS[action], Posted(values, {}))
        request = Request(
            visitor=visitor,
            key=form.key,
            path=frame.path,
            body=msgspec.json.encode([reference, filled.model_dump(mode="json")], order="sorted"),
            expect=form.version,
        )
        return await Door(parts).act(request, reference, action, filled)

    return await submitted(
        action,
        Posted(values, {}),  # with the photos that were taken in before it was refused
        work,
        label=_label,
        instead=(UnknownCase,),
        since=lambda: _since(frame, reference, form),
    )


def _label(action: str, name: str) -> str:
    try:
        return label_of(action, name)
    except KeyError:
        return LABELS.get(name.partition(".")[0], "")


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
        who = await frame.names_of(ids)
        return tuple(
            desk_step(parts, step).model_copy(
                update={"by": f"{step.role}{who.get(step.actor_id, '')}"}
            )
            for step in steps
        )
    public = await look(parts, lambda c: timeline.public_steps_of(c, case_id, name))
    return tuple(public_step(parts, step) for step in public if step.position >= first)
