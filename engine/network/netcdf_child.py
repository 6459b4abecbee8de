"""A process of its own that reads a netCDF file: the C library below it must not take the server along.

Run as ``python -P netcdf_child.py SNAPSHOT < file``; prints the tables as JSON. It imports nothing of the
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


class Refusal(Exception):  # noqa: N818 - a word to the parent
    """A file that cannot be read, in words."""


def limit() -> None:
    """Set the limits of this process, where the system knows them."""
    for what, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, CPU_S), (resource.RLIMIT_CORE, 0)):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):  # as macOS does for memory
            continue


def tables(names: list[str], read: Callable[[str, int | None], Any], snapshot: int) -> dict[str, Any]:
    """Return the columns of each list of components, its series at a snapshot, and the snapshots' names."""
    if len(names) > MOST_VARIABLES:
        raise Refusal(f"the file has {len(names):,} variables; {MOST_VARIABLES:,} is the most")
    known = set(names)
    found: dict[str, Any] = {"lists": {}, "series": {}, "snapshots": []}
    for name in ("snapshots_snapshot", "snapshots"):
        if name in known:
            found["snapshots"] = [str(label) for label in cells(read(name, None))]
            break
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


def from_hdf5(content: bytes, snapshot: int) -> dict[str, Any]:
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

        found = tables(names, read, snapshot)
        return found | {"network": attributes(file.attrs)}


def from_classic(content: bytes, snapshot: int) -> dict[str, Any]:
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

    return tables(list(file.variables), read, snapshot) | {"network": attributes(vars(file)["_attributes"])}


def attributes(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts that say what the network is."""
    found = {}
    for key in ("network_name", "network_pypsa_version"):
        value = given.get(key)
        if value is not None:
            found[key.removeprefix("network_")] = (value.decode("utf-8", "replace") if isinstance(value, bytes)
                                                   else str(value))[:500]  # fmt: skip
    return found


def main() -> int:
    """Read the file on standard input; print its tables, or an object with a refusal."""
    limit()
    content = sys.stdin.buffer.read()
    try:
        read = from_hdf5 if content.startswith(b"\x89HDF\r\n\x1a\n") else from_classic
        answer = read(content, int(sys.argv[1]))
    except Refusal as refusal:
        answer = {"refusal": str(refusal)}
    except Exception as error:  # noqa: BLE001 - whatever the libraries make of a damaged file
        answer = {"refusal": f"{type(error).__name__}: {str(error)[:200]}"}
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
