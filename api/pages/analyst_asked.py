"""What an analyst's page is asked for, by its form or by a link, and how that is written again.

Everything stands in the address: a page can be sent to a colleague, and shows the same. What
cannot be read is told beside its field, and what was typed stays.
"""

import re
from collections.abc import Mapping
from datetime import date
from urllib.parse import urlencode

import msgspec
from msgspec.structs import replace
from pydantic import TypeAdapter, ValidationError

from api.hygiene import StreetText
from api.measuring import Question, cut_asked, named, periods_asked
from api.office_schemas import IndicatorCode
from api.pages.frame import Frame
from api.parts import Parts
from api.problems import FieldError, ProblemError
from projections.measure_catalogue import CATALOGUE, Kind
from projections.measures import By, Only, cut_for, only_of
from projections.periods import Every, Period

HOME = "/desk/analyst"

_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
"""A moment as a field of a form posts it: of Haidian, without saying so."""

_STREET: TypeAdapter[str] = TypeAdapter(StreetText)
_INDICATOR: TypeAdapter[str] = TypeAdapter(IndicatorCode)

MAPPED = tuple(
    (of.name, variant)
    for of in CATALOGUE.values()
    if of.kind is not Kind.DURATION
    for variant in ("", *(each for each in of.variants if each in {"overdue", "over_7_days"}))
)
"""What a map of the 街镇 may be coloured by."""


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """The texts as they stand in the address, and what is wrong with them."""

    period: str = "month"
    on: str = ""
    """A day in the period; empty is today."""
    as_of: str = ""
    street: str = ""
    indicator: str = ""
    wrong: tuple[FieldError, ...] = ()

    def of(self, field: str) -> str:
        """What is wrong with a field, or nothing."""
        return next((each.message for each in self.wrong if each.field == field), "")

    @property
    def every(self) -> Every:
        return Every(self.period)

    def question(self, variant: str = "", only: Only | None = None) -> Question:
        """As the measures are asked."""
        first = date.fromisoformat(self.on) if self.on else None
        return Question(self.every, first, first, only or self.only, self._moment or None, variant)

    @property
    def only(self) -> Only:
        return Only(street=self.street or None, indicator=self.indicator or None)

    @property
    def _moment(self) -> str:
        return f"{self.as_of}+08:00" if _LOCAL.fullmatch(self.as_of) else self.as_of

    @property
    def fields(self) -> dict[str, str]:
        """What an address says of it: only what is not as usual."""
        said = {"period": self.period if self.period != "month" else ""}
        said |= {name: getattr(self, name) for name in ("on", "as_of", "street", "indicator")}
        return {name: value for name, value in said.items() if value}

    def link(self, path: str = "", **more: str | int | None) -> str:
        """An address below the desk that asks the same, and more."""
        said = self.fields | {
            name: str(value) for name, value in more.items() if value or value == 0
        }
        return f"{HOME}{path}{'?' if said else ''}{urlencode(said)}"

    def measure(self, name: str, variant: str = "") -> str:
        """Where a measure is told at length."""
        return self.link(f"/measures/{name}", variant=variant)

    def cases(
        self, name: str, variant: str = "", part: str = "", by: str = "", key: str | None = None
    ) -> str:
        """Where the cases behind a number are; `key` of what is told apart."""
        told = {"by": by, "key": key or "-"} if by and key is not None else {}
        return self.link("/cases", measure=name, variant=variant, part=part, **told)


def chosen_of(frame: Frame) -> Chosen:
    """What the address says. Texts that make no question are named in `wrong`."""
    asked = frame.request.query_params
    found = Chosen(
        period=asked.get("period", "") or "month",
        on=asked.get("on", "").strip(),
        as_of=asked.get("as_of", "").strip()[:40],
        street=asked.get("street", "").strip(),
        indicator=asked.get("indicator", "").strip(),
    )
    wrong: list[FieldError] = []
    if found.period not in set(Every):
        wrong.append(FieldError("period", "请从日、周、月、季度中选择。"))
        found = replace(found, period="month")
    if found.on and not _is_day(found.on):
        wrong.append(FieldError("on", "应为日期，如 2026-05-01。"))
        found = replace(found, on="")
    for name, kind in (("street", _STREET), ("indicator", _INDICATOR)):
        if (text := getattr(found, name)) and not _fits(kind, text):
            wrong.append(FieldError(name, "请从列表中选择。"))
            found = replace(found, **{name: ""})
    return replace(found, wrong=(*wrong, *_unanswerable(frame.parts, found)))


_FIELDS: Mapping[str, str] = {"from": "on", "to": "on"}


def _unanswerable(parts: Parts, chosen: Chosen) -> tuple[FieldError, ...]:
    """What the measures would refuse, by the names of the fields here."""
    question = chosen.question()
    try:
        period = periods_asked(parts, question)[0]
        cut = cut_for(period, parts.now(), cut_asked(parts, question))
    except ProblemError as refused:
        errors = refused.problem.errors
        return tuple(FieldError(_FIELDS.get(e.field, e.field), e.message) for e in errors)
    if cut.at < period.first:
        return (FieldError("as_of", "在这一刻，所选时段还没有开始。请改选更早的时段。"),)
    return ()


def period_chosen(parts: Parts, chosen: Chosen) -> Period:
    """The period. Raises ProblemError, though not where nothing is wrong."""
    return periods_asked(parts, chosen.question())[0]


class Behind(msgspec.Struct, frozen=True, kw_only=True):
    """A number whose cases are asked for."""

    chosen: Chosen
    name: str
    variant: str = ""
    part: str = "denominator"
    by: By | None = None
    key: str = ""

    @property
    def only(self) -> Only:
        return self.chosen.only if self.by is None else only_of(self.by, self.key, self.chosen.only)

    def link(self, path: str = "/cases", **more: str | int | None) -> str:
        """The same number, with other words."""
        told: dict[str, str | int | None] = {
            "measure": self.name,
            "variant": self.variant,
            "part": "" if self.part == "denominator" else self.part,
            "by": self.by and str(self.by),
            "key": (self.key or "-") if self.by else None,
        }
        return self.chosen.link(path, **(told | more))


def behind_of(frame: Frame, chosen: Chosen) -> Behind:
    """Which number. Raises ProblemError where there is no such number."""
    asked = frame.request.query_params
    name, variant = asked.get("measure", ""), asked.get("variant", "")
    named(name, variant)
    part = asked.get("part", "") or "denominator"
    by = asked.get("by", "")
    key = asked.get("key", "").removeprefix("-")[:80]
    return Behind(
        chosen=chosen,
        name=name,
        variant=variant,
        part=part,
        by=By(by) if by in set(By) else None,
        key=key,
    )


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _fits(kind: TypeAdapter[str], text: str) -> bool:
    try:
        kind.validate_python(text)
    except ValidationError:
        return False
    return True
