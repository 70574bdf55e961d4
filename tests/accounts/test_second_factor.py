"""One-time codes as a second factor: needed once confirmed, good once, sealed at rest."""

import base64
from datetime import datetime
from urllib.parse import parse_qs, urlparse

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import text

from api.accounts.errors import (
    CodeNeeded,
    NotForYou,
    NotThere,
    TooManyAttempts,
    WrongCode,
    WrongCredentials,
)
from api.accounts.principal import NOBODY, Channel
from casework.model import Role
from tests.accounts.office import NOON, Office, after


def shown(secret: str, at: datetime) -> str:
    """What the app on the phone shows."""
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(int(at.timestamp())).decode()  # noqa: S303  what RFC 6238 names


def enrolled(office: Office, name: str = "xitong") -> str:
    """A sysadmin whose factor was confirmed at noon; returns the secret."""
    owner = office.first(Role.SYSADMIN, name)
    secret = office.factors.begin(owner, NOON).secret
    office.factors.confirm(shown(secret, NOON), owner, NOON)
    return secret


def test_an_unconfirmed_factor_is_not_asked_for(office: Office) -> None:
    owner = office.first(Role.SYSADMIN, "xitong")
    enrolment = office.factors.begin(owner, NOON)
    asked = parse_qs(urlparse(enrolment.uri).query)
    assert (asked["secret"], asked["issuer"]) == ([enrolment.secret], ["海淀随手拍"])
    assert not office.sign_in("xitong").second_factor
    with pytest.raises(WrongCode):
        office.factors.confirm("000000x", owner, NOON)
    assert not office.sign_in("xitong").second_factor


def test_once_confirmed_the_password_alone_opens_nothing(office: Office) -> None:
    secret = enrolled(office)
    later = after(minutes=1)
    with pytest.raises(CodeNeeded):
        office.sign_in("xitong", at=later)
    with pytest.raises(WrongCredentials):
        office.sign_in("xitong", "wrong", code=shown(secret, later), at=later)
    signed_in = office.sign_in("xitong", code=shown(secret, later), at=later)
    assert signed_in.second_factor
    seen = office.sessions.authenticate(signed_in.session.value, Channel.PAGE, later)
    assert seen is not None
    assert seen.second_factor


def test_a_code_works_once_and_so_does_the_one_that_confirmed(office: Office) -> None:
    secret = enrolled(office)
    with pytest.raises(WrongCode):
        office.sign_in("xitong", code=shown(secret, NOON), at=NOON)
    later = after(minutes=1)
    office.sign_in("xitong", code=shown(secret, later), at=later)
    with pytest.raises(WrongCode):
        office.sign_in("xitong", code=shown(secret, later), at=later)


@pytest.mark.parametrize(("off", "works"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_a_phone_may_be_off_by_one_period(office: Office, off: int, works: bool) -> None:
    secret = enrolled(office)
    code = shown(secret, after(minutes=10, seconds=off))
    if works:
        assert office.sign_in("xitong", code=code, at=after(minutes=10)).second_factor
    else:
        with pytest.raises(WrongCode):
            office.sign_in("xitong", code=code, at=after(minutes=10))


def test_guessing_codes_uses_up_the_budget(office: Office) -> None:
    enrolled(office)
    for _ in range(10):
        with pytest.raises(WrongCode):
            office.sign_in("xitong", code="12345x")
    with pytest.raises(TooManyAttempts):
        office.sign_in("xitong", code="12345x")


def test_a_secadmin_takes_it_off_for_staff_never_for_the_three(office: Office) -> None:
    sysadmin, secadmin = office.administrators()
    account = office.staff(sysadmin, secadmin, "shenhe", Role.REVIEWER)
    owner = office.principal("shenhe")
    secret = office.factors.begin(owner, NOON).secret
    office.factors.confirm(shown(secret, NOON), owner, NOON)
    for by in (owner, sysadmin):
        with pytest.raises(NotForYou):
            office.factors.remove(account, by, NOON)
    office.factors.remove(account, secadmin, NOON)
    assert office.audited("second-factor-removed")[0].entry.target == f"account/{account}"
    assert not office.sign_in("shenhe").second_factor
    with pytest.raises(NotThere):
        office.factors.remove(account, secadmin, NOON)
    assert sysadmin.account_id is not None
    with pytest.raises(NotForYou, match="三员"):
        office.factors.remove(sysadmin.account_id, secadmin, NOON)
    with pytest.raises(NotForYou):
        office.factors.begin(NOBODY, NOON)


def test_on_the_server_it_is_taken_off_any_account(office: Office) -> None:
    enrolled(office)
    office.factors.remove_on_server("XITONG", NOON)
    assert not office.sign_in("xitong").second_factor
    with pytest.raises(NotThere, match="动态口令"):
        office.factors.remove_on_server("xitong", NOON)
    with pytest.raises(NotThere, match="账号"):
        office.factors.remove_on_server("nobody", NOON)
    assert [row.entry.principal_kind for row in office.audited("second-factor-removed")] == [
        "operator"
    ]


def test_confirming_marks_this_sign_in_and_ends_the_others(office: Office) -> None:
    owner = office.first(Role.SYSADMIN, "xitong")
    elsewhere = office.sign_in("xitong").session.value
    here = office.sign_in("xitong").session.value
    mine = office.sessions.authenticate(here, Channel.PAGE, NOON)
    assert mine is not None and owner.account_id == mine.account_id
    assert office.sessions.authenticate(elsewhere, Channel.PAGE, NOON) is not None
    secret = office.factors.begin(mine, NOON).secret
    office.factors.confirm(shown(secret, NOON), mine, NOON)
    seen = office.sessions.authenticate(here, Channel.PAGE, NOON)
    assert seen is not None and seen.second_factor
    assert office.sessions.authenticate(elsewhere, Channel.PAGE, NOON) is None


def test_it_is_replaced_by_who_shows_its_code_and_holds_until_the_new_one_is_confirmed(
    office: Office,
) -> None:
    old = enrolled(office)
    later = after(minutes=5)
    code = shown(old, later)
    signed_in = office.sign_in("xitong", code=code, at=later)
    owner = office.sessions.authenticate(signed_in.session.value, Channel.PAGE, later)
    assert owner is not None
    with pytest.raises(CodeNeeded):
        office.factors.begin(owner, later)
    with pytest.raises(WrongCode):
        office.factors.begin(owner, later, code)  # used at the sign-in
    at = after(minutes=6)
    new = office.factors.begin(owner, at, shown(old, at)).secret
    assert office.factors.state(owner).waits and office.factors.state(owner).since == NOON
    at = after(minutes=7)
    with pytest.raises(WrongCode):
        office.factors.confirm(shown(old, at), owner, at)
    assert office.sign_in("xitong", code=shown(old, at), at=at).second_factor
    office.factors.confirm(shown(new, at), owner, at)
    at = after(minutes=8)
    with pytest.raises(WrongCode):
        office.sign_in("xitong", code=shown(old, at), at=at)
    assert office.sign_in("xitong", code=shown(new, at), at=at).second_factor
    with pytest.raises(NotThere):
        office.factors.confirm(shown(new, at), owner, at)


@pytest.mark.parametrize(("off", "works"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_it_is_confirmed_by_a_phone_that_is_off_by_one_period(
    office: Office, off: int, works: bool
) -> None:
    owner = office.first(Role.SYSADMIN, "xitong")
    code = shown(office.factors.begin(owner, NOON).secret, after(seconds=off))
    if works:
        office.factors.confirm(code, owner, NOON)
        assert office.factors.state(owner).since == NOON
    else:
        with pytest.raises(WrongCode):
            office.factors.confirm(code, owner, NOON)
        assert office.factors.state(owner).since is None


def test_nobody_confirms_what_another_began(office: Office) -> None:
    sysadmin, secadmin = office.administrators()
    secret = office.factors.begin(sysadmin, NOON).secret
    with pytest.raises(NotThere):
        office.factors.confirm(shown(secret, NOON), secadmin, NOON)
    assert office.factors.state(sysadmin).waits and not office.factors.state(secadmin).waits
    person = office.citizen("shimin")
    citizen = office.principal("shimin")
    assert citizen.person_id == person
    with pytest.raises(NotForYou, match="工作人员"):
        office.factors.begin(citizen, NOON)


def test_the_database_does_not_hold_the_secret(office: Office) -> None:
    secret = base64.b32decode(enrolled(office))
    table = "second_factor" if office.desk.is_sqlite else "desk.second_factor"
    with office.desk.read() as connection:
        stored = connection.execute(text(f"SELECT sealed FROM {table}")).scalar_one()  # noqa: S608  fixed
    assert secret not in bytes(stored)
