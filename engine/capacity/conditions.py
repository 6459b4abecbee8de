"""What an allocation must keep besides the limits of the network: a reader's own caps, shares and preferences.

A condition is a record, so that a page, a link and a file can hold it. All are convex: five are linear in the
MW granted, ``even`` is a convex quadratic term of the objective. They hold at every risk level, for the whole
capacity of a site (its firm part included), so that what a level granted stays allowed at the next.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, Self, get_args

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Matrix, Network, Vector

ConditionKind = Literal["cap", "corridor", "least", "reserve", "largest", "even"]
ShareOf = Literal["total", "demand"]

MOST_CONDITIONS = 50
MOST_MW = 1e6
MOST_WEIGHT = 1e6

KIND_WORDS: Mapping[ConditionKind, str] = {
    "cap": "a group gets at most",
    "corridor": "a weighted sum is at most",
    "least": "a group gets at least a share",
    "reserve": "a group gets at least",
    "largest": "each site of a group gets at most",
    "even": "shares of a group stay close",
}
_NEEDS: Mapping[ConditionKind, str] = {
    "cap": "mw", "corridor": "mw", "least": "share", "reserve": "mw", "largest": "mw", "even": "weight",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on the MW of a group of candidates; without buses, zones and areas the group is all of them.

    - ``cap``: together at most ``mw``; ``reserve``: together at least ``mw``; ``largest``: each at most ``mw``;
    - ``corridor``: the sum of ``weights`` (bus, MW per MW) times MW is at most ``mw``;
    - ``least``: together at least ``share`` of the ``total`` granted, or of the group's own ``demand``;
    - ``even``: ``weight`` times the sum of squared distances of the served shares from their mean is added to
      the objective (of unserved shares, so a weight of 1 counts a share like an unserved one).
    """

    kind: ConditionKind
    name: str = ""
    buses: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    weights: tuple[tuple[str, float], ...] = ()
    mw: float | None = None
    share: float | None = None
    of: ShareOf = "total"
    weight: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(ConditionKind):
            kinds = ", ".join(get_args(ConditionKind))
            raise QuestionError(f"a condition's kind must be one of {kinds}, found {self.kind!r}")
        if self.of not in get_args(ShareOf):
            raise QuestionError(f"condition {self.title!r}: a share is of the total or of the demand, not {self.of!r}")
        self._check_number("mw", self.mw, 0.0, MOST_MW)
        self._check_number("share", self.share, 0.0, 1.0)
        self._check_number("weight", self.weight, 0.0, MOST_WEIGHT)
        if self.kind == "corridor" and not self.weights:
            raise QuestionError(f"condition {self.title!r} needs the weight of one bus or more")
        if any(not (math.isfinite(size) and abs(size) <= MOST_WEIGHT) for _, size in self.weights):
            raise QuestionError(f"condition {self.title!r}: weights must be finite numbers")

    def _check_number(self, name: str, value: float | None, low: float, high: float) -> None:
        if value is None and _NEEDS[self.kind] == name:
            raise QuestionError(f"condition {self.title!r} needs a number for {name}")
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            raise QuestionError(f"condition {self.title!r}: {name} must be from {low:g} to {high:g}, found {value}")

    @property
    def title(self) -> str:
        """Return the name, or the condition in words where it has none."""
        return self.name or self.words()

    def group_words(self) -> str:
        """Return whom it is about."""
        listed = [
            f"{what} {', '.join(entries)}"
            for what, entries in (
                ("bus" if len(self.buses) == 1 else "buses", self.buses),
                ("zone" if len(self.zones) == 1 else "zones", self.zones),
                ("area" if len(self.areas) == 1 else "areas", self.areas),
            )
            if entries
        ]
        return " and ".join(listed) or "all sites"

    def words(self) -> str:
        """Return the condition as a sentence without its end."""
        mw = "" if self.mw is None else f"{self.mw:g} MW"
        if self.kind == "corridor":
            terms = " + ".join(f"{size:g} x {bus}" for bus, size in self.weights)
            return f"{terms} is at most {mw}"
        if self.kind == "least":
            share = 0.0 if self.share is None else 100 * self.share
            of = "the total granted" if self.of == "total" else "its demand"
            return f"{self.group_words()}: at least {share:g} % of {of}"
        if self.kind == "even":
            return f"{self.group_words()}: shares kept close, weight {self.weight or 0.0:g}"
        form = {"cap": "together at most", "reserve": "together at least", "largest": "each at most"}[self.kind]
        return f"{self.group_words()}: {form} {mw}"

    def to_json(self) -> dict[str, Any]:
        """Return the condition as JSON values, without fields that hold nothing."""
        content: dict[str, Any] = {"kind": self.kind}
        for entry in fields(self):
            value = getattr(self, entry.name)
            if entry.name == "weights":
                value = dict(value)
            elif isinstance(value, tuple):
                value = list(value)
            if value not in (None, "", [], {}) and not (entry.name == "of" and self.kind != "least"):
                content[entry.name] = value
        return content

    @classmethod
    def from_json(cls, content: Any) -> Self:
        """Return the condition of :meth:`to_json`. Raises QuestionError naming the field at fault."""
        if not isinstance(content, Mapping) or "kind" not in content:
            raise QuestionError(f"a condition must be a table of names and values with a kind, found {content!r:.40}")
        unknown = sorted(set(content) - {entry.name for entry in fields(cls)})
        if unknown:
            raise QuestionError(f"a condition has no field {unknown[0]!r}")
        given = dict(content)
        try:
            for name in ("buses", "zones", "areas"):
                if name in given:
                    given[name] = _texts(given[name])
            if "weights" in given:
                given["weights"] = tuple((str(bus), float(size)) for bus, size in dict(given["weights"]).items())
            for name in ("mw", "share", "weight"):
                if given.get(name) is not None:
                    given[name] = float(given[name])
        except (TypeError, ValueError) as error:
            raise QuestionError(f"a condition has a value of the wrong type: {error}") from None
        given["name"] = str(given.get("name", ""))
        return cls(**given)


@dataclass(frozen=True, slots=True, eq=False)
class ConditionRows:
    """Conditions over the candidates: ``rows @ mw <= upper_mw``, and the quadratic terms of the objective."""

    rows: Matrix  # (m, K)
    upper_mw: Vector  # (m,), may be negative
    owner: tuple[int, ...]  # (m,), position of the condition of each row
    spread: tuple[tuple[float, Matrix], ...]  # weight and (g, K): weight times |matrix @ mw|² is added


def read_conditions(content: Any) -> tuple[Condition, ...]:
    """Return the conditions of a JSON list. Raises QuestionError naming what is at fault."""
    if not isinstance(content, Sequence) or isinstance(content, str):
        raise QuestionError("conditions must be a list")
    if len(content) > MOST_CONDITIONS:
        raise QuestionError(f"at most {MOST_CONDITIONS} conditions can be asked, found {len(content)}")
    return tuple(entry if isinstance(entry, Condition) else Condition.from_json(entry) for entry in content)


def condition_rows(
    conditions: Sequence[Condition], network: Network, candidates: Sequence[str], demand_mw: Vector
) -> ConditionRows:
    """Return ``conditions`` over ``candidates`` (K,) that ask for ``demand_mw`` (K,).

    Raises QuestionError when a condition is about no candidate, or names one that is not asked for.
    """
    rows: list[Vector] = []
    upper: list[float] = []
    owner: list[int] = []
    spread: list[tuple[float, Matrix]] = []
    for place, condition in enumerate(conditions):
        inside = _members(condition, network, candidates)
        mw = condition.mw or 0.0
        if condition.kind == "even":
            share = np.diag(1.0 / demand_mw)[inside]
            spread.append((condition.weight or 0.0, share - share.mean(axis=0)))
            continue
        if condition.kind == "cap":
            found = [(inside.astype(float), mw)]
        elif condition.kind == "reserve":
            found = [(-inside.astype(float), -mw)]
        elif condition.kind == "largest":
            found = [(row, mw) for row in np.eye(len(candidates))[inside]]
        elif condition.kind == "corridor":
            position = {bus: k for k, bus in enumerate(candidates)}
            row = np.zeros(len(candidates))
            for bus, size in condition.weights:
                row[position[bus]] += size
            found = [(row, mw)]
        elif condition.of == "total":
            found = [((condition.share or 0.0) - inside.astype(float), 0.0)]
        else:
            found = [(-inside.astype(float), -(condition.share or 0.0) * float(demand_mw[inside].sum()))]
        rows += [row for row, _ in found]
        upper += [end for _, end in found]
        owner += [place] * len(found)
    matrix = np.array(rows) if rows else np.zeros((0, len(candidates)))
    return ConditionRows(matrix, np.array(upper), tuple(owner), tuple(spread))


def _members(condition: Condition, network: Network, candidates: Sequence[str]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return the (K,) candidates that a condition is about."""
    named = [bus for bus, _ in condition.weights] if condition.kind == "corridor" else list(condition.buses)
    missing = sorted(set(named) - set(candidates))
    if missing:
        raise QuestionError(f"condition {condition.title!r} names bus {missing[0]!r}, which is not among the sites")
    if condition.kind == "corridor":
        return np.array([bus in named for bus in candidates], dtype=np.bool_)
    if not (condition.buses or condition.zones or condition.areas):
        return np.ones(len(candidates), dtype=np.bool_)
    buses = network.buses
    place = {bus: i for i, bus in enumerate(buses.ids)}
    zones, areas = set(condition.zones), set(condition.areas)
    inside = np.array(
        [
            bus in condition.buses or buses.zones[place[bus]] in zones or buses.areas[place[bus]] in areas
            for bus in candidates
        ],
        dtype=np.bool_,
    )
    if not inside.any():
        raise QuestionError(f"condition {condition.title!r} is about {condition.group_words()}: no site is there")
    return inside


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError("buses, zones and areas are lists")
    return tuple(str(entry) for entry in value)
