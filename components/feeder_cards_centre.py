"""Why a data centre's price, bill, energy and voltage are what they are. ``feeder_cards.card`` finds these."""

from typing import TYPE_CHECKING

import numpy as np

from components.feeder_cards_parts import bound_lines, open_device
from components.feeder_layers import At, case_said, member_words, shape
from components.feeder_words import SOURCE_AC, SOURCE_PAYMENT, inputs_of, money
from components.format import number, percent
from components.skeleton import Part
from components.why_card import why_card
from engine.distribution.frames import Frame

if TYPE_CHECKING:
    from engine.distribution.run import FeederRun


def price(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why a data centre pays the price it does for a MWh, its reactive power included."""
    case, hour, _, row = open_device(run, at, run.feeder.centres, rest)
    nodes = Frame.of(run.feeder).at(row.bus, row.phases).tolist()
    active, reactive = case.active_price[hour, nodes], case.reactive_price[hour, nodes]
    total = float(active.mean() + row.kvar_per_kw * reactive.mean())
    members = [shape(run).nodes[node][1] for node in nodes]
    return why_card(
        f"{row.name}: {number(total, 2)} $/MWh in {run.labels[hour]}, {case_said(case)}",
        formula="λ + tan φ λ^{q}, each the mean of its nodes",
        values=[
            *((f"λ, {member_words(run.feeder, member)}", f"{number(float(value), 2)} $/MWh")
              for member, value in zip(members, active, strict=True)),
            ("λ, mean", f"{number(float(active.mean()), 2)} $/MWh"),
            ("λ^{q}, mean", f"{number(float(reactive.mean()), 2)} $/Mvarh"),
            ("tan φ", f"{number(row.kvar_per_kw, 3)} at power factor {number(row.power_factor, 2)}"),
        ],
        binds=bound_lines(run, case, hour),
        inputs=inputs_of(run),
        source=SOURCE_PAYMENT,
        note="It draws alike on its phases, so each of its nodes counts alike.",
    )  # fmt: skip


def bill(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why a data centre pays what it does over the day."""
    case, _, place, row = open_device(run, at, run.feeder.centres, rest)
    active, reactive = case.bill_active[:, place], case.bill_reactive[:, place]
    each = active + reactive
    dearest = int(each.argmax())
    return why_card(
        f"{row.name}: {money(float(each.sum()))} over the day, {case_said(case)}",
        formula="Σ_t *X*_t ( λ_t + tan φ λ^{q}_t )",
        values=[
            ("active power", money(float(active.sum()))),
            ("reactive power", money(float(reactive.sum()))),
            ("of all data centres", _share(float(each.sum()), float((case.bill_active + case.bill_reactive).sum()))),
            ("its dearest hour", f"{money(float(each[dearest]))}, {run.labels[dearest]}"),
        ],
        binds=bound_lines(run, case, None),
        inputs=inputs_of(run),
        source=SOURCE_PAYMENT,
    )


def energy(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why a data centre draws what it does over the day."""
    case, _, place, row = open_device(run, at, run.feeder.centres, rest)
    drawn = case.draw_kw[:, place]
    most = int(drawn.argmax())
    return why_card(
        f"{row.name}: {number(float(drawn.sum()) / 1000.0, 2)} MWh over the day, {case_said(case)}",
        formula="Σ_t *X*_t × 1 h",
        values=[
            ("hours", number(len(drawn))),
            ("mean", f"{number(float(drawn.mean()), 1)} kW of {number(row.most_kw, 1)}"),
            ("most", f"{number(float(drawn[most]), 1)} kW, {run.labels[most]}"),
            ("of all data centres", _share(float(drawn.sum()), float(case.draw_kw.sum()))),
        ],
        inputs=inputs_of(run),
        source=SOURCE_PAYMENT,
    )


def mean_price(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why a data centre's MWh cost on the mean of the day what they do."""
    case, _, place, row = open_device(run, at, run.feeder.centres, rest)
    paid = float((case.bill_active + case.bill_reactive)[:, place].sum())
    drawn = float(case.draw_kw[:, place].sum()) / 1000.0
    plain = float(run.price_per_mwh @ case.draw_kw[:, place]) / 1000.0
    return why_card(
        f"{row.name}: {number(paid / drawn if drawn else 0.0, 2)} $/MWh on the mean of the day, {case_said(case)}",
        formula="Σ_t *X*_t ( λ_t + tan φ λ^{q}_t ) / Σ_t *X*_t",
        values=[
            ("paid", money(paid)),
            ("drawn", f"{number(drawn, 3)} MWh"),
            ("the same at the substation's price", f"{number(plain / drawn if drawn else 0.0, 2)} $/MWh"),
        ],
        inputs=inputs_of(run),
        source=SOURCE_PAYMENT,
    )


def lowest(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why the lowest voltage at a data centre is what it is."""
    case, _, _, row = open_device(run, at, run.feeder.centres, rest)
    nodes = Frame.of(run.feeder).at(row.bus, row.phases).tolist()
    ac = np.abs(case.phasors[:, nodes])
    hour, column = np.unravel_index(int(ac.argmin()), ac.shape)
    member = shape(run).nodes[nodes[int(column)]][1]
    return why_card(
        f"{row.name}: {number(float(ac.min()), 3)} p.u. at the lowest, {run.labels[int(hour)]}, {case_said(case)}",
        formula="min_{φ,t} |*V*_{φt}|",
        values=[
            ("on", member_words(run.feeder, member)),
            ("mean of the day", f"{number(float(ac.mean()), 4)} p.u."),
            ("least allowed", f"{number(run.feeder.v_min_pu, 3)} p.u."),
        ],
        binds=bound_lines(run, case, int(hour)),
        inputs=inputs_of(run),
        source=SOURCE_AC,
    )


def _share(part: float, whole: float) -> str:
    return percent(part / whole, 1) if whole else "not known"
