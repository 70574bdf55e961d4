"""特殊时段 and the watch: who declared what, and whether the clock may act."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from fastapi import Request as HttpRequest
from pydantic import Field

from api.access import Visitor
from api.accounts.audit import entry_of
from api.configuring import propose
from api.door import Door
from api.hygiene import AwareMoment, Code, Prose, StreetText
from api.office_schemas import ChangeOut, LimitOut
from api.open_trials import open_trial
from api.parts import Parts
from api.routes.asked import Key
from api.routes.dry_runs import computed
from api.routes.indicators import Number, settle
from api.schemas import LimitIn, Wire
from api.shown import name_of_street
from api.trial_schemas import OpenTrialOut
from api.visitors import With, guard
from casework import special_periods
from casework.clock_words import limit_in_words
from casework.model import Limit
from casework.special_periods import (
    DeclareSpecialPeriod,
    MoveSpecialPeriodEnd,
    Occasion,
    SpecialPeriod,
)

router = APIRouter(tags=["时限"])

State = Literal["coming", "running", "over"]
STATE_NAMES: dict[State, str] = {"coming": "未开始", "running": "进行中", "over": "已结束"}


class DeclareIn(Wire):
    """A period to be declared; without a limit the handling clock stands still in it."""

    occasion: Occasion
    first: AwareMoment = Field(description="开始时间（含）；不得早于第二人确认后一分钟。")
    last: AwareMoment = Field(description="结束时间（不含）。")
    streets: Annotated[tuple[StreetText, ...], Field(max_length=29)] = Field(
        default=(), description="适用的街镇；空为全区。"
    )
    indicators: Annotated[tuple[Code, ...], Field(max_length=99)] = Field(
        default=(), description="适用的指标；空为全部。"
    )
    limit: LimitIn | None = Field(
        default=None,
        description="时段内派遣的案件改用的处置时限，在办案件只在更宽时改用；空则暂停计时。",
    )
    grounds: Prose = Field(description="依据，如通知文号。")


class TryPeriodIn(DeclareIn):
    """A period as it might be declared; nothing is proposed by it."""

    grounds: Prose = Field(default="试算", description="依据；试算时可不填。")


class MoveEndIn(Wire):
    """Another end: earlier is 提前解除, later is 延长."""

    last: AwareMoment
    grounds: Prose


class SpecialPeriodOut(Wire):
    """A period as it stands. Half-open: `first` ≤ t < `last`."""

    number: int
    occasion: Occasion
    name: str
    state: State
    state_name: str
    first: datetime
    last: datetime
    streets: tuple[str, ...]
    street_names: tuple[str, ...]
    indicators: tuple[str, ...]
    limit: LimitOut | None
    effect: str
    grounds: str


class WatchOut(Wire):
    """Whether the clock may act, and how far behind it is."""

    held: bool
    held_since: datetime | None
    ahead_seconds: float | None
    behind_seconds: float
    done: int
    says: str


def _shown(parts: Parts, period: SpecialPeriod, now: datetime) -> SpecialPeriodOut:
    state: State = "coming" if now < period.first else "running" if now < period.last else "over"
    limit = period.limit
    words = limit_in_words(limit) if limit else None
    return SpecialPeriodOut(
        number=period.number,
        occasion=period.occasion,
        name=period.name,
        state=state,
        state_name=STATE_NAMES[state],
        first=period.first,
        last=period.last,
        streets=period.streets,
        street_names=tuple(name_of_street(parts, street) for street in period.streets),
        indicators=period.indicators,
        limit=limit and LimitOut(amount=limit.amount, unit=limit.unit, words=words or ""),
        effect=f"处置时限改为{words}" if words else "处置暂停计时",
        grounds=period.grounds,
    )


@router.get("/special-periods", name="special_periods.list", summary="特殊时段，新的在前")
def list_periods(
    parts: With, _visitor: Annotated[Visitor, Depends(guard("special_periods.list"))]
) -> tuple[SpecialPeriodOut, ...]:
    """Every period declared, those over included: reporters may read why a limit is another."""
    now = parts.now()
    periods = special_periods.fold(parts.casework.references.special)
    return tuple(_shown(parts, period, now) for period in reversed(periods))


@router.post(
    "/special-periods", name="special_periods.declare", status_code=202, summary="提议宣布特殊时段"
)
async def declare(
    form: DeclareIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("special_periods.declare"))],
    key: Key,
) -> ChangeOut:
    """Ask for a period; another supervisor confirms it as a change."""
    change = period_of(form)
    return await settle(
        request,
        parts,
        visitor,
        "special_periods.declare",
        key,
        lambda asked: propose(parts, change, form.grounds, asked),
    )


def period_of(form: DeclareIn) -> DeclareSpecialPeriod:
    """The command of a form."""
    return DeclareSpecialPeriod(
        occasion=form.occasion,
        first=form.first,
        last=form.last,
        grounds=form.grounds,
        streets=tuple(dict.fromkeys(form.streets)),
        indicators=tuple(dict.fromkeys(form.indicators)),
        limit=Limit(form.limit.amount, form.limit.unit) if form.limit else None,
    )


@router.post(
    "/special-periods/dry-run",
    name="special_periods.dry_run",
    summary="试算: 若宣布这个特殊时段，在办案件会怎样",
)
async def try_out(
    form: TryPeriodIn,
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("special_periods.dry_run"))],
) -> OpenTrialOut:
    """Which open cases it would touch, and their new due times; changes nothing."""
    now, change = parts.now(), period_of(form)
    return await computed(parts, lambda: open_trial(parts, change, now, now))


@router.post(
    "/special-periods/{number}/move-end",
    name="special_periods.move_end",
    status_code=202,
    summary="提议提前解除或延长",
)
async def move_end(
    number: Number,
    form: MoveEndIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("special_periods.move_end"))],
    key: Key,
) -> ChangeOut:
    """Ask for another end of a period; another supervisor confirms it."""
    change = MoveSpecialPeriodEnd(number=number, last=form.last, grounds=form.grounds)
    return await settle(
        request,
        parts,
        visitor,
        "special_periods.move_end",
        key,
        lambda asked: propose(parts, change, form.grounds, asked),
    )


@router.get("/watch", name="watch.read", summary="时钟值守")
def read_watch(parts: With, _visitor: Annotated[Visitor, Depends(guard("watch.read"))]) -> WatchOut:
    """Whether warnings and lapses go on, and since when they do not."""
    return _watch(parts)


@router.post("/watch/accept-time", name="watch.accept_time", summary="确认系统时间无误")
async def accept_time(
    parts: With, visitor: Annotated[Visitor, Depends(guard("watch.accept_time"))]
) -> WatchOut:
    """After a jump of the wall clock: a person has looked, and the watch goes on."""
    door = Door(parts)
    held = (await door.in_thread(lambda: parts.timekeeper.vigil)).held  # the first look reads
    ahead = held.ahead.total_seconds() if held else 0.0
    await parts.audit.record_durably(
        entry_of(
            visitor.principal,
            "watch.accept_time",
            parts.now(),
            facts={"ahead_seconds": f"{ahead:.3f}"},
        )
    )
    parts.timekeeper.accept_time()  # here, where the watch compares its clocks too
    return await door.in_thread(lambda: _watch(parts))


def _watch(parts: Parts) -> WatchOut:
    held = parts.timekeeper.vigil.held
    ahead = held.ahead.total_seconds() if held else None
    if ahead is None:
        says = "时钟正常，到期提醒照常进行。"
    else:
        way = "快" if ahead > 0 else "慢"
        says = (
            f"系统时间比应有的时间{way}了{abs(ahead):.0f}秒，到期提醒和自动流转已暂停；"
            "请核对服务器时间，校正后自动恢复，确认无误也可手工恢复。"
        )
    return WatchOut(
        held=held is not None,
        held_since=held.since if held else None,
        ahead_seconds=ahead,
        behind_seconds=parts.timekeeper.behind(parts.now()),
        done=parts.timekeeper.done,
        says=says,
    )
