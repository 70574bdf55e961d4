"""`casework recognise`: a table of texts in, proposals out. Knows no case and no server."""

import csv
import io
import sys
from collections.abc import Iterable, Iterator

import typer

from api.commands.exits import Exit, Refused
from recognition.material import gathered, shipped_kinds
from recognition.model import Asked
from recognition.recogniser import recognise as recognised
from recognition.text_model import TextModel, train

COLUMNS = (
    "读入的列：text，可有 place_kind（如 road、compound）；其余各列原样写出。"
    "另加的列：first,second,third,score,out_of_scope。前三列是指标代码，最可能的在前；"
    "score 是第一项的把握（0 到 1）；out_of_scope 为 1 表示可能不在现行指标内，否则为 0。"
    "没有文字的行各列为空，out_of_scope 为 0。"
)

ADDED = ("first", "second", "third", "score", "out_of_scope")


def add_to(app: typer.Typer, name: str, line: str) -> None:
    """Put the command into the program."""
    app.command(name, help=f"{line}。\n\n{COLUMNS}")(recognise)


def recognise() -> None:
    """Read the table of standard input to its end; what was right before a bad row is written."""
    table = csv.writer(sys.stdout, lineterminator="\n")
    try:
        lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")
        for row in recognised_table(lines):
            table.writerow(row)
    except (BadTableError, UnicodeDecodeError, csv.Error) as bad:
        raise Refused(f"无法识别：{bad}", Exit.BAD_INPUT) from bad


class BadTableError(ValueError):
    """A table that cannot be read; says why, in Chinese."""


def recognised_table(lines: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The head and the rows, each with what was recognised by the shipped examples alone.

    Raises BadTableError without a column `text`, or for one that is named like what is added.
    """
    table = csv.DictReader(lines)
    names = tuple(table.fieldnames or ())
    if "text" not in names:
        raise BadTableError("表头缺少列：text。")
    if taken := [name for name in names if name in ADDED]:
        raise BadTableError(f"表中已有列：{'、'.join(taken)}，请先改名。")
    yield (*names, *ADDED)
    kinds = shipped_kinds()
    material = gathered(kinds)
    model = TextModel(train(material))
    doors = {door.name: door for door in material.doors}
    for row in table:
        if None in row:
            raise BadTableError(f"第 {table.line_num} 行的列比表头多。")
        asked = Asked(text=row["text"] or "", place_kind=row.get("place_kind") or None)
        answer = recognised(asked, [model], kinds, doors=doors)
        codes = [each.indicator for each in answer.proposals] or ["", "", ""]
        score = f"{answer.proposals[0].confidence:.4f}" if answer.proposals else ""
        out = str(int(answer.out_of_scope.flagged))
        yield (*(row[name] or "" for name in names), *codes, score, out)
