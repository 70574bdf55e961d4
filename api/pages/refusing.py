"""What a refusal looks like beside the form that it refuses, for every page. Knows no form."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec
from pydantic import ValidationError

from api.messages import field_errors
from api.pages.action_forms import PROSE
from api.problems import FieldError, Problem, ProblemError, of_refusal
from api.schemas import Step
from casework.errors import Refusal
from evidence.errors import UploadRefused

Values: TypeAlias = Mapping[str, tuple[str, ...]]
Label: TypeAlias = Callable[[str, str], str]
"""What a field of the form of an action is called on its page; empty for one without a name."""

NOTHING_TYPED: Values = {}

Fault: TypeAlias = Refusal | UploadRefused | ValidationError | ProblemError
FAULTS = (Refusal, UploadRefused, ValidationError, ProblemError)
"""What the API's code raises against a form."""

INSTEAD = frozenset({401, 403})
"""Problems of who asks, not of what was filled in: a page shows them instead of the form."""


class Wrong(msgspec.Struct, frozen=True):
    """What is wrong with one field: its name on the page, its label, what to do."""

    field: str
    label: str
    says: str


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Why a form was not taken; what stood in it; what others have done since it was shown."""

    action: str
    status: int
    title: str
    says: str
    wrong: tuple[Wrong, ...] = ()
    values: Values = NOTHING_TYPED
    since: tuple[Step, ...] = ()
    headers: Mapping[str, str] = {}

    @property
    def typed(self) -> tuple[str, ...]:
        """The words that were typed, for where their form is no longer there."""
        return tuple(text for name in PROSE for text in self.values.get(name, ()) if text.strip())

    def of(self, field: str) -> str:
        """What is wrong with a field, or nothing."""
        return next((w.says for w in self.wrong if w.field == field), "")


def problem_of(fault: Fault) -> tuple[Problem, Mapping[str, str]]:
    """The problem that stands beside the form, and the headers that its answer wants.

    Raises the fault itself, where it is a problem of INSTEAD.
    """
    match fault:
        case ValidationError():
            wrong = field_errors([{**e} for e in fault.errors(include_url=False)])
            return Problem("/problems/invalid", "请检查填写的内容", 422, "", wrong), {}
        case ProblemError():
            if fault.problem.status in INSTEAD:
                raise fault
            return fault.problem, fault.headers
        case _:
            return of_refusal(fault)


def lines_of(problem: Problem) -> tuple[FieldError, ...]:
    """What is wrong field by field; one line without a field where none is named."""
    return problem.errors or (FieldError("", problem.detail),)


def without_name(_action: str, _field: str) -> str:
    """No label: what is wrong is said without one."""
    return ""


def on_the_page(field: str) -> str:
    """The field that a person sees: without the number of an item in a list."""
    parts: list[str] = []
    for part in field.split("."):
        if part.isdigit():
            break
        parts.append(part)
    return ".".join(parts)


def refused(
    action: str,
    problem: Problem,
    values: Values = NOTHING_TYPED,
    *,
    since: Sequence[Step] = (),
    headers: Mapping[str, str] | None = None,
    label: Label = without_name,
) -> Refused:
    """A problem as the page shows it beside the form."""
    return Refused(
        action=action,
        status=problem.status,
        title=problem.title,
        says=problem.detail,
        wrong=wrongs(action, problem.errors, label),
        values=values,
        since=tuple(since),
        headers=dict(headers or {}),
    )


def wrongs(
    action: str,
    errors: Sequence[FieldError],
    label: Label,
    named: Callable[[str], str] = on_the_page,
) -> tuple[Wrong, ...]:
    """The errors of fields under the names and labels that they have on a page, each once."""
    found: dict[tuple[str, str], Wrong] = {}
    for error in errors:
        name = named(error.field)
        says = error.message.removeprefix(f"{error.field}: ")
        found[name, says] = Wrong(name, label(action, name), says)
    return tuple(found.values())
