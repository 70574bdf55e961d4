"""The mini-program: its pages driven in Node beside a fake client, and what holds of its files."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from api.door import CHANNEL_CRS
from api.typical_schemas import PictureOut, TypicalMonthOut, TypicalOut
from tests.miniprogram.node import mini_program, node

ROOT = Path(__file__).parents[2]
APP = ROOT / "miniprogram"
PAGES: list[str] = json.loads((APP / "app.json").read_text("utf-8"))["pages"]
AT = datetime(2026, 6, 2, 1, tzinfo=UTC)

FORBIDDEN_HERE = (
    r"\bfetch\b|\bnew URL\b|\bURLSearchParams\b|\bwindow\b|\bdocument\b|\beval\b|\bimport\b"
    r"|\bnew Function\b|\bsetTimeout\b|\bsetInterval\b"
)
"""What a mini-program does not have, or our pages have no use for."""


def files(*suffixes: str) -> Iterator[Path]:
    return (path for path in sorted(APP.rglob("*")) if path.suffix in suffixes)


def text(path: Path) -> str:
    return path.read_text("utf-8")


# the pages at work -----------------------------------------------------------------------


def test_the_pages_do_what_a_resident_needs_of_them() -> None:
    done = node("--test", "--test-reporter=tap", "pages.test.cjs")
    assert done.returncode == 0, done.stdout
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed and int(passed[1]) == text(Path(__file__).with_name("pages.test.cjs")).count(
        "\ntest("
    )


def test_typical_cases_are_shown_as_the_server_tells_them() -> None:
    shown = TypicalOut(
        id="202605-01",
        entry=1,
        state="shown",
        state_name="公开",
        title="中关村街道·堆物堆料",
        caption="楼前杂物当天清走。",
        outcome_name="已整改",
        taken="3小时20分",
        satisfaction=4.5,
        raters=2,
        after=(PictureOut(url="/api/v1/typical-cases/2026-05/photos/a", alt="整改后照片1"),),
        published_at=AT,
        updated_at=AT,
    )
    paused = TypicalOut(
        id="202605-02",
        entry=2,
        state="paused",
        state_name="暂停展示",
        title="【暂停展示】第2件",
        says="案件正在复核，暂停展示。",
        published_at=AT,
        updated_at=AT,
    )
    month = TypicalMonthOut(
        month="2026-05",
        title="2026年5月典型案例",
        publications=1,
        published_at=AT,
        updated_at=AT,
        entries=(shown, paused),
    )
    read = mini_program("show_month.cjs", given=month.model_dump_json())
    assert read.splitlines()[:4] == [
        "2026年5月典型案例",
        "中关村街道·堆物堆料",
        "楼前杂物当天清走。",
        "已整改，用时3小时20分，2人评价，满意度4.5分",
    ]
    assert "第2件" not in read


def test_the_channel_and_its_coordinates_are_those_the_server_knows() -> None:
    paths = text(APP / "paths.js")
    channel = re.search(r"CHANNEL = '(\w+)'", paths)
    crs = re.search(r"CRS = '(\w+)'", paths)
    assert channel and crs and CHANNEL_CRS[channel[1]] == crs[1]


# the files -------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_its_four_files_and_well_formed_markup(page: str) -> None:
    for suffix in (".js", ".json", ".wxml", ".wxss"):
        assert (APP / f"{page}{suffix}").is_file()
    json.loads(text(APP / f"{page}.json"))
    # `wx:` is a prefix that WXML declares nowhere.
    markup = f'<page xmlns:wx="urn:wx">{text(APP / f"{page}.wxml")}</page>'
    assert list(ET.fromstring(markup))  # noqa: S314 - a file of our own


def test_every_folder_of_a_page_is_in_the_list_and_the_list_is_in_the_sitemap() -> None:
    folders = {str(path.relative_to(APP).with_suffix("")) for path in APP.glob("pages/*/*.js")}
    assert folders == set(PAGES)
    assert PAGES[0] == "pages/report/report", "the first page is where the program opens"
    rules = json.loads(text(APP / "sitemap.json"))["rules"]
    assert {rule["page"] for rule in rules} <= {*PAGES, "*"}
    assert rules[-1] == {"action": "disallow", "page": "*"}


def test_the_only_address_is_in_the_configuration() -> None:
    for path in files(".js", ".json", ".wxml", ".wxss"):
        found = re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}", text(path))
        expected = ["https://suishoupai.example"] if path == APP / "config.js" else []
        assert found == expected, path


def test_no_app_id_is_committed() -> None:
    for path in files(".js", ".json"):
        assert not re.search(r"\bwx[0-9a-f]{16}\b|\"appid\"", text(path), re.IGNORECASE), path
    assert "miniprogram/project.private.config.json" in text(ROOT / ".gitignore")


def test_the_code_is_plain_and_asks_for_nothing_a_mini_program_lacks() -> None:
    for path in files(".js"):
        code = re.sub(r"//.*", "", text(path))
        assert not re.search(FORBIDDEN_HERE, code), path
        assert not re.search(r"\?\.|\?\?|\.\.\.|\basync\b|\bawait\b", code), f"{path}: too new"


def test_no_page_asks_for_a_right_that_is_not_declared() -> None:
    app = json.loads(text(APP / "app.json"))
    code = "\n".join(text(path) for path in files(".js"))
    location = set(re.findall(r"wx\.(getLocation|chooseLocation|getFuzzyLocation)\b", code))
    assert location == set(app["requiredPrivateInfos"])
    assert len(app["permission"]["scope.userLocation"]["desc"]) <= 30
    assert app["__usePrivacyCheck__"] is True


def test_every_part_of_wx_that_is_used_is_named_in_the_readme() -> None:
    code = "\n".join(text(path) for path in files(".js"))
    used = set(re.findall(r"\bwx\.(\w+)", code))
    table = set(re.findall(r"`wx\.(\w+)`", text(APP / "README.md")))
    assert used == table


def test_the_readme_says_that_no_real_client_ran() -> None:
    assert "没有在真实的微信客户端" in text(APP / "README.md")


# looks -----------------------------------------------------------------------------------


def rules() -> dict[str, dict[str, str]]:
    """Selector → property → value, of all style sheets."""
    found: dict[str, dict[str, str]] = {}
    for path in files(".wxss"):
        bare = re.sub(r"/\*.*?\*/", "", text(path), flags=re.DOTALL)
        for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", bare):
            pairs = (line.split(":", 1) for line in body.split(";") if ":" in line)
            found.setdefault(selector.strip(), {}).update(
                {name.strip(): value.strip() for name, value in pairs}
            )
    return found


def test_what_one_taps_is_44_pixels_high_and_60_in_the_large_version() -> None:
    heights = {
        selector: float(body["min-height"].removesuffix("px"))
        for selector, body in rules().items()
        if "min-height" in body
    }
    assert {".target", ".field", ".big"} <= set(heights)
    for selector, height in heights.items():
        assert height >= (60 if selector.startswith(".elder") else 44), selector
    for name in (".target", ".field", ".big"):
        assert f".elder {name}" in heights, "else the rule for both would be the smaller one"
    app = json.loads(text(APP / "app.json"))
    assert "style" not in app, "v2 makes buttons 184 pixels wide, whatever their class says"


def test_all_type_follows_the_root_size_and_none_is_below_it() -> None:
    sizes = [body["font-size"] for body in rules().values() if "font-size" in body]
    assert sizes
    for size in sizes:
        assert size.endswith("rem") and float(size.removesuffix("rem")) >= 1, size


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it, of #rrggbb."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The ratio of two colours by WCAG 2, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_words_stand_out_from_what_lies_behind_them() -> None:
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48  # a pair known to fall short
    behind_all = rules()["page"]["background-color"]
    for selector, body in rules().items():
        if "color" not in body:
            continue
        for behind in {
            body.get("background-color", behind_all),
            body.get("background-color", "#ffffff"),
        }:
            assert contrast(body["color"], behind) >= 4.5, selector
