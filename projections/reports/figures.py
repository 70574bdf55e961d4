"""Tables of measures that the reports share. Nothing is reckoned here: figures are set in rows."""

from collections.abc import Iterable
from datetime import timedelta

from projections.case_map import AtPosition, AtTime
from projections.hotspots import Question, hotspots
from projections.measure_catalogue import CATALOGUE, measured
from projections.measures import By, Figure, cases, measure
from projections.periods import Every, periods
from projections.reports.document import (
    CHANNELS,
    Cell,
    Column,
    Drawing,
    Draws,
    Heading,
    Kind,
    Part,
    Table,
    clock,
)
from projections.reports.source import Beside, Source
from projections.reports.spots import rebounding

Asked = tuple[str, str]
"""A measure and a variant of it."""

AMOUNTS: tuple[Asked, ...] = (
    ("reports", ""), ("reports", "staff_entered"), ("closings", ""), ("refusals", ""),
    ("backlog", ""), ("backlog", "overdue"), ("backlog", "over_7_days"),
    ("backlog", "over_30_days"), ("due_soon", ""), ("suspended", ""),
)  # fmt: skip
RATES: tuple[Asked, ...] = (
    ("accepted", ""), ("registered", ""), ("review_in_time", ""), ("dispatch_in_time", ""),
    ("acknowledge_in_time", ""), ("response", ""), ("dispatch_accuracy", ""), ("handled", ""),
    ("handled_in_time", ""), ("handled_in_time", "exempted"), ("handled_in_time", "plain"),
    ("verification_in_time", ""), ("closed", ""), ("closed_in_time", ""), ("first_time", ""),
    ("rework", ""), ("extension", ""), ("suspension", ""), ("returned", ""), ("reopened", ""),
    ("rebound", ""), ("solved", ""), ("satisfied", ""), ("rated", ""), ("not_found", ""),
    ("transferred", ""), ("force_closed", ""), ("false_rectified", ""), ("appeals_upheld", ""),
    ("visits_agree", ""),
)  # fmt: skip
DURATIONS: tuple[Asked, ...] = (
    ("handling_time", ""), ("handling_time", "limit_time"), ("step_time", ""),
    ("step_time", "dispatch"), ("step_time", "acknowledge"), ("step_time", "verification"),
)  # fmt: skip

CHANGES = "环比、同比为与上一时段、上年同期之差，比率为百分点；没有可比数据的以「—」表示。"
SMALL = "n 少于 20 的只列出，不排名。自报自处的不计入满意率、参评率。"


def title_of(name: str, variant: str = "") -> str:
    """What a measure is called, with its variant."""
    title = measured(name).title
    return f"{title}（{measured(name).variants[variant].title}）" if variant else title


def amounts(source: Source, asked: Iterable[Asked] = AMOUNTS) -> Table:
    """Counts and stocks with their changes."""
    rows = []
    for name, variant in asked:
        found = source.total(name, variant)
        rows.append((title_of(name, variant), int(found.figure.numerator), *_changes(found)))
    return Table(
        title="数量",
        columns=(
            Column("项目", share=2), Column("件数", Kind.COUNT),
            Column("环比", Kind.CHANGE), Column("同比", Kind.CHANGE),
        ),
        rows=tuple(rows),
        note=CHANGES + "积压、到期、挂账为时段末的存量。",
    )  # fmt: skip


def _changes(found: Beside) -> tuple[Cell, Cell]:
    return _int(found.before), _int(found.year_before)


def _int(value: float | None) -> int | None:
    return None if value is None else int(value)


def rates(source: Source, asked: Iterable[Asked] = RATES) -> Table:
    """Rates with numerator, denominator, interval, target and changes."""
    rows: list[tuple[Cell, ...]] = []
    for name, variant in asked:
        found = source.total(name, variant)
        one = found.figure
        rows.append(
            (title_of(name, variant), one.value, int(one.numerator), one.denominator, _span(one),
             measured(name).target, found.before, found.year_before)
        )  # fmt: skip
    return Table(
        title="比率",
        columns=(
            Column("指标", share=2.6), Column("数值", Kind.RATE, 1.1), Column("分子", Kind.COUNT),
            Column("分母 n", Kind.COUNT), Column("95% 区间", share=1.5),
            Column("目标", Kind.RATE), Column("环比", Kind.POINTS), Column("同比", Kind.POINTS),
        ),
        rows=tuple(rows),
        note=CHANGES,
    )  # fmt: skip


def _span(figure: Figure) -> str | None:
    return None if figure.interval is None else f"{figure.interval[0]:.2f}–{figure.interval[1]:.2f}"


def durations(source: Source) -> Table:
    """Median and P90, and the mean of the efficiency rating beside its sample."""
    rows: list[tuple[Cell, ...]] = []
    for name, variant in DURATIONS:
        one = source.total(name, variant).figure
        rows.append((title_of(name, variant), one.value, one.p90, one.n))
    return Table(
        title="时长",
        columns=(
            Column("环节", share=2.4), Column("中位数（分钟）", Kind.NUMBER),
            Column("P90（分钟）", Kind.NUMBER), Column("n", Kind.COUNT),
        ),
        rows=tuple(rows),
    )  # fmt: skip


def efficiency(source: Source) -> Table:
    found = source.total("efficiency")
    return Table(
        title="效率评分",
        columns=(
            Column("指标", share=2), Column("均分（1—5）", Kind.SCORE),
            Column("评价份数", Kind.COUNT),
        ),
        rows=((title_of("efficiency"), found.figure.value, found.figure.n),),
        note="处置效率的主观评分，与上表的客观时长并列，互不替代。",
    )  # fmt: skip


def days(source: Source) -> Table:
    """Reports and closings, a row a day of the period, as of the same cut."""
    first, last = source.period.first.date(), source.period.last.date() - timedelta(days=1)
    every = [p for p in periods(Every.DAY, first, last) if p.first <= source.cut.at]
    came, went = (
        {f.period: f.numerator for f in measure(
            source.connection, name, every, now=source.now, as_of=source.cut)}
        for name in ("reports", "closings")
    )  # fmt: skip
    return Table(
        title="每日上报与结案",
        columns=(Column("日期"), Column("上报", Kind.COUNT), Column("结案", Kind.COUNT)),
        rows=tuple((p.name[5:], came.get(p.name), went.get(p.name)) for p in every),
        drawing=Drawing(how=Draws.LINES, title="每日上报与结案（件）", label=0, values=(1, 2)),
    )


def streets(source: Source) -> Table:
    """The 29 ranked by 按期处置率 with n, and its map. Too small samples come last, unranked."""
    asked = {name: source.figures(name, By.STREET) for name in (
        "handled_in_time", "handled", "closed", "satisfied", "rated", "reports")}  # fmt: skip
    earlier = source.of(source.period.before(), "handled_in_time", By.STREET)
    before = {f.key: f.value for f in earlier}
    in_time = asked["handled_in_time"]
    order = sorted(source.streets, key=lambda code: _place(in_time.get(code), code))
    rows = []
    for n, code in enumerate(order, 1):
        one = in_time.get(code)
        satisfied = asked["satisfied"].get(code)
        rows.append(
            (n, source.names.street(code), one.rank if one else None, _value(in_time, code),
             one.n if one else 0, _apart(_value(in_time, code), before.get(code)),
             _value(asked["handled"], code), _value(asked["closed"], code),
             _value(asked["satisfied"], code), satisfied.n if satisfied else 0,
             _value(asked["rated"], code), _count(asked["reports"], code))
        )  # fmt: skip
    return Table(
        title="各街镇按期处置率",
        columns=(
            Column("序号", Kind.COUNT, 0.7), Column("街镇", share=1.9),
            Column("名次", Kind.COUNT, 0.7), Column("按期处置率", Kind.RATE, 1.4),
            Column("应处置 n", Kind.COUNT, 1.2), Column("环比", Kind.POINTS),
            Column("处置率", Kind.RATE, 1.1), Column("结案率", Kind.RATE, 1.1),
            Column("满意率", Kind.RATE, 1.1), Column("评价 n", Kind.COUNT, 1.0),
            Column("参评率", Kind.RATE, 1.1), Column("上报", Kind.COUNT),
        ),
        rows=tuple(rows),
        drawing=Drawing(
            how=Draws.MAP, title="各街镇按期处置率", label=1, values=(3,), codes=tuple(order)
        ),
        note=SMALL + "上报多不代表工作差，不参与排名。",
    )  # fmt: skip


def beside_streets(source: Source) -> Table:
    """What has to be seen beside a rate in time, by 街镇; a map of the reports."""
    names = ("not_found", "transferred", "force_closed", "false_rectified", "rework", "reopened",
             "rebound", "returned")  # fmt: skip
    asked = {name: source.figures(name, By.STREET) for name in ("reports", "closings", *names)}
    rows = [
        (n, source.names.street(code), _count(asked["reports"], code),
         _count(asked["closings"], code), *(_value(asked[name], code) for name in names))
        for n, code in enumerate(source.streets, 1)
    ]  # fmt: skip
    return Table(
        title="各街镇上报与办理质量",
        columns=(
            Column("序号", Kind.COUNT, 0.7), Column("街镇", share=1.9),
            Column("上报", Kind.COUNT), Column("结案", Kind.COUNT),
            *(Column(measured(name).title, Kind.RATE, 1.2) for name in names),
        ),
        rows=tuple(rows),
        drawing=Drawing(
            how=Draws.MAP, title="各街镇上报量（件）", label=1, values=(2,), codes=source.streets
        ),
    )  # fmt: skip


def _place(figure: Figure | None, code: str) -> tuple[int, float, str]:
    if figure is None or figure.value is None:
        return 10**6, 0.0, code
    return figure.rank or 10**5, -figure.value, code


def _value(figures: dict[str, Figure], key: str) -> float | None:
    return figures[key].value if key in figures else None


def _count(figures: dict[str, Figure], key: str) -> int:
    return int(figures[key].numerator) if key in figures else 0


def _apart(value: float | None, before: float | None) -> float | None:
    return None if value is None or before is None else round(value - before, 2)


def indicators(source: Source) -> Table:
    """By indicator, most reported first; drawn as bars."""
    asked = {name: source.figures(name, By.INDICATOR) for name in (
        "reports", "handled_in_time", "closed", "satisfied", "rebound")}  # fmt: skip
    order = sorted(asked["reports"].values(), key=lambda f: (-f.numerator, f.key))
    rows = []
    for one in order:
        in_time, satisfied = asked["handled_in_time"].get(one.key), asked["satisfied"].get(one.key)
        rows.append(
            (source.names.indicator(one.key) if one.key else "（未定）", int(one.numerator),
             _value(asked["handled_in_time"], one.key), in_time.n if in_time else 0,
             _value(asked["closed"], one.key), _value(asked["satisfied"], one.key),
             satisfied.n if satisfied else 0, _value(asked["rebound"], one.key))
        )  # fmt: skip
    return Table(
        title="各指标",
        columns=(
            Column("指标", share=2.4), Column("上报", Kind.COUNT),
            Column("按期处置率", Kind.RATE, 1.2), Column("应处置 n", Kind.COUNT, 1.1),
            Column("结案率", Kind.RATE), Column("满意率", Kind.RATE),
            Column("评价 n", Kind.COUNT), Column("反弹率", Kind.RATE),
        ),
        rows=tuple(rows),
        drawing=Drawing(how=Draws.BARS, title="各指标上报量（件）", label=0, values=(1,)),
    )  # fmt: skip


def channels(source: Source) -> Table:
    found = sorted(
        source.figures("reports", By.CHANNEL).values(), key=lambda f: (-f.numerator, f.key)
    )
    return Table(
        title="上报渠道",
        columns=(Column("渠道", share=2), Column("上报", Kind.COUNT)),
        rows=tuple((CHANNELS.get(one.key, one.key), int(one.numerator)) for one in found),
        drawing=Drawing(how=Draws.BARS, title="各渠道上报量（件）", label=0, values=(1,)),
    )


def refusals(source: Source) -> Table:
    found = sorted(
        source.figures("refusals", By.CODE).values(), key=lambda f: (-f.numerator, f.key)
    )
    return Table(
        title="不予受理的原因",
        columns=(Column("代码"), Column("原因", share=3), Column("件数", Kind.COUNT)),
        rows=tuple((one.key, source.names.reason(one.key), int(one.numerator)) for one in found),
        empty="本时段没有不予受理的。",
    )


def hot(source: Source, limit: int = 10) -> Table:
    """The cells with most registered reports of the period."""
    cut = source.cut
    found = hotspots(
        source.connection,
        Question(
            start=source.period.first, end=source.period.last,
            as_of=AtTime(cut.at) if cut.position is None else AtPosition(cut.position),
        ),
        limit,
    )  # fmt: skip
    rows = []
    for spot in found.hotspots:
        lon, lat = spot.cell.centre()
        most = max(spot.by_indicator, key=lambda code: (spot.by_indicator[code], code))
        rows.append(
            (f"{lon:.4f}, {lat:.4f}", source.names.place(lon, lat), spot.cases, spot.unsolved,
             spot.repeats, source.names.indicator(most) if most else "（未定）")
        )  # fmt: skip
    return Table(
        title="高发点位",
        columns=(
            Column("100 米网格中心（经度, 纬度）", share=1.8), Column("附近", share=1.8),
            Column("立案", Kind.COUNT),
            Column("未办结", Kind.COUNT), Column("重复", Kind.COUNT), Column("最多的指标", share=2),
        ),
        rows=tuple(rows),
        note="坐标为 WGS-84。重复：30 天内、100 米内同一指标此前已有上报。",
        empty="本时段没有立案。",
    )  # fmt: skip


def rebounds(source: Source, limit: int = 10) -> Table:
    """Where reports of the period follow a closing."""
    rows = []
    for spot in rebounding(
        source.connection, source.period.first, source.period.last, source.cut, limit
    ):
        lon, lat = spot.cell.centre()
        rows.append(
            (f"{lon:.4f}, {lat:.4f}", source.names.place(lon, lat),
             source.names.street(spot.street) if spot.street else None,
             source.names.indicator(spot.indicator) if spot.indicator else "（未定）", spot.reports)
        )  # fmt: skip
    return Table(
        title="反弹点位",
        columns=(
            Column("100 米网格中心（经度, 纬度）", share=1.8), Column("附近", share=1.8),
            Column("街镇", share=1.4),
            Column("指标", share=2), Column("再次立案", Kind.COUNT),
        ),
        rows=tuple(rows),
        note="结案后 30 天内，同一 100 米网格又有同一指标立案的；坐标为 WGS-84。",
        empty="本时段没有反弹点位。",
    )  # fmt: skip


MOST_OVERDUE = 200


def overdue(source: Source, most: int = MOST_OVERDUE) -> Table:
    """What a 街镇 has beyond its time at the cut, longest over first, at most so many."""
    cut = source.cut
    page = cases(
        source.connection, "backlog", source.period, now=source.now, as_of=source.as_of,
        variant="overdue", limit=most, due_first=True,
    )  # fmt: skip
    left = page.total - len(page.rows)
    return Table(
        title=f"超期清单（{page.total} 件）",
        columns=(
            Column("案件编号", share=1.8), Column("街镇", share=1.3), Column("指标", share=1.8),
            Column("应于", share=1.7), Column("已超（小时）", Kind.NUMBER),
        ),
        rows=tuple(
            (row.number, source.names.street(row.street) if row.street else None,
             source.names.indicator(row.indicator) if row.indicator else "（未定）",
             clock(row.due_at)[:16],
             round((cut.at - row.due_at).total_seconds() / 3600, 1) if row.due_at else None)
            for row in page.rows
        ),
        note="超期最久的在前，按自然时间计。" + (f"另有 {left} 件未列出。" if left else ""),
        empty="没有超期的。",
    )  # fmt: skip


def formulas(asked: Iterable[str]) -> Table:
    """How each measure is counted, in words, with the version of its formula."""
    return Table(
        title="指标口径",
        columns=(Column("指标", share=1), Column("口径", share=5), Column("版本", Kind.COUNT, 0.5)),
        rows=tuple(
            (CATALOGUE[name].title, CATALOGUE[name].formula, CATALOGUE[name].version)
            for name in dict.fromkeys(asked)
        ),
    )


def monthly_parts(source: Source) -> tuple[Part, ...]:
    """数据分析月报."""
    return (
        Heading("一、总体"), amounts(source), rates(source), durations(source),
        efficiency(source), days(source),
        Heading("二、街镇"), streets(source), beside_streets(source),
        Heading("三、指标与来源"), indicators(source), channels(source), refusals(source),
        Heading("四、点位"), hot(source), rebounds(source),
        Heading("五、口径"), formulas(name for name, _ in (*AMOUNTS, *RATES, *DURATIONS)),
    )  # fmt: skip


WEEKLY_AMOUNTS = AMOUNTS[:6]
WEEKLY_RATES: tuple[Asked, ...] = tuple(
    each for each in RATES
    if each[0] in {"accepted", "review_in_time", "response", "handled", "handled_in_time", "closed",
                   "rework", "reopened", "solved", "satisfied", "rated", "not_found",
                   "transferred", "force_closed", "false_rectified"}
)  # fmt: skip


def weekly_parts(source: Source) -> tuple[Part, ...]:
    """周报."""
    return (
        Heading("一、总体"), amounts(source, WEEKLY_AMOUNTS), rates(source, WEEKLY_RATES),
        days(source),
        Heading("二、街镇"), streets(source),
        Heading("三、指标"), indicators(source),
        Heading("四、点位"), hot(source), rebounds(source),
    )  # fmt: skip


def monday_parts(source: Source) -> tuple[Part, ...]:
    """全区周一专页: what the district reads on Monday of the week before."""
    asked = (("reports", ""), ("closings", ""), ("backlog", ""), ("backlog", "overdue"))
    return (
        Heading("一、上周新增、结案与积压"), amounts(source, asked),
        Heading("二、29 街镇排名"), streets(source),
        Heading("三、十个反弹点位"), rebounds(source),
        Heading("四、超期清单"), overdue(source),
    )  # fmt: skip
