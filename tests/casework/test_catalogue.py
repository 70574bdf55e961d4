"""The catalogue: what may be changed, from when, and what is shipped."""

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any  # TOML has no types until it is read as something

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.catalogue import (
    STORED_AS,
    AddCode,
    AddIndicator,
    AlreadyInCatalogue,
    Catalogue,
    CodeAdded,
    CodeRetired,
    Command,
    DangerWordsSet,
    Event,
    IndicatorAdded,
    IndicatorRetired,
    IndicatorRevised,
    RetireCode,
    RetireIndicator,
    ReviseCode,
    ReviseIndicator,
    SetDangerWords,
    SetScopeWords,
    SetStepLimit,
    StepLimitSet,
    decide,
    evolve,
    fold,
    found,
)
from casework.effective import LEAD, TakesEffectTooSoon
from casework.errors import Missing, Refusal
from casework.indicators import (
    FAMILIES,
    ConditionRow,
    Indicator,
    LimitOverride,
    NotInCatalogue,
    ReasonCode,
    Wording,
    plain_text,
)
from casework.model import Clock, Limit, PlaceKind, Unit
from casework.seeds import catalogue_events

SHIPPED = Path(__file__).parents[2] / "data" / "indicators"
GENESIS = datetime(2024, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SOON = NOW + LEAD

HISTORY = catalogue_events(SHIPPED, GENESIS)
CATALOGUE = fold(HISTORY)

TWO_HOURS = Limit(2, Unit.DUTY_HOUR)
ROW = ConditionRow(id="P11-1", condition="乱挂横幅", limit=TWO_HOURS, standard="已拆除")
BANNERS = Indicator(code="P11", name="乱挂横幅", group="公共区域", conditions=(ROW,))


def changed(indicator: Indicator, **fields: Any) -> Indicator:  # noqa: ANN401  (any field of it)
    return msgspec.structs.replace(indicator, **fields)


# Changing it ---------------------------------------------------------------------------------


def test_an_indicator_is_added_and_may_be_chosen() -> None:
    [event] = decide(CATALOGUE, AddIndicator(indicator=BANNERS, effective_from=SOON), NOW)
    after = evolve(CATALOGUE, event)

    assert event == IndicatorAdded(indicator=BANNERS, effective_from=SOON)
    assert after.indicator("P11").row("P11-1") == ROW
    assert (after.version, after.last_effective) == (CATALOGUE.version + 1, SOON)


def test_a_revised_limit_is_in_the_next_version_and_not_in_the_one_before() -> None:
    longer = msgspec.structs.replace(
        CATALOGUE.indicator("P07").conditions[0], limit=Limit(3, Unit.DUTY_HOUR)
    )
    revised = changed(CATALOGUE.indicator("P07"), conditions=(longer,))

    [event] = decide(CATALOGUE, ReviseIndicator(indicator=revised, effective_from=SOON), NOW)

    assert isinstance(event, IndicatorRevised)
    assert evolve(CATALOGUE, event).indicator("P07").row("P07-1").limit.amount == 3
    assert CATALOGUE.indicator("P07").row("P07-1").limit.amount == 2


def test_a_retired_indicator_cannot_be_chosen_revised_or_its_code_used_again() -> None:
    [event] = decide(CATALOGUE, RetireIndicator(code="P08", effective_from=SOON), NOW)
    after = evolve(CATALOGUE, event)

    assert event == IndicatorRetired(code="P08", effective_from=SOON)
    with pytest.raises(NotInCatalogue, match="现行目录中没有指标「P08」"):
        after.indicator("P08")
    again = changed(BANNERS, code="P08")
    with pytest.raises(NotInCatalogue):
        decide(after, ReviseIndicator(indicator=again, effective_from=SOON), NOW)
    with pytest.raises(AlreadyInCatalogue, match="请换一个代码"):
        decide(after, AddIndicator(indicator=again, effective_from=SOON), NOW)


def test_a_code_is_added_revised_and_retired() -> None:
    added = ReasonCode("N13", "N", "涉及历史遗留")
    [first] = decide(CATALOGUE, AddCode(code=added, effective_from=SOON), NOW)
    one = evolve(CATALOGUE, first)
    revised = ReasonCode("N13", "N", "历史遗留问题", 5)
    [second] = decide(one, ReviseCode(code=revised, effective_from=SOON), NOW)
    two = evolve(one, second)
    [third] = decide(two, RetireCode(code="N13", effective_from=SOON), NOW)
    three = evolve(two, third)

    assert one.code("N13") == added
    assert two.code("N13") == revised
    assert third == CodeRetired(code="N13", effective_from=SOON)
    assert "N13" not in {code.code for code in three.family("N")}
    with pytest.raises(AlreadyInCatalogue):
        decide(three, AddCode(code=added, effective_from=SOON), NOW)


def test_step_limits_are_set_apart_for_danger() -> None:
    ten = Limit(10, Unit.MINUTE)
    usual = SetStepLimit(clock=Clock.REVIEW, limit=ten, effective_from=SOON)
    urgent = SetStepLimit(clock=Clock.REVIEW, limit=ten, danger=True, effective_from=SOON)

    [one] = decide(CATALOGUE, usual, NOW)
    [other] = decide(CATALOGUE, urgent, NOW)

    assert isinstance(one, StepLimitSet) and isinstance(other, StepLimitSet)
    assert evolve(CATALOGUE, one).steps[Clock.REVIEW] == ten
    assert evolve(CATALOGUE, one).danger_steps == CATALOGUE.danger_steps
    assert evolve(CATALOGUE, other).danger_steps[Clock.REVIEW] == ten
    assert evolve(CATALOGUE, other).steps == CATALOGUE.steps


def test_wordings_are_set_as_a_whole() -> None:
    flood = Wording(name="积水", words=("积水",), also=("没过",), door="请绕行。", number="122")

    [danger] = decide(CATALOGUE, SetDangerWords(wordings=(flood,), effective_from=SOON), NOW)
    [scope] = decide(CATALOGUE, SetScopeWords(wordings=(flood,), effective_from=SOON), NOW)

    assert isinstance(danger, DangerWordsSet)
    assert evolve(CATALOGUE, danger).dangers_in("桥下积水，没过膝盖") == (flood,)
    assert evolve(CATALOGUE, danger).dangers_in("桥下有积水") == ()
    assert evolve(CATALOGUE, scope).out_of_scope_in("积水没过车轮") == (flood,)


# From when -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effective_from", "allowed"),
    [
        (NOW, False),
        (NOW + LEAD - timedelta(microseconds=1), False),
        (NOW + LEAD, True),
        (NOW + timedelta(days=30), True),
    ],
)
def test_a_change_gives_a_minute_of_notice(effective_from: datetime, allowed: bool) -> None:
    command = AddIndicator(indicator=BANNERS, effective_from=effective_from)

    if allowed:
        assert decide(CATALOGUE, command, NOW)
    else:
        with pytest.raises(TakesEffectTooSoon, match="生效时间过早") as refused:
            decide(CATALOGUE, command, NOW)
        assert refused.value.earliest == NOW + LEAD


def test_a_change_never_holds_before_the_one_before_it() -> None:
    april = NOW + timedelta(days=30)
    [planned] = decide(CATALOGUE, AddIndicator(indicator=BANNERS, effective_from=april), NOW)
    head = evolve(CATALOGUE, planned)

    with pytest.raises(TakesEffectTooSoon) as refused:
        decide(head, RetireIndicator(code="P11", effective_from=SOON), NOW)
    assert refused.value.earliest == april
    assert decide(head, RetireIndicator(code="P11", effective_from=april), NOW)


def test_a_founding_may_hold_from_the_past_but_from_one_moment_only() -> None:
    code = ReasonCode("N13", "N", "字")
    first = AddIndicator(indicator=BANNERS, effective_from=GENESIS)

    assert len(found([first, AddCode(code=code, effective_from=GENESIS)])) == 2
    with pytest.raises(Missing, match="同一时间"):
        found([first, AddCode(code=code, effective_from=SOON)])
    with pytest.raises(AlreadyInCatalogue):
        found([first, first])


# Guards --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"code": "p11"}, "指标代码"),
        ({"code": "P1"}, "指标代码"),
        ({"name": " "}, "名称"),
        ({"group": ""}, "分组"),
        ({"conditions": ()}, "至少要有一条"),
        ({"conditions": (ROW, ROW)}, "重复"),
        ({"conditions": (msgspec.structs.replace(ROW, id=""),)}, "不能为空"),
        ({"conditions": (msgspec.structs.replace(ROW, condition=" "),)}, "写明立案条件"),
        ({"conditions": (msgspec.structs.replace(ROW, standard=""),)}, "结案标准"),
        ({"conditions": (msgspec.structs.replace(ROW, limit=Limit(0, Unit.HOUR)),)}, "大于零"),
        ({"place_kinds": (PlaceKind.INDOOR,)}, "楼道内"),
    ],
)
def test_an_indicator_nobody_could_work_by_is_refused(fields: dict[str, object], why: str) -> None:
    unsound = changed(BANNERS, **fields)

    with pytest.raises(Missing, match=why):
        decide(CATALOGUE, AddIndicator(indicator=unsound, effective_from=SOON), NOW)


@pytest.mark.parametrize(
    ("override", "why"),
    [
        (LimitOverride(limit=Limit(-1, Unit.HOUR)), "大于零"),
        (LimitOverride(limit=TWO_HOURS, first=date(2026, 5, 2), last=date(2026, 5, 1)), "颠倒"),
    ],
)
def test_an_override_that_makes_no_sense_is_refused(override: LimitOverride, why: str) -> None:
    unsound = changed(BANNERS, conditions=(msgspec.structs.replace(ROW, overrides=(override,)),))

    with pytest.raises(Missing, match=why):
        decide(CATALOGUE, AddIndicator(indicator=unsound, effective_from=SOON), NOW)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (ReasonCode("Z01", "Z", "字"), "没有「Z」这一类"),
        (ReasonCode("TR5", "T", "字"), "退回的代码"),
        (ReasonCode("N013", "N", "字"), "一到两位"),
        (ReasonCode("N13", "N", " "), "须有文字"),
    ],
)
def test_a_code_outside_its_family_is_refused(code: ReasonCode, why: str) -> None:
    with pytest.raises(Missing, match=why):
        decide(CATALOGUE, AddCode(code=code, effective_from=SOON), NOW)


def test_the_code_for_other_reasons_always_needs_ten_characters() -> None:
    silent = ReasonCode("N99", "N", "其他原因", 9)

    with pytest.raises(Missing, match="至少10个字"):
        decide(CATALOGUE, ReviseCode(code=silent, effective_from=SOON), NOW)


@pytest.mark.parametrize(
    ("wording", "why"),
    [
        (Wording(name="火", words=(), door="119"), "须有名称"),
        (Wording(name="火", words=("着火",), door=" "), "渠道"),
        (Wording(name="火", words=("着 火",), door="119"), "不能为空"),
        (Wording(name="火", words=("着火",), also=("A楼",), door="119"), "大写"),
    ],
)
def test_words_that_no_report_could_meet_are_refused(wording: Wording, why: str) -> None:
    with pytest.raises(Missing, match=why):
        decide(CATALOGUE, SetDangerWords(wordings=(wording,), effective_from=SOON), NOW)


UNCHANGED: list[Command] = [
    ReviseIndicator(indicator=CATALOGUE.indicator("P01"), effective_from=SOON),
    ReviseCode(code=CATALOGUE.code("N01"), effective_from=SOON),
    SetStepLimit(clock=Clock.REVIEW, limit=CATALOGUE.steps[Clock.REVIEW], effective_from=SOON),
    SetDangerWords(wordings=CATALOGUE.danger_words, effective_from=SOON),
    SetScopeWords(wordings=CATALOGUE.scope_words, effective_from=SOON),
]


@pytest.mark.parametrize("command", UNCHANGED, ids=lambda command: type(command).__name__)
def test_a_change_that_changes_nothing_is_refused(command: Command) -> None:
    with pytest.raises(Missing, match="没有变化"):
        decide(CATALOGUE, command, NOW)


def test_something_is_always_left_to_choose() -> None:
    lone = fold(found([AddIndicator(indicator=BANNERS, effective_from=GENESIS)]))
    with pytest.raises(Missing, match="至少要保留一个指标"):
        decide(lone, RetireIndicator(code="P11", effective_from=SOON), NOW)

    code = ReasonCode("N01", "N", "字")
    one = fold(found([AddCode(code=code, effective_from=GENESIS)]))
    with pytest.raises(Missing, match="同类原因"):
        decide(one, RetireCode(code="N01", effective_from=SOON), NOW)


def test_what_is_not_there_cannot_be_revised_or_retired() -> None:
    ghost = ReasonCode("N55", "N", "字")
    for command in (
        RetireIndicator(code="P55", effective_from=SOON),
        ReviseIndicator(indicator=BANNERS, effective_from=SOON),
        RetireCode(code="N55", effective_from=SOON),
        ReviseCode(code=ghost, effective_from=SOON),
    ):
        with pytest.raises(NotInCatalogue):
            decide(CATALOGUE, command, NOW)


# Rows and words ------------------------------------------------------------------------------


def test_the_first_override_that_covers_street_place_and_day_sets_the_limit() -> None:
    snow = LimitOverride(
        limit=Limit(9, Unit.DUTY_HOUR), first=date(2026, 1, 10), last=date(2026, 1, 12)
    )
    campus = LimitOverride(
        limit=Limit(5, Unit.DUTY_HOUR),
        streets=("110108015",),
        place_kinds=(PlaceKind.CAMPUS,),
    )
    row = msgspec.structs.replace(ROW, overrides=(snow, campus))
    plain_day, first, last = date(2026, 1, 13), date(2026, 1, 10), date(2026, 1, 12)

    assert row.limit_for("110108015", PlaceKind.CAMPUS, plain_day).amount == 5
    assert row.limit_for("110108015", PlaceKind.ROAD, plain_day) == TWO_HOURS
    assert row.limit_for("110108014", PlaceKind.CAMPUS, plain_day) == TWO_HOURS
    assert row.limit_for("110108015", PlaceKind.CAMPUS, first).amount == 9
    assert row.limit_for("110108014", PlaceKind.ROAD, last).amount == 9
    assert row.limit_for("110108014", PlaceKind.ROAD, date(2026, 1, 9)) == TWO_HOURS


@pytest.mark.parametrize(
    ("indicator", "place_kind", "row"),
    [
        ("P10", PlaceKind.METRO_EXIT, "P10-1"),
        ("P10", PlaceKind.ROAD, "P10-2"),
        ("P01", PlaceKind.MAIN_ROAD, "P01-1"),
        ("P01", PlaceKind.SQUARE, "P01-2"),
        ("C02", PlaceKind.COMPOUND, "C02-1"),
    ],
)
def test_the_row_meant_for_the_place_is_proposed(
    indicator: str, place_kind: PlaceKind, row: str
) -> None:
    assert CATALOGUE.indicator(indicator).row_for(place_kind).id == row


def test_a_row_is_proposed_even_if_none_is_meant_for_the_place() -> None:
    picky = changed(
        BANNERS, conditions=(msgspec.structs.replace(ROW, place_kinds=(PlaceKind.ROAD,)),)
    )

    assert picky.row_for(PlaceKind.WATER).id == "P11-1"
    with pytest.raises(NotInCatalogue, match="立案条件「P11-9」"):
        picky.row("P11-9")


SPOKEN = """
路口的井 盖，丢了一半         | 井盖缺失
雨水箅子破了个洞              | 井盖缺失
电线垂下来快碰到头了          | 电线坠落或裸露
闻到很浓的煤气味              | 燃气泄漏
垃圾桶起火了                  | 火情
路面塌陷了一个大坑            | 路面塌陷
有老人晕倒在地上              | 有人受伤或昏迷
井盖上贴着广告                |
共享单车倒了一片              |
我要倒垃圾但桶满了            |
"""


@pytest.mark.parametrize(
    ("text", "danger"),
    [tuple(c.strip() for c in row.split("|")) for row in SPOKEN.strip().splitlines()],
)
def test_danger_is_heard_and_nothing_else_is(text: str, danger: str) -> None:
    heard = CATALOGUE.dangers_in(text)

    assert [wording.name for wording in heard] == ([danger] if danger else [])
    assert all(wording.number in wording.door for wording in heard)


ELSEWHERE = """
三单元楼道里堆满了鞋柜        | 楼道内、室内   | 12345
半夜施工噪音太大              | 噪声           | 12345
邻居在楼顶搞违建              | 违法建设       | 12345
物业费涨价没有公示            | 物业服务纠纷   | 12345
小汽车违停堵住路口            | 机动车违停     | 122
共享单车违停堵住路口          |                |
小汽车违停压住盲道            |                |
垃圾桶没有加盖                |                |
"""


@pytest.mark.parametrize(
    ("text", "name", "number"),
    [tuple(c.strip() for c in [*row.split("|"), ""][:3]) for row in ELSEWHERE.strip().splitlines()],
)
def test_what_belongs_elsewhere_is_told_the_right_door(text: str, name: str, number: str) -> None:
    met = CATALOGUE.out_of_scope_in(text)

    assert [(wording.name, wording.number) for wording in met] == ([(name, number)] if name else [])


@given(st.text())
def test_plain_text_is_plain_already(text: str) -> None:
    plain = plain_text(text)

    assert plain_text(plain) == plain
    assert not any(char.isspace() for char in plain)


# As shipped ----------------------------------------------------------------------------------


def test_the_twelve_indicators_are_there_and_marked_as_samples() -> None:
    names = {code: entry.name for code, entry in CATALOGUE.indicators.items()}

    assert names == {
        "C01": "卫生死角",
        "C02": "垃圾乱堆乱放",
        "P01": "公共区域清扫保洁不到位",
        "P02": "喷涂张贴小广告",
        "P03": "垃圾桶脏污满冒、周边不洁",
        "P04": "公共绿地环境卫生",
        "P05": "水面漂浮物",
        "P06": "浮土扬尘",
        "P07": "快递占道分拣",
        "P08": "沿街晾晒",
        "P09": "车辆占压盲道",
        "P10": "非机动车乱停放",
    }
    assert all(entry.sample for entry in CATALOGUE.indicators.values())


SAMPLE_LIMITS = """
C01 3 calendar_day | C02 1 calendar_day, 3 calendar_day | P01 2 duty_hour, 4 duty_hour
P02 1 calendar_day, 3 calendar_day | P03 4 duty_hour, 1 calendar_day | P04 8 duty_hour
P05 1 calendar_day, 2 calendar_day | P06 4 duty_hour, 2 calendar_day | P07 2 duty_hour
P08 4 duty_hour | P09 2 duty_hour, 4 duty_hour | P10 1 duty_hour, 2 duty_hour
"""


@pytest.mark.parametrize("line", SAMPLE_LIMITS.replace("\n", "|").strip("|").split("|"))
def test_the_sample_limits_are_the_agreed_ones(line: str) -> None:
    code, limits = line.strip().split(" ", 1)

    shipped = [
        f"{row.limit.amount} {row.limit.unit}" for row in CATALOGUE.indicators[code].conditions
    ]

    assert shipped == limits.split(", ")


@pytest.mark.parametrize("code", sorted(CATALOGUE.indicators))
def test_every_indicator_can_be_recognised_and_explained(code: str) -> None:
    entry = CATALOGUE.indicators[code]

    assert len(entry.examples) >= 8 and len(set(entry.examples)) == len(entry.examples)
    assert entry.keywords and entry.place_kinds
    assert all(place_kind in entry.parties for place_kind in entry.place_kinds)
    assert all(CATALOGUE.dangers_in(text) == () for text in entry.examples)
    assert all(CATALOGUE.out_of_scope_in(text) == () for text in entry.examples)


def test_every_family_has_its_codes_and_a_way_to_say_something_else() -> None:
    counts = {family: len(CATALOGUE.family(family)) - 1 for family in FAMILIES}

    assert counts == {
        "N": 12, "Q": 5, "T": 6, "TR": 4, "K": 5, "R": 7, "E": 6, "S": 5, "F": 6,
        "V0": 4, "V1": 4, "A": 7, "AD": 3, "W": 7, "X": 3,
    }  # fmt: skip
    assert all(CATALOGUE.code(f"{family}99").words == 10 for family in FAMILIES)
    assert [code.code for code in CATALOGUE.family("T")][:3] == ["T01", "T02", "T03"]


def test_every_step_that_has_a_clock_has_a_limit() -> None:
    assert set(Clock) - set(CATALOGUE.steps) == {Clock.HANDLING, Clock.RESUMPTION}
    assert CATALOGUE.steps[Clock.REVIEW] == Limit(30, Unit.DUTY_MINUTE)
    assert CATALOGUE.danger_steps == {Clock.REVIEW: Limit(15, Unit.MINUTE)}


@dataclass
class Shape:
    """The names a file may use: one that nobody reads is a slip of the pen."""

    struct: type[msgspec.Struct]

    def strange(self, said: dict[str, object]) -> set[str]:
        return set(said) - {field.name for field in msgspec.structs.fields(self.struct)}


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("[CP]*.toml")), ids=lambda path: path.stem)
def test_no_file_says_a_word_that_nobody_reads(path: Path) -> None:
    said: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))

    assert said["code"] == path.stem
    assert not Shape(Indicator).strange(said)
    assert not any(Shape(ConditionRow).strange(row) for row in said["conditions"])


# Stored --------------------------------------------------------------------------------------

ROUNDABOUT: list[Event] = [
    *HISTORY,
    IndicatorRevised(indicator=BANNERS, effective_from=SOON),
    IndicatorRetired(code="P11", effective_from=SOON),
    CodeAdded(code=ReasonCode("N13", "N", "字"), effective_from=SOON),
    CodeRetired(code="N13", effective_from=SOON),
]


def test_every_event_is_stored_under_a_name_and_comes_back_the_same() -> None:
    names = {kind: name for name, kind in STORED_AS.items()}
    for event in ROUNDABOUT:
        assert names[type(event)]
        assert msgspec.json.decode(msgspec.json.encode(event), type=type(event)) == event


def test_a_catalogue_folded_from_stored_events_is_the_same() -> None:
    stored = [(type(event), msgspec.json.encode(event)) for event in HISTORY]

    read: list[Event] = [msgspec.json.decode(raw, type=kind) for kind, raw in stored]

    assert fold(read) == CATALOGUE
    assert CATALOGUE.version == len(HISTORY)


def test_refusals_speak_chinese() -> None:
    said: list[Refusal] = [
        NotInCatalogue("指标", "P55"),
        AlreadyInCatalogue("指标", "P01"),
        TakesEffectTooSoon(NOW),
    ]

    assert all(any("\u4e00" <= char <= "\u9fff" for char in str(refusal)) for refusal in said)
    assert "2026年03月02日 09:00" in str(said[2])
    assert Catalogue().version == 0
