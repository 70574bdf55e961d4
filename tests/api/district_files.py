"""A district's own boundary files for the tests: the bundled map with one piece changed hands."""

from pathlib import Path

import geopandas
import numpy as np
import shapely
from shapely.geometry import shape

from geo.boundaries import Boundaries
from geo.coordinates import Crs, from_wgs84
from tests.api.client import INSIDE, XUEYUANLU, ZHONGGUANCUN

BUNDLED = Boundaries.bundled()
RADIUS = 0.005
"""Degrees: the piece reaches some 430 m east and west of the middle, and 550 m north and south."""


def frame(*, moved: bool = True) -> geopandas.GeoDataFrame:
    """The 29 units; with `moved`, what lies around INSIDE goes from 中关村 to 学院路."""
    features = BUNDLED.geojson()["features"]
    assert isinstance(features, list)
    areas = {row["properties"]["code"]: shape(row["geometry"]) for row in features}
    if moved:
        piece = shapely.Point(INSIDE["lon"], INSIDE["lat"]).buffer(RADIUS)
        areas[ZHONGGUANCUN] = areas[ZHONGGUANCUN].difference(piece)
        areas[XUEYUANLU] = areas[XUEYUANLU].union(piece)
    return geopandas.GeoDataFrame(
        {"code": list(areas), "name": [BUNDLED.name(code) for code in areas]},
        geometry=list(areas.values()),
        crs=4326,
    )


def write(path: Path, crs: Crs = Crs.WGS84, *, moved: bool = True) -> Path:
    """The file in the format its name says, its figures in `crs`."""

    def turned(degrees: np.ndarray) -> np.ndarray:
        return np.column_stack(from_wgs84(degrees[:, 0], degrees[:, 1], crs))

    made = frame(moved=moved)
    if crs is not Crs.WGS84:
        made = made.set_geometry([shapely.transform(area, turned) for area in made.geometry])
    made.to_file(path, encoding="utf-8")
    return path
