"""The accounts of the demonstration: one a role, some twice, for what takes two persons.

Passwords are random and stand in a file only its owner may read. Made by the same ways as every
other account: first administrators by a one-time token, roles proposed and confirmed by two.
"""

import json
import os
import secrets
import string
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid5

import msgspec

from api.access import MOVES, READS, REPORTS
from api.accounts.errors import NotThere
from api.accounts.people import Account, name_key
from api.accounts.principal import Principal, PrincipalKind
from api.demo_places import DEMO_STREETS
from api.parts import Parts
from casework.model import Role

FILE = "demo-accounts.json"

_IDS = UUID("5a0a8b52-7b1f-5a55-8d0c-5d8e6b0a7c31")
_HOME, _OTHER = DEMO_STREETS


class Player(msgspec.Struct, frozen=True):
    """An account of the demonstration."""

    name: str
    display_name: str
    role: Role
    street: str | None = None


CAST: dict[str, Player] = {
    "sysadmin": Player("demo-sysadmin", "演示 · 系统管理员", Role.SYSADMIN),
    "secadmin": Player("demo-secadmin", "演示 · 安全管理员", Role.SECADMIN),
    "secadmin_2": Player("demo-secadmin-2", "演示 · 安全管理员乙", Role.SECADMIN),
    "auditor": Player("demo-auditor", "演示 · 审计员", Role.AUDITOR),
    "reviewer": Player("demo-reviewer", "演示 · 审核员甲", Role.REVIEWER),
    "reviewer_2": Player("demo-reviewer-2", "演示 · 审核员乙", Role.REVIEWER),
    "supervisor": Player("demo-supervisor", "演示 · 督办员甲", Role.SUPERVISOR),
    "supervisor_2": Player("demo-supervisor-2", "演示 · 督办员乙", Role.SUPERVISOR),
    "street": Player("demo-haidian", "演示 · 海淀街道经办", Role.STREET, _HOME),
    "street_lead": Player("demo-haidian-lead", "演示 · 海淀街道负责人", Role.STREET_LEAD, _HOME),
    "street_2": Player("demo-zhongguancun", "演示 · 中关村街道经办", Role.STREET, _OTHER),
    "street_lead_2": Player(
        "demo-zhongguancun-lead", "演示 · 中关村街道负责人", Role.STREET_LEAD, _OTHER
    ),
    "checker": Player("demo-checker", "演示 · 核查员", Role.CHECKER),
    "editor": Player("demo-editor", "演示 · 融媒编辑", Role.EDITOR),
    "editor_2": Player("demo-editor-2", "演示 · 融媒编辑乙", Role.EDITOR),
    "analyst": Player("demo-analyst", "演示 · 分析员", Role.ANALYST),
    "citizen": Player("demo-citizen", "演示 · 市民甲", Role.CITIZEN),
    "citizen_2": Player("demo-citizen-2", "演示 · 市民乙", Role.CITIZEN),
}
"""By the key in the file. The partner is not here: it has a key and no password."""

PARTNER = "演示接入方 · 12345"
_FIRST = (Role.SYSADMIN, Role.SECADMIN, Role.AUDITOR)


class NotADemonstration(Exception):  # noqa: N818  says what the folder is
    """The data folder holds accounts that were not made for a demonstration."""


class Troupe:
    """The cast as principals. Streets without accounts of their own are played too."""

    def __init__(self, passwords: Mapping[str, Mapping[str, str]]) -> None:
        self.credentials = passwords

    def principal(self, key: str) -> Principal:
        """Somebody of the cast, or the partner."""
        if key == "partner":
            return Principal(
                kind=PrincipalKind.PARTNER,
                account_id=partner_id(),
                scopes=(REPORTS, READS, MOVES),
            )
        player = CAST[key]
        if player.role is Role.CITIZEN:
            return Principal(
                kind=PrincipalKind.CITIZEN, account_id=account_id(key), person_id=person_id(key)
            )
        return _staff(key, player)

    def of_street(self, role: Role, street: str) -> Principal:
        """Who acts for a 街镇: its demonstration account, or for the others one without sign-in."""
        for key, player in CAST.items():
            if player.role is role and player.street == street:
                return _staff(key, player)
        return Principal(
            kind=PrincipalKind.STAFF,
            account_id=account_id(f"{role}/{street}"),
            roles=(role,),
            street=street,
        )


def account_id(key: str) -> UUID:
    return uuid5(_IDS, f"account/{key}")


def person_id(key: str) -> UUID:
    return uuid5(_IDS, f"person/{key}")


def partner_id() -> UUID:
    return uuid5(_IDS, "partner")


def _staff(key: str, player: Player) -> Principal:
    return Principal(
        kind=PrincipalKind.STAFF,
        account_id=account_id(key),
        display_name=player.display_name,
        roles=(player.role,),
        street=player.street,
    )


def read(var: Path) -> dict[str, dict[str, str]] | None:
    """The credentials of a folder that is a demonstration already; None if it is not."""
    try:
        found: dict[str, dict[str, str]] = json.loads((var / FILE).read_text())
    except FileNotFoundError:
        return None
    return found


def _write(var: Path, credentials: Mapping[str, Mapping[str, str]]) -> None:
    """Whole or not at all, and readable by its owner only from the first byte on."""
    new = var / f"{FILE}.new"
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(credentials, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    new.replace(var / FILE)


def _password() -> str:
    """Fits every profile; without signs that look alike."""
    letters = [c for c in string.ascii_letters + string.digits if c not in "0O1lI"]
    body = "".join(secrets.choice(letters) for _ in range(13))
    return f"{body}-{secrets.choice('23456789')}a{secrets.choice('ABCDEFGH')}"


async def prepare(parts: Parts, now: datetime) -> Troupe:
    """Make what is missing of the cast; repeating it makes nothing new.

    Raises:
        NotADemonstration: there are accounts, and no file of ours.

    """
    known = {name_key(account.name): account for account in parts.people.accounts(limit=1000)}
    credentials = read(parts.settings.var)
    if credentials is None:
        if known:
            raise NotADemonstration
        credentials = {
            key: {
                "name": player.name,
                "password": _password(),
                "role": player.role.value,
                **({"street": player.street} if player.street else {}),
            }
            for key, player in CAST.items()
        }
        _write(parts.settings.var, credentials)
    troupe = Troupe(credentials)
    for key, player in CAST.items():
        await _account(parts, troupe, key, known.get(name_key(player.name)), now)
    if "partner" not in credentials:
        credentials["partner"] = {"name": PARTNER, "key": _partner(parts, troupe, now)}
        _write(parts.settings.var, credentials)
    return troupe


async def _account(
    parts: Parts, troupe: Troupe, key: str, known: Account | None, now: datetime
) -> None:
    """One account, finished also where an earlier run was cut off in the middle."""
    player, wanted = CAST[key], troupe.credentials[key]["password"]
    if player.role is Role.CITIZEN:
        await _citizen(parts, key, wanted, now)
        return
    if known is None and key in _FIRST:
        token = parts.grants.issue_first_admin_token(now, player.role)
        await parts.grants.redeem(
            token, account_id(key), player.name, player.display_name, wanted, now
        )
        return
    sysadmin, secadmin = troupe.principal("sysadmin"), troupe.principal("secadmin")
    temporary: str | None = None
    if known is None:
        temporary = await parts.people.create(
            account_id(key), player.name, player.display_name, sysadmin, now
        )
    elif known.must_change_at is not None and known.must_change_at <= now:
        temporary = await parts.people.reset_password(known.id, sysadmin, now)
    if temporary is not None:
        await parts.people.change_password(
            account_id(key), temporary, wanted, troupe.principal(key), now
        )
    if known is None or player.role not in known.roles:
        proposal = parts.new_id()
        parts.grants.propose(
            proposal, account_id(key), (player.role,), player.street, sysadmin, now
        )
        parts.grants.confirm(proposal, secadmin, now)


async def _citizen(parts: Parts, key: str, password: str, now: datetime) -> None:
    player = CAST[key]
    if _exists(parts, account_id(key)):
        return
    await parts.people.register_citizen(
        account_id(key), person_id(key), player.name, player.display_name, password, now
    )


def _exists(parts: Parts, account: UUID) -> bool:
    try:
        parts.people.account(account)
    except NotThere:
        return False
    return True


def _partner(parts: Parts, troupe: Troupe, now: datetime) -> str:
    """The partner's key. A run cut off before the file was written makes another."""
    sysadmin, secadmin = troupe.principal("sysadmin"), troupe.principal("secadmin")
    if all(partner.id != partner_id() for partner in parts.partners.partners()):
        parts.partners.create(partner_id(), PARTNER, sysadmin, now)
    parts.partners.grant_scopes(partner_id(), (REPORTS, READS, MOVES), secadmin, now)
    return parts.partners.rotate_key(partner_id(), parts.new_id(), sysadmin, now).value
