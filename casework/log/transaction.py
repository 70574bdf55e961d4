"""One transaction for a batch of commands, and a savepoint each where others got in between.

Knows no SQL and no thread.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from cachetools import LRUCache

from casework.log.batch import Command, Head, plan
from casework.log.port import Outcome
from casework.log.writer import Clash, Held, Writer

VETTED = 65_536
"""Streams whose names were looked through: two integers each."""

TRIES = 5
"""Attempts of one command against writers of other processes, before it is told to come back."""


class Transactions:
    """Writes batches through a writer, and remembers which streams hold only known names."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._known: frozenset[str] | None = None
        self._vetted: LRUCache[UUID, int] = LRUCache(VETTED)

    def forget(self) -> None:
        """What was looked through may have been rows that were never committed."""
        self._vetted.clear()

    def write(self, commands: Sequence[Command]) -> Sequence[Outcome]:
        """One transaction for all; where another process got in between, one savepoint each.

        Raises Held with nothing written, Broken with perhaps everything written.
        """
        try:
            self._writer.begin()
            try:
                outcomes, heads = self._attempt(commands)
            except Clash:
                self._writer.rollback()
                self._writer.begin()
                outcomes, heads = self._one_by_one(commands)
            if heads:
                self._writer.commit()
            else:
                self._writer.rollback()
        except (Held, Clash) as error:
            self._writer.rollback()
            self.forget()
            raise Held(str(error)) from error
        self._remember(commands, heads)
        return outcomes

    def _one_by_one(self, commands: Sequence[Command]) -> tuple[list[Outcome], dict[UUID, int]]:
        outcomes: list[Outcome] = []
        heads: dict[UUID, int] = {}
        for command in commands:
            for attempt in range(1, TRIES + 1):
                self._writer.savepoint()
                try:
                    done, moved = self._attempt([command])
                except Clash as error:
                    self._writer.rollback_to_savepoint()
                    if attempt == TRIES:
                        raise Held(str(error)) from error
                else:
                    self._writer.release_savepoint()
                    outcomes += done
                    heads |= moved
                    break
        return outcomes, heads

    def _attempt(self, commands: Sequence[Command]) -> tuple[list[Outcome], dict[UUID, int]]:
        """Answers, and the new versions of the streams looked through."""
        earlier, heads = self._writer.look(
            {command.command_id for command in commands},
            {addition.stream for command in commands for addition in command.additions},
        )
        made = plan(commands, earlier, heads, self._foreign(commands, heads))
        if not made.rows:
            return made.outcomes((), commands), {}
        order = made.in_order()
        placed = self._writer.insert([made.rows[i] for i in order])
        positions = [0] * len(order)
        for index, position in zip(order, placed, strict=True):
            positions[index] = position
        return made.outcomes(positions, commands), {
            row.stream: made.heads[row.stream].version for row in made.rows
        }

    def _foreign(self, commands: Sequence[Command], heads: Mapping[UUID, Head]) -> dict[UUID, str]:
        """An unreadable name for each stream that holds one.

        Each event is looked at once: what stands below a version once found clean stays clean,
        the log being append-only, and this release appends none but known names.
        """
        found: dict[UUID, str] = {}
        for command in commands:
            if command.known is None:
                continue
            if command.known is not self._known:
                self._known = command.known
                self._vetted.clear()
            for addition in command.additions:
                stream = addition.stream
                head = heads.get(stream)
                seen = self._vetted.get(stream, 0)
                if head is None or head.version <= seen or stream in found:
                    continue
                unknown = set(self._writer.names(stream, seen)) - command.known
                if unknown:
                    found[stream] = min(unknown)
                else:
                    self._vetted[stream] = head.version
        return found

    def _remember(self, commands: Sequence[Command], heads: Mapping[UUID, int]) -> None:
        """What this release has just appended is known to it and need not be looked through."""
        foreign = {
            addition.stream
            for command in commands
            if command.known is not self._known
            for addition in command.additions
        }
        for stream, version in heads.items():
            if stream not in foreign:
                self._vetted[stream] = version
