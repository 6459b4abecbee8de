"""Every schedule of the market is judged before a number of it is told.

The judge (:mod:`engine.commitment.verify`) shares no code with the model that made the schedule: it recomputes every
constraint and the cost from the network's tables. A schedule that it refuses is an end of its own with the judge's
words, never a number. On synthetic Texas it takes 0.1 to 0.2 s of processor time a day. Limits after outages take it a
solve for each outage, on Texas half a minute; where they are asked for, days without a site and the first of each few
placements are judged with them, and the others before outages alone.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

from engine.commitment.instance import Instance
from engine.commitment.outcome import Commitment, End
from engine.commitment.verify import Schedule, verify

Judged = Literal["", "whole", "before outages"]  # "" where there was no schedule to judge
_MOST_NAMED = 3


def judged(instance: Instance, found: Commitment, *, outages: bool = True) -> tuple[Commitment, Judged]:
    """Return the commitment, without its schedule if the judge refuses that, and how it was judged.

    ``instance`` is the day with the load that it was solved with. Limits after outages, where the day has them, are
    left out of the judgement unless ``outages``.
    """
    if found.dispatch is None:
        return found, ""
    options = instance.options if outages else replace(instance.options, security="base")
    dispatch = found.dispatch
    schedule = Schedule(found.running(instance), dispatch.output_mw, dispatch.reserve_mw, found.cost)
    verdict = verify(instance.case, options, schedule, instance.initial)
    how: Judged = "whole" if options == instance.options else "before outages"
    if verdict.holds:
        return found, how
    more = len(verdict.problems) - _MOST_NAMED
    words = "; ".join(verdict.problems[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
    refused = replace(
        found, status=End.REFUSED, reason=f"the judge of schedules refuses it: {words}", on=None, dispatch=None,
        cost=float("inf"),
    )  # fmt: skip
    return refused, how


def judged_facts(days: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return how many schedules were judged and what was found, as JSON values, of days (date, DayMarket)."""
    every = [(date, day) for date, day in days if day.judged]
    refused = [f"{date}: {day.reason}" for date, day in every if day.status is End.REFUSED]
    return {
        "schedules": len(every),
        "before_outages_alone": sum(day.judged == "before outages" for _, day in every),
        "refused": len(refused),
        "found": refused[:_MOST_NAMED],
    }
