"""The pages of docs/ say what the code says; what the READMEs tell a newcomer is there."""

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import pytest

from casework.lifecycle import Action, Status
from casework.model import ActorKind, Certainty, Clock, Outcome, PlaceKind, Role, Unit
from scripts.bench import Figure, plan, read
from scripts.docs import pages

ROOT = Path(__file__).parents[2]
BOTH = ("README.md", "README.zh-CN.md")
HAND_WRITTEN = (
    *BOTH,
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/tour.md",
    "docs/operations.md",
)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("path", "wanted"), list(pages()), ids=lambda v: getattr(v, "name", ""))
def test_a_generated_page_is_what_make_docs_would_write(path: Path, wanted: str) -> None:
    assert path.read_text(encoding="utf-8") == wanted


@pytest.mark.parametrize(
    "words", [Role, Status, Action, Clock, Certainty, Outcome, PlaceKind, Unit, ActorKind]
)
def test_the_glossary_knows_every_word_of_the_code(words: Iterable[StrEnum]) -> None:
    glossary = text("docs/glossary.md")
    for word in words:
        internal = word in (Role.CLOCK, Role.DISPATCHER) and isinstance(word, Role)
        assert f"`{word}`" in glossary or internal


@pytest.mark.parametrize("name", HAND_WRITTEN)
def test_a_link_to_a_file_leads_somewhere(name: str) -> None:
    here = (ROOT / name).parent
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text(name)):
        assert (here / target).exists(), f"{name} → {target}"


@pytest.mark.parametrize("name", HAND_WRITTEN)
def test_a_file_named_in_the_text_exists(name: str) -> None:
    named = re.findall(
        r"`((?:api|casework|geo|evidence|projections|scripts|data|tests)/[\w./-]+)`", text(name)
    )
    assert all((ROOT / path.rstrip("/")).exists() for path in named), named


def test_both_readmes_give_the_same_commands() -> None:
    def commands(name: str) -> list[str]:
        blocks = re.findall(r"```sh\n(.*?)```", text(name), re.DOTALL)
        return [line for block in blocks for line in block.splitlines() if not line.startswith("#")]

    assert commands(BOTH[0]) == commands(BOTH[1])
    assert {"make run", "make test"} <= set(commands(BOTH[0]))


def test_every_target_of_the_makefile_that_is_written_about_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    for name in HAND_WRITTEN:
        assert set(re.findall(r"`make ([a-z]+)`", text(name))) <= targets


def test_every_settings_variable_written_about_is_one() -> None:
    known = set(re.findall(r"`(CASEWORK_[A-Z_]+)`", text("docs/settings.md")))
    for name in HAND_WRITTEN:
        assert set(re.findall(r"CASEWORK_[A-Z]+(?:_[A-Z]+)*", text(name))) <= known


def test_a_figure_that_is_not_printed_or_too_low_misses_its_floor() -> None:
    figure = Figure("rate", r"rate: ([\d,]+)", "/s", 500, 100)
    assert read(figure, "rate: 1,200/s") == ("1,200 /s", "holds")
    assert read(figure, "rate: 99/s")[1] == "MISSED"
    assert read(figure, "nothing")[1] == "NOT MEASURED"
    assert read(figure._replace(most=True), "rate: 101/s")[1] == "MISSED"


def test_every_script_of_the_bench_is_there() -> None:
    for run in plan("somewhere", 1):
        assert (ROOT / "scripts" / f"{run.script}.py").exists()
