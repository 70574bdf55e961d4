"""A clock in words: what each line says, and that the figures add up as a clerk adds them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from casework import clock_story
from casework.clock_story import FOR_REPORTERS
from casework.clock_words import (
    BECAUSE_NAMES,
    CLOCK_NAMES,
    STAND_NAMES,
    UNIT_NAMES,
    Turn,
    Why,
    length_in_words,
    limit_in_words,
    moment_in_words,
    steps,
    stretches,
)
from casework.clocks import (
    DAY,
    HOUR,
    MINUTE,
    SHANGHAI,
    Calendar,
    Family,
    apart,
    family,
    micros,
    plus,
    start,
    stop,
)
from casework.model import Clock, ClockStarted, ClockStopped, Limit, Skip, Unit
from casework.timers import Stand
from tests.casework.test_clocks import ANY_CALENDAR, CALENDAR, KINDS, MOMENTS, moment
from tests.stories import Clerk


def explain(
    facts: Sequence[tuple[datetime, ClockStarted | ClockStopped]],
    calendar: Calendar,
    names: Mapping[int, str] | None = None,
) -> list[str]:
    """What a clerk reads of one clock, line by line."""
    turns = [Turn(at, fact, calendar) for at, fact in facts]
    return [line for step in steps(turns, names or {}) for line in step.told]


def test_a_due_time_is_explained_day_by_day() -> None:
    at = moment("2026-09-30 16:00")
    running = start(Clock.RECHECK, Limit(5, Unit.WORKING_DAY), at, CALENDAR, "rate")

    assert explain([(at, running)], CALENDAR) == [
        (
            "2026年9月30日（周三）16:00 评价：复核时限5个工作日（合37小时30分钟）；"
            "只计工作日的工作时段。"
        ),
        "  2026年9月30日（周三）：16:00–18:00，计2小时。",
        "  2026年10月1日（周四）至2026年10月7日（周三）：国庆节，不计。",
        "  2026年10月8日（周四）至2026年10月9日（周五）：共2天，计15小时。",
        "  2026年10月10日（周六）：调休上班，全天计7小时30分钟。",
        "  2026年10月11日（周日）：周末，不计。",
        "  2026年10月12日（周一）：全天计7小时30分钟。",
        "  2026年10月13日（周二）：09:00–12:00、13:30–16:00，计5小时30分钟。",
        "到期时间：2026年10月13日（周二）16:00。",
    ]


def test_pause_and_extension_are_explained_with_what_was_carried() -> None:
    began, paused, resumed, extended, handed_over = map(
        moment,
        (
            "2026-03-02 19:30",
            "2026-03-03 08:00",
            "2026-03-10 22:00",
            "2026-03-11 08:00",
            "2026-03-11 15:01",
        ),
    )
    limit = Limit(4, Unit.DUTY_HOUR)
    first = start(Clock.HANDLING, limit, began, CALENDAR, "dispatch")
    pause = stop(first, began, paused, CALENDAR, "grant_suspension", final=False)
    second = start(Clock.HANDLING, limit, resumed, CALENDAR, "resume", pause.used)
    used = second.carried + CALENDAR.counted(Family.DUTY, resumed, extended)
    third = start(
        Clock.HANDLING, plus(limit, limit, CALENDAR), extended, CALENDAR, "extension", used
    )
    late = stop(third, extended, handed_over, CALENDAR, "rectify")

    told = explain(
        [
            (began, first),
            (paused, pause),
            (resumed, second),
            (extended, third),
            (handed_over, late),
        ],
        CALENDAR,
    )

    assert told == [
        "2026年3月2日（周一）19:30 派遣：处置时限4值守时；只计值守时段，节假日照计。",
        "  2026年3月2日（周一）：19:30–21:00，计1小时30分钟。",
        "  2026年3月3日（周二）：07:00–09:30，计2小时30分钟。",
        "到期时间：2026年3月3日（周二）09:30。",
        "2026年3月3日（周二）08:00 同意挂账：暂停计时，累计用时2小时30分钟，在时限内。",
        (
            "2026年3月10日（周二）22:00 恢复处置：处置时限4值守时，此前已用2小时30分钟，"
            "尚余1小时30分钟；只计值守时段，节假日照计。"
        ),
        "  2026年3月10日（周二）：22:00–24:00不在值守时段内，不计。",
        "  2026年3月11日（周三）：07:00–08:30，计1小时30分钟。",
        "到期时间：2026年3月11日（周三）08:30。",
        (
            "2026年3月11日（周三）08:00 延期：处置时限8值守时，此前已用3小时30分钟，"
            "尚余4小时30分钟；只计值守时段，节假日照计。"
        ),
        "  2026年3月11日（周三）：08:00–12:30，计4小时30分钟。",
        "到期时间：2026年3月11日（周三）12:30。",
        "2026年3月11日（周三）15:01 整改反馈：停止计时，累计用时10小时31分钟，已超时2小时31分钟。",
    ]


def test_continuous_time_provisional_days_and_a_used_up_limit_are_told() -> None:
    at = moment("2026-12-31 16:00")
    three_days = start(Clock.HANDLING, Limit(3, Unit.CALENDAR_DAY), at, CALENDAR, "dispatch")
    provisional = start(Clock.APPEAL, Limit(1, Unit.WORKING_DAY), at, CALENDAR, "appeal")
    used_up = start(
        Clock.HANDLING, Limit(15, Unit.MINUTE), at, CALENDAR, "自定原因", carried=20 * MINUTE
    )

    told = explain([(at, three_days), (at, provisional), (at, used_up)], CALENDAR)

    assert told[1] == "  2026年12月31日（周四）16:00至2027年1月3日（周日）16:00，计72小时。"
    assert told[-3].endswith("16:00（所涉年度放假安排尚未公布，为暂定）。")
    assert told[-2:] == [
        (
            "2026年12月31日（周四）16:00 自定原因：处置时限15分钟，此前已用20分钟，已无剩余；"
            "连续计时，不分昼夜和节假日。"
        ),
        "到期时间：2026年12月31日（周四）15:55。",
    ]


@given(MOMENTS, st.sampled_from(Unit), st.integers(1, 30))
def test_any_due_time_can_be_explained(at: datetime, unit: Unit, amount: int) -> None:
    running = start(Clock.HANDLING, Limit(amount, unit), at, CALENDAR, "dispatch")

    told = explain([(at, running)], CALENDAR)

    local = running.due_at.astimezone(SHANGHAI)
    assert f"{local.month}月{local.day}日" in told[-1]
    assert f"{local:%H:%M}" in told[-1]
    assert limit_in_words(running.limit) in told[0]


def test_every_clock_unit_and_stand_has_a_chinese_name() -> None:
    assert set(CLOCK_NAMES) == set(Clock)
    assert set(UNIT_NAMES) == set(Unit)
    assert set(STAND_NAMES) == set(Stand)
    assert all(name.isascii() is False for name in (*CLOCK_NAMES.values(), *BECAUSE_NAMES.values()))


def told(story: str, clock: str = "处置") -> list[str]:
    """The lines of the newest clock of that name after a story."""
    clerk = Clerk().tells(story)
    found = clock_story.told(clerk.history, clerk.references, clerk.at)
    return [one.lines for one in found if CLOCK_NAMES[one.clock] == clock][-1]


def test_moments_and_lengths_off_the_minute_are_told_to_the_second() -> None:
    assert told("03-02 20:58:30 派遣P01-2 → 03-03 07:00:10") == [
        "处置（第1轮）：计时中，已用1分钟40秒，尚余3小时58分钟20秒。",
        "2026年3月2日（周一）20:58:30 派遣：处置时限4值守时；只计值守时段，节假日照计。",
        "  2026年3月2日（周一）：20:58:30–21:00，计1分钟30秒。",
        "  2026年3月3日（周二）：07:00–10:58:30，计3小时58分钟30秒。",
        "到期时间：2026年3月3日（周二）10:58:30。",
    ]


def test_what_is_shorter_than_a_second_is_said_to_be_so() -> None:
    assert length_in_words(0) == "0分钟"
    assert length_in_words(999_999) == "不足1秒"
    assert length_in_words(26 * HOUR + 5_000_000) == "26小时5秒"


def test_a_special_period_is_a_line_of_its_own_with_name_and_number() -> None:
    story = "07-01 09:00 派遣P04-1 → 宣布汛期07-01 12:00至07-01 15:00 → 13:00"

    assert told(story) == [
        "处置（第1轮）：暂停计时，已用3小时，尚余5小时，特殊时段至2026年7月1日（周三）15:00。",
        "2026年7月1日（周三）09:00 派遣：处置时限8值守时；只计值守时段，节假日照计。",
        "  2026年7月1日（周三）：09:00–17:00，计8小时。",
        "到期时间：2026年7月1日（周三）17:00。",
        (
            "2026年7月1日（周三）13:00 适用特殊时段：处置时限8值守时，此前已用3小时，尚余5小时；"
            "只计值守时段，节假日照计。"
        ),
        "  2026年7月1日（周三）13:00至2026年7月1日（周三）15:00：汛期特殊时段（第1号），不计。",
        "  2026年7月1日（周三）：15:00–20:00，计5小时。",
        "到期时间：2026年7月1日（周三）20:00。",
        "若无特殊时段，应于2026年7月1日（周三）17:00到期。",
    ]


def test_another_limit_of_a_special_period_is_told_beside_the_plain_one() -> None:
    before = "07-01 07:00 宣布雪天07-01 08:00至07-02 08:00，时限12值守时 → "

    assert told(f"{before}09:00 派遣P04-1")[-2:] == [
        "到期时间：2026年7月1日（周三）21:00。",
        "若无特殊时段，时限为8值守时，应于2026年7月1日（周三）17:00到期。",
    ]


def test_a_plain_limit_that_comes_to_the_same_is_told_too() -> None:
    at = moment("2026-07-01 09:00")
    running = start(Clock.HANDLING, Limit(8, Unit.DUTY_HOUR), at, CALENDAR, "dispatch")
    same = ClockStarted(
        running.clock,
        running.limit,
        running.due_at,
        running.because,
        plain_limit=Limit(480, Unit.MINUTE),
    )

    assert explain([(at, same)], CALENDAR)[-1] == "若无特殊时段，时限为480分钟，到期时间相同。"


def test_a_resumption_noticed_late_is_told_from_the_agreed_day() -> None:
    story = "03-06 16:00 派遣P04-1 → 签收 → 17:00 挂账至03-10 → 03-10 09:12"

    assert told(story)[-4:] == [
        "2026年3月6日（周五）17:00 同意挂账：暂停计时，累计用时1小时，在时限内。",
        (
            "2026年3月10日（周二）00:00 恢复处置（2026年3月10日（周二）09:12登记，"
            "自2026年3月10日（周二）00:00起计）：处置时限8值守时，此前已用1小时，尚余7小时；"
            "只计值守时段，节假日照计。"
        ),
        "  2026年3月10日（周二）：07:00–14:00，计7小时。",
        "到期时间：2026年3月10日（周二）14:00。",
    ]
    assert told(story, "挂账期") == [
        "挂账期（第1轮）：已停止。",
        "2026年3月6日（周五）17:00 同意挂账：挂账至2026年3月10日（周二）00:00。",
        "  2026年3月6日（周五）17:00至2026年3月10日（周二）00:00，计79小时。",
        "到期时间：2026年3月10日（周二）00:00。",
        "2026年3月10日（周二）09:12 恢复处置：停止计时，挂账结束。",
    ]


def test_a_lapse_noticed_late_is_told_from_when_it_lapsed() -> None:
    story = "03-02 09:00 上报 → 09:10 要求补充 → 03-04 15:00"

    assert told(story, "审核")[-3] == (
        "2026年3月4日（周三）09:10 逾期未补充（2026年3月4日（周三）15:00登记，"
        "自2026年3月4日（周三）09:10起计）：审核时限30值守分钟，此前已用10分钟，尚余20分钟；"
        "只计值守时段，节假日照计。"
    )


def test_rework_says_how_much_of_the_waiting_it_counts() -> None:
    handed_over = "03-02 09:00 派遣P04-1 → 签收 → 15:00 整改 → 16:59 "

    assert (
        "此前已用7小时59分钟（含计入处置的核查等待1小时59分钟），尚余1分钟"
        in told(f"{handed_over}返工R01")[-3]
    )
    assert "此前已用6小时，尚余2小时" in told(f"{handed_over}返工R02")[-3]


def test_another_kind_of_time_says_that_it_was_counted_anew() -> None:
    story = "03-02 20:00 派遣P04-1 → 签收 → 03-03 08:00 改类为P05-1"

    assert "此前已用12小时（按新的时限重新折算），尚余12小时" in told(story)[-3]


def test_a_provisional_due_time_and_the_settled_one_are_both_told_as_they_were_counted() -> None:
    recheck = (
        "12-31 09:00 派遣P04-1 → 签收 → 整改 → 11:00 结案 → 14:00 评价未解决 → "
        "15:00 公布2027年放假安排 → 15:01"
    )

    assert told(recheck, "复核") == [
        "复核（第1轮）：计时中，已用1小时1分钟，尚余13小时59分钟。",
        ("2026年12月31日（周四）14:00 评价：复核时限2个工作日（合15小时）；只计工作日的工作时段。"),
        "  2026年12月31日（周四）：14:00–18:00，计4小时。",
        "  2027年1月1日（周五）：全天计7小时30分钟。",
        "  2027年1月2日（周六）至2027年1月3日（周日）：周末，不计。",
        "  2027年1月4日（周一）：09:00–12:00、13:30–14:00，计3小时30分钟。",
        "到期时间：2027年1月4日（周一）14:00（所涉年度放假安排尚未公布，为暂定）。",
        (
            "2026年12月31日（周四）15:01 确定到期时间：复核时限2个工作日（合15小时），"
            "此前已用1小时1分钟，尚余13小时59分钟；只计工作日的工作时段。"
        ),
        "  2026年12月31日（周四）：15:01–18:00，计2小时59分钟。",
        "  2027年1月1日（周五）至2027年1月3日（周日）：元旦，不计。",
        "  2027年1月4日（周一）：全天计7小时30分钟。",
        "  2027年1月5日（周二）：09:00–12:00、13:30–14:00，计3小时30分钟。",
        "到期时间：2027年1月5日（周二）14:00。",
    ]


def test_an_appeal_is_told_as_an_overlay_that_changes_nothing() -> None:
    late = "03-02 09:00 派遣P01-2 → 签收 → 14:00 整改 → 15:00 结案"
    before, after = told(late), told(f"{late} → 03-03 10:00 申诉 → 03-04 10:00 申诉成立")

    assert after[: len(before)] == before
    assert after[len(before) :] == [
        "2026年3月3日（周二）10:00 街镇提出申诉（A03）；以上用时和到期时间不变。",
        "2026年3月4日（周三）10:00 申诉成立，统计时另作说明（A03）；以上用时和到期时间不变。",
    ]
    assert "已超时1小时" in before[-1]


def test_each_round_and_each_street_has_a_clock_of_its_own() -> None:
    clerk = Clerk().tells(
        "03-02 09:00 派遣P04-1 → 09:30 申请退回 → 10:00 同意退回 → 10:10 派遣到海淀 → 签收 → "
        "12:10 整改 → 13:00 结案 → 14:00 评价未解决 → 15:00 重办 → 16:00"
    )

    found = clock_story.told(clerk.history, clerk.references, clerk.at)

    handlings = [one for one in found if one.clock is Clock.HANDLING]
    assert [(one.round, one.reading.stand, one.reading.used) for one in handlings] == [
        (1, Stand.STOPPED, HOUR),
        (1, Stand.STOPPED, 2 * HOUR),
        (2, Stand.RUNNING, HOUR),
    ]
    assert handlings[-1].reading.percent == 25


def test_a_hand_over_that_waits_for_verification_is_paused_and_then_stopped_for_good() -> None:
    handed_over = "03-02 09:00 派遣P04-1 → 签收 → 12:00 整改"

    assert told(handed_over)[0] == "处置（第1轮）：暂停计时，已用3小时，尚余5小时。"
    assert told(f"{handed_over} → 结案")[0] == "处置（第1轮）：已停止，已用3小时，尚余5小时。"


def test_an_instruction_that_waited_for_the_case_goes_on_in_the_next_round() -> None:
    story = (
        "03-02 09:00 派遣P04-1 → 签收 → 督办 → 10:00 整改 → 11:00 结案 → 评价已解决 → 状态已归档"
    )

    assert told(story, "督办答复")[0] == "督办答复（第1轮）：暂停计时，已用2小时，尚余2小时。"


def test_what_is_overdue_says_by_how_much() -> None:
    assert told("03-02 09:00 派遣P01-2 → 14:30:05")[0] == (
        "处置（第1轮）：计时中，已用5小时30分钟5秒，超出1小时30分钟5秒。"
    )


def test_before_the_report_there_is_nothing_to_tell() -> None:
    clerk = Clerk().tells("03-02 09:00 派遣P04-1")

    assert clock_story.told(clerk.history, clerk.references, moment("2026-03-02 08:59")) == []


def test_reporters_are_told_of_their_case_not_of_what_desks_ask_each_other() -> None:
    between_desks = {
        Clock.RETURN,
        Clock.COORDINATION,
        Clock.EXTENSION,
        Clock.SUSPENSION,
        Clock.SECOND_PERSON,
        Clock.SITE_CHECK,
        Clock.APPEAL,
        Clock.APPEAL_WINDOW,
        Clock.NOTE,
    }

    assert set(Clock) - between_desks == FOR_REPORTERS


def test_a_worked_weekend_in_part_is_told_as_such() -> None:
    at = moment("2026-10-10 16:00")
    running = start(Clock.RECHECK, Limit(3, Unit.WORKING_HOUR), at, CALENDAR, "rate")

    assert explain([(at, running)], CALENDAR)[1:-1] == [
        "  2026年10月10日（周六）：调休上班，16:00–18:00，计2小时。",
        "  2026年10月11日（周日）：周末，不计。",
        "  2026年10月12日（周一）：09:00–10:00，计1小时。",
    ]


def test_a_start_off_the_windows_says_so() -> None:
    at = moment("2026-03-02 12:10")
    running = start(Clock.RECHECK, Limit(1, Unit.WORKING_HOUR), at, CALENDAR, "rate")
    skip = Skip(moment("2026-03-02 13:00"), moment("2026-03-02 18:30"), 7)
    held = start(Clock.HANDLING, running.limit, at, CALENDAR, "dispatch", skips=(skip,))

    assert explain([(at, held)], CALENDAR, {7: "雪天"})[1:-1] == [
        "  2026年3月2日（周一）：12:10–13:00不在工作时段内，不计。",
        "  2026年3月2日（周一）13:00至2026年3月2日（周一）18:30：雪天特殊时段（第7号），不计。",
        "  2026年3月2日（周一）：18:30–24:00不在工作时段内，不计。",
        "  2026年3月3日（周二）：09:00–10:00，计1小时。",
    ]


# Laws ----------------------------------------------------------------------------------------


@st.composite
def skips(draw: st.DrawFn) -> tuple[Skip, ...]:
    """特殊时段 of any number and length, as they are kept: in order, apart, to the second."""
    first = datetime(2024, 12, 1, tzinfo=SHANGHAI)
    drawn = draw(st.lists(st.tuples(st.integers(0, 400 * 86_400), st.integers(1, 9 * 86_400))))
    return apart(
        Skip(first + timedelta(seconds=after), first + timedelta(seconds=after + lasts), number)
        for number, (after, lasts) in enumerate(drawn, 1)
    )


NEAR = st.datetimes(datetime(2024, 12, 1), datetime(2026, 1, 1)).map(  # noqa: DTZ001  (hypothesis wants bare bounds)
    lambda bare: bare.replace(tzinfo=SHANGHAI)
)


@given(ANY_CALENDAR, KINDS, NEAR, st.integers(0, 30 * DAY), skips())
def test_stretches_lie_end_to_end_and_add_up(
    calendar: Calendar, kind: Family, first: datetime, span: int, skipped: tuple[Skip, ...]
) -> None:
    last = first + timedelta(microseconds=span)

    laid = stretches(kind, first, last, calendar, skipped)

    edges = [first, *(stretch.last for stretch in laid)]
    assert edges == [*(stretch.first for stretch in laid), last]
    assert sum(one.counted for one in laid) == calendar.counted(kind, first, last, skipped)
    for one in laid:
        assert one.counted == (
            0 if one.why is Why.SPECIAL else calendar.counted(kind, one.first, one.last)
        )


@given(ANY_CALENDAR, st.sampled_from(Unit), st.integers(1, 12), NEAR, skips(), st.data())
def test_the_told_figures_add_up_to_limit_and_used_through_stops_and_starts(
    calendar: Calendar,
    unit: Unit,
    amount: int,
    at: datetime,
    skipped: tuple[Skip, ...],
    data: st.DataObject,
) -> None:
    """Every start counts as far as its limit reaches, to the second, whatever came before it."""
    limit = Limit(amount, unit)
    running, since = start(Clock.HANDLING, limit, at, calendar, "dispatch", skips=skipped), at
    turns = [Turn(at, running, calendar)]
    for _ in range(data.draw(st.integers(0, 3))):
        ends = since + timedelta(microseconds=data.draw(st.integers(0, 2 * DAY)))
        stopped = stop(running, since, ends, calendar, "grant_suspension", final=False)
        assert stopped.used == running.carried + sum(
            one.counted for one in stretches(family(unit), since, ends, calendar, running.skips)
        )
        since = ends + timedelta(microseconds=data.draw(st.integers(1, 3 * DAY)))
        running = start(Clock.HANDLING, limit, since, calendar, "resume", stopped.used, skipped)
        turns += [Turn(ends, stopped, calendar), Turn(since, running, calendar)]

    told = steps(turns, {})

    assert len(told) == len(turns)
    for turn, step in zip(turns, told, strict=True):
        if isinstance(turn.fact, ClockStarted):
            counted = sum(line.stretch.counted for line in step.lines)
            if turn.fact.carried < micros(limit, calendar):
                assert counted + step.carried == step.limit == micros(limit, calendar)
                assert counted % 1_000_000 == 0
                assert abs(step.carried - turn.fact.carried) < 1_000_000
            else:
                assert not step.lines
        assert moment_in_words(turn.at) in step.says
