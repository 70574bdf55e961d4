"""Photos of registered cases are looked at beside the work, and forgotten with their key."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from api.photo_learning import PhotoLearner
from casework.events import ReportSubmitted
from recognition.bounded import Bounded, Bounds, Task
from recognition.vision import Eyes
from tests.api.client import Town, Tracked, picture
from tests.recognition.engines.gist import vector_of


@pytest.fixture
def eyes() -> Iterator[Eyes]:
    task = Task("tests.recognition.engines.gist")
    made = Eyes(Bounded("gist", task, Bounds(memory_mb=1024, seconds=20)))
    yield made
    made.close()


def learner_of(town: Town) -> PhotoLearner:
    return town.parts.recognising._sources._photos


def registered(town: Town, indicator: str, condition: str) -> Tracked:
    case = town.anonymous().report(photos=1)
    town.reviewer.act(case, "register", "dispatched", indicator=indicator, condition=condition)
    town.reviewer.sees(case)
    return case


def label_of(learner: PhotoLearner, vector: bytes) -> str | None:
    return next((seen.label for seen in learner.seen() if seen.vector == vector), None)


def test_a_registered_case_teaches_its_photos_until_their_key_is_gone(
    town: Town, eyes: Eyes
) -> None:
    learner = learner_of(town)
    case = registered(town, "P10", "P10-1")
    vector = vector_of(picture(town.pictures))
    waiting = town.anonymous().report(photos=1)
    unsaid = vector_of(picture(town.pictures))
    while learner.keep_up(eyes):
        pass
    assert label_of(learner, vector) == "P10"
    assert label_of(learner, unsaid) is None and waiting.status == "submitted"

    (first, *_) = town.parts.casework.history(UUID(case.id))
    assert isinstance(first.event, ReportSubmitted)
    key = UUID(bytes=first.event.photos[0].wrapped_key[:16])
    held = town.parts.keys.get(key)
    assert held is not None
    town.parts.keys.destroy(held.owner, town.clock(), [key])
    learner.keep_up(eyes)
    assert label_of(learner, vector) is None
    assert vector not in learner._vectors.values()


def test_without_the_extra_nothing_is_opened(town: Town) -> None:
    task, bounds = Task("tests.recognition.engines.gist"), Bounds(memory_mb=64, seconds=1)
    engine = Bounded("none", task, bounds, needs=("no_such_package",), missing="未安装")
    absent = Eyes(engine)
    assert learner_of(town).keep_up(absent) == 0
    before = engine.pid
    assert before is None
