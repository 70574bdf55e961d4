from collections import Counter
from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.boundaries import Boundaries
from geo.coordinates import to_metres
from geo.gazetteer import Gazetteer, Place, read_places
from geo.units import BUNDLED, known_units

BOUNDARIES = Boundaries.bundled()
LIST = Gazetteer.bundled()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("五道口地铁站B口", "五道口站"),
        ("地铁五道口站", "五道口站"),
        ("北京市海淀区五道口站", "五道口站"),
        ("北京海淀区中关村大街27号", "中关村大街"),
        ("清华大学东门外", "清华东门"),
        ("成府路与学院路交叉口", "成府路与学院路路口"),
        ("学院路、成府路路口", "成府路与学院路路口"),
        ("北四环西路和中关村大街路口", "海淀桥"),
        ("学院路街道王庄小区", "王庄"),
        ("上地街道", "上地街道"),
        ("羊坊店街道办事处", "羊坊店街道办事处"),
        ("三零一医院旁边 301医院", "中国人民解放军总医院"),
        ("北大东门", "北大东门"),
        ("北医三院急诊", "北京大学第三医院"),
        ("北京大学", "北京大学"),
        ("颐和园", "颐和园"),
        ("稻香湖", "稻香湖公园"),
        ("清河五彩城", "五彩城"),
        ("首都师范大雪", "首都师范大学"),
        ("万柳地区", "海淀镇"),
    ],
)
def test_an_address_as_people_write_it_finds_its_place(text: str, name: str) -> None:
    assert LIST.find(text)[0].place.name == name


@pytest.mark.parametrize("text", ["", " ", "站", "北京市海淀区", "xyz", "某某", "?!,。"])
def test_words_that_name_no_place_find_none(text: str) -> None:
    assert LIST.find(text) == ()


def test_a_longer_name_is_not_mistaken_for_the_shorter_one_in_it() -> None:
    assert "中关村站" not in [c.place.name for c in LIST.find("中关村大街27号")]


def test_what_the_text_adds_is_added_to_the_doubt() -> None:
    plain, beside, away = (
        LIST.find(text)[0] for text in ("清河五彩城", "清河五彩城对面", "清河五彩城往东300米")
    )
    assert beside.accuracy_m == plain.accuracy_m + 200
    assert away.accuracy_m == plain.accuracy_m + 300
    assert away.because == "文字中有“清河五彩城”，误差约 1000 米。"


def test_half_a_name_offers_all_that_have_it() -> None:
    names = [candidate.place.name for candidate in LIST.find("永丰", limit=10)]
    assert {"永丰站", "永丰南站", "永丰屯", "永丰产业基地"} <= set(names)


def test_the_street_named_in_the_text_decides_between_places_of_one_name() -> None:
    one, two = (
        Place("幸福小区", "compound", 116.30, 40.03, 300, unit="110108022"),
        Place("幸福小区", "compound", 116.34, 40.03, 200, unit="110108017"),
    )
    unit = Place("上地街道", "unit", 116.302, 40.029, 3100, unit="110108022")
    gazetteer = Gazetteer([two, one, unit])
    assert gazetteer.find("幸福小区")[0].place == two
    assert gazetteer.find("上地街道幸福小区")[0].place == one


def test_no_more_candidates_than_asked_for_and_the_likeliest_first() -> None:
    found = LIST.find("中关村", limit=3)
    assert len(found) == 3
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)


@given(st.text(max_size=30))
def test_any_text_gets_an_answer(text: str) -> None:
    for candidate in LIST.find(text):
        assert 0 <= candidate.score <= 1
        assert candidate.accuracy_m >= candidate.place.accuracy_m


@given(st.permutations(LIST.places[:40]))
def test_the_order_of_the_list_changes_nothing(places: list[Place]) -> None:
    shuffled, plain = Gazetteer(places), Gazetteer(LIST.places[:40])
    for text in ("中关村", "北京", "上地三街", "路口"):
        assert shuffled.find(text) == plain.find(text)
    assert shuffled.near(116.31, 39.98, within_m=9_000) == plain.near(116.31, 39.98, within_m=9_000)


def test_places_nearby_come_nearest_first_and_name_no_unit() -> None:
    nearby = LIST.near(116.3316, 39.9916, limit=4, within_m=600)
    assert nearby[0].place.name == "五道口站"
    assert [n.distance_m for n in nearby] == sorted(n.distance_m for n in nearby)
    assert all(n.distance_m <= 600 and n.place.kind != "unit" for n in nearby)
    assert LIST.near(121.47, 31.23) == ()


def test_the_list_is_long_enough_and_each_name_stands_once() -> None:
    kinds = Counter(place.kind for place in LIST.places)
    assert len(LIST.places) > 400
    assert kinds["unit"] == 29
    assert kinds["office"] >= 30 and kinds["metro"] > 60 and kinds["university"] > 25
    names = Counter(place.name for place in LIST.places)
    assert names.most_common(1)[0][1] == 1
    assert {p.unit for p in LIST.places if p.kind == "unit"} == set(known_units())


def test_every_place_lies_in_the_unit_it_is_known_to_be_in() -> None:
    astray = [
        place.name
        for place in LIST.places
        if place.unit
        and BOUNDARIES.area_of(place.unit).distance(shapely.Point(to_metres(place.lon, place.lat)))
        > 100
    ]
    assert astray == []


def test_the_figures_claim_no_more_than_they_are_good_for() -> None:
    for place in LIST.places:
        assert 200 <= place.accuracy_m <= 10_000, place.name
        assert (round(place.lon, 3), round(place.lat, 3)) == (place.lon, place.lat)


def test_a_list_of_ones_own_is_read_as_the_bundled_one(tmp_path: Path) -> None:
    path = tmp_path / "places.csv"
    path.write_bytes((BUNDLED / "places.csv").read_bytes())
    assert Gazetteer(read_places(path)).places == LIST.places
