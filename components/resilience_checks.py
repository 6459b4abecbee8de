"""The Checks tab: what proves the answer, the worst distribution, what was assumed, and where it is from."""

from typing import TYPE_CHECKING, Any

import numpy as np
from dash import html

from components import resilience_cards_columns as columns_why
from components import resilience_export, resilience_ids
from components.format import number, percent
from components.hubs_tables import Rows, tabled
from components.resilience_cards import card
from components.resilience_cards_shock import both_ways_card
from components.resilience_words import At, dollars, planned_of, shock_words
from components.skeleton import Part, facts, section
from components.static import static
from components.tables import GridColumn
from engine.resilience.cases import assumptions
from engine.resilience.placement import gap

if TYPE_CHECKING:
    from engine.resilience.run import ResilienceRun

TAB = "checks"
_WORST = 12  # shocks of the worst distribution that are listed
_HAIR = 1e-6
_BOTH = "both"
_APART_PU = 0.02  # losses lower voltages by less on a feeder that keeps its limits


def content(run: "ResilienceRun", at: At) -> Part:
    """Return checks, the worst distribution, assumptions, provenance and the lines that run it again."""
    columns, listed = rows(run, at)
    faces = {
        (row, "found"): both_ways_card(run) if each["card"] == _BOTH else card(run, at, each["card"])
        for row, each in enumerate(listed)
    }
    known, page = run.provenance, resilience_ids.PAGE
    origin: list[tuple[Part, Part]] = [
        ("Case", html.Code(str(known["case_digest"])[:16])),
        ("Question", html.Code(str(known["question_digest"])[:16])),
        ("Seed", str(run.question.seed)),
        ("Solver", str(known["solver"])),
        ("Headroom", str(known["headroom"])),
        ("Computed", str(known["date"])),
        ("Time", f"{number(float(known['time_s']), 1)} s"),
    ]
    return html.Div(
        [
            tabled(TAB, "Checks", columns, listed, faces=faces, page=page),
            tabled("worst", "The worst distribution of the set", *worst(run), why=card(run, at, "worst"), page=page,
                   heads=columns_why.worst(run), note="Shocks whose probability it raises most."),
            static(
                html.Div(
                    [
                        section(
                            "What was assumed",
                            html.Ul([html.Li(line) for line in assumed(run)], className="hr-feeder-lines"),
                        ),
                        section("Where it is from", facts(origin)),
                        section(
                            "Again, in Python",
                            html.Pre(
                                resilience_export.code(run, {}),
                                className="hr-hubs-code",
                                tabIndex=0,
                                role="group",
                                **{"aria-label": "Python lines that run it again"},
                            ),
                        ),
                    ],
                    className="hr-feeder-columns",
                )
            ),
        ]
    )  # fmt: skip


def assumed(run: "ResilienceRun") -> tuple[str, ...]:
    """Return what was assumed for the case of a run, in sentences."""
    asked = run.question
    if asked.shocks_file or not asked.traces_file:
        return assumptions(run.case, None if asked.shocks_file else asked.model, asked.seed)
    fitted = f"Shocks are drawn with seed {asked.seed} from the model as it was fitted to the measured days of a file."
    return tuple(fitted if line.startswith("Shocks are ") else line for line in assumptions(run.case, None, asked.seed))


def rows(run: "ResilienceRun", _at: At) -> Rows:
    """Return columns and rows: each check with what it should be."""
    columns = [
        GridColumn("what", "Check"),
        GridColumn("found", "Found"),
        GridColumn("wanted", "Should be"),
        GridColumn("holds", "Holds"),
    ]
    chosen, told, ac = planned_of(run, At()), run.facts["risk"], run.facts["ac"]
    left = gap(chosen.own_objective, chosen.bound)
    both = max(float(each.outcomes.both_ways_mwh.max()) for each in run.planned)
    scale = max(abs(told["value"]), 1.0)
    found: list[dict[str, Any]] = [
        _row("Gap of the plan", percent(left, 3), f"at most {percent(run.question.gap, 3)}",
             left <= run.question.gap, "gap"),
        _row("Risk by its two forms, apart", f"{abs(told['gap']):.1e} $", f"at most {_HAIR:.0e} of it",
             abs(told["gap"]) <= _HAIR * scale, "risk"),
        _row("MWh charged while discharging, at most", number(both, 3) if both > _HAIR else "0",
             "0: a store works one way at a time", both <= _HAIR, _BOTH),
    ]  # fmt: skip
    if ac is not None:
        apart = ac["linear_lowest_pu"] - ac["lowest_pu"]
        flows = "converges" if ac["converged"] else "does not converge"
        found += [
            _row("AC power flow of the dearest shock's dispatch", flows, "converges", bool(ac["converged"]), "ac"),
            _row("Its lowest voltage, AC below linear", f"{number(apart, 4)} p.u.", "0 to 0.02 p.u.",
                 -_HAIR <= apart <= _APART_PU, "ac"),
        ]  # fmt: skip
        for words, name in (("Voltages outside their limits", "voltages"), ("Ratings exceeded", "ratings")):
            beyond = int(ac[f"{name}_beyond"])
            found.append(_row(f"{words} in AC", number(beyond), "0", not beyond, "ac"))
    vss = run.facts["vss"]
    slack = run.question.gap * max(*(abs(each.own_objective) for each in run.planned), 1.0)
    if vss is not None:
        found.append(_row("Value of planning for all shocks (VSS)", f"{dollars(float(vss))} a year",
                          "not below 0, but for the gap", float(vss) >= -slack, "vss"))  # fmt: skip
    evpi, robustness = run.facts.get("evpi"), run.facts.get("robustness")
    if evpi is not None:
        found.append(_row("Value of knowing each shock (EVPI)", f"{dollars(float(evpi))} a year",
                          "not below 0, but for the gap", float(evpi) >= -slack, "evpi"))  # fmt: skip
    if robustness is not None:
        found.append(_row("Price of robustness", f"{dollars(float(robustness))} a year",
                          "not below 0, but for the gap", float(robustness) >= -slack, "robustness"))  # fmt: skip
    return columns, found


def _row(what: str, found: str, wanted: str, holds: bool, why: str) -> dict[str, Any]:
    return {"what": what, "found": found, "wanted": wanted, "holds": "yes" if holds else "no", "card": why}


def worst(run: "ResilienceRun") -> Rows:
    """Return columns and rows: shocks whose probability the worst distribution raises most."""
    columns = [
        GridColumn("shock", "Shock"),
        GridColumn("before", "Probability", "%", "percent", digits=2),
        GridColumn("worst", "In the worst", "%", "percent", digits=2),
        GridColumn("cost", "Cost", "$", "number", digits=0),
        GridColumn("unserved", "Not served", "MWh", "number", digits=3),
    ]
    given, outcomes = run.case.scenarios.probability, planned_of(run, At()).outcomes
    order = np.argsort(given - run.worst, kind="stable")[:_WORST].tolist()
    return columns, [
        {"shock": shock_words(run, at), "select": f"shock:{at + 1}", "before": float(given[at]),
         "worst": float(run.worst[at]), "cost": float(outcomes.cost[at]), "unserved": float(outcomes.unserved_mwh[at])}
        for at in order
    ]  # fmt: skip
