"""Why each number of the Feeder page is what it is: formula, values, what binds, inputs, source.

``what`` names the number: "bill", "cost", "voltage", "deviation", "unbalance", "error", "violations",
"losses", "penalty", "surplus", "chance", "range", "certificate", "condition:NAME" (one of its four), "correction",
"tightened", "models" (of loads), "taps" (that move) and "spent on" (time) of the whole day, and of it "owed:CENTRE"
(bill), "used:CENTRE" (energy), "mean:CENTRE" (price), "lowest:CENTRE" (voltage); of the hour that is looked at
"supply", "spent" (cost), "lost", "kept" (surplus), "price:BUS:ab", "reactive:BUS:ab", "level:BUS:ab" (voltage),
"linear:BUS:ab", "vuf:BUS", "pvur:BUS", "apart:BUS:ab" (linear less AC), "load:BUS", "loading:LINK",
"current:LINK:a", "share:LINK:a" (of its rating), "rate:CENTRE" (price), "paid:CENTRE", "draw:CENTRE",
"computers:CENTRE", "battery:CENTRE", "output:GENERATOR", "svg:COMPENSATOR"; and "dual:PLACE" of a limit, by
its place among ``feeder_limits.limits``.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from dash import html

from components import feeder_cards_centre as of_centre
from components import feeder_cards_checks as of_checks
from components import feeder_cards_dual as of_dual
from components import feeder_cards_hour as of_hour
from components import feeder_cards_linear as of_linear
from components import feeder_cards_supply as of_supply
from components.feeder_batteries import battery_card, charging_words
from components.feeder_cards_parts import bound_lines
from components.feeder_layers import At, case_of, case_said, frame_words, hour_of, member_words, shape
from components.feeder_ranges import range_card
from components.feeder_words import (
    SOURCE_AC,
    SOURCE_CHECK,
    SOURCE_LINEAR,
    SOURCE_PAYMENT,
    inputs_of,
    method_words,
    money,
    small,
    takes_prices,
)
from components.format import count, number, percent
from components.skeleton import Part
from components.why_card import why_card
from engine.distribution.metrics import DEVIATION_PU

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

Card = Callable[["FeederRun", At, list[str]], Part]


def card(run: "FeederRun", at: At, what: str) -> Part:
    """Return the card of a number. Raises KeyError for a word that names none, ValueError for an element not there."""
    name, *rest = what.split(":")
    return _CARDS[name](run, at, rest)


def _bill(run: "FeederRun", at: At, _: list[str]) -> Part:
    case = case_of(run, at)
    active, reactive = float(case.bill_active.sum()), float(case.bill_reactive.sum())
    each = case.bill_active.sum(axis=0) + case.bill_reactive.sum(axis=0)
    return why_card(
        f"{money(active + reactive)} for {count(len(run.feeder.centres), 'data centre')}, {case_said(case)}",
        formula="Σ_t Σ_c ( λ_{ct} *X*_{ct} + λ^{q}_{ct} tan φ_c *X*_{ct} )",
        values=[
            ("active power", money(active)),
            ("reactive power", money(reactive)),
            *((row.name, money(float(paid))) for row, paid in zip(run.feeder.centres, each, strict=True)),
            ("draws decided by", method_words(run)),
            *_method_values(run, case),
        ],
        binds=bound_lines(run, case, None),
        inputs=inputs_of(run),
        source=SOURCE_PAYMENT,
    )


def _method_values(run: "FeederRun", case: "CaseRun") -> list[tuple[str, str]]:
    told = case.facts["method"]
    if "objective" not in told:
        return []
    bound = told["bound"]
    return [
        ("objective, delay included", money(told["objective"])),
        ("at the prices that cost most", money(told["payment_most"])),
        (
            "no less than, on the program that decided",
            money(bound) if bound is not None else "no bound",
        ),
        ("gap there", "not known" if told["gap"] is None else percent(max(told["gap"], 0.0), 3)),
        ("status", str(told["status"])),
        *_final_values(run, case),
    ]


_ORDINAL = ("first", "second", "third", "fourth", "fifth")


def _final_values(run: "FeederRun", case: "CaseRun") -> list[tuple[str, str]]:
    """Return what is proved of the same draws on the linearisation that the bill is of."""
    final = case.facts.get("final")
    if not final:
        return []
    return [
        ("the same draws on the program of the bill", money(final["objective"])),
        ("no draws cost less there than", money(final["bound"])),
        ("gap on the program of the bill", percent(max(final["gap"], 0.0), 3)),
        ("proved by", str(final["by"])),
        *(
            [("other draws at the prices of the bill would save", money(final["saving"]))]
            if "saving" in final and takes_prices(run)
            else []
        ),
        *_decision_values(case),
    ]


def _decision_values(case: "CaseRun") -> list[tuple[str, str]]:
    """Return how often the draws were decided, and which decision was kept."""
    decisions = case.facts.get("decisions") or []
    if len(decisions) < 2:
        return []
    kept = next(at for at, each in enumerate(decisions) if each["kept"])
    first = decisions[0]["objective"]
    return [
        ("decided", f"{len(decisions)} times, the {_ORDINAL[kept]} kept"),
        ("the first was worth at its own points", money(first)),
    ]


def _cost(run: "FeederRun", at: At, _: list[str]) -> Part:
    case = case_of(run, at)
    total = float(case.cost_per_h.sum())
    energy = float(run.price_per_mwh @ case.supply_mva.real)
    return why_card(
        f"Operator's cost: {money(total)}, {case_said(case)}",
        formula="Σ_t ( π_t *P*_{t} + Σ_g ( α_g *p*_{gt} + ½ β_g *p*_{gt}² ) + ½ γ Σ_{s,g} *q*_{t}² )",
        values=[
            ("bought at the substation", f"{number(float(case.supply_mva.real.sum()), 3)} MWh, {money(energy)}"),
            ("generators and reactive power", money(total - energy)),
            ("charged for limits exceeded, not in it", money(float(case.penalty_per_h.sum()))),
            ("γ, $/Mvar²h", number(run.question.reactive_slope_per_mvar2h, 0)),
            ("certificate, worst of its four", small(max(case.facts["certificate"].values()))),
        ],
        binds=bound_lines(run, case, None),
        inputs=inputs_of(run),
        source="Least-cost dispatch of the linear flow by HiGHS, optimality conditions checked in every hour",
    )


def _voltage(run: "FeederRun", at: At, _: list[str]) -> Part:
    case = case_of(run, at)
    inner = [place for place, (bus, _) in enumerate(shape(run).nodes) if bus != run.feeder.source_bus]
    size = np.abs(case.phasors[:, inner])
    hour, column = np.unravel_index(int(size.argmin()), size.shape)
    bus, member = shape(run).nodes[inner[int(column)]]
    found = float(size[hour, column])
    linear = float(case.voltage_pu[hour, inner[int(column)]])
    return why_card(
        f"{number(found, 3)} p.u. at bus {bus}, {member_words(run.feeder, member)}, {run.labels[int(hour)]}, "
        f"{case_said(case)}",
        formula="min_{n,t} |*V*_{nt}|",
        values=[
            ("least allowed", f"{number(run.feeder.v_min_pu, 3)} p.u. {frame_words(run.feeder)}"),
            ("by the linear model", f"{number(linear, 5)} p.u."),
            ("its error there", f"{number(linear - found, 6)} p.u."),
            ("nodes and hours", f"{number(size.shape[1])} × {number(size.shape[0])}"),
        ],
        binds=bound_lines(run, case, int(hour)),
        inputs=inputs_of(run),
        source=SOURCE_AC,
    )


def _deviation(run: "FeederRun", at: At, _: list[str]) -> Part:
    case = case_of(run, at)
    inner = [place for place, (bus, _) in enumerate(shape(run).nodes) if bus != run.feeder.source_bus]
    off = np.maximum(np.abs(np.abs(case.phasors[:, inner]) - 1.0) - DEVIATION_PU, 0.0)
    hour, column = np.unravel_index(int(off.argmax()), off.shape)
    bus, member = shape(run).nodes[inner[int(column)]]
    values = [
        ("counts from", f"{number(DEVIATION_PU, 2)} p.u. off 1"),
        ("nodes and hours that count", f"{number(int((off > 0.0).sum()))} of {number(off.size)}"),
        (f"in {run.labels[hour_of(run, at)]}", f"{number(float(case.deviation[hour_of(run, at)]), 4)} p.u."),
    ]
    if off.size and off[hour, column] > 0.0:
        where = f"bus {bus}, {member_words(run.feeder, member)}, {run.labels[int(hour)]}"
        values.append(("most of one node", f"{number(float(off[hour, column]), 4)} p.u. at {where}"))
    return why_card(
        f"Voltages are {number(float(case.deviation.sum()), 3)} p.u. off over the day, {case_said(case)}",
        formula="Σ_t Σ_n max( 0, | |*V*_{nt}| − 1 | − 0.05 )",
        values=values,
        binds=bound_lines(run, case, None),
        inputs=inputs_of(run),
        source=SOURCE_AC,
        note="A sum over all nodes beyond the source and all hours: it compares cases of one feeder, not feeders.",
    )


def _unbalance(run: "FeederRun", at: At, _: list[str]) -> Part:
    case = case_of(run, at)
    if not case.vuf.size:
        return why_card("No unbalance", note="No bus of this feeder has all three phases.", inputs=inputs_of(run))
    hour, place = np.unravel_index(int(case.vuf.argmax()), case.vuf.shape)
    return of_linear.unbalance_of(run, case, int(hour), int(place))


def _error(run: "FeederRun", at: At, _: list[str]) -> Part:
    case = case_of(run, at)
    error = np.abs(case.error_pu)
    hour, place = np.unravel_index(int(error.argmax()), error.shape)
    bus, member = shape(run).nodes[int(place)]
    last = case.facts["rounds"][-1]
    steps: Any = html.Span([part for each in last["error_pu"] for part in (small(each), ", ")][:-1])
    return why_card(
        [
            small(float(error.max()), "p.u."),
            f" at bus {bus}, {member_words(run.feeder, member)}, {run.labels[int(hour)]}, {case_said(case)}",
        ],
        formula="max_{n,t} | √*v*_{nt} − |*V*_{nt}| |",
        values=[
            ("linear √*v*", f"{number(float(case.voltage_pu[hour, place]), 6)} p.u."),
            ("AC |*V*|", f"{number(float(abs(case.phasors[hour, place])), 6)} p.u."),
            ("before corrections, then after each, p.u.", steps),
            ("regulators", "at fixed ratios"),
        ],
        inputs=inputs_of(run),
        source=SOURCE_LINEAR,
        note="Angles and losses of the linear model are taken at an AC solution, and again at that of its answer: the "
        "last number says that this has settled, the first how near the linear flow is without it.",
    )


def _violations(run: "FeederRun", at: At, _: list[str]) -> Part:
    case = case_of(run, at)
    linear, flags = len(case.facts["violations"]), len(case.facts["flags"])
    return why_card(
        f"{count(linear + flags, 'limit')} exceeded, {case_said(case)}",
        formula="|exceeded in the linear model| + |flagged by AC alone|",
        values=[
            ("exceeded at the stated price", number(linear)),
            ("flagged: AC breaks what the linear model keeps", number(flags)),
            ("price of exceeding, $/MWh", number(run.question.limit_price_per_mwh)),
            ("charged", money(float(case.penalty_per_h.sum()))),
            ("rounds", number(len(case.facts["rounds"]))),
        ],
        binds=bound_lines(run, case, None),
        inputs=inputs_of(run),
        source=SOURCE_CHECK,
        note=" ".join(
            [
                "A voltage counts from 0.0001 p.u. beyond its limit, a current from 0.1 % above the rating.",
                charging_words(run, case),
                *of_linear.flagged_words(run, case),
            ]
        ).strip(),
    )


def _losses(run: "FeederRun", at: At, _: list[str]) -> Part:
    case = case_of(run, at)
    ac, linear = float(case.loss_ac_mva.real.sum()), float(case.loss_mva.real.sum())
    supplied = float(case.supply_mva.real.sum() + case.generator_mva.real.sum())
    return why_card(
        f"Losses: {number(ac, 3)} MWh, {case_said(case)}",
        formula="Σ_t ( *P*_{t} + Σ_g *p*_{gt} − Σ drawn )",
        values=[
            ("in AC", f"{number(ac, 4)} MWh"),
            ("by the linear model", f"{number(linear, 4)} MWh"),
            ("share of what is fed in", percent(ac / supplied, 2) if supplied else "not known"),
        ],
        inputs=inputs_of(run),
        source=SOURCE_AC,
    )


def _penalty(run: "FeederRun", at: At, _: list[str]) -> Part:
    case = case_of(run, at)
    return why_card(
        f"Charged for limits exceeded: {money(float(case.penalty_per_h.sum()))}, {case_said(case)}",
        formula="Σ_t *c* Σ ( excess of flows, MW ) + *c*_v Σ ( excess of |*V*|² )",
        values=[
            ("*c*, $/MWh", number(run.question.limit_price_per_mwh)),
            ("*c*_v, $/h for each p.u.²", number(float(case.facts["voltage_price_per_pu2"]))),
            ("limits exceeded", number(len(case.facts["violations"]))),
        ],
        inputs=inputs_of(run),
        source="A limit may be exceeded at a stated price, so that a day always has an answer and tells what it breaks",
        note=charging_words(run, case) or None,
    )


def _surplus(run: "FeederRun", at: At, _: list[str]) -> Part:
    case = case_of(run, at)
    return why_card(
        f"Operator's surplus: {money(float(case.surplus_per_h.sum()))}, {case_said(case)}",
        formula="Σ_t ( Σ_n λ_{nt} *d*_{nt} − λ_{0t} *P*_{t} )",
        values=[(run.labels[hour], money(float(case.surplus_per_h[hour]))) for hour in [hour_of(run, at)]],
        binds=bound_lines(run, case, hour_of(run, at)),
        inputs=inputs_of(run),
        source="What withdrawals pay at their nodes less what sources are paid: earned by losses and by limits",
    )


def _chance(run: "FeederRun", at: At, _: list[str]) -> Part:
    case = case_of(run, at)
    told = case.facts["scenarios"]
    if not told:
        return why_card("No scenarios", note="The question asks for none.", inputs=inputs_of(run))
    low, high = told["interval"]
    return why_card(
        f"{percent(told['day_chance'], 1)} of {count(told['count'], 'scenario')} break a limit in AC",
        formula="*k* / *S*, Wilson's interval at 95 %",
        values=[
            ("interval", f"{percent(low, 1)} to {percent(high, 1)}"),
            ("hour with the largest chance", f"{percent(float(case.hour_chance.max()), 1)}, "
             f"{run.labels[int(case.hour_chance.argmax())]}"),
            ("work is off by", percent(run.question.work_deviation)),
            ("sun is off by", percent(run.question.sun_deviation)),
            ("without an AC solution", count(told["failed"], "flow")),
            ("seed", number(told["seed"])),
        ],
        inputs=inputs_of(run),
        source="Wilson, J. Am. Stat. Assoc. 22, 1927; each scenario and hour in OpenDSS",
        note="The deviations are assumed, not measured; set points stay, the substation makes up the rest.",
    )  # fmt: skip


_CARDS: Mapping[str, Card] = {
    "bill": _bill,
    "cost": _cost,
    "voltage": _voltage,
    "deviation": _deviation,
    "unbalance": _unbalance,
    "error": _error,
    "violations": _violations,
    "losses": _losses,
    "penalty": _penalty,
    "surplus": _surplus,
    "chance": _chance,
    "price": of_hour.price,
    "reactive": of_hour.reactive,
    "level": of_hour.level,
    "linear": of_linear.linear,
    "pvur": of_linear.pvur,
    "apart": of_linear.apart,
    "vuf": of_hour.vuf,
    "loading": of_hour.loading,
    "paid": of_hour.paid,
    "draw": of_hour.draw,
    "battery": battery_card,
    "computers": of_hour.computers,
    "output": of_hour.output,
    "svg": of_hour.svg,
    "range": lambda run, at, _: range_card(run, case_of(run, at)),
    "supply": of_supply.supply,
    "spent": of_supply.cost,
    "lost": of_supply.losses,
    "kept": of_supply.surplus,
    "load": of_supply.load,
    "current": of_supply.current,
    "share": of_supply.share,
    "dual": of_dual.dual,
    "rate": of_centre.price,
    "owed": of_centre.bill,
    "used": of_centre.energy,
    "mean": of_centre.mean_price,
    "lowest": of_centre.lowest,
    "certificate": of_checks.certificate,
    "correction": of_checks.correction,
    "tightened": of_checks.tightened,
    "models": of_checks.models,
    "condition": of_checks.condition,
    "taps": of_checks.taps,
    "spent on": of_checks.spent,
}
