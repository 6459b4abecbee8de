"""Which elements a siting study loses, one at a time: branches and units.

The source loses each branch with both ends at 69 kV or more and each unit in service (arXiv 2605.14714, section 2 of
its method). A loss that splits the network is left out, and listed with what it cuts off. Losses after which the same
network is left, such as those of equal parallel circuits, are one computation that counts as many.
"""

import hashlib
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import numpy as np

from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Integers, Network, Vector
from engine.network.outages import Islanding, Outages
from engine.siting.case import SitingCase

LEAST_KV = 69.0  # both ends of a branch that is lost, as the source has it
BranchRule = Literal["voltage", "all", "listed", "none"]
Kind = Literal["branch", "unit"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What is lost."""

    branches: BranchRule = "voltage"  # both ends at least_kv or more; "listed": the network's own list
    units: bool = True  # each one in service
    least_kv: float = LEAST_KV

    def __post_init__(self) -> None:
        """Refuse a rule that loses nothing, or a voltage that is none."""
        if self.branches == "none" and not self.units:
            raise QuestionError("contingencies: neither branches nor units are lost")
        if not 0.0 <= self.least_kv < np.inf:
            raise QuestionError(f"contingencies: least_kv must be 0 or more, found {self.least_kv}")

    def words(self) -> str:
        """Return the rule in words."""
        branches = {
            "voltage": f"each branch with both ends at {self.least_kv:g} kV or more",
            "all": "each branch",
            "listed": "the network's own list of outages",
            "none": "",
        }[self.branches]
        return " and ".join(part for part in (branches, "each unit in service" if self.units else "") if part)


@dataclass(frozen=True, eq=False)
class Contingencies:
    """K losses that leave the network whole: those of branches first, in the order of ``outages``, then units."""

    outages: Outages  # of the branches
    units: Integers  # positions of the units lost
    same_as: Integers  # (K,), the first contingency that leaves the same network; its own place where none does
    rule: Rule
    notices: tuple[str, ...] = ()

    @classmethod
    def of(cls, factors: Factors, rule: Rule | None = None, case: SitingCase | None = None) -> Self:
        """Return the contingencies of a network.

        Units count as equal only with ``case``: at one bus, with the same limits in all its hours. Raises
        QuestionError when nothing is left to lose, or when the network lists no outages and its list is asked for.
        """
        rule = rule or Rule()
        network = factors.network
        ids, lost, notices = _lost(network, rule)
        outages = Outages.listed(factors, ids, lost)
        units = np.flatnonzero(network.units.in_service & rule.units)
        if not len(outages) and not len(units):
            raise QuestionError(f"network {network.name!r}: {rule.words()}: nothing can be lost without a split")
        keys: list[Hashable] = [_branch_key(network, lost) for lost in outages.lost]
        keys += [_unit_key(network, case, int(unit)) for unit in units]
        return cls(outages, units, _first_of_each(keys), rule, notices)

    def __len__(self) -> int:
        return len(self.outages) + len(self.units)

    @property
    def network(self) -> Network:
        """Return the network."""
        return self.outages.network

    @property
    def islanding(self) -> tuple[Islanding, ...]:
        """Return the losses that split the network, which are left out."""
        return self.outages.islanding

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Return the names (K,), each once: ``branch 1001-1064`` or ``unit 12875``."""
        kind = "outage" if self.rule.branches == "listed" else "branch"
        names = self.network.units.ids
        return (*(f"{kind} {name}" for name in self.outages.ids), *(f"unit {names[unit]}" for unit in self.units))

    def kind(self, contingency: int) -> Kind:
        """Return whether a contingency (position) loses branches or a unit."""
        return "branch" if contingency < len(self.outages) else "unit"

    def branches(self, contingency: int) -> tuple[int, ...]:
        """Return the positions of the branches lost; none for a unit."""
        return self.outages.lost[contingency] if contingency < len(self.outages) else ()

    def unit(self, contingency: int) -> int:
        """Return the position of the unit lost, -1 for branches."""
        return -1 if contingency < len(self.outages) else int(self.units[contingency - len(self.outages)])

    @cached_property
    def distinct(self) -> Integers:
        """Return the contingencies (n,) to compute, in rising order: the first of each set of equals."""
        return np.flatnonzero(self.same_as == np.arange(len(self)))

    @cached_property
    def weight(self) -> Vector:
        """Return how many contingencies (K,) each one stands for: 0 for those that an earlier one stands for."""
        return np.bincount(self.same_as, minlength=len(self)).astype(np.float64)

    def words(self, contingency: int) -> str:
        """Return a contingency in words: ``the loss of line 1001-1064``."""
        if contingency < len(self.outages):
            return self.outages.words(contingency)
        unit = self.unit(contingency)
        network = self.network
        bus = network.buses.ids[network.units.bus[unit]]
        return f"the loss of unit {network.units.ids[unit]} at bus {bus}"

    def summary(self) -> str:
        """Return in a sentence what is lost, what is left out, and what is computed once."""
        branches, units, apart = len(self.outages), len(self.units), len(self.islanding)
        twins = len(self) - len(self.distinct)
        parts = [f"{branches:,} branch outages and {units:,} unit outages ({self.rule.words()})"]
        if apart:
            words = "splits the network and is" if apart == 1 else "split the network and are"
            parts.append(f"{apart:,} more {words} left out")
        if twins:
            words = "leaves" if twins == 1 else "leave"
            parts.append(f"{twins:,} {words} the same network as another one, counted with it")
        return "; ".join(parts)

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of what is lost, in order."""
        text = "\n".join([self.network.digest, *self.ids, *map(repr, self.outages.lost)])
        return hashlib.sha256(text.encode()).hexdigest()


def _lost(network: Network, rule: Rule) -> tuple[list[str], list[tuple[int, ...]], tuple[str, ...]]:
    """Return the ids and branches of the outages asked for, and what must be said of them."""
    if rule.branches == "listed":
        listed = network.contingencies
        if not listed.ids:
            raise QuestionError(f"network {network.name!r} lists no contingencies")
        return list(listed.ids), list(listed.branches), ()
    branches = network.branches
    chosen = branches.in_service & (rule.branches != "none")
    notices: tuple[str, ...] = ()
    if rule.branches == "voltage":
        kv = np.where(network.buses.base_kv > 0.0, network.buses.base_kv, np.inf)
        lower = np.minimum(kv[branches.from_bus], kv[branches.to_bus])
        unknown = int((chosen & ~np.isfinite(kv[branches.from_bus] + kv[branches.to_bus])).sum())
        chosen = chosen & (lower >= rule.least_kv)
        if unknown:
            notices = (f"{unknown} branches have an end of unknown voltage, which counts as high enough",)
    places = np.flatnonzero(chosen).tolist()
    return [branches.ids[place] for place in places], [(place,) for place in places], notices


def _branch_key(network: Network, lost: tuple[int, ...]) -> Hashable:
    """Return what tells outages of single branches apart: two with one key leave the same network, in DC terms."""
    if len(lost) > 1:
        return lost
    branches, branch = network.branches, lost[0]
    first, last = int(branches.from_bus[branch]), int(branches.to_bus[branch])
    shift = float(branches.shift_deg[branch])
    if first > last:
        first, last, shift = last, first, -shift
    columns = (branches.rating_a_mw, branches.rating_b_mw, branches.rating_c_mw)
    ratings = tuple(float(column[branch]) for column in columns)
    series = float(branches.reactance_pu[branch] * branches.tap_ratio[branch])
    # A branch of an interface has a direction and a weight there: it is equal to itself only.
    own = branch if network.interfaces.weights[:, [branch]].nnz else -1
    return first, last, series, shift + 0.0, ratings, own


def _unit_key(network: Network, case: SitingCase | None, unit: int) -> Hashable:
    if case is None:
        return "unit", unit
    return int(network.units.bus[unit]), case.least_mw[:, unit].tobytes(), case.largest_mw[:, unit].tobytes()


def _first_of_each(keys: Iterable[Hashable]) -> Integers:
    first: dict[Hashable, int] = {}
    return np.array([first.setdefault(key, place) for place, key in enumerate(keys)], dtype=np.intp)
