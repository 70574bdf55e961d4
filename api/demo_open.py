"""What is still open when the demonstration ends: something waits on every list. Pure.

Told in a hurry, so many minutes before the end. Whoever asked for something is not who signs in to
answer it: `supervisor` finds what `supervisor_2` began.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from msgspec.structs import replace

from api import demo_words
from api.demo_scenes import (
    asked_for_more,
    closed,
    dispatched,
    handling,
    rectified,
    registered,
    suspension_asked,
)
from api.demo_telling import EXAMINED, Deed, Scene, Script, Teller, do
from casework.clocks import SHANGHAI
from casework.lifecycle import Action

A = Action

# With the reviewers -------------------------------------------------------------------------


def submitted(t: Teller) -> Script:
    yield from t.submit()


def urgent(t: Teller) -> Script:
    """Words of danger in it: looked at first."""
    yield from t.submit(text=demo_words.danger(t.rng, t.spot.name))


def awaiting(t: Teller) -> Script:
    yield from t.submit()
    t.later(3, 10)
    yield from t.ask(t.reviewer, A.REQUEST_INFORMATION, code="Q04", question="是在楼外公共区域吗？")


def supplied(t: Teller) -> Script:
    """Asked, and answered: it waits for the reviewer again."""
    yield from t.submit()
    t.later(3, 8)
    yield from t.ask(t.reviewer, A.REQUEST_INFORMATION, code="Q01", question="请说明在哪一侧。")
    t.later(3, 12)
    fields = {"text": "在路的东侧，公交站往北五十米。"}
    yield from t.tell("anonymous", A.SUPPLY_INFORMATION, fields, t.photo(3))


def doubled(t: Teller) -> Script:
    """Somebody else reports the same a few minutes later."""
    text = demo_words.report(t.rng, t.kind.indicator, t.spot.name)
    yield from t.submit(text=text)
    other = Teller(t.rng, t.ground, t.kind, t.at, spot=t.spot)
    other.scene, other.hurried = t.scene + 3, True
    other.later(2, 6)
    yield from other.submit(text=text)


def on_the_border(t: Teller) -> Script:
    """Registered where the map is not sure: a person says which 街镇 it is."""
    yield from registered(t, dispatch=False)


def undispatched(t: Teller) -> Script:
    yield from registered(t, dispatch=False)


def return_asked(t: Teller) -> Script:
    yield from registered(t)
    t.later(2, 6)
    yield from t.ask("street", A.REQUEST_RETURN, code="T01", words="点位在道路另一侧，请核对辖区。")


def handed_over(t: Teller) -> Script:
    seen = yield from handling(t)
    yield from rectified(t, seen, 0.0)


def doubtful(t: Teller) -> Script:
    """The photo handed over is the very one that was reported with: the check finds it."""
    t.examined = True
    yield from handling(t)
    yield from do(Deed(at=t.at, who="clock", what=EXAMINED))
    t.later(5, 15)
    (before,) = t.photo()
    fields = {"outcome": "rectified", "words": t.remedy + "。"}
    yield from t.tell("street", A.RECTIFY, fields, (replace(before, source="album"),))


def to_be_checked(t: Teller) -> Script:
    """A checker is asked to go and look."""
    seen = yield from handling(t)
    yield from rectified(t, seen, 0.0)
    t.later(4, 12)
    yield from t.ask(t.reviewer, A.REQUEST_SITE_CHECK, words="照片看不全周边，请到现场核实。")


def unsolved(t: Teller) -> Script:
    """Closed, and the resident says that nothing was done."""
    seen = yield from handling(t)
    seen = yield from rectified(t, seen, 0.0)
    yield from closed(t, seen)
    t.at += timedelta(minutes=30)
    yield from t.as_reporter(A.RATE, solved="no", satisfaction=1, efficiency=2, words="没有变化。")


# With the 街镇 ------------------------------------------------------------------------------


def to_acknowledge(t: Teller) -> Script:
    yield from registered(t)


def in_hand(t: Teller) -> Script:
    yield from handling(t)


def overdue(t: Teller) -> Script:
    """Long due, and still with the 街镇."""
    yield from handling(t)


def sent_back(t: Teller) -> Script:
    """Not on that spot, it seems: 返工 as 疑似虚假, to be done again."""
    seen = yield from handling(t)
    yield from rectified(t, seen, 0.0)
    t.later(5, 30)
    words = "照片中的建筑与点位不符，疑似虚假整改，请在原位置重新拍摄。"
    yield from t.ask(t.reviewer, A.ORDER_REWORK, code="R05", words=words)


def again(t: Teller) -> Script:
    """Solved in part only: 重办 waits for the 街镇."""
    seen = yield from handling(t)
    seen = yield from rectified(t, seen, 0.0)
    yield from closed(t, seen)
    t.at += timedelta(minutes=20)
    yield from t.as_reporter(A.RATE, solved="partly", satisfaction=2, efficiency=3)
    t.later(15, 40)
    yield from t.ask(t.other_reviewer, A.REOPEN, code="V12", words="复核确有残留，请重办。")


def noted(t: Teller) -> Script:
    """督办: the 街镇 must answer."""
    yield from handling(t)
    t.later(4, 12)
    words = "该点位一周内多次反映，请说明处置安排，当班内答复。"
    yield from t.ask("supervisor_2", A.NOTE, words=words)


def to_be_rated(t: Teller) -> Script:
    seen = yield from handling(t)
    seen = yield from rectified(t, seen, 0.0)
    yield from closed(t, seen)


# With the supervisors -----------------------------------------------------------------------


def help_asked(t: Teller) -> Script:
    yield from handling(t)
    t.later(2, 5)
    yield from t.ask("street", A.REQUEST_COORDINATION, code="K01", words="权属不清，请协调。")


def time_asked(t: Teller) -> Script:
    """延期 asked for; granted or not by the supervisor."""
    yield from asked_for_more(t, 0.0)


def suspension_wanted(t: Teller) -> Script:
    """挂账 asked for."""
    yield from suspension_asked(t)


def suspended(t: Teller) -> Script:
    yield from suspension_asked(t)
    yield from t.ask("supervisor", A.GRANT_SUSPENSION)


def resuming(t: Teller) -> Script:
    """挂账 that ends within a day."""
    day = (t.end.astimezone(SHANGHAI) + timedelta(days=1)).date()
    yield from suspension_asked(t, day)
    yield from t.ask("supervisor", A.GRANT_SUSPENSION)


def transfer_asked(t: Teller) -> Script:
    yield from handling(t)
    t.later(5, 20)
    yield from t.ask(
        "supervisor_2",
        A.TRANSFER_OUT,
        body="轨道交通运营单位",
        number=f"ZB{t.rng.randrange(10**6):06d}",
        words="位于站体管理范围内，已与接收单位联系。",
    )


def force_asked(t: Teller) -> Script:
    yield from handling(t)
    t.later(5, 20)
    words = "所在围挡已整体拆除，现场不复存在。"
    yield from t.ask("supervisor_2", A.REQUEST_FORCE_CLOSE, code="F01", words=words)


def revocation_asked(t: Teller) -> Script:
    yield from registered(t, dispatch=False)
    t.later(2, 8)
    words = "核实后位于院墙内私人区域。"
    yield from t.ask(t.reviewer, A.REVOKE_REGISTRATION, code="X02", words=words)


def appealed(t: Teller) -> Script:
    """Late, closed, and the 街镇 says that it could not be helped."""
    seen = yield from handling(t)
    seen = yield from rectified(t, seen, 1.02)
    yield from closed(t, seen)
    t.later(10, 60)
    words = "当日大风蓝色预警，无法登高作业。"
    yield from t.ask("street_lead", A.APPEAL, code="A03", words=words)


def twice_returned(t: Teller) -> Script:
    """Two 街镇 sent it back: the supervisor names one."""
    yield from registered(t)
    others = [code for code in ("110108015", "110108010") if code != t.spot.street]
    for elsewhere in (others[0], None):
        yield from _sent_back(t)
        if elsewhere:
            yield from dispatched(t, elsewhere)


def _sent_back(t: Teller) -> Scene:
    t.later(2, 6)
    yield from t.ask("street", A.REQUEST_RETURN, code="T03", words="位于交界，须指定。")
    t.later(2, 6)
    return (yield from t.ask(t.reviewer, A.ACCEPT_RETURN))


# How long before the end ---------------------------------------------------------------------


class Open(NamedTuple):
    """A script, and how many minutes before the end it begins: between `least` and `most`."""

    script: Callable[[Teller], Script]
    least: float
    most: float
    certain: bool = True
    reporter: str = "anonymous"


OPEN: tuple[Open, ...] = (
    Open(submitted, 2, 25),
    Open(urgent, 2, 10),
    Open(awaiting, 20, 1400, reporter="citizen"),
    Open(supplied, 25, 50),
    Open(doubled, 8, 25),
    Open(on_the_border, 30, 60, certain=False),
    Open(undispatched, 30, 40),
    Open(to_acknowledge, 45, 70),
    Open(return_asked, 45, 70),
    Open(in_hand, 100, 200),
    Open(noted, 110, 200),
    Open(help_asked, 110, 200),
    Open(time_asked, 110, 200),
    Open(suspension_wanted, 220, 400),
    Open(transfer_asked, 110, 200),
    Open(force_asked, 110, 200),
    Open(revocation_asked, 40, 90),
    Open(overdue, 6000, 8000),
    Open(appealed, 6000, 7000),
    Open(suspended, 400, 2000),
    Open(resuming, 400, 600),
    Open(twice_returned, 80, 140),
    Open(handed_over, 110, 180),
    Open(doubtful, 110, 180),
    Open(to_be_checked, 120, 200),
    Open(sent_back, 130, 250),
    Open(to_be_rated, 260, 6000, reporter="citizen"),
    Open(unsolved, 320, 2000, reporter="citizen_2"),
    Open(again, 260, 400),
)
"""One of each leaves no status and no list without a case."""
