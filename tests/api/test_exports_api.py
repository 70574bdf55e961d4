"""Exports: what each role gets, cells that no spreadsheet runs, files that others can read."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import geopandas
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from pyarrow import parquet

from api.routes.exports import Format
from casework.model import Role
from projections.case_export import FIELDS, fields_for
from projections.reports.sheets import safe
from tests.api.client import (
    XUEYUANLU,
    ZHONGGUANCUN,
    Caller,
    Town,
    is_problem,
    open_town,
    settings_for,
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town with two cases: one with 中关村, one that nobody has looked at."""
    with open_town(settings_for(tmp_path_factory.mktemp("exports") / "var")) as found:
        case = found.anonymous().report(text="=HYPERLINK(1) 盲道被占，电话13900001111")
        found.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
        new = found.citizen("市民甲").report()
        found.reviewer.sees(new)
        yield found


@pytest.fixture(scope="module")
def analyst(town: Town) -> Caller:
    return town.staff("分析甲", Role.ANALYST)


def lines(answer: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.decode("utf-8-sig"))))


@pytest.mark.parametrize("form", list(Format))
def test_a_file_is_of_a_type_that_the_description_names(
    town: Town, analyst: Caller, form: Format
) -> None:
    described = town.http.get("/api/v1/openapi.json").json()["paths"][
        "/api/v1/exports/cases.{form}"
    ]
    sent = analyst.get(f"/exports/cases.{form}").headers["content-type"]
    assert sent in described["get"]["responses"]["200"]["content"]


@pytest.mark.parametrize("day", ["0", "1700000000", "2026-11", "26.11.2026", ""])
@pytest.mark.parametrize(
    ("path", "name"),
    [("/exports/cases.csv", "from"), ("/exports/cases.csv", "to"), ("/measures/reports", "from"),
     ("/measures/reports", "to")],
)  # fmt: skip
def test_a_day_is_written_out(analyst: Caller, path: str, name: str, day: str) -> None:
    problem = is_problem(analyst.get(path, **{name: day}), 422, "invalid")
    assert "应为日期，如 2026-11-22。" in str(problem["detail"])


def test_a_csv_holds_masked_words_that_no_spreadsheet_runs(town: Town, analyst: Caller) -> None:
    answer = analyst.get("/exports/cases.csv", text="true")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "cases.csv" in answer.headers["content-disposition"]
    first, second = lines(answer.content)
    assert list(first) == [each.name for each in FIELDS]
    assert first["text"].startswith("'=HYPERLINK") and "13900001111" not in first["text"]
    assert (first["street"], first["status_name"], first["closed_at"]) == (
        ZHONGGUANCUN, "待签收", "",
    )  # fmt: skip
    assert (second["status"], second["dispatched_at"]) == ("submitted", "")
    assert "text" not in lines(analyst.get("/exports/cases.csv").content)[0]


def test_a_street_gets_its_own_dispatched_cases_and_fewer_columns(town: Town) -> None:
    lead = town.staff("街镇长", Role.STREET_LEAD, street=ZHONGGUANCUN)
    (own,) = lines(lead.get("/exports/cases.csv").content)
    assert list(own) == [each.name for each in fields_for(street=True, words=False)]
    assert "channel" not in own and "text" not in own
    is_problem(lead.get("/exports/cases.csv", text="true"), 403, "not-permitted")
    is_problem(lead.get("/exports/cases.csv", street=XUEYUANLU), 403, "not-permitted")
    other = town.staff("另一街镇长", Role.STREET_LEAD, street=XUEYUANLU)
    assert lines(other.get("/exports/cases.csv").content) == []
    is_problem(town.reviewer.get("/exports/cases.csv"), 403, "not-permitted")


def test_a_workbook_opens_in_another_program_and_explains_its_columns(analyst: Caller) -> None:
    answer = analyst.get("/exports/cases.xlsx", text="true")
    book = load_workbook(io.BytesIO(answer.content))
    rows = list(book["案件"].values)
    assert rows[0] == tuple(each.title for each in FIELDS) and len(rows) == 3
    assert all(cell.data_type != "f" for row in book["案件"].iter_rows() for cell in row)
    about = list(book["字段说明"].values)
    assert [row[1] for row in about[1:]] == [each.name for each in FIELDS]


def test_a_geoparquet_is_a_layer_of_points(analyst: Caller, tmp_path: Path) -> None:
    path = tmp_path / "cases.parquet"
    path.write_bytes(analyst.get("/exports/cases.geoparquet").content)
    layer = geopandas.read_parquet(path)
    assert len(layer) == 2 and set(layer.geom_type) == {"Point"}
    assert layer.crs.to_epsg() == 4326 or layer.crs.to_authority() == ("OGC", "CRS84")
    assert (layer.geometry.x - layer["lon"]).abs().max() == 0


def test_a_parquet_holds_instants_and_says_what_its_columns_mean(
    analyst: Caller, tmp_path: Path
) -> None:
    path = tmp_path / "cases.parquet"
    path.write_bytes(analyst.get("/exports/cases.parquet", indicator="P10").content)
    table = parquet.read_table(path)
    assert table.num_rows >= 1
    submitted = table.schema.field("submitted_at")
    assert submitted.type == pa.timestamp("us", tz="UTC")
    assert submitted.metadata[b"title"].decode() == "上报时间"


def test_what_is_asked_wrongly_is_told(analyst: Caller) -> None:
    wrong = analyst.get("/exports/cases.csv", **{"from": "2026-05-02", "to": "2026-05-01"})
    is_problem(wrong, 422, "bad-parameter")
    assert analyst.get("/exports/cases.doc").status_code == 422
    empty = analyst.get("/exports/cases.csv", to="2001-01-01")
    assert lines(empty.content) == []
    told = analyst.get("/exports/fields").json()["fields"]
    assert [each["name"] for each in told] == [each.name for each in FIELDS]


def test_only_the_columns_asked_for_are_exported(town: Town, analyst: Caller) -> None:
    asked: dict[str, str | list[str]] = {"field": ["street_name", "number"]}
    path = "/api/v1/exports/cases.csv"
    who = {"Authorization": str(analyst.credentials())}
    answer = town.http.get(path, params=asked, headers=who)
    assert list(lines(answer.content)[0]) == ["number", "street_name"], "in the order of the export"
    is_problem(analyst.get("/exports/cases.csv", field="person"), 422, "bad-parameter")
    lead = town.staff("街镇长", Role.STREET_LEAD, street=ZHONGGUANCUN)
    is_problem(lead.get("/exports/cases.csv", field="channel"), 422, "bad-parameter")
    is_problem(analyst.get("/exports/cases.csv", field="text"), 422, "bad-parameter")


def test_each_export_is_an_audit_row(town: Town, analyst: Caller) -> None:
    auditor = town.staff("审计甲", Role.AUDITOR)
    analyst.get("/exports/cases.csv")
    rows = json.dumps(auditor.get("/audit", operation="exports.cases").json(), ensure_ascii=False)
    assert "exports.cases" in rows


@given(st.text())
def test_no_cell_begins_as_a_formula_does(text: str) -> None:
    assert not safe(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert safe(text).endswith(text)
