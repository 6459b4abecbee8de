"""What the feeder's why-cards begin with: the case and hour that a number is of, its node or device, and what binds."""

from typing import TYPE_CHECKING, TypeVar

from components.feeder_layers import At, case_of, hour_of, nodes_of
from components.feeder_limits import Limit, at_hour, limits
from components.format import count
from components.skeleton import Part

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

Row = TypeVar("Row")
_MOST_BOUND = 5  # limits that a card names


def open_card(run: "FeederRun", at: At) -> "tuple[CaseRun, int]":
    """Return the case and the hour that a single number is of."""
    return case_of(run, at), hour_of(run, at)


def open_device(run: "FeederRun", at: At, rows: tuple[Row, ...], rest: list[str]) -> "tuple[CaseRun, int, int, Row]":
    """Return case and hour, and place and row of the device. Raises ValueError where there is none of that name."""
    return *open_card(run, at), *named(rows, rest)


def named(rows: tuple[Row, ...], rest: list[str]) -> tuple[int, Row]:
    """Return place and row of the device of that name. Raises ValueError where there is none."""
    name = ":".join(rest)
    for place, row in enumerate(rows):
        if getattr(row, "name", None) == name:
            return place, row
    raise ValueError(f"there is no {name!r:.60}")


def node_of(run: "FeederRun", rest: list[str]) -> tuple[str, str, int]:
    """Return bus, member and place. Raises ValueError for what is not there."""
    bus, member = ":".join(rest[:-1]), rest[-1] if rest else ""
    for name, place in nodes_of(run, bus):
        if name == member:
            return bus, member, place
    raise ValueError(f"there is no {member!r:.20} at bus {bus!r:.60}")


def bound_at(run: "FeederRun", case: "CaseRun", hour: int, chosen: str) -> list[Part]:
    """Return in sentences what binds in an hour at one bus or link, as it is selected."""
    return [each.words(run.feeder) for each in at_hour(run, case, hour) if each.chosen == chosen]


def bound_lines(run: "FeederRun", case: "CaseRun", hour: int | None) -> list[Part]:
    """Return in sentences what binds in an hour, or (None) over the day."""
    found = limits(run, case) if hour is None else at_hour(run, case, hour)
    lines: list[Part] = [_bound(run, each, hour) for each in found[:_MOST_BOUND]]
    if len(found) > _MOST_BOUND:
        lines.append(f"and {count(len(found) - _MOST_BOUND, 'limit')} more: see Checks")
    return lines


def _bound(run: "FeederRun", each: Limit, hour: int | None) -> str:
    return each.words(run.feeder) if hour is not None else f"{run.labels[each.hour]}: {each.words(run.feeder)}"
