"""A place code (二维码): a place in public space to which a signed link leads. A stream each.

Who may issue and withdraw one, and where. Knows no signature, no link, no picture and no scan.
"""

from collections.abc import Sequence
from functools import reduce
from typing import TypeAlias, assert_never

import msgspec

from casework.errors import Missing, NothingPending, NotPermitted, OutOfScope, OutsideDistrict
from casework.lifecycle import ROLE_NAMES
from casework.model import Actor, Assignment, Place, PlaceKind, Role, StreetCode

EVERYWHERE = (Role.REVIEWER, Role.SYSADMIN)
"""Who may issue and withdraw codes for any place of the district."""

OWN_STREET = (Role.STREET, Role.STREET_LEAD)
"""Who may do so within their own 街镇."""

INDOOR_DOOR = "楼道内和室内的问题请联系物业或拨打 12345。"
OUTSIDE_DOOR = "请在海淀区范围内选点。"


# Commands ------------------------------------------------------------------------------------


class IssueCode(msgspec.Struct, frozen=True, kw_only=True):
    """发放. `assignment` is the dispatcher's verdict on the place; `name` is for anyone to read."""

    place: Place
    assignment: Assignment
    name: str
    indicator: str | None = None


class RevokeCode(msgspec.Struct, frozen=True, kw_only=True):
    """停用: for good, since what is printed cannot be called back."""

    reason: str


Command: TypeAlias = IssueCode | RevokeCode


# Events --------------------------------------------------------------------------------------


class PlaceCodeIssued(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    place: Place
    street: StreetCode
    boundary_version: int
    name: str
    indicator: str | None = None


class PlaceCodeRevoked(msgspec.Struct, frozen=True, kw_only=True):
    reason: str


class PlaceCodeListed(msgspec.Struct, frozen=True, kw_only=True):
    """A code was issued (stream place-codes, written with its issue): by this the list knows it."""

    code: str
    street: StreetCode


Event: TypeAlias = PlaceCodeIssued | PlaceCodeRevoked

STORED_AS: dict[str, type[Event]] = {
    "place-code-issued": PlaceCodeIssued,
    "place-code-revoked": PlaceCodeRevoked,
}
LIST_STORED_AS: dict[str, type[PlaceCodeListed]] = {"place-code-listed": PlaceCodeListed}


# The code ------------------------------------------------------------------------------------


class PlaceCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code as its stream tells it."""

    place: Place
    street: StreetCode
    name: str
    indicator: str | None
    revoked: bool = False


def decide(code: PlaceCode | None, command: Command, by: Actor) -> list[Event]:
    """What follows, or a Refusal.

    KeyError to revoke what was never issued: whoever asks has looked.
    """
    match command:
        case IssueCode():
            if code is not None:
                raise Missing("code", "这个编号已被使用。")
            return [_issued(command, by)]
        case RevokeCode(reason=reason):
            if code is None:
                raise KeyError("never issued")
            _require_place("停用二维码", code.street, by)
            if code.revoked:
                raise NothingPending("停用二维码", "这个二维码已经停用。")
            if not reason.strip():
                raise Missing("reason", "请写明停用的原因。")
            return [PlaceCodeRevoked(reason=reason)]
        case _:
            assert_never(command)


def _issued(command: IssueCode, by: Actor) -> PlaceCodeIssued:
    verdict = command.assignment
    if command.place.kind is PlaceKind.INDOOR:
        raise OutOfScope(INDOOR_DOOR)
    if verdict.street is None:
        raise OutsideDistrict(verdict.neighbour, OUTSIDE_DOOR)
    if not command.name.strip():
        raise Missing("name", "请填写地点名称，扫码的人凭它核对位置。")
    _require_place("发放二维码", verdict.street, by)
    return PlaceCodeIssued(
        place=command.place,
        street=verdict.street,
        boundary_version=verdict.boundary_version,
        name=command.name,
        indicator=command.indicator,
    )


def _require_place(action: str, street: StreetCode, by: Actor) -> None:
    if by.holds(*EVERYWHERE) or (by.holds(*OWN_STREET) and by.street == street):
        return
    own = [f"该地点所在街镇的{ROLE_NAMES[role]}" for role in OWN_STREET]
    raise NotPermitted(action, (*(ROLE_NAMES[role] for role in EVERYWHERE), *own))


def evolve(code: PlaceCode | None, event: Event) -> PlaceCode | None:
    """The code after the event. Refuses nothing."""
    match event:
        case PlaceCodeIssued():
            return PlaceCode(
                place=event.place,
                street=event.street,
                name=event.name,
                indicator=event.indicator,
            )
        case PlaceCodeRevoked():
            return code and msgspec.structs.replace(code, revoked=True)
        case _:
            assert_never(event)


def fold(history: Sequence[Event]) -> PlaceCode | None:
    """The code after these events; None before the first."""
    nothing: PlaceCode | None = None
    return reduce(evolve, history, nothing)
