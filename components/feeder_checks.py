"""The Checks tab: how far the answer can be trusted. Certificate, AC rounds, limits, scenarios, assumptions."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from dash import html

from components.feeder_batteries import charging_words
from components.feeder_cards import card
from components.feeder_cards_checks import CERTIFIED, CONDITIONS
from components.feeder_cards_linear import flagged_words
from components.feeder_layers import At, case_key, case_of, case_said, case_words, hour_of
from components.feeder_limits import SMALL_DIGITS, Limit, limits
from components.feeder_models import models_table, taps_words
from components.feeder_tables import reasons, tabled
from components.feeder_words import inputs_of, method_words, money, small, takes_prices
from components.format import count, duration, number, percent, sentence
from components.skeleton import Part, facts
from components.tables import GridColumn
from components.why_card import why_number

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

TAB = "checks"
_SAVING = GridColumn("saving", "Could save", "$", "number", digits=2, help="By other draws at the prices of the bill")
_STATES = {"binds": "binds", "exceeded": "exceeded in AC", "flagged": "flagged: AC alone exceeds it"}


def place() -> Part:
    """Return nothing: this tab has no chart."""
    return None


def content(run: "FeederRun", at: At) -> Part:
    """Return everything that was checked and assumed, both cases one beside the other."""
    columns, listed = rows(run, at)
    words = (
        "Every limit with a dual, which is what an hour's cost falls by when it gives way, and every one that is "
        "exceeded in AC, hour by hour. That of a rating is of all its conductors together."
    )
    return html.Div(
        [
            html.Div([_case(run, case) for case in run.cases], className="hr-feeder-columns"),
            html.H3("Limits that bind or are exceeded"),
            _duals(run, at, words),
            tabled(
                TAB, "Limits that bind or are exceeded", columns, listed, why=card(run, at, "violations"), faces=_FACES
            ),
            html.Div(
                [
                    html.Div([html.H3("Assumed"), _list(run.provenance.get("assumptions", ()))]),
                    html.Div([html.H3("Where it comes from"), facts(_provenance(run))]),
                ],
                className="hr-feeder-columns",
            ),
        ],
        className="hr-feeder-checks-body",
    )


def _duals(run: "FeederRun", at: At, words: str) -> Part:
    """Return what the table tells, and the card of a dual: of what is selected, else of the first in the table."""
    found = [
        (case, place_, each)
        for case in run.cases
        for place_, each in enumerate(limits(run, case))
        if each.dual is not None
    ]
    if not found:
        return html.P(words, className="hr-muted hr-feeder-told")
    hour, case_ = hour_of(run, at), case_of(run, at)
    near = [one for one in found if one[2].chosen == at.selection]
    # Of what is selected, the hour and the case that are looked at where it binds there.
    near.sort(key=lambda one: (one[2].hour != hour, one[0] is not case_))
    case, place_, each = (near or found)[0]
    element = f"{each.element}{f' on {each.member}' if each.member else ''}, {run.labels[each.hour]}, {case_said(case)}"
    why = card(run, At(case_key(case), each.hour), f"dual:{place_}")  # type: ignore[arg-type]
    return reasons(TAB, words, element, {f"its dual, {each.worth}": why})


def rows(run: "FeederRun", at: At) -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows: one for each case, hour and limit; all cases, whichever is looked at."""
    del at
    columns = [
        GridColumn("element", "Bus, link or device", width=120),
        GridColumn("what", "Which limit", width=160),
        GridColumn("member", "On", width=70),
        GridColumn("hour", "Hour", width=90),
        GridColumn("case", "Case", width=110),
        GridColumn("value", "Value", "", "number", digits=4, help="In AC; of devices their set point"),
        GridColumn("limit", "Limit", "", "number", digits=3),
        GridColumn("unit", "Unit", width=120),
        GridColumn("dual", "Dual", "", "number", digits=2),
        GridColumn("dual_unit", "Its unit", width=120),
        GridColumn("state", "State", width=200),
    ]
    found = [
        {
            "element": each.element, "member": each.member, "hour": run.labels[each.hour], "case": case_words(case),
            "value": each.value, "limit": each.limit, "value_said": number(each.value, _digits(each)),
            "limit_said": number(each.limit, min(_digits(each), 3)), "state": _STATES[each.state], "dual": each.dual,
            "unit": _UNITS.get(each.unit, each.unit), "dual_unit": each.dual_unit,
            "what": each.what or _WHAT[each.kind], "select": each.chosen,
            "marks": "" if each.state == "binds" else "hr-feeder-over",
        }
        for case in run.cases
        for each in limits(run, case)
    ]  # fmt: skip
    return columns, found


def _digits(each: Limit) -> int:
    """Return how many decimals the value of a limit carries: of devices those that its sentence has."""
    return SMALL_DIGITS.get(each.unit, 2) if each.kind == "device" else 4


_FACES = {"value": "value_said", "limit": "limit_said"}
_UNITS = {"rating": "of its rating", "mean": "off the mean of its bus"}
_WHAT = {"bus": "voltage", "link": "rating", "device": ""}


def _case(run: "FeederRun", case: "CaseRun") -> Part:
    told = case.facts
    parts: list[Part] = [html.H3(sentence(case_said(case)))]
    flags, broken = told["flags"], told["violations"]
    beyond = [each for each in limits(run, case) if each.state != "binds"]
    good = not flags and not broken and not beyond
    words = (
        "AC keeps every limit of voltages, lines and transformers in every hour."
        if good
        else f"{count(len(flags), 'limit')} flagged by AC, {count(len(broken), 'limit')} exceeded at the stated price; "
        f"{count(len(beyond), 'limit')} exceeded in AC, hour by hour."
    )
    # Counts open their card; that every limit holds is no number.
    told_words: Part = words if good else _why(run, case, "violations", words)
    parts.append(html.P(told_words, className="hr-feeder-told hr-sign-" + ("fine" if good else "binding")))
    parts += [facts(_facts(run, case)), _rounds(run, case), _decisions(run, case), models_table(run, case)]
    parts += [html.P(line, className="hr-feeder-told hr-feeder-mark") for line in flagged_words(run, case)]
    if broken:
        parts.append(_broken(run, case))
    if told["scenarios"]:
        parts.append(_scenarios(run, case))
    if told["beyond_models"]:
        lines = [f"{hour}: {', '.join(names)}" for hour, names in told["beyond_models"].items()]
        parts += [
            html.P("Voltages beyond what load models of OpenDSS are made for: there it takes another model.",
                   className="hr-feeder-mark"),
            _list(lines),
        ]  # fmt: skip
    if notes := told["method"].get("notes"):
        parts.append(_list([f"{told['method']['name']}: {note}" for note in notes]))
    return html.Div(parts)


def _why(run: "FeederRun", case: "CaseRun", what: str, text: Part, name: str = "") -> Part:
    """Return a number of the list that says why; ``name`` tells it from others of the same card."""
    key, told = case_key(case), name or what.replace(":", " ").replace("_", " ")
    one = card(run, At(key), what)  # type: ignore[arg-type]
    place_ = told.replace(" ", "-")
    return why_number(f"feeder-why-{place_}-{key}", text, one, label=f"{told}, {case_said(case)}")


def _facts(run: "FeederRun", case: "CaseRun") -> list[tuple[Part, Part]]:
    told = case.facts
    worst = max(told["certificate"].values())
    held = "holds" if worst <= CERTIFIED else "does not hold"
    found: list[tuple[Part, Part]] = [
        ("Optimality conditions of every hour", _why(run, case, "certificate", [f"{held}, worst ", small(worst)])),
        *((sentence(words), _why(run, case, f"condition:{name}", small(told["certificate"][name])))
          for name, (words, _) in CONDITIONS.items()),
        ("Largest error of the linear voltages",
         _why(run, case, "error", small(float(np.abs(case.error_pu).max()), "p.u."))),
        ("Correction that was kept", _why(run, case, "correction", number(told["correction_kept"]))),
        ("Limits tightened", _why(run, case, "tightened", _tightened(case))),
        ("Voltages beyond load models of OpenDSS", "in no hour" if not told["beyond_models"] else
         f"in {count(len(told['beyond_models']), 'hour')}"),
        ("Solver", str(told["solver"])),
        ("Time", _why(run, case, "spent on", duration(float(told["time_s"])))),
    ]  # fmt: skip
    free = told["regulators_free"]
    if free:
        found.append(("Regulators that move their taps change a voltage by", _why(run, case, "taps", taps_words(free))))
    else:
        found.append(("Regulators", "at fixed ratios; taps that move were not asked for"))
    if told["scenarios"]:
        low, high = told["scenarios"]["interval"]
        chance = percent(told["scenarios"]["day_chance"], 1)
        found.append(
            (f"Break a limit, of {count(told['scenarios']['count'], 'scenario')}",
             _why(run, case, "chance", f"{chance} ({percent(low, 1)} to {percent(high, 1)})"))
        )  # fmt: skip
        failed = _why(run, case, "chance", number(told["scenarios"]["failed"]), "flows without an AC solution")
        found.append(("Scenario flows without an AC solution", failed))
    else:
        found.append(("Scenarios of work and sun", "none were asked for"))
    return found


def _tightened(case: "CaseRun") -> str:
    nodes = int((case.margin_pu > 0.0).sum())
    links = len(case.facts["rating_share"])
    if not nodes and not links:
        return "none: the first answer kept them in AC"
    most = float(case.margin_pu.max(initial=0.0))
    return f"{count(nodes, 'voltage')} by at most {number(most, 4)} p.u., {count(links, 'rating')}"


def _rounds(run: "FeederRun", case: "CaseRun") -> Part:
    columns = [
        GridColumn("round", "Round", width=80),
        GridColumn("before", "Error before corrections", "10⁻⁶ p.u.", "number", digits=1),
        GridColumn("error", "Error after", "10⁻⁶ p.u.", "number", digits=1),
        GridColumn("flags", "Flags", "", "number", digits=0),
        GridColumn("exceeded", "Exceeded", "", "number", digits=0),
        GridColumn("cost", "Cost", "$", "number", digits=2),
    ]
    listed = [
        {"round": str(place_ + 1), "before": 1e6 * each["error_pu"][0] if each["error_pu"] else None,
         "error": 1e6 * each["final_error_pu"], "flags": each["flags"], "exceeded": each["violations"],
         "cost": each["cost"]}
        for place_, each in enumerate(case.facts["rounds"])
    ]  # fmt: skip
    asked = run.question.ac_rounds
    note = f"{count(len(listed), 'round')}; at most {count(asked, 'further round')} asked."
    one = At(case_key(case))  # type: ignore[arg-type]
    return tabled(f"rounds-{case_key(case)}", f"AC rounds, {case_said(case)}", columns, listed,
                  why=card(run, one, "error"), note=note)  # fmt: skip


def _decisions(run: "FeederRun", case: "CaseRun") -> Part:
    """Return the decisions of the draws, each judged at the operating points of its own bill; None for one or none."""
    told = case.facts.get("decisions") or []
    if len(told) < 2:
        return None
    columns = [
        GridColumn("decision", "Decision", width=80),
        GridColumn("objective", "Aggregator pays", "$", "number", digits=2),
        GridColumn("bound", "Bound", "$", "number", digits=2, help="No draws pay less there"),
        GridColumn("gap", "Gap", "%", "number", digits=3),
        GridColumn("by", "Proved by", width=120),
        *([_SAVING] if takes_prices(run) else []),
        GridColumn("flags", "Flags", "", "number", digits=0),
        GridColumn("kept", "Kept", width=70),
    ]
    listed = [
        {"decision": str(at + 1), "objective": each["objective"], "bound": each["bound"],
         "gap": 100.0 * max(each["gap"], 0.0), "by": each["by"], "saving": each.get("saving"), "flags": each["flags"],
         "kept": "kept" if each["kept"] else ""}
        for at, each in enumerate(told)
    ]  # fmt: skip
    note = (
        "Each at the AC solutions of its own draws. A decision where a limit begins to bind may be a hair beyond it "
        "there, at the price of exceeding it; the further ones stay a little off all limits."
    )
    if takes_prices(run):
        note += (
            " Prices are those after the draws: where losses are dearest at the place that draws, draws chosen at one "
            "linearisation are not quite the best at the prices of the next, and what they could save says by how much."
        )
    label = f"Draws decided again, {case_said(case)}"
    one = At(case_key(case))  # type: ignore[arg-type]
    return tabled(f"decisions-{case_key(case)}", label, columns, listed, why=card(run, one, "bill"), note=note)


def _scenarios(run: "FeederRun", case: "CaseRun") -> Part:
    columns = [
        GridColumn("hour", "Hour", width=90),
        GridColumn("chance", "Break a limit", "%", "number", digits=1),
        GridColumn("low", "Lowest voltage", "p.u.", "number", digits=3),
        GridColumn("high", "Highest voltage", "p.u.", "number", digits=3),
    ]
    low, high = case.extremes_pu
    listed = [
        {
            "hour": label, "chance": 100.0 * float(case.hour_chance[hour]),
            "low": float(np.nanmin(low[:, hour], initial=np.inf)),
            "high": float(np.nanmax(high[:, hour], initial=-np.inf)),
            "marks": "hr-feeder-over" if case.hour_chance[hour] > 0 else "",
        }
        for hour, label in enumerate(run.labels)
    ]  # fmt: skip
    one = At(case_key(case))  # type: ignore[arg-type]
    label = f"Scenarios of work and sun, {case_said(case)}"
    note = "Lowest and highest of all scenarios, in AC."
    return tabled(f"scenarios-{case_key(case)}", label, columns, listed, why=card(run, one, "chance"), note=note)


def _broken(run: "FeederRun", case: "CaseRun") -> Part:
    columns = [
        GridColumn("element", "Bus or link", width=120),
        GridColumn("phase", "On", width=70),
        GridColumn("hour", "Hour", width=90),
        GridColumn("value", "Value", "", "number", digits=4),
        GridColumn("limit", "Limit", "", "number", digits=4),
        GridColumn("unit", "Unit"),
    ]
    listed = [
        {**{name: each[name] for name in ("element", "phase", "value", "limit", "unit")},
         "hour": run.labels[each["hour"]]}
        for each in case.facts["violations"]
    ]  # fmt: skip
    one = At(case_key(case))  # type: ignore[arg-type]
    label = f"Exceeded in the linear model at the stated price, {case_said(case)}"
    return tabled(f"broken-{case_key(case)}", label, columns, listed, why=card(run, one, "penalty"),
                  note=charging_words(run, case))  # fmt: skip


def _provenance(run: "FeederRun") -> list[tuple[Part, Part]]:
    told: Mapping[str, Any] = run.provenance
    return [
        ("Feeder", f"{run.feeder.name}, {count(len(run.feeder.buses), 'bus', 'buses')}"),
        ("Its numbers", str(told.get("origin", "")) or "not told"),
        ("Draws decided by", method_words(run)),
        ("Optimiser", str(told.get("solver", ""))),
        ("AC power flow", str(told.get("ac", ""))),
        ("Seed of the day", number(float(told.get("seed", 0)))),
        ("Computed", f"{str(told.get('date', ''))[:16].replace('T', ' ')} UTC in "
         f"{duration(float(told.get('time_s', 0.0)))}, Headroom {told.get('headroom', '')}"),
        ("Cost of the first case", _first_cost(run)),
        *((entry.name, html.Code(entry.digest[:16], title=entry.digest)) for entry in inputs_of(run)),
    ]  # fmt: skip


def _first_cost(run: "FeederRun") -> Part:
    if not run.cases:
        return ""
    case = run.cases[0]
    return _why(run, case, "cost", money(float(case.cost_per_h.sum())), "cost of the first case")


def _list(lines: Any) -> Part:
    return html.Ul([html.Li(str(line)) for line in lines], className="hr-feeder-lines")
