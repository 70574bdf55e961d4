"""Recognition learns beside the work: from registered cases, a new indicator, and to forget."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from api.learning import NEW_CASES, Learner
from casework.model import Role
from projections.training import Extent, Learnt
from recognition.training import trainer
from tests.api.client import Body, Caller, Town, is_problem, open_town, settings_for
from tests.recognition.services import Said, service

LAMPS: Body = {
    "code": "P11",
    "name": "路灯不亮",
    "group": "公共区域",
    "conditions": [
        {
            "id": "P11-1",
            "condition": "路灯不亮",
            "limit": {"amount": 1, "unit": "calendar_day"},
            "standard": "路灯已亮",
        }
    ],
    "place_kinds": ["road"],
    "keywords": ["路灯"],
    "examples": ["路灯坏了好几天没人修", "晚上路灯不亮，黑漆漆的", "胡同里的路灯全灭了"],
}
WORD = "龘龘"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town of its own: these tests change the catalogue and what is learnt."""
    with open_town(settings_for(tmp_path_factory.mktemp("learning") / "var")) as found:
        yield found


def first(town: Town, text: str) -> str:
    told = town.anonymous().post("/recognitions", {"text": text}).json()
    code: str = told["proposals"][0]["indicator"]
    return code


def learner(town: Town) -> Learner:
    return town.parts.recognising.learner


def until(town: Town, position: int) -> None:
    town.parts.feed.wait_for(position, 60)


def reported(town: Town, text: str, indicator: str) -> tuple[Caller, str]:
    """A registered case of a new person; its reporter by the receipt, and the number."""
    case = town.anonymous().report(text=text)
    town.reviewer.act(
        case, "register", "dispatched", indicator=indicator, condition=f"{indicator}-1"
    )
    until(town, case.position)
    return town.holder(case.receipt), case.number


def test_what_is_registered_is_learnt_and_an_erasure_is_forgotten(town: Town) -> None:
    assert first(town, "地铁口单车堆满了") == "P10"
    kept = learner(town)
    before = kept.trained
    assert before is not None and before.learnt == 0
    people = [reported(town, f"水上有{WORD}漂着", "P05") for _ in range(3)]
    assert not kept.keep_up()  # three cases are not worth a training …
    person, number = people[0]
    answer = person.post("/persons/me/erase", {"case": number})
    assert answer.status_code in {200, 202}
    until(town, town.parts.casework.eventlog.head())
    assert kept.keep_up()  # … an erasure is
    after = kept.trained
    assert after is not None and after.version != before.version and after.learnt == 2
    model = kept.model()
    assert not any("龘" in name for name in model.fitted.features)
    folder = town.parts.settings.var / "recognition"
    assert [path.stem for path in folder.glob("*.model")] == [after.version]
    lines = kept.history()
    assert [line.version for line in lines][-2:] == [before.version, after.version]
    assert not kept.keep_up()


def test_a_thirteenth_indicator_is_proposed_from_its_three_examples(town: Town) -> None:
    sysadmin = town.staff("系统甲", Role.SYSADMIN)
    text = "我们这条街的路灯灭了一个星期"
    assert first(town, text) != "P11"
    since = (town.clock() + timedelta(minutes=5)).isoformat()
    form = {"indicator": LAMPS, "effective_from": since, "reason": "区里新增"}
    change = sysadmin.post("/indicators", form).json()
    done = town.supervisor.post(f"/changes/{change['id']}/confirm", {})
    assert done.status_code == 200, done.text
    town.forward(minutes=6)
    told = town.anonymous().post("/recognitions", {"text": text}).json()
    assert told["proposals"][0]["indicator"] == "P11"
    assert told["proposals"][0]["name"] == "路灯不亮"
    assert first(town, "地铁口单车堆满了") == "P10"


def test_a_started_process_takes_up_the_model_of_the_last(town: Town) -> None:
    first(town, "盲道")
    kept = learner(town)
    again = Learner(
        town.parts.settings.var / "recognition",
        trainer(),
        lambda: town.parts.casework.references.rules_at(town.clock()).catalogue,
        lambda: Extent(0, 0),
        lambda _most, _each: [],
        town.clock,
    )
    assert again.trained is None
    assert again.model().fitted == kept.model().fitted
    again.close()


def test_a_damaged_model_is_trained_anew(town: Town, tmp_path: Path) -> None:
    kept = learner(town).model().fitted
    (tmp_path / "current.json").write_text("{}")
    said = [Learnt("河里有瓶子", "P05", None, n) for n in range(3)]
    said.append(Learnt("楼道里有人抽烟", None, "N02", 4))
    said.append(Learnt("照片不清", None, "N05", 5))
    process = trainer()
    fresh = Learner(
        tmp_path,
        process,
        lambda: town.parts.casework.references.rules_at(town.clock()).catalogue,
        lambda: Extent(NEW_CASES, 0),
        lambda _most, _each: said,
        town.clock,
    )
    model = fresh.model()
    assert model.fitted.version != kept.version
    assert fresh.trained is not None and fresh.trained.learnt == 4
    fresh.close()


def test_recognition_is_told_in_health(town: Town) -> None:
    first(town, "盲道")
    told = town.http.get("/health/ready").json()
    states = {part["name"]: part["state"] for part in told["recognition"]}
    assert states["text"] == "ready"
    assert set(states.values()) <= {"ready", "idle", "absent", "failing"}


def test_a_platform_that_is_set_is_asked_its_silence_borne_and_the_limit_kept(
    tmp_path: Path,
) -> None:
    with service() as site:
        settings = settings_for(
            tmp_path / "var",
            recognition_url=f"{site.url}/ask",
            recognition_seconds=1.5,
            recognition_limit="3/hour",
        )
        with open_town(settings) as asked:
            body = '{"candidates": [{"indicator": "P08", "confidence": 0.99}], "model": "m1"}'
            site.says = Said(body.encode())
            told = asked.anonymous().post("/recognitions", {"text": "路边挂着东西"}).json()
            assert told["proposals"][0]["indicator"] == "P08"
            assert {"name": "platform", "version": "m1"} in told["models"]
            site.says = Said(hang=True)
            began = time.monotonic()
            alone = asked.anonymous().post("/recognitions", {"text": "盲道上停了车"}).json()
            assert time.monotonic() - began < 25, "it did not wait for the platform's 30 s"
            assert alone["proposals"][0]["indicator"] == "P09"
            assert any("智能识别平台" in note for note in alone["notes"])
            assert asked.anonymous().post("/recognitions", {"text": "车"}).status_code == 200
            late = asked.anonymous().post("/recognitions", {"text": "车"})
            is_problem(late, 429, "too-many-requests")
            assert int(late.headers["Retry-After"]) > 0
