"""The audit trail: who did or was refused what, hash-chained, added to and never changed.

Holds no personal data: facts are codes, ids and numbers. Knows nothing of what the actions mean.
Whatever changes desk.db writes its row in that same transaction through `append`; commands,
refusals and reveals go through `trail.AuditTrail`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, and_, func, insert, select

from api.accounts.desk import Desk
from api.accounts.principal import Principal
from api.accounts.tables import audit
from casework.instants import to_micros

Fact = str | int | float | bool | None

_DOMAIN = b"haidian-casework/audit/1"
_GENESIS = bytes(32)
_CHUNK = 500  # rows a query: small enough for a reader never to hold up a checkpoint
_LONGEST = 200
"""Facts are codes, ids and numbers; words of a person do not belong here."""

_encode_facts = msgspec.json.Encoder(order="deterministic").encode


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. `outcome` is "done" or "refused", or a word of the caller's.

    `target` names what it was done to ("case/<uuid>", "account/<uuid>"). A `command_id` may stand
    in the trail only once. Facts hold no personal data. Texts are cut at 200 characters, and what
    no database can hold (NUL, lone surrogates) becomes a question mark: part of an entry may
    be what a stranger sent, and no row may stop the writer.
    """

    at: datetime
    principal_kind: str
    principal_id: str | None
    action: str
    target: str | None = None
    outcome: str = "done"
    facts: dict[str, Fact] = {}
    command_id: UUID | None = None

    def __post_init__(self) -> None:
        for field in ("principal_kind", "principal_id", "action", "target", "outcome"):
            given = getattr(self, field)
            if given is not None:
                msgspec.structs.force_setattr(self, field, _storable(given))
        facts = {
            _storable(name): _storable(fact) if isinstance(fact, str) else fact
            for name, fact in self.facts.items()
        }
        msgspec.structs.force_setattr(self, "facts", facts)


def _storable(text: str) -> str:
    return text[:_LONGEST].encode(errors="replace").decode().replace("\0", "?")


def entry_of(
    principal: Principal,
    action: str,
    at: datetime,
    *,
    target: str | None = None,
    outcome: str = "done",
    facts: dict[str, Fact] | None = None,
    command_id: UUID | None = None,
) -> Entry:
    """An entry in the words of whoever is signed in."""
    return Entry(
        at=at,
        principal_kind=principal.kind.value,
        principal_id=principal.actor_id,
        action=action,
        target=target,
        outcome=outcome,
        facts=facts or {},
        command_id=command_id,
    )


class AuditRow(msgspec.Struct, frozen=True):
    """An entry as it stands in the trail."""

    seq: int
    entry: Entry
    hash: bytes


class Head(NamedTuple):
    """The last row. Kept outside (in a checkpoint) it also shows a trail that was cut short."""

    seq: int
    hash: bytes


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What an auditor asks for. Times half-open; `before` pages backwards from a row."""

    principal_id: str | None = None
    action: str | None = None
    target: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


def append(connection: Connection, entries: Sequence[Entry]) -> int:
    """Add rows within the caller's transaction, which must hold Turn.AUDIT. Returns how many.

    An entry whose command id is in the trail already is left out, so repeating is harmless.
    """
    fresh = _without_known(connection, entries)
    if not fresh:
        return 0
    seq, previous = head(connection)
    rows = []
    for entry in fresh:
        seq += 1
        facts = _encode_facts(entry.facts).decode()
        previous = _link(previous, seq, entry, facts)
        rows.append(
            {
                "seq": seq,
                "at": entry.at,
                "principal_kind": entry.principal_kind,
                "principal_id": entry.principal_id,
                "action": entry.action,
                "target": entry.target,
                "outcome": entry.outcome,
                "facts": facts,
                "command_id": entry.command_id,
                "hash": previous,
            }
        )
    connection.execute(insert(audit), rows)
    return len(rows)


def head(connection: Connection) -> Head:
    """The last row's number and hash; (0, zeros) of an empty trail."""
    last = connection.execute(
        select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
    ).first()
    return Head(0, _GENESIS) if last is None else Head(last.seq, bytes(last.hash))


def page(desk: Desk, wanted: AuditFilter, limit: int = 100) -> list[AuditRow]:
    """The newest rows that fit, newest first. The next page is asked with before=last.seq."""
    with desk.read() as connection:
        return [_row(found) for found in connection.execute(_query(wanted).limit(limit))]


def verify(desk: Desk, outside: Head | None = None) -> int | None:
    """The number of the first broken row, or None where the whole chain holds.

    Rows changed, swapped, put between or taken out break it. A tail cut off, or a chain computed
    anew, shows only against a head kept `outside`.
    """
    seq, previous = 0, _GENESIS
    for found in _all_rows(desk):
        seq += 1
        row = _row(found)
        if row.seq != seq or row.hash != _link(previous, seq, row.entry, found.facts):
            return seq
        previous = row.hash
        if outside is not None and seq == outside.seq and previous != outside.hash:
            return seq
    if outside is not None and seq < outside.seq:
        return seq + 1
    return None


def _all_rows(desk: Desk) -> Iterator[Row[tuple[object, ...]]]:
    after = 0
    while True:
        with desk.read() as connection:
            rows = connection.execute(
                select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(_CHUNK)
            ).all()
        yield from rows
        if len(rows) < _CHUNK:
            return
        after = rows[-1].seq


def _without_known(connection: Connection, entries: Iterable[Entry]) -> list[Entry]:
    entries = list(entries)
    asked = [entry.command_id for entry in entries if entry.command_id is not None]
    known: set[UUID | None] = set()
    for start in range(0, len(asked), _CHUNK):
        chunk = asked[start : start + _CHUNK]
        known.update(
            connection.scalars(select(audit.c.command_id).where(audit.c.command_id.in_(chunk)))
        )
    fresh = []
    for entry in entries:
        if entry.command_id is None or entry.command_id not in known:
            fresh.append(entry)
            if entry.command_id is not None:
                known.add(entry.command_id)
    return fresh


def _link(previous: bytes, seq: int, entry: Entry, facts: str) -> bytes:
    """H(domain, hash of the row before, every field as stored), each part with its length.

    A missing part has a mark of its own, so that it is not the same as an empty one.
    """
    command = None if entry.command_id is None else entry.command_id.bytes
    digest = hashlib.sha256()
    for part in (
        _DOMAIN,
        previous,
        b"%d" % seq,
        b"%d" % to_micros(entry.at),
        entry.principal_kind.encode(),
        None if entry.principal_id is None else entry.principal_id.encode(),
        entry.action.encode(),
        None if entry.target is None else entry.target.encode(),
        entry.outcome.encode(),
        facts.encode(),
        command,
    ):
        digest.update(b"-" if part is None else b"%d:" % len(part) + part)
    return digest.digest()


def _row(found: Row[tuple[object, ...]]) -> AuditRow:
    entry = Entry(
        at=found.at,
        principal_kind=found.principal_kind,
        principal_id=found.principal_id,
        action=found.action,
        target=found.target,
        outcome=found.outcome,
        facts=msgspec.json.decode(found.facts, type=dict[str, Fact]),
        command_id=found.command_id,
    )
    return AuditRow(found.seq, entry, bytes(found.hash))


def _query(wanted: AuditFilter) -> Select[tuple[object, ...]]:
    asked = [
        column == value
        for column, value in (
            (audit.c.principal_id, wanted.principal_id),
            (audit.c.action, wanted.action),
            (audit.c.target, wanted.target),
            (audit.c.outcome, wanted.outcome),
        )
        if value is not None
    ]
    if wanted.since is not None:
        asked.append(audit.c.at >= wanted.since)
    if wanted.until is not None:
        asked.append(audit.c.at < wanted.until)
    if wanted.before is not None:
        asked.append(audit.c.seq < wanted.before)
    return select(audit).where(and_(True, *asked)).order_by(audit.c.seq.desc())  # noqa: FBT003  and_() of nothing is deprecated


def count(desk: Desk) -> int:
    """How many rows the trail holds."""
    with desk.read() as connection:
        return connection.execute(select(func.count()).select_from(audit)).scalar_one()
