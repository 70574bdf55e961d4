"""试算: last month under other limits, other windows, or a change that waits to be confirmed.

A form for each, sent to the API's own functions; nothing is changed by it. What was typed stays in
the form beside the result, so that one may try on.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Protocol
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.accounts.errors import NotThere
from api.configuring import ProposedChange, all_changes, in_words
from api.pages.analyst import asked_of, choices, desk
from api.pages.frame import Frame, framed
from api.pages.posted import Posted
from api.pages.refusing import FAULTS, lines_of, problem_of
from api.parts import Parts
from api.problems import FieldError
from api.routes.cases import look
from api.routes.dry_runs import try_out_calendar, try_out_change, try_out_indicator
from api.trial_schemas import (
    CalendarDryRunIn,
    ChangeDryRunIn,
    DryRunIn,
    DryRunOut,
)
from casework.application import case_stream
from casework.clock_words import limit_in_words
from casework.indicators import Indicator
from casework.model import Unit
from projections.case_board import numbers_of
from projections.periods import month_before

router = APIRouter(include_in_schema=False)

WINDOWS = 3
"""Windows of a day that the form has room for: morning, afternoon, evening."""

_UNITS = {
    Unit.MINUTE: "分钟",
    Unit.HOUR: "小时",
    Unit.CALENDAR_DAY: "日（连续）",
    Unit.DUTY_MINUTE: "值守分钟",
    Unit.DUTY_HOUR: "值守小时",
    Unit.WORKING_MINUTE: "工作分钟",
    Unit.WORKING_HOUR: "工作小时",
    Unit.WORKING_DAY: "工作日",
}


class _One(Protocol):
    """What was typed into a field, or what stands there otherwise."""

    def __call__(self, name: str, otherwise: str = "") -> str: ...


class RowOf(msgspec.Struct, frozen=True, kw_only=True):
    """A condition row with its limit as it is, and as it was typed."""

    id: str
    condition: str
    now: str
    amount: str
    unit: str
    overrides: int


class Window(msgspec.Struct, frozen=True):
    name: str
    title: str
    opens: str
    closes: str


@router.get("/desk/analyst/dry-run", name="pages.analyst_dry_run")
async def trial_page(
    frame: Annotated[Frame, Depends(framed("pages.analyst_dry_run"))],
) -> Response:
    """The forms; with an indicator chosen, its rows."""
    return await _page(frame, {}, frame.request.query_params.get("indicator", ""))


@router.post("/desk/analyst/dry-run", name="pages.analyst_dry_run")
async def try_out(
    frame: Annotated[Frame, Depends(framed("pages.analyst_dry_run"))],
) -> Response:
    """Try it out, and show what would have been beside the form."""
    form = await frame.posted()
    code = form.one("indicator")
    try:
        told = await _tried(frame, form)
    except FAULTS as fault:
        problem, _ = problem_of(fault)
        return await _page(frame, form.values, code, problem.status, lines_of(problem))
    return await _page(frame, form.values, code, told=told)


async def _tried(frame: Frame, form: Posted) -> DryRunOut:
    """Raises a Refusal, ValidationError or ProblemError where it cannot be tried."""
    parts, visitor = frame.parts, frame.visitor
    said: dict[str, object] = {name: form.one(name) for name in ("first", "last") if form.one(name)}
    if streets := form.every("streets"):
        said["streets"] = streets
    if as_of := form.one("as_of"):
        said["as_of"] = f"{as_of}+08:00" if "T" in as_of and "+" not in as_of else as_of
    match form.one("what"):
        case "change":
            frame.permit("changes.dry_run")
            number = form.one("change")
            if not (number.isascii() and number.isdigit() and len(number) < 9):
                raise NotThere("变更")
            return await try_out_change(
                int(number), ChangeDryRunIn.model_validate(said), parts, visitor
            )
        case "calendar":
            frame.permit("calendar.dry_run")
            windows = {name: _windows(form, name) for name in ("duty", "working")}
            read = CalendarDryRunIn.model_validate_json(
                msgspec.json.encode(said | {"windows": windows})
            )
            return await try_out_calendar(read, parts, visitor)
        case _:
            frame.permit("indicators.dry_run")
            indicator = _indicator(parts, form.one("indicator"))
            if indicator is None:
                raise NotThere("指标")
            read_ = DryRunIn.model_validate_json(
                msgspec.json.encode(said | {"indicator": _changed(indicator, form)})
            )
            return await try_out_indicator(read_, parts, visitor)


def _windows(form: Posted, name: str) -> list[tuple[str, str]]:
    """The windows that were filled in."""
    found = [
        (form.one(f"{name}.{n}.opens"), form.one(f"{name}.{n}.closes")) for n in range(WINDOWS)
    ]
    return [each for each in found if any(each)]


def _changed(indicator: Indicator, form: Posted) -> dict[str, object]:
    """The indicator as data, with the limits that were typed."""
    data = msgspec.to_builtins(indicator)
    assert isinstance(data, dict)
    for row in data["conditions"]:
        amount = form.one(f"limit.{row['id']}.amount")
        unit = form.one(f"limit.{row['id']}.unit")
        row["limit"] = {
            "amount": int(amount) if amount.isascii() and amount.isdigit() else amount,
            "unit": unit or row["limit"]["unit"],
        }
        if form.one("alone") == "yes":
            row["overrides"] = []
    return data


def _indicator(parts: Parts, code: str) -> Indicator | None:
    catalogue = parts.catalogue
    return catalogue.indicators.get(code)


async def _page(
    frame: Frame,
    typed: Mapping[str, Sequence[str]],
    code: str = "",
    status: int = 200,
    wrongs: Sequence[FieldError] = (),
    told: DryRunOut | None = None,
) -> Response:
    parts = frame.parts
    indicator = _indicator(parts, code)
    usual = month_before(parts.now())
    waiting: list[ProposedChange] = []
    if frame.may("changes.dry_run"):
        waiting = [
            each
            for each in await asked_of(parts, lambda: all_changes(parts.casework))
            if each.state == "open"
        ]

    def one(name: str, otherwise: str = "") -> str:
        return next(iter(typed.get(name, ())), otherwise)

    return desk(
        frame,
        "analyst_dry_run.html",
        {
            "choices": choices(frame),
            "indicator": indicator,
            "rows": [] if indicator is None else _rows(indicator, one),
            "units": [(str(unit), name) for unit, name in _UNITS.items()],
            "windows": _day(parts, one),
            "waiting": [(each.number, in_words(each.change)) for each in waiting],
            "one": one,
            "what": one("what", "indicator"),
            "picked": set(typed.get("streets", ())),
            "first_day": f"{usual.first:%Y-%m-%d}",
            "last_day": f"{usual.last - timedelta(days=1):%Y-%m-%d}",
            "told": told,
            "numbers": {} if told is None else await case_numbers(parts, told),
            "wrongs": wrongs,
        },
        status,
    )


async def case_numbers(parts: Parts, told: DryRunOut) -> dict[str, str]:
    """The numbers of the cases that are named, by their ids."""
    cases = {
        case: case_stream(UUID(case)).bytes
        for line in (*told.lines, *told.streets)
        for case in (*line.newly_late, *line.relieved, *line.moved)
    }
    cases |= {case: case_stream(UUID(case)).bytes for case in told.without_row}
    found = await look(parts, lambda c: numbers_of(c, cases.values()))
    return {case: found[stream] for case, stream in cases.items() if stream in found}


def _rows(indicator: Indicator, one: _One) -> list[RowOf]:
    return [
        RowOf(
            id=row.id,
            condition=row.condition,
            now=limit_in_words(row.limit),
            amount=one(f"limit.{row.id}.amount", str(row.limit.amount)),
            unit=one(f"limit.{row.id}.unit", str(row.limit.unit)),
            overrides=len(row.overrides),
        )
        for row in indicator.conditions
    ]


def _day(parts: Parts, one: _One) -> list[Window]:
    """The windows of a day as they are in force, or as they were typed."""
    calendar = parts.casework.references.rules_at(parts.now()).calendar
    found = []
    for name, title, windows in (
        ("duty", "值守时段", calendar.duty),
        ("working", "工作时段", calendar.working),
    ):
        for n in range(WINDOWS):
            opens, closes = windows[n] if n < len(windows) else (None, None)
            found.append(
                Window(
                    f"{name}.{n}",
                    f"{title}{n + 1}",
                    one(f"{name}.{n}.opens", f"{opens:%H:%M}" if opens else ""),
                    one(f"{name}.{n}.closes", f"{closes:%H:%M}" if closes else ""),
                )
            )
    return found
