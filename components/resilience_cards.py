"""Why each number of the Resilience page is what it is: formula, values, what binds, inputs, source.

``what`` names the number: "objective", "capital", "modules", "gap" and "risk" of the plan that is looked at; "tail" and
"without" (CVaR of load not served, with its modules and with none); "metric:COLUMN:METHOD:SET" of a set of shocks,
"plan:COLUMN:METHOD", "apart:METHOD:SET:tail" or "apart:METHOD:SET:mean" (against the risk-neutral plan),
"module:TYPE:SITE:COLUMN" by their places; "vss", "evpi", "robustness", "worst", "ac", "curve:PLACE:COLUMN",
"radius:PLACE:COLUMN", "rolled" and "played" (of the shock that is looked at). Those of a step, a bus or a whole column
are in resilience_cards_shock and resilience_cards_columns.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np

from components.format import count, number, percent, signed
from components.resilience_words import (
    METHODS,
    NOTES,
    SETS,
    SOURCE,
    SOURCE_BOOTSTRAP,
    SOURCE_CVAR,
    SOURCE_FLOW,
    SOURCE_SEARCH,
    At,
    dollars,
    mwh,
    planned_of,
    shock_of,
    shock_words,
    table_of,
)
from components.skeleton import Part
from components.why_card import WhyInput, why_card
from engine.resilience.compare import CHOSEN, Method
from engine.resilience.curves import best_radius
from engine.resilience.evaluation import BETA, LEVEL, RESAMPLES, Interval, Metrics
from engine.resilience.placement import gap

if TYPE_CHECKING:
    from engine.resilience.run import ResilienceRun

_AIM = (
    "*F* = Σ_k *c*_k *y*_k + *N* · min_η sup_{p ∈ P} Σ_s *p*_s [ ( 1 − λ ) *Q*_s + λ ( η + [ *Q*_s − η ]_{+} / "
    "( 1 − β ) ) ]"
)
_RECOURSE = (
    "*Q*_s( *y* ) = min Δ Σ_t ( *C*_{sh} *sh*_t + *C*_{imb} *im*_t + *C*_v *v*_t + use and wear ) + "
    "*C*_{rest} ( lacking + late )"
)
TYPES = "Numbers of types are our own assumption, of the order of public benchmarks; edit them in the question"
# Of each metric: its title, its formula, and what of Metrics it is.
METRICS: Mapping[str, tuple[str, str]] = {
    "mean_cost": ("Mean cost of an event", "E[ *Q* ] = Σ_s *p*_s *Q*_s"),
    "cvar_cost": (f"Mean cost of the worst {1 - BETA:.0%} of events", "CVaR = min_η η + E[ *Q* − η ]_{+} / ( 1 − β )"),
    "worst_cost": ("Cost of the worst event", "max_s *Q*_s"),
    "eens_mwh": ("Load not served in an event, in the mean", "Σ_s *p*_s Δ Σ_t *sh*_{st}"),
    "var_unserved_mwh": ("Load not served that 5 % of events exceed", "inf { *u* : P( *U* ≤ *u* ) ≥ β }"),
    "cvar_unserved_mwh": (
        f"Load not served in the worst {1 - BETA:.0%} of events", "CVaR = min_η η + E[ *U* − η ]_{+} / ( 1 − β )"),
    "worst_unserved_mwh": ("Load not served in the worst event", "max_s Δ Σ_t *sh*_{st}"),
    "shedding": ("Share of events with any load not served", "P( *U* > 0 )"),
    "imbalance_mwh": ("Import off its schedule beyond dead band and ramp, in the mean", "Σ_s *p*_s Δ Σ_t *im*_{st}"),
    "restoration_cost": ("Restoration of an event, in the mean", "*C*_{rest} Σ_s *p*_s ( lacking_s + late_s )"),
    "lowest_pu": ("Lowest voltage of any event", "min_{s,n,t} √ *v*_{snt}"),
    "highest_pu": ("Highest voltage of any event", "max_{s,n,t} √ *v*_{snt}"),
    "year": ("A year's modules and the mean of its events", "Σ_k *c*_k *y*_k + *N* E[ *Q* ]"),
}  # fmt: skip
UNITS: Mapping[str, str] = {
    "mean_cost": "$", "cvar_cost": "$", "worst_cost": "$", "eens_mwh": "MWh", "var_unserved_mwh": "MWh",
    "cvar_unserved_mwh": "MWh", "worst_unserved_mwh": "MWh", "shedding": "%", "imbalance_mwh": "MWh",
    "restoration_cost": "$", "lowest_pu": "p.u.", "highest_pu": "p.u.", "year": "$ a year",
}  # fmt: skip


def card(run: "ResilienceRun", at: At, what: str) -> Part:
    """Return the card of a number. Raises KeyError for a word that names none, ValueError for what is not there."""
    name, _, rest = what.partition(":")
    return _CARDS[name](run, at, rest)


def inputs_of(run: "ResilienceRun") -> list[WhyInput]:
    """Return the inputs of every number of a run."""
    known = run.provenance
    return [
        WhyInput("case of placement", str(known.get("case_digest", "")), str(known.get("date", ""))[:10]),
        WhyInput("question", str(known.get("question_digest", ""))),
        WhyInput(f"seed {run.question.seed}; {known.get('solver', '')}"),
    ]


@lru_cache(maxsize=64)
def metrics_of(run: "ResilienceRun", method: Method, shocks: str) -> Metrics | None:
    """Return the metrics of a method on a set of shocks; None where they are not known."""
    return run.metrics(method, shocks)


@lru_cache(maxsize=64)
def apart(run: "ResilienceRun", method: Method, shocks: str, *, tail: bool) -> Interval | None:
    """Return by how much the load not served under a plan differs from the risk-neutral one's, of the same shocks."""
    first, second = run.of(method), run.of("risk neutral")
    if first is not None and second is not None and (first.plan == second.plan).all():
        return Interval(0.0, 0.0, 0.0) if run.outcomes(method, shocks) is not None and shocks != "train" else None
    return run.difference(method, "risk neutral", shocks, tail=tail)


def judged(found: Interval) -> str:
    """Return what an interval of a difference says."""
    return "lower" if found.high < 0.0 else "higher" if found.low > 0.0 else "not told apart"


def _objective(run: "ResilienceRun", at: At, _: str) -> Part:
    planned, question = planned_of(run, at), run.question
    capital = _metrics(run, planned.method, "train").capital
    values = [
        ("Σ *c* *y*", f"{dollars(capital)} a year"),
        ("*N*", f"{run.case.events_per_year:g} events a year"),
        ("λ, β", f"{question.weight:g}, {percent(question.beta)}"),
        ("*P*", "as they are" if question.doubt == "none" else f"{question.doubt}, radius {question.radius:g}"),
        ("risk of an event", dollars((planned.objective - capital) / run.case.events_per_year)),
    ]
    if planned.method == CHOSEN:
        values.append(("bound", f"{dollars(planned.bound)} a year"))
    return why_card(
        f"{dollars(planned.objective)} a year: the plan {METHODS[planned.method]}", formula=_AIM, values=values,
        inputs=inputs_of(run), source=f"{SOURCE}; {SOURCE_CVAR}",
        note=f"*Q* is the least cost of a shock under the plan; all plans are told by this aim. This one is made so: "
        f"{NOTES[planned.method]}.".replace("*", ""),
    )  # fmt: skip


def _risk(run: "ResilienceRun", _at: At, _: str) -> Part:
    told = run.facts["risk"]
    return why_card(
        f"{dollars(told['value'])} an event: the risk of the plan {METHODS[CHOSEN]}",
        formula="min_η sup_{p ∈ P} Σ_s *p*_s [ ( 1 − λ ) *Q*_s + λ ( η + [ *Q*_s − η ]_{+} / ( 1 − β ) ) ]",
        values=[
            ("η", dollars(told["eta"])),
            ("mean under the worst *p*", dollars(told["expectation"])),
            ("CVaR under it", dollars(told["cvar"])),
            ("between its two forms", f"{told['gap']:.1e}"),
        ],
        inputs=inputs_of(run), source=f"{SOURCE}; {SOURCE_CVAR}",
        note="One distribution for both parts. The worst is in the table of Checks.",
    )  # fmt: skip


def _capital(run: "ResilienceRun", at: At, _: str) -> Part:
    planned = planned_of(run, at)
    case = run.case
    counts = table_of(run, planned).sum(axis=1).tolist()
    total = _metrics(run, planned.method, "train").capital
    binds = [f"the inventory of {kind.name}: {kind.inventory}" for kind, n in zip(case.types, counts, strict=True)
             if n >= kind.inventory > 0]  # fmt: skip
    cheapest = min((kind.cost for kind in case.types if kind.cost > 0.0), default=0.0)
    if np.isfinite(case.budget) and case.budget - total < cheapest:
        binds.append(f"the budget of {dollars(case.budget)}: {dollars(case.budget - total)} are left")
    return why_card(
        f"{dollars(total)} a year of modules",
        formula="Σ_k *c*_k *y*_k",
        values=[(kind.name, f"{n} at {dollars(kind.cost)}") for kind, n in zip(case.types, counts, strict=True)],
        binds=binds, inputs=inputs_of(run),
        source=TYPES,
    )  # fmt: skip


def _modules(run: "ResilienceRun", at: At, _: str) -> Part:
    planned, case = planned_of(run, at), run.case
    table = table_of(run, planned)
    values = [
        (kind.name, ", ".join(f"{int(n)} at {site}" for site, n in zip(case.sites, row, strict=True) if n) or "none")
        for kind, row in zip(case.types, table, strict=True)
    ]
    return why_card(
        f"{count(int(table.sum()), 'module')}: the plan {METHODS[planned.method]}",
        formula="*y*_{mi} ∈ {0, 1, …},  Σ_i *y*_{mi} ≤ *I*_m,  *y*_{mi} ≤ most at a site,  Σ *c* *y* ≤ *B*",
        values=values, inputs=inputs_of(run), source=SOURCE,
    )  # fmt: skip


def _gap(run: "ResilienceRun", _at: At, _: str) -> Part:
    chosen, told = planned_of(run, At()), run.facts["search"]
    return why_card(
        f"{percent(gap(chosen.own_objective, chosen.bound), 3)} between the plan and what none can beat",
        formula="( *F* − bound ) / *F*",
        values=[
            ("*F*", f"{dollars(chosen.own_objective)} a year"),
            ("bound", f"{dollars(chosen.bound)} a year"),
            ("asked", percent(run.question.gap, 3)),
            ("ended", told["status"]),
            ("route", told["route"]),
            ("cuts", number(told["cuts"])),
            ("by the clock, of processors", f"{number(told['time_s'], 1)} s, {number(told['processor_s'], 1)} s"),
        ],
        inputs=inputs_of(run), source=SOURCE_SEARCH,
        note="The bound is that of the integer program of the cuts, each of which is below the cost of its shock for "
        "every plan; the plan's own cost is solved anew for each shock.",
    )  # fmt: skip


def _tail(run: "ResilienceRun", at: At, _: str) -> Part:
    return _metric(run, at, f"cvar_unserved_mwh:{planned_of(run, at).method}:train")


def _without(run: "ResilienceRun", at: At, _: str) -> Part:
    return _metric(run, at, "cvar_unserved_mwh:none:train")


def _metrics(run: "ResilienceRun", method: str, shocks: str) -> Metrics:
    found = metrics_of(run, cast("Method", method), shocks) if method in METHODS else None
    if found is None:
        raise ValueError(f"there are no shocks {shocks!r:.40} under {method!r:.40}")
    return found


def _metric(run: "ResilienceRun", _at: At, rest: str) -> Part:
    name, method, shocks = rest.split(":")
    told = _metrics(run, method, shocks)
    title, formula = METRICS[name]
    outcomes = run.outcomes(cast("Method", method), shocks)
    value = getattr(told, name)
    unit = UNITS[name]
    shown = percent(value, 1) if unit == "%" else f"{number(value, _digits(unit))} {unit}"
    values = [
        ("shocks", f"{number(0 if outcomes is None else len(outcomes))}, {SETS[shocks]}"),
        ("plan", METHODS[cast("Method", method)]),
    ]
    if outcomes is not None and name != "year":
        worst = int(np.argmax(outcomes.unserved_mwh if "unserved" in name or name == "eens_mwh" else outcomes.cost))
        lost = mwh(float(outcomes.unserved_mwh[worst]))
        values.append(("the worst of them", f"{dollars(float(outcomes.cost[worst]))}, {lost} not served"))
    if name == "year":
        values += [("modules", dollars(told.capital)), ("an event", dollars(told.mean_cost)),
                   ("*N*", f"{run.case.events_per_year:g}")]  # fmt: skip
    prices = run.case.penalties
    return why_card(
        f"{shown}: {title[:1].lower()}{title[1:]}", formula=f"{formula};  {_RECOURSE}",
        values=[
            *values,
            ("*C*_{sh}, *C*_{imb}", f"{number(prices.shed_per_mwh)} and {number(prices.imbalance_per_mwh)} $/MWh"),
            ("*C*_{rest}", f"{number(prices.restore_per_mwh)} $/MWh"),
        ],
        inputs=inputs_of(run), source=f"{SOURCE}; {SOURCE_CVAR}",
        note="Fresh and shifted shocks were seen by no plan; stage II is solved again for each of them."
        if shocks != "train" else None,
    )  # fmt: skip


def _digits(unit: str) -> int:
    return {"$": 0, "$ a year": 0, "p.u.": 4}.get(unit, 3)


def _plan(run: "ResilienceRun", at: At, rest: str) -> Part:
    name, method = rest.split(":")
    if name == "objective":
        return _objective(run, At(cast("Method", method), at.shock, at.hour), "")
    if name == "capital":
        return _capital(run, At(cast("Method", method), at.shock, at.hour), "")
    found = run.of(cast("Method", method))
    if found is None or found.status is None:
        raise ValueError(f"no search was made for {method!r:.40}")
    return why_card(
        f"{dollars(found.own_objective)}, no less than {dollars(found.bound)}: the search for {METHODS[found.method]}",
        formula="gap = ( *F* − bound ) / *F*",
        values=[("*F*, by its own aim", dollars(found.own_objective)), ("bound", dollars(found.bound)),
                ("gap", percent(gap(found.own_objective, found.bound), 3)), ("ended", found.status.value),
                ("time", f"{number(found.time_s, 1)} s")],
        inputs=inputs_of(run), source=SOURCE_SEARCH, note=f"{NOTES[found.method]}".capitalize() + ".",
    )  # fmt: skip


def _apart(run: "ResilienceRun", _at: At, rest: str) -> Part:
    method, shocks, kind = rest.split(":")
    found = apart(run, cast("Method", method), shocks, tail=kind == "tail")
    if found is None:
        raise ValueError(f"there is no difference of {method!r:.40} on {shocks!r:.40}")
    of = "CVaR" if kind == "tail" else "mean"
    return why_card(
        f"{signed(found.value, 4)} MWh: {METHODS[cast('Method', method)]} less risk neutral, {of} of load not served",
        formula=f"{of}( *U*^{{plan}} ) − {of}( *U*^{{neutral}} )",
        values=[
            (f"{LEVEL:.0%} interval", f"{signed(found.low, 4)} to {signed(found.high, 4)} MWh"),
            ("it is", judged(found)),
            ("shocks", SETS[shocks]),
            ("samples", number(RESAMPLES)),
        ],
        inputs=inputs_of(run), source=SOURCE_BOOTSTRAP,
        note="Both plans meet the same shocks, so differences are taken pair by pair. An interval that holds 0 does "
        "not tell them apart. Equal plans differ by nothing.",
    )  # fmt: skip


def _module(run: "ResilienceRun", at: At, rest: str) -> Part:
    kind_at, site_at, name = rest.split(":")
    case, planned = run.case, planned_of(run, at)
    at_type, at_site = int(kind_at), int(site_at)
    kind, site = case.types[at_type], case.sites[at_site]
    place = at_type * len(case.sites) + at_site
    stands, told = int(planned.plan[place]), _metrics(run, planned.method, "train")
    given, used = float(told.given_mwh[place]), float(told.used[place])
    room = "its power over all steps" if kind.kind == "generation" else "its energy, once"
    if name == "count":
        spent = int(table_of(run, planned)[at_type].sum())
        most = int(case.most[at_type, at_site])
        return why_card(
            f"{stands} {kind.name} at {site}: the plan {METHODS[planned.method]}",
            formula="*y*_{mi} ∈ {0, 1, …},  *y*_{mi} ≤ most at a site,  Σ_i *y*_{mi} ≤ *I*_m",
            values=[("most at a site", str(most)), ("*I*_m, in all", str(kind.inventory)),
                    ("placed in all", str(spent))],
            binds=[*([f"the most at a site: {most}"] if stands >= most else []),
                   *([f"the inventory: {kind.inventory}"] if spent >= kind.inventory else [])],
            inputs=inputs_of(run), source=SOURCE, note=f"{NOTES[planned.method]}".capitalize() + ".",
        )  # fmt: skip
    if name in {"mw", "mwh"}:
        unit, one = ("MW", kind.power_mw) if name == "mw" else ("MWh", kind.energy_mwh)
        return why_card(
            f"{number(stands * one, 2)} {unit}: {stands} {kind.name} at {site}",
            formula="*y* · *p*" if name == "mw" else "*y* · *e*",
            values=[("*y*", str(stands)), ("*p*, of one" if name == "mw" else "*e*, of one", f"{one:g} {unit}")],
            inputs=inputs_of(run), source=TYPES,
        )  # fmt: skip
    if name == "cost":
        return why_card(
            f"{dollars(stands * kind.cost)} a year: {stands} {kind.name} at {site}", formula="*y* · *c*",
            values=[("*y*", str(stands)), ("*c*", f"{dollars(kind.cost)} a year")], inputs=inputs_of(run),
            source=SOURCE,
        )  # fmt: skip
    title = f"{mwh(given, 3)} an event" if name == "given" else f"{percent(used, 1)} of what it could give"
    return why_card(
        f"{title}: {stands} {kind.name} at {site}",
        formula="*g* = Σ_s *p*_s Δ Σ_t *p*^{out}_{st};  used = *g* / ( *y* · room )",
        values=[("*g*", mwh(given, 3)), ("*y*", str(stands)), ("room of one", room), ("used", percent(used, 1))],
        inputs=inputs_of(run), source=SOURCE,
        note="Stage II sees the whole shock; without foresight less is used well: see that tab.",
    )  # fmt: skip


def _vss(run: "ResilienceRun", _at: At, _: str) -> Part:
    value = run.facts["vss"]
    if value is None:
        raise ValueError("the value of the stochastic solution is not known yet")
    mean, neutral = _metrics(run, "mean shock", "train"), _metrics(run, "risk neutral", "train")
    return why_card(
        f"{dollars(float(value))} a year: the value of planning for all shocks, not for their mean",
        formula="VSS = *F*_{mean shock} − *F*_{risk neutral},  both Σ *c* *y* + *N* E[ *Q* ]",
        values=[("plan for the mean shock", f"{dollars(mean.year)} a year"),
                ("risk neutral", f"{dollars(neutral.year)} a year")],
        inputs=inputs_of(run), source="Birge, Mathematical Programming 24, 1982",
    )  # fmt: skip


def _evpi(run: "ResilienceRun", _at: At, _: str) -> Part:
    value = run.facts.get("evpi")
    if value is None:
        raise ValueError("what knowing each shock is worth was not asked")
    return why_card(
        f"{dollars(float(value))} a year: what it would be worth to know each shock beforehand",
        formula="EVPI = *F*_{risk neutral} − Σ_s *p*_s min_y ( Σ *c* *y* + *N* *Q*_s( *y* ) )",
        values=[("risk neutral", f"{dollars(planned_of(run, At('risk neutral')).own_objective)} a year")],
        inputs=inputs_of(run), source="Birge and Louveaux, Introduction to Stochastic Programming, 2011, chapter 4",
    )  # fmt: skip


def _robustness(run: "ResilienceRun", _at: At, _: str) -> Part:
    value = run.facts.get("robustness")
    if value is None:
        raise ValueError("the price of robustness is not known")
    return why_card(
        f"{dollars(float(value))} a year: the price of robustness",
        formula="*F*_{no doubt}( *y*^{in doubt} ) − *F*_{no doubt}( *y*^{CVaR} )",
        values=[("radius", f"{run.question.radius:g}")], inputs=inputs_of(run), source=SOURCE,
        note="What the plan in doubt costs more where the probabilities are right after all.",
    )  # fmt: skip


def _worst(run: "ResilienceRun", _at: At, _: str) -> Part:
    given = run.case.scenarios.probability
    moved = 0.5 * float(np.abs(run.worst - given).sum())
    return why_card(
        f"{percent(moved, 1)} of the probability moved: the worst distribution",
        formula="*p*^{*} ∈ argmax_{p ∈ P} Σ_s *p*_s [ ( 1 − λ ) *Q*_s + λ [ *Q*_s − η ]_{+} / ( 1 − β ) ]",
        values=[("½ Σ | *p*^{*} − *p*^0 |", percent(moved, 2)), ("radius", f"{run.question.radius:g}"),
                ("largest", percent(float(run.worst.max()), 2))],
        inputs=inputs_of(run), source=SOURCE,
        note="It is worst for the chosen plan; another plan has another.",
    )  # fmt: skip


def _ac(run: "ResilienceRun", _at: At, _: str) -> Part:
    told = run.facts["ac"]
    if told is None:
        raise ValueError("the AC power flow is not known yet")
    return why_card(
        f"{number(told['lowest_pu'], 4)} p.u. in AC, {number(told['linear_lowest_pu'], 4)} by the linear flow",
        formula="*v*_j = *v*_i − 2 ( *r P* + *x Q* )  against the AC power flow of the same injections",
        values=[("shock", shock_words(run, int(told["shock"]))), ("largest losses", f"{number(told['loss_mw'], 3)} MW"),
                ("voltages outside their limits in AC", number(told["voltages_beyond"])),
                ("ratings exceeded in AC", number(told["ratings_beyond"]))],
        inputs=inputs_of(run), source=SOURCE_FLOW,
        note="Of the dispatch of the dearest shock under the chosen plan. The linear flow has no losses, so its "
        "voltages are a little higher.",
    )  # fmt: skip


def _curve(run: "ResilienceRun", _at: At, rest: str) -> Part:
    place, _, name = rest.partition(":")
    point = run.curve[int(place)]
    left = point.budget - point.capital
    titles = {
        "": f"{dollars(point.cvar)} an event in the tail, for {dollars(point.capital)} a year of modules",
        "capital": f"{dollars(point.capital)} a year of modules within {dollars(point.budget)}",
        "mean": f"{dollars(point.mean)}: an event in the mean, under the best plan within {dollars(point.budget)}",
        "objective": f"{dollars(point.objective)} a year: the best within {dollars(point.budget)}",
        "gap": f"{percent(point.gap, 3)} between this plan and what none within {dollars(point.budget)} can beat",
    }
    formulas = {"capital": "Σ *c* *y* ≤ *B*", "mean": "E[ *Q* ] = Σ_s *p*_s *Q*_s", "gap": "( *F* − bound ) / *F*"}
    cheapest = min((kind.cost for kind in run.case.types if kind.cost > 0.0), default=0.0)
    return why_card(
        titles[name],
        formula=formulas.get(name, "min Σ *c* *y* + *N* · risk  s.t.  Σ *c* *y* ≤ *B*"),
        values=[("*B*", dollars(point.budget)), ("Σ *c* *y*", dollars(point.capital)), ("mean", dollars(point.mean)),
                ("CVaR", dollars(point.cvar)), ("objective", dollars(point.objective)), ("gap", percent(point.gap, 3))],
        binds=[f"the budget: {dollars(left)} are left"] if left < cheapest else [],
        inputs=inputs_of(run), source=f"{SOURCE}; {SOURCE_SEARCH if name == 'gap' else SOURCE_CVAR}",
        note=f"CVaR beyond {BETA:.0%}, of probabilities as they are; the plan is made by the aim of the question.",
    )  # fmt: skip


def _radius(run: "ResilienceRun", _at: At, rest: str) -> Part:
    place, _, name = rest.partition(":")
    point = run.radii[int(place)]
    titles = {
        "": f"{mwh(point.cvar_unserved_mwh, 3)} not served in the tail of shocks held out, at radius {point.radius:g}",
        "mean_cost": f"{dollars(point.mean_cost)}: an event held out, in the mean, at radius {point.radius:g}",
        "capital": f"{dollars(point.capital)} a year: the modules of plans made at radius {point.radius:g}",
    }
    formulas = {
        "": "mean over the parts of CVaR( *U* of the part that was held out )",
        "mean_cost": "mean over the parts of E[ *Q* of the part that was held out ]",
        "capital": "mean over the parts of Σ *c* *y*",
    }
    return why_card(
        titles[name],
        formula=formulas[name],
        values=[("parts", str(run.question.folds)), ("mean cost held out", dollars(point.mean_cost)),
                ("capital", dollars(point.capital)), ("best radius", f"{best_radius(run.radii):g}")],
        inputs=inputs_of(run), source="Cross-validation; the metric was chosen beforehand",
        note="A plan is made on all parts but one and tried on that one, in turns.",
    )  # fmt: skip


def _rolled(run: "ResilienceRun", _at: At, _: str) -> Part:
    found = run.rolled
    if found is None:
        raise ValueError("no shock was met without foresight")
    return why_card(
        f"{dollars(float(found.cost.mean() - found.foresight_cost.mean()))} an event: what foresight is worth",
        formula="mean( *Q*^{rolled} − *Q* )",
        values=[("without foresight", dollars(float(found.cost.mean()))),
                ("with", dollars(float(found.foresight_cost.mean()))), ("shocks", number(len(found.cost)))],
        inputs=inputs_of(run), source="Receding horizon, one step done of each plan",
        note="After an event has begun, campuses are expected to draw what they draw now for as long as shocks last in "
        "the mean, and their schedule after.",
    )  # fmt: skip


def _played(run: "ResilienceRun", at: At, _: str) -> Part:
    planned, shock = planned_of(run, at), shock_of(run, at)
    return why_card(
        f"{dollars(float(planned.outcomes.cost[shock]))}: {shock_words(run, shock)}", formula=_RECOURSE,
        values=[("not served", mwh(float(planned.outcomes.unserved_mwh[shock]), 3)),
                ("import off schedule", mwh(float(planned.outcomes.imbalance_mwh[shock]), 3)),
                ("restoration", dollars(float(planned.outcomes.restoration_cost[shock]))),
                ("lowest voltage", f"{number(float(planned.outcomes.lowest_pu[shock]), 4)} p.u.")],
        inputs=inputs_of(run), source=f"{SOURCE}; {SOURCE_FLOW}",
        note="Stage II is a linear program that sees the whole shock; it is solved again for what is drawn.",
    )  # fmt: skip


_CARDS: Mapping[str, Callable[["ResilienceRun", At, str], Part]] = {
    "objective": _objective, "risk": _risk, "capital": _capital, "modules": _modules, "gap": _gap, "tail": _tail,
    "without": _without, "metric": _metric, "plan": _plan, "apart": _apart, "module": _module, "vss": _vss,
    "evpi": _evpi,
    "robustness": _robustness,
    "worst": _worst, "ac": _ac, "curve": _curve, "radius": _radius, "rolled": _rolled, "played": _played,
}  # fmt: skip
