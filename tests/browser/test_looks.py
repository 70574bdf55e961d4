"""The checks themselves: each finds its fault in a page made for it, and nothing in a sound one."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import looks
from tests.browser.conftest import Opens

HEAD = """<!doctype html><html lang="zh-CN"{elder}><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>试</title>
<style>* {{ box-sizing: border-box; }} body {{ margin: 0; font: 18px/1.6 sans-serif; }}
button, .link {{ min-height: 60px; min-width: 60px; font: inherit; display: inline-block; }}
:focus-visible {{ outline: 3px solid #a60; }} {style}</style></head>
<body><main><h1>试一试</h1>{body}</main></body></html>"""

SOUND = """<p>写在句子里的<a href="#x">链接</a>不必有按钮那么大。</p><button>提交</button>
<label>姓名<br><input style="width: 100%; height: 60px; font: inherit"></label>
<fieldset><legend>选一个</legend>
<label class="link"><input type="radio" name="r"> 甲</label>
<label class="link"><input type="radio" name="r"> 乙</label></fieldset>
<a class="link" href="#y">单独的链接</a>
<details><summary class="link">更多</summary><p style="font-size: 3px">合上的不算</p></details>
<div style="overflow: auto; width: 200px" tabindex="0" role="region" aria-label="宽表">
<p style="width: 900px">很宽的表格可以自己滚动，不牵动整页</p></div>"""

Check = Callable[[Page], list[str]]

FAULTS: tuple[tuple[str, Check, str, str], ...] = (
    ("two h1", looks.words, "<h1>又一个</h1>", "2 h1"),
    ("an id twice", looks.words, "<p id=a></p><p id=a></p>", "id a twice"),
    ("no label", looks.words, "<input placeholder=姓名>", "no label"),
    ("too wide", looks.sideways, "<p id=wide style='width: 500px'>宽</p>", "<p#wide>"),
    (
        "too low",
        looks.small,
        "<button style='min-height: 30px; max-height: 30px'>低</button>",
        "×30 px",
    ),
    ("a lone link", looks.small, "<p><a href='#x'>单独的链接</a></p>", "「单独的链接」"),
    (
        "a bare tick box",
        looks.small,
        "<input type=checkbox id=c><label for=c style='font-size: 9px'>是</label>",
        "<input#c>",
    ),
    (
        "an ellipsis",
        looks.clipped,
        "<p style='width: 90px; overflow: hidden; white-space: nowrap'>这一行放不下</p>",
        "「这一行放不下」",
    ),
    (
        "a low box",
        looks.clipped,
        "<div style='height: 20px; overflow: hidden'><p>上面</p><p>下面看不见</p></div>",
        "「下面看不见」",
    ),
    (
        "out of a button",
        looks.clipped,
        "<button style='width: 60px; white-space: nowrap; padding: 0'>提交这个案件</button>",
        "<button>",
    ),
    (
        "a bar over the end",
        looks.covered,
        "<button>最后的</button><div id=bar style='position: fixed; inset: 0'>",
        "covered by <div#bar>",
    ),
    (
        "no ring",
        looks.keyboard,
        "<button style='outline: none'>无框</button>",
        "nothing shows that <button>「无框」",
    ),
    (
        "taken back",
        looks.keyboard,
        "<button id=a onkeydown='event.preventDefault()'>陷阱</button><button>后面的</button>",
        "does not come to <button>「后面的」",
    ),
    ("grey on grey", looks.axe, "<p style='color: #aaa; background: #bbb'>看不清</p>", "contrast"),
    ("no words for a picture", looks.axe, "<img src='data:,'>", "image-alt"),
)


@pytest.fixture
def blank(chromium: Browser) -> Iterator[Page]:
    """A narrow page of nobody's."""
    context = chromium.new_context(viewport={"width": 390, "height": 600})
    yield context.new_page()
    context.close()


def show(page: Page, body: str, *, elder: bool = False, style: str = "") -> None:
    page.set_content(HEAD.format(elder=' class="elder"' if elder else "", style=style, body=body))


@pytest.mark.parametrize("elder", [False, True], ids=["standard", "elder"])
def test_nothing_is_said_of_a_sound_page(blank: Page, elder: bool) -> None:
    show(blank, SOUND, elder=elder)
    looks.holds(blank)


@pytest.mark.deep  # what is told at once, below, has one of each kind
@pytest.mark.parametrize(
    ("check", "body", "says"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
def test_a_fault_is_found(blank: Page, check: Check, body: str, says: str) -> None:
    show(blank, body)
    found = check(blank)
    assert any(says in what for what in found), found


def test_all_that_is_wrong_is_told_at_once(blank: Page) -> None:
    show(blank, "".join(body for _, _, body, _ in FAULTS if "陷阱" not in body))
    with pytest.raises(AssertionError, match="390 px") as told:
        looks.holds(blank)
    for kind in ("words", "sideways", "small", "clipped", "covered", "keyboard", "axe"):
        assert f"\n  {kind}: " in str(told.value), str(told.value)


def test_large_type_asks_for_more(blank: Page) -> None:
    body = "<button style='min-height: 50px'>够不够</button><p style='font-size: 16px'>小字</p>"
    show(blank, body)
    looks.holds(blank)
    show(blank, body, elder=True)
    assert "not 60" in looks.small(blank)[0]
    assert "「小字」" in looks.tiny(blank)[0] and "not 18" in looks.tiny(blank)[0]


def test_a_page_whose_scripts_may_not_run_is_checked_too(chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    body = "<noscript><p style='color: #aaa'>看不清</p></noscript>"
    text = HEAD.format(elder="", style="", body=body)
    address = "http://127.0.0.1:9/"
    page.route(address, lambda route: route.fulfill(body=text, content_type="text/html"))
    page.goto(address)
    assert any("color-contrast" in what for what in looks.axe(page))
    context.close()


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("console.error('错了')", "console: 错了"),
        ("setTimeout(() => { throw new Error('坏了') })", "script: 坏了"),
        ("new Image().src = '/static/nothing.png'", "answered 404: GET"),
        ("new Image().src = 'http://elsewhere.example/x.png'", "foreign request"),
        ("document.body.setAttribute('style', 'color: red')", "policy: style-src"),
    ],
)
def test_every_trouble_of_a_window_is_noted(desk: Opens, script: str, says: str) -> None:
    window = desk()
    page = window.open("/sign-in")
    window.quiet()
    page.evaluate(f"{{ {script}; null }}")
    for _ in range(200):
        if not any(says in trouble for trouble in window.troubles):
            page.evaluate("new Promise((done) => requestAnimationFrame(() => done(null)))")
    assert any(says in trouble for trouble in window.troubles), window.troubles
    with pytest.raises(AssertionError, match="sign-in"):
        window.quiet()
    window.troubles.clear()
