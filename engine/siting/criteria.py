"""Criteria that a planner brings: a CSV with a column each (water, noise, land, carbon), as gates or scores."""

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Flags, Vector
from engine.siting.catalogue import FIELDS
from engine.siting.ranking import GROUPS, metric_criteria

Use = Literal["gate at most", "gate at least", "cost", "benefit"]
USES: tuple[Use, ...] = ("gate at most", "gate at least", "cost", "benefit")
_MOST_PROBLEMS = 50
_MOST_COLUMNS = 40
_LONGEST = 5_000_000
_LONGEST_NAME = 60
_MOST_WEIGHT = 1000.0
_GROUP_FIELD = re.compile(r"group_\d+")  # of the catalogue's CSV
OWN_GROUP = "own criteria"


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One value per bus of a network, nan where the file says nothing."""

    name: str
    value: Vector  # (B,)


@dataclass(frozen=True, slots=True)
class Criterion:
    """How a column counts: a limit that gates, or a score, of which costs are better when low."""

    column: str
    use: Use
    limit: float = math.nan  # of a gate
    group: str = OWN_GROUP  # of a score: one of the ranking's groups, or one of the reader's own
    weight: float = 1.0  # of a score, times what entropy gives it inside its group

    @property
    def gates(self) -> bool:
        """Return whether it lets sites through or stops them."""
        return self.use.startswith("gate")

    def to_json(self) -> dict[str, Any]:
        """Return what :func:`criteria_from_json` reads."""
        own = {"limit": self.limit} if self.gates else {"group": self.group, "weight": self.weight}
        return {"column": self.column, "use": self.use, **own}

    def words(self) -> str:
        """Return the criterion in words."""
        if self.gates:
            return f"{self.column} {self.use[5:]} {self.limit:g}"
        return f"{self.column}, {'lower' if self.use == 'cost' else 'higher'} is better, in {self.group!r}"


def criteria_from_json(content: Sequence[Mapping[str, Any]]) -> tuple[Criterion, ...]:
    """Return the criteria, not yet checked. Raises QuestionError for anything else."""
    try:
        return tuple(
            Criterion(
                str(one["column"]),
                one["use"],
                float(one.get("limit", math.nan)),
                str(one.get("group", OWN_GROUP)),
                float(one.get("weight", 1.0)),
            )
            for one in content
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise QuestionError("a criterion needs its column, its use, and a limit or a weight as a number") from None


def criteria_problems(criteria: Sequence[Criterion], group_weights: Sequence[tuple[str, float]] = ()) -> list[str]:
    """Return what is wrong with criteria, each with its value and limit, whatever file they are of."""
    found = [f"{len(criteria)} criteria: {_MOST_COLUMNS} at most"] if len(criteria) > _MOST_COLUMNS else []
    names = [one.column for one in criteria]
    found += [f"column {name!r:.60} is used twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    for one in criteria:
        what = f"column {one.column!r:.60}"
        if one.use not in USES:
            found.append(f"{what} is used as one of {', '.join(USES)}, not {one.use!r:.40}")
        elif one.gates and not math.isfinite(one.limit):
            found.append(f"the gate on {what} needs a limit as a number")
        elif not one.gates and not 0.0 < one.weight <= _MOST_WEIGHT:
            found.append(f"the weight of {what} is {one.weight:g}: above 0, to {_MOST_WEIGHT:g}")
        if not one.gates and not 1 <= len(one.group.strip()) <= _LONGEST_NAME:
            found.append(f"{what} needs a group with a name of at most {_LONGEST_NAME} letters")
        if one.column in metric_criteria():
            found.append(f"{what} has the name of a market figure: give it another")
        elif one.column.strip().lower() in FIELDS or _GROUP_FIELD.fullmatch(one.column.strip().lower()):
            found.append(f"{what} has the name of a field of the catalogue, which it would overwrite: give it another")
    found += [
        f"the weight of group {name!r:.60} is {weight:g}: 0 to {_MOST_WEIGHT:g}"
        for name, weight in group_weights
        if not 0.0 <= weight <= _MOST_WEIGHT
    ]
    return found


def read_columns(text: str, bus_ids: Sequence[str]) -> list[Column]:
    """Return the columns of a CSV whose column ``bus`` names buses of a network; an empty cell is no value.

    Raises QuestionError with every problem at once: a bus that is not there or comes twice, a cell that is no number.
    """
    if len(text) > _LONGEST:
        raise QuestionError(f"the file has {len(text):,} characters; at most {_LONGEST:,} are read")
    rows = [row for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)]
    head, names = _head(rows)
    key = next(place for place, name in enumerate(head) if name.lower() == "bus")
    place_of = {bus: place for place, bus in enumerate(bus_ids)}
    table = np.full((len(names), len(bus_ids)), np.nan)
    problems, seen = [], set()
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(head):
            problems.append(f"line {line}: {len(row)} cells, {len(head)} columns")
            continue
        bus = row[key].strip()
        if bus not in place_of or bus in seen:
            problems.append(
                f"line {line}: bus {bus!r:.40} " + ("comes twice" if bus in seen else "is not in the network")
            )
            continue
        seen.add(bus)
        cells = [cell.strip() for place, cell in enumerate(row) if place != key]
        for column, cell in enumerate(cells):
            try:
                value = float(cell) if cell else math.nan
            except ValueError:
                value = math.inf
            if math.isinf(value):
                problems.append(f"line {line}: {names[column]} is {cell!r:.40}, not a number")
                continue
            table[column, place_of[bus]] = value
    if problems:
        more = f"; and {len(problems) - _MOST_PROBLEMS} more" if len(problems) > _MOST_PROBLEMS else ""
        raise QuestionError("; ".join(problems[:_MOST_PROBLEMS]) + more)
    return [Column(name, table[place]) for place, name in enumerate(names)]


def _head(rows: Sequence[Sequence[str]]) -> tuple[list[str], list[str]]:
    """Return the first line, and in it the names of the columns that are not the bus."""
    head = [cell.strip() for cell in rows[0]] if rows else []
    names = [name for name in head if name.lower() != "bus"]
    if len(names) != len(head) - 1 or not names or len(set(names)) != len(names) or len(names) > _MOST_COLUMNS:
        raise QuestionError(f"criteria need one column bus and 1 to {_MOST_COLUMNS} others with names of their own")
    long = [name for name in names if not name or len(name) > _LONGEST_NAME]
    if long:
        raise QuestionError(f"a column is named {long[0][:_LONGEST_NAME]!r}: 1 to {_LONGEST_NAME} letters")
    return head, names


def passes(columns: Mapping[str, Column], criteria: Sequence[Criterion]) -> tuple[Flags, list[str]]:
    """Return which buses (B,) pass every gate, and per gate how many it stops and how many have no value.

    A bus without a value does not pass: what is not known is not certified.
    """
    size = len(next(iter(columns.values())).value) if columns else 0
    kept, said = np.ones(size, dtype=np.bool_), []
    for gate in criteria:
        if not gate.use.startswith("gate"):
            continue
        value = _column(columns, gate).value
        if math.isnan(gate.limit):
            raise QuestionError(f"the gate on {gate.column} needs a limit")
        unknown = np.isnan(value)
        own = ~unknown & (value <= gate.limit if gate.use == "gate at most" else value >= gate.limit)
        kept &= own
        stopped = int((~own & ~unknown).sum())
        said.append(f"{gate.column} {gate.use[5:]} {gate.limit:g}: stops {stopped}, not known at {int(unknown.sum())}")
    return kept, said


def scored(columns: Mapping[str, Column], criteria: Sequence[Criterion], buses: Sequence[int]) -> dict[str, Vector]:
    """Return the scoring columns at some buses, as costs: a benefit is negated.

    Raises QuestionError naming a bus without a value: a score cannot be made of nothing; gate it out first.
    """
    found = {}
    for criterion in criteria:
        if criterion.use in {"cost", "benefit"}:
            value = _column(columns, criterion).value[list(buses)]
            missing = np.flatnonzero(np.isnan(value))
            if missing.size:
                raise QuestionError(
                    f"{criterion.column} has no value at {missing.size} of {len(value)} sites to rank: gate on it, so "
                    "that only sites that are known stay, or complete the file"
                )
            found[criterion.column] = value if criterion.use == "cost" else -value
    return found


@dataclass(frozen=True, slots=True, eq=False)
class OwnCriteria:
    """A reader's criteria on one network: who they let through, and what they add to the ranking."""

    criteria: tuple[Criterion, ...]
    columns: Mapping[str, Column]
    group_weights: tuple[tuple[str, float], ...]
    passes: Flags  # (B,)
    said: tuple[str, ...]  # of each gate: how many buses it stops, and where it knows nothing

    @classmethod
    def of(
        cls,
        criteria: Sequence[Criterion],
        columns: Sequence[Column],
        group_weights: Sequence[tuple[str, float]] = (),
    ) -> "OwnCriteria":
        """Return the criteria on the columns of a file. Raises QuestionError with every column that is not there."""
        table = {column.name: column for column in columns}
        missing = [one.column for one in criteria if one.column not in table]
        if missing:
            listed = ", ".join(table) or "none"
            raise QuestionError("; ".join(f"no column is named {name!r:.60}; there are {listed}" for name in missing))
        stops, said = passes(table, criteria)
        return cls(tuple(criteria), table, tuple(group_weights), stops, tuple(said))

    def values(self, bus: int) -> list[tuple[Criterion, float]]:
        """Return every criterion with its value at a bus (position), nan where the file says nothing."""
        return [(one, float(self.columns[one.column].value[bus])) for one in self.criteria]

    def groups(self) -> dict[str, tuple[str, ...]]:
        """Return the groups of the ranking with the reader's columns in them; groups of their own come last."""
        found = {name: tuple(listed) for name, listed in GROUPS.items()}
        for one in self.criteria:
            if not one.gates:
                found[one.group] = (*found.get(one.group, ()), one.column)
        return found

    def weights_of_groups(self, given: Sequence[float]) -> list[float]:
        """Return a weight for each of :meth:`groups`; ``given`` are those of the ranking's own."""
        known = dict(self.group_weights)
        return [*given, *(known.get(name, 1.0) for name in list(self.groups())[len(given) :])]

    def weights_of_columns(self) -> dict[str, float]:
        """Return the weight of every column that scores."""
        return {one.column: one.weight for one in self.criteria if not one.gates}

    def scored(self, buses: Sequence[int]) -> dict[str, Vector]:
        """Return the scoring columns at some buses, see :func:`scored`."""
        return scored(self.columns, self.criteria, buses)


def _column(columns: Mapping[str, Column], criterion: Criterion) -> Column:
    if criterion.column not in columns:
        raise QuestionError(f"no column is named {criterion.column!r:.60}; there are {', '.join(columns) or 'none'}")
    return columns[criterion.column]
