"""Who may issue a place code where, and that withdrawing one is for good."""

import msgspec
import pytest

from casework.errors import (
    Missing,
    NothingPending,
    NotPermitted,
    OutOfScope,
    OutsideDistrict,
    Refusal,
)
from casework.model import (
    Actor,
    ActorKind,
    Assignment,
    Certainty,
    Place,
    PlaceKind,
    Role,
    StreetCode,
)
from casework.place_code import (
    STORED_AS,
    IssueCode,
    PlaceCode,
    PlaceCodeIssued,
    PlaceCodeRevoked,
    RevokeCode,
    decide,
    evolve,
    fold,
)

HERE, THERE = StreetCode("110108011"), StreetCode("110108012")
PLACE = Place(lon=116.32, lat=39.98, kind=PlaceKind.SQUARE)
INSIDE = Assignment(
    street=HERE, certainty=Certainty.INSIDE, because="在界内", boundary_version=3, border_m=700
)
ISSUE = IssueCode(place=PLACE, assignment=INSIDE, name="中关村广场东北角", indicator="P10")
ISSUED = PlaceCodeIssued(
    place=PLACE, street=HERE, boundary_version=3, name="中关村广场东北角", indicator="P10"
)
REVOKE = RevokeCode(reason="牌子已拆除")
REVOKED = PlaceCodeRevoked(reason="牌子已拆除")


def staff(role: Role, street: str | None = None) -> Actor:
    return Actor(ActorKind.STAFF, "甲", street, (role,))


REVIEWER = staff(Role.REVIEWER)


def test_a_code_is_issued_for_the_unit_that_the_map_names() -> None:
    assert decide(None, ISSUE, REVIEWER) == [ISSUED]
    assert fold([ISSUED]) == PlaceCode(
        place=PLACE, street=HERE, name="中关村广场东北角", indicator="P10"
    )


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.SYSADMIN])
def test_the_back_office_issues_and_revokes_anywhere(role: Role) -> None:
    assert decide(None, ISSUE, staff(role)) == [ISSUED]
    assert decide(fold([ISSUED]), REVOKE, staff(role)) == [REVOKED]


@pytest.mark.parametrize("role", [Role.STREET, Role.STREET_LEAD])
def test_a_street_issues_and_revokes_at_home_only(role: Role) -> None:
    assert decide(None, ISSUE, staff(role, HERE)) == [ISSUED]
    assert decide(fold([ISSUED]), REVOKE, staff(role, HERE)) == [REVOKED]
    for elsewhere in (staff(role, THERE), staff(role)):
        with pytest.raises(NotPermitted, match="该地点所在街镇"):
            decide(None, ISSUE, elsewhere)
        with pytest.raises(NotPermitted):
            decide(fold([ISSUED]), REVOKE, elsewhere)


@pytest.mark.parametrize("role", [Role.CITIZEN, Role.ANALYST, Role.SUPERVISOR, Role.SECADMIN])
def test_nobody_else_does(role: Role) -> None:
    with pytest.raises(NotPermitted):
        decide(None, ISSUE, staff(role, HERE))


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"place": Place(lon=116.32, lat=39.98, kind=PlaceKind.INDOOR)}, OutOfScope),
        ({"name": "  "}, Missing),
        (
            {
                "assignment": Assignment(
                    street=None,
                    certainty=Certainty.OUTSIDE_DISTRICT,
                    because="区外",
                    boundary_version=3,
                    neighbour="昌平区",
                )
            },
            OutsideDistrict,
        ),
    ],
)
def test_a_place_where_nothing_can_be_reported_gets_no_code(
    changed: dict[str, object], refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        decide(None, msgspec.structs.replace(ISSUE, **changed), REVIEWER)


def test_a_code_near_a_border_stands_in_the_likeliest_unit() -> None:
    near = msgspec.structs.replace(INSIDE, certainty=Certainty.NEAR_BORDER, runner_up=THERE)
    (issued,) = decide(None, msgspec.structs.replace(ISSUE, assignment=near), REVIEWER)
    assert isinstance(issued, PlaceCodeIssued) and issued.street == HERE


def test_a_number_is_given_out_once() -> None:
    with pytest.raises(Missing, match="已被使用"):
        decide(fold([ISSUED]), ISSUE, REVIEWER)


def test_what_is_revoked_stays_so() -> None:
    revoked = fold([ISSUED, REVOKED])
    assert revoked is not None and revoked.revoked
    with pytest.raises(NothingPending, match="已经停用"):
        decide(revoked, REVOKE, REVIEWER)
    with pytest.raises(KeyError):
        decide(None, REVOKE, REVIEWER)
    assert evolve(None, REVOKED) is None


def test_revoking_needs_a_reason() -> None:
    with pytest.raises(Missing, match="原因"):
        decide(fold([ISSUED]), RevokeCode(reason=" "), REVIEWER)


def test_stored_comes_back_the_same() -> None:
    for event in (ISSUED, REVOKED):
        name = next(name for name, kind in STORED_AS.items() if kind is type(event))
        assert msgspec.json.decode(msgspec.json.encode(event), type=STORED_AS[name]) == event
