"""Draws the photos of the demonstration: a simple scene an indicator, before and after. No photo.

Every picture is another one, drawn from its own random numbers, and carries the mark 演示. The two
characters are drawn too: a machine may have no Chinese font.
"""

import io
from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw

SIZE = (480, 360)
GROUND = 210
"""Where the ground begins, in pixels from above."""

Draw = ImageDraw.ImageDraw
Colour = tuple[int, int, int]

# The strokes of 演 and 示 on a square of 16 units.
_MARK: tuple[tuple[tuple[int, int, int, int], ...], ...] = (
    (
        (1, 2, 3, 4), (0, 6, 2, 8), (1, 14, 4, 10), (9, 0, 10, 2), (5, 3, 5, 5), (5, 3, 15, 3),
        (15, 3, 15, 5), (7, 6, 13, 6), (6, 8, 6, 12), (6, 8, 14, 8), (14, 8, 14, 12),
        (6, 10, 14, 10), (6, 12, 14, 12), (10, 6, 10, 12), (8, 13, 5, 15), (12, 13, 15, 15),
    ),
    (
        (3, 2, 13, 2), (0, 6, 16, 6), (8, 6, 8, 15), (8, 15, 6, 14), (4, 9, 1, 13),
        (12, 9, 15, 13),
    ),
)  # fmt: skip


def picture(indicator: str, seed: int, *, after: bool) -> bytes:
    """A JPEG of 480 x 360 pixels. The same arguments draw the same picture.

    The place depends on `seed` alone, so that before and after show one spot.
    """
    rng = Random(seed)
    image = Image.new("RGB", SIZE)
    draw = ImageDraw.Draw(image)
    _backdrop(draw, rng, water=indicator == "P05")
    _SCENES[indicator](draw, rng, after)
    # What a hand-held phone adds: no two pictures are the same, also of one place.
    shift = Random(seed * 2 + after)
    image = image.rotate(shift.uniform(-1.5, 1.5), fillcolor=(120, 120, 120))
    _mark(ImageDraw.Draw(image))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=72)
    return out.getvalue()


def _tint(rng: Random, colour: Colour, by: int = 18) -> Colour:
    red, green, blue = (max(0, min(255, part + rng.randint(-by, by))) for part in colour)
    return red, green, blue


def _backdrop(draw: Draw, rng: Random, *, water: bool) -> None:
    width, height = SIZE
    draw.rectangle((0, 0, width, GROUND), fill=_tint(rng, (178, 205, 226)))
    x = -rng.randint(0, 40)
    while x < width:
        wide, tall = rng.randint(50, 110), rng.randint(60, 150)
        wall = _tint(rng, (196, 182, 165), 25)
        draw.rectangle((x, GROUND - tall, x + wide, GROUND), fill=wall)
        for wx in range(x + 8, x + wide - 10, 18):
            for wy in range(GROUND - tall + 10, GROUND - 16, 22):
                draw.rectangle((wx, wy, wx + 9, wy + 12), fill=(110, 128, 145))
        x += wide + rng.randint(0, 12)
    draw.rectangle(
        (0, GROUND, width, height), fill=_tint(rng, (96, 138, 150) if water else (168, 165, 160))
    )
    if not water:
        draw.rectangle((0, 300, width, height), fill=_tint(rng, (92, 94, 98)))
        draw.line((0, 300, width, 300), fill=(205, 205, 200), width=3)


def _litter(draw: Draw, rng: Random, pieces: int, box: tuple[int, int, int, int]) -> None:
    for _ in range(pieces):
        x, y, r = rng.randint(box[0], box[2]), rng.randint(box[1], box[3]), rng.randint(3, 8)
        colour = rng.choice(((235, 235, 230), (90, 140, 80), (170, 60, 50), (150, 110, 60)))
        draw.polygon(
            ((x, y - r), (x + r, y), (x + r // 2, y + r), (x - r, y + r // 2)), fill=colour
        )


def _heap(draw: Draw, rng: Random, x: int, y: int) -> None:
    for _ in range(9):
        dx, dy, r = rng.randint(-45, 45), rng.randint(-28, 6), rng.randint(12, 22)
        bag = rng.choice(((52, 52, 58), (210, 210, 205), (60, 96, 140), (140, 105, 70)))
        draw.ellipse((x + dx - r, y + dy - r, x + dx + r, y + dy + r), fill=_tint(rng, bag))


def _bin(draw: Draw, x: int, colour: Colour) -> None:
    draw.polygon(((x, 222), (x + 44, 222), (x + 38, 288), (x + 6, 288)), fill=colour)
    draw.ellipse((x + 6, 284, x + 16, 294), fill=(30, 30, 30))
    draw.ellipse((x + 28, 284, x + 38, 294), fill=(30, 30, 30))


def _bike(draw: Draw, x: int, y: int, colour: Colour, *, fallen: bool = False) -> None:
    tall = 10 if fallen else 26
    for wheel in (x, x + 40):
        draw.ellipse((wheel - 13, y - tall, wheel + 13, y), outline=(25, 25, 28), width=3)
    top = y - tall - (0 if fallen else 14)
    draw.line(
        (x, y - tall // 2, x + 14, top, x + 32, top, x + 40, y - tall // 2), fill=colour, width=4
    )
    draw.line((x + 14, top, x + 22, y - tall // 2, x + 32, top), fill=colour, width=3)


def _dead_corner(draw: Draw, rng: Random, after: bool) -> None:
    draw.polygon(((330, 70), (480, 40), (480, 320), (330, GROUND + 20)), fill=(150, 120, 105))
    if not after:
        _heap(draw, rng, 350, 262)
        _litter(draw, rng, 30, (250, 235, 440, 296))


def _heaped(draw: Draw, rng: Random, after: bool) -> None:
    draw.rectangle((20, 120, 90, GROUND), fill=(120, 80, 70))
    if not after:
        _heap(draw, rng, 180 + rng.randint(-30, 60), 270)
        draw.rectangle((250, 228, 340, 282), fill=(156, 120, 82), outline=(90, 66, 40), width=3)
        _litter(draw, rng, 18, (130, 250, 380, 298))


def _unswept(draw: Draw, rng: Random, after: bool) -> None:
    for x in range(0, SIZE[0], 40):
        draw.line((x, GROUND, x - 60, 300), fill=(150, 147, 142), width=1)
    _litter(draw, rng, 2 if after else 70, (10, GROUND + 8, 470, 296))


def _adverts(draw: Draw, rng: Random, after: bool) -> None:
    draw.rectangle((60, 30, 420, 285), fill=_tint(rng, (205, 198, 186)))
    for _ in range(16):
        x, y = rng.randint(70, 360), rng.randint(40, 240)
        if after:
            draw.rectangle((x, y, x + 44, y + 30), fill=(211, 205, 194))
            continue
        paper = rng.choice(((245, 240, 120), (250, 250, 250), (240, 150, 140)))
        draw.rectangle((x, y, x + 44, y + 30), fill=paper, outline=(120, 120, 120))
        for line in range(4):
            draw.line((x + 5, y + 6 + 6 * line, x + 38, y + 6 + 6 * line), fill=(60, 60, 60))


def _full_bin(draw: Draw, rng: Random, after: bool) -> None:
    x = rng.randint(150, 240)
    _bin(draw, x, _tint(rng, (58, 112, 76)))
    _bin(draw, x + 60, _tint(rng, (62, 92, 140)))
    if after:
        draw.rectangle((x - 3, 214, x + 47, 224), fill=(40, 80, 55))
        draw.rectangle((x + 57, 214, x + 107, 224), fill=(44, 66, 104))
    else:
        _heap(draw, rng, x + 50, 222)
        _litter(draw, rng, 25, (x - 60, 268, x + 170, 298))


def _green(draw: Draw, rng: Random, after: bool) -> None:
    draw.rectangle((0, GROUND - 10, SIZE[0], 300), fill=_tint(rng, (88, 140, 70)))
    for x in range(10, SIZE[0], 46):
        y = GROUND - 20 + rng.randint(-8, 8)
        draw.ellipse((x - 22, y - 26, x + 22, y + 22), fill=_tint(rng, (66, 118, 58)))
    _litter(draw, rng, 1 if after else 32, (10, GROUND + 14, 470, 292))


def _water(draw: Draw, rng: Random, after: bool) -> None:
    for _ in range(26):
        x, y = rng.randint(0, 440), rng.randint(GROUND + 10, 350)
        draw.line((x, y, x + rng.randint(20, 60), y), fill=(130, 168, 178), width=2)
    draw.polygon(((0, 330), (200, 360), (0, 360)), fill=(120, 112, 98))
    if not after:
        for _ in range(26):
            x, y = rng.randint(60, 420), rng.randint(240, 320)
            draw.ellipse((x, y, x + 20, y + 8), fill=rng.choice(((235, 238, 236), (96, 140, 72))))


def _dust(draw: Draw, rng: Random, after: bool) -> None:
    draw.line((0, 330, 480, 330), fill=(230, 230, 225), width=4)
    if after:
        draw.ellipse((120, 312, 330, 348), fill=(78, 82, 90))
        return
    for _ in range(34):
        x, y, r = rng.randint(0, 470), rng.randint(225, 350), rng.randint(14, 40)
        draw.ellipse((x - r, y - r // 2, x + r, y + r // 2), fill=_tint(rng, (186, 160, 118), 12))


def _parcels(draw: Draw, rng: Random, after: bool) -> None:
    if after:
        return
    draw.rectangle((320, 215, 420, 275), fill=_tint(rng, (60, 130, 170)))
    draw.ellipse((330, 268, 352, 290), fill=(28, 28, 28))
    draw.ellipse((390, 268, 412, 290), fill=(28, 28, 28))
    for _ in range(18):
        x, y, side = rng.randint(40, 290), rng.randint(232, 278), rng.randint(14, 30)
        draw.rectangle(
            (x, y - side, x + side + 8, y), fill=_tint(rng, (188, 146, 96)), outline=(110, 80, 48)
        )


def _washing(draw: Draw, rng: Random, after: bool) -> None:
    for x in (80, 400):
        draw.rectangle((x - 8, 90, x + 8, 295), fill=(98, 74, 54))
        draw.ellipse((x - 48, 30, x + 48, 120), fill=_tint(rng, (70, 120, 62)))
    if after:
        return
    draw.line((80, 150, 400, 156), fill=(60, 60, 60), width=2)
    for x in range(104, 370, 52):
        cloth = rng.choice(((200, 70, 80), (240, 240, 235), (80, 110, 190), (230, 190, 90)))
        draw.rectangle((x, 154, x + 40, 154 + rng.randint(40, 90)), fill=cloth)


def _blind_path(draw: Draw, rng: Random, after: bool) -> None:
    draw.polygon(((190, GROUND), (250, GROUND), (330, 300), (200, 300)), fill=(222, 188, 60))
    for y in range(GROUND + 8, 300, 14):
        draw.line((196, y, 300, y), fill=(190, 156, 40), width=2)
    if not after:
        for i in range(4):
            _bike(draw, 170 + 34 * i, 262 + 9 * i, _tint(rng, (60, 90, 150), 40))


def _parked(draw: Draw, rng: Random, after: bool) -> None:
    draw.line((30, 296, 450, 296), fill=(240, 240, 240), width=3)
    colours = ((240, 190, 40), (60, 140, 210), (90, 180, 110))
    for i in range(4 if after else 13):
        x = 50 + 95 * i if after else rng.randint(20, 400)
        y = 290 if after else rng.randint(240, 330)
        _bike(draw, x, y, rng.choice(colours), fallen=not after and rng.random() < 0.35)


_SCENES: dict[str, Callable[[Draw, Random, bool], None]] = {
    "C01": _dead_corner,
    "C02": _heaped,
    "P01": _unswept,
    "P02": _adverts,
    "P03": _full_bin,
    "P04": _green,
    "P05": _water,
    "P06": _dust,
    "P07": _parcels,
    "P08": _washing,
    "P09": _blind_path,
    "P10": _parked,
}


def _mark(draw: Draw) -> None:
    """演示, white on red, in the lower right corner."""
    unit, left, top = 3, SIZE[0] - 122, SIZE[1] - 62
    draw.rectangle((left - 8, top - 6, SIZE[0] - 8, SIZE[1] - 8), fill=(190, 30, 30))
    for number, strokes in enumerate(_MARK):
        x0 = left + number * 19 * unit
        for ax, ay, bx, by in strokes:
            draw.line(
                (x0 + ax * unit, top + ay * unit, x0 + bx * unit, top + by * unit),
                fill=(255, 255, 255),
                width=4,
            )
