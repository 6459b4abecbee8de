"""The network that computations use: checked once, then frozen arrays in table order."""

from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array, csr_array

from engine.errors import NetworkDataError
from engine.network.checks import check
from engine.network.tables import NetworkTables, cost_points
from engine.network.terms import read_branches, read_terms

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
AnyArray = TypeVar("AnyArray", Vector, Integers, Flags)


@dataclass(frozen=True, slots=True, eq=False)
class Buses:
    """The buses, in table order."""

    ids: tuple[str, ...]  # (B,), unique
    names: tuple[str, ...]  # (B,), substation names, may be empty
    zones: tuple[str, ...]  # (B,)
    areas: tuple[str, ...]  # (B,)
    base_kv: Vector  # (B,), 0 when not known
    in_service: Flags  # (B,)
    load_mw: Vector  # (B,)
    shunt_mw: Vector  # (B,), drawn at 1 pu
    withdrawal_limit_mw: Vector  # (B,), inf for none
    longitude: Vector  # (B,), nan when not known
    latitude: Vector  # (B,), nan when not known


@dataclass(frozen=True, slots=True, eq=False)
class Branches:
    """The lines and transformers, in table order; a flow is positive from ``from_bus`` to ``to_bus``."""

    ids: tuple[str, ...]  # (L,), unique
    circuits: tuple[str, ...]  # (L,)
    kinds: tuple[str, ...]  # (L,), "line" or "transformer"
    from_bus: Integers  # (L,), position of the bus
    to_bus: Integers  # (L,)
    in_service: Flags  # (L,), False too when an end is out of service
    reactance_pu: Vector  # (L,)
    tap_ratio: Vector  # (L,), 1 for a line
    shift_deg: Vector  # (L,)
    rating_a_mw: Vector  # (L,), inf for unlimited
    rating_b_mw: Vector  # (L,), A where not given
    rating_c_mw: Vector  # (L,), A where not given
    angle_min_deg: Vector  # (L,), -inf for no limit
    angle_max_deg: Vector  # (L,), inf for no limit


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """The generating units, in table order."""

    ids: tuple[str, ...]  # (G,), unique
    bus: Integers  # (G,), position of the bus
    fuels: tuple[str, ...]  # (G,)
    in_service: Flags  # (G,), False too when its bus is out of service
    p_mw: Vector  # (G,), dispatch as filed
    p_min_mw: Vector  # (G,)
    p_max_mw: Vector  # (G,)
    ramp_30_min_mw: Vector  # (G,), inf for no limit
    cost_c0_per_h: Vector  # (G,)
    cost_c1_per_mwh: Vector  # (G,)
    cost_c2_per_mw2h: Vector  # (G,)
    cost_points: tuple[tuple[tuple[float, float], ...], ...]  # (G,), (MW, $/h) pairs; empty: polynomial


@dataclass(frozen=True, slots=True, eq=False)
class Interfaces:
    """The interfaces in service, in table order: limits on weighted sums of branch flows."""

    ids: tuple[str, ...]  # (I,), unique
    names: tuple[str, ...]  # (I,), may be empty
    weights: csr_array  # (I, L), MW of the interface's flow per MW of the branch's
    lower_mw: Vector  # (I,), below 0, -inf for none
    upper_mw: Vector  # (I,), above 0, inf for none


@dataclass(frozen=True, slots=True, eq=False)
class Contingencies:
    """The contingencies in service that lose a branch in service, in table order."""

    ids: tuple[str, ...]  # (K,), unique
    branches: tuple[tuple[int, ...], ...]  # (K,), positions of the branches lost together, those in service


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A connected network without blocking faults. Its arrays are read-only, so it can be shared and cached."""

    name: str
    base_mva: float
    buses: Buses
    branches: Branches
    units: Units
    interfaces: Interfaces
    contingencies: Contingencies
    slack: int  # position of the reference bus
    tables: NetworkTables  # what it was made from
    digest: str  # SHA-256 of the tables: the cache key of everything computed from this network

    @classmethod
    def from_tables(cls, tables: NetworkTables) -> Self:
        """Check ``tables`` and freeze them. Raises NetworkDataError with every blocking problem at once."""
        blocking = [problem for problem in check(tables) if problem.severity == "error"]
        if blocking:
            raise NetworkDataError(blocking)
        buses, branches, units = tables.buses, tables.branches, tables.units
        position = pd.Index(buses["bus"])
        bus_on = _flags(buses, "in_service")
        from_bus = position.get_indexer(pd.Index(branches["from_bus"])).astype(np.intp)
        to_bus = position.get_indexer(pd.Index(branches["to_bus"])).astype(np.intp)
        unit_bus = position.get_indexer(pd.Index(units["bus"])).astype(np.intp)
        rating_a = _or_else(_numbers(branches, "rating_a_mw"), np.full(len(branches), np.inf))
        angle_min, angle_max = _numbers(branches, "angle_min_deg"), _numbers(branches, "angle_max_deg")
        branch_on = _frozen(_flags(branches, "in_service") & bus_on[from_bus] & bus_on[to_bus])
        # As in MATPOWER: 0 and 0 stand for no limit, and so does a whole turn.
        free = (angle_min == 0) & (angle_max == 0)
        return cls(
            name=tables.name,
            base_mva=tables.base_mva,
            buses=Buses(
                ids=_text(buses, "bus"),
                names=_text(buses, "name"),
                zones=_text(buses, "zone"),
                areas=_text(buses, "area"),
                base_kv=_numbers(buses, "base_kv"),
                in_service=bus_on,
                load_mw=_numbers(buses, "load_mw"),
                shunt_mw=_numbers(buses, "shunt_mw"),
                withdrawal_limit_mw=_numbers(buses, "withdrawal_limit_mw"),
                longitude=_numbers(buses, "longitude"),
                latitude=_numbers(buses, "latitude"),
            ),
            branches=Branches(
                ids=_text(branches, "branch"),
                circuits=_text(branches, "circuit"),
                kinds=_text(branches, "kind"),
                from_bus=_frozen(from_bus),
                to_bus=_frozen(to_bus),
                in_service=branch_on,
                reactance_pu=_numbers(branches, "reactance_pu"),
                tap_ratio=_numbers(branches, "tap_ratio"),
                shift_deg=_numbers(branches, "shift_deg"),
                rating_a_mw=rating_a,
                rating_b_mw=_or_else(_numbers(branches, "rating_b_mw"), rating_a),
                rating_c_mw=_or_else(_numbers(branches, "rating_c_mw"), rating_a),
                angle_min_deg=_frozen(np.where(free | (angle_min <= -360), -np.inf, angle_min)),
                angle_max_deg=_frozen(np.where(free | (angle_max >= 360), np.inf, angle_max)),
            ),
            units=Units(
                ids=_text(units, "unit"),
                bus=_frozen(unit_bus),
                fuels=_text(units, "fuel"),
                in_service=_frozen(_flags(units, "in_service") & bus_on[unit_bus]),
                p_mw=_numbers(units, "p_mw"),
                p_min_mw=_numbers(units, "p_min_mw"),
                p_max_mw=_numbers(units, "p_max_mw"),
                ramp_30_min_mw=_numbers(units, "ramp_30_min_mw"),
                cost_c0_per_h=_numbers(units, "cost_c0_per_h"),
                cost_c1_per_mwh=_numbers(units, "cost_c1_per_mwh"),
                cost_c2_per_mw2h=_numbers(units, "cost_c2_per_mw2h"),
                cost_points=tuple(cost_points(cell) for cell in units["cost_points"]),
            ),
            interfaces=_interfaces(tables),
            contingencies=_contingencies(tables, branch_on),
            slack=int(np.flatnonzero(_flags(buses, "slack"))[0]),
            tables=tables,
            digest=tables.digest(),
        )

    @property
    def generation_mw(self) -> Vector:
        """Return the (B,) generation as filed, units in service only."""
        on = self.units.in_service
        return np.bincount(self.units.bus[on], weights=self.units.p_mw[on], minlength=len(self.buses.ids)).astype(
            np.float64
        )

    @property
    def demand_mw(self) -> Vector:
        """Return the (B,) load and shunt demand as filed, zero at buses out of service."""
        return np.where(self.buses.in_service, self.buses.load_mw + self.buses.shunt_mw, 0.0)

    @property
    def injection_mw(self) -> Vector:
        """Return the (B,) generation minus demand as filed; it need not balance."""
        return self.generation_mw - self.demand_mw

    def bus(self, bus_id: str) -> int:
        """Return the position of a bus. Raises NetworkDataError naming an id that is not there."""
        try:
            return self.buses.ids.index(bus_id)
        except ValueError:
            raise NetworkDataError(f"network {self.name!r} has no bus {bus_id!r}") from None


def _interfaces(tables: NetworkTables) -> Interfaces:
    table = tables.interfaces[tables.interfaces["in_service"].to_numpy(dtype=np.bool_)]
    position = {branch: at for at, branch in enumerate(tables.branches["branch"].tolist())}
    terms = [read_terms(cell) for cell in table["terms"].tolist()]
    row = np.repeat(np.arange(len(terms)), [len(pairs) for pairs in terms])
    column = np.array([position[branch] for pairs in terms for branch, _ in pairs], dtype=np.intp)
    weight = np.array([value for pairs in terms for _, value in pairs], dtype=np.float64)
    weights = csr_array(coo_array((weight, (row, column)), shape=(len(terms), len(position))))
    for array in (weights.data, weights.indices, weights.indptr):
        array.setflags(write=False)
    upper = _numbers(table, "limit_mw")
    backward = _numbers(table, "limit_backward_mw")
    return Interfaces(
        ids=_text(table, "interface"),
        names=_text(table, "name"),
        weights=weights,
        lower_mw=_frozen(-np.where(np.isnan(backward), upper, backward)),
        upper_mw=upper,
    )


def _contingencies(tables: NetworkTables, branch_on: Flags) -> Contingencies:
    table = tables.contingencies[tables.contingencies["in_service"].to_numpy(dtype=np.bool_)]
    position = {branch: at for at, branch in enumerate(tables.branches["branch"].tolist())}
    lost = [tuple(position[branch] for branch in read_branches(cell)) for cell in table["branches"].tolist()]
    lost = [tuple(at for at in branches if branch_on[at]) for branches in lost]
    kept = [(key, branches) for key, branches in zip(_text(table, "contingency"), lost, strict=True) if branches]
    return Contingencies(tuple(key for key, _ in kept), tuple(branches for _, branches in kept))


def _frozen(array: AnyArray) -> AnyArray:
    array.setflags(write=False)
    return array


def _numbers(table: pd.DataFrame, column: str) -> Vector:
    return _frozen(table[column].to_numpy(dtype=np.float64, copy=True))


def _flags(table: pd.DataFrame, column: str) -> Flags:
    return _frozen(table[column].to_numpy(dtype=np.bool_, copy=True))


def _text(table: pd.DataFrame, column: str) -> tuple[str, ...]:
    return tuple(table[column].tolist())


def _or_else(given: Vector, fallback: Vector) -> Vector:
    """Return ``given`` with ``fallback`` where it is not known; a rating of 0 stands for not known."""
    return _frozen(np.where(np.isnan(given) | (given == 0), fallback, given))
