"""What the Capacity map paints: small classes per bus and branch for each position of the layer switch."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from components.capacity_answer import (
    Answer,
    alone_gain_mw,
    alone_limits,
    alone_mw,
    amount,
    kind_words,
    level_words,
    limit_element,
    short_limit,
    signed,
)
from components.capacity_deep import UNCHANGED_MW, change_mw
from components.capacity_largest import Largest, empty_layer, layer
from components.capacity_tables import lone_counts
from components.format import THIN, count, megawatts, percent
from components.grid_map import Layer, break_labels, classes, layers_data, nice_breaks
from engine.capacity.results import Limit
from engine.network.model import Network

SERVED_BREAKS = (0.005, 0.25, 0.5, 0.75, 0.9995)
SERVED_LABELS = ("nothing", "under 25 %", "25–50 %", "50–75 %", "75 % and more", "all that is asked")
NOTHING_COMPARED = "Ask for outages, redispatch or periods: this layer then shows what they change"
_COUNT_BREAKS = (10, 50, 200)
_COUNT_LABELS = ("1–9 buses", "10–49", "50–199", "200 and more")


def empty_layers() -> list[Layer]:
    """Return the positions of the layer switch before there is an answer."""
    return [
        Layer("firm", "Firm"),
        Layer("flexible", "Flexible"),
        Layer("increment", "Increment"),
        Layer("binds", "What binds"),
        Layer("sites", "Sites"),
        Layer("change", "Change", note=NOTHING_COMPARED),
        empty_layer(),
    ]


def layers(answer: Answer, largest: Largest | None = None) -> list[Layer]:
    """Return the layers of an answer, in the order of the switch.

    Firm, flexible and increment paint what each bus could take alone; "What binds" paints branches by how
    many buses they stop; "Sites" paints the joint allocation at the sites; "Redispatch" paints ``largest``.
    """
    firm, last = alone_mw(answer, 0), len(answer.alone.epsilons) - 1
    flexible = alone_mw(answer, last)
    breaks = nice_breaks(np.concatenate([firm, flexible]))  # the same classes, so that the two can be compared
    words = level_words(answer.alone.epsilons[last])
    note = (
        "Fill: each bus alone, no outage. Rings: the sites."
        if answer.deep
        else "Fill: each bus alone. Rings: the sites."
    )
    made = [_paint("firm", "Firm", firm, breaks, words="firm alone", note=note)]
    if last > 0:
        gain = alone_gain_mw(answer, last)
        risk = f"{note} {words.capitalize()}."
        made.append(_paint("flexible", "Flexible", flexible, breaks, words=f"alone, {words}", note=risk))
        made.append(_paint("increment", "Increment", gain, nice_breaks(gain), words=f"more alone, {words}", note=risk))
    else:
        why = "No risk level is asked"
        made += [Layer("flexible", "Flexible", note=why), Layer("increment", "Increment", note=why)]
    alone = empty_layer() if largest is None else layer(largest)
    return [*made, _binds(answer), _sites(answer), _change(answer), alone]


def data(answer: Answer, *, largest: Largest | None = None, stale: bool = False) -> dict[str, Any]:
    """Return the Store of the map: layers, rings at the sites, binding elements marked."""
    return layers_data(
        layers(answer, largest),
        candidates=site_positions(answer.network, answer.result.candidates),
        **binding_positions(answer),
        stale=stale,
    )


def site_positions(network: Network, buses: Sequence[str]) -> list[int]:
    """Return the positions of the sites that the network has."""
    position = {bus: i for i, bus in enumerate(network.buses.ids)}
    return [position[bus] for bus in buses if bus in position]


def binding_positions(answer: Answer) -> dict[str, list[int]]:
    """Return the positions of the branches and buses whose limits stop the joint allocation at any level."""
    branches: set[str] = set()
    buses: set[str] = set()
    limits = [binding.limit for level in answer.result.levels for binding in level.binding]
    limits += [row.limit for row in answer.result.over_limit] if answer.stopped else []
    for limit in limits:
        kind, _, key = limit_element(limit).partition(":")
        (buses if kind == "bus" else branches).update([key] if key else _interface(answer.network, limit))
    branch_ids, bus_ids = answer.network.branches.ids, answer.network.buses.ids
    return {
        "binding_branches": [i for i, key in enumerate(branch_ids) if key in branches],
        "binding_buses": [i for i, key in enumerate(bus_ids) if key in buses],
    }


def _interface(network: Network, limit: Limit) -> list[str]:
    """Return the ids of the branches of an interface's limit; none for another limit that no map shows."""
    if kind_words(limit) != "interface" or limit.element not in network.interfaces.ids:
        return []
    row = network.interfaces.weights[[network.interfaces.ids.index(limit.element)]]
    return [network.branches.ids[branch] for branch in row.indices.tolist()]


def filtered(answer: Answer, kv: float | None, zone: str | None, least_mw: float | None) -> list[int] | None:
    """Return the positions of the buses that pass the filter, None when it lets all pass.

    ``least_mw`` is compared with what a bus can take alone at the highest level asked.
    """
    if not kv and not zone and not least_mw:
        return None
    buses = answer.network.buses
    keep = answer.alone.in_service.copy()
    if kv:
        keep &= buses.base_kv >= kv - 1e-9
    if zone:
        keep &= np.array([entry == zone for entry in buses.zones])
    if least_mw:
        with np.errstate(invalid="ignore"):
            keep &= alone_mw(answer, len(answer.alone.epsilons) - 1) >= least_mw
    return np.flatnonzero(keep).tolist()


def _paint(key: str, label: str, values: Any, breaks: Sequence[float], *, words: str, note: str) -> Layer:
    text = ["" if np.isnan(value) else f"{amount(value)} {words}" for value in values.tolist()]
    return Layer(
        key, label, "MW", "cividis", classes(values, breaks), labels=break_labels(breaks), bus_text=text, note=note
    )


def _binds(answer: Answer) -> Layer:
    counts = lone_counts(answer)
    per_branch = [counts.get(f"branch:{key}", 0) for key in answer.network.branches.ids]
    limits = alone_limits(answer, 0)
    text = [_limit_text(limit) for limit in limits]
    return Layer(
        "binds",
        "What binds",
        "",
        "cividis",
        None,
        [0 if n == 0 else 1 + int(np.searchsorted(_COUNT_BREAKS, n, side="right")) for n in per_branch],
        _COUNT_LABELS,
        text,
        ["" if n == 0 else f"stops {count(n, 'bus', 'buses')} when each is alone" for n in per_branch],
        "Branches by how many buses they stop, each alone, firm. Thick: binding for the sites.",
    )


def _limit_text(limit: Limit | None) -> str:
    if limit is None:
        return ""
    return "alone: its own withdrawal limit" if limit.kind == "withdrawal" else f"alone: {short_limit(limit)}"


def _sites(answer: Answer) -> Layer:
    size = len(answer.network.buses.ids)
    served, text = np.full(size, np.nan), [""] * size
    if answer.result.levels:
        last, firm = answer.result.levels[-1].capacity_mw, answer.result.firm_mw
        places = site_positions(answer.network, answer.result.candidates)
        for place, i in enumerate(places):
            asked = answer.result.demand_mw[place]
            served[i] = last[place] / asked
            joint = f"{megawatts(firm[place])} firm, {megawatts(last[place])} in all"
            text[i] = f"{joint}, of {megawatts(asked)} asked ({percent(served[i], 0)})"
    return Layer(
        "sites", "Sites", "", "cividis", classes(served, SERVED_BREAKS), labels=SERVED_LABELS, bus_text=text,
        note="What the sites get together, as a share of what is asked",
    )  # fmt: skip


def _change(answer: Answer) -> Layer:
    """Return what outages, redispatch or periods change at each site against the answer without them."""
    changes = change_mw(answer)
    if changes is None:
        return Layer("change", "Change", note=NOTHING_COMPARED)
    size = len(answer.network.buses.ids)
    values, text = np.full(size, np.nan), [""] * size
    for i, change in zip(site_positions(answer.network, answer.result.candidates), changes, strict=True):
        values[i] = change
        text[i] = f"{signed(change)} against no outage, fixed supply and the year as a whole"
    breaks = even_breaks(np.abs(values))
    return Layer(
        "change", "Change", "MW", "difference", classes(values, breaks), labels=change_labels(breaks), bus_text=text,
        note="At the sites: what outages, redispatch and periods change in the total",
    )  # fmt: skip


def even_breaks(sizes: Any) -> list[float]:
    """Return breaks that mirror each other about zero: two classes of less, one of no change, two of more."""
    known = sizes[np.isfinite(sizes) & (sizes > UNCHANGED_MW)]
    middle = float(f"{np.median(known):.1g}") if known.size else 1.0
    half = [UNCHANGED_MW, max(middle, 2 * UNCHANGED_MW)]
    return [-half[1], -half[0], *half]


def change_labels(breaks: Sequence[float]) -> tuple[str, ...]:
    """Return the legend's words for :func:`even_breaks`."""
    most = f"{breaks[-1]:,.10g}".replace(",", THIN)
    return (f"{most} less and below", f"up to {most} less", "no change", f"up to {most} more", f"{most} more and above")
