"""Voltages and flows of a feeder as linear functions of what is drawn and given: LinDistFlow, by the feeder part.

At the reference angles and without losses (:mod:`engine.distribution.linear`). Loads keep their power at any voltage;
capacitors and line charging follow theirs. Devices of the feeder other than loads and capacitors are off.
Source of the equations: Baran and Wu, IEEE Trans. Power Del. 4(1) and 4(2), 1989, and the feeder part's.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from engine.distribution.feeder import Capacitor, Feeder, Load
from engine.distribution.frames import Branch, Complex, Draws, Frame
from engine.distribution.hour import DsoOptions, polygon
from engine.distribution.linear import BranchEquations, FlowState, LinearFlow, Point
from engine.network.model import Integers, Matrix, Vector
from engine.resilience.case import PlacementCase

_ALIKE = 12  # digits to which rows of two phases are the same


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """K quantities: ``constant + drawn @ draws + given @ p + reactive @ q``, draws in MW with their reactive power."""

    constant: Vector  # (K,)
    drawn: Matrix  # (K, D), per MW of each demand
    given: Matrix  # (K, I), per MW given at each site
    reactive: Matrix  # (K, I), per Mvar given at each site

    def at(self, draws: Matrix, p: Matrix, q: Matrix) -> Matrix:
        """Return (K, T) for demands (D, T) and what sites give (I, T)."""
        return np.asarray(self.constant[:, np.newaxis] + self.drawn @ draws + self.given @ p + self.reactive @ q)

    def rows(self, which: Integers) -> Self:
        """Return some of the quantities."""
        return type(self)(self.constant[which], self.drawn[which], self.given[which], self.reactive[which])

    def both(self) -> Matrix:
        """Return everything in one table (K, 1 + D + 2I)."""
        return np.column_stack([self.constant, self.drawn, self.given, self.reactive])


@dataclass(frozen=True, slots=True, eq=False)
class FlowModel:
    """What limits are written on. D demands: the buses with load in the feeder's order, then the campuses."""

    demands: tuple[str, ...]  # (D,), the buses
    native: int  # how many of them are the feeder's own
    table_mw: Vector  # (native,), of the feeder's loads
    nodes: tuple[tuple[str, str], ...]  # (K,), bus and phase of the voltages, alike ones once
    voltage: Linear  # p.u. squared
    sides: Linear  # what a limit of MVA is set on: sides of polygons
    side_limit: Vector  # MVA
    side_link: tuple[str, ...]
    links: tuple[Integers, ...]  # of each closed link: rows of `flow`
    flow: Linear  # active and reactive power of loads and modules in links that may be lost, MW and Mvar, each phase
    supply: Linear  # (2,), what the source gives, MW and Mvar

    @classmethod
    def of(cls, case: PlacementCase) -> Self:
        """Return the model of a case. Raises NetworkDataError for a feeder that is not radial or cannot be fed."""
        feeder = _constant_power(case.feeder)
        frame = Frame.of(feeder)
        equations = BranchEquations.of(frame, Point.reference(frame))
        units, demands, table = _units(case, feeder, frame)
        # What draws no active power, or gives some, is no load to shed: it stays as its table says.
        rows: tuple[Load | Capacitor, ...] = (
            *feeder.capacitors,
            *(row for row in feeder.loads if row.bus not in demands[: len(table)]),
        )
        flow = LinearFlow.of(equations, Draws.of(frame, rows), np.ones(len(rows)))
        none = flow.solve(np.zeros(frame.size), np.zeros(frame.size))
        every = [none, *(flow.solve(unit.real, unit.imag) for unit in units)]

        def linear(told: list[Vector]) -> Linear:
            constant = told[0]
            slopes = np.column_stack(told[1:]) - constant[:, np.newaxis]
            first, second = len(demands), len(demands) + len(case.sites)
            return Linear(constant, slopes[:, :first], -slopes[:, first:second], -slopes[:, second:])

        voltage = linear([state.v for state in every]).rows(np.arange(frame.roots, frame.size))
        distinct = _distinct(voltage, np.zeros(len(voltage.constant)))
        flows, at, ends = [np.zeros((0, len(every)))], {}, 0
        sides, limits, names = [np.zeros((0, len(every)))], [np.zeros(0)], []
        angles, apothem = polygon(DsoOptions())
        lost = {case.links[at] for at in np.unique(case.scenarios.outage[case.scenarios.outage >= 0]).tolist()}
        dead = _without_charging(frame, units) if lost else []
        for branch in frame.branches:
            if branch.link.name in lost:
                power = _carried(frame, branch, dead)
                flows.append(np.vstack([power.real, power.imag]))
                at[branch.link.name] = np.arange(ends, ends := ends + 2 * len(power))
            if np.isfinite(branch.rating_mva):
                power = _carried(frame, branch, every)
                turned = np.vstack([np.real(power * np.exp(-1j * angle)) for angle in angles.tolist()])
                sides.append(turned)
                limits.append(np.full(len(turned), apothem * branch.rating_mva))
                names += [branch.link.name] * len(turned)
        supply = np.array([[s.supply_mw.sum() for s in every], [s.supply_mvar.sum() for s in every]])
        if np.isfinite(case.substation_mva):
            power = supply[0] + 1j * supply[1]
            sides.append(np.vstack([np.real(power * np.exp(-1j * angle)) for angle in angles.tolist()]))
            limits.append(np.full(len(angles), apothem * case.substation_mva))
            names += ["substation"] * len(angles)
        bounded, limit = linear(list(np.vstack(sides).T)), np.concatenate(limits)
        kept = _distinct(bounded, limit)
        return cls(
            demands=demands,
            native=len(table),
            table_mw=table,
            nodes=tuple(frame.nodes[frame.roots + place] for place in distinct.tolist()),
            voltage=voltage.rows(distinct),
            sides=bounded.rows(kept),
            side_limit=limit[kept],
            side_link=tuple(names[place] for place in kept.tolist()),
            links=tuple(at.get(name, np.zeros(0, dtype=np.intp)) for name in case.links),
            flow=linear(list(np.vstack(flows).T)),
            supply=linear(list(supply.T)),
        )

    def draws(self, case: PlacementCase, campus_mw: Matrix) -> Matrix:
        """Return (..., D, T), MW, for what campuses draw (..., T, C)."""
        moved = np.moveaxis(campus_mw, -1, -2)
        own = np.broadcast_to(np.outer(self.table_mw, case.load_share), (*moved.shape[:-2], self.native, case.steps))
        return np.concatenate([own, moved], axis=-2)


def _carried(frame: Frame, branch: Branch, states: list[FlowState]) -> Complex:
    """Return (conductors, states) the power in a branch, MVA."""
    slots = branch.below - frame.roots
    return np.column_stack([branch.conductors @ (each.p_mw[slots] + 1j * each.q_mvar[slots]) for each in states])


def _without_charging(frame: Frame, units: list[Complex]) -> list[FlowState]:
    """Return the states of nothing and of each unit without capacitors and charging.

    Behind a link that is out these are dead; what they draw could not be shed.
    """
    bare = replace(frame, shunts=np.zeros_like(frame.shunts))
    flow = LinearFlow.of(BranchEquations.of(bare, Point.reference(bare)), Draws.of(bare, ()), np.zeros(0))
    none = np.zeros(frame.size)
    return [flow.solve(none, none), *(flow.solve(unit.real, unit.imag) for unit in units)]


def _constant_power(feeder: Feeder) -> Feeder:
    return replace(
        feeder, loads=tuple(replace(row, model="power") for row in feeder.loads), generators=(), compensators=(),
        centres=(),
    )  # fmt: skip


def _units(case: PlacementCase, feeder: Feeder, frame: Frame) -> tuple[list[Complex], tuple[str, ...], Vector]:
    """Return what one MW of each demand, and one MW and one Mvar drawn at each site, are at the nodes."""
    draws = Draws.of(frame, feeder.loads)
    shares = draws.at(frame.reference)[0] * draws.power_mva  # (N, loads)
    of_bus: dict[str, list[int]] = {}
    for at, row in enumerate(feeder.loads):
        of_bus.setdefault(row.bus, []).append(at)
    phases = {bus.name: bus.phases for bus in feeder.buses}

    def equal(bus: str) -> Complex:
        nodes = frame.at(bus, phases[bus])
        found = np.zeros(frame.size, dtype=np.complex128)
        found[nodes] = 1.0 / len(nodes)
        return found

    units, table, demands = [], [], []
    for bus, rows in of_bus.items():
        power = shares[:, rows].sum(axis=1)
        if (active := float(power.sum().real)) > 0.0:
            units.append(power / active)
            table.append(active)
            demands.append(bus)
    for campus in case.campuses:
        units.append(equal(campus.bus) * (1.0 + 1j * campus.kvar_per_kw))
        demands.append(campus.bus)
    units += [equal(site) for site in case.sites]
    units += [1j * equal(site) for site in case.sites]
    return units, tuple(demands), np.array(table)


def _distinct(rows: Linear, limit: Vector) -> Integers:
    """Return the positions of rows of which no earlier one is alike: phases of a balanced feeder are."""
    _, first = np.unique(np.round(np.column_stack([rows.both(), limit]), _ALIKE), axis=0, return_index=True)
    return np.sort(first)
