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
    if hour is None:
        found = [_over_the_day(run, group) for group in _by_element(run, case)]
    else:
        found = [each.words(run.feeder) for each in at_hour(run, case, hour)]
    lines: list[Part] = list(found[:_MOST_BOUND])
    if len(found) > _MOST_BOUND:
        lines.append(f"and {count(len(found) - _MOST_BOUND, 'limit')} more: see Checks")
    return lines


def _by_element(run: "FeederRun", case: "CaseRun") -> list[list[Limit]]:
    """Return the limits of the day by what they are of: the network's before devices', each kind by its largest dual.

    What is exceeded comes first. In each group the limit that stands for it is the first.
    """
    groups: dict[tuple[str, str], list[Limit]] = {}
    for each in sorted(limits(run, case), key=_rank):
        groups.setdefault((each.kind, each.element), []).append(each)
    return list(groups.values())


def _rank(each: Limit) -> tuple[bool, bool, str, float, int]:
    return each.kind == "device", each.state == "binds", each.kind, -(each.dual or 0.0), each.hour


def _over_the_day(run: "FeederRun", group: list[Limit]) -> str:
    """Return the first limit of a group in words, and in how many hours there is one."""
    hours = len({each.hour for each in group})
    often = f" (in {count(hours, 'hour')})" if hours > 1 else ""
    return f"{run.labels[group[0].hour]}{often}: {group[0].words(run.feeder)}"
