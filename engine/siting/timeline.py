"""Time to power by two pathways, equations (38) to (42) of arXiv 2605.14714: arithmetic on stated assumptions.

Nothing here is a result of a model: the durations are what a reader assumes, by default those of the source.
"""

from dataclasses import dataclass

from engine.errors import QuestionError


@dataclass(frozen=True, slots=True)
class Years:
    """A range of years to first energisation."""

    least: float
    most: float

    @property
    def middle(self) -> float:
        """Return the midpoint."""
        return (self.least + self.most) / 2.0


@dataclass(frozen=True, slots=True)
class TimeToPower:
    """The saving of the planner's pathway over the conventional one, in years."""

    conventional: Years
    planner: Years
    conservative: float  # (39): the shortest conventional less the longest planner's
    at_least_conventional: Years  # (40): the shortest conventional less either end of the planner's
    midpoints: float  # (41)
    endpoints: Years  # (42)


CONVENTIONAL, PLANNER = Years(5.0, 8.0), Years(1.0, 1.5)  # the source's assumptions
LONGEST = 30.0


def time_to_power(conventional: Years = CONVENTIONAL, planner: Years = PLANNER) -> TimeToPower:
    """Return the savings. Raises QuestionError when a range is not in order or outside 0 to 30 years."""
    for name, given in (("conventional", conventional), ("planner-initiated", planner)):
        if given.least != given.least or given.most != given.most:
            raise QuestionError(f"the {name} pathway needs two numbers of years, each from 0 to {LONGEST:g}")
        if not 0.0 <= given.least <= given.most <= LONGEST:
            raise QuestionError(
                f"the {name} pathway takes {given.least:g} to {given.most:g} years: the least comes first, "
                f"and both are from 0 to {LONGEST:g}"
            )
    return TimeToPower(
        conventional=conventional,
        planner=planner,
        conservative=conventional.least - planner.most,
        at_least_conventional=Years(conventional.least - planner.most, conventional.least - planner.least),
        midpoints=conventional.middle - planner.middle,
        endpoints=Years(conventional.least - planner.most, conventional.most - planner.least),
    )
