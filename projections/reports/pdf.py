"""A document as PDF (tagged, PDF/UA-1), set by Typst with the fonts that come with the program.

Needs the packages `typst` and `pylopdf-fonts-zh-cn`, and nothing of the system: no fonts, no pango.
They are imported when a document is set, in a process of its own (see api.documents.rendering).
"""

import importlib
from datetime import UTC
from pathlib import Path

import msgspec

from projections.reports.document import (
    Document,
    Drawing,
    Draws,
    Heading,
    Kind,
    Outline,
    Part,
    Table,
    Words,
    shown,
)

LAYOUT = Path(__file__).with_name("report.typ")

CLASSES = 5
"""Colours of a map: as many as can be told apart beside each other in print."""

TICKS = 4

INSTALL = "python -m pip install typst pylopdf-fonts-zh-cn"
"""What brings the packages where they are missing."""


class CannotSet(Exception):  # noqa: N818  names the finding
    """A package is missing; the words say which, and the command that installs it."""

    def __init__(self, missing: str) -> None:
        super().__init__(
            f"缺少组件 {missing}，不能生成 PDF；请运行 {INSTALL}。XLSX 和 CSV 不受影响。"
        )
        self.missing = missing


def pdf(document: Document) -> bytes:
    """Set the document. The same document gives the same bytes. Raises CannotSet."""
    return _set(document, "pdf")


def picture(document: Document, table: Table) -> bytes:
    """One drawing alone as PNG, 144 dots an inch, for a sheet. Raises CannotSet."""
    return _set(msgspec.structs.replace(document, parts=(table,)), "png")


def _set(document: Document, form: str) -> bytes:
    try:
        typst = importlib.import_module("typst")
        fonts = importlib.import_module("pylopdf_fonts_zh_cn")
    except ImportError as missing:
        raise CannotSet(missing.name or "typst") from missing
    found: object = typst.compile(
        LAYOUT.read_bytes(),
        format=form,
        font_paths=[str(fonts.sans_path().parent)],
        ignore_system_fonts=True,
        sys_inputs={
            "document": msgspec.json.encode(_told(document)).decode(),
            "alone": "yes" if form == "png" else "no",
        },
        timestamp=document.as_of.astimezone(UTC).replace(microsecond=0),
        **({"pdf_standards": "ua-1"} if form == "pdf" else {}),
    )
    if isinstance(found, list):
        found = found[0]
    assert isinstance(found, bytes)
    return found


# The document as the layout reads it ------------------------------------------------------


def _told(document: Document) -> dict[str, object]:
    return {
        "title": document.title,
        "period": document.period,
        "as_of": document.says_as_of,
        "footer": f"{document.title} {document.period} · {document.says_as_of}",
        "facts": document.facts,
        "outline": document.outline,
        "parts": [_part(part, document.outline) for part in document.parts],
    }


def _part(part: Part, outline: Outline | None) -> dict[str, object]:
    match part:
        case Heading(text=text):
            return {"type": "heading", "text": text}
        case Words(text=text):
            return {"type": "words", "text": text}
        case Table():
            kinds = [column.kind for column in part.columns]
            drawing = part.drawing
            if drawing is not None and drawing.how is Draws.MAP and outline is None:
                drawing = None
            return {
                "type": "table",
                "title": part.title,
                "columns": part.columns,
                "rows": [
                    [shown(cell, kind) for cell, kind in zip(row, kinds, strict=True)]
                    for row in part.rows
                ],
                "note": part.note,
                "empty": part.empty,
                "drawing": _drawing(drawing, part) if drawing and part.rows else None,
            }


def _drawing(drawing: Drawing, table: Table) -> dict[str, object]:
    columns = [table.columns[n] for n in drawing.values]
    values = [[_number(row[n]) for n in drawing.values] for row in table.rows]
    known = [value for row in values for value in row if value is not None]
    kind = columns[0].kind
    most = max(known, default=0.0)
    top = most if drawing.how is Draws.BARS else _top(most, kind)
    first = sorted(row[0] for row in values if row[0] is not None)
    edges = class_edges(first)
    return {
        "how": drawing.how,
        "title": drawing.title,
        "values": drawing.values,
        "names": [column.name for column in columns],
        "top": top,
        "ticks": [shown(_whole(top * n / TICKS, kind), kind) for n in range(TICKS + 1)],
        "edges": edges,
        "classes": class_words(first, edges, kind),
        "points": [
            {
                "label": str(row[drawing.label]),
                "mark": str(row[0]),
                "code": drawing.codes[n] if drawing.codes else "",
                "values": values[n],
                "shown": [
                    shown(row[at], column.kind)
                    for at, column in zip(drawing.values, columns, strict=True)
                ],
            }
            for n, row in enumerate(table.rows)
        ],
    }


def _number(cell: object) -> float | None:
    return float(cell) if isinstance(cell, int | float) else None


def _whole(value: float, kind: Kind) -> float | int:
    return round(value) if kind is Kind.COUNT else value


def _top(most: float, kind: Kind) -> float:
    """The end of the scale: a round number not below the most; a rate ends at all."""
    if kind is Kind.RATE:
        return 100.0
    size = 1.0
    while True:
        for factor in (1, 2, 5):
            if size * factor * TICKS >= most:
                return size * factor * TICKS
        size *= 10


def class_edges(values: list[float]) -> list[float]:
    """The upper ends of all classes but the last: fifths of the sorted values, each once."""
    if not values:
        return []
    fifths = [values[min(len(values) - 1, len(values) * n // CLASSES)] for n in range(1, CLASSES)]
    return [edge for edge in dict.fromkeys(fifths) if edge < values[-1]]


def class_words(values: list[float], edges: list[float], kind: Kind) -> list[str]:
    """The span of each class as it was found: from its smallest to its greatest value."""
    found, low = [], float("-inf")
    for high in (*edges, float("inf")):
        within = [value for value in values if low < value <= high]
        low = high
        if within:
            ends = dict.fromkeys(shown(_whole(end, kind), kind) for end in (within[0], within[-1]))
            found.append(" – ".join(ends))
    return found
