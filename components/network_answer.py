"""The DC-OPF on the Network page, in words and numbers: the answer's strip, and what it says of one element."""

from collections.abc import Sequence
from typing import Any

from dash import html

from components import skeleton
from components.format import count, duration, megawatts, number, price
from components.why_card import WhyInput, why_card, why_number

Part = Any
METHOD = "DC optimal power flow (lossless, flat voltage, small angles); Stott, Jardim and Alsaç 2009"
PRICES = "locational marginal price split at a reference; Schweppe et al. 1988"


def strip(
    *,
    title: str,
    status: str,
    cost_per_h: float,
    energy_per_mwh: float,
    reference: str,
    lowest: float,
    highest: float,
    binding: int,
    gap: float,
    time_s: float,
    solver: str,
    certified: bool,
    digest: str,
) -> html.Div:
    """Return the answer as one strip of numbers; the cost can say why."""
    card = why_card(
        "Cost of the dispatch",
        formula="min Σ *c*_g(*p*_g)  with  Σ *p* = Σ *d*,  |*f*| ≤ *F*",
        values=[
            ("Cost", f"{number(cost_per_h)} $/h"),
            ("Status", status),
            ("Optimality gap", f"{gap:.1e}"),
            ("Optimality conditions", "hold" if certified else "do not hold: treat the answer with care"),
            ("Time", duration(time_s)),
            ("Solver", solver),
        ],
        inputs=[WhyInput("Network", digest)],
        source=METHOD,
    )
    energy = why_card(
        "Energy price",
        formula="*λ*_n = energy + congestion_n",
        values=[("Energy", price(energy_per_mwh)), ("Reference", reference)],
        note="What one more MWh costs at the reference; congestion is the rest of the price at each bus.",
        source=PRICES,
    )
    return html.Div(
        [
            html.Span(title, className="hr-draw-answer-title"),
            _fact(
                "Cost", why_number("network-why-cost", f"{number(cost_per_h)} $/h", card, label="cost of the dispatch")
            ),
            _fact("Energy", why_number("network-why-energy", price(energy_per_mwh), energy, label="energy price")),
            _fact("Prices", f"{number(lowest, 2)} to {number(highest, 2)} $/MWh"),
            _fact("Bind", count(binding, "branch", "branches")),
            _fact("Solved in", f"{1000 * time_s:.0f} ms" if time_s < 1 else duration(time_s)),
        ],
        className="hr-draw-answer",
        role="status",
    )


def of_bus(
    bus: str, *, lmp: float, energy: float, congestion: float, reference: str, binds: Sequence[str]
) -> html.Section:
    """Return what the answer says of a bus."""
    card = why_card(
        f"Price at bus {bus}",
        formula="*λ*_n = energy + congestion_n",
        values=[("energy", price(energy)), ("congestion", price(congestion)), ("*λ*_n", price(lmp))],
        binds=binds or ["no branch binds: one price everywhere"],
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


def of_branch(flow: float, start: str, end: str, share: float | None, value: float) -> html.Section:
    """Return what the answer says of a branch: its flow, its loading, what one MW more of its limit saves."""
    towards = f"{start} to {end}" if flow >= 0 else f"{end} to {start}"
    rows: list[tuple[Part, Part]] = [
        ("Flow", megawatts(abs(flow))),
        ("Towards", towards),
        ("Of its limit", "no limit" if share is None else f"{number(100 * share)} %"),
        ("One MW more of limit saves", price(abs(value), "$/h")),
    ]
    return skeleton.section("DC-OPF", skeleton.facts(rows))


def of_unit(output: float, largest: float, marginal: float) -> html.Section:
    """Return what the answer says of a unit."""
    return skeleton.section(
        "DC-OPF",
        skeleton.facts(
            [("Output", megawatts(output)), ("Largest", megawatts(largest)), ("Price at its bus", price(marginal))]
        ),
    )


def of_network(binding: Sequence[tuple[str, float, float]], units: int) -> html.Section:
    """Return the branches that bind: (id, flow in MW, $ saved per MWh of more limit), the dearest first."""
    if not binding:
        body: Part = html.P("No branch binds: one price everywhere.")
    else:
        lines = [
            html.Li(
                [
                    html.Button(name, type="button", className="hr-draw-link", **{"data-select": f"branch:{name}"}),
                    f" at {megawatts(abs(flow))}: one MW more saves {price(abs(value), '$/h')}",
                ]
            )
            for name, flow, value in binding[:12]
        ]
        rest = [html.Li(f"and {len(binding) - 12} more", className="hr-muted")] if len(binding) > 12 else []
        body = html.Ul([*lines, *rest], className="hr-draw-links")
    return skeleton.section(f"{count(len(binding), 'branch binds', 'branches bind')}, {count(units, 'unit')} run", body)


def _fact(name: str, value: Part) -> html.Span:
    return html.Span([html.Span(name, className="hr-muted"), " ", value], className="hr-draw-answer-fact")
