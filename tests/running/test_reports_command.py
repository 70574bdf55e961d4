"""`casework report` and `casework inspect` as a person or a timer meets them."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from api.__main__ import program
from api.commands.exits import Exit, Refused
from api.documents.kinds import Format, Report, around, in_words, named
from api.documents.schedule import due, file_of, run_child, write_due, write_whole
from api.wiring import now
from casework.clocks import SHANGHAI
from tests.running.conftest import Stage

MONDAY = datetime(2026, 6, 1, 6, 29, tzinfo=SHANGHAI)
"""The first of a month and a Monday: nearly everything is due at once."""

AT = time(6, 30)


class Ended(NamedTuple):
    code: int
    out: str
    said: str


@pytest.fixture
def call(demonstration: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """A command in this very process over the demonstration, which it must not change."""
    monkeypatch.setenv("CASEWORK_VAR", str(demonstration.parts.settings.var.absolute()))
    head = demonstration.parts.casework.eventlog.head()

    def run(*arguments: str) -> Ended:
        done = CliRunner().invoke(program(arguments[0]), list(arguments))
        assert demonstration.parts.casework.eventlog.head() == head
        if isinstance(done.exception, Refused):
            return Ended(done.exception.code, done.stdout, str(done.exception))
        return Ended(done.exit_code, done.stdout, done.stderr)

    return run


def test_a_months_report_goes_to_a_file(call: Callable[..., Ended], tmp_path: Path) -> None:
    done = call("report", "monthly", "2026-10", "-o", str(tmp_path / "m.pdf"))
    assert done.code == Exit.DONE, done
    assert "数据分析月报 2026年10月" in done.out
    pages = PdfReader(tmp_path / "m.pdf").pages
    assert "数据截至 2026-11-01 00:00:00" in pages[0].extract_text()


def test_what_cannot_be_made_is_told_and_leaves_no_file(
    call: Callable[..., Ended], tmp_path: Path
) -> None:
    for arguments, code in (
        (("monthly", "2026-13"), Exit.BAD_INPUT),
        (("monthly", "2099-01"), Exit.BAD_INPUT),
        (("weekly", "2026-W45", "-o", str(tmp_path / "a.docx")), Exit.BAD_INPUT),
        (("weekly", "2026-W45", "--as-of", "gestern"), Exit.BAD_INPUT),
        (("inspection", "2020-01-01"), Exit.BAD_INPUT),
        (("weekly", "2026-W45", "-o", str(tmp_path / "no" / "a.csv")), Exit.NOT_POSSIBLE),
        (("due",), Exit.BAD_INPUT),
    ):
        done = call("report", *arguments)
        assert (done.code, done.out) == (code, ""), (arguments, done)
        assert any("\u4e00" <= sign <= "\u9fff" for sign in done.said)
    assert list(tmp_path.iterdir()) == []


def test_an_inspection_verifies_the_log_and_is_written(
    call: Callable[..., Ended], tmp_path: Path
) -> None:
    done = call("inspect", "-o", str(tmp_path / "i.csv"))
    assert done.code == Exit.DONE, done
    assert "事件日志哈希链\t正常" in done.out and "审计链\t正常\t全部完好" in done.out
    assert "全部完好" in (tmp_path / "i.csv").read_text(encoding="utf-8-sig")


def test_reports_fall_due_when_their_period_is_over_and_the_hour_has_come(tmp_path: Path) -> None:
    before = {(each.report, each.period.name) for each in due(tmp_path, MONDAY, AT)}
    then = {
        (each.report, each.period.name) for each in due(tmp_path, MONDAY.replace(minute=30), AT)
    }
    assert then - before == {
        (Report.WEEKLY, "2026-W22"),
        (Report.MONDAY, "2026-W22"),
        (Report.MONTHLY, "2026-05"),
        (Report.INSPECTION, "2026-06-01"),
        (Report.WORK_LOG, "2026-05-31"),
        (Report.SHIFTS, "2026-05-31"),
    }
    assert (Report.QUARTERLY, "2026-Q1") in before and (Report.MONTHLY, "2026-04") in before
    tuesday = {each.report for each in due(tmp_path, MONDAY + timedelta(days=1), AT)}
    assert Report.INSPECTION not in tuesday


def test_the_folder_is_the_ledger(demonstration: Stage, tmp_path: Path) -> None:
    """What stands there is not made again; one that was taken away is made as it was."""
    folder = tmp_path / "reports"
    at = demonstration.parts.now()
    missing = list(due(folder, at, AT))
    keep = [each for each in missing if each.report is Report.WORK_LOG][:2]
    folder.mkdir()
    for each in missing:
        if each not in keep:
            write_whole(folder / file_of(*each), b"there already")
    assert [each for each, why in write_due(demonstration.parts, folder, AT) if why is None] == keep
    assert list(due(folder, at, AT)) == []
    assert not list(folder.glob(".*")), "nothing half written is left"
    again = folder / file_of(*keep[0])
    first = again.read_bytes()
    assert first.startswith(b"%PDF")
    again.unlink()
    assert [each for each, _ in write_due(demonstration.parts, folder, AT)] == [keep[0]]
    assert again.read_bytes() == first


def test_the_timers_child_writes_what_is_due_for_the_engine_it_is_told(
    demonstration: Stage, tmp_path: Path
) -> None:
    missing = list(due(tmp_path, now(), AT))
    # The newest: should midnight pass before the child looks, the oldest is not caught up.
    wanted = [e for e in missing if e.report is Report.SHIFTS and e.form is Format.PDF][-1]
    for each in missing:
        if each != wanted:
            write_whole(tmp_path / file_of(*each), b"there already")
    settings = demonstration.parts.settings.model_copy(
        update={
            "var": demonstration.parts.settings.var.absolute(),
            "reports_folder": tmp_path,
            "reports_at": AT,
        }
    )
    assert run_child(settings) == Exit.DONE
    assert (tmp_path / file_of(*wanted)).read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("report", "name", "words", "first"),
    [
        (Report.WEEKLY, "2026-W53", "2026年第53周（12月28日—1月3日）", "2026-12-28"),
        (Report.MONTHLY, "2026-02", "2026年2月", "2026-02-01"),
        (Report.QUARTERLY, "2026-Q4", "2026年第4季度", "2026-10-01"),
        (Report.WORK_LOG, "2028-02-29", "2028年2月29日", "2028-02-29"),
    ],
)
def test_periods_by_name(report: Report, name: str, words: str, first: str) -> None:
    period = named(report, name)
    assert (in_words(period), period.first.date().isoformat()) == (words, first)
    assert around(report, period.last - timedelta(microseconds=1)) == period
    assert file_of(report, period, Format.PDF).endswith(f"-{name}.pdf")
