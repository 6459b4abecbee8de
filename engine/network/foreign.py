"""What readers of other programs' files share: named cells, unique names, areas apart, and columns of our own.

A column of ours that the other program has no word for travels in its tables as ``headroom_<column>``.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from engine.network.cells import LONGEST_ID
from engine.network.intake import Intake
from engine.network.layout import EDGE
from engine.network.matpower import circuit_numbers
from engine.network.tables import COLUMNS, NetworkTables, TableName

LEFT_OUT = "left-out"  # the code of a note on what a file holds and a network here cannot
OWN = "headroom_"
JUMPER_PU = 1e-4  # the reactance of a branch that has none, as PSS/E's default zero impedance threshold
_EARTH_KM = 6371.0
_LISTED = 12  # names in one note


@dataclass(frozen=True, slots=True)
class Row:
    """One element of another program's table; what cannot be read goes to the intake's problems."""

    place: str  # such as "load 3"
    index: Any
    cells: Mapping[str, Any]
    intake: Intake

    def number(self, name: str, default: float = 0.0) -> float:
        """Return a number, or the default where the cell is missing, empty or nan."""
        cell = self.cells.get(name)
        if cell is None or cell == "":
            return default
        try:
            value = float(cell)
        except (TypeError, ValueError, OverflowError):
            self.intake.wrong("number", f"{self.place}: {name} is {str(cell)[:40]!r}, not a number")
            return default
        return default if math.isnan(value) else value

    def finite(self, name: str, default: float = 0.0) -> float:
        """Return a number as :meth:`number` does; an infinite one is a problem."""
        value = self.number(name, default)
        if math.isinf(value):
            self.intake.wrong("number", f"{self.place}: {name} is {str(self.cells.get(name))[:40]}, which is infinite")
        return value

    def has(self, name: str) -> bool:
        """Tell whether a number is given."""
        return not math.isnan(self.number(name, math.nan))

    def flag(self, name: str, default: bool = True) -> bool:
        """Return a true or false; the default where the cell is missing or empty."""
        cell = self.cells.get(name)
        if isinstance(cell, str):
            text = cell.strip().lower()
            if text in {"true", "1", "1.0", "false", "0", "0.0"}:
                return text in {"true", "1", "1.0"}
            cell = None if not text or text == "nan" else cell
        if cell is None or (isinstance(cell, float) and math.isnan(cell)):
            return default
        if isinstance(cell, bool | int | float):
            return bool(cell)
        self.intake.wrong("flag", f"{self.place}: {name} is {str(cell)[:40]!r}, neither true nor false")
        return default

    def text(self, name: str, default: str = "") -> str:
        """Return a text without blanks at its ends; a whole number without its point."""
        cell = self.cells.get(name)
        if cell is None or (isinstance(cell, float) and math.isnan(cell)):
            return default
        if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
            cell = int(cell)
        text = str(cell).strip()
        return text or default

    def own(self, table: TableName) -> dict[str, Any]:
        """Return the columns of ours that travelled with the element."""
        found: dict[str, Any] = {}
        for column in COLUMNS[table]:
            name = OWN + column.name
            if name in self.cells and self.cells[name] not in {None, ""}:
                read = {"number": self.number, "flag": self.flag, "text": self.text}[column.kind]
                found[column.name] = read(name, column.default)  # type: ignore[operator]
        return found


def identifiers(names: Sequence[str], otherwise: Sequence[str]) -> list[str]:
    """Return each name that is the only one of its kind and short enough, else what stands beside it."""
    count = Counter([*names, *otherwise])
    return [
        name if name and count[name] == 1 and len(name) <= LONGEST_ID and name.isprintable() else other
        for name, other in zip(names, otherwise, strict=True)
    ]


def named(names: Iterable[str]) -> str:
    """Return the first names of a list and how many more there are."""
    given = list(names)
    more = f" and {len(given) - _LISTED} more" if len(given) > _LISTED else ""
    return ", ".join(given[:_LISTED]) + more


def number_circuits(branches: Sequence[dict[str, Any]]) -> None:
    """Give parallel branches circuits 1, 2, ... where the file says none."""
    ends = [[row[end] for row in branches] for end in ("from_bus", "to_bus")]
    for row, circuit in zip(branches, circuit_numbers(*ends), strict=True):
        row.setdefault("circuit", circuit)


def jumpers(branches: Iterable[dict[str, Any]], intake: Intake) -> None:
    """Give branches without reactance that of a jumper, and say so."""
    without = [row for row in branches if abs(row["reactance_pu"]) < JUMPER_PU * 1e-4]
    for row in without:
        row["reactance_pu"] = JUMPER_PU
    if without:
        message = f"branches without reactance have {JUMPER_PU:g} pu: {named(row['branch'] for row in without)}"
        intake.note("jumpers", message, "branches", "warning")


def keep_one_area(
    buses: Mapping[str, dict[str, Any]],
    branches: Sequence[Mapping[str, Any]],
    references: Sequence[str],
    intake: Intake,
) -> tuple[str, list[str]]:
    """Keep the largest area that has a reference bus in service; put all other buses out of service, and say so.

    Returns the first of ``references`` in that area, and the others in it.
    """
    on = [bus for bus, row in buses.items() if row["in_service"]]
    at = {bus: row for row, bus in enumerate(on)}
    if not any(bus in at for bus in references):
        return references[0], []  # no bus is in service: the checks say so
    pairs = ((row["from_bus"], row["to_bus"]) for row in branches if row["in_service"])
    ends = [(at[a], at[b]) for a, b in pairs if a in at and b in at]
    first, second = np.array(ends, dtype=np.intp).reshape(-1, 2).T
    links = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(len(at), len(at)))
    label = connected_components(links, directed=False)[1]
    sizes = np.bincount(label)
    slack = max((bus for bus in references if bus in at), key=lambda bus: sizes[label[at[bus]]])
    main = label[at[slack]]
    fed = {label[at[bus]] for bus in references if bus in at} - {main}
    apart = [bus for bus in on if label[at[bus]] in fed]
    dark = [bus for bus in on if label[at[bus]] != main and label[at[bus]] not in fed]
    for bus in (*apart, *dark):
        buses[bus]["in_service"] = False
    if apart:
        message = f"buses in areas of their own, out of service here: {named(apart)}"
        intake.note("areas", f"{message}. A network is one area: import these by themselves", "buses", "warning")
    if dark:
        message = f"buses without a path to a reference bus, out of service: {named(dark)}"
        intake.note("unsupplied", message, "buses", "warning")
    return slack, [bus for bus in references if bus != slack and bus in at and label[at[bus]] == main]


def is_map(places: Mapping[str, tuple[float, float]], lines: Iterable[tuple[str, str, float]]) -> bool:
    """Tell longitude and latitude from the coordinates of a drawing: on a map, distances are lines' lengths in km."""
    if not all(abs(x) <= 180 and abs(y) <= 90 for x, y in places.values()):
        return False
    ratios = []
    for start, end, length in lines:
        if length > 0 and start in places and end in places and places[start] != places[end]:
            (x1, y1), (x2, y2) = places[start], places[end]
            east = math.radians(x2 - x1) * math.cos(math.radians((y1 + y2) / 2))
            ratios.append(_EARTH_KM * math.hypot(east, math.radians(y2 - y1)) / length)
    return bool(ratios) and 0.2 < float(np.median(ratios)) < 1.5


def put_on_canvas(buses: Mapping[str, dict[str, Any]], branches: Iterable[Mapping[str, Any]],
                  places: Mapping[str, tuple[float, float]]) -> None:  # fmt: skip
    """Set the canvas coordinates of buses from a drawing with y upwards, scaled so that a branch has our length."""
    ends = [(places.get(row["from_bus"]), places.get(row["to_bus"])) for row in branches]
    lengths = [math.dist(a, b) for a, b in ends if a and b and a != b]
    scale = EDGE / float(np.median(lengths)) if lengths else 1.0
    for bus, (x, y) in places.items():
        buses[bus]["x"], buses[bus]["y"] = round(x * scale, 6), round(-y * scale, 6)


def own_columns(tables: NetworkTables, name: TableName, carried: Iterable[str]) -> dict[str, list[Any]]:
    """Return the columns of a table that hold more than their default and are not ``carried`` otherwise."""
    found = {}
    for column in COLUMNS[name]:
        cells = tables.table(name)[column.name].tolist()
        plain = all(c == column.default or (c != c and column.default != column.default) for c in cells)  # noqa: PLR0124
        if column.name not in set(carried) and not plain:
            found[OWN + column.name] = cells
    return found


def named_after(tables: NetworkTables, name: str, source: str) -> NetworkTables:
    """Return tables with a name and a source, each cut to what a network may have."""
    printable = "".join(sign for sign in name if sign.isprintable()).strip()
    return replace(tables, name=printable[:200] or "Network", source=source)
