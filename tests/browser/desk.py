"""A browser in front of a running server: who sits there, on what screen, and what went wrong.

`open_site` starts the server of tests/api/client.py on SQLite with people of every role; a `Desk`
is one window of somebody. Knows no page. Waiting is for what the page shows, never for a time.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlsplit
from uuid import uuid4

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    Response,
    ViewportSize,
)

from api.accounts.principal import Channel, PrincipalKind
from api.pages.visitors import COOKIE
from casework.model import Role
from tests.api.client import PASSWORD, ZHONGGUANCUN, Caller, Town, open_town, settings_for

Viewport = Literal["phone", "small", "desktop"]

VIEWPORTS: Mapping[Viewport, ViewportSize] = MappingProxyType(
    {
        "phone": {"width": 390, "height": 844},
        "small": {"width": 320, "height": 640},
        "desktop": {"width": 1366, "height": 768},
    }
)
"""Widths in CSS pixels; the first two are touched."""

ELDER = ("size", "elder-100")
"""The cookie that asks for 长辈版, and its value."""

PEOPLE: Mapping[str, tuple[Role, ...]] = MappingProxyType(
    {
        "市民甲": (),
        "市民乙": (),
        "审核甲": (Role.REVIEWER,),
        "审核乙": (Role.REVIEWER,),
        "督办甲": (Role.SUPERVISOR,),
        "督办乙": (Role.SUPERVISOR,),
        "核查甲": (Role.CHECKER,),
        f"经办{ZHONGGUANCUN}": (Role.STREET,),
        f"负责{ZHONGGUANCUN}": (Role.STREET_LEAD,),
        "编辑甲": (Role.EDITOR,),
        "编辑乙": (Role.EDITOR,),
        "分析甲": (Role.ANALYST,),
        "系统甲": (Role.SYSADMIN,),
        "安全甲": (Role.SECADMIN,),
        "审计甲": (Role.AUDITOR,),
    }
)
"""Who has an account, under what name and in which roles; the password is `PASSWORD`.

The names of citizens, reviewers, supervisors, the checker and the 街镇 are those of `Town`.
"""

_FLAGS = (
    "--headless=new",
    "--disable-gpu",
    # A microphone that beeps; whether a page may listen is still asked.
    "--use-fake-device-for-media-stream",
    # Nothing outside this machine has a name here.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def find_chromium() -> str | None:
    """The program CHROMIUM names, else the first of the usual names on the path."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if (found := shutil.which(name))), None)


def has_chinese_type() -> bool:
    """Whether the system can draw Chinese."""
    if shutil.which("fc-list") is None:
        return False
    done = subprocess.run(
        ["fc-list", ":lang=zh", "family"], capture_output=True, text=True, check=False
    )
    return bool(done.stdout.strip())


def launch(playwright: Playwright, chromium: str) -> Browser:
    """The browser itself, without a window. As root it runs without its own sandbox."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return playwright.chromium.launch(
        executable_path=chromium,
        args=[*_FLAGS, *(["--no-sandbox"] if root else [])],
        chromium_sandbox=not root,
    )


@dataclass
class Site:
    """A server with people, and where it is."""

    town: Town
    address: str

    def person(self, name: str) -> Caller:
        """Somebody of `PEOPLE`, or whom the test made by `town.staff` or `town.citizen`."""
        if name not in PEOPLE:
            return self.town.staff(name)
        roles = PEOPLE[name]
        if not roles:
            return self.town.citizen(name)
        street = ZHONGGUANCUN if {Role.STREET, Role.STREET_LEAD} & set(roles) else None
        return self.town.staff(name, *roles, street=street)

    def cookie(self, name: str) -> str:
        """A session of a page for somebody, as signing in would give."""
        who = self.person(name)
        assert who.account is not None
        citizen = name in PEOPLE and not PEOPLE[name]
        parts = self.town.parts
        with parts.desk.write() as connection:
            return parts.sessions.open(
                connection,
                who.account,
                PrincipalKind.CITIZEN if citizen else PrincipalKind.STAFF,
                Channel.PAGE,
                uuid4(),
                self.town.clock(),
            ).value

    def seen(self) -> None:
        """Wait until the views have all that has happened."""
        head = self.town.parts.casework.eventlog.head()
        self.town.reviewer.get("/cases", after=head, limit=1)


@contextmanager
def open_site() -> Iterator[Site]:
    """A server on SQLite, with an account for everybody of `PEOPLE`."""
    with (
        TemporaryDirectory() as folder,
        open_town(settings_for(Path(folder) / "var")) as town,
    ):
        site = Site(town, str(town.http.base_url).rstrip("/"))
        for name in PEOPLE:
            site.person(name)
        yield site


@dataclass
class Desk:
    """One window: a page, who is signed in, and every trouble it has had."""

    site: Site
    context: BrowserContext
    page: Page
    javascript: bool = True
    troubles: list[str] = field(default_factory=list)
    allowed: set[int] = field(default_factory=lambda: {422})

    def open(self, path: str, status: int = 200) -> Page:
        """Go to a path of the site. Asserts the status; the page has loaded, type and all."""
        answer = self.page.goto(self.site.address + path, wait_until="load")
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"
        if self.javascript:
            self.page.evaluate("document.fonts.ready.then(() => null)")
        return self.page

    def sign_in(self, name: str, password: str = PASSWORD, then: str = "/") -> Page:
        """Sign in by the form, as a person does, and go on to a path."""
        self.open(f"/sign-in?next={then}")
        self.page.fill("[name=name]", name)
        self.page.fill("[name=password]", password)
        with self.page.expect_navigation():
            self.page.click("main form button:not([type=button])")
        return self.page

    def own_clock(self) -> None:
        """Let the scripts of coming pages read the time of the site, which runs on."""
        self.context.clock.install(time=self.site.town.clock())

    def allow(self, *statuses: int) -> None:
        """Let the page ask for what is answered by these without its being a trouble."""
        self.allowed.update(statuses)

    def lose(self, start: str) -> None:
        """Answer 404 to all that begins so from here on, as where it was never brought."""
        self.context.route(
            lambda url: url.startswith(self.site.address + start),
            lambda route: route.fulfill(status=404),
        )
        self.allow(404)

    def quiet(self) -> None:
        """No error in the console, no report of the policy, no failed or foreign request."""
        assert not self.troubles, "\n  ".join([f"{self.page.url}:", *self.troubles])

    # what is listened to -------------------------------------------------------------

    def listen(self) -> None:
        """Note every trouble from here on."""
        self.context.on("console", self._console)
        self.context.on("weberror", lambda error: self._note(f"script: {error.error}"))
        self.context.on("request", self._asked)
        self.context.on("requestfailed", self._failed)
        self.context.on("response", self._answered)
        self.context.expose_function("reportViolation", self._note)
        self.context.add_init_script(
            "document.addEventListener('securitypolicyviolation', (e) => window.reportViolation("
            "`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));"
        )

    def _note(self, what: str) -> None:
        self.troubles.append(what)

    def _console(self, message: ConsoleMessage) -> None:
        # Of a status the answer itself tells more.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self._note(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in {"data", "blob", "about"} and url.netloc != self._host:
            self._note(f"foreign request: {request.url}")

    def _failed(self, request: Request) -> None:
        # A page that is left ends its own requests.
        if request.failure and "ERR_ABORTED" not in request.failure:
            self._note(f"failed request: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        shown = response.request.resource_type == "document"
        if response.status >= 400 and not shown and response.status not in self.allowed:
            self._note(f"answered {response.status}: {response.request.method} {response.url}")

    @property
    def _host(self) -> str:
        return urlsplit(self.site.address).netloc


@contextmanager
def open_desk(
    browser: Browser,
    site: Site,
    who: str | None = None,
    viewport: Viewport = "phone",
    *,
    javascript: bool = True,
    elder: bool = False,
    at: tuple[float, float] | None = None,
) -> Iterator[Desk]:
    """A window of its own, with nothing of another's: signed in as `who`, or nobody.

    `at` is where the phone says it is, longitude and latitude; without it the phone refuses.
    """
    touched = viewport != "desktop"
    context = browser.new_context(
        viewport=VIEWPORTS[viewport],
        has_touch=touched,
        is_mobile=touched,
        java_script_enabled=javascript,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        geolocation={"longitude": at[0], "latitude": at[1]} if at else None,
        permissions=["geolocation"] if at else [],
        reduced_motion="reduce",
        service_workers="block",
    )
    try:
        context.set_default_timeout(30_000)
        cookies = {COOKIE: site.cookie(who)} if who else {}
        if elder:
            cookies[ELDER[0]] = ELDER[1]
        for name, value in cookies.items():
            context.add_cookies([{"name": name, "value": value, "url": site.address}])
        desk = Desk(site, context, context.new_page(), javascript)
        desk.listen()
        yield desk
    finally:
        context.close()


def shoot(page: Page, name: str, *, whole: bool = False) -> Path | None:
    """Save what is seen as SCREENSHOTS/name.png, where that folder is named; `whole`: all of it."""
    folder = os.environ.get("SCREENSHOTS")
    if not folder:
        return None
    assert re.fullmatch(r"[a-z0-9-]+", name), name
    path = Path(folder) / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, full_page=whole, animations="disabled")
    return path
