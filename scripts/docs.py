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
from casework.model import ActorKind, Certainty, Crs
from projections.case_export import FIELDS
from projections.measure_catalogue import CATALOGUE
from projections.timeline_words import OUTCOMES, PLACES, SOLVED

Value = TypeVar("Value", bound=StrEnum)

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"

_CERTAINTY = {
    Certainty.INSIDE: ("明确", "far enough from every border: may be dispatched without a person"),
    Certainty.NEAR_BORDER: ("临近边界", "closer to a border than map and phone are good for"),
    Certainty.CONTESTED: ("争议地段", "in a place that two 街镇 may hold"),
    Certainty.OUTSIDE_DISTRICT: ("区外", "not in Haidian: refused with the right door"),
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
    ("回访", "visit, return visit", "the back office asks again; it never overwrites a rating"),
    ("申诉", "appeal", "a 街镇 asks to be left out of a statistic; never changes a fact"),
    ("三员", "sysadmin, secadmin, auditor", "three administrators, mutually exclusive"),
    ("指标", "indicator", "what kind of problem: 12 samples in data/indicators"),
    ("立案条件 / 结案标准", "condition row", "what must be there to register, and to close"),
    ("特殊时段", "special period", "declared: handling stands still in it, or has longer"),
    ("暂定", "provisional", "due in a year whose days off are not published yet"),
    ("预警 / 超期 / 升级", "notice", "75 / 100 / 150 and 200 % of a limit used: somebody is told"),
    ("值守时 / 工作日", "duty_hour / working_day", "time that counts only while a desk is manned"),
    ("试算", "dry run", "past handlings judged by rules as they might be; changes nothing"),
    ("数据分析月报", "monthly report", "the measures of a month, as PDF, XLSX or CSV"),
    ("全区周一专页", "Monday page", "last week: new, closed, backlog, the 29, rebounds, overdue"),
    ("用户行为分析季报", "quarterly report", "how people use it: who agreed, never under five"),
    ("巡检记录", "inspection", "whether the engine is in order at the moment it is made"),
    ("工作日志", "work log", "what was done on a day, by desk, from the log"),
    ("处置（一次）", "handling", "a case's stay with one 街镇, from a dispatch to its end"),
    ("按期处置率", "timeliness", "handed over in time and accepted, of what fell due"),
    ("案件轮次", "case-round", "the unit of measures: a case in a round, with each 街镇"),
    ("指标口径", "measure", "a named figure with a pinned formula, a numerator and a denominator"),
    ("口径", "variant", "another way of counting the same measure, told with it"),
    ("封存", "to seal", "a month's figures fixed once; later ones are restatements beside it"),
    ("同比、环比", "change on the year, the period", "beside a year ago, or the period before"),
    ("自报自处", "staff-entered", "sent by staff: apart, and out of 满意率"),
    ("回执", "receipt", "an anonymous reporter's key to their own case"),
    ("类别推荐", "recognition, proposal", "which indicator it may be; a person decides"),
    ("以上都不是", "out of scope", "none of the indicators: a warning with the right door"),
    ("接入方", "partner", "a service with a key and scopes, such as 12345"),
)  # fmt: skip


def pages() -> Iterator[tuple[Path, str]]:
    """Every generated page: where it lies, and what it says."""
    yield from casework_pages()
    yield DOCS / "settings.md", settings_page()
    yield DOCS / "glossary.md", glossary_page()
    yield DOCS / "measures.md", measures_page()
    yield DOCS / "exports.md", exports_page()
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
        ("Kinds of places (`PlaceKind`)", ("中文", "in code"), _named(PLACES)),
        ("Coordinate systems (`Crs`)", ("中文", "in code"), _named(_CRS)),
    )
    return (
        "# Glossary\n\nWritten by `make docs` from the tables of the code. Chinese is what people "
        "see, English is what the code says.\n"
        + "".join(f"\n## {title}\n\n{_table(head, rows)}" for title, head, rows in parts)
    )


def _named(names: Mapping[Value, str]) -> list[tuple[str, ...]]:
    return [(name, f"`{value}`") for value, name in names.items()]


def measures_page() -> str:
    """The catalogue of measures, from `projections/measure_catalogue.py`."""
    rows = [
        (
            f"`{of.name}`",
            of.title,
            of.formula,
            "；".join(f"`{name}` {variant.title}" for name, variant in of.variants.items()) or "–",
            of.unit,
            "–" if of.target is None else f"{of.target:g}",
            "、".join(CATALOGUE[name].title for name in of.beside) or "–",
        )
        for of in CATALOGUE.values()
    ]
    head = ("名称", "中文", "公式", "口径", "单位", "目标（样例）", "须同时显示")
    return (
        "# 指标口径\n\n由 `make docs` 按 `projections/measure_catalogue.py` 生成。单位为案件轮次；"
        "再次派遣的，每个街镇各计一次。每个数按其分母的时间归入时段，以时段末的情况为准；"
        "样本少于 20 的照常显示，不参与排名。决定见 ADR 0110 至 0113。\n\n" + _table(head, rows)
    )


def exports_page() -> str:
    """The columns of the exports and the SQL views of analysts."""
    rows = [
        (
            f"`{each.name}`",
            each.title,
            str(each.kind),
            each.says or "–",
            "是" if each.for_street else "否",
            "`text=true` 时" if each.words else "总是",
        )
        for each in FIELDS
    ]
    head = ("字段", "名称", "类型", "说明", "街镇可得", "何时导出")
    return _EXPORTS + _table(head, rows)


_EXPORTS = """# 导出与只读查询

由 `make docs` 按 `projections/case_export.py` 生成。

`GET /api/v1/exports/cases.csv`、`.xlsx`、`.parquet`、`.geoparquet`：每案一行，按上报先后。

- 分析员、督办员得全区；街镇负责人得本街镇已派遣的案件，且字段较少。
- CSV 分页流式输出；可能被表格软件当作公式的单元格前加一个单引号。XLSX 不写公式和链接。
- CSV 与 XLSX 的时间为北京时间，Parquet 的时间为带时区的时刻。
- GeoParquet 1.1 另有 `geometry`（点，WGS-84）。
- 每次导出记一条审计。

不含个人信息、地址和原文；描述只有脱敏后的第一行，且须明确索取。
示例见 `notebooks/cases.ipynb`。

## SQL 只读视图

每一代读取表都带三个视图：`cases`（同名字段，不含描述）、`case_rounds`（现在的案件轮次，
口径所用的标记各为一列 `is_…`）、`case_rounds_history`（全部区间，`from_pos` ≤ p < `to_pos`）。

- SQLite：只读打开现行的一代：`sqlite3 'file:var/views-<代>.db?mode=ro'`。现行的一代写在
  `var/views-serving`。重建之后换到新的文件。
- PostgreSQL：视图在模式 `views_<代>` 中，给分析账号的授权只给这三个视图。
  重建之后须对新的模式再授权一次。

```sql
GRANT USAGE ON SCHEMA views_<代> TO analyst;
GRANT SELECT ON views_<代>.cases, views_<代>.case_rounds, views_<代>.case_rounds_history
  TO analyst;
```

## 字段

"""


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
