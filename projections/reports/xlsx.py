"""A document as a workbook: a sheet of words first, then one a table, with native charts.

Numbers are numbers, words never formulas: what begins with `=` stays what somebody wrote. The
library is imported when a book is written.
"""

import importlib
import io
import re
from typing import Any

from projections.reports.document import (
    Cell,
    Document,
    Drawing,
    Draws,
    Heading,
    Kind,
    Table,
    Words,
)
from projections.reports.pdf import CannotSet, picture

FORMATS = {
    Kind.COUNT: "#,##0",
    Kind.CHANGE: "+#,##0;-#,##0;0",
    Kind.RATE: "0.00%",
    Kind.POINTS: "+0.00;-0.00;0.00",
    Kind.NUMBER: "#,##0.0",
    Kind.SCORE: "0.00",
}
FIRST_SHEET = "说明"
WIDEST = 60
_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")


def xlsx(document: Document) -> bytes:
    """The workbook. The same document gives the same bytes; without Typst the map is left out."""
    library: Any = importlib.import_module("xlsxwriter")
    out = io.BytesIO()
    book = library.Workbook(
        out,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    book.set_properties(
        {"title": f"{document.title} {document.period}", "comments": document.says_as_of,
         "created": document.as_of.replace(tzinfo=None)}
    )  # fmt: skip
    styles = {kind: book.add_format({"num_format": form}) for kind, form in FORMATS.items()}
    styles[Kind.WORDS] = book.add_format({"text_wrap": True, "valign": "top"})
    first = book.add_worksheet(FIRST_SHEET)
    names = sheet_names(document.tables())
    _words(first, document, names, book.add_format({"bold": True, "font_size": 16}), styles)
    for name, table in zip(names, document.tables(), strict=True):
        _sheet(book, book.add_worksheet(name), document, table, styles)
    book.close()
    return out.getvalue()


def sheet_names(tables: tuple[Table, ...]) -> list[str]:
    """A name for each sheet: numbered, at most 31 characters, none of those that are forbidden."""
    return [
        f"{n} {_FORBIDDEN.sub('', table.title)}"[:31].rstrip() for n, table in enumerate(tables, 1)
    ]


def _words(sheet: Any, document: Document, names: list[str], title: Any, styles: Any) -> None:  # noqa: ANN401  a library without types
    sheet.set_column(0, 0, 100)
    lines: list[tuple[str, Any]] = [(document.title, title), (document.period, None),
                                    (document.says_as_of, None)]  # fmt: skip
    lines += [(fact, styles[Kind.WORDS]) for fact in document.facts]
    rest = iter(names)
    for part in document.parts:
        match part:
            case Heading(text=text):
                lines += [("", None), (text, title)]
            case Words(text=text):
                lines.append((text, styles[Kind.WORDS]))
            case Table():
                lines.append((f"见工作表「{next(rest)}」", None))
    for row, (text, style) in enumerate(lines):
        sheet.write_string(row, 0, text, style)


def _sheet(book: Any, sheet: Any, document: Document, table: Table, styles: Any) -> None:  # noqa: ANN401  a library without types
    """Title in the first row, header in the third, so that a reader's table begins there."""
    top, last = 2, 2 + max(1, len(table.rows))
    sheet.write_string(0, 0, f"{table.title} · {document.period} · {document.says_as_of}")
    for n, column in enumerate(table.columns):
        texts = [column.name, *(str(row[n]) for row in table.rows)]
        width = min(
            WIDEST, max(9, 2 + max(sum(2 if ord(c) > 255 else 1 for c in t) for t in texts))
        )
        sheet.set_column(
            n, n, width if column.kind is Kind.WORDS else max(11, 2 * len(column.name) + 3)
        )
    sheet.add_table(
        top, 0, last, len(table.columns) - 1,
        {"columns": [{"header": name} for name in _distinct(table)],
         "style": "Table Style Light 9", "autofilter": bool(table.rows)},
    )  # fmt: skip
    for y, row in enumerate(table.rows, top + 1):
        for x, cell in enumerate(row):
            _write(sheet, y, x, cell, table.columns[x].kind, styles)
    if not table.rows:
        sheet.write_string(top + 1, 0, table.empty)
    if table.note:
        sheet.write_string(last + 2, 0, table.note)
    sheet.freeze_panes(top + 1, 0)
    if table.drawing is not None and table.rows:
        _draw(book, sheet, document, table, table.drawing)


def _distinct(table: Table) -> list[str]:
    """The names of the columns; a second of the same name gets a number, as a table demands."""
    seen: dict[str, int] = {}
    names = []
    for column in table.columns:
        seen[column.name] = seen.get(column.name, 0) + 1
        names.append(
            column.name if seen[column.name] == 1 else f"{column.name} {seen[column.name]}"
        )
    return names


def _write(sheet: Any, y: int, x: int, cell: Cell, kind: Kind, styles: Any) -> None:  # noqa: ANN401  a library without types
    if cell is None:
        sheet.write_blank(y, x, None, styles[kind])
    elif isinstance(cell, str):
        sheet.write_string(y, x, cell, styles[Kind.WORDS])
    else:
        value = round(cell / 100, 6) if kind is Kind.RATE else cell
        sheet.write_number(y, x, value, styles[kind])


def _draw(book: Any, sheet: Any, document: Document, table: Table, drawing: Drawing) -> None:  # noqa: ANN401  a library without types
    beside = len(table.columns) + 1
    says = f"{drawing.title}。数据见左侧表格。"
    if drawing.how is Draws.MAP:
        if document.outline is None:
            return
        try:
            image = picture(document, table)
        except CannotSet:
            sheet.write_string(2, beside, "缺少地图组件，未附地图；数据见左侧表格。")
            return
        sheet.insert_image(
            2, beside, "map.png",
            {"image_data": io.BytesIO(image), "description": says, "x_scale": 0.8, "y_scale": 0.8},
        )  # fmt: skip
        return
    bars = drawing.how is Draws.BARS
    chart = book.add_chart({"type": "bar" if bars else "line"})
    last = 2 + len(table.rows)
    for n in drawing.values:
        chart.add_series(
            {
                "name": [sheet.get_name(), 2, n],
                "categories": [sheet.get_name(), 3, drawing.label, last, drawing.label],
                "values": [sheet.get_name(), 3, n, last, n],
            }
        )
    chart.set_title({"name": drawing.title, "name_font": {"size": 12}})
    if bars:
        chart.set_y_axis({"reverse": True})
    if len(drawing.values) == 1:
        chart.set_legend({"none": True})
    chart.set_size({"width": 640, "height": max(300, 22 * len(table.rows) if bars else 300)})
    sheet.insert_chart(2, beside, chart, {"description": says})
