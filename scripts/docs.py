"""Writes the pages of docs/ that say what the code says: settings, glossary, index of decisions.

`python -m scripts.docs`, from the root. A test holds each page to what this would write.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from pydantic_core import PydanticUndefined

from api.settings import Settings
from casework.clock_words import CLOCK_NAMES, UNIT_NAMES
from casework.diagram import pages as casework_pages
from casework.lifecycle import LABELS, NAME_OF, ROLE_NAMES, TABLE, Status
from casework.model import ActorKind, Certainty, Crs, PlaceKind
from projections.timeline_words import OUTCOMES, SOLVED

Value = TypeVar("Value", bound=StrEnum)

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"

_CERTAINTY = {
    Certainty.INSIDE: ("明确", "far enough from every border: may be dispatched without a person"),
    Certainty.NEAR_BORDER: ("临近边界", "closer to a border than map and phone are good for"),
    Certainty.CONTESTED: ("争议地段", "in a place that two 街镇 may hold"),
    Certainty.OUTSIDE_DISTRICT: ("区外", "not in Haidian: refused with the right door"),
}
_PLACES = {
    PlaceKind.COMPOUND: "小区公共区域",
    PlaceKind.MAIN_ROAD: "重点道路",
    PlaceKind.ROAD: "一般道路",
    PlaceKind.METRO_EXIT: "地铁出入口",
    PlaceKind.GREEN: "绿地公园",
    PlaceKind.WATER: "水面岸线",
    PlaceKind.CAMPUS: "校园",
    PlaceKind.MARKET: "市场商圈",
    PlaceKind.SQUARE: "广场",
    PlaceKind.OTHER: "其他",
    PlaceKind.INDOOR: "楼道内、室内（不受理）",
}
_ACTORS = {
    ActorKind.CITIZEN: "市民",
    ActorKind.STAFF: "工作人员",
    ActorKind.PARTNER: "接入方",
    ActorKind.CLOCK: "时钟",
    ActorKind.DISPATCHER: "派遣引擎",
}
_CRS = {
    Crs.WGS84: "GPS，引擎内部一律用它",
    Crs.GCJ02: "国测局坐标（高德、腾讯、微信）",
    Crs.BD09: "百度坐标",
    Crs.CGCS2000: "国家大地坐标系，与 WGS-84 相差不到一米",
}
_TERMS = (
    ("随手拍", "the service", "residents photograph a problem in public space and report it"),
    ("线索 / 案件", "report / case", "线索 until 立案, 案件 after it"),
    ("街镇", "street", "one of the 29 街道 and 镇 of the district"),
    ("属地", "territory, assignment", "which 街镇 a place belongs to"),
    ("立案", "register", "taken on as a case; freezes catalogue and calendar version"),
    ("派遣", "dispatch", "given to a 街镇, with a limit and a due time"),
    ("退回", "return", "the 街镇 sends it back; the clock runs on"),
    ("挂账", "suspension", "waits until an agreed day, the handling clock paused"),
    ("延期", "extension", "more time, asked for before due"),
    ("返工", "rework", "the hand-over was not accepted"),
    ("结案 / 归档", "close / complete", "verified with a reply / rated or the window is over"),
    ("复核 / 重办", "recheck / reopen", "after a rating that says unsolved"),
    ("督办", "note, supervisor", "an instruction that must be answered"),
    ("工作台", "desk", "of the reviewers, of the supervisors, of a 街镇: `reviewer`, `street-…`"),
    ("值班表", "duty roster", "who is on duty at which desk, from when to when"),
    ("交接班", "shift, hand-over", "one signs what is left on the desk, another takes it over"),
    ("月度典型案例", "typical cases, issue", "shown to everybody each month; its own stream"),
    ("推荐 / 处理 / 批准", "nominate / redact / approve", "of an entry; by different accounts"),
    ("发布 / 撤回", "publish / withdraw", "after a last look / with a W-code, and it shows"),
    ("回访", "visit", "a call to the reporter; never overwrites a rating"),
    ("申诉", "appeal", "a 街镇 asks to be left out of a statistic; never changes a fact"),
    ("三员", "sysadmin, secadmin, auditor", "three administrators, mutually exclusive"),
    ("指标", "indicator", "what kind of problem: 12 samples in data/indicators"),
    ("立案条件 / 结案标准", "condition row", "what must be there to register, and to close"),
    ("特殊时段", "special period", "declared: handling stands still in it, or has longer"),
    ("暂定", "provisional", "due in a year whose days off are not published yet"),
    ("预警 / 超期 / 升级", "notice", "75 / 100 / 150 and 200 % of a limit used: somebody is told"),
    ("值守时 / 工作日", "duty_hour / working_day", "time that counts only while a desk is manned"),
    ("试算", "dry run", "past handlings judged by rules as they might be; changes nothing"),
    ("处置（一次）", "handling", "a case's stay with one 街镇, from a dispatch to its end"),
    ("按期处置率", "timeliness", "handed over in time and accepted, of what fell due"),
    ("回执", "receipt", "an anonymous reporter's key to their own case"),
    ("接入方", "partner", "a service with a key and scopes, such as 12345"),
)  # fmt: skip


def pages() -> Iterator[tuple[Path, str]]:
    """Every generated page: where it lies, and what it says."""
    yield from casework_pages()
    yield DOCS / "settings.md", settings_page()
    yield DOCS / "glossary.md", glossary_page()
    yield DOCS / "adr" / "README.md", decisions_page()


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *rows)]
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """Every setting with its default, from the descriptions in `api/settings.py`."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.default
        if default is PydanticUndefined or default in ("", (), None):
            shown = "–"
        elif isinstance(default, Path) and default.is_absolute():
            shown = f"`{default.relative_to(ROOT)}/`"
        else:
            shown = f"`{default}`"
        rows.append((f"`CASEWORK_{name.upper()}`", shown, field.description or ""))
    return (
        "# 设置\n\n"
        "由 `make docs` 根据 `api/settings.py` 生成。每一项都是一个环境变量，启动时读一次。"
        "时限、日历、指标是数据，不是设置；没有任何默认口令或密钥。\n\n"
        + _table(("变量", "默认值", "说明"), rows)
    )


def glossary_page() -> str:
    """The field's own terms and their names in code."""
    actions = {row.action: row.needs for row in TABLE}
    parts = (
        ("Terms", ("中文", "in code", "meaning"), _TERMS),
        ("Roles (`Role`)", ("中文", "in code"), _named(ROLE_NAMES)),
        ("Kinds of actors (`ActorKind`)", ("中文", "in code"), _named(_ACTORS)),
        (
            "Statuses (`Status`)",
            ("工作人员看到", "市民看到", "in code"),
            [(LABELS[s].staff, LABELS[s].citizen, f"`{s}`") for s in Status],
        ),
        (
            "Actions (`Action`)",
            ("中文", "in code", "要点"),
            [(name, f"`{action}`", actions[action]) for action, name in NAME_OF.items()],
        ),
        ("Clocks (`Clock`)", ("中文", "in code"), _named(CLOCK_NAMES)),
        ("Units of limits (`Unit`)", ("中文", "in code"), _named(UNIT_NAMES)),
        (
            "Certainty of the territory (`Certainty`)",
            ("中文", "in code", "meaning"),
            [(name, f"`{c}`", means) for c, (name, means) in _CERTAINTY.items()],
        ),
        ("Outcomes of handling (`Outcome`)", ("中文", "in code"), _named(OUTCOMES)),
        ("Solved (`Solved`)", ("中文", "in code"), _named(SOLVED)),
        ("Kinds of places (`PlaceKind`)", ("中文", "in code"), _named(_PLACES)),
        ("Coordinate systems (`Crs`)", ("中文", "in code"), _named(_CRS)),
    )
    return (
        "# Glossary\n\nWritten by `make docs` from the tables of the code. Chinese is what people "
        "see, English is what the code says.\n"
        + "".join(f"\n## {title}\n\n{_table(head, rows)}" for title, head, rows in parts)
    )


def _named(names: Mapping[Value, str]) -> list[tuple[str, ...]]:
    return [(name, f"`{value}`") for value, name in names.items()]


def decisions_page() -> str:
    """The index of docs/adr."""
    rows = []
    for path in sorted((DOCS / "adr").glob("[0-9]*.md")):
        lines = path.read_text(encoding="utf-8").splitlines()
        number, _, title = lines[0].removeprefix("# ").partition(" · ")
        status = next((line for line in lines if line.startswith("Status:")), "Status: accepted")
        rows.append((f"[{number}]({path.name})", title, status.removeprefix("Status:").strip()))
    return (
        "# Decisions\n\nWritten by `make docs`. One page a decision: what was chosen, why, and "
        "what was not. A decision that no longer holds stays, and says what replaced it.\n\n"
        + _table(("", "decision", "status"), rows)
    )


def main() -> None:
    """Write every page."""
    for path, text in pages():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
