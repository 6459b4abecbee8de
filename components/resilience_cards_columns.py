"""Why the numbers of a column are what they are: cards of tables whose column is one concept, shared by its rows."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from components.format import count, number, percent
from components.resilience_cards import card, inputs_of
from components.resilience_words import METHODS, SETS, SOURCE, SOURCE_CVAR, SOURCE_SEARCH, At, dollars, mwh, planned_of
from components.skeleton import Part
from components.why_card import WhyInput, why_card
from engine.resilience.placement import gap

if TYPE_CHECKING:
    from engine.resilience.placement import Mark
    from engine.resilience.run import ResilienceRun


def quantile(run: "ResilienceRun", shocks: str, unit: str, level: float, listed: Sequence[Mapping[str, Any]]) -> Part:
    """Return the card of the column of a quantile, such as "q95", of the rows that are ``listed``."""
    probable = shocks == "train"
    size = len(run.case.scenarios) if probable else run.question.fresh
    what = "load not served" if unit == "MWh" else "cost of an event"
    name, digits = f"q{100 * level:g}", 3 if unit == "MWh" else 0
    values = [(row["plan"], f"{number(row[name], digits)} {unit}") for row in listed]
    return why_card(
        f"{percent(level, 0)} of the {SETS[shocks]} do not exceed it: {what}",
        formula=f"inf {{ *u* : P( *U* ≤ *u* ) ≥ {level:g} }}",
        values=[("shocks", f"{number(size)}{'' if probable else ', equally likely'}"),
                ("exceed it, at most", percent(1.0 - level, 0)), *values],
        inputs=inputs_of(run), source=SOURCE_CVAR,
        note="With few shocks beyond it a quantile is uncertain: of "
        f"{number(size)} shocks {number((1.0 - level) * size, 0 if size >= 100 else 1)} lie there.",
    )  # fmt: skip


def rolled(run: "ResilienceRun") -> dict[str, Part]:
    """Return the cards of the columns of shocks met without foresight, by their names."""
    found = run.rolled
    if found is None:
        return {}
    price = run.case.penalties.shed_per_mwh
    share = card(run, At(), "rolled")
    blind = "Each step solves what is left of the day under what is expected then, and its first step is done."
    seen = "Stage II of the whole shock, known from the start: no dispatch costs less."
    size = ("shocks", number(len(found.cost)))
    return {
        "cost": share,
        "known": why_card(
            "What a shock costs where it is known from the start",
            formula="*Q*_s( *y* ) = min { *q x* : stage II of the shock }",
            values=[size, ("in the mean", dollars(float(found.foresight_cost.mean())))],
            inputs=inputs_of(run), source=SOURCE, note=seen,
        ),
        "unserved": why_card(
            "Load not served in a shock, without foresight", formula="Δ Σ_t *sh*_t, of the steps as they were done",
            values=[size, ("in the mean", mwh(float(found.unserved_mwh.mean()), 3)),
                    ("price", f"{number(price)} $/MWh")],
            inputs=inputs_of(run), source="Receding horizon, one step done of each plan", note=blind,
        ),
        "known_unserved": why_card(
            "Load not served in a shock that is known", formula="Δ Σ_t *sh*_t",
            values=[size, ("in the mean", mwh(float(found.foresight_unserved_mwh.mean()), 3)),
                    ("price", f"{number(price)} $/MWh")],
            inputs=inputs_of(run), source=SOURCE, note=seen,
        ),
        "trips": why_card(
            "Steps in which generation trips", formula="Σ_t [ no dispatch keeps | *g*_t − *g*_{t−1} | ≤ *y r* Δ ]",
            values=[size, ("of all", number(float(found.trips.sum())))],
            inputs=inputs_of(run), source="An own rule of the dispatch without foresight",
            note="Where a line fails and the ramps of generators cannot follow, they trip: what they fed is gone at "
            "once.",
        ),
    }  # fmt: skip


def search(marks: Sequence["Mark"], inputs: Sequence[WhyInput]) -> dict[str, Part]:
    """Return the cards of the columns of a search's rounds, by their names; none before its first plan and bound."""
    known = [mark for mark in marks if math.isfinite(mark.objective) and math.isfinite(mark.bound)]
    if not known:
        return {}
    now = known[-1]
    values = [("round", number(now.round)), ("best plan", f"{dollars(now.objective)} a year"),
              ("bound", f"{dollars(now.bound)} a year"), ("gap", percent(now.gap, 3))]  # fmt: skip

    def of(title: str, formula: str, note: str) -> Part:
        return why_card(title, formula=formula, values=values, inputs=inputs, source=SOURCE_SEARCH, note=note)

    return {
        "objective": of(
            "The best plan that was found up to a round", "*F* = Σ *c* *y* + *N* · risk( *Q*( *y* ) )",
            "Each plan that a round proposes is solved for every shock; the cheapest of all so far is kept.",
        ),
        "bound": of(
            "What no plan can beat, as of a round", "min Σ *c* *y* + *N* · risk( θ ),  θ_s ≥ *a*_{sk} + *b*_{sk} *y*",
            "The least cost by the cuts so far, each of which lies below the cost of its shock for every plan. Plans "
            "in parts bound whole ones too.",
        ),
        "gap": of(
            "How far the best plan may be above the best there is", "( *F* − bound ) / *F*",
            "The search ends when it is below the gap that is asked.",
        ),
        "time": of(
            "When a round ended", "seconds by the clock since the search began",
            "Of one run on one machine: another takes another time.",
        ),
    }  # fmt: skip


def worst(run: "ResilienceRun") -> dict[str, Part]:
    """Return the cards of the columns of the worst distribution, by their names."""
    given, chosen = run.case.scenarios.probability, planned_of(run, At())
    file = bool(run.question.shocks_file)
    priced = run.case.penalties
    plan = ("plan", METHODS[chosen.method])
    return {
        "before": why_card(
            "The probability that a shock is given", formula="*p*^0_s" if file else "*p*^0_s = 1 / *S*",
            values=[("shocks", count(len(given), "shock")), ("largest", percent(float(given.max()), 2))],
            inputs=inputs_of(run), source="The file of shocks" if file else "Shocks are drawn, equally likely",
        ),
        "worst": card(run, At(), "worst"),
        "cost": why_card(
            "What a shock costs under the chosen plan", formula="*Q*_s( *y* ) = min { *q x* : stage II of the shock }",
            values=[plan, ("in the mean", dollars(float(given @ chosen.outcomes.cost))),
                    ("load not served", f"{number(priced.shed_per_mwh)} $/MWh")],
            inputs=inputs_of(run), source=SOURCE, note="A shock's own number above the drawing plays it step by step.",
        ),
        "unserved": why_card(
            "Load not served in a shock under the chosen plan", formula="Δ Σ_t *sh*_t",
            values=[plan, ("in the mean", mwh(float(given @ chosen.outcomes.unserved_mwh), 3)),
                    ("price", f"{number(priced.shed_per_mwh)} $/MWh")],
            inputs=inputs_of(run), source=SOURCE,
        ),
    }  # fmt: skip


def planned(run: "ResilienceRun", name: str, method: str) -> Part:
    """Return the card of the number of modules, the gap or the time of a plan; None where it was not searched for."""
    found = next(each for each in run.planned if each.method == method)
    if name == "count":
        return card(run, At(found.method), "modules")
    if found.status is None:
        return None
    if name == "time":
        return why_card(
            f"{number(found.time_s, 1)} s: the search for {METHODS[found.method]}",
            formula="seconds by the clock, from its first round to its last",
            values=[("gap then", percent(gap(found.own_objective, found.bound), 3)), ("ended", found.status.value)],
            inputs=inputs_of(run), source=SOURCE_SEARCH,
            note="Of one run on one machine. The other searches begin at the plan of the first and with its cuts.",
        )  # fmt: skip
    return card(run, At(), f"plan:bound:{method}")
