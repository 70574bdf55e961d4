"""Looks whether what is kept is whole: chains, positions, moves, files. Mends and prints nothing.

The letters are those of the invariants in docs/operations.md. Everything is read in one pass in
the order of the log, from its stored bytes.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple
from uuid import UUID

import msgspec

from api.accounts import audit
from api.parts import Parts
from casework.application import case_of, case_stream
from casework.events import PersonErased, ReportSubmitted
from casework.evidence import Derived
from casework.lifecycle import LABELS, RULES, STATUS_AFTER, Status
from casework.log.chain import GENESIS, event_hash
from casework.log.port import Recorded
from casework.log.recorder import LogRecorder
from casework.log.stored import LoggedEvent
from casework.model import Photo
from evidence.errors import BlobMissing

_PAGE = 2000

MOVES = {
    *((source, dest) for (source, _), rule in RULES.items() for dest in rule.to),
    *((status, status) for status in Status),
}
"""From where to where the table leads at all."""


_AFTER = dict[type[msgspec.Struct], Status](STATUS_AFTER.items())


class Wrong(NamedTuple):
    """Something that is not in order: which invariant, where, and what, in Chinese."""

    invariant: str
    where: str
    what: str


class _Stream(NamedTuple):
    version: int
    hash: bytes


class _Gone(NamedTuple):
    """A file that is not there, and whose it was."""

    where: str
    sha256: str
    person: UUID | None


class LogCheck:
    """One pass over the whole log."""

    def __init__(self, parts: Parts) -> None:
        recorder = parts.casework.recorder
        assert isinstance(recorder, LogRecorder)
        self._recorder = recorder
        self._mapper = parts.casework.mapper
        self._parts = parts
        self._streams: dict[UUID, _Stream] = {}
        self._status: dict[UUID, Status] = {}
        self._broken: set[UUID] = set()
        self._gone: list[_Gone] = []
        self._erased: set[UUID] = set()
        self.events = 0
        self.files = 0

    @property
    def streams(self) -> int:
        return len(self._streams)

    def run(self, progress: Callable[[int], None]) -> Iterator[Wrong]:
        """What is wrong, as it is found; `progress` is told of every page how many it held."""
        position, head = 0, self._recorder.max_notification_id() or 0
        while position < head:
            page = self._recorder.select_notifications(
                position, _PAGE, head, inclusive_of_start=False
            )
            if not page:
                yield Wrong("I5", f"位置 {position}", f"日志止于此处，应到 {head}。")
                return
            for stored in page:
                assert isinstance(stored, LoggedEvent)
                if stored.id <= position:
                    yield Wrong("I5", f"位置 {stored.id}", "位置重复或倒退。")
                position = stored.id
                yield from self._event(stored)
            progress(len(page))
            self.events += len(page)
        for gone in self._gone:
            if gone.person not in self._erased:
                yield Wrong("I9", gone.where, f"文件 {gone.sha256} 不在，也没有删除记录。")

    def _event(self, stored: LoggedEvent) -> Iterator[Wrong]:
        stream = stored.originator_id
        assert isinstance(stream, UUID)
        before = self._streams.get(stream, _Stream(0, GENESIS))
        self._streams[stream] = _Stream(stored.originator_version, stored.hash)
        where = f"位置 {stored.id} 流 {stream} 版本 {stored.originator_version}"
        if stored.originator_version != before.version + 1:
            yield Wrong("I4", where, f"版本不连续，应为 {before.version + 1}。")
        right = event_hash(
            before.hash, stream, stored.originator_version, stored.topic, stored.actor,
            stored.at, stored.command_id, stored.state,
        )  # fmt: skip
        if stored.hash != right:
            yield Wrong("I11", where, "哈希与内容不符，事件被改动过。")
            self._broken.add(stream)
        if stream in self._broken:
            return  # what stands after a broken link proves nothing
        recorded = self._mapper.to_domain_event(stored)
        assert isinstance(recorded, Recorded)
        yield from self._move(recorded, where)
        yield from self._files(recorded, where)

    def _move(self, recorded: Recorded, where: str) -> Iterator[Wrong]:
        """I10. The status is told by the events alone, as every reader takes it."""
        after = _AFTER.get(type(recorded.event))
        if after is None:
            return
        before = self._status.get(recorded.stream, Status.NEW)
        self._status[recorded.stream] = after
        if (before, after) not in MOVES:
            names = f"「{LABELS[before].staff}」到「{LABELS[after].staff}」"
            yield Wrong("I10", where, f"流程表中没有从{names}的一步。")
        begins = isinstance(recorded.event, ReportSubmitted)
        if begins and recorded.stream != case_stream(case_of(recorded.command_id)):
            yield Wrong("I2", where, "案件编号不是由上报命令得出的。")

    def _files(self, recorded: Recorded, where: str) -> Iterator[Wrong]:
        """I9. A file that is gone was erased with its person: by the key, or by the log's word.

        What staff uploaded for somebody lies under a key of the account; it goes when the log
        says that the person is erased, which may stand after what cites the file.
        """
        if isinstance(recorded.event, PersonErased):
            self._erased.add(recorded.event.person)
        person: object = getattr(recorded.event, "person", None)
        for file in files_of(recorded.event):
            self.files += 1
            try:
                if not self._parts.blobs.verify(file.sha256):
                    yield Wrong("I9", where, f"文件 {file.sha256} 的内容被改动过。")
            except BlobMissing:
                if self._parts.sealer.unwrap(file.wrapped_key) is not None:
                    known = person if isinstance(person, UUID) else None
                    self._gone.append(_Gone(where, file.sha256, known))


def files_of(event: msgspec.Struct) -> Iterator[Photo | Derived]:
    """Every file that an event cites: pictures, recordings, and what was made of them."""
    for field in event.__struct_fields__:
        value: object = getattr(event, field)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Photo | Derived):
                yield one


def audit_wrong(parts: Parts) -> Iterator[Wrong]:
    """I16, as far as a chain can show it: rows changed, taken out or put between."""
    broken = audit.verify(parts.desk)
    if broken is not None:
        yield Wrong("I16", f"审计记录第 {broken} 条", "与前一条的哈希不衔接。")
