"""The room on every limit before anything is added: the cold step, after which every question is a small program.

Extra load is decided once and is the same in all states, and both the worst case and CVaR move with a
constant: CVaR(X + a) = CVaR(X) + a. So "worst case or CVaR of (existing load + added load) within the limit"
is exactly "added load within limit minus worst case or CVaR of existing load", row by row. This module
computes the existing load's worst case and the tails of its distribution on every row, from which CVaR and
VaR at any risk level up to 20 % follow by interpolation.

Rows are those of :mod:`engine.capacity.rows`.
Factors here are WITHDRAWAL factors: MW on a branch per MW drawn at a bus and produced by the supply shares.
Sources: Rockafellar and Uryasev, "Optimization of conditional value-at-risk", Journal of Risk 2(3), 2000
(weighted samples: "Conditional value-at-risk for general loss distributions", J. Banking & Finance 26, 2002);
Ben-Tal, El Ghaoui and Nemirovski, *Robust Optimization*, 2009 (a set's worst case, row by row).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from engine.capacity.archive import pack, unpack
from engine.capacity.at_levels import AfterOutages, AtLevels, after_of, packed, unpacked
from engine.capacity.firm_sets import Ranges
from engine.capacity.question import LARGEST_EPSILON, CapacityQuestion, FirmSet, Measure, Supply, UncertaintySpec
from engine.capacity.results import Limit, RowKind
from engine.capacity.rows import FORWARD, KINDS, WITHDRAWAL, RowSet
from engine.capacity.spare import Spare
from engine.capacity.supply import supply_share
from engine.capacity.tails import Tails, tails_of
from engine.capacity.uncertainty import Box, States
from engine.compute import Progress
from engine.errors import QuestionError, UncertaintyDataError
from engine.network.factors import Factors
from engine.network.model import Integers, Matrix, Network, Vector

FORMAT = "headroom-margins-5"
TOLERANCE_MW = 1e-6  # what a promise may exceed a limit by and still count as kept: solver and summation noise
SMALLEST_FACTOR = 1e-9  # factors below it are noise of the factorisation
_CACHED_FACTORS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Everything about a network and its uncertainty that no question changes."""

    network: Network
    factors: Factors  # with the supply shares as slack
    supply: Supply
    firm_set: FirmSet
    budget: float | None  # of the firm set, where it has one
    uncertainty: UncertaintySpec
    row_kind: npt.NDArray[np.int8]  # (R,), position in KINDS
    row_element: npt.NDArray[np.int32]  # (R,), position of the bus, branch or interface
    sums: csr_array  # (n, L), the last n rows as weighted sums of branch flows
    limit_mw: Vector  # (R,), finite
    firm_load_mw: Vector  # (R,), existing load in the worst state of the firm set
    worst_state: npt.NDArray[np.int32]  # (R,), position of the worst scenario, -1 for a set of ranges
    tails: Tails | None  # of the rows without outages; None for ranges without a sample: then no risk levels
    labels: npt.NDArray[np.str_]  # (S,), names of the scenarios
    source: str
    notices: tuple[str, ...]
    date: str  # UTC, ISO 8601, when this was computed
    after: AfterOutages | None = None  # the last P of the sums
    at_levels: AtLevels | None = None  # of the rows without outages, instead of tails
    spare: Spare | None = None  # what units could still give; None for ranges, or where no unit says
    _cache: dict[Any, Matrix] = field(default_factory=dict)

    @property
    def row_count(self) -> int:
        """Return R."""
        return len(self.limit_mw)

    @property
    def scenarios(self) -> int:
        """Return S, 0 for a box alone."""
        return len(self.labels)

    @property
    def tolerance_mw(self) -> float:
        """Return what counts as zero MW."""
        return TOLERANCE_MW

    def load_mw(self, epsilon: float, measure: Measure = "cvar") -> Vector:
        """Return the (R,) existing load that counts at a risk level: worst case at 0, else CVaR or VaR.

        Raises QuestionError for a level above 20 %, or for any level where there is only a box.
        """
        if epsilon == 0:
            return self.firm_load_mw
        if self.tails is None and self.at_levels is None:
            raise QuestionError(
                "a box has no probabilities: choose distributions, hours or a file for flexible capacity"
            )
        if not 0 < epsilon <= LARGEST_EPSILON:
            raise QuestionError(f"a risk level must be above 0 and at most {LARGEST_EPSILON:g}, found {epsilon:g}")
        if self.at_levels is not None:
            load = self.at_levels.load_mw(epsilon, measure)
        elif self.tails is not None:
            load = self.tails.cvar(epsilon) if measure == "cvar" else self.tails.var(epsilon)
        return load if self.after is None else np.concatenate([load, self.after.load_mw(epsilon, measure)])

    def margin_mw(self, epsilon: float, measure: Measure = "cvar") -> Vector:
        """Return the (R,) room before any addition, MW; negative where the existing load exceeds the limit."""
        return self.limit_mw - self.load_mw(epsilon, measure)

    def factors_of(self, question: CapacityQuestion) -> Matrix:
        """Return the (R, K) withdrawal factors of the candidates on the rows, those under the cutoff as zero.

        Raises QuestionError naming a candidate that is unknown or out of service.
        """
        found = self._cache.get((question.candidates, question.cutoff))
        if found is None:
            found = self.row_factors(self.positions(question.candidates), question.cutoff)
            self.keep_factors(question, found)
        return found

    def keep_factors(self, question: CapacityQuestion, factors: Matrix) -> None:
        """Keep the (R, K) factors of a question's candidates for :meth:`factors_of`; the oldest ones go."""
        kept = list(self._cache)
        for oldest in kept[: max(0, len(kept) + 1 - _CACHED_FACTORS)]:
            self._cache.pop(oldest, None)  # readers' threads share it: another may have been faster
        self._cache[(question.candidates, question.cutoff)] = factors

    def row_factors(self, buses: Integers, cutoff: float = 0.0) -> Matrix:
        """Return the (R, k) withdrawal factors of ``buses`` (k,) on the rows; |factor| below the cutoff is zero."""
        by_branch = -self.factors.columns(buses)
        flows = np.concatenate([by_branch[self._branches()], self.sums.dot(by_branch)])
        flows[np.abs(flows) < max(cutoff, SMALLEST_FACTOR)] = 0.0
        own = self.row_element[self.row_kind == WITHDRAWAL][:, np.newaxis] == np.asarray(buses)
        rated = int((self.row_kind[: self.row_count - self.sums.shape[0]] == FORWARD).sum())
        return np.concatenate([own.astype(np.float64), flows[:rated], -flows[:rated], flows[rated:]])

    def positions(self, bus_ids: tuple[str, ...]) -> Integers:
        """Return the (k,) positions of buses. Raises QuestionError naming one unknown or out of service."""
        position = {bus: i for i, bus in enumerate(self.network.buses.ids)}
        for bus in bus_ids:
            if bus not in position:
                raise QuestionError(f"candidate bus {bus!r} is not in network {self.network.name!r}")
            if not self.network.buses.in_service[position[bus]]:
                raise QuestionError(f"candidate bus {bus!r} is out of service")
        return np.array([position[bus] for bus in bus_ids], dtype=np.intp)

    def limit(self, row: int) -> Limit:
        """Return the limit behind a row, in words."""
        kind, element = KINDS[self.row_kind[row]], int(self.row_element[row])
        name, words = limit_words(self.network, kind, element)
        outage, lost = "", ""
        if self.after is not None and row >= self.row_count - len(self.after.outage):
            place = row - self.row_count + len(self.after.outage)
            outage, lost = self.after.names[self.after.outage[place]]
        return Limit(row, kind, name, f"{words} after {lost}" if lost else words, float(self.limit_mw[row]), outage)

    def state_words(self, row: int) -> str:
        """Return the name of the scenario in which a row's room is least, "" for a set of ranges."""
        state = int(self.worst_state[row])
        return "" if state < 0 else str(self.labels[state])

    def save(self) -> bytes:
        """Return the ``.npz`` bytes that :meth:`load` reads; the network is not in it."""
        arrays: dict[str, npt.NDArray[Any]] = {
            "share": self.factors.slack_share,
            "row_kind": self.row_kind,
            "row_element": self.row_element,
            "limit_mw": self.limit_mw,
            "firm_load_mw": self.firm_load_mw,
            "worst_state": self.worst_state,
            "labels": self.labels,
            "sums_data": self.sums.data,
            "sums_index": self.sums.indices,
            "sums_start": self.sums.indptr,
        }
        if self.after is not None:
            arrays |= {"outage": self.after.outage, **packed("after", self.after)}
        if self.at_levels is not None:
            arrays |= packed("level", self.at_levels)
        if self.tails is not None:
            arrays |= {"tail_mass": self.tails.mass, "tail_mw": self.tails.load_mw}
        return pack(arrays, self._meta())

    @classmethod
    def load(cls, source: Path | bytes, network: Network, factors: Factors | None = None) -> Self:
        """Return what :meth:`save` wrote; of a file, the tails stay on disk until a risk level asks for them.

        ``factors`` of the same network saves its factorisation. Raises UncertaintyDataError when the file is
        of another kind or of another network.
        """
        arrays, meta = unpack(source)
        if meta.get("format") != FORMAT:
            raise UncertaintyDataError("not a file of margins of this version")
        if meta["network_digest"] != network.digest:
            raise UncertaintyDataError(f"these margins are of another state of network {network.name!r}")
        if factors is not None:
            _check_factors(factors, network)
        tails = Tails(arrays["tail_mass"], arrays["tail_mw"]) if "tail_mw" in arrays else None
        return cls(
            network=network,
            factors=(factors or Factors.of(network)).with_slack(arrays["share"]),
            supply=meta["supply"],
            firm_set=meta["firm_set"],
            budget=meta["budget"],
            uncertainty=UncertaintySpec.from_json(meta["uncertainty"]),
            row_kind=arrays["row_kind"],
            row_element=arrays["row_element"],
            sums=_sums(arrays, len(network.branches.ids)),
            limit_mw=arrays["limit_mw"],
            firm_load_mw=arrays["firm_load_mw"],
            worst_state=arrays["worst_state"],
            tails=tails,
            labels=arrays["labels"],
            source=meta["source"],
            notices=tuple(meta["notices"]),
            date=meta["date"],
            after=after_of(arrays, meta),
            at_levels=AtLevels(unpacked("level", arrays), meta["measure"]) if "level_mw" in arrays else None,
            spare=None if meta["spare"] is None else Spare(**meta["spare"]),
        )

    def _meta(self) -> Mapping[str, Any]:
        return {
            "format": FORMAT,
            "network_digest": self.network.digest,
            "supply": self.supply,
            "firm_set": self.firm_set,
            "budget": self.budget,
            "outages": [] if self.after is None else [list(name) for name in self.after.names],
            "measure": next((known.measure for known in (self.after, self.at_levels) if known is not None), "cvar"),
            "uncertainty": self.uncertainty.to_json(),
            "source": self.source,
            "notices": list(self.notices),
            "date": self.date,
            "spare": None if self.spare is None else asdict(self.spare),
        }

    def _branches(self) -> Integers:
        whole = self.row_count - self.sums.shape[0]
        rated: Integers = self.row_element[:whole][self.row_kind[:whole] == FORWARD].astype(np.intp)
        return rated


def limit_words(network: Network, kind: RowKind, element: int) -> tuple[str, str]:
    """Return the id of the bus, branch or interface behind a limit, and the limit in words."""
    buses, branches, interfaces = network.buses, network.branches, network.interfaces
    if kind == "withdrawal":
        return buses.ids[element], f"the withdrawal limit of {bus_words(network, element)}"
    if kind in {"interface_forward", "interface_backward"}:
        name, way = interfaces.ids[element], "" if kind == "interface_forward" else ", backward"
        title = f"{interfaces.names[element]} ({name})" if interfaces.names[element] not in {"", name} else name
        return name, f"interface {title}{way}"
    ends = (int(branches.from_bus[element]), int(branches.to_bus[element]))
    start, end = ends if kind == "forward" else ends[::-1]
    name = branches.ids[element]
    return name, f"{branches.kinds[element]} {name}, from {bus_words(network, start)} to {bus_words(network, end)}"


def bus_words(network: Network, bus: int) -> str:
    """Return ``HARTLEY 3 (bus 5120)``, or ``bus 5120`` where it has no name."""
    name, bus_id = network.buses.names[bus], network.buses.ids[bus]
    plain = name.casefold() in {"", bus_id.casefold(), f"bus {bus_id}".casefold()}
    return f"bus {bus_id}" if plain else f"{name} (bus {bus_id})"


def prepare(
    network: Network,
    question: CapacityQuestion,
    states: States,
    *,
    factors: Factors | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Return the margins of every limit of ``network``: the cold step.

    Of ``question`` only supply, firm set and uncertainty matter here. With firm set "box" or "budget" and a
    sample, the set is enlarged to hold every scenario, with a notice, so that firm capacity is never above
    flexible: the box at each bus, the budget on each limit. A missing box is the smallest around the sample.
    Raises UncertaintyDataError when the set that the question names is missing or does not fit the network.
    """
    sample = states.sample
    if factors is not None:
        _check_factors(factors, network)
    share = supply_share(network, question.supply, question.supply_shares)
    shifted = (factors or Factors.of(network)).with_slack(share)
    notices = [] if sample is None else list(sample.notices)
    rows = RowSet.of(network)
    if not len(rows.branches) and not rows.sums.shape[0]:
        notices.append(
            "no branch of this network has a rating: only withdrawal limits and the demand itself stop anything"
        )
    tails, worst, state = None, np.full(rows.count, -np.inf), np.full(rows.count, -1, dtype=np.int32)
    if sample is not None:
        check_shape(sample.net_demand_mw, network)
        tails, worst, state = tails_of(shifted, sample, rows, progress)
    ranges, notice = ranges_of(network, question, states)
    notices += [notice] if notice else []
    if ranges is not None:
        worst, state, notice = _over_ranges(network, ranges, ranges.worst_mw(shifted, rows), (worst, state, rows))
        notices += [notice] if notice else []
    labels = np.array([] if sample is None else sample.labels, dtype=np.str_)
    return Prepared(
        network=network,
        factors=shifted,
        supply=question.supply,
        firm_set=question.firm_set,
        budget=None if ranges is None else ranges.budget,
        uncertainty=question.uncertainty,
        row_kind=rows.kind,
        row_element=rows.element,
        sums=rows.sums,
        limit_mw=rows.limit_mw,
        firm_load_mw=worst,
        worst_state=state,
        tails=tails,
        labels=labels,
        source="independent ranges of net demand" if sample is None else sample.source,
        notices=tuple(notices),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        spare=Spare.of(sample, network),
    )


def ranges_of(network: Network, question: CapacityQuestion, states: States) -> tuple[Ranges | None, str]:
    """Return the set of ranges in which firm capacity is kept, None for a sample, and a notice where it was enlarged.

    Raises UncertaintyDataError when there is no such set, or it does not fit the network.
    """
    sample, box = states.sample, states.box
    if question.firm_set == "sample":
        if sample is None:
            raise UncertaintyDataError("firm capacity in every scenario needs a sample; this uncertainty is a box")
        return None, ""
    box = box if box is not None or sample is None else Box.around(sample)
    if box is None:
        raise UncertaintyDataError("firm capacity in a box needs a box")
    check_shape(box.lower_mw[np.newaxis], network)
    if question.firm_set == "budget":
        return Ranges(box, question.budget), ""
    if sample is None:
        return Ranges(box), ""
    wide, notice = box.enlarged_to(sample, network.buses.ids)
    return Ranges(wide), notice


def _over_ranges(
    network: Network, ranges: Ranges, worst_mw: Vector, of_sample: tuple[Vector, npt.NDArray[np.int32], RowSet]
) -> tuple[Vector, npt.NDArray[np.int32], str]:
    """Return each row's worst load over the ranges or, where that is more, in the sample; its state; and a notice."""
    sample_mw, state, rows = of_sample
    if ranges.budget is None:  # the box holds the sample
        return worst_mw, np.full(rows.count, -1, dtype=np.int32), ""
    short = sample_mw - worst_mw
    wider = np.flatnonzero(short > TOLERANCE_MW)
    notice = ""
    if wider.size:
        most = int(short.argmax())
        words = limit_words(network, KINDS[rows.kind[most]], int(rows.element[most]))[1]
        limits = "1 limit sees" if wider.size == 1 else f"{wider.size} limits see"
        notice = (
            f"with {ranges.budget:g} buses at their extremes {limits} less load than in some scenario, which counts "
            f"there instead: most on {words}, by {short[most]:.2f} MW"
        )
    inside = short <= 0
    return np.maximum(worst_mw, sample_mw), np.where(inside, -1, state).astype(np.int32), notice


def _sums(arrays: Mapping[str, Any], branches: int) -> csr_array:
    start = arrays["sums_start"]
    return csr_array((arrays["sums_data"], arrays["sums_index"], start), shape=(len(start) - 1, branches))


def _check_factors(factors: Factors, network: Network) -> None:
    if factors.network.digest != network.digest:
        raise UncertaintyDataError(f"these factors are of another state of network {network.name!r}")


def check_shape(states: Matrix, network: Network) -> None:
    """Raise UncertaintyDataError when states (S, B) are of another number of buses."""
    if states.shape[1] != len(network.buses.ids):
        raise UncertaintyDataError(
            f"net demand is given for {states.shape[1]} buses; network {network.name!r} has {len(network.buses.ids)}"
        )
