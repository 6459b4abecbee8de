"""How far prices may range where the operator's optimum does not determine them: a line, and its card."""

from typing import TYPE_CHECKING

import numpy as np
from dash import html

from components.feeder_layers import case_key, case_said, member_words, shape
from components.feeder_words import SOURCE_RANGE, inputs_of
from components.format import count, number
from components.skeleton import Part
from components.why_card import why_card, why_number

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

WIDE = 1e-3  # $/MWh: a wider range is told


def allowed(case: "CaseRun", hour: int, node: int) -> str:
    """Return the range of one price in words."""
    least, most = float(case.price_least[hour, node]), float(case.price_most[hour, node])
    if not most - least > WIDE:
        return "no other price"
    return f"{_end(least, 'any lower price')} to {_end(most, 'any higher price')} $/MWh"


def _end(value: float, open_: str) -> str:
    return number(value, 2) if np.isfinite(value) else open_


def line(run: "FeederRun", case: "CaseRun") -> Part:
    """Return in a sentence where the prices of a case are wider than a tenth of a cent, with its card."""
    wide = case.price_width > WIDE
    said = case_said(case)
    words = (
        f"Where prices are open, {said}: {count(int(wide.any(axis=0).sum()), 'node')} in "
        f"{count(int(wide.any(axis=1).sum()), 'hour')} range by more than 0.001 $/MWh. "
        if wide.any()
        else f"Every price {said} is determined: no range is wider than 0.001 $/MWh. "
    )
    key = f"feeder-why-range-{case_key(case)}"
    return html.P([words, why_number(key, "Why", range_card(run, case), label=f"range of prices, {said}")])


def range_card(run: "FeederRun", case: "CaseRun") -> Part:
    """Return why prices may range, and where they range most."""
    width = np.nan_to_num(case.price_width, posinf=np.inf)
    hour, node = (int(at) for at in np.unravel_index(int(width.argmax()), width.shape))
    bus, member = shape(run).nodes[node]
    most = float(width[hour, node])
    wide = width > WIDE
    values = [
        ("wider than 0.001 $/MWh", f"{number(int(wide.sum()))} of {number(wide.size)} prices"),
        ("widest", f"{number(most, 4) if np.isfinite(most) else 'without an end'} $/MWh"),
    ]
    if most > WIDE:
        where = f"bus {bus}, {member_words(run.feeder, member)}, {run.labels[hour]}"
        values += [("there", where), ("from, to", allowed(case, hour, node))]
        hours = [run.labels[at] for at in np.flatnonzero(wide.any(axis=1)).tolist()]
        values.append(("hours", ", ".join(hours)))
    return why_card(
        f"Range of the prices, {case_said(case)}",
        formula="max λ_n − min λ_n over the optimal duals",
        values=values,
        inputs=inputs_of(run),
        source=SOURCE_RANGE,
        note="Where limits depend on one another the optimum is the same for several prices. The DLMP told is one of "
        "them; payments at the dearest of them stand in the table of methods.",
    )
