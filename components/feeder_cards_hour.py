"""Why the numbers of one bus, link or device in one hour are what they are. ``feeder_cards.card`` finds them."""

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from components.feeder_batteries import battery_values
from components.feeder_cards_linear import unbalance_of
from components.feeder_cards_parts import bound_at, bound_lines, node_of, open_card, open_device
from components.feeder_layers import (
    PART_WORDS,
    At,
    case_said,
    lower_end,
    member_words,
    shape,
)
from components.feeder_ranges import allowed
from components.feeder_words import (
    SOURCE_AC,
    SOURCE_LINEAR,
    SOURCE_PAYMENT,
    SOURCE_PRICE,
    added,
    inputs_of,
    method_words,
    money,
    small,
)
from components.format import number, percent
from components.skeleton import Part
from components.why_card import why_card
from engine.distribution.feeder import Transformer

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

Row = TypeVar("Row")

_SYMBOLS = ("λ^{energy}", "λ^{loss}", "λ^{resp.}", "λ^{V}", "λ^{flow}")
_TRANSFORMER = "max_{w,φ} |*S*_{wφ}| / ( *S*_{max} / *n*_φ )"
_A = complex(-0.5, math.sqrt(0.75))  # turns by a third
_MOST_BOUND = 5  # limits that a card names


def price(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why the active price of a bus and member is what it is."""
    return _price_of(run, at, node_of(run, rest), reactive=False)


def reactive(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why the reactive price of a bus and member is what it is."""
    return _price_of(run, at, node_of(run, rest), reactive=True)


def _price_of(run: "FeederRun", at: At, node: tuple[str, str, int], *, reactive: bool) -> Part:
    (case, hour), (bus, member, place) = open_card(run, at), node
    parts = (case.reactive_parts if reactive else case.active_parts)[:, hour, place].tolist()
    total = float((case.reactive_price if reactive else case.active_price)[hour, place])
    unit = "$/Mvarh" if reactive else "$/MWh"
    kind = "reactive power" if reactive else "a MWh"
    symbols = [each.replace("λ", "λ^{q}") if reactive else each for each in _SYMBOLS]
    return why_card(
        f"{number(total, 2)} {unit} at bus {bus}, {member_words(run.feeder, member)}, {run.labels[hour]}",
        formula=f"{'λ^{q}' if reactive else 'λ'} = {' + '.join(symbols)} = {added(parts, 2)}",
        values=[(f"{symbol} {name}", f"{number(value, 4)} {unit}")
                for symbol, name, value in zip(symbols, PART_WORDS.values(), parts, strict=True)]
        + [("sum less dual", small(abs(sum(parts) - total), unit))]
        + [("the same optimum allows", allowed(case, hour, place, reactive=reactive))],
        binds=bound_lines(run, case, hour),
        inputs=inputs_of(run),
        source=SOURCE_PRICE,
        note=f"What {kind} more drawn there costs the operator, {case_said(case)}.",
    )  # fmt: skip


def level(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why the voltage of a bus and member is what it is."""
    (case, hour), (bus, member, place) = open_card(run, at), node_of(run, rest)
    ac, linear = float(abs(case.phasors[hour, place])), float(case.voltage_pu[hour, place])
    feeder = run.feeder
    values = [
        ("AC |*V*|", f"{number(ac, 5)} p.u."),
        ("linear √*v*", f"{number(linear, 5)} p.u."),
        ("linear less AC", small(linear - ac, "p.u.")),
        ("limits", f"{number(feeder.v_min_pu, 3)} to {number(feeder.v_max_pu, 3)} p.u."),
        ("tightened by", f"{number(float(case.margin_pu[hour, place]), 5)} p.u."),
    ]
    if len(case.free_phasors):
        values.append(("AC with taps that move", f"{number(float(abs(case.free_phasors[hour, place])), 5)} p.u."))
    return why_card(
        f"{number(ac, 3)} p.u. at bus {bus}, {member_words(feeder, member)}, {run.labels[hour]}, {case_said(case)}",
        formula="*v*_j = *v*_i − Σ_ψ ( *M*^{P}_{φψ} *P*_ψ + *M*^{Q}_{φψ} *Q*_ψ ) − losses,  |*V*| = √*v*",
        values=values,
        binds=bound_at(run, case, hour, f"bus:{bus}"),
        inputs=inputs_of(run),
        source=f"{SOURCE_AC}; {SOURCE_LINEAR}",
    )


def vuf(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why the unbalance of a bus is what it is."""
    buses = shape(run).whole
    return unbalance_of(run, *open_card(run, at), buses.index(":".join(rest)))


def loading(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why a link is as full as it is."""
    (case, hour), feeder = open_card(run, at), run.feeder
    place = [link.name for link in feeder.links].index(":".join(rest))
    link = feeder.links[place]
    amperes = case.current_a[hour, place]
    rating = getattr(link, "rating_a", None)
    linear = float(case.linear_loading[hour, place])
    values = [("current of a, b, c in AC", ", ".join(number(float(each), 1) for each in amperes) + " A")]
    if rating:
        values.append(("rating", f"{number(rating)} A"))
    if isinstance(link, Transformer):
        values.append(("rating", f"{number(link.kva)} kVA"))
    share, windings = float(case.ac_loading[hour, place]), isinstance(link, Transformer)
    values.append(("by the linear model", percent(linear, 1) if linear else "no rating"))
    if link.name in case.facts["rating_share"]:
        values.append(("tightened to", percent(case.facts["rating_share"][link.name], 1)))
    return why_card(
        f"Link {link.name}: {percent(share, 1) if rating or windings else 'no rating'}, {run.labels[hour]}, "
        f"{case_said(case)}",
        formula=_TRANSFORMER if windings else "max_φ |*I*_φ| / *I*_{max}",
        values=values,
        binds=bound_at(run, case, hour, f"link:{link.name}"),
        inputs=inputs_of(run),
        source=SOURCE_AC if rating or windings else SOURCE_LINEAR,
        note=f"The end away from the source is bus {lower_end(run, link)}. {_limit_words(run)}",
    )  # fmt: skip


def _limit_words(run: "FeederRun") -> str:
    question = run.question
    return {
        "none": "Limits of links are not kept in this study.",
        "active": "The limit is on active power alone.",
        "polygon": f"The limit is a polygon of {question.polygon_sides} sides inside the circle of the rating: it "
        f"binds from {percent(math.cos(math.pi / question.polygon_sides), 1)} on.",
    }[question.line_limits]


def paid(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why a data centre pays what it does."""
    case, hour, place, row = open_device(run, at, run.feeder.centres, rest)
    draw = float(case.draw_kw[hour, place])
    active, reactive = float(case.bill_active[hour, place]), float(case.bill_reactive[hour, place])
    price = float(case.centre_price[hour, place])
    values = [
        ("*X*, drawn", f"{number(draw, 1)} kW"),
        ("λ, mean of its nodes", f"{number(1000.0 * active / draw if draw else 0.0, 2)} $/MWh"),
        ("tan φ", f"{number(row.kvar_per_kw, 3)} at power factor {number(row.power_factor, 2)}"),
        ("λ + tan φ λ^{q}", f"{number(price, 2)} $/MWh"),
        ("active", money(active)),
        ("reactive", money(reactive)),
    ]
    return why_card(
        f"{row.name}: {money(active + reactive)} in {run.labels[hour]}",
        formula="*X* ( λ + tan φ λ^{q} )",
        values=values,
        binds=bound_lines(run, case, hour),
        inputs=inputs_of(run),
        source=SOURCE_PAYMENT,
    )


def draw(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why a data centre draws what it does."""
    case, hour, place, row = open_device(run, at, run.feeder.centres, rest)
    draw = float(case.draw_kw[hour, place])
    work = work_done(run, case)[hour, place]
    return why_card(
        f"{row.name}: {number(draw, 1)} kW in {run.labels[hour]}",
        formula="*X* = PUE ( *P*_{idle} + *k* *y* )" + (" + charge − discharge" if row.battery is not None else ""),
        values=[
            ("PUE", number(row.pue, 2)),
            ("*P*_{idle}", f"{number(row.idle_kw, 1)} kW"),
            ("*k*", f"{number(row.kw_per_work, 2)} kW for each unit of work"),
            ("*y*, work done", f"{number(float(work), 1)} of {number(row.work_cap, 1)}"),
            ("most its computers can draw", f"{number(row.most_kw, 1)} kW"),
            *battery_values(case, hour, place, row),
            ("decided by", method_words(run)),
        ],
        inputs=inputs_of(run),
        source="Power of a data centre by its work and PUE: our formula; the question is that of arXiv 2606.26328",
    )


def computers(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why the computers of a data centre and their cooling draw what they do, beside its battery."""
    case, hour, place, row = open_device(run, at, run.feeder.centres, rest)
    drawn, network = float(case.computer_kw[hour, place]), float(case.draw_kw[hour, place])
    return why_card(
        f"Computers of {row.name}: {number(drawn, 1)} kW in {run.labels[hour]}",
        formula="PUE ( *P*_{idle} + *k* *y* )",
        values=[
            ("*y*, work done", f"{number(float(work_done(run, case)[hour, place]), 1)} of {number(row.work_cap, 1)}"),
            ("most they can draw", f"{number(row.most_kw, 1)} kW"),
            *battery_values(case, hour, place, row),
            ("*X*, drawn from the network", f"{number(network, 1)} kW"),
        ],
        inputs=inputs_of(run),
        source="Power of a data centre by its work and PUE: our formula; the question is that of arXiv 2606.26328",
        note="A battery moves what is drawn from the network, not the work.",
    )


def work_done(run: "FeederRun", case: "CaseRun") -> np.ndarray:
    """Return (T, C) the work that each data centre does: what its computers draw above idling."""
    centres = run.feeder.centres
    idle = np.array([row.idle_kw for row in centres])
    each = np.array([row.pue * row.kw_per_work for row in centres])
    pue = np.array([row.pue for row in centres])
    done = np.divide(case.computer_kw - pue * idle, each, out=np.zeros_like(case.computer_kw), where=each > 0.0)
    return np.asarray(np.where(np.abs(done) < 1e-9, 0.0, done))


def output(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why a generator gives what it does."""
    case, hour, place, row = open_device(run, at, run.feeder.generators, rest)
    given = 1000.0 * complex(case.generator_mva[hour, place])
    most = row.p_max_kw * float(run.availability[hour, place])
    cost = row.cost_per_mwh + row.slope_per_mw2h * given.real / 1000.0
    return why_card(
        f"{row.name}: {number(given.real, 1)} kW in {run.labels[hour]}",
        formula="*p* where α + β *p* = λ at its nodes, between its limits",
        values=[
            ("its marginal cost there", f"{number(cost, 2)} $/MWh"),
            ("limits", f"{number(row.p_min_kw)} to {number(most, 1)} kW"),
            ("reactive", f"{number(given.imag, 1)} kvar"),
            ("apparent", f"{number(abs(given), 1)} kVA" + (f" of {number(row.s_kva)}" if row.s_kva else "")),
        ],
        binds=bound_lines(run, case, hour),
        inputs=inputs_of(run),
        source="Least-cost dispatch: a generator between its limits runs where its marginal cost is its price",
    )


def svg(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why a static var generator gives what it does."""
    case, hour, place, row = open_device(run, at, run.feeder.compensators, rest)
    given = case.svg_kvar[hour, place]
    members = run.feeder.spread(row.phases)
    each = ", ".join(f"{member} {number(float(given[run.feeder.frame.index(member)]), 1)}" for member in members)
    return why_card(
        f"{row.name}: {number(float(given.sum()), 1)} kvar in {run.labels[hour]}",
        formula="*q*_φ where γ *q*_φ = λ^{q}_φ, |*q*_φ| ≤ *Q*_{max}",
        values=[
            ("by " + ("phase" if run.feeder.wires == "four" else "pair"), f"{each} kvar"),
            ("*Q*_{max}", f"{number(row.kvar, 1)} kvar on each"),
            ("γ", f"{number(run.question.reactive_slope_per_mvar2h)} $/Mvar²h"),
            ("case", case_said(case)),
        ],
        binds=bound_lines(run, case, hour),
        inputs=inputs_of(run),
        source="A static var generator gives reactive power on each phase by itself, at a cost that rises with it",
    )
