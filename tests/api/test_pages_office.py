"""The back rooms as browsers ask for them: each of the three does their whole job by forms."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from api.pages.office_audit import OF_ACCOUNTS
from casework.model import Role
from tests.api.browsing import Browser, browsing, signed_in
from tests.api.client import PASSWORD, Town, own_town

Sits = Callable[..., Browser]


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """A town of this file's own: its clock and catalogue are nobody else's to move."""
    with own_town() as found:
        yield found


@pytest.fixture
def sits(town: Town) -> Iterator[Sits]:
    """Browsers of people: `sits(Role.SYSADMIN)`; another one of the role each time."""
    with ExitStack() as open_:

        def sits_down(*roles: Role, street: str | None = None) -> Browser:
            return open_.enter_context(browsing(town, *roles, street=street))

        yield sits_down


def account_id(page: str, name: str) -> str:
    found = re.search(rf"（{name}）.*?/office/accounts/([0-9a-f-]{{36}})/roles", page, re.DOTALL)
    assert found, f"no account {name}"
    return found[1]


def test_an_account_is_made_given_roles_by_two_and_signs_in(town: Town, sits: Sits) -> None:
    office, guard = sits(Role.SYSADMIN), sits(Role.SECADMIN)
    name = f"新人{uuid4().hex[:6]}"
    path = "/office/accounts/new"
    page = office.page("/office/accounts")
    made = office.send(page, path, name=name, display_name="李新")
    assert made.status_code == 200 and made.headers["cache-control"] == "no-store"
    secret = re.search(r"<code>([^<]+)</code>", made.text)
    assert secret
    again = office.send(page, path, name=name, display_name="李新")
    assert again.status_code == 303, "the same form is one account, and its password is not told"
    clash = office.send(office.page("/office/accounts"), path, name=name, display_name="李二")
    assert clash.status_code == 409 and 'value="李二"' in clash.text

    page = office.page("/office/accounts")
    account = account_id(page, name)
    nothing = office.send(page, f"/office/accounts/{account}/roles", roles=["street"], street="")
    assert nothing.status_code == 422 and "refused" in nothing.text
    told = office.done(
        page, f"/office/accounts/{account}/roles", roles=["street"], street="110108011"
    )
    assert "角色待确认" in told
    waiting = guard.page("/office/security")
    proposal = re.search(r"/office/security/roles/([0-9a-f-]{36})/confirm", waiting)
    assert proposal
    guard.done(waiting, f"/office/security/roles/{proposal[1]}/confirm")
    page = office.page("/office/accounts")
    assert "街镇经办" in page and "中关村街道" in page

    with browsing(town) as new:
        answer = new.post("/sign-in", {"name": name, "password": secret[1]})
        assert (answer.status_code, answer.headers["location"]) == (303, "/password")
    office.done(page, f"/office/accounts/{account}/disable")
    assert "已停用" in office.page("/office/accounts")
    office.done(office.page("/office/accounts"), f"/office/accounts/{account}/enable")
    waiting = guard.page("/office/security")
    guard.done(waiting, f"/office/security/accounts/{account}/withdraw-roles")


def test_nobody_confirms_what_they_proposed(town: Town, sits: Sits) -> None:
    guard = sits(Role.SECADMIN)
    someone = town.staff(f"某人{uuid4().hex[:6]}", Role.ANALYST)
    assert someone.account
    me = town.staff(f"安全{uuid4().hex[:6]}", Role.SECADMIN)
    proposed = me.post(f"/accounts/{someone.account}/roles", {"roles": ["editor"]})
    assert proposed.status_code == 202
    page = guard.page("/office/security")
    assert f"/office/security/roles/{proposed.json()['id']}/confirm" in page
    guard.done(page, f"/office/security/roles/{proposed.json()['id']}/reject")
    assert proposed.json()["id"] not in guard.page("/office/security")


def test_a_partner_gets_a_key_once_and_scopes_from_the_other_room(sits: Sits) -> None:
    office, guard = sits(Role.SYSADMIN), sits(Role.SECADMIN)
    name = f"网络问政{uuid4().hex[:6]}"
    page = office.done(office.page("/office/accounts"), "/office/accounts/partners/new", name=name)
    found = re.search(
        rf"{name}</strong>.*?/office/accounts/partners/([0-9a-f-]+)/key", page, re.DOTALL
    )
    assert found
    key = office.send(page, f"/office/accounts/partners/{found[1]}/key", overlap_hours="0")
    assert key.status_code == 200 and "<code>" in key.text
    wrong = office.send(page, f"/office/accounts/partners/{found[1]}/key", overlap_hours="很久")
    assert wrong.status_code == 422 and 'value="很久"' in wrong.text
    waiting = guard.page("/office/security")
    guard.done(waiting, f"/office/security/partners/{found[1]}/scopes", scopes=["cases:read"])
    assert "cases:read" in office.page("/office/accounts")
    office.done(page, f"/office/accounts/partners/{found[1]}/disable")


CONFIGURATION = "/office/configuration"


def test_an_indicator_is_revised_by_one_and_confirmed_by_another(town: Town, sits: Sits) -> None:
    office, chief = sits(Role.SYSADMIN), sits(Role.SUPERVISOR)
    path = f"{CONFIGURATION}/indicators/P10"
    page = office.page(path)
    fields = filled(page, path)
    fields["indicator.name"] = ["非机动车停放"]
    fields["indicator.conditions.0.limit.amount"] = ["3"]
    fields["effective_from"] = ["2026-06-01T00:00"]
    empty = office.post(path, {**fields, "reason": [""]})
    assert empty.status_code == 422 and "理由" in empty.text and "非机动车停放" in empty.text
    wrong = office.post(
        path,
        {**fields, "reason": ["按季度调整"], "indicator.conditions.0.limit.amount": ["三"]},
    )
    assert wrong.status_code == 422 and 'value="三"' in wrong.text
    done = office.post(path, {**fields, "reason": ["按季度调整"]})
    assert done.status_code == 303, done.text
    page = chief.page(CONFIGURATION)
    number = newest(page)
    assert "修订指标 P10 非机动车停放" in page and "按季度调整" in page
    assert f"/changes/{number}/confirm" not in office.page(CONFIGURATION)
    chief.done(page, f"{CONFIGURATION}/changes/{number}/confirm")
    change = town.supervisor.get("/changes").json()[0]
    assert change["state"] == "confirmed"
    now, then = town.reviewer.get("/indicators").json(), change["change"]["indicator"]
    before = next(one for one in now["indicators"] if one["code"] == "P10")
    assert then["conditions"][0]["limit"]["amount"] == 3
    assert [row["id"] for row in then["conditions"]] == [row["id"] for row in before["conditions"]]
    assert then["keywords"] == list(before["keywords"])
    assert len(then.get("parties", {})) == len(before["parties"])


def filled(page: str, path: str) -> dict[str, str | list[str]]:
    """All that a form on a page would post as it stands: fields, ticks, choices, texts."""
    found = re.search(rf'<form[^>]*action="{re.escape(path)}".*?</form>', page, re.DOTALL)
    assert found
    values: dict[str, str | list[str]] = {}

    def put(name: str, value: str) -> None:
        known = values.setdefault(name, [])
        assert isinstance(known, list)
        known.append(value)

    for tag in re.findall(r"<input\b[^>]*>", found[0]):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ("checked" in tag or not re.search('type="(checkbox|radio)"', tag)):
            put(name[1], value[1] if value else "on")
    for name, body in re.findall(
        r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', found[0], re.DOTALL
    ):
        put(name, body)
    for name, body in re.findall(
        r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', found[0], re.DOTALL
    ):
        for value in re.findall(r'<option value="([^"]*)" selected', body):
            put(name, value)
    return values


def newest(page: str) -> str:
    """The number of the newest change that waits."""
    return str(max(int(number) for number in re.findall(r'aria-label="变更(\d+)"', page)))


@pytest.mark.parametrize(
    ("last", "fields", "says"),
    [
        (
            "codes",
            {"what": "add", "code": "N14", "text": "重复来电已告知", "words": "0"},
            "新增原因代码 N14 重复来电已告知",
        ),
        (
            "codes",
            {"what": "revise", "code": "V14", "text": "短期内又发生", "words": "0"},
            "修订原因代码 V14",
        ),
        (
            "steps",
            {"clock": "review", "limit.amount": "20", "limit.unit": "duty_minute"},
            "设定审核时限为20值守分钟",
        ),
        (
            "windows",
            {"duty": "07:00–22:00", "working": "09:00-12:00\n13:30至18:00"},
            "设定值守和工作时段",
        ),
        (
            "years",
            {
                "year": "2028",
                "holidays": "元旦 2028-01-01 2028-01-03\n清明节 2028-04-04",
                "worked": "2028-01-08",
                "source": "国办发明电〔2027〕7号",
            },
            "发布2028年工作日历",
        ),
    ],
)
def test_each_kind_of_change_is_proposed_from_its_form_and_withdrawn(
    sits: Sits, last: str, fields: dict[str, str], says: str
) -> None:
    office = sits(Role.SYSADMIN)
    path = f"{CONFIGURATION}/{last}"
    given: dict[str, str | list[str]] = {
        **fields, "effective_from": "2026-07-01T00:00", "reason": "区里要求",
    }  # fmt: skip
    page = office.page(CONFIGURATION)
    form = {**office_hidden(page, path), **given}
    answer = office.post(path, form)
    assert answer.status_code == 303, answer.text
    page = office.page(CONFIGURATION)
    assert says in page
    late = office.post(
        path, {**office_hidden(page, path), **given, "effective_from": "2020-01-01T00:00"}
    )
    assert late.status_code == 422 and "生效" in late.text
    number = newest(page)
    office.done(page, f"{CONFIGURATION}/changes/{number}/withdraw")
    assert f'aria-label="变更{number}"' not in office.page(CONFIGURATION)


def office_hidden(page: str, path: str) -> dict[str, str | list[str]]:
    return {name: value for name, value in filled(page, path).items() if name in {"token", "key"}}


def test_words_are_changed_as_rows_and_nonsense_is_told(town: Town, sits: Sits) -> None:
    office, chief = sits(Role.SYSADMIN), sits(Role.SUPERVISOR)
    page = office.page(CONFIGURATION)
    path = f"{CONFIGURATION}/words/danger"
    fields = filled(page, path)
    names = fields["name"]
    assert isinstance(names, list)
    rows = sum(1 for name in names if name)
    fields["name"] = [*names[:rows], "树木倾倒", ""]
    for name, value in {"words": "树倒了、大树倾倒", "door": "园林部门", "number": "12345"}.items():
        column = fields[name]
        assert isinstance(column, list)
        column[rows] = value
    fields |= {"effective_from": ["2026-07-01T00:00"], "reason": ["汛期前补充"]}
    assert office.post(path, fields).status_code == 303
    change = town.supervisor.get("/changes").json()[0]
    assert len(change["change"]["wordings"]) == rows + 1
    assert change["change"]["wordings"][-1]["words"] == ["树倒了", "大树倾倒"]
    number = change["id"]
    reject = f"{CONFIGURATION}/changes/{number}/reject"
    page = chief.page(CONFIGURATION)
    assert chief.send(page, reject, reason=" ").status_code == 422
    chief.done(page, reject, reason="词太宽，误报多")
    years = f"{CONFIGURATION}/years"
    bad = office.send(
        office.page(CONFIGURATION), years, year="2028", holidays="元旦", source="x",
        effective_from="2026-07-01T00:00", reason="区里要求",
    )  # fmt: skip
    assert (
        bad.status_code == 422 and "每行写一个假期" in bad.text and ">元旦</textarea>" in bad.text
    )


def test_the_roster_is_kept_for_every_desk(town: Town, sits: Sits) -> None:
    office = sits(Role.SYSADMIN)
    someone = town.staff(f"值班{uuid4().hex[:6]}", Role.REVIEWER)
    page = office.page("/office/duty")
    wrong = office.send(
        page, "/office/duty/assign", desk="reviewer", account=str(someone.account),
        starts_at="2026-05-20T07:00", ends_at="2026-05-19T07:00",
    )  # fmt: skip
    assert wrong.status_code == 422 and 'value="2026-05-19T07:00"' in wrong.text
    page = office.done(
        page, "/office/duty/assign", desk="reviewer", account=str(someone.account),
        starts_at="2026-05-20T07:00", ends_at="2026-05-20T21:00",
    )  # fmt: skip
    found = re.search(r"/office/duty/(\d+)/remove", page)
    assert found and "5月20日 07:00–5月20日 21:00" in page
    page = office.done(page, f"/office/duty/{found[1]}/remove")
    assert f"/office/duty/{found[1]}/remove" not in page


def test_an_erasure_takes_two_and_the_ledger_shows_it(town: Town, sits: Sits) -> None:
    first, second = sits(Role.SECADMIN), sits(Role.SECADMIN)
    citizen = town.citizen(f"市民{uuid4().hex[:6]}")
    citizen.report()
    person = citizen.get("/me").json()["person_id"]
    page = first.page("/office/security")
    unknown = first.send(page, "/office/security/erasures/new", person=str(uuid4()))
    assert unknown.status_code == 404 and "没有" in unknown.text
    page = first.done(page, "/office/security/erasures/new", person=person)
    erasure = re.search(rf"删除 {person}.*?您是申请人", page, re.DOTALL)
    assert erasure, "one's own request is not one's own to approve"
    page = second.page("/office/security")
    found = re.search(rf"删除 {person}.*?/erasures/([0-9a-f-]+)/approve", page, re.DOTALL)
    assert found
    texts = second.page(f"/office/security/texts?person={person}")
    assert "没有相关文字" in texts
    page = second.done(page, f"/office/security/erasures/{found[1]}/approve")
    assert person in page and ("已完成" in page or "正在清除" in page)
    assert "权限表" in second.page("/office/security/policy")


def test_the_auditor_finds_who_did_what_and_checks_the_chain(town: Town, sits: Sits) -> None:
    auditor = sits(Role.AUDITOR)
    case = town.citizen("市民甲").report()
    town.street().refused(
        case, "register", 403, "not-permitted", indicator="P10", condition="P10-2"
    )
    page = auditor.page(f"/office/audit?target={case.number}")
    assert case.id in page and "被拒" in page
    assert "没有符合条件的记录" in auditor.page("/office/audit?action=nothing-like-it")
    wrong = auditor.page("/office/audit?since=昨天", 422)
    assert "请填写日期" in wrong and 'value="昨天"' in wrong
    assert "被拒" in auditor.page("/office/audit?outcome=refused&since=2026-05-01&until=2026-12-31")
    told = auditor.send(page, "/office/audit/verify")
    assert told.status_code == 200 and "审计链完整" in told.text


def test_the_first_of_the_three_comes_by_a_token_of_the_command_line() -> None:
    path, given = "/first-administrator", {"name": "首任审计", "display_name": "周审"}
    with own_town() as new, browsing(new) as nobody:
        token = new.parts.grants.issue_first_admin_token(new.clock(), Role.AUDITOR)
        page = nobody.page(path)
        weak = nobody.send(page, path, one_time=token, password="1", **given)
        assert weak.status_code == 422 and 'value="周审"' in weak.text
        done = nobody.done(page, path, one_time=token, password=PASSWORD, **given)
        assert "审计员账号已建好" in done
        again = nobody.send(page, path, one_time=token, password=PASSWORD, **given)
        assert again.status_code >= 400, "a token works once"
        assert signed_in(new, nobody.http, "首任审计").status_code == 303
        assert "审计" in nobody.page("/office/audit")


def test_whatever_the_trail_writes_of_accounts_has_a_chinese_name() -> None:
    folder = Path(__file__).parents[2] / "api" / "accounts"
    text = "".join(path.read_text() for path in folder.glob("*.py"))
    verbs = "created|disabled|enabled|erased|rotated|granted|changed|reset|proposed|rejected"
    written = set(
        re.findall(rf'"([a-z]+(?:-[a-z]+)*-(?:{verbs}|withdrawn|set|removed|revoked))"', text)
    )
    assert len(written) > 15
    assert written <= OF_ACCOUNTS.keys()


def test_no_room_is_open_to_another(sits: Sits) -> None:
    rooms = {
        Role.SYSADMIN: ("/office/accounts", "/office/configuration", "/office/duty"),
        Role.SECADMIN: ("/office/security",),
        Role.AUDITOR: ("/office/audit",),
    }
    for role in rooms:
        one = sits(role)
        own = one.page("/search" if role not in rooms else rooms[role][0])
        for other, paths in rooms.items():
            for path in paths:
                one.page(path, 200 if other is role else 403)
                assert (f'href="{path}"' in own) == (other is role)
