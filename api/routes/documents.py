"""The written reports (A16): `GET /documents/{report}/{period}.{pdf|xlsx|csv}`, and their list."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Response

from api.access import Visitor
from api.accounts.audit import entry_of
from api.documents.kinds import (
    EVERY,
    MEDIA_TYPES,
    NAMES,
    WRITTEN,
    Format,
    NotAPeriod,
    Report,
    around,
    in_words,
    named,
)
from api.documents.making import NotYet, document, last_ended
from api.documents.rendering import NotRendered, rendered
from api.documents.schedule import file_of
from api.geojson import bad, moment_of
from api.parts import Parts
from api.problems import problem_error
from api.routes.dry_runs import computed
from api.schemas import Wire
from api.trying_out import cut_of
from api.visitors import With, guard
from projections.periods import Period
from projections.reports.pdf import CannotSet

router = APIRouter(tags=["报告"])

Name = Annotated[
    str,
    Path(max_length=12, description="时段: 年-月、年-W周、年-Q季或日期，视报告而定。"),
]
Form = Annotated[Format, Path(description="pdf、xlsx 或 csv。")]
AsOfText = Annotated[
    str | None,
    Query(
        max_length=40,
        description="以哪一刻的情况为准：日期、带时区的时间或日志位置；默认时段末，未完时为现在。",
    ),
]
FILES: dict[int | str, dict[str, object]] = {
    200: {
        "description": "报告文件",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in MEDIA_TYPES.values()
        },
    },
    503: {"description": "缺少生成 PDF 的组件，说明中有安装命令；XLSX、CSV 不受影响"},
}


class File(Response):
    """What a report's route answers."""

    media_type = MEDIA_TYPES[Format.PDF]


class ReportOut(Wire):
    """A kind of report, how its periods are written, and the last that is over."""

    report: Report
    name: str
    written: str
    latest: str
    latest_name: str
    path: str
    formats: tuple[Format, ...]


class ReportsOut(Wire):
    reports: tuple[ReportOut, ...]
    folder: str | None
    """Where the timer writes them; null where it does not."""


@router.get("/documents", name="documents.list", summary="有哪些报告")
async def list_documents(
    parts: With, _visitor: Annotated[Visitor, Depends(guard("documents.list"))]
) -> ReportsOut:
    """Every kind of report with the last period that can be had whole."""
    now = parts.now()
    found = []
    for report in Report:
        latest = (
            around(report, now)
            if report is Report.INSPECTION
            else last_ended(lambda at, report=report: around(report, at), now)  # type: ignore[misc]  # bound at once
        )
        found.append(
            ReportOut(
                report=report,
                name=NAMES[report],
                written=WRITTEN[EVERY[report]],
                latest=latest.name,
                latest_name=in_words(latest),
                path=f"/documents/{report}/{latest.name}.pdf",
                formats=tuple(Format),
            )
        )
    folder = parts.settings.reports_folder
    return ReportsOut(reports=tuple(found), folder=str(folder) if folder else None)


def _route(report: Report) -> None:
    """One route a kind of report, so that each has its row in the policy table."""
    operation = f"documents.{report.replace('-', '_')}"

    @router.get(
        f"/documents/{report}/{{period}}.{{form}}",
        name=operation,
        summary=NAMES[report],
        description=f"{NAMES[report]}: made now, from the figures as of the period's end.",
        response_class=File,
        responses=FILES,
    )
    async def read(
        period: Name,
        form: Form,
        parts: With,
        visitor: Annotated[Visitor, Depends(guard(operation))],
        as_of: AsOfText = None,
    ) -> Response:
        return await given_out(parts, visitor, report, period, form, as_of)


async def given_out(
    parts: Parts, visitor: Visitor, report: Report, period: str, form: Format, as_of: str | None
) -> Response:
    """A report as a file to take away; the audit trail has it before it goes out."""
    content = await made(parts, report, period, form, as_of)
    return await sent(parts, visitor, report, period, form, content)


async def sent(
    parts: Parts, visitor: Visitor, report: Report, period: str, form: Format, content: bytes
) -> Response:
    """The file as an answer, with its audit row."""
    await parts.audit.record_durably(
        entry_of(
            visitor.principal,
            f"documents.{report.replace('-', '_')}",
            parts.now(),
            target=f"documents/{report}/{period}.{form}",
            facts={"bytes": len(content)},
        )
    )
    name = f"{NAMES[report]}-{period}.{form}"
    return Response(
        content,
        media_type=MEDIA_TYPES[form],
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
            "Cache-Control": "private, no-store",
        },
    )


for _each in Report:
    _route(_each)


async def made(parts: Parts, report: Report, name: str, form: Format, as_of: str | None) -> bytes:
    """The report's file. Raises ProblemError: 422, 404 for a day's record not kept, 503."""
    now = parts.now()
    try:
        period = named(report, name)
    except NotAPeriod as wrong:
        raise bad("period", str(wrong)) from wrong
    moment = moment_of(as_of, now, coarse=False)

    def work() -> bytes:
        if report is Report.INSPECTION and not period.first <= now < period.last:
            return _kept(parts, report, period, form)
        cut = None if moment is None else cut_of(parts.casework.eventlog, moment, now)
        return rendered(document(parts, report, period, cut), form)

    try:
        return await computed(parts, work)
    except NotYet as early:
        raise bad("period", str(early)) from early
    except CannotSet as cannot:
        raise problem_error(503, "no-typesetter", "不能生成 PDF", str(cannot)) from cannot
    except NotRendered as failed:
        raise problem_error(
            503, "not-rendered", "报告没有生成", "报告没有在限定时间内生成，请稍后重试。"
        ) from failed


def _kept(parts: Parts, report: Report, period: Period, form: Format) -> bytes:
    """The record that was written on its day. Raises ProblemError 404."""
    folder = parts.settings.reports_folder
    if folder is not None:
        try:
            return (folder / file_of(report, period, form)).read_bytes()
        except FileNotFoundError:
            pass
    raise problem_error(
        404,
        "not-there",
        "没有找到",
        f"没有{in_words(period)}的巡检记录。巡检只能看当时的情况，过去的以当天写入目录的为准。",
    )
