"""Small ads as they hang on walls and poles, drawn by seeded numbers; and photos without any.

Fonts of the system are used where there are some with Chinese letters, else the one inside Pillow,
which has digits alone.
"""

import io
import random
from functools import cache
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFilter, ImageFont

FONT_FILES = ("wqy-zenhei.ttc", "wqy-microhei.ttc", "ukai.ttc", "uming.ttc", "NotoSansCJK-Bold.ttc")
TRADES = (
    "专业开锁换锁",
    "疏通下水道",
    "办证刻章",
    "无抵押贷款",
    "高价回收旧手机",
    "招聘日结工",
    "单间出租",
    "代开发票",
)
INKS = ("#111111", "#b00018", "#12307a", "#0a6b2d")
PAPERS = ("#ffffff", "#fff27a", "#f3d9d9", "#d9ecff", "#e9e2d0")
WALLS = ("#8f8a83", "#b7a894", "#6d7a80", "#a06b58", "#c9c4b8")


class Ad(NamedTuple):
    """A photo (JPEG) and the digits on it; none where it shows no ad."""

    photo: bytes
    number: str
    trade: str


@cache
def font_files() -> tuple[Path, ...]:
    """Fonts with Chinese letters that this system has."""
    found = {path.name: path for path in Path("/usr/share/fonts").rglob("*.tt[cf]")}
    return tuple(found[name] for name in FONT_FILES if name in found)


def _font(draw: random.Random, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    files = font_files()
    return ImageFont.truetype(draw.choice(files), size) if files else ImageFont.load_default(size)


def number(draw: random.Random) -> str:
    """A telephone number nobody is meant to have."""
    if draw.random() < 0.8:
        return f"1{draw.choice('3456789')}{draw.randrange(10**9):09d}"
    return f"010{draw.choice('68')}{draw.randrange(10**7):07d}"


def written(draw: random.Random, digits: str) -> str:
    """As people write it."""
    cut = (3, 7) if digits.startswith("1") else (3,)
    if draw.random() < 0.4:
        return digits
    parts = [digits[a:b] for a, b in zip((0, *cut), (*cut, len(digits)), strict=True)]
    return draw.choice((" ", "-", "  ")).join(parts)


def ad(seed: int) -> Ad:
    """A paper or a sprayed stencil on a wall, askew, photographed from some metres."""
    draw = random.Random(seed)
    digits, trade = number(draw), draw.choice(TRADES)
    wall = _wall(draw)
    sprayed = draw.random() < 0.25
    size = draw.randrange(38, 84)
    lines = [written(draw, digits)]
    if font_files():
        lines = [trade, draw.choice(("", "电话", "联系")) + lines[0], draw.choice(("", "价格优惠"))]
    paper = _paper(draw, [line for line in lines if line], size, sprayed=sprayed)
    paper = paper.rotate(draw.uniform(-18, 18), Image.Resampling.BICUBIC, expand=True)
    at = (draw.randrange(40, 400), draw.randrange(40, 400))
    wall.paste(paper, at, paper)
    return Ad(_photographed(draw, wall), digits, trade)


def no_ad(seed: int) -> Ad:
    """A wall with a shop's name or a sign of a bus line: letters and short numbers."""
    draw = random.Random(seed)
    wall = _wall(draw)
    lines = [
        f"{draw.randrange(1, 999)}",
        f"{draw.randrange(2015, 2030)}-{draw.randrange(10, 13)}-0{draw.randrange(1, 10)}",
    ]
    if font_files():
        lines.append(draw.choice(("中关村大街", "便民超市", "禁止停车", "12345市民热线")))
    paper = _paper(draw, lines, draw.randrange(40, 80), sprayed=False)
    wall.paste(paper, (100, 100), paper)
    return Ad(_photographed(draw, wall), "", "")


def _wall(draw: random.Random) -> Image.Image:
    wall = Image.new("RGB", (1600, 1200), draw.choice(WALLS))
    pen = ImageDraw.Draw(wall)
    step = draw.randrange(60, 160)
    for y in range(0, 1200, step):
        pen.line((0, y, 1600, y), fill="#5b5650", width=3)
        for x in range((y // step % 2) * step, 1600, 2 * step):
            pen.line((x, y, x, y + step), fill="#5b5650", width=3)
    return wall


def _paper(draw: random.Random, lines: list[str], size: int, *, sprayed: bool) -> Image.Image:
    font = _font(draw, size)
    boxes = [font.getbbox(line) for line in lines]
    width = int(max(box[2] for box in boxes)) + 60
    height = int(size * 1.6 * len(lines)) + 60
    background = (0, 0, 0, 0) if sprayed else draw.choice(PAPERS)
    paper = Image.new("RGBA", (width, height), background)
    pen = ImageDraw.Draw(paper)
    ink = draw.choice(INKS)
    for place, line in enumerate(lines):
        pen.text(
            (30, 30 + place * size * 1.6), line, fill=ink, font=font, stroke_width=int(sprayed)
        )
    if sprayed:
        paper = paper.filter(ImageFilter.GaussianBlur(1.2))
    return paper


def _photographed(draw: random.Random, scene: Image.Image) -> bytes:
    """Seen from the side, darker or lighter, a little out of focus, with the noise of a phone."""
    lean = draw.uniform(-0.12, 0.12)
    scene = scene.transform(
        scene.size, Image.Transform.PERSPECTIVE,
        (1, lean, 0, lean / 2, 1, 0, abs(lean) / 8000, 0), Image.Resampling.BICUBIC,
    )  # fmt: skip
    light = draw.uniform(0.55, 1.15)
    scene = scene.point(lambda value: min(255, int(value * light)))
    scene = scene.filter(ImageFilter.GaussianBlur(draw.uniform(0, 1.6)))
    noise = Image.effect_noise(scene.size, draw.uniform(5, 40)).convert("RGB")
    scene = Image.blend(scene, noise, 0.12)
    out = io.BytesIO()
    scene.save(out, "JPEG", quality=draw.randrange(50, 90))
    return out.getvalue()
