"""Exports as files: CSV in pages, XLSX, Parquet and GeoParquet. Knows columns, no case.

Cells are formula-safe: what a spreadsheet would run is written as text. Times in CSV and XLSX are
those of Haidian; in Parquet they are instants.
"""

import csv
import io
import json
import struct
from collections.abc import Iterator, Sequence
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from casework.clocks import SHANGHAI
from projections.case_export import Cell, Exported, Field, Kind
from projections.reports.sheets import safe

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 1 << 18
XLSX_ROWS = 1_048_575
"""Rows that a sheet holds under its heading."""

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "geoparquet": "application/vnd.apache.parquet",
}


def _written(cell: Cell) -> str | int | float:
    match cell:
        case None:
            return ""
        case bool():
            return "是" if cell else "否"
        case datetime():
            return f"{cell.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
        case str():
            return safe(cell)
        case _:
            return cell


def csv_head(fields: Sequence[Field]) -> bytes:
    """The byte order mark that spreadsheets want, and the names of the columns."""
    return b"\xef\xbb\xbf" + _line([[each.name for each in fields]])


def csv_rows(fields: Sequence[Field], rows: Sequence[Exported]) -> bytes:
    """Some rows as lines."""
    return _line([[_written(each.read(row)) for each in fields] for row in rows])


def _line(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def xlsx(fields: Sequence[Field], pages: Iterator[Sequence[Exported]]) -> IO[bytes]:
    """A workbook with the rows, a sheet that explains the columns, and no formula."""
    import xlsxwriter  # noqa: PLC0415  only who asks for a workbook pays for it

    file = TemporaryFile()  # noqa: SIM115  handed on, and closed by who sends it
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet("案件")
        sheet.freeze_panes(1, 0)
        for column, each in enumerate(fields):
            sheet.write_string(0, column, each.title, bold)
        n = 0
        for rows in pages:
            for row in rows:
                n += 1
                for column, each in enumerate(fields):
                    cell = _written(each.read(row))
                    if isinstance(cell, str):
                        sheet.write_string(n, column, cell)
                    else:
                        sheet.write_number(n, column, cell)
        about = book.add_worksheet("字段说明")
        for line, told in enumerate([("字段", "名称", "说明"), *_told(fields)]):
            for column, text in enumerate(told):
                about.write_string(line, column, text)
    file.seek(0)
    return file


def _told(fields: Sequence[Field]) -> list[tuple[str, str, str]]:
    return [(each.title, each.name, each.says) for each in fields]


def parquet(
    fields: Sequence[Field], pages: Iterator[Sequence[Exported]], *, geometry: bool
) -> IO[bytes]:
    """A Parquet file, a row group a page; with `geometry` a GeoParquet 1.1 of points (WGS-84)."""
    import pyarrow as pa  # noqa: PLC0415  thirty megabytes: only who asks pays
    from pyarrow import parquet as files  # noqa: PLC0415  as above

    schema = _schema(fields, geometry=geometry)
    file = TemporaryFile()  # noqa: SIM115  handed on, and closed by who sends it
    with files.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in pages:
            columns: list[list[Cell | bytes]] = [
                [each.read(row) for row in rows] for each in fields
            ]
            if geometry:
                columns.append([_point(row.case.lon, row.case.lat) for row in rows])
            arrays = [
                pa.array(values, type=column.type)
                for values, column in zip(columns, schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    file.seek(0)
    return file


def _schema(fields: Sequence[Field], *, geometry: bool) -> "pa.Schema":
    import pyarrow as pa  # noqa: PLC0415  as below: only who asks pays

    kinds = {
        Kind.TEXT: pa.string(),
        Kind.WHOLE: pa.int64(),
        Kind.NUMBER: pa.float64(),
        Kind.TRUTH: pa.bool_(),
        Kind.TIME: pa.timestamp("us", tz="UTC"),
    }
    columns = [
        pa.field(each.name, kinds[each.kind], metadata={"title": each.title, "says": each.says})
        for each in fields
    ]
    if not geometry:
        return pa.schema(columns)
    geo = {
        "version": "1.1.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["Point"]}},
    }
    return pa.schema(
        [*columns, pa.field("geometry", pa.binary())], metadata={"geo": json.dumps(geo)}
    )


def _point(lon: float, lat: float) -> bytes:
    """A point as little-endian WKB (OGC 06-103r4)."""
    return struct.pack("<BIdd", 1, 1, lon, lat)


def chunks_of(file: IO[bytes]) -> Iterator[bytes]:
    """The file in pieces; closed at the end."""
    with file:
        while piece := file.read(CHUNK):
            yield piece
