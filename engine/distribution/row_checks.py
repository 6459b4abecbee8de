"""What can be said of one row of a feeder's tables by itself: its name, and each number against its range."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from engine.errors import Problem, Severity

_LONGEST_NAME = 80
_LARGEST = 1e12  # of any number: a trillion of any unit here is a slip


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, and how messages call it."""

    table: str
    word: str  # "line", "bus"
    at: int  # counted from 0
    held: Any

    @property
    def label(self) -> str:
        """Return "line 1-2", or "line in row 3" when it has no name."""
        name = str(self.held.name)[:_LONGEST_NAME]
        return f"{self.word} {name}" if name else f"{self.word} in row {self.at + 1}"

    def problem(self, code: str, column: str, text: str, severity: Severity = "error") -> Problem:
        """Return a problem of this row; ``text`` completes "line 1-2 ..."."""
        return Problem(code, severity, f"{self.label} {text}", self.table, self.at, column, str(self.held.name))


@dataclass(frozen=True, slots=True)
class Range:
    """What a number may be."""

    words: str  # "a rating of {} A"
    low: float
    high: float = _LARGEST
    above: bool = False  # the lowest itself is not allowed

    def said(self) -> str:
        """Return the limit in words."""
        least = f"above {self.low:g}" if self.above else f"at least {self.low:g}"
        return least if self.high >= _LARGEST else f"{least} and at most {self.high:g}"

    def holds(self, value: float) -> bool:
        """Return whether ``value`` is within."""
        return (value > self.low if self.above else value >= self.low) and value <= self.high


_RATING = Range("a rating of {} A", 0.0, above=True)
_RANGES: dict[str, dict[str, Range]] = {
    "buses": {"kv": Range("a voltage of {} kV", 0.0, 2000.0, above=True)},
    "lines": {"rating_a": _RATING},
    "switches": {"rating_a": _RATING},
    "transformers": {
        "kva": Range("a rating of {} kVA", 0.0, above=True),
        "from_kv": Range("a from side of {} kV", 0.0, 2000.0, above=True),
        "to_kv": Range("a to side of {} kV", 0.0, 2000.0, above=True),
        "r_pu": Range("a resistance of {} p.u.", 0.0, 10.0),
        "x_pu": Range("a reactance of {} p.u.", 0.0, 10.0, above=True),
        "tap": Range("a tap of {}", 0.5, 2.0),
    },
    "regulators": {"rating_a": _RATING},
    "capacitors": {"kvar": Range("{} kvar", 0.0, above=True)},
    "generators": {
        "p_min_kw": Range("a least of {} kW", 0.0),
        "p_max_kw": Range("a most of {} kW", 0.0),
        "s_kva": Range("{} kVA", 0.0, above=True),
        "slope_per_mw2h": Range("a slope of {} $/MWh per MW", 0.0),
    },
    "compensators": {"kvar": Range("{} kvar", 0.0)},
    "centres": {
        "idle_kw": Range("an idle draw of {} kW", 0.0),
        "kw_per_work": Range("{} kW for each unit of work", 0.0),
        "work_cap": Range("at most {} units of work", 0.0),
        "pue": Range("a power usage effectiveness of {}", 1.0, 10.0),
        "power_factor": Range("a power factor of {}", 0.0, 1.0, above=True),
        "ramp_kw": Range("a ramp of {} kW", 0.0),
        "energy_kwh": Range("a battery of {} kWh", 0.0, above=True),
        "power_kw": Range("a battery of {} kW", 0.0, above=True),
        "charge_efficiency": Range("a charging efficiency of {}", 0.0, 1.0, above=True),
        "discharge_efficiency": Range("a discharging efficiency of {}", 0.0, 1.0, above=True),
        "initial_share": Range("a battery that begins at {} of its energy", 0.0, 1.0),
        "final_share": Range("a battery that ends at {} of its energy", 0.0, 1.0),
    },
}
_CONTROL: dict[str, Range] = {
    "level_v": Range("a level of {} V", 0.0, 1000.0, above=True),
    "band_v": Range("a band of {} V", 0.0, 100.0, above=True),
    "pt_ratio": Range("a potential transformer of {}", 0.0, above=True),
    "ct_a": Range("a current transformer of {} A", 0.0, above=True),
}


def checked_rows(table: str, word: str, rows: Sequence[Any]) -> list[Problem]:
    """Return the problems of names, numbers that are none, and numbers out of their ranges."""
    found: list[Problem] = []
    first: dict[str, int] = {}
    for at, held in enumerate(rows):
        row = Row(table, word, at, held)
        found += _name(row, first)
        found += _numbers(row, held, _RANGES.get(table, {}))
    return found


def _name(row: Row, first: dict[str, int]) -> Iterator[Problem]:
    name = str(row.held.name)
    if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
        text = f"has the name {name!r:.100}; it must have 1 to {_LONGEST_NAME} characters that can be printed"
        yield row.problem("name", "name", text)
    same = first.setdefault(name, row.at)
    if same != row.at:
        yield row.problem("duplicate-name", "name", f"has the name of row {same + 1}")


def _numbers(row: Row, held: Any, ranges: dict[str, Range]) -> Iterator[Problem]:
    """Yield numbers that are none or out of range, in parts of the row too."""
    for each in fields(held):
        value = getattr(held, each.name)
        if is_dataclass(value):
            yield from _numbers(row, value, _CONTROL if each.name == "control" else ranges)
        elif isinstance(value, tuple):
            if not all(isinstance(entry, str) or _finite(entry) for entry in value):
                yield row.problem("not-a-number", each.name, f"has {each.name} with an entry that is not a number")
        elif isinstance(value, float | int) and not isinstance(value, bool):
            limit = ranges.get(each.name)
            if not _finite(value):
                text = f"has {each.name} of {value:g}; it must be a number below {_LARGEST:g} either way"
                yield row.problem("not-a-number", each.name, text)
            elif limit is not None and not limit.holds(value):
                text = f"has {limit.words.format(f'{value:g}')}; it must be {limit.said()}"
                yield row.problem("range", each.name, text)


def _finite(value: Any) -> bool:
    """Return whether a number, or every number of rows of them, can be computed with."""
    if isinstance(value, tuple):
        return all(_finite(entry) for entry in value)
    return math.isfinite(value) and abs(value) <= _LARGEST
