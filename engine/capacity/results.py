"""What a capacity question is answered with: plain records that a page shows and a store keeps.

Everything here is made of numbers, text and tuples, so that it goes to JSON and back. Arrays over all
buses (:class:`Alone`) stay arrays: they are cheap to compute again and are never stored.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from engine.network.model import Integers, Matrix, Vector

RowKind = Literal["withdrawal", "forward", "backward", "interface_forward", "interface_backward", "cut", "condition"]
AnswerStatus = Literal["optimal", "infeasible_at_zero"]


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: a bus's withdrawal limit, a branch's or an interface's in one direction, or a cut of redispatch."""

    row: int  # position among the prepared rows
    kind: RowKind  # "forward" is from from_bus to to_bus
    element: str  # id of the bus, branch or interface
    words: str  # "transformer 5120-5467 (HARTLEY 3 to DALHART 1)"
    limit_mw: float
    outage: str = ""  # id of the outage after which it is counted, "" for none


@dataclass(frozen=True, slots=True)
class OverLimit:
    """A limit that the existing worst case exceeds before anything is added."""

    limit: Limit
    level: float  # risk level epsilon, 0 for firm
    load_mw: float  # existing flow or withdrawal at that level (worst case, or CVaR)
    over_mw: float  # load minus limit, above 0
    state: str  # the scenario in which it is worst, "" for a box
    reached: bool  # some candidate's power would add to it
    words: str


@dataclass(frozen=True, slots=True)
class Binding:
    """A limit that stops the allocation at one level, with what more of it would bring."""

    limit: Limit
    level: float  # risk level epsilon, 0 for firm
    margin_mw: float  # room before any addition
    state: str  # the scenario in which the room is least, "" for a box
    dual: float  # objective gained per MW of limit (unserved share, or its square); 0 for "lex_max_min"
    gain_mw_per_mw: float | None  # MW of this level's total per MW of limit, to first order; None: not unique
    words: str


@dataclass(frozen=True, slots=True)
class Level:
    """The allocation at one risk level."""

    epsilon: float  # 0 for firm
    capacity_mw: tuple[float, ...]  # (K,) total capacity, the lower levels included
    increment_mw: tuple[float, ...]  # (K,) over the level before; the firm level's is its capacity
    limited_by: tuple[int, ...]  # (K,) position in ``binding``; -1 where the demand is met in full
    binding: tuple[Binding, ...]  # by falling dual
    kept_by_floor: tuple[str, ...]  # candidates that would have got less than at the level before
    total_mw: float
    most_total_mw: float  # the largest total that the same limits allow
    lost_to_objective_mw: float  # most_total_mw - total_mw: 0 on radial grids
    lost_to_subsets_mw: float  # signed rows' total minus this one: the price of deliverable subsets; may be < 0
    objective: float
    status: str  # the solver's word
    gap: float  # relative, from the independent check where the objective has one, else 0
    solver: str
    certificate: Mapping[str, float]  # residuals of the independent optimality check
    time_s: float


@dataclass(frozen=True, slots=True)
class Provenance:
    """From what a number was computed, so that it can be computed again."""

    network: str  # name
    network_digest: str
    uncertainty_digest: str
    question_digest: str
    seed: int
    source: str  # of the uncertainty, in a sentence
    data: str  # source and date of the network's data
    solver: str
    date: str  # UTC, ISO 8601
    sentence: str


@dataclass(frozen=True, slots=True)
class CapacityResult:
    """The answer to a :class:`~engine.capacity.question.CapacityQuestion`, firm first, then by rising risk."""

    status: AnswerStatus
    candidates: tuple[str, ...]  # (K,)
    demand_mw: tuple[float, ...]  # (K,)
    levels: tuple[Level, ...]  # empty when the question stopped at limits exceeded at zero
    over_limit: tuple[OverLimit, ...]
    notices: tuple[str, ...]  # what a reader must know: choices made, warnings
    provenance: Provenance
    time_s: float

    @property
    def firm_mw(self) -> tuple[float, ...]:
        """Return the (K,) firm capacity; zeros when nothing was allocated."""
        return self.levels[0].capacity_mw if self.levels else (0.0,) * len(self.candidates)

    @property
    def flexible_mw(self) -> tuple[tuple[float, ...], ...]:
        """Return for each risk level the (K,) capacity in total, the firm part included."""
        return tuple(level.capacity_mw for level in self.levels[1:])

    @property
    def delta_mw(self) -> tuple[tuple[float, ...], ...]:
        """Return for each risk level the (K,) increment over the level before."""
        return tuple(level.increment_mw for level in self.levels[1:])

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the result of :meth:`to_json`."""
        return cls(
            status=content["status"],
            candidates=tuple(content["candidates"]),
            demand_mw=tuple(content["demand_mw"]),
            levels=tuple(_level(level) for level in content["levels"]),
            over_limit=tuple(OverLimit(**{**row, "limit": Limit(**row["limit"])}) for row in content["over_limit"]),
            notices=tuple(content["notices"]),
            provenance=Provenance(**content["provenance"]),
            time_s=content["time_s"],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Alone:
    """The largest load that each bus could add if nobody else added any: the map's layer.

    Row 0 is firm; the others follow the question's risk levels. A capacity is ``inf`` where no limit is
    touched, 0 where a limit is used up.
    """

    epsilons: tuple[float, ...]  # (E,), 0 first
    capacity_mw: Matrix  # (E, B)
    limiting_row: npt.NDArray[np.int32]  # (E, B), position among the prepared rows, -1 for none
    in_service: npt.NDArray[np.bool_]  # (B,)

    @property
    def firm_mw(self) -> Vector:
        """Return the (B,) firm capacity."""
        firm: Vector = self.capacity_mw[0]
        return firm

    @property
    def increment_mw(self) -> Matrix:
        """Return the (E-1, B) gain of each risk level over firm, nan where both are unlimited."""
        with np.errstate(invalid="ignore"):
            gain: Matrix = self.capacity_mw[1:] - self.capacity_mw[0]
        return gain


@dataclass(frozen=True, slots=True, eq=False)
class RiskCurve:
    """The largest single load at one bus against the risk it accepts."""

    bus: str
    epsilons: Vector  # (E,), 0 first
    capacity_mw: Vector  # (E,)
    limiting_row: Integers  # (E,), -1 for none
    limiting: tuple[str, ...]  # (E,), in words, "" for none


@dataclass(frozen=True, slots=True)
class Term:
    """One value of a formula: symbol, what it is, value and unit."""

    symbol: str
    meaning: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Why:
    """Why a number is what it is: the card behind it."""

    title: str  # "412.0 MW firm at HARTLEY 3 (bus 5120)"
    summary: str  # "Limited by ... in hour ...; 10 MW more there gives 14.0 MW more here."
    formula: str  # in the field's notation
    formula_with_values: str
    terms: tuple[Term, ...]
    limit: Limit | None  # None where the demand itself is the limit
    extra_limit_mw: float  # the reinforcement that was tried, MW
    gain_mw: float | None  # MW gained by it here, from solving again
    total_gain_mw: float | None  # MW gained by it over all sites
    sources: tuple[str, ...]  # inputs with digest and date, and where the method is from

    def to_json(self) -> dict[str, Any]:
        """Return the card as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that the independent checker found broken."""

    rule: str  # "(1b)", "(1c)", "(4b)", "(4c)", "(4d)", "bounds", "nesting"
    element: str
    level: float
    over_mw: float
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the independent checker says of an allocation."""

    holds: bool
    largest_violation_mw: float  # <= tolerance when it holds
    tolerance_mw: float
    rows_checked: int
    violations: tuple[Violation, ...]  # worst first, at most 20
    dropped_factors_mw: float  # most MW over a limit that factors under the cutoff let through; 0 without cutoff
    dropped_factors_at: str
    words: str

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the verdict of :meth:`to_json`."""
        return cls(**{**content, "violations": tuple(Violation(**row) for row in content["violations"])})


def _level(content: Mapping[str, Any]) -> Level:
    binding = tuple(Binding(**{**row, "limit": Limit(**row["limit"])}) for row in content["binding"])
    lists = {name: tuple(content[name]) for name in ("capacity_mw", "increment_mw", "limited_by", "kept_by_floor")}
    return Level(**{**content, **lists, "binding": binding})
