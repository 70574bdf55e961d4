"""配置页: what holds, what is proposed to hold, and the second person's yes or no.

A sysadmin proposes, a supervisor confirms: indicators, coded reasons, step limits, wordings, the
calendar, the boundaries. Nothing here changes a case; what it changes holds for later cases.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.accounts.errors import NotThere
from api.office_schemas import (
    AddIndicatorIn,
    ChangeOut,
    DeclineIn,
    IndicatorOut,
    ProposeIn,
    RetireIndicatorIn,
    ReviseIndicatorIn,
)
from api.pages.analyst_trials import case_numbers
from api.pages.choices import streets
from api.pages.frame import Frame, framed
from api.pages.posted import Posted
from api.pages.refusing import NOTHING_TYPED, Refused
from api.pages.submitting import (
    carried_out,
    in_shanghai,
    lines,
    read,
    submitted,
    with_moments,
    with_values,
)
from api.parts import Parts
from api.routes import calendar, indicators, special_periods
from api.routes.dry_runs import try_out_calendar, try_out_change
from api.routes.indicators import PLACE_NAMES
from api.trial_schemas import CalendarDryRunIn, ChangeDryRunIn, DryRunOut
from casework.clock_words import CLOCK_NAMES, UNIT_NAMES, limit_in_words
from casework.clocks import SHANGHAI
from casework.errors import Missing
from casework.indicators import FAMILIES, Wording
from casework.model import Clock, Limit

router = APIRouter(include_in_schema=False)

PATH = "/office/configuration"
Here = Annotated[Frame, Depends(framed("pages.office_configuration"))]

NEW = "new"
BLANK_ROWS = 2
"""Empty rows at the end of a table of fields, for what is to be added."""

OF_LIMITS = frozenset(
    {"add-indicator", "revise-indicator", "retire-indicator", "publish-year", "set-windows"}
)
"""Changes that can be tried out: those that move limits."""

_SHOWN = 20
"""How many decided changes are listed; the whole list is the API's."""


async def _page(
    frame: Frame,
    refused: Refused | None = None,
    told: DryRunOut | None = None,
    typed: Posted | None = None,
) -> Response:
    """The page; with what a dry run told, and with what was typed into its form, if it has one.

    What was typed stays in a form that was tried out, as it does where one is refused.
    """
    kept = refused
    if typed is not None:
        kept = Refused(action="years", status=200, title="", says="", values=typed.values)
    parts, visitor = frame.parts, frame.visitor
    changes = await indicators.list_changes(parts=parts, _visitor=visitor)
    return frame.form_page(
        "office_configuration.html",
        refused,
        waiting=[change for change in changes if change.state == "open"],
        decided=[change for change in changes if change.state != "open"][:_SHOWN],
        names=await frame.names_of(
            who for c in changes for who in (c.proposed_by, c.decided_by) if who
        ),
        me=str(visitor.principal.account_id),
        catalogue=indicators.list_indicators(parts, visitor, None),
        families=FAMILIES,
        codes=indicators.list_codes(parts, visitor, None),
        steps=_steps(parts),
        clocks=[(clock, CLOCK_NAMES[clock]) for clock in Clock],
        units=list(UNIT_NAMES.items()),
        wordings=_wordings(parts),
        calendar=calendar.read_calendar(parts, visitor, None),
        boundaries=_boundaries(parts),
        watch=special_periods.read_watch(parts, visitor),
        default_from=_two_days_on(frame),
        values=kept.values if kept else NOTHING_TYPED,
        typed=kept,
        tried=OF_LIMITS,
        told=told,
        numbers={} if told is None else await case_numbers(parts, told),
    )


def _two_days_on(frame: Frame) -> str:
    """The beginning of the day after tomorrow, as a `datetime-local` field writes it."""
    day = frame.parts.now().astimezone(SHANGHAI).date() + timedelta(days=2)
    return f"{day.isoformat()}T00:00"


class Step:
    """The limit of a step of the back office, and the shorter one where danger words were found."""

    def __init__(self, clock: Clock, limit: Limit, danger: Limit | None) -> None:
        self.clock = clock
        self.name = CLOCK_NAMES[clock]
        self.limit = limit_in_words(limit)
        self.danger = limit_in_words(danger) if danger else ""


def _steps(parts: Parts) -> list[Step]:
    catalogue = parts.catalogue
    return [Step(c, limit, catalogue.danger_steps.get(c)) for c, limit in catalogue.steps.items()]


def _wordings(parts: Parts) -> dict[str, tuple[Wording, ...]]:
    catalogue = parts.catalogue
    return {"danger": catalogue.danger_words, "scope": catalogue.scope_words}


def _boundaries(parts: Parts) -> Mapping[str, object]:
    """The map in force, those that were adopted, and those that lie ready on this server."""
    references = parts.casework.references
    adopted = references.boundaries
    folder = parts.boundaries.folder
    kept = sorted(p.name for p in folder.iterdir() if len(p.name) == 64) if folder.is_dir() else []
    return {
        "version": references.versions_at(parts.now()).boundaries,
        "adopted": list(enumerate(adopted, 1)),
        "ready": [name for name in kept if name not in {event.sha256 for event in adopted}],
        "streets": len(parts.dispatcher.boundaries.codes),
    }


@router.get(PATH, name="pages.office_configuration")
async def page(frame: Here) -> Response:
    """What holds now, and what waits for a second person."""
    return await _page(frame)


# a second person --------------------------------------------------------------------------


@router.post(f"{PATH}/changes/{{number}}/confirm", name="pages.office_configuration")
async def confirm(number: int, frame: Here) -> Response:
    """A supervisor's yes: it is in the reference streams at once, and holds from its time."""

    async def work(form: Posted) -> ChangeOut:
        return await indicators.confirm_change(
            number, frame.request, frame.parts, frame.visitor, form.key
        )

    return await _decided(frame, number, "indicators.confirm", work, "已确认")


@router.post(f"{PATH}/changes/{{number}}/reject", name="pages.office_configuration")
async def reject(number: int, frame: Here) -> Response:
    """A supervisor's no, with a reason."""

    async def work(form: Posted) -> ChangeOut:
        given = read(DeclineIn, form)
        return await indicators.reject_change(
            number, given, frame.request, frame.parts, frame.visitor, form.key
        )

    return await _decided(frame, number, "indicators.reject", work, "已否决")


@router.post(f"{PATH}/changes/{{number}}/withdraw", name="pages.office_configuration")
async def withdraw(number: int, frame: Here) -> Response:
    """One's own proposal is taken back."""

    async def work(form: Posted) -> ChangeOut:
        return await indicators.withdraw_change(
            number, frame.request, frame.parts, frame.visitor, form.key
        )

    return await _decided(frame, number, "indicators.withdraw", work, "已撤回")


@router.post(f"{PATH}/changes/{{number}}/dry-run", name="pages.office_configuration")
async def try_out_waiting(number: int, frame: Here) -> Response:
    """Last month, and the cases that are open, were the change confirmed. Changes nothing."""

    async def work(_: Posted) -> DryRunOut:
        return await try_out_change(number, ChangeDryRunIn(), frame.parts, frame.visitor)

    form = await frame.posted()
    frame.permit("changes.dry_run")
    told = await submitted(f"change-{number}", form, lambda: work(form))
    if isinstance(told, Refused):
        return await _page(frame, told)
    return await _page(frame, told=told)


async def _decided(
    frame: Frame,
    number: int,
    operation: str,
    work: Callable[[Posted], Awaitable[ChangeOut]],
    what: str,
) -> Response:
    return await carried_out(
        frame,
        operation,
        f"change-{number}",
        work,
        partial(_page, frame),
        lambda done: frame.go(PATH, f"{what}：{done.says}。"),
    )


# indicators -------------------------------------------------------------------------------


def _found(frame: Frame, code: str) -> IndicatorOut | None:
    known = indicators.list_indicators(frame.parts, frame.visitor, None).indicators
    found = next((one for one in known if one.code == code), None)
    if found is None and code != NEW:
        raise NotThere("指标")
    return found


def _indicator_page(frame: Frame, code: str, refused: Refused | None = None) -> Response:
    return frame.form_page(
        "office_indicator.html",
        refused,
        indicator=_found(frame, code),
        units=list(UNIT_NAMES.items()),
        places=[(kind, name) for kind, name in PLACE_NAMES.items()],
        streets=[(one.value, one.name) for one in streets(frame.parts)],
        blank=BLANK_ROWS,
        default_from=_two_days_on(frame),
    )


@router.get(f"{PATH}/indicators/{{code}}", name="pages.office_configuration")
async def indicator_page(code: str, frame: Here) -> Response:
    """An indicator with its rows: condition × limit × closing standard; `new` for another one."""
    return _indicator_page(frame, code)


@router.post(f"{PATH}/indicators/{{code}}", name="pages.office_configuration")
async def propose_indicator(code: str, frame: Here) -> Response:
    """Propose the indicator as it was filled in."""
    form = await frame.posted()
    frame.permit("indicators.propose")
    given = _flat(form)

    async def work() -> ChangeOut:
        around = frame.request, frame.parts, frame.visitor, form.key
        if code == NEW:
            return await indicators.propose_indicator(read(AddIndicatorIn, given), *around)
        return await indicators.propose_revision(code, read(ReviseIndicatorIn, given), *around)

    done = await submitted("indicator", form, work)
    if isinstance(done, Refused):
        return _indicator_page(frame, code, done)
    return frame.go(PATH, f"已提议：{done.says}。由督办员确认后，自生效时间起用于新立案件。")


def _flat(form: Posted) -> Posted:
    """Lines of a text field as the items they are; the time with its offset."""
    several = ("indicator.keywords", "indicator.examples")
    return with_values(
        form,
        effective_from=(in_shanghai(form.one("effective_from")),),
        **{name: lines(form.one(name)) for name in several},
    )


@router.post(f"{PATH}/indicators/{{code}}/retire", name="pages.office_configuration")
async def retire(code: str, frame: Here) -> Response:
    """Propose that it be no longer chosen; cases under it go on."""
    form = await frame.posted()
    frame.permit("indicators.propose")
    given = with_moments(form, "effective_from")

    async def work() -> ChangeOut:
        return await indicators.propose_retirement(
            code,
            read(RetireIndicatorIn, given),
            frame.request,
            frame.parts,
            frame.visitor,
            form.key,
        )

    done = await submitted("retire", form, work)
    if isinstance(done, Refused):
        return _indicator_page(frame, code, done)
    return frame.go(PATH, f"已提议：{done.says}。由督办员确认后生效。")


# everything else is one change each --------------------------------------------------------


async def _propose(
    frame: Frame, action: str, form: Posted, make: Callable[[], Mapping[str, object]]
) -> Response:
    """Propose a change that a form describes; `make` reads it, or raises Missing."""
    frame.permit("indicators.propose")

    async def work() -> ChangeOut:
        change = make()
        given = ProposeIn.model_validate(
            {
                "change": {
                    **{k: v for k, v in change.items() if v not in (None, "")},
                    "effective_from": in_shanghai(form.one("effective_from")),
                },
                "reason": form.one("reason"),
            }
        )
        return await indicators.propose_change(
            given, frame.request, frame.parts, frame.visitor, form.key
        )

    done = await submitted(action, form, work)
    if isinstance(done, Refused):
        return await _page(frame, done)
    return frame.go(PATH, f"已提议：{done.says}。由督办员确认后生效。")


def _number(form: Posted, name: str, otherwise: str = "") -> int:
    """A whole number of a field. Raises Missing."""
    text = form.one(name) or otherwise
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise Missing(name, "请填写整数。")
    return int(text)


@router.post(f"{PATH}/codes", name="pages.office_configuration")
async def codes(frame: Here) -> Response:
    """A coded reason: another one, another text, or no longer."""
    form = await frame.posted()
    what, code = form.one("what"), form.one("code").upper()
    family = "".join(char for char in code if char.isalpha())
    # V0 and V1 are two families by their first digit (docs/adr/0012).
    family = code[:2] if family == "V" else family

    def make() -> Mapping[str, object]:
        if what not in {"add", "revise", "retire"}:
            raise Missing("what", "请选择新增、改文字还是停用。")
        if what == "retire":
            return {"type": "retire-code", "code": code}
        text, words = form.one("text"), _number(form, "words", "0")
        reason = {"code": code, "family": family, "text": text, "words": words}
        return {"type": f"{what}-code", "code": reason}

    return await _propose(frame, "codes", form, make)


@router.post(f"{PATH}/steps", name="pages.office_configuration")
async def steps(frame: Here) -> Response:
    """The limit of a step of the back office."""
    form = await frame.posted()

    def make() -> Mapping[str, object]:
        if not form.one("clock"):
            raise Missing("clock", "请选择环节。")
        amount = _number(form, "limit.amount")
        return {
            "type": "set-step-limit",
            "clock": form.one("clock"),
            "limit": {"amount": amount, "unit": form.one("limit.unit")},
            "danger": form.one("danger") == "yes",
        }

    return await _propose(frame, "steps", form, make)


@router.post(f"{PATH}/words/{{which}}", name="pages.office_configuration")
async def words(which: str, frame: Here) -> Response:
    """The words in a report that call for another door, or for haste."""
    form = await frame.posted()
    if which not in {"danger", "scope"}:
        raise NotThere("提示词")
    rows = [
        {
            "name": name.strip(),
            "words": _parts_of(given(form, "words", n)),
            "door": given(form, "door", n),
            "number": given(form, "number", n),
            "also": _parts_of(given(form, "also", n)),
            "unless": _parts_of(given(form, "unless", n)),
        }
        for n, name in enumerate(form.values.get("name", ()))
        if name.strip()
    ]
    change = {"type": f"set-{which}-words", "wordings": rows}
    return await _propose(frame, f"words-{which}", form, lambda: change)


def given(form: Posted, name: str, row: int) -> str:
    """The value in a row of a table of fields."""
    values = form.values.get(name, ())
    return values[row].strip() if row < len(values) else ""


def _parts_of(text: str) -> list[str]:
    return [part.strip() for part in text.replace("，", "、").split("、") if part.strip()]


@router.post(f"{PATH}/windows", name="pages.office_configuration")
async def windows(frame: Here) -> Response:
    """The windows of a day in which duty time and working time count."""
    form = await frame.posted()
    change = {
        "type": "set-windows",
        "duty": _windows(form.one("duty")),
        "working": _windows(form.one("working")),
    }
    return await _propose(frame, "windows", form, lambda: change)


def _windows(text: str) -> list[list[str]]:
    """`09:00–12:00`, one a line; the end of the day is 24:00."""
    found = []
    for line in lines(text):
        opens, _, closes = (
            line.replace("—", "–").replace("-", "–").replace("至", "–").partition("–")
        )
        found.append([_clock_time(opens), _clock_time(closes)])
    return found


def _clock_time(text: str) -> str:
    plain = text.strip().replace("：", ":").replace("24:00", "00:00")
    return f"{plain}:00" if plain.count(":") == 1 else plain


@router.post(f"{PATH}/years", name="pages.office_configuration")
async def years(frame: Here) -> Response:
    """The State Council's notice for a year."""
    form = await frame.posted()

    def make() -> Mapping[str, object]:
        try:
            return {"type": "publish-year", "year": _year(form)}
        except ValueError:
            raise Missing("holidays", _A_LINE) from None

    return await _propose(frame, "years", form, make)


@router.post(f"{PATH}/years/dry-run", name="pages.office_configuration")
async def try_out_year(frame: Here) -> Response:
    """Last month, and what is open now, under the notice as it is typed; proposes nothing."""
    form = await frame.posted()
    frame.permit("calendar.dry_run")

    async def work() -> DryRunOut:
        try:
            year = {k: v for k, v in _year(form).items() if v != ""}
        except ValueError:
            raise Missing("holidays", _A_LINE) from None
        given = CalendarDryRunIn.model_validate_json(msgspec.json.encode({"year": year}))
        return await try_out_calendar(given, frame.parts, frame.visitor)

    told = await submitted("years", form, work)
    if isinstance(told, Refused):
        return await _page(frame, told)
    return await _page(frame, told=told, typed=form)


_A_LINE = "每行写一个假期：名称 首日 末日，如 元旦 2027-01-01 2027-01-03。"


def _year(form: Posted) -> dict[str, object]:
    """Raises ValueError for a line that is none."""
    holidays = []
    for line in lines(form.one("holidays")):
        name, first, *last = line.split()
        ends = last[0] if last else first
        holidays.append(
            {
                "name": name,
                "first": date.fromisoformat(first).isoformat(),
                "last": date.fromisoformat(ends).isoformat(),
            }
        )
    worked = form.one("worked").replace("、", " ").replace("，", " ").split()
    return {
        "year": _number(form, "year"),
        "holidays": holidays,
        "worked": [date.fromisoformat(day).isoformat() for day in worked],
        "source": form.one("source"),
    }


@router.post(f"{PATH}/boundaries", name="pages.office_configuration")
async def boundaries(frame: Here) -> Response:
    """Take a map into use that was checked and put on this server."""
    form = await frame.posted()
    change = {
        "type": "adopt-boundaries",
        "sha256": form.one("sha256"),
        "source": form.one("source"),
        "accuracy_note": form.one("accuracy_note"),
    }
    return await _propose(frame, "boundaries", form, lambda: change)


@router.post(f"{PATH}/accept-time", name="pages.office_configuration")
async def accept_time(frame: Here) -> Response:
    """A person has looked at the server's clock: the watch goes on."""
    await frame.posted()
    frame.permit("watch.accept_time")
    told = await special_periods.accept_time(frame.parts, frame.visitor)
    return frame.go(PATH, told.says)
