"""Staged energisation: a cap on MW from a date on, each stage gated like a load of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.errors import QuestionError
from engine.siting.gate.results import PASSED, GateResult

MOST_STAGES = 12


@dataclass(frozen=True, slots=True)
class Stage:
    """From ``start`` on at most ``cap_mw`` of nameplate may be energised."""

    start: date
    cap_mw: float

    def to_json(self) -> dict[str, Any]:
        """Return what :func:`stages_from_json` reads."""
        return {"start": self.start.isoformat(), "cap_mw": self.cap_mw}


@dataclass(frozen=True, slots=True)
class StageVerdict:
    """What the gate says of one stage at one site."""

    start: date
    mw: float  # nameplate that is energised: the cap, or all of it
    low: float  # the share of hours and outages that certainly passes
    high: float  # that may pass
    verdict: int  # PASSED, FAILED or UNDECIDED


def stages_from_json(content: Sequence[Mapping[str, Any]]) -> tuple[Stage, ...]:
    """Return the stages, not yet checked. Raises QuestionError for anything else."""
    try:
        return tuple(Stage(date.fromisoformat(one["start"]), float(one["cap_mw"])) for one in content)
    except (KeyError, TypeError, ValueError):
        raise QuestionError("a stage needs a date such as 2027-06-01 and a cap in MW") from None


def checked_stages(stages: Sequence[Stage], nameplate_mw: float) -> tuple[Stage, ...]:
    """Return the stages. Raises QuestionError with every problem of :func:`stage_problems`."""
    found = ["a staged energisation needs a stage"] if not stages else stage_problems(stages, nameplate_mw)
    if found:
        raise QuestionError("; ".join(found))
    return tuple(stages)


def stage_problems(stages: Sequence[Stage], nameplate_mw: float) -> list[str]:
    """Return what is wrong with stages: dates must rise, caps lie above 0 to the nameplate.

    A cap may fall again, as when a temporary transformer leaves.
    """
    found = []
    if len(stages) > MOST_STAGES:
        found.append(f"{len(stages)} stages: {MOST_STAGES} at most")
    for place, stage in enumerate(stages, start=1):
        if not 0.0 < stage.cap_mw <= nameplate_mw:
            found.append(
                f"stage {place} has a cap of {stage.cap_mw:g} MW: above 0, to the nameplate of {nameplate_mw:g}"
            )
        if place > 1 and stage.start <= stages[place - 2].start:
            found.append(
                f"stage {place} starts on {stage.start}, not after stage {place - 1} on {stages[place - 2].start}"
            )
    return found


def cap_on(stages: Sequence[Stage], day: date) -> float:
    """Return the cap that holds on a day: 0 before the first stage."""
    held = [stage.cap_mw for stage in stages if stage.start <= day]
    return held[-1] if held else 0.0


def first_day_of(stages: Sequence[Stage], nameplate_mw: float) -> date | None:
    """Return the first day on which at least ``nameplate_mw`` may be energised; None if no stage allows it."""
    return next((stage.start for stage in stages if stage.cap_mw >= nameplate_mw), None)


def energised_mw(stages: Sequence[Stage], nameplate_mw: float) -> list[tuple[date, float]]:
    """Return from when which nameplate is energised: each cap, or all of a smaller nameplate."""
    return [(stage.start, min(stage.cap_mw, nameplate_mw)) for stage in stages]


def stage_verdicts(  # noqa: PLR0913 (which site of what, by which threshold)
    gate: GateResult,
    candidate: int,
    envelope: str,
    nameplate_mw: float,
    stages: Sequence[Stage],
    *,
    threshold: float | None = None,
) -> list[StageVerdict]:
    """Return the gate's word on every stage at a candidate (place); a stage is a size that was screened."""
    found = []
    for start, mw in energised_mw(stages, nameplate_mw):
        low, high = gate.pass_rate(envelope, mw)
        verdict = gate.qualified(envelope, mw, threshold)[candidate]
        found.append(StageVerdict(start, mw, float(low[candidate]), float(high[candidate]), int(verdict)))
    return found


def may_draw_from(verdicts: Sequence[StageVerdict]) -> list[tuple[date, float]]:
    """Return from when how many MW may certainly be drawn: a stage that fails leaves the last that passed."""
    found: list[tuple[date, float]] = []
    for stage in verdicts:
        if stage.verdict == PASSED and (not found or found[-1][1] != stage.mw):
            found.append((stage.start, stage.mw))
    return found
