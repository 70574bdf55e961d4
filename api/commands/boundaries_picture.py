"""Draws two versions of the boundaries over each other as a PNG. Holds no text but figures."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely
from PIL import Image, ImageDraw, ImageFont
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo.boundaries import Boundaries
from geo.coordinates import to_metres

WIDTH = 1600
"""Pixels: some 20 m each over the district, so that a change of one building block shows."""
MARGIN = 24
WHITE, GREY, BLUE, RED, DARK = "#ffffff", "#8a8a8a", "#1f5fbf", "#e05040", "#101010"
MOST_FIGURES = 60
"""Figures beyond these would hide the map; the list has them all."""


class Dot(NamedTuple):
    """A place in WGS-84 degrees: a case, or with a figure a piece of ground."""

    lon: float
    lat: float
    figure: str = ""


class _Sheet:
    """Metres to pixels, north up."""

    def __init__(self, bounds: tuple[float, float, float, float]) -> None:
        west, south, east, self._north = bounds
        self._west = west
        self._scale = (WIDTH - 2 * MARGIN) / (east - west)
        height = int((self._north - south) * self._scale) + 2 * MARGIN
        self.image = Image.new("RGB", (WIDTH, height), WHITE)
        self.pen = ImageDraw.Draw(self.image)

    def at(self, metres: np.ndarray) -> list[tuple[float, float]]:
        x = MARGIN + (metres[:, 0] - self._west) * self._scale
        y = MARGIN + (self._north - metres[:, 1]) * self._scale
        return list(zip(x.tolist(), y.tolist(), strict=True))

    def fill(self, area: BaseGeometry, colour: str) -> None:
        for part in shapely.get_parts(area):
            if not isinstance(part, Polygon) or part.is_empty:
                continue
            # By a mask, so that a hole leaves what was drawn there before.
            mask = Image.new("1", self.image.size)
            stencil = ImageDraw.Draw(mask)
            stencil.polygon(self.at(shapely.get_coordinates(part.exterior)), fill=1)
            for hole in part.interiors:
                stencil.polygon(self.at(shapely.get_coordinates(hole)), fill=0)
            self.image.paste(colour, mask=mask)

    def lines(self, boundaries: Boundaries, colour: str, width: int) -> None:
        for line in boundaries.arrangement.lines:
            self.pen.line(self.at(shapely.get_coordinates(line)), fill=colour, width=width)


def draw(path: Path, before: Boundaries, after: Boundaries, dots: tuple[Dot, ...]) -> None:
    """Write the picture: grey what runs, blue what comes, red what changes hands.

    Raises OSError where the file cannot be written.
    """
    old, new = before.arrangement.areas(), after.arrangement.areas()
    whole = shapely.union_all([*old.values(), *new.values()])
    sheet = _Sheet(whole.bounds)
    for code in {*old, *new}:
        lost = old.get(code, MultiPolygon()).difference(new.get(code, MultiPolygon()))
        won = new.get(code, MultiPolygon()).difference(old.get(code, MultiPolygon()))
        sheet.fill(lost, RED)
        sheet.fill(won, RED)
    sheet.lines(before, GREY, 3)
    sheet.lines(after, BLUE, 1)
    font = ImageFont.load_default(16)
    for dot in dots:
        x, y = to_metres(dot.lon, dot.lat)
        ((px, py),) = sheet.at(np.array([[x, y]]))
        if not dot.figure:
            sheet.pen.ellipse((px - 4, py - 4, px + 4, py + 4), fill=DARK)
        elif int(dot.figure) <= MOST_FIGURES:
            sheet.pen.text((px + 5, py - 8), dot.figure, fill=DARK, font=font)
    sheet.image.save(path, "PNG")
