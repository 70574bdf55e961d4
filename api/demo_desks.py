"""Carries out what the demonstration does beside the cases: by the very functions of the routes.

A deed names an operation; its path, key, form and audit row are those of a request over HTTP, and
the policy table is asked as there. Knows no story.
"""

import asyncio
import dataclasses
import threading
from typing import TypeVar
from uuid import UUID

from fastapi import APIRouter
from fastapi import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Message

from api.access import POLICY, Visitor, permit
from api.demo_telling import EXAMINED, REACHED, Answer, Deed
from api.desk_schemas import DutyIn, HandOverIn
from api.evidence_schemas import ConfirmIn, RedactIn
from api.office_schemas import AddIndicatorIn, RolesIn
from api.parts import Parts
from api.routes import accounts, duty, indicators, photos, shifts, special_periods, typical_cases
from api.routes.special_periods import DeclareIn
from api.routes.typical_cases import Sent
from api.schemas import Wire
from api.typical_schemas import ApproveEntryIn, NominateIn, RedactEntryIn
from casework.log.port import Log
from projections.feed import AsOf, Feed
from projections.reading import Readers

API = "/api/v1"
REFERENCE = frozenset({"special_periods.declare", "indicators.propose", "indicators.confirm"})
"""Operations on what the rules rest on."""

F = TypeVar("F", bound=Wire)


class OwnFeed(Feed):
    """Views that are read on where the story says so: in few large steps, and by nobody else."""

    def __init__(self, log: Log, readers: Readers) -> None:
        super().__init__(log, readers)
        self._one = threading.Lock()

    def wait_for(self, position: int, timeout: float | None = None) -> AsOf:  # noqa: ARG002  as Feed has them
        """Say what they have seen; there is nobody to wait for."""
        return self.as_of()

    def read_on(self) -> None:
        """Read to the end of the log; of several who ask at once the first does it."""
        with self._one:
            while not self._has_seen(self.log.head()) and self.round():
                pass


class Call:
    """A deed as a request: its path by the route's own pattern, its form as the body."""

    def __init__(self, router: APIRouter, parts: Parts, visitor: Visitor, deed: Deed) -> None:
        self.parts = parts
        self.visitor = visitor
        self._deed = deed
        self._path = API + router.url_path_for(deed.what, **deed.of)

    def form(self, wanted: type[F]) -> F:
        """The form. Raises ValidationError: the story was changed, or the form."""
        return wanted.model_validate(self._deed.fields)

    def request(self, form: Wire | None = None) -> HttpRequest:
        """What a route reads of a request besides its form."""
        body = b"" if form is None else form.model_dump_json(exclude_defaults=True).encode()

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        scope = {
            "type": "http",
            "method": "POST",
            "path": self._path,
            "path_params": dict(self._deed.of),
            "headers": [],
            "query_string": b"",
        }
        return HttpRequest(scope, receive)

    def sent(self, key: str, form: Wire | None = None) -> Sent:
        """The same as the steps of a monthly issue take it."""
        return Sent(self.request(form), Response(), key, None)


class Desks:
    """The desks of an engine, which waits for nobody to read its views."""

    def __init__(self, parts: Parts, feed: OwnFeed) -> None:
        self._parts = dataclasses.replace(parts, feed=feed)
        self._feed = feed

    async def carry_out(self, deed: Deed, visitor: Visitor, key: str) -> Answer:
        """Do it now, by the engine's clock.

        Raises:
            Refusal: it is against the rules.
            NotPermitted: it is not theirs to do.

        """
        if deed.what == EXAMINED:
            # In the moment of the story, which a thread of the executor would not know.
            await asyncio.to_thread(self._tell)
            return Answer()
        if deed.waits:
            await asyncio.to_thread(self._feed.read_on)
        if deed.what == REACHED:
            return Answer()
        permit(POLICY[deed.what], visitor)
        family = deed.what.partition(".")[0]
        if family == "typical_cases":
            return await self._issue(deed, visitor, key)
        if family == "cases":
            return await self._photo(deed, visitor, key)
        return await self._office(deed, visitor, key)

    def _tell(self) -> None:
        self._feed.read_on()
        self._parts.examining.tell()
        self._feed.read_on()

    async def _issue(self, deed: Deed, visitor: Visitor, key: str) -> Answer:
        """A step of a month's typical cases."""
        parts, month = self._parts, deed.of["month"]
        call = Call(typical_cases.router, parts, visitor, deed)
        match deed.what:
            case "typical_cases.nominate":
                new = call.form(NominateIn)
                told = await typical_cases.nominate(month, new, parts, visitor, call.sent(key, new))
                mine = [e.entry for e in told.entries if e.number == new.case]
                return Answer(mine[-1])
            case "typical_cases.redact":
                texts = call.form(RedactEntryIn)
                await typical_cases.redact(month, texts, parts, visitor, call.sent(key, texts))
            case "typical_cases.approve":
                which = call.form(ApproveEntryIn)
                await typical_cases.approve(month, which, parts, visitor, call.sent(key, which))
            case "typical_cases.publish":
                await typical_cases.publish(month, parts, visitor, call.sent(key))
            case _:
                raise LookupError(deed.what)
        return Answer()

    async def _photo(self, deed: Deed, visitor: Visitor, key: str) -> Answer:
        """A photo covered, or what covers it looked at."""
        parts, case = self._parts, deed.of["case"]
        upload = deed.of["upload"]
        call = Call(photos.router, parts, visitor, deed)
        match deed.what:
            case "cases.redact":
                boxes = call.form(RedactIn)
                made = await photos.redact(
                    case, UUID(upload), boxes, call.request(boxes), parts, visitor, key
                )
                return Answer(made.number)
            case "cases.confirm_redaction":
                seen = call.form(ConfirmIn)
                await photos.confirm_redaction(
                    case, UUID(upload), seen, call.request(seen), parts, visitor, key
                )
                return Answer()
            case _:
                raise LookupError(deed.what)

    async def _office(self, deed: Deed, visitor: Visitor, key: str) -> Answer:
        """A duty, a hand-over between shifts, a change between two persons."""
        parts = self._parts
        match deed.what:
            case "duty.assign":
                call = Call(duty.router, parts, visitor, deed)
                who = call.form(DutyIn)
                return Answer(
                    (await duty.assign(who, call.request(who), parts, visitor, key)).number
                )
            case "shifts.hand_over":
                call = Call(shifts.router, parts, visitor, deed)
                words, desk = call.form(HandOverIn), deed.of["desk"]
                signed = await shifts.hand_over(
                    desk, words, call.request(words), parts, visitor, key
                )
                return Answer(signed.number)
            case "shifts.take_over":
                call = Call(shifts.router, parts, visitor, deed)
                desk, number = deed.of["desk"], int(deed.of["number"])
                taken = await shifts.take_over(desk, number, call.request(), parts, visitor, key)
                return Answer(taken.number)
            case "special_periods.declare":
                call = Call(special_periods.router, parts, visitor, deed)
                period = call.form(DeclareIn)
                change = await special_periods.declare(
                    period, call.request(period), parts, visitor, key
                )
                return Answer(change.id)
            case "indicators.propose":
                call = Call(indicators.router, parts, visitor, deed)
                new = call.form(AddIndicatorIn)
                change = await indicators.propose_indicator(
                    new, call.request(new), parts, visitor, key
                )
                return Answer(change.id)
            case "indicators.confirm":
                call = Call(indicators.router, parts, visitor, deed)
                number = int(deed.of["number"])
                await indicators.confirm_change(number, call.request(), parts, visitor, key)
                return Answer(number)
            case "accounts.propose_roles":
                call = Call(accounts.router, parts, visitor, deed)
                roles = call.form(RolesIn)
                account = UUID(deed.of["account"])
                await accounts.propose_roles(
                    account, roles, call.request(roles), parts, visitor, key
                )
                return Answer()
            case _:
                raise LookupError(deed.what)
