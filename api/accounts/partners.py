"""Partner services (接入方): their scopes and keys. Knows no account of a person.

A partner holds one key, and for the time of a change two. Keys are made and rotated by a
sysadmin; the scopes are decided by a secadmin.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from api.accounts.audit import append, entry_of
from api.accounts.desk import Desk, Turn
from api.accounts.errors import NameTaken, NotThere, Unfit
from api.accounts.people import require
from api.accounts.principal import Principal
from api.accounts.sessions import Issued, Sessions
from api.accounts.tables import credential, partner
from casework.model import Role

_KEY_LIFE = timedelta(days=365)
_SCOPE = re.compile(r"[a-z][a-z0-9:._-]{0,63}")


class Partner(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    scopes: tuple[str, ...]
    disabled_at: datetime | None
    created_at: datetime


class Partners:
    """The partners and their keys."""

    def __init__(self, desk: Desk, sessions: Sessions) -> None:
        self._desk = desk
        self._sessions = sessions

    def partners(self) -> list[Partner]:
        with self._desk.read() as connection:
            return [
                _partner(row)
                for row in connection.execute(select(partner).order_by(partner.c.name))
            ]

    def create(self, partner_id: UUID, name: str, by: Principal, now: datetime) -> None:
        """A partner without scopes and without a key. By a sysadmin. Raises NameTaken, Unfit."""
        require(by, Role.SYSADMIN, "新建接入方", "须由系统管理员办理")
        shown = name.strip()
        if not 1 <= len(shown) <= 64 or not shown.isprintable():
            raise Unfit("name", "接入方名称应为1至64个字符，不含控制字符。")
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            if connection.scalar(select(partner.c.id).where(partner.c.name == shown)) is not None:
                raise NameTaken
            connection.execute(
                insert(partner).values(id=partner_id, name=shown, scopes=(), created_at=now)
            )
            append(
                connection, [entry_of(by, "partner-created", now, target=f"partner/{partner_id}")]
            )

    def grant_scopes(
        self, partner_id: UUID, scopes: Iterable[str], by: Principal, now: datetime
    ) -> None:
        """The partner may do exactly this from now on. By a secadmin. Raises Unfit, NotThere."""
        require(by, Role.SECADMIN, "授权接入方", "须由安全管理员办理")
        wanted = tuple(sorted(set(scopes)))
        if strange := [scope for scope in wanted if _SCOPE.fullmatch(scope) is None]:
            raise Unfit("scopes", f"权限名称无效: {'、'.join(strange)}。")
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            _read(connection, partner_id)
            connection.execute(
                update(partner).where(partner.c.id == partner_id).values(scopes=wanted)
            )
            append(
                connection,
                [
                    entry_of(
                        by,
                        "partner-scopes-granted",
                        now,
                        target=f"partner/{partner_id}",
                        facts={"scopes": " ".join(wanted)},
                    )
                ],
            )
        self._sessions.forget(partner_id)

    def rotate_key(
        self,
        partner_id: UUID,
        key_id: UUID,
        by: Principal,
        now: datetime,
        overlap: timedelta = timedelta(days=7),
    ) -> Issued:
        """A new key, told once; keys before it end after `overlap`. By a sysadmin.

        With overlap zero the old ones end at once: for a key that got out.
        """
        require(by, Role.SYSADMIN, "更换接入密钥", "须由系统管理员办理")
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            _read(connection, partner_id)
            connection.execute(
                update(credential)
                .where(
                    credential.c.partner_id == partner_id, credential.c.expires_at > now + overlap
                )
                .values(expires_at=now + overlap)
            )
            issued = self._sessions.open_partner_key(
                connection, partner_id, key_id, now + _KEY_LIFE, now
            )
            append(
                connection,
                [
                    entry_of(
                        by,
                        "partner-key-rotated",
                        now,
                        target=f"partner/{partner_id}",
                        facts={"key": str(key_id), "overlap_s": int(overlap.total_seconds())},
                    )
                ],
            )
        self._sessions.forget(partner_id)
        return issued

    def disable(self, partner_id: UUID, by: Principal, now: datetime) -> None:
        """End the partner's access at once, here and ≤ 5 s elsewhere. By a sysadmin."""
        require(by, Role.SYSADMIN, "停用接入方", "须由系统管理员办理")
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            _read(connection, partner_id)
            connection.execute(
                update(partner).where(partner.c.id == partner_id).values(disabled_at=now)
            )
            connection.execute(delete(credential).where(credential.c.partner_id == partner_id))
            append(
                connection, [entry_of(by, "partner-disabled", now, target=f"partner/{partner_id}")]
            )
        self._sessions.forget(partner_id)


def _read(connection: Connection, partner_id: UUID) -> Partner:
    row = connection.execute(select(partner).where(partner.c.id == partner_id)).first()
    if row is None:
        raise NotThere("接入方")
    return _partner(row)


def _partner(row: Row[tuple[object, ...]]) -> Partner:
    return Partner(
        id=row.id,
        name=row.name,
        scopes=row.scopes,
        disabled_at=row.disabled_at,
        created_at=row.created_at,
    )
