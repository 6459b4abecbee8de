"""Distribution locational marginal prices, per node and hour: what they are made of, and how far they may range.

The price at a node is the dual of its balance row: the rise of the least cost per MWh (Mvarh) more drawn there.
Stationarity of the state makes the duals of all flow equations one adjoint solve, linear in the price of energy and
in the duals of limits, so they divide without a remainder:

    energy      what the substation's own MWh costs; the same at every node
    loss        what losses change, at the energy price
    response    what loads and shunts that depend on voltage draw otherwise, at the energy price
    voltage     the duals of limits on voltages and on their unbalance, carried to the node by how its power moves them
    congestion  the duals of flow limits, likewise

The sum is compared in every run with the dual of the whole program, which a certificate has judged.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, eye_array, hstack

from engine.distribution.frames import Integers, Matrix, Vector
from engine.distribution.hour import Hour
from engine.errors import SolverError
from engine.program import LazyProgram, LinearProgram, Solution, Status

_SUM_TOLERANCE = 1e-6  # of $/MWh, or of the largest price where that is above 1: what parts may miss the dual by
ACTIVE = 1e-7  # a bound closer than this, relative, may carry a dual
PARTS = ("energy", "loss", "response", "voltage", "congestion")


@dataclass(frozen=True, slots=True, eq=False)
class PriceParts:
    """Parts of a price in $/MWh or $/Mvarh; their sum is the price."""

    energy: Matrix  # (T, N)
    loss: Matrix
    response: Matrix
    voltage: Matrix
    congestion: Matrix

    @property
    def total(self) -> Matrix:
        """Return the sum (T, N)."""
        return self.energy + self.loss + self.response + self.voltage + self.congestion


@dataclass(frozen=True, slots=True, eq=False)
class Dlmp:
    """The prices of active and reactive power at every node and hour; positive: drawing more costs more."""

    active_per_mwh: Matrix  # (T, N), the solver's duals
    reactive_per_mvarh: Matrix  # (T, N)
    active: PriceParts
    reactive: PriceParts

    def of_device(self, share: Vector, kvar_per_kw: float = 0.0) -> Vector:
        """Return (T,) what a MWh costs a device that divides by ``share`` (N,), its reactive power included."""
        return np.asarray(self.active_per_mwh @ share + kvar_per_kw * (self.reactive_per_mvarh @ share))


@dataclass(frozen=True, slots=True, eq=False)
class HourPrices:
    """The duals of one hour's balance rows and their parts, active before reactive."""

    dual: Vector  # (2N,)
    parts: Matrix  # (5, 2N), in the order of PARTS


def hour_prices(hour: Hour, row_dual: Vector, label: str) -> HourPrices:
    """Return the prices of one hour from the duals of its rows.

    Raises SolverError naming the node and the hour where the parts do not add up to the row's dual.
    """
    flow, size = hour.flow, hour.flow.frame.size
    state = hour.columns["state"]
    energy = row_dual[hour.rows["totals"]][:2]
    limits = []
    for names in (("voltages", "unbalance"), ("flows",)):
        carried = [hour.program.matrix[hour.rows[name], state].T @ row_dual[hour.rows[name]] for name in names]
        limits.append(-np.sum(carried, axis=0))
    gradients = np.column_stack([flow.loss_gradients() @ energy, flow.response_gradients() @ energy, *limits])
    values = flow.values(gradients)[size:]
    parts = np.vstack([np.repeat(energy, size), values.T])
    dual = row_dual[hour.rows["equations"]][size:]
    difference = np.abs(parts.sum(axis=0) - dual)
    worst = int(np.argmax(difference))
    if not difference[worst] <= _SUM_TOLERANCE * max(1.0, float(np.abs(dual).max())):
        bus, phase = flow.frame.nodes[worst % size]
        kind = "reactive" if worst >= size else "active"
        raise SolverError(
            f"{label}: the parts of the {kind} price on {phase} of bus {bus} add up to {parts[:, worst].sum():.6f}, "
            f"but the dual is {dual[worst]:.6f}"
        )
    return HourPrices(dual, parts)


def prices_of(hours: list[HourPrices]) -> Dlmp:
    """Return the prices of all hours."""
    dual = np.array([hour.dual for hour in hours])
    parts = np.array([hour.parts for hour in hours])  # (T, 5, 2N)
    size = dual.shape[1] // 2
    active, reactive = (PriceParts(*(parts[:, at, half] for at in range(len(PARTS)))) for half in _halves(size))
    return Dlmp(dual[:, :size], dual[:, size:], active, reactive)


def dual_range(program: LinearProgram, solution: Solution, rows: Integers) -> tuple[Vector, Vector]:
    """Return the least and the largest dual (k,) that each of ``rows`` (k,) may have at the optimum ``solution``.

    Where they differ, the price is not determined by the optimum: limits bind that depend on one another. Duals that
    are optimal for one optimal point are so for all; a point and its active bounds define the set, and each end of
    the range is a linear program. Raises SolverError if one of them has no answer.
    """
    count, width = program.matrix.shape
    values = np.concatenate([program.matrix @ solution.x, solution.x])
    lower = np.concatenate([program.row_lower, program.lower])
    upper = np.concatenate([program.row_upper, program.upper])
    dual = np.concatenate([solution.row_dual, solution.reduced_cost])
    at_lower = values - lower <= ACTIVE * (1.0 + np.abs(np.where(np.isfinite(lower), lower, 0.0)))
    at_upper = upper - values <= ACTIVE * (1.0 + np.abs(np.where(np.isfinite(upper), upper, 0.0)))
    # Changes of the duals: the solver's own are in the set, so rounding cannot empty it.
    least = np.where(at_upper, -np.inf, np.minimum(-dual, 0.0))
    most = np.where(at_lower, np.inf, np.maximum(-dual, 0.0))
    face = _face(program, least, most)
    found = np.zeros((2, len(rows)))
    for place, row in enumerate(np.asarray(rows, dtype=np.intp).tolist()):
        for end, sign in enumerate((1.0, -1.0)):
            cost = np.zeros(count + width)
            cost[row] = sign
            face.set_cost(cost)
            answer = face.solve()
            if answer.status is Status.UNBOUNDED:
                found[end, place] = -sign * np.inf
            else:
                found[end, place] = dual[row] + sign * answer.optimum().objective
    return found[0], found[1]


def _face(program: LinearProgram, least: Vector, most: Vector) -> LazyProgram:
    count, width = program.matrix.shape
    matrix = csr_array(hstack([program.matrix.T, eye_array(width)], format="csr"))
    zero = np.zeros(width)
    return LazyProgram(LinearProgram(np.zeros(count + width), matrix, zero, zero, least, most))


def _halves(size: int) -> tuple[slice, slice]:
    return slice(0, size), slice(size, 2 * size)
