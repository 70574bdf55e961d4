"""Reports as data and as files: read back by other libraries, and held against the measures."""

import csv
import io
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid5

import msgspec
import openpyxl
import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject
from sqlalchemy import Connection, select

from casework import events as did
from casework.handlings import Cut
from casework.log.port import stream_id
from casework.model import CLOCK, Consents
from geo.boundaries import Boundaries
from projections.behaviour import BEHAVIOUR
from projections.measures import By, measure
from projections.periods import Every, Period, period_of
from projections.reading import Readers
from projections.reports import figures, quarterly
from projections.reports.document import (
    Column,
    Document,
    Drawing,
    Draws,
    Heading,
    Kind,
    Table,
    Words,
    shown,
)
from projections.reports.outline import outline
from projections.reports.pdf import class_edges, class_words, pdf
from projections.reports.sheets import text_csv
from projections.reports.source import Names, Source
from projections.reports.spots import rebounding
from projections.reports.work_log import STEPS, STORED_NAMES, day_of, work_log_parts
from projections.reports.xlsx import xlsx
from projections.tables import reading
from tests.projections.histories import SPACE, STREETS, ListedLog, Scribe, Story, lives

MAY = period_of(Every.MONTH, date(2026, 5, 1))
JUNE = MAY.last
MAP = Boundaries.bundled()
OUTLINE = outline(MAP)

TRICKY = ("=1+1", "+86", "-3", "@SUM(A1)", "#strike[x] $y$ \\ *b* <b>", "生僻字：㙍、堉、淀")


def a_document(**more: object) -> Document:
    words = Table(
        title="文字",
        columns=(Column("写了什么"), Column("件数", Kind.COUNT), Column("率", Kind.RATE)),
        rows=tuple((text, 1200 + n, 93.72 if n else None) for n, text in enumerate(TRICKY)),
        drawing=Drawing(how=Draws.BARS, title="件数", label=0, values=(1,)),
        note="注。",
    )
    days = Table(
        title="每日",
        columns=(Column("日"), Column("上报", Kind.COUNT), Column("变化", Kind.CHANGE)),
        rows=tuple((f"05-{day:02}", day * 7, day - 15) for day in range(1, 32)),
        drawing=Drawing(how=Draws.LINES, title="每日上报", label=0, values=(1,)),
    )
    codes = tuple(MAP.units)
    streets = Table(
        title="街镇",
        columns=(Column("序号", Kind.COUNT), Column("街镇"), Column("上报", Kind.COUNT)),
        rows=tuple((n, MAP.name(code), n * n) for n, code in enumerate(codes, 1)),
        drawing=Drawing(how=Draws.MAP, title="上报量", label=1, values=(2,), codes=codes),
    )
    empty = Table(title="空表", columns=(Column("甲"),), rows=(), empty="本时段没有。")
    given: dict[str, object] = {
        "name": "月报",
        "title": "数据分析月报",
        "period": "2026年5月",
        "as_of": datetime(2026, 5, 31, 16, tzinfo=UTC),
        "position": 4711,
        "facts": ("示例数据。",),
        "parts": (Heading("一、总体"), Words("全文。"), words, days, streets, empty),
        "outline": OUTLINE,
    }
    return Document(**(given | more))  # type: ignore[arg-type]  # a document's fields


def text_of(content: bytes) -> str:
    """The text of a PDF without spaces: where lines break is the typesetter's affair."""
    pages = PdfReader(io.BytesIO(content)).pages
    return "".join("".join(page.extract_text().split()) for page in pages)


def test_the_text_of_a_pdf_is_selectable_and_holds_every_cell() -> None:
    document = a_document()
    made = pdf(document)
    text = text_of(made)
    for table in document.tables():
        for row in table.rows:
            for cell, column in zip(row, table.columns, strict=True):
                assert "".join(shown(cell, column.kind).split()) in text, cell
    assert "数据截至2026-06-0100:00:00（日志位置4711）" in text
    assert "示例数据。" in text and "本时段没有。" in text
    reader = PdfReader(io.BytesIO(made))
    root = reader.root_object
    marks = root["/MarkInfo"].get_object()
    assert isinstance(marks, DictionaryObject)
    assert str(marks["/Marked"]) == "True", "tagged, for screen readers"
    assert str(root["/Lang"]).startswith("zh")


def test_the_fonts_are_subsets_inside_the_file() -> None:
    reader = PdfReader(io.BytesIO(pdf(a_document())))
    names = {
        str(found["/BaseFont"])
        for found in (reader.get_object(n) for n in range(1, len(reader.xref[0])))
        if isinstance(found, DictionaryObject) and found.get("/Type") == "/Font"
    }
    assert names and all("+NotoS" in name for name in names), names
    assert len(pdf(a_document())) < 400_000, "a whole font is eight megabytes"


def test_the_same_document_is_the_same_file() -> None:
    document = a_document()
    for write in (pdf, xlsx, text_csv):
        assert write(document) == write(document)


def test_a_workbook_holds_numbers_as_numbers_and_no_formula() -> None:
    document = a_document()
    book = openpyxl.load_workbook(io.BytesIO(xlsx(document)))
    assert book.sheetnames == ["说明", "1 文字", "2 每日", "3 街镇", "4 空表"]
    first = [row[0].value for row in book["说明"].iter_rows()]
    assert first[:4] == ["数据分析月报", "2026年5月", document.says_as_of, "示例数据。"]
    sheet = book["1 文字"]
    assert [cell.value for cell in sheet[3]] == ["写了什么", "件数", "率"]
    for n, text in enumerate(TRICKY):
        words, count, rate = sheet[4 + n]
        assert (words.value, words.data_type) == (text, "s")
        assert (count.value, count.data_type) == (1200 + n, "n")
        assert rate.value == (None if n == 0 else 0.9372) and rate.number_format == "0.00%"
    assert sheet.freeze_panes == "A4" and len(sheet.tables) == 1 and len(sheet._charts) == 1
    assert len(book["3 街镇"]._images) == 1
    assert book["4 空表"]["A4"].value == "本时段没有。"


def test_a_csv_begins_no_formula() -> None:
    text = text_csv(a_document()).decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert "'=1+1" in cells and "'@SUM(A1)" in cells and "93.72" in cells
    words = [cell for cell in cells if not cell.lstrip("-").replace(".", "").isdigit()]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in words)


WITHOUT = """
import sys
sys.modules["typst"] = None
import msgspec
from projections.reports.document import Document
from projections.reports.pdf import CannotSet, pdf
from projections.reports.sheets import text_csv
from projections.reports.xlsx import xlsx
document = msgspec.json.decode(sys.stdin.buffer.read(), type=Document)
assert len(xlsx(document)) > 5000 and text_csv(document)
try:
    pdf(document)
except CannotSet as cannot:
    print(cannot)
"""


def test_without_the_typesetter_the_command_is_named_and_workbooks_are_written() -> None:
    """In a process where the package cannot be imported, as where it is not installed."""
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        input=msgspec.json.encode(a_document()),
        capture_output=True,
        check=True,
        env={"PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(Path(__file__).parents[2])},
    ).stdout.decode()
    assert "python -m pip install typst pylopdf-fonts-zh-cn" in told and "XLSX" in told


def test_the_map_is_the_29_and_every_number_lies_in_its_own_unit() -> None:
    assert {shape.code for shape in OUTLINE.shapes} == set(MAP.units) and len(MAP.units) == 29
    for shape in OUTLINE.shapes:
        x, y = shape.inside
        assert 0 <= x <= OUTLINE.width and 0 <= y <= OUTLINE.height
        inside = [_holds(ring, x, y) for ring in shape.rings]
        assert sum(inside) == 1, shape.code


def _holds(ring: tuple[tuple[float, float], ...], x: float, y: float) -> bool:
    """Whether a ray to the east crosses the ring an odd number of times."""
    crossings = 0
    for (ax, ay), (bx, by) in pairwise(ring):
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            crossings += 1
    return crossings % 2 == 1


def test_the_classes_of_a_map_are_what_was_found() -> None:
    values = sorted([0.0, 2.0, 2.0, 3.0, 7.0, 9.0, 11.0, 85.0])
    edges = class_edges(values)
    assert edges == [2.0, 3.0, 7.0, 11.0]
    assert class_words(values, edges, Kind.COUNT) == ["0 – 2", "3", "7", "9 – 11", "85"]
    assert class_edges([5.0, 5.0]) == [] and class_edges([]) == []


@pytest.mark.parametrize(
    ("cell", "kind", "words"),
    [
        (None, Kind.COUNT, "—"),
        (1234567, Kind.COUNT, "1,234,567"),
        (-3, Kind.CHANGE, "−3"),
        (0, Kind.CHANGE, "0"),
        (12, Kind.CHANGE, "+12"),
        (93.7, Kind.RATE, "93.70%"),
        (-0.5, Kind.POINTS, "−0.50"),
        (0.0, Kind.POINTS, "0.00"),
        (4.126, Kind.SCORE, "4.13"),
        (2938.24, Kind.NUMBER, "2,938.2"),
    ],
)
def test_how_a_cell_is_written(cell: float | None, kind: Kind, words: str) -> None:
    assert shown(cell, kind) == words


def test_words_in_a_column_of_numbers_are_an_error() -> None:
    with pytest.raises(TypeError):
        shown("七", Kind.COUNT)


# Figures ---------------------------------------------------------------------------------


class Town:
    """Cases told step by step, and the reports of them."""

    def __init__(self, readers: Readers) -> None:
        self.readers = readers
        self.scribe = Scribe()
        self.log = ListedLog()
        self.made = 0

    def story(self, **more: Any) -> Story:  # noqa: ANN401  what a Story takes
        self.made += 1
        return Story(self.scribe, f"{self.made}", **more)

    def ask(self, work: Callable[[Connection], Any]) -> Any:  # noqa: ANN401  whatever is asked
        while self.readers.step(self.log):
            pass
        with reading(self.readers.engine) as connection:
            return work(connection)

    def parts(
        self,
        of: Callable[[Source], tuple[Any, ...]],
        period: Period = MAY,
        now: datetime = JUNE,
        as_of: Cut | None = None,
    ) -> tuple[Any, ...]:
        def make(connection: Connection) -> tuple[Any, ...]:
            return of(
                Source(
                    connection=connection,
                    period=period,
                    now=now,
                    as_of=as_of,
                    streets=tuple(MAP.units),
                    names=Names(MAP.name, str, str, lambda _lon, _lat: None),
                    outline=OUTLINE,
                )
            )

        found: tuple[Any, ...] = self.ask(make)
        return found


@pytest.fixture
def town(make_readers: Callable[..., Readers]) -> Town:
    return Town(make_readers())


def table(parts: tuple[Any, ...], title: str) -> Table:
    return next(p for p in parts if isinstance(p, Table) and p.title.startswith(title))


def some_cases(town: Town, count: int = 60) -> None:
    """Handled in one hour or ten, closed, and every other one rated."""
    for n in range(count):
        code = list(MAP.units)[n % 3]
        story = town.story(street=code, at=MAY.first.astimezone(UTC) + timedelta(hours=5 * n + 2))
        told = [story.submitted(), story.registered(), story.dispatched(4), story.acknowledged()]
        story.at += timedelta(minutes=60 if n % 5 else 600)
        told += [story.rectified(), story.closed()]
        if n % 2:
            told.append(story.rated())
        town.log.add(*told)


def test_a_months_report_says_what_the_measures_say(town: Town) -> None:
    some_cases(town)
    parts = town.parts(figures.monthly_parts)
    counts = {row[0]: row for row in table(parts, "数量").rows}
    assert counts["上报量"][1] == counts["结案量"][1] == 60
    rates = {row[0]: row for row in table(parts, "比率").rows}
    assert rates["按期处置率"][1:4] == (80.0, 48, 60) and rates["参评率"][1:4] == (50.0, 30, 60)
    days = table(parts, "每日").rows
    assert len(days) == 31 and sum(int(row[1] or 0) for row in days) == 60
    streets = {row[1]: row for row in table(parts, "各街镇按期处置率").rows}
    assert len(streets) == 29
    by_street = town.ask(lambda c: measure(c, "handled_in_time", MAY, now=JUNE, by=By.STREET))
    for one in by_street:
        row = streets[MAP.name(one.key)]
        assert row[2:5] == (one.rank, one.value, one.denominator)
    text = text_of(pdf(a_document(parts=parts)))
    for row in (*streets.values(), *rates.values()):
        assert "".join(str(row[1] if row in streets.values() else row[0]).split()) in text
    assert "80.00%" in text
    book = openpyxl.load_workbook(io.BytesIO(xlsx(a_document(parts=parts))))
    sheet = next(book[name] for name in book.sheetnames if "比率" in name)
    found = {row[0].value: row[1].value for row in sheet.iter_rows(min_row=4)}
    assert found["按期处置率"] == 0.8


def test_a_month_that_is_over_stays_the_same_to_the_digit(town: Town) -> None:
    some_cases(town)
    before = town.parts(figures.monthly_parts)
    later = town.story(at=JUNE.astimezone(UTC) + timedelta(days=3))
    town.log.add(*later.whole())
    assert town.parts(figures.monthly_parts, now=JUNE + timedelta(days=40)) == before
    last = town.log.events[-11].position
    assert town.parts(figures.monthly_parts, as_of=Cut(JUNE, last)) == before


def test_streets_with_few_cases_come_last_and_have_no_rank(town: Town) -> None:
    for n in range(21):
        told = town.story(street=list(MAP.units)[4], at=MAY.first + timedelta(hours=9 + n)).whole()
        town.log.add(*told)
    town.log.add(*town.story(street=list(MAP.units)[7], at=MAY.first + timedelta(days=9)).whole())
    rows = table(town.parts(figures.monday_parts), "各街镇").rows
    assert (rows[0][1], rows[0][2], rows[0][4]) == (MAP.name(list(MAP.units)[4]), 1, 21)
    assert (rows[1][1], rows[1][2], rows[1][4]) == (MAP.name(list(MAP.units)[7]), None, 1)
    assert all(row[2:5] == (None, None, 0) for row in rows[2:]) and len(rows) == 29


def test_a_spot_rebounds_where_a_report_follows_a_closing_within_thirty_days(town: Town) -> None:
    begin = MAY.first.astimezone(UTC)
    here, there = (116.31, 39.98), (116.29, 39.98)
    town.log.add(*town.story(place=here, at=begin).whole())
    again = town.story(place=here, at=begin + timedelta(days=5))
    other = town.story(place=here, indicator="P01", at=begin + timedelta(days=5))
    far = town.story(place=there, at=begin + timedelta(days=5))
    unreviewed = town.story(place=here, at=begin + timedelta(days=6))
    for story in (again, other, far):
        town.log.add(story.submitted(), story.registered(), story.dispatched())
    town.log.add(unreviewed.submitted())
    late = town.story(place=here, at=begin + timedelta(days=31))
    town.log.add(late.submitted(), late.registered())
    found = town.ask(lambda c: rebounding(c, MAY.first, JUNE + timedelta(days=5), Cut(late.at)))
    assert [(spot.indicator, spot.reports) for spot in found] == [("P09", 1)]
    earlier = town.ask(lambda c: rebounding(c, MAY.first, JUNE, Cut(begin + timedelta(days=4))))
    assert earlier == []


def test_the_overdue_list_is_that_of_the_cut_longest_over_first(town: Town) -> None:
    begin = MAY.first.astimezone(UTC)
    for n in range(3):
        story = town.story(at=begin + timedelta(days=n))
        told = [story.submitted(), story.registered(), story.dispatched(4), story.acknowledged()]
        if n == 1:
            story.at += timedelta(days=1)
            told.append(story.rectified())
        town.log.add(*told)
    at = begin + timedelta(days=2, hours=3)
    week = period_of(Every.WEEK, date(2026, 5, 1))
    listed = table(town.parts(figures.monday_parts, week, at, Cut(at)), "超期清单")
    assert [row[0] for row in listed.rows] == ["HD1"], "2 is handed over, 3 not due yet"
    later = table(town.parts(figures.monday_parts, week, JUNE, Cut(JUNE)), "超期清单")
    assert [row[0] for row in later.rows] == ["HD1", "HD3"]


def test_of_a_long_overdue_list_those_longest_over_are_told(town: Town) -> None:
    begin = MAY.first.astimezone(UTC)
    for hours in (30, 20, 10):  # dispatched first, and due last
        story = town.story(at=begin)
        town.log.add(story.submitted(), story.registered(), story.dispatched(hours))
    (told,) = town.parts(lambda source: (figures.overdue(source, 2),))
    assert [row[0] for row in told.rows] == ["HD3", "HD2"]
    assert told.title == "超期清单（3 件）" and "另有 1 件未列出" in told.note


# How people use it -----------------------------------------------------------------------


def used(town: Town, people: list[int], *, agreed: bool = True) -> None:
    """A report of each of these persons."""
    for n in people:
        story = town.story(at=MAY.first.astimezone(UTC) + timedelta(hours=2))
        story.person = uuid5(SPACE, f"user {n}")
        told = story.submitted()
        event = told.event
        assert isinstance(event, did.ReportSubmitted)
        changed = msgspec.structs.replace(event, consents=Consents(analysis=agreed))
        town.log.add(msgspec.structs.replace(told, event=changed), story.registered())


QUARTER = period_of(Every.QUARTER, date(2026, 5, 1))


def quarter(town: Town) -> tuple[Any, ...]:
    before = QUARTER.before().first
    assert before.date() == date(2026, 1, 1)

    def make(connection: Connection) -> tuple[Any, ...]:
        found = quarterly.use(connection, QUARTER.first, QUARTER.last, before, QUARTER.last)
        return quarterly.quarterly_parts(found, str)

    found: tuple[Any, ...] = town.ask(make)
    return found


def test_only_who_agreed_is_counted_and_nothing_below_five_is_told(town: Town) -> None:
    used(town, [*range(4)])
    used(town, [*range(100, 140)], agreed=False)
    assert not any(isinstance(part, Table) for part in quarter(town)), "four persons agreed"
    used(town, [*range(12), *range(12)])
    parts = quarter(town)
    assert table(parts, "参与情况").rows[0] == ("上报或参与的人数", 12, 100.0)
    often = {row[0]: row[1] for row in table(parts, "参与次数").rows}
    assert often == {"1 次": 0, "2—4 次": 12, "5 次及以上": 0}
    used(town, [50, 51, 52])
    often = {row[0]: row[1] for row in table(quarter(town), "参与次数").rows}
    assert often == {"1 次": None, "2—4 次": None, "5 次及以上": 0}, "12 would tell the 3"
    said = str(quarter(town))
    assert not any(str(uuid5(SPACE, f"user {n}")) in said for n in range(12))


def test_cells_that_add_up_hide_a_second_one() -> None:
    assert quarterly.guarded([4, 9, 30], adds_up=True) == [None, None, 30]
    assert quarterly.guarded([4, 3, 30], adds_up=True) == [None, None, 30]
    assert quarterly.guarded([4, 9, 30], adds_up=False) == [None, 9, 30]
    assert quarterly.guarded([0, 5, 30], adds_up=True) == [0, 5, 30]


def test_an_erased_persons_use_is_gone(town: Town) -> None:
    used(town, [*range(6)])
    assert len(town.ask(lambda c: c.execute(select(BEHAVIOUR)).all())) == 6
    person = uuid5(SPACE, "user 3")
    town.log.add(
        town.scribe.record(
            stream_id(f"person/{person}"),
            did.PersonErased(person=person),
            JUNE.astimezone(UTC),
            CLOCK,
        )
    )
    rows = town.ask(lambda c: c.execute(select(BEHAVIOUR.c.person)).all())
    assert len(rows) == 5 and (person.bytes,) not in rows


# The log of a day ------------------------------------------------------------------------


def test_a_work_log_counts_each_fact_once_at_the_desk_that_made_it(town: Town) -> None:
    told = lives(town.scribe, [f"n{n}" for n in range(12)], Random(5), 160)
    day = day_of(told, MAP.name)
    facts = [each for each in told if type(each.event) in STORED_NAMES]
    assert sum(steps.total() for steps in day.steps.values()) == len(facts) == sum(day.hours)
    by_kind = Counter(each.actor.kind for each in facts)
    assert day.steps["市民"].total() == by_kind["citizen"]  # type: ignore[index]  # a StrEnum
    assert day.accounts["审核员"] == 1 and set(day.steps) >= {"市民", "审核员"}
    listed = table(work_log_parts(day), "各工作台各类步骤").rows
    assert sum(int(row[2] or 0) for row in listed) == len(facts)
    assert {str(row[0]) for row in listed} & {MAP.name(code) for code in STREETS[:3]}


def test_there_is_a_word_for_every_fact_of_a_case() -> None:
    assert STEPS.keys() == did.STORED_AS.keys()
