"""The lives of the demonstration: every ending a case can have, one script each. Pure.

Each script is the life of one case (or of two that belong together). The words, places and moments
come from the story's own random numbers; `api.demo_month` deals the scripts out over the time.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import msgspec

from api import demo_words
from api.demo_scenes import (
    acknowledged,
    asked_for_more,
    closed,
    dispatched,
    handling,
    rated,
    rectified,
    registered,
    solved,
    suspension_asked,
    taken_on,
)
from api.demo_telling import Scene, Script, Teller
from casework.lifecycle import Action, Status
from casework.model import Clock

A = Action


def content(t: Teller) -> Script:
    """Handled in time and rated well."""
    seen = yield from handling(t)
    yield from solved(t, seen)
    yield from rated(t, "yes", t.rng.choice((4, 5, 5)))


def silent(t: Teller) -> Script:
    """Nobody rates it; after the window it goes to the archive. Some are called up."""
    t.reporter = t.rng.choice(("partner", t.other_reviewer, "anonymous", "citizen"))
    seen = yield from handling(t)
    seen = yield from solved(t, seen)
    if t.rng.random() < 0.4 and t.reporter != t.other_reviewer:
        t.later(1000, 4000)
        yield from t.ask(
            t.other_reviewer, A.RECORD_VISIT, words="电话回访，反映人表示已解决。", solved="yes"
        )
    yield from t.clock(A.LAPSE_RATING, seen, Clock.RATING)


def late(t: Teller) -> Script:
    """Handed over after it was due, after a word from the supervisor."""
    seen = yield from handling(t)
    due = seen.case.clocks[Clock.HANDLING].fact.due_at
    t.until(due, 1.02)
    yield from t.ask("supervisor", A.NOTE, words="已超时，请说明原因并尽快处置。")
    t.later(15, 90)
    seen = yield from t.ask(
        "street", A.ANSWER_NOTE, note=1, words="今日人手不足，已加派一组，两小时内完成。"
    )
    t.later(30, 200)
    seen = yield from rectified(t, seen, 0.0)
    yield from closed(t, seen)
    yield from rated(t, "yes", 3)


def upheld(t: Teller) -> Script:
    """Rated as unsolved; the recheck finds it solved."""
    seen = yield from handling(t)
    yield from solved(t, seen)
    yield from rated(t, "no", t.rng.choice((1, 2)))
    t.later(60, 400)
    yield from t.tell(
        t.other_reviewer,
        A.UPHOLD,
        {"code": "V01", "words": "现场复核，问题点位已清理，附照片。"},
        t.photo(31, after=True),
    )


def reopened(t: Teller) -> Script:
    """Rated as partly solved; done again, and well."""
    seen = yield from handling(t)
    yield from solved(t, seen)
    yield from rated(t, "partly", 2)
    t.later(60, 400)
    yield from t.ask(t.other_reviewer, A.REOPEN, code="V12", words="复核确有部分残留，请重办。")
    seen = yield from acknowledged(t)
    seen = yield from solved(t, seen)
    yield from rated(t, "yes", 4)


def seen_through(t: Teller) -> Script:
    """False rectification found later: reopened by the supervisor."""
    seen = yield from handling(t)
    yield from solved(t, seen)
    yield from rated(t, "yes", 4)
    t.later(1500, 6000)
    yield from t.ask("supervisor", A.SUPERVISE_REOPEN, words="抽查发现照片与现场不符，督办重办。")
    seen = yield from acknowledged(t)
    yield from solved(t, seen)


_REFUSALS = (
    ("N01", "经核对，该点位属相邻区，请向所在区反映。"),
    ("N02", "问题位于楼道内，请联系物业或社区居委会。"),
    ("N03", "属施工噪声，不在受理指标内，请拨打 12345。"),
    ("N05", "照片无法辨认具体位置和问题。"),
    ("N06", "照片为网络图片，请拍摄现场照片后再报。"),
    ("N08", "属物业服务纠纷，请通过专门渠道反映。"),
    ("N09", "内容与公共环境问题无关。"),
    ("N11", "现场核实达不到立案条件。"),
)


def refused(t: Teller) -> Script:
    """Not taken on, with a code."""
    yield from t.submit()
    t.later(3, 25)
    code, words = t.rng.choice(_REFUSALS)
    yield from t.ask(t.reviewer, A.REFUSE, code=code, words=words)


def objected(t: Teller) -> Script:
    """Refused, objected to, and taken on by another reviewer."""
    yield from t.submit()
    t.later(3, 25)
    yield from t.ask(t.reviewer, A.REFUSE, code="N11", words="照片上看不出达到立案条件。")
    t.later(60, 600)
    yield from t.as_reporter(A.OBJECT, words="今天又拍不到全景，但确实占了半条路，请再看看。")
    t.reviewer, t.other_reviewer = t.other_reviewer, t.reviewer
    t.later(3, 20)
    yield from t.ask(t.reviewer, A.REGISTER, indicator=t.kind.indicator, condition=t.kind.condition)
    seen = yield from acknowledged(t)
    yield from solved(t, seen)
    yield from rated(t, "yes", 4)


def withdrawn(t: Teller) -> Script:
    yield from t.submit()
    t.later(1, 12)
    yield from t.as_reporter(A.WITHDRAW)


def left_to_another(t: Teller) -> Script:
    """Somebody joins, then the first reporter takes the report back: it goes on for the other."""
    yield from t.submit()
    t.later(1, 6)
    yield from t.tell("anonymous", A.JOIN, {"text": demo_words.joined(t.rng)}, ())
    t.later(1, 4)
    yield from t.as_reporter(A.WITHDRAW)
    t.later(3, 12)
    yield from t.ask(t.reviewer, A.REGISTER, indicator=t.kind.indicator, condition=t.kind.condition)
    seen = yield from acknowledged(t)
    yield from solved(t, seen)


def answered(t: Teller) -> Script:
    """The reviewer asks, the resident answers."""
    yield from t.submit()
    t.later(4, 20)
    yield from t.ask(
        t.reviewer, A.REQUEST_INFORMATION, code="Q02", question="请补一张能看到周边环境的远景照片。"
    )
    t.later(20, 500)
    who = t.reporter if t.reporter == "citizen" else "anonymous"
    yield from t.tell(who, A.SUPPLY_INFORMATION, {"text": "补了一张远一点的。"}, t.photo(3))
    t.later(3, 10)
    yield from t.ask(t.reviewer, A.REGISTER, indicator=t.kind.indicator, condition=t.kind.condition)
    seen = yield from acknowledged(t)
    yield from solved(t, seen)
    yield from rated(t, "yes", 5)


def unanswered(t: Teller) -> Script:
    """The reviewer asks, nobody answers, and without that it cannot be found."""
    yield from t.submit()
    t.later(4, 20)
    seen = yield from t.ask(
        t.reviewer, A.REQUEST_INFORMATION, code="Q01", question="请说明在哪一栋楼附近。"
    )
    yield from t.clock(A.LAPSE_INFORMATION, seen, Clock.INFORMATION)
    t.later(3, 20)
    yield from t.ask(t.reviewer, A.REFUSE, code="N12", words="逾期未补充，无法定位，可重新上报。")


def met_twice(t: Teller) -> Script:
    """Somebody else reports the same; merged, and rated by both."""
    first = yield from t.submit()
    other = Teller(t.rng, t.ground, t.kind, t.at)
    other.spot, other.scene, other.hurried = t.spot, t.scene + 3, t.hurried
    other.reviewer = t.reviewer
    other.later(2, 10)
    yield from other.submit()
    t.at = other.at
    t.later(2, 10)
    yield from t.ask(t.reviewer, A.REGISTER, indicator=t.kind.indicator, condition=t.kind.condition)
    other.at = t.at
    other.later(1, 5)
    yield from other.ask(t.reviewer, A.MERGE, primary=str(first.case_id))
    t.at = other.at
    seen = yield from acknowledged(t)
    yield from solved(t, seen)
    yield from rated(t, "yes", 5)
    other.at = t.at
    yield from rated(other, "yes", 4)


def parted(t: Teller) -> Script:
    """Merged too soon: taken apart again, and refused as it is no case of its own."""
    first = yield from t.submit()
    other = Teller(t.rng, t.ground, t.kind, t.at)
    other.reviewer = t.reviewer
    other.later(2, 10)
    yield from other.submit()
    other.later(2, 10)
    yield from other.ask(t.reviewer, A.MERGE, primary=str(first.case_id))
    other.later(5, 30)
    yield from other.ask(t.reviewer, A.UNMERGE, reason="两处相距较远，不是同一问题。")
    other.later(2, 10)
    yield from other.ask(t.reviewer, A.REFUSE, code="N11", words="现场核实达不到立案条件。")
    t.at = other.at
    yield from taken_on(t)
    seen = yield from acknowledged(t)
    yield from solved(t, seen)
    yield from rated(t, "yes", 4)


def joined(t: Teller) -> Script:
    """Others met it too; one of them rates."""
    yield from registered(t)
    receipt = t.receipt
    t.later(5, 30)
    t.receipt = None
    photos = t.photo(5) if t.rng.random() < 0.5 else ()
    seen = yield from t.tell("anonymous", A.JOIN, {"text": demo_words.joined(t.rng)}, photos)
    joiner, t.receipt = seen.receipt, receipt
    t.later(2, 15)
    yield from t.as_reporter(A.ADD_INFORMATION, text="补充：东边还有一处同样的。")
    seen = yield from acknowledged(t)
    yield from solved(t, seen)
    yield from rated(t, "yes", 4)
    t.receipt, t.reporter = joiner, "anonymous"
    yield from rated(t, "yes", 5)


def returned(t: Teller) -> Script:
    """The first 街镇 sends it back, and rightly; another handles it."""
    seen = yield from registered(t)
    t.later(4, 12)
    yield from t.ask("street", A.REQUEST_RETURN, code="T01", words="该点位在路南，不属本辖区。")
    t.later(4, 20)
    yield from t.ask(t.reviewer, A.ACCEPT_RETURN)
    yield from dispatched(t, seen.case.assignment.runner_up or "110108015")
    seen = yield from acknowledged(t)
    yield from solved(t, seen)
    yield from rated(t, "yes", 4)


def designated(t: Teller) -> Script:
    """Sent back twice; the supervisor names the 街镇, and it stays there."""
    yield from registered(t)
    for street in ("110108015", "110108010"):
        t.later(4, 12)
        yield from t.ask("street", A.REQUEST_RETURN, code="T03", words="位于交界，须指定。")
        t.later(4, 15)
        yield from t.ask(t.reviewer, A.ACCEPT_RETURN)
        if street == "110108015":
            yield from dispatched(t, street)
    t.later(5, 30)
    yield from t.ask(
        "supervisor", A.DESIGNATE, street=t.spot.street, reason="两次退回，先处置后定责。"
    )
    seen = yield from acknowledged(t)
    yield from solved(t, seen)
    yield from rated(t, "yes", 3)


def return_rejected(t: Teller) -> Script:
    """Sent back without reason: rejected, then appealed against in vain."""
    yield from registered(t)
    t.later(4, 12)
    yield from t.ask("street", A.REQUEST_RETURN, code="T06", words="认为不属环境问题。")
    t.later(4, 20)
    yield from t.ask(t.reviewer, A.REJECT_RETURN, code="TR1", words="位于辖区内，属地正确。")
    seen = yield from acknowledged(t)
    seen = yield from rectified(t, seen, 1.3)
    yield from closed(t, seen)
    t.later(200, 900)
    yield from t.ask("street_lead", A.APPEAL, code="A02", words="退回理由充分，请求剔除超时。")
    t.later(60, 600)
    yield from t.ask("supervisor", A.DISMISS_APPEAL, code="AD3", words="退回驳回有据，事实成立。")


def appealed(t: Teller) -> Script:
    """Late for a reason that counts: the appeal is upheld."""
    seen = yield from handling(t)
    seen = yield from rectified(t, seen, 1.4)
    yield from closed(t, seen)
    yield from rated(t, "yes", 4)
    t.later(30, 300)
    yield from t.ask("street_lead", A.APPEAL, code="A03", words="当日大风蓝色预警，无法登高作业。")
    t.later(60, 600)
    yield from t.ask("supervisor", A.UPHOLD_APPEAL, words="情况属实，予以剔除。")


def reworked(t: Teller) -> Script:
    """Not good enough: done again."""
    seen = yield from handling(t)
    yield from rectified(t, seen, 0.3)
    t.later(10, 60)
    code, words = t.rng.choice(
        (
            ("R01", "照片显示问题仍在，请重新处置。"),
            ("R02", "角落仍有残留，请清理彻底。"),
            ("R03", "照片不是同一点位，请在原位置拍摄。"),
            ("R04", "照片过暗，无法核对。"),
        )
    )
    seen = yield from t.ask(t.reviewer, A.ORDER_REWORK, code=code, words=words)
    yield from solved(t, seen)
    yield from rated(t, "yes", 4)


def unreadable(t: Teller) -> Script:
    """The photo did not come through: the clock hands the case back, and it is sent again."""
    seen = yield from handling(t)
    t.until(seen.case.clocks[Clock.HANDLING].fact.due_at, 0.3)
    (photo,) = t.photo(after=True)
    fields = {"outcome": "rectified", "words": t.remedy + "。"}
    cut = msgspec.structs.replace(photo, cut=True)
    seen = yield from t.tell("street", A.RECTIFY, fields, (cut,))
    t.at += timedelta(seconds=t.rng.uniform(3, 9))
    assert seen.case.rectified_at
    seen = yield from t.ask(
        "clock",
        A.HAND_BACK_UNREADABLE,
        photos=" ".join(str(upload) for upload in seen.case.handed_over),
        rectified_at=seen.case.rectified_at.isoformat(),
    )
    yield from solved(t, seen)
    yield from rated(t, "yes", 4)


def checked(t: Teller) -> Script:
    """A checker goes and looks before it is closed."""
    seen = yield from handling(t)
    seen = yield from rectified(t, seen, 0.5)
    t.later(5, 20)
    yield from t.ask(t.reviewer, A.REQUEST_SITE_CHECK, words="照片角度不同，请到现场核实。")
    t.later(30, 120)
    seen = yield from t.tell(
        "checker",
        A.REPORT_SITE_CHECK,
        {"findings": "现场已清理，周边无残留。"},
        t.photo(41, after=True),
    )
    yield from closed(t, seen)
    yield from rated(t, "yes", 5)


def not_found(t: Teller) -> Script:
    """The 街镇 found nothing there; the reporter is called up."""
    seen = yield from handling(t)
    seen = yield from rectified(
        t,
        seen,
        0.6,
        outcome=t.rng.choice(("not_found", "gone", "persuaded")),
        words="到现场查看，未见所反映的问题，附现场照片。",
    )
    yield from closed(t, seen, "您好，经现场查看未见所反映的问题，如再次出现请及时反映。")
    t.later(60, 600)
    yield from t.ask(
        t.other_reviewer, A.RECORD_VISIT, words="回访反映人，称当晚已有人清走。", satisfaction=4
    )
    yield from rated(t, "yes", 4)


def extended(t: Teller) -> Script:
    """More time asked for, in time, and given."""
    yield from asked_for_more(t)
    seen = yield from t.ask("supervisor", A.GRANT_EXTENSION)
    yield from solved(t, seen)
    yield from rated(t, "yes", 4)


def not_extended(t: Teller) -> Script:
    """More time asked for, and not given."""
    yield from asked_for_more(t)
    seen = yield from t.ask("supervisor", A.DENY_EXTENSION, words="条件具备，请按时完成。")
    yield from solved(t, seen)
    yield from rated(t, "yes", 5)


def waited(t: Teller) -> Script:
    """挂账 until the agreed day, then done."""
    yield from suspension_asked(t)
    seen = yield from t.ask("supervisor", A.GRANT_SUSPENSION)
    seen = yield from t.clock(A.RESUME, seen, Clock.RESUMPTION)
    yield from solved(t, seen)
    yield from rated(t, "yes", 4)


def begun_early(t: Teller) -> Script:
    """挂账, but the 街镇 could begin before the agreed day."""
    yield from suspension_asked(t)
    yield from t.ask("supervisor", A.GRANT_SUSPENSION)
    t.later(1500, 3000)
    seen = yield from t.ask("street", A.RESUME)
    yield from solved(t, seen)
    yield from rated(t, "yes", 5)


def not_suspended(t: Teller) -> Script:
    """挂账 asked for, and not granted."""
    yield from suspension_asked(t)
    seen = yield from t.ask("supervisor", A.DENY_SUSPENSION, words="不属专项范围，请先行处置。")
    yield from solved(t, seen)
    yield from rated(t, "yes", 4)


def coordinated(t: Teller) -> Script:
    """Somebody else must help; the 街镇 stays in charge."""
    seen = yield from handling(t)
    t.later(5, 25)
    yield from t.ask("street", A.REQUEST_COORDINATION, code="K02", words="涉及专业管养单位。")
    t.later(10, 60)
    seen = yield from t.ask(
        "supervisor",
        A.NAME_CO_HANDLER,
        body=t.rng.choice(("区水务局河道所", "区园林绿化局", "某共享单车运营企业")),
        limit={"amount": 4, "unit": "duty_hour"},
    )
    yield from solved(t, seen)
    yield from rated(t, "yes", 5)


def transferred(t: Teller) -> Script:
    """Handed to a body outside, by two persons; called up later."""
    yield from handling(t)
    t.later(30, 120)
    number = f"ZB{t.rng.randrange(10**6):06d}"
    yield from t.ask(
        "supervisor",
        A.TRANSFER_OUT,
        body="轨道交通运营单位",
        number=number,
        words="位于站体管理范围内。",
    )
    t.later(5, 60)
    yield from t.ask("supervisor_2", A.CONFIRM_TRANSFER_OUT)
    t.later(600, 3000)
    yield from t.ask(t.reviewer, A.RECORD_VISIT, words="已告知反映人接收单位和编号。")


def _force_asked(t: Teller) -> Scene:
    yield from handling(t)
    t.later(60, 300)
    seen = yield from t.ask(
        "supervisor",
        A.REQUEST_FORCE_CLOSE,
        code="F01",
        words="所在围挡已整体拆除，现场不复存在。",
    )
    t.later(10, 90)
    return seen


def forced(t: Teller) -> Script:
    """Closed by force, by two supervisors."""
    yield from _force_asked(t)
    yield from t.ask("supervisor_2", A.CONFIRM_FORCE_CLOSE)


def not_forced(t: Teller) -> Script:
    """The second supervisor does not agree."""
    yield from _force_asked(t)
    seen = yield from t.ask("supervisor_2", A.DECLINE_SECOND, words="仍可处置，不同意。")
    yield from solved(t, seen)


def revoked(t: Teller) -> Script:
    """Registered by mistake; taken back by two persons."""
    yield from registered(t, dispatch=False)
    t.later(2, 10)
    yield from t.ask(
        t.reviewer, A.REVOKE_REGISTRATION, code="X02", words="核实后位于院墙内私人区域。"
    )
    t.later(5, 60)
    yield from t.ask("supervisor", A.CONFIRM_REVOCATION)


def mended(t: Teller) -> Script:
    """Place and kind put right at the desk, and called back once."""
    yield from t.submit()
    t.later(2, 8)
    yield from t.ask(
        t.reviewer, A.CORRECT_PLACE, place=t.place(), reason="按照片中的站牌更正点位。"
    )
    t.later(1, 5)
    yield from t.ask(t.reviewer, A.RECLASSIFY, indicator=t.kind.indicator, reason="按照片归类。")
    t.later(1, 5)
    yield from t.ask(t.reviewer, A.CLAIM)
    yield from t.ask(t.reviewer, A.RELEASE)
    t.later(1, 4)
    seen = yield from t.ask(
        t.reviewer, A.REGISTER, indicator=t.kind.indicator, condition=t.kind.condition
    )
    if seen.case.status is Status.DISPATCHED:
        t.later(1, 5)
        yield from t.ask(t.reviewer, A.RECALL, reason="补充现场情况后重新派遣。")
    yield from dispatched(t)
    seen = yield from acknowledged(t)
    yield from solved(t, seen)
    yield from rated(t, "yes", 5)


# How often -------------------------------------------------------------------------------


class Life(NamedTuple):
    """A script, how often it is told, and which cases suit it."""

    script: Callable[[Teller], Script]
    weight: int
    long: bool = False
    """Needs an indicator with a limit of a day or more."""
    certain: bool | None = True
    """Needs a spot whose 街镇 is certain; None: either."""
    anonymous: bool = False


LIVES: tuple[Life, ...] = (
    Life(content, 30, certain=None),
    Life(silent, 10),
    Life(late, 6),
    Life(upheld, 3),
    Life(reopened, 4),
    Life(seen_through, 1),
    Life(refused, 8),
    Life(objected, 2),
    Life(withdrawn, 3),
    Life(left_to_another, 1),
    Life(answered, 4),
    Life(unanswered, 2, anonymous=True),
    Life(met_twice, 4, anonymous=True),
    Life(parted, 1, anonymous=True),
    Life(joined, 4),
    Life(returned, 3),
    Life(designated, 1),
    Life(return_rejected, 2),
    Life(appealed, 2),
    Life(reworked, 5),
    Life(unreadable, 1),
    Life(checked, 3),
    Life(not_found, 4),
    Life(extended, 3, long=True),
    Life(not_extended, 1, long=True),
    Life(waited, 2, long=True),
    Life(begun_early, 1, long=True),
    Life(not_suspended, 1, long=True),
    Life(coordinated, 2),
    Life(transferred, 2),
    Life(forced, 2),
    Life(not_forced, 1),
    Life(revoked, 1),
    Life(mended, 2),
)
"""Told in the past; each at least once where there are cases enough."""
