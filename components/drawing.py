"""Maps as SVG and PNG, drawn here from the same data as the map on the screen: for a slide, a paper, a report.

What is drawn is the content of the map's Store (:func:`components.grid_map.layers_data`), with the same classes,
colours and marks as ``assets/20_map.js`` paints in its light theme.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from components.drawing_labels import Label, draw_labels
from components.drawing_sheet import ASSETS, Caption, caption_in, new_figure, wrapped, write_caption
from components.grid_map import OUTLINES, SIGNS, is_geographic
from components.theme import DIFFERENCE, MAP_MAGNITUDE, token
from engine.network.model import Matrix
from engine.network.tables import NetworkTables

# matplotlib takes half a second to import: whoever draws a picture waits for it, not each start.
if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure

SIZE_IN = (11.0, 7.6)  # fits the width of an A4 page laid across, with its margins
REPORT_IN = (7.1, 4.5)  # the width between the margins of an upright A4 page
_PT = 0.72  # points per pixel of the screen's map: its width of about 800 px becomes the drawing's 8 inches
_FEW_BUSES, _FEW_BRANCHES = 320, 500  # as in 20_map.js: a small network is drawn with larger signs
_HIGH_KV = 300.0
_KM_PER_DEGREE = 111.32
_LEGEND_SHARE = 0.214  # of the width


@dataclass(frozen=True, slots=True, eq=False)
class MapContent:
    """A map: the network's shapes and the Store of its layers."""

    tables: NetworkTables
    points: Matrix  # (B, 2), of grid_map.map_points
    data: Mapping[str, Any]  # of grid_map.layers_data
    layer: str
    shown: Sequence[int] | None = None  # positions of the buses that the filter shows, None for all
    labels: Sequence[Label] = ()
    around: int | None = None  # a bus's position: the map shows its surroundings, and a ring around it


def draw_map(content: MapContent, caption: Caption | None, size_in: tuple[float, float] = SIZE_IN) -> "Figure":
    """Return the map as a figure; without ``caption`` the map and its legend alone, for a page that has the words.

    Raises KeyError for a layer that the Store does not have.
    """
    layer = content.data["layers"][content.layer]
    figure = new_figure(size_in)
    width, height = size_in
    side, top, bottom = 0.3, 0.04, 0.04
    if caption is None:
        side = 0.04
    else:
        write_caption(figure, caption)
        top, bottom = caption_in(caption, width)
    legend = _LEGEND_SHARE * width
    axes = figure.add_axes(
        (side / width, bottom / height, (width - legend - 2 * side - 0.05) / width, (height - top - bottom) / height)
    )
    axes.set_gid("map")
    geographic = is_geographic(content.tables)
    _frame(axes, content, size_in, geographic=geographic)
    if geographic:
        _outlines(axes)
    points_per_px = _PT * max(0.7, width / SIZE_IN[0])  # smaller signs on a smaller map
    _branches(axes, content, layer, points_per_px)
    _buses(axes, content, layer, points_per_px)
    _scale(axes, geographic=geographic)
    draw_labels(axes, content.labels, content.points)
    _legend(figure, content, layer, (width - legend - 0.2 * side) / width, 1 - top / height)
    return figure


def _frame(axes: "Axes", content: MapContent, size_in: tuple[float, float], *, geographic: bool) -> None:
    """Set what part of the world is seen, at one scale in both directions."""
    points = content.points
    if len(points) == 0:
        low, high = np.array([-1.0, -1.0]), np.array([1.0, 1.0])
    elif content.around is not None:
        low, high = points.min(axis=0), points.max(axis=0)
        reach = max(1e-3, 1.8 * _neighbourhood(content, content.around))
        if 2 * reach < (high - low).max():  # else the whole network is its surroundings
            low, high = points[content.around] - reach, points[content.around] + reach
    else:
        low, high = points.min(axis=0), points.max(axis=0)
    # A degree of longitude is shorter than one of latitude by the cosine: one scale in both directions.
    wide = max(0.05, float(np.cos(np.deg2rad(0.5 * (low[1] + high[1]))))) if geographic else 1.0
    box = axes.get_position()
    height_per_width = (box.height * size_in[1]) / (box.width * size_in[0])
    middle, reach = 0.5 * (low + high), 0.54 * (high - low) + 0.02 * max(1e-3, float((high - low).max()))
    half_width = max(float(reach[0]), float(reach[1]) / (height_per_width * wide))
    axes.set_xlim(middle[0] - half_width, middle[0] + half_width)
    half_height = half_width * height_per_width * wide
    axes.set_ylim(middle[1] - half_height, middle[1] + half_height)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_facecolor(token("ground") if geographic else token("surface"))
    for side in axes.spines.values():
        side.set_edgecolor(token("line-strong"))
        side.set_linewidth(0.6)


def _neighbourhood(content: MapContent, bus: int) -> float:
    """Return the distance to the farthest neighbour of a bus, in the map's units."""
    position = {key: i for i, key in enumerate(content.tables.buses["bus"])}
    own = content.tables.buses["bus"].iloc[bus]
    ends = zip(content.tables.branches["from_bus"], content.tables.branches["to_bus"], strict=True)
    near = [other for start, end in ends for one, other in ((start, end), (end, start)) if one == own]
    reach = [
        float(np.abs(content.points[position[key]] - content.points[bus]).max()) for key in near if key in position
    ]
    return max(reach, default=0.02 * float(np.ptp(content.points, axis=0).max() or 1.0))


def _outlines(axes: "Axes") -> None:
    from matplotlib.collections import LineCollection, PolyCollection  # noqa: PLC0415

    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    states, counties = outline_shapes()
    for shapes, name in ((states, "outline-states"), (counties, "outline-counties")):
        seen = [
            line
            for line in shapes
            if line[:, 0].max() >= west
            and line[:, 0].min() <= east
            and line[:, 1].max() >= south
            and line[:, 1].min() <= north
        ]
        made = (
            PolyCollection(seen, facecolors=token("land"), edgecolors=token("county"), linewidths=0.9, zorder=1)
            if name == "outline-states"
            else LineCollection(seen, colors=token("county"), linewidths=0.5, zorder=1.5)
        )
        made.set_gid(name)
        axes.add_collection(made, autolim=False)


@cache
def outline_shapes() -> tuple[list[Matrix], list[Matrix]]:
    """Return the outlines that the pages show too: state polygons and county lines, longitude and latitude."""
    states, counties = (json.loads((ASSETS / OUTLINES[name]).read_text(encoding="utf-8")) for name in OUTLINES)
    return _lines(states), _lines(counties)


def _lines(shape: Mapping[str, Any]) -> list[Matrix]:
    if shape["type"] == "FeatureCollection":
        return [line for feature in shape["features"] for line in _lines(feature)]
    geometry = shape["geometry"] if shape["type"] == "Feature" else shape
    if geometry["type"] == "GeometryCollection":
        return [line for part in geometry["geometries"] for line in _lines(part)]
    nested = geometry["coordinates"]
    rings = [ring for part in nested for ring in part] if geometry["type"] == "MultiPolygon" else nested
    return [np.asarray(ring, dtype=float)[:, :2] for ring in rings]


def class_colour(layer: Mapping[str, Any], number: int) -> str | None:
    """Return the colour of a class as 20_map.js paints it in the light theme, None for "no value"."""
    if not number:
        return None
    if layer["palette"] == "signs":
        return token(SIGNS[number])
    colours = {"cividis": MAP_MAGNITUDE, "difference": DIFFERENCE}.get(layer["palette"])
    if colours is None:
        return None
    total = max(len(layer["labels"]), number)
    # Halves upward, as JavaScript rounds: the two must pick the same colour.
    return (
        colours[int(np.floor((number - 1) * (len(colours) - 1) / (total - 1) + 0.5))]
        if total > 1
        else colours[len(colours) // 2]
    )


def _branches(axes: "Axes", content: MapContent, layer: Mapping[str, Any], points_per_px: float) -> None:
    """Draw the branches, one group per class, so that a reader of the file finds each class by its name."""
    from matplotlib.collections import LineCollection  # noqa: PLC0415

    tables, points = content.tables, content.points
    position = {key: i for i, key in enumerate(tables.buses["bus"])}
    high = set(tables.buses["bus"][tables.buses["base_kv"] >= _HIGH_KV])
    few = len(tables.branches) <= _FEW_BRANCHES
    binding = set(content.data["bindingBranches"])
    numbers = layer["branches"] or [0] * len(tables.branches)
    groups: dict[tuple[int, str], tuple[list[Matrix], dict[str, Any]]] = {}
    ends = zip(tables.branches["from_bus"], tables.branches["to_bus"], tables.branches["in_service"], strict=True)
    for i, (start, end, on) in enumerate(ends):
        if start not in position or end not in position:
            continue
        painted = class_colour(layer, numbers[i])
        if i in binding:
            name, colour, width, order = "branches-binding", token("binding"), 4.5, 4
        elif painted:
            name, colour, width, order = f"branches-class-{numbers[i]}", painted, 3.0 if few else 2.0, 3
        else:
            strong = start in high and end in high
            name = "branches-high" if strong and not few else "branches"
            colour, width, order = token("branch"), 1.8 if few else 1.5 if strong else 0.8, 2
        name = name if on else f"{name}-out"
        look = {"colors": colour, "linewidths": width * points_per_px, "zorder": order, "capstyle": "round"}
        if not on:
            look |= {"linestyles": "dashed", "alpha": 0.5}
        lines, _ = groups.setdefault((order, name), ([], look))
        lines.append(points[[position[start], position[end]]])
    for (_, name), (lines, look) in sorted(groups.items(), key=lambda entry: entry[0]):
        made = LineCollection(lines, **look)
        made.set_gid(name)
        axes.add_collection(made, autolim=False)


def _buses(axes: "Axes", content: MapContent, layer: Mapping[str, Any], points_per_px: float) -> None:
    tables, points = content.tables, content.points
    few = len(tables.buses) <= _FEW_BUSES
    numbers = layer["buses"] or [0] * len(tables.buses)
    candidates, binding = set(content.data["candidates"]), set(content.data["bindingBuses"])
    shown = None if content.shown is None else set(content.shown)
    groups: dict[tuple[int, str], tuple[list[int], dict[str, Any]]] = {}
    rows = zip(tables.buses["base_kv"].tolist(), tables.buses["in_service"].tolist(), strict=True)
    for i, (kv, on) in enumerate(rows):
        painted = class_colour(layer, numbers[i])
        hidden = shown is not None and i not in shown
        ringed = i in candidates or i in binding
        radius = 5.0 if few else 3.1 if painted else 2.6 if kv >= _HIGH_KV else 1.9
        radius = max(radius, 4.6) if i in candidates else radius
        fill = painted or (token("branch") if layer["buses"] else token("bus"))
        alpha = 0.12 if hidden else 1.0 if on else 0.25
        if ringed:
            edge, weight = (token("binding") if i in binding else token("candidate")), 2.2
        else:
            edge, weight = (token("bus") if painted else token("surface")), 1.0 if few else 0.5
        name = f"buses-class-{numbers[i]}" + ("-site" if i in candidates else "") + ("-binding" if i in binding else "")
        name += "-high" if kv >= _HIGH_KV and not few else ""
        name += ("-hidden" if hidden else "") + ("" if on else "-out")
        look = {
            "facecolors": fill, "edgecolors": "none" if hidden else edge, "linewidths": weight * points_per_px,
            "alpha": alpha, "zorder": 7 if ringed else 6 if painted else 5, "radius_px": radius,
        }  # fmt: skip
        size = round(radius * 100)
        members, _ = groups.setdefault((size, name), ([], look))
        members.append(i)
    for (_, name), (members, look) in sorted(groups.items(), key=lambda entry: entry[0]):
        radius = float(look.pop("radius_px"))
        made = _dots(axes, points[members], radius * points_per_px, look)
        made.set_gid(name)
    if content.around is not None:
        look = {"facecolors": "none", "edgecolors": token("text"), "linewidths": 1.6, "zorder": 8}
        _dots(axes, points[[content.around]], 9.0 * points_per_px, look).set_gid("selected")


def _dots(axes: "Axes", points: Matrix, radius_pt: float, look: Mapping[str, Any]) -> "PathCollection":
    size = (2 * radius_pt) ** 2
    return axes.scatter(points[:, 0], points[:, 1], s=size, marker="o", **look)


def _scale(axes: "Axes", *, geographic: bool) -> None:
    from matplotlib.lines import Line2D  # noqa: PLC0415

    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    if not geographic:
        words = "Not geographic: laid out for reading"
        axes.text(0.985, 0.02, words, transform=axes.transAxes, size=8, ha="right", color=token("muted"), gid="scale")
        return
    per_degree = _KM_PER_DEGREE * float(np.cos(np.deg2rad(0.5 * (south + north))))
    length = nice_length_km(0.25 * (east - west) * per_degree)
    right, at = east - 0.02 * (east - west), south + 0.035 * (north - south)
    left, tick = right - length / per_degree, 0.006 * (north - south)
    bar = Line2D(
        [left, left, right, right], [at + tick, at, at, at + tick], color=token("text"), linewidth=1.2, zorder=9
    )
    bar.set_gid("scale-bar")
    axes.add_line(bar)
    label = f"{length:g} km" if length >= 1 else f"{1000 * length:g} m"
    axes.text(
        0.5 * (left + right), at + 2 * tick, label, size=8, ha="center", va="bottom", color=token("text"), zorder=9,
        gid="scale",
    )  # fmt: skip


def nice_length_km(most: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is at most ``most``."""
    step = 10.0 ** np.floor(np.log10(most))
    return float(max(factor * step for factor in (1, 2, 5) if factor * step <= most * (1 + 1e-12)))


def _legend(figure: "Figure", content: MapContent, layer: Mapping[str, Any], left: float, top: float) -> None:
    """Write the legend in the order of the screen's: classes, no value, rings, thick lines, the note."""
    width, height = figure.get_size_inches()
    room = _LEGEND_SHARE * width
    axes = figure.add_axes((left, 0.0, room / width, top))
    axes.set_gid("legend")
    axes.set_axis_off()
    axes.set_xlim(0, room)
    axes.set_ylim(0, top * height)
    at = top * height - 0.1
    title = layer["label"] + (f", {layer['unit']}" if layer["unit"] else "")
    for line in wrapped(title, room - 0.2, 9.5):
        axes.text(0, at, line, size=9.5, weight=600, color=token("text"), va="center", gid="legend-title")
        at -= 0.2
    for colour, shape, words in legend_marks(content, layer):
        _mark(axes, at, colour, shape)
        for line in wrapped(words, room - 0.45, 8.5):
            axes.text(0.32, at, line, size=8.5, color=token("text"), va="center", gid="legend-words")
            at -= 0.19
    at -= 0.08
    notes = [layer["note"]] if layer["note"] else []
    if content.shown is not None:
        total = len(content.tables.buses)
        notes.append(f"Filter: {len(content.shown)} of {total} buses are shown, the others are pale.")
    for note in notes:
        for line in wrapped(note, room - 0.15, 8.0):
            axes.text(0, at, line, size=8.0, color=token("muted"), va="center", gid="legend-note")
            at -= 0.165
        at -= 0.08


def legend_marks(content: MapContent, layer: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return (colour, shape, words) of each line of the legend."""
    marks: list[tuple[str, str, str]] = []
    shape = "dot" if layer["buses"] else "line"
    numbers = layer["buses"] or layer["branches"] or []
    for place, words in enumerate(layer["labels"]):
        colour = class_colour(layer, place + 1)
        if colour and words:
            marks.append((colour, shape, words))
    if layer["labels"] and layer["palette"] != "signs" and 0 in numbers:
        marks.append((token("branch"), shape, "no value"))
    if content.data["candidates"]:
        marks.append((token("candidate"), "ring", "candidate"))
    if content.data["bindingBranches"]:
        marks.append((token("binding"), "thick", "binding branch"))
    if content.data["bindingBuses"]:
        marks.append((token("binding"), "ring", "binding at the bus"))
    return marks


def _mark(axes: "Axes", at: float, colour: str, shape: str) -> None:
    from matplotlib.lines import Line2D  # noqa: PLC0415

    if shape in {"line", "thick"}:
        axes.add_line(Line2D([0.02, 0.22], [at, at], color=colour, linewidth=3.4 if shape == "thick" else 2.4))
    elif shape == "ring":
        axes.scatter([0.12], [at], s=42, facecolors="none", edgecolors=colour, linewidths=1.8)
    else:
        axes.scatter([0.12], [at], s=46, facecolors=colour, edgecolors=token("bus"), linewidths=0.6)
