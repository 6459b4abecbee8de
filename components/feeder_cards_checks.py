"""Why the numbers of the Checks tab are what they are. ``feeder_cards.card`` finds these."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from components.feeder_layers import At, case_of, case_said, member_words, shape
from components.feeder_words import SOURCE_AC, SOURCE_CHECK, SOURCE_LINEAR, inputs_of, money, small
from components.format import count, duration, number, percent, sentence, signed
from components.skeleton import Part
from components.why_card import why_card
from engine.distribution.feeder import Regulator

if TYPE_CHECKING:
    from engine.distribution.run import FeederRun

CERTIFIED = 1e-6  # an optimality condition that is missed by no more holds
_MOST = 5  # ratings that a card names
# Of each hour's program: the name in its certificate, what it says, how it is measured.
CONDITIONS: Mapping[str, tuple[str, str]] = {
    "primal_violation": ("limits and balances are kept", "max beyond a bound / ( 1 + |bound| )"),
    "dual_violation": ("prices balance costs", "max |*c* + *Qx* − *A*^{T}λ − *r*| / ( 1 + max |*c* + *Qx*| )"),
    "complementarity": ("a price only where a limit binds", "max |λ| × distance to its bound / ( 1 + |cost| )"),
    "relative_gap": ("cost equals its dual bound", "|cost − dual bound| / ( 1 + |cost| )"),
}


def certificate(run: "FeederRun", at: At, _: list[str]) -> Part:
    """Return what the optimality conditions of a case are, and how far the worst hour is from each."""
    case = case_of(run, at)
    told = case.facts["certificate"]
    return why_card(
        f"Optimality conditions, {case_said(case)}",
        formula=";  ".join(each for _, each in CONDITIONS.values()),
        values=[(words, small(told[name])) for name, (words, _) in CONDITIONS.items()]
        + [("solver", str(case.facts["solver"])),
           ("time of the operator's problem", duration(float(case.facts["operator_time_s"])))],
        inputs=inputs_of(run),
        source="Karush, Kuhn and Tucker's conditions of each hour's convex program, judged by a checker that shares no "
        "code with the model; Boyd and Vandenberghe, Convex Optimization, 2004, ch. 5",
        note="Limits and balances kept, prices that balance costs, a price only where a limit binds, and a cost that "
        "equals its dual bound: where all four hold to rounding there is no better operation of the linear flow.",
    )  # fmt: skip


_MEANT: Mapping[str, str] = {
    "primal_violation": "The largest distance of the point from a bound or a balance that it must keep, beside it.",
    "dual_violation": "Stationarity: what a price leaves unexplained of the cost of a variable, with its reduced cost.",
    "complementarity": "A price of a limit, times how far the point is from that limit: zero where only what binds has "
    "a price.",
    "relative_gap": "Of a convex program no operation costs less than its dual bound: no gap, nothing better.",
}


def condition(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return one optimality condition of a case in its worst hour. Raises KeyError for a word that names none."""
    case, name = case_of(run, at), rest[0]
    words, formula = CONDITIONS[name]
    found = float(case.facts["certificate"][name])
    return why_card(
        [f"{sentence(words)}: ", small(found), f", {case_said(case)}"],
        formula=formula,
        values=[
            ("worst hour", small(found)),
            ("counts as held up to", small(CERTIFIED)),
            ("hours", number(len(run.labels))),
            ("solver", str(case.facts["solver"])),
        ],
        inputs=inputs_of(run),
        source="Boyd and Vandenberghe, Convex Optimization, 2004, ch. 5; judged by a checker that shares no code with "
        "the model",
        note=_MEANT[name],
    )


def taps(run: "FeederRun", at: At, _: list[str]) -> Part:
    """Return what regulators that move their taps change, and where it is most."""
    case = case_of(run, at)
    told = case.facts["regulators_free"]
    if not told:
        return why_card("Regulators at fixed ratios", note="Taps that move were not asked for.", inputs=inputs_of(run))
    fixed, free = np.abs(case.phasors), np.abs(case.free_phasors)
    hour, node = (int(each) for each in np.unravel_index(int(np.abs(free - fixed).argmax()), fixed.shape))
    bus, member = shape(run).nodes[node]
    before, after = float(fixed[hour, node]), float(free[hour, node])
    names = [link.name for link in run.feeder.links if isinstance(link, Regulator)]
    ratios = [", ".join(number(float(each), 5) for each in row) for row in told["ratios"][hour]]
    return why_card(
        f"{number(abs(after - before), 4)} p.u. at bus {bus}, {member_words(run.feeder, member)}, {run.labels[hour]}",
        formula="max_{n,t} | |*V*_{nt}|_{taps move} − |*V*_{nt}| |",
        values=[
            ("ratios fixed", f"{number(before, 5)} p.u."),
            ("taps move", f"{number(after, 5)} p.u."),
            ("change", f"{signed(after - before, 5)} p.u."),
            *((f"ratios of {name} then", each) for name, each in zip(names, ratios, strict=False)),
            ("voltages then beyond limits", number(told["broken"]["voltages"])),
            ("ratings then exceeded", number(told["broken"]["ratings"])),
        ],
        inputs=inputs_of(run),
        source=SOURCE_AC,
        note=f"The set points of the answer, {case_said(case)}, once more in AC: each regulator moves its taps by its "
        "own control, as the feeder's table has it. The answer itself keeps the ratios.",
    )


def spent(run: "FeederRun", at: At, _: list[str]) -> Part:
    """Return what the time of a case was spent on, as far as it is told by itself."""
    case = case_of(run, at)
    told, method = case.facts, case.facts["method"]
    values = [("all of this case", duration(float(told["time_s"])))]
    values.append(("the operator's problem, its last round", duration(float(told["operator_time_s"]))))
    if "time_s" in method:
        values.append(("the method that decided the draws", duration(float(method["time_s"]))))
    values += [
        ("rounds against AC", number(len(told["rounds"]))),
        ("hours", number(len(run.labels))),
        ("the whole study", duration(float(run.provenance.get("time_s", 0.0)))),
    ]
    return why_card(
        f"Time: {duration(float(told['time_s']))}, {case_said(case)}",
        values=values,
        inputs=inputs_of(run),
        source="By the clock on the wall, on the machine that computed it, beside what else it did",
        note="The rest is of AC power flows, other models of the loads, price ranges and scenarios.",
    )


def correction(run: "FeederRun", at: At, _: list[str]) -> Part:
    """Return which correction of the linear flow was kept, and what each was off AC by."""
    case = case_of(run, at)
    last = case.facts["rounds"][-1]
    names = ["uncorrected", *(f"after correction {at_ + 1}" for at_ in range(len(last["error_pu"]) - 1))]
    return why_card(
        f"Correction {number(case.facts['correction_kept'])} was kept, {case_said(case)}",
        formula="arg min_k max_{n,t} | √*v*_{nt}^{k} − |*V*_{nt}| |",
        values=[(name, small(float(each), "p.u.")) for name, each in zip(names, last["error_pu"], strict=True)]
        + [("settled below", small(1e-5, "p.u.")), ("at most", count(run.question.corrections, "correction"))],
        inputs=inputs_of(run),
        source=SOURCE_LINEAR,
        note="Each hour keeps its best answer and takes no more corrections once it has settled; the number is of the "
        "hour that needed most.",
    )  # fmt: skip


def tightened(run: "FeederRun", at: At, _: list[str]) -> Part:
    """Return which limits were tightened and by how much."""
    case = case_of(run, at)
    margin, shares = case.margin_pu, case.facts["rating_share"]
    values: list[tuple[str, Any]] = [
        ("voltages tightened", f"{number(int((margin > 0.0).sum()))} of {number(margin.size)}"),
        ("margin beside the error", f"{number(run.question.ac_margin_pu, 4)} p.u."),
    ]
    if (margin > 0.0).any():
        hour, node = (int(each) for each in np.unravel_index(int(margin.argmax()), margin.shape))
        bus, member = shape(run).nodes[node]
        where = f"bus {bus}, {member_words(run.feeder, member)}, {run.labels[hour]}"
        values.append(("most", f"{number(float(margin[hour, node]), 5)} p.u. at {where}"))
    values += [(f"rating of {name}", f"to {percent(share, 2)}") for name, share in list(shares.items())[:_MOST]]
    if len(shares) > _MOST:
        values.append(("and", f"{count(len(shares) - _MOST, 'rating')} more"))
    return why_card(
        f"Limits tightened, {case_said(case)}",
        formula="margin_{nt} ← margin_{nt} + ( √*v*_{nt} − |*V*_{nt}| ) + *m*",
        values=values,
        inputs=inputs_of(run),
        source=SOURCE_CHECK,
        note="Where AC breaks a limit that the linear flow keeps, the next round keeps it by the error that was seen "
        "and a margin: voltages at that node and hour, ratings in all hours.",
    )


def models(run: "FeederRun", at: At, _: list[str]) -> Part:
    """Return what the same set points would be with loads of other models."""
    case = case_of(run, at)
    told = case.facts["load_models"]
    return why_card(
        f"Loads by other models, {case_said(case)}",
        formula="*S* = *S*_0 |*V*|^{k},  *k* = 0 power, 1 current, 2 impedance",
        values=[
            ("loads of the answer", "of constant power" if run.question.loads == "power" else "by their own models"),
            ("its bill", money(told["bill"])),
            *((f"bill, {MODEL_WORDS[row['model']]}", "none" if row.get("bill") is None else money(row["bill"]))
              for row in told["models"]),
        ],
        inputs=inputs_of(run),
        source=f"{SOURCE_AC}; IEEE Task Force on Load Representation, IEEE Trans. Power Syst. 8(2), 1993",
        note="Set points stay for voltages and limits. For the bill the operator's problem is solved once at that AC "
        "solution, with the same draws: where loads draw less at a lower voltage, one more MWh costs less.",
    )  # fmt: skip


MODEL_WORDS: Mapping[str, str] = {
    "own": "each by its own model",
    "power": "all of constant power",
    "current": "all of constant current",
    "impedance": "all of constant impedance",
}
