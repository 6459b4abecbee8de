"""Why a hub pays, draws, spends and holds what it does.

Of the hour that is looked at "charge:HUB" (what it pays for a MWh), "draw:HUB", "energy:HUB", "hydrogen:HUB" and
"waiting:HUB" (what it holds at the hour's end); of the whole day "owes:HUB" (its own cost), "pays:HUB" (by the
operator's prices), "mean:HUB" (its price) and "peak:HUB" (its draw).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.format import count, number
from components.hubs_parts import HELD, WORDS, parts_of
from components.hubs_why import BEYOND_MW, Card, hub_place, inputs_of
from components.hubs_words import (
    SOURCE,
    SOURCE_QUICK,
    At,
    after_of,
    before_of,
    dollars,
    hour_of,
    labels_of,
    per_mwh,
    programs_of,
    said,
)
from components.skeleton import Part
from components.why_card import why_card
from engine.pricing.hubs import Hub

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

SOURCE_HELD = "Balance of what is held from one period to the next, a bound for each end"
_NEAR = 1e-5  # MWh from an end: it binds


def _charge(run: "HubRun", at: At, name: str) -> Part:
    place, hour, outcome, case = hub_place(run, name), hour_of(run, at), after_of(run, at), run.case
    added = float(outcome.price[case.area[place], hour])
    tariff, own, sell = float(case.buy_per_mwh[hour]), case.hubs[place].base_per_mwh, float(case.sell_per_mwh[hour])
    formula, paid = "π_{it} = λ_t + τ_i + δ_{it}", per_mwh(sell)
    if case.prices.exports:
        formula += ",  for exports λ^{sell}_t + δ_{it}"
        paid = f"{per_mwh(sell)} and δ: {per_mwh(sell + added)}"
    return why_card(
        f"{name} pays {per_mwh(tariff + own + added)} at {labels_of(run)[hour]}",
        formula=formula,
        values=[("λ, tariff", per_mwh(tariff)), ("τ, its own charge", per_mwh(own)),
                ("without the operator's", per_mwh(tariff + own)), ("δ, the operator's", per_mwh(added)),
                ("exports are paid", paid)],
        inputs=inputs_of(run), source=SOURCE_QUICK if outcome.prices == "quick" else SOURCE,
    )  # fmt: skip


def _draw(run: "HubRun", at: At, name: str) -> Part:
    place, hour = hub_place(run, name), hour_of(run, at)
    values = []
    for each in (before_of(run, at), after_of(run, at)):
        powers = {kind: float(row[hour]) for kind, row in parts_of(run, each, place).items() if kind not in HELD}
        parts = ", ".join(f"{WORDS[kind]} {number(mw, 3)}" for kind, mw in powers.items() if abs(mw) >= BEYOND_MW)
        values.append((said(each), f"{number(float(each.withdrawal_mw[place, hour]), 3)} MW ({parts})"))
    return why_card(
        f"{name} at {labels_of(run)[hour]}", formula="*w*_{it} = *m*^{in}_{it} − *m*^{out}_{it}", values=values,
        inputs=inputs_of(run), source=SOURCE,
        note="Its answer to the prices at least cost to itself. Import, sun, battery out, generator and fuel cell come "
        "to what demand, work, battery in, electrolyser and export take.",
    )  # fmt: skip


def _owes(run: "HubRun", at: At, name: str) -> Part:
    place = hub_place(run, name)
    program, values = programs_of(run)[place], []
    for each in (before_of(run, at), after_of(run, at)):
        x = each.points[place]
        parts = [(kind, float(program.cost[program.place(kind)] @ program.of(x, kind))) for kind in program.kinds]
        told = ", ".join(f"{kind} {dollars(cost)}" for kind, cost in parts if abs(cost) > 5e-3)
        values.append((said(each), f"{dollars(float(each.hub_cost[place]))} ({told})"))
    more = float(after_of(run, at).hub_cost[place] - before_of(run, at).hub_cost[place])
    values.append(("more with prices", dollars(more)))
    return why_card(
        f"What {name} spends", formula="*c*_i = Δ Σ_t ( (λ_t + τ_i) *m*^{in}_{it} − λ^{sell}_t *m*^{out}_{it} + … )",
        values=values, inputs=inputs_of(run), source=SOURCE,
        note="At the tariffs alone: what the operator's prices take or give is what it pays by them.",
    )  # fmt: skip


def _pays(run: "HubRun", at: At, name: str) -> Part:
    place, outcome, priced = hub_place(run, name), after_of(run, at), run.case.prices.exports
    program, x = programs_of(run)[place], outcome.points[place]
    price, step = outcome.price[run.case.area[place]], run.case.step_h
    values = []
    for way, sign in (("import", 1.0), *([("export", -1.0)] if priced else [])):
        energy = program.of(x, way) * step
        paid, total = sign * float(price @ energy), float(energy.sum())
        mean = f", {per_mwh(float(price @ energy) / total)} on average" if total > _NEAR else ""
        values.append((f"{way}s, {number(total, 2)} MWh", f"{dollars(paid)}{mean}"))
    return why_card(
        f"{name} pays {dollars(float(outcome.paid[place]))} by the operator's prices",
        formula="Δ Σ_t δ_{it} " + ("( *m*^{in}_{it} − *m*^{out}_{it} )" if priced else "*m*^{in}_{it}"),
        values=values, inputs=inputs_of(run), source=SOURCE,
        note="What is added to the pay for exports, the hub receives; below 0 it gives that up." if priced else None,
    )  # fmt: skip


def _mean(run: "HubRun", at: At, name: str) -> Part:
    place, outcome, labels = hub_place(run, name), after_of(run, at), labels_of(run)
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
    place, labels, values = hub_place(run, name), labels_of(run), []
    for each in (before_of(run, at), after_of(run, at)):
        draw = each.withdrawal_mw[place]
        values.append((said(each), f"{number(float(draw.max()), 3)} MW at {labels[int(draw.argmax())]}"))
    values.append(("imports at most", f"{number(run.case.hubs[place].import_mw, 3)} MW"))
    return why_card(
        f"The most that {name} draws", formula="max_t *w*_{it},  *w*_{it} = *m*^{in}_{it} − *m*^{out}_{it}",
        values=values, inputs=inputs_of(run), source=SOURCE, note="Its answer to the prices at least cost to itself.",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Held:
    """What a hub holds, and how it moves: ``held_t = held_{t-1} + step * (more_t + sum of factor * power_t)``."""

    words: str
    formula: str
    first: float  # MWh, before the first period
    moved: tuple[tuple[str, str, float], ...]  # kind, in words, factor
    more_mw: tuple[float, ...] = ()  # (T,), that arrives
    told: tuple[tuple[str, str], ...] = ()


def _held(hub: Hub, kind: str) -> _Held:
    """Return how a hub's store moves. Raises ValueError for one that it has not."""
    battery, hydrogen, work = hub.battery, hub.hydrogen, hub.work
    if kind == "energy" and battery is not None:
        into, out = battery.charge_efficiency, battery.discharge_efficiency
        end = battery.start_mwh if battery.end_mwh is None else battery.end_mwh
        return _Held(
            "the battery", "*e*_t = *e*_{t−1} + Δ ( η_{ch} *p*^{ch}_t − *p*^{dis}_t / η_{dis} )", battery.start_mwh,
            (("charge", "charged", into), ("discharge", "discharged", -1.0 / out)),
            told=(("η_{ch}, η_{dis}", f"{into:g} and {out:g}"),
                  ("the day ends with at least", f"{number(end, 3)} MWh")),
        )  # fmt: skip
    if kind == "hydrogen" and hydrogen is not None:
        into, out = hydrogen.electrolyser_efficiency, hydrogen.fuel_cell_efficiency
        end = hydrogen.start_mwh if hydrogen.end_mwh is None else hydrogen.end_mwh
        return _Held(
            "hydrogen", "*h*_t = *h*_{t−1} + Δ ( η_{el} *p*^{el}_t − *h*^{fc}_t )", hydrogen.start_mwh,
            (("electrolyser", "to the electrolyser", into), ("fuel cell", "of hydrogen to the fuel cell", -1.0)),
            told=(("η_{el}", f"{into:g}"), ("η_{fc}, of what the fuel cell gives", f"{out:g}"),
                  ("the day ends with at least", f"{number(end, 3)} MWh")),
        )  # fmt: skip
    if kind == "waiting" and work is not None:
        return _Held(
            "work that waits", "*a*_t = *a*_{t−1} + Δ ( *A*_t − *u*_t )", float(sum(work.before_mwh)),
            (("work", "done", -1.0),), work.arrivals_mw,
            (("done within", count(work.deadline, "period")), ("at once, at most", f"{number(work.most_mw, 3)} MW")),
        )  # fmt: skip
    raise ValueError(f"there is no {kind} at {hub.name!r:.60}")


def _holds(kind: str) -> Card:
    def made(run: "HubRun", at: At, name: str) -> Part:
        place, hour = hub_place(run, name), hour_of(run, at)
        row, program, step = _held(run.case.hubs[place], kind), programs_of(run)[place], run.case.step_h
        values: list[tuple[str, str]] = [("Δ", f"{step:g} h")]
        binds = []
        column = program.place(kind)[hour]
        least, most = float(program.lower[column]), float(program.upper[column])
        for each in (before_of(run, at), after_of(run, at)):
            x = each.points[place]
            held = program.of(x, kind)
            before = row.first if hour == 0 else float(held[hour - 1])
            arrived = [f"{number(row.more_mw[hour], 3)} MW arrived"] if row.more_mw else []
            powers = [f"{number(float(program.of(x, one)[hour]), 3)} MW {words}" for one, words, _ in row.moved]
            moved = sum(factor * float(program.of(x, one)[hour]) for one, _, factor in row.moved)
            now = before + step * (moved + (row.more_mw[hour] if row.more_mw else 0.0))
            values.append((
                said(each), f"{number(before, 3)} MWh before; {', '.join([*arrived, *powers])}: {number(now, 3)} MWh",
            ))  # fmt: skip
            for end, words in ((most, "it may hold no more"), (least, "it may hold no less")):
                if abs(now - end) < _NEAR:
                    binds.append(f"{said(each)}: {words} than {number(end, 3)} MWh now")
                    break
        values += [*row.told, ("may hold now", f"{number(least, 3)} to {number(most, 3)} MWh")]
        return why_card(
            f"{name}, {row.words} at the end of {labels_of(run)[hour]}", formula=row.formula, values=values,
            binds=binds, inputs=inputs_of(run), source=SOURCE_HELD,
            note="When it moves is the hub's answer to the prices at least cost to itself.",
        )  # fmt: skip

    return made


CARDS: Mapping[str, Card] = {
    "charge": _charge, "draw": _draw, "owes": _owes, "pays": _pays, "mean": _mean, "peak": _peak,
    "energy": _holds("energy"), "hydrogen": _holds("hydrogen"), "waiting": _holds("waiting"),
}  # fmt: skip
