"""Headroom of corridors between zones and of substations: indicators beside the gate, which alone certifies.

A corridor is all branches in service between two zones. Its headroom in an hour is the sum of their ratings less the
net flow, which no load can use in full: single branches fill before the sum does, so the fullest one is told too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Integers, Matrix, Network

_LEAST_SHARE = 1e-3  # of a load, below which a corridor does not feel it


@dataclass(frozen=True, slots=True)
class Corridor:
    """What lies between two zones, in the hour in which least is left."""

    zones: tuple[str, str]
    branches: int
    rating_mw: float  # sum of the ratings; inf if one has none
    flow_mw: float  # net, positive from the first zone to the second
    hour: str
    headroom_mw: float  # in the direction of the flow
    fullest: str  # branch, over all hours
    loading: float  # of that branch, share of its rating
    fullest_hour: str

    @property
    def name(self) -> str:
        """Return ``North - West``."""
        return " - ".join(self.zones)


@dataclass(frozen=True, slots=True)
class Substation:
    """The buses of one place, and the largest nameplate that passes the gate at one of them, alone."""

    name: str
    buses: tuple[str, ...]
    largest_mw: Mapping[str, float]  # by envelope; missing where it was not asked


@dataclass(frozen=True, slots=True)
class HeadroomChange:
    """The headroom of one corridor in two versions; None where it is not there."""

    name: str
    before_mw: float | None
    after_mw: float | None

    @property
    def change_mw(self) -> float:
        """Return what was added, nan where it is in one version only or has a branch without a rating."""
        if self.before_mw is None or self.after_mw is None or np.isinf(self.before_mw) or np.isinf(self.after_mw):
            return float("nan")
        return self.after_mw - self.before_mw


def headroom_changes(before: Sequence[Corridor], after: Sequence[Corridor]) -> list[HeadroomChange]:
    """Return every corridor of either version, the one that lost most first."""
    old, new = ({one.name: one.headroom_mw for one in listed} for listed in (before, after))
    found = [HeadroomChange(name, old.get(name), new.get(name)) for name in dict.fromkeys([*old, *new])]
    return sorted(found, key=lambda one: (np.isnan(one.change_mw), np.nan_to_num(one.change_mw), one.name))


def zones_of(network: Network) -> tuple[str, ...]:
    """Return the zone of each bus (B,): those of the table; where it has none, the areas."""
    return tuple(network.buses.zones if any(network.buses.zones) else network.buses.areas)


def corridor_of(network: Network) -> tuple[list[tuple[str, str]], Integers]:
    """Return the corridors as pairs of zones, in order, and for each branch (L,) the place of its own, -1 for none.

    Buses without a zone belong to none.
    """
    zones = np.array(zones_of(network), dtype=object)
    first, last = zones[network.branches.from_bus], zones[network.branches.to_bus]
    between = network.branches.in_service & (first != last) & (first != "") & (last != "")
    pairs = sorted({tuple(sorted((str(a), str(b)))) for a, b in zip(first[between], last[between], strict=True)})
    place = {pair: k for k, pair in enumerate(pairs)}
    found = np.full(len(first), -1, dtype=np.intp)
    for branch in np.flatnonzero(between).tolist():
        one, other = sorted((str(first[branch]), str(last[branch])))
        found[branch] = place[one, other]
    return [(pair[0], pair[1]) for pair in pairs], found


def corridors_of_buses(network: Network, factors: Factors) -> list[str]:
    """Return for each bus (B,) the name of the corridor whose net flow a load there changes most, "" for none.

    The load is met by all units in service in proportion to their capacity, without outages: a published rule of who
    belongs to which corridor, not a limit; the gate alone certifies.
    """
    pairs, of_branch = corridor_of(network)
    units = network.units
    capacity = np.where(units.in_service, np.maximum(units.p_max_mw, 0.0), 0.0)
    if not pairs or not capacity.sum() > 0.0:
        return [""] * len(network.buses.ids)
    zones = np.array(zones_of(network), dtype=object)
    first = np.array([pair[0] for pair in pairs], dtype=object)[of_branch]
    sign = np.where(zones[network.branches.from_bus] == first, 1.0, -1.0)
    weight = np.zeros((len(of_branch), len(pairs)))
    between = np.flatnonzero(of_branch >= 0)
    weight[between, of_branch[between]] = sign[between]
    share = np.bincount(units.bus, weights=capacity, minlength=len(network.buses.ids)) / capacity.sum()
    moved = np.abs(factors.with_slack(share).weighted(weight))
    most, names = moved.argmax(axis=1), [" - ".join(pair) for pair in pairs]
    felt = moved.max(axis=1) >= _LEAST_SHARE
    return [names[place] if known else "" for place, known in zip(most.tolist(), felt.tolist(), strict=True)]


def corridors(network: Network, flow_mw: Matrix, labels: Sequence[str]) -> list[Corridor]:
    """Return every corridor for the flows (T, L) of T hours, the one with the least headroom first.

    Raises QuestionError when flows and hours do not fit the network.
    """
    if flow_mw.shape != (len(labels), len(network.branches.ids)) or not len(labels):
        raise QuestionError(f"flows of shape {flow_mw.shape} do not fit {len(labels)} hours of {network.name!r}")
    pairs, of_branch = corridor_of(network)
    zones = np.array(zones_of(network), dtype=object)
    found = []
    for place, pair in enumerate(pairs):
        own = np.flatnonzero(of_branch == place)
        sign = np.where(zones[network.branches.from_bus[own]] == pair[0], 1.0, -1.0)
        rating = network.branches.rating_a_mw[own]
        net = flow_mw[:, own] @ sign
        hour = int(np.abs(net).argmax())
        loading = np.abs(flow_mw[:, own]) / np.where(np.isfinite(rating), np.maximum(rating, 1e-9), np.inf)
        worst_hour, worst = (int(axis) for axis in np.unravel_index(int(loading.argmax()), loading.shape))
        found.append(
            Corridor(
                zones=pair,
                branches=len(own),
                rating_mw=float(rating.sum()),
                flow_mw=float(net[hour]),
                hour=labels[hour],
                headroom_mw=float(rating.sum() - abs(net[hour])),
                fullest=network.branches.ids[own[worst]],
                loading=float(loading[worst_hour, worst]),
                fullest_hour=labels[worst_hour],
            )
        )
    return sorted(found, key=lambda corridor: (corridor.headroom_mw, corridor.zones))


def substations(network: Network, largest_mw: Mapping[str, Mapping[str, float]]) -> list[Substation]:
    """Return the substations; ``largest_mw`` is envelope -> bus -> nameplate that passes the gate.

    Buses joined by transformers in service, or at the same place on the map, are one substation.
    """
    label = _together(network)
    found = []
    for group in range(int(label.max()) + 1):
        members = np.flatnonzero(label == group)
        ids = tuple(network.buses.ids[bus] for bus in members)
        most = {
            envelope: max(known[bus] for bus in ids if bus in known)
            for envelope, known in largest_mw.items()
            if any(bus in known for bus in ids)
        }
        high = members[int(network.buses.base_kv[members].argmax())]
        found.append(Substation(network.buses.names[high] or network.buses.ids[high], ids, most))
    return found


def _together(network: Network) -> Integers:
    """Return the number of each bus's substation (B,)."""
    size = len(network.buses.ids)
    joined = network.branches.in_service & (np.array(network.branches.kinds) == "transformer")
    rows, columns = [network.branches.from_bus[joined]], [network.branches.to_bus[joined]]
    known: dict[tuple[float, float], int] = {}
    for bus in range(size):
        spot = (float(network.buses.longitude[bus]), float(network.buses.latitude[bus]))
        if np.isfinite(spot).all():
            first = known.setdefault(spot, bus)
            rows.append(np.array([first]))
            columns.append(np.array([bus]))
    row, column = np.concatenate(rows), np.concatenate(columns)
    links = coo_array((np.ones(len(row)), (row, column)), shape=(size, size))
    label: Integers = connected_components(links, directed=False)[1].astype(np.intp)
    return label
