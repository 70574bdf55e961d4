"""What a page does with whatever is raised against a form: beside it, or instead of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel, ValidationError

from api.pages.posted import Posted
from api.pages.refusing import Fault, Refused, lines_of, problem_of
from api.pages.submitting import submitted
from api.problems import FieldError, Problem, problem_error
from api.schemas import Step
from casework.errors import Missing, Refusal, Stale, UnknownCase
from evidence.errors import TooLarge

TYPED = Posted({"words": ("写到一半",)}, {})
MEANWHILE = Step(
    at=datetime(2026, 5, 11, 2, tzinfo=UTC), name="case-registered", says="立案", by="审核员",
    street=None, street_name=None, code=None, words=None, position=7,
)  # fmt: skip


class Row(BaseModel):
    amount: int


class Form(BaseModel):
    rows: tuple[Row, ...]


def invalid() -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Form.model_validate({"rows": [{"amount": "x"}, {"amount": "y"}]})
    return caught.value


def outcome(
    fault: Fault | None,
    instead: tuple[type[Refusal], ...] = (),
    since: Callable[[], Awaitable[Sequence[Step]]] | None = None,
) -> str | Refused:
    """What becomes of a form whose work raises this."""

    async def work() -> str:
        if fault is not None:
            raise fault
        return "done"

    return asyncio.run(
        submitted(
            "act", TYPED, work, label=lambda _action, name: f"〔{name}〕",
            instead=instead, since=since,
        )
    )  # fmt: skip


async def meanwhile() -> Sequence[Step]:
    return (MEANWHILE,)


def test_what_is_done_is_handed_on() -> None:
    assert outcome(None) == "done"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Missing("words", "请填写说明。"), 422),
        (TooLarge(1), 413),
        (problem_error(429, "too-many-requests", "操作过于频繁", "请稍后再试。"), 429),
        (invalid(), 422),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_is_raised_stands_beside_the_form_with_what_was_typed(
    fault: Fault, status: int
) -> None:
    told = outcome(fault, since=meanwhile)
    assert isinstance(told, Refused)
    assert (told.status, told.values) == (status, TYPED.values)
    assert told.typed == ("写到一半",)
    assert told.title and told.since == (), "nobody was faster"


def test_fields_of_the_items_of_a_list_are_one_field_with_its_label() -> None:
    told = outcome(invalid())
    assert isinstance(told, Refused)
    (wrong,) = told.wrong
    assert (wrong.field, wrong.label) == ("rows", "〔rows〕")
    assert told.of("rows") == wrong.says and ":" not in wrong.says
    assert told.of("words") == ""


def test_only_who_lost_a_race_is_told_what_others_did() -> None:
    told = outcome(Stale(3, 4), since=meanwhile)
    assert isinstance(told, Refused) and told.since == (MEANWHILE,)
    alone = outcome(Stale(3, 4))
    assert isinstance(alone, Refused) and alone.since == ()


def test_the_answer_says_when_to_try_again() -> None:
    late = problem_error(429, "many", "过于频繁", "请稍后。", headers={"Retry-After": "9"})
    told = outcome(late)
    assert isinstance(told, Refused) and told.headers == {"Retry-After": "9"}


@pytest.mark.parametrize("status", [401, 403])
def test_who_asks_is_a_matter_of_the_page_and_not_of_the_form(status: int) -> None:
    fault = problem_error(status, "who", "请先登录", "请先登录。")
    with pytest.raises(type(fault)) as caught:
        problem_of(fault)
    assert caught.value is fault
    with pytest.raises(type(fault)):
        outcome(fault)


def test_a_page_may_be_shown_instead_for_some_refusals() -> None:
    with pytest.raises(UnknownCase):
        outcome(UnknownCase("HD1"), instead=(UnknownCase,))
    told = outcome(UnknownCase("HD1"))
    assert isinstance(told, Refused) and told.status == 404


def test_where_no_field_is_named_the_whole_is_one_line() -> None:
    whole = Problem("/problems/late", "已过时限", 409, "已过时限。")
    assert lines_of(whole) == (FieldError("", "已过时限。"),)
    named = FieldError("words", "请填写。")
    assert lines_of(Problem("/problems/missing", "不完整", 422, "", (named,))) == (named,)
