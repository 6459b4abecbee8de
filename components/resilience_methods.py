"""The Methods tab: plans by every method, against rules of thumb, on their own shocks and on others."""

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dash import html

from components import resilience_cards_columns as columns_why
from components import resilience_ids, resilience_rules
from components.format import signed
from components.hubs_tables import Rows, tabled
from components.resilience_cards import METRICS, UNITS, apart, card, judged, metrics_of
from components.resilience_words import METHODS, NOTES, SETS, At
from components.skeleton import Part
from components.tables import GridColumn
from engine.resilience.compare import CHOSEN
from engine.resilience.evaluation import LEVEL
from engine.resilience.placement import gap

if TYPE_CHECKING:
    from engine.resilience.run import ResilienceRun

TAB = "methods"
_HEADS = {
    "mean_cost": "Mean cost", "cvar_cost": "Cost, worst 5 %", "worst_cost": "Worst cost", "eens_mwh": "Not served",
    "var_unserved_mwh": "Not served, 95 %", "cvar_unserved_mwh": "Not served, worst 5 %",
    "worst_unserved_mwh": "Not served, worst", "shedding": "Events with any", "imbalance_mwh": "Import off schedule",
    "restoration_cost": "Restoration", "lowest_pu": "Lowest voltage", "highest_pu": "Highest voltage",
    "year": "Year in the mean",
}  # fmt: skip


@lru_cache(maxsize=4)
def _tables(run: "ResilienceRun") -> Part:
    """Return the tables with their hundreds of cards, which are the same whatever is looked at."""
    return _made(run, At())


def content(run: "ResilienceRun", _at: At) -> Part:
    """Return what is found in words, the plans, their metrics on each set of shocks, and what tells them apart."""
    return _tables(run)


def _made(run: "ResilienceRun", at: At) -> Part:
    """Return what is found in words, the plans, their metrics on each set of shocks, and what tells them apart."""
    page = resilience_ids.PAGE
    plan_columns, plan_rows = plans(run)
    columns, listed = rows(run, at)
    faces = {
        (row, name): card(run, at, f"metric:{name}:{each['method']}:{each['set']}")
        for row, each in enumerate(listed)
        for name in METRICS
    }
    of_plans = {
        (row, name): card(run, at, f"plan:{name}:{each['method']}")
        for row, each in enumerate(plan_rows)
        for name in ("capital", "objective", "bound")
        if name != "bound" or each["bound"] is not None
    } | {
        (row, name): columns_why.planned(run, name, each["method"])
        for row, each in enumerate(plan_rows)
        for name in ("count", "gap", "time")
        if name == "count" or each["bound"] is not None
    }
    other_columns, others = differences(run)
    rule_columns, rules = resilience_rules.rows(run)
    apart_faces = {
        (row, f"{name}{which}"): card(run, at, f"apart:{each['method']}:{each['set']}:{name}")
        for row, each in enumerate(others)
        for name in ("tail", "mean")
        for which in ("", "_range")
    }
    return html.Div(
        [
            html.P(story(run), className="hr-feeder-told"),
            html.P(ruled, className="hr-feeder-told") if (ruled := resilience_rules.story(run)) else None,
            tabled("plans", "Plans by method", plan_columns, plan_rows, faces=of_plans, page=page,
                   note="All by the aim of the question; the bound is of each method's own."),
            tabled("rules", "Plans against rules of thumb", rule_columns, rules, faces=resilience_rules.cards(run),
                   page=page, note="Each plan on its own shocks and by its own aim, that for the mean shock on "
                   "that one. A rule has the modules of CVaR in doubt, elsewhere.")
            if rules
            else None,
            tabled(TAB, "What each plan does", columns, listed, faces=faces, page=page,
                   note="Per event. Fresh shocks are of the same model, shifted ones larger, of a heavier tail and "
                   "otherwise correlated."),
            tabled("apart", "Load not served less that of the risk-neutral plan", other_columns, others,
                   faces=apart_faces, page=page, note=f"Intervals of {LEVEL:.0%}, pair by pair on the same shocks.")
            if others
            else None,
        ]
    )  # fmt: skip


def story(run: "ResilienceRun") -> str:
    """Return what the doubt is worth on shifted shocks, as it was found."""
    found = apart(run, CHOSEN, "shifted", tail=True)
    if found is None:
        return "Plans are told by the shocks they were made for; others have not been tried."
    first, second = run.of(CHOSEN), run.of("risk neutral")
    if first is not None and second is not None and (first.plan == second.plan).all():
        return "The plan in doubt is the risk-neutral one here: doubt changes nothing."
    told = (
        f"On shifted shocks the plan in doubt differs from the risk-neutral one by {signed(found.value, 4)} MWh not "
        f"served in the worst 5 % ({signed(found.low, 4)} to {signed(found.high, 4)})"
    )
    words = {"lower": "it is lower", "higher": "it is higher", "not told apart": "the two are not told apart"}
    return f"{told}: {words[judged(found)]}."


def plans(run: "ResilienceRun") -> Rows:
    """Return columns and rows, a row for each plan."""
    columns = [
        GridColumn("plan", "Plan"),
        GridColumn("count", "Modules", "", "number", digits=0),
        GridColumn("capital", "Capital", "$ a year", "number", digits=0),
        GridColumn("objective", "Objective", "$ a year", "number", digits=0),
        GridColumn("bound", "Bound, its own aim", "$ a year", "number", digits=0),
        GridColumn("gap", "Gap", "%", "percent", digits=2),
        GridColumn("time", "Time", "s", "number", digits=1),
        GridColumn("status", "Search"),
        GridColumn("told", "What it is"),
    ]
    found: list[dict[str, Any]] = []
    for each in run.planned:
        searched = each.status is not None and math.isfinite(each.bound)
        known = metrics_of(run, each.method, "train")
        found.append({
            "method": each.method, "plan": METHODS[each.method], "count": int(each.plan.sum()),
            "capital": None if known is None else known.capital, "objective": each.objective,
            "bound": each.bound if searched else None, "gap": gap(each.own_objective, each.bound) if searched else None,
            "time": each.time_s if searched else None,
            "status": "none" if each.status is None else each.status.value, "told": NOTES[each.method],
        })  # fmt: skip
    return columns, found


def rows(run: "ResilienceRun", _at: At) -> Rows:
    """Return columns and rows: one row for each plan on each set of shocks."""
    columns = [
        GridColumn("plan", "Plan"),
        GridColumn("shocks", "Shocks"),
        *(
            GridColumn(name, head, UNITS[name], "percent" if UNITS[name] == "%" else "number",
                       digits={"$": 0, "$ a year": 0, "%": 1, "p.u.": 3}.get(UNITS[name], 3))
            for name, head in _HEADS.items()
        ),
    ]  # fmt: skip
    found: list[dict[str, Any]] = []
    for shocks in SETS:
        for each in run.planned:
            told = metrics_of(run, each.method, shocks)
            if told is not None:
                found.append(
                    {"method": each.method, "set": shocks, "plan": METHODS[each.method], "shocks": SETS[shocks]}
                    | {name: float(getattr(told, name)) for name in METRICS}
                )
    return columns, found


def differences(run: "ResilienceRun") -> Rows:
    """Return columns and rows: each plan less the risk-neutral one on shocks that neither was made for."""
    columns = [
        GridColumn("plan", "Plan"),
        GridColumn("shocks", "Shocks"),
        GridColumn("tail", "Worst 5 %", "MWh", "number", digits=4),
        GridColumn("tail_range", "Interval"),
        GridColumn("tail_told", "It is"),
        GridColumn("mean", "Mean", "MWh", "number", digits=4),
        GridColumn("mean_range", "Interval"),
        GridColumn("mean_told", "It is"),
    ]
    found: list[dict[str, Any]] = []
    for shocks in ("fresh", "shifted"):
        for each in run.planned:
            if each.method == "risk neutral":
                continue
            tail, mean = (apart(run, each.method, shocks, tail=which) for which in (True, False))
            if tail is None or mean is None:
                continue
            found.append({
                "method": each.method, "set": shocks, "plan": METHODS[each.method], "shocks": SETS[shocks],
                "tail": tail.value, "tail_range": f"{signed(tail.low, 4)} to {signed(tail.high, 4)}",
                "tail_told": judged(tail), "mean": mean.value,
                "mean_range": f"{signed(mean.low, 4)} to {signed(mean.high, 4)}", "mean_told": judged(mean),
            })  # fmt: skip
    return columns, found
