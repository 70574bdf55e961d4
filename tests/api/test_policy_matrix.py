"""Every route asked by every kind of visitor, of a case that is theirs, another's, or not there.

What is right is read from the policy table, what one may see from a table here written by hand.
Every request is a real one. Actions come with a version that nobody has seen, so that one who may
act changes nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import uuid4

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from api.access import MOVES, POLICY, READS, REPORTS, Policy, Who
from api.actions import FORMS
from api.app import API, ROUTERS, UNPREFIXED, require_policy
from api.visitors import guard
from casework.lifecycle import Action
from casework.model import Role
from tests.api.client import (
    INSIDE,
    XUEYUANLU,
    ZHONGGUANCUN,
    Body,
    Caller,
    Town,
    is_problem,
    open_town,
    settings_for,
)

NEVER_SEEN = 999_999
EVERYTHING = frozenset({READS, REPORTS, MOVES})


class Kind(NamedTuple):
    """A kind of visitor: what they hold, a partner's scopes, and which of the cases are theirs."""

    caller: Caller
    held: frozenset[Role | Who]
    sees: str = ""
    scopes: frozenset[str] | None = None

    @property
    def is_nobody(self) -> bool:
        return not self.held & {Who.SIGNED_IN, Who.RECEIPT, Role.PARTNER}

    def may(self, policy: Policy) -> bool:
        if self.scopes is not None and Who.ANYONE not in policy.who:
            return Role.PARTNER in policy.who and policy.scope in self.scopes
        return bool(self.held & policy.who)


@dataclass
class Scene:
    """Case a: a citizen's, with 中关村. Case b: a partner's, not reviewed. Case none: not there."""

    town: Town
    cases: Mapping[str, str]
    kinds: Mapping[str, Kind]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with open_town(settings_for(tmp_path_factory.mktemp("matrix") / "var")) as town:
        citizen, partner = town.citizen("市民甲"), town.partner("网络问政")
        a, b = citizen.report(), partner.report()
        town.reviewer.act(a, "register", "dispatched", indicator="P10", condition="P10-2")
        cases = {"a": a.id, "b": b.id, "none": str(uuid4())}
        yield Scene(town, cases, kinds_of(town, citizen, partner, a.receipt))


def kinds_of(town: Town, citizen: Caller, partner: Caller, receipt: str) -> dict[str, Kind]:
    anyone: frozenset[Role | Who] = frozenset({Who.ANYONE})
    receipts: frozenset[Role | Who] = anyone | {Who.ANONYMOUS, Who.RECEIPT}
    citizens: frozenset[Role | Who] = anyone | {Who.SIGNED_IN, Role.CITIZEN}
    partners: frozenset[Role | Who] = anyone | {Role.PARTNER}
    staff: frozenset[Role | Who] = anyone | {Who.SIGNED_IN}
    stranger = town.anonymous().report()
    kinds = {
        "anonymous": Kind(town.anonymous(), anyone | {Who.ANONYMOUS}),
        "link": Kind(Caller(town, lambda: f"Upload {uuid4()}.secret"), anyone | {Who.LINK}),
        "receipt of a": Kind(town.holder(receipt), receipts, "a"),
        "another receipt": Kind(town.holder(stranger.receipt), receipts),
        "a receipt of nothing": Kind(town.holder("AAAA"), receipts),
        "citizen of a": Kind(citizen, citizens, "a"),
        "another citizen": Kind(town.citizen("市民乙"), citizens),
        "partner of b": Kind(partner, partners, "b", EVERYTHING),
        "partner without scopes": Kind(partner_with(town, "无权限"), partners, "", frozenset()),
        "partner that reads": Kind(
            partner_with(town, "只读", READS), partners, "", frozenset({READS})
        ),
        "staff without a role": Kind(town.staff("无角色"), staff),
    }
    for role, street, sees in STAFF:
        name = f"{role}{street or ''}"
        caller = town.staff(f"账号{name}", role, street=street)
        kinds[name] = Kind(caller, staff | {role}, sees)
    return kinds


STAFF = (
    (Role.REVIEWER, None, "ab"),
    (Role.STREET, ZHONGGUANCUN, "a"),
    (Role.STREET, XUEYUANLU, ""),
    (Role.STREET_LEAD, ZHONGGUANCUN, "a"),
    (Role.STREET_LEAD, XUEYUANLU, ""),
    (Role.CHECKER, None, ""),
    (Role.SUPERVISOR, None, "ab"),
    (Role.EDITOR, None, ""),
    (Role.ANALYST, None, "ab"),
    (Role.SYSADMIN, None, ""),
    (Role.SECADMIN, None, ""),
    (Role.AUDITOR, None, ""),
)


def partner_with(town: Town, name: str, *scopes: str) -> Caller:
    sysadmin = town.staff("账号sysadmin", Role.SYSADMIN)
    secadmin = town.staff("账号secadmin", Role.SECADMIN)
    partner = sysadmin.post("/partners", {"name": name}).json()["id"]
    granted = secadmin.post(f"/partners/{partner}/scopes", {"scopes": scopes})
    assert granted.status_code == 200, granted.text
    key = sysadmin.post(f"/partners/{partner}/key", {}).json()["key"]
    return Caller(town, lambda: f"Partner {key}")


# asking ----------------------------------------------------------------------------------

FIELDS: Body = {
    "words": "说明文字足够十个字的样子。",
    "reason": "说明文字足够十个字的样子。",
    "question": "在哪个门？",
    "reply": "已经办好。",
    "findings": "现场看过。",
    "code": "N01",
    "indicator": "P10",
    "condition": "P10-2",
    "street": ZHONGGUANCUN,
    "primary": str(uuid4()),
    "place": INSIDE,
    "handler": "张师傅",
    "by": {"amount": 1, "unit": "duty_hour"},
    "limit": {"amount": 1, "unit": "duty_hour"},
    "resume_on": "2026-07-01",
    "outcome": "rectified",
    "photos": [{"upload": str(uuid4())}],
    "standard_met": True,
    "solved": "yes",
    "satisfaction": 5,
    "efficiency": 5,
    "note": 1,
    "body": "市水务局",
    "number": "Z-1",
}


FORMS_OF_OTHERS: dict[str, Body] = {
    "cases.reveal": {"reason": "verify"},
    "cases.redact": {"boxes": [], "looked": True},
    "cases.confirm_redaction": {"number": 1, "looked": True},
    "reports.similar": {"place": INSIDE},
}


def form_of(operation: str) -> Body:
    """The least that the form of this operation asks for; nothing where it has no such form."""
    if operation in FORMS_OF_OTHERS:
        return FORMS_OF_OTHERS[operation]
    for action, form in FORMS.items():
        if operation == f"cases.{action}":
            needed = (name for name, field in form.model_fields.items() if field.is_required())
            return {name: FIELDS[name] for name in needed}
    return {}


class Door(NamedTuple):
    """A route: its operation, method and path."""

    operation: str
    method: str
    path: str


def doors() -> list[Door]:
    prefixes = [
        *((router, API) for router in ROUTERS),
        *((router, "") for router in UNPREFIXED),
    ]
    return [
        Door(route.name, method, prefix + route.path)
        for router, prefix in prefixes
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    ]


OF_A_CASE = [door for door in doors() if "{case}" in door.path]
OTHERS = [door for door in doors() if "{case}" not in door.path]
NOT_THERE = {"number": "999999", "code": "P10"}


def ask(kind: Kind, door: Door, case: str = "") -> httpx.Response:
    path = door.path.replace("{case}", case)
    for name, value in NOT_THERE.items():
        path = path.replace(f"{{{name}}}", value)
    while "{" in path:
        before, _, rest = path.partition("{")
        own = uuid4()
        path = before + (own.hex if rest.startswith("name}") else str(own)) + rest.partition("}")[2]
    headers = {"Idempotency-Key": str(uuid4()), "If-Match": f'"{NEVER_SEEN}"'}
    if (said := kind.caller.credentials()) is not None:
        headers["Authorization"] = said
    body = None if door.method == "GET" else form_of(door.operation)
    return kind.caller.town.http.request(door.method, path, json=body, headers=headers)


def refused_by_policy(kind: Kind, answer: httpx.Response) -> None:
    if kind.is_nobody:
        is_problem(answer, 401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    else:
        is_problem(answer, 403, "not-permitted")


# the matrix ------------------------------------------------------------------------------


def before_the_case(door: Door) -> tuple[int, str] | None:
    """What stops this asking before a case is looked for; tests of the pages hold the rest.

    A form that no page of ours has sent; a file whose name nobody has.
    """
    if door.operation.startswith("pages.") and door.method == "POST":
        return 400, "foreign-form"
    return (404, "unknown-file") if door.operation in {"pages.photo", "pages.recording"} else None


@pytest.mark.parametrize("door", OF_A_CASE, ids=[f"{d.method} {d.operation}" for d in OF_A_CASE])
def test_a_case_is_open_to_those_whom_the_policy_names_and_whose_it_is(
    scene: Scene, door: Door
) -> None:
    policy = POLICY[door.operation]
    for name, kind in scene.kinds.items():
        answers = {case: ask(kind, door, case_id) for case, case_id in scene.cases.items()}
        if not kind.may(policy):
            for answer in answers.values():
                refused_by_policy(kind, answer)
            continue
        missing = answers["none"]
        if problem := before_the_case(door):
            for answer in answers.values():
                is_problem(answer, *problem)
            continue
        is_problem(missing, 404, "unknown-case")
        for case in ("a", "b"):
            answer = answers[case]
            if case in kind.sees or door.operation == f"cases.{Action.JOIN}":
                if "{upload}" in door.path:
                    is_problem(answer, 404, "unknown-file")
                    continue
                # Seen, and then stopped by the version, or by a photo that nobody uploaded.
                assert answer.status_code in {200, 412, 422}, f"{name} {case}: {answer.text}"
                assert answer.status_code == 200 or door.method == "POST", f"{name} {case}"
            else:
                assert same(answer, missing), f"{name} tells {case} from nothing"


UNIQUE = {"date", "trace-id"}
"""Headers that differ between any two answers."""


def same(one: httpx.Response, other: httpx.Response) -> bool:
    """Two answers that tell nobody anything: byte for byte, but for the time of day."""

    def told(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
        headers = {name: value for name, value in answer.headers.items() if name not in UNIQUE}
        return answer.status_code, answer.content, headers

    return told(one) == told(other)


@pytest.mark.parametrize("door", OTHERS, ids=[f"{d.method} {d.path}" for d in OTHERS])
def test_whatever_is_of_no_case_is_open_to_those_whom_the_policy_names(
    scene: Scene, door: Door
) -> None:
    policy = POLICY[door.operation]
    for name, kind in scene.kinds.items():
        if door.operation == "sessions.close" and kind.may(policy):
            continue  # it would end the sign-in that the other cells need; see its own test
        answer = ask(kind, door)
        if kind.may(policy):
            assert answer.status_code not in {401, 403}, f"{name}: {answer.text}"
            assert answer.status_code < 500, f"{name}: {answer.text}"
        else:
            refused_by_policy(kind, answer)


def test_the_matrix_asks_every_operation_there_is() -> None:
    assert {door.operation for door in doors()} == POLICY.keys()
    assert len(OF_A_CASE) > 50


def test_the_cases_stand_as_they_stood_after_all_that_asking(scene: Scene) -> None:
    reviewer = scene.kinds[f"{Role.REVIEWER}"].caller
    statuses = [reviewer.get(f"/cases/{scene.cases[case]}").json()["status"] for case in "ab"]
    assert statuses == ["dispatched", "submitted"]


def test_whatever_is_written_for_a_case_there_is_one_answer_for_none(scene: Scene) -> None:
    citizen = scene.kinds["another citizen"]
    door = Door("cases.read", "GET", f"{API}/cases/{{case}}")
    missing = ask(citizen, door, scene.cases["none"])
    for written in ("HD26051100000000", "hd1", "0", "a%00b", "'--", scene.cases["a"].upper()):
        assert same(ask(citizen, door, written), missing), written


OPEN_AT_ANY_AGE = {
    *("sessions.me", "sessions.close", "accounts.password"),
    *("pages.password", "pages.sign_out", "pages.static", "pages.size"),
}


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.SYSADMIN])
def test_with_a_password_that_is_due_nothing_else_is_open(scene: Scene, role: Role) -> None:
    town = scene.town
    sysadmin = town.staff("账号sysadmin", Role.SYSADMIN)
    caller = town.staff(f"到期{role}", role)
    reset = f"/accounts/{caller.account}/reset-password"
    if role is Role.SYSADMIN:
        is_problem(sysadmin.post(reset), 403, "not-for-you")
        return
    password = sysadmin.post(reset).json()["temporary_password"]
    form = {"name": f"到期{role}", "password": password}
    token = town.anonymous().post("/sessions", form).json()["token"]
    due = Kind(Caller(town, lambda: f"Bearer {token}"), frozenset({Who.SIGNED_IN, role}))
    for door in doors():
        if door.operation not in OPEN_AT_ANY_AGE and "health" not in door.operation:
            is_problem(ask(due, door, scene.cases["a"]), 403, "password-due")
    assert due.caller.get("/me").status_code == 200


# what cannot be forgotten ----------------------------------------------------------------


def test_a_route_without_a_row_in_the_policy_fails_the_app() -> None:
    stray = APIRouter()

    @stray.get("/stray", name="stray.read")
    def read() -> str:
        return ""

    with pytest.raises(LookupError, match=r"stray\.read"):
        require_policy([*ROUTERS, *UNPREFIXED, stray])
    require_policy([*ROUTERS, *UNPREFIXED])


def test_a_row_without_a_route_fails_the_app() -> None:
    with pytest.raises(LookupError, match=r"without route.*health\.live"):
        require_policy(ROUTERS)


def test_a_guard_of_an_operation_that_nobody_declared_fails_at_once() -> None:
    with pytest.raises(KeyError, match=r"stray\.read"):
        guard("stray.read")
