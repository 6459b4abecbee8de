"""The DC-OPF on the Network page, in words and numbers: the answer's strip, and what it says of one element."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from dash import html

from components import skeleton
from components.format import count, duration, megawatts, number, price
from components.why_card import WhyInput, why_card, why_number
from engine.errors import Problem
from engine.network.tables import SINGULAR
from engine.opf.results import AfterOutage, Dispatch, OpfAnswer

Part = Any
METHOD = "DC optimal power flow (lossless, flat voltage, small angles); Stott, Jardim and Alsaç 2009"
FILED = "Flow as filed"
MOST_LINES = 12
MOST_REASONS = 6  # of a refusal, so that the network below stays in sight
PRICES = "locational marginal price split at a reference; Schweppe et al. 1988"


def strip(answer: OpfAnswer, dispatch: Dispatch, input_hash: str) -> html.Div:
    """Return the answer as one strip of numbers; the cost and the energy price can say why."""
    prices = dispatch.lmp_per_mwh[np.isfinite(dispatch.lmp_per_mwh)]
    inputs = [WhyInput("Network", answer.network_digest), WhyInput("Inputs", input_hash)]
    card = why_card(
        "Cost of the dispatch",
        formula="min \u03a3 *c*_g(*p*_g)  with  \u03a3 *p* = \u03a3 *d*,  |*f*| \u2264 *F*",
        values=[
            ("Cost", f"{number(dispatch.cost_per_h)} $/h"),
            ("Status", dispatch.status),
            ("Optimality gap", f"{dispatch.gap:.1e}"),
            ("Optimality conditions", "hold" if dispatch.certified else "do not hold: treat the answer with care"),
            ("Time", duration(dispatch.time_s)),
            ("Solver", dispatch.solver),
            ("Made", answer.made.replace("T", " ").replace("+00:00", " UTC")),
        ],
        inputs=inputs,
        source=METHOD,
    )
    energy = why_card(
        "Energy price",
        formula="*\u03bb*_n = energy + congestion_n",
        values=[("Energy", price(dispatch.energy_per_mwh)), ("Reference", dispatch.reference)],
        note="What one more MWh costs at the reference; congestion is the rest of the price at each bus.",
        source=PRICES,
    )
    cost = f"{number(dispatch.cost_per_h)} $/h"
    lowest, highest = float(prices.min(initial=np.inf)), float(prices.max(initial=-np.inf))
    return html.Div(
        [
            html.Span(answer.question.words(), className="hr-draw-answer-title"),
            _fact("Cost", why_number("network-why-cost", cost, card, label="cost of the dispatch")),
            _fact(
                "Energy",
                why_number("network-why-energy", price(dispatch.energy_per_mwh), energy, label="energy price"),
            ),
            _fact("Prices", _range(lowest, highest)),
            _fact("Bind", _binding_words(dispatch)),
            *_secured(answer, dispatch),
            _fact("Solved in", _solved_in(dispatch.time_s)),
        ],
        className="hr-draw-answer",
        role="status",
    )


def refused(answer: OpfAnswer) -> html.Div:
    """Return why there is no dispatch, each reason with the row it is about."""
    lines = problem_lines(answer.problems, MOST_REASONS)
    more = {"details": lines} if lines else {}
    return skeleton.state("infeasible", answer.refusal if not lines else answer.question.words(), **more)


def problem_lines(problems: Sequence[Problem], most: int = 12) -> list[Part]:
    """Return problems as lines; each leads to the row that it is about."""
    lines: list[Part] = []
    for problem in problems[:most]:
        kind = next((word for table, word in SINGULAR.items() if table == problem.table), "")
        if kind and problem.element:
            where = {"data-select": f"{kind}:{problem.element}", "data-row": problem.table}
            if problem.column:
                where["data-column"] = problem.column
            lines.append(html.Button(problem.message, type="button", className="hr-draw-link", **where))
        else:
            lines.append(problem.message)
    return [*lines, f"and {len(problems) - most} more"] if len(problems) > most else lines


def _binding_words(dispatch: Dispatch) -> str:
    """Return how many limits bind: of branches, of interfaces, after outages."""
    words = [count(len(dispatch.binding()), "branch", "branches")]
    if dispatch.binding_interfaces():
        words.append(count(len(dispatch.binding_interfaces()), "interface"))
    if dispatch.after:
        words.append(f"{number(len(dispatch.after))} after outages")
    return ", ".join(words)


def _secured(answer: OpfAnswer, dispatch: Dispatch) -> list[Part]:
    """Return after how many outages the limits hold, and how many split the network."""
    if answer.question.security == "base":
        return []
    held = _fact("Holds after", count(dispatch.outages, "outage"))
    if not dispatch.islanding:
        return [held]
    splits = html.Span(
        number(len(dispatch.islanding)), title="Listed under Dispatch, Outages: limits after these are not held"
    )
    return [held, _fact("Outages that split the network", splits)]


def of_bus(
    bus: str, *, lmp: float, energy: float, congestion: float, reference: str, binds: Sequence[str]
) -> html.Section:
    """Return what the answer says of a bus."""
    card = why_card(
        f"Price at bus {bus}",
        formula="*λ*_n = energy + congestion_n",
        values=[("energy", price(energy)), ("congestion", price(congestion)), ("*λ*_n", price(lmp))],
        binds=binds or ["no limit binds: one price everywhere"],
        note=f"Split at {reference}.",
        source=PRICES,
    )
    return skeleton.section(
        "DC-OPF",
        skeleton.facts(
            [
                ("Price", why_number("network-why-price", price(lmp), card, label=f"price at bus {bus}")),
                ("Energy", price(energy)),
                ("Congestion", price(congestion)),
            ]
        ),
    )


def of_branch(  # noqa: PLR0917 (one fact each)
    flow: float, start: str, end: str, share: float | None, value: float, after: Sequence[AfterOutage] = ()
) -> html.Section:
    """Return what the answer says of a branch: its flow, its loading, what one MW more of its limit saves."""
    towards = f"{start} to {end}" if flow >= 0 else f"{end} to {start}"
    rows: list[tuple[Part, Part]] = [
        ("Flow", megawatts(abs(flow))),
        ("Towards", towards),
        ("Of its limit", "no limit" if share is None else f"{number(100 * share)} %"),
        ("One MW more of limit saves", _saved(value, flow, None if not share else abs(flow) / share)),
    ]
    return skeleton.section("DC-OPF", skeleton.facts(rows), _after_list(after))


def _saved(value: float, flow: float, limit: float | None) -> Part:
    """Return what the first MW more of a limit saves, with the card that says why."""
    card = why_card(
        "One MW more of the limit",
        formula="*\u03bc* = \u2212\u2202*C* / \u2202*F*",
        values=[
            ("flow", megawatts(abs(flow))),
            ("limit *F*", "none" if limit is None else megawatts(limit)),
            ("*\u03bc*", price(abs(value), "$/h")),
        ],
        binds=[] if value else ["the flow is below the limit: more of it saves nothing"],
        note="The dual of the limit in the dispatch at least cost *C*: what the first MW more saves in an hour.",
        source=PRICES,
    )
    return why_number("network-why-limit", price(abs(value), "$/h"), card, label="saved by one MW more of the limit")


Terms = Sequence[tuple[str, float, float]]  # branch, its weight, its flow in MW


def _interface_flow(name: str, found: float, limit: float, terms: Terms) -> Part:
    """Return an interface's flow against its limit that way, with the card of the flows that it adds up."""
    card = why_card(
        name,
        formula="*F* = \u03a3 *w*_l *f*_l",
        values=[
            *((branch, f"{number(weight, 3)} \u00d7 {megawatts(flow)}") for branch, weight, flow in terms[:MOST_LINES]),
            ("*F*", megawatts(found)),
        ],
        note=f"{len(terms) - MOST_LINES} further branches are in the sum." if len(terms) > MOST_LINES else None,
    )
    share = "no limit this way" if not np.isfinite(limit) else f"{number(100 * abs(found) / limit)} % of its limit"
    place = "network-why-filed" if name == FILED else "network-why-flow"
    return html.Span([why_number(place, megawatts(found), card, label=name.lower()), f", {share}"])


def of_interface(
    filed: tuple[float, Terms],
    flow: tuple[float, Terms] | None,
    limits: tuple[float, float],
    value: float,
    after: Sequence[AfterOutage],
) -> html.Section:
    """Return an interface's flow as filed and as dispatched, against its limits (forward, backward) in MW."""
    rows: list[tuple[Part, Part]] = []
    for name, known in ((FILED, filed), ("Flow in the DC-OPF", flow)):
        if known is None:
            rows.append((name, "not known yet"))
            continue
        found, terms = known
        rows.append((name, _interface_flow(name, found, limits[0] if found >= 0 else limits[1], terms)))
    for name, limit in zip(("Limit", "Limit backward"), limits, strict=True):
        rows.append((name, megawatts(limit) if np.isfinite(limit) else "none"))
    if flow is not None:
        limit = limits[0] if flow[0] >= 0 else limits[1]
        rows.append(("One MW more of limit saves", _saved(value, flow[0], limit if np.isfinite(limit) else None)))
    return skeleton.section("Flow", skeleton.facts(rows), _after_list(after))


def of_outage(words: str, after: Sequence[AfterOutage], *, asked: bool) -> html.Section:
    """Return what is known of an outage: what it cuts off (``words``, "" for nothing), or what binds after it."""
    if words:
        return skeleton.section("Outage", html.P(f"{words[:1].upper()}{words[1:]}."))
    if not asked:
        said = "Its loss leaves the network whole. Solve DC-OPF with limits after outages to see what binds after it."
        return skeleton.section("Outage", html.P(said))
    if not after:
        return skeleton.section("Outage", html.P("No limit binds after it."))
    return skeleton.section("Outage", _after_list(after))


def _after_list(after: Sequence[AfterOutage]) -> Part:
    if not after:
        return None
    return html.Ul(
        [
            _line(
                f"{row.kind}:{row.element}",
                row.element,
                f" after {row.words}: {megawatts(abs(row.flow_mw))}, one MW more saves "
                f"{price(abs(row.price_per_mwh), '$/h')}",
            )
            for row in after[:MOST_LINES]
        ],
        className="hr-draw-links",
    )


def of_unit(output: float, largest: float, marginal: float) -> html.Section:
    """Return what the answer says of a unit."""
    return skeleton.section(
        "DC-OPF",
        skeleton.facts(
            [("Output", megawatts(output)), ("Largest", megawatts(largest)), ("Price at its bus", price(marginal))]
        ),
    )


def of_network(binding: Sequence[tuple[str, str, str, float]], units: int) -> html.Section:
    """Return the limits that bind, the dearest first.

    Each is an element ("branch:1-2"), its id, what is said of it, and the $ saved per MWh of more limit.
    """
    if not binding:
        body: Part = html.P("No limit binds: one price everywhere.")
    else:
        lines = [
            _line(element, name, f" {said}: one MW more saves {price(abs(value), '$/h')}")
            for element, name, said, value in binding[:MOST_LINES]
        ]
        rest = len(binding) - MOST_LINES
        more = [html.Li(f"and {rest} more", className="hr-muted")] if rest > 0 else []
        body = html.Ul([*lines, *more], className="hr-draw-links")
    return skeleton.section(f"{count(len(binding), 'limit binds', 'limits bind')}, {count(units, 'unit')} run", body)


def _line(element: str, name: str, said: str) -> html.Li:
    link = html.Button(name, type="button", className="hr-draw-link", **{"data-select": element})
    return html.Li([link, said])


def _fact(name: str, value: Part) -> html.Span:
    return html.Span([html.Span(name, className="hr-muted"), " ", value], className="hr-draw-answer-fact")


def _solved_in(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else duration(seconds)


def _range(lowest: float, highest: float) -> str:
    low, high = number(lowest, 2), number(highest, 2)
    return f"{low} $/MWh everywhere" if low == high else f"{low} to {high} $/MWh"
