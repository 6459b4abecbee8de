"""A capacity question: everything that the page's sentence asks, as one frozen, JSON-able record."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self, get_args

from engine.capacity.conditions import Condition, read_conditions
from engine.errors import QuestionError

FirmSet = Literal["sample", "box", "budget"]
Objective = Literal["sum_ratio", "sum_sq_ratio", "lex_max_min"]
TieRule = Literal["lex_max_min", "least_squares"]
Supply = Literal["slack", "headroom", "capacity", "given"]
AtZero = Literal["stop", "hold"]
Measure = Literal["cvar", "var"]
Security = Literal["base", "n-1"]
OutageList = Literal["all", "listed"]
OutageRating = Literal["a", "b", "c"]
Recourse = Literal["none", "redispatch"]
Period = Literal["year", "season", "month", "block"]
UncertaintyKind = Literal["box", "distribution", "hourly", "file"]

LARGEST_EPSILON = 0.20  # the tails kept by the cold step end here
MOST_EPSILONS = 6
MOST_DEMAND_MW = 1e6
MOST_BUDGET = 1e5

_OBJECTIVE_WORDS: Mapping[Objective, str] = {
    "sum_ratio": "the least total of unserved shares",
    "sum_sq_ratio": "the least total of squared unserved shares",
    "lex_max_min": "the fairest shares (lexicographic max-min)",
}
_PERIOD_WORDS: Mapping[Period, str] = {
    "year": "",
    "season": ", in each season",
    "month": ", in each month",
    "block": ", in each block of hours",
}
_SUPPLY_WORDS: Mapping[Supply, str] = {
    "slack": "the slack bus",
    "headroom": "unit headroom",
    "capacity": "units by capacity",
    "given": "given shares",
}


@dataclass(frozen=True, slots=True)
class UncertaintySpec:
    """What is not known about existing net demand (load minus generation), and how it is sampled.

    The record holds no data: a job rebuilds the same box or sample from it, the network and, for
    ``file``, the user's own file. The parameters of each kind (defaults in brackets):

    - ``box``: ``spread`` (0.1), each bus's load may differ from its filed value by this share of it; or
      ``buses``, a list of ``{"bus", "low", "high"}`` in MW of net demand for the buses that differ.
    - ``distribution``: ``buses``, a list of ``{"bus", "low", "high", "mean", "variance"}`` in MW and MW²;
      or ``relative_sd`` (0.05) and ``relative_range`` (0.2) of every filed load. ``reading``
      ("moment_matched" or "parent"), ``correlation`` (0.0, or a square list of lists over the listed
      buses), ``scenarios`` (2000).
    - ``hourly``: ``model`` ("auto", "texas" or "generic"), ``hours`` (2000, a seeded choice out of the
      8,784 of the year; 0 takes all), and the models' own settings, see :mod:`engine.capacity.series`.
    - ``file``: ``digest`` and ``filename`` of a CSV or Parquet file of net demand.
    """

    kind: UncertaintyKind = "hourly"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 1

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        return {"kind": self.kind, "parameters": dict(self.parameters), "seed": self.seed}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the record of :meth:`to_json`. Raises QuestionError naming the field at fault."""
        kind = _choice(content, "kind", get_args(UncertaintyKind), "hourly")
        parameters = content.get("parameters", {})
        if not isinstance(parameters, Mapping):
            raise QuestionError("uncertainty: parameters must be a table of names and values")
        seed = content.get("seed", 1)
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
            raise QuestionError(f"uncertainty: the seed must be a whole number of 0 or more, found {seed!r}")
        return cls(kind=kind, parameters=dict(parameters), seed=seed)

    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON text."""
        return _digest(self.to_json())

    def words(self) -> str:
        """Return the states in which firm capacity is kept, as the sentence says it."""
        if self.kind == "box":
            return "every state of the box"
        if self.kind == "hourly":
            hours = self.parameters.get("hours", 2000)
            return "every hour of the year" if hours in (0, None) else f"every one of {hours} sampled hours"
        if self.kind == "file":
            return f"every row of {self.parameters.get('filename', 'the file')}"
        return f"every one of {self.parameters.get('scenarios', 2000)} scenarios"


@dataclass(frozen=True, slots=True)
class CapacityQuestion:
    """How much the candidate buses can take, kept in which states, interrupted how often, supplied from where."""

    candidates: tuple[str, ...] = ()  # (K,) bus ids
    demand_mw: tuple[float, ...] = ()  # (K,) asked for at each candidate, MW
    firm_set: FirmSet = "sample"  # firm is kept in every scenario (their hull), or in the whole box
    epsilons: tuple[float, ...] = (0.05,)  # risk levels, rising; none: firm only
    budget: float = 10.0  # firm set "budget": at how many buses net demand is at its extreme at once
    security: Security = "base"  # "n-1": limits hold after each single outage too
    outages: OutageList = "all"  # every branch that does not split the network, or the network's contingency table
    outage_rating: OutageRating = "c"  # the rating that holds after an outage; A where B or C is not given
    recourse: Recourse = "none"  # "redispatch": units move in every state to make room
    period: Period = "year"  # an answer for each season, month or block of hours, besides the year-round one
    measure: Measure = "cvar"  # "var" bounds only how often, not how deep
    objective: Objective = "sum_ratio"
    tie_rule: TieRule = "lex_max_min"  # second stage among equal optima of "sum_ratio"
    supply: Supply = "slack"  # who produces the extra MW
    supply_shares: tuple[tuple[str, float], ...] = ()  # (bus id, share), for supply "given"; scaled to sum to 1
    cutoff: float = 0.0  # distribution factors smaller than this in absolute value are dropped
    downward_closed: bool = True  # every part of the answer is deliverable without the rest
    at_zero: AtZero = "stop"  # when limits are exceeded before any addition: stop, or hold them there
    block_mw: float | None = None  # products are cut into blocks of this size; None: one product each
    round_mw: float = 0.1  # product sizes are rounded down to this
    conditions: tuple[Condition, ...] = ()  # a reader's own caps, shares and preferences, kept at every level
    uncertainty: UncertaintySpec = field(default_factory=UncertaintySpec)

    def __post_init__(self) -> None:
        _check_sites(self)
        _check_levels(self)
        _check_choices(self)

    def to_json(self) -> dict[str, Any]:
        """Return the question as JSON values."""
        content = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        content["candidates"] = list(self.candidates)
        content["demand_mw"] = list(self.demand_mw)
        content["epsilons"] = list(self.epsilons)
        content["supply_shares"] = dict(self.supply_shares)
        content["conditions"] = [condition.to_json() for condition in self.conditions]
        content["uncertainty"] = self.uncertainty.to_json()
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the question of :meth:`to_json`; missing fields take their defaults.

        Raises QuestionError naming the field and the limit.
        """
        known = {entry.name for entry in fields(cls)}
        unknown = sorted(set(content) - known)
        if unknown:
            raise QuestionError(f"the question has no field {unknown[0]!r}")
        given = dict(content)
        given["conditions"] = read_conditions(given.get("conditions", ()))
        try:
            given.update({name: _READ[name](given[name]) for name in _READ.keys() & given.keys()})
        except (TypeError, ValueError) as error:
            raise QuestionError(f"the question has a value of the wrong type: {error}") from None
        if "uncertainty" in given:
            given["uncertainty"] = UncertaintySpec.from_json(given["uncertainty"])
        return cls(**given)

    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON text: equal questions, equal digest."""
        return _digest(self.to_json())

    def sentence(self) -> str:
        """Return the question in words: the title of every export."""
        count = len(self.candidates)
        sites = "1 site" if count == 1 else f"{count} sites"
        states = self.uncertainty.words()
        if self.firm_set == "box":
            states = "every state of the box"
        elif self.firm_set == "budget":
            states = f"every state with {self.budget:g} buses at their extremes"
        parts = [f"How much can {sites} take, kept in {states}"]
        if self.epsilons:
            levels = " or ".join(percent(epsilon) for epsilon in self.epsilons)
            parts.append(f", or interrupted in at most {levels}")
        parts.append(_PERIOD_WORDS[self.period])
        parts.append(f", with the extra power from {self.supply_words()}")
        if self.security == "n-1":
            outages = "every single outage" if self.outages == "all" else "every listed outage"
            parts.append(f", secure for {outages}")
        if self.conditions:
            count = len(self.conditions)
            parts.append(f", under {count} condition{'' if count == 1 else 's'}")
        if self.cutoff > 0:
            parts.append(f", factors under {percent(self.cutoff)} dropped")
        return "".join(parts) + "?"

    def objective_words(self) -> str:
        """Return what the objective seeks, in words."""
        return _OBJECTIVE_WORDS[self.objective]

    def supply_words(self) -> str:
        """Return who supplies the extra MW, in words."""
        return "units that redispatch" if self.recourse == "redispatch" else _SUPPLY_WORDS[self.supply]


_READ: Mapping[str, Callable[[Any], Any]] = {
    "candidates": lambda buses: tuple(str(bus) for bus in buses),
    "demand_mw": lambda values: tuple(float(value) for value in values),
    "epsilons": lambda values: tuple(float(value) for value in values),
    "cutoff": float,
    "budget": float,
    "round_mw": float,
    "block_mw": lambda value: None if value is None else float(value),
    "supply_shares": lambda shares: tuple((str(bus), float(share)) for bus, share in dict(shares).items()),
}


def percent(share: float) -> str:
    """Return a share as the page prints it, such as ``5 %`` or ``0.5 %``."""
    return f"{100 * share:.6g} %"


def check_conditions(question: CapacityQuestion) -> None:
    """Raise QuestionError for conditions that an answer to ``question`` would not keep: none is dropped in silence."""
    if question.conditions and question.recourse == "redispatch":
        raise QuestionError("conditions of one's own are not kept with redispatch: ask without one of the two")
    lower = [
        condition.title
        for condition in question.conditions
        if condition.kind in {"least", "reserve"} or any(weight < 0 for _, weight in condition.weights)
    ]
    if lower and question.period != "year":
        raise QuestionError(
            f"condition {lower[0]!r} asks for a least amount, which the least over seasons need not keep: ask by year"
        )


def _check_sites(question: CapacityQuestion) -> None:
    if len(question.candidates) != len(question.demand_mw):
        raise QuestionError(
            f"{len(question.candidates)} candidates have {len(question.demand_mw)} demands; one for each is needed"
        )
    seen: set[str] = set()
    for bus, demand in zip(question.candidates, question.demand_mw, strict=True):
        if bus in seen:
            raise QuestionError(f"bus {bus!r} is listed twice among the candidates")
        seen.add(bus)
        if not (math.isfinite(demand) and 0 < demand <= MOST_DEMAND_MW):
            raise QuestionError(
                f"demand at bus {bus!r} must be above 0 and at most {MOST_DEMAND_MW:.0f} MW, found {demand}"
            )


def _check_levels(question: CapacityQuestion) -> None:
    if len(question.epsilons) > MOST_EPSILONS:
        raise QuestionError(f"at most {MOST_EPSILONS} risk levels can be asked, found {len(question.epsilons)}")
    before = 0.0
    for epsilon in question.epsilons:
        if not before < epsilon <= LARGEST_EPSILON:
            raise QuestionError(
                f"risk levels must rise, from above 0 % to at most {percent(LARGEST_EPSILON)}, found {percent(epsilon)}"
            )
        before = epsilon


def _check_choices(question: CapacityQuestion) -> None:
    choices = {
        "firm_set": get_args(FirmSet),
        "measure": get_args(Measure),
        "objective": get_args(Objective),
        "tie_rule": get_args(TieRule),
        "supply": get_args(Supply),
        "at_zero": get_args(AtZero),
        "security": get_args(Security),
        "outages": get_args(OutageList),
        "outage_rating": get_args(OutageRating),
        "recourse": get_args(Recourse),
        "period": get_args(Period),
    }
    content = asdict(question)
    for name, allowed in choices.items():
        if content[name] not in allowed:
            raise QuestionError(f"{name} must be one of {', '.join(allowed)}, found {content[name]!r}")
    if not isinstance(question.downward_closed, bool):
        raise QuestionError(f"downward_closed must be true or false, found {question.downward_closed!r}")
    if not 0 <= question.cutoff < 1:
        raise QuestionError(f"the factor cutoff must be from 0 to below 1, found {question.cutoff}")
    if not 0 <= question.budget <= MOST_BUDGET:
        raise QuestionError(f"the budget must be from 0 to {MOST_BUDGET:,.0f} buses, found {question.budget}")
    if question.block_mw is not None and not (math.isfinite(question.block_mw) and question.block_mw > 0):
        raise QuestionError(f"the block size must be above 0 MW, found {question.block_mw}")
    if not 1e-6 <= question.round_mw <= 1000:
        raise QuestionError(f"sizes are rounded to between 0.000001 and 1000 MW, found {question.round_mw}")
    shares = [share for _, share in question.supply_shares]
    if question.supply == "given" and not sum(shares) > 0:
        raise QuestionError("supply 'given' needs a positive share at one bus or more")
    if any(not (math.isfinite(share) and share >= 0) for share in shares):
        raise QuestionError("supply shares must be finite and not negative")


def _choice(content: Mapping[str, Any], name: str, allowed: tuple[Any, ...], default: Any) -> Any:
    value = content.get(name, default)
    if value not in allowed:
        raise QuestionError(f"{name} must be one of {', '.join(allowed)}, found {value!r}")
    return value


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
