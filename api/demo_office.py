"""What the demonstration shows beside the cases: who is on duty, who handed over to whom, changes.

Each script is one desk's week, or one change between two persons. Pure.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from api.demo_accounts import account_id
from api.demo_places import DEMO_STREETS
from api.demo_telling import ENDS, OPENS, Deed, Script, do
from casework.clocks import SHANGHAI
from casework.model import Role

_HOME, _OTHER = DEMO_STREETS
_DAY = timedelta(days=1)
_NOON = 14
"""When the early shift ends and the late one begins."""

_WRITTEN = timedelta(hours=7)
"""A week's roster is written the afternoon before: a duty begins in no past."""


class Week(NamedTuple):
    """Who writes a desk's roster, and who is there early and late in the day, or in the week."""

    desk: str
    writer: str
    early: str
    late: str
    street: str | None = None
    half_days: bool = False


ROSTERS = (
    Week("reviewer", "supervisor", "reviewer", "reviewer_2", half_days=True),
    Week("supervisor", "supervisor", "supervisor", "supervisor_2"),
    Week(f"street-{_HOME}", "street_lead", "street", "street_lead", _HOME),
    Week(f"street-{_OTHER}", "street_lead", "street_2", "street_lead_2", _OTHER),
)


class Shift(NamedTuple):
    """A hand-over from one to another, with words."""

    desk: str
    outgoing: str
    incoming: str
    words: str
    street: str | None = None


# The waiting ones are signed by those who are second of a pair: the first finds them to take over.
SHIFTS = (
    (
        Shift("reviewer", "reviewer", "reviewer_2", "清单按到期排好，请先看前三件。"),
        Shift("reviewer", "reviewer_2", "reviewer", "待核查里有照片存疑的，请对照反映照片。"),
    ),
    (
        Shift("supervisor", "supervisor_2", "supervisor", "延期、挂账申请请当天答复。"),
        Shift(
            "supervisor",
            "supervisor_2",
            "supervisor",
            "强制结案和转办申请由我提出，须您第二人确认。",
        ),
    ),
    (
        Shift(f"street-{_HOME}", "street", "street_lead", "返工的明早到原位置补拍。", _HOME),
        Shift(f"street-{_HOME}", "street_lead", "street", "有督办待答复，请当班办理。", _HOME),
    ),
    (
        Shift(f"street-{_OTHER}", "street", "street_lead", "挂账快到期的请联系施工方。", _OTHER),
        Shift(f"street-{_OTHER}", "street_lead", "street", "待签收的请先到场看一看。", _OTHER),
    ),
)
"""For each desk: one that both signed, one that waits for the second signature."""


def scripts(until: datetime) -> Iterator[tuple[datetime, Script]]:
    """Everything beside the cases, up to `until`."""
    monday = _monday(until)
    for week in ROSTERS:
        yield monday - _WRITTEN, _roster(week, monday)
    for signed, waiting in SHIFTS:
        evening = _evening_before(until)
        yield evening, _shift(signed, evening, until)
        at = until - timedelta(minutes=50)
        yield at, _shift(waiting, at, None)
    declared = until - timedelta(hours=26)
    yield declared, _special_period(declared, until)
    yield until - timedelta(hours=3), _waiting_period(until - timedelta(hours=3), until)
    yield until - timedelta(hours=5), _new_indicator(until - timedelta(hours=5), until)
    yield until - timedelta(hours=4), _roles(until - timedelta(hours=4))


# who is on duty ---------------------------------------------------------------------------


def _roster(week: Week, monday: datetime) -> Script:
    """Written line by line, the afternoon before the week begins."""
    at = monday - _WRITTEN
    for who, begins, ends in _lines(week, monday):
        at += timedelta(seconds=20)
        fields = {
            "desk": week.desk,
            "account": str(account_id(who)),
            "starts_at": begins.isoformat(),
            "ends_at": ends.isoformat(),
        }
        yield from do(
            Deed(at=at, who=week.writer, what="duty.assign", fields=fields, street=week.street)
        )


def _lines(week: Week, monday: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    """Who is there from when to when: this week and the next."""
    opens, noon, ends = (timedelta(hours=hour) for hour in (OPENS, _NOON, ENDS))
    if week.half_days:
        for midnight in (monday + day * _DAY for day in range(7)):
            yield week.early, midnight + opens, midnight + noon
            yield week.late, midnight + noon, midnight + ends
    else:
        yield from _half_weeks(week, monday)
    yield from _half_weeks(week, monday + 7 * _DAY)


def _half_weeks(week: Week, monday: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    yield week.early, monday, monday + 4 * _DAY
    yield week.late, monday + 4 * _DAY, monday + 7 * _DAY


def _monday(until: datetime) -> datetime:
    """The beginning of the week in Shanghai."""
    local = until.astimezone(SHANGHAI)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - local.weekday() * _DAY).astimezone(until.tzinfo)


# from shift to shift -----------------------------------------------------------------------


def _evening_before(until: datetime) -> datetime:
    """Nine in the evening of the day before, in Shanghai."""
    local = until.astimezone(SHANGHAI) - _DAY
    evening = local.replace(hour=ENDS, minute=0, second=0, microsecond=0)
    return evening.astimezone(until.tzinfo)


def _shift(shift: Shift, at: datetime, until: datetime | None) -> Script:
    """Signed by one; and before `until`, where that is given, by the other too."""
    answer = yield from do(
        Deed(
            at=at,
            who=shift.outgoing,
            what="shifts.hand_over",
            of={"desk": shift.desk},
            fields={"words": shift.words},
            street=shift.street,
            waits=True,
        )
    )
    if until is not None:
        yield from do(
            Deed(
                at=at + timedelta(minutes=6),
                who=shift.incoming,
                what="shifts.take_over",
                of={"desk": shift.desk, "number": str(answer.number)},
                street=shift.street,
                waits=True,
            )
        )


# changes between two persons ----------------------------------------------------------------


def _special_period(at: datetime, until: datetime) -> Script:
    """特殊时段: declared by one supervisor, confirmed by another, running when the story ends."""
    fields = _period(
        "event",
        at + timedelta(hours=2),
        until + 2 * _DAY,
        "区重大活动保障工作通知（演示）：周边道路分时管控，调运车辆按指定时段进入。",
        streets=[_OTHER],
        indicators=["P10"],
        limit={"amount": 4, "unit": "duty_hour"},
    )
    asked = yield from do(
        Deed(at=at, who="supervisor", what="special_periods.declare", fields=fields)
    )
    yield from do(
        Deed(
            at=at + timedelta(minutes=25),
            who="supervisor_2",
            what="indicators.confirm",
            of={"number": str(asked.number)},
            waits=True,
        )
    )


def _waiting_period(at: datetime, until: datetime) -> Script:
    """Another one, that waits for its second person."""
    fields = _period(
        "pollution",
        until + 3 * _DAY,
        until + 5 * _DAY,
        "市空气重污染应急预警通知（演示）：停止喷涂清洗和道路冲洗作业。",
        streets=[],
        indicators=["P06"],
    )
    yield from do(Deed(at=at, who="supervisor_2", what="special_periods.declare", fields=fields))


def _period(
    occasion: str, first: datetime, last: datetime, grounds: str, **fields: object
) -> Mapping[str, object]:
    """From a full hour to a full hour."""
    hours = {"minute": 0, "second": 0, "microsecond": 0}
    return {
        "occasion": occasion,
        "first": first.replace(**hours).isoformat(),  # type: ignore[arg-type]  # all of them are numbers
        "last": last.replace(**hours).isoformat(),  # type: ignore[arg-type]
        "grounds": grounds,
        **fields,
    }


def _new_indicator(at: datetime, until: datetime) -> Script:
    """A change of the catalogue that waits for a supervisor."""
    midnight = (until.astimezone(SHANGHAI) + 14 * _DAY).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    fields = {
        "effective_from": midnight.isoformat(),
        "reason": "近三个月多次反映便道堆放杂物，拟单列指标，先行试算（演示）。",
        "indicator": {
            "code": "P11",
            "name": "占道堆物堆料",
            "group": "公共区域",
            "conditions": [
                {
                    "id": "P11-1",
                    "condition": "在道路、便道堆放杂物或物料，影响通行",
                    "standard": "物料清走，地面干净，恢复通行",
                    "limit": {"amount": 8, "unit": "duty_hour"},
                }
            ],
            "place_kinds": ["main_road", "road", "square"],
            "keywords": ["堆料", "堆物", "占道堆放"],
            "sample": True,
        },
    }
    yield from do(Deed(at=at, who="sysadmin", what="indicators.propose", fields=fields))


def _roles(at: datetime) -> Script:
    """A role that waits for a secadmin: a checker who shall help out at the reviewers' desk."""
    yield from do(
        Deed(
            at=at,
            who="sysadmin",
            what="accounts.propose_roles",
            of={"account": str(account_id("checker"))},
            fields={"roles": [Role.CHECKER, Role.REVIEWER]},
            waits=True,
        )
    )
