"""The metric grid of 100 m cells (万米单元网格) over EPSG:32650; knows no case.

A cell is named by its whole hundreds of metres east and north, so that a place keeps its cell
whatever is drawn. The centre of a cell is what may be shown of a place in it.
"""

import math

import msgspec
import numpy as np

from geo.coordinates import from_metres, to_metres

CELL_M = 100.0
"""Side of a cell: 10,000 m², the 万米单元网格 of city management (GB/T 30428.1)."""


class Cell(msgspec.Struct, frozen=True):
    """A cell by its hundreds of metres east and north in EPSG:32650."""

    east: int
    north: int

    @property
    def name(self) -> str:
        """As in `E4430N44289`."""
        return f"E{self.east}N{self.north}"

    def centre(self) -> tuple[float, float]:
        """The middle in WGS-84 degrees, seven decimals (a centimetre)."""
        lon, lat = from_metres((self.east + 0.5) * CELL_M, (self.north + 0.5) * CELL_M)
        return round(lon, 7), round(lat, 7)

    def ring(self) -> list[tuple[float, float]]:
        """The closed outline in WGS-84 degrees, counter-clockwise from the south-west."""
        west, south = self.east * CELL_M, self.north * CELL_M
        corners = [
            (west, south),
            (west + CELL_M, south),
            (west + CELL_M, south + CELL_M),
            (west, south + CELL_M),
            (west, south),
        ]
        return _degrees(corners)


def cell_at(lon: float, lat: float) -> Cell:
    """The cell of a WGS-84 position; on an edge the one to the north and east of it.

    Raises ValueError for a position that the projection cannot hold.
    """
    east, north = to_metres(lon, lat)
    if not (math.isfinite(east) and math.isfinite(north)):
        raise ValueError("position is beyond the projection")
    return Cell(math.floor(east / CELL_M), math.floor(north / CELL_M))


def _degrees(metres: list[tuple[float, float]]) -> list[tuple[float, float]]:
    pairs = np.array(metres)
    lon, lat = from_metres(pairs[:, 0], pairs[:, 1])
    return list(zip(lon.round(7).tolist(), lat.round(7).tolist(), strict=True))
