"""Why the linear voltages and unbalances of a bus are what they are beside AC. ``feeder_cards.card`` finds these."""

import math
from typing import TYPE_CHECKING

import numpy as np
from dash import html

from components.feeder_cards_parts import bound_at, node_of, open_card
from components.feeder_layers import At, case_said, member_words, shape
from components.feeder_words import SOURCE_AC, SOURCE_LINEAR, SOURCE_VUF, inputs_of, small
from components.format import number, percent
from components.skeleton import Part
from components.why_card import why_card

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

_A = complex(-0.5, math.sqrt(0.75))  # turns by a third
# Angles a third apart make both sequences alike, and the largest of three cosines is between cos 30 degrees and 1.
_TO_EARTH = (
    "Magnitudes to earth hold the zero sequence too, which VUF leaves out: with angles a third apart PVUR is 1.73 to 2 "
    "times VUF."
)


def linear(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why the linear voltage of a bus and member is what it is."""
    case, hour = open_card(run, at)
    bus, member, place = node_of(run, rest)
    found, ac = float(case.voltage_pu[hour, place]), float(abs(case.phasors[hour, place]))
    margin = float(case.margin_pu[hour, place])
    return why_card(
        f"{number(found, 3)} p.u. by the linear flow at bus {bus}, {member_words(run.feeder, member)}, "
        f"{run.labels[hour]}, {case_said(case)}",
        formula="√*v*_j,  *v*_j = *v*_i − Σ_ψ ( *M*^{P}_{φψ} *P*_ψ + *M*^{Q}_{φψ} *Q*_ψ ) − losses",
        values=[
            ("by the linear flow", f"{number(found, 6)} p.u."),
            ("its square, *v*", number(found**2, 6)),
            ("in AC", f"{number(ac, 6)} p.u."),
            ("linear less AC", small(found - ac, "p.u.")),
            ("the operator keeps it within", f"{number(run.feeder.v_min_pu + margin, 5)} to "
             f"{number(run.feeder.v_max_pu - margin, 5)} p.u."),
        ],
        binds=bound_at(run, case, hour, f"bus:{bus}"),
        inputs=inputs_of(run),
        source=SOURCE_LINEAR,
        note="Angles and losses are those of an AC solution of nearly the same operation: so the two agree.",
    )  # fmt: skip


def apart(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why the linear voltage of a bus and member is off that of AC by what it is."""
    case, hour = open_card(run, at)
    bus, member, place = node_of(run, rest)
    linear, ac = float(case.voltage_pu[hour, place]), float(abs(case.phasors[hour, place]))
    inner = np.abs(case.error_pu[hour])
    worst = int(inner.argmax())
    return why_card(
        [small(linear - ac, "p.u."), f" linear less AC at bus {bus}, {member_words(run.feeder, member)}, "
         f"{run.labels[hour]}, {case_said(case)}"],
        formula="√*v*_n − |*V*_n|",
        values=[
            ("linear √*v*", f"{number(linear, 8)} p.u."),
            ("AC |*V*|", f"{number(ac, 8)} p.u."),
            ("largest of the hour", html.Span([small(float(inner[worst]), "p.u."),
                                               f" at bus {shape(run).nodes[worst][0]}"])),
        ],
        inputs=inputs_of(run),
        source=f"{SOURCE_AC}; {SOURCE_LINEAR}",
    )  # fmt: skip


def unbalance_of(run: "FeederRun", case: "CaseRun", hour: int, place: int) -> Part:
    """Return why the unbalance of a bus, by its place among those with three phases, is what it is."""
    buses, nodes = shape(run).whole, shape(run).whole_nodes
    at = case.phasors[hour, nodes[place]]
    first, second, third = at.tolist()
    positive, negative = (first + _A * second + _A**2 * third) / 3.0, (first + _A**2 * second + _A * third) / 3.0
    by_magnitudes, by_angles = reasons(run, case, hour, place)
    return why_card(
        f"{percent(float(case.vuf[hour, place]), 2)} at bus {buses[place]}, {run.labels[hour]}, {case_said(case)}",
        formula="VUF = |*V*_2| / |*V*_1|",
        values=[
            ("|*V*_2|, negative sequence", f"{number(abs(negative), 5)} p.u."),
            ("|*V*_1|, positive sequence", f"{number(abs(positive), 5)} p.u."),
            ("magnitudes in AC", ", ".join(number(abs(each), 4) for each in (first, second, third)) + " p.u."),
            ("VUF of these magnitudes a third apart", percent(by_magnitudes, 2)),
            ("VUF of these angles at one magnitude", percent(by_angles, 2)),
            ("PVUR of the linear magnitudes", percent(float(case.pvur[hour, place]), 2)),
        ],
        inputs=inputs_of(run),
        source=SOURCE_VUF,
        note="The linear model has no angles of its own: PVUR, the largest distance of a magnitude from their mean, "
        "stands in.",
    )


def pvur(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why the magnitudes of a bus are as far from their mean as they are. Raises ValueError for other buses."""
    case, hour = open_card(run, at)
    bus = ":".join(rest)
    place = shape(run).whole.index(bus)
    nodes = shape(run).whole_nodes[place]
    sizes = case.voltage_pu[hour, nodes]
    mean = float(sizes.mean())
    worst = int(np.abs(sizes - mean).argmax())
    limit = run.question.unbalance_limit
    values = [
        *((member_words(run.feeder, member), f"{number(float(size), 5)} p.u.")
          for member, size in zip(run.feeder.frame, sizes, strict=False)),
        ("mean", f"{number(mean, 5)} p.u."),
        ("farthest", f"{member_words(run.feeder, run.feeder.frame[worst])}, "
         f"{number(abs(float(sizes[worst]) - mean), 5)} p.u. off"),
        ("VUF in AC", percent(float(case.vuf[hour, place]), 2)),
        ("limit", percent(limit, 2) if limit else "none in this study"),
    ]  # fmt: skip
    return why_card(
        f"{percent(float(case.pvur[hour, place]), 2)} at bus {bus}, {run.labels[hour]}, {case_said(case)}",
        formula="PVUR = max_φ | √*v*_φ − mean | / mean",
        values=values,
        binds=bound_at(run, case, hour, f"bus:{bus}"),
        inputs=inputs_of(run),
        source=SOURCE_VUF,
        note=_TO_EARTH if run.feeder.wires == "four" else None,
    )


def reasons(run: "FeederRun", case: "CaseRun", hour: int, place: int) -> tuple[float, float]:
    """Return the VUF that a bus would have by its magnitudes a third apart, and by its angles at one magnitude."""
    at = case.phasors[hour, shape(run).whole_nodes[place]]
    turned = np.abs(at) * np.array([1.0, _A**2, _A])
    return _vuf(turned), _vuf(at / np.abs(at))


def _vuf(at: "np.ndarray") -> float:
    first, second, third = at.tolist()
    return abs(first + _A**2 * second + _A * third) / abs(first + _A * second + _A**2 * third)


def flagged_words(run: "FeederRun", case: "CaseRun") -> list[str]:
    """Return in sentences why AC flags unbalances that tightening has not mended; nothing where there are none."""
    flags = [row for row in case.facts["flags"] if row["kind"] == "unbalance" and row["element"] in shape(run).whole]
    if not flags:
        return []
    worst = max(flags, key=lambda row: row["ac"])
    by_magnitudes, by_angles = reasons(run, case, worst["hour"], shape(run).whole.index(worst["element"]))
    where = f"bus {worst['element']}, {run.labels[worst['hour']]}"
    most = "angles" if by_angles > by_magnitudes else "magnitudes"
    end = (
        "The operator's linear flow has magnitudes only, so making its limit tighter evens those and hardly moves this."
        if most == "angles"
        else "More rounds of tightening may mend it."
    )
    return [
        f"Unbalance that AC still flags is mostly one of {most}: at {where}, VUF is {percent(worst['ac'], 2)}; the "
        f"magnitudes alone would make {percent(by_magnitudes, 2)}, the angles alone {percent(by_angles, 2)}. {end}"
    ]
