"""A case as the 街镇 works on it: why it came, what came back and why, what may still be asked for.

The forms are those of the life cycle's table; here they learn what the rules would say to them.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from api.asked_for import code_text, requests_told
from api.handler_uploads import uploads_of
from api.pages.action_forms import ActionForm, Field
from api.pages.choices import Choice, units
from api.pages.frame import Frame
from api.pages.refusing import NOTHING_TYPED, Refused
from api.pages.shown_case import Shown
from api.request_schemas import AskedOut, CaseUploadOut, LeewayOut, NoteOut, RequestsOut
from api.schemas import Step
from casework.application import Loaded
from casework.clocks import family
from casework.errors import when
from casework.lifecycle import Action
from casework.model import Limit, Unit

_BACK = ("rework-ordered", "rectification-unreadable", "case-reopened", "return-rejected")
"""Steps after which the case is with the 街镇 again, or still."""

_MOVED_ON = frozenset({"case-rectified", "return-requested", "case-dispatched"})

ADVICE: Mapping[str, str] = {
    "R01": "现场还没有整改：请到现场处置后，重新拍照反馈。等待核查的时间已计入处置时间。",
    "R02": "整改不彻底：请把剩下的部分处置完，照片拍到整个点位。",
    "R03": "照片和上报的点位或角度对不上：请站在上报照片的位置、同一方向重拍。",
    "R04": "照片不清楚或没有照片：请重新拍清楚再传。等待核查的时间已计入处置时间。",
    "R05": "照片疑似不是现场、不是现在拍的：请用“拍照”当场拍，不要从相册选旧照片。"
    "等待核查的时间已计入处置时间。",
    "R06": "只做劝导达不到结案标准：请处置到标准再反馈。",
    "R07": "答复和事实不一致：请按现场实际情况重新填写说明。",
    "V11": "反映人和复核都认为没有解决：请重新到现场处置。",
    "V12": "只解决了一部分：请处置剩余问题。",
    "V13": "原整改查实不真实：请真实处置，照片当场拍摄。",
    "V14": "短期内又反弹：请处置并安排看护。",
    "TR1": "核对后仍属本街镇：请签收处置。",
    "TR2": "需要其他单位配合的，请牵头并提请协调。",
    "TR3": "申请退回超过了时限：请先处置。",
    "TR4": "退回的依据不足：请先处置，需要时提请协调。",
}
"""What to do about a code that came back, in the words of whoever checks."""


class CameBack(msgspec.Struct, frozen=True):
    """Why the case is with the 街镇 again: the last 返工, reopening or refused return."""

    step: Step
    code_text: str | None
    advice: str | None


class StreetView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of a case shows besides the case itself."""

    asked: tuple[AskedOut, ...]
    notes: tuple[NoteOut, ...]
    leeway: LeewayOut
    came_back: CameBack | None
    uploads: tuple[CaseUploadOut, ...]
    main: ActionForm | None
    """What is to be done next, if it takes one tap."""
    rectify: ActionForm | None
    answer: ActionForm | None
    others: tuple[ActionForm, ...]
    not_now: tuple[str, ...]
    """What cannot be asked for now, and why."""
    chosen: frozenset[str]
    """Uploads of the handler's that were ticked in a form that came back."""
    kept: Mapping[str, tuple[str, ...]]
    """What was typed, without those."""


async def street_view(frame: Frame, shown: Shown, refused: Refused | None) -> StreetView:
    """All of it, for a case that this 街镇 may see."""
    parts, loaded = frame.parts, shown.loaded
    told = await requests_told(parts, loaded, shown.actor, shown.history, shown.steps)
    uploads = await uploads_of(parts, loaded.case_id) if shown.form(Action.RECTIFY) else ()
    ready = [_fitted(form, told, loaded) for form in shown.forms]
    mine = shown.case.claimed_by == str(frame.visitor.principal.account_id)
    left = [
        form
        for form in ready
        if not _impossible(form, told.leeway)
        and form.action != (Action.CLAIM if mine else Action.RELEASE)
    ]
    main = next((f for f in left if f.action in {Action.ACKNOWLEDGE, Action.RESUME}), None)
    apart = {Action.ACKNOWLEDGE, Action.RESUME, Action.RECTIFY, Action.ANSWER_NOTE}
    values = refused.values if refused and refused.action == Action.RECTIFY else NOTHING_TYPED
    own = {str(one.upload) for one in uploads}
    cited = values.get("photos", ())
    return StreetView(
        asked=told.requests,
        notes=told.notes,
        leeway=told.leeway,
        came_back=_came_back(frame, shown.steps),
        uploads=uploads,
        main=main,
        rectify=next((f for f in ready if f.action == Action.RECTIFY), None),
        answer=next((f for f in ready if f.action == Action.ANSWER_NOTE), None),
        others=tuple(f for f in left if f.action not in apart),
        not_now=tuple(
            f"{form.name}：{why}" for form in ready if (why := _impossible(form, told.leeway))
        ),
        chosen=frozenset(one.partition(" ")[0] for one in cited) & own,
        kept={
            **values,
            "photos": tuple(one for one in cited if one.partition(" ")[0] not in own),
        },
    )


def _impossible(form: ActionForm, leeway: LeewayOut) -> str | None:
    """Why the rules would refuse this now, or None."""
    return {
        str(Action.REQUEST_RETURN): leeway.return_why_not,
        str(Action.REQUEST_EXTENSION): leeway.extension_why_not,
        str(Action.REQUEST_SUSPENSION): leeway.suspension_why_not,
        str(Action.APPEAL): leeway.appeal_why_not,
    }.get(form.action)


def _fitted(form: ActionForm, told: RequestsOut, loaded: Loaded) -> ActionForm:
    """The form with what the rules say of it: until when, how much, how often, which note."""
    room = told.leeway
    match form.action:
        case Action.REQUEST_RETURN if room.return_until:
            needs = (
                f"最晚{when(room.return_until)}前申请（处置时限的四分之一，且不超过4值守时）；"
                "每次派遣一次；申请期间处置时限照常计时"
            )
            return replace(form, needs=needs)
        case Action.REQUEST_EXTENSION if room.extension_until and loaded.case.limit:
            return _of_extension(form, room, loaded.case.limit)
        case Action.REQUEST_SUSPENSION if room.suspension_until:
            last = room.suspension_until
            needs = (
                f"每轮一次；恢复日期从明天起，最晚{last.year}年{last.month}月{last.day}日；"
                "超过90天须写明理由（不少于10个字）；批准前处置时限照常计时"
            )
            return replace(form, needs=needs)
        case Action.APPEAL if room.appeal_until:
            return replace(form, needs=f"最晚{when(room.appeal_until)}前提出；每案一次；不改变事实")
        case Action.ANSWER_NOTE:
            return replace(form, fields=tuple(_of_note(f, told.notes) for f in form.fields))
        case _:
            return form


def _of_extension(form: ActionForm, room: LeewayOut, limit: Limit) -> ActionForm:
    assert room.extension_until
    left = room.extensions_most - room.extensions_granted
    needs = (
        f"还可延期{left}次（最多{room.extensions_most}次），每次最多{room.extension_longest}；"
        f"最晚{when(room.extension_until)}前申请；批准前处置时限照常计时"
    )
    fitting = tuple(one for one in units() if family(Unit(one.value)) is family(limit.unit))

    def fitted(field: Field) -> Field:
        return replace(field, choices=fitting, value=limit.unit) if field.name == "by" else field

    return replace(form, needs=needs, fields=tuple(map(fitted, form.fields)))


def _of_note(field: Field, notes: Sequence[NoteOut]) -> Field:
    """Which note is answered: chosen, or plain where there is one."""
    if field.name != "note" or not notes:
        return field
    if len(notes) == 1:
        return replace(field, kind="hidden", value=str(notes[0].number))
    choices = tuple(Choice(str(n.number), f"第{n.number}号：{n.words or ''}") for n in notes)
    return replace(field, kind="radio", choices=choices)


def _came_back(frame: Frame, steps: Sequence[Step]) -> CameBack | None:
    for step in reversed(steps):
        if step.name in _BACK:
            code = step.code
            if step.name == "rectification-unreadable":
                code = code or "R04"
            text = code_text(frame.parts, code)
            return CameBack(step, text, ADVICE.get(code or ""))
        if step.name in _MOVED_ON:
            return None
    return None
