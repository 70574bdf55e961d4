"""Page sessions, bearer tokens and partner keys: recognised fast, ended at once."""

import threading
from datetime import timedelta
from time import thread_time
from uuid import uuid4

import pytest
from sqlalchemy import text

from api.accounts.desk import Desk
from api.accounts.errors import NameTaken, NotForYou, NotThere, Unfit
from api.accounts.principal import NOBODY, Channel, Principal, PrincipalKind
from casework.model import ActorKind, Role
from tests.accounts.office import NOON, Office, after


def test_the_database_holds_no_value_that_would_open_a_session(office: Office) -> None:
    office.citizen("xiaoming")
    value = office.sign_in("xiaoming").session.value
    table = "credential" if office.desk.is_sqlite else "desk.credential"
    with office.desk.read() as connection:
        stored = str(connection.execute(text(f"SELECT * FROM {table}")).all())  # noqa: S608  fixed
    assert value not in stored and value[2:] not in stored


def test_a_cookie_is_not_a_bearer_token_nor_the_other_way_round(office: Office) -> None:
    office.citizen("xiaoming")
    page = office.sign_in("xiaoming", channel=Channel.PAGE).session.value
    bearer = office.sign_in("xiaoming", channel=Channel.BEARER).session.value
    for value, own, other in (
        (page, Channel.PAGE, Channel.BEARER),
        (bearer, Channel.BEARER, Channel.PAGE),
    ):
        assert office.sessions.authenticate(value, other, NOON) is None
        assert office.sessions.authenticate(value, own, NOON)
        assert office.sessions.authenticate(value, other, NOON) is None
        assert office.sessions.known(value, other, NOON) is None


@pytest.mark.parametrize(
    "value", ["", "s.", "s.abc", "b." + "x" * 43, "s." + "y" * 10**6, "s.\ud800"]
)
def test_what_was_never_issued_opens_nothing(office: Office, value: str) -> None:
    assert office.sessions.authenticate(value, Channel.PAGE, NOON) is None


def test_an_idle_staff_session_ends_after_half_an_hour_a_used_one_after_twelve(
    office: Office,
) -> None:
    office.first(Role.SYSADMIN, "xitong")
    idle = office.sign_in("xitong").session.value
    assert office.sessions.authenticate(idle, Channel.PAGE, after(minutes=29))
    assert office.sessions.authenticate(idle, Channel.PAGE, after(minutes=58))
    assert office.sessions.authenticate(idle, Channel.PAGE, after(minutes=88)) is None
    used = office.sign_in("xitong").session.value
    for minutes in range(0, 12 * 60, 20):
        assert office.sessions.authenticate(used, Channel.PAGE, after(minutes=minutes)), minutes
    assert office.sessions.authenticate(used, Channel.PAGE, after(hours=12)) is None


def test_a_cached_session_does_not_outlive_its_end(office: Office) -> None:
    office.citizen("xiaoming")
    session = office.sign_in("xiaoming").session
    for days in range(1, 30, 4):
        assert office.sessions.authenticate(session.value, Channel.PAGE, after(days=days))
    almost = session.expires_at - timedelta(seconds=1)
    assert office.sessions.authenticate(session.value, Channel.PAGE, almost)
    assert office.sessions.known(session.value, Channel.PAGE, session.expires_at) is None
    assert office.sessions.authenticate(session.value, Channel.PAGE, session.expires_at) is None
    assert office.sessions.remove_expired(session.expires_at) == 1


def test_a_clock_that_steps_back_does_not_make_the_cache_last(office: Office) -> None:
    office.citizen("xiaoming")
    value = office.sign_in("xiaoming").session.value
    assert office.sessions.authenticate(value, Channel.PAGE, after(minutes=5))
    assert office.sessions.known(value, Channel.PAGE, after(minutes=5)) is not None
    assert office.sessions.known(value, Channel.PAGE, after(minutes=4)) is None


def test_signing_out_works_at_once_and_leaves_a_row(office: Office) -> None:
    office.citizen("xiaoming")
    session = office.sign_in("xiaoming").session
    owner = office.sessions.authenticate(session.value, Channel.PAGE, NOON)
    assert owner is not None
    assert office.sessions.revoke(session.session_id, owner, NOON)
    assert office.sessions.authenticate(session.value, Channel.PAGE, NOON) is None
    assert not office.sessions.revoke(session.session_id, owner, NOON)
    assert len(office.audited("session-revoked")) == 1


def test_all_sign_ins_of_an_account_end_together(office: Office) -> None:
    person = office.citizen("xiaoming")
    sessions = [office.sign_in("xiaoming") for _ in range(3)]
    owner = office.sessions.authenticate(sessions[0].session.value, Channel.PAGE, NOON)
    assert owner is not None and owner.account_id is not None
    assert office.sessions.revoke_all(owner.account_id, owner, NOON) == 3
    for one in sessions:
        assert office.sessions.authenticate(one.session.value, Channel.PAGE, NOON) is None
    assert office.audited("sessions-revoked")[0].entry.principal_id == str(person)


def test_another_process_learns_of_a_revocation_within_five_seconds(
    office: Office, desk_url: str
) -> None:
    office.citizen("xiaoming")
    session = office.sign_in("xiaoming").session
    there_desk = Desk(desk_url)
    there = Office(there_desk)
    owner = there.sessions.authenticate(session.value, Channel.PAGE, NOON)
    assert owner is not None
    office.sessions.revoke(session.session_id, owner, NOON)
    assert there.sessions.authenticate(session.value, Channel.PAGE, after(seconds=5)) is None
    there.close()
    there_desk.close()


def test_a_revocation_is_never_overtaken_by_a_lookup_that_began_before_it(
    office: Office,
) -> None:
    office.citizen("xiaoming")
    for _ in range(15):
        session = office.sign_in("xiaoming").session
        owner = office.sessions.authenticate(session.value, Channel.PAGE, NOON)
        assert owner is not None and owner.account_id is not None
        stop = threading.Event()

        def ask(value: str = session.value, stop: threading.Event = stop) -> None:
            while not stop.is_set():
                office.sessions.authenticate(value, Channel.PAGE, NOON)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            office.sessions.forget(owner.account_id)
            office.sessions.revoke(session.session_id, owner, NOON)
            assert office.sessions.known(session.value, Channel.PAGE, NOON) is None
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert office.sessions.known(session.value, Channel.PAGE, NOON) is None


def test_a_hot_token_costs_less_than_twenty_microseconds(office: Office) -> None:
    office.citizen("xiaoming")
    value = office.sign_in("xiaoming", channel=Channel.BEARER).session.value
    office.sessions.authenticate(value, Channel.BEARER, NOON)
    best = 1.0
    for _ in range(20):  # the best of many: others use this machine too
        began = thread_time()
        for _ in range(500):
            office.sessions.authenticate(value, Channel.BEARER, NOON)
        best = min(best, (thread_time() - began) / 500)
    assert best < 20e-6


def test_a_form_token_belongs_to_one_session(office: Office) -> None:
    mine, yours = uuid4(), uuid4()
    token = office.sessions.csrf_token(mine)
    assert office.sessions.csrf_matches(mine, token)
    assert not office.sessions.csrf_matches(yours, token)
    assert not office.sessions.csrf_matches(mine, "")
    assert not office.sessions.csrf_matches(mine, "\ud800é")


def test_nobody_has_no_actor() -> None:
    assert NOBODY.actor_id is None
    with pytest.raises(ValueError, match="anonymous"):
        NOBODY.actor()


@pytest.fixture
def administrators(office: Office) -> tuple[Principal, Principal]:
    return office.administrators()


def test_a_partner_has_the_scopes_a_secadmin_gave_and_no_others(
    office: Office, administrators: tuple[Principal, Principal]
) -> None:
    sysadmin, secadmin = administrators
    partner = uuid4()
    office.partners.create(partner, "网络问政", sysadmin, NOON)
    with pytest.raises(NameTaken):
        office.partners.create(uuid4(), "网络问政", sysadmin, NOON)
    with pytest.raises(NotForYou):
        office.partners.grant_scopes(partner, ["reports:write"], sysadmin, NOON)
    with pytest.raises(Unfit):
        office.partners.grant_scopes(partner, ["reports write"], secadmin, NOON)
    with pytest.raises(NotThere):
        office.partners.rotate_key(uuid4(), uuid4(), sysadmin, NOON)
    key = office.partners.rotate_key(partner, uuid4(), sysadmin, NOON)
    seen = office.sessions.authenticate(key.value, Channel.PARTNER, NOON)
    assert seen is not None
    assert (seen.kind, seen.scopes, seen.roles) == (PrincipalKind.PARTNER, (), (Role.PARTNER,))
    office.partners.grant_scopes(partner, ["status:read", "reports:write"], secadmin, NOON)
    seen = office.sessions.authenticate(key.value, Channel.PARTNER, NOON)
    assert seen is not None
    assert seen.scopes == ("reports:write", "status:read")
    assert (seen.actor().kind, seen.actor().id) == (ActorKind.PARTNER, str(partner))


def test_a_rotated_key_ends_after_the_overlap_a_leaked_one_at_once(
    office: Office, administrators: tuple[Principal, Principal]
) -> None:
    sysadmin, _ = administrators
    partner = uuid4()
    office.partners.create(partner, "采编", sysadmin, NOON)
    old = office.partners.rotate_key(partner, uuid4(), sysadmin, NOON)
    new = office.partners.rotate_key(partner, uuid4(), sysadmin, NOON)
    for day, works in ((6, True), (7, False)):
        found = office.sessions.authenticate(old.value, Channel.PARTNER, after(days=day))
        assert (found is not None) == works
    assert office.sessions.authenticate(new.value, Channel.PARTNER, after(days=364))
    last = office.partners.rotate_key(partner, uuid4(), sysadmin, NOON, timedelta())
    assert office.sessions.authenticate(new.value, Channel.PARTNER, NOON) is None
    office.partners.disable(partner, sysadmin, NOON)
    assert office.sessions.authenticate(last.value, Channel.PARTNER, NOON) is None
    assert [one.disabled_at for one in office.partners.partners()] == [NOON]
