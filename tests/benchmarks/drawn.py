"""Small figures of the benchmarks as SVG text: lines against a quantity, and sets of buses on a map."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from engine.network.model import Integers, Vector

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 640, 380, 64, 48, 24, 16
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7")  # told apart by colour-blind readers too
_SHAPES = ("circle", "square", "triangle")
_FONT = 'font-family="sans-serif" font-size="13" fill="#222"'


def chart(at: Sequence[float], curves: Mapping[str, Sequence[float]], across: str, up: str) -> str:
    """Return lines over the same places ``at``, each with a mark of its own."""
    most = max(max(curve) for curve in curves.values()) or 1.0
    inner = (_WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM)

    def spot(x: float, y: float) -> tuple[float, float]:
        return _LEFT + inner[0] * x / max(at), _TOP + inner[1] * (1.0 - y / most)

    parts = [f'<path d="M{_LEFT},{_TOP}V{_HEIGHT - _BOTTOM}H{_WIDTH - _RIGHT}" stroke="#888" fill="none"/>']
    for place in range(6):
        value = most * place / 5
        _, y = spot(0.0, value)
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.0f}" text-anchor="end" {_FONT}>{value:.0f}</text>')
    for x in at[:: max(1, len(at) // 6)]:
        left, _ = spot(x, 0.0)
        parts.append(f'<text x="{left:.0f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle" {_FONT}>{x:g}</text>')
    for number, (name, curve) in enumerate(curves.items()):
        points = [spot(x, y) for x, y in zip(at, curve, strict=True)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{_COLOURS[number]}" stroke-width="2"/>')
        parts += [_mark(number, x, y) for x, y in points]
        parts.append(_mark(number, _WIDTH - 120, _TOP + 12 + 20 * number))
        parts.append(f'<text x="{_WIDTH - 106}" y="{_TOP + 16 + 20 * number}" {_FONT}>{escape(name)}</text>')
    parts.append(
        f'<text x="{_LEFT + inner[0] / 2:.0f}" y="{_HEIGHT - 8}" text-anchor="middle" {_FONT}>{escape(across)}</text>'
    )
    parts.append(f'<text x="{_LEFT - 48}" y="{_TOP - 8}" {_FONT}>{escape(up)}</text>')
    return _svg(_WIDTH, _HEIGHT, parts)


def texas(
    east: Vector, north: Vector, candidates: Integers, groups: Mapping[str, Integers], what: str = "qualify"
) -> str:
    """Return one small map per group, its buses marked among all candidates."""
    known = candidates[np.isfinite(east[candidates]) & np.isfinite(north[candidates])]
    west, south = east[known].min(), north[known].min()
    squeeze = np.cos(np.deg2rad(north[known].mean()))
    size = 300
    scale = (size - 20) / max((east[known].max() - west) * squeeze, north[known].max() - south)
    parts = []
    for number, (name, buses) in enumerate(groups.items()):
        left = number * size + 10
        chosen = set(buses.tolist())
        parts.append(f'<text x="{left}" y="18" {_FONT}>{escape(name)}: {len(buses)} {escape(what)}</text>')
        for bus in sorted(known.tolist(), key=lambda bus: bus in chosen):
            x = left + (east[bus] - west) * squeeze * scale
            y = size + 20 - (north[bus] - south) * scale
            parts.append(
                _mark(number, x, y) if bus in chosen else f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1" fill="#bbb"/>'
            )
    return _svg(size * len(groups) + 20, size + 40, parts)


def _mark(number: int, x: float, y: float) -> str:
    colour, shape = _COLOURS[number], _SHAPES[number % len(_SHAPES)]
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
    if shape == "square":
        return f'<rect x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6" fill="{colour}"/>'
    return f'<path d="M{x:.1f},{y - 4:.1f}l4,7h-8z" fill="{colour}"/>'


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    ground = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    body = "\n".join((ground, *parts))
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">\n{body}\n</svg>\n'
