"""Draws the bundled map's nodes and edges anew, on a coarse grid, along a reference map.

    python -m scripts.boundaries_draw reference.geojson data/street_boundaries

Every border of the reference becomes a chain of grid points (0.001°, about 100 m; 0.0001° only
where the coarse grid would let corners coincide, lines cross or a small part of a unit vanish).
Of all chains of grid points the one with the fewest bends and the least departure is kept.
Points that fall on a corner of the reference are passed over. How far each chain departs from
the reference is measured and written beside it.
"""

import csv
import itertools
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Point, Polygon, STRtree
from shapely.ops import substring

from geo.arrangement import OUTSIDE, Arrangement, Side
from geo.coordinates import from_metres, to_metres
from geo.gazetteer import Gazetteer
from geo.map_files import read_polygons
from geo.units import known_units

Metres = tuple[float, float]
Degrees = tuple[float, float]

STEP_M = {3: 50.0, 4: 40.0}  # how densely a border is sampled for bends
CHOICES = {3: 3, 4: 2}  # grid points tried at each sample
WINDOW = 45  # samples a straight piece may span: about two kilometres
LIMIT_M = {3: 80.0, 4: 70.0}  # a piece that departs further is all but forbidden
BEND_COST = {3: 4.0e5, 4: 3.0e5}  # square metres times metres: what a bend must save
FINE = 5  # measuring points per sample
CORNER_M = 8.0  # nearer to a corner of the reference no bend is placed
JOIN_M = 60.0  # junctions linked by less become one
CLEAR_M = 10.0  # lines that do not meet keep this far apart
THIN_M = 15.0  # rings with no room for a circle of this radius are left out
PIECE_M = 2_000.0  # length of an edge, so that its accuracy is its own
LEAST_ACCURACY_M = 30
MARK_M = 250.0  # a landmark this near helps a person to find a node
MARKS = {"crossing", "metro", "station"}


class Node(NamedTuple):
    degrees: Degrees
    metres: Metres


class Arc(NamedTuple):
    """A border of the reference between two junctions, or a ring; units on either side."""

    line: LineString
    side: Side

    @property
    def ends(self) -> tuple[Metres, Metres]:
        return self.line.coords[0], self.line.coords[-1]


def arcs_of(arrangement: Arrangement) -> list[Arc]:
    """The segments put end to end, cut wherever other units or another neighbour begin."""
    links: dict[Metres, dict[Metres, Side]] = defaultdict(dict)
    for (ax, ay, bx, by), side in zip(
        arrangement.segments.tolist(), arrangement.sides, strict=True
    ):
        links[ax, ay][bx, by] = side
        links[bx, by][ax, ay] = side._replace(left=side.right, right=side.left)

    def junction(at: Metres) -> bool:
        if len(links[at]) != 2:
            return True
        one, two = links[at].values()
        return two != one._replace(left=one.right, right=one.left)

    walked: set[tuple[Metres, Metres]] = set()

    def walk(start: Metres, then: Metres) -> Arc:
        points, side = [start, then], links[start][then]
        walked.update([(start, then), (then, start)])
        while points[-1] != start and not junction(points[-1]):
            then = next(to for to in links[points[-1]] if to != points[-2])
            walked.update([(points[-1], then), (then, points[-1])])
            points.append(then)
        return Arc(LineString(points), side)

    starts = sorted(filter(junction, links)) + sorted(links)
    found = [
        walk(start, then)
        for start in starts
        for then in list(links[start])
        if (start, then) not in walked
    ]
    return [arc for arc in found if not (arc.line.is_ring and _thin(Polygon(arc.line)))]


def _thin(area: Polygon) -> bool:
    return bool(area.buffer(-THIN_M).is_empty)


class Grid:
    """Grid points near a position, those on a corner of the reference left out."""

    def __init__(self, corners: NDArray[np.float64]) -> None:
        self._corners = STRtree(shapely.points(corners))

    def near(self, at: Metres, decimals: int) -> Iterator[Node]:
        """The nearest grid points, the nearest first."""
        lon, lat = (float(part[0]) for part in from_metres(np.array([at[0]]), np.array([at[1]])))
        scale = 10**decimals
        around = itertools.product(
            range(math.floor(lon * scale) - 1, math.floor(lon * scale) + 3),
            range(math.floor(lat * scale) - 1, math.floor(lat * scale) + 3),
        )
        nodes = [Node((i / scale, j / scale), to_metres(i / scale, j / scale)) for i, j in around]
        return iter(sorted(nodes, key=lambda node: math.dist(node.metres, at)))

    def bends(self, at: Metres, decimals: int) -> list[Node]:
        free = (
            node
            for node in itertools.islice(self.near(at, decimals), CHOICES[decimals])
            if not self._corners.query(Point(node.metres), "dwithin", CORNER_M).size
        )
        return list(free)


def chain_along(line: LineString, ends: tuple[Node, Node], grid: Grid, decimals: int) -> list[Node]:
    """The cheapest chain of grid points from end to end (shortest path over the samples)."""
    count = round(line.length / STEP_M[decimals])
    if count < 3:
        return list(ends)
    along = np.linspace(0, line.length, count * FINE + 1)
    course = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
    inner = [grid.bends(tuple(course[i * FINE]), decimals) for i in range(1, count)]
    choices = [[ends[0]], *inner, [ends[1]]]
    best: list[list[tuple[float, tuple[int, int] | None]]] = [[(0.0, None)]]
    for j in range(1, count + 1):
        row: list[tuple[float, tuple[int, int] | None]] = [(math.inf, None)] * len(choices[j])
        for i in range(j - 1, max(-1, j - 1 - WINDOW), -1):
            if not choices[i]:
                continue
            starts = np.array([node.metres for node in choices[i]])
            so_far = np.array([cost for cost, _ in best[i]])
            for k, node in enumerate(choices[j]):
                cost = so_far + _piece_cost(
                    starts, np.array(node.metres), course[i * FINE : j * FINE + 1], decimals
                )
                least = int(cost.argmin())
                if cost[least] < row[k][0]:
                    row[k] = (float(cost[least]), (i, least))
        best.append(row)
    chain: list[Node] = []
    at: tuple[int, int] | None = (count, 0)
    while at is not None:
        chain.append(choices[at[0]][at[1]])
        at = best[at[0]][at[1]][1]
    return chain[::-1]


def _piece_cost(
    starts: NDArray[np.float64],
    end: NDArray[np.float64],
    course: NDArray[np.float64],
    decimals: int,
) -> NDArray[np.float64]:
    """What straight pieces from each of `starts` (k, 2) to `end` cost along a course (n, 2)."""
    direction = end - starts
    length2 = np.maximum((direction**2).sum(1), 1e-9)
    offset = course[None] - starts[:, None]
    share = np.clip((offset * direction[:, None]).sum(2) / length2[:, None], 0, 1)
    away2 = ((offset - share[..., None] * direction[:, None]) ** 2).sum(2)
    over = np.maximum(0, np.sqrt(away2.max(1)) - LIMIT_M[decimals])
    cost = away2.sum(1) * STEP_M[decimals] / FINE + BEND_COST[decimals] + over * 1e5
    return np.where(length2 < 1, math.inf, cost)


class Drawing:
    """The arcs of a reference drawn as chains; finer where the coarse grid does not hold."""

    def __init__(self, arrangement: Arrangement) -> None:
        everything = arcs_of(arrangement)
        self._joined: dict[Metres, Metres] = {}
        for arc in everything:
            if arc.line.length < JOIN_M and not arc.line.is_ring:
                self._joined[self._junction(arc.ends[0])] = self._junction(arc.ends[1])
        self.arcs = [a for a in everything if a.line.length >= JOIN_M or a.line.is_ring]
        self._grid = Grid(np.unique(arrangement.segments.reshape(-1, 2), axis=0))
        self._arc_decimals = dict.fromkeys(range(len(self.arcs)), 3)
        self._node_decimals: dict[Metres, int] = defaultdict(lambda: 3)
        self._known: dict[tuple[int, int, Degrees, Degrees], list[Node]] = {}
        self.chains = self._draw()
        while self._refine():
            self.chains = self._draw()

    def _junction(self, at: Metres) -> Metres:
        while at in self._joined and self._joined[at] != at:
            at = self._joined[at]
        return at

    def _node(self, at: Metres) -> Node:
        junction = self._junction(at)
        return next(self._grid.near(junction, self._node_decimals[junction]))

    def _draw(self) -> list[list[Node]]:
        chains = []
        for i, arc in enumerate(self.arcs):
            ends = (self._node(arc.ends[0]), self._node(arc.ends[1]))
            decimals = self._arc_decimals[i]
            key = (i, decimals, ends[0].degrees, ends[1].degrees)
            if key not in self._known:
                self._known[key] = chain_along(arc.line, ends, self._grid, decimals)
            chains.append(self._known[key])
        return chains

    def _refine(self) -> bool:
        """Puts what does not hold on the finer grid; whether there was anything to do."""
        nodes = {self._junction(end): self._node(end) for arc in self.arcs for end in arc.ends}
        shared = Counter(node.degrees for node in nodes.values())
        close = {at for at, node in nodes.items() if shared[node.degrees] > 1}
        broken = self._crossing() | {i for i, chain in enumerate(self.chains) if _folded(chain)}
        coarse = {i for i in broken if self._arc_decimals[i] == 3}
        ends = {self._junction(end) for i in broken - coarse for end in self.arcs[i].ends}
        fresh = {at for at in close | ends if self._node_decimals[at] == 3}
        self._arc_decimals.update(dict.fromkeys(coarse, 4))
        self._node_decimals.update(dict.fromkeys(fresh, 4))
        if broken and not coarse and not fresh:
            raise SystemExit(
                f"the finer grid does not hold either: {[self.arcs[i] for i in broken]}"
            )
        return bool(coarse or fresh)

    def _crossing(self) -> set[int]:
        """Arcs that meet, or all but meet, anywhere but in a junction."""
        pieces = [
            (i, a, b) for i, chain in enumerate(self.chains) for a, b in itertools.pairwise(chain)
        ]
        lines = np.array([LineString([a.metres, b.metres]) for _, a, b in pieces])
        found: set[int] = set()
        for one, two in STRtree(lines).query(lines, "dwithin", CLEAR_M).T.tolist():
            if one < two and not set(pieces[one][1:]) & set(pieces[two][1:]):
                found |= {pieces[one][0], pieces[two][0]}
        inner = Counter(node for chain in self.chains for node in chain[1:-1])
        inner.update({node for chain in self.chains for node in (chain[0], chain[-1])})
        twice = {node for node, count in inner.items() if count > 1}
        return found | {i for i, chain in enumerate(self.chains) if twice & set(chain)}

    def edges(self) -> Iterator[tuple[list[Node], Side, int]]:
        """Chains cut to pieces of about two kilometres, each with its own accuracy in metres."""
        for arc, chain in zip(self.arcs, self.chains, strict=True):
            line = LineString([node.metres for node in chain])
            count = max(1, round(line.length / PIECE_M))
            along = [line.project(Point(node.metres)) for node in chain[1:-1]]
            cuts = {0, len(chain) - 1}
            for part in range(1, count if along else 1):
                cuts.add(1 + int(np.abs(np.array(along) - line.length * part / count).argmin()))
            for first, last in itertools.pairwise(sorted(cuts)):
                piece = chain[first : last + 1]
                start = 0.0 if first == 0 else arc.line.project(Point(piece[0].metres))
                end = arc.line.project(Point(piece[-1].metres))
                end = arc.line.length if last == len(chain) - 1 else end
                away = departure(
                    LineString([n.metres for n in piece]), substring(arc.line, start, end)
                )
                yield piece, arc.side, max(LEAST_ACCURACY_M, 5 * math.ceil((away + 1) / 5))


def _folded(chain: list[Node]) -> bool:
    line = LineString([node.metres for node in chain])
    return not line.is_simple


def departure(drawn: LineString, reference: LineString) -> float:
    """The greatest distance between two lines, both ways, in metres (Hausdorff)."""
    share = min(1.0, 10.0 / max(drawn.length, reference.length))
    return float(shapely.hausdorff_distance(drawn, reference, densify=share))


def _figures(node: Node) -> tuple[str, str]:
    lon, lat = (f"{part:.4f}".rstrip("0") for part in node.degrees)
    return lon, lat


def write(drawing: Drawing, folder: Path) -> None:
    edges = sorted(
        drawing.edges(),
        key=lambda e: (min(e[1][:2]), max(e[1][:2]), -e[0][0].degrees[1], e[0][0].degrees[0]),
    )
    meeting: dict[Node, set[str]] = defaultdict(set)
    for chain, side, _ in edges:
        for node in chain:
            meeting[node] |= {side.left, side.right}
    nodes = sorted(meeting, key=lambda n: (-n.degrees[1], n.degrees[0]))
    ids = {node: f"n{number:04d}" for number, node in enumerate(nodes, start=1)}
    places = Gazetteer.bundled()
    names = {code: unit.name for code, unit in known_units().items()} | {OUTSIDE: "区外"}
    with (folder / "nodes.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["id", "lon", "lat", "what"])
        for node in nodes:
            met = sorted(meeting[node])
            words = ["、".join(names[code] for code in met) + "交界"] if len(met) > 2 else []
            marks = (n.place for n in places.near(*node.degrees, limit=20, within_m=MARK_M))
            mark = next((place for place in marks if place.kind in MARKS), None)
            words += [f"近{mark.name}"] if mark else []
            table.writerow([ids[node], *_figures(node), "，".join(words)])
    with (folder / "edges.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["id", "nodes", "left", "right", "neighbour", "accuracy_m"])
        for number, (chain, side, accuracy) in enumerate(edges, start=1):
            walk = " ".join(ids[node] for node in chain)
            beyond = side.neighbour or ""
            table.writerow([f"e{number:03d}", walk, side.left, side.right, beyond, accuracy])


if __name__ == "__main__":
    reference, target = map(Path, sys.argv[1:])
    write(Drawing(read_polygons(reference, "wgs84", 0.0)[0]), target)
