"""What a text model is trained on: the catalogue's indicators, the shipped texts, learnt cases.

Reads `data/indicators/`; knows no model. The version of a training is the SHA-256 of all of it.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec

from recognition.model import Door, Kind

BUNDLED = Path(__file__).parent.parent / "data" / "indicators"

METHOD = "pairs+groups, logistic regression 1"
"""Part of the version: a change of the method makes another model of the same inputs."""

ELSEWHERE = Door(name="不属指标范围", door="不属于现行指标：请拨打12345反映。", number="12345")
"""What reviewers refused as no indicator's, and nothing more is known of."""

RETIRED = Door(
    name="不在现行指标内", door="这类问题不在现行指标内：请拨打12345反映。", number="12345"
)
"""What was shipped for an indicator that the catalogue does not hold (any more)."""


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """A text with what it is: an indicator's code, or `door_label` of a matter elsewhere.

    `person` tells persons apart, and is None for what was shipped: a piece of somebody's words is
    kept only where three have said it.
    """

    text: str
    label: str
    person: int | None = None


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """All inputs of a training. `learnt` is in order of time, the newest last."""

    kinds: tuple[Kind, ...]
    doors: tuple[Door, ...]
    groups: Mapping[str, tuple[str, ...]]
    shipped: tuple[Sample, ...]
    learnt: tuple[Sample, ...] = ()

    def version(self) -> str:
        """SHA-256 over all inputs and the method, hexadecimal."""
        return sha256(METHOD.encode() + msgspec.msgpack.encode(self, order="sorted")).hexdigest()


def door_label(name: str) -> str:
    """The label of a class of matters that are no indicator's."""
    return f"~{name}"


def is_door(label: str) -> bool:
    """Whether a label is such a class."""
    return label.startswith("~")


class _Class(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    door: str
    texts: str
    number: str = ""


class _Classes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    classes: tuple[_Class, ...]


class _Concepts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    concepts: dict[str, tuple[str, ...]]


class _Shipped(msgspec.Struct, frozen=True):
    texts: Mapping[str, tuple[str, ...]]
    """By the code of their indicator."""
    classes: tuple[_Class, ...]
    groups: Mapping[str, tuple[str, ...]]


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line for line in map(str.strip, text.splitlines()) if line)


@cache
def _shipped(folder: Path) -> _Shipped:
    classes = (folder / "out_of_scope.toml").read_bytes()
    concepts = (folder / "concepts.toml").read_bytes()
    return _Shipped(
        {
            path.stem: _lines(path.read_text(encoding="utf-8"))
            for path in sorted((folder / "texts").glob("*.txt"))
        },
        msgspec.toml.decode(classes, type=_Classes).classes,
        msgspec.toml.decode(concepts, type=_Concepts).concepts,
    )


@cache
def shipped_kinds(folder: Path = BUNDLED) -> tuple[Kind, ...]:
    """The indicators as the files say, for where no catalogue is in force (the command line)."""
    return tuple(
        msgspec.toml.decode(path.read_bytes(), type=Kind)
        for path in sorted(folder.glob("*.toml"))
        if re.fullmatch(r"[A-Z]\d+", path.stem)
    )


def gathered(
    kinds: Sequence[Kind],
    *,
    doors: Sequence[Door] = (),
    learnt: Sequence[Sample] = (),
    folder: Path = BUNDLED,
) -> Material:
    """The material for these indicators: what the catalogue says, what is shipped, what is learnt.

    `doors` are the catalogue's own, which go before the shipped ones of the same name. An indicator
    without shipped texts, such as a new one, gets its keywords as a group of their own, and works
    from its name and a few examples. Learnt texts of a code not among `kinds` are left out.
    """
    shipped = _shipped(folder)
    codes = {kind.code for kind in kinds}
    own = {door.name: door for door in doors}
    all_doors = [
        own.get(each.name, Door(name=each.name, door=each.door, number=each.number))
        for each in shipped.classes
    ]
    samples = [
        Sample(text, door_label(c.name)) for c in shipped.classes for text in _lines(c.texts)
    ]
    groups = dict(shipped.groups)
    for kind in kinds:
        said = (*kind.examples, *shipped.texts.get(kind.code, ()), kind.name, *kind.keywords)
        samples += [Sample(text, kind.code) for text in dict.fromkeys(said)]
        if kind.code not in shipped.texts:
            groups[kind.code] = (kind.name, *kind.keywords)
    for code, texts in shipped.texts.items():
        if code not in codes:
            samples += [Sample(text, door_label(RETIRED.name)) for text in texts]
    names = {door.name for door in all_doors}
    all_doors += [ELSEWHERE, RETIRED, *(door for door in doors if door.name not in names)]
    known = codes | {door_label(door.name) for door in all_doors}
    return Material(
        kinds=tuple(kinds),
        doors=tuple(all_doors),
        groups=groups,
        shipped=tuple(samples),
        learnt=tuple(sample for sample in learnt if sample.label in known),
    )
