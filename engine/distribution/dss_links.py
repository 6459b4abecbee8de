"""Lines, switches, transformers and regulators of an OpenDSS circuit as rows of a feeder.

Single-phase units side by side between the same buses are one row here: three lines, a bank of transformers, the
regulators of a bank, or two regulators between phases with the wire past them, which make an open delta.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.distribution.feeder import PHASES, Line, Regulator, RegulatorControl, Rows, Switch, Transformer

_TO_US = 1e6
ENGINE_AMPERE = 400.0  # normamps of a line that says nothing of it
_STAGE_PU = 0.002  # a regulator's impedance below this is left out in silence
Element = Mapping[str, Any]


class Links:
    """Reads the links, and keeps them."""

    def __init__(self, refuse: Callable[[Element, str], None], note: Callable[[str, str], None]) -> None:
        self.refuse, self.note = refuse, note
        self.lines: list[Line] = []
        self.switches: list[Switch] = []
        self.transformers: list[Transformer] = []
        self.regulators: list[Regulator] = []

    def read(self, lines: Iterable[Element], transformers: Iterable[Element], controls: Iterable[Element]) -> None:
        """Read all lines and transformers; ``controls`` are what moves the latter's taps."""
        control = {str(each["transformer"]): each for each in controls}
        groups: dict[tuple[str, str], list[Element]] = {}
        for element in transformers:
            if len(element["windings"]) != 2:
                self.refuse(element, f"has {len(element['windings'])} windings; two are read")
            else:
                groups.setdefault(_ends(element), []).append(element)
        for ends, units in groups.items():
            regulating = [unit for unit in units if unit["name"] in control and _is_stage(unit)]
            if regulating and len(regulating) == len(units):
                self._regulator(ends, units, control)
            else:
                self._transformer(ends, units, control)
        self._all_lines(lines)
        self._say_unrated()

    def _say_unrated(self) -> None:
        rows: list[Line | Switch] = [*self.lines, *self.switches]
        count = sum(row.rating_a is None for row in rows)
        if count:
            self.note(
                "rating",
                f"{count} of {len(rows)} lines and switches have no rating (the engine's own {ENGINE_AMPERE:g} A is "
                "read as none): nothing limits their current until you set one",
            )

    def _all_lines(self, elements: Iterable[Element]) -> None:
        past = {(row.from_bus, row.to_bus) for row in self.regulators if row.open_delta}
        groups: dict[tuple[str, str], list[Line | Switch]] = {}
        for element in elements:
            row = self._line(element)
            if row is not None and _ends(element) not in past:
                groups.setdefault(_ends(element), []).append(row)
        for rows in groups.values():
            for row in _side_by_side(rows):
                if isinstance(row, Line):
                    self.lines.append(row)
                else:
                    self.switches.append(row)

    def _line(self, element: Element) -> Line | Switch | None:
        """Return a line or a switch; None where it is refused, or open and so not there."""
        start, end = _ends(element)
        phases = self._phases(element)
        if not phases:
            return None
        if element["switch"]:
            return Switch(element["name"], start, end, phases, not element["open"], _rating(element))
        if element["open"]:
            return None
        size = element["size"]
        held = np.array(element["real"]) + 1j * np.array(element["imaginary"])
        admittance = held.reshape(size, size).T
        half = size // 2
        through = -admittance[:half, half:]
        try:
            series = np.linalg.inv(through)
        except np.linalg.LinAlgError:
            self.refuse(element, "has an impedance that cannot be told from its admittance")
            return None
        charging = 2.0 * (admittance[:half, :half] - through).imag * _TO_US
        charging[np.abs(charging) < 1e-6 * np.abs(through).max()] = 0.0  # what the engine adds to keep matrices regular
        nodes = element["nodes"][:half]
        order = np.argsort(nodes)
        series, charging = series[np.ix_(order, order)], charging[np.ix_(order, order)]
        matrices = (_rows(series.real), _rows(series.imag), _rows(charging))
        return Line(element["name"], start, end, phases, *matrices, _rating(element))

    def _phases(self, element: Element) -> str:
        """Return the phases of a link, the same at both ends; none where it is refused."""
        count = element["conductors"]
        first, second = element["nodes"][:count], element["nodes"][count : 2 * count]
        if element["kind"] == "line" and (first != second or any(not 1 <= node <= 3 for node in first)):
            self.refuse(element, f"goes from nodes {first} to nodes {second}; phases 1, 2 and 3 keep their places here")
            return ""
        return "".join(PHASES[node - 1] for node in sorted(set(first) & {1, 2, 3}))

    def _transformer(self, ends: tuple[str, str], units: list[Element], control: Mapping[str, Element]) -> None:
        rows = [row for unit in units if (row := self._bank(ends, unit)) is not None]
        for unit in units:
            if unit["name"] in control:
                self.note("control", f"the control of transformer {unit['name']} is left out: its tap stays")
        if len(rows) > 1:
            same = {replace(row, name="", phases="") for row in rows}
            phases = "".join(row.phases for row in rows)
            if len(same) > 1 or len(set(phases)) < len(phases):
                self.refuse(
                    units[0], "is beside another that differs in rating, tap or connection; a bank is of equals"
                )
                return
            rows = [replace(rows[0], phases="".join(sorted(phases)), kva=sum(row.kva for row in rows))]
        self.transformers += rows

    def _bank(self, ends: tuple[str, str], unit: Element) -> Transformer | None:
        first, second = unit["windings"]
        count = unit["conductors"]
        nodes = [[node for node in part if node] for part in (unit["nodes"][:count], unit["nodes"][count : 2 * count])]
        single = unit["phases"] == 1
        if nodes[0] != nodes[1] or (single and len(nodes[0]) != 1) or any(node > 3 for node in nodes[0]):
            self.refuse(unit, f"goes from nodes {nodes[0]} to {nodes[1]}; such a connection is not read")
            return None
        times = math.sqrt(3.0) if single else 1.0
        return Transformer(
            name=unit["name"],
            from_bus=ends[0],
            to_bus=ends[1],
            kva=float(first["kva"]),
            from_kv=first["kv"] * times,
            to_kv=second["kv"] * times,
            from_connection="delta" if first["delta"] else "wye",
            to_connection="delta" if second["delta"] else "wye",
            r_pu=(first["r"] + second["r"]) / 100.0,
            x_pu=unit["xhl"] / 100.0,
            phases="".join(PHASES[node - 1] for node in sorted(nodes[0])),
            tap=second["tap"] / first["tap"],
        )

    def _regulator(self, ends: tuple[str, str], units: list[Element], control: Mapping[str, Element]) -> None:
        """Read regulators between the same buses as one row."""
        parts: list[tuple[str, float, Element]] = []
        for unit in units:
            nodes = [node for node in unit["nodes"][: unit["conductors"]] if node]
            ratio = unit["windings"][1]["tap"] / unit["windings"][0]["tap"]
            names = [PHASES[node - 1] for node in nodes if node <= 3]
            between = unit["phases"] == 1 and len(names) == 2
            parts += [(place, ratio, unit) for place in (["".join(names)] if between else names)]
            if math.hypot(unit["xhl"], sum(winding["r"] for winding in unit["windings"])) / 100.0 > _STAGE_PU:
                self.note("impedance", f"the impedance of regulator {unit['name']} is left out")
        if not all(len(place) == 2 for place, _, _ in parts):
            parts.sort(key=lambda part: part[0])
        told = [control[part[2]["name"]] for part in parts]
        ganged = len(units) == 1 and len(parts) > 1
        first = told[0]
        for each in told[1:]:
            if any(each[key] != first[key] for key in ("level", "band", "pt", "ct")):
                self.note("control", f"regulators between {ends[0]} and {ends[1]} differ in level or band: the first's")
                break
        monitored = parts[_monitored(first, len(parts))][0] if ganged else ""
        held = RegulatorControl(
            first["level"], first["band"], first["pt"], first["ct"], tuple(each["r"] for each in told),
            tuple(each["x"] for each in told), monitored,
        )  # fmt: skip
        name = units[0]["name"]
        regulated, ratios = tuple(part[0] for part in parts), tuple(part[1] for part in parts)
        self.regulators.append(Regulator(name, *ends, regulated, ratios, None, held))


def _monitored(control: Element, count: int) -> int:
    """Return which phase a control of several looks at; the first where it says the largest or the least."""
    told = str(control["phase"])
    return int(told) - 1 if told.isdigit() and 1 <= int(told) <= count else 0


def _ends(element: Element) -> tuple[str, str]:
    first, second = (bus.split(".")[0] for bus in element["buses"][:2])
    return first, second


def _is_stage(unit: Element) -> bool:
    first, second = unit["windings"]
    return bool(abs(first["kv"] - second["kv"]) < 1e-6 * first["kv"] and first["delta"] == second["delta"])


def _rows(matrix: npt.NDArray[Any]) -> Rows:
    even = (matrix + matrix.T) / 2.0
    return tuple(tuple(row) for row in even.tolist())


def _rating(element: Element) -> float | None:
    """Return the normal rating of a line in A; None where the script gives none, so the engine shows its own."""
    told = float(element["ampere"])
    return None if told == ENGINE_AMPERE or not told > 0.0 else told


def _side_by_side(rows: list[Line | Switch]) -> list[Line | Switch]:
    """Return lines on different phases between the same buses as one; others as they are, for checks to report."""
    phases = "".join(row.phases for row in rows)
    lines = [row for row in rows if isinstance(row, Line)]
    if len(rows) == 1 or len(set(phases)) < len(phases) or len(lines) < len(rows):
        return rows
    names = "".join(sorted(phases))
    r_ohm, x_ohm, b_us = (_blocks(names, lines, column) for column in ("r_ohm", "x_ohm", "b_us"))
    rating = min((row.rating_a for row in lines if row.rating_a is not None), default=None)
    return [Line(lines[0].name, lines[0].from_bus, lines[0].to_bus, names, r_ohm, x_ohm, b_us, rating)]


def _blocks(phases: str, lines: list[Line], column: str) -> Rows:
    """Return the matrix of lines side by side: nothing is between them."""
    matrix = np.zeros((len(phases), len(phases)))
    for line in lines:
        at = [phases.index(phase) for phase in line.phases]
        matrix[np.ix_(at, at)] = getattr(line, column)
    return _rows(matrix)
