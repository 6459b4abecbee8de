"""The operator's hour without its state: voltages and flows are solved for by one factorisation.

The rows and the coefficients are those of :mod:`engine.distribution.hour`; what remains is the small program of
:mod:`engine.distribution.follower`.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse.linalg import splu

from engine.distribution.case import FeederCase
from engine.distribution.dso import linear_flows, voltage_price
from engine.distribution.follower import Follower
from engine.distribution.frames import Integers, Matrix, Vector
from engine.distribution.hour import Conductors, Controls, DsoOptions, Hour, hour_program
from engine.distribution.linear import LinearFlow, Point
from engine.errors import QuestionError

# $/MWh per MW (Mvar) on every generator's and compensator's power: without it the operator's choice, and so the price
# where limits depend on one another, is not determined. A tenth of a MW changes a price by a hundredth of a cent.
TIE_SLOPE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class _Condenser:
    """The state of an hour as an affine function of the columns that remain and of the centres' draw."""

    hour: Hour
    kept: Integers  # columns that are neither state nor fixed
    fixed: Vector  # values of the fixed columns, 0 elsewhere
    constant: Vector  # (3N,)
    by_column: Matrix  # (3N, k)
    by_centre: Matrix  # (3N, J)

    @classmethod
    def of(cls, hour: Hour, controls: Controls, options: DsoOptions) -> Self:
        program, state = hour.program, hour.columns["state"]
        frame = hour.flow.frame
        open_ = program.lower != program.upper
        if options.reactive_price_per_mvarh == 0.0:
            open_[hour.columns["supply"].stop - 1] = False  # costs nothing and is bounded by nothing
        fixed = np.where(program.lower == program.upper, program.lower, 0.0)
        fixed[state] = 0.0
        kept = np.flatnonzero(open_)
        kept = kept[kept >= state.stop]
        equations = program.matrix[hour.rows["equations"]]
        right = program.row_lower[hour.rows["equations"]] - equations @ fixed
        size = frame.size
        reactive = np.array([row.kvar_per_kw for row in frame.feeder.centres])
        drawn = np.vstack(
            [np.zeros_like(controls.centre_share), controls.centre_share, controls.centre_share * reactive]
        )
        factors = splu(hour.flow.matrix)
        columns = equations[:, kept].toarray()
        return cls(
            hour=hour,
            kept=kept,
            fixed=fixed,
            constant=factors.solve(right),
            by_column=-factors.solve(columns),
            by_centre=factors.solve(drawn.reshape(3 * size, -1)),
        )

    def rows(self, name: str) -> tuple[Matrix, Matrix, Vector, Vector, Vector]:
        """Return the rows of a block on kept columns and on centres, their constants, and their bounds."""
        program, where = self.hour.program, self.hour.rows[name]
        block = program.matrix[where]
        state = block[:, self.hour.columns["state"]]
        on_columns = block[:, self.kept].toarray() + state @ self.by_column
        constant = block @ self.fixed + state @ self.constant
        return on_columns, state @ self.by_centre, constant, program.row_lower[where], program.row_upper[where]


def followers(
    case: FeederCase,
    options: DsoOptions | None = None,
    points: Point | tuple[Point, ...] | None = None,
    *,
    tie_slope: float = TIE_SLOPE,
) -> tuple[Follower, ...]:
    """Return the hours' followers (T,).

    ``tie_slope``, in $/MWh per MW and $/Mvarh per Mvar, is the least slope of every generator's and compensator's
    power; 0 leaves the program as :func:`engine.distribution.dso.dispatch` has it. Raises QuestionError for options
    that join the hours, or where there is no data centre, and what building the linear flow raises.
    """
    chosen = options or DsoOptions()
    chosen.check()
    if chosen.operate_batteries:
        raise QuestionError("batteries join the hours; a follower by the hour cannot operate them")
    if not case.feeder.centres:
        raise QuestionError(f"feeder {case.feeder.name!r} has no data centre that could choose anything")
    if not (np.isfinite(tie_slope) and tie_slope >= 0.0):
        raise QuestionError(f"tie_slope is {tie_slope:g}; it must be at least 0")
    flows = linear_flows(case, points)
    frame = flows[0].frame
    parts = (Controls.of(frame, compensators=chosen.compensators), Conductors.of(frame))
    price = voltage_price(flows[0], chosen)
    return tuple(_follower(case, chosen, (flow, *parts), (hour, price), tie_slope) for hour, flow in enumerate(flows))


def _follower(
    case: FeederCase,
    options: DsoOptions,
    parts: tuple[LinearFlow, Controls, Conductors],
    place: tuple[int, float],
    tie_slope: float,
) -> Follower:
    flow, controls, conductors = parts
    hour_at, price = place
    watched = np.arange(len(conductors.name) if options.line_limits != "none" else 0)
    idle = np.zeros(len(case.feeder.centres))
    hour = hour_program(case, options, parts, idle, (hour_at, price, watched))
    condenser = _Condenser.of(hour, controls, options)
    kept, columns = condenser.kept, hour.columns
    program = hour.program
    quadratic = np.zeros(len(program.cost)) if program.quadratic is None else program.quadratic.copy()
    for name in ("p", "q", "svg"):
        quadratic[columns[name]] = np.maximum(quadratic[columns[name]], tie_slope)
    named = _column_names(case, hour, flow, conductors)
    on, centre, constant, low, _ = condenser.rows("totals")
    priced = options.reactive_price_per_mvarh > 0.0
    pick = np.arange(len(low)) if priced else np.array([0])
    table = _Rows(kept, columns, tuple(named[at] for at in kept.tolist()))
    if options.voltage_limits:
        table.add_voltages(condenser)
    for name in ("flows", "circles", "unbalance"):
        on_rows, on_centres, const, _, high = condenser.rows(name)
        labels = _limit_names(name, len(high), conductors, watched)
        table.add(on_rows, high - const, -on_centres, labels, own=name != "circles")
    table.add_bounds(program.lower[kept], program.upper[kept])
    rows, limit, shift, names = table.stacked(centre.shape[1])
    cost = program.cost[kept]
    fixed = condenser.fixed
    return Follower(
        cost=cost,
        quadratic=quadratic[kept],
        equal=on[pick],
        right=-constant[pick],
        drawn=-centre[pick],
        rows=rows,
        limit=limit,
        shift=shift,
        slack=np.asarray((kept >= columns["low"].start) & (kept < columns["uneven"].stop)),
        own=np.array(table.own, dtype=np.bool_),
        names=names,
        columns=table.columns,
        offset=program.offset + float(program.cost @ fixed + quadratic @ (fixed * fixed) / 2.0),
    )


def _limit_names(block: str, count: int, conductors: Conductors, watched: Integers) -> list[str]:
    """Return the names of the rows of flows, side by side of all conductors, of generators' circles, of unbalance."""
    if block == "circles":
        return [f"generators' circles, side {at + 1}" for at in range(count)]
    if block == "unbalance":
        return [f"unbalance of bus {at // 6 + 1}, side {at % 6 + 1}" for at in range(count)]
    each = [f"{conductors.name[at]} {conductors.phase[at]}" for at in watched.tolist()]
    return [f"{each[at % len(each)]}, side {at // len(each) + 1}" for at in range(count)]


def _column_names(case: FeederCase, hour: Hour, flow: LinearFlow, conductors: Conductors) -> list[str]:
    frame = flow.frame
    nodes = [f"{label} of bus {bus}" for bus, label in frame.nodes[frame.roots :]]
    units = [row.name for row in case.feeder.generators]
    svg = [f"compensator {at + 1}" for at in range(hour.columns["svg"].stop - hour.columns["svg"].start)]
    watched = [f"{conductors.name[at]} {conductors.phase[at]}" for at in hour.watched.tolist()]
    return [
        *("state" for _ in range(hour.columns["state"].stop)),
        "active power bought", "reactive power bought", "reactive power in", "reactive power out",
        *(f"active power of {name}" for name in units), *(f"reactive power of {name}" for name in units),
        *(f"reactive power of {name}" for name in svg),
        *(f"low voltage on {name}" for name in nodes), *(f"high voltage on {name}" for name in nodes),
        *(f"excess of {name}" for name in watched),
        *(f"unbalance of bus {at + 1}" for at in range(hour.columns["uneven"].stop - hour.columns["uneven"].start)),
    ]  # fmt: skip


class _Rows:
    """The inequality rows, collected block by block, each of unit size."""

    def __init__(self, kept: Integers, places: dict[str, slice], columns: tuple[str, ...]) -> None:
        self._kept, self._places, self.columns = kept, places, columns
        self._blocks: list[tuple[Matrix, Vector, Matrix]] = []
        self._names: list[str] = []
        self.own: list[bool] = []  # whether a row is a limit of the feeder

    def add(self, rows: Matrix, limit: Vector, shift: Matrix, names: list[str], *, own: bool = False) -> None:
        size = np.abs(rows).max(axis=1, initial=0.0)
        size = np.where(size > 0.0, size, 1.0)
        self._blocks.append((rows / size[:, np.newaxis], limit / size, shift / size[:, np.newaxis]))
        self._names += names
        self.own += [own] * len(names)

    def add_voltages(self, condenser: _Condenser) -> None:
        rows, centre, constant, low, high = condenser.rows("voltages")
        for word, sign, bound in (("low", -1.0, low), ("high", 1.0, high)):
            other = "high" if word == "low" else "low"
            where = self._places[other]
            # Each side has its own slack: the other's is zero wherever this one binds.
            mine = np.where((self._kept >= where.start) & (self._kept < where.stop), 0.0, rows)
            own = self._places[word]
            names = [self.columns[at] for at in np.searchsorted(self._kept, np.arange(own.start, own.stop)).tolist()]
            self.add(sign * mine, sign * (bound - constant), -sign * centre, names, own=True)

    def add_bounds(self, lower: Vector, upper: Vector) -> None:
        one = np.eye(len(lower))
        for word, sign, bound in (("least", -1.0, lower), ("most", 1.0, upper)):
            pick = np.flatnonzero(np.isfinite(bound))
            names = [f"{word} {self.columns[at]}" for at in pick.tolist()]
            self.add(sign * one[pick], sign * bound[pick], np.zeros((len(pick), 0)), names)

    def stacked(self, centres: int) -> tuple[Matrix, Vector, Matrix, tuple[str, ...]]:
        shifts = [np.hstack([shift, np.zeros((len(shift), centres - shift.shape[1]))]) for _, _, shift in self._blocks]
        return (
            np.vstack([rows for rows, _, _ in self._blocks]),
            np.concatenate([limit for _, limit, _ in self._blocks]),
            np.vstack(shifts),
            tuple(self._names),
        )
