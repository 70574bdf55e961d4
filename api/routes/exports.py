"""Exports of cases: CSV in a stream, XLSX, Parquet and GeoParquet; and what the columns mean.

Each is an audit row. A 街镇 gets its own cases and fewer columns; masked words come only where
they are asked for, and only for those who may read them.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import IO, Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response, StreamingResponse

from api.access import Visitor
from api.accounts.audit import entry_of
from api.export_files import (
    MEDIA_TYPES,
    XLSX_ROWS,
    chunks_of,
    csv_head,
    csv_rows,
    parquet,
    xlsx,
)
from api.geojson import bad
from api.hygiene import Day, StreetText
from api.measuring import key_name
from api.office_schemas import IndicatorCode
from api.parts import Parts
from api.routes.cases import look
from api.routes.dry_runs import computed
from api.schemas import Wire
from api.visitors import With, guard
from casework.clocks import SHANGHAI
from casework.errors import NotPermitted
from casework.lifecycle import ROLE_NAMES
from casework.model import Role
from projections.case_export import (
    FIELDS,
    Exported,
    Field,
    Kind,
    Names,
    Wanted,
    count,
    fields_for,
    page,
)
from projections.measures import By
from projections.tables import reading

router = APIRouter(tags=["统计"])

CONTENT_TYPES = tuple(dict.fromkeys(MEDIA_TYPES.values()))
"""What an export may be, as it is described and sent."""

OF_DISTRICT = (Role.ANALYST, Role.SUPERVISOR)


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"
    GEOPARQUET = "geoparquet"


class FieldOut(Wire):
    """A column; `for_street`: a 街镇 gets it too; `words`: only where `text` is asked for."""

    name: str
    title: str
    kind: Kind
    says: str
    for_street: bool
    words: bool


class FieldsOut(Wire):
    fields: tuple[FieldOut, ...]


@router.get("/exports/fields", name="exports.fields", summary="导出的字段说明")
async def list_fields(
    _visitor: Annotated[Visitor, Depends(guard("exports.fields"))],
) -> FieldsOut:
    """Every column, in the order in which it is exported."""
    return FieldsOut(fields=tuple(FieldOut.model_validate(each) for each in FIELDS))


@router.get(
    "/exports/cases.{form}",
    name="exports.cases",
    summary="导出案件",
    response_class=Response,
    responses={200: {"description": "文件", "content": {kind: {} for kind in CONTENT_TYPES}}},
)
async def export_cases(  # noqa: PLR0913  a query parameter each
    form: Annotated[Format, Path(description="csv、xlsx、parquet 或 geoparquet。")],
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("exports.cases"))],
    first: Annotated[Day | None, Query(alias="from", description="上报日期自（含）。")] = None,
    last: Annotated[Day | None, Query(alias="to", description="上报日期至（含）。")] = None,
    street: Annotated[StreetText | None, Query(description="只看一个街镇。")] = None,
    indicator: Annotated[IndicatorCode | None, Query(description="只看一个指标。")] = None,
    *,
    text: Annotated[bool, Query(description="是否带已脱敏的描述（街镇不带）。")] = False,
    field: Annotated[
        list[Annotated[str, Query(max_length=40)]] | None,
        Query(max_length=60, description="只要这些字段，见 /exports/fields；默认全部。"),
    ] = None,
) -> Response:
    """The cases as they stand now, in the order of submission."""
    actor = visitor.principal.actor()
    of_district = actor.holds(*OF_DISTRICT)
    if not of_district:
        if text:
            raise NotPermitted("导出描述", tuple(ROLE_NAMES[role] for role in OF_DISTRICT))
        if street not in {None, actor.street}:
            raise NotPermitted("导出其他街镇的案件", tuple(ROLE_NAMES[r] for r in OF_DISTRICT))
        street = actor.street
    if first and last and first > last:
        raise bad("to", "结束日期不能早于开始日期。")
    wanted = Wanted(
        first=_midnight("from", first),
        last=_midnight("to", last, 1),
        street=street,
        indicator=indicator,
        dispatched=not of_district,
    )
    fields = _chosen(fields_for(street=not of_district, words=text), field)
    rows = await look(parts, lambda c: count(c, wanted))
    if form is Format.XLSX and rows > XLSX_ROWS:
        raise bad("form", f"XLSX 最多{XLSX_ROWS:,}行，请缩短时间，或改用 CSV、Parquet。")
    await parts.audit.record_durably(
        entry_of(
            visitor.principal,
            "exports.cases",
            parts.now(),
            facts={"form": str(form), "rows": str(rows), "text": str(text).lower()},
        )
    )
    headers = {"Content-Disposition": f'attachment; filename="cases.{form}"'}
    if form is Format.CSV:
        body = _streamed(parts, fields, wanted)
        return StreamingResponse(body, media_type=MEDIA_TYPES[form], headers=headers)
    made = await computed(parts, lambda: _made(parts, form, fields, wanted))
    return StreamingResponse(chunks_of(made), media_type=MEDIA_TYPES[form], headers=headers)


def _chosen(fields: Sequence[Field], names: Sequence[str] | None) -> Sequence[Field]:
    """Those of these names, in the order of the export. Raises ProblemError for another."""
    if not names:
        return fields
    unknown = [name for name in names if name not in {field.name for field in fields}]
    if unknown:
        raise bad("field", f"没有或不能导出这些字段：{'、'.join(unknown)}。")
    return [field for field in fields if field.name in names]


def _midnight(field: str, on: date | None, more: int = 0) -> datetime | None:
    """The first moment of the day in Shanghai, `more` days on."""
    if on is None:
        return None
    if not 2000 <= on.year <= 2100:
        raise bad(field, "日期应在2000年至2100年之间。")
    there = on + timedelta(days=more)
    return datetime(there.year, there.month, there.day, tzinfo=SHANGHAI)


def _names(parts: Parts) -> Names:
    return Names(
        cache(lambda code: key_name(parts, By.STREET, code)),
        cache(lambda code: key_name(parts, By.INDICATOR, code)),
    )


def _pages(parts: Parts, wanted: Wanted) -> Iterator[Sequence[Exported]]:
    names, after = _names(parts), 0
    while True:
        with reading(parts.feed.readers.engine) as connection:
            rows = page(connection, wanted, after, names)
        if not rows:
            return
        yield rows
        after = rows[-1].case.seq


async def _streamed(parts: Parts, fields: Sequence[Field], wanted: Wanted) -> AsyncIterator[bytes]:
    yield csv_head(fields)
    pages, loop = _pages(parts, wanted), asyncio.get_running_loop()

    def piece() -> bytes:
        rows = next(pages, None)
        return b"" if rows is None else csv_rows(fields, rows)

    while told := await loop.run_in_executor(parts.work, piece):
        yield told


def _made(parts: Parts, form: Format, fields: Sequence[Field], wanted: Wanted) -> IO[bytes]:
    pages = _pages(parts, wanted)
    if form is Format.XLSX:
        return xlsx(fields, pages)
    return parquet(fields, pages, geometry=form is Format.GEOPARQUET)
