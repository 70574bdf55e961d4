"""What is left of clocks at the desks and on pages of cases, in their own kind of time."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from api.schemas import LeftOut, StreetDeskOut, StreetTaskOut
from casework.clocks import SHANGHAI
from casework.model import Role
from tests.api.browsing import browsing
from tests.api.client import ZHONGGUANCUN, Town, Tracked, own_town


@pytest.fixture
def town() -> Iterator[Town]:
    """A town of each test's own: its clock starts on Monday 2026-05-11 at 09:30."""
    with own_town() as found:
        yield found


def handled(town: Town, text: str = "垃圾桶满冒。") -> Tracked:
    case = town.anonymous().report(text=text)
    row = {"indicator": "P03", "condition": "P03-1"}  # 4 duty hours
    town.reviewer.act(case, "register", "dispatched", **row)
    town.street().act(case, "acknowledge", "handling")
    return case


def until(town: Town, day: int, hour: int, minute: int = 0) -> None:
    """Move the clock to a moment of May 2026 in Haidian."""
    town.forward(
        seconds=(
            datetime(2026, 5, day, hour, minute, tzinfo=SHANGHAI) - town.clock()
        ).total_seconds()
    )


def task_of(town: Town, case: Tracked) -> StreetTaskOut:
    told = town.street().get("/desk/street", after=town.parts.casework.eventlog.head()).json()
    desk = StreetDeskOut.model_validate(told)
    tasks = [task for section in desk.sections for task in section.tasks]
    return next(task for task in tasks if task.case.number == case.number)


def left_of(town: Town, case: Tracked) -> LeftOut:
    found = task_of(town, case).left
    assert found
    return found


def test_a_duty_clock_is_told_in_duty_hours_and_stands_at_night(town: Town) -> None:
    until(town, 11, 19, 30)
    case = handled(town)
    task, left = task_of(town, case), left_of(town, case)
    assert re.fullmatch(r"还剩3值守时5\d分钟", left.says) and task.due_at
    assert f"{task.due_at.astimezone(SHANGHAI):%d %H}" == "12 09", "the next morning"
    assert task.remaining is not None and left.note == "今日21:00后不计时，明日07:00续计"
    until(town, 11, 23)
    left = left_of(town, case)
    assert re.fullmatch(r"还剩2值守时3\d分钟", left.says)
    assert not left.counts_now
    assert left.note == "现在不计时，明日07:00续计"
    with browsing(town, Role.STREET, street=ZHONGGUANCUN) as clerk:
        page = clerk.page("/desk/street")
        shown = re.search(rf"{case.number}.*?</li>", page, re.DOTALL)
        assert shown and "5月12日 09:3" in shown[0]
        assert left.says in shown[0] and "现在不计时，明日07:00续计" in shown[0]
        assert re.search(r'data-left="2026-05-12T01:3[^"]*".*data-from="2026-05-11T23:00', shown[0])
        on_case = clerk.page(f"/cases/{case.number}")
        assert left.says in on_case and "现在不计时，明日07:00续计" in on_case
        assert "10小时3" not in page + on_case, "that is what the wall says"


def test_a_working_clock_stands_at_the_weekend(town: Town) -> None:
    case = handled(town)
    worker = town.street()
    worker.act(
        case, "rectify", "rectified", outcome="rectified", photos=[worker.photo()], words="已清。"
    )
    town.reviewer.act(case, "close", "closed", standard_met=True, reply="已处置。")
    until(town, 15, 17)  # a Friday
    unsolved = {"solved": "no", "satisfaction": 1, "efficiency": 2}
    town.holder(case.receipt).act(case, "rate", "under_recheck", **unsolved)
    head = town.parts.casework.eventlog.head()
    desk = town.reviewer.get("/desk/reviewer", after=head).json()
    left = desk["recheck"]["left"][case.number]
    assert re.fullmatch(r"还剩1个工作日7小时2\d分钟", left["says"])
    assert left["note"] == "今日18:00后不计时，5月18日（周一）09:00续计"
    until(town, 16, 12)
    desk = town.reviewer.get("/desk/reviewer").json()
    left = desk["recheck"]["left"][case.number]
    assert re.fullmatch(r"还剩1个工作日6小时3\d分钟", left["says"])
    assert not left["counts_now"]
    with browsing(town, Role.REVIEWER) as reviewer:
        page = reviewer.page("/desk/reviewer", list="recheck")
        assert left["says"] in page and "现在不计时，5月18日（周一）09:00续计" in page


def test_a_suspended_case_says_what_is_left_of_its_handling(town: Town) -> None:
    case = handled(town)
    town.forward(hours=1)
    later = (town.clock() + timedelta(days=1)).astimezone(SHANGHAI).date().isoformat()
    town.lead().act(case, "request_suspension", "handling", code="S01", resume_on=later)
    town.supervisor.act(case, "grant_suspension", "suspended")
    left = left_of(town, case)
    assert task_of(town, case).clock == "resumption" and left.says.startswith("还剩13小时")
    held = re.fullmatch(r"处置已暂停计时，(还剩2值守时5\d分钟)", left.held)
    assert held
    with browsing(town, Role.STREET, street=ZHONGGUANCUN) as clerk:
        desk = clerk.page("/desk/street", section="suspensions_ending")
        assert held[0] in desk
        page = clerk.page(f"/cases/{case.number}")
        assert re.search(rf"处置：.*{held[1]}.*已暂停计时", page)
    town.street().act(case, "resume", "handling")
    assert re.fullmatch(r"还剩2值守时5\d分钟", left_of(town, case).says)


def test_the_desks_and_the_case_tell_the_same_to_the_second(town: Town) -> None:
    case = handled(town)
    at_desk = left_of(town, case)
    told = town.street().get(f"/cases/{case.id}/clock").json()
    (clock,) = [each for each in told["clocks"] if each["clock"] == "handling"]
    on_case = LeftOut.model_validate(clock["left"])
    assert on_case.zero_at == at_desk.zero_at == datetime.fromisoformat(clock["due_at"])
    assert on_case.seconds == clock["remaining_seconds"]


def test_a_desk_asks_once_for_all_its_rows(town: Town) -> None:
    def questions() -> int:
        asked: list[str] = []

        def count(*told: object) -> None:
            asked.append(str(told[2]))

        engine: Engine = town.parts.feed.readers.engine
        event.listen(engine, "before_cursor_execute", count)
        try:
            answer = town.street().get("/desk/street", after=town.parts.casework.eventlog.head())
        finally:
            event.remove(engine, "before_cursor_execute", count)
        assert answer.status_code == 200
        return len([each for each in asked if "held_used" in each and "next_at" not in each])

    handled(town)
    assert questions() == 1
    for n in range(5):
        handled(town, text=f"垃圾桶满冒第{n}处。")
    assert questions() == 1
