"""Why each number of the Hubs page is what it is: formula, values, what binds, inputs, source.

``what`` names the number: "beyond" and "was" (MWh beyond limits, with the prices that are looked at and without),
"price" (the largest), "cost" (hubs' own), "paid", "objective", "apart" (price of decentralisation); of the outcome KEY
in the table of models "outcome:KEY" (its objective), "overload:KEY", "above:KEY" (its price of decentralisation),
"terms:KEY" (what its prices weigh), "spent:KEY" and "passed:KEY" (what is paid by its prices). Those of all models,
of the network, of one hub, of what proves an answer and of how searches ended are told in
:mod:`components.hubs_cards_models`, :mod:`components.hubs_cards_network`, :mod:`components.hubs_cards_hub`,
:mod:`components.hubs_cards_proof` and :mod:`components.hubs_ends`.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from components import hubs_cards_hub, hubs_cards_models, hubs_cards_network, hubs_cards_proof, hubs_ends
from components.format import count, duration, number, percent
from components.hubs_why import BEYOND_MW, MOST, RATIO, Card, inputs_of, outcome_of
from components.hubs_words import (
    SOURCE,
    SOURCE_FLOW,
    SOURCE_QUICK,
    At,
    after_of,
    before_of,
    bound_of,
    dollars,
    gap_of,
    hour_of,
    labels_of,
    lettered,
    mwh,
    per_mwh,
    plain,
    said,
    status_words,
    worst_words,
)
from components.skeleton import Part
from components.why_card import why_card
from engine.pricing.compare import Outcome

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

_OVERLOAD = (
    "*E* = Δ Σ_t ( Σ_l [ |*f*_{lt}| − *f*_l^{max} ]_{+} + [ *S*_t − *S*^{max} ]_{+} + [ −*S*_t − *S*^{min} ]_{+} )"
)
_OBJECTIVE = (
    "*F* = α_{line} *E*_{line} + α_{sub} *E*_{sub} + α_{level} Σ |δ_{it}| + α_{smooth} Σ |δ_{it} − δ_{i,t−1}| "
    "+ α_{fair} Σ |δ_{it} − δ_{jt}|"
)


def card(run: "HubRun", at: At, what: str) -> Part:
    """Return the card of a number. Raises KeyError for a word that names none, ValueError for an element not there."""
    name, _, rest = what.partition(":")
    return _CARDS[name](run, at, rest)


def bound_lines(run: "HubRun", outcome: Outcome) -> list[Part]:
    """Return what is beyond its limit over the day, largest first, in sentences."""
    case, over, step = run.case, outcome.overloads, run.case.step_h
    found = [(float(row.sum()) * step, f"line {name}", row) for name, row in
             zip(case.network.lines, over.line_mw, strict=True)]  # fmt: skip
    found.append((float(over.substation_mw.sum()) * step, "the substation", over.substation_mw))
    found = sorted((each for each in found if each[0] > 5e-4), key=lambda each: -each[0])
    labels = labels_of(run)
    lines: list[Part] = [
        f"{name}: {mwh(energy)}, most at {labels[int(np.argmax(row))]} ({number(float(row.max()), 2)} MW)"
        for energy, name, row in found[:MOST]
    ]
    if len(found) > MOST:
        lines.append(f"and {count(len(found) - MOST, 'limit')} more: see Network")
    return lines


def _overload(run: "HubRun", outcome: Outcome, hour: int | None = None) -> Part:
    """Return the card of what is beyond limits over the day, and in the hour that is looked at where it is told."""
    case, over, labels = run.case, outcome.overloads, labels_of(run)
    beyond = over.line_mw.sum(axis=0) + over.substation_mw
    times = [int(np.argmax(beyond)), *([] if hour is None else [hour])]
    lines, substation = float(over.line_mw.sum()) * case.step_h, float(over.substation_mw.sum()) * case.step_h
    values = [
        ("Δ", f"{case.step_h:g} h"),
        ("*E*_{line}", mwh(lines)),
        ("*E*_{sub}", mwh(substation)),
        ("α_{line}, α_{sub}", f"{case.terms.line_per_mwh:g} and {case.terms.substation_per_mwh:g} $/MWh"),
        ("they weigh", dollars(outcome.overload_cost)),
        ("there are some in", count(int((beyond > BEYOND_MW).sum()), "period")),
        *((f"{'most' if at == 0 else 'looked at'}, {labels[t]}", f"{number(plain(float(beyond[t])), 3)} MW")
          for at, t in enumerate(times)),
    ]  # fmt: skip
    none, central = run.of("none", outcome.hubs), run.of("central", "linear")
    if none is not None and outcome.prices != "none" and (was := none.overloads.mwh(case)) > 0.0:
        now = over.mwh(case)
        values.append(("without prices", f"{mwh(was)}: {percent((was - now) / was, 0)} less with them"))
    if central is not None and outcome.prices != "central":
        values.append(("with all as one", mwh(central.overloads.mwh(case))))
    if outcome.hubs == "linear":
        values.append(("at worst, by chance between answers as good", worst_words(outcome)))
    return why_card(
        f"{mwh(over.mwh(case))} beyond limits: {said(outcome)}", formula=_OVERLOAD, values=values,
        binds=bound_lines(run, outcome), inputs=inputs_of(run), source=SOURCE_FLOW,
    )  # fmt: skip


def _beyond(run: "HubRun", at: At, _: str) -> Part:
    return _overload(run, after_of(run, at), hour_of(run, at))


def _was(run: "HubRun", at: At, _: str) -> Part:
    return _overload(run, before_of(run, at), hour_of(run, at))


def _price(run: "HubRun", at: At, _: str) -> Part:
    outcome, case = after_of(run, at), run.case
    area, hour = np.unravel_index(int(np.abs(outcome.price).argmax()), outcome.price.shape)
    names = [hub.name for hub, own in zip(case.hubs, case.area.tolist(), strict=True) if own == int(area)]
    both = case.prices.exports
    return why_card(
        f"{per_mwh(float(outcome.price[area, hour]))} on imports {'and exports ' if both else ''}of {names[0]}"
        + (f" and {count(len(names) - 1, 'other hub')} there" if len(names) > 1 else "")
        + f" at {labels_of(run)[int(hour)]}",
        formula="π_{it} = λ_t + τ_i + δ_{it},  δ^{min} ≤ δ_{it} ≤ δ^{max}",
        values=[
            ("δ allowed", f"{case.prices.least:g} to {case.prices.most:g} $/MWh"),
            ("mean of |δ|", per_mwh(float(np.abs(outcome.price).mean()))),
            *_weighed(run, outcome),
        ],
        inputs=inputs_of(run), source=SOURCE_QUICK if outcome.prices == "quick" else SOURCE,
        note="The same is added to what exports are paid, so buying stays dearer than selling brings."
        if both
        else "Buying never costs less than selling brings: else both at once would pay.",
    )  # fmt: skip


def _weighed(run: "HubRun", outcome: Outcome) -> list[tuple[str, str]]:
    """Return what prices weigh, each part with the sum of absolute values that its weight is of."""
    cost, terms = outcome.price_cost, run.case.terms
    return [
        (words, dollars(part) + (f", of {number(plain(part / weight), 1)} $/MWh in all" if weight else ""))
        for words, part, weight in (
            ("prices weigh, by their level", cost.level, terms.level),
            ("by their change from hour to hour", cost.smooth, terms.smooth),
            ("by their differences", cost.fair, terms.fair),
        )
    ]


def _terms(run: "HubRun", outcome: Outcome) -> Part:
    terms, between = run.case.terms, "δ_{it} − δ_{jt}"
    if terms.fairness != "hubs":
        between = "δ_{it} − mean_j δ_{jt}" if terms.fairness == "mean" else "δ_{it} − δ_{i,t−1}"
    return why_card(
        f"{dollars(outcome.price_cost.total)}: what prices weigh, {lettered(outcome)}",
        formula=f"α_{{level}} Σ |δ_{{it}}| + α_{{smooth}} Σ |δ_{{it}} − δ_{{i,t−1}}| + α_{{fair}} Σ |{between}|",
        values=[
            ("α_{level}, α_{smooth}, α_{fair}", f"{terms.level:.3g}, {terms.smooth:.3g}, {terms.fair:.3g} $ per $/MWh"),
            *_weighed(run, outcome),
        ],
        inputs=inputs_of(run), source=SOURCE,
    )  # fmt: skip


def _cost(run: "HubRun", at: At, _: str) -> Part:
    return _spends(run, before_of(run, at), after_of(run, at))


def _spent(run: "HubRun", outcome: Outcome) -> Part:
    return _spends(run, run.of("none", outcome.hubs) or before_of(run, At()), outcome)


def _spends(run: "HubRun", before: Outcome, after: Outcome) -> Part:
    rows = sorted(
        zip(run.case.hubs, before.hub_cost.tolist(), after.hub_cost.tolist(), strict=True),
        key=lambda row: row[1] - row[2],
    )
    return why_card(
        f"{dollars(float((after.hub_cost - before.hub_cost).sum()))} more of the hubs' own cost: {said(after)}",
        formula="*c*_i = Δ Σ_t ( (λ_t + τ_i) *m*^{in}_{it} − λ^{sell}_t *m*^{out}_{it} + wear, fuel, waiting )",
        values=[
            (said(before), dollars(float(before.hub_cost.sum()))),
            (said(after), dollars(float(after.hub_cost.sum()))),
            *((hub.name, f"{dollars(was)} to {dollars(now)}") for hub, was, now in rows[:MOST]),
        ],
        inputs=inputs_of(run), source=SOURCE,
        note="Without what the operator's prices take, which passes between hub and operator, and without curvature.",
    )  # fmt: skip


def _paid(run: "HubRun", at: At, _: str) -> Part:
    return _passed(run, after_of(run, at))


def _passed(run: "HubRun", outcome: Outcome) -> Part:
    rows = sorted(zip(run.case.hubs, outcome.paid.tolist(), strict=True), key=lambda row: -abs(row[1]))
    both = run.case.prices.exports
    return why_card(
        f"{dollars(float(outcome.paid.sum()))} paid by the operator's prices: {said(outcome)}",
        formula="Δ Σ_i Σ_t δ_{it} " + ("( *m*^{in}_{it} − *m*^{out}_{it} )" if both else "*m*^{in}_{it}"),
        values=[(hub.name, dollars(paid)) for hub, paid in rows[:MOST]],
        inputs=inputs_of(run), source=SOURCE,
        note="It passes from hubs to the operator and is not among what the operator makes least.",
    )  # fmt: skip


def _objective(run: "HubRun", at: At, _: str) -> Part:
    return _of_outcome(run, after_of(run, at))


def _of_key(made: Callable[["HubRun", Outcome], Part]) -> Card:
    return lambda run, _at, key: made(run, outcome_of(run, key))


def _of_outcome(run: "HubRun", outcome: Outcome) -> Part:
    case = run.case
    return why_card(
        f"{dollars(outcome.objective)}: {lettered(outcome)}",
        formula=_OBJECTIVE,
        values=[
            ("α_{line}, α_{sub}", f"{case.terms.line_per_mwh:g} and {case.terms.substation_per_mwh:g} $/MWh"),
            ("overloads", f"{dollars(outcome.overload_cost)} ({mwh(outcome.overloads.mwh(case))})"),
            ("prices", dollars(outcome.price_cost.total)),
            ("*F*", dollars(outcome.objective)),
            ("no prices reach less than", dollars(bound := bound_of(run, outcome))),
            ("gap", percent(gap_of(run, outcome), 1)),
            *([("at most this many times the best", number(outcome.objective / bound, 2))] if bound >= RATIO else []),
            ("status", status_words(outcome)),
            ("time", duration(outcome.time_s)),
        ],
        inputs=inputs_of(run), source=SOURCE_QUICK if outcome.prices == "quick" else SOURCE,
        note=f"The bound is what overloads weigh whatever hubs do ({dollars(run.floor)}), more where branch and bound "
        "proved it.",
    )  # fmt: skip


def _apart(run: "HubRun", at: At, _: str) -> Part:
    return _above(run, after_of(run, at))


def _above(run: "HubRun", outcome: Outcome) -> Part:
    central = run.of("central", "linear")
    values = [(said(outcome), dollars(outcome.overload_cost)), ("all as one", dollars(run.floor))]
    if central is not None:
        both = [float(each.hub_cost.sum()) for each in (outcome, central)]
        values += [("hubs' own cost by themselves", dollars(both[0])), ("hubs' own cost all as one", dollars(both[1]))]
    return why_card(
        f"{dollars(outcome.overload_cost - run.floor)}: the price of decentralisation, {said(outcome)}",
        formula="α · *E*(prices) − α · *E*(all as one)", values=values, inputs=inputs_of(run), source=SOURCE,
        note="All as one is no market: hubs and network are run as one, whatever it costs the hubs.",
    )  # fmt: skip


_CARDS: Mapping[str, Card] = {
    "beyond": _beyond, "was": _was, "price": _price, "cost": _cost, "paid": _paid, "objective": _objective,
    "apart": _apart, "outcome": _of_key(_of_outcome), "overload": _of_key(_overload), "terms": _of_key(_terms),
    "above": _of_key(_above), "spent": _of_key(_spent), "passed": _of_key(_passed),
    **hubs_cards_network.CARDS, **hubs_cards_hub.CARDS, **hubs_cards_models.CARDS, **hubs_cards_proof.CARDS,
    **hubs_ends.CARDS,
}  # fmt: skip
