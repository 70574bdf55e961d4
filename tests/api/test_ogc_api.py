"""OGC API - Features, read by clients that were not written here: GDAL and OWSLib."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import geopandas
import httpx
import pytest
from owslib.ogcapi.features import Features as OwsLib

from api.exchange.ogc_description import COLLECTIONS, CONFORMS_TO, DISTRICT
from geo.boundaries import Boundaries
from geo.grid import cell_at
from projections.case_history import mark_of
from tests.api.client import INSIDE, Town, Tracked, is_problem, open_town, settings_for

Json = dict[str, Any]  # what JSON gives

READER = Path(__file__).with_name("gdal_reader.py")

PLACES = [cell_at(116.3205 + n / 500, 39.9803).centre() for n in range(4)]


class Scene:
    """Seven reviewed cases, one that nobody has looked at, and the service's address."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.cases: list[Tracked] = []
        citizen, reviewer = town.citizen("市民甲"), town.reviewer
        for n in range(8):
            lon, lat = PLACES[n % 4]
            case = citizen.report(place={**INSIDE, "lon": lon, "lat": lat})
            if n < 7:
                reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
            self.cases.append(case)
        reviewer.sees(self.cases[-1])
        self.address = f"{str(town.http.base_url).rstrip('/')}/ogc"

    def get(self, path: str = "", **query: str | int) -> httpx.Response:
        return self.town.http.get(f"/ogc{path}", params=query or None)

    def items(self, collection: str, **query: str | int) -> Json:
        answer = self.get(f"/collections/{collection}/items", **query)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "application/geo+json"
        body: Json = answer.json()
        assert body["numberReturned"] == len(body["features"]) <= body["numberMatched"]
        return body


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with open_town(settings_for(tmp_path_factory.mktemp("ogc") / "var")) as town:
        yield Scene(town)


def link(body: Json, rel: str) -> Json:
    (found,) = [each for each in body["links"] if each["rel"] == rel]
    assert isinstance(found, dict)
    return found


# clients that others wrote ---------------------------------------------------------------


def gdal(
    scene: Scene, layer: str | None, bbox: Sequence[float] | None = None, **options: object
) -> Json:
    """What GDAL's own OAPIF driver finds of the service."""
    asked = {"address": scene.address, "layer": layer, "bbox": bbox, "options": options}
    done = subprocess.run(
        [sys.executable, str(READER), json.dumps(asked)],
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: Json = json.loads(done.stdout)
    return found


def test_gdal_finds_the_collections(scene: Scene) -> None:
    found = gdal(scene, None)
    assert "OAPIF" in found["drivers"]
    assert found["layers"] == list(COLLECTIONS)


def test_gdal_reads_the_streets_as_they_are(scene: Scene) -> None:
    read = gdal(scene, "streets")
    ours = Boundaries.bundled()
    assert read["epsg"] == 4326
    frame = geopandas.GeoDataFrame.from_features(read["features"], crs=4326)
    areas = frame.to_crs(32650).set_index("code").geometry.area
    assert set(areas.index) == set(ours.codes)
    for code in ours.codes:
        assert areas[code] == pytest.approx(ours.area_of(code).area, rel=1e-6)
    assert set(frame["name"]) == {ours.name(code) for code in ours.codes}


def test_gdal_reads_every_case_over_many_pages(scene: Scene) -> None:
    read = gdal(scene, "cases", PAGE_SIZE="2")["features"]
    assert len(read) == 7
    told = [each["properties"] for each in read]
    assert {each["id"] for each in told} == {mark(case) for case in scene.cases[:7]}
    assert {each["status"] for each in told} == {"dispatched"}
    assert {each["indicator_name"] for each in told} == {"非机动车乱停放"}
    pins = {tuple(each["geometry"]["coordinates"]) for each in read}
    assert pins == {cell_at(lon, lat).centre() for lon, lat in PLACES}


def test_gdal_hands_on_its_box(scene: Scene) -> None:
    lon, lat = cell_at(*PLACES[0]).centre()
    box = (lon - 0.0002, lat - 0.0002, lon + 0.0002, lat + 0.0002)
    assert len(gdal(scene, "cases", box)["features"]) == 2
    assert gdal(scene, "typical-cases")["features"] == []


def test_owslib_reads_the_service(scene: Scene) -> None:
    client = OwsLib(scene.address)
    assert client.conformance()["conformsTo"] == CONFORMS_TO
    assert client.feature_collections() == list(COLLECTIONS)
    assert client.collection("cases")["title"] == "随手拍案件"
    assert client.api()["openapi"].startswith("3.0.")
    page = client.collection_items("cases", limit=3, bbox=list(DISTRICT))
    assert (page["numberReturned"], page["numberMatched"]) == (3, 7)
    first = page["features"][0]
    assert client.collection_item("cases", first["id"])["properties"] == first["properties"]
    streets = client.collection_items("streets", limit=1000)
    assert len(streets["features"]) == 29


# the standard ----------------------------------------------------------------------------


def mark(case: Tracked) -> str:
    return mark_of(UUID(case.id))


def test_the_landing_page_leads_everywhere(scene: Scene) -> None:
    for path in ("", "/"):
        body = scene.get(path).json()
        for rel in ("self", "service-desc", "conformance", "data"):
            told = link(body, rel)
            answer = scene.town.http.get(told["href"])
            assert answer.status_code == 200
            assert answer.headers["Content-Type"] == told["type"]


def test_every_collection_says_what_it_is_and_where_its_features_are(scene: Scene) -> None:
    listed = scene.get("/collections").json()["collections"]
    assert [each["id"] for each in listed] == list(COLLECTIONS)
    for each in listed:
        assert scene.town.http.get(link(each, "self")["href"]).json() == each
        assert scene.town.http.get(link(each, "items")["href"]).status_code == 200
        assert each["extent"]["spatial"]["bbox"] == [list(DISTRICT)]
        assert any("\u4e00" <= sign <= "\u9fff" for sign in each["description"])


def test_all_that_is_published_lies_in_the_extent(scene: Scene) -> None:
    areas = Boundaries.bundled().arrangement.areas()
    frame = geopandas.GeoSeries(list(areas.values()), crs=32650).to_crs(4326).total_bounds
    west, south, east, north = DISTRICT
    assert west <= frame[0] and south <= frame[1] and frame[2] <= east and frame[3] <= north
    assert scene.items("cases", bbox=",".join(map(str, DISTRICT)))["numberMatched"] == 7


def test_pages_join_up_by_their_next_links(scene: Scene) -> None:
    for collection, count, limit in (("cases", 7, 3), ("streets", 29, 10)):
        whole = scene.items(collection)
        assert [each["rel"] for each in whole["links"]] == ["self", "collection"]
        pages = [scene.items(collection, limit=limit, bbox=",".join(map(str, DISTRICT)))]
        while any(each["rel"] == "next" for each in pages[-1]["links"]):
            pages.append(scene.town.http.get(link(pages[-1], "next")["href"]).json())
        names = [each["id"] for page in pages for each in page["features"]]
        assert names == [each["id"] for each in whole["features"]]
        assert len(names) == count
        assert all(page["numberMatched"] == count for page in pages)
        assert [len(page["features"]) for page in pages[:-1]] == [limit] * (len(pages) - 1)
        assert all(a < b for a, b in pairwise(names))


def test_a_box_takes_the_streets_that_touch_it(scene: Scene) -> None:
    inside = scene.items("streets", bbox="116.3236,39.9820,116.3238,39.9822")
    assert [each["properties"]["name"] for each in inside["features"]] == ["中关村街道"]
    with_heights = scene.items("streets", bbox="116.3236,39.9820,0,116.3238,39.9822,100")
    assert with_heights["features"] == inside["features"]
    assert scene.items("streets", bbox="0,0,1,1")["features"] == []


@pytest.mark.parametrize(
    ("datetime", "found"),
    [
        ("2026-05-11T09:00:00Z", 7),
        ("2026-05-01", 7),
        ("2026-05-31T15:59:59Z", 7),
        ("2026-05-31T16:00:00Z", 0),
        ("2026-04-30/2026-05-01", 7),
        ("../2026-04-30", 0),
        ("../2026-05-01", 7),
        ("/2026-05-01", 7),
        ("2026-06-01/..", 0),
        ("2026-05-01/", 7),
    ],
)
def test_cases_are_chosen_by_their_month(scene: Scene, datetime: str, found: int) -> None:
    assert scene.items("cases", datetime=datetime)["numberMatched"] == found
    # A street has no time: it is in any.
    assert scene.items("streets", datetime=datetime)["numberMatched"] == 29


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "x"},
        {"limit": "1.5"},
        {"limit": "²"},
        {"bbox": "1,2,3"},
        {"bbox": "1,2,3,4,5"},
        {"bbox": "3,2,1,4"},
        {"bbox": "inf,0,1,1"},
        {"datetime": "yesterday"},
        {"datetime": "../.."},
        {"datetime": "2026-06-01/2026-05-01"},
        {"datetime": "2026-05-01T08:00:00"},
        {"cursor": "x"},
        {"colour": "red"},
    ],
)
def test_a_wrong_or_unknown_parameter_is_400(scene: Scene, query: dict[str, str]) -> None:
    (field,) = query
    problem = is_problem(scene.get("/collections/cases/items", **query), 400, "bad-parameter")
    assert field in str(problem["detail"])


def test_a_parameter_given_twice_is_400(scene: Scene) -> None:
    answer = scene.town.http.get("/ogc/collections/cases/items?limit=1&limit=2")
    is_problem(answer, 400, "bad-parameter")
    is_problem(scene.get("/collections", page=1), 400, "bad-parameter")


def test_more_than_the_most_is_the_most(scene: Scene) -> None:
    assert scene.items("cases", limit=10_001)["numberReturned"] == 7
    assert scene.items("cases", limit="9" * 40)["numberReturned"] == 7


def test_one_feature_by_its_id(scene: Scene) -> None:
    for case in scene.cases[:7]:
        body = scene.get(f"/collections/cases/items/{mark(case)}").json()
        assert (body["type"], body["id"]) == ("Feature", mark(case))
        assert scene.town.http.get(link(body, "self")["href"]).json() == body
        assert link(body, "collection")["href"] == f"{scene.address}/collections/cases"
    street = scene.get("/collections/streets/items/110108011").json()
    assert street["properties"]["name"] == "中关村街道"


def test_what_is_not_there_is_404(scene: Scene) -> None:
    unreviewed, known = scene.cases[7], scene.cases[0]
    for name in (mark(unreviewed), known.number, known.id, "0" * 32, "x"):
        answer = scene.get(f"/collections/cases/items/{name}")
        is_problem(answer, 404, "no-feature")
    is_problem(scene.get("/collections/streets/items/110108009"), 404, "no-feature")
    is_problem(scene.get("/collections/typical-cases/items/x"), 404, "no-feature")
    for path in ("", "/items", "/items/x"):
        is_problem(scene.get(f"/collections/persons{path}"), 404, "no-collection")


def test_nothing_of_a_person_or_a_number_is_published(scene: Scene) -> None:
    text = json.dumps(scene.items("cases"), ensure_ascii=False)
    for case in scene.cases:
        assert case.number not in text and case.id not in text
    assert "单车停" not in text
    for each in scene.items("cases")["features"]:
        assert set(each["properties"]) == {
            "status", "status_name", "street", "street_name", "indicator", "indicator_name",
            "month", "demonstration",
        }  # fmt: skip


def test_typical_cases_are_none_before_a_month_is_published(scene: Scene) -> None:
    assert scene.items("typical-cases")["features"] == []
    assert "已公开" in scene.get("/collections/typical-cases").json()["description"]


def test_an_answer_that_is_known_already_is_not_sent_again(scene: Scene) -> None:
    answer = scene.get("/collections/cases/items")
    known = {"If-None-Match": f'"other", W/{answer.headers["ETag"]}'}
    again = scene.town.http.get("/ogc/collections/cases/items", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == answer.headers["ETag"]
    assert answer.headers["Cache-Control"] == "public, max-age=60"


def test_the_description_describes_each_path_with_its_parameters(scene: Scene) -> None:
    described = scene.get("/api").json()
    assert described["servers"] == [{"url": scene.address}]
    shared = described["components"]["parameters"]
    for path, methods in described["paths"].items():
        used = methods.get("parameters", []) + methods["get"]["parameters"]
        names = [shared[each["$ref"].rsplit("/", 1)[-1]]["name"] for each in used]
        filled = path.replace("{collectionId}", "streets").replace("{featureId}", "110108011")
        assert [f"{{{name}}}" in path for name in names if name.endswith("Id")] == [
            True
        ] * path.count("{")
        answer = scene.get(filled)
        (media_type,) = methods["get"]["responses"]["200"]["content"]
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, media_type)


def test_links_are_of_the_public_address_where_one_is_set(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = settings_for(
        tmp_path_factory.mktemp("public") / "var", public_url="https://ssp.example.cn/"
    )
    with open_town(settings) as town:
        body = town.http.get("/ogc/collections/streets/items", params={"limit": 1}).json()
    assert all(
        each["href"].startswith("https://ssp.example.cn/ogc/collections/streets")
        for each in body["links"]
    )
