"""Units that are alike as one, with how many of them run: what makes an integer program of many like units hard to end.

Units of the same cost, limits, least hours and history can take each other's place. A program that decides each of them
has as many equal answers as there are orders, and a solver goes through them. With one whole number for how many run,
one for how many start, and sums of their outputs, it has one. Every schedule gives such sums, so the bound is one for
all schedules. The way back: of those on, those that were on longest stop first; of those off, those that were off
longest start first. That keeps least hours on and off wherever the sums do.

Units at one bus are alike, and at all buses as long as no limit on a flow was found to matter. A unit whose ramp was
found to matter is alike to none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.sparse import coo_array, csr_array, vstack

from engine.commitment.instance import Instance
from engine.commitment.model import Model, Rows, stacked
from engine.commitment.perspective import shares
from engine.commitment.relaxation import Relaxation
from engine.network.model import Flags, Integers, Vector
from engine.program import LinearProgram

_SMALL = 2400  # unit hours: so few, if no ramp ties them, are decided by the whole program at once


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """The committed units (N,) in kinds, and a program of the kinds."""

    instance: Instance
    kinds: Sequence[Integers]  # positions among the N
    program: LinearProgram
    counted: Integers  # (T, K), the columns with how many of each kind run
    starting: Integers  # (T, K), those with how many start

    @classmethod
    def of(cls, relaxation: Relaxation, program: LinearProgram) -> Self:
        """Return ``program``, the relaxation's with other bounds, with units alike as one.

        Rows are added that follow from what is there and bring the relaxation nearer to whole units: a piece of cost is
        used as far as its unit is on, and what is on can produce load and reserve.
        """
        model, instance = relaxation.model, relaxation.instance
        limited = {unit for _, unit, _ in relaxation.ramps}
        kinds = _kinds(instance, limited, by_bus=len(relaxation.flows) > 0)
        more = stacked([shares(model), _capacity(model, instance)])
        matrix = csr_array(vstack([program.matrix, more.matrix], format="csr"))
        row_lower = np.concatenate([program.row_lower, more.lower])
        row_upper = np.concatenate([program.row_upper, more.upper])

        count = len(instance.committed)
        first, size = np.zeros(count + 1, dtype=np.intp), np.ones(count + 1)  # of each unit's kind; the last is none
        first[count] = count
        for kind in kinds:
            first[kind], size[kind] = kind[0], len(kind)
        to_first = _firsts(model, first[:count])
        unit_of_row = _owners_of_rows(matrix, _owners(model), count)
        rows = np.flatnonzero(first[unit_of_row] == unit_of_row)
        columns = np.flatnonzero(to_first == np.arange(len(to_first)))
        many = size[unit_of_row]
        number = np.searchsorted(columns, to_first)
        lower, upper = np.zeros(len(columns)), np.zeros(len(columns))
        np.add.at(lower, number, program.lower)
        np.add.at(upper, number, program.upper)
        smaller = replace(
            program,
            cost=program.cost[columns],
            matrix=csr_array(matrix[rows][:, columns]),
            row_lower=(row_lower * many)[rows],
            row_upper=(row_upper * many)[rows],
            lower=lower,
            upper=upper,
        )
        counted, starting = (number[model.place(name)[:, np.unique(first[:count])]] for name in ("x", "y"))
        return cls(instance, kinds, smaller, counted, starting)

    @property
    def whole(self) -> Integers:
        """Return the columns that are to be whole."""
        return np.union1d(self.counted, self.starting)

    def start(self, on: Flags) -> Vector:
        """Return a point (V',) with how many run and start in a schedule (T, N); its other columns are 0."""
        found = np.zeros(len(self.program.cost))
        initial = self.instance.initial
        before = on[:1] if initial is None else initial.on[np.newaxis, self.instance.committed]
        began = on & ~np.concatenate([before, on[:-1]])
        for columns, flags in ((self.counted, on), (self.starting, began)):
            for place, kind in enumerate(self.kinds):
                found[columns[:, place]] = flags[:, kind].sum(axis=1)
        return found

    def schedule(self, values: Vector) -> Flags:
        """Return which units run (T, N) in an answer (V',)."""
        running = np.round(values[self.counted]).astype(int)
        found = np.zeros((len(running), len(self.instance.committed)), dtype=np.bool_)
        for place, kind in enumerate(self.kinds):
            found[:, kind] = self._in_turn(running[:, place], kind)
        return found

    def _in_turn(self, running: Integers, kind: Integers) -> Flags:
        """Return (T, n) of the units of a kind of which so many run (T,): who waited longest is next."""
        count, initial = len(kind), self.instance.initial
        on = np.arange(count) < running[0]  # free: what is on in the first hour was on before
        if initial is not None:
            on = initial.on[self.instance.committed[kind]].copy()
        since = np.zeros(count, dtype=int)  # the hour of the last change
        found = np.zeros((len(running), count), dtype=np.bool_)
        for hour, wanted in enumerate(running.tolist()):
            more = wanted - int(on.sum())
            waiting = np.flatnonzero(on != (more > 0))
            change = waiting[np.argsort(since[waiting], kind="stable")][: abs(more)]
            on[change], since[change] = more > 0, hour + 1
            found[hour] = on
        return found


def suits(relaxation: Relaxation) -> bool:
    """Return whether a day is so small that the program of its kinds can follow the first quick answer at once."""
    return relaxation.model.place("x").size <= _SMALL and not relaxation.ramps


def _kinds(instance: Instance, limited: set[int], *, by_bus: bool) -> list[Integers]:
    """Return the committed units that can take each other's place, by position among them."""
    fleet, case, curves, initial = instance.fleet, instance.case, instance.curves, instance.initial
    units = instance.network.units
    found: dict[tuple[object, ...], list[int]] = {}
    for place, g in enumerate(instance.committed.tolist()):
        own = curves.unit == g
        numbers = [fleet.startup_cost[g], fleet.shutdown_cost[g], fleet.least_up_h[g], fleet.least_down_h[g]]
        numbers += [fleet.ramp_mw[g], fleet.reserve_mw[g], fleet.must_run[g], units.cost_c0_per_h[g]]
        numbers += [] if initial is None else [initial.on[g], initial.hours[g], initial.output_mw[g]]
        tables = (case.least_mw[:, g], case.largest_mw[:, g], curves.slope[own], curves.quadratic[own])
        more = (curves.start_mw[own], curves.most_mw[own])
        key: tuple[object, ...] = (
            int(units.bus[g]) if by_bus else -1,
            g if g in limited else -1,
            units.cost_points[g],
            tuple(float(number) for number in numbers),
            tuple(table.tobytes() for table in (*tables, *more)),
        )
        found.setdefault(key, []).append(place)
    return [np.array(places, dtype=np.intp) for places in found.values()]  # by their first units


def _capacity(model: Model, instance: Instance) -> Rows:
    """Return what units that are on must be able to produce together in each hour: load and reserve."""
    chosen, case, x = instance.committed, instance.case, model.place("x")
    hours = np.repeat(np.arange(instance.hours), len(chosen))
    matrix = coo_array((case.largest_mw[:, chosen].ravel(), (hours, x.ravel())), shape=(instance.hours, model.count))
    always = np.where(instance.fleet.committed, 0.0, case.largest_mw).sum(axis=1)
    asked = instance.reserve_mw if len(model.reserved) else np.zeros(instance.hours)
    lower = case.demand_mw.sum(axis=1) + asked - always
    return Rows(csr_array(matrix), lower, np.full(instance.hours, np.inf))


def _owners(model: Model) -> Integers:
    """Return the committed unit (V,) of each column by its place among them, -1 for a column of none."""
    chosen = model.instance.committed
    found = np.full(model.count, -1, dtype=np.intp)
    for kind, unit in (("x", chosen), ("y", chosen), ("q", model.pieces.unit), ("r", model.reserved)):
        place = np.searchsorted(chosen, unit)
        known = np.isin(unit, chosen)
        found[model.place(kind)[:, known]] = place[known]
    return found


def _firsts(model: Model, first: Integers) -> Integers:
    """Return for each column (V,) the same column of the ``first`` unit (N,) of its kind."""
    chosen = model.instance.committed
    found = np.arange(model.count)
    for place in np.flatnonzero(first != np.arange(len(first))).tolist():
        for kind, unit in (("x", chosen), ("y", chosen), ("q", model.pieces.unit), ("r", model.reserved)):
            columns = model.place(kind)
            found[columns[:, unit == chosen[place]]] = columns[:, unit == chosen[first[place]]]
    return found


def _owners_of_rows(matrix: csr_array, unit: Integers, count: int) -> Integers:
    """Return the unit (M,) of each row whose columns are all of one, else ``count``."""
    entries = coo_array(matrix)
    owner = unit[entries.col]
    lowest, highest = np.full(matrix.shape[0], count), np.full(matrix.shape[0], -1)
    np.minimum.at(lowest, entries.row, owner)
    np.maximum.at(highest, entries.row, owner)
    return np.where((lowest == highest) & (lowest >= 0), lowest, count)
