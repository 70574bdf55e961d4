"""A district's own recognition platform over real HTTP: what it says counts, failure is told."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from recognition.model import OUT, Asked, Unavailable
from recognition.outside import Platform
from recognition.recogniser import recognise
from recognition.remote import Remote
from tests.recognition.conftest import Shipped
from tests.recognition.services import Said, Service, service

BIKES = Asked(text="地铁口共享单车堆成山", place_kind="metro_exit")


@pytest.fixture
def site() -> Iterator[Service]:
    with service() as made:
        yield made


def platform(site: Service, **how: float | Path) -> Platform:
    key = how.pop("key_file", None)
    assert key is None or isinstance(key, Path)
    seconds = how.pop("seconds", 2.0)
    assert isinstance(seconds, float) and not how
    return Platform(Remote("智能识别平台", f"{site.url}/ask", key_file=key, seconds=seconds))


def says(site: Service, answer: object) -> None:
    site.says = Said(json.dumps(answer).encode())


def test_it_is_asked_for_the_catalogue_in_force_and_for_nobodys_name(
    site: Service, shipped: Shipped, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("k-1\n")
    says(site, {"candidates": [{"indicator": "P10", "confidence": 0.9}], "model": "区平台 3.2"})
    found = platform(site, key_file=key).opinion(BIKES, shipped.material.kinds)
    assert found is not None
    assert dict(found.scores) == {"P10": 0.9} and found.model.version == "区平台 3.2"
    (asked,) = site.asked
    assert asked.path == "/ask" and asked.headers["authorization"] == "Bearer k-1"
    told = json.loads(asked.body)
    assert set(told) == {"text", "place_kind", "indicators"}
    assert told["text"] == BIKES.text and len(told["indicators"]) == 12


def test_what_it_says_is_pooled_with_our_own(site: Service, shipped: Shipped) -> None:
    kinds = shipped.material.kinds
    text = Asked(text="人行道上过不去人了")
    alone = recognise(text, [shipped.model], kinds, doors={})
    says(
        site,
        {
            "candidates": [
                {"indicator": "P07", "confidence": 0.95, "because": "\u202e照片里\n有包裹"},
                {"indicator": "P99", "confidence": 1.0},
            ]
        },
    )
    both = recognise(text, [shipped.model, platform(site)], kinds, doors={})
    assert both.proposals[0].indicator == "P07" != alone.proposals[0].indicator
    assert "“照片里 有包裹”" in both.proposals[0].because
    assert [model.name for model in both.models] == ["text", "platform"]


@pytest.mark.parametrize(
    "answer",
    [
        {"candidates": []},
        {"candidates": [{"indicator": "P99", "confidence": 0.9}]},
        {"candidates": [{"indicator": "P10", "confidence": 7}]},
        {"candidates": [{"indicator": "P10", "confidence": -0.1}]},
        {"candidates": [{"indicator": "P10"}, "P10", 3, None, []]},
        {"candidates": "P10"},
        {"result": "P10"},
        [],
        "P10",
        None,
    ],
)
def test_nonsense_and_codes_that_do_not_exist_are_no_opinion(
    site: Service, shipped: Shipped, answer: object
) -> None:
    says(site, answer)
    asked = platform(site)
    with pytest.raises(Unavailable, match="智能识别平台"):
        asked.opinion(BIKES, shipped.material.kinds)
    assert asked.condition().state == "failing"
    ours = recognise(BIKES, [shipped.model, asked], shipped.material.kinds, doors={})
    assert ours.proposals[0].indicator == "P10" and ours.notes


@pytest.mark.parametrize(
    "failure",
    [
        Said(b"<html>", content_type="text/html"),
        Said(b"{", status=200),
        Said(b'{"candidates": []}', status=500),
        Said(b'{"candidates": [{"indicator": "P10", "confidence": 0.9}]}', hang=True),
        Said(b'{"candidates": [{"indicator": "P10", "confidence": 0.9}]}' + b" " * 99, drip=True),
        Said(b" " * 300_000),
        Said(b'{"candidates": [{"indicator": "P10", "confidence": NaN}]}'),
    ],
    ids=["html", "cut short", "status", "hangs", "drips", "too large", "NaN"],
)
def test_however_it_fails_our_own_answer_stands(
    site: Service, shipped: Shipped, failure: Said
) -> None:
    site.says = failure
    answer = recognise(
        BIKES, [platform(site, seconds=0.3), shipped.model], shipped.material.kinds, doors={}
    )
    assert answer.proposals[0].indicator == "P10"
    assert [model.name for model in answer.models] == ["text"]
    (note,) = answer.notes
    assert note.startswith("智能识别平台")


def test_it_may_say_out_of_scope_alone(site: Service, shipped: Shipped) -> None:
    says(site, {"candidates": [], "out_of_scope": 0.9})
    found = platform(site).opinion(BIKES, shipped.material.kinds)
    assert found is not None and dict(found.scores) == {OUT: 0.9}


def test_confidences_that_sum_to_more_than_one_are_scaled(site: Service, shipped: Shipped) -> None:
    many = [{"indicator": code, "confidence": 1.0} for code in ("P10", "P09", "P09", "P01")]
    says(site, {"candidates": many, "out_of_scope": 1})
    found = platform(site).opinion(BIKES, shipped.material.kinds)
    assert found is not None and sum(found.scores.values()) == pytest.approx(1)


def test_without_words_it_is_not_asked(site: Service, shipped: Shipped) -> None:
    assert platform(site).opinion(Asked(photos=(b"x",)), shipped.material.kinds) is None
    assert site.asked == []
