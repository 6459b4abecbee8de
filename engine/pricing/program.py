"""What one hub may do in a day: a polyhedron of equations and bounds, with its costs and its curvature.

Columns, T of each kind that the hub has (:data:`KINDS`): powers are MW, what is held is MWh at the end of a period.
Rows: the balance of power in each period, and what is held from one period to the next. A ramp is a column, the change
of the generator's power, between its bounds; a deadline bounds the work that may wait: what waits is never older. So
all that is not an equation is a bound.

Costs are $ over the day, with the step of time in them; a column's second derivative is that of
:class:`engine.pricing.case.Curvature`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array, csr_array

from engine.errors import InfeasibleError, Problem, summary
from engine.network.model import Integers, Matrix, Vector
from engine.pricing.case import Curvature, HubCase
from engine.pricing.hubs import Hub
from engine.program import LinearProgram, solve

KINDS = (
    "import", "export", "work", "waiting", "charge", "discharge", "energy", "curtailed", "generated", "ramp",
    "electrolyser", "fuel cell", "hydrogen",
)  # fmt: skip
_RISE = {
    "import": "exchange", "export": "exchange", "work": "work", "waiting": "held", "charge": "battery",
    "discharge": "battery", "energy": "held", "curtailed": "own", "generated": "own", "ramp": "ramp",
    "electrolyser": "own", "fuel cell": "own", "hydrogen": "held",
}  # fmt: skip
_LEAST_RANGE = 1e-3  # MW or MWh: a quantity of a smaller range is curved as if it had this one
_LACKING = 1e-6  # MW: less is rounding


@dataclass(frozen=True, eq=False)
class HubProgram:
    """``matrix x = right, lower <= x <= upper``; n columns, m rows. ``cost`` is that without the operator's prices."""

    name: str
    kinds: tuple[str, ...]  # that the hub has, T columns each in this order
    periods: int
    step_h: float
    matrix: csr_array  # (m, n)
    right: Vector  # (m,)
    lower: Vector  # (n,)
    upper: Vector  # (n,)
    cost: Vector  # (n,), $
    curved: Vector  # (n,), $ per unit squared, above 0
    exports_priced: bool
    row_names: tuple[str, ...]  # (m,)

    def place(self, kind: str) -> Integers:
        """Return the positions (T,) of a kind's columns. Raises ValueError for one that the hub has not."""
        first = self.kinds.index(kind) * self.periods
        return np.arange(first, first + self.periods)

    def of(self, x: Vector, kind: str) -> Vector:
        """Return a kind's values (T,) in a point (n,); zeros for one that the hub has not."""
        return x[self.place(kind)] if kind in self.kinds else np.zeros(self.periods)

    def withdrawal(self, x: Vector) -> Vector:
        """Return what is withdrawn from the network (T,), MW."""
        return self.of(x, "import") - self.of(x, "export")

    @cached_property
    def withdrawn(self) -> csr_array:
        """Return (T, n): the withdrawal of a point is this times it."""
        return self._picked(exports=True)

    @cached_property
    def priced(self) -> csr_array:
        """Return (T, n): the MWh of each period that the operator's price is paid for."""
        return csr_array(self._picked(exports=self.exports_priced) * self.step_h)

    def _picked(self, *, exports: bool) -> csr_array:
        t = np.arange(self.periods)
        signs = [("import", 1.0), *([("export", -1.0)] if exports and "export" in self.kinds else [])]
        columns = np.concatenate([self.place(kind) for kind, _ in signs])
        values = np.concatenate([np.full(self.periods, sign) for _, sign in signs])
        return csr_array(coo_array((values, (np.tile(t, len(signs)), columns)), shape=(self.periods, len(self.cost))))

    def cost_at(self, price: Vector) -> Vector:
        """Return the costs (n,) with the operator's prices (T,) in them."""
        return np.asarray(self.cost + self.priced.T @ price)

    def linear(self, price: Vector) -> LinearProgram:
        """Return the linear follower at the operator's prices (T,)."""
        return LinearProgram(self.cost_at(price), self.matrix, self.right, self.right, self.lower, self.upper)

    def quadratic(self, price: Vector) -> LinearProgram:
        """Return the quadratic follower at the operator's prices (T,)."""
        return LinearProgram(
            self.cost_at(price), self.matrix, self.right, self.right, self.lower, self.upper, self.curved
        )

    def check(self) -> None:
        """Raise InfeasibleError naming every period and asset whose demand, work or energy cannot be met."""
        rows, columns = self.matrix.shape
        slack = coo_array((np.tile([1.0, -1.0], rows), (np.repeat(np.arange(rows), 2), np.arange(2 * rows))))
        whole = csr_array(coo_array(np.hstack([self.matrix.toarray(), slack.toarray()])))
        found = solve(
            LinearProgram(
                np.concatenate([np.zeros(columns), np.ones(2 * rows)]), whole, self.right, self.right,
                np.concatenate([self.lower, np.zeros(2 * rows)]),
                np.concatenate([self.upper, np.full(2 * rows, np.inf)]),
            )
        ).optimum()  # fmt: skip
        missing = found.x[columns::2] - found.x[columns + 1 :: 2]
        problems = [
            Problem("hub", "error", f"hub {self.name}, {self.row_names[at]}: {abs(missing[at]):.4g} "
                    f"{'too little' if missing[at] > 0.0 else 'too much'}", "hubs", element=self.name)
            for at in np.flatnonzero(np.abs(missing) > _LACKING).tolist()
        ]  # fmt: skip
        if problems:
            raise InfeasibleError(summary(tuple(problems)), problems)


def programs(case: HubCase) -> tuple[HubProgram, ...]:
    """Return the program of each hub of a checked case; whether each has a point is not looked at."""
    return tuple(_Build(case, hub).program(buys) for hub, buys in zip(case.hubs, case.buying(), strict=True))


def check_all(found: Iterable[HubProgram]) -> None:
    """Raise InfeasibleError naming all that no hub of these can meet; nothing happens if all can."""
    problems: list[Problem] = []
    for program in found:
        try:
            program.check()
        except InfeasibleError as problem:
            problems += problem.problems
    if problems:
        raise InfeasibleError(summary(tuple(problems)), problems)


class _Build:
    """The columns and rows of one hub, kind by kind."""

    def __init__(self, case: HubCase, hub: Hub) -> None:
        self.case, self.hub, self.periods, self.step = case, hub, case.periods, case.step_h
        self.kinds: list[str] = []
        self.lower: list[Vector] = []
        self.upper: list[Vector] = []
        self.cost: list[Vector] = []
        self.rows: list[Matrix] = []  # dense blocks (T, T) by row and kind, as {kind: block}
        self.blocks: list[dict[str, Matrix]] = []
        self.right: list[Vector] = []
        self.row_names: list[str] = []

    def program(self, buys: Vector) -> HubProgram:
        hub, case, day = self.hub, self.case, np.ones(self.periods)
        self._column("import", hub.import_mw * day, buys * self.step)
        if hub.export_mw > 0.0:
            self._column("export", hub.export_mw * day, -np.asarray(case.sell_per_mwh) * self.step)
        sun = np.asarray(hub.sun_mw or np.zeros(self.periods))
        if sun.any():
            self._column("curtailed", sun, hub.curtailment_per_mwh * self.step * day)
        self._work()
        self._battery()
        self._generator()
        self._hydrogen()
        self._balance(np.asarray(hub.demand_mw) - sun)
        place = {kind: number for number, kind in enumerate(self.kinds)}
        matrix = np.zeros((len(self.right) * self.periods, len(self.kinds) * self.periods))
        for row, own in enumerate(self.blocks):
            for kind, block in own.items():
                at = place[kind]
                matrix[row * self.periods : (row + 1) * self.periods, at * self.periods : (at + 1) * self.periods] = (
                    block
                )
        lower, upper = np.concatenate(self.lower), np.concatenate(self.upper)
        return HubProgram(
            name=hub.name, kinds=tuple(self.kinds), periods=self.periods, step_h=self.step, matrix=csr_array(matrix),
            right=np.concatenate(self.right), lower=lower, upper=upper, cost=np.concatenate(self.cost),
            curved=self._curved(case.curvature), exports_priced=case.prices.exports, row_names=tuple(self.row_names),
        )  # fmt: skip

    def _curved(self, curvature: Curvature) -> Vector:
        found = []
        for kind, lower, upper in zip(self.kinds, self.lower, self.upper, strict=True):
            reach = max(float((upper - lower).max()), _LEAST_RANGE)
            found.append(np.full(self.periods, curvature.share * getattr(curvature, _RISE[kind]) * self.step / reach))
        return np.concatenate(found)

    def _column(self, kind: str, upper: Vector, cost: Vector, lower: Vector | float = 0.0) -> None:
        self.kinds.append(kind)
        self.upper.append(np.asarray(upper, dtype=np.float64))
        self.lower.append(np.broadcast_to(np.asarray(lower, dtype=np.float64), self.periods).copy())
        self.cost.append(np.asarray(cost, dtype=np.float64))

    def _row(self, words: str, blocks: dict[str, Matrix], right: Vector) -> None:
        labels = self.case.labels or tuple(f"period {t + 1}" for t in range(self.periods))
        self.blocks.append(blocks)
        self.right.append(right)
        self.row_names += [f"{words}, {label}" for label in labels]

    def _held(self, words: str, kind: str, moved: dict[str, float], first: float, more: Vector | float = 0.0) -> None:
        """Add ``held_t = held_{t-1} + step * (moved_t + more_t)``."""
        one = np.eye(self.periods)
        right = np.broadcast_to(np.asarray(more, dtype=np.float64) * self.step, self.periods).copy()
        right[0] += first
        blocks = {kind: one - np.eye(self.periods, k=-1)}
        blocks |= {name: -share * self.step * one for name, share in moved.items()}
        self._row(words, blocks, right)

    def _balance(self, net_demand: Vector) -> None:
        signs = {"import": 1.0, "export": -1.0, "curtailed": -1.0, "work": -1.0, "charge": -1.0, "discharge": 1.0,
                 "generated": 1.0, "electrolyser": -1.0}  # fmt: skip
        one = np.eye(self.periods)
        blocks = {kind: sign * one for kind, sign in signs.items() if kind in self.kinds}
        if self.hub.hydrogen is not None:
            blocks["fuel cell"] = self.hub.hydrogen.fuel_cell_efficiency * one
        self._row("power", blocks, net_demand)

    def _work(self) -> None:
        work = self.hub.work
        if work is None:
            return
        arrived = np.asarray(work.arrivals_mw) * self.step
        total = np.concatenate([[0.0], np.cumsum(arrived)])
        waits = np.zeros(self.periods)
        waits[: len(work.before_mwh)] = work.before_mwh
        t = np.arange(self.periods)
        # What waits at the end of a period arrived in the last `deadline - 1` periods: older work is done.
        most = total[t + 1] - total[np.maximum(t + 2 - work.deadline, 0)] + waits.sum() - np.cumsum(waits)
        most[-1] = 0.0
        day = np.ones(self.periods)
        self._column("work", work.most_mw * day, 0.0 * day)
        self._column("waiting", most, work.waiting_per_mwh * self.step * day)
        self._held("work", "waiting", {"work": -1.0}, float(waits.sum()), np.asarray(work.arrivals_mw))

    def _battery(self) -> None:
        row, day = self.hub.battery, np.ones(self.periods)
        if row is None:
            return
        least = row.least_mwh * day
        least[-1] = row.start_mwh if row.end_mwh is None else row.end_mwh
        for kind in ("charge", "discharge"):
            self._column(kind, row.power_mw * day, row.wear_per_mwh * self.step * day)
        self._column("energy", row.energy_mwh * day, 0.0 * day, least)
        moved = {"charge": row.charge_efficiency, "discharge": -1.0 / row.discharge_efficiency}
        self._held("battery", "energy", moved, row.start_mwh)

    def _generator(self) -> None:
        row, day = self.hub.generator, np.ones(self.periods)
        if row is None:
            return
        self._column("generated", row.power_mw * day, row.cost_per_mwh * self.step * day)
        if row.ramp_mw is None:
            return
        reach, first = row.ramp_mw * day, np.zeros(self.periods)
        if row.before_mw is None:
            reach[0] = row.power_mw
        else:
            first[0] = row.before_mw
        self._column("ramp", reach, 0.0 * day, -reach)
        one, before = np.eye(self.periods), np.eye(self.periods, k=-1)
        self._row("ramp", {"generated": one - before, "ramp": -one}, first)

    def _hydrogen(self) -> None:
        row, day = self.hub.hydrogen, np.ones(self.periods)
        if row is None:
            return
        least = np.zeros(self.periods)
        least[-1] = row.start_mwh if row.end_mwh is None else row.end_mwh
        self._column("electrolyser", row.electrolyser_mw * day, 0.0 * day)
        self._column("fuel cell", row.fuel_cell_mw / row.fuel_cell_efficiency * day,
                     row.cost_per_mwh * self.step * day)  # fmt: skip
        self._column("hydrogen", row.store_mwh * day, 0.0 * day, least)
        self._held("hydrogen", "hydrogen", {"electrolyser": row.electrolyser_efficiency, "fuel cell": -1.0},
                   row.start_mwh)  # fmt: skip
