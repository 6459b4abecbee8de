"""What is not known about existing net demand (load minus generation): a box, or a sample of states.

A box is every combination of a range at each bus; a sample is a list of states that may be correlated, each
with a probability. On a large grid an independent box holds states that never happen together and leaves no
capacity: there the states of the sample (their hull) are the useful set for firm capacity.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, least_squares
from scipy.special import ndtr, ndtri

from engine.capacity.question import UncertaintySpec
from engine.errors import UncertaintyDataError
from engine.network.model import Matrix, Network, Vector

Singles = npt.NDArray[np.float32]

MOST_SCENARIOS = 20_000
MOST_CELLS = 100_000_000  # scenarios times buses: 800 MB of float64


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """Independent ranges of net demand, MW."""

    lower_mw: Vector  # (B,)
    upper_mw: Vector  # (B,)

    @classmethod
    def around(cls, sample: "Sample") -> Self:
        """Return the smallest box that holds every state of ``sample``."""
        return cls(sample.net_demand_mw.min(axis=0), sample.net_demand_mw.max(axis=0))

    def enlarged_to(self, sample: "Sample", bus_ids: Sequence[str]) -> tuple[Self, str]:
        """Return the smallest box that holds this one and every state, and a notice: empty if nothing changed."""
        low, high = sample.net_demand_mw.min(axis=0), sample.net_demand_mw.max(axis=0)
        over = np.maximum(np.maximum(self.lower_mw - low, high - self.upper_mw), 0.0)
        wide = np.flatnonzero(over > 0)
        if not wide.size:
            return self, ""
        worst = int(over.argmax())
        notice = (
            f"the box was enlarged at {wide.size} buses to hold every scenario, most at bus {bus_ids[worst]!r}, "
            f"by {over[worst]:.2f} MW"
        )
        return type(self)(np.minimum(self.lower_mw, low), np.maximum(self.upper_mw, high)), notice


@dataclass(frozen=True, slots=True, eq=False)
class UnitStates:
    """What the units do and could do in each state, MW; zero for a unit out of service.

    Single precision: it is what a redispatch starts from and is held by, and a year of it stays small.
    """

    generation_mw: Singles  # (S, G), in the net demand of the sample
    least_mw: Singles  # (S, G), or (1, G) where it is the same in all states
    largest_mw: Singles  # (S, G), or (1, G)

    def of_state(self, state: int) -> tuple[Vector, Vector]:
        """Return the least and largest outputs (G,) in a state."""
        least, largest = (part[state if len(part) > 1 else 0] for part in (self.least_mw, self.largest_mw))
        return least.astype(np.float64), largest.astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """States of net demand, MW, with their probabilities."""

    net_demand_mw: Matrix  # (S, B), load minus generation
    weights: Vector | None  # (S,), positive, sums to 1; None: equal
    labels: tuple[str, ...]  # (S,), such as "2016-08-11 16:00"
    source: str  # where the states are from, in a sentence
    seed: int
    notices: tuple[str, ...] = ()
    units: UnitStates | None = None  # None: as filed, in every state

    def __post_init__(self) -> None:
        count = len(self.net_demand_mw)
        if count == 0:
            raise UncertaintyDataError("a sample needs one scenario or more")
        if not np.isfinite(self.net_demand_mw).all():
            raise UncertaintyDataError("a sample's net demand must be finite everywhere")
        if len(self.labels) != count or (self.weights is not None and len(self.weights) != count):
            raise UncertaintyDataError(f"{count} scenarios need as many labels, and as many weights if any")
        if self.weights is not None and not (self.weights > 0).all():
            raise UncertaintyDataError("every weight must be above 0")
        if self.units is not None:
            _check_units(self.units, count)

    @property
    def weight(self) -> Vector:
        """Return the (S,) probabilities."""
        count = len(self.net_demand_mw)
        return np.full(count, 1.0 / count) if self.weights is None else self.weights / self.weights.sum()

    @property
    def resolution(self) -> float:
        """Return the probability of the least likely scenario: smaller risk levels than this mean the worst one."""
        return float(self.weight.min())


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """What is known of existing net demand: a sample, a box, or both."""

    sample: Sample | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Marginal:
    """The truncated normal law of net demand at one bus: support and the normal it is cut from."""

    low_mw: float
    high_mw: float
    parent_mean_mw: float
    parent_sd_mw: float

    @classmethod
    def moment_matched(cls, low_mw: float, high_mw: float, mean_mw: float, variance_mw2: float) -> Self:
        """Return the law on [low, high] whose own mean and variance, after truncation, are those given.

        Raises UncertaintyDataError when no truncated normal has them: the mean is outside, or the variance is
        at or above that of every law of this family, such as the flat one.
        """
        _check_marginal(low_mw, high_mw, mean_mw, variance_mw2)
        middle, width = (low_mw + high_mw) / 2, high_mw - low_mw
        sd = variance_mw2**0.5
        if abs(mean_mw - middle) < 1e-12 * width:
            found = _symmetric(middle, width, sd)
        else:
            found = _skewed(low_mw, high_mw, mean_mw, sd)
        return cls(low_mw, high_mw, *found)

    @classmethod
    def parent(cls, low_mw: float, high_mw: float, mean_mw: float, variance_mw2: float) -> Self:
        """Return the normal law of that mean and variance, cut to [low, high]."""
        _check_marginal(low_mw, high_mw, mean_mw, variance_mw2)
        return cls(low_mw, high_mw, mean_mw, variance_mw2**0.5)

    def at(self, probability: Vector) -> Vector:
        """Return the quantiles (S,), MW, at ``probability`` (S,)."""
        below = ndtr((self.low_mw - self.parent_mean_mw) / self.parent_sd_mw)
        above = ndtr((self.high_mw - self.parent_mean_mw) / self.parent_sd_mw)
        value = self.parent_mean_mw + self.parent_sd_mw * ndtri(below + probability * (above - below))
        return np.clip(value, self.low_mw, self.high_mw)


def box(spec: UncertaintySpec, network: Network) -> Box:
    """Return the box that a spec of kind ``box`` or ``distribution`` asks for: see :class:`UncertaintySpec`.

    Raises UncertaintyDataError naming the bus and value at fault.
    """
    filed = filed_net_demand(network)
    listed = spec.parameters.get("buses")
    if listed is not None:
        lower, upper = filed.copy(), filed.copy()
        for row in _listed(listed, network, ("low", "high")):
            if row["low"] > row["high"]:
                raise UncertaintyDataError(f"bus {row['bus']!r}: low {row['low']} is above high {row['high']} MW")
            lower[row["position"]], upper[row["position"]] = row["low"], row["high"]
        return Box(lower, upper)
    name, usual = ("spread", 0.1) if spec.kind == "box" else ("relative_range", 0.2)
    reach = number(spec.parameters, name, usual, 0.0, 10.0) * np.abs(_load(network))
    return Box(filed - reach, filed + reach)


def distribution_sample(spec: UncertaintySpec, network: Network) -> Sample:
    """Return scenarios of truncated normal net demand, independent or correlated by a normal copula.

    ``correlation`` is that of the underlying normals: one number for every pair, or a matrix over the listed
    buses. Raises UncertaintyDataError naming the bus, or a matrix that is no correlation matrix.
    """
    parameters = spec.parameters
    count = whole(parameters, "scenarios", 2000, 1, MOST_SCENARIOS)
    reading = parameters.get("reading", "moment_matched")
    if reading not in {"moment_matched", "parent"}:
        raise UncertaintyDataError(f"reading must be moment_matched or parent, found {reading!r}")
    make = Marginal.moment_matched if reading == "moment_matched" else Marginal.parent
    filed = filed_net_demand(network)
    check_size(count, len(filed))
    positions: list[int] = []
    laws: list[Marginal] = []
    for row in _laws(parameters, network, filed):
        positions.append(row["position"])
        try:
            laws.append(make(row["low"], row["high"], row["mean"], row["variance"]))
        except UncertaintyDataError as error:
            raise UncertaintyDataError(f"bus {row['bus']!r}: {error}") from None
    normals = _normals(count, len(laws), parameters.get("correlation", 0.0), spec.seed)
    states = np.tile(filed, (count, 1))
    for column, (position, law) in enumerate(zip(positions, laws, strict=True)):
        states[:, position] = law.at(ndtr(normals[:, column]))
    return Sample(
        net_demand_mw=states,
        weights=None,
        labels=tuple(f"scenario {s + 1}" for s in range(count)),
        source=f"{count} scenarios of truncated normal net demand ({reading.replace('_', ' ')}) at {len(laws)} buses",
        seed=spec.seed,
    )


def filed_net_demand(network: Network) -> Vector:
    """Return the (B,) load less generation as filed, MW."""
    return -network.injection_mw


def number(parameters: Mapping[str, Any], name: str, usual: float, low: float, high: float) -> float:
    """Return a parameter as a number. Raises UncertaintyDataError naming it and its limits."""
    value = parameters.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UncertaintyDataError(f"uncertainty: {name} must be a number from {low:g} to {high:g}, found {value!r}")
    return float(value)


def whole(parameters: Mapping[str, Any], name: str, usual: int, low: int, high: int) -> int:
    """Return a parameter as a whole number. Raises UncertaintyDataError naming it and its limits."""
    value = parameters.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise UncertaintyDataError(f"uncertainty: {name} must be a whole number from {low} to {high}, found {value!r}")
    return value


def check_size(scenarios: int, buses: int) -> None:
    """Raise UncertaintyDataError when a sample of that size would not fit in memory beside its margins."""
    if scenarios * buses > MOST_CELLS:
        raise UncertaintyDataError(
            f"{scenarios} scenarios of {buses} buses are {scenarios * buses:,} numbers; the limit is {MOST_CELLS:,}"
        )


def _check_units(units: UnitStates, count: int) -> None:
    shape = units.generation_mw.shape
    if len(shape) != 2 or shape[0] != count:
        raise UncertaintyDataError(f"{count} scenarios need as many rows of generation, found {shape[0]}")
    for name, part in (("least", units.least_mw), ("largest", units.largest_mw)):
        if part.shape not in {shape, (1, shape[1])}:
            raise UncertaintyDataError(f"the {name} outputs need {shape[1]} columns and 1 or {count} rows")
    if any(not np.isfinite(part).all() for part in (units.generation_mw, units.least_mw, units.largest_mw)):
        raise UncertaintyDataError("generation and its limits must be finite everywhere")


def _check_marginal(low: float, high: float, mean: float, variance: float) -> None:
    if not low < high:
        raise UncertaintyDataError(f"low {low:g} must be below high {high:g} MW")
    if not low < mean < high:
        raise UncertaintyDataError(f"mean {mean:g} must lie between {low:g} and {high:g} MW")
    if not variance > 0:
        raise UncertaintyDataError(f"variance {variance:g} must be above 0 MW²")


def _symmetric(middle: float, width: float, sd: float) -> tuple[float, float]:
    flat = width / 12**0.5
    if sd >= flat * (1 - 1e-9):
        raise UncertaintyDataError(
            f"variance {sd**2:g} MW² is not below {flat**2:g}, that of the flat law on a range of {width:g} MW"
        )

    return middle, width * _unit_parent(round(sd / width, 14))


@lru_cache(maxsize=4096)
def _unit_parent(sd: float) -> float:
    """Return the parent's standard deviation for a law on a range of 1 about its mean; thousands of buses share it."""
    from scipy.stats import truncnorm  # noqa: PLC0415 (half a second to import, for those who ask for this law)

    def excess(parent_sd: float) -> float:
        half = 0.5 / parent_sd
        return float(truncnorm.std(-half, half)) * parent_sd - sd

    return float(brentq(excess, 0.5 * sd, 1e4, xtol=1e-14, rtol=1e-13))


def _skewed(low: float, high: float, mean: float, sd: float) -> tuple[float, float]:
    from scipy.stats import truncnorm  # noqa: PLC0415

    def misfit(parent: Vector) -> Vector:
        parent_mean, parent_sd = parent[0], np.exp(parent[1])
        law = truncnorm((low - parent_mean) / parent_sd, (high - parent_mean) / parent_sd, parent_mean, parent_sd)
        return np.array([(law.mean() - mean) / sd, law.std() / sd - 1.0])

    with np.errstate(all="ignore"):
        found = least_squares(misfit, [mean, np.log(sd)], xtol=1e-15, ftol=1e-15, gtol=1e-15)
    if not np.abs(found.fun).max() < 1e-8:
        raise UncertaintyDataError(
            f"no truncated normal on [{low:g}, {high:g}] MW has mean {mean:g} MW and variance {sd**2:g} MW²"
        )
    return float(found.x[0]), float(np.exp(found.x[1]))


def _laws(parameters: Mapping[str, Any], network: Network, filed: Vector) -> list[dict[str, Any]]:
    listed = parameters.get("buses")
    if listed is not None:
        return _listed(listed, network, ("low", "high", "mean", "variance"))
    relative_sd = number(parameters, "relative_sd", 0.05, 1e-6, 1.0)
    relative_range = number(parameters, "relative_range", 0.2, 1e-6, 10.0)
    load = np.abs(_load(network))
    return [
        {
            "bus": network.buses.ids[bus],
            "position": int(bus),
            "low": filed[bus] - relative_range * load[bus],
            "high": filed[bus] + relative_range * load[bus],
            "mean": filed[bus],
            "variance": (relative_sd * load[bus]) ** 2,
        }
        for bus in np.flatnonzero(load > 0)
    ]


def _listed(rows: Any, network: Network, names: tuple[str, ...]) -> list[dict[str, Any]]:
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise UncertaintyDataError("uncertainty: buses must be a list of rows")
    position = {bus: i for i, bus in enumerate(network.buses.ids)}
    found, seen = [], set()
    for row in rows:
        bus = str(row.get("bus", "")) if isinstance(row, Mapping) else ""
        if bus not in position:
            raise UncertaintyDataError(f"uncertainty names bus {bus!r}, which network {network.name!r} does not have")
        if bus in seen:
            raise UncertaintyDataError(f"uncertainty lists bus {bus!r} twice")
        seen.add(bus)
        values = {name: row.get(name) for name in names}
        for name, value in values.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
                raise UncertaintyDataError(f"bus {bus!r}: {name} must be a number, found {value!r}")
        found.append({"bus": bus, "position": position[bus], **values})
    return found


def _load(network: Network) -> Vector:
    return np.where(network.buses.in_service, network.buses.load_mw, 0.0)


def _normals(count: int, size: int, correlation: Any, seed: int) -> Matrix:
    generator = np.random.default_rng(seed)
    own = generator.standard_normal((count, size))
    if isinstance(correlation, int | float) and not isinstance(correlation, bool):
        if not 0 <= correlation <= 1:
            raise UncertaintyDataError(f"a common correlation must be from 0 to 1, found {correlation}")
        common: npt.NDArray[np.float64] = generator.standard_normal((count, 1))
        return np.asarray(correlation**0.5 * common + (1 - correlation) ** 0.5 * own)
    try:
        matrix = np.asarray(correlation, dtype=np.float64)
    except (TypeError, ValueError):
        raise UncertaintyDataError("correlation must be a number or a square table of numbers") from None
    if matrix.shape != (size, size):
        raise UncertaintyDataError(f"the correlation of {size} buses must be {size} x {size}, found {matrix.shape}")
    if not (np.isfinite(matrix).all() and np.allclose(matrix, matrix.T) and np.allclose(np.diag(matrix), 1.0)):
        raise UncertaintyDataError("a correlation matrix must be symmetric with ones on its diagonal")
    values, vectors = np.linalg.eigh(matrix)
    if values.min() < -1e-9:
        raise UncertaintyDataError(f"the correlation matrix has a negative eigenvalue, {values.min():.3g}")
    # The symmetric root: eigenvectors have no sign of their own, and on another machine have another.
    return np.asarray(own @ (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)
