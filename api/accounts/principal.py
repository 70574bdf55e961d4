"""Who is asking, as every route sees it. Holds no secret and knows no table."""

from enum import StrEnum
from uuid import UUID

import msgspec

from casework.model import Actor, ActorKind, Role


class PrincipalKind(StrEnum):
    ANONYMOUS = "anonymous"
    CITIZEN = "citizen"
    STAFF = "staff"
    PARTNER = "partner"


class Channel(StrEnum):
    """How a credential travels. One kind is never taken for another (a cookie needs CSRF)."""

    PAGE = "page"
    BEARER = "bearer"
    PARTNER = "partner"


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Someone who is signed in, or nobody.

    `account_id` is the account, or for a partner its own id. `person_id` is set for citizens: the
    pseudonym under which cases know them. `must_change_password`: nothing else is allowed until
    it is changed. `second_factor`: this sign-in gave a one-time code; `second_factor_due`: it did
    not, and one of the roles asks for it, so nothing but setting one up is allowed. `session_id`
    names the credential, for revoking it.
    """

    kind: PrincipalKind
    account_id: UUID | None = None
    person_id: UUID | None = None
    display_name: str = ""
    roles: tuple[Role, ...] = ()
    street: str | None = None
    scopes: tuple[str, ...] = ()
    session_id: UUID | None = None
    must_change_password: bool = False
    second_factor: bool = False
    second_factor_due: bool = False

    def holds(self, *roles: Role) -> bool:
        return any(role in self.roles for role in roles)

    @property
    def actor_id(self) -> str | None:
        """The id under which the log and the audit trail know this one."""
        known = self.person_id if self.kind is PrincipalKind.CITIZEN else self.account_id
        return None if known is None else str(known)

    def actor(self) -> Actor:
        """The actor of a command. Only for those who are signed in (ValueError for nobody)."""
        known = self.actor_id
        if known is None:
            raise ValueError("an anonymous principal has no id of its own")
        return Actor(ActorKind(self.kind.value), known, self.street, self.roles)


NOBODY = Principal(kind=PrincipalKind.ANONYMOUS)
