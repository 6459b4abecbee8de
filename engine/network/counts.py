"""What a network amounts to, in the numbers that a reader checks first."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from engine.network.tables import NetworkTables


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of elements in the tables, and sums over those in service."""

    buses: int
    branches: int
    transformers: int
    units: int
    units_in_service: int
    load_mw: float
    capacity_mw: float
    islands: int  # of buses and branches in service
    unlimited: int  # branches whose rating A is not given
    fallback_b: int  # limited branches whose rating B is not given and falls back to A
    fallback_c: int

    @classmethod
    def of(cls, tables: NetworkTables) -> "Counts":
        """Return the counts of a network, complete or half drawn. A rating of 0 or nothing counts as not given."""
        buses, branches, units = tables.buses, tables.branches, tables.units
        bus_on = buses["in_service"].to_numpy(dtype=bool)
        alive = set(buses.loc[bus_on, "bus"])
        unit_on = units["in_service"].to_numpy(dtype=bool) & units["bus"].isin(alive).to_numpy()
        rating = branches["rating_a_mw"].to_numpy(dtype=float)
        unlimited = ~((rating > 0) & np.isfinite(rating))
        return cls(
            buses=len(buses),
            branches=len(branches),
            transformers=int((branches["kind"] == "transformer").sum()),
            units=len(units),
            units_in_service=int(unit_on.sum()),
            load_mw=float(buses.loc[bus_on, "load_mw"].sum()),
            capacity_mw=float(units.loc[unit_on, "p_max_mw"].sum()),
            islands=_islands(tables, bus_on),
            unlimited=int(unlimited.sum()),
            fallback_b=_missing(branches, "rating_b_mw", ~unlimited),
            fallback_c=_missing(branches, "rating_c_mw", ~unlimited),
        )


def _missing(branches: pd.DataFrame, column: str, among: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> int:
    rating = branches[column].to_numpy(dtype=float)
    return int((~(rating > 0) & among).sum())


def _islands(tables: NetworkTables, bus_on: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> int:
    if not bus_on.any():
        return 0
    position = pd.Index(tables.buses["bus"])
    if not position.is_unique:
        return 0  # which bus is meant is not known; the duplicate is a problem of its own
    start = position.get_indexer(pd.Index(tables.branches["from_bus"]))
    end = position.get_indexer(pd.Index(tables.branches["to_bus"]))
    on = tables.branches["in_service"].to_numpy(dtype=bool) & (start >= 0) & (end >= 0)
    on[on] &= bus_on[start[on]] & bus_on[end[on]]
    links = coo_array((np.ones(int(on.sum())), (start[on], end[on])), shape=(len(position), len(position)))
    _, label = connected_components(links, directed=False)
    return len(np.unique(label[bus_on]))
