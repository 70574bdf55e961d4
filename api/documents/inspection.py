"""巡检记录: whether the engine is in order now: health, views, work, disk, the chain of the log.

It looks and mends nothing. What was on a past day cannot be looked at again: a record is of the
moment at which it is made.
"""

import shutil
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import func

from api.commands.verification import LogCheck, audit_wrong
from api.parts import Parts
from projections.case_board import CASE_BOARD
from projections.desk_lists import among_open
from projections.reports.document import Cell, Column, Heading, Kind, Part, Table, Words
from projections.supervisor_desk import supervisor_desk
from projections.tables import reading

MOST_VERIFIED = 50_000
"""Events that are verified beside requests, some seconds; `casework inspect` verifies all."""

FREE_SHARE = 0.15
"""Below it a disk is filling up: SQLite and PostgreSQL need room to copy their largest table."""

MOST_LISTED = 20_000
"""Entries of a folder that are looked at beside requests: half a second."""

LAG = 1_000
"""Positions that a view may be behind: a second of a very busy engine."""

GOOD, LOOK, BAD = "正常", "注意", "异常"

Row = tuple[Cell, ...]


def inspection_parts(parts: Parts, now: datetime, *, whole: bool = False) -> tuple[Part, ...]:
    """The record without its head. `whole` verifies the log however long it is."""
    health = tuple(_health(parts, now))
    views = tuple(_views(parts))
    disk = tuple(_disk(parts.settings.var, None if whole else MOST_LISTED))
    chain = tuple(_chain(parts, whole=whole))
    found = [row for table in (health, views, disk, chain) for row in table if row[1] != GOOD]
    bad = sum(row[1] == BAD for row in found)
    verdict = "各项正常。" if not found else f"异常 {bad} 项，需注意 {len(found) - bad} 项。"
    return (
        Heading("一、结论"),
        Words(verdict),
        Heading("二、运行"),
        _table("运行状态", ("项目", "结果", "说明"), health),
        Table(
            title="视图",
            columns=(
                Column("视图", share=1.4),
                Column("结果", share=0.7),
                Column("已读到", Kind.COUNT),
                Column("落后", Kind.COUNT),
                Column("搁置的流", Kind.COUNT),
            ),
            rows=views,
        ),
        Table(
            title="待办",
            columns=(Column("项目", share=3), Column("件数", Kind.COUNT)),
            rows=tuple(_work(parts, now)),
        ),
        Heading("三、存储"),
        _table("磁盘", ("位置", "结果", "说明"), disk),
        Words("备份：本版本没有备份命令，未检查备份；请在部署的备份系统中核对最近一次全备份。"),
        Heading("四、核验"),
        _table("日志与审计", ("项目", "结果", "说明"), chain),
    )


def _table(title: str, names: tuple[str, ...], rows: tuple[Row, ...]) -> Table:
    shares = (1.4, 0.6, 3.0)
    columns = tuple(Column(n, share=s) for n, s in zip(names, shares, strict=True))
    return Table(title=title, columns=columns, rows=rows)


def _health(parts: Parts, now: datetime) -> Iterator[Row]:
    for name, fine, wrong in (
        ("事件日志", parts.casework.eventlog.ready, "不能写入"),
        ("个人密钥", parts.keys.alive, "不能写入"),
        ("审计记录", parts.audit.is_healthy(), "不能写入"),
        ("街镇边界", parts.boundaries.usable(now), "不能读取"),
        ("系统时钟", not parts.timekeeper.is_held, "跳变，到期处理已暂停，等待确认"),
    ):
        yield (name, GOOD if fine else BAD, "可用" if fine else wrong)
    behind = parts.timekeeper.behind(now)
    late = behind > 60
    yield (
        "到期处理",
        LOOK if late else GOOD,
        f"最早一项已到期 {behind:.0f} 秒未处理" if behind else "没有滞后",
    )


def _views(parts: Parts) -> Iterator[Row]:
    readers = parts.feed.readers
    head = parts.casework.eventlog.head()
    positions = readers.positions()
    held: dict[str, int] = {}
    for each in readers.held():
        held[each.reader] = held.get(each.reader, 0) + 1
    for name in sorted(readers.views):
        at = positions.get(name)
        behind = None if at is None else max(0, head - at)
        result = GOOD
        if at is None or held.get(name):
            result = BAD
        elif behind is not None and behind > LAG:
            result = LOOK
        yield (name, result, at, behind, held.get(name, 0))


_WORK = {
    "overdue": "超期的案件",
    "overdue_street": "其中在街镇",
    "overdue_review": "其中在审核",
    "notes": "未答复的督办",
    "decisions": "等待督办员决定的申请",
    "to_designate": "待指定派遣",
    "suspensions_ending": "一天内到期的挂账",
}


def _work(parts: Parts, now: datetime) -> Iterator[Row]:
    with reading(parts.feed.readers.engine) as connection:
        total = connection.scalar(among_open(func.count(CASE_BOARD.c.seq)))
        counts = supervisor_desk(connection, now, limit=1).counts
    yield ("在办案件", int(total or 0))
    for key, name in _WORK.items():
        yield (name, counts[key])


def _disk(var: Path, most: int | None) -> Iterator[Row]:
    usage = shutil.disk_usage(var)
    share = usage.free / usage.total
    yield (
        "数据目录所在磁盘",
        GOOD if share >= FREE_SHARE else LOOK,
        f"剩余 {_size(usage.free)}，占 {share:.0%}；共 {_size(usage.total)}",
    )
    for path in sorted(var.iterdir()):
        if path.suffix == ".key" or path.name.startswith("."):
            continue
        if path.is_file():
            yield (path.name, GOOD, _size(_bytes(path)))
            continue
        entries = list(islice(path.rglob("*"), most))
        files = [each for each in entries if each.is_file()]
        says = f"{len(files)} 个文件，{_size(sum(map(_bytes, files)))}"
        more = "（只数到这里，全部请运行 casework inspect）" if len(entries) == most else ""
        yield (path.name, GOOD, says + more)


def _bytes(path: Path) -> int:
    """Its size; 0 where it has gone since it was listed."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _size(n: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if n < 1024:
            return f"{n:.0f} {unit}" if unit == "B" else f"{n:.1f} {unit}"
        n /= 1024
    return f"{n:.1f} TB"


def _chain(parts: Parts, *, whole: bool) -> Iterator[Row]:
    head = parts.casework.eventlog.head()
    if head <= MOST_VERIFIED or whole:
        check = LogCheck(parts)
        wrong = list(check.run(lambda _read: None))
        read = f"{check.events} 个事件、{check.streams} 条流、{check.files} 次文件引用"
        yield (
            "事件日志哈希链",
            BAD if wrong else GOOD,
            f"{read}：" + (f"发现 {len(wrong)} 处问题" if wrong else "全部完好"),
        )
        for each in wrong[:50]:
            yield (each.invariant, BAD, f"{each.where}：{each.what}")
    else:
        yield (
            "事件日志哈希链",
            LOOK,
            f"共 {head:,} 个位置，未在线核验；请运行 casework inspect 全部核验",
        )
    broken = list(audit_wrong(parts))
    yield (
        "审计链",
        BAD if broken else GOOD,
        "；".join(f"{each.where}{each.what}" for each in broken) or "全部完好",
    )
