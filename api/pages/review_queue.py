"""The reviewers' queue as a page shows it: the lists of the desk with counts, and their rows.

Asks the API's own desk and its list of visits; knows no rule of what belongs into which list.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from api.desk_schemas import PressingOut, ReviewerDeskOut, SectionOut
from api.pages.frame import Frame
from api.routes.desks import reviewers
from api.routes.visits import VisitOut, due_visits
from api.schemas import CaseOut, LeftOut
from casework.clock_words import CLOCK_NAMES
from casework.model import WINDOWS, Clock

MOST = 50
"""Rows of a list; more are counted, and come up as those before them are done."""

SIDE = ("overdue", "recheck", "to_dispatch", "visits", "to_review")
LISTS = (
    "urgent", "due_soon", "supplied", "duplicates", "border", "returns", "verification", *SIDE,
)  # fmt: skip
"""In the order shown: what the desk begins with, then the others."""

NEXT = (
    "urgent", "overdue", "due_soon", "supplied", "duplicates", "border", "returns", "verification",
    "recheck", "to_dispatch", "to_review", "visits",
)  # fmt: skip
"""In the order worked off, where no list was chosen."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the queue. `claimed_by` names somebody else who has it now."""

    number: str
    status_name: str
    version: int | None = None
    indicator_name: str | None
    street_name: str | None
    text: str | None = None
    note: str = ""
    danger: tuple[str, ...] = ()
    new_information: bool = False
    due_at: datetime | None = None
    due_name: str = ""
    left: LeftOut | None = None
    late: bool = False
    lon: float | None = None
    lat: float | None = None
    claimed_by: str = ""
    claimed_until: datetime | None = None


class Named(msgspec.Struct, frozen=True):
    """A list: its key, what it is called, how many there are, and the first of them."""

    key: str
    name: str
    count: int
    items: tuple[Item, ...]


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """The lists, the one chosen ("" for all, each case once), and what stands in it."""

    lists: tuple[Named, ...]
    chosen: str
    groups: tuple[Named, ...]
    now: datetime
    as_of: int

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(item for group in self.groups for item in group.items)

    def first(self, number: str = "") -> Item | None:
        """The case to be opened: the one asked for, else the first that nobody else has."""
        items = self.items
        asked = next((item for item in items if item.number == number), None)
        if asked is not None and not asked.claimed_by:
            return asked
        return next((item for item in items if not item.claimed_by), None)

    def beside(self, number: str) -> tuple[str, str]:
        """The numbers before and after a case, where there are any."""
        numbers = [item.number for item in self.items]
        if number not in numbers:
            return "", (numbers[0] if numbers else "")
        at = numbers.index(number)
        return (
            numbers[at - 1] if at else "",
            numbers[at + 1] if at + 1 < len(numbers) else "",
        )

    def after(self, number: str) -> str:
        """The case that is next once this one is done; empty where it was the last."""
        items = self.items
        at = next((n for n, item in enumerate(items) if item.number == number), -1)
        later = [item for item in (*items[at + 1 :], *items[: max(at, 0)]) if not item.claimed_by]
        return later[0].number if later else ""

    def lists_of(self, number: str) -> tuple[str, ...]:
        """What the lists are called in which a case stands."""
        return tuple(
            named.name for named in self.lists if any(i.number == number for i in named.items)
        )


async def queue_of(frame: Frame, chosen: str) -> Queue:
    """The queue at this moment."""
    parts, visitor = frame.parts, frame.visitor
    now, limit = parts.now(), MOST
    desk = await reviewers(parts, visitor, limit, None)
    visits = await due_visits(parts, visitor, limit, None)
    names = await _names(frame, _cases(desk))
    me = str(visitor.principal.account_id)
    rows = _Rows(names, me, now)
    found: dict[str, Named] = {
        "visits": Named(
            "visits", "待回访", visits.total, tuple(rows.visit(each) for each in visits.visits)
        ),
        "returns": Named(
            "returns",
            desk.returns.name,
            desk.returns.count,
            tuple(rows.pressing(each) for each in desk.returns.cases),
        ),
    }
    for key in LISTS:
        section = getattr(desk, key, None)
        if isinstance(section, SectionOut):
            like = desk.duplicates.like
            items = tuple(
                rows.case(case, section.left.get(case.number), like.get(case.number, ""))
                for case in section.cases
            )
            found[key] = Named(key, section.name, section.count, items)
    lists = tuple(found[key] for key in LISTS)
    chosen = chosen if chosen in found else ""
    groups = (found[chosen],) if chosen else _once(found)
    return Queue(lists=lists, chosen=chosen, groups=groups, now=now, as_of=desk.as_of)


def _once(found: dict[str, Named]) -> tuple[Named, ...]:
    """Every case once, in the list that is worked off first."""
    seen: set[str] = set()
    groups = []
    for key in NEXT:
        group = found[key]
        items = tuple(item for item in group.items if item.number not in seen)
        seen |= {item.number for item in items}
        if items:
            groups.append(msgspec.structs.replace(group, items=items))
    return tuple(groups)


def _cases(desk: ReviewerDeskOut) -> list[CaseOut]:
    sections = (getattr(desk, key, None) for key in LISTS)
    return [case for s in sections if isinstance(s, SectionOut) for case in s.cases]


async def _names(frame: Frame, cases: Sequence[CaseOut]) -> dict[str, str]:
    """The names of those who have claimed one of these cases."""
    return await frame.names_of(case.claimed_by for case in cases if case.claimed_by)


class _Rows:
    """Makes rows of what the API tells."""

    def __init__(self, names: dict[str, str], me: str, now: datetime) -> None:
        self._names = names
        self._me = me
        self._now = now

    def case(self, case: CaseOut, left: LeftOut | None, like: str = "") -> Item:
        clock = Clock(case.due_clock) if case.due_clock else None
        until, holder = case.claimed_until, case.claimed_by
        held = holder if holder and holder != self._me and until and until > self._now else ""
        due = case.due_at
        return Item(
            number=case.number,
            status_name=case.status_name,
            version=case.version,
            indicator_name=case.indicator_name,
            street_name=case.street_name,
            text=case.text,
            note=f"像{like}" if like else "",
            danger=case.danger,
            new_information=case.new_information,
            due_at=due,
            due_name=CLOCK_NAMES[clock] if clock else "",
            left=left,
            late=bool(due and due < self._now and clock not in WINDOWS),
            lon=case.lon,
            lat=case.lat,
            claimed_by=self._names.get(held, "其他审核员") if held else "",
            claimed_until=until if held else None,
        )

    def pressing(self, case: PressingOut) -> Item:
        return Item(
            number=case.number,
            status_name=case.status_name,
            indicator_name=case.indicator_name,
            street_name=case.street_name,
            note=case.request_name or "",
            due_at=case.due_at,
            due_name=case.clock_name,
            left=case.left,
            late=case.overdue,
        )

    def visit(self, visit: VisitOut) -> Item:
        return Item(
            number=visit.number,
            status_name="待回访",
            indicator_name=visit.indicator_name,
            street_name=visit.street_name,
            note=visit.why_name,
        )
