"""The measures (指标口径) as data: what each counts, in words and as conditions on `case_fact`.

A new measure is an entry here and nothing else. Formulas are pinned: one that changes counts its
`version` up, and sealed months tell which they were made with. See docs/adr/0110.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeAlias

import msgspec
from sqlalchemy import ColumnElement, and_, exists, func, or_, true

from casework.lifecycle import Status
from casework.model import Clock
from projections.facts import CASE_FACT, CLOSED, STEPS, CutAt, Flag, holds

MINIMUM_SAMPLE = 20
"""Below it a rate is shown and not ranked: one case is 5 % of it."""

MINUTE = 60_000_000
DAY = 24 * 60 * MINUTE

_C = CASE_FACT.c

Condition: TypeAlias = ColumnElement[bool]
Asked: TypeAlias = Callable[[CutAt], Condition]
"""A condition on a row, given the cut as of which is asked."""


class Kind(StrEnum):
    """How a value comes of what is counted."""

    RATE = "rate"
    """Numerator over denominator, in percent to two places, with a Wilson interval."""
    MEAN = "mean"
    """A sum over its parts."""
    DURATION = "duration"
    """Median and P90, in minutes."""
    COUNT = "count"
    """How many in the period."""
    STOCK = "stock"
    """How many at the end of the period."""


class Direction(StrEnum):
    UP = "up"
    DOWN = "down"
    NEITHER = "neither"
    """Never ranked: a 街镇 with many reports is not worse for it."""


# Conditions ----------------------------------------------------------------------------------


def _has(flag: Flag) -> Asked:
    """Any of these flags."""
    return lambda _cut: _C.flags.bitwise_and(int(flag)) != 0


def _lacks(flag: Flag) -> Asked:
    """None of these flags."""
    return lambda _cut: _C.flags.bitwise_and(int(flag)) == 0


def _both(*asked: Asked) -> Asked:
    return lambda cut: and_(*(each(cut) for each in asked))


def _all(flag: Flag) -> Asked:
    """All of these flags."""
    return lambda _cut: _C.flags.bitwise_and(int(flag)) == int(flag)


def every_row(_cut: CutAt) -> Condition:
    return true()


def _ran(done: Flag, due: ColumnElement[int]) -> Asked:
    """A clock that stopped, or has run out: one that may still be met is not judged yet."""
    return lambda cut: or_(_C.flags.bitwise_and(int(done)) != 0, due < cut.at)


def _rebound(days: int) -> Asked:
    """Somebody reported the same indicator in the same 100 m cell, and it was registered."""

    def asked(cut: CutAt) -> Condition:
        later = CASE_FACT.alias("later")
        return exists().where(
            later.c.cell_east == _C.cell_east,
            later.c.cell_north == _C.cell_north,
            later.c.indicator == _C.indicator,
            later.c.submitted_at > _C.closed_at,
            later.c.submitted_at <= _C.closed_at + days * DAY,
            later.c.stream != _C.stream,
            *holds(later.c, cut),
            later.c.flags.bitwise_and(int(Flag.REGISTERED)) != 0,
        )

    return asked


def _older(days: int) -> Asked:
    """An open case that came in, or was dispatched, longer ago than that."""
    return lambda cut: func.coalesce(_C.dispatched_at, _C.submitted_at) < cut.at - days * DAY


def _in_stage(*stages: Status) -> Asked:
    return lambda _cut: _C.stage.in_([str(stage) for stage in stages])


def _falls_due_soon(cut: CutAt) -> Condition:
    with_street = [str(s) for s in (Status.DISPATCHED, Status.HANDLING)]
    return and_(_C.stage.in_(with_street), _C.due_at >= cut.at, _C.due_at < cut.at + DAY)


# The catalogue -------------------------------------------------------------------------------


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """Another way of counting (口径). What is None is as in the measure itself."""

    title: str
    population: Asked | None = None
    numerator: Asked | None = None
    moment: str | None = None
    amount: str | None = None


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One measure.

    `moment` is the time that puts a row into a period. `population` says which rows are the
    denominator, `numerator` which of these count. `amount` names what is summed or lasts, see
    `AMOUNTS`. `beside` are measures that must be shown with it. `version` counts the changes of
    the formula: a sealed month tells it.
    """

    name: str
    title: str
    formula: str
    kind: Kind = Kind.RATE
    unit: str = "%"
    direction: Direction = Direction.UP
    moment: str = "due_at"
    population: Asked = every_row
    numerator: Asked = every_row
    amount: str | None = None
    variants: Mapping[str, Variant] = msgspec.field(default_factory=dict)
    beside: tuple[str, ...] = ()
    minimum_sample: int = MINIMUM_SAMPLE
    target: float | None = None
    version: int = 1


DUE_MOMENTS = frozenset({"due_at", "plain_due_at", "closing_due_at"})
"""Moments that may lie beyond the cut: what is not due yet then is in no denominator."""

AMOUNTS: dict[str, ColumnElement[int]] = {
    "efficiency": _C.efficiency,
    "ratings": _C.ratings,
    "elapsed": _C.handed_at - _C.dispatched_at,
    "handled": _C.handled,
    "review": _C.reviewed_at - _C.submitted_at,
    "dispatch": _C.waited,
    "acknowledge": _C.acknowledged_at - _C.dispatched_at,
    "verification": _C.closed_at - _C.handed_at,
}

_HONEST = ("not_found", "transferred", "force_closed", "false_rectified")
"""Beside every 按期率: how else one may come to be in time."""

_DUE = _lacks(Flag.TAKEN_EARLY)
_EXEMPT = Variant(title="剔除申诉成立的", population=_both(_DUE, _lacks(Flag.EXEMPTED)))
_PLAIN = Variant(
    title="不计特殊时段（如同没有宣布过特殊时段）",
    moment="plain_due_at",
    population=_lacks(Flag.TAKEN_EARLY_PLAIN),
)
_OF_RESIDENTS = _both(_has(Flag.RATED), _lacks(Flag.STAFF_ENTERED))
_STAFF_APART = "自报自处的单列，不计入。"


def _step(name: str, title: str, moment_: str, clock: Clock) -> Measure:
    due, done, late = STEPS[clock]
    return Measure(
        name=name,
        title=title,
        formula=f"{title} = 该环节时钟按时停止的 ÷ 有该时钟且已停止或已到期的；"
        "按环节开始的时间归入时段。返工后多次核查的，有一次逾期即不计按时。",
        moment=moment_,
        population=_ran(done, _C[due]),
        numerator=_both(_has(done), _lacks(late)),
        target=95.0,
    )


def _share(name: str, title: str, says: str, flag: Flag, of: str, **more: object) -> Measure:
    """The share of rows with a flag; few of them is good."""
    what, when, population = _SHARES[of]
    return msgspec.structs.replace(
        Measure(
            name=name,
            title=title,
            formula=f"{title} = {says} ÷ {what}。",
            direction=Direction.DOWN,
            moment=when,
            population=population,
            numerator=_has(flag),
        ),
        **more,
    )


_SHARES: dict[str, tuple[str, str, Asked]] = {
    "handed": ("已反馈的处置", "handed_at", _has(Flag.HANDED)),
    "due": ("到期的处置", "due_at", _DUE),
    "dispatched": ("派遣", "dispatched_at", every_row),
    "closed": ("结案", "closed_at", _has(CLOSED)),
}


def _doubt(name: str, title: str, formula: str, moment_: str, population: Asked) -> Measure:
    """How many rows lack what figures rest on (数据质量)."""
    return Measure(
        name=name,
        title=title,
        formula=formula,
        kind=Kind.COUNT,
        unit="件",
        direction=Direction.NEITHER,
        moment=moment_,
        population=population,
    )


_ALL: tuple[Measure, ...] = (
    Measure(
        name="accepted",
        title="受理率",
        formula="受理率 =（立案 + 并案）÷ 已审核。按首次审核的时间归入时段，以最后的结论为准。",
        direction=Direction.NEITHER,
        moment="reviewed_at",
        population=_has(Flag.REGISTERED | Flag.REFUSED | Flag.MERGED),
        numerator=_has(Flag.REGISTERED | Flag.MERGED),
    ),
    Measure(
        name="registered",
        title="立案率",
        formula="立案率 = 立案 ÷（立案 + 并案）。",
        direction=Direction.NEITHER,
        moment="reviewed_at",
        population=_has(Flag.REGISTERED | Flag.MERGED),
        numerator=_has(Flag.REGISTERED),
    ),
    _step("review_in_time", "按时审核率", "submitted_at", Clock.REVIEW),
    _step("dispatch_in_time", "按时派遣率", "reviewed_at", Clock.DISPATCH),
    _step("acknowledge_in_time", "按时签收率", "dispatched_at", Clock.ACKNOWLEDGE),
    _step("verification_in_time", "按时核查率", "handed_at", Clock.VERIFICATION),
    Measure(
        name="response",
        title="响应率",
        formula="响应率 = 按时首次签收的派遣 ÷ 全部派遣。按派遣的时间归入时段。",
        moment="dispatched_at",
        numerator=_both(_has(Flag.ACKNOWLEDGE_DONE), _lacks(Flag.ACKNOWLEDGE_LATE),
                        _has(Flag.ACKNOWLEDGED)),
        target=95.0,
    ),
    Measure(
        name="dispatch_accuracy",
        title="准确派遣率",
        formula="准确派遣率 = 没有因 T01、T02、T03、T05 被接受退回的派遣 ÷ 全部派遣。",
        moment="dispatched_at",
        numerator=_lacks(Flag.MISDISPATCHED),
        target=95.0,
    ),
    Measure(
        name="handled",
        title="处置率",
        formula="处置率 = 已反馈并经核查通过 ÷ 到期的处置。未办结的留在分母；转办、强制结案"
        "留在分母，不计入分子；到期前已退回、撤回或并案的不在分母。每个街镇各计一次。",
        population=_DUE,
        numerator=_has(Flag.ACCEPTED),
        variants={"exempted": _EXEMPT},
        beside=_HONEST,
        target=95.0,
    ),
    Measure(
        name="handled_in_time",
        title="按期处置率",
        formula="按期处置率 = 反馈时间不晚于到期时间且经核查通过 ÷ 到期的处置。分母同处置率；"
        "各口径的对照表见 /measures/timeliness。",
        population=_DUE,
        numerator=_all(Flag.ACCEPTED | Flag.HANDED_IN_TIME),
        variants={
            "exempted": _EXEMPT,
            "plain": msgspec.structs.replace(
                _PLAIN, numerator=_all(Flag.ACCEPTED | Flag.HANDED_IN_TIME_PLAIN)
            ),
        },
        beside=("handled", *_HONEST),
        target=90.0,
    ),
    Measure(
        name="closed",
        title="结案率",
        formula="结案率 = 核查通过而结案 ÷ 应结案。应结案的时间为处置到期；按期反馈的，"
        "取处置到期与核查到期中较晚的；强制结案和转办不计入分子。",
        moment="closing_due_at",
        numerator=_has(Flag.ACCEPTED),
        variants={
            "without_suspended": Variant(title="不含曾挂账的", population=_lacks(Flag.SUSPENDED)),
            "exempted": Variant(title="剔除申诉成立的", population=_lacks(Flag.EXEMPTED)),
        },
        beside=_HONEST,
        target=95.0,
    ),
    Measure(
        name="closed_in_time",
        title="按期结案率",
        formula="按期结案率 = 按期反馈、且在应结案时间前结案 ÷ 应结案。",
        moment="closing_due_at",
        numerator=_has(Flag.CLOSED_IN_TIME),
        variants={
            "without_suspended": Variant(title="不含曾挂账的", population=_lacks(Flag.SUSPENDED)),
            "exempted": Variant(title="剔除申诉成立的", population=_lacks(Flag.EXEMPTED)),
        },
        beside=("closed", *_HONEST),
        target=90.0,
    ),
    Measure(
        name="first_time",
        title="一次办结率",
        formula="一次办结率 = 没有退回、返工、延期、重办而结案 ÷ 结案。强制结案和转办不计入分子。",
        moment="closed_at",
        population=_has(CLOSED),
        numerator=_both(
            _has(Flag.ACCEPTED),
            _lacks(Flag.NOT_AT_ONCE | Flag.REWORKED | Flag.EXTENDED | Flag.REOPENED),
            _has(Flag.FIRST_ROUND),
        ),
        beside=_HONEST,
    ),
    _share("rework", "返工率", "至少返工一次的", Flag.REWORKED, "handed"),
    _share("extension", "延期率", "至少延期一次的", Flag.EXTENDED, "due"),
    _share("suspension", "挂账率", "曾挂账的", Flag.SUSPENDED, "due"),
    _share("returned", "退回率", "退回被接受的", Flag.RETURNED, "dispatched"),
    _share("reopened", "重办率", "被重办的", Flag.REOPENED, "closed"),
    Measure(
        name="rebound",
        title="反弹率",
        formula="反弹率 = 结案后 30 天内，同一 100 米网格又有同一指标立案的 ÷ 核查通过的结案。",
        direction=Direction.DOWN,
        moment="closed_at",
        population=_has(Flag.ACCEPTED),
        numerator=_rebound(30),
        variants={"within_7_days": Variant(title="7 天内", numerator=_rebound(7))},
    ),
    Measure(
        name="solved",
        title="解决率",
        formula="解决率 = 评价人都认为已解决的 ÷ 已评价的。以案件的每一轮为单位。" + _STAFF_APART,
        moment="closed_at",
        population=_OF_RESIDENTS,
        numerator=_has(Flag.SOLVED),
        variants={
            "first_round": Variant(
                title="首轮", population=_both(_OF_RESIDENTS, _has(Flag.FIRST_ROUND))
            ),
            "final": Variant(
                title="最终一轮", population=_both(_OF_RESIDENTS, _lacks(Flag.REOPENED))
            ),
            "staff_entered": Variant(
                title="自报自处（单列）", population=_all(Flag.RATED | Flag.STAFF_ENTERED)
            ),
        },
        beside=("rated",),
        target=85.0,
    ),
    Measure(
        name="satisfied",
        title="满意率",
        formula="满意率 = 评价人都给 4 分或 5 分的 ÷ 已评价的。以案件的每一轮为单位。"
        + _STAFF_APART,
        moment="closed_at",
        population=_OF_RESIDENTS,
        numerator=_has(Flag.SATISFIED),
        variants={
            "first_round": Variant(
                title="首轮", population=_both(_OF_RESIDENTS, _has(Flag.FIRST_ROUND))
            ),
            "final": Variant(
                title="最终一轮", population=_both(_OF_RESIDENTS, _lacks(Flag.REOPENED))
            ),
            "unrated_satisfied": Variant(
                title="未评价视为满意（不作默认）",
                population=_both(_has(CLOSED), _lacks(Flag.STAFF_ENTERED)),
                numerator=lambda _cut: or_(
                    _C.flags.bitwise_and(int(Flag.SATISFIED)) != 0,
                    _C.flags.bitwise_and(int(Flag.RATED)) == 0,
                ),
            ),
            "staff_entered": Variant(
                title="自报自处（单列）", population=_all(Flag.RATED | Flag.STAFF_ENTERED)
            ),
        },
        beside=("rated",),
        target=85.0,
    ),
    Measure(
        name="rated",
        title="参评率",
        formula="参评率 = 至少一人评价的 ÷ 结案。" + _STAFF_APART,
        moment="closed_at",
        population=_both(_has(CLOSED), _lacks(Flag.STAFF_ENTERED)),
        numerator=_has(Flag.RATED),
        variants={
            "staff_entered": Variant(
                title="自报自处（单列）",
                population=_both(_has(CLOSED), _has(Flag.STAFF_ENTERED)),
            ),
        },
    ),
    Measure(
        name="efficiency",
        title="效率评分",
        formula="效率评分 = 处置效率评分之和 ÷ 评价份数（1 至 5 分）。" + _STAFF_APART,
        kind=Kind.MEAN,
        unit="分",
        moment="closed_at",
        population=_OF_RESIDENTS,
        amount="efficiency",
        beside=("rated", "handling_time"),
    ),
    Measure(
        name="handling_time",
        title="处置时长",
        formula="处置时长 = 从派遣到反馈的自然时间，取中位数和 P90。按反馈的时间归入时段。",
        kind=Kind.DURATION,
        unit="分钟",
        direction=Direction.DOWN,
        moment="handed_at",
        population=_has(Flag.HANDED),
        amount="elapsed",
        variants={
            "limit_time": Variant(title="按时限的计时方式（处置时钟）", amount="handled"),
        },
    ),
    Measure(
        name="step_time",
        title="分环节耗时",
        formula="各环节从开始到结束的自然时间，取中位数和 P90；默认为审核环节，其余见各口径。",
        kind=Kind.DURATION,
        unit="分钟",
        direction=Direction.DOWN,
        moment="reviewed_at",
        amount="review",
        variants={
            "dispatch": Variant(title="派遣环节", moment="dispatched_at", amount="dispatch"),
            "acknowledge": Variant(title="签收环节", moment="dispatched_at", amount="acknowledge"),
            "handling": Variant(title="处置环节", moment="handed_at", amount="elapsed"),
            "verification": Variant(
                title="核查环节",
                moment="closed_at",
                population=_has(Flag.ACCEPTED),
                amount="verification",
            ),
        },
    ),
    Measure(
        name="backlog",
        title="积压",
        formula="时段末尚未办结的案件数；账龄从派遣（未派遣的从上报）算起。",
        kind=Kind.STOCK,
        unit="件",
        direction=Direction.NEITHER,
        variants={
            "over_1_day": Variant(title="账龄超过 1 天", population=_older(1)),
            "over_7_days": Variant(title="账龄超过 7 天", population=_older(7)),
            "over_30_days": Variant(title="账龄超过 30 天", population=_older(30)),
            "overdue": Variant(
                title="处置已超期",
                population=_both(
                    _in_stage(Status.DISPATCHED, Status.HANDLING),
                    lambda cut: _C.due_at < cut.at,
                ),
            ),
        },
    ),
    Measure(
        name="due_soon",
        title="未来 24 小时到期",
        formula="时段末在办、且 24 小时内处置到期的案件数。",
        kind=Kind.STOCK,
        unit="件",
        direction=Direction.NEITHER,
        population=_falls_due_soon,
    ),
    Measure(
        name="suspended",
        title="挂账存量",
        formula="时段末处于挂账的案件数。",
        kind=Kind.STOCK,
        unit="件",
        direction=Direction.NEITHER,
        population=_in_stage(Status.SUSPENDED),
    ),
    _share("not_found", "现场未发现率", "以现场未发现结案的", Flag.NOT_FOUND, "closed",
           numerator=_all(Flag.ACCEPTED | Flag.NOT_FOUND)),
    _share("transferred", "转办率", "转办的", Flag.TRANSFERRED, "closed"),
    _share("force_closed", "强制结案率", "强制结案的", Flag.FORCE_CLOSED, "closed"),
    _share("false_rectified", "虚假整改率", "以 R05 返工或以 V13 重办的", Flag.FALSE_RECTIFIED,
           "handed"),
    Measure(
        name="appeals_upheld",
        title="申诉成功率",
        formula="申诉成功率 = 申诉成立 ÷ 已裁定的申诉。按裁定的时间归入时段。",
        direction=Direction.NEITHER,
        moment="appealed_at",
        population=_has(Flag.APPEAL_DECIDED),
        numerator=_has(Flag.EXEMPTED),
    ),
    Measure(
        name="visits_agree",
        title="回访一致率",
        formula="回访一致率 = 回访所答与评价一致 ÷ 既有评价又经回访问及是否解决的。",
        moment="closed_at",
        population=_has(Flag.VISIT_COMPARES),
        numerator=_has(Flag.VISIT_AGREES),
    ),
    Measure(
        name="reports",
        title="上报量",
        formula="时段内的上报数；给出人口（万人）或面积（平方千米）的，另算每万人、每平方千米上报。"
        "上报多不代表工作差，不参与排名。",
        kind=Kind.COUNT,
        unit="件",
        direction=Direction.NEITHER,
        moment="submitted_at",
        variants={
            "staff_entered": Variant(title="自报自处", population=_has(Flag.STAFF_ENTERED)),
            "by_residents": Variant(title="居民和接入方", population=_lacks(Flag.STAFF_ENTERED)),
        },
    ),
    Measure(
        name="closings",
        title="结案量",
        formula="时段内结案的案件轮次数（含转办和强制结案）。",
        kind=Kind.COUNT,
        unit="件",
        direction=Direction.NEITHER,
        moment="closed_at",
        population=_has(CLOSED),
    ),
    Measure(
        name="hotspots",
        title="高发点位",
        formula="时段内立案的上报按 100 米网格计数；地图上的高发点位见 /map/hotspots。",
        kind=Kind.COUNT,
        unit="件",
        direction=Direction.NEITHER,
        moment="submitted_at",
        population=_has(Flag.REGISTERED),
    ),
    Measure(
        name="refusals",
        title="不予受理",
        formula="时段内审核、最后为不予受理的件数，可按原因代码分列。",
        kind=Kind.COUNT,
        unit="件",
        direction=Direction.NEITHER,
        moment="reviewed_at",
        population=_has(Flag.REFUSED),
    ),
    _doubt("without_street", "属地未定", "时段内上报、还没有街镇的件数。", "submitted_at",
           lambda _cut: _C.street.is_(None)),
    _doubt("without_indicator", "指标未定", "时段内上报、还没有指标的件数。", "submitted_at",
           lambda _cut: _C.indicator == ""),
    _doubt("without_due", "缺到期时间", "时段内派遣、没有处置到期时间的件数，不在任何按期率中。",
           "dispatched_at", lambda _cut: _C.due_at.is_(None)),
    _doubt("out_of_order", "时间次序异常",
           "时段内派遣、反馈早于派遣或结案早于反馈的件数。", "dispatched_at",
           lambda _cut: or_(_C.handed_at < _C.dispatched_at, _C.closed_at < _C.handed_at)),
    _doubt("demonstration", "演示数据", "时段内上报、标为演示的件数。", "submitted_at",
           _has(Flag.DEMONSTRATION)),
)  # fmt: skip

DOUBTS = ("without_street", "without_indicator", "without_due", "out_of_order", "demonstration")
"""What says how far the others can be trusted (数据质量)."""

CATALOGUE: dict[str, Measure] = {each.name: each for each in _ALL}
"""Every measure, by name, in the order in which it is listed."""


class NoSuchMeasure(KeyError):  # noqa: N818  names the finding
    """A name or a variant that is not in the catalogue."""


def measured(name: str) -> Measure:
    """The measure of this name. Raises NoSuchMeasure."""
    try:
        return CATALOGUE[name]
    except KeyError as unknown:
        raise NoSuchMeasure(name) from unknown


def with_variant(measure_: Measure, variant: str) -> Measure:
    """The measure as counted in a variant; `""` is the measure itself. Raises NoSuchMeasure."""
    if not variant:
        return measure_
    try:
        other = measure_.variants[variant]
    except KeyError as unknown:
        raise NoSuchMeasure(f"{measure_.name}: {variant}") from unknown
    said = {
        field: value
        for field in ("population", "numerator", "moment", "amount")
        if (value := getattr(other, field)) is not None
    }
    return msgspec.structs.replace(measure_, **said)
