"""Pooling what several sources say: none bars another, none has to answer."""

from collections.abc import Mapping, Sequence

import pytest

from recognition.model import OUT, Asked, Condition, Door, Expert, Kind, Model, Opinion, Unavailable
from recognition.recogniser import pooled, recognise
from recognition.text_model import Thresholds

KINDS = tuple(Kind(code=f"P0{n}", name=f"第{n}项") for n in range(1, 6))
DOORS = {"噪声": Door(name="噪声", door="请拨打12345。", number="12345")}
HERE = Asked(text="说了些什么")


class Says:
    """A source that always says the same."""

    def __init__(
        self, scores: Mapping[str, float], door: str | None = None, weight: float = 1.0
    ) -> None:
        self.name = "says"
        self._opinion = Opinion(
            model=Model("says", str(len(scores))),
            scores=scores,
            because={code: (f"词{code}",) for code in scores},
            door=door,
            weight=weight,
        )

    def opinion(self, asked: Asked, kinds: Sequence[Kind]) -> Opinion | None:
        return self._opinion if asked.text else None

    def condition(self) -> Condition:
        return Condition(name=self.name, state="ready")


class Broken(Says):
    def __init__(self) -> None:
        super().__init__({})

    def opinion(self, asked: Asked, kinds: Sequence[Kind]) -> Opinion | None:
        raise Unavailable("平台没有回答")


def ranked(*experts: Expert) -> list[str]:
    answer = recognise(HERE, experts, KINDS, doors=DOORS)
    return [proposal.indicator for proposal in answer.proposals]


def test_three_are_offered_and_the_surest_is_first() -> None:
    assert ranked(Says({"P02": 0.6, "P04": 0.3, "P01": 0.1})) == ["P02", "P04", "P01"]


def test_a_catalogue_of_two_offers_two() -> None:
    answer = recognise(HERE, [Says({"P01": 1.0})], KINDS[:2], doors={})
    assert [proposal.indicator for proposal in answer.proposals] == ["P01", "P02"]


def test_two_that_agree_are_surer_than_one_and_one_cannot_bar() -> None:
    one = recognise(HERE, [Says({"P02": 0.6, "P03": 0.4})], KINDS, doors={})
    two = recognise(HERE, [Says({"P02": 0.6, "P03": 0.4})] * 2, KINDS, doors={})
    assert two.proposals[0].confidence > one.proposals[0].confidence
    against = ranked(Says({"P02": 0.9, "P03": 0.1}), Says({"P02": 0.0, "P03": 0.55, OUT: 0.45}))
    assert "P02" in against


def test_a_weightier_source_decides() -> None:
    for_two, for_three = {"P02": 0.8, "P03": 0.2}, {"P03": 0.8, "P02": 0.2}
    assert ranked(Says(for_two), Says(for_three, weight=2.0))[0] == "P03"
    assert ranked(Says(for_two, weight=2.0), Says(for_three))[0] == "P02"


def test_a_source_that_looks_for_one_thing_leaves_the_others_as_they_stood() -> None:
    words = Says({"P01": 0.5, "P02": 0.3, "P03": 0.15, "P04": 0.03, "P05": 0.02})
    assert ranked(words, Says({"P05": 0.3})) == ["P01", "P02", "P03"]
    assert ranked(words, Says({"P05": 0.9})) == ["P05", "P01", "P02"]


def test_a_source_that_fails_leaves_a_note_and_the_others_answer() -> None:
    answer = recognise(HERE, [Broken(), Says({"P03": 1.0})], KINDS, doors={})
    assert answer.proposals[0].indicator == "P03"
    assert answer.notes == ("平台没有回答",)
    assert answer.models == (Model("says", "1"),)


@pytest.mark.parametrize("experts", [[], [Broken()]])
def test_without_any_answer_nothing_is_proposed(experts: list[Expert]) -> None:
    answer = recognise(HERE, experts, KINDS, doors=DOORS)
    assert answer.proposals == () and answer.preselected is None
    assert not answer.out_of_scope.flagged


def test_preselected_only_above_the_threshold_and_never_beside_a_warning() -> None:
    sure = Says({"P02": 0.9, OUT: 0.1})
    answer = recognise(HERE, [sure], KINDS, doors={}, thresholds=Thresholds(0.8, 0.5))
    assert answer.preselected == "P02"
    stricter = recognise(HERE, [sure], KINDS, doors={}, thresholds=Thresholds(0.95, 0.5))
    assert stricter.preselected is None
    warned = recognise(HERE, [sure], KINDS, doors={}, thresholds=Thresholds(0.5, 0.05))
    assert warned.out_of_scope.flagged and warned.preselected is None


def test_out_of_scope_names_the_door_of_the_catalogues_words_first() -> None:
    opinions = [Opinion(model=Model("a", "1"), scores={"P01": 0.3, OUT: 0.7}, door="噪声")]
    alone = pooled(opinions, KINDS, doors=DOORS)
    assert alone.out_of_scope.flagged and alone.out_of_scope.door == DOORS["噪声"]
    doors = {**DOORS, "违建": Door(name="违建", door="请拨打12345。")}
    hinted = pooled(opinions, KINDS, doors=doors, hints=["违建"])
    assert hinted.out_of_scope.door == doors["违建"]
    assert hinted.out_of_scope.confidence > alone.out_of_scope.confidence
    unknown = pooled(opinions, KINDS, doors={})
    assert unknown.out_of_scope.flagged and unknown.out_of_scope.door is None


def test_reasons_of_all_sources_are_told_once() -> None:
    answer = recognise(HERE, [Says({"P02": 0.7}), Says({"P02": 0.8, "P01": 0.2})], KINDS, doors={})
    assert answer.proposals[0].because == ("“词P02”",)
