"""MATPOWER case files (.m, version 2) in. No MATLAB is run: what a reader cannot do exactly, it refuses.

Source of the format: MATPOWER User's Manual, appendix B, and its ``caseformat``.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from engine.errors import FileFormatError, Problem, Severity
from engine.network.imported import Imported
from engine.network.matlab import DataFile, NumberRows, TextRows, read_data_file
from engine.network.matpower_code import BRANCH, BUS, GEN, USED_FIELDS, CaseCode
from engine.network.matpower_extras import with_extras
from engine.network.tables import NetworkTables, TableName, table_of

_LEAST_COLUMNS = {"bus": 13, "gen": 10, "branch": 11, "gencost": 4}
_POLYNOMIAL, _PIECEWISE = 2, 1
_PIECES = 10  # segments that stand for a polynomial of degree three or more
_NO_ANGLE_LIMIT_DEG = 360.0

Numbers = npt.NDArray[np.float64]


def read_matpower(text: str, name: str = "") -> Imported:
    """Return the case in ``text`` as tables, with notes; ``name`` stands in for a missing function name.

    Bus ids are the bus numbers, branch ids ``from-to`` (``from-to/2`` for a second circuit), unit ids ``bus-k``.
    A rating A of 0 is unlimited; B or C of 0 falls back to A; angle limits 0/0 or beyond 360 degrees are none;
    a DC line is left out, as pypower's ``rundcpf`` does. Raises FileFormatError listing every problem with its line.
    """
    code = CaseCode()
    file = read_data_file(text, code.execute)
    case = _Case(file, code.forgotten)
    case.refuse_if_wrong()
    tables = case.tables(name)
    return Imported(tables, (*code.notes, *case.notes))


@dataclass(slots=True)
class _Costs:
    """One unit's cost columns, and its piecewise points as text."""

    startup: float = 0.0
    shutdown: float = 0.0
    c0: float = 0.0
    c1: float = 0.0
    c2: float = 0.0
    points: str = ""


class _Case:
    """The fields of one case file, on their way to tables."""

    def __init__(self, file: DataFile, forgotten: set[str]) -> None:
        self.file = file
        self.forgotten = forgotten
        self.notes: list[Problem] = []
        self.matrices: dict[str, Numbers] = {}
        self.gencost: list[list[float]] = []
        if "version" not in file.fields and not any(p.code == "version-1" for p in file.problems):
            self._wrong("version", f"there is no version: a MATPOWER case of version 2 assigns {self._mpc}.version")
        elif str(file.fields.get("version", "2")).removesuffix(".0") != "2":
            self._wrong("version", f"version {file.fields['version']!r} is not read: save the case as version 2")
        base = file.fields.get("baseMVA")
        self.base_mva = base if isinstance(base, float) else math.nan
        if not (math.isfinite(self.base_mva) and self.base_mva > 0):
            self._wrong("base-mva", f"{self._mpc}.baseMVA is missing or not a positive number")
        for name, least in _LEAST_COLUMNS.items():
            self._matrix(name, least)

    @property
    def _mpc(self) -> str:
        return self.file.structure or "mpc"

    def _wrong(self, code: str, message: str) -> None:
        self.file.problems.append(Problem(code, "error", message))

    def _note(self, code: str, message: str, severity: Severity = "note", table: str = "") -> None:
        self.notes.append(Problem(code, severity, message, table))

    def _matrix(self, name: str, least: int) -> None:
        value = self.file.fields.get(name)
        if not isinstance(value, NumberRows):
            self.matrices[name] = np.zeros((0, least))
            if name != "gencost" and not any(p.code in {"version-1", "truncated"} for p in self.file.problems):
                self._wrong("missing-field", f"{self._mpc}.{name} is missing")
            return
        if name == "gencost":  # a row says itself how many of its numbers count
            self._costs_of(value, least)
            return
        widths = Counter(map(len, value.rows))
        width = widths.most_common(1)[0][0] if widths else least
        for position, (row, line) in enumerate(zip(value.rows, value.lines, strict=True)):
            if len(row) != width:
                self.file.problem(
                    "row-length", line, f"row {position + 1} of {self._mpc}.{name} has {len(row)} numbers, not {width}"
                )
        if width < least and value.rows:
            self._wrong("columns", f"{self._mpc}.{name} has {width} columns; version 2 has {least} or more")
        usable = [row for row in value.rows if len(row) == width] if width >= least else []
        self.matrices[name] = np.array(usable, dtype=np.float64).reshape(len(usable), max(width, least))

    def _costs_of(self, value: NumberRows, least: int) -> None:
        self.gencost = value.rows
        for position, (row, line) in enumerate(zip(value.rows, value.lines, strict=True)):
            if len(row) < least:
                text = f"row {position + 1} of {self._mpc}.gencost has {len(row)} numbers; {least} is the least"
                self.file.problem("row-length", line, text)

    def refuse_if_wrong(self) -> None:
        """Raise FileFormatError if anything was found that leaves the data in doubt."""
        for name, columns in (("bus", (0,)), ("gen", (0,)), ("branch", (0, 1))):
            for column in columns:
                self._whole_numbers(name, column)
        numbers, counts = np.unique(self.matrices["bus"][:, 0], return_counts=True)
        for number, count in zip(numbers[counts > 1], counts[counts > 1], strict=True):
            self._wrong("duplicate-bus", f"bus number {number:g} is used by {count} rows of {self._mpc}.bus")
        units, costs = len(self.matrices["gen"]), len(self.gencost)
        if costs not in {0, units, 2 * units}:
            self._wrong("gencost", f"{self._mpc}.gencost has {costs} rows for {units} units")
        if self.file.problems:
            raise FileFormatError(self.file.problems)

    def _whole_numbers(self, name: str, column: int) -> None:
        cells = self.matrices[name][:, column]
        for row in np.flatnonzero(~(np.isfinite(cells) & (cells == np.floor(cells)) & (cells > 0)))[:20]:
            self._wrong("bus-number", f"row {row + 1} of {self._mpc}.{name}: {cells[row]:g} is not a bus number")

    def tables(self, name: str) -> NetworkTables:
        """Return the tables; the notes are complete after this."""
        buses = self._buses()
        tables = NetworkTables(
            name=self.file.function or name or "Case",
            base_mva=self.base_mva,
            buses=table_of("buses", pd.DataFrame(buses)),
            branches=table_of("branches", pd.DataFrame(self._branches(buses))),
            units=table_of("units", pd.DataFrame(self._units())),
            source=f"MATPOWER case {self.file.function or name}",
        )
        self._note_what_is_left_out()
        return with_extras(tables, self.file.fields, self._note)

    def _buses(self) -> dict[str, Any]:
        bus = self.matrices["bus"]
        kind = bus[:, 1]
        slack = kind == 3
        if slack.sum() > 1:
            first = int(np.flatnonzero(slack)[0])
            self._note("slacks", f"{int(slack.sum())} reference buses: the first, {bus[first, 0]:.0f}, is the slack",
                       "warning", "buses")  # fmt: skip
            slack = np.arange(len(bus)) == first
        names = self._texts("bus_name", len(bus))
        return {
            "bus": _ids(bus[:, 0]), "name": names, "base_kv": bus[:, 9], "zone": _ids(bus[:, 10]),
            "area": _ids(bus[:, 6]), "slack": slack, "in_service": kind != 4, "load_mw": bus[:, 2],
            "load_mvar": bus[:, 3], "shunt_mw": bus[:, 4], "shunt_mvar": bus[:, 5], "voltage_pu": bus[:, 7],
            "angle_deg": bus[:, 8], "v_max_pu": bus[:, 11], "v_min_pu": bus[:, 12],
        }  # fmt: skip

    def _branches(self, buses: dict[str, Any]) -> dict[str, Any]:
        branch = self.matrices["branch"]
        ends = (_ids(branch[:, 0]), _ids(branch[:, 1]))
        circuits = circuit_numbers(*ends)
        base_kv = dict(zip(buses["bus"], buses["base_kv"].tolist(), strict=True))
        ratio = branch[:, 8]
        steps = np.array([base_kv.get(a, 0.0) != base_kv.get(b, 0.0) for a, b in zip(*ends, strict=True)], dtype=bool)
        transformer = (ratio != 0) | (branch[:, 9] != 0) | steps
        least, largest = self._angle_limits(branch)
        return {
            "branch": branch_ids(*ends, circuits),
            "from_bus": ends[0], "to_bus": ends[1], "circuit": circuits,
            "kind": np.where(transformer, "transformer", "line"), "resistance_pu": branch[:, 2],
            "reactance_pu": branch[:, 3], "charging_pu": branch[:, 4],
            "rating_a_mw": np.where(branch[:, 5] == 0, np.inf, branch[:, 5]),
            "rating_b_mw": np.where(branch[:, 6] == 0, np.nan, branch[:, 6]),
            "rating_c_mw": np.where(branch[:, 7] == 0, np.nan, branch[:, 7]),
            "tap_ratio": np.where(ratio == 0, 1.0, ratio), "shift_deg": branch[:, 9],
            "angle_min_deg": least, "angle_max_deg": largest, "in_service": branch[:, 10] != 0,
        }  # fmt: skip

    def _angle_limits(self, branch: Numbers) -> tuple[Numbers, Numbers]:
        if branch.shape[1] < 13:
            return np.full(len(branch), -np.inf), np.full(len(branch), np.inf)
        least, largest = branch[:, 11], branch[:, 12]
        none = (least == 0) & (largest == 0)
        return (
            np.where(none | (least <= -_NO_ANGLE_LIMIT_DEG), -np.inf, least),
            np.where(none | (largest >= _NO_ANGLE_LIMIT_DEG), np.inf, largest),
        )

    def _units(self) -> dict[str, Any]:
        gen = self.matrices["gen"]
        bus = _ids(gen[:, 0])
        ramp = gen[:, 18] if gen.shape[1] > 18 else np.zeros(len(gen))
        costs = self._costs()
        return {
            "unit": unit_ids(bus), "bus": bus, "fuel": self._texts("genfuel", len(gen)),
            "technology": self._texts("gentype", len(gen)), "in_service": gen[:, 7] > 0, "p_mw": gen[:, 1],
            "p_min_mw": gen[:, 9], "p_max_mw": gen[:, 8], "q_mvar": gen[:, 2], "q_min_mvar": gen[:, 4],
            "q_max_mvar": gen[:, 3], "voltage_pu": gen[:, 5], "ramp_30_min_mw": np.where(ramp == 0, np.inf, ramp),
            "cost_c0_per_h": [cost.c0 for cost in costs], "cost_c1_per_mwh": [cost.c1 for cost in costs],
            "cost_c2_per_mw2h": [cost.c2 for cost in costs], "cost_points": [cost.points for cost in costs],
            "startup_cost": [cost.startup for cost in costs], "shutdown_cost": [cost.shutdown for cost in costs],
        }  # fmt: skip

    def _costs(self) -> list[_Costs]:
        gen, gencost = self.matrices["gen"], self.gencost
        if not len(gencost):
            if len(gen):
                self._note("no-costs", "the case has no gencost: every unit costs nothing", "warning", "units")
            return [_Costs() for _ in gen]
        if len(gencost) == 2 * len(gen):
            self._note("reactive-costs", f"{len(gen)} costs of reactive power were left out", table="units")
        wrong: list[Problem] = []
        costs = [self._cost(row, wrong) for row in range(len(gen))]
        if wrong:
            raise FileFormatError(wrong)
        return costs

    def _cost(self, row: int, wrong: list[Problem]) -> _Costs:
        terms, place = self.gencost[row], f"row {row + 1} of {self._mpc}.gencost"
        model, count = terms[0], int(terms[3]) if math.isfinite(terms[3]) else -1
        costs = _Costs(terms[1], terms[2])
        used = terms[4 : 4 + (count * 2 if model == _PIECEWISE else count)] if count >= 0 else []
        if model not in {_POLYNOMIAL, _PIECEWISE}:
            text = f"{place}: cost model {model:g} is neither 1 nor 2"
            wrong.append(Problem("cost-model", "error", text, "units", row))
        elif len(used) != (count * 2 if model == _PIECEWISE else count) or not all(map(math.isfinite, used)):
            text = f"{place}: {count} cost terms do not fit its {len(terms) - 4} numbers, or are not finite"
            wrong.append(Problem("cost-terms", "error", text, "units", row))
        elif model == _PIECEWISE:
            self._piecewise(costs, np.array(used, dtype=np.float64).reshape(count, 2), row)
        else:
            self._polynomial(costs, list(dropwhile(lambda term: term == 0, used)), row)
        return costs

    def _piecewise(self, costs: _Costs, points: Numbers, row: int) -> None:
        fresh = np.r_[True, (np.diff(points, axis=0) != 0).any(axis=1)] if len(points) else np.zeros(0, dtype=bool)
        if not fresh.all():
            self._note("repeated-points", f"unit {row + 1}: {int((~fresh).sum())} repeated cost points were left out",
                       table="units")  # fmt: skip
            points = points[fresh]
        if len(points) == 1:
            costs.c0 = float(points[0, 1])
            return
        costs.points = points_text(points)

    def _polynomial(self, costs: _Costs, terms: list[float], row: int) -> None:
        if len(terms) <= 3:
            costs.c2, costs.c1, costs.c0 = [0.0] * (3 - len(terms)) + terms
            return
        low, high = self.matrices["gen"][row, [9, 8]].tolist()
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            costs.c2, costs.c1, costs.c0 = 0.0, 0.0, float(np.polyval(terms, low if math.isfinite(low) else 0.0))
            self._note("cost-degree", f"unit {row + 1}: a cost of degree {len(terms) - 1} is held at its one output",
                       "warning", "units")  # fmt: skip
            return
        powers = np.linspace(low, high, _PIECES + 1)
        costs.points = points_text(np.c_[powers, np.polyval(terms, powers)])
        self._note("cost-degree", f"unit {row + 1}: a cost of degree {len(terms) - 1} became {_PIECES} straight pieces",
                   "warning", "units")  # fmt: skip

    def _texts(self, name: str, count: int) -> list[str]:
        """Return the cell array ``name``, one text a row; rows of empty text if it is missing or misfits."""
        value = self.file.fields.get(name)
        if not isinstance(value, TextRows):
            return [""] * count
        texts = [cell for row in value.rows for cell in row[:1]]
        if len(texts) == 1 and len(value.rows[0]) == count:
            texts = value.rows[0]
        if len(texts) != count:
            message = f"{self._mpc}.{name} has {len(texts)} entries for {count} rows: left out"
            self._note("text-count", message, "warning")
            return [""] * count
        return [text.strip() for text in texts]

    def _note_what_is_left_out(self) -> None:
        self._note_bus_types()
        gen = self.matrices["gen"]
        plain = {6: (0.0, self.base_mva)}  # of a machine base that says nothing of its own
        unkept = [6, *range(10, 18), 19, 20]
        lost = [
            GEN[column]
            for column in unkept
            if column < gen.shape[1] and not np.isin(gen[:, column], plain.get(column, (0.0,))).all()
        ]
        if lost:
            self._note(
                "columns", f"columns of {self._mpc}.gen that have no place here: {', '.join(lost)}", table="units"
            )
        lines = self.file.fields.get("dcline")
        if isinstance(lines, NumberRows) and lines.rows:
            on = [row for row in lines.rows if len(row) > 3 and row[2] > 0]
            power = sum(row[3] for row in on)
            self._note(
                "dc-lines",
                f"{len(lines.rows)} DC lines were left out ({len(on)} in service, {power:g} MW as filed): "
                "the flows are those of the AC branches alone, as in pypower's rundcpf",
                "warning",
            )
        named = {*self.file.fields, *self.forgotten}
        other = sorted(name for name in named if name.partition(".")[0] not in USED_FIELDS)
        if other:
            self._note("other-fields", f"fields that were not used: {', '.join(other)}")

    def _note_bus_types(self) -> None:
        bus, gen = self.matrices["bus"], self.matrices["gen"]
        powered = np.isin(bus[:, 0], gen[gen[:, 7] > 0, 0])
        odd = int(((bus[:, 1] == 1) & powered).sum())  # a PV bus without a unit is PQ to MATPOWER as well
        if odd:
            message = f"PQ buses where a unit runs: {odd}; here they count as PV"
            self._note("bus-types", message, table="buses")


def circuit_numbers(from_bus: Sequence[str], to_bus: Sequence[str]) -> list[str]:
    """Return "1", "2", ... for the branches between the same two buses, in either direction, in order."""
    seen: dict[tuple[str, str], int] = {}
    circuits = []
    for ends in zip(from_bus, to_bus, strict=True):
        pair = (min(ends), max(ends))
        seen[pair] = seen.get(pair, 0) + 1
        circuits.append(str(seen[pair]))
    return circuits


def branch_ids(from_bus: Sequence[str], to_bus: Sequence[str], circuits: Sequence[str]) -> list[str]:
    """Return ``from-to`` for each branch, and ``from-to/2``, ``from-to/3`` for further circuits."""
    return [
        f"{a}-{b}" if circuit == "1" else f"{a}-{b}/{circuit}"
        for a, b, circuit in zip(from_bus, to_bus, circuits, strict=True)
    ]


def unit_ids(bus: Sequence[str]) -> list[str]:
    """Return ``bus-k`` for the k-th unit at each bus, in order."""
    seen: dict[str, int] = {}
    ids = []
    for at in bus:
        seen[at] = seen.get(at, 0) + 1
        ids.append(f"{at}-{seen[at]}")
    return ids


def points_text(points: Numbers) -> str:
    """Return (n, 2) MW and $/h as the text of a ``cost_points`` cell, exactly."""
    return " ".join(f"{number_text(power)}:{number_text(cost)}" for power, cost in points.tolist())


def number_text(value: float) -> str:
    """Return the shortest text that reads back as ``value``."""
    return repr(value).removesuffix(".0")


def _ids(numbers: Numbers) -> list[str]:
    if (np.isfinite(numbers) & (np.floor(numbers) == numbers) & (np.abs(numbers) < 1e15)).all():
        return [str(number) for number in numbers.astype(np.int64).tolist()]
    return [number_text(number) for number in numbers.tolist()]


FILE_COLUMNS: Mapping[TableName, tuple[str, ...]] = {
    "buses": BUS[:13],
    "branches": BRANCH[:13],
    "units": GEN[:21],
}
