"""The actions of the life cycle as forms on a page: fields, labels, what may be chosen.

Made from the forms of the API and the table: a new action is a form here at once, and a field
without a Chinese label fails a test. Decides nothing: the rules are asked when the form comes back.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, get_args, get_origin

import msgspec
from pydantic.fields import FieldInfo

from api.actions import FORMS
from api.pages.choices import Choice, indicators, streets, units
from api.parts import Parts
from api.routes.indicators import PLACE_NAMES
from api.schemas import CaseOut
from casework.clock_words import limit_in_words
from casework.lifecycle import Action, Row, Status, rows_from
from casework.model import Outcome, Solved
from projections.timeline_words import OUTCOMES

SOLVED_NAMES: Mapping[Solved, str] = {
    Solved.YES: "已解决",
    Solved.PARTLY: "部分解决",
    Solved.NO: "未解决",
}
SATISFACTION_NAMES = ("很不满意", "不满意", "一般", "满意", "很满意")
EFFICIENCY_NAMES = ("很慢", "较慢", "一般", "较快", "很快")


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a form on a page.

    `kind` is line, prose, number, date, yes, select, radio, limit, photos, findings, place or
    hidden: each has a macro of that name in `fields.html`.
    """

    name: str
    label: str
    kind: str
    required: bool
    hint: str = ""
    choices: tuple[Choice, ...] = ()
    value: str = ""
    max_length: int = 2000


class ActionForm(msgspec.Struct, frozen=True, kw_only=True):
    """An action that may be taken now, as a form."""

    action: str
    name: str
    needs: str
    fields: tuple[Field, ...]
    careful: bool = False
    """It ends something or cannot be taken back: asked for once more, and not the main button."""

    @property
    def path(self) -> str:
        """The last part of the address it is posted to."""
        return self.action.replace("_", "-")

    @property
    def plain(self) -> bool:
        """Nothing is to be filled in: one tap."""
        return not self.fields


CAREFUL = frozenset(
    {
        Action.WITHDRAW,
        Action.REFUSE,
        Action.MERGE,
        Action.REVOKE_REGISTRATION,
        Action.CONFIRM_REVOCATION,
        Action.CONFIRM_TRANSFER_OUT,
        Action.CONFIRM_FORCE_CLOSE,
        Action.SUPERVISE_REOPEN,
    }
)

LABELS: Mapping[str, str] = {
    "words": "说明",
    "reason": "理由",
    "question": "要请市民补充什么",
    "reply": "给市民的答复",
    "findings": "核查情况",
    "text": "文字",
    "contact": "联系方式",
    "code": "原因",
    "indicator": "指标",
    "condition": "立案条件",
    "dispatch": "属地明确时同时派遣",
    "recurrence_of": "同一点位上次的案件",
    "primary": "并入哪个案件（编号）",
    "street": "街镇",
    "photos": "照片",
    "findings_seen": "照片查验提示（请逐条看过）",
    "standard_met": "已核对并符合结案标准",
    "solved": "问题解决了吗",
    "satisfaction": "您对结果满意吗",
    "efficiency": "处置快不快",
    "handler": "经办人",
    "upload_link": "给经办人一个一次性上传链接",
    "by": "延长多久",
    "limit": "协办时限",
    "resume_on": "恢复处置的日期",
    "outcome": "处置结果",
    "note": "答复哪一条督办",
    "body": "单位",
    "number": "对方受理编号",
    "place": "位置",
    "consents": "授权",
    "consents.publication": "同意公开处理后的照片和结果（不含个人信息）",
    "consents.contact_by_street": "同意街镇就此事联系我",
    "consents.analysis": "同意去标识后统计使用情况",
}
"""What a field is called; `action.field` goes before `field`."""

_OWN: Mapping[str, str] = {
    "transfer_out.body": "接收单位",
    "name_co_handler.body": "协办单位",
    "record_visit.words": "回访情况",
    "record_visit.solved": "市民说解决了吗（问到了再填）",
    "record_visit.satisfaction": "市民的满意度（问到了再填）",
    "note.words": "督办指示",
    "answer_note.words": "答复内容",
    "object.words": "为什么不同意不予受理",
    "rectify.words": "怎么处置的",
    "rectify.photos": "整改后的照片（至少一张，同一角度拍）",
    "refuse.words": "给市民的说明，写清去哪里办",
    "reopen.street": "派往（不选即原街镇）",
    "rate.words": "想说的话（可不填）",
    "join.text": "补充说明（可不填）",
}

PROSE = ("words", "reason", "question", "reply", "findings", "text")
_HINTS: Mapping[str, str] = {
    "indicator.condition": "",
    "code": "选“其他”时请写明情况，不少于10个字。",
    "primary": "主案须在待审核至待核查之间，反映人保留进度和评价。",
    "question": "市民48小时内可补充一次，请一次说清。",
}


def label_of(action: str, name: str) -> str:
    """What a field is called on the form of an action. Raises KeyError for one without a label."""
    return _OWN.get(f"{action}.{name}") or LABELS[name]


def forms_of(parts: Parts, case: CaseOut) -> tuple[ActionForm, ...]:
    """The forms of all that this visitor may do with the case now, in the table's order."""
    rows = {row.action: row for row in rows_from(Status(case.status))}
    return tuple(
        form_of(parts, rows[action], case)
        for name in case.allowed
        if (action := Action(name)) in FORMS and action in rows
    )


def form_of(parts: Parts, row: Row, case: CaseOut) -> ActionForm:
    """One action's form for this case."""
    form = FORMS[row.action]
    choices = _Choices(parts, case, row)
    fields: list[Field] = []
    for name, info in form.model_fields.items():
        fields.extend(_fields(row, name, info, choices))
    return ActionForm(
        action=str(row.action),
        name=row.name,
        needs=row.needs,
        fields=tuple(fields),
        careful=row.action in CAREFUL,
    )


def _fields(row: Row, name: str, info: FieldInfo, choices: "_Choices") -> Sequence[Field]:
    action, required = str(row.action), info.is_required()
    label = label_of(action, name)
    hint = _HINTS.get(name, "")
    if name == "consents":
        return tuple(
            Field(name=f"{name}.{one}", label=LABELS[f"{name}.{one}"], kind="yes", required=False)
            for one in ("publication", "contact_by_street", "analysis")
        )
    kind = _kind(name, info)
    if kind == "findings":
        # Only the page of the photos knows them: it asks for each beside its photo.
        return (Field(name=name, label=label, kind=kind, required=False),)
    return (
        Field(
            name=name,
            label=label,
            kind=kind,
            required=required,
            hint=hint,
            choices=choices.of(name),
            value=choices.value(name),
            max_length=_max_length(info),
        ),
    )


_KINDS: Mapping[str, str] = {
    "photos": "photos",
    "findings_seen": "findings",
    "place": "place",
    "by": "limit",
    "limit": "limit",
    "code": "select",
    "indicator": "select",
    "condition": "select",
    "street": "select",
    "outcome": "radio",
    "solved": "radio",
    "satisfaction": "radio",
    "efficiency": "radio",
    "note": "number",
    "resume_on": "date",
    "recurrence_of": "hidden",
}


def _kind(name: str, info: FieldInfo) -> str:
    if name in PROSE:
        return "prose"
    if name in _KINDS:
        return _KINDS[name]
    return "yes" if info.annotation is bool else "line"


def _max_length(info: FieldInfo) -> int:
    for fact in _facts(info):
        length = getattr(fact, "max_length", None)
        if isinstance(length, int):
            return length
    return 2000


def _facts(info: FieldInfo) -> Sequence[object]:
    found: list[object] = list(info.metadata)
    for part in get_args(info.annotation):
        if get_origin(part) is Annotated:
            found.extend(get_args(part)[1:])
    return found


class _Choices:
    """What may be chosen for this case now: codes of the family, indicators, 街镇, results."""

    def __init__(self, parts: Parts, case: CaseOut, row: Row) -> None:
        self._parts = parts
        self._case = case
        self._row = row
        self._catalogue = parts.catalogue
        self._makers: Mapping[str, Callable[[], tuple[Choice, ...]]] = {
            "code": self._codes,
            "indicator": lambda: indicators(parts),
            "condition": self._conditions,
            "street": lambda: streets(parts),
            "outcome": lambda: tuple(Choice(o, OUTCOMES[o]) for o in Outcome),
            "solved": lambda: tuple(Choice(s, SOLVED_NAMES[s]) for s in Solved),
            "satisfaction": lambda: _scale(SATISFACTION_NAMES),
            "efficiency": lambda: _scale(EFFICIENCY_NAMES),
            "by": units,
            "limit": units,
            "place": lambda: tuple(Choice(k, n) for k, n in PLACE_NAMES.items()),
        }

    def of(self, name: str) -> tuple[Choice, ...]:
        maker = self._makers.get(name)
        return maker() if maker else ()

    def value(self, name: str) -> str:
        """What stands in the field before anybody has touched it."""
        known = {
            "indicator": self._case.indicator,
            "condition": self._case.condition,
            "dispatch": "true",
        }
        return known.get(name) or ""

    def _codes(self) -> tuple[Choice, ...]:
        return tuple(
            Choice(
                reason.code,
                f"{reason.code} {reason.text}",
                f"须写明情况，不少于{reason.words}个字" if reason.words else "",
            )
            for reason in self._catalogue.family(self._row.family)
        )

    def _conditions(self) -> tuple[Choice, ...]:
        return tuple(
            Choice(
                row.id,
                f"{row.id} {row.condition}（{limit_in_words(row.limit)}）",
                row.standard,
                f"{code} {one.name}",
            )
            for code, one in sorted(self._catalogue.indicators.items())
            for row in one.conditions
        )


def _scale(names: Sequence[str]) -> tuple[Choice, ...]:
    return tuple(Choice(str(n), name) for n, name in enumerate(names, 1))
