"""Numbers on ads, inventions of speech models, pinned files, and heads over vectors."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from recognition.extras import listed
from recognition.heads import fitted
from recognition.inventions import without_inventions
from recognition.model import Unavailable
from recognition.phones import numbers_in
from recognition.weights import Weight, located

LINES = {
    ("13812345678",): ("13812345678",),
    ("电话：138-1234-5678",): ("13812345678",),
    ("138 12345678 / 010-62345678",): ("13812345678", "01062345678"),
    ("+86 138 1234 5678",): ("13812345678",),
    ("I38 l234 S67B",): (),
    ("138 1234 56O8",): ("13812345608",),
    ("13B12345678",): ("13812345678",),
    ("疏通", "138", "12345678", "随叫随到"): ("13812345678",),
    ("联系191", "41439130"): ("19141439130",),
    ("电话178", "8059", "7634"): ("17880597634",),
    ("332路", "179", "2029-11-03"): (),
    ("12345市民热线", "2021-10-08"): (),
    ("400-810-1234",): ("4008101234",),
    ("电话 62345678",): ("62345678",),
    ("62345678",): (),
    ("12345市民热线",): (),
    ("2026-11-25 12:30:45",): (),
    ("京A·12345 332路 1205号",): (),
    ("12812345678",): (),
    ("9138123456789",): (),
    ("",): (),
    (): (),
}


@pytest.mark.parametrize(("lines", "numbers"), LINES.items())
def test_numbers_are_found_as_they_are_read(
    lines: tuple[str, ...], numbers: tuple[str, ...]
) -> None:
    assert numbers_in(lines) == numbers


SAID = {
    "": "",
    "。。 ": "",
    "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目": "",
    "字幕by索兰娅": "",
    "谢谢观看!": "",
    "哈哈哈哈哈哈哈哈": "",
    "垃圾 垃圾 垃圾 垃圾 垃圾": "",
    " 垃圾桶满了 ": "垃圾桶满了",
    "小区里有垃圾，小区外面也有垃圾。": "小区里有垃圾，小区外面也有垃圾。",
    "路边的大屏幕上一直在放广告字幕，声音特别大，晚上十一点了还不停，影响我们休息": (
        "路边的大屏幕上一直在放广告字幕，声音特别大，晚上十一点了还不停，影响我们休息"
    ),
}


@pytest.mark.parametrize(("said", "kept"), SAID.items())
def test_inventions_are_nothing(said: str, kept: str) -> None:
    assert without_inventions(said) == kept


def test_a_file_is_used_only_if_it_is_the_pinned_one(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"weights")
    pinned = Weight(path=str(path), sha256=hashlib.sha256(b"weights").hexdigest())
    assert located(pinned) == path
    path.write_bytes(b"weightz")
    with pytest.raises(Unavailable, match="SHA-256"):
        located(pinned)
    with pytest.raises(Unavailable, match="不存在"):
        located(Weight(path=str(tmp_path / "none"), sha256=pinned.sha256))
    with pytest.raises(Unavailable, match="未安装"):
        located(Weight(path="x", sha256=pinned.sha256, package="no_such_package"))


def test_a_list_puts_other_files_in_place_of_the_packaged_ones(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(
        f'[e5]\npath = "e5.bin"\nsha256 = "{"a" * 64}"\n'
        f'["whisper/model.bin"]\npath = "/big/model.bin"\nsha256 = "{"b" * 64}"\n'
    )
    files, whisper = listed(path)
    assert files["e5"] == Weight(path=str(tmp_path / "e5.bin"), sha256="a" * 64)
    assert whisper["model.bin"] == (Weight(path="/big/model.bin", sha256="b" * 64),)
    assert files["lite1"] == listed(None)[0]["lite1"]


def test_a_head_tells_labels_apart_however_few_examples_one_has() -> None:
    draw = np.random.default_rng(3)
    centres = np.eye(3, 20)
    labels = ["a"] * 200 + ["b"] * 200 + ["c"] * 5
    rows = centres[[ord(label) - 97 for label in labels]] + draw.normal(0, 0.1, (405, 20))
    head = fitted(rows, labels, decay=1e-4)
    assert [head.labels[i] for i in head.chances(centres).argmax(axis=1)] == ["a", "b", "c"]
    assert sum(head.scores(centres[0]).values()) == pytest.approx(1)
    again = fitted(rows, labels, decay=1e-4)
    assert np.array_equal(head.chances(rows), again.chances(rows))
