"""Accounts, the three administrators, and roles that take two people."""

from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.accounts.errors import (
    AlreadyDecided,
    NameTaken,
    NotForYou,
    NotThere,
    RolesClash,
    Unfit,
    WeakPassword,
    WrongCredentials,
)
from api.accounts.passwords import MLPS3
from api.accounts.principal import Channel, PrincipalKind
from api.accounts.roles import THREE, settled
from casework.model import ActorKind, Role
from tests.accounts.office import GOOD, NOON, OTHER, Office, after, run


def test_the_first_administrator_comes_by_a_token_that_works_once(office: Office) -> None:
    token = office.grants.issue_first_admin_token(NOON)
    assert run(office.grants.redeem(token, uuid4(), "xitong", "系统", GOOD, NOON)) is Role.SYSADMIN
    with pytest.raises(NotThere):
        run(office.grants.redeem(token, uuid4(), "xitong2", "系统", GOOD, NOON))
    assert office.principal("xitong").roles == (Role.SYSADMIN,)


def test_a_token_is_dead_after_an_hour_and_when_a_newer_one_is_made(office: Office) -> None:
    late = office.grants.issue_first_admin_token(NOON)
    with pytest.raises(NotThere):
        run(office.grants.redeem(late, uuid4(), "xitong", "系统", GOOD, after(hours=1)))
    office.grants.issue_first_admin_token(NOON)
    with pytest.raises(NotThere):
        run(office.grants.redeem(late, uuid4(), "xitong", "系统", GOOD, NOON))


def test_no_token_is_issued_once_somebody_holds_the_role(office: Office) -> None:
    office.first(Role.SYSADMIN, "xitong")
    with pytest.raises(RolesClash, match="已有系统管理员"):
        office.grants.issue_first_admin_token(NOON)
    with pytest.raises(RolesClash):
        office.grants.issue_first_admin_token(NOON, Role.SUPERVISOR)


def test_a_token_left_over_from_before_does_not_make_a_second_administrator(
    office: Office,
) -> None:
    leftover = office.grants.issue_first_admin_token(NOON, Role.SECADMIN)
    sysadmin = office.first(Role.SYSADMIN, "xitong")
    run(office.grants.redeem(leftover, uuid4(), "anquan-yuan", "安全", GOOD, NOON))
    assert sysadmin.account_id is not None
    with pytest.raises(RolesClash):
        office.grants.issue_first_admin_token(NOON, Role.SECADMIN)


def test_roles_are_held_only_after_a_second_person_confirmed(office: Office) -> None:
    sysadmin, secadmin = office.administrators()
    account = office.staff(sysadmin, secadmin, "shenhe")
    proposal = uuid4()
    office.grants.propose(proposal, account, [Role.REVIEWER], None, sysadmin, NOON)
    assert office.people.account(account).roles == ()
    office.grants.confirm(proposal, secadmin, NOON)
    assert office.people.account(account).roles == (Role.REVIEWER,)
    with pytest.raises(AlreadyDecided):
        office.grants.confirm(proposal, secadmin, NOON)


def test_whoever_proposed_cannot_confirm_and_a_sysadmin_never_can(office: Office) -> None:
    sysadmin, secadmin = office.administrators()
    account = office.staff(sysadmin, secadmin, "shenhe")
    proposal = uuid4()
    office.grants.propose(proposal, account, [Role.REVIEWER], None, secadmin, NOON)
    with pytest.raises(NotForYou, match="两人"):
        office.grants.confirm(proposal, secadmin, NOON)
    with pytest.raises(NotForYou, match="安全管理员"):
        office.grants.confirm(proposal, sysadmin, NOON)
    assert office.people.account(account).roles == ()


def test_nobody_confirms_roles_for_themselves(office: Office) -> None:
    sysadmin, secadmin = office.administrators()
    assert secadmin.account_id is not None
    proposal = uuid4()
    office.grants.propose(proposal, secadmin.account_id, [Role.SECADMIN], None, sysadmin, NOON)
    with pytest.raises(NotForYou, match="自己"):
        office.grants.confirm(proposal, secadmin, NOON)


def test_a_newer_proposal_overtakes_the_open_one(office: Office) -> None:
    sysadmin, secadmin = office.administrators()
    account = office.staff(sysadmin, secadmin, "shenhe")
    old, new = uuid4(), uuid4()
    office.grants.propose(old, account, [Role.SUPERVISOR], None, sysadmin, NOON)
    office.grants.propose(new, account, [Role.REVIEWER], None, sysadmin, NOON)
    with pytest.raises(AlreadyDecided):
        office.grants.confirm(old, secadmin, NOON)
    assert [open_.id for open_ in office.grants.open_proposals()] == [new]
    office.grants.reject(new, sysadmin, NOON)
    assert office.grants.open_proposals() == []
    assert office.people.account(account).roles == ()


def test_taking_roles_away_works_at_once_on_a_session_that_is_open(office: Office) -> None:
    sysadmin, secadmin = office.administrators()
    account = office.staff(
        sysadmin, secadmin, "jiezhen", Role.STREET, Role.STREET_LEAD, street="110108001"
    )
    session = office.sign_in("jiezhen").session
    seen = office.sessions.authenticate(session.value, Channel.PAGE, NOON)
    assert seen is not None
    assert (seen.roles, seen.street) == ((Role.STREET, Role.STREET_LEAD), "110108001")
    assert seen.actor().kind is ActorKind.STAFF
    assert seen.actor().street == "110108001"
    office.grants.withdraw(account, secadmin, NOON)
    seen = office.sessions.authenticate(session.value, Channel.PAGE, NOON)
    assert seen is not None
    assert (seen.roles, seen.street) == ((), None)


@given(st.sets(st.sampled_from(sorted(Role))))
def test_one_of_the_three_never_holds_anything_else(roles: set[Role]) -> None:
    try:
        held = settled(roles, "110108001")
    except RolesClash:
        assert roles & THREE or roles & {
            Role.CITIZEN,
            Role.PARTNER,
            Role.CLOCK,
            Role.DISPATCHER,
        }
    else:
        assert set(held) == roles
        assert not roles & THREE or len(roles) == 1


@pytest.mark.parametrize(
    "street", [None, "110105001", "11010800", "１１０１０８００１", "110108001\n"]
)
def test_a_street_role_needs_a_street_of_haidian(street: str | None) -> None:
    with pytest.raises(Unfit):
        settled([Role.STREET], street)


def test_only_a_sysadmin_makes_accounts(office: Office) -> None:
    _, secadmin = office.administrators()
    with pytest.raises(NotForYou):
        run(office.people.create(uuid4(), "shenhe", "审核", secadmin, NOON))


@pytest.mark.parametrize("name", ["XiTong", " xitong ", "ｘｉｔｏｎｇ"])
def test_names_that_look_alike_are_one_name(office: Office, name: str) -> None:
    sysadmin = office.first(Role.SYSADMIN, "xitong")
    with pytest.raises(NameTaken):
        run(office.people.create(uuid4(), name, "另一个", sysadmin, NOON))


@pytest.mark.parametrize("name", ["x", "a b", "a\tb", "a\0b", "a\u202eb", "名" * 65, "\ud800ab"])
def test_a_name_that_cannot_be_typed_or_stored_is_refused(office: Office, name: str) -> None:
    sysadmin = office.first(Role.SYSADMIN, "xitong")
    with pytest.raises(Unfit):
        run(office.people.create(uuid4(), name, "某人", sysadmin, NOON))


def test_a_temporary_password_must_be_changed_before_anything_else(office: Office) -> None:
    sysadmin = office.first(Role.SYSADMIN, "xitong")
    account = uuid4()
    temporary = run(office.people.create(account, "shenhe", "审核", sysadmin, NOON))
    signed_in = office.sign_in("shenhe", temporary)
    assert signed_in.must_change_password
    owner = office.sessions.authenticate(signed_in.session.value, Channel.PAGE, NOON)
    assert owner is not None
    assert owner.must_change_password
    run(office.people.change_password(account, temporary, GOOD, owner, NOON))
    owner = office.sessions.authenticate(signed_in.session.value, Channel.PAGE, NOON)
    assert owner is not None
    assert not owner.must_change_password


def test_changing_the_password_ends_every_other_sign_in(office: Office) -> None:
    office.first(Role.SYSADMIN, "xitong")
    here, elsewhere = office.sign_in("xitong"), office.sign_in("xitong")
    owner = office.sessions.authenticate(here.session.value, Channel.PAGE, NOON)
    assert office.sessions.authenticate(elsewhere.session.value, Channel.PAGE, NOON)
    assert owner is not None
    with pytest.raises(WrongCredentials):
        run(office.people.change_password(here.account_id, OTHER, OTHER, owner, NOON))
    run(office.people.change_password(here.account_id, GOOD, OTHER, owner, NOON))
    assert office.sessions.authenticate(here.session.value, Channel.PAGE, NOON)
    assert office.sessions.authenticate(elsewhere.session.value, Channel.PAGE, NOON) is None


def test_nobody_changes_the_password_of_another(office: Office) -> None:
    sysadmin, secadmin = office.administrators()
    assert secadmin.account_id is not None
    with pytest.raises(NotForYou):
        run(office.people.change_password(secadmin.account_id, GOOD, OTHER, sysadmin, NOON))


def test_a_sysadmin_cannot_become_the_secadmin_by_resetting_a_password(office: Office) -> None:
    sysadmin, secadmin = office.administrators()
    assert secadmin.account_id is not None
    with pytest.raises(NotForYou, match="三员"):
        run(office.people.reset_password(secadmin.account_id, sysadmin, NOON))
    account = office.staff(sysadmin, secadmin, "shenhe", Role.REVIEWER)
    temporary = run(office.people.reset_password(account, sysadmin, NOON))
    with pytest.raises(WrongCredentials):
        office.sign_in("shenhe")
    assert office.sign_in("shenhe", temporary).must_change_password


def test_disabling_ends_open_sessions_and_enabling_needs_a_new_sign_in(office: Office) -> None:
    sysadmin, secadmin = office.administrators()
    account = office.staff(sysadmin, secadmin, "shenhe", Role.REVIEWER)
    session = office.sign_in("shenhe").session
    assert office.sessions.authenticate(session.value, Channel.PAGE, NOON)
    office.people.disable(account, sysadmin, NOON)
    assert office.sessions.authenticate(session.value, Channel.PAGE, NOON) is None
    with pytest.raises(WrongCredentials):
        office.sign_in("shenhe")
    office.people.enable(account, sysadmin, NOON)
    assert office.sessions.authenticate(session.value, Channel.PAGE, NOON) is None
    assert office.sign_in("shenhe").account_id == account


def test_a_lost_secadmin_is_replaced_only_from_the_command_line(office: Office) -> None:
    sysadmin, secadmin = office.administrators()
    assert secadmin.account_id is not None
    office.people.disable(secadmin.account_id, sysadmin, NOON)
    with pytest.raises(NotForYou):
        office.people.enable(secadmin.account_id, sysadmin, NOON)
    assert office.first(Role.SECADMIN, "anquan-2").roles == (Role.SECADMIN,)


def test_a_citizen_is_known_by_a_pseudonym_and_never_gets_staff_roles(office: Office) -> None:
    sysadmin, _ = office.administrators()
    person = office.citizen("13800000000")
    signed_in = office.sign_in("13800000000")
    seen = office.sessions.authenticate(signed_in.session.value, Channel.PAGE, NOON)
    assert seen is not None
    assert (seen.kind, seen.person_id, seen.roles) == (
        PrincipalKind.CITIZEN,
        person,
        (Role.CITIZEN,),
    )
    assert seen.actor().id == str(person)
    with pytest.raises(RolesClash):
        office.grants.propose(uuid4(), signed_in.account_id, [Role.REVIEWER], None, sysadmin, NOON)


def test_erasing_a_person_leaves_nothing_that_names_them(office: Office) -> None:
    _, secadmin = office.administrators()
    person = office.citizen("13800000000")
    session = office.sign_in("13800000000").session
    office.people.erase_person(person, secadmin, NOON)
    office.people.erase_person(person, secadmin, NOON)
    assert office.sessions.authenticate(session.value, Channel.PAGE, NOON) is None
    with pytest.raises(WrongCredentials):
        office.sign_in("13800000000")
    assert len(office.audited("account-erased")) == 1
    assert not any(
        "13800000000" in str(row)
        for action in ("sign-in", "citizen-registered", "account-erased")
        for row in office.audited(action)
    )


def test_each_change_has_exactly_one_audit_row(office: Office) -> None:
    sysadmin, secadmin = office.administrators()
    account = office.staff(sysadmin, secadmin, "jiezhen", Role.STREET, street="110108001")
    for action, by in (
        ("account-created", sysadmin),
        ("roles-proposed", sysadmin),
        ("roles-granted", secadmin),
    ):
        rows = office.audited(action)
        assert [row.entry.principal_id for row in rows] == [str(by.account_id)]
        assert rows[0].entry.target == f"account/{account}"
    assert office.audited("roles-granted")[0].entry.facts == {
        "roles": "street",
        "street": "110108001",
    }


def test_under_mlps3_a_password_ages_and_five_former_ones_are_refused(office: Office) -> None:
    strict = Office(office.desk, MLPS3)
    sysadmin = strict.first(Role.SYSADMIN, "xitong")
    account = sysadmin.account_id
    assert account is not None
    used = [GOOD, *(f"Ri-Xin-Qiao-{n}x" for n in range(6))]
    for day, (old, new) in enumerate(pairwise(used)):
        at = NOON + timedelta(days=day)
        run(strict.people.change_password(account, old, new, sysadmin, at))
    for former in used[-6:]:
        with pytest.raises(WeakPassword, match="最近5次"):
            run(strict.people.change_password(account, used[-1], former, sysadmin, after(days=9)))
    assert not strict.sign_in("xitong", used[-1], at=after(days=94)).must_change_password
    assert strict.sign_in("xitong", used[-1], at=after(days=96)).must_change_password
    run(strict.people.change_password(account, used[-1], used[0], sysadmin, after(days=96)))
    strict.close()
