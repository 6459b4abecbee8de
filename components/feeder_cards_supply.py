"""Why what is fed in, lost, paid and drawn over a whole hour is what it is. ``feeder_cards.card`` finds these."""

from typing import TYPE_CHECKING

import numpy as np

from components.feeder_cards_parts import bound_at, bound_lines, open_card
from components.feeder_layers import At, case_said, hour_of
from components.feeder_words import SOURCE_AC, SOURCE_LINEAR, inputs_of, money
from components.format import number, percent
from components.skeleton import Part
from components.why_card import why_card
from engine.distribution.feeder import PHASES

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun


def supply(run: "FeederRun", at: At, _: list[str]) -> Part:
    """Return why the substation feeds in what it does: what is drawn and lost less what is given on the feeder."""
    case, hour = open_card(run, at)
    fed, lost = 1000.0 * complex(case.supply_mva[hour]), 1000.0 * complex(case.loss_mva[hour])
    given = 1000.0 * complex(case.generator_mva[hour].sum())
    centres = float(case.draw_kw[hour].sum())
    kvar = sum(
        float(drawn) * row.kvar_per_kw for drawn, row in zip(case.draw_kw[hour], run.feeder.centres, strict=True)
    )
    return why_card(
        f"{number(fed.real)} kW, {number(fed.imag)} kvar from the substation in {run.labels[hour]}",
        formula="*P*_0 = Σ loads + Σ *X*_c + losses − Σ_g *p*_g",
        values=[
            ("loads", _both(fed - lost + given - complex(centres, kvar) + 1j * _compensated(case, hour))),
            ("data centres", _both(complex(centres, kvar))),
            ("losses, linear", _both(lost)),
            ("generators give", _both(given)),
            ("static var generators give", f"{number(_compensated(case, hour), 1)} kvar"),
            ("losses in AC", f"{number(1000.0 * float(case.loss_ac_mva[hour].real), 1)} kW"),
        ],
        binds=bound_lines(run, case, hour),
        inputs=inputs_of(run),
        source=SOURCE_LINEAR,
        note=f"Loads have the power of their table times the hour's share, capacitors taken off, {case_said(case)}.",
    )


def _both(kva: complex) -> str:
    return f"{number(kva.real, 1)} kW, {number(kva.imag, 1)} kvar"


def _compensated(case: "CaseRun", hour: int) -> float:
    return float(case.svg_kvar[hour].sum())


def cost(run: "FeederRun", at: At, _: list[str]) -> Part:
    """Return why an hour costs the operator what it does."""
    case, hour = open_card(run, at)
    total, bought = float(case.cost_per_h[hour]), float(case.supply_mva[hour].real)
    slope = run.question.supply_slope_per_mw2h
    energy = float(run.price_per_mwh[hour]) * bought + 0.5 * slope * bought**2
    given = case.generator_mva[hour].real
    fuel = sum(
        row.cost_per_mwh * float(p) + 0.5 * row.slope_per_mw2h * float(p) ** 2
        for row, p in zip(run.feeder.generators, given, strict=True)
    )
    return why_card(
        f"Operator's cost: {money(total)} in {run.labels[hour]}, {case_said(case)}",
        formula="π *P* + ½ β_0 *P*² + Σ_g ( α_g *p*_g + ½ β_g *p*_g² ) + ½ γ Σ_{s,g} *q*²",
        values=[
            ("π, price at the substation", f"{number(float(run.price_per_mwh[hour]), 2)} $/MWh"),
            ("*P*, bought there", f"{number(bought, 3)} MW, {money(energy)}"),
            ("generators", money(fuel)),
            ("reactive power", money(total - energy - fuel)),
            ("γ", f"{number(run.question.reactive_slope_per_mvar2h)} $/Mvar²h"),
            ("charged for limits exceeded, not in it", money(float(case.penalty_per_h[hour]))),
        ],
        binds=bound_lines(run, case, hour),
        inputs=inputs_of(run),
        source="Least-cost dispatch of the linear flow by HiGHS, optimality conditions checked in every hour",
    )


def losses(run: "FeederRun", at: At, _: list[str]) -> Part:
    """Return why an hour loses what it does."""
    case, hour = open_card(run, at)
    ac, linear = 1000.0 * complex(case.loss_ac_mva[hour]), 1000.0 * complex(case.loss_mva[hour])
    fed = 1000.0 * float(case.supply_mva[hour].real + case.generator_mva[hour].real.sum())
    return why_card(
        f"{number(ac.real, 1)} kW lost in {run.labels[hour]}, {case_said(case)}",
        formula="Re Σ_l ( *S*_{l, from} − *S*_{l, to} )",
        values=[
            ("in AC", _both(ac)),
            ("by the linear model", _both(linear)),
            ("share of what is fed in", percent(ac.real / fed, 2) if fed else "not known"),
        ],
        inputs=inputs_of(run),
        source=SOURCE_AC,
    )


def surplus(run: "FeederRun", at: At, _: list[str]) -> Part:
    """Return why the operator keeps what it does of an hour's prices."""
    case, hour = open_card(run, at)
    paid = float((case.bill_active + case.bill_reactive)[hour].sum())
    return why_card(
        f"Operator's surplus: {money(float(case.surplus_per_h[hour]))} in {run.labels[hour]}, {case_said(case)}",
        formula="Σ_n λ_n *d*_n − λ_0 *P*_0, active and reactive",
        values=[
            ("λ_0, energy at the substation", f"{number(float(case.active_parts[0, hour, 0]), 2)} $/MWh"),
            ("paid there", money(float(case.active_parts[0, hour, 0]) * float(case.supply_mva[hour].real))),
            ("of it from data centres", money(paid)),
            ("over the day", money(float(case.surplus_per_h.sum()))),
        ],
        binds=bound_lines(run, case, hour),
        inputs=inputs_of(run),
        source="What withdrawals pay at their nodes less what sources are paid: earned by losses and by limits",
    )


def load(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why the loads of a bus draw what they do. Raises ValueError for a bus without loads."""
    hour, bus = hour_of(run, at), ":".join(rest)
    rows = [(place, row) for place, row in enumerate(run.feeder.loads) if row.bus == bus]
    if not rows:
        raise ValueError(f"there is no load at bus {bus!r:.60}")
    shares = [float(run.load_share[hour, place]) for place, _ in rows]
    drawn = sum(row.kw * share for (_, row), share in zip(rows, shares, strict=True))
    least, most = percent(min(shares), 1), percent(max(shares), 1)
    return why_card(
        f"Loads of bus {bus}: {number(drawn, 1)} kW in {run.labels[hour]}",
        formula="Σ *P*_{table} × share of the hour",
        values=[
            *((f"on {row.phase}, {row.model}", f"{number(row.kw, 1)} kW × {percent(share, 1)}")
              for (_, row), share in zip(rows, shares, strict=True)),
            ("share of the hour", least if least == most else f"{least} to {most}"),
        ],
        inputs=inputs_of(run),
        source="The feeder's table and the day's load shares, both given",
        note="A load whose model is of current or impedance draws otherwise where its voltage is not nominal.",
    )  # fmt: skip


def _phase_of(run: "FeederRun", rest: list[str]) -> tuple[int, str, str]:
    """Return place and name of a link, and its phase. Raises ValueError for what is not there."""
    name, phase = ":".join(rest[:-1]), rest[-1] if rest else ""
    place = [link.name for link in run.feeder.links].index(name)
    if phase not in run.feeder.links[place].phases:
        raise ValueError(f"there is no phase {phase!r:.20} on {name!r:.60}")
    return place, name, phase


def share(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return which share of its rating a link's phase carries. Raises ValueError for what is not there or has none."""
    case, hour = open_card(run, at)
    place, name, phase = _phase_of(run, rest)
    rating = getattr(run.feeder.links[place], "rating_a", None)
    if not rating:
        raise ValueError(f"there is no rating of {name!r:.60}")
    amperes = case.current_a[:, place, PHASES.index(phase)]
    most = int(amperes.argmax())
    return why_card(
        f"{percent(float(amperes[hour]) / rating, 1)} of its rating on phase {phase} of {name}, {run.labels[hour]}",
        formula="|*I*_φ| / *I*_{max}",
        values=[
            ("|*I*_φ| in AC", f"{number(float(amperes[hour]), 2)} A"),
            ("*I*_{max}, rating", f"{number(rating)} A"),
            ("over the day, at most", f"{percent(float(amperes[most]) / rating, 1)}, {run.labels[most]}"),
        ],
        binds=bound_at(run, case, hour, f"link:{name}"),
        inputs=inputs_of(run),
        source=SOURCE_AC,
    )


def current(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why the current of a link's phase is what it is. Raises ValueError for what is not there."""
    case, hour = open_card(run, at)
    place, name, phase = _phase_of(run, rest)
    link = run.feeder.links[place]
    amperes, rating = float(case.current_a[hour, place, PHASES.index(phase)]), getattr(link, "rating_a", None)
    most = float(np.nan_to_num(case.current_a[hour, place]).max())
    return why_card(
        f"{number(amperes, 1)} A on phase {phase} of {name}, {run.labels[hour]}",
        formula="|*I*_φ| = |*S*_φ / *V*_φ|, at the end away from the source",
        values=[
            ("rating", f"{number(rating)} A" if rating else "none of current"),
            ("of its rating", percent(amperes / rating, 1) if rating else "–"),
            ("largest of its phases", f"{number(most, 1)} A"),
            ("over the day, at most", f"{number(float(case.current_a[:, place, PHASES.index(phase)].max()), 1)} A"),
        ],
        binds=bound_at(run, case, hour, f"link:{name}"),
        inputs=inputs_of(run),
        source=SOURCE_AC,
    )
