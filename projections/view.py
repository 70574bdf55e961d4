"""What a view is: tables, one fold, and what becomes of it when a person is erased."""

from collections.abc import Sequence
from enum import StrEnum
from types import ModuleType
from typing import Protocol, runtime_checkable

from sqlalchemy import Connection, Table

from projections.lines import Line


class OnPoison(StrEnum):
    """What a reader does with an event it cannot fold. Nothing is ever skipped."""

    HOLD = "hold"
    """Keep that stream's events aside, in order, and read on with the others."""
    STOP = "stop"
    """Wait at the event: what comes after it may depend on it."""


class Fold(Protocol):
    """Rows in memory for a while: loaded for some lines, changed by them, written back."""

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        """Load the rows that these lines will touch. Not called where the view is empty."""
        ...

    def apply(self, line: Line) -> None:
        """Change the rows by one line. Raises whatever is wrong with the line."""
        ...

    def spill(self, connection: Connection) -> None:
        """Write what no later line can change, and forget it; keeps a rebuild's memory small."""
        ...

    def write(self, connection: Connection) -> None:
        """Write what is changed, and first wipe what erased persons left in the tables."""
        ...


class View(Protocol):
    """One reader of the log. `name` is its name in `reader_position`."""

    @property
    def name(self) -> str: ...

    @property
    def tables(self) -> tuple[Table, ...]: ...

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        """The modules whose code makes the rows; a change in them makes a new generation."""
        ...

    @property
    def on_poison(self) -> OnPoison: ...

    def fold(self, *, empty: bool) -> Fold:
        """Start a fold; over an `empty` view nothing is looked up, everything is inserted."""
        ...

    def prepare(self, connection: Connection) -> None:
        """Make what SQLAlchemy's tables cannot say, before any row is in."""
        ...

    def finish(self, connection: Connection) -> None:
        """Once, when the first rows are in and the indexes are made."""
        ...

    def scrub(self, connection: Connection) -> None:
        """After an erasure, in a transaction of its own: leave no trace in indexes."""
        ...


@runtime_checkable
class ReadsEvidence(Protocol):
    """A view that is also given the lines of uploads, which belong to no case."""

    @property
    def reads_evidence(self) -> bool: ...


def concerning(view: View, lines: Sequence[Line]) -> Sequence[Line]:
    """The lines that are this view's affair."""
    if isinstance(view, ReadsEvidence):
        return lines
    return [line for line in lines if not line.of_evidence]
