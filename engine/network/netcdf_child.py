"""A process of its own that reads a netCDF file: the C library below it must not take the server along.

Run as ``python -P netcdf_child.py``. Standard input is a line of JSON, and then the file: the position of the
``snapshot`` to read (null: that of the largest load) and, to add these up, ``weights``, what one MW of each load
counts. It prints the tables as JSON. It imports nothing of the
product and has limits of memory and time, so a file that crashes or bloats the library ends this process alone.
"""

import io
import json
import os
import re
import resource
import sys
from collections.abc import Callable, Mapping
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy: each of its threads reserves memory

import numpy as np

MEMORY_BYTES = 2_500_000_000
CPU_S = 30
MOST_VARIABLES = 3_000
MOST_ITEMS = 300_000  # of a variable, or of one row of a time series
_STATIC = re.compile(r"([a-z]+(?:_[a-z]+)?s|shunt_impedances)_(\w+)")
_LISTS = (
    "buses", "carriers", "lines", "transformers", "links", "generators", "loads", "storage_units", "stores",
    "shunt_impedances", "line_types", "transformer_types",
)  # fmt: skip
_SERIES = ("p_set", "q_set", "p", "p0", "p_max_pu", "p_min_pu", "marginal_cost", "s_max_pu", "p_nom_opt")
_OWN = "headroom_lists"
_LABELS = ("snapshots_period", "snapshots_timestep", "snapshots_snapshot")  # what names a snapshot
_MS = {"day": 86_400_000.0, "hour": 3_600_000.0, "minute": 60_000.0, "second": 1000.0, "millisecond": 1.0,
       "microsecond": 1e-3, "nanosecond": 1e-6}  # fmt: skip
_SINCE = re.compile(r"(day|hour|minute|(?:milli|micro|nano)?second)s? since (\d{4}-\d\d-\d\d)[ T]?([\d:]+)?")


class Refusal(Exception):  # noqa: N818 - a word to the parent
    """A file that cannot be read, in words."""


def limit() -> None:
    """Set the limits of this process, where the system knows them."""
    for what, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, CPU_S), (resource.RLIMIT_CORE, 0)):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):  # as macOS does for memory
            continue


def tables(
    names: list[str], read: Callable[[str, int | None], Any], unit: Callable[[str], str], asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the columns of each list of components, its series at a snapshot, and the snapshots' names and loads."""
    if len(names) > MOST_VARIABLES:
        raise Refusal(f"the file has {len(names):,} variables; {MOST_VARIABLES:,} is the most")
    known = set(names)
    found: dict[str, Any] = {"lists": {}, "series": {}, "snapshots": [], "load_mw": [], "own": ""}
    if _OWN in known:
        found["own"] = str(cells(read(_OWN, None))[0])
    labels = [name for name in _LABELS if name in known] or [name for name in ("snapshots",) if name in known]
    parts = [times(cells(read(name, None)), unit(name)) for name in labels]
    found["snapshots"] = [" ".join(label) for label in zip(*parts, strict=True)]
    if asked.get("weights") is not None:
        found["load_mw"] = loads(known, read, asked["weights"], len(found["snapshots"]))
    snapshot = asked["snapshot"]
    if snapshot is None:
        snapshot = int(np.argmax(found["load_mw"])) if found["load_mw"] else 0
    found["at"] = snapshot
    for kind in (kind for kind in _LISTS if f"{kind}_i" in known):
        start, dynamic = f"{kind}_", f"{kind}_t_"
        columns = {n[len(start) :] for n in known if n.startswith(start) and not n.startswith(dynamic)} - {"i"}
        found["lists"][kind] = {
            "index": [str(label) for label in cells(read(f"{kind}_i", None))],
            "columns": {column: cells(read(start + column, None)) for column in sorted(columns)},
        }
        for column in _SERIES:
            name = dynamic + column
            if name in known and f"{name}_i" in known:
                labels, row = cells(read(f"{name}_i", None)), cells(read(name, snapshot))
                series = dict(zip(map(str, labels), row, strict=True))
                found["series"].setdefault(kind, {})[column] = series
    return found


def loads(
    known: set[str], read: Callable[[str, int | None], Any], weights: Mapping[str, float], count: int
) -> list[float]:
    """Return for each snapshot what the loads that vary add up to."""
    if not {"loads_t_p_set", "loads_t_p_set_i"} <= known:
        return [0.0] * count
    factors = np.array([weights.get(str(label), 0.0) for label in cells(read("loads_t_p_set_i", None))])
    values = np.asarray(read("loads_t_p_set", None), dtype=np.float64)
    if values.shape != (count, len(factors)):
        raise Refusal(f"loads_t_p_set has the shape {values.shape}, not of {count} snapshots and {len(factors)} loads")
    return [float(total) for total in np.where(np.isnan(values), 0.0, values) @ factors]


def times(values: list[Any], unit: str) -> list[str]:
    """Return the names of snapshots; numbers with a unit such as "hours since 2013-01-01" as times."""
    match = _SINCE.match(unit)
    if not match:
        return [str(value) for value in values]
    start = np.datetime64(f"{match[2]}T{match[3] or '00:00'}", "ms")
    steps = [np.timedelta64(round(float(value) * _MS[match[1]]), "ms") for value in values]
    return [str((start + step).astype("datetime64[s]")).replace("T", " ") for step in steps]


def cells(values: Any) -> list[Any]:
    """Return an array as what JSON can hold; nan and infinity as text."""
    array = np.asarray(values)
    if array.dtype.kind == "S" and array.dtype.itemsize == 1 and array.ndim == 2:  # rows of single letters
        array = np.array([b"".join(row.tolist()).rstrip(b"\0") for row in array], dtype=object)
    if array.ndim != 1 or array.size > MOST_ITEMS:
        raise Refusal(f"a variable has the shape {array.shape}; one dimension and {MOST_ITEMS:,} items are read")
    made: list[Any] = []
    for item in array.tolist():
        if isinstance(item, bytes):
            made.append(item.decode("utf-8", "replace"))
        elif isinstance(item, float) and not np.isfinite(item):
            made.append(str(item))
        else:
            made.append(item if isinstance(item, str | int | float | bool) or item is None else str(item))
    return made


def from_hdf5(content: bytes, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Read netCDF 4, which is HDF5."""
    import h5py  # noqa: PLC0415 - only where it is needed

    with h5py.File(io.BytesIO(content), "r") as file:
        names = [name for name in file if isinstance(file.get(name, getlink=False), h5py.Dataset)]

        def read(name: str, row: int | None) -> Any:
            dataset = file[name]
            if dataset.external or dataset.is_virtual:
                raise Refusal(f"{name} points to another file")
            if row is None:
                if dataset.size > MOST_ITEMS * 100:
                    raise Refusal(f"{name} has {dataset.size:,} items")
                return dataset[()] if dataset.ndim else [dataset[()]]
            if dataset.ndim != 2 or not 0 <= row < dataset.shape[0] or dataset.shape[1] > MOST_ITEMS:
                raise Refusal(f"{name} has the shape {dataset.shape}, without a snapshot {row + 1}")
            return dataset[row, :]

        found = tables(names, read, lambda name: text(file[name].attrs.get("units", "")), asked)
        return found | {"network": attributes(file.attrs)}


def from_classic(content: bytes, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Read netCDF 3."""
    from scipy.io import netcdf_file  # noqa: PLC0415 - only where it is needed

    file = netcdf_file(io.BytesIO(content), "r", mmap=False, maskandscale=False)

    def read(name: str, row: int | None) -> Any:
        values = file.variables[name].data
        if row is None:
            return values if values.ndim else [values[()]]
        if values.ndim != 2 or not 0 <= row < len(values):
            raise Refusal(f"{name} has the shape {values.shape}, without a snapshot {row + 1}")
        return values[row]

    def unit(name: str) -> str:
        return text(getattr(file.variables[name], "units", ""))

    return tables(list(file.variables), read, unit, asked) | {"network": attributes(vars(file)["_attributes"])}


def attributes(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts that say what the network is."""
    found = {}
    for key in ("network_name", "network_pypsa_version"):
        value = given.get(key)
        if value is not None:
            found[key.removeprefix("network_")] = text(value)[:500]
    return found


def text(value: Any) -> str:
    """Return an attribute as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def main() -> int:
    """Read the file on standard input; print its tables, or an object with a refusal."""
    limit()
    asked = json.loads(sys.stdin.buffer.readline())
    content = sys.stdin.buffer.read()
    try:
        read = from_hdf5 if content.startswith(b"\x89HDF\r\n\x1a\n") else from_classic
        answer = read(content, asked)
    except Refusal as refusal:
        answer = {"refusal": str(refusal)}
    except Exception as error:  # noqa: BLE001 - whatever the libraries make of a damaged file
        cut = "truncated" in str(error)
        reason = "it is cut off before its end" if cut else f"{type(error).__name__}: {str(error)[:200]}"
        answer = {"refusal": reason}
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
