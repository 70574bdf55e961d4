"""Small maps for the tests of the ground: squares of 0.01° in a row or a checkerboard."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

WEST, SOUTH, SIDE = 116.20, 40.00, 0.01
Ring = list[tuple[float, float]]

UNIT_NAMES = {
    "110108011": "中关村街道",
    "110108012": "海淀街道",
    "110108022": "上地街道",
    "110108024": "东升镇",
}


def square(column: int, row: int) -> Ring:
    """A closed ring, counter-clockwise, from its south-west corner."""
    corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    return [
        (round(WEST + (column + x) * SIDE, 6), round(SOUTH + (row + y) * SIDE, 6))
        for x, y in corners
    ]


def centre(column: int, row: int) -> tuple[float, float]:
    return WEST + (column + 0.5) * SIDE, SOUTH + (row + 0.5) * SIDE


def write_geojson(
    path: Path,
    squares: Mapping[tuple[int, int], str],
    *,
    order: Callable[[list[dict[str, object]]], list[dict[str, object]]] = lambda rows: rows,
    ring: Callable[[Ring], Ring] = lambda points: points,
) -> Path:
    """Each unit as a MultiPolygon of its squares (unmerged where they touch is invalid: do not)."""
    held: dict[str, list[list[Ring]]] = {}
    for (column, row), code in squares.items():
        held.setdefault(code, []).append([ring(square(column, row))])
    features: list[dict[str, object]] = [
        {
            "type": "Feature",
            "properties": {"code": code, "name": UNIT_NAMES[code]},
            "geometry": {"type": "MultiPolygon", "coordinates": parts},
        }
        for code, parts in held.items()
    ]
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": order(features)}), encoding="utf-8"
    )
    return path


def write_tables(
    folder: Path,
    nodes: Mapping[str, tuple[float, float]],
    edges: Iterable[tuple[str, str, str, str, float]],
    zones: Iterable[str] = (),
) -> Path:
    """nodes.csv, edges.csv (nodes, left, right, neighbour, accuracy) and zones.csv (raw rows)."""
    folder.mkdir(exist_ok=True)
    lines = ["id,lon,lat,what", *(f"{name},{lon},{lat}," for name, (lon, lat) in nodes.items())]
    (folder / "nodes.csv").write_text("\n".join(lines), encoding="utf-8")
    rows = [f"e{i},{','.join(map(str, edge))}" for i, edge in enumerate(edges)]
    lines = ["id,nodes,left,right,neighbour,accuracy_m", *rows]
    (folder / "edges.csv").write_text("\n".join(lines), encoding="utf-8")
    (folder / "zones.csv").write_text(
        "\n".join(["id,name,units,outline,why", *zones]), encoding="utf-8"
    )
    return folder


def two_squares(folder: Path, *, zones: Iterable[str] = (), accuracy_m: float = 50) -> Path:
    """中关村 (011) west, 海淀 (012) east, side by side; 昌平区 all around."""
    (w, s), (e, n) = square(0, 0)[0], square(1, 0)[2]
    m = round(WEST + SIDE, 6)
    nodes = {"sw": (w, s), "sm": (m, s), "se": (e, s), "ne": (e, n), "nm": (m, n), "nw": (w, n)}
    edges = [
        ("nm nw sw sm", "110108011", "outside", "昌平区", accuracy_m),
        ("sm se ne nm", "110108012", "outside", "昌平区", accuracy_m),
        ("sm nm", "110108011", "110108012", "", accuracy_m),
    ]
    return write_tables(folder, nodes, edges, zones)
