"""Why the dual of a limit is what it is: what an hour's cost falls by when the limit gives way."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from components.feeder_cards_parts import open_card
from components.feeder_layers import At, case_said, nodes_of
from components.feeder_limits import SMALL_DIGITS, Limit, limits
from components.feeder_words import inputs_of
from components.format import number, percent
from components.skeleton import Part
from components.why_card import why_card

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

SOURCE = (
    "Dual of the limit's row in the operator's program, or reduced cost of its bound, scaled to the limit as it is "
    "told: Boyd and Vandenberghe, Convex Optimization, 2004, section 5.6"
)
# By how little a limit gives way, so that nothing else begins to bind: of its unit, and in words.
_STEPS: Mapping[str, tuple[float, str]] = {
    "$/h per p.u.": (1e-3, "0.001 p.u."), "$/h per MVA": (1e-3, "1 kVA"), "$/h per MW": (1e-3, "1 kW"),
    "$/MWh": (1e-3, "1 kW"), "$/Mvarh": (1e-3, "1 kvar"), "$/h per MWh": (1e-3, "1 kWh"),
    "$/h per unit": (1e-3, "0.1 of a percentage point"),
}  # fmt: skip


def dual(run: "FeederRun", at: At, rest: list[str]) -> Part:
    """Return why the dual of a limit is what it is. Raises ValueError for a limit that is not there or has none."""
    case, _ = open_card(run, at)
    held, name = limits(run, case), ":".join(rest)
    if not name.isdecimal() or int(name) >= len(held):
        raise ValueError(f"there is no limit {name!r:.20}")
    each = held[int(name)]
    if each.dual is None:
        raise ValueError(f"there is no dual of limit {name!r:.20}")
    step, words = _STEPS[each.dual_unit]
    return why_card(
        f"Dual {each.worth}: {each.element}, {run.labels[each.hour]}, {case_said(case)}",
        formula=_formula(each, run.question.line_limits == "active"),
        values=[
            *_values(run, case, each),
            ("μ, its dual", f"{number(each.dual, 4)} {each.dual_unit}"),
            (f"{words} of give saves", f"{number(each.dual * step, 4)} $ in the hour"),
        ],
        binds=[each.stands(run.feeder)],
        inputs=inputs_of(run),
        source=SOURCE,
        note="On the margin: it holds until another limit begins to bind.",
    )


def _formula(each: Limit, active: bool) -> str:
    if each.unit == "mean":
        return "μ = −∂*C*_t / ∂*u* = 2 ( 1 ± *u* ) mean( *v* ) ν"
    if each.kind == "bus":
        return "μ = −∂*C*_t / ∂*b* = 2 *b* ν,  *v*_n kept by *b*²"
    if each.kind == "link":
        return "μ = Σ_φ ν_φ" if active else "μ = −∂*C*_t / ∂*S*_{max} = cos( π / *K* ) Σ_{φ,k} ν_{φk}"
    if each.sides:
        return "μ = −∂*C*_t / ∂*S*_{max} = cos( π / *K* ) ν"
    return "μ = −∂*C*_t / ∂*b* = | *c* + *Qx* − *A*^{T}λ |, of its column"


def _values(run: "FeederRun", case: "CaseRun", each: Limit) -> list[tuple[str, str]]:
    """Return what enters the dual: the limit as the program used it, and ν of its row."""
    worth = float(each.dual or 0.0)
    if each.kind == "device":
        digits = SMALL_DIGITS.get(each.unit, 2)
        values = [("set point", f"{number(each.value, digits)} {each.unit}"),
                  ("*b*, the limit", f"{number(each.limit, digits)} {each.unit}")]  # fmt: skip
        return values + _sides(each.sides, worth)
    if each.unit == "mean":
        return [("off the mean, linear", percent(each.value, 3)), ("*u*, the limit", percent(each.limit, 3))]
    if each.kind == "bus":
        place = dict(nodes_of(run, each.element))[each.member]
        margin = float(case.margin_pu[each.hour, place])
        bound = each.limit + (margin if each.limit == run.feeder.v_min_pu else -margin)
        return [
            ("in AC", f"{number(each.value, 5)} p.u."),
            ("*b*, the limit as it was used", f"{number(bound, 5)} p.u."),
            ("ν, of its row", f"{number(worth / (2.0 * bound), 4)} $/h for each p.u.²"),
        ]
    share = case.facts["rating_share"].get(each.element)
    return [
        ("in AC", f"{percent(each.value, 1)} of its rating"),
        *([("tightened to", percent(float(share), 2))] if share is not None else []),
        ("conductors that bind", each.member),
        *_sides(each.sides, worth),
    ]


def _sides(sides: int, worth: float) -> list[tuple[str, str]]:
    if not sides:
        return []
    nu = number(worth / math.cos(math.pi / sides), 4)
    return [("*K*, sides of the polygon", number(sides)), ("ν, of its rows together", f"{nu} $/h per MVA")]
