"""How staff come by their roles: proposed by one, confirmed by another. Knows no password rule.

A proposal names all the roles (and the 街镇) an account shall hold from then on. A sysadmin or a
secadmin proposes, a secadmin who is neither proposer nor receiver confirms. Taking roles away
needs one secadmin and works at once. The first holders of the 三员 come by a one-time token that
only somebody on the server's command line can get.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from api.accounts.audit import Entry, append, entry_of
from api.accounts.desk import Desk, Turn
from api.accounts.errors import AlreadyDecided, NotForYou, NotThere, RolesClash
from api.accounts.passwords import Passwords, check_password
from api.accounts.people import add_account, read_account, require
from api.accounts.principal import Principal, PrincipalKind
from api.accounts.roles import THREE, settled
from api.accounts.tables import account, account_role, admin_token, role_proposal
from casework.errors import KeyReused
from casework.lifecycle import ROLE_NAMES
from casework.model import Role

_TOKEN_LIFE = timedelta(hours=1)


class RoleProposal(msgspec.Struct, frozen=True, kw_only=True):
    """What an account shall hold, and who asked for it."""

    id: UUID
    account_id: UUID
    roles: tuple[Role, ...]
    street: str | None
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    decision: str | None


class Grants:
    """Proposals and decisions about roles. `forget` is told whose cached sign-ins are void."""

    def __init__(self, desk: Desk, passwords: Passwords, forget: Callable[[UUID], None]) -> None:
        self._desk = desk
        self._passwords = passwords
        self._forget = forget

    def propose(
        self,
        proposal_id: UUID,
        account_id: UUID,
        roles: Iterable[Role],
        street: str | None,
        by: Principal,
        now: datetime,
    ) -> None:
        """Ask that the account hold exactly these roles. Overtakes an open proposal for it.

        Raises NotForYou, NotThere, RolesClash, Unfit.
        """
        proposer = _person(by, "提出授权", Role.SYSADMIN, Role.SECADMIN)
        wanted = settled(roles, street)
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            if read_account(connection, account_id).kind is not PrincipalKind.STAFF:
                raise RolesClash("市民账号不能授予工作人员角色。")
            connection.execute(
                update(role_proposal)
                .where(role_proposal.c.account_id == account_id, role_proposal.c.decision.is_(None))
                .values(decision="overtaken", decided_by=proposer, decided_at=now)
            )
            connection.execute(
                insert(role_proposal).values(
                    id=proposal_id,
                    account_id=account_id,
                    roles=tuple(role.value for role in wanted),
                    street=street,
                    proposed_by=proposer,
                    proposed_at=now,
                )
            )
            append(connection, [_told(by, "roles-proposed", now, account_id, wanted, street)])

    def propose_once(
        self,
        proposal_id: UUID,
        account_id: UUID,
        roles: Iterable[Role],
        street: str | None,
        by: Principal,
        now: datetime,
    ) -> RoleProposal:
        """As `propose`, and the same answer however often it is asked under one id.

        Raises KeyReused where the id stands for another proposal.
        """
        wanted = settled(roles, street)
        try:
            known = self.proposal(proposal_id)
        except NotThere:
            self.propose(proposal_id, account_id, wanted, street, by, now)
            return self.proposal(proposal_id)
        if (known.account_id, known.roles, known.street) != (account_id, wanted, street):
            raise KeyReused
        return known

    def proposal(self, proposal_id: UUID) -> RoleProposal:
        """A proposal, decided or not. Raises NotThere."""
        with self._desk.read() as connection:
            return _read_proposal(connection, proposal_id)

    def confirm(self, proposal_id: UUID, by: Principal, now: datetime) -> None:
        """Grant what was proposed, at once. By a secadmin, neither proposer nor receiver.

        Raises NotForYou, NotThere, AlreadyDecided.
        """
        confirmer = _person(by, "确认授权", Role.SECADMIN)
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            proposal = _open_proposal(connection, proposal_id)
            if confirmer == proposal.proposed_by:
                raise NotForYou("确认授权", "授权须两人办理，提出人不能自己确认")
            if confirmer == proposal.account_id:
                raise NotForYou("确认授权", "不能给自己授权")
            _decide(connection, proposal_id, "confirmed", confirmer, now)
            _hold(connection, proposal.account_id, proposal.roles, proposal.street, now)
            append(
                connection,
                [
                    _told(
                        by,
                        "roles-granted",
                        now,
                        proposal.account_id,
                        proposal.roles,
                        proposal.street,
                    )
                ],
            )
        self._forget(proposal.account_id)

    def reject(self, proposal_id: UUID, by: Principal, now: datetime) -> None:
        """Turn a proposal down. By a secadmin, or by whoever made it."""
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            proposal = _open_proposal(connection, proposal_id)
            if by.account_id is None or by.account_id != proposal.proposed_by:
                require(by, Role.SECADMIN, "驳回授权", "须由安全管理员或提出人办理")
            decider = _person(by, "驳回授权", Role.SYSADMIN, Role.SECADMIN)
            _decide(connection, proposal_id, "rejected", decider, now)
            append(
                connection,
                [
                    _told(
                        by,
                        "roles-rejected",
                        now,
                        proposal.account_id,
                        proposal.roles,
                        proposal.street,
                    )
                ],
            )

    def withdraw(self, account_id: UUID, by: Principal, now: datetime) -> None:
        """Take every role from an account, at once. By one secadmin, not from themselves."""
        person = _person(by, "收回角色", Role.SECADMIN)
        if person == account_id:
            raise NotForYou("收回角色", "不能收回自己的角色")
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            read_account(connection, account_id)
            _hold(connection, account_id, (), None, now)
            append(connection, [_told(by, "roles-withdrawn", now, account_id, (), None)])
        self._forget(account_id)

    def open_proposals(self) -> list[RoleProposal]:
        """What waits for a secadmin, oldest first."""
        with self._desk.read() as connection:
            rows = connection.execute(
                select(role_proposal)
                .where(role_proposal.c.decision.is_(None))
                .order_by(role_proposal.c.proposed_at)
            )
            return [_proposal(row) for row in rows]

    def issue_first_admin_token(self, now: datetime, role: Role = Role.SYSADMIN) -> str:
        """A token that makes the first account with this one of the 三员; for the command line.

        Works only while no enabled account holds the role (RolesClash). It lives for one hour,
        works once, and a newer one for the same role replaces it.
        """
        if role not in THREE:
            raise RolesClash("一次性口令只用于建立首个系统管理员、安全管理员或审计员。")
        token = secrets.token_urlsafe(32)
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            _refuse_if_held(connection, role)
            connection.execute(delete(admin_token).where(admin_token.c.role == role.value))
            connection.execute(
                insert(admin_token).values(
                    role=role.value, digest=_digest(token), expires_at=now + _TOKEN_LIFE
                )
            )
            append(connection, [_by_command_line("first-admin-token-issued", role, None, now)])
        return token

    async def redeem(
        self,
        token: str,
        account_id: UUID,
        name: str,
        display_name: str,
        password: str,
        now: datetime,
    ) -> Role:
        """Make the account that the token stands for, with the holder's own password.

        Returns its role. Raises NotThere (unknown, used or expired token), WeakPassword,
        NameTaken, Unfit, RolesClash.
        """
        check_password(self._passwords.profile, password, (name,))

        def make() -> Role:
            stored = self._passwords.hash(password)
            age = self._passwords.profile.max_age
            with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
                role = _spend(connection, token, now)
                _refuse_if_held(connection, role)
                add_account(
                    connection,
                    account_id,
                    name,
                    display_name,
                    stored,
                    must_change_at=None if age is None else now + age,
                    now=now,
                )
                _hold(connection, account_id, (role,), None, now)
                append(connection, [_by_command_line("first-admin-made", role, account_id, now)])
            return role

        return await self._passwords.run(make)


def _person(by: Principal, action: str, *roles: Role) -> UUID:
    """The account that acts, if it holds one of the roles."""
    if by.account_id is None or not by.holds(*roles):
        raise NotForYou(action, f"须由{'或'.join(ROLE_NAMES[role] for role in roles)}办理")
    return by.account_id


def _read_proposal(connection: Connection, proposal_id: UUID) -> RoleProposal:
    row = connection.execute(select(role_proposal).where(role_proposal.c.id == proposal_id)).first()
    if row is None:
        raise NotThere("授权申请")
    return _proposal(row)


def _open_proposal(connection: Connection, proposal_id: UUID) -> RoleProposal:
    proposal = _read_proposal(connection, proposal_id)
    if proposal.decided_at is not None:
        raise AlreadyDecided(proposal.decided_at)
    return proposal


def _decide(
    connection: Connection, proposal_id: UUID, decision: str, by: UUID, now: datetime
) -> None:
    connection.execute(
        update(role_proposal)
        .where(role_proposal.c.id == proposal_id)
        .values(decision=decision, decided_by=by, decided_at=now)
    )


def _hold(
    connection: Connection,
    account_id: UUID,
    roles: tuple[Role, ...],
    street: str | None,
    now: datetime,
) -> None:
    connection.execute(delete(account_role).where(account_role.c.account_id == account_id))
    if roles:
        connection.execute(
            insert(account_role),
            [{"account_id": account_id, "role": role.value, "granted_at": now} for role in roles],
        )
    connection.execute(update(account).where(account.c.id == account_id).values(street=street))


def _refuse_if_held(connection: Connection, role: Role) -> None:
    holder = connection.scalar(
        select(account.c.id)
        .join(account_role, account_role.c.account_id == account.c.id)
        .where(account_role.c.role == role.value, account.c.disabled_at.is_(None))
        .limit(1)
    )
    if holder is not None:
        raise RolesClash(f"已有{ROLE_NAMES[role]}，一次性口令只用于建立首个账号。")


def _spend(connection: Connection, token: str, now: datetime) -> Role:
    """The role of a live token, which is used up with that."""
    digest = _digest(token)
    for row in connection.execute(select(admin_token)).all():
        if hmac.compare_digest(bytes(row.digest), digest) and now < row.expires_at:
            connection.execute(delete(admin_token).where(admin_token.c.role == row.role))
            return Role(row.role)
    raise NotThere("一次性口令")


def _digest(token: str) -> bytes:
    """A plain hash is enough: the token is 256 random bits and lives for an hour."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


def _proposal(row: Row[tuple[object, ...]]) -> RoleProposal:
    return RoleProposal(
        id=row.id,
        account_id=row.account_id,
        roles=tuple(Role(word) for word in row.roles),
        street=row.street,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decision=row.decision,
    )


def _told(
    by: Principal,
    action: str,
    now: datetime,
    account_id: UUID,
    roles: tuple[Role, ...],
    street: str | None,
) -> Entry:
    return entry_of(
        by,
        action,
        now,
        target=f"account/{account_id}",
        facts={"roles": " ".join(roles), "street": street},
    )


def _by_command_line(action: str, role: Role, account_id: UUID | None, now: datetime) -> Entry:
    return Entry(
        at=now,
        principal_kind="operator",
        principal_id=None,
        action=action,
        target=None if account_id is None else f"account/{account_id}",
        facts={"role": role.value},
    )
