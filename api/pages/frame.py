"""What every page has around it: who looks, where they may go, how large the type is.

A route takes `frame: Annotated[Frame, Depends(framed("pages.…"))]`; the frame makes the page,
reads the form that it posts, and leads on.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from math import isfinite
from typing import NamedTuple
from urllib.parse import quote, unquote

from fastapi import Request as HttpRequest
from msgspec.structs import replace
from starlette.responses import RedirectResponse, Response

from api.access import POLICY, Visitor, permit
from api.accounts.principal import PrincipalKind
from api.door import Door as CaseDoor
from api.duty import names_of
from api.pages import posted
from api.pages.base_map import base_map, told
from api.pages.refusing import NOTHING_TYPED, Refused
from api.pages.rendering import page
from api.pages.visitors import page_guard, receipts_of, remember, to_sign_in, token_of
from api.parts import Parts
from api.problems import Problem, ProblemError
from api.visitors import With
from casework.errors import Refusal

SIZE = "size"
SAID = "said"

SCALES = ("100", "110", "125", "140", "150", "175", "200")
"""Percent of the host's type size; each is a class of the style, since a page sets no style."""


class Door(NamedTuple):
    """A page that others lead to: what lets one in, where it is, what it is called."""

    operation: str
    path: str
    name: str


CITIZEN_DOORS = (
    Door("pages.report", "/report", "上报"),
    Door("pages.my", "/my", "我的上报"),
    Door("pages.status", "/status", "查进度"),
    Door("pages.typical_cases", "/typical-cases", "典型案例"),
)
STAFF_DOORS = (
    Door("pages.reviewer", "/desk/reviewer", "审核台"),
    Door("pages.supervisor", "/desk/supervisor", "督办台"),
    Door("pages.street", "/desk/street", "街镇台"),
    Door("pages.checks", "/desk/checks", "现场核查"),
    Door("pages.analyst", "/desk/analyst", "数据分析"),
    Door("pages.typical_desk", "/desk/typical-cases", "典型案例"),
    Door("pages.shifts", "/desk/shifts", "值班交接"),
    Door("pages.search", "/search", "查案件"),
    Door("pages.on_behalf", "/report", "代为上报"),
    Door("pages.office_accounts", "/office/accounts", "账号"),
    Door("pages.office_configuration", "/office/configuration", "配置"),
    Door("pages.office_duty", "/office/duty", "值班表"),
    Door("pages.office_security", "/office/security", "权限与审批"),
    Door("pages.office_audit", "/office/audit", "审计"),
    Door("pages.analyst_dry_run", "/desk/analyst/dry-run", "试算"),
    Door("pages.analyst_documents", "/desk/analyst/documents", "报告"),
)
"""In the order shown; each is there for whom the policy table lets in, once its page is built.

One below another that is shown is not shown itself: its desk leads there.
"""


class Link(NamedTuple):
    """A way on, and whether one is there already."""

    path: str
    name: str
    current: bool


class Frame:
    """A page's surroundings for one request."""

    def __init__(self, request: HttpRequest, parts: Parts, visitor: Visitor) -> None:
        self.request = request
        self.parts = parts
        self.visitor = visitor
        self.path = request.url.path
        kept = request.cookies.get(SIZE, "").split("-")
        asked = request.query_params
        self._asked_size = "elder" in asked or "scale" in asked
        self.elder = asked["elder"] in {"1", "true"} if "elder" in asked else "elder" in kept
        scale = asked.get("scale", "")
        percent = _percent(scale) if scale else next((k for k in kept if k in SCALES), "100")
        self.scale = percent
        self.said = unquote(request.cookies.get(SAID, ""))[:300]

    # what templates ask ---------------------------------------------------------------

    @property
    def staff(self) -> bool:
        return self.visitor.principal.kind is PrincipalKind.STAFF

    @property
    def signed_in(self) -> bool:
        return self.visitor.principal.session_id is not None

    @property
    def name(self) -> str:
        return self.visitor.principal.display_name

    @property
    def token(self) -> str:
        return token_of(self.parts, self.visitor)

    @property
    def links(self) -> tuple[Link, ...]:
        """The pages that this visitor may go to."""
        held = self.visitor.held()
        doors = STAFF_DOORS if self.staff else CITIZEN_DOORS
        open_ = [
            door for door in doors if (policy := POLICY.get(door.operation)) and held & policy.who
        ]
        return tuple(
            Link(door.path, door.name, self._at(door.path))
            for door in open_
            if not any(door.path.startswith(f"{above.path}/") for above in open_)
        )

    def _at(self, path: str) -> bool:
        return self.path == path or self.path.startswith(f"{path}/")

    @property
    def origin(self) -> str:
        """The beginning of every address of this site."""
        return str(self.request.base_url).rstrip("/")

    def with_receipt_of(self, case: str) -> Visitor:
        """The visitor with the receipt that this browser keeps of a case, if it does."""
        receipt = receipts_of(self.request).get(case.upper())
        if not receipt or self.staff:
            return self.visitor
        return replace(self.visitor, receipt=receipt)

    @property
    def base_map(self) -> str:
        """What the map's script reads of the map under our layers."""
        return told(self.parts.settings)

    def new_key(self) -> str:
        """A key for a form: however often it is sent, it is one form."""
        return str(self.parts.new_id())

    @property
    def classes(self) -> str:
        """The classes of the page's root: type size, large type."""
        return " ".join([f"scale-{self.scale}", *(["elder"] if self.elder else [])])

    async def names_of(self, accounts: Iterable[str]) -> dict[str, str]:
        """The names of members of staff by the ids of their accounts."""
        ids = tuple(accounts)
        if not ids:
            return {}
        return await CaseDoor(self.parts).in_thread(lambda: names_of(self.parts.desk, ids))

    # answers --------------------------------------------------------------------------

    def page(self, template: str, status: int = 200, **values: object) -> Response:
        """The page of a template, with this frame as `frame`."""
        under = base_map(self.parts.settings)
        response = page(
            template, {**values, "frame": self}, status, tiles=under.hosts if under else ""
        )
        if self._asked_size:
            self.keep_size(response)
        if self.said:
            response.delete_cookie(SAID)
        return response

    def form_page(self, template: str, refused: Refused | None, **values: object) -> Response:
        """The page of a form: as it is, or with what was typed and what is wrong with it."""
        status, typed = (refused.status, refused.values) if refused else (200, NOTHING_TYPED)
        response = self.page(template, status, **{"values": typed, **values, "refused": refused})
        response.headers.update(refused.headers if refused else {})
        return response

    def fragment(self, template: str, **values: object) -> Response:
        """A part of a page for a script that asks for it; it keeps what was said for the page."""
        return page(template, {**values, "frame": self})

    def keep_size(self, response: Response) -> None:
        """Remember the type size for half a year."""
        value = f"{'elder' if self.elder else 'plain'}-{self.scale}"
        remember(response, self.request, SIZE, value, 180)

    def go(self, path: str, said: str = "") -> Response:
        """On to another page after a form; `said` is told there once."""
        response = RedirectResponse(path, 303)
        if said:
            response.set_cookie(
                SAID, quote(said[:300]), max_age=60, httponly=True, samesite="lax",
                secure=self.request.url.scheme == "https",
            )  # fmt: skip
        return response

    def message(self, status: int, title: str, text: str, back: str = "/") -> Response:
        """A page that says one thing and where to go on."""
        return self.page("message.html", status, title=title, text=text, back=back)

    # forms ----------------------------------------------------------------------------

    async def posted(self) -> posted.Posted:
        """The form that our own page has sent in this session. Raises ProblemError: 400."""
        return await posted.own(self.request, self.parts, self.visitor)

    def permit(self, operation: str) -> None:
        """Ask the policy table for what a form on this page wants done.

        Raises as `api.access.permit` does.
        """
        permit(POLICY[operation], self.visitor)

    def may(self, operation: str) -> bool:
        """Whether the policy table would let this visitor do it."""
        try:
            self.permit(operation)
        except (Refusal, ProblemError):
            return False
        return True


def framed(
    operation: str, instead: Callable[[HttpRequest], str] = to_sign_in
) -> Callable[[HttpRequest, Parts], AsyncIterator[Frame]]:
    """The dependency of a page: its frame, if the policy lets the visitor in.

    Who has no session is led to `instead`.
    """
    guarded = page_guard(operation, instead)

    async def frame(request: HttpRequest, parts: With) -> AsyncIterator[Frame]:
        try:
            yield Frame(request, parts, await guarded(request, parts))
        finally:
            await request.close()  # the files of a form that was read

    return frame


def local(path: str, otherwise: str = "/") -> str:
    """A path of this site, whatever was asked."""
    fine = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if fine and path.isprintable() else otherwise


def _percent(text: str) -> str:
    """The scale nearest to what the host says, such as 1.3."""
    try:
        wanted = float(text) * 100
    except ValueError:
        return "100"
    return min(SCALES, key=lambda known: abs(int(known) - wanted)) if isfinite(wanted) else "100"


def problem_page(frame: Frame, problem: Problem, headers: Mapping[str, str]) -> Response:
    """A problem as a page for people, with what can be done next."""
    response = frame.page("problem.html", problem.status, problem=problem)
    for name, value in headers.items():
        response.headers[name] = value
    response.headers["Cache-Control"] = "no-store"
    return response
