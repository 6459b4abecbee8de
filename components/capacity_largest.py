"""What each bus could take alone while units redispatch, in one state: layer, panel, the card with both proofs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import dash_bootstrap_components as dbc
import numpy as np
from dash import dcc, html

from components import capacity_ids
from components.capacity_answer import limit_element, pressed_button, short_limit
from components.capacity_sites import bus_words
from components.format import THIN, count, duration, megawatts, number, power
from components.grid_map import Layer, break_labels, classes, layers_data, nice_breaks
from components.skeleton import Part, facts, job_stores, progress_card, state
from components.why_card import WhyInput, notation, why_card, why_number
from engine.capacity.results import Limit
from engine.network.model import Network, Vector
from engine.redispatch.check import LargestCheck
from engine.redispatch.largest import LargestLoads
from engine.redispatch.limits import FlowLimits
from engine.store.jobs import Job

LAYER = "redispatch"
LABEL = "Redispatch"
NOT_YET = "Compute \u201cAlone, with redispatch\u201d first: in the inspector, below"
METHOD = "linear programming duality: Boyd and Vandenberghe, Convex Optimization, 2004, section 5.2.2"
ALIKE = 1e-6  # relative: up to which two programs agree
MOST_OFFERED = 40  # states: each is a component that the page goes through at every change
_TITLE = "Alone, with redispatch"
_MOST_LISTED = 6
_TALLEST = (
    0.9  # quantile of the loads above which the legend has one class: a few buses on thick lines take ten times more
)
_BOUND = (
    "*c*_n \u2264 (*m* \u00b7 *r* + *\u03c0* \u00b7 *d* \u2212 "
    "\u03a3_g min(*\u03c0*_g *p*_{min}, *\u03c0*_g *p*_{max})) / (\u2212*\u03c0*_n)"
)
_SYMBOLS = (
    "*m* are the multipliers of the limits and *r* what these leave, *\u03c0* the prices that they make at the buses, "
    "*d* the load there, *p* what units can give."
)
_PURPOSE = (
    "The largest load that each bus alone could add in one state of the sample while every unit moves freely between "
    "its limits. It is what one hour allows, not a promise for all of them."
)


@dataclass(frozen=True, eq=False)
class Largest:
    """The largest loads of one state, as the page draws them."""

    loads: LargestLoads
    limits: FlowLimits
    told: Mapping[str, Any]  # what the job said of the state
    secure: str  # "no outage", "every single outage"
    key: str  # the hash of all that this depends on

    @property
    def network(self) -> Network:
        """Return the network."""
        return self.limits.network

    @cached_property
    def places(self) -> dict[int, int]:
        """Return the place among the loads by position of the bus."""
        return {bus: place for place, bus in enumerate(self.loads.buses.tolist())}

    @cached_property
    def stops(self) -> list[Limit | None]:
        """Return for each load the limit that weighs most in its proof."""
        return self.loads.stops(self.limits)

    @cached_property
    def most_mw(self) -> Vector:
        """Return the (B,) largest loads, nan out of service and where no dispatch is possible."""
        most = np.full(len(self.network.buses.ids), np.nan)
        most[self.loads.buses] = self.loads.most_mw
        return most

    @property
    def when(self) -> str:
        """Return which state this is: ``2016-08-11 16:00, the largest load of 500 states``."""
        name = str(self.told["state"])
        return f"{name}, the largest load of {number(self.told['states'])} states" if self.told["peak"] else name

    def stopped_by(self, place: int) -> str:
        """Return in few words what stops the load of one place."""
        end = self.loads.ends_by(place)
        if end == "impossible":
            return "no dispatch keeps every limit"
        limit = self.stops[place]
        return "generation" if end == "generation" or limit is None else short_limit(limit)


# The map


def empty_layer() -> Layer:
    """Return the layer before it is computed."""
    return Layer(LAYER, LABEL, note=NOT_YET)


def layer(largest: Largest) -> Layer:
    """Return the layer: what each bus could take alone in that state."""
    most = largest.most_mw
    known = most[np.isfinite(most)]
    breaks = nice_breaks(known[known <= np.quantile(known, _TALLEST)] if known.size else known)
    text = [""] * len(most)
    for bus, place in largest.places.items():
        by = largest.stopped_by(place)
        mw = float(most[bus])
        text[bus] = by if np.isnan(mw) else f"{megawatts(mw)} alone, with redispatch; stopped by {by}"
    note = f"Each bus alone, units moving freely, in {largest.when}. Secure for {largest.secure}. Rings: the sites."
    return Layer(
        LAYER, LABEL, "MW", "cividis", classes(most, breaks), labels=break_labels(breaks), bus_text=text, note=note
    )


def layer_data(largest: Largest | None) -> dict[str, Any]:
    """Return the layer as the Store of the map holds it."""
    made: dict[str, Any] = layers_data([empty_layer() if largest is None else layer(largest)])["layers"][LAYER]
    return made


def cells(largest: Largest, position: int) -> dict[str, Any]:
    """Return what the table of all buses says of a bus."""
    place = largest.places.get(position)
    if place is None:
        return {"most": None, "most_by": ""}
    most = float(largest.most_mw[position])
    return {"most": None if np.isnan(most) else most, "most_by": largest.stopped_by(place)}


# The panel


def place(hour: str = "") -> html.Div:
    """Return the panel's place in the inspector, with its Stores and the choice of the state."""
    name = capacity_ids.LARGEST
    choice = html.Label(
        [
            html.Span("Hour or state"),
            dbc.Input(
                id=capacity_ids.LARGEST_STATE, type="text", value=hour, debounce=True, placeholder="the largest load",
                list=f"{name}-states", class_name="hr-input hr-input-small", maxlength=60, autocomplete="off",
            ),
        ],
        className="hr-largest-choice",
        id=f"{capacity_ids.LARGEST_STATE}-label",
        hidden=True,
        title="One of the sampled states, such as 2016-08-11 16:00; empty for the one of the largest load",
    )  # fmt: skip
    return html.Div(
        [
            *job_stores(name),
            dcc.Store(id=f"{name}-first"),  # written by nobody, as in grid_map.register_map
            dcc.Store(id=f"{capacity_ids.LARGEST_RUN}-pressed"),
            dcc.Store(id=capacity_ids.LARGEST_FOUND),
            html.Datalist(id=f"{name}-states"),
            html.Section(
                [
                    html.H3(_TITLE, className="hr-section-title"),
                    choice,
                    html.Div(id=name, className="hr-promise", **{"aria-live": "polite"}),
                ],
                className="hr-section",
                id=f"{name}-section",
                hidden=True,
            ),
        ],
        id=f"{name}-place",
    )


def options(labels: Sequence[str]) -> list[html.Option]:
    """Return what the choice of a state offers: states spread over the sample, of which any can be typed."""
    if not len(labels):
        return []
    places = np.unique(np.linspace(0, len(labels) - 1, MOST_OFFERED).round().astype(np.intp))
    return [html.Option(value=labels[place]) for place in places.tolist()]


def not_offered(reason: str) -> Part:
    """Return the panel where nothing can be computed, with the reason."""
    return html.P(reason, className="hr-muted")


def to_compute(words: str) -> Part:
    """Return the panel before anything was computed for the state in ``words``."""
    text = html.P([_PURPOSE, f" Asked: {words}."], className="hr-muted")
    return html.Div(
        [text, pressed_button("Compute for every bus", capacity_ids.LARGEST_RUN)], className="hr-largest-press"
    )


def running(job: Job) -> Part:
    """Return the panel while a job computes."""
    return progress_card("Largest load at each bus", done=job.done, total=job.total, message=job.message, job=job.id)


def failed(message: str, *, cancelled: bool) -> Part:
    """Return the panel after a job that gave no result."""
    press = pressed_button("Compute again", capacity_ids.LARGEST_RUN)
    if cancelled:
        return state("empty", "The computation was cancelled.", title="Cancelled", action=press)
    return state("failed", message or "The job stopped without a word.", action=press)


def done(largest: Largest, position: int | None) -> Part:
    """Return the panel of what was computed: of the selected bus first, then of all."""
    parts: list[Part] = []
    if position is not None and position in largest.places:
        parts.append(_bus(largest, position))
    return html.Div([*parts, *_study(largest)])


def _bus(largest: Largest, position: int) -> Part:
    """Return what is said of the selected bus: the number with its card, and what stops it."""
    at, name = largest.places[position], bus_words(largest.network, position)
    most = float(largest.most_mw[position])
    if np.isnan(most):
        words = "In this state no dispatch keeps every limit, whatever is added here."
        rows: list[tuple[Part, Part]] = [("Least overload", f"{number(100 * largest.loads.overload[at], 1)} %")]
        return html.Div([html.P(words), facts(rows)])
    label = f"largest load at {name} alone, with redispatch"
    limit = largest.stops[at]
    if largest.loads.ends_by(at) == "generation" or limit is None:
        stop: list[Part] = ["Every unit that helps is at its largest output."]
    else:
        stop = ["Beyond it no redispatch keeps ", _select(limit), "."]
    number_with_card = why_number(capacity_ids.LARGEST_WHY, megawatts(most), label=label)
    return html.Div([facts([("Largest load here", number_with_card)]), html.P(stop)])


def _study(largest: Largest) -> list[Part]:
    loads, told = largest.loads, largest.told
    most = loads.most_mw[np.isfinite(loads.most_mw)]
    rows: list[tuple[Part, Part]] = [
        ("State", largest.when),
        ("Load there", power(float(told["load_mw"]))),
        ("Secure for", largest.secure),
    ]
    if most.size:
        rows.append(("Half of the buses take at least", megawatts(float(np.median(most)))))
        rows.append(("From the least to the most", f"{number(float(most.min()))}\u2013{megawatts(float(most.max()))}"))
    rows.append(("Computed in", duration(loads.time_s)))
    parts: list[Part] = [html.P(_PURPOSE, className="hr-muted"), facts(rows)]
    if told["given_up_mw"] > 0:
        words = f"Units that must run give up {megawatts(float(told['given_up_mw']))} here: the load is less."
        parts.append(html.P(words, className="hr-muted"))
    if not loads.possible:
        impossible = int(np.isnan(loads.most_mw).sum())
        words = (
            "No dispatch keeps every limit in this state before anything is added. "
            f"At {count(len(loads.buses) - impossible, 'bus', 'buses')} a load would mend that; at "
            f"{count(impossible, 'bus', 'buses')} none does."
        )
        parts.append(html.P(words, className="hr-sign-binding"))
    listed = _most_stopping(largest)
    if listed:
        parts.append(html.P("What stops most buses, each alone:"))
        parts.append(html.Ul(listed, className="hr-capacity-binds"))
    return parts


def _most_stopping(largest: Largest) -> list[html.Li]:
    """Return the limits that stop most buses, and generation where it does."""
    by = [largest.stopped_by(place) for place in range(len(largest.loads.buses))]
    named = {short_limit(limit): limit for limit in largest.stops if limit is not None}
    return [
        html.Li(
            [
                _select(named[words]) if words in named else html.Span(words),
                html.Span(count(n, "bus", "buses"), className="hr-muted"),
            ]
        )
        for words, n in Counter(by).most_common(_MOST_LISTED)
    ]


def _select(limit: Limit) -> Part:
    element = limit_element(limit)
    if not element:
        return html.Span(short_limit(limit))
    return html.Button(
        short_limit(limit), type="button", className="hr-capacity-link", **{"data-capacity-select": element}
    )


# The card: both proofs


def card(largest: Largest, position: int, check: LargestCheck, inputs: Sequence[WhyInput]) -> html.Div:
    """Return why a bus takes no more: the limits in the proof with what more of each brings, and its check."""
    loads, at = largest.loads, largest.places[position]
    most = float(loads.most_mw[at])
    limits, units = loads.bindings(at, largest.limits)
    binds: list[Part] = [
        f"{_sentence(limit.words)}: {megawatts(limit.limit_mw)}; the first MW more there gives {_gain(mw)} here"
        for limit, mw in limits[:_MOST_LISTED]
    ]
    if len(limits) > _MOST_LISTED:
        binds.append(f"and {count(len(limits) - _MOST_LISTED, 'limit')} that bring less")
    names = largest.network.units.ids
    binds += [
        f"Unit {names[unit]} at its largest output, {megawatts(float(loads.state.largest_mw[unit]))}; "
        f"the first MW more gives {_gain(mw)} here"
        for unit, mw in units[:3]
    ]
    if len(units) > 3:
        binds.append(f"and {count(len(units) - 3, 'unit')} more at their largest output")
    bound = float(loads.bound_mw[at])
    return why_card(
        f"{bus_words(largest.network, position)}: largest load with redispatch",
        formula=_BOUND,
        values=[
            ("*c*_n, by a dispatch that keeps every limit", _exact(most)),
            ("No more is possible, by the multipliers *m*", _exact(bound)),
            ("Limits in the proof", number(len(limits))),
            ("State", largest.when),
            ("Secure for", largest.secure),
        ],
        binds=binds,
        note=[html.Span(notation(_SYMBOLS)), " ", _checked(largest, most, check)],
        inputs=[WhyInput("Largest loads", largest.key, f"computed in {duration(loads.time_s)}"), *inputs],
        source=METHOD,
    )  # fmt: skip


def agrees(most: float, check: LargestCheck, *, outages: bool) -> bool:
    """Return whether the check finds what was recorded: a dispatch that keeps every limit, a bound, the same optimum.

    After ``outages`` the check's own optimum, which knows none, is not below.
    """
    near = 10 * ALIKE * (1.0 + abs(most))
    kept = check.overload <= ALIKE and max(check.off_balance_mw, check.outside_mw) <= near
    optimum = check.optimum_mw >= most - near if outages else abs(check.optimum_mw - most) <= near
    return bool(kept and abs(check.bound_mw - most) <= near and optimum)


def _checked(largest: Largest, most: float, check: LargestCheck) -> Part:
    """Return what the check that shares no code has just found."""
    outages = largest.limits.outages is not None
    every = 0 if largest.limits.outages is None else len(largest.limits.outages)
    after = f"after {check.outages:,} of {every:,} outages, those in the proof, " if check.outages < every else ""
    words = (
        f"Checked now in bus angles, by programs that share no code with the answer: {after}the dispatch overloads no "
        f"limit (most: {number(100 * max(check.overload, 0.0), 4)} %), "
        f"the multipliers prove at most {_exact(check.bound_mw)}, "
    )
    words += (
        f"and without outages the largest load solved from nothing is {_exact(check.optimum_mw)}."
        if outages
        else f"and the largest load solved from nothing is {_exact(check.optimum_mw)}."
    )
    if agrees(most, check, outages=outages):
        return words
    return html.Span([words, " They do not agree: do not use this number."], className="hr-sign-binding")


def _gain(mw: float) -> str:
    return f"{number(mw, 2)} MW"


def _exact(mw: float) -> str:
    return f"{number(mw, 3)}{THIN}MW"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"
