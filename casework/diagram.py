"""Writes docs/lifecycle.md and docs/events.md from the table and the events. Knows no rule itself.

`python -m casework.diagram` writes both; tests hold the pages to the code.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import NamedTuple, get_args, get_type_hints

import msgspec

from casework import (
    catalogue,
    events,
    evidence,
    monthly_issue,
    place_code,
    proposals,
    reference,
    roster,
    sealed_months,
    shifts,
    special_periods,
)
from casework.indicators import FAMILIES
from casework.lifecycle import (
    LABELS,
    OPEN,
    ROLE_NAMES,
    RULES,
    STATUS_AFTER,
    TABLE,
    Relation,
    Row,
    Status,
)
from casework.model import Sealed

DOCS = Path(__file__).parents[1] / "docs"

HEAD = "<!-- 由 python -m casework.diagram 生成，请勿手工修改。 -->\n"


class Stream(NamedTuple):
    """A kind of stream, and the stored names of the facts in it."""

    name: str
    title: str
    stored_as: Mapping[str, type[msgspec.Struct]]


def _others(*kinds: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct]]:
    return {name: kind for name, kind in events.OTHER_STORED_AS.items() if kind in kinds}


STREAMS: tuple[Stream, ...] = (
    Stream("case/{id}", "案件", events.STORED_AS),
    Stream("evidence/{upload id}", "照片与录音的查验", evidence.STORED_AS),
    Stream("turned-away/{yyyy-mm}", "区外上报计数", _others(events.ReportTurnedAway)),
    Stream("person/{id}", "个人信息删除", _others(events.PersonErased)),
    Stream("number/{number}", "案件编号占用", _others(events.NumberTaken)),
    Stream("reference/{platform}/{number}", "外部工单号占用", _others(events.ReferenceTaken)),
    Stream("notices/{case}", "到期提醒", _others(events.DeadlineReached)),
    Stream("catalogue", "指标目录", catalogue.STORED_AS),
    Stream("calendar, boundaries", "日历与边界", reference.STORED_AS),
    Stream("special-periods", "特殊时段", special_periods.STORED_AS),
    Stream("change/{n}", "基础数据变更申请", proposals.STORED_AS),
    Stream("place-code/{id}", "位置二维码", place_code.STORED_AS),
    Stream("place-codes", "位置二维码目录", place_code.LIST_STORED_AS),
    Stream("duty-roster", "值班表", roster.STORED_AS),
    Stream("shift/{desk}", "交接班", shifts.STORED_AS),
    Stream("sealed-month/{yyyy-mm}", "封存的月度数据", sealed_months.STORED_AS),
    Stream("issue/{yyyy-mm}", "月度典型案例", monthly_issue.STORED_AS),
    Stream("consent/{case}", "公开授权", _others(events.PublicationConsentWithdrawn)),
)

_RELATIONS: dict[Relation, str] = {
    Relation.ANYONE: "",
    Relation.REPORTER: "（限反映人）",
    Relation.NOT_REPORTER: "（限非反映人）",
    Relation.OWN_STREET: "（街镇限本街镇案件）",
    Relation.OTHER_STREET: "（限其他街镇）",
}


# docs/lifecycle.md -----------------------------------------------------------------------


def lifecycle_page() -> str:
    """The statuses, the diagram and the table, in Markdown."""
    return "\n".join(
        [
            HEAD,
            "# 案件的一生\n",
            "由 `casework/lifecycle.py` 的一张表生成：状态、流转图、每个操作由谁在何时办理。\n",
            "## 状态\n",
            *_statuses(),
            "\n## 流转图\n",
            "```mermaid",
            *_mermaid(),
            "```",
            "\n不改变状态的操作不在图中，见下表。\n",
            "## 操作\n",
            *_actions(),
            "",
        ]
    )


def _statuses() -> Iterator[str]:
    yield from _table_head("状态", "工作人员看到", "市民看到", "在办")
    for status in Status:
        if status is not Status.NEW:
            label = LABELS[status]
            yield _line(f"`{status}`", label.staff, label.citizen, "是" if status in OPEN else "")


def _mermaid() -> Iterator[str]:
    yield "stateDiagram-v2"
    for status in Status:
        if status is not Status.NEW:
            yield f"    {status}: {LABELS[status].staff}"
    arrows: dict[tuple[Status, Status], list[str]] = {}
    for (source, _), found in RULES.items():
        for end in found.to - {source}:
            arrows.setdefault((source, end), []).append(found.row.name)
    order = list(Status)
    for source, end in sorted(
        arrows, key=lambda ends: (order.index(ends[0]), order.index(ends[1]))
    ):
        start = "[*]" if source is Status.NEW else source
        yield f"    {start} --> {end}: {'、'.join(dict.fromkeys(arrows[source, end]))}"
    for status in Status:
        if status is not Status.NEW and status not in OPEN:
            yield f"    {status} --> [*]"


def _in_order(arrow: tuple[Status, Status]) -> tuple[int, int]:
    order = list(Status)
    return order.index(arrow[0]), order.index(arrow[1])


def _actions() -> Iterator[str]:
    yield from _table_head("操作", "名称", "从", "到", "由谁", "须有", "原因代码")
    for row in TABLE:
        yield _line(
            f"`{row.action}`",
            row.name,
            _from(row),
            "、".join("不变" if end is None else LABELS[end].staff for end in row.to),
            "、".join(ROLE_NAMES[role] for role in row.by) + _RELATIONS[row.relation],
            row.needs,
            f"{row.family}（{FAMILIES[row.family]}）" if row.family else "",
        )


def _from(row: Row) -> str:
    everywhere = frozenset(Status) - {Status.NEW}
    if row.sources == everywhere:
        return "任何状态"
    if row.sources == OPEN:
        return "在办各状态"
    return "、".join(LABELS[status].staff for status in Status if status in row.sources)


# docs/events.md --------------------------------------------------------------------------


def events_page() -> str:
    """Every stored name with its fields, what is sealed in it, and where it leads, in Markdown."""
    return "\n".join([HEAD, *_events_intro(), *(_stream(stream) for stream in STREAMS), ""])


def _events_intro() -> Iterator[str]:
    yield "# 存储的事实\n"
    yield (
        "每条事实以固定名称存储，名称和字段只增不改；"
        "`tests/golden/events.json` 保存存过的每一种形式。"
        "每条事实另有时间、操作人、命令编号和校验值。"
        "带 `?` 的字段可以不存（取默认值）。"
        "「加密」一栏是按人加密的内容，销毁密钥后不可读。\n"
    )


_AFTER: dict[type[msgspec.Struct], Status] = dict(STATUS_AFTER.items())


def _stream(stream: Stream) -> str:
    lines = [f"## {stream.title} `{stream.name}`\n"]
    lines += _table_head("存储名称", "字段", "加密", "之后的状态")
    for name, kind in stream.stored_as.items():
        after = _AFTER.get(kind)
        lines.append(
            _line(
                f"`{name}`",
                "、".join(_fields(kind)),
                "、".join(f"`{path}`" for path in sealed_paths(kind)),
                LABELS[after].staff if after else "",
            )
        )
    return "\n".join([*lines, ""])


def _fields(kind: type[msgspec.Struct]) -> Iterator[str]:
    for field in msgspec.structs.fields(kind):
        yield f"`{field.encode_name}{'' if field.required else '?'}`"


def sealed_paths(kind: type[msgspec.Struct]) -> Iterator[str]:
    """The fields of an event that lie under a person's key, those of its parts with a dot."""
    for name, hint in get_type_hints(kind).items():
        for part in _parts(hint):
            if part is Sealed:
                yield name
            elif issubclass(part, msgspec.Struct):
                yield from (f"{name}.{path}" for path in sealed_paths(part))


def _parts(hint: object) -> Iterator[type]:
    """The classes of a type hint, unions and containers opened."""
    inner = get_args(hint)
    if inner:
        for each in inner:
            yield from _parts(each)
    elif isinstance(hint, type) and hint is not NoneType:
        yield hint


# Markdown --------------------------------------------------------------------------------


def _table_head(*titles: str) -> list[str]:
    return [_line(*titles), _line(*("---" for _ in titles))]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def pages(folder: Path = DOCS) -> Iterable[tuple[Path, str]]:
    """The generated pages: where each lies, and what it says."""
    yield folder / "lifecycle.md", lifecycle_page()
    yield folder / "events.md", events_page()


def write(folder: Path = DOCS) -> None:
    """Write the pages anew."""
    for path, text in pages(folder):
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
