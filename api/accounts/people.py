"""Accounts of staff and citizens and their passwords. Knows no session secret and no case.

Every change writes its audit row in the same transaction. A sysadmin makes and disables staff
accounts; which roles they hold is decided in `grants`. Citizens make their own accounts.
"""

import unicodedata
from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from api.accounts.audit import Entry, append, entry_of
from api.accounts.desk import Desk, Turn
from api.accounts.errors import (
    NameTaken,
    NotForYou,
    NotThere,
    Unfit,
    WeakPassword,
    WrongCredentials,
)
from api.accounts.passwords import Passwords, check_password, temporary_password
from api.accounts.principal import Principal, PrincipalKind
from api.accounts.roles import THREE
from api.accounts.tables import (
    account,
    account_role,
    credential,
    former_password,
    known_device,
    second_factor,
)
from casework.model import Role

_LONGEST_NAME = 64
_SHORTEST_NAME = 2


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account as the pages of administrators show it: nothing secret."""

    id: UUID
    name: str
    display_name: str
    kind: PrincipalKind
    person_id: UUID | None
    street: str | None
    roles: tuple[Role, ...]
    must_change_at: datetime | None
    disabled_at: datetime | None
    created_at: datetime


def name_key(name: str) -> str:
    """The form in which sign-in names are compared: without regard to case, width and ends.

    What no database holds (NUL, lone surrogates) becomes a question mark: anything may be typed.
    """
    storable = name.encode(errors="replace").decode().replace("\0", "?")
    return unicodedata.normalize("NFKC", storable).strip().casefold()


def require(by: Principal, role: Role, action: str, why: str) -> None:
    """Raise NotForYou unless `by` holds the role."""
    if not by.holds(role):
        raise NotForYou(action, why)


def read_account(connection: Connection, account_id: UUID) -> Account:
    """The account within the caller's transaction. Raises NotThere."""
    found = connection.execute(select(account).where(account.c.id == account_id)).first()
    if found is None:
        raise NotThere("账号")
    return _account(connection, found)


class People:
    """The accounts. `forget` is told whose cached sign-ins are void (see Sessions)."""

    def __init__(self, desk: Desk, passwords: Passwords, forget: Callable[[UUID], None]) -> None:
        self._desk = desk
        self._passwords = passwords
        self._forget = forget

    def account(self, account_id: UUID) -> Account:
        with self._desk.read() as connection:
            return read_account(connection, account_id)

    def accounts(self, after: str = "", limit: int = 100) -> list[Account]:
        """Staff accounts by name, a page after the name key `after`."""
        with self._desk.read() as connection:
            rows = connection.execute(
                select(account)
                .where(account.c.kind == PrincipalKind.STAFF.value, account.c.name_key > after)
                .order_by(account.c.name_key)
                .limit(limit)
            ).all()
            return [_account(connection, row) for row in rows]

    def holding(self, roles: Iterable[Role], street: str | None) -> list[Account]:
        """Staff accounts in use that hold one of these roles, by name; of one 街镇, or of all."""
        wanted = select(account_role.c.account_id).where(
            account_role.c.role.in_([role.value for role in roles])
        )
        where: list[ColumnElement[bool]] = [
            account.c.id.in_(wanted),
            account.c.disabled_at.is_(None),
        ]
        where.append(account.c.kind == PrincipalKind.STAFF.value)
        if street is not None:
            where.append(account.c.street == street)
        question = select(account).where(*where).order_by(account.c.name_key)
        with self._desk.read() as connection:
            return [_account(connection, row) for row in connection.execute(question).all()]

    async def create(
        self, account_id: UUID, name: str, display_name: str, by: Principal, now: datetime
    ) -> str:
        """A staff account without roles. Returns the temporary password: shown once, kept nowhere.

        By a sysadmin. Raises NameTaken, Unfit, NotForYou.
        """
        require(by, Role.SYSADMIN, "新建账号", "须由系统管理员办理")
        password = temporary_password()
        await self._passwords.run(
            lambda: self._create(
                account_id,
                name,
                display_name,
                password,
                must_change_at=now,
                entry=entry_of(by, "account-created", now, target=f"account/{account_id}"),
            )
        )
        return password

    async def register_citizen(
        self,
        account_id: UUID,
        person_id: UUID,
        name: str,
        display_name: str,
        password: str,
        now: datetime,
    ) -> None:
        """A citizen's own account, mapped to the pseudonym `person_id`.

        Raises NameTaken, Unfit, WeakPassword. A citizen's password never grows old.
        """
        check_password(self._passwords.profile, password, (name,))
        entry = Entry(
            at=now,
            principal_kind=PrincipalKind.CITIZEN.value,
            principal_id=str(person_id),
            action="citizen-registered",
            target=f"account/{account_id}",
        )
        await self._passwords.run(
            lambda: self._create(
                account_id, name, display_name, password, person_id=person_id, entry=entry
            )
        )

    def _create(
        self,
        account_id: UUID,
        name: str,
        display_name: str,
        password: str,
        *,
        entry: Entry,
        person_id: UUID | None = None,
        must_change_at: datetime | None = None,
    ) -> None:
        stored = self._passwords.hash(password)
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            add_account(
                connection,
                account_id,
                name,
                display_name,
                stored,
                person_id=person_id,
                must_change_at=must_change_at,
                now=entry.at,
            )
            append(connection, [entry])

    def disable(self, account_id: UUID, by: Principal, now: datetime) -> None:
        """Ends every sign-in of the account at once, here and ≤ 5 s elsewhere. By a sysadmin."""
        require(by, Role.SYSADMIN, "停用账号", "须由系统管理员办理")
        if by.account_id == account_id:
            raise NotForYou("停用账号", "不能停用自己的账号")
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            read_account(connection, account_id)
            connection.execute(
                update(account).where(account.c.id == account_id).values(disabled_at=now)
            )
            connection.execute(delete(credential).where(credential.c.account_id == account_id))
            append(
                connection, [entry_of(by, "account-disabled", now, target=f"account/{account_id}")]
            )
        self._forget(account_id)

    def enable(self, account_id: UUID, by: Principal, now: datetime) -> None:
        """Lets the account sign in again. By a sysadmin; never for 三员: those are made anew."""
        require(by, Role.SYSADMIN, "启用账号", "须由系统管理员办理")
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            self._refuse_for_three(connection, account_id, "启用账号")
            connection.execute(
                update(account).where(account.c.id == account_id).values(disabled_at=None)
            )
            append(
                connection, [entry_of(by, "account-enabled", now, target=f"account/{account_id}")]
            )

    async def reset_password(self, account_id: UUID, by: Principal, now: datetime) -> str:
        """A new temporary password, for one who forgot theirs; returned once. By a sysadmin.

        Never for 三员 accounts: a sysadmin could become the one who oversees them.
        """
        require(by, Role.SYSADMIN, "重置密码", "须由系统管理员办理")
        password = temporary_password()

        def reset() -> None:
            stored = self._passwords.hash(password)
            with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
                self._refuse_for_three(connection, account_id, "重置密码")
                self._store_password(connection, account_id, stored, must_change_at=now, now=now)
                connection.execute(delete(credential).where(credential.c.account_id == account_id))
                append(
                    connection,
                    [entry_of(by, "password-reset", now, target=f"account/{account_id}")],
                )

        await self._passwords.run(reset)
        self._forget(account_id)
        return password

    async def change_password(
        self, account_id: UUID, old: str, new: str, by: Principal, now: datetime
    ) -> None:
        """The owner's change. Ends every other sign-in of the account; this one goes on.

        Raises WrongCredentials (the old one does not fit), WeakPassword, NotForYou.
        """
        if by.account_id != account_id:
            raise NotForYou("修改密码", "只能修改自己的密码")
        await self._passwords.run(lambda: self._change(account_id, old, new, by, now))
        self._forget(account_id)

    def _change(self, account_id: UUID, old: str, new: str, by: Principal, now: datetime) -> None:
        profile = self._passwords.profile
        with self._desk.read() as connection:
            known = connection.execute(select(account).where(account.c.id == account_id)).first()
            former = connection.scalars(
                select(former_password.c.password_hash)
                .where(former_password.c.account_id == account_id)
                .order_by(former_password.c.set_at.desc())
                .limit(profile.history)
            ).all()
        if known is None or not self._passwords.verify(known.password_hash, old):
            raise WrongCredentials
        check_password(profile, new, (known.name,))
        if any(self._passwords.verify(stored, new) for stored in {known.password_hash, *former}):
            raise WeakPassword((f"不能与当前密码或最近{max(profile.history, 1)}次用过的密码相同",))
        stored = self._passwords.hash(new)
        ages = known.kind == PrincipalKind.STAFF.value and profile.max_age is not None
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            current = connection.scalar(
                select(account.c.password_hash).where(account.c.id == account_id)
            )
            if current != known.password_hash:  # changed by someone else meanwhile
                raise WrongCredentials
            self._store_password(
                connection,
                account_id,
                stored,
                must_change_at=now + profile.max_age if ages and profile.max_age else None,
                now=now,
            )
            connection.execute(
                delete(credential).where(
                    credential.c.account_id == account_id, credential.c.id != by.session_id
                )
            )
            append(
                connection, [entry_of(by, "password-changed", now, target=f"account/{account_id}")]
            )

    async def confirm_password(self, account_id: UUID, password: str) -> None:
        """Whether it is the owner who asks for something grave. Raises WrongCredentials."""

        def look() -> None:
            with self._desk.read() as connection:
                stored: str | None = connection.scalar(
                    select(account.c.password_hash).where(account.c.id == account_id)
                )
            if stored is None or not self._passwords.verify(stored, password):
                raise WrongCredentials

        await self._passwords.run(look)

    def knows_person(self, person_id: UUID) -> bool:
        """Whether a citizen's account stands for this pseudonym."""
        with self._desk.read() as connection:
            mine = select(account.c.id).where(account.c.person_id == person_id)
            return connection.scalar(mine) is not None

    def erase_person(self, person_id: UUID, by: Principal, now: datetime) -> bool:
        """Remove the account of a citizen with all that names them. Repeating does nothing more.

        The two people who must agree are the caller's affair. The audit trail holds only the
        pseudonym, which leads nowhere afterwards. False: what was deleted may still lie in the
        database's journal, because a reader is in the way; call it again later.
        """
        account_id = self._erase_person(person_id, by, now)
        if account_id is not None:
            self._forget(account_id)
        return self._desk.scrub()

    def _erase_person(self, person_id: UUID, by: Principal, now: datetime) -> UUID | None:
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            account_id: UUID | None = connection.scalar(
                select(account.c.id).where(account.c.person_id == person_id)
            )
            if account_id is None:
                return None
            for table in (credential, former_password, known_device, second_factor, account_role):
                connection.execute(delete(table).where(table.c.account_id == account_id))
            connection.execute(delete(account).where(account.c.id == account_id))
            append(connection, [entry_of(by, "account-erased", now, target=f"person/{person_id}")])
        return account_id

    def _refuse_for_three(self, connection: Connection, account_id: UUID, action: str) -> None:
        if THREE & set(read_account(connection, account_id).roles):
            raise NotForYou(action, "三员账号须在服务器上用一次性口令重新建立")

    def _store_password(
        self,
        connection: Connection,
        account_id: UUID,
        stored: str,
        *,
        must_change_at: datetime | None,
        now: datetime,
    ) -> None:
        """Put the old hash into the history, as far as the profile keeps one, and set the new."""
        old = connection.scalar(select(account.c.password_hash).where(account.c.id == account_id))
        mine = former_password.c.account_id == account_id
        connection.execute(delete(former_password).where(mine, former_password.c.set_at == now))
        connection.execute(
            insert(former_password).values(account_id=account_id, set_at=now, password_hash=old)
        )
        kept = connection.scalars(
            select(former_password.c.set_at)
            .where(mine)
            .order_by(former_password.c.set_at.desc())
            .limit(self._passwords.profile.history)
        ).all()
        connection.execute(
            delete(former_password).where(mine, former_password.c.set_at.not_in(kept))
        )
        connection.execute(
            update(account)
            .where(account.c.id == account_id)
            .values(password_hash=stored, must_change_at=must_change_at)
        )


def add_account(
    connection: Connection,
    account_id: UUID,
    name: str,
    display_name: str,
    stored: str,
    *,
    now: datetime,
    person_id: UUID | None = None,
    must_change_at: datetime | None = None,
) -> None:
    """Insert within the caller's transaction; a citizen if there is a `person_id`."""
    key = name_key(name)
    if not _SHORTEST_NAME <= len(key) <= _LONGEST_NAME or not name.isprintable() or " " in key:
        raise Unfit(
            "name", f"登录名应为{_SHORTEST_NAME}至{_LONGEST_NAME}个字符，不含空格和控制字符。"
        )
    shown = unicodedata.normalize("NFC", display_name).strip()
    if not 1 <= len(shown) <= _LONGEST_NAME or not shown.isprintable():
        raise Unfit("display_name", f"姓名或昵称应为1至{_LONGEST_NAME}个字符，不含控制字符。")
    if connection.scalar(select(account.c.id).where(account.c.name_key == key)) is not None:
        raise NameTaken
    connection.execute(
        insert(account).values(
            id=account_id,
            name=unicodedata.normalize("NFKC", name).strip(),
            name_key=key,
            display_name=shown,
            kind=(PrincipalKind.STAFF if person_id is None else PrincipalKind.CITIZEN).value,
            person_id=person_id,
            password_hash=stored,
            must_change_at=must_change_at,
            created_at=now,
        )
    )


def _account(connection: Connection, found: Row[tuple[object, ...]]) -> Account:
    held = set(
        connection.scalars(select(account_role.c.role).where(account_role.c.account_id == found.id))
    )
    return Account(
        id=found.id,
        name=found.name,
        display_name=found.display_name,
        kind=PrincipalKind(found.kind),
        person_id=found.person_id,
        street=found.street,
        roles=tuple(role for role in Role if role.value in held),
        must_change_at=found.must_change_at,
        disabled_at=found.disabled_at,
        created_at=found.created_at,
    )
