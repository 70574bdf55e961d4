"""Puts the pictures of a folder on one sheet with their names: `make screenshots` ends with it.

    python -m scripts.contact_sheet build/screenshots

writes sheet.png there. Pictures are made equally high; a long page is cut off at the foot.
"""

import sys
from pathlib import Path

import pylopdf_fonts_zh_cn
from PIL import Image, ImageDraw, ImageFont

HEIGHT = 640
"""Pixels of a picture on the sheet."""
LONGEST = 2.2
"""Times its width that a picture of a phone may be high before its foot is cut off."""
WIDTH = 2400
GAP = 24
LABEL = 30
PAPER = (242, 244, 247)
INK = (28, 36, 48)

FONT = Path(pylopdf_fonts_zh_cn.__file__).parent / "NotoSansSC-Regular.otf"


def reduced(path: Path) -> Image.Image:
    """A picture at the height of the sheet."""
    with Image.open(path) as picture:
        shown = picture.convert("RGB")
    longest = shown.width * (LONGEST if shown.width < 1000 else 0.75)
    shown = shown.crop((0, 0, shown.width, min(shown.height, int(longest))))
    return shown.resize((max(1, shown.width * HEIGHT // shown.height), HEIGHT))


def sheet(folder: Path) -> Image.Image:
    """All pictures of a folder in rows, by name. Raises ValueError where there is none."""
    paths = sorted(path for path in folder.glob("*.png") if path.stem != "sheet")
    if not paths:
        raise ValueError(f"{folder}: 没有图片")
    font = ImageFont.truetype(FONT, 20)
    placed: list[tuple[int, int, str, Image.Image]] = []
    x, y = GAP, GAP
    for path in paths:
        picture = reduced(path)
        if x > GAP and x + picture.width + GAP > WIDTH:
            x, y = GAP, y + HEIGHT + LABEL + GAP
        placed.append((x, y, path.stem, picture))
        x += picture.width + GAP
    whole = Image.new("RGB", (WIDTH, y + HEIGHT + LABEL + GAP), PAPER)
    drawing = ImageDraw.Draw(whole)
    for left, top, name, picture in placed:
        drawing.text((left, top), name, INK, font)
        whole.paste(picture, (left, top + LABEL))
    return whole


def main() -> None:
    folder = Path(sys.argv[1])
    try:
        found = sheet(folder)
    except ValueError as error:
        sys.exit(str(error))
    found.save(folder / "sheet.png")
    print(folder / "sheet.png")


if __name__ == "__main__":
    main()
