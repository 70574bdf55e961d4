"""The shapes of the back rooms: accounts, partners, catalogue, erasure. Knows no rule.

Times are ISO 8601 with their offset; days are days in Shanghai.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from api.access import POLICY
from api.hygiene import AwareMoment, Day, Line, Prose, StreetText
from api.schemas import LimitIn, SignInIn, Wire
from casework.model import PlaceKind, Role

Word = Annotated[Line, Field(min_length=1, max_length=40)]
Sentence = Annotated[Line, Field(min_length=1, max_length=200)]

# 登录与账号 --------------------------------------------------------------------------------


class SignInWithCodeIn(SignInIn):
    """Name and password, and the one-time code where the account asks for one."""

    code: Annotated[str, Field(min_length=6, max_length=12)] | None = Field(
        default=None, description="动态口令，账号启用时必填。"
    )


Password = Annotated[str, Field(min_length=1, max_length=256)]
OneTimeCode = Annotated[str, Field(min_length=6, max_length=12)]


class FactorBeginIn(Wire):
    """The password once more; the code of the one in force, where it is to be replaced."""

    password: Password
    code: OneTimeCode | None = Field(default=None, description="更换时填写现在的动态口令。")


class FactorCodeIn(Wire):
    code: OneTimeCode = Field(description="手机上新显示的6位动态口令。")


class FactorOut(Wire):
    """One's own second factor: in force `since`, or not; `waits`: a new one is to be confirmed.

    `due`: a role asks for it, and this sign-in gave none.
    """

    since: datetime | None
    waits: bool
    due: bool


class EnrolmentOut(Wire):
    """What goes into the app on the phone, told once: the secret in base 32, and as a URI."""

    secret: str
    uri: str


class EnrolledOut(Wire):
    """An account whose second factor is in force."""

    account_id: UUID
    since: datetime


class AdministratorOut(Wire):
    """The first administrator is made; sign in now."""

    account_id: UUID
    role: Role
    role_name: str


class CitizenOut(Wire):
    """A citizen's account is made; sign in now."""

    person_id: UUID


class RoleOut(Wire):
    code: Role
    name: str


class AccountOut(Wire):
    """A staff account: nothing secret."""

    id: UUID
    name: str
    display_name: str
    roles: tuple[RoleOut, ...]
    street: str | None
    street_name: str | None
    must_change_at: datetime | None
    disabled_at: datetime | None
    created_at: datetime


class AccountPage(Wire):
    """A page of accounts by name; `next` leads on."""

    accounts: tuple[AccountOut, ...]
    next: str | None


class AccountIn(Wire):
    name: Annotated[Line, Field(min_length=2, max_length=64)]
    display_name: Annotated[Line, Field(min_length=1, max_length=64)]


class AccountMadeOut(Wire):
    """The temporary password is told once; a repeated request gets none."""

    account: AccountOut
    temporary_password: str | None


class PasswordOut(Wire):
    """Told once, to be changed at the first sign-in."""

    temporary_password: str


class RolesIn(Wire):
    """All the roles that the account shall hold from then on."""

    roles: Annotated[tuple[Role, ...], Field(max_length=12)]
    street: StreetText | None = None


class RoleProposalOut(Wire):
    id: UUID
    account_id: UUID
    roles: tuple[RoleOut, ...]
    street: str | None
    street_name: str | None
    proposed_by: UUID
    proposed_at: datetime
    decision: str | None
    decided_by: UUID | None
    decided_at: datetime | None


# 接入方 ------------------------------------------------------------------------------------


def _known(scope: str) -> str:
    known = sorted({row.scope for row in POLICY.values() if row.scope})
    if scope not in known:
        raise PydanticCustomError(
            "literal_error", "不在可选范围内。", {"expected": "、".join(known)}
        )
    return scope


class PartnerIn(Wire):
    name: Annotated[Line, Field(min_length=1, max_length=64)]


class ScopesIn(Wire):
    """All that the partner may do from then on."""

    scopes: Annotated[tuple[Annotated[str, AfterValidator(_known)], ...], Field(max_length=20)]


class KeyIn(Wire):
    overlap_hours: Annotated[int, Field(ge=0, le=24 * 30, strict=True)] = Field(
        default=24 * 7, description="旧密钥继续有效的小时数；密钥外泄时填 0，立即失效。"
    )


class PartnerOut(Wire):
    id: UUID
    name: str
    scopes: tuple[str, ...]
    disabled_at: datetime | None
    created_at: datetime


class PartnerKeyOut(Wire):
    """The key is told once, for `Authorization: Partner <key>`."""

    key: str
    key_id: UUID
    expires_at: datetime


# 指标 --------------------------------------------------------------------------------------


class Named(Wire):
    code: str
    name: str


class LimitOut(Wire):
    amount: int
    unit: str
    words: str


class OverrideOut(Wire):
    """Another limit for some 街镇, kinds of place, or days; an empty field means any."""

    limit: LimitOut
    streets: tuple[Named, ...]
    place_kinds: tuple[Named, ...]
    first: date | None
    last: date | None


class ConditionOut(Wire):
    """立案条件 × 时限 × 结案标准."""

    id: str
    condition: str
    limit: LimitOut
    standard: str
    place_kinds: tuple[Named, ...]
    overrides: tuple[OverrideOut, ...]


class PartyOut(Wire):
    """Who is usually responsible in such a place."""

    place_kind: Named
    party: str


class IndicatorOut(Wire):
    """`sample` marks 示例, 待区级确认."""

    code: str
    name: str
    group: str
    sample: bool
    note: str | None
    conditions: tuple[ConditionOut, ...]
    place_kinds: tuple[Named, ...]
    parties: tuple[PartyOut, ...]
    keywords: tuple[str, ...]
    examples: tuple[str, ...]


class CatalogueOut(Wire):
    """A version of the catalogue, and from when it holds."""

    version: int
    in_force: bool
    effective_from: datetime | None
    indicators: tuple[IndicatorOut, ...]


class ReasonOut(Wire):
    """A coded reason; `words` is the least number of characters to be said with it."""

    code: str
    family: str
    family_name: str
    text: str
    words: int


class OverrideIn(Wire):
    limit: LimitIn
    streets: Annotated[tuple[StreetText, ...], Field(max_length=40)] = ()
    place_kinds: Annotated[tuple[PlaceKind, ...], Field(max_length=20)] = ()
    first: Day | None = None
    last: Day | None = None


class ConditionIn(Wire):
    id: Annotated[Line, Field(min_length=1, max_length=32)]
    condition: Sentence
    limit: LimitIn
    standard: Sentence
    place_kinds: Annotated[tuple[PlaceKind, ...], Field(max_length=20)] = ()
    overrides: Annotated[tuple[OverrideIn, ...], Field(max_length=100)] = ()


class IndicatorBodyIn(Wire):
    """All of an indicator but its code."""

    name: Word
    group: Word
    conditions: Annotated[tuple[ConditionIn, ...], Field(min_length=1, max_length=50)]
    place_kinds: Annotated[tuple[PlaceKind, ...], Field(max_length=20)] = ()
    parties: Annotated[Mapping[PlaceKind, Word], Field(max_length=20)] = {}
    keywords: Annotated[tuple[Word, ...], Field(max_length=200)] = ()
    examples: Annotated[tuple[Sentence, ...], Field(max_length=200)] = ()
    sample: bool = Field(default=False, strict=True)


IndicatorCode = Annotated[str, Field(pattern=r"^[A-Z][0-9]{2,3}$", examples=["P10"])]


class IndicatorIn(IndicatorBodyIn):
    code: IndicatorCode


class _ChangeIn(Wire):
    effective_from: AwareMoment = Field(
        description="生效时间，须晚于确认时间至少 60 秒，且不早于上一次变更。"
    )
    reason: Prose


class AddIndicatorIn(_ChangeIn):
    indicator: IndicatorIn


class ReviseIndicatorIn(_ChangeIn):
    indicator: IndicatorBodyIn


class RetireIndicatorIn(_ChangeIn):
    pass


Json = TypeAliasType(
    "Json", "Mapping[Line, Json] | tuple[Json, ...] | Line | bool | int | float | None"
)
"""Data of any shape, every text in it of one clean line."""


class ProposeIn(Wire):
    """Any change of catalogue, calendar or boundaries, as data; `type` says which."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "change": {
                        "type": "set-step-limit",
                        "clock": "review",
                        "limit": {"amount": 20, "unit": "duty_minute"},
                        "effective_from": "2026-12-01T00:00:00+08:00",
                    },
                    "reason": "审核提速",
                },
                {
                    "change": {
                        "type": "add-code",
                        "code": {"code": "N13", "family": "N", "text": "重复投诉已告知"},
                        "effective_from": "2026-12-01T00:00:00+08:00",
                    },
                    "reason": "按来信来访情况补充",
                },
            ]
        },
    )

    change: Annotated[Mapping[Line, Json], Field(max_length=20)] = Field(
        description=(
            "type 为 add-indicator、revise-indicator、retire-indicator、add-code、revise-code、"
            "retire-code、set-step-limit、set-danger-words、set-scope-words、publish-year、"
            "set-windows 或 adopt-boundaries（边界文件须先由 casework boundaries adopt "
            "--only-keep 存放）；其余字段与 GET /changes 中 change 的形状相同。"
        )
    )
    reason: Prose


class DeclineIn(Wire):
    reason: Prose


class ChangeOut(Wire):
    """A change of reference data between two people. `change` is what it says, as data."""

    id: int
    says: str
    change: dict[str, object]
    reason: str
    state: str
    state_name: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decided_because: str | None


# 审计与删除 --------------------------------------------------------------------------------


class VerificationOut(Wire):
    """Whether the whole chain holds; keep `head_seq` and `head_hash` somewhere else."""

    holds: bool
    first_broken: int | None
    rows: int
    head_seq: int
    head_hash: str


class EraseIn(Wire):
    case: Annotated[Line, Field(min_length=1, max_length=40)] | None = Field(
        default=None, description="凭回执申请时的案件编号。"
    )


class ErasureRowOut(Wire):
    """A row of the ledger. `waiting_for`: who has not yet said that nothing is left."""

    erasure_id: UUID
    person_id: str
    state: str
    state_name: str
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    completed_at: datetime | None
    waiting_for: tuple[str, ...]


class StaffTextOut(Wire):
    """A text that staff wrote about a case of the person, by its key; not its words."""

    key_id: UUID
    case_id: UUID
    case_number: str
    written_at: datetime
    destroyed_at: datetime | None


class DestroyIn(Wire):
    key_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=200)]
