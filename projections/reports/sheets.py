"""A document as CSV: every table under its title, one after another. Formula-safe."""

import csv
import io

from projections.reports.document import Cell, Document

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a text begins that a spreadsheet takes for a formula (OWASP, CSV injection)."""


def text_csv(document: Document) -> bytes:
    """UTF-8 with a mark at the front, by which spreadsheets know it; numbers as they are."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n").writerow
    write([document.title, document.period])
    for line in (document.says_as_of, *document.facts):
        write([safe(line)])
    for table in document.tables():
        write([])
        write([safe(table.title)])
        write([safe(column.name) for column in table.columns])
        for row in table.rows:
            write(_row(row))
        if table.note:
            write([safe(table.note)])
    return out.getvalue().encode("utf-8-sig")


def safe(text: str) -> str:
    """The text so that no spreadsheet runs it: with an apostrophe before it where one would."""
    return f"'{text}" if text.startswith(RISKY) else text


def _row(row: tuple[Cell, ...]) -> list[str]:
    found = []
    for cell in row:
        if cell is None:
            found.append("")
        elif isinstance(cell, str):
            found.append(safe(cell))
        else:
            found.append(repr(cell))
    return found
