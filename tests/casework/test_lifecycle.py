"""The one table: it is the machine, every part of the code knows its words, the pages say it."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Union, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest

import casework
from casework import commands as ask
from casework import events as did
from casework.case import evolve, fold
from casework.clock_words import CLOCK_NAMES
from casework.diagram import DOCS, STREAMS, pages, sealed_paths, write
from casework.errors import (
    ConflictOfInterest,
    Missing,
    NotAllowed,
    NothingPending,
    NotPermitted,
    NotYours,
    Refusal,
)
from casework.indicators import FAMILIES
from casework.lifecycle import (
    ACTION_OF,
    CLOCK_OF,
    LABELS,
    MACHINE,
    NAME_OF,
    OPEN,
    ROLE_NAMES,
    RULES,
    STATUS_AFTER,
    TABLE,
    Action,
    Row,
    Status,
    rows_from,
)
from casework.model import Actor, ActorKind, Clock, Role, Sealed, Solved
from casework.state import ANSWERS, Rating, allowed
from tests.facts import (
    asked,
    extension_asked,
    merged,
    refused,
    reported,
    to_closed,
    to_completed,
    to_dispatched,
    to_handling,
    to_recheck,
    to_rectified,
    to_registered,
    to_suspended,
    withdrawn,
)
from tests.goldens import example
from tests.history import CITIZEN, EVERYBODY, MONDAY_9, OTHER_ID, Fact, given

CHINESE = re.compile("[\u4e00-\u9fff]")
COMMANDS: tuple[type[ask.Command], ...] = get_args(ask.Command)
EVENTS: tuple[type[did.Event], ...] = get_args(did.Event)


# The table and the machine -------------------------------------------------------------------


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("status", Status)
def test_the_compiled_table_is_the_machine(status: Status, action: Action) -> None:
    arrows = MACHINE.events[action].transitions.get(status, [])
    ends = {Status(arrow.dest or status) for arrow in arrows}
    found = RULES.get((status, action))
    assert (set(found.to) if found else set()) == ends
    rows = [row for row in TABLE if row.action is action and status in row.sources]
    assert [found.row] == rows if found else not rows, "one row for a status and an action"


def test_the_machine_knows_nothing_that_the_table_does_not() -> None:
    assert set(MACHINE.events) == {str(action) for action in Action}
    assert set(MACHINE.states) == {str(status) for status in Status}
    assert {action for _, action in RULES} == set(Action)


def test_every_row_is_offered_where_it_starts() -> None:
    for row in TABLE:
        for status in Status:
            assert (row in rows_from(status)) == (status in row.sources)


def test_every_status_is_reached_and_only_ends_have_no_way_on() -> None:
    reached = {end for found in RULES.values() for end in found.to}
    assert reached == set(Status) - {Status.NEW}
    moving = {source for (source, _), found in RULES.items() if found.to - {source}}
    assert moving >= OPEN
    assert Status.WITHDRAWN not in moving


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.action)
def test_every_row_says_who_and_what_in_chinese(row: Row) -> None:
    assert row.by
    assert row.sources
    assert CHINESE.search(row.name)
    assert CHINESE.search(row.needs)
    assert not row.family or row.family in FAMILIES


def test_actions_of_one_name_are_one_action() -> None:
    assert set(NAME_OF) == set(Action)
    assert len(set(NAME_OF.values())) == len(Action)
    for row in TABLE:
        assert row.name == NAME_OF[row.action]


def test_statuses_roles_and_clocks_have_chinese_names() -> None:
    assert set(LABELS) == set(Status)
    assert set(ROLE_NAMES) == set(Role)
    assert set(CLOCK_NAMES) == set(Clock)


# Commands and events -------------------------------------------------------------------------


def test_every_command_has_its_action_and_every_action_its_command() -> None:
    assert set(ACTION_OF) == set(COMMANDS)
    assert sorted(ACTION_OF.values()) == sorted(Action)


def test_a_row_with_a_code_has_a_command_with_a_code() -> None:
    coded = {row.action for row in TABLE if row.family}
    for kind, action in ACTION_OF.items():
        assert ("code" in kind.__struct_fields__) == (action in coded), kind


def test_every_event_is_stored_and_leads_where_the_table_leads() -> None:
    assert set(did.STORED_AS.values()) == set(EVENTS)
    assert set(STATUS_AFTER) <= set(EVENTS)
    ends = {end for row in TABLE for end in row.to if end is not None}
    assert set(STATUS_AFTER.values()) == ends


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("full", [True, False])
def test_the_past_is_never_refused(kind: type[did.Event], *, full: bool) -> None:
    """Any event, also one that no rule would make now, is folded into some case."""
    event = example(kind, full=full)
    assert isinstance(event, kind)
    before = given(*to_handling()).state
    case = evolve(before, event, MONDAY_9, CITIZEN)
    assert case.status is STATUS_AFTER.get(kind, before.status)


def test_a_case_is_the_fold_of_its_history() -> None:
    history = given(*to_handling())
    assert fold(history.told) == history.state
    assert fold(history.told[2:], fold(history.told[:2])) == history.state
    assert fold(()) is None


@pytest.mark.parametrize("facts", [to_handling(), (*to_handling(), extension_asked())])
def test_a_case_and_its_parts_do_not_change_in_anybodys_hands(facts: tuple[Fact, ...]) -> None:
    case = given(*facts).state
    parts = [case, *case.clocks.values(), *case.pending.values(), Rating(UUID(int=1), 1, Solved.NO)]
    for part in parts:
        field = part.__struct_fields__[0]
        with pytest.raises(AttributeError):
            setattr(part, field, getattr(part, field))


def test_an_answer_decides_a_request_that_has_a_clock() -> None:
    requests = {request for asked in ANSWERS.values() for request in asked}
    assert requests == set(CLOCK_OF) - {Action.REQUEST_COORDINATION}


# Everybody, everywhere -----------------------------------------------------------------------

IN_STATUS: dict[Status, tuple[Fact, ...]] = {
    Status.NEW: (),
    Status.SUBMITTED: (reported(),),
    Status.AWAITING_INFORMATION: (reported(), asked()),
    Status.REGISTERED: to_registered(),
    Status.DISPATCHED: to_dispatched(),
    Status.HANDLING: to_handling(),
    Status.SUSPENDED: to_suspended(),
    Status.RECTIFIED: to_rectified(),
    Status.CLOSED: to_closed(),
    Status.UNDER_RECHECK: to_recheck(),
    Status.COMPLETED: to_completed(),
    Status.REFUSED: (reported(), refused()),
    Status.WITHDRAWN: (reported(), withdrawn()),
    Status.MERGED: (reported(), merged(OTHER_ID)),
}
"""The plainest history that leads to each status."""

HISTORIES = {
    status: given(*facts).beside(other=given(reported())) for status, facts in IN_STATUS.items()
}
ANY_COMMAND = {kind: example(kind, full=False) for kind in COMMANDS}


@pytest.mark.parametrize("by", EVERYBODY, ids=lambda by: by.id)
@pytest.mark.parametrize("status", Status)
def test_the_table_alone_says_what_is_open_to_whom(status: Status, by: Actor) -> None:
    """All commands: what is not offered is refused, what is offered the table does not refuse."""
    history, case = HISTORIES[status], HISTORIES[status].case
    offered = allowed(case, by) if case else [a for a in [Action.SUBMIT] if _may_report(by)]
    for kind, action in ACTION_OF.items():
        command = ANY_COMMAND[kind]
        assert isinstance(command, kind)
        refusal = history.when(command, by=by).refusal
        by_the_table = isinstance(refusal, NotAllowed | NotPermitted | NotYours)
        if action in offered:
            assert not by_the_table, f"{action}: {refusal}"
        else:
            assert refusal is not None, action
            assert by_the_table or type(refusal) in _RELATIONS_TOLD, f"{action}: {refusal!r}"


_RELATIONS_TOLD = {Missing, ConflictOfInterest, NothingPending}
"""Already a reporter; one's own street; no request to decide: told as what they are."""


def _may_report(by: Actor) -> bool:
    return by.holds(*RULES[Status.NEW, Action.SUBMIT].row.by)


# Refusals ------------------------------------------------------------------------------------


def refusals() -> Iterator[type[Refusal]]:
    """Every kind of refusal that any module of casework defines."""
    for module in pkgutil.walk_packages(casework.__path__, "casework."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)
    left: list[type[Refusal]] = [Refusal]
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        if kind is not Refusal and kind.__module__.startswith("casework."):
            yield kind


def sample(hint: object) -> object:
    """A value for a field of a refusal."""
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        return sample(get_args(hint)[0])
    if origin is tuple:
        return ("甲", "乙")
    plain: dict[object, object] = {
        str: "某事",
        int: 3,
        float: 3.0,
        datetime: datetime(2026, 3, 2, 1, tzinfo=UTC),
        UUID: UUID(int=1),
    }
    return plain[hint]


@pytest.mark.parametrize("kind", list(refusals()), ids=lambda kind: kind.__name__)
def test_every_refusal_is_a_sentence_in_chinese(kind: type[Refusal]) -> None:
    hints = get_type_hints(kind)
    given_fields: list[str] = list(getattr(kind, "__dataclass_fields__", {}))
    refusal = kind(*(sample(hints[name]) for name in given_fields))
    said = str(refusal)
    assert len(CHINESE.findall(said)) >= 2
    for name in given_fields:
        if hints[name] is datetime:
            assert "2026年03月02日 09:00" in said, "a moment is told as people here read it"


# Generated pages -----------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "text"), list(pages()), ids=["lifecycle", "events"])
def test_the_generated_pages_say_what_the_code_says(path: Path, text: str) -> None:
    assert path.parent == DOCS
    assert path.read_text(encoding="utf-8") == text, "write them anew: python -m casework.diagram"


def test_the_pages_are_written_where_they_are_read(tmp_path: Path) -> None:
    write(tmp_path)
    for path, text in pages():
        assert (tmp_path / path.name).read_text(encoding="utf-8") == text


def test_every_module_that_stores_facts_is_on_the_page() -> None:
    names = [name for stream in STREAMS for name in stream.stored_as]
    assert len(names) == len(set(names)), "each fact on the page once"
    told = set(names)
    for module in pkgutil.walk_packages(casework.__path__, "casework."):
        if ".migrations" in module.name:
            continue
        for name, table in vars(importlib.import_module(module.name)).items():
            if name.endswith("STORED_AS"):
                assert set(table) <= told, f"{module.name}.{name}"


def test_the_page_names_everything_that_is_sealed() -> None:
    assert list(sealed_paths(did.PlaceCorrected)) == ["place.address", "place.device", "reason"]
    for kind in EVENTS:
        stored = example(kind, full=True)
        seen = {
            field for field in kind.__struct_fields__ if isinstance(getattr(stored, field), Sealed)
        }
        assert seen <= set(sealed_paths(kind))


def test_an_actor_holds_the_roles_it_was_given() -> None:
    actor = Actor(ActorKind.STAFF, "two-hats", roles=(Role.REVIEWER, Role.CHECKER))
    assert actor.holds(Role.CHECKER, Role.SUPERVISOR)
    assert not actor.holds(Role.SUPERVISOR)
