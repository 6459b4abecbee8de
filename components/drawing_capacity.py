"""What the drawn figures of a capacity answer show and say: its maps, its curves, its words."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from components import capacity_layers
from components.capacity_answer import Answer, alone_gain_mw, alone_mw, amount, level_words
from components.capacity_export import origin
from components.capacity_largest import LAYER, Largest
from components.drawing import MapContent
from components.drawing_chart import Series, StepChart
from components.drawing_labels import Label
from components.drawing_sheet import Caption
from components.format import megawatts, number, percent
from components.grid_map import is_geographic, map_points
from engine.capacity.results import RiskCurve
from engine.network.layout import positions
from engine.network.model import Matrix, Network

MOST_NAMED = 40  # a network of at most so many buses has a label at each
_SUBTITLES = {
    "firm": "What each bus could take alone, firm, MW",
    "flexible": "What each bus could take alone, {risk}, MW",
    "increment": "What each bus could take more alone, {risk}, than firm, MW",
    "binds": "Which branches stop how many buses, each alone, firm",
    "sites": "What the sites get together, as a share of what is asked",
    "change": "What outages, redispatch and parts of the year change at the sites, in total, MW",
}
_ALONE = ("firm", "flexible", "increment", "binds")


def points_of(network: Network) -> Matrix:
    """Return the (B, 2) points of a network's map: its coordinates, else the places of its drawing."""
    return map_points(network.tables, None if is_geographic(network.tables) else positions(network.tables))


def caption(answer: Answer, subtitle: str, *, stale: str = "") -> Caption:
    """Return the words around a figure of an answer."""
    known = origin(answer)
    return Caption(
        title=title_of(answer), subtitle=subtitle, lines=source_lines(answer), use=str(known["use"]),
        date=str(known["computed"]), stale=stale,
    )  # fmt: skip


def title_of(answer: Answer) -> str:
    """Return the question's sentence, with the part of the year that is drawn."""
    sentence = str(origin(answer)["question"])
    return f"{sentence} Here {answer.period}." if answer.period else sentence


def source_lines(answer: Answer) -> tuple[str, ...]:
    """Return where an answer is from, in the lines at the foot of a figure."""
    known = answer.result.provenance
    digests = (
        f"{known.network}, network {known.network_digest[:12]}, question {known.question_digest[:12]}, "
        f"states {known.uncertainty_digest[:12]}, seed {known.seed}."
    )
    gap = max((level.gap for level in answer.result.levels), default=0.0)
    status = "optimal" if answer.result.status == "optimal" else "stopped at limits exceeded already"
    date = known.date[:16].replace("T", " ")
    return (
        digests,
        f"States: {known.source}. Data: {known.data}.".replace("..", "."),
        f"Computed {date} UTC with {known.solver}: {status}, gap {gap:.1g}, {number(answer.result.time_s, 2)} s.",
    )


def capacity_map(
    answer: Answer,
    layer: str,
    shown: Sequence[int] | None = None,
    *,
    around: int | None = None,
    largest: Largest | None = None,
) -> tuple[MapContent, Caption]:
    """Return a layer of an answer's map, as the screen has it, with its words. ``around`` shows one bus's place."""
    data = capacity_layers.data(answer, largest=largest)
    if layer not in data["layers"]:
        layer = next(iter(data["layers"]))
    labels = labels_of(answer, layer, around, largest)
    content = MapContent(answer.network.tables, points_of(answer.network), data, layer, shown, labels, around)
    return content, caption(answer, subtitle_of(answer, layer, largest))


def subtitle_of(answer: Answer, layer: str, largest: Largest | None = None) -> str:
    """Return in words what a layer paints."""
    if layer == LAYER and largest is not None:
        return (
            f"What each bus could take alone, units moving freely, in {largest.when}, secure for {largest.secure}, MW"
        )
    last = answer.alone.epsilons[-1]
    words = _SUBTITLES.get(layer)
    if words is None:
        return layer.capitalize()
    made = words.format(risk=f"interrupted in at most {percent(last)}" if last else "no risk level is asked")
    return f"{made}; without outages, redispatch and parts of the year" if answer.deep and layer in _ALONE else made


def labels_of(answer: Answer, layer: str, around: int | None = None, largest: Largest | None = None) -> list[Label]:
    """Return what is named on the map: what binds, the sites, and on a small network every bus with its number."""
    network = answer.network
    named = [] if around is None else [Label(_bus_label(answer, around, layer, largest), around)]
    marks = capacity_layers.binding_positions(answer)
    branches = network.branches
    named += [
        Label(branches.ids[i], int(branches.from_bus[i]), int(branches.to_bus[i]), "binding-text")
        for i in marks["binding_branches"]
    ]
    sites = capacity_layers.site_positions(network, answer.result.candidates)
    if len(network.buses.ids) <= MOST_NAMED:
        every = [*sites, *(i for i in range(len(network.buses.ids)) if i not in set(sites))]
    elif around is not None:
        every = [*_neighbours(network, around), *sites]
    else:
        every = sites
    return named + [Label(_bus_label(answer, i, layer, largest), i) for i in every if i != around]


def _bus_label(answer: Answer, bus: int, layer: str, largest: Largest | None) -> str:
    """Return a bus's id, on a small network with the number that the layer paints."""
    key = answer.network.buses.ids[bus]
    if len(answer.network.buses.ids) > MOST_NAMED:
        return key
    value = layer_values(answer, layer, largest)
    if value is None or np.isnan(value[bus]):
        return key
    return f"{key}: {percent(value[bus], 0) if layer == 'sites' else amount(float(value[bus]))}"


def layer_values(answer: Answer, layer: str, largest: Largest | None = None) -> Any:
    """Return the (B,) numbers that a layer paints at the buses, None for one that paints branches only."""
    last = len(answer.alone.epsilons) - 1
    if layer == "firm":
        return alone_mw(answer, 0)
    if layer == "flexible":
        return alone_mw(answer, last)
    if layer == "increment":
        return alone_gain_mw(answer, last)
    if layer == LAYER and largest is not None:
        return largest.most_mw
    if layer == "sites" and answer.result.levels:
        served = np.full(len(answer.network.buses.ids), np.nan)
        places = capacity_layers.site_positions(answer.network, answer.result.candidates)
        capacity = np.array(answer.result.levels[-1].capacity_mw)
        served[places] = capacity / np.array(answer.result.demand_mw)
        return served
    return None


def _neighbours(network: Network, bus: int) -> list[int]:
    branches = network.branches
    ends = zip(branches.from_bus.tolist(), branches.to_bus.tolist(), strict=True)
    return list(dict.fromkeys(other for one, two in ends for me, other in ((one, two), (two, one)) if me == bus))


def curve_chart(answer: Answer, curve: RiskCurve) -> tuple[StepChart, Caption]:
    """Return the largest lone load at a bus against the risk it accepts, with its words."""
    share = 100 * np.asarray(curve.epsilons, dtype=float)
    mw = np.asarray(curve.capacity_mw, dtype=float)
    levels = (0.0, *answer.question.epsilons)
    marks = mw[np.searchsorted(curve.epsilons, levels)]
    points = tuple((100 * level, float(mark), level_words(level)) for level, mark in zip(levels, marks, strict=True))
    chart = StepChart(
        Series(tuple(share.tolist()), tuple(mw.tolist())), points,
        "interrupted in at most, % of states", "MW, if only this bus took load",
    )  # fmt: skip
    low, high = megawatts(float(mw[0])), megawatts(float(mw[-1]))
    name = answer.network.buses.names[answer.network.buses.ids.index(curve.bus)]
    place = f"{name} (bus {curve.bus})" if name else f"bus {curve.bus}"
    alone = "alone, without outages, redispatch and periods" if answer.deep else "alone"
    words = f"MW against risk at {place}, {alone}: {low} firm, {high} at {percent(float(curve.epsilons[-1]))}"
    return chart, caption(answer, words)
