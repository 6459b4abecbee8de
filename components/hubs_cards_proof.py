"""Why what proves an answer, and what was tried beside it, is what it is.

"proof:NAME" of a certificate, "floor" (all as one), "best" (the best of quick prices, of a small case), "rung:NUMBER"
of the ladder of curvatures; "realtime", and of the hour that is looked at "again-price", "again-over" and "again-took".
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from components.format import count, duration, number, percent
from components.hubs_why import BEYOND_MW, MOST, Card, inputs_of
from components.hubs_words import (
    SOURCE,
    SOURCE_FLOW,
    SOURCE_QUICK,
    At,
    amount_of,
    dollars,
    hour_of,
    labels_of,
    mwh,
    per_mwh,
    plain,
)
from components.skeleton import Part
from components.why_card import why_card
from engine.pricing.congestion import Overloads
from engine.pricing.rolling import BEYOND

if TYPE_CHECKING:
    from engine.pricing.run import HubRun, RealTime

LEAST: Mapping[str, float] = {"residual": 1e-6, "second_solver": 1e-5, "both_ways_mw": 1e-6, "gradient": 1e-5}
EXPORTS, ORDER = "by_exports_mwh", "order"
_FORMULAS: Mapping[str, tuple[str, str, str]] = {  # title, formula, note
    "residual": (
        "How far hubs' answers are from optimal",
        "max_i ‖ *A*_i *x*_i − *b*_i ‖_{∞} / ( 1 + ‖*b*_i‖_{∞} );  "
        "*x*_i at the least of ½ *x*ᵀ*Q* *x* + ( *c*_i + *E*ᵀδ_i )ᵀ*x*",
        "Of the conditions of optimality the method holds stationarity, bounds and complementarity by itself; what its "
        "equations miss says how good an answer is.",
    ),
    "second_solver": (
        "How far a second solver is from the first",
        "max_i | *V*_i − *V*′_i | / ( 1 + |*V*_i| )",
        "*V* is a hub's least cost at the quick prices by Newton's method on its dual, *V*′ that of an interior point "
        "method which shares no code with it.",
    ),
    "both_ways_mw": (
        "Power that flows both ways at once",
        "max min( *p*^{ch}_{it}, *p*^{dis}_{it} ),  max min( *m*^{in}_{it}, *m*^{out}_{it} )",
        "Over all outcomes, hubs and periods. It would pay only at prices below 0, and no hub may do it.",
    ),
    "gradient": (
        "How far slopes are from differences",
        "| ∇*F* · *d* − ( *F*(δ + *hd*) − *F*(δ − *hd*) ) / 2*h* | / ( 1 + |·| )",
        "In a direction *d* drawn by the seed, *h* = 1e-7 $/MWh, 0.01 $/MWh beside the quick prices: these lie where "
        "answers bend, and a bend has two slopes.",
    ),
    EXPORTS: (
        "What exports alone push beyond limits",
        "Δ Σ_t Σ_l min( [ |*f*_{lt}| − *f*_l^{max} ]_{+}, [ ± Σ_i *H*_{li} *m*^{out}_{it} ]_{+} )",
        "The operator's price is on imports alone, and does not reach it. Under More the price counts for exports too.",
    ),
    ORDER: (
        "Bounds in their order",
        "*F*_B ≤ *F*_D ≤ *F*_A,  and *F*_B ≤ *F*_C ≤ *F*_A for hubs of constant costs",
        "All as one cannot be worse than any prices, and no prices are prices too.",
    ),
}  # fmt: skip


def tiny(value: float) -> str:
    """Return a number that should be 0, or nearly: ``6.4e-11``."""
    return f"{value:.1e}" if value else "0"


def certificates_of(run: "HubRun") -> dict[str, Any]:
    """Return the certificates of a run by their names."""
    return dict(run.facts["certificates"])


def _proof(run: "HubRun", _at: At, name: str) -> Part:
    if name not in _FORMULAS:
        raise ValueError(f"there is no certificate {name!r:.60}")
    title, formula, note = _FORMULAS[name]
    if name == EXPORTS and run.case.prices.exports:
        note = "The operator's price counts for exports too, so it reaches all of it: none is counted."
    told = certificates_of(run)
    values: list[tuple[str, str]] = []
    if name in LEAST:
        values = [("found", tiny(told[name])), ("at most", f"{LEAST[name]:.0e}")]
    if name == "second_solver":
        values.append(("asked for", count(int(told["sampled"]), "hub")))
    if name == EXPORTS:
        values = [("found", f"{number(float(run.facts[name]), 3)} MWh")]
    if name == ORDER:
        values = _ends(run)
    return why_card(title, formula=formula, values=values, inputs=inputs_of(run), source=SOURCE, note=note)


def _ends(run: "HubRun") -> list[tuple[str, str]]:
    values = [("*F*_B, all as one", dollars(run.floor))]
    for prices, hubs, words in (
        ("exact", "linear", "*F*_C, exact prices"),
        ("none", "linear", "*F*_A, constant costs"),
        ("quick", "quadratic", "*F*_D, quick prices"),
        ("none", "quadratic", "*F*_A, rising costs"),
    ):
        found = run.of(prices, hubs)  # type: ignore[arg-type]
        if found is not None:
            values.append((words, dollars(found.objective)))
    return values


def _floor(run: "HubRun", _at: At, _: str) -> Part:
    return why_card(
        f"{dollars(run.floor)}: what overloads weigh with all run as one",
        formula="*F*_B = min_x ( α_{line} *E*_{line} + α_{sub} *E*_{sub} )",
        inputs=inputs_of(run), source=SOURCE,
        note="Whatever hubs can do, overloads weigh no less; prices weigh at least 0 beside them. So no prices have a "
        "smaller objective.",
    )  # fmt: skip


def _best(run: "HubRun", _at: At, _: str) -> Part:
    best, quick = run.facts.get("best"), run.of("quick", "quadratic")
    if not best or quick is None:
        raise ValueError("there is no proof of the best quick prices")
    return why_card(
        f"{dollars(best['objective'])}: the best of quick prices, by branch and bound",
        formula="( *F*_D − *F*_{D*} ) / *F*_{D*}",
        values=[
            ("*F*_D, quick prices", dollars(quick.objective)),
            ("*F*_{D*}, best found", dollars(best["objective"])),
            ("none below", dollars(best["bound"])),
            ("gap of the proof", percent(max(best["gap"], 0.0), 2)),
            ("status", str(best["status"])),
        ],
        inputs=inputs_of(run), source="Branch and bound by HiGHS on the hubs' conditions of optimality",
        note="The integer program has a yes or no for each bound of each hub: small cases alone end in time.",
    )  # fmt: skip


def _rung(run: "HubRun", _at: At, at_: str) -> Part:
    rungs = run.facts.get("ladder") or []
    if not at_.isdecimal() or int(at_) >= len(rungs):
        raise ValueError(f"there is no rung {at_!r:.20}")
    rung = rungs[int(at_)]
    share = percent(rung["share"], 1)
    if rung["objective"] is None:
        return why_card(
            f"Hubs whose costs rise by {share} of ours", inputs=inputs_of(run), source=SOURCE_QUICK,
            note="Their answers were not certified, so this rung has no prices.",
        )  # fmt: skip
    prices = rung["objective"] - rung["overload_cost"]
    return why_card(
        f"{dollars(rung['objective'])} with hubs whose costs rise by {share} of ours",
        formula="*F*_D(κ),  *x*_i(δ) at the least of ½ κ *x*ᵀ*Q* *x* + ( *c*_i + *E*ᵀδ_i )ᵀ*x*",
        values=[
            ("κ", share),
            ("overloads", dollars(rung["overload_cost"])),
            ("prices", dollars(prices)),
            ("largest miss of a condition of optimality", f"{rung['residual']:.1e}"),
            ("the same prices without a rise", "not certified" if rung["smallest"] is None else
             dollars(rung["smallest"])),
            *([] if (least := run.facts["smallest"]) is None else [("the least of that, exact prices among them",
                                                                    dollars(least))]),
            ("time", duration(rung["time_s"])),
        ],
        inputs=inputs_of(run), source=SOURCE_QUICK,
        note="Begun at the prices of the rung before, at no prices and at those of all as one; the least is kept. "
        "Without a rise hubs take the smallest of answers as good, by *x*ᵀ*Q* *x*: what they do as κ goes to 0 at "
        "prices that stay.",
    )  # fmt: skip


def _real(run: "HubRun") -> "RealTime":
    if run.real_time is None:
        raise ValueError("there are no prices in real time")
    return run.real_time


def _realtime(run: "HubRun", _at: At, _rest: str) -> Part:
    real = _real(run)
    return why_card(
        f"{dollars(amount_of(real.overload_cost))} of overloads with prices set again each hour",
        formula="*F*(hour by hour) against *F*(everything known beforehand)",
        values=[
            ("overloads, hour by hour", dollars(amount_of(real.overload_cost))),
            ("overloads, all known", dollars(amount_of(real.foresight_overload_cost))),
            ("hubs' own cost, hour by hour", dollars(float(real.hub_cost.sum()))),
            ("hubs' own cost, all known", dollars(float(real.foresight_hub_cost.sum()))),
            ("work late or missed", mwh(float(real.missed_mwh.sum()))),
            ("work left for the next day", mwh(float(real.waiting_mwh.sum()))),
            ("time of an hour's prices, mean and most",
             f"{duration(float(real.step_s.mean()))} and {duration(float(real.step_s.max()))}"),
            ("looks ahead", count(run.question.window, "hour")),
            ("standard deviation of forecasts", percent(run.question.error)),
        ],
        inputs=inputs_of(run), source=SOURCE_QUICK,
    )  # fmt: skip


def _again_price(run: "HubRun", at: At, _: str) -> Part:
    real, hour = _real(run), hour_of(run, at)
    now, known = real.price[:, hour], real.foresight_price[:, hour]
    first: dict[int, str] = {}
    for hub, area in zip(run.case.hubs, run.case.area.tolist(), strict=True):
        first.setdefault(area, hub.name)
    far = np.argsort(-np.abs(now))[:MOST].tolist()
    return why_card(
        f"{per_mwh(float(now.mean()))}: the mean price of {labels_of(run)[hour]}, set in that hour",
        formula="Σ_k δ_{kt} / *K*",
        values=[("*K*, areas of one price", number(len(now))),
                *((first[k], f"{per_mwh(float(now[k]))}; all known {per_mwh(float(known[k]))}") for k in far),
                ("mean, all known", per_mwh(float(known.mean())))],
        inputs=inputs_of(run), source=SOURCE_QUICK,
        note="Found for the hours ahead from what is measured and forecast; this hour's counts, the others are found "
        f"again. {BEYOND}",
    )  # fmt: skip


def _again_over(run: "HubRun", at: At, _: str) -> Part:
    real, hour, values = _real(run), hour_of(run, at), []
    for words, moved in (("hour by hour", real.withdrawal_mw), ("all known", real.foresight_withdrawal_mw)):
        over = Overloads.of(run.case, moved)
        names = [*run.case.network.lines, "the substation"]
        beyond = [*over.line_mw[:, hour].tolist(), float(over.substation_mw[hour])]
        most = sorted(((mw, name) for mw, name in zip(beyond, names, strict=True) if mw > BEYOND_MW), reverse=True)
        told = "; ".join(f"{name} {number(mw, 3)} MW" for mw, name in most[:MOST])
        values.append((words, f"{number(plain(sum(beyond)), 3)} MW{f': {told}' if told else ''}"))
    return why_card(
        f"Beyond limits at {labels_of(run)[hour]}, prices set in that hour",
        formula="Σ_l [ |*f*_{lt}| − *f*_l^{max} ]_{+} + [ *S*_t − *S*^{max} ]_{+} + [ −*S*_t − *S*^{min} ]_{+}",
        values=values, inputs=inputs_of(run), source=SOURCE_FLOW,
        note="With the demand, sun and work that came, not with those that were forecast.",
    )  # fmt: skip


def _again_took(run: "HubRun", at: At, _: str) -> Part:
    real, hour = _real(run), hour_of(run, at)
    return why_card(
        f"{duration(float(real.step_s[hour]))} for the prices of {labels_of(run)[hour]}",
        values=[("mean of all hours", duration(float(real.step_s.mean()))),
                ("most", f"{duration(float(real.step_s.max()))}, at {labels_of(run)[int(real.step_s.argmax())]}"),
                ("looks ahead", count(run.question.window, "hour"))],
        inputs=inputs_of(run), source="Measured by a clock on whichever machine computed it",
        note="From what is measured to the hubs' answers, all searches of that hour in it.",
    )  # fmt: skip


CARDS: Mapping[str, Card] = {
    "proof": _proof, "floor": _floor, "best": _best, "rung": _rung, "realtime": _realtime,
    "again-price": _again_price, "again-over": _again_over, "again-took": _again_took,
}  # fmt: skip
