"""A user's own hours: loads by zone, by area or by bus, and what wind, solar, hydro or single units can produce.

One row is one hour. The column ``hour`` holds dates with a time (``2024-07-01 15:00``, the start of the hour) or whole
numbers, counted from 1 at the start of a year that is told. Columns named like a zone, an area or a bus (``zone
Coast``, ``area 3``, ``bus 1001`` where a name could be two of these) hold its load; ``wind_fleet_mw`` and the like
what all units of a fuel together can produce; ``unit 12875`` what one unit can; ``onsite_mw`` what a campus of the
siting study makes for itself. All in MW. The file of 2020 that was published with the siting study has this form.
"""

import gzip
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]

from engine.capacity.files import MOST_BYTES, numbers, read_table
from engine.errors import FileFormatError, Problem
from engine.network.model import Integers, Matrix, Network, Vector
from engine.siting.onsite import MOST_MW, SERIES

Place = Literal["zone", "area", "bus"]
Stamps = npt.NDArray[np.datetime64]

_HOUR = ("hour", "time", "datetime", "timestamp")
_FLEET = "_fleet_mw"
_COUNTED = re.compile(r"[1-9]\d{0,5}")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:00(:00)?")  # a full hour, without an offset: the grid's own time
_SHOWN = 20  # problems of one kind that are listed one by one


@dataclass(frozen=True, slots=True, eq=False)
class HourlyFile:
    """T hours of a user's loads and of what units can produce, MW, for one network."""

    name: str
    stamps: Stamps  # (T,), the start of each hour, rising
    place: Place  # what the loads are of
    places: tuple[str, ...]  # (n,), names of zones, areas or buses
    load_mw: Matrix  # (T, n)
    fleet_mw: Mapping[str, Vector]  # fuel -> (T,), of all its units together
    unit_mw: Mapping[int, Vector]  # position of a unit -> (T,)
    onsite_mw: Vector | None = None  # (T,), of on-site resources of a further load; None without such a column

    @classmethod
    def read(cls, filename: str, content: bytes, network: Network, *, year: int = 2020) -> Self:
        """Return the hours in a CSV or Parquet file, or such a file in gzip; ``year`` is that of counted hours.

        Raises FileFormatError with every problem: columns that are nothing of the network or appear twice, cells
        that are not numbers, outputs below 0 or of on-site resources above 20,000 MW, hours that do not rise.
        """
        name, content = _unpacked(filename, content)
        table = read_table(name, content)
        problems: list[Problem] = []
        columns = _Columns.of(table.column_names, network, problems)
        if not table.num_rows:
            problems.append(Problem("empty", "error", f"{filename}: there is no row below the column names"))
        stamps = _stamps(table, columns.hour, year, problems)
        load = [numbers(table, column, problems) for column, _ in columns.loads]
        fleets = {fuel: _outputs(table, column, problems) for column, fuel in columns.fleets}
        units = {unit: _outputs(table, column, problems) for column, unit in columns.units}
        onsite = None if columns.onsite is None else _outputs(table, columns.onsite, problems, MOST_MW)
        names = tuple(name for _, name in columns.loads)
        _check_shares(network, columns.place, names, load, problems)
        if problems:
            raise FileFormatError(problems)
        return cls(filename, stamps, columns.place, names, np.column_stack(load), fleets, units, onsite)

    def __len__(self) -> int:
        return len(self.stamps)

    def bus_load_mw(self, network: Network, hours: Integers) -> Matrix:
        """Return the loads (T, B) in ``hours`` (positions): of a zone or an area, shared as its filed loads are.

        Buses that the file says nothing of keep their filed load.
        """
        filed = _filed(network)
        found = np.tile(filed, (len(hours), 1))
        labels = np.array(_labels(network, self.place))
        for column, name in enumerate(self.places):
            own = np.flatnonzero((labels == name) & network.buses.in_service)
            share = filed[own] / filed[own].sum() if self.place != "bus" else np.ones(len(own))
            found[:, own] = self.load_mw[hours, column][:, np.newaxis] * share
        return found

    def silent_buses(self, network: Network) -> int:
        """Return the number of buses with a filed load that the file says nothing of."""
        told = np.isin(np.array(_labels(network, self.place)), self.places)
        return int((~told & (_filed(network) != 0.0)).sum())


@dataclass(slots=True, eq=False)
class _Columns:
    """Which column of the file is what: (position in the file, what it is of)."""

    hour: int | None
    place: Place
    loads: list[tuple[int, str]]
    fleets: list[tuple[int, str]]
    units: list[tuple[int, int]]
    onsite: int | None = None

    @classmethod
    def of(cls, names: Sequence[str], network: Network, problems: list[Problem]) -> Self:
        found = cls(None, "zone", [], [], [])
        fuels = set(network.units.fuels)
        units = {name: place for place, name in enumerate(network.units.ids)}
        rest: list[tuple[int, str]] = []
        seen: set[str] = set()
        for column, raw in enumerate(names):
            name = raw.strip().lstrip("\ufeff")
            if name in seen:
                problems.append(_problem("repeated-column", f"column {name!r} appears twice", name))
            seen.add(name)
            if name.lower() in _HOUR and found.hour is None:
                found.hour = column
            elif name.lower() == SERIES:
                found.onsite = column
            elif name.endswith(_FLEET):
                fuel = name.removesuffix(_FLEET)
                found.fleets.append((column, fuel))
                if fuel not in fuels:
                    text = f"column {name!r}: network {network.name!r} has no unit of fuel {fuel!r}"
                    problems.append(_problem("unknown-fuel", text, name))
            elif name.startswith("unit "):
                unit = units.get(name.removeprefix("unit ").strip(), -1)
                found.units.append((column, unit))
                if unit < 0:
                    problems.append(_problem("unknown-unit", f"column {name!r} is no unit of {network.name!r}", name))
            else:
                rest.append((column, name))
        if found.hour is None:
            problems.append(_problem("no-hour", "no column 'hour' says which hour a row is"))
        found.place, found.loads = _places(rest, network, problems)
        return found


def _places(
    rest: list[tuple[int, str]], network: Network, problems: list[Problem]
) -> tuple[Place, list[tuple[int, str]]]:
    """Return what the columns of loads are of, and their names; what does not fit is a problem."""
    kinds: tuple[Place, ...] = ("zone", "area", "bus")
    known = {kind: set(_labels(network, kind)) - {""} for kind in kinds}
    fits: dict[Place, list[tuple[int, str]]] = {}
    for kind in kinds:
        plain = [(column, name.removeprefix(f"{kind} ").strip()) for column, name in rest]
        fits[kind] = [(column, name) for column, name in plain if name in known[kind]]
    best: Place = max(kinds, key=lambda kind: len(fits[kind]))
    if not fits[best]:
        problems.append(_problem("no-load", f"no column is named like a zone, an area or a bus of {network.name!r}"))
        return best, []
    equal = [kind for kind in kinds if len(fits[kind]) == len(fits[best])]
    if len(equal) > 1:
        text = f"column {fits[best][0][1]!r} could be {' or '.join(equal)}: write '{equal[0]} {fits[best][0][1]}'"
        problems.append(_problem("ambiguous", text, fits[best][0][1]))
    taken = {column for column, _ in fits[best]}
    strange = [(column, name) for column, name in rest if column not in taken]
    for column, name in strange[:_SHOWN]:
        other = next((kind for kind in kinds if column in {own for own, _ in fits[kind]}), None)
        why = f"is a {other}; the loads of one file are all by {best}" if other else f"is no {best} of {network.name!r}"
        problems.append(_problem("unknown-column", f"column {name!r} {why}", name))
    if len(strange) > _SHOWN:
        problems.append(_problem("unknown-column", f"and {len(strange) - _SHOWN} more columns that are no {best}"))
    doubled = {name for place, (_, name) in enumerate(fits[best]) if name in {n for _, n in fits[best][:place]}}
    problems.extend(_problem("repeated-column", f"{best} {name!r} has two columns", name) for name in sorted(doubled))
    return best, fits[best]


def _labels(network: Network, place: Place) -> tuple[str, ...]:
    return {"zone": network.buses.zones, "area": network.buses.areas, "bus": network.buses.ids}[place]


def _filed(network: Network) -> Vector:
    return np.where(network.buses.in_service, network.buses.load_mw, 0.0)


def _check_shares(
    network: Network, place: Place, names: Sequence[str], load: Sequence[Vector], problems: list[Problem]
) -> None:
    if place == "bus":
        return
    filed, labels = _filed(network), np.array(_labels(network, place))
    for name, mw in zip(names, load, strict=True):
        if filed[labels == name].sum() <= 0.0 and (mw != 0.0).any():
            text = f"{place} {name!r} has no filed load that says how its {mw.max():,.1f} MW are shared among its buses"
            problems.append(_problem("no-share", text, name))


def _outputs(table: pa.Table, column: int, problems: list[Problem], most: float = np.inf) -> Vector:
    name, mw = table.column_names[column], numbers(table, column, problems)
    low = np.flatnonzero(mw < 0.0)
    if low.size:
        text = f"column {name!r}: {low.size} outputs are below 0, first {mw[low[0]]:g} MW in row {low[0] + 2}"
        problems.append(Problem("negative", "error", text, row=int(low[0]), column=name))
    high = np.flatnonzero(mw > most)
    if high.size:
        first = f"first {mw[high[0]]:g} MW in row {high[0] + 2}"
        text = f"column {name!r}: {high.size} outputs are above {most:,.0f} MW, {first}"
        problems.append(Problem("too-large", "error", text, row=int(high[0]), column=name))
    return mw


def _stamps(table: pa.Table, column: int | None, year: int, problems: list[Problem]) -> Stamps:
    """Return the start of the hours (T,)."""
    start = np.datetime64(f"{year:04d}-01-01T00", "h")
    if column is None:
        return start + np.arange(table.num_rows)
    cells: list[object] = table.column(column).to_pylist()
    found = [_stamp(cell, start) for cell in cells]
    bad = [row for row, stamp in enumerate(found) if stamp is None]
    for row in bad[:3]:
        cell = str(cells[row])[:40]
        text = f"column 'hour', row {row + 2}: {cell!r} is neither a whole number from 1 nor a date with a full hour"
        problems.append(Problem("hour", "error", text, row=row, column="hour"))
    if len(bad) > 3:
        problems.append(_problem("hour", f"column 'hour': {len(bad) - 3} more cells are not hours", "hour"))
    stamps = np.array([start if stamp is None else stamp for stamp in found], dtype="datetime64[h]")
    step = np.diff(stamps).astype(np.intp)
    back = np.flatnonzero(step <= 0)
    if back.size and not bad:
        row = int(back[0]) + 1
        text = f"column 'hour', row {row + 2}: {cells[row]} does not come after {cells[row - 1]}"
        problems.append(Problem("hour", "error", text, row=row, column="hour"))
    return stamps


def _stamp(cell: object, start: np.datetime64) -> np.datetime64 | None:
    """Return the start of an hour, or None for what is none."""
    text = str(cell).strip()
    if _COUNTED.fullmatch(text):
        return start + int(text) - 1
    if not _STAMP.fullmatch(text):
        return None
    try:
        return np.datetime64(text[:13].replace(" ", "T"), "h")
    except ValueError:  # such as the 31st of June
        return None


def _unpacked(filename: str, content: bytes) -> tuple[str, bytes]:
    if not filename.lower().endswith(".gz"):
        return filename, content
    try:
        with gzip.open(io.BytesIO(content)) as packed:
            found = packed.read(MOST_BYTES + 1)
    except (OSError, EOFError) as error:
        raise FileFormatError(f"{filename}: not a gzip file that can be read ({error})") from None
    return filename[: -len(".gz")], found


def _problem(code: str, message: str, column: str = "") -> Problem:
    return Problem(code, "error", message, column=column)
