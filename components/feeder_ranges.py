"""How far prices may range where the operator's optimum does not determine them: a line, and its card."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from dash import html

from components.feeder_layers import case_key, case_said, member_words, shape
from components.feeder_words import SOURCE_RANGE, inputs_of
from components.format import count, number
from components.skeleton import Part
from components.why_card import why_card, why_number
from engine.distribution.frames import Matrix

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

WIDE = 1e-3  # $/MWh or $/Mvarh: a wider range is told


@dataclass(frozen=True, slots=True, eq=False)
class _Kind:
    """The prices of one kind of power: their ends (T, N) and unit."""

    name: str
    symbol: str
    least: Matrix
    most: Matrix
    unit: str

    @property
    def width(self) -> Matrix:
        """Return (T, N) how far each price may range."""
        return np.nan_to_num(self.most - self.least, posinf=np.inf)

    def words(self, hour: int, node: int) -> str:
        """Return the range of one price in words."""
        least, most = float(self.least[hour, node]), float(self.most[hour, node])
        if not most - least > WIDE:
            return "no other price"
        return f"{_end(least, 'any lower price')} to {_end(most, 'any higher price')} {self.unit}"


def _end(value: float, open_: str) -> str:
    return number(value, 2) if np.isfinite(value) else open_


def _kinds(case: "CaseRun") -> tuple[_Kind, _Kind]:
    return (
        _Kind("active", "λ_n", case.price_least, case.price_most, "$/MWh"),
        _Kind("reactive", "λ^{q}_n", case.reactive_least, case.reactive_most, "$/Mvarh"),
    )


def allowed(case: "CaseRun", hour: int, node: int, *, reactive: bool = False) -> str:
    """Return the range of one price, of active power or of reactive, in words."""
    return _kinds(case)[reactive].words(hour, node)


def line(run: "FeederRun", case: "CaseRun") -> Part:
    """Return in a sentence where the prices of a case are wider than a tenth of a cent, with its card."""
    said = case_said(case)
    told = [_open_words(kind) for kind in _kinds(case) if (kind.width > WIDE).any()]
    words = (
        f"Where prices are open, {said}: {'; '.join(told)}. "
        if told
        else f"Every price {said} is determined, of active and of reactive power: no range is wider than 0.001 $/MWh "
        "or $/Mvarh. "
    )
    if len(told) == 1:
        closed = next(kind for kind in _kinds(case) if not (kind.width > WIDE).any())
        words += f"Every {closed.name} price is determined. "
    key = f"feeder-why-range-{case_key(case)}"
    return html.P([words, why_number(key, "Why", range_card(run, case), label=f"range of prices, {said}")])


def _open_words(kind: _Kind) -> str:
    wide = kind.width > WIDE
    return (
        f"{kind.name} at {count(int(wide.any(axis=0).sum()), 'node')} in {count(int(wide.any(axis=1).sum()), 'hour')} "
        f"by more than 0.001 {kind.unit}"
    )


def range_card(run: "FeederRun", case: "CaseRun") -> Part:
    """Return why prices may range, and where they range most."""
    return why_card(
        f"Range of the prices, {case_said(case)}",
        formula="max λ_n − min λ_n and max λ^{q}_n − min λ^{q}_n over the optimal duals",
        values=[row for kind in _kinds(case) for row in _values(run, kind)],
        inputs=inputs_of(run),
        source=SOURCE_RANGE,
        note="Where limits depend on one another the optimum is the same for several prices. The DLMP told is one of "
        "them; payments at the dearest of them stand in the table of methods.",
    )


def _values(run: "FeederRun", kind: _Kind) -> list[tuple[str, str]]:
    width = kind.width
    hour, node = (int(at) for at in np.unravel_index(int(width.argmax()), width.shape))
    bus, member = shape(run).nodes[node]
    most, wide = float(width[hour, node]), width > WIDE
    values = [
        (f"{kind.name}, wider than 0.001 {kind.unit}", f"{number(int(wide.sum()))} of {number(wide.size)} prices"),
        ("widest", f"{number(most, 4) if np.isfinite(most) else 'without an end'} {kind.unit}"),
    ]
    if most > WIDE:
        where = f"bus {bus}, {member_words(run.feeder, member)}, {run.labels[hour]}"
        values += [("there", where), ("from, to", kind.words(hour, node))]
        hours = [run.labels[at] for at in np.flatnonzero(wide.any(axis=1)).tolist()]
        values.append(("hours", ", ".join(hours)))
    return values
