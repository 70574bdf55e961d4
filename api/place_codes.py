"""Place codes (二维码) as they are signed, kept and counted. Knows no picture and no page.

A code is 8 characters of number and 10 of signature (HMAC-SHA256 cut to 50 bits), in Crockford's
base 32: nobody can make one that was not issued, and it can be typed. Scans are counted by day;
who scanned is known for an hour at most, in memory, as a hash under a key that dies with the hour.
"""

import hmac
import secrets
import threading
from collections.abc import Sequence
from datetime import date, datetime
from typing import cast
from uuid import UUID, uuid5

import msgspec

from api.small_streams import Asked, carry_out, readable
from casework.application import ATTEMPTS, Contended, Unreadable
from casework.clocks import SHANGHAI
from casework.errors import KeyReused
from casework.log.port import (
    DuplicateCommand,
    Log,
    Recorded,
    StreamReadOnly,
    VersionConflict,
    Write,
    stream_id,
)
from casework.place_code import (
    Command,
    Event,
    IssueCode,
    PlaceCode,
    PlaceCodeIssued,
    PlaceCodeListed,
    PlaceCodeRevoked,
    decide,
    fold,
)
from projections.place_code_scans import PlaceCodeScans

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = {"I": "1", "L": "1", "O": "0"}
NUMBER, SIGNATURE = 8, 10
"""Characters of 5 bits: 10¹² numbers, and one in 10¹⁵ guesses."""

MOST_MARKS = 200_000
"""Scans remembered in an hour, some 20 MB. What goes beyond is no crowd of people: not counted."""

LIST = stream_id("place-codes")


def code_stream(number: str) -> UUID:
    """The stream of a code, by its number without the signature."""
    return stream_id(f"place-code/{number}")


class Signer:
    """Draws and reads codes under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def code_of(self, number: str) -> str:
        """The code that is printed: 18 characters."""
        mac = hmac.digest(self._key, f"place-code\0{number}".encode(), "sha256")
        return number + _digits(int.from_bytes(mac[:8]) >> 14, SIGNATURE)

    def number_of(self, code: str) -> str | None:
        """The number of a code however it was typed; None where nobody here signed it."""
        signs = [_READ_AS.get(sign, sign) for sign in code.upper() if sign not in "- "]
        given = "".join(signs)
        if len(given) != NUMBER + SIGNATURE or not set(given) <= set(DIGITS):
            return None
        number = given[:NUMBER]
        return number if hmac.compare_digest(self.code_of(number), given) else None


def _digits(number: int, length: int) -> str:
    return "".join(DIGITS[number >> (5 * place) & 31] for place in reversed(range(length)))


class Scanners:
    """Whether somebody has scanned a code within this hour already."""

    def __init__(self, most: int = MOST_MARKS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._hour = -1
        self._key = b""
        self._marks: set[bytes] = set()

    def is_new(self, code: str, source: str, at: datetime) -> bool:
        """True the first time in an hour of the clock. `source` is the name of an address."""
        hour = int(at.timestamp()) // 3600
        with self._lock:
            if hour > self._hour:
                self._hour, self._key, self._marks = hour, secrets.token_bytes(32), set()
            mark = hmac.digest(self._key, f"{code}\0{source}".encode(), "sha256")[:12]
            if mark in self._marks or len(self._marks) >= self._most:
                return False
            self._marks.add(mark)
            return True


class IssuedCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code, who issued it, and whether it still holds. Times are UTC."""

    code: str
    number: str
    held: PlaceCode
    issued_by: str
    issued_at: datetime
    revoked_at: datetime | None = None
    revoked_because: str | None = None


class CodePage(msgspec.Struct, frozen=True):
    """Codes in the order of issue; `after` leads on."""

    codes: list[IssuedCode]
    after: int | None


class PlaceCodes:
    """Every place code of this engine. All but `scanners` may wait for a disk."""

    def __init__(self, log: Log, key: bytes, scans: PlaceCodeScans) -> None:
        self._log = log
        self._signer = Signer(key)
        self.scans = scans
        self.scanners = Scanners()

    def find(self, code: str) -> IssuedCode | None:
        """The code as it stands in the log; None where it was never issued here."""
        number = self._signer.number_of(code)
        return None if number is None else self._read(number)

    def _read(self, number: str) -> IssuedCode | None:
        history = self._log.history(code_stream(number))
        held = fold(_events(history))
        if held is None:
            return None
        end = next((r for r in history if isinstance(r.event, PlaceCodeRevoked)), None)
        return IssuedCode(
            code=self._signer.code_of(number),
            number=number,
            held=held,
            issued_by=history[0].actor.id,
            issued_at=history[0].at,
            revoked_at=end.at if end else None,
            revoked_because=end.event.reason
            if end and isinstance(end.event, PlaceCodeRevoked)
            else None,
        )

    def page(self, street: str | None, after: int, limit: int) -> CodePage:
        """Codes listed after a place in the list, of one 街镇 or of all."""
        found: list[IssuedCode] = []
        for recorded in self._log.history(LIST, after):
            listed = recorded.event
            if not isinstance(listed, PlaceCodeListed) or street not in {None, listed.street}:
                continue
            if len(found) == limit:
                return CodePage(found, after)
            read = self._read(listed.code)
            assert read is not None, "listed with its issue, in one transaction"
            found.append(read)
            after = recorded.version
        return CodePage(found, None)

    def issue(self, command: IssueCode, asked: Asked) -> IssuedCode:
        """Issue a code; the same one for the same command.

        Raises a Refusal of the rules, KeyReused, Contended.
        """
        earlier = self._earlier(asked)
        if earlier is not None:
            return earlier
        (issued,) = decide(None, command, asked.by)
        assert isinstance(issued, PlaceCodeIssued), "what issuing leads to"
        for attempt in range(ATTEMPTS):
            number = _number(asked.command_id, attempt)
            listed = PlaceCodeListed(code=number, street=issued.street)
            writes = [
                Write(code_stream(number), 0, (issued,), asked.at),
                Write(LIST, None, (listed,), asked.at),
            ]
            if self._append(writes, asked):
                made = self._read(number)
                assert made is not None, "just written"
                return made
            earlier = self._earlier(asked)
            if earlier is not None:
                return earlier
        raise Contended

    def revoke(self, number: str, command: Command, asked: Asked) -> IssuedCode:
        """Withdraw a code that exists, for good; the same answer for the same command.

        Raises a Refusal of the rules, KeyReused, Contended.
        """

        def decided() -> tuple[int, Sequence[Event]]:
            history = self._log.history(code_stream(number))
            return len(history), decide(fold(_events(history)), command, asked.by)

        carry_out(self._log, code_stream(number), decided, asked)
        made = self._read(number)
        assert made is not None, "just written"
        return made

    def _append(self, writes: Sequence[Write], asked: Asked) -> bool:
        """Whether it went in; False where the stream or the command was there before."""
        outcome = self._log.append(writes, asked.command_id, asked.by, asked.fingerprint)
        if isinstance(outcome, StreamReadOnly):
            raise Unreadable
        return not isinstance(outcome, VersionConflict | DuplicateCommand)

    def _earlier(self, asked: Asked) -> IssuedCode | None:
        """What the command left when it was first carried out. Raises KeyReused."""
        prior = self._log.by_command(asked.command_id)
        if prior is None:
            return None
        if prior.fingerprint != asked.fingerprint:
            raise KeyReused
        for attempt in range(ATTEMPTS):
            number = _number(asked.command_id, attempt)
            if code_stream(number) == prior.events[0].stream:
                return self._read(number)
        for recorded in self._log.history(LIST):
            listed = recorded.event
            if (
                isinstance(listed, PlaceCodeListed)
                and code_stream(listed.code) == prior.events[0].stream
            ):
                return self._read(listed.code)
        raise KeyReused

    # scans ---------------------------------------------------------------------------

    def count(self, number: str, source: str, at: datetime) -> None:
        """One scan, once an hour for each source. Knows the day only; see `Scanners`."""
        if self.scanners.is_new(number, source, at):
            self.scans.add(number, shanghai_day(at))


def shanghai_day(at: datetime) -> date:
    """The day in Shanghai."""
    return at.astimezone(SHANGHAI).date()


def _number(command_id: UUID, attempt: int) -> str:
    """Eight characters from the command: a request sent twice draws the same."""
    return _digits(int.from_bytes(uuid5(command_id, f"place-code {attempt}").bytes[:5]), NUMBER)


def _events(history: list[Recorded]) -> list[Event]:
    return [cast("Event", recorded.event) for recorded in readable(history)]
