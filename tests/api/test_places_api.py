"""Places by name over HTTP: our list, names residents use, an outside geocoder that may fail."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from api.geocoder import LARGEST, UNTOLD_M, Geocoder
from api.geocoding import GeocoderFailed
from casework.model import Crs
from geo.coordinates import from_wgs84
from tests.api.client import INSIDE, Town, is_problem, open_town, settings_for

Json = dict[str, Any]  # what JSON gives


def found(town: Town, q: str, **query: str | float) -> Json:
    answer = town.anonymous().get("/places", q=q, **query)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    scores = [place["score"] for place in body["places"]]
    assert scores == sorted(scores, reverse=True)
    for place in body["places"]:
        assert place["accuracy_m"] > 0
        assert place["because"] and place["source_name"]
    return body


# our own ---------------------------------------------------------------------------------


def test_a_name_is_found_with_its_street_accuracy_and_source(town: Town) -> None:
    body = found(town, "北京市海淀区五道口地铁站附近")
    first = body["places"][0]
    assert first["name"] == "五道口站"
    assert (first["source"], first["source_name"]) == ("gazetteer", "地名录")
    assert first["street"].startswith("110108") and first["street_name"]
    assert first["certainty"] in {"inside", "near_border", "contested"}
    assert (body["geocoder"], "请选择" in body["says"]) == ("off", True)


def test_what_nobody_knows_is_said(town: Town) -> None:
    body = found(town, "霍格沃茨魔法学校")
    assert body["places"] == []
    assert "没有找到" in body["says"]
    is_problem(town.anonymous().get("/places"), 422, "invalid")
    is_problem(town.anonymous().get("/places", q="路" * 101), 422, "invalid")
    is_problem(town.anonymous().get("/places", q="五道口", limit=21), 422, "invalid")
    assert len(found(town, "学院路", limit=2)["places"]) == 2


def test_a_located_point_tells_the_places_nearby(town: Town) -> None:
    query = {name: INSIDE[name] for name in ("lon", "lat", "crs")}
    answer = town.http.get("/api/v1/locate", params=query)  # type: ignore[arg-type]  # plain values
    nearby = answer.json()["nearby"]
    assert 1 <= len(nearby) <= 5
    distances = [place["distance_m"] for place in nearby]
    assert distances == sorted(distances) and distances[-1] <= 1000
    assert all(place["name"] and place["kind"] for place in nearby)


def test_an_address_of_past_cases_is_told_when_three_persons_have_used_it(town: Town) -> None:
    def report(name: str) -> None:
        case = town.citizen(name).report(place={**INSIDE, "address": "老槐树底下的报刊亭"})
        town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
        town.reviewer.sees(case)

    for name in ("市民甲", "市民乙", "市民乙"):
        report(name)
        assert found(town, "槐树底下")["places"] == []
    report("市民丙")
    (place,) = found(town, "海淀区老槐树底下的报刊亭旁边")["places"]
    assert (place["source"], place["name"]) == ("cases", "老槐树底下的报刊亭")
    assert (place["lon"], place["lat"]) == (116.3237, 39.9821)
    assert place["street_name"] == "中关村街道"
    assert "3位居民" in place["because"]


# an outside geocoder ---------------------------------------------------------------------


@dataclass
class Outside:
    """A real server on the loopback that answers what it is told to."""

    reply: Callable[[BaseHTTPRequestHandler], None] | None = None
    asked: list[str] = field(default_factory=list)
    port: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/search") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def answers(self, content: bytes, status: int = 200) -> None:
        def reply(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)

        self.reply = reply

    def points(self, *features: Json) -> None:
        self.answers(json.dumps({"type": "FeatureCollection", "features": features}).encode())

    def says_nothing(self) -> None:
        """It takes the question and is silent until it is let go."""

        def reply(_handler: BaseHTTPRequestHandler) -> None:
            self.released.wait(30)

        self.reply = reply


@contextmanager
def serving() -> Iterator[Outside]:
    outside = Outside()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            outside.asked.append(self.path)
            assert outside.reply is not None
            outside.reply(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        outside.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield outside
        outside.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    with serving() as made:
        yield made


@pytest.fixture(scope="module")
def wired(outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town that asks the outside geocoder, which answers in GCJ-02."""
    settings = settings_for(
        tmp_path_factory.mktemp("places") / "var",
        geocoder_url=outside.url("/geocode?text={q}&size=9"),
        geocoder_crs="gcj02",
    )
    with open_town(settings) as town:
        yield town


def place(name: str, lon: float = 116.3237, lat: float = 39.9821, **told: object) -> Json:
    x, y = from_wgs84(lon, lat, "gcj02")
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [x, y]},
        "properties": {"label": name, **told},
    }


def test_an_outside_geocoder_is_asked_and_its_system_turned_into_ours(
    wired: Town, outside: Outside
) -> None:
    outside.points(place("海淀大街 甲1号", accuracy_m=20), place("无精度"))
    body = found(wired, "海淀大街甲1号 & 南门")
    query = parse_qs(urlsplit(outside.asked[-1]).query)
    assert query == {"text": ["海淀大街甲1号 & 南门"], "size": ["9"]}
    told = [each for each in body["places"] if each["source"] == "geocoder"]
    assert [each["name"] for each in told] == ["海淀大街 甲1号", "无精度"]
    assert [each["accuracy_m"] for each in told] == [20.0, UNTOLD_M]
    assert told[0]["lon"] == pytest.approx(116.3237, abs=1e-7)
    assert told[0]["lat"] == pytest.approx(39.9821, abs=1e-7)
    assert (told[0]["street_name"], told[0]["certainty"]) == ("中关村街道", "inside")
    assert body["geocoder"] == "answered"
    assert "外部" not in body["says"]


def test_a_place_beyond_the_district_comes_without_a_street(wired: Town, outside: Outside) -> None:
    outside.points(place("天安门", 116.3974, 39.9087))
    (only,) = found(wired, "不在名录里的天安之门")["places"]
    assert (only["street"], only["certainty"]) == (None, "outside_district")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 200),
        (b"<html>", 200),
        (b"[]", 200),
        (b'{"features": 1}', 200),
        (b"{}", 500),
        (b'{"features": []}', 302),
        (b'{"features": []' + b" " * LARGEST + b"}", 200),
    ],
)
def test_a_broken_geocoder_leaves_our_own_answer_and_says_so(
    wired: Town, outside: Outside, content: bytes, status: int
) -> None:
    outside.answers(content, status)
    body = found(wired, "五道口站")
    assert body["places"][0]["name"] == "五道口站"
    assert body["geocoder"] == "failed"
    assert "外部地址服务暂时不可用" in body["says"]


def test_features_that_are_no_places_are_left_out(wired: Town, outside: Outside) -> None:
    line = {"type": "LineString", "coordinates": [[116.3, 39.9], [116.4, 39.9]]}
    outside.points(
        {"geometry": None, "properties": {"name": "无位置"}},
        {"geometry": line, "properties": {"name": "一条线"}},
        {"geometry": {"type": "Point", "coordinates": [1000, 0]}, "properties": {"name": "天外"}},
        {"geometry": {"type": "Point", "coordinates": [116.3]}, "properties": {"name": "半个"}},
        {"geometry": {"type": "Point", "coordinates": [116.32, 39.98]}, "properties": {}},
        place("名字\u202e很\n长" + "啊" * 300),
    )
    body = found(wired, "不在名录里的地方")
    (only,) = body["places"]
    assert only["name"].startswith("名字 很 长啊") and len(only["name"]) == 120
    assert body["geocoder"] == "answered"


async def _find(geocoder: Geocoder) -> tuple[object, ...]:
    return await geocoder.find("五道口", 5)


def test_one_that_is_silent_or_not_there_fails_in_time(town: Town) -> None:
    with serving() as silent:
        silent.says_nothing()
        with pytest.raises(GeocoderFailed):
            town.run(_find(Geocoder(silent.url(), Crs.WGS84, seconds=0.2)))
        gone = silent.url()
    with pytest.raises(GeocoderFailed):
        town.run(_find(Geocoder(gone, Crs.WGS84)))


def test_without_a_mark_for_the_text_it_is_sent_as_q(town: Town) -> None:
    with serving() as outside:
        outside.points()
        assert town.run(_find(Geocoder(outside.url("/search?format=geojson"), Crs.WGS84))) == ()
        asked = parse_qs(urlsplit(outside.asked[0]).query)
    assert asked == {"format": ["geojson"], "q": ["五道口"]}
