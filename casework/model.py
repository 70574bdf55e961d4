"""The nouns that commands, events and the case share. Holds no rule and reads no clock.

Times are aware datetimes in UTC; positions are WGS-84 degrees; distances are metres;
lengths of time are microseconds of the unit's own kind of time (see `Unit`).
"""

from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

import msgspec

StreetCode = NewType("StreetCode", str)
"""街镇代码: nine digits, 110108001 to 110108030."""


class Noun(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value without identity. Fields that stand at their default are not stored."""


class Role(StrEnum):
    """Who may act (角色). An account may hold several, the three 三员 excepted."""

    CITIZEN = "citizen"
    REVIEWER = "reviewer"
    STREET = "street"
    STREET_LEAD = "street_lead"
    CHECKER = "checker"
    SUPERVISOR = "supervisor"
    EDITOR = "editor"
    ANALYST = "analyst"
    PARTNER = "partner"
    SYSADMIN = "sysadmin"
    SECADMIN = "secadmin"
    AUDITOR = "auditor"
    CLOCK = "clock"
    DISPATCHER = "dispatcher"


class ActorKind(StrEnum):
    CITIZEN = "citizen"
    STAFF = "staff"
    PARTNER = "partner"
    CLOCK = "clock"
    DISPATCHER = "dispatcher"


class Actor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who does a thing. `id` is an account id, or for a citizen the pseudonymous person id.

    `roles` are those held when the thing was done; rules about two persons compare `id`.
    """

    kind: ActorKind
    id: str
    street: str | None = None
    roles: tuple[Role, ...] = ()

    def holds(self, *roles: Role) -> bool:
        return any(role in self.roles for role in roles)


CLOCK = Actor(ActorKind.CLOCK, "clock", roles=(Role.CLOCK,))
DISPATCHER = Actor(ActorKind.DISPATCHER, "dispatcher", roles=(Role.DISPATCHER,))


class Sealed(msgspec.Struct, frozen=True):
    """Words under a person's key. Opaque here: only `casework.sealing` can open it."""

    key_id: UUID
    nonce: bytes
    box: bytes


class Unit(StrEnum):
    """What a limit is counted in.

    minute, hour, calendar_day run on without a break; duty_* only in duty windows (值守时, every
    day); working_* only in working windows of working days. A working day is the sum of its
    windows (7.5 h in the sample calendar).
    """

    MINUTE = "minute"
    HOUR = "hour"
    CALENDAR_DAY = "calendar_day"
    DUTY_MINUTE = "duty_minute"
    DUTY_HOUR = "duty_hour"
    WORKING_MINUTE = "working_minute"
    WORKING_HOUR = "working_hour"
    WORKING_DAY = "working_day"


class Limit(msgspec.Struct, frozen=True):
    """An amount of time allowed, such as 4 duty hours."""

    amount: int
    unit: Unit


class Clock(StrEnum):
    """What is being timed (时钟)."""

    REVIEW = "review"
    INFORMATION = "information"
    OBJECTION = "objection"
    DISPATCH = "dispatch"
    ACKNOWLEDGE = "acknowledge"
    HANDLING = "handling"
    RETURN = "return"
    COORDINATION = "coordination"
    EXTENSION = "extension"
    SUSPENSION = "suspension"
    RESUMPTION = "resumption"
    SECOND_PERSON = "second_person"
    VERIFICATION = "verification"
    SITE_CHECK = "site_check"
    RATING = "rating"
    RECHECK = "recheck"
    APPEAL = "appeal"
    APPEAL_WINDOW = "appeal_window"
    NOTE = "note"


WINDOWS = frozenset({Clock.OBJECTION, Clock.RATING, Clock.APPEAL_WINDOW, Clock.INFORMATION})
"""Clocks that close a window for somebody outside the desks: they lapse, nobody is late."""

NOT_WATCHED = WINDOWS | {Clock.RESUMPTION}
"""Clocks of which nobody is warned: windows, and the agreed day of a suspension."""

LAPSING = frozenset({Clock.INFORMATION, Clock.RATING, Clock.RESUMPTION})
"""Clocks at whose end something happens by itself."""

WARNING, OVERDUE, ESCALATION, SECOND_ESCALATION = 75, 100, 150, 200
"""Percent of a limit, extensions included, at which somebody is told (domain.md section 4)."""


class Skip(msgspec.Struct, frozen=True):
    """A stretch in which a clock does not count: `first` ≤ t < `last`, by a 特殊时段's number."""

    first: datetime
    last: datetime
    period: int


class ClockStarted(msgspec.Struct, frozen=True, omit_defaults=True):
    """A clock starts to run and is due at a moment. Frozen: later rules never move it.

    `carried` is time already used, in microseconds of the limit's kind of time.
    `because` names the reason ("dispatch", "resume", "rework", "extension" …).
    `provisional` says that `due_at` lies beyond the last published calendar year.
    `since` is when it began to run, where the fact was written down later than that; `began_at`
    when its limit was first counted from nothing, where that was before.
    `skips` are stretches that do not count, in order and apart; `due_at` lies beyond them.
    `warn_at`, `escalate_at`, `escalate_again_at` are when 75, 150 and 200 % are used.
    `plain_limit` and `plain_due_at` are what would hold had there been no 特殊时段, where that
    differs: measures are told with it and without it.
    """

    clock: Clock
    limit: Limit
    due_at: datetime
    because: str
    carried: int = 0
    provisional: bool = False
    since: datetime | None = None
    began_at: datetime | None = None
    skips: tuple[Skip, ...] = ()
    warn_at: datetime | None = None
    escalate_at: datetime | None = None
    escalate_again_at: datetime | None = None
    plain_limit: Limit | None = None
    plain_due_at: datetime | None = None

    def reached_at(self, percent: int) -> datetime | None:
        """When that share of the limit is used; None where nobody is told of it."""
        return {
            WARNING: self.warn_at,
            OVERDUE: self.due_at if self.warn_at else None,
            ESCALATION: self.escalate_at,
            SECOND_ESCALATION: self.escalate_again_at,
        }[percent]


class ClockStopped(msgspec.Struct, frozen=True, omit_defaults=True):
    """A clock stops: `used` microseconds in all, and whether that was in time.

    `final` is False where the same clock may run on later (paused, or handed over but not yet
    accepted).
    """

    clock: Clock
    used: int
    in_time: bool
    because: str
    final: bool = True


class Versions(msgspec.Struct, frozen=True, omit_defaults=True):
    """The versions of the reference streams under which a thing was decided."""

    catalogue: int
    calendar: int
    boundaries: int
    settled: int = 0
    """The calendar version whose notices fill the years that `calendar` did not have; 0: none."""


class Crs(StrEnum):
    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"
    CGCS2000 = "cgcs2000"


class PlaceKind(StrEnum):
    """Kinds of place (场所类型). A prior for the indicator, never a bar, but for 楼道内/室内."""

    COMPOUND = "compound"
    MAIN_ROAD = "main_road"
    ROAD = "road"
    METRO_EXIT = "metro_exit"
    GREEN = "green"
    WATER = "water"
    CAMPUS = "campus"
    MARKET = "market"
    SQUARE = "square"
    OTHER = "other"
    INDOOR = "indoor"


class Place(Noun, frozen=True, kw_only=True):
    """Where: the pin in WGS-84 degrees, as it came (source CRS and figures), and how sure.

    The pin is in the clear; the address in words and the device's own position are sealed.
    """

    lon: float
    lat: float
    kind: PlaceKind
    crs: Crs = Crs.WGS84
    source_lon: float | None = None
    source_lat: float | None = None
    accuracy_m: float | None = None
    address: Sealed | None = None
    device: Sealed | None = None


class Certainty(StrEnum):
    """How sure the territory is (属地把握)."""

    INSIDE = "inside"
    NEAR_BORDER = "near_border"
    CONTESTED = "contested"
    OUTSIDE_DISTRICT = "outside_district"


class Assignment(Noun, frozen=True, kw_only=True):
    """The dispatcher's verdict on a place: which 街镇, how sure, and why (in Chinese)."""

    street: StreetCode | None
    certainty: Certainty
    because: str
    boundary_version: int
    border_m: float | None = None
    runner_up: StreetCode | None = None
    neighbour: str | None = None


class Photo(msgspec.Struct, frozen=True, omit_defaults=True):
    """A picture or recording by reference: the upload, the SHA-256 of its sealed bytes.

    `wrapped_key` opens the file with the uploader's key only; `source` is camera, album or
    unknown, as the phone said.
    """

    upload: UUID
    sha256: str
    media_type: str
    source: str = "unknown"
    wrapped_key: bytes = b""
    size: int = 0


class Outcome(StrEnum):
    """What the 街镇 found or did (处置结果)."""

    RECTIFIED = "rectified"
    PERSUADED = "persuaded"
    NOT_FOUND = "not_found"
    GONE = "gone"


class Solved(StrEnum):
    YES = "yes"
    PARTLY = "partly"
    NO = "no"


class Consents(Noun, frozen=True, kw_only=True):
    """What the reporter agreed to; nothing is assumed."""

    publication: bool = False
    contact_by_street: bool = False
    analysis: bool = False
    """To how the service is used being counted, without a name (用户行为分析)."""


class Proposed(msgspec.Struct, frozen=True):
    """An indicator that was proposed, and how likely it was held to be (0..1)."""

    indicator: str
    confidence: float


class SpokenModel(msgspec.Struct, frozen=True):
    """A model that spoke for a proposal, and which training or release of it."""

    name: str
    version: str


class Recognition(Noun, frozen=True, kw_only=True):
    """What the reporter was shown when they chose: codes, confidences, models; never the words.

    Most likely first. `out_of_scope` is how likely it was held to be none of the indicators, and
    `warned` whether they were told so.
    """

    proposals: tuple[Proposed, ...]
    models: tuple[SpokenModel, ...]
    out_of_scope: float = 0.0
    warned: bool = False
    preselected: bool = False


class ExternalRef(msgspec.Struct, frozen=True):
    """The same matter on another platform (12345 工单号 …)."""

    platform: str
    number: str
