"""The files of PyPSA networks: a folder of CSV files in a zip, or netCDF, as rows of named cells."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import FileFormatError
from engine.network.csv_pair import decoded
from engine.network.foreign import Row
from engine.network.intake import Intake
from engine.network.tables import MOST_ROWS

LISTS_FILE = "headroom.json"  # of a zip: interfaces and contingencies, which PyPSA has no files for
_CHILD = Path(__file__).with_name("netcdf_child.py")
_CHILD_S = 60
_MOST_COLUMNS = 20_000  # of a time series
_LISTS = (
    "buses", "carriers", "lines", "transformers", "links", "generators", "loads", "storage_units", "stores",
    "shunt_impedances", "line_types", "transformer_types",
)  # fmt: skip
_SERIES = ("p_set", "q_set", "p", "p0", "p_max_pu", "p_min_pu", "marginal_cost", "s_max_pu")


@dataclass(slots=True)
class PypsaFile:
    """The components of a network at one snapshot."""

    intake: Intake
    lists: dict[str, list[Row]] = field(default_factory=dict)
    series: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)  # list -> column -> name -> value
    snapshots: list[str] = field(default_factory=list)
    name: str = ""
    version: str = ""

    def rows(self, kind: str) -> Iterator[Row]:
        """Yield the components of a list, series put in for their columns."""
        series = self.series.get(kind, {})
        for row in self.lists.get(kind, []):
            given = {column: values[row.index] for column, values in series.items() if row.index in values}
            yield Row(row.place, row.index, {**row.cells, **given}, self.intake) if given else row

    def has(self, kind: str, column: str) -> bool:
        """Tell whether any component of a list has a column, as its own or as a series."""
        own = any(row.has(column) for row in self.lists.get(kind, []))
        return own or bool(self.series.get(kind, {}).get(column))


def is_pypsa_folder(files: Mapping[str, bytes]) -> bool:
    """Tell a PyPSA folder by the files that it always has beside its buses."""
    names = {_stem(name) for name in files}
    about = next((content for name, content in files.items() if _stem(name) == "network"), b"")
    return "buses" in names and ("snapshots" in names or b"pypsa_version" in about[:2000])


def is_netcdf(content: bytes) -> bool:
    """Tell netCDF by its first bytes."""
    return content.startswith((b"\x89HDF\r\n\x1a\n", b"CDF\x01", b"CDF\x02", b"CDF\x05"))


def from_folder(files: Mapping[str, bytes], snapshot: int, intake: Intake) -> PypsaFile:
    """Return the components in the CSV files of a folder (file name -> content), at a snapshot."""
    found = PypsaFile(intake)
    by_stem = {_stem(name): (name, content) for name, content in files.items() if name.lower().endswith(".csv")}
    labels = list(_lines(*by_stem["snapshots"], intake)) if "snapshots" in by_stem else []
    if labels:
        at = labels[0].index("snapshot") if "snapshot" in labels[0] else 0
        found.snapshots = [line[at] if at < len(line) else "" for line in labels[1:]]
    for kind in _LISTS:
        if kind in by_stem:
            found.lists[kind] = list(_components(kind, *by_stem[kind], intake))
        for column in _SERIES:
            if (stem := f"{kind}-{column}") in by_stem:
                values = _series(*by_stem[stem], snapshot, intake)
                found.series.setdefault(kind, {})[column] = values
    if "network" in by_stem:
        about = list(_lines(*by_stem["network"], intake))
        values = dict(zip(about[0], about[1], strict=False)) if len(about) > 1 else {}
        found.name, found.version = values.get("name", ""), values.get("pypsa_version", "")
    return found


def from_netcdf(content: bytes, snapshot: int, intake: Intake) -> PypsaFile:
    """Return the components in a netCDF file, at a snapshot; a process of its own reads it."""
    command = [sys.executable, "-P", str(_CHILD), str(snapshot)]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=_CHILD_S, check=False)  # noqa: S603
        answer = json.loads(done.stdout) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, OSError, ValueError) as error:
        raise FileFormatError("the netCDF file cannot be read: its reader did not end") from error
    if not isinstance(answer, dict):
        raise FileFormatError("the netCDF file cannot be read: it is damaged, or needs too much memory or time")
    if "refusal" in answer:
        raise FileFormatError(f"the netCDF file cannot be read: {answer['refusal']}")
    if not answer["lists"]:
        raise FileFormatError("the netCDF file is not a PyPSA network: it has no buses_i")
    found = PypsaFile(intake, series=answer["series"], snapshots=answer["snapshots"])
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
        text, _ = decoded(content)
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
