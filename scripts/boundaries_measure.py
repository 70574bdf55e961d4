"""Measures the bundled map against a reference map on random points, and how fast it answers.

    python -m scripts.boundaries_measure reference.geojson [contested.geojson]

Prints figures; changes nothing.
"""

import sys
import timeit
from pathlib import Path

import numpy as np
import shapely
from shapely import STRtree

from geo.boundaries import Boundaries
from geo.coordinates import to_metres
from geo.dispatch import Certainty, Dispatcher

POINTS = 1_000_000
FRAME = ([116.00, 39.85], [116.45, 40.20])  # the district and a few kilometres around, degrees


def agreement(bundled: Boundaries, reference: Boundaries) -> None:
    lon, lat = np.random.default_rng(2024).uniform(*FRAME, (POINTS, 2)).T
    points = shapely.points(*to_metres(lon, lat))
    truth = reference.streets_at(lon, lat)
    open_ = reference.zones_at(points, np.zeros(POINTS)) < 0
    _, border_m = reference.nearest_borders(points)
    verdicts = Dispatcher(bundled).assign_many(lon, lat)
    got = np.array([*verdicts.codes, ""])[verdicts.street]
    sure = verdicts.certainty == Certainty.INSIDE
    print(f"of what is automatic, right: {(got == truth)[sure].mean():.4%} of {sure.sum():,}")
    inside = (truth != "") & open_
    for clear_m in (0, 50, 100, 150):
        clear = inside & (border_m > clear_m)
        print(f"automatic, of what lies over {clear_m} m from a border: {sure[clear].mean():.1%}")
    shares = sorted((sure[inside & (truth == c)].mean(), bundled.name(c)) for c in bundled.codes)
    print("least automatic units:", "、".join(f"{name} {share:.0%}" for share, name in shares[:5]))
    settled = (verdicts.certainty == Certainty.INSIDE) & ~open_
    print(f"dispatched out of the reference's contested zones: {settled.sum()}")
    away = (truth == "") & open_
    refused = verdicts.certainty == Certainty.OUTSIDE_DISTRICT
    print(f"of what lies outside: refused {refused[away].mean():.2%}, automatic {sure[away].sum()}")


def likeness(bundled: Boundaries, reference: Boundaries) -> None:
    """How near the nodes of the bundled map come to corners of the reference."""
    nodes = np.unique(bundled.arrangement.segments.reshape(-1, 2), axis=0)
    corners = np.unique(reference.arrangement.segments.reshape(-1, 2), axis=0)
    tree = STRtree(shapely.points(corners))
    _, near = tree.query_nearest(shapely.points(nodes), all_matches=False, return_distance=True)
    print(
        f"{len(nodes)} nodes, {len(corners)} corners of the reference; a node's nearest corner is "
        f"{np.median(near):.0f} m away (median), for {(near < 5).sum()} nodes under 5 m"
    )


def speed(boundaries: Boundaries, name: str) -> None:
    lon, lat = np.random.default_rng(7).uniform(*FRAME, (300_000, 2)).T
    dispatcher = Dispatcher(boundaries)
    unit = min(timeit.repeat(lambda: boundaries.streets_at(lon, lat), number=1, repeat=3))
    full = min(timeit.repeat(lambda: dispatcher.assign_many(lon, lat), number=1, repeat=3))
    one = min(
        timeit.repeat(
            lambda: [dispatcher.assign(x, y) for x, y in zip(lon[:2000], lat[:2000], strict=True)],
            number=1,
            repeat=3,
        )
    )
    print(
        f"{name}: unit alone {len(lon) / unit:,.0f} points/s, with certainty and runner-up "
        f"{len(lon) / full:,.0f} points/s, one by one {one / 2000 * 1e6:.0f} µs"
    )


if __name__ == "__main__":
    paths = [Path(argument) for argument in sys.argv[1:]]
    ours = Boundaries.bundled()
    theirs = Boundaries.read(paths[0], contested=paths[1] if len(paths) > 1 else None)
    agreement(ours, theirs)
    likeness(ours, theirs)
    speed(ours, "bundled map")
    speed(theirs, "reference map")
