"""An office for tests: every part of the desk, the first three of the 三员, and staff on demand."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from api.accounts.audit import AuditFilter, AuditRow, page
from api.accounts.desk import Desk
from api.accounts.grants import Grants
from api.accounts.lockout import Lockout
from api.accounts.partners import Partners
from api.accounts.passwords import ASVS, PasswordProfile, Passwords
from api.accounts.people import People
from api.accounts.principal import Channel, Principal
from api.accounts.second_factor import SecondFactors
from api.accounts.server_key import Purpose, ServerKey
from api.accounts.sessions import Sessions
from api.accounts.sign_in import SignedIn, SignIn
from casework.model import Role

NOON = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)
KEY = ServerKey(bytes(range(32)))
GOOD = "Liu-Lang-Tai-Bei-9"
OTHER = "Wan-Quan-He-Lu-7"
_T = TypeVar("_T")


def after(**much: float) -> datetime:
    return NOON + timedelta(**much)


def run(work: Coroutine[object, object, _T]) -> _T:
    return asyncio.run(work)


class Office:
    """All parts over one desk. argon2 is made cheap: what it costs is another test's affair."""

    def __init__(self, desk: Desk, profile: PasswordProfile = ASVS) -> None:
        self.desk = desk
        self.passwords = Passwords(profile, memory_kib=64)
        self.sessions = Sessions(desk, KEY.derive(Purpose.CREDENTIALS), KEY.derive(Purpose.CSRF))
        self.people = People(desk, self.passwords, self.sessions.forget)
        self.grants = Grants(desk, self.passwords, self.sessions.forget)
        self.partners = Partners(desk, self.sessions)
        self.lockout = Lockout(KEY.derive(Purpose.SOURCES))
        self.factors = SecondFactors(desk, KEY.derive(Purpose.SECOND_FACTORS), self.sessions.forget)
        self.door = SignIn(desk, self.passwords, self.lockout, self.sessions, self.factors)

    def close(self) -> None:
        self.passwords.close()

    def sign_in(
        self,
        name: str,
        password: str = GOOD,
        *,
        source: str = "home",
        device: str | None = None,
        channel: Channel = Channel.PAGE,
        code: str | None = None,
        at: datetime = NOON,
    ) -> SignedIn:
        return run(
            self.door.sign_in(
                name,
                password,
                source=source,
                device=device,
                channel=channel,
                session_id=uuid4(),
                code=code,
                now=at,
            )
        )

    def principal(self, name: str, password: str = GOOD, at: datetime = NOON) -> Principal:
        signed_in = self.sign_in(name, password, at=at)
        found = self.sessions.authenticate(signed_in.session.value, Channel.PAGE, at)
        assert found is not None
        return found

    def first(self, role: Role, name: str, at: datetime = NOON) -> Principal:
        """The first holder of one of the 三员, by the one-time token."""
        token = self.grants.issue_first_admin_token(at, role)
        run(self.grants.redeem(token, uuid4(), name, name, GOOD, at))
        return self.principal(name, at=at)

    def administrators(self) -> tuple[Principal, Principal]:
        return self.first(Role.SYSADMIN, "xitong"), self.first(Role.SECADMIN, "anquan-yuan")

    def staff(
        self,
        sysadmin: Principal,
        secadmin: Principal,
        name: str,
        *roles: Role,
        street: str | None = None,
    ) -> UUID:
        """An account with roles and the password GOOD, made through the front door."""
        account_id = uuid4()
        temporary = run(self.people.create(account_id, name, name, sysadmin, NOON))
        owner = self.principal(name, temporary)
        run(self.people.change_password(account_id, temporary, GOOD, owner, NOON))
        if roles:
            proposal = uuid4()
            self.grants.propose(proposal, account_id, roles, street, sysadmin, NOON)
            self.grants.confirm(proposal, secadmin, NOON)
        return account_id

    def citizen(self, name: str) -> UUID:
        """A citizen's account; returns the person id."""
        person = uuid4()
        run(self.people.register_citizen(uuid4(), person, name, "热心市民", GOOD, NOON))
        return person

    def audited(self, action: str) -> list[AuditRow]:
        return page(self.desk, AuditFilter(action=action))
