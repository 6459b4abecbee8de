"""Criteria that a planner brings: a CSV with a column each (water, noise, land, carbon), as gates or scores."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Flags, Vector

Use = Literal["gate at most", "gate at least", "cost", "benefit"]
USES: tuple[Use, ...] = ("gate at most", "gate at least", "cost", "benefit")
_MOST_PROBLEMS = 50
_MOST_COLUMNS = 40
_LONGEST = 5_000_000


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


def read_columns(text: str, bus_ids: Sequence[str]) -> list[Column]:
    """Return the columns of a CSV whose column ``bus`` names buses of a network; an empty cell is no value.

    Raises QuestionError with every problem at once: a bus that is not there or comes twice, a cell that is no number.
    """
    if len(text) > _LONGEST:
        raise QuestionError(f"the file has {len(text):,} characters; at most {_LONGEST:,} are read")
    rows = [row for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)]
    head = [cell.strip() for cell in rows[0]] if rows else []
    names = [name for name in head if name.lower() != "bus"]
    if len(names) != len(head) - 1 or not names or len(set(names)) != len(names) or len(names) > _MOST_COLUMNS:
        raise QuestionError(f"criteria need one column bus and 1 to {_MOST_COLUMNS} others with names of their own")
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
                raise QuestionError(f"{criterion.column} has no value at {missing.size} of {len(value)} sites to rank")
            found[criterion.column] = value if criterion.use == "cost" else -value
    return found


def _column(columns: Mapping[str, Column], criterion: Criterion) -> Column:
    if criterion.column not in columns:
        raise QuestionError(f"no column is named {criterion.column!r:.60}; there are {', '.join(columns) or 'none'}")
    return columns[criterion.column]
