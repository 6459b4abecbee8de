"""One dispatch for many outages: units produce the same after each of them, and limits give way only where they must.

A dispatch that keeps every limit after an outage shows that the load can be served after it. The program keeps the
limits of the network as it is, with a margin wherever that is possible, so that the many outages that move little are
covered at once; limits after outages enter when they are broken, and those of an outage give way together, at a cost.
"""

from collections.abc import Sequence
from typing import Any

import highspy
import numpy as np

from engine.network.model import Flags, Integers, Vector
from engine.siting.gate.flows import Broken, FlowScreen
from engine.siting.gate.model import INTACT, GateHour

MARGIN = 0.05  # of every limit, kept free where it can be
_CASE_COST = 20.0  # of a unit of overload after an outage, in units of margin
_ROUNDS = 12
_PER_CASE, _PER_ROW = 2, 4  # limits of one case, and cases of one limit, that enter at once
_AT_ONCE = 60
_MOST_ROWS, _IDLE = 150, 5  # rows beyond which those that have not mattered for so many solves leave
_EXCESS = 1e-9
_STALLED = 3  # rounds without a further case covered


class BlockProgram:
    """One program for many buses and levels of one hour."""

    def __init__(self, hour: GateHour, screen: FlowScreen) -> None:
        self.hour, self.screen, self.solves = hour, screen, 0
        self._units, self._cases = len(hour.least_mw), 1 + hour.model.branch_cases
        self._limits = len(hour.model.upper_mw)
        model: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in (("output_flag", False), ("threads", 1), ("presolve", "off"), ("solver", "simplex")):
            model.setOptionValue(option, value)
        units, none = self._units, np.zeros(0, dtype=np.int32)
        model.addCols(units, np.zeros(units), hour.least_mw, hour.largest_mw, 0, none, none, np.zeros(0))
        model.addRow(hour.demand_mw, hour.demand_mw, units, np.arange(units, dtype=np.int32), np.ones(units))
        self._model = model
        self._row, self._case = np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
        self._sign, self._room = np.zeros(0), np.zeros(0)
        self._at_candidates = np.zeros((0, len(hour.model.candidates)))
        self._idle = np.zeros(0, dtype=np.intp)
        self._slack: dict[int, int] = {}  # column of what gives way: a case, or beyond them a limit and its sign
        self._bus, self._load_mw = 0, 0.0
        self._cost = np.zeros(self._cases)

    def cover(self, bus: int, load_mw: float, wanted: Flags) -> tuple[Vector, Flags, Broken] | None:
        """Return a dispatch (U,) that serves a load, in which of the cases (1 + J,) it is kept, and what it breaks.

        ``wanted`` (1 + J,) are the cases that count; the dispatch may or may not be kept in others. None where none
        was found, which proves nothing.
        """
        if len(self._row) > _MOST_ROWS:
            self._drop_idle()
        self._set(bus, load_mw, wanted)
        best: tuple[Vector, Flags, Broken] | None = None
        most, since = -1, 0
        for _ in range(_ROUNDS):
            solved = self._solve()
            if solved is None:
                return best
            output, slack = solved
            row_mw, lost_mw = self.hour.rows_mw(output, bus, load_mw)
            broken = self.screen.broken(row_mw, lost_mw)
            kept = np.ones(self._cases, dtype=np.bool_)
            kept[broken.case] = False
            covered, since = int((kept & wanted).sum()), since + 1
            if covered > most:
                best, most, since = (output, kept, broken), covered, 0
            tight = self._tight(row_mw)
            new = self._choose(broken, wanted, slack)
            if covered == wanted.sum() or not (len(new) or len(tight[0])) or since >= _STALLED:
                break
            self._add(tight[0], np.full(len(tight[0]), INTACT), tight[1])
            self._add(broken.row[new], broken.case[new], broken.sign[new])
        return best

    def _tight(self, row_mw: Vector) -> tuple[Integers, Vector]:
        """Return the limits (n,), and their signs, whose margin is not kept and that are not in the program."""
        model, found, signs = self.hour.model, [], []
        for sign, limit in ((1.0, model.upper_mw), (-1.0, -model.lower_mw)):
            held = np.isfinite(limit)
            size = np.where(held, np.maximum(np.abs(limit), 1.0), 0.0)
            rows = np.flatnonzero(held & (sign * row_mw > limit - (MARGIN - _EXCESS) * size))
            rows = rows[[self._margin(int(row), sign) not in self._in for row in rows]] if len(rows) else rows
            found.append(rows)
            signs.append(np.full(len(rows), sign))
        return np.concatenate(found), np.concatenate(signs)

    def _margin(self, row: int, sign: float) -> int:
        return self._cases + row + (0 if sign > 0.0 else self._limits)

    @property
    def _in(self) -> set[int]:
        intact = self._case == INTACT
        return {self._margin(row, sign) for row, sign in zip(self._row[intact], self._sign[intact], strict=True)}

    def _set(self, bus: int, load_mw: float, wanted: Flags) -> None:
        self._bus, self._load_mw = bus, load_mw
        total = self.hour.demand_mw + load_mw
        self._model.changeRowBounds(0, total, total)
        if len(self._row):
            room = self._room + self._sign * load_mw * self._at_candidates[:, bus]
            count = len(room)
            self._model.changeRowsBounds(
                count, np.arange(1, count + 1, dtype=np.int32), np.full(count, -highspy.kHighsInf), room
            )
        self._cost = np.concatenate([_CASE_COST * wanted, np.ones(2 * self._limits)])
        if self._slack:
            column = np.array(list(self._slack.values()), dtype=np.int32)
            self._model.changeColsCost(len(column), column, self._cost[list(self._slack)])

    def _solve(self) -> tuple[Vector, Vector] | None:
        self.solves += 1
        status = highspy.HighsModelStatus
        self._model.run()
        answer = self._model.getModelStatus()
        if answer not in (status.kOptimal, status.kInfeasible):
            self._model.clearSolver()
            self._model.run()
            answer = self._model.getModelStatus()
        if answer != status.kOptimal:  # also where no clear answer comes: the cases are then decided one by one
            return None
        found = self._model.getSolution()
        value = np.array(found.col_value)
        dual = np.array(found.row_dual)[1:]
        self._idle = np.where(dual < -1e-9, 0, self._idle + 1)
        slack = np.zeros(len(self._cost))
        if self._slack:
            slack[list(self._slack)] = value[list(self._slack.values())]
        return value[: self._units], slack

    def _choose(self, broken: Broken, wanted: Flags, slack: Vector) -> Integers:
        """Return the limits after outages to add: of wanted cases, beyond what they give way, the worst first."""
        intact = np.zeros(self._limits, dtype=np.bool_)
        intact[broken.row[broken.case == INTACT]] = True
        beyond = broken.excess > slack[broken.case] + _EXCESS
        # A limit that is broken without an outage comes alone: its outages follow it.
        open_ = np.flatnonzero(wanted[broken.case] & beyond & (broken.case != INTACT) & ~intact[broken.row])
        known = set(zip(self._row.tolist(), self._case.tolist(), self._sign.tolist(), strict=True))
        taken: dict[int, int] = {}
        chosen: list[int] = []
        for place in open_[np.argsort(-broken.excess[open_], kind="stable")].tolist():
            case, row = int(broken.case[place]), int(broken.row[place])
            if taken.get(case, 0) >= _PER_CASE or taken.get(-1 - row, 0) >= _PER_ROW:
                continue
            if (row, case, float(broken.sign[place])) in known:
                continue
            taken[case], taken[-1 - row] = taken.get(case, 0) + 1, taken.get(-1 - row, 0) + 1
            chosen.append(place)
            if len(chosen) == _AT_ONCE:
                break
        return np.array(chosen, dtype=np.intp)

    def _add(self, rows: Integers, cases: Integers, signs: Vector) -> None:
        if not len(rows):
            return
        intact = cases == INTACT
        keys = np.where(intact, self._cases + rows + np.where(signs > 0.0, 0, self._limits), cases).tolist()
        self._give([key for key in dict.fromkeys(keys) if key not in self._slack])
        model, lost = self.hour.model, cases - 1
        moved = np.where(intact, 0.0, model.moved[rows, lost])[:, np.newaxis]
        at_units = signs[:, np.newaxis] * (model.at_units[rows] + moved * model.lost_at_units[lost])
        at_candidates = model.at_candidates[rows] + moved * model.lost_at_candidates[lost]
        fixed = self.hour.fixed_mw[rows] + moved[:, 0] * self.hour.fixed_lost_mw[lost]
        upper = np.where(intact, model.upper_mw[rows], model.after_upper_mw[rows])
        lower = np.where(intact, model.lower_mw[rows], model.after_lower_mw[rows])
        limit = np.where(signs > 0.0, upper, -lower)
        size = np.maximum(np.abs(limit), 1.0)
        room = limit - np.where(intact, MARGIN * size, 0.0) - signs * fixed
        count, units = len(rows), self._units
        slack = np.array([self._slack[key] for key in keys], dtype=np.int32)
        index = np.column_stack([np.tile(np.arange(units, dtype=np.int32), (count, 1)), slack]).ravel().astype(np.int32)
        table = np.column_stack([at_units, -size])
        starts = np.arange(0, table.size, units + 1, dtype=np.int32)
        bound = room + signs * self._load_mw * at_candidates[:, self._bus]
        self._model.addRows(count, np.full(count, -highspy.kHighsInf), bound, table.size, starts, index, table.ravel())
        self._row, self._case = np.concatenate([self._row, rows]), np.concatenate([self._case, cases])
        self._sign, self._room = np.concatenate([self._sign, signs]), np.concatenate([self._room, room])
        self._at_candidates = np.concatenate([self._at_candidates, at_candidates])
        self._idle = np.concatenate([self._idle, np.zeros(count, dtype=np.intp)])

    def _give(self, new: Sequence[int]) -> None:
        """Add a column for each case or limit that gives way: without end for a case, up to its margin for a limit."""
        if not new:
            return
        first, none, count = self._units + len(self._slack), np.zeros(0, dtype=np.int32), len(new)
        most = np.where(np.array(new) < self._cases, highspy.kHighsInf, MARGIN)
        self._model.addCols(count, self._cost[list(new)], np.zeros(count), most, 0, none, none, np.zeros(0))
        self._slack.update({key: first + place for place, key in enumerate(new)})

    def _drop_idle(self) -> None:
        gone = (self._idle > _IDLE) & (self._case != INTACT)
        if not gone.any():
            return
        places = np.flatnonzero(gone) + 1
        self._model.deleteRows(len(places), places.astype(np.int32))
        kept = ~gone
        self._row, self._case, self._sign = self._row[kept], self._case[kept], self._sign[kept]
        self._room, self._at_candidates, self._idle = self._room[kept], self._at_candidates[kept], self._idle[kept]
