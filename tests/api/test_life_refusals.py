"""Every way in which a case refuses: its problem in Chinese, its audit row, nothing changed."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from api.problems import KINDS
from casework.application import case_stream
from casework.errors import Refusal
from casework.events import ReportSubmitted
from casework.instants import to_micros
from casework.log.batch import Addition, Command, Entry
from casework.log.port import Appended
from casework.model import CLOCK, Role
from evidence.errors import UploadRefused
from tests.api.client import (
    COMPOUND,
    INSIDE,
    OUTSIDE,
    XUEYUANLU,
    ZHONGGUANCUN,
    Body,
    Town,
    Tracked,
    is_problem,
    open_town,
    picture,
    settings_for,
)
from tests.api.test_life_stories import BIKES, BULKY, YES, closed, dispatched, rectified

REPORT: Body = {"place": INSIDE, "text": "单车太多。", "no_photo_reason": "no_camera"}


def fresh(town: Town) -> Tracked:
    return town.citizen("市民甲").report()


def not_allowed(town: Town) -> None:
    problem = town.reviewer.refused(
        fresh(town), "close", 409, "not-allowed", standard_met=True, reply="好。"
    )
    possible = problem["possible"]
    assert isinstance(possible, list) and "立案" in possible


def not_permitted(town: Town) -> None:
    town.staff("分析员", Role.ANALYST).refused(
        fresh(town), "register", 403, "not-permitted", **BIKES
    )


def not_permitted_from_here(town: Town) -> None:
    case = town.citizen("市民甲").report(place=COMPOUND)
    town.reviewer.act(case, "register", "dispatched", **BULKY)
    town.street().act(case, "acknowledge", "handling")
    town.reviewer.refused(
        case, "reclassify", 403, "not-permitted",
        indicator="C01", condition="C01-1", reason="是死角。",
    )  # fmt: skip


def not_yours(town: Town) -> None:
    """One who sees everything as a supervisor, but may not act for another 街镇."""
    case = fresh(town)
    dispatched(town, case)
    both = town.staff("督办兼经办", Role.SUPERVISOR, Role.STREET, street=XUEYUANLU)
    told = both.refused(case, "acknowledge", 404, "unknown-case")
    nowhere = Tracked(str(uuid4()), "", 0, 0, "")
    assert told == both.refused(nowhere, "acknowledge", 404, "unknown-case")


def unknown_case(town: Town) -> None:
    case = fresh(town)
    told = town.citizen("市民乙").refused(case, "withdraw", 404, "unknown-case")
    town.street(XUEYUANLU).refused(case, "acknowledge", 404, "unknown-case")
    other = town.anonymous().report()
    assert town.holder(other.receipt).get(f"/cases/{case.id}").json() == told


def conflict_of_interest(town: Town) -> None:
    case = fresh(town)
    dispatched(town, case)
    rectified(town, case)
    own = town.staff("审核兼经办", Role.REVIEWER, Role.STREET, street=ZHONGGUANCUN)
    own.refused(
        case, "close", 403, "conflict-of-interest", standard_met=True, reply="我们自己办的。"
    )


def stale(town: Town) -> None:
    case = fresh(town)
    seen = case.version
    town.reviewer.act(case, "claim", "submitted")
    newest = town.newest_refusal()
    answer = town.reviewer.post(f"/cases/{case.id}/register", BIKES, match=seen)
    assert is_problem(answer, 412, "stale")["version"] == case.version
    assert town.version_of(case) == case.version
    assert len(town.refusals_after(newest)) == 1


def missing(town: Town) -> None:
    case = fresh(town)
    told = town.citizen("市民甲").refused(case, "add_information", 422, "missing")
    assert told["errors"] == [{"field": "text", "message": "请写几句话或添加照片。"}]


def unknown_code(town: Town) -> None:
    town.reviewer.refused(
        fresh(town), "refuse", 422, "unknown-code", code="Z09", words="没有这个代码。"
    )


def too_late(town: Town) -> None:
    case = fresh(town)
    town.reviewer.act(case, "refuse", "refused", code="N03", words="不在十二项指标内。")
    town.forward(days=6)
    town.citizen("市民甲").refused(case, "object", 409, "too-late", words="我不同意。")


def exhausted(town: Town) -> None:
    resident, case = town.citizen("市民甲"), fresh(town)
    for _ in range(2):
        town.reviewer.act(
            case, "request_information", "awaiting_information", code="Q01", question="在哪里？"
        )
        resident.act(case, "supply_information", "submitted", text="在东门。")
    town.reviewer.refused(
        case, "request_information", 409, "exhausted", code="Q01", question="哪个东门？"
    )


def nothing_pending(town: Town) -> None:
    case = fresh(town)
    dispatched(town, case)
    town.reviewer.refused(case, "accept_return", 409, "nothing-pending")


def outside_district(town: Town) -> None:
    newest = town.newest_refusal()
    answer = town.anonymous().post("/reports", REPORT | {"place": OUTSIDE})
    problem = is_problem(answer, 422, "outside-district")
    assert "12345" in str(problem["door"])
    assert len(town.refusals_after(newest)) == 1


def out_of_scope(town: Town) -> None:
    answer = town.anonymous().post("/reports", REPORT | {"place": {**INSIDE, "kind": "indoor"}})
    assert "物业" in str(is_problem(answer, 422, "out-of-scope")["door"])


def key_reused(town: Town) -> None:
    resident = town.anonymous()
    key = str(uuid4())
    assert resident.post("/reports", REPORT, key=key).status_code == 201
    log = town.parts.casework.eventlog
    head = log.head()
    answer = resident.post("/reports", REPORT | {"text": "另一件事。"}, key=key)
    is_problem(answer, 422, "key-reused")
    assert not any(isinstance(each.event, ReportSubmitted) for each in log.since(head, 100))


def erased(town: Town) -> None:
    resident = town.anonymous()
    key, body = str(uuid4()), REPORT | {"text": "请联系我。"}
    told = resident.post("/reports", body, key=key).json()
    holder = town.holder(told["receipt"])
    answer = holder.post("/persons/me/erase", {"case": told["case_number"]})
    assert answer.status_code in {200, 202}, answer.text
    is_problem(resident.post("/reports", body, key=key), 410, "erased")


def not_in_catalogue(town: Town) -> None:
    town.reviewer.refused(
        fresh(town), "register", 422, "not-in-catalogue", indicator="P88", condition="P88-1"
    )


def behind(town: Town) -> None:
    """The clock jumps: until the reference streams are read again nothing is decided."""
    case = fresh(town)
    answer = None
    for _ in range(3):  # the timer that reads them may come in between: then it was claimed
        town.clock.forward(seconds=90)
        answer = town.reviewer.post(f"/cases/{case.id}/claim", {})
        if answer.status_code == 503:
            break
    town.forward(seconds=0)
    assert answer is not None
    is_problem(answer, 503, "behind")
    assert int(answer.headers["Retry-After"]) >= 1
    town.reviewer.act(fresh(town), "claim", "submitted")


def contended(town: Town) -> None:
    """More at once than a decision is made anew for: some are told to come again."""
    case, resident = fresh(town), town.citizen("市民甲")
    turned_away = []
    for _ in range(10):
        before = town.version_of(case)
        with ThreadPoolExecutor(24) as pool:
            answers = list(
                pool.map(
                    lambda n: resident.post(
                        f"/cases/{case.id}/add-information", {"text": f"第{n}次。"}
                    ),
                    range(24),
                )
            )
        turned_away = [answer for answer in answers if answer.status_code != 200]
        assert town.version_of(case) == before + 24 - len(turned_away)
        if turned_away:
            break
    assert turned_away
    for answer in turned_away:
        is_problem(answer, 503, "contended")
        assert int(answer.headers["Retry-After"]) >= 1


def rated_too_late(town: Town) -> None:
    case = fresh(town)
    dispatched(town, case)
    rectified(town, case)
    closed(town, case)
    town.citizen("市民甲").act(case, "rate", "completed", **YES)
    town.forward(days=91)
    town.supervisor.refused(case, "supervise_reopen", 409, "too-late", words="抽查发现。")


def upload_refused(town: Town) -> None:
    resident = town.anonymous()
    for content, status, kind in (
        (b"not a picture at all", 422, "not-a-picture"),
        (b"", 422, "empty"),
        (picture() + bytes(21 * 1024 * 1024), 413, ""),
    ):
        answer = town.http.post(
            "/api/v1/photos",
            files={"file": ("p.jpg", content, "image/jpeg")},
            headers={"Draft": str(resident.draft)},
        )
        assert answer.status_code == status, answer.text
        if kind:
            is_problem(answer, status, kind)


WAYS: dict[str, Callable[[Town], None]] = {
    "NotAllowed": not_allowed,
    "NotPermitted": not_permitted,
    "NotPermitted from here": not_permitted_from_here,
    "NotYours": not_yours,
    "UnknownCase": unknown_case,
    "ConflictOfInterest": conflict_of_interest,
    "Stale": stale,
    "Missing": missing,
    "UnknownCode": unknown_code,
    "TooLate": too_late,
    "TooLate for the supervisor": rated_too_late,
    "Exhausted": exhausted,
    "NothingPending": nothing_pending,
    "OutsideDistrict": outside_district,
    "OutOfScope": out_of_scope,
    "KeyReused": key_reused,
    "Erased": erased,
    "NotInCatalogue": not_in_catalogue,
    "Behind": behind,
    "Contended": contended,
    "UploadRefused": upload_refused,
    "TooLarge": upload_refused,
}

ELSEWHERE = {
    "Unreadable": "below: it stops the index of what is due, as it must",
    "UnseenFindings": "a photo handed over with findings: test_evidence_api",
    "NotPublishable": "typical cases of the month",
    "TooEarly": "only the clock is too early; it has no path",
    "NotInForceYet": "an installation before its first rules; prepare founds them",
    "AlreadyInCatalogue": "the catalogue's own routes",
    "TakesEffectTooSoon": "the catalogue's own routes",
    "WrongCredentials": "sign-in",
    "CodeNeeded": "sign-in",
    "WrongCode": "sign-in",
    "TooManyAttempts": "sign-in",
    "Overloaded": "a full audit queue",
    "WeakPassword": "accounts",
    "NotForYou": "accounts",
    "RolesClash": "accounts",
    "NameTaken": "accounts",
    "Unfit": "accounts",
    "NotThere": "accounts",
    "AlreadyDecided": "accounts",
    "AlreadyReported": "references of other platforms",
    "MapUnusable": "adopting a map",
}
"""Refusals that no case gives, and where they are shown."""


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_case_refuses_with_a_problem_and_a_row_and_stays_as_it_was(
    town: Town, way: Callable[[Town], None]
) -> None:
    way(town)


def kinds_of(root: type[Exception]) -> Iterator[type[Exception]]:
    for kind in root.__subclasses__():
        if kind.__module__.split(".")[0] in {"casework", "api", "evidence", "geo", "recognition"}:
            yield kind
            yield from kinds_of(kind)


def test_every_refusal_has_a_status_and_a_title_in_chinese() -> None:
    for status, title in KINDS.values():
        assert 400 <= status < 600
        assert all(sign > "\u2e80" for sign in title)
    for kind in (*kinds_of(Refusal), *kinds_of(UploadRefused)):
        is_abstract = bool(kind.__subclasses__())
        assert is_abstract or any(ancestor in KINDS for ancestor in kind.__mro__), kind


def test_every_refusal_of_the_table_of_problems_is_tried_here_or_named_elsewhere() -> None:
    tried = {name.split()[0] for name in WAYS}
    assert {kind.__name__ for kind in KINDS} <= tried | ELSEWHERE.keys()
    assert not tried & ELSEWHERE.keys()


def test_an_event_of_a_later_release_makes_its_case_read_only_and_no_other(
    tmp_path: Path,
) -> None:
    with open_town(settings_for(tmp_path / "var")) as town:
        case, other = fresh(town), fresh(town)
        stream, at = case_stream(UUID(case.id)), to_micros(town.clock())
        log = town.parts.casework.eventlog
        tomorrow = Command(
            uuid4(),
            log._mapper.encode_actor(CLOCK),
            (Addition(stream, case.version, (Entry("case-sent-to-the-moon", b"{}"),), at),),
        )
        assert isinstance(log._recorder.committer.submit_blocking(tomorrow), Appended)
        head = log.head()
        answer = town.reviewer.post(f"/cases/{case.id}/claim", {})
        is_problem(answer, 503, "unreadable")
        assert log.head() == head
        town.reviewer.act(other, "claim", "submitted")
        town.reviewer.sees(other)
        ready = town.http.get("/health/ready")
        assert ready.status_code == 200 and ready.json()["degraded"] is True
