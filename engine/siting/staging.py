"""Staged energisation: a cap on MW from a date on, each stage gated like a load of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from engine.errors import QuestionError


@dataclass(frozen=True, slots=True)
class Stage:
    """From ``start`` on at most ``cap_mw`` of nameplate may be energised."""

    start: date
    cap_mw: float


def checked_stages(stages: Sequence[Stage], nameplate_mw: float) -> tuple[Stage, ...]:
    """Return the stages. Raises QuestionError with every problem: dates must rise, caps lie above 0 to the nameplate.

    A cap may fall again, as when a temporary transformer leaves.
    """
    found = [] if stages else ["a staged energisation needs a stage"]
    for place, stage in enumerate(stages, start=1):
        if not 0.0 < stage.cap_mw <= nameplate_mw:
            found.append(
                f"stage {place} has a cap of {stage.cap_mw:g} MW: above 0, to the nameplate of {nameplate_mw:g}"
            )
        if place > 1 and stage.start <= stages[place - 2].start:
            found.append(
                f"stage {place} starts on {stage.start}, not after stage {place - 1} on {stages[place - 2].start}"
            )
    if found:
        raise QuestionError("; ".join(found))
    return tuple(stages)


def cap_on(stages: Sequence[Stage], day: date) -> float:
    """Return the cap that holds on a day: 0 before the first stage."""
    held = [stage.cap_mw for stage in stages if stage.start <= day]
    return held[-1] if held else 0.0


def first_day_of(stages: Sequence[Stage], nameplate_mw: float) -> date | None:
    """Return the first day on which at least ``nameplate_mw`` may be energised; None if no stage allows it."""
    return next((stage.start for stage in stages if stage.cap_mw >= nameplate_mw), None)
