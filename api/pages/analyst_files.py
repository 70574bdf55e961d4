"""Files and sealed months: cases to take along, the written reports, 封存 in two steps.

Each file comes from the API's own function, with its audit row. Long work is told by a script of
the page; without one the browser waits as for any file.
"""

from datetime import date
from typing import Annotated, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from api.documents.kinds import EVERY, NAMES, Format, NotAPeriod, Report, around, in_words, named
from api.geojson import bad
from api.measure_schemas import MONTH, SealedMonthOut, SealIn
from api.pages.analyst import asked_of, choices, desk
from api.pages.analyst_asked import HOME
from api.pages.frame import Frame, framed
from api.pages.posted import Posted, day_of
from api.pages.refusing import lines_of
from api.pages.visitors import wants_page
from api.parts import Parts
from api.problems import FieldError, ProblemError, of_refusal
from api.routes.documents import made, sent
from api.routes.exports import OF_DISTRICT, export_cases, list_fields
from api.routes.exports import Format as ExportFormat
from api.routes.measures import seal, sealed_month
from api.sealed_months import Sealed
from casework.clocks import SHANGHAI
from casework.errors import Refusal
from casework.sealed_months import GRACE
from projections.measures import first_report
from projections.periods import Every, Period, month_named, period_of
from projections.tables import reading

router = APIRouter(include_in_schema=False)

MONTHS = 12
"""Months told, this one included."""

FORMATS = {
    ExportFormat.CSV: "CSV（表格软件可打开，边算边下载）",
    ExportFormat.XLSX: "XLSX（Excel，最多 1,048,575 行）",
    ExportFormat.PARQUET: "Parquet（数据分析工具）",
    ExportFormat.GEOPARQUET: "GeoParquet（带点位，GIS 可打开）",
}


# 导出案件 ----------------------------------------------------------------------------------


@router.get("/desk/analyst/export", name="pages.analyst_export")
async def export_page(
    frame: Annotated[Frame, Depends(framed("pages.analyst_export"))],
) -> Response:
    """The form: which cases, which columns, which kind of file."""
    return await _export(frame)


async def _export(frame: Frame, refused: ProblemError | None = None) -> Response:
    told = await list_fields(frame.visitor)
    actor = frame.visitor.principal.actor()
    district = actor.holds(*OF_DISTRICT)
    asked = frame.request.query_params
    wrongs = () if refused is None else refused.problem.errors or (
        FieldError("", refused.problem.detail),
    )  # fmt: skip
    return desk(
        frame,
        "analyst_export.html",
        {
            "fields": [
                each for each in told.fields if (district or each.for_street) and not each.words
            ],
            "district": district,
            "formats": [(str(form), says) for form, says in FORMATS.items()],
            "choices": choices(frame),
            "asked": asked,
            "picked": set(asked.getlist("field")),
            "wrongs": wrongs,
        },
        200 if refused is None else refused.problem.status,
    )


@router.get("/desk/analyst/export/file", name="pages.analyst_export")
async def exported(
    frame: Annotated[Frame, Depends(framed("pages.analyst_export"))],
) -> Response:
    """The file, or the form with what is wrong."""
    asked = frame.request.query_params
    try:
        form = _of(ExportFormat, asked.get("form", "csv"), "form")
        picked, words = asked.getlist("field"), asked.get("text", "") == "yes"
        if picked and words:
            picked.append("text")
        return await export_cases(
            form,
            frame.parts,
            frame.visitor,
            _day(asked.get("from", ""), "from"),
            _day(asked.get("to", ""), "to"),
            asked.get("street", "").strip() or None,
            asked.get("indicator", "").strip() or None,
            text=words,
            field=picked or None,
        )
    except ProblemError as refused:
        if not wants_page(frame.request):
            raise
        return await _export(frame, refused)


def _day(text: str, field: str) -> date | None:
    found = day_of(text.strip()) if text.strip() else None
    if text.strip() and found is None:
        raise bad(field, "应为日期，如 2026-05-01。")
    return found


Choice = TypeVar("Choice", ExportFormat, Report, Format)


def _of(kind: type[Choice], text: str, field: str) -> Choice:
    try:
        return kind(text)
    except ValueError:
        raise bad(field, "请从列表中选择。") from None


# 报告 --------------------------------------------------------------------------------------


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of report that this visitor may have, and the last period that is over."""

    report: str
    name: str
    every: str
    latest: str
    latest_name: str
    day: str
    kept: bool
    """Only the day itself can be made now; earlier ones are read from the folder."""


class MonthRow(msgspec.Struct, frozen=True, kw_only=True):
    """A month, and whether it is sealed."""

    month: str
    name: str
    over: bool
    sealed: Sealed | None


_EVERY = {Every.DAY: "每日", Every.WEEK: "每周", Every.MONTH: "每月", Every.QUARTER: "每季"}


def _kinds(frame: Frame) -> list[Kind]:
    now = frame.parts.now()
    found = []
    for report in Report:
        if not frame.may(f"documents.{report.replace('-', '_')}"):
            continue
        here = around(report, now)
        latest = here if report is Report.INSPECTION else here.before()
        found.append(
            Kind(
                report=report,
                name=NAMES[report],
                every=_EVERY[EVERY[report]],
                latest=latest.name,
                latest_name=in_words(latest),
                day=f"{latest.first:%Y-%m-%d}",
                kept=report is Report.INSPECTION,
            )
        )
    return found


def _months(parts: Parts) -> list[MonthRow]:
    now = parts.now()
    period = period_of(Every.MONTH, now.astimezone(SHANGHAI).date())
    with reading(parts.feed.readers.engine) as connection:
        began = first_report(connection)
    found: list[MonthRow] = []
    for _ in range(MONTHS):
        if found and (began is None or period.last <= began):
            break
        found.append(
            MonthRow(
                month=period.name,
                name=in_words(period),
                over=period.last <= now,
                sealed=parts.sealed_months.of(period.name),
            )
        )
        period = period.before()
    return found


@router.get("/desk/analyst/documents", name="pages.analyst_documents")
async def documents_page(
    frame: Annotated[Frame, Depends(framed("pages.analyst_documents"))],
) -> Response:
    """Which reports there are, each with its last period; which months are sealed."""
    return await _documents(frame)


async def _documents(frame: Frame, refused: ProblemError | None = None) -> Response:
    parts, asked = frame.parts, frame.request.query_params
    months = await asked_of(parts, lambda: _months(parts)) if frame.may("measures.sealed") else []
    folder = parts.settings.reports_folder
    wrongs = () if refused is None else refused.problem.errors or (
        FieldError("", refused.problem.detail),
    )  # fmt: skip
    return desk(
        frame,
        "analyst_documents.html",
        {
            "kinds": _kinds(frame),
            "formats": [str(form) for form in Format],
            "months": months,
            "written": folder is not None,
            "asked": asked,
            "now": parts.now(),
            "grace": GRACE,
            "wrongs": wrongs,
        },
        200 if refused is None else refused.problem.status,
    )


@router.get("/desk/analyst/documents/file", name="pages.analyst_documents")
async def document_file(
    frame: Annotated[Frame, Depends(framed("pages.analyst_documents"))],
) -> Response:
    """A report of the period in which a day lies, or the list with what is wrong."""
    asked = frame.request.query_params
    try:
        report = _of(Report, asked.get("report", ""), "report")
        form = _of(Format, asked.get("form", "pdf"), "form")
        frame.permit(f"documents.{report.replace('-', '_')}")
        period = _period(report, frame)
        as_of = asked.get("as_of", "").strip()[:40] or None
        content = await made(frame.parts, report, period.name, form, as_of)
        return await sent(frame.parts, frame.visitor, report, period.name, form, content)
    except ProblemError as refused:
        if not wants_page(frame.request) or refused.problem.status in {401, 403}:
            raise
        return await _documents(frame, refused)


def _period(report: Report, frame: Frame) -> Period:
    asked = frame.request.query_params
    if name := asked.get("period", ""):
        try:
            return named(report, name[:12])
        except NotAPeriod as wrong:
            raise bad("on", str(wrong)) from wrong
    on = _day(asked.get("on", ""), "on")
    if on is None:
        raise bad("on", "请选择时段中的任意一天。")
    if not 2000 <= on.year <= 2100:
        raise bad("on", "日期应在2000年至2100年之间。")
    return period_of(EVERY[report], on)


# 封存 --------------------------------------------------------------------------------------

Month = Annotated[str, Path(pattern=MONTH, description="月份，如 2026-05。")]


@router.get("/desk/analyst/sealed/{month}", name="pages.analyst_sealed")
async def sealed_page(
    month: Month,
    frame: Annotated[Frame, Depends(framed("pages.analyst_sealed"))],
) -> Response:
    """A sealed month with its restatements; of one that is not sealed, what sealing would do."""
    return await _sealed(frame, month)


async def _sealed(
    frame: Frame, month: str, status: int = 200, wrongs: tuple[FieldError, ...] = ()
) -> Response:
    parts = frame.parts
    period = month_named(month)
    there = await asked_of(parts, lambda: parts.sealed_months.of(month))
    told: SealedMonthOut | None = None
    if there is not None:
        told = await sealed_month(month, parts, frame.visitor)
    return desk(
        frame,
        "analyst_sealed.html",
        {
            "month": month,
            "name": in_words(period),
            "over": period.last <= parts.now(),
            "last": period.last,
            "clock_at": period.last + GRACE,
            "told": told,
            "totals": [] if told is None else [each for each in told.figures if not each.by],
            "held": sorted({each.reader for each in parts.feed.held()}),
            "may_seal": frame.may("measures.seal"),
            "wrongs": wrongs,
        },
        status,
    )


@router.post("/desk/analyst/sealed/{month}", name="pages.analyst_seal")
async def seal_month(
    month: Month,
    frame: Annotated[Frame, Depends(framed("pages.analyst_seal"))],
) -> Response:
    """The second step: sealed for good, once the month's name was typed."""
    form = await frame.posted()
    frame.permit("measures.seal")
    wrong = _not_confirmed(form, month)
    if wrong is not None:
        return await _sealed(frame, month, 422, (wrong,))
    try:
        await seal(SealIn(month=month), frame.request, frame.parts, frame.visitor, form.key)
    except Refusal as refusal:
        problem, _ = of_refusal(refusal)
        return await _sealed(frame, month, problem.status, lines_of(problem))
    return frame.go(f"{HOME}/sealed/{month}", f"已封存：{month}的数据，今后的更正另列。")


def _not_confirmed(form: Posted, month: str) -> FieldError | None:
    if form.one("seen") != "yes":
        return FieldError("seen", "请先核对，再勾选确认。")
    if form.one("typed") != month:
        return FieldError("typed", f"请输入 {month} 以确认。")
    return None
