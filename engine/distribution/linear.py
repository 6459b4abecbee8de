"""Linear power flow of unbalanced feeders (LinDist3Flow): squared voltages and flows by one sparse linear system.

Below a branch that carries P and Q in its phases (or pairs) j, for every i of them

    v_i(below) = v_i(behind the ideal stage) - sum over j of (MP_ij P_j + MQ_ij Q_j)
    MP_ij = 2 (r_ij cos + x_ij sin), MQ_ij = 2 (x_ij cos - r_ij sin) of the angle of V_i less that of V_j

at the reference angles, and losses are left out. At an operating point (``Point``) the angles are those of an AC
solution and stay, and losses and the squares of drops follow flows and voltages by their tangents.
Loads and shunts that depend on the voltage are part of the system, so its derivatives contain their response.

Signs: withdrawals p, q are positive where power is drawn; flows are positive away from the source and counted where
they enter the branch's impedance. Units: MW, Mvar, v in p.u. squared.
Source: Arnold, Sankur, Dobbe, Brady, Callaway and Von Meier, "Optimal dispatch of reactive power for voltage
regulation and balancing in unbalanced distribution systems", IEEE PES General Meeting, 2016.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy.sparse import block_array, coo_array, csc_array, csr_array
from scipy.sparse.linalg import SuperLU, splu

from engine.distribution.frames import Branch, Complex, Draws, Frame, Integers, Matrix, Phasors, Vector
from engine.errors import NetworkDataError


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """Where the equations are taken. ``flow_mva`` None: at the reference angles, without losses.

    Losses follow their tangent, which has the true marginal losses at the point, for prices and small changes; or,
    with ``chord``, the straight line through no flow, for loadings far below the point, where a tangent goes astray.
    """

    phasors: Phasors  # (N,)
    flow_mva: Complex | None = None  # (F,), of the nodes after the source's
    chord: bool = False

    @classmethod
    def reference(cls, frame: Frame) -> Self:
        """Return the point of balanced nominal voltages and no losses."""
        return cls(frame.reference)


@dataclass(frozen=True, slots=True, eq=False)
class BranchEquations:
    """What all hours at one operating point share. F flows: one for each node that is not the source's, in order."""

    frame: Frame
    point: Point
    voltage: csr_array  # (N, N + 2F), on v, P, Q
    voltage_constant: Vector  # (N,)
    sent: csr_array  # (N, F) complex: what leaves a node into the branches below it, per flow
    loss: csr_array  # (F, N + 2F) complex, on v, P, Q
    loss_constant: Complex  # (F,)

    @classmethod
    def of(cls, frame: Frame, point: Point) -> Self:
        """Return the equations of the branches of ``frame`` at ``point``."""
        voltage, sent, loss = _Entries(), _Entries(), _Entries()
        constant = np.zeros(frame.size)
        constant[: frame.roots] = frame.feeder.source_pu**2
        loss_constant = np.zeros(frame.size - frame.roots, dtype=np.complex128)
        everywhere = np.arange(frame.size)
        voltage.add_diagonal(everywhere, everywhere)
        squares = np.abs(point.phasors) ** 2
        for branch in frame.branches:
            slots = branch.below - frame.roots
            behind = branch.ideal @ point.phasors[branch.above]
            by_p, by_q = voltage_drop(branch.impedance, behind)
            by_v = branch.squares
            sent.add(branch.above, slots, branch.ideal.T * point.phasors[branch.above][:, np.newaxis] / behind)
            if point.flow_mva is not None:
                flow, above = point.flow_mva[slots], squares[branch.above]
                tangent = _Tangent.of(branch, behind, flow)
                if point.chord:
                    tangent = tangent.chord()
                by_p, by_q = by_p - tangent.square_p, by_q - tangent.square_q
                by_v = by_v + tangent.voltage_v @ branch.squares
                loss_v = tangent.loss_v @ branch.squares
                loss.add(slots, branch.above, loss_v)
                loss.add(slots, frame.size + slots, tangent.loss_p)
                loss.add(slots, frame.size + len(loss_constant) + slots, tangent.loss_q)
                # Losses are quadratic in the flow: the tangent's slope times the flow is twice themselves.
                loss_constant[slots] = -tangent.loss - loss_v @ above
                constant[branch.below] = squares[branch.below] - by_v @ above + by_p @ flow.real + by_q @ flow.imag
            voltage.add(branch.below, branch.above, -by_v)
            voltage.add(branch.below, frame.size + slots, by_p)
            voltage.add(branch.below, frame.size + len(loss_constant) + slots, by_q)
        flows = len(loss_constant)
        return cls(
            frame=frame,
            point=point,
            voltage=csr_array(voltage.matrix((frame.size, frame.size + 2 * flows)).real),
            voltage_constant=constant,
            sent=sent.matrix((frame.size, flows)),
            loss=loss.matrix((flows, frame.size + 2 * flows)),
            loss_constant=loss_constant,
        )


@dataclass(frozen=True, eq=False)
class LinearFlow:
    """The equations of one hour: ``matrix x = constant + [0, p, q]`` for the state x = v, P, Q, and the supply.

    The rows are N of voltage, N of active and N of reactive balance; x has N voltages, F active and F reactive
    flows, and the active and the reactive power that the source gives to each of its nodes (3N in all).
    """

    branches: BranchEquations
    matrix: csc_array  # (3N, 3N)
    constant: Vector  # (3N,)
    drawn: csr_array  # (N, N) complex: what voltage draws from the nodes, MVA per p.u. squared, shunts with it
    drawn_constant: Complex  # (N,), MVA

    @classmethod
    def of(cls, branches: BranchEquations, draws: Draws, scale: Vector) -> Self:
        """Return the equations with each draw ``scale`` (n,) times its nominal power.

        Raises NetworkDataError if they have no single solution: loads so large that voltage means nothing.
        """
        frame, point = branches.frame, branches.point
        size, roots, flows = frame.size, frame.roots, frame.size - frame.roots
        shares, slopes, constants, factors = draws.at(point.phasors)
        power = draws.power_mva * scale
        ratios = point.phasors[:, np.newaxis] / point.phasors
        drawn = csr_array((shares * (power * factors)) @ slopes + np.conj(frame.shunts) * ratios)
        drawn_constant = shares @ (power * constants)
        below = csr_array((np.ones(flows), (roots + np.arange(flows), np.arange(flows))), shape=(size, flows))
        supply = csr_array((np.ones(roots), (np.arange(roots), np.arange(roots))), shape=(size, roots))
        sent, lost = branches.sent, below @ branches.loss
        loss_v, loss_p, loss_q = (lost[:, part] for part in _parts(size, flows))
        voltage, by_p, by_q = (branches.voltage[:, part] for part in _parts(size, flows))
        matrix = block_array(
            [
                [voltage, by_p, by_q, None, None],
                [-(drawn + loss_v).real, below - sent.real - loss_p.real, sent.imag - loss_q.real, supply, None],
                [-(drawn + loss_v).imag, -sent.imag - loss_p.imag, below - sent.real - loss_q.imag, None, supply],
            ],
            format="csc",
        )
        balance = drawn_constant + below @ branches.loss_constant
        constant = np.concatenate([branches.voltage_constant, balance.real, balance.imag])
        return cls(branches, csc_array(matrix), constant, drawn, drawn_constant)

    @property
    def frame(self) -> Frame:
        """Return the coordinates."""
        return self.branches.frame

    @cached_property
    def _factors(self) -> SuperLU:
        try:
            return splu(self.matrix)
        except RuntimeError as error:
            raise NetworkDataError(f"feeder {self.frame.feeder.name!r}: its linear flow has no solution") from error

    def solve(self, p_mw: Vector, q_mvar: Vector) -> "FlowState":
        """Return the state for withdrawals (N,) beside the loads."""
        return self.state(self._factors.solve(self.constant + np.concatenate([np.zeros_like(p_mw), p_mw, q_mvar])))

    def state(self, x: Vector) -> "FlowState":
        """Return the parts of a state (3N,)."""
        size, flows, roots = self.frame.size, self.frame.size - self.frame.roots, self.frame.roots
        v, p, q, sub_p, sub_q = np.split(x, np.cumsum([size, flows, flows, roots]))
        branches = self.branches
        loss = branches.loss @ x[: size + 2 * flows] + branches.loss_constant
        return FlowState(v, p, q, sub_p, sub_q, complex(loss.sum()), self.drawn @ v + self.drawn_constant)

    def sensitivities(self, nodes: Integers) -> "Sensitivities":
        """Return what one MW and one Mvar more drawn at each of ``nodes`` (k,) changes, loads' response included."""
        size = self.frame.size
        flows = size - self.frame.roots
        right = np.zeros((3 * size, 2 * len(nodes)))
        right[size + nodes, np.arange(len(nodes))] = 1.0
        right[2 * size + nodes, len(nodes) + np.arange(len(nodes))] = 1.0
        found = self._factors.solve(right)
        by_p, by_q = found[:, : len(nodes)], found[:, len(nodes) :]
        p, q = slice(size, size + flows), slice(size + flows, size + 2 * flows)
        return Sensitivities(by_p[:size], by_q[:size], by_p[p], by_q[p], by_p[q], by_q[q])

    def values(self, gradient: Matrix) -> Matrix:
        """Return the value (3N, ...) of one unit more on each row's right side, for a gradient (3N, ...) on x.

        One adjoint solve: rows N to 2N are the values of active, the last N those of reactive withdrawals.
        """
        factors: Any = self._factors  # the stubs leave out the transposed solve
        return np.asarray(factors.solve(np.asarray(gradient, dtype=np.float64), "T"))

    def loss_gradients(self) -> Matrix:
        """Return (3N, 2): how all active and all reactive losses change with the state."""
        size, flows = self.frame.size, self.frame.size - self.frame.roots
        total = np.asarray(self.branches.loss.sum(axis=0)).ravel()
        found = np.zeros((3 * size, 2))
        found[: size + 2 * flows] = np.column_stack([total.real, total.imag])
        return found

    def response_gradients(self) -> Matrix:
        """Return (3N, 2): how all that loads and shunts draw, active and reactive, changes with the state."""
        total = np.asarray(self.drawn.sum(axis=0)).ravel()
        found = np.zeros((3 * self.frame.size, 2))
        found[: self.frame.size] = np.column_stack([total.real, total.imag])
        return found


@dataclass(frozen=True, slots=True, eq=False)
class FlowState:
    """The state of one hour."""

    v: Vector  # (N,), p.u. squared
    p_mw: Vector  # (F,)
    q_mvar: Vector  # (F,)
    supply_mw: Vector  # (roots,)
    supply_mvar: Vector  # (roots,)
    loss_mva: complex  # of all branches; zero without an operating point
    drawn_mva: Complex  # (N,), by loads, capacitors and line charging

    @property
    def voltage_pu(self) -> Vector:
        """Return the magnitudes (N,)."""
        return np.sqrt(np.maximum(self.v, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivities:
    """Columns: what was drawn at, in p.u. squared or MW (Mvar) per MW (``by_p``) or Mvar (``by_q``)."""

    v_by_p: Matrix  # (N, k)
    v_by_q: Matrix  # (N, k)
    p_by_p: Matrix  # (F, k)
    p_by_q: Matrix  # (F, k)
    q_by_p: Matrix  # (F, k)
    q_by_q: Matrix  # (F, k)


def voltage_drop(impedance: Complex, phasors: Phasors) -> tuple[Matrix, Matrix]:
    """Return MP and MQ (k, k): the fall of v per MW and per Mvar, for an impedance (k, k) and the angles of (k,)."""
    turned = 2.0 * np.conj(impedance) * phasors[:, np.newaxis] / phasors
    return np.asarray(turned.real), np.asarray(-turned.imag)


@dataclass(frozen=True, slots=True, eq=False)
class _Tangent:
    """How one branch's losses, and its fall of voltage with the square of its own, follow flows and voltage.

    Angles stay. ``voltage_v``: beside the voltage behind the ideal stage itself; more of it means less current.
    """

    loss: Complex  # (k,)
    loss_p: Complex  # (k, k), per MW
    loss_q: Complex
    loss_v: Complex  # per p.u. squared behind the ideal stage
    square_p: Matrix  # (k, k)
    square_q: Matrix
    voltage_v: Matrix

    @classmethod
    def of(cls, branch: Branch, behind: Phasors, flow: Complex) -> Self:
        z, current = branch.impedance, np.conj(flow / behind)
        across = z @ current
        # d of (z I) conj(I) by I's two sides: the currents of all phases, and the phase's own.
        by_all = z * np.conj(current)[:, np.newaxis] / np.conj(behind)
        own = np.diag(across / behind)
        by_current = 2.0 * np.conj(across)[:, np.newaxis] * z / np.conj(behind)
        # Each current falls by half its share as its own v rises.
        less = -0.5 * current / np.abs(behind) ** 2
        loss_v = z * less * np.conj(current)[:, np.newaxis] + np.diag(across * np.conj(less))
        drop_v = (
            2.0 * (behind[:, np.newaxis] * np.conj(z * less) + np.diag(0.5 * np.conj(across) / np.conj(behind))).real
        )
        return cls(
            loss=across * np.conj(current),
            loss_p=by_all + own,
            loss_q=1j * (own - by_all),  # the current is conjugate to the flow: minus j for each Mvar
            loss_v=loss_v,
            square_p=by_current.real,
            square_q=by_current.imag,
            voltage_v=2.0 * (np.conj(across)[:, np.newaxis] * z * less).real - drop_v,
        )

    def chord(self) -> "_Tangent":
        """Return half the slopes: the line through zero and the point, where no constant is left."""
        none = np.zeros_like(self.loss_v)
        halves = (self.loss_p / 2.0, self.loss_q / 2.0, none, self.square_p / 2.0, self.square_q / 2.0, none.real)
        return _Tangent(np.zeros_like(self.loss), *halves)


class _Entries:
    """Entries of a sparse matrix, collected block by block."""

    def __init__(self) -> None:
        self._rows: list[Integers] = []
        self._columns: list[Integers] = []
        self._values: list[Complex] = []

    def add(self, rows: Integers, columns: Integers, block: Matrix | Complex) -> None:
        self._rows.append(np.repeat(rows, len(columns)))
        self._columns.append(np.tile(columns, len(rows)))
        self._values.append(np.asarray(block, dtype=np.complex128).ravel())

    def add_diagonal(self, rows: Integers, columns: Integers) -> None:
        self._rows.append(rows)
        self._columns.append(columns)
        self._values.append(np.ones(len(rows), dtype=np.complex128))

    def matrix(self, shape: tuple[int, int]) -> csr_array:
        if not self._rows:
            return csr_array(shape, dtype=np.complex128)
        places = (np.concatenate(self._rows), np.concatenate(self._columns))
        return csr_array(coo_array((np.concatenate(self._values), places), shape=shape))


def _parts(size: int, flows: int) -> tuple[slice, slice, slice]:
    return slice(0, size), slice(size, size + flows), slice(size + flows, size + 2 * flows)
