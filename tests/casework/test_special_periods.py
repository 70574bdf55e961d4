"""特殊时段: what a declaration must say, and how its end is moved. What follows is in the table."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from casework.errors import Missing, NothingPending, Refusal
from casework.model import Limit, Unit
from casework.special_periods import (
    Command,
    DeclareSpecialPeriod,
    Event,
    MoveSpecialPeriodEnd,
    Occasion,
    decide,
    fold,
)
from tests.history import mon, tue

FLOOD = DeclareSpecialPeriod(
    occasion=Occasion.FLOOD, first=mon("12:00"), last=mon("18:00"), grounds=" 区防汛办通知 "
)
LATER = MoveSpecialPeriodEnd(number=1, last=tue("08:00"), grounds="雨未停")


def test_a_declaration_holds_a_minute_later_and_is_numbered() -> None:
    (first,) = decide([], FLOOD, mon("09:00"))
    (second,) = decide([first], FLOOD, mon("09:00:10"))

    assert [event.number for event in (first, second)] == [1, 2]
    assert first.effective_from == mon("09:01")
    assert second.effective_from == mon("09:01:10")
    assert fold([first])[0].name == "汛期"
    assert fold([first])[0].grounds == "区防汛办通知"


@pytest.mark.parametrize(
    ("command", "kind", "saying"),
    [
        (replace(FLOOD, last=mon("12:00")), Missing, "结束时间须晚于开始时间"),
        (replace(FLOOD, grounds="  "), Missing, "依据"),
        (replace(FLOOD, first=mon("09:00:59")), Missing, "溯及既往"),
        (replace(FLOOD, limit=Limit(0, Unit.DUTY_HOUR)), Missing, "时限"),
        (LATER, NothingPending, "第1号特殊时段不存在"),
    ],
)
def test_an_unsound_declaration_is_refused(
    command: Command, kind: type[Refusal], saying: str
) -> None:
    with pytest.raises(kind, match=saying):
        decide([], command, mon("09:00"))


@pytest.mark.parametrize(
    ("command", "kind", "saying"),
    [
        (replace(LATER, grounds=""), Missing, "依据"),
        (replace(LATER, last=mon("18:00")), Missing, "没有变化"),
        (replace(LATER, last=mon("13:00")), Missing, "溯及既往"),
        (replace(LATER, number=2), NothingPending, "第2号特殊时段不存在"),
    ],
)
def test_an_unsound_move_of_the_end_is_refused(
    command: Command, kind: type[Refusal], saying: str
) -> None:
    declared: Sequence[Event] = decide([], FLOOD, mon("09:00"))

    with pytest.raises(kind, match=saying):
        decide(declared, command, mon("13:00"))


def test_a_moved_end_is_the_end() -> None:
    declared = decide([], FLOOD, mon("09:00"))

    moved = decide(declared, LATER, mon("13:00"))

    (period,) = fold([*declared, *moved])
    assert (period.first, period.last) == (mon("12:00"), tue("08:00"))
