"""The log as the views read it: an event with its case, its words opened, masked and short.

Raw words never leave this module: they are opened, masked by the rules of evidence and dropped. Of
an examined picture it opens what it looks like, in numbers.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol
from uuid import UUID

import msgspec
from cachetools import LRUCache
from sqlalchemy import BigInteger, Column, Connection, Index, LargeBinary, Table, Text

from casework import events as did
from casework import evidence, monthly_issue
from casework.log.port import Recorded, UnknownEvent
from casework.model import Sealed
from projections.tables import TRANSIENT, VIEWS, micros, structs_of

ERASED = "〔已按本人要求删除〕"
"""Stands where words stood whose key is destroyed."""

KNOWN_CASES = 50_000
"""Cases whose keys stay in memory: the open ones of a district, some megabytes."""


class Unopenable(Exception):  # noqa: N818  names the finding
    """Words that do not open in the place where they stand: moved or changed bytes."""


class Unreadable(Exception):  # noqa: N818  names the finding
    """An event that this release cannot read, or of a case whose beginning it cannot read."""


class Texts(Protocol):
    """Opens sealed words. None: the key is destroyed. Raises Unopenable."""

    def open(self, sealed: Sealed, case_id: UUID, field: str, command_id: UUID) -> str | None: ...


CASE_KEY = Table(
    "case_key",
    VIEWS,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", LargeBinary(16), nullable=False),
    Column("case_id", LargeBinary(16), nullable=False),
    Column("number", Text, nullable=False),
    Column("person", LargeBinary(16), nullable=False),
    Index("case_key_stream", "stream", unique=True),
    Index("case_key_case", "case_id", unique=True),
    Index("case_key_number", "number", unique=True),
)


class CaseKey(msgspec.Struct, frozen=True):
    """What never changes of a case. Fields in the order of `case_key`.

    `seq` is the position of its submission, which orders cases; `person` the first reporter.
    """

    seq: int
    stream: bytes
    case_id: bytes
    number: str
    person: bytes


WORDS: dict[type[msgspec.Struct], str] = {
    did.ReportSubmitted: "text",
    did.InformationRequested: "question",
    did.InformationSupplied: "text",
    did.InformationAdded: "text",
    did.ReporterJoined: "text",
    did.CaseRefused: "words",
    did.RefusalObjected: "words",
    did.CaseUnmerged: "reason",
    did.RevocationRequested: "words",
    did.CaseReclassified: "reason",
    did.PlaceCorrected: "reason",
    did.CaseDispatched: "reason",
    did.CaseRecalled: "reason",
    did.ReturnRequested: "words",
    did.ReturnRejected: "words",
    did.CoordinationRequested: "words",
    did.ExtensionRequested: "words",
    did.ExtensionDenied: "words",
    did.SuspensionRequested: "words",
    did.SuspensionDenied: "words",
    did.CaseRectified: "words",
    did.SiteCheckRequested: "words",
    did.SiteCheckReported: "findings",
    did.ReworkOrdered: "words",
    did.CaseClosed: "reply",
    did.TransferRequested: "words",
    did.ForceCloseRequested: "words",
    did.SecondPersonDeclined: "words",
    did.CaseRated: "words",
    did.VisitRecorded: "words",
    did.RecheckUpheld: "words",
    did.CaseReopened: "words",
    did.AppealMade: "words",
    did.AppealUpheld: "words",
    did.AppealDismissed: "words",
    did.InstructionNoted: "words",
    did.InstructionAnswered: "words",
}
"""The field in which an event carries words to be shown. Contact and device are never opened."""

_PLACED = (did.ReportSubmitted, did.PlaceCorrected)

CASE_EVENTS = frozenset(did.STORED_AS.values())

EVIDENCE_EVENTS: frozenset[type[msgspec.Struct]] = frozenset(evidence.STORED_AS.values())
"""Facts of uploads, which belong to no case."""

BESIDE: frozenset[type[msgspec.Struct]] = frozenset(
    {
        did.DeadlineReached,
        did.PublicationConsentWithdrawn,
        *evidence.STORED_AS.values(),
        *monthly_issue.STORED_AS.values(),
    }
)
"""Facts of streams that are no case's own: only views that ask for them get them."""


class Line:
    """An event on its way into the views. `words` and `address` are masked; see `Reader.lines`."""

    __slots__ = (
        "_appearance", "_words", "address", "at", "case", "event", "fault", "gone", "kind",
        "position", "recorded", "stream",
    )  # fmt: skip

    def __init__(self, recorded: Recorded, case: CaseKey | None) -> None:
        self.recorded = recorded
        self.event = recorded.event
        self.kind = type(recorded.event)
        self.position = recorded.position
        self.stream = recorded.stream.bytes
        self.at = micros(recorded.at)
        self.case = case
        self.address: str | None = None
        self.gone = False
        """There were words, and their key is destroyed."""
        self.fault: Exception | None = None
        self._words: str | None = None
        self._appearance: evidence.Appearance | None = None

    def key(self) -> CaseKey:
        """The case it belongs to. Raises Unreadable where its beginning could not be read."""
        if self.case is None or self.kind is UnknownEvent:
            raise self._unreadable()
        return self.case

    def _unreadable(self) -> Unreadable:
        if isinstance(self.event, UnknownEvent):
            return Unreadable(f"{self.event.name}: {self.event.why}")
        return Unreadable(f"no beginning of stream {self.recorded.stream}")

    def words(self) -> str | None:
        """The masked words, or None. Raises what was wrong with them, such as Unopenable."""
        if self.fault is not None:
            raise self.fault
        return self._words

    def looks(self) -> evidence.Appearance | None:
        """What an examined picture looks like; None where its key is destroyed. Raises as above."""
        if self.fault is not None:
            raise self.fault
        return self._appearance

    def open(self, texts: Texts, mask: Callable[[str], str]) -> None:
        """Open and mask what it carries; what is wrong becomes `fault`, for the views to hold."""
        try:
            if isinstance(self.event, evidence.EvidenceExamined):
                command = self.recorded.command_id
                self._appearance = evidence.appearance_of(self.event, command, texts.open)
            elif self.kind in WORDS:
                self._open_words(texts, mask, WORDS[self.kind])
        except TRANSIENT:
            raise
        except Exception as fault:  # noqa: BLE001  whatever it is, it is this event's, not the page's
            self.fault = fault

    def _open_words(self, texts: Texts, mask: Callable[[str], str], field: str) -> None:
        sealed = getattr(self.event, field)
        if sealed is not None:
            self._words, self.gone = self._text(texts, mask, sealed, field)
        if isinstance(self.event, _PLACED) and self.event.place.address is not None:
            self.address, lost = self._text(texts, mask, self.event.place.address, "address")
            self.gone = self.gone or lost

    def _text(
        self, texts: Texts, mask: Callable[[str], str], sealed: Sealed, field: str
    ) -> tuple[str | None, bool]:
        case_id = UUID(bytes=self.key().case_id)
        text = texts.open(sealed, case_id, field, self.recorded.command_id)
        return (None, True) if text is None else (mask(text), False)


class Opener:
    """Turns recorded events into lines. `case_of` gives a new case's id from its command's id."""

    def __init__(
        self, texts: Texts, mask: Callable[[str], str], case_of: Callable[[UUID], UUID]
    ) -> None:
        self._texts = texts
        self._mask = mask
        self._case_of = case_of
        self._known: LRUCache[bytes, CaseKey] = LRUCache(KNOWN_CASES)

    def key(self, recorded: Recorded, report: did.ReportSubmitted) -> CaseKey:
        """The key of the case that this report begins."""
        return CaseKey(
            recorded.position,
            recorded.stream.bytes,
            self._case_of(recorded.command_id).bytes,
            report.number,
            report.person.bytes,
        )

    def lines(self, connection: Connection, page: Iterable[Recorded]) -> list[Line]:
        """The lines of a page: facts of cases, erasures, and whatever nobody could read."""
        mine = [each for each in page if _concerns_views(each)]
        keys = self._keys(connection, mine)
        return [self._line(each, keys.get(each.stream.bytes)) for each in mine]

    def lines_from_start(
        self, page: Iterable[Recorded], keys: dict[bytes, CaseKey]
    ) -> Iterator[Line]:
        """As `lines`, where the log is read from its start: the keys gather in `keys`."""
        for each in page:
            if type(each.event) is did.ReportSubmitted:
                key = keys[each.stream.bytes] = self.key(each, each.event)
                yield self._line(each, key)
            elif _concerns_views(each):
                yield self._line(each, keys.get(each.stream.bytes))

    def _line(self, recorded: Recorded, key: CaseKey | None) -> Line:
        line = Line(recorded, key)
        if key is not None or line.kind is evidence.EvidenceExamined:
            line.open(self._texts, self._mask)
        return line

    def _keys(self, connection: Connection, page: Sequence[Recorded]) -> dict[bytes, CaseKey]:
        keys: dict[bytes, CaseKey] = {}
        missing: set[bytes] = set()
        for each in page:
            stream = each.stream.bytes
            if type(each.event) in BESIDE:
                continue
            if isinstance(each.event, did.ReportSubmitted):
                keys[stream] = self._known[stream] = self.key(each, each.event)
            elif stream not in keys:
                known = self._known.get(stream)
                if known is None:
                    missing.add(stream)
                else:
                    keys[stream] = known
        absent = missing - keys.keys()
        for key in structs_of(connection, CASE_KEY, CaseKey, CASE_KEY.c.stream, absent):
            keys[key.stream] = self._known[key.stream] = key
        return keys


def _concerns_views(recorded: Recorded) -> bool:
    kind = type(recorded.event)
    return kind in CASE_EVENTS or kind is did.PersonErased or kind is UnknownEvent or kind in BESIDE
