"""Decides which commands of a batch go into the log, and as which rows. Pure: reads no database.

Every answer comes from what stands in the log (earlier commands, heads of streams) and from the
commands before in the same batch, so that a stale command costs no database error and no retry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from casework.log.chain import GENESIS, event_hash
from casework.log.port import (
    Appended,
    DuplicateCommand,
    Outcome,
    StreamReadOnly,
    VersionConflict,
)


class Entry(NamedTuple):
    """One event to be stored: its name and its bytes."""

    name: str
    state: bytes


class Addition(NamedTuple):
    """Entries for one stream; see `port.Write`. `at` is microseconds since 1970 UTC."""

    stream: UUID
    expected_version: int | None
    entries: tuple[Entry, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Command:
    """What one command adds.

    `known` are the event names this release reads; a stream holding another name is read-only
    (None: do not look). `free_start` lets a new stream start at any version, as the library's
    recorders do.
    """

    command_id: UUID
    actor: bytes
    additions: tuple[Addition, ...]
    fingerprint: bytes | None = None
    known: frozenset[str] | None = None
    free_start: bool = False

    @property
    def size(self) -> int:
        """How many events."""
        return sum(len(addition.entries) for addition in self.additions)


class Head(NamedTuple):
    """The last event of a stream."""

    version: int
    hash: bytes
    at: int


class Row(NamedTuple):
    """A row of the log but for its position, which the database gives."""

    stream: UUID
    version: int
    name: str
    state: bytes
    at: int
    actor: bytes
    command_id: UUID
    ordinal: int
    hash: bytes
    fingerprint: bytes | None


NO_HEAD = Head(0, GENESIS, 0)


@dataclass(slots=True)
class Plan:
    """The rows to insert and, per command, its answer or the promise of one.

    `answers[i]` is None where the answer needs the positions of command i's own rows, and an
    index where command i is the twin of an earlier one.
    """

    rows: list[Row] = field(default_factory=list)
    answers: list[Outcome | int | None] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    heads: dict[UUID, Head] = field(default_factory=dict)

    def in_order(self) -> list[int]:
        """Indexes of the rows by (stream, version).

        Writers that all lock in one order never wait for each other in a circle.
        """
        return sorted(
            range(len(self.rows)),
            key=lambda i: (self.rows[i].stream.bytes, self.rows[i].version),
        )

    def outcomes(
        self,
        positions: Sequence[int],
        commands: Sequence[Command],
    ) -> list[Outcome]:
        """The answers, given the position of each row in the order of `rows`."""
        done: list[Outcome] = []
        for answer, (first, last) in zip(self.answers, self.spans, strict=True):
            if answer is None:
                rows = self.rows[first:last]
                done.append(
                    Appended(
                        tuple(positions[first:last]),
                        tuple(row.hash for row in rows),
                        tuple(row.version for row in rows),
                    ),
                )
            elif isinstance(answer, int):
                twin = done[answer]
                assert isinstance(twin, Appended)
                done.append(DuplicateCommand(twin, commands[answer].fingerprint))
            else:
                done.append(answer)
        return done


def plan(
    commands: Sequence[Command],
    earlier: Mapping[UUID, DuplicateCommand],
    heads: Mapping[UUID, Head],
    foreign: Mapping[UUID, str],
) -> Plan:
    """Go through the commands in the order they came.

    `earlier` are those of them already in the log; `heads` the last events of the streams they
    write to (none for a new stream); `foreign` an unreadable name for each stream that holds one.
    """
    made = Plan(heads=dict(heads))
    accepted: dict[UUID, int] = {}
    for index, command in enumerate(commands):
        first = len(made.rows)
        answer: Outcome | int | None
        if command.command_id in earlier:
            answer = earlier[command.command_id]
        elif command.command_id in accepted:
            answer = accepted[command.command_id]
        else:
            answer = _add(made, command, foreign)
            if answer is None:
                accepted[command.command_id] = index
        made.answers.append(answer)
        made.spans.append((first, len(made.rows)))
    return made


def _add(made: Plan, command: Command, foreign: Mapping[UUID, str]) -> Outcome | None:
    """Add the rows of one command, or none of them and say why."""
    moved: dict[UUID, Head] = {}
    rows: list[Row] = []
    for addition in command.additions:
        stream, expected = addition.stream, addition.expected_version
        if command.known is not None and stream in foreign:
            return StreamReadOnly(stream, foreign[stream])
        head = moved.get(stream) or made.heads.get(stream)
        version = head.version if head else 0
        if expected is not None and expected != version:
            if head is not None or not command.free_start:
                return VersionConflict(stream, expected, version)
            version = expected
        head = head or NO_HEAD
        at = max(addition.at, head.at)
        previous = head.hash
        for entry in addition.entries:
            version += 1
            previous = event_hash(
                previous, stream, version, entry.name, command.actor, at,
                command.command_id, entry.state,
            )  # fmt: skip
            ordinal = len(rows)
            rows.append(
                Row(
                    stream, version, entry.name, entry.state, at, command.actor,
                    command.command_id, ordinal, previous,
                    command.fingerprint if ordinal == 0 else None,
                ),
            )  # fmt: skip
        moved[stream] = Head(version, previous, at)
    made.rows += rows
    made.heads.update(moved)
    return None
