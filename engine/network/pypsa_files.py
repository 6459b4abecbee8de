"""The files of PyPSA networks: a folder of CSV files in a zip, or netCDF, as rows of named cells."""

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import FileFormatError
from engine.network.csv_pair import decoded
from engine.network.foreign import Row
from engine.network.intake import Intake
from engine.network.tables import MOST_ROWS

ENDS = ("bus0", "bus1")
LISTS_FILE = "headroom.json"  # of a zip: interfaces and contingencies, which PyPSA has no files for
LISTS_VARIABLE = "headroom_lists"  # of a netCDF file: the same
_CHILD = Path(__file__).with_name("netcdf_child.py")
_CHILD_S = 60
_MOST_COLUMNS = 20_000  # of a time series
_LISTS = (
    "buses", "carriers", "lines", "transformers", "links", "generators", "loads", "storage_units", "stores",
    "shunt_impedances", "line_types", "transformer_types",
)  # fmt: skip
_LABELS = ("period", "timestep", "snapshot")  # columns of snapshots.csv that name a snapshot
_SERIES = ("p_set", "q_set", "p", "p0", "p_max_pu", "p_min_pu", "marginal_cost", "s_max_pu")


@dataclass(slots=True)
class PypsaFile:
    """The components of a network at one snapshot."""

    intake: Intake
    at: int = 0  # the position of that snapshot
    lists: dict[str, list[Row]] = field(default_factory=dict)
    series: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)  # list -> column -> name -> value
    snapshots: list[str] = field(default_factory=list)
    own: str = ""  # interfaces and contingencies, which a file of ours carries
    load_mw: list[float] = field(default_factory=list)  # by snapshot, of a file with several
    name: str = ""
    version: str = ""

    def rows(self, kind: str) -> Iterator[Row]:
        """Yield the components of a list, series put in for their columns."""
        series = self.series.get(kind, {})
        for row in self.lists.get(kind, []):
            given = {column: values[row.index] for column, values in series.items() if row.index in values}
            yield Row(row.place, row.index, {**row.cells, **given}, self.intake) if given else row

    def electric(self) -> set[str]:
        """Return the buses of the AC network: of carrier AC, or with lines at them and not of carrier DC."""
        ends = [row.text(end) for kind in ("lines", "transformers") for row in self.rows(kind) for end in ENDS]
        joined = set(ends)
        given = {str(row.index): row.text("carrier", "AC") for row in self.rows("buses")}
        return {bus for bus, carrier in given.items() if carrier == "AC" or (carrier != "DC" and bus in joined)}

    def weights(self) -> dict[str, float]:
        """Return what one MW set for a load adds to the load of the AC network."""
        electric = self.electric()
        counted = (row for row in self.rows("loads") if row.text("bus") in electric and row.flag("active"))
        return {str(row.index): -row.number("sign", -1.0) for row in counted}

    def steady_mw(self, weights: Mapping[str, float], varying: Collection[str]) -> float:
        """Return the load in MW of what does not vary over the snapshots."""
        rows = (row for row in self.lists.get("loads", []) if row.index not in varying)
        return sum(weights.get(row.index, 0.0) * row.number("p_set") for row in rows)

    def has(self, kind: str, column: str) -> bool:
        """Tell whether any component of a list has a column, as its own or as a series."""
        own = any(row.has(column) for row in self.lists.get(kind, []))
        return own or bool(self.series.get(kind, {}).get(column))


def is_pypsa_folder(files: Mapping[str, bytes]) -> bool:
    """Tell a PyPSA folder by the files that it always has beside its buses."""
    names = {_stem(name) for name in files}
    about = next((content for name, content in files.items() if _stem(name) == "network"), b"")
    return {"buses", "snapshots"} <= names or b"pypsa_version" in about[:2000]


def is_netcdf(content: bytes) -> bool:
    """Tell netCDF by its first bytes."""
    return content.startswith((b"\x89HDF\r\n\x1a\n", b"CDF\x01", b"CDF\x02", b"CDF\x05"))


def from_folder(files: Mapping[str, bytes], snapshot: int | None, intake: Intake) -> PypsaFile:
    """Return the components in the CSV files of a folder (file name -> content), at a snapshot.

    Without one, that of the largest load.
    """
    found = PypsaFile(intake)
    by_stem = {_stem(name): (name, content) for name, content in files.items() if name.lower().endswith(".csv")}
    if "buses" not in by_stem:
        raise FileFormatError("the PyPSA folder has no buses.csv")
    labels = list(_lines(*by_stem["snapshots"], intake)) if "snapshots" in by_stem else []
    if labels:
        places = [at for at, name in enumerate(labels[0]) if name in _LABELS] or [0]
        found.snapshots = [_label(line[at] for at in places if at < len(line)) for line in labels[1:]]
    found.own = _own_lists(files)
    for kind in _LISTS:
        if kind in by_stem:
            found.lists[kind] = list(_components(kind, *by_stem[kind], intake))
    if len(found.snapshots) > 1:
        _add_up(found, by_stem.get("loads-p_set"))
    found.at = _chosen(snapshot, found)
    for kind in _LISTS:
        for column in _SERIES:
            if (stem := f"{kind}-{column}") in by_stem:
                values = _series(*by_stem[stem], found.at, intake)
                found.series.setdefault(kind, {})[column] = values
    if "network" in by_stem:
        about = list(_lines(*by_stem["network"], intake))
        values = dict(zip(about[0], about[1], strict=False)) if len(about) > 1 else {}
        found.name, found.version = values.get("name", ""), values.get("pypsa_version", "")
    return found


def _own_lists(files: Mapping[str, bytes]) -> str:
    own = next((content for path, content in files.items() if path.rpartition("/")[2] == LISTS_FILE), b"")
    try:
        return own.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{LISTS_FILE} is not UTF-8: {error.reason}") from error


def _add_up(found: PypsaFile, series: tuple[str, bytes] | None) -> None:
    """Set the load of each snapshot; ``series`` is the name and the content of loads-p_set.csv."""
    count, weights = len(found.snapshots), found.weights()
    lines = _lines(*series, found.intake) if series else iter(())
    header = next(lines, [])
    steady = found.steady_mw(weights, set(header[1:]))
    found.load_mw = [steady] * count
    if series is None:
        return
    columns = {name: at for at, name in enumerate(header) if at and weights.get(name)}
    factors, rows = np.array([weights[name] for name in columns]), 0
    for rows, line in enumerate(lines, 1):
        if rows <= count:
            cells = {name: line[at] if at < len(line) else "" for name, at in columns.items()}
            found.load_mw[rows - 1] += float(factors @ _numbers(cells, f"{series[0]} line {rows + 1}", found.intake))
    if rows != count:
        found.intake.wrong("snapshots", f"{series[0]}: {rows} rows for {count} snapshots")


def _numbers(cells: Mapping[str, str], place: str, intake: Intake) -> npt.NDArray[np.float64]:
    """Return the numbers in cells; an empty one, and nan, is 0."""
    try:
        values = np.array(list(cells.values()), dtype=np.float64)
    except ValueError:
        row = Row(place, None, cells, intake)
        values = np.array([row.number(name) for name in cells])
    return np.where(np.isnan(values), 0.0, values)


def _chosen(snapshot: int | None, found: PypsaFile) -> int:
    """Return the position of the snapshot to read. Raises FileFormatError if there is no such snapshot."""
    count = max(len(found.snapshots), 1)
    if snapshot is None:
        return int(np.argmax(found.load_mw)) if found.load_mw else 0
    if not 0 <= snapshot < count:
        raise FileFormatError(f"there is no snapshot {snapshot + 1}: the network has {count}")
    return snapshot


def _label(parts: Iterable[str]) -> str:
    """Return a snapshot's name, with its period if it has one; whole minutes without their seconds."""
    return re.sub(r"(\d\d:\d\d):00(\.0+)?$", r"\1", " ".join(part for part in parts if part))[:60]


def from_netcdf(content: bytes, snapshot: int | None, intake: Intake) -> PypsaFile:
    """Return the components in a netCDF file, at a snapshot; without one, that of the largest load."""
    found = _netcdf(content, {"snapshot": 0}, intake)
    found.at = _chosen(snapshot, found)
    if found.series and len(found.snapshots) > 1:  # the second time with what each load counts
        weights = found.weights()
        found = _netcdf(content, {"snapshot": snapshot, "weights": weights}, intake)
        steady = found.steady_mw(weights, found.series.get("loads", {}).get("p_set", {}))
        found.load_mw = [steady + varying for varying in found.load_mw]
    return found


def _netcdf(content: bytes, asked: Mapping[str, Any], intake: Intake) -> PypsaFile:
    """Return the components in a netCDF file; a process of its own reads it."""
    command, sent = [sys.executable, "-P", str(_CHILD)], json.dumps(asked).encode() + b"\n" + content
    try:
        done = subprocess.run(command, input=sent, capture_output=True, timeout=_CHILD_S, check=False)  # noqa: S603
        answer = json.loads(done.stdout) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, OSError, ValueError) as error:
        raise FileFormatError("the netCDF file cannot be read: its reader did not end") from error
    if not isinstance(answer, dict):
        raise FileFormatError("the netCDF file cannot be read: it is damaged, or needs too much memory or time")
    if "refusal" in answer:
        raise FileFormatError(f"the netCDF file cannot be read: {answer['refusal']}")
    if not answer["lists"]:
        raise FileFormatError("the netCDF file is not a PyPSA network: it has no buses_i")
    found = PypsaFile(intake, series=answer["series"], snapshots=[_label([name]) for name in answer["snapshots"]])
    found.at, found.load_mw, found.own = answer["at"], answer["load_mw"], answer["own"]
    found.name, found.version = answer["network"].get("name", ""), answer["network"].get("pypsa_version", "")
    for kind, table in answer["lists"].items():
        index, columns = table["index"], table["columns"]
        for column, values in columns.items():
            if len(values) != len(index):
                intake.wrong("columns", f"{kind}: {column} has {len(values)} cells for {len(index)} components")
                return found
        found.lists[kind] = [
            Row(f"{kind} {name}", name, {column: values[at] for column, values in columns.items()}, intake)
            for at, name in enumerate(index)
        ]
    return found


def _stem(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".csv")


def _lines(name: str, content: bytes, intake: Intake) -> Iterator[list[str]]:
    try:
        text, guessed = decoded(content)
        if guessed:
            message = f"{name} is not UTF-8; read as Latin-1, so check names with accents"
            intake.note("encoding", message, severity="warning")
        for number, line in enumerate(csv.reader(io.StringIO(text, newline=""))):
            if number > MOST_ROWS:
                intake.wrong("too-many-rows", f"{name}: more than {MOST_ROWS:,} rows")
                return
            if line:
                yield line
    except (ValueError, csv.Error) as error:
        intake.wrong("csv", f"{name}: {str(error)[:200]}")


def _components(kind: str, name: str, content: bytes, intake: Intake) -> Iterator[Row]:
    lines = _lines(name, content, intake)
    header = next(lines, [])
    if "scenario" in header:
        intake.wrong("scenarios", f"{name}: networks with scenarios are not read; export one of them")
        return
    for number, line in enumerate(lines, 2):
        if len(line) > len(header):
            intake.wrong("row-length", f"{name} line {number}: {len(line)} cells under {len(header)} column names")
            return
        yield Row(f"{kind} {line[0]}", line[0], dict(zip(header[1:], line[1:], strict=False)), intake)


def _series(name: str, content: bytes, snapshot: int, intake: Intake) -> dict[str, Any]:
    lines = _lines(name, content, intake)
    header = next(lines, [])
    if len(header) > _MOST_COLUMNS:
        intake.wrong("too-many-columns", f"{name}: {len(header):,} columns; {_MOST_COLUMNS:,} is the most")
        return {}
    for at, line in enumerate(lines):
        if at == snapshot:
            return dict(zip(header[1:], line[1:], strict=False))
    intake.wrong("snapshot", f"{name}: there is no snapshot {snapshot + 1}")
    return {}
