"""The log as the port describes it: events in, events out, over any recorder of ours."""

from collections.abc import Callable, Sequence
from functools import cached_property
from uuid import UUID

from casework.instants import to_micros
from casework.log.batch import Addition, Command, Entry
from casework.log.chain import Link, broken_link
from casework.log.mapper import EventMapper
from casework.log.port import Outcome, PriorCommand, Recorded, Write
from casework.log.recorder import LogRecorder
from casework.model import Actor


class EventLog:
    """See `port.Log`. Owns neither: whoever made the recorder closes it."""

    def __init__(self, recorder: LogRecorder, mapper: EventMapper) -> None:
        self._recorder = recorder
        self._mapper = mapper

    @cached_property
    def epoch(self) -> UUID:
        """See Log. A restore happens while the engine is down, so it is read once."""
        return self._recorder.epoch()

    @property
    def ready(self) -> bool:
        return self._recorder.committer.ready

    @property
    def alive(self) -> bool:
        """False once the committing thread has ended: the process should exit."""
        return self._recorder.committer.alive

    def append(
        self,
        writes: Sequence[Write],
        command_id: UUID,
        actor: Actor,
        fingerprint: bytes | None = None,
    ) -> Outcome:
        """See Log."""
        command = self._command(writes, command_id, actor, fingerprint)
        return self._recorder.committer.submit_blocking(command)

    async def submit(
        self,
        writes: Sequence[Write],
        command_id: UUID,
        actor: Actor,
        fingerprint: bytes | None = None,
    ) -> Outcome:
        """See Log."""
        command = self._command(writes, command_id, actor, fingerprint)
        return await self._recorder.committer.submit(command)

    def _command(
        self,
        writes: Sequence[Write],
        command_id: UUID,
        actor: Actor,
        fingerprint: bytes | None,
    ) -> Command:
        names = self._mapper.names
        return Command(
            command_id,
            self._mapper.encode_actor(actor),
            tuple(
                Addition(
                    write.stream,
                    write.expected_version,
                    tuple(
                        Entry(names.name_of(event), names.encode(event)) for event in write.events
                    ),
                    to_micros(write.at),
                )
                for write in writes
            ),
            fingerprint,
            names.known,
        )

    def history(self, stream: UUID, after_version: int = 0) -> list[Recorded]:
        """See Log."""
        return [
            self._mapper.to_domain_event(stored)
            for stored in self._recorder.select_events(stream, gt=after_version)
        ]

    def by_command(self, command_id: UUID) -> PriorCommand | None:
        """See Log."""
        stored, fingerprint = self._recorder.select_command(command_id)
        if not stored:
            return None
        return PriorCommand(tuple(map(self._mapper.to_domain_event, stored)), fingerprint)

    def since(self, position: int, limit: int, stop: int | None = None) -> list[Recorded]:
        """See Log."""
        page = self._recorder.select_notifications(position, limit, stop, inclusive_of_start=False)
        return [self._mapper.to_domain_event(stored) for stored in page]

    def head(self) -> int:
        """See Log."""
        return self._recorder.max_notification_id() or 0

    def on_commit(self, wake: Callable[[int], None]) -> None:
        """See Log."""
        self._recorder.wakeups.add(wake)

    def verify_stream(self, stream: UUID) -> int | None:
        """The version of the first event whose hash or place is wrong, or None if all is well."""
        return broken_link(
            stream,
            (
                Link(
                    stored.originator_version, stored.topic, stored.actor, stored.at,
                    stored.command_id, stored.state, stored.hash,
                )
                for stored in self._recorder.select_events(stream)
            ),
        )  # fmt: skip
