"""A driver of the HTTP API: a running server, people with credentials, cases with versions.

The server is a real one on the loopback, in a thread of the test's own process, so that a test
may make accounts, look into the audit trail and move the clock. Knows no rule of a case.
"""

import asyncio
import atexit
import io
import shutil
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TypeVar
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from PIL import Image, ImageDraw
from starlette.routing import BaseRoute, Route

from api.access import MOVES, READS, REPORTS
from api.accounts.audit import AuditFilter, AuditRow, page
from api.accounts.people import add_account
from api.accounts.principal import Channel, Principal, PrincipalKind
from api.app import create_app
from api.parts import Parts
from api.preparing import prepare
from api.preparing_once import _fingerprint
from api.settings import Settings
from api.wiring import build
from casework.lifecycle import Action
from casework.model import Role
from tests.api.described import as_described
from tests.postgres import PostgresServer

MORNING = datetime(2026, 5, 11, 1, 30, tzinfo=UTC)
"""A Monday, half past nine in Haidian: duty and working hours run."""

PASSWORD = "Liu-Lang-Tai-Bei-9"

ZHONGGUANCUN = "110108011"
XUEYUANLU = "110108010"
ZIZHUYUAN = "110108006"
BEIXIAGUAN = "110108007"
INSIDE = {"lon": 116.32367, "lat": 39.98207, "crs": "wgs84", "kind": "road", "accuracy_m": 10}
"""770 m inside 中关村街道."""
COMPOUND = {**INSIDE, "kind": "compound"}
NEAR_BORDER = {**INSIDE, "lon": 116.31732, "lat": 39.94887}
"""Between 紫竹院 and 北下关."""
OUTSIDE = {**INSIDE, "lon": 116.5, "lat": 39.9}

SQLITE = pytest.param("sqlite", id="town-sqlite")
POSTGRES = pytest.param("postgres", id="town-postgres")
"""The stores of the fixture `town`; one worker keeps a town (tests/sharing.py)."""

PATIENCE = 25.0
"""Seconds that a reader of its own write waits here, where a request may take 30: what a test asks
after is told with it, however busy the machine is. A server on its own gives up after two."""

Body = dict[str, object]
T = TypeVar("T")


class HandClock:
    """A clock that runs like any other, from a morning in May, and can be moved forward."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._ahead = timedelta()
        self._stopped: datetime | None = None

    def __call__(self) -> datetime:
        return self._stopped or self._runs()

    def _runs(self) -> datetime:
        return MORNING + self._ahead + timedelta(seconds=time.monotonic() - self._began)

    def forward(self, **much: float) -> None:
        self._ahead += timedelta(**much)

    @contextmanager
    def still(self) -> Iterator[None]:
        """No time passes, however long it takes; afterwards it goes on from there."""
        self._stopped = self._runs()
        try:
            yield
        finally:
            self._ahead -= self._runs() - self._stopped
            self._stopped = None


def picture(seed: int = 0) -> bytes:
    """A real JPEG, another one for every seed."""
    image = Image.new("RGB", (320, 240), (seed * 37 % 256, 120, 90))
    ImageDraw.Draw(image).ellipse((40 + seed % 50, 40, 200, 180), fill=(200, 40, seed % 256))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


@dataclass
class Tracked:
    """A case as the last answer told of it."""

    id: str
    number: str
    version: int
    position: int
    status: str
    receipt: str = ""


@dataclass
class Caller:
    """Somebody at the door, with credentials or without."""

    town: "Town"
    credentials: Callable[[], str | None]
    account: UUID | None = None
    draft: str | None = None

    def _headers(self, key: str | None, match: int | str | None) -> dict[str, str]:
        headers = {}
        if (said := self.credentials()) is not None:
            headers["Authorization"] = said
        if self.draft is not None:
            headers["Draft"] = self.draft
        if key is not None:
            headers["Idempotency-Key"] = key
        if match is not None:
            headers["If-Match"] = f'"{match}"' if isinstance(match, int) else match
        return headers

    def get(self, path: str, **query: str | float) -> httpx.Response:
        return self.town.http.get(
            f"/api/v1{path}", params=query or None, headers=self._headers(None, None)
        )

    def post(
        self,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        match: int | str | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        headers = self._headers(key or str(uuid4()), match)
        if content is not None:
            headers["Content-Type"] = "application/json"
            return self.town.http.post(f"/api/v1{path}", content=content, headers=headers)
        return self.town.http.post(f"/api/v1{path}", json=body, headers=headers)

    # what people do ------------------------------------------------------------------

    def photo(self, case: Tracked | None = None) -> Body:
        """Upload a picture; what a form cites."""
        self.town.pictures += 1
        answer = self.town.http.post(
            "/api/v1/photos",
            files={"file": ("p.jpg", picture(self.town.pictures), "image/jpeg")},
            params={"case": case.number} if case else {},
            headers=self._headers(None, None),
        )
        assert answer.status_code == 201, answer.text
        return {"upload": answer.json()["upload"], "source": "camera"}

    def report(self, *, key: str | None = None, photos: int = 0, **changes: object) -> Tracked:
        """Send a report of shared bikes inside 中关村, with these changes; it is taken in."""
        body: Body = {"place": INSIDE, "text": "共享单车停得太满，推婴儿车过不去。"}
        if photos:
            body["photos"] = [self.photo() for _ in range(photos)]
        else:
            body["no_photo_reason"] = "no_camera"
        answer = self.post("/reports", body | changes, key=key or self.draft)
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert answer.headers["ETag"] == f'"{told["version"]}"'
        return Tracked(
            told["case_id"], told["case_number"], told["version"], told["position"],
            "submitted", told["receipt"],
        )  # fmt: skip

    def act(self, case: Tracked, action: Action | str, then: str, **form: object) -> Body:
        """Take an action on the version last seen; it is carried out, and the case stands there."""
        action = Action(action)
        path = f"/cases/{case.id}/{action.replace('_', '-')}"
        answer = self.post(path, form, match=case.version)
        while answer.status_code == 409 and answer.json()["type"] == "/problems/unseen-findings":
            # What the check of the photos says has come meanwhile, and more of it may come while
            # it is looked at; then decided.
            seen = self.get(f"/cases/{case.id}/photos", after=case.position).json()["photos"]
            form["findings_seen"] = [f["id"] for photo in seen for f in photo["findings"]]
            answer = self.post(path, form, match=case.version)
        assert answer.status_code == 200, f"{action}: {answer.text}"
        told: Body = answer.json()
        version, position = told["version"], told["position"]
        assert isinstance(version, int) and isinstance(position, int)
        assert version > case.version and position > case.position
        assert answer.headers["ETag"] == f'"{version}"'
        assert told["status"] == then
        case.version, case.position, case.status = version, position, then
        self.town.taken.add(action)
        return told

    def refused(
        self, case: Tracked, action: Action | str, status: int, kind: str, **form: object
    ) -> Body:
        """Try an action that is refused: a problem in Chinese, an audit row, the case untouched."""
        action = Action(action)
        path = f"/cases/{case.id}/{action.replace('_', '-')}"
        before = self.town.version_of(case)
        newest = self.town.newest_refusal()
        answer = self.post(path, form)
        problem = is_problem(answer, status, kind)
        assert self.town.version_of(case) == before
        (row,) = self.town.refusals_after(newest)
        assert row.entry.target == f"case/{case.id}"
        assert row.entry.action in {str(action), f"cases.{action}"}
        return problem

    def sees(self, case: Tracked) -> Body:
        """The case as this one reads it, after the views have its last position."""
        answer = self.get(f"/cases/{case.id}", after=case.position)
        assert answer.status_code == 200, answer.text
        seen: Body = answer.json()
        assert answer.headers["ETag"] == f'"{seen["version"]}"'
        return seen


def is_problem(answer: httpx.Response, status: int, kind: str) -> Body:
    """The answer is this problem of RFC 9457, in Chinese."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: Body = answer.json()
    assert problem["type"] == f"/problems/{kind}", answer.text
    assert problem["status"] == status
    for field_name in ("title", "detail"):
        words = problem[field_name]
        assert isinstance(words, str) and any("\u4e00" <= sign <= "\u9fff" for sign in words)
    return problem


@dataclass
class Town:
    """The engine at work, and the people who use it."""

    parts: Parts
    clock: HandClock
    http: httpx.Client
    loop: asyncio.AbstractEventLoop
    taken: set[Action] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    pictures: int = 0
    _people: dict[str, Caller] = field(default_factory=dict)
    _hash: str | None = None

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Do something on the server's own event loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def forward(self, **much: float) -> None:
        """Move the clock, and let the engine read its reference streams at the new time."""
        self.clock.forward(**much)
        self.parts.casework.refresh(self.clock())

    def status_in_the_end(self, case: Tracked) -> str:
        """The case's status once the clock has acted on what is due and the case has moved."""
        seen = case.status
        until = time.monotonic() + 60
        while seen == case.status and time.monotonic() < until:
            # Asking for the log's end waits for the views, on which the clock's index rests.
            head = self.parts.casework.eventlog.head()
            seen = str(self.reviewer.get(f"/cases/{case.id}", after=head).json()["status"])
        return seen

    # people --------------------------------------------------------------------------

    def staff(self, name: str, *roles: Role, street: str | None = None) -> Caller:
        """A member of staff: the same one for the same name."""
        if name not in self._people:
            account = uuid4()
            self._add(account, name, None)
            proposal = uuid4()
            grants = self.parts.grants
            grants.propose(proposal, account, roles, street, _office(Role.SYSADMIN), self.clock())
            grants.confirm(proposal, _office(Role.SECADMIN), self.clock())
            self._people[name] = self._signed_in(account, PrincipalKind.STAFF)
        return self._people[name]

    def citizen(self, name: str) -> Caller:
        """A citizen with an account: the same one for the same name."""
        if name not in self._people:
            account = uuid4()
            self._add(account, name, uuid4())
            self._people[name] = self._signed_in(account, PrincipalKind.CITIZEN)
        return self._people[name]

    def partner(self, name: str) -> Caller:
        """A partner with every scope: the same one for the same name."""
        if name not in self._people:
            key = make_partner(self.parts, name)
            self._people[name] = Caller(self, lambda: f"Partner {key}")
        return self._people[name]

    def anonymous(self) -> Caller:
        """Somebody new without an account, with a draft for the photos and the report."""
        return Caller(self, lambda: None, draft=str(uuid4()))

    def holder(self, receipt: str) -> Caller:
        """Whoever holds this receipt."""
        return Caller(self, lambda: f"Receipt {receipt}")

    def settle(self, case: Tracked, minutes: int = 0, outcome: str = "rectified") -> Tracked:
        """The 街镇 that signed for a case hands it over after so many minutes, and it is closed."""
        self.forward(minutes=minutes)
        worker = self.street()
        photos = [worker.photo()]
        worker.act(case, "rectify", "rectified", outcome=outcome, photos=photos, words="已码放。")
        self.reviewer.act(case, "close", "closed", standard_met=True, reply="已处置，谢谢。")
        return case

    def _add(self, account: UUID, name: str, person: UUID | None) -> None:
        # One hash for all: what argon2 costs is another test's affair.
        self._hash = self._hash or self.parts.passwords.hash(PASSWORD)
        with self.parts.desk.write() as connection:
            add_account(
                connection, account, name, name, self._hash,
                person_id=person, must_change_at=None, now=self.clock(),
            )  # fmt: skip

    def _signed_in(self, account: UUID, kind: PrincipalKind) -> Caller:
        opened: list[tuple[str, datetime]] = []

        def token() -> str:
            now = self.clock()
            if not opened or opened[-1][1] < now:
                with self.parts.desk.write() as connection:
                    issued = self.parts.sessions.open(
                        connection, account, kind, Channel.BEARER, uuid4(), now
                    )
                opened.append((issued.value, now + timedelta(minutes=20)))
            return f"Bearer {opened[-1][0]}"

        return Caller(self, token, account)

    # looking inside ------------------------------------------------------------------

    def version_of(self, case: Tracked) -> int:
        """The version in the log itself."""
        loaded = self.parts.casework.load(UUID(case.id))
        return loaded.version if loaded else 0

    def newest_refusal(self) -> int:
        """The number of the newest row of what was refused; 0 where there is none."""
        rows = page(self.parts.desk, AuditFilter(outcome="refused"), 1)
        return rows[0].seq if rows else 0

    def refusals(self) -> list[AuditRow]:
        """The newest hundred rows of what was refused, newest first."""
        return page(self.parts.desk, AuditFilter(outcome="refused"), 100)

    def refusals_after(self, seq: int) -> list[AuditRow]:
        """What was refused since a row (a hundred at most), newest first."""
        return [row for row in self.refusals() if row.seq > seq]

    # the usual staff -----------------------------------------------------------------

    @property
    def reviewer(self) -> Caller:
        return self.staff("审核甲", Role.REVIEWER)

    @property
    def second_reviewer(self) -> Caller:
        return self.staff("审核乙", Role.REVIEWER)

    @property
    def supervisor(self) -> Caller:
        return self.staff("督办甲", Role.SUPERVISOR)

    @property
    def second_supervisor(self) -> Caller:
        return self.staff("督办乙", Role.SUPERVISOR)

    @property
    def checker(self) -> Caller:
        return self.staff("核查甲", Role.CHECKER)

    def street(self, code: str = ZHONGGUANCUN) -> Caller:
        return self.staff(f"经办{code}", Role.STREET, street=code)

    def lead(self, code: str = ZHONGGUANCUN) -> Caller:
        return self.staff(f"负责{code}", Role.STREET_LEAD, street=code)


def _office(role: Role) -> Principal:
    """One of the 三员, who makes accounts and grants roles."""
    return Principal(kind=PrincipalKind.STAFF, account_id=uuid4(), roles=(role,))


def make_partner(parts: Parts, name: str) -> str:
    """A partner with every scope; its key."""
    partner = uuid4()
    parts.partners.create(partner, name, _office(Role.SYSADMIN), parts.now())
    parts.partners.grant_scopes(
        partner, (READS, REPORTS, MOVES), _office(Role.SECADMIN), parts.now()
    )
    issued = parts.partners.rotate_key(partner, uuid4(), _office(Role.SYSADMIN), parts.now())
    return issued.value


def settings_for(var: Path, database: str = "", **changes: object) -> Settings:
    """Settings with room for a test's many requests from one address."""
    limits = ("report", "upload", "status", "map", "citizen", "recognition")
    roomy = dict.fromkeys((f"{what}_limit" for what in limits), "1000000/minute")
    given = {"var": var, "database": database, "log_owner_allowed": True, **roomy, **changes}
    return Settings.model_validate(given)


@contextmanager
def own_town() -> Iterator["Town"]:
    """A town on SQLite of one file's own, from its first reading to its graceful end."""
    with TemporaryDirectory() as folder, open_town(settings_for(Path(folder) / "var")) as found:
        yield found


@contextmanager
def town_on_its_store(request: pytest.FixtureRequest) -> Iterator["Town"]:
    """A town on the store that is the parameter of the fixture that asks: sqlite or postgres."""
    database = ""
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        database = server.fresh_database()
    with (
        TemporaryDirectory() as folder,
        open_town(settings_for(Path(folder) / "var", database)) as found,
    ):
        yield found


def as_built(parts: Parts) -> Parts:
    """The parts that the wiring made."""
    return parts


@cache
def _prepared() -> Path:
    """A data folder that this code has prepared; as long as this process lives."""
    folder = Path(mkdtemp(prefix="casework"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    settings = settings_for(folder / "var")
    prepare(settings)
    (settings.var / "prepared").write_text(_fingerprint(settings))
    return settings.var


def prepared(var: Path) -> Path:
    """Lay a prepared data folder there: a copy, for the making takes longer than most tests."""
    shutil.copytree(_prepared(), var)
    return var


_INCLUDED: list[BaseRoute] = []


def app_over(parts: Parts) -> FastAPI:
    """The app as it is served, with the routers that the first app of this process included.

    They hold nothing of the parts; to work out what each route takes would cost every town more
    than all the rest of its start.
    """
    app = create_app(parts)
    own = [route for route in app.router.routes if isinstance(route, Route)]
    included = [route for route in app.router.routes if not isinstance(route, Route)]
    if not _INCLUDED:
        _INCLUDED.extend(included)
    assert len(included) == len(_INCLUDED)
    app.router.routes[:] = [*own, *_INCLUDED]
    return app


@contextmanager
def open_town(settings: Settings, change: Callable[[Parts], Parts] = as_built) -> Iterator[Town]:
    """A server over these settings, from its first reading to its graceful end.

    `change` may put another part in the place of one that this release cannot have yet.
    """
    if not settings.var.exists() and settings == settings_for(settings.var):
        prepared(settings.var)
    else:
        prepare(settings)
    clock = HandClock()
    parts = change(build(settings, clock, lambda: clock().timestamp()))
    parts.feed.patience = PATIENCE
    parts.timekeeper.accept_time()  # the hand's morning lies before the founding of the log
    config = uvicorn.Config(
        app_over(parts), host="127.0.0.1", port=0, loop="uvloop", http="httptools",
        access_log=False, log_level="error", server_header=False, proxy_headers=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    listening = config.bind_socket()
    listening.listen(128)
    port: int = listening.getsockname()[1]
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve([listening])

    def run() -> None:
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, name="server")
    thread.start()
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        timeout=60,
        event_hooks={"response": [as_described]},
    ) as http:
        try:
            # The socket listens already: the first request waits until the server takes it up.
            while http.get("/health/ready").status_code != 200:
                assert thread.is_alive()
            yield Town(parts, clock, http, loops[0])
        finally:
            http.close()
            server.should_exit = True
            thread.join()
