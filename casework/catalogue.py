"""The indicator catalogue: indicators, coded reasons, step limits, danger and scope wording.

An event-sourced decider with a stream of its own. It knows no case; cases freeze the version that
was in force when they were registered. The first contents are in data/indicators/. Everything here
can be changed by an administrator; nothing is a constant (docs/adr/0012).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import TypeAlias, assert_never

import msgspec

from casework.effective import require_notice
from casework.errors import Missing, Refusal
from casework.indicators import (
    Indicator,
    NotInCatalogue,
    ReasonCode,
    Wording,
    plain_text,
    require_positive,
    require_sound,
    require_sound_code,
    require_sound_wordings,
)
from casework.model import Clock, Limit

# Commands: each says from when it holds ------------------------------------------------------


class _Timed(msgspec.Struct, frozen=True, kw_only=True):
    effective_from: datetime


class AddIndicator(_Timed, frozen=True, kw_only=True, tag="add-indicator"):
    indicator: Indicator


class ReviseIndicator(_Timed, frozen=True, kw_only=True, tag="revise-indicator"):
    indicator: Indicator


class RetireIndicator(_Timed, frozen=True, kw_only=True, tag="retire-indicator"):
    code: str


class AddCode(_Timed, frozen=True, kw_only=True, tag="add-code"):
    code: ReasonCode


class ReviseCode(_Timed, frozen=True, kw_only=True, tag="revise-code"):
    code: ReasonCode


class RetireCode(_Timed, frozen=True, kw_only=True, tag="retire-code"):
    code: str


class SetStepLimit(_Timed, frozen=True, kw_only=True, tag="set-step-limit"):
    """The limit of a step of the back office; with `danger`, where danger words were found."""

    clock: Clock
    limit: Limit
    danger: bool = False


class SetDangerWords(_Timed, frozen=True, kw_only=True, tag="set-danger-words"):
    wordings: tuple[Wording, ...]


class SetScopeWords(_Timed, frozen=True, kw_only=True, tag="set-scope-words"):
    wordings: tuple[Wording, ...]


Command: TypeAlias = (
    AddIndicator
    | ReviseIndicator
    | RetireIndicator
    | AddCode
    | ReviseCode
    | RetireCode
    | SetStepLimit
    | SetDangerWords
    | SetScopeWords
)


# Events --------------------------------------------------------------------------------------


class IndicatorAdded(_Timed, frozen=True, kw_only=True):
    indicator: Indicator


class IndicatorRevised(_Timed, frozen=True, kw_only=True):
    indicator: Indicator


class IndicatorRetired(_Timed, frozen=True, kw_only=True):
    code: str


class CodeAdded(_Timed, frozen=True, kw_only=True):
    code: ReasonCode


class CodeRevised(_Timed, frozen=True, kw_only=True):
    code: ReasonCode


class CodeRetired(_Timed, frozen=True, kw_only=True):
    code: str


class StepLimitSet(_Timed, frozen=True, kw_only=True, omit_defaults=True):
    clock: Clock
    limit: Limit
    danger: bool = False


class DangerWordsSet(_Timed, frozen=True, kw_only=True):
    wordings: tuple[Wording, ...]


class ScopeWordsSet(_Timed, frozen=True, kw_only=True):
    wordings: tuple[Wording, ...]


Event: TypeAlias = (
    IndicatorAdded
    | IndicatorRevised
    | IndicatorRetired
    | CodeAdded
    | CodeRevised
    | CodeRetired
    | StepLimitSet
    | DangerWordsSet
    | ScopeWordsSet
)

STORED_AS: dict[str, type[Event]] = {
    "indicator-added": IndicatorAdded,
    "indicator-revised": IndicatorRevised,
    "indicator-retired": IndicatorRetired,
    "code-added": CodeAdded,
    "code-revised": CodeRevised,
    "code-retired": CodeRetired,
    "step-limit-set": StepLimitSet,
    "danger-words-set": DangerWordsSet,
    "scope-words-set": ScopeWordsSet,
}


# The catalogue -------------------------------------------------------------------------------


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the catalogue: the fold of that many events.

    `indicators` and `codes` hold what may be newly chosen; what is retired stays in earlier
    versions, where the cases that froze them look it up. `last_effective` is the time from which
    this version holds.
    """

    version: int = 0
    indicators: Mapping[str, Indicator] = {}
    codes: Mapping[str, ReasonCode] = {}
    steps: Mapping[Clock, Limit] = {}
    danger_steps: Mapping[Clock, Limit] = {}
    danger_words: tuple[Wording, ...] = ()
    scope_words: tuple[Wording, ...] = ()
    retired: frozenset[str] = frozenset()
    last_effective: datetime | None = None

    def indicator(self, code: str) -> Indicator:
        """The indicator of that code; NotInCatalogue if unknown or retired."""
        if code not in self.indicators:
            raise NotInCatalogue("指标", code)
        return self.indicators[code]

    def code(self, code: str) -> ReasonCode:
        """The coded reason; NotInCatalogue if unknown or retired."""
        if code not in self.codes:
            raise NotInCatalogue("原因代码", code)
        return self.codes[code]

    def family(self, family: str) -> tuple[ReasonCode, ...]:
        """The reasons one may choose from, by code."""
        codes = (code for code in self.codes.values() if code.family == family)
        return tuple(sorted(codes, key=lambda code: (len(code.code), code.code)))

    def dangers_in(self, text: str) -> tuple[Wording, ...]:
        """Dangers that a report's words speak of: shown first, with whom to call."""
        plain = plain_text(text)
        return tuple(wording for wording in self.danger_words if wording.met_by(plain))

    def out_of_scope_in(self, text: str) -> tuple[Wording, ...]:
        """Matters in a report's words that have another door: a warning, never a refusal."""
        plain = plain_text(text)
        return tuple(wording for wording in self.scope_words if wording.met_by(plain))


@dataclass(eq=False)
class AlreadyInCatalogue(Refusal):
    """The code is taken, now or by something retired, so that old figures keep their meaning."""

    what: str
    code: str

    def __str__(self) -> str:
        return f"{self.what}「{self.code}」已存在或曾经使用，请换一个代码。"


def decide(catalogue: Catalogue, command: Command, now: datetime) -> list[Event]:
    """The events of a change asked for at `now`, or a Refusal.

    `catalogue` is the head of the stream, changes that do not hold yet included.
    """
    require_notice(command.effective_from, now, catalogue.last_effective)
    return [_decide(catalogue, command)]


def found(commands: Iterable[Command]) -> list[Event]:
    """The first events of the stream, held to the same guards but for the notice.

    Nobody can have decided by a catalogue that did not exist, so a founding may hold at once, or
    from a day in the past for cases entered later. All of it must hold from one moment.
    """
    catalogue = Catalogue()
    events: list[Event] = []
    for command in commands:
        if catalogue.last_effective not in (None, command.effective_from):
            raise Missing("effective_from", "首批目录内容须自同一时间生效。")
        events.append(_decide(catalogue, command))
        catalogue = evolve(catalogue, events[-1])
    return events


def _decide(catalogue: Catalogue, command: Command) -> Event:
    match command:
        case AddIndicator() | ReviseIndicator() | RetireIndicator():
            return _decide_indicator(catalogue, command)
        case AddCode() | ReviseCode() | RetireCode():
            return _decide_code(catalogue, command)
        case SetStepLimit() | SetDangerWords() | SetScopeWords():
            return _decide_setting(catalogue, command)
        case _:
            assert_never(command)


def _decide_indicator(
    catalogue: Catalogue, command: AddIndicator | ReviseIndicator | RetireIndicator
) -> Event:
    since = command.effective_from
    match command:
        case AddIndicator(indicator=indicator):
            if indicator.code in catalogue.indicators or indicator.code in catalogue.retired:
                raise AlreadyInCatalogue("指标", indicator.code)
            require_sound(indicator)
            return IndicatorAdded(indicator=indicator, effective_from=since)
        case ReviseIndicator(indicator=indicator):
            _require_change(catalogue.indicator(indicator.code) == indicator)
            require_sound(indicator)
            return IndicatorRevised(indicator=indicator, effective_from=since)
        case RetireIndicator(code=code):
            catalogue.indicator(code)
            if len(catalogue.indicators) == 1:
                raise Missing("code", "至少要保留一个指标。")
            return IndicatorRetired(code=code, effective_from=since)
        case _:
            assert_never(command)


def _decide_code(catalogue: Catalogue, command: AddCode | ReviseCode | RetireCode) -> Event:
    since = command.effective_from
    match command:
        case AddCode(code=reason):
            if reason.code in catalogue.codes or reason.code in catalogue.retired:
                raise AlreadyInCatalogue("原因代码", reason.code)
            require_sound_code(reason)
            return CodeAdded(code=reason, effective_from=since)
        case ReviseCode(code=reason):
            _require_change(catalogue.code(reason.code) == reason)
            require_sound_code(reason)
            return CodeRevised(code=reason, effective_from=since)
        case RetireCode(code=code):
            if len(catalogue.family(catalogue.code(code).family)) == 1:
                raise Missing("code", "同类原因至少要保留一个。")
            return CodeRetired(code=code, effective_from=since)
        case _:
            assert_never(command)


def _decide_setting(
    catalogue: Catalogue, command: SetStepLimit | SetDangerWords | SetScopeWords
) -> Event:
    since = command.effective_from
    match command:
        case SetStepLimit(clock=clock, limit=limit, danger=danger):
            require_positive(limit)
            steps = catalogue.danger_steps if danger else catalogue.steps
            _require_change(steps.get(clock) == limit)
            return StepLimitSet(clock=clock, limit=limit, danger=danger, effective_from=since)
        case SetDangerWords(wordings=wordings):
            _require_change(catalogue.danger_words == wordings)
            require_sound_wordings(wordings)
            return DangerWordsSet(wordings=wordings, effective_from=since)
        case SetScopeWords(wordings=wordings):
            _require_change(catalogue.scope_words == wordings)
            require_sound_wordings(wordings)
            return ScopeWordsSet(wordings=wordings, effective_from=since)
        case _:
            assert_never(command)


def _require_change(same: bool) -> None:  # noqa: FBT001  (one question, one answer)
    if same:
        raise Missing("change", "内容与现行版本相同，没有变化。")


def evolve(catalogue: Catalogue, event: Event) -> Catalogue:
    """The next version. Reads no clock and refuses nothing."""
    after = msgspec.structs.replace(
        catalogue, version=catalogue.version + 1, last_effective=event.effective_from
    )
    match event:
        case IndicatorAdded(indicator=indicator) | IndicatorRevised(indicator=indicator):
            indicators = {**catalogue.indicators, indicator.code: indicator}
            return msgspec.structs.replace(after, indicators=indicators)
        case IndicatorRetired(code=code):
            indicators = {key: kept for key, kept in catalogue.indicators.items() if key != code}
            return msgspec.structs.replace(
                after, indicators=indicators, retired=catalogue.retired | {code}
            )
        case CodeAdded(code=reason) | CodeRevised(code=reason):
            codes = {**catalogue.codes, reason.code: reason}
            return msgspec.structs.replace(after, codes=codes)
        case CodeRetired(code=code):
            codes = {key: kept for key, kept in catalogue.codes.items() if key != code}
            return msgspec.structs.replace(after, codes=codes, retired=catalogue.retired | {code})
        case StepLimitSet(clock=clock, limit=limit, danger=True):
            danger_steps = {**catalogue.danger_steps, clock: limit}
            return msgspec.structs.replace(after, danger_steps=danger_steps)
        case StepLimitSet(clock=clock, limit=limit):
            return msgspec.structs.replace(after, steps={**catalogue.steps, clock: limit})
        case DangerWordsSet(wordings=wordings):
            return msgspec.structs.replace(after, danger_words=wordings)
        case ScopeWordsSet(wordings=wordings):
            return msgspec.structs.replace(after, scope_words=wordings)
        case _:
            assert_never(event)


def fold(history: Sequence[Event]) -> Catalogue:
    """The catalogue after these events from the first."""
    return reduce(evolve, history, Catalogue())
