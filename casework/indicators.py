"""What the catalogue holds, and when an entry is sound. Knows no stream, no version and no case.

Indicators with their condition rows, coded reasons, and the wordings that call for another door.
Why they are data and not code: docs/adr/0012.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import msgspec

from casework.errors import Missing, Refusal
from casework.model import Limit, PlaceKind

FAMILIES: Mapping[str, str] = {
    "N": "不予受理",
    "Q": "补充信息",
    "T": "退回",
    "TR": "退回驳回",
    "K": "协调",
    "R": "返工",
    "E": "延期",
    "S": "挂账",
    "F": "强制结案",
    "V0": "复核维持",
    "V1": "复核重办",
    "A": "申诉",
    "AD": "申诉驳回",
    "W": "典型案例撤回",
    "X": "撤销立案",
}
"""Families of coded reasons by the letters their codes begin with."""

OTHER_WORDS = 10
"""Characters of words that a code …99 其他 needs."""


class LimitOverride(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Another limit for some 街镇, kinds of place, or days. An empty field means any."""

    limit: Limit
    streets: tuple[str, ...] = ()
    place_kinds: tuple[PlaceKind, ...] = ()
    first: date | None = None
    last: date | None = None

    def covers(self, street: str, place_kind: PlaceKind, on: date) -> bool:
        """Whether it holds there on that day (Asia/Shanghai); both ends of the days included."""
        return (
            (not self.streets or street in self.streets)
            and (not self.place_kinds or place_kind in self.place_kinds)
            and (self.first is None or self.first <= on)
            and (self.last is None or on <= self.last)
        )


class ConditionRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """立案条件 × limit × 结案标准. `place_kinds` says where the row is meant for: a prior only."""

    id: str
    condition: str
    limit: Limit
    standard: str
    place_kinds: tuple[PlaceKind, ...] = ()
    overrides: tuple[LimitOverride, ...] = ()

    def limit_for(self, street: str, place_kind: PlaceKind, on: date) -> Limit:
        """The limit there on that day: of the first override that covers it, else the row's."""
        for override in self.overrides:
            if override.covers(street, place_kind, on):
                return override.limit
        return self.limit


class Indicator(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An indicator (指标). `sample` marks 示例, 待区级确认: its limits are not the district's own.

    `parties` names who is usually responsible by kind of place; it explains and proposes, while
    dispatch still goes to the 街镇. `place_kinds` are priors, never a bar.
    """

    code: str
    name: str
    group: str
    conditions: tuple[ConditionRow, ...]
    place_kinds: tuple[PlaceKind, ...] = ()
    parties: Mapping[PlaceKind, str] = {}
    keywords: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    sample: bool = False

    def row(self, row_id: str) -> ConditionRow:
        """The condition row of that id; NotInCatalogue if there is none."""
        for row in self.conditions:
            if row.id == row_id:
                return row
        raise NotInCatalogue("立案条件", row_id)

    def row_for(self, place_kind: PlaceKind) -> ConditionRow:
        """The row to propose: the first meant for that kind of place, else the first for any."""
        for row in self.conditions:
            if place_kind in row.place_kinds:
                return row
        return next((row for row in self.conditions if not row.place_kinds), self.conditions[0])


class ReasonCode(msgspec.Struct, frozen=True, omit_defaults=True):
    """A coded reason. `words` is the least number of characters to be said with it."""

    code: str
    family: str
    text: str
    words: int = 0


class Wording(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Words in a report that call for another door, and which one (in Chinese).

    It is met if one of `words` occurs, and one of `also` too unless that is empty, and none of
    `unless`. It advises and hastens; it refuses nothing.
    """

    name: str
    words: tuple[str, ...]
    door: str
    number: str = ""
    also: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()

    def met_by(self, plain: str) -> bool:
        """Whether a text already made plain by `plain_text` meets it."""
        return (
            any(word in plain for word in self.words)
            and (not self.also or any(word in plain for word in self.also))
            and not any(word in plain for word in self.unless)
        )


def plain_text(text: str) -> str:
    """Letters and digits alone, forms and case folded: 井 盖，缺失 and 井-盖缺失 are 井盖缺失."""
    # Twice, as Unicode's compatibility caseless match does: folding may make new forms to fold.
    folded = unicodedata.normalize("NFKD", text).casefold()
    folded = unicodedata.normalize("NFKD", folded).casefold()
    folded = unicodedata.normalize("NFKD", folded)
    return "".join(char for char in folded if unicodedata.category(char)[0] in "LN")


@dataclass(eq=False)
class NotInCatalogue(Refusal):
    """An indicator, condition row or code that this version does not hold (目录中没有)."""

    what: str
    code: str

    def __str__(self) -> str:
        return f"现行目录中没有{self.what}「{self.code}」，可能已停用。"


def require_positive(limit: Limit) -> None:
    """Refuse a limit of no time."""
    if limit.amount <= 0:
        raise Missing("limit", "时限必须大于零。")


def require_sound(indicator: Indicator) -> None:
    """Refuse an indicator that nobody could work by."""
    if not re.fullmatch(r"[A-Z]\d{2,3}", indicator.code):
        raise Missing("code", "指标代码应为一个大写字母加两到三位数字，如P01。")
    if not indicator.name.strip() or not indicator.group.strip():
        raise Missing("name", "指标须有名称和分组。")
    if not indicator.conditions:
        raise Missing("conditions", "指标至少要有一条立案条件。")
    ids = [row.id for row in indicator.conditions]
    if len(set(ids)) < len(ids) or not all(ids):
        raise Missing("conditions", "立案条件的编号不能为空或重复。")
    if PlaceKind.INDOOR in indicator.place_kinds:
        raise Missing("place_kinds", "楼道内和室内不属于上报范围，不能作为指标的场所类型。")
    for row in indicator.conditions:
        _require_sound_row(row)


def _require_sound_row(row: ConditionRow) -> None:
    if not row.condition.strip() or not row.standard.strip():
        raise Missing("conditions", f"立案条件「{row.id}」须写明立案条件和结案标准。")
    require_positive(row.limit)
    for override in row.overrides:
        require_positive(override.limit)
        if override.first and override.last and override.last < override.first:
            raise Missing("overrides", f"立案条件「{row.id}」的特别时限起止日期颠倒。")


def require_sound_code(reason: ReasonCode) -> None:
    """Refuse a coded reason outside its family, or an 其他 that asks for no words."""
    if reason.family not in FAMILIES:
        raise Missing("family", f"没有「{reason.family}」这一类原因。")
    if not re.fullmatch(rf"{reason.family}\d{{1,2}}", reason.code):
        raise Missing("code", f"{FAMILIES[reason.family]}的代码应为{reason.family}加一到两位数字。")
    if not reason.text.strip():
        raise Missing("text", "原因代码须有文字。")
    if reason.code.removeprefix(reason.family) == "99" and reason.words < OTHER_WORDS:
        raise Missing("words", f"“其他”须要求至少{OTHER_WORDS}个字的说明。")


def require_sound_wordings(wordings: tuple[Wording, ...]) -> None:
    """Refuse wordings without a door, or with words that no text can meet."""
    for wording in wordings:
        if not wording.words or not wording.name.strip() or not wording.door.strip():
            raise Missing("wordings", "每组提示词须有名称、词语和应去的渠道。")
        for word in (*wording.words, *wording.also, *wording.unless):
            # A word that reading would change can never be met.
            if not word or plain_text(word) != word:
                raise Missing(
                    "wordings", f"提示词「{word}」不能为空，也不能含空格、符号或大写字母。"
                )
