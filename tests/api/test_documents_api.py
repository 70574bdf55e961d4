"""The written reports over HTTP: every kind and format, who may have them, sealed and not."""

import csv
import io
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from pypdf import PdfReader

from api.documents.kinds import NAMES, Report, around, named
from api.documents.making import document
from casework.handlings import Cut
from casework.model import Role
from projections.measures import By, measure
from projections.reports.document import Table
from projections.tables import reading
from tests.api.client import Caller, Town, is_problem


def analyst(town: Town) -> Caller:
    return town.staff("分析员", Role.ANALYST)


def a_case(town: Town) -> None:
    """Reported and dispatched, and the views have seen it."""
    case = town.anonymous().report(consents={"analysis": True})
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    town.reviewer.get(f"/cases/{case.id}", after=town.parts.casework.eventlog.head())


def this(town: Town, report: Report) -> str:
    return around(report, town.clock()).name


@pytest.mark.parametrize("report", list(Report))
def test_every_report_is_there_and_says_as_of_when(town: Town, report: Report) -> None:
    a_case(town)
    answer = town.supervisor.get(f"/documents/{report}/{this(town, report)}.csv")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][0] == f"海淀随手拍{NAMES[report]}" and "数据截至" in rows[1][0]


def test_a_months_pdf_and_workbook_say_what_the_measures_say(town: Town) -> None:
    a_case(town)
    month = this(town, Report.MONTHLY)
    path, period = f"/documents/monthly/{month}", named(Report.MONTHLY, month)
    head = town.parts.casework.eventlog.head()
    answer = analyst(town).get(f"{path}.pdf", as_of=str(head))
    assert answer.status_code == 200, answer.text
    assert f"{month}.pdf" in answer.headers["content-disposition"]
    pages = PdfReader(io.BytesIO(answer.content)).pages
    text = "".join("".join(page.extract_text().split()) for page in pages)
    now = town.clock()
    with reading(town.parts.feed.readers.engine) as connection:
        cut = Cut(now, head)
        (reports,) = measure(connection, "reports", period, now=now, as_of=cut)
        streets = measure(connection, "reports", period, now=now, as_of=cut, by=By.STREET)
    assert f"上报量{int(reports.numerator):,}" in text
    assert f"日志位置{head}" in text and "中关村街道" in text
    book = openpyxl.load_workbook(
        io.BytesIO(analyst(town).get(f"{path}.xlsx", as_of=str(head)).content)
    )
    sheet = next(book[name] for name in book.sheetnames if "各街镇上报" in name)
    found = {row[1].value: row[2].value for row in sheet.iter_rows(min_row=4)}
    boundaries = town.parts.dispatcher.boundaries
    for one in streets:
        if one.key in boundaries.codes:
            assert found[boundaries.name(one.key)] == int(one.numerator)


def test_a_reports_giving_out_is_in_the_audit_trail(town: Town) -> None:
    path = f"/documents/shifts/{this(town, Report.SHIFTS)}.csv"
    assert town.supervisor.get(path).status_code == 200
    rows = town.staff("审计员", Role.AUDITOR).get("/audit", limit=20).json()
    assert any(
        entry["action"] == "documents.shifts" and entry["target"] == path[1:]
        for entry in rows["rows"]
    )


def test_each_report_has_its_readers(town: Town) -> None:
    day = this(town, Report.SHIFTS)
    for who, path in (
        (town.reviewer, f"/documents/monthly/{this(town, Report.MONTHLY)}.csv"),
        (town.street(), f"/documents/weekly/{this(town, Report.WEEKLY)}.csv"),
        (analyst(town), f"/documents/shifts/{day}.csv"),
        (analyst(town), f"/documents/inspection/{day}.csv"),
    ):
        is_problem(who.get(path), 403, "not-permitted")
    assert town.staff("审计员", Role.AUDITOR).get(f"/documents/inspection/{day}.csv").is_success


def test_the_list_names_the_last_whole_period(town: Town) -> None:
    listed = {each["report"]: each for each in analyst(town).get("/documents").json()["reports"]}
    assert set(listed) == set(Report)
    assert listed["monthly"]["latest"] < this(town, Report.MONTHLY)
    assert listed["quarterly"]["written"].startswith("年-Q季")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("monthly/2026-13.csv", "年-月"),
        ("monthly/2026-W01.csv", "年-月"),
        ("weekly/2026-W60.csv", "年-W周"),
        ("quarterly/2026-Q5.csv", "年-Q季"),
        ("work-log/2026-02-30.csv", "年-月-日"),
        ("monthly/2099-01.csv", "还没有到"),
        ("monday/2026-W1.csv", "年-W周"),
    ],
)
def test_what_is_no_period_is_told_in_words(town: Town, path: str, words: str) -> None:
    detail = is_problem(town.supervisor.get(f"/documents/{path}"), 422, "bad-parameter")["detail"]
    assert words in str(detail)


def test_an_inspection_is_of_today(town: Town) -> None:
    gone = town.supervisor.get("/documents/inspection/2020-01-01.csv")
    assert "只能看当时" in str(is_problem(gone, 404, "not-there")["detail"])
    today = town.supervisor.get(f"/documents/inspection/{this(town, Report.INSPECTION)}.csv")
    text = today.content.decode("utf-8-sig")
    assert "事件日志哈希链,正常" in text and "全部完好" in text


def test_a_sealed_month_reads_as_it_was_sealed(town: Town) -> None:
    period = around(Report.MONTHLY, town.clock())
    a_case(town)
    town.forward(days=(period.last - town.clock()).days + 2)
    before = document(town.parts, Report.MONTHLY, period)
    sealed = town.supervisor.post("/measures/seal", {"month": period.name})
    assert sealed.status_code == 201, sealed.text
    after = document(town.parts, Report.MONTHLY, period)
    assert any("封存" in fact for fact in after.facts) and before.facts != after.facts
    assert after.parts == before.parts and after.position == before.position
    a_case(town)
    town.forward(days=3)
    assert document(town.parts, Report.MONTHLY, period) == after
    tables = [part for part in after.parts if isinstance(part, Table)]
    assert len(tables) >= 12 and len(tables[4].rows) >= 28


def test_the_serving_process_loads_no_typesetter() -> None:
    heavy = "{'typst', 'xlsxwriter', 'pylopdf_fonts_zh_cn', 'matplotlib', 'openpyxl'}"
    subprocess.run(
        [sys.executable, "-c", f"import sys, api.app; assert not {heavy} & set(sys.modules)"],
        check=True,
        cwd=Path(__file__).parents[2],
    )
