"""What the load of one site does to prices: a layer of the map, and the same rows in a table with its CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from dash import html

from components import ids, siting_cards, siting_ids
from components.format import megawatts, number, signed
from components.grid_map import Layer
from components.siting_answer import Answer
from components.siting_basis import days_words
from components.siting_site import WHY
from components.siting_totals import inputs_of
from components.skeleton import Part, state
from components.tables import GridColumn, grid
from components.why_card import why_number
from engine.network.model import Vector
from engine.siting.market_run import lmp_change, mean_energy
from engine.siting.metrics import METRICS, WINDOWS
from engine.siting.sheet import site_market

KEY, LABEL, UNIT = "lmp", "Prices", "$/MWh"
NONE_YET = "Run the market: it prices the days with and without each site"
_LEAST = 0.001  # $/MWh: below it no change is drawn, also without a noise floor
_MIDDLE = 4  # the class of seven within which nothing is said
_SHARES = (0.5, 0.9)  # of the buses whose price moves: where the two outer classes of each side begin


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Mean prices at every bus (B,), $/MWh, over the weighted days, without and with the load of one site."""

    bus: int  # position of the site
    without: Vector
    change: Vector
    floor: float  # the noise floor of the mean price, nan where it is not known
    words: str  # the site, its envelope and size
    default: bool  # of the best site, since none is selected
    energy: float  # $/MWh, the part of the price with the site that is the same at every bus
    energy_change: float
    days: str  # that were priced, in a sentence

    @property
    def quiet(self) -> float:
        """Return the change below which nothing is said."""
        return max(_LEAST, self.floor) if np.isfinite(self.floor) else _LEAST


def prices_of(answer: Answer, bus: int | None) -> Prices | str:
    """Return the prices of the selected site, of the best when none is selected, or in words why there are none."""
    market, drawn = answer.market, answer.drawn
    if market is None:
        return NONE_YET
    at = bus if bus is not None else answer.shortlist[0] if answer.shortlist else None
    if at is None:
        return "Select a site that the market serves"
    network = answer.network.buses
    bus_words = f"{network.names[at]} ({network.ids[at]})" if network.names[at] else f"bus {network.ids[at]}"
    words = f"{bus_words}, {drawn.envelope}, {megawatts(drawn.size_mw)}"
    site = site_market(market, at, drawn.envelope, drawn.size_mw)
    if site is None or not site.served:
        why = "was not taken to the market" if site is None else "is not served on every day"
        return f"{words}: {why}"
    floor = np.nan if market.floor is None else float(market.floor[WINDOWS.index("all"), METRICS.index("mean_lmp")])
    change = lmp_change(market, site)
    energy, before = mean_energy(market, site), mean_energy(market, market.base)
    return Prices(
        at, market.base.mean_lmp, change, floor, words, bus is None, energy, energy - before, days_words(market)
    )


def layer(found: Prices | str) -> Layer:
    """Return the layer: purple where prices fall, orange where they rise, the middle where little is drawn.

    The middle is as wide as the noise floor of the mean over all buses; that of one bus's own price is not known.
    """
    if isinstance(found, str):
        return Layer(KEY, LABEL, UNIT, note=found)
    marks = breaks(found.change, found.quiet)
    low, mid, high = (number(mark, _digits(mark)) for mark in marks)
    labels = (
        f"falls by {high} and more", f"falls by {mid}\u2013{high}", f"falls by {low}\u2013{mid}", f"within {low}",
        f"rises by {low}\u2013{mid}", f"rises by {mid}\u2013{high}", f"rises by {high} and more",
    )  # fmt: skip
    size = np.abs(found.change)
    steps = (size > marks[0]).astype(int) + (size >= marks[1]) + (size >= marks[2])
    painted = np.where(np.isnan(size), 0, _MIDDLE + np.sign(np.nan_to_num(found.change)).astype(int) * steps)
    text = ["" if np.isnan(value) else f"{signed(value, 3)} $/MWh" for value in found.change.tolist()]
    known = (
        "no noise floor is known" if np.isnan(found.floor) else "the noise floor of the mean over all buses, which is "
    )
    known = known if np.isnan(found.floor) else f"{known}no floor of one bus's own price"
    known = "too little to draw" if found.floor < _LEAST else known
    best = "The best site: " if found.default else ""
    note = f"{best}{found.words}. Within {low}: {known}"
    return Layer(KEY, LABEL, UNIT, "difference", painted.tolist(), labels=labels, bus_text=text, note=note)


def breaks(change: Vector, quiet: float) -> tuple[float, float, float]:
    """Return three rising marks of a change's size: what is quiet, and two round numbers above it."""
    moved = np.abs(change[np.isfinite(change) & (np.abs(change) > quiet)])
    marks = [quiet]
    for share in _SHARES:
        wanted = float(np.quantile(moved, share)) if moved.size else 0.0
        rounded = float(f"{wanted:.1g}")
        marks.append(rounded if rounded > 1.2 * marks[-1] else float(f"{2.0 * marks[-1]:.1g}"))
    return marks[0], marks[1], marks[2]


def _digits(mark: float) -> int:
    return 0 if mark >= 10 else 1 if mark >= 1 else 2 if mark >= 0.1 else 3


def columns() -> list[GridColumn]:
    """Return the columns of the table: one row for each bus of the network."""
    return [
        GridColumn("id", "Bus", width=84, pinned=True),
        GridColumn("name", "Substation", width=170),
        GridColumn("change", "Change", "$/MWh", "number", digits=3, width=140),
        GridColumn("without", "Mean LMP without the site", "$/MWh", "number", digits=3, width=250),
        GridColumn("with", "With it", "$/MWh", "number", digits=3, width=140),
        GridColumn("energy", "Of it energy", "$/MWh", "number", digits=3, width=160),
        GridColumn("congestion", "Of it congestion", "$/MWh", "number", digits=3, width=190),
        GridColumn("kv", "Voltage", "kV", "number", digits=0, width=108),
        GridColumn("zone", "Zone", width=120),
    ]


def rows(answer: Answer, found: Prices | str) -> list[dict[str, Any]]:
    """Return every bus, the largest change first."""
    if isinstance(found, str):
        return []
    buses = answer.network.buses
    order = np.argsort(-np.abs(np.nan_to_num(found.change)), kind="stable")
    return [
        {
            "id": buses.ids[bus],
            "name": buses.names[bus],
            "kv": float(buses.base_kv[bus]) or None,
            "zone": buses.zones[bus],
            "without": float(found.without[bus]),
            "with": float(found.without[bus] + found.change[bus]),
            "energy": found.energy,
            "congestion": float(found.without[bus] + found.change[bus]) - found.energy,
            "change": float(found.change[bus]),
        }
        for bus in order.tolist()
        if np.isfinite(found.change[bus])
    ]


def card(answer: Answer, found: Prices | str) -> Part:
    """Return why the largest change of the table is what it is."""
    if isinstance(found, str) or answer.market is None:
        return None
    place = int(np.nanargmax(np.abs(found.change)))
    buses = answer.network.buses
    what = f"{buses.names[place] or 'bus'} ({buses.ids[place]})"
    inputs = inputs_of(answer, market=True)
    return siting_cards.price_changes(answer.market, what, float(found.change[place]), inputs)


def told(found: Prices | str, why: Part = None) -> Part:
    """Return the line above the table; ``why`` is the card of its numbers."""
    if isinstance(found, str):
        return state("empty", f"{found}.")
    known = found.change[np.isfinite(found.change)]
    mean = float(known.mean())
    floor = (
        f"the noise floor of that mean is {number(found.floor, 3)} $/MWh, and the mean change is "
        f"{'beyond' if abs(mean) > found.floor else 'within'} it; how far chance alone moves the price of one bus is "
        "not known and can be more"
        if np.isfinite(found.floor)
        else "no noise floor is known: small changes may mean nothing"
    )
    best = " (the best site, since none is selected)" if found.default else ""
    words: list[Part] = [
        f"Prices with {found.words}{best}; mean change of all buses {signed(mean, 3)} $/MWh, of which "
        f"{signed(found.energy_change, 3)} is energy (the price at the reference bus) and the rest congestion; "
        f"{floor}. {found.days} ",
        None if why is None else why_number("siting-why-prices", WHY, why, label="prices with the site"),
    ]
    return html.P(words, className="hr-muted")


def place() -> Sequence[Part]:
    """Return the tab: a line, and the table. A row selects nothing: that would ask for the prices of another site."""
    return [
        html.Div(id=f"{siting_ids.PRICES}-told", className="hr-siting-above"),
        grid(ids.SITING, columns(), (), name="prices", label="Prices at every bus, without and with the site"),
    ]
