"""The small map of a printed sheet: where a site lies in its network, which sites qualify, what its outages lose."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from components.drawing import outline_shapes
from components.drawing_capacity import points_of
from components.grid_map import is_geographic
from components.theme import token
from engine.network.model import Flags, Integers, Matrix, Network

_WIDTH, _MOST_HEIGHT, _LEAST_HEIGHT = 400.0, 330.0, 200.0  # of the drawing's units
_BORDER = 14.0


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """What the map marks, by position."""

    site: int
    candidates: Integers
    qualified: Flags  # of the candidates
    lost: Sequence[int] = ()  # branches


def locator(network: Network, marks: Marks) -> str:
    """Return the SVG of a network with a site ringed, as ``report_html.figure`` takes it: drawn here, with no text.

    Without coordinates the places are those of the network's drawing.
    """
    points, geographic = points_of(network), is_geographic(network.tables)
    place = _Frame(points, geographic=geographic)
    at = place.of(points)
    live = np.flatnonzero(network.branches.in_service)
    ends = np.column_stack([network.branches.from_bus, network.branches.to_bus])
    lost = np.array([one for one in marks.lost if 0 <= one < len(ends)], dtype=np.intp)
    x, y = at[marks.site]
    parts = [
        _outlines(place) if geographic else "",
        _lines([at[pair] for pair in ends[live]], token("branch"), 0.7),
        _dots(at[marks.candidates[~marks.qualified]], 1.5, token("line-strong")),
        _dots(at[marks.candidates[marks.qualified]], 2.4, token("firm")),
        _lines([at[pair] for pair in ends[lost]], token("binding"), 3.0),
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{token("text")}"/>',
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="none" stroke="{token("text")}" stroke-width="2"/>',
    ]
    ground = token("ground") if geographic else token("surface")
    return (
        f'<svg role="img" aria-label="Where the site lies" viewBox="0 0 {_WIDTH:g} {place.height:.0f}" '
        f'xmlns="http://www.w3.org/2000/svg"><rect width="{_WIDTH:g}" height="{place.height:.0f}" fill="{ground}"/>'
        f"{''.join(parts)}</svg>"
    )


class _Frame:
    """What of the world is seen, at one scale in both directions."""

    def __init__(self, points: Matrix, *, geographic: bool) -> None:
        low, high = points.min(axis=0), points.max(axis=0)
        # A degree of longitude is shorter than one of latitude by the cosine.
        wide = max(0.05, float(np.cos(np.deg2rad(0.5 * (low[1] + high[1]))))) if geographic else 1.0
        span = np.maximum((high - low) * np.array([wide, 1.0]), 1e-6)
        room = np.array([_WIDTH, _MOST_HEIGHT]) - 2 * _BORDER
        scale = float((room / span).min())
        self.height = max(_LEAST_HEIGHT, min(_MOST_HEIGHT, float(span[1]) * scale + 2 * _BORDER))
        self._scale = np.array([scale * wide, -scale])
        self._shift = np.array([_WIDTH, self.height]) / 2 - self._scale * (low + high) / 2

    def of(self, points: Matrix) -> Matrix:
        """Return the places (N, 2) in the drawing."""
        placed: Matrix = points * self._scale + self._shift
        return placed

    def sees(self, placed: Matrix) -> bool:
        """Return whether a shape reaches into the frame."""
        low, high = placed.min(axis=0), placed.max(axis=0)
        return bool((high > 0).all() and low[0] < _WIDTH and low[1] < self.height)


def _outlines(place: _Frame) -> str:
    states = [shape for shape in (place.of(one) for one in outline_shapes()[0]) if place.sees(shape)]
    return f'<path d="{_path(states)}" fill="{token("land")}" stroke="{token("county")}"/>'


def _lines(lines: Iterable[Matrix], colour: str, width: float) -> str:
    path = _path(lines)
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}" stroke-linecap="round"/>'


def _dots(points: Matrix, radius: float, colour: str) -> str:
    """Return dots as one path of round ends: thousands of circles would weigh on the page."""
    path = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points.tolist())
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{2 * radius:g}" stroke-linecap="round"/>'


def _path(shapes: Iterable[Matrix]) -> str:
    return "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in shape.tolist()) for shape in shapes)
