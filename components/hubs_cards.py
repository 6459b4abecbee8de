"""Why each number of the Hubs page is what it is: formula, values, what binds, inputs, source.

``what`` names the number: "beyond" and "was" (MWh beyond limits, with the prices that are looked at and without),
"price" (the largest), "cost" (hubs' own), "paid", "objective", "apart" (price of decentralisation), "realtime";
"outcome:KEY" of the table of models; of the hour that is looked at "substation", "line:NAME", "charge:HUB" (its price)
and "draw:HUB"; of the whole day "owes:HUB" (its own cost), "pays:HUB" (by the operator's prices), "mean:HUB" (its
price) and "peak:HUB" (its draw); of a line or of "substation" "over:NAME" (beyond its limit) and "load:NAME" (in parts
of it).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from components.format import count, number, percent
from components.hubs_words import (
    SOURCE,
    SOURCE_FLOW,
    SOURCE_QUICK,
    At,
    after_of,
    amount_of,
    before_of,
    dollars,
    hour_of,
    labels_of,
    lettered,
    mwh,
    per_mwh,
    programs_of,
    said,
    status_words,
)
from components.skeleton import Part
from components.why_card import WhyInput, why_card
from engine.pricing.compare import Outcome

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

Card = Callable[["HubRun", At, str], Part]
_OVERLOAD = (
    "*E* = Δ Σ_t ( Σ_l [ |*f*_{lt}| − *f*_l^{max} ]_{+} + [ *S*_t − *S*^{max} ]_{+} + [ −*S*_t − *S*^{min} ]_{+} )"
)
_OBJECTIVE = (
    "*F* = α_{line} *E*_{line} + α_{sub} *E*_{sub} + α_{level} Σ |δ_{it}| + α_{smooth} Σ |δ_{it} − δ_{i,t−1}| "
    "+ α_{fair} Σ |δ_{it} − δ_{jt}|"
)
_MOST = 6  # limits that a card names
BEYOND_MW = 5e-4  # less is written as 0
SUBSTATION = "substation"  # in the place of a line's name


def card(run: "HubRun", at: At, what: str) -> Part:
    """Return the card of a number. Raises KeyError for a word that names none, ValueError for an element not there."""
    name, _, rest = what.partition(":")
    return _CARDS[name](run, at, rest)


def inputs_of(run: "HubRun") -> list[WhyInput]:
    """Return the inputs of every number of a run."""
    known = run.provenance
    return [
        WhyInput("case of hubs", str(known.get("case_digest", "")), str(known.get("date", ""))[:10]),
        WhyInput("question", str(known.get("question_digest", ""))),
        WhyInput(f"seed {run.question.seed}; {known.get('solver', '')}"),
    ]


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
        for energy, name, row in found[:_MOST]
    ]
    if len(found) > _MOST:
        lines.append(f"and {count(len(found) - _MOST, 'limit')} more: see Network")
    return lines


def _overload(run: "HubRun", outcome: Outcome) -> Part:
    case, over = run.case, outcome.overloads
    lines, substation = float(over.line_mw.sum()) * case.step_h, float(over.substation_mw.sum()) * case.step_h
    values = [
        ("Δ", f"{case.step_h:g} h"),
        ("*E*_{line}", mwh(lines)),
        ("*E*_{sub}", mwh(substation)),
        ("they weigh", dollars(outcome.overload_cost)),
    ]
    if outcome.hubs == "linear":
        values.append(("at worst, by chance between answers as good", dollars(outcome.worst_cost)))
    return why_card(
        f"{mwh(over.mwh(case))} beyond limits: {said(outcome)}", formula=_OVERLOAD, values=values,
        binds=bound_lines(run, outcome), inputs=inputs_of(run), source=SOURCE_FLOW,
    )  # fmt: skip


def _beyond(run: "HubRun", at: At, _: str) -> Part:
    return _overload(run, after_of(run, at))


def _was(run: "HubRun", at: At, _: str) -> Part:
    return _overload(run, before_of(run, at))


def _price(run: "HubRun", at: At, _: str) -> Part:
    outcome, case = after_of(run, at), run.case
    area, hour = np.unravel_index(int(np.abs(outcome.price).argmax()), outcome.price.shape)
    names = [hub.name for hub, own in zip(case.hubs, case.area.tolist(), strict=True) if own == int(area)]
    cost = outcome.price_cost
    return why_card(
        f"{per_mwh(float(outcome.price[area, hour]))} on imports of {names[0]}"
        + (f" and {count(len(names) - 1, 'other hub')} there" if len(names) > 1 else "")
        + f" at {labels_of(run)[int(hour)]}",
        formula="π_{it} = λ_t + τ_i + δ_{it},  δ^{min} ≤ δ_{it} ≤ δ^{max}",
        values=[
            ("δ allowed", f"{case.prices.least:g} to {case.prices.most:g} $/MWh"),
            ("mean of |δ|", per_mwh(float(np.abs(outcome.price).mean()))),
            ("prices weigh, by their level", dollars(cost.level)),
            ("by their change from hour to hour", dollars(cost.smooth)),
            ("by their differences", dollars(cost.fair)),
        ],
        inputs=inputs_of(run), source=SOURCE_QUICK if outcome.prices == "quick" else SOURCE,
        note="Buying never costs less than selling brings: else both at once would pay.",
    )  # fmt: skip


def _cost(run: "HubRun", at: At, _: str) -> Part:
    before, after = before_of(run, at), after_of(run, at)
    rows = sorted(
        zip(run.case.hubs, before.hub_cost.tolist(), after.hub_cost.tolist(), strict=True),
        key=lambda row: row[1] - row[2],
    )
    return why_card(
        f"{dollars(float((after.hub_cost - before.hub_cost).sum()))} more of the hubs' own cost: {said(after)}",
        formula="*c*_i = Δ Σ_t ( (λ_t + τ_i) *m*^{in}_{it} − λ^{sell}_t *m*^{out}_{it} + wear, fuel, waiting )",
        values=[
            ("no prices", dollars(float(before.hub_cost.sum()))),
            (said(after), dollars(float(after.hub_cost.sum()))),
            *((hub.name, f"{dollars(was)} to {dollars(now)}") for hub, was, now in rows[:_MOST]),
        ],
        inputs=inputs_of(run), source=SOURCE,
        note="Without what the operator's prices take, which passes between hub and operator, and without curvature.",
    )  # fmt: skip


def _paid(run: "HubRun", at: At, _: str) -> Part:
    outcome = after_of(run, at)
    rows = sorted(zip(run.case.hubs, outcome.paid.tolist(), strict=True), key=lambda row: -abs(row[1]))
    return why_card(
        f"{dollars(float(outcome.paid.sum()))} paid by the operator's prices: {said(outcome)}",
        formula="Δ Σ_i Σ_t δ_{it} *m*^{in}_{it}", values=[(hub.name, dollars(paid)) for hub, paid in rows[:_MOST]],
        inputs=inputs_of(run), source=SOURCE,
        note="It passes from hubs to the operator and is not among what the operator makes least.",
    )  # fmt: skip


def _objective(run: "HubRun", at: At, _: str) -> Part:
    return _of_outcome(run, after_of(run, at))


def _outcome(run: "HubRun", _at: At, key: str) -> Part:
    found = next((each for each in run.outcomes if f"{each.prices}-{each.hubs}" == key), None)
    if found is None:
        raise ValueError(f"there is no outcome {key!r:.60}")
    return _of_outcome(run, found)


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
            ("no prices reach less than", dollars(outcome.bound)),
            ("gap", percent(max(outcome.gap, 0.0), 1)),
            ("status", status_words(outcome)),
        ],
        inputs=inputs_of(run), source=SOURCE_QUICK if outcome.prices == "quick" else SOURCE,
        note=f"The bound is what overloads weigh whatever hubs do ({dollars(run.floor)}), raised where a search proved "
        "more.",
    )  # fmt: skip


def _apart(run: "HubRun", at: At, _: str) -> Part:
    outcome, central = after_of(run, at), run.of("central", "linear")
    values = [("with prices", dollars(outcome.overload_cost)), ("all as one", dollars(run.floor))]
    if central is not None:
        both = [float(each.hub_cost.sum()) for each in (outcome, central)]
        values += [("hubs' own cost with prices", dollars(both[0])), ("hubs' own cost all as one", dollars(both[1]))]
    return why_card(
        f"{dollars(outcome.overload_cost - run.floor)}: the price of decentralisation",
        formula="α · *E*(prices) − α · *E*(all as one)", values=values, inputs=inputs_of(run), source=SOURCE,
        note="All as one is no market: hubs and network are run as one, whatever it costs the hubs.",
    )  # fmt: skip


def _substation(run: "HubRun", at: At, _: str) -> Part:
    hour, network = hour_of(run, at), run.case.network
    values = [("without hubs", f"{number(float(network.substation_mw[hour]), 3)} MW"),
              ("limit of import", f"{number(network.import_mw, 3)} MW"),
              ("limit of export", f"{number(network.export_mw, 3)} MW")]  # fmt: skip
    values += [
        (said(each), f"{number(float(each.overloads.substation_flow_mw[hour]), 3)} MW")
        for each in (before_of(run, at), after_of(run, at))
    ]
    return why_card(
        f"The substation at {labels_of(run)[hour]}", formula="*S*_t = *S*^{bg}_t + Σ_i *w*_{it}", values=values,
        inputs=inputs_of(run), source=SOURCE_FLOW,
    )  # fmt: skip


def _line(run: "HubRun", at: At, name: str) -> Part:
    network, hour = run.case.network, hour_of(run, at)
    if name not in network.lines:
        raise ValueError(f"there is no line {name!r:.60}")
    row = network.lines.index(name)
    values = [("background", f"{number(float(network.background_mw[row, hour]), 3)} MW"),
              ("limit, either way", f"{number(float(network.limit_mw[row]), 3)} MW")]  # fmt: skip
    values += [
        (said(each), f"{number(float(each.overloads.flow_mw[row, hour]), 3)} MW")
        for each in (before_of(run, at), after_of(run, at))
    ]
    feeding = [hub.name for hub, share in zip(run.case.hubs, network.share[row].tolist(), strict=True) if share]
    return why_card(
        f"Line {name} at {labels_of(run)[hour]}", formula="*f*_{lt} = *f*^{bg}_{lt} − Σ_i *H*_{li} *w*_{it}",
        values=values,
        binds=[f"{count(len(feeding), 'hub')} behind it: {', '.join(feeding[:_MOST])}"] if feeding else [],
        inputs=inputs_of(run), source=SOURCE_FLOW,
    )  # fmt: skip


def _hub(run: "HubRun", name: str) -> int:
    for place, hub in enumerate(run.case.hubs):
        if hub.name == name:
            return place
    raise ValueError(f"there is no hub {name!r:.60}")


def _charge(run: "HubRun", at: At, name: str) -> Part:
    place, hour, outcome, case = _hub(run, name), hour_of(run, at), after_of(run, at), run.case
    added = float(outcome.price[case.area[place], hour])
    tariff, own = float(case.buy_per_mwh[hour]), case.hubs[place].base_per_mwh
    return why_card(
        f"{name} pays {per_mwh(tariff + own + added)} at {labels_of(run)[hour]}",
        formula="π_{it} = λ_t + τ_i + δ_{it}",
        values=[("λ, tariff", per_mwh(tariff)), ("τ, its own charge", per_mwh(own)),
                ("δ, the operator's", per_mwh(added)), ("exports are paid", per_mwh(float(case.sell_per_mwh[hour])))],
        inputs=inputs_of(run), source=SOURCE_QUICK if outcome.prices == "quick" else SOURCE,
    )  # fmt: skip


def _draw(run: "HubRun", at: At, name: str) -> Part:
    place, hour = _hub(run, name), hour_of(run, at)
    program = programs_of(run)[place]
    values = []
    for each in (before_of(run, at), after_of(run, at)):
        x = each.points[place]
        parts = ", ".join(
            f"{kind} {number(float(program.of(x, kind)[hour]), 3)}"
            for kind in program.kinds
            if kind not in {"energy", "hydrogen", "waiting", "ramp"} and abs(float(program.of(x, kind)[hour])) > 5e-4
        )
        values.append((said(each), f"{number(float(each.withdrawal_mw[place, hour]), 3)} MW ({parts})"))
    return why_card(
        f"{name} at {labels_of(run)[hour]}", formula="*w*_{it} = *m*^{in}_{it} − *m*^{out}_{it}", values=values,
        inputs=inputs_of(run), source=SOURCE, note="Its answer to the prices at least cost to itself.",
    )  # fmt: skip


def _owes(run: "HubRun", at: At, name: str) -> Part:
    place = _hub(run, name)
    program, values = programs_of(run)[place], []
    for each in (before_of(run, at), after_of(run, at)):
        x = each.points[place]
        parts = [(kind, float(program.cost[program.place(kind)] @ program.of(x, kind))) for kind in program.kinds]
        told = ", ".join(f"{kind} {dollars(cost)}" for kind, cost in parts if abs(cost) > 5e-3)
        values.append((said(each), f"{dollars(float(each.hub_cost[place]))} ({told})"))
    return why_card(
        f"What {name} spends", formula="*c*_i = Δ Σ_t ( (λ_t + τ_i) *m*^{in}_{it} − λ^{sell}_t *m*^{out}_{it} + … )",
        values=values, inputs=inputs_of(run), source=SOURCE,
    )  # fmt: skip


def _pays(run: "HubRun", at: At, name: str) -> Part:
    place, outcome = _hub(run, name), after_of(run, at)
    priced = programs_of(run)[place].priced @ outcome.points[place]
    price = outcome.price[run.case.area[place]]
    return why_card(
        f"{name} pays {dollars(float(outcome.paid[place]))} by the operator's prices",
        formula="Δ Σ_t δ_{it} *m*^{in}_{it}",
        values=[("energy that is priced", f"{number(float(priced.sum()), 2)} MWh"),
                ("mean price, over its energy", per_mwh(float(price @ priced) / max(float(priced.sum()), 1e-9)))],
        inputs=inputs_of(run), source=SOURCE,
    )  # fmt: skip


def _mean(run: "HubRun", at: At, name: str) -> Part:
    place, outcome, labels = _hub(run, name), after_of(run, at), labels_of(run)
    price = outcome.price[run.case.area[place]]
    high, low = int(price.argmax()), int(price.argmin())
    return why_card(
        f"{per_mwh(float(price.mean()))}: the mean of the operator's price for {name}",
        formula="Σ_t δ_{it} / *T*",
        values=[("Σ_t δ_{it}", per_mwh(float(price.sum()))), ("*T*", count(len(labels), "period")),
                (f"highest, {labels[high]}", per_mwh(float(price[high]))),
                (f"lowest, {labels[low]}", per_mwh(float(price[low])))],
        inputs=inputs_of(run), source=SOURCE_QUICK if outcome.prices == "quick" else SOURCE,
        note="Of all hours alike; what its energy pays on average is on the card of what it pays.",
    )  # fmt: skip


def _peak(run: "HubRun", at: At, name: str) -> Part:
    place, labels, values = _hub(run, name), labels_of(run), []
    for each in (before_of(run, at), after_of(run, at)):
        draw = each.withdrawal_mw[place]
        values.append((said(each), f"{number(float(draw.max()), 3)} MW at {labels[int(draw.argmax())]}"))
    values.append(("imports at most", f"{number(run.case.hubs[place].import_mw, 3)} MW"))
    return why_card(
        f"The most that {name} draws", formula="max_t *w*_{it},  *w*_{it} = *m*^{in}_{it} − *m*^{out}_{it}",
        values=values, inputs=inputs_of(run), source=SOURCE, note="Its answer to the prices at least cost to itself.",
    )  # fmt: skip


def loading_of(run: "HubRun", each: Outcome, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return MW beyond the limit, and flow in parts of it, of a line or the substation by period (T,).

    Raises ValueError for one that is not there.
    """
    network, over = run.case.network, each.overloads
    if name == SUBSTATION:
        flow = over.substation_flow_mw
        return over.substation_mw, np.maximum(flow / network.import_mw, -flow / network.export_mw)
    if name not in network.lines:
        raise ValueError(f"there is no line {name!r:.60}")
    row = network.lines.index(name)
    return over.line_mw[row], np.abs(over.flow_mw[row]) / float(network.limit_mw[row])


def _limits(run: "HubRun", name: str) -> list[tuple[str, str]]:
    network = run.case.network
    if name == SUBSTATION:
        return [("limit of import", f"{number(network.import_mw, 3)} MW"),
                ("limit of export", f"{number(network.export_mw, 3)} MW")]  # fmt: skip
    return [("limit, either way", f"{number(float(network.limit_mw[network.lines.index(name)]), 3)} MW")]


def _titled(name: str) -> str:
    return "The substation" if name == SUBSTATION else f"Line {name}"


def _over(run: "HubRun", at: At, name: str) -> Part:
    labels, values = labels_of(run), []
    for each in (before_of(run, at), after_of(run, at)):
        beyond = loading_of(run, each, name)[0]
        hours = int((beyond > BEYOND_MW).sum())
        most = f", most {number(float(beyond.max()), 3)} MW at {labels[int(beyond.argmax())]}" if hours else ""
        energy = mwh(float(beyond.sum()) * run.case.step_h)
        values.append((said(each), f"{energy} in {count(hours, 'hour')}{most}"))
    formula = (
        "Δ Σ_t ( [ *S*_t − *S*^{max} ]_{+} + [ −*S*_t − *S*^{min} ]_{+} )"
        if name == SUBSTATION
        else "Δ Σ_t [ |*f*_{lt}| − *f*_l^{max} ]_{+}"
    )
    return why_card(
        f"{_titled(name)} beyond its limit over the day", formula=formula,
        values=[("Δ", f"{run.case.step_h:g} h"), *_limits(run, name), *values],
        inputs=inputs_of(run), source=SOURCE_FLOW,
    )  # fmt: skip


def _load(run: "HubRun", at: At, name: str) -> Part:
    labels, hour, values = labels_of(run), hour_of(run, at), []
    for each in (before_of(run, at), after_of(run, at)):
        parts = loading_of(run, each, name)[1]
        most = int(parts.argmax())
        values.append((said(each), f"{percent(float(parts[hour]), 1)}; at most {percent(float(parts[most]), 1)} at "
                                   f"{labels[most]}"))  # fmt: skip
    formula = "max( *S*_t / *S*^{max}, −*S*_t / *S*^{min} )" if name == SUBSTATION else "|*f*_{lt}| / *f*_l^{max}"
    return why_card(
        f"{_titled(name)} at {labels[hour]}, in parts of its limit", formula=formula,
        values=[*_limits(run, name), *values], inputs=inputs_of(run), source=SOURCE_FLOW,
    )  # fmt: skip


def _realtime(run: "HubRun", _at: At, _rest: str) -> Part:
    real: Any = run.real_time
    if real is None:
        raise ValueError("no prices in real time")
    return why_card(
        f"{dollars(amount_of(real.overload_cost))} of overloads with prices set again each hour",
        formula="*F*(hour by hour) against *F*(everything known beforehand)",
        values=[
            ("overloads, hour by hour", dollars(amount_of(real.overload_cost))),
            ("overloads, all known", dollars(amount_of(real.foresight_overload_cost))),
            ("hubs' own cost, hour by hour", dollars(float(real.hub_cost.sum()))),
            ("hubs' own cost, all known", dollars(float(real.foresight_hub_cost.sum()))),
            ("looks ahead", count(run.question.window, "hour")),
            ("standard deviation of forecasts", percent(run.question.error)),
        ],
        inputs=inputs_of(run), source=SOURCE_QUICK,
    )  # fmt: skip


_CARDS: Mapping[str, Card] = {
    "beyond": _beyond, "was": _was, "price": _price, "cost": _cost, "paid": _paid, "objective": _objective,
    "apart": _apart, "outcome": _outcome, "substation": _substation, "line": _line, "charge": _charge, "draw": _draw,
    "owes": _owes, "pays": _pays, "mean": _mean, "peak": _peak, "over": _over, "load": _load, "realtime": _realtime,
}  # fmt: skip
