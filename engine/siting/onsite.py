"""On-site resources: what a campus makes for itself, so that gate and market see its net load.

A question gives MW that are alike every day (:class:`OnSite`); the column ``onsite_mw`` of a file of hours gives each
of its hours a value of its own. Where both are given, both are taken off.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Vector
from engine.siting.case import HOURS_OF_DAY

MOST_MW = 20_000.0
SERIES = "onsite_mw"  # column of a file of hours: what they give in each of its hours


@dataclass(frozen=True, slots=True)
class OnSite:
    """MW that on-site units give: one number, or one per hour of the day. Every day is alike."""

    mw: tuple[float, ...]
    name: str = "on-site resources"

    def problems(self) -> list[str]:
        """Return what stops these from being resources of every hour of the day, each with its value and limit."""
        found = []
        if len(self.mw) not in {1, HOURS_OF_DAY}:
            found.append(f"{self.name} have {len(self.mw)} values: 1, or {HOURS_OF_DAY}, one per hour of the day")
        for hour, value in enumerate(self.mw, start=1):
            if not 0.0 <= value <= MOST_MW:
                where = f" in hour {hour}" if len(self.mw) > 1 else ""
                found.append(f"{self.name} give {value:g} MW{where}: 0 to {MOST_MW:,.0f}")
        return found

    def of_hours(self, hour_of_day: Sequence[int]) -> Vector:
        """Return what they give (T,) in the hours of a study, 1 to 24 each.

        Raises QuestionError with every problem at once.
        """
        if found := self.problems():
            raise QuestionError("; ".join(found))
        hours, values = np.asarray(hour_of_day, dtype=np.intp), np.array(self.mw, dtype=np.float64)
        of_day = np.resize(values, HOURS_OF_DAY)  # a single value is that of every hour
        return np.asarray(of_day[hours - 1], dtype=np.float64)


def net_load_mw(gross_mw: Vector, given_mw: Vector) -> Vector:
    """Return the load (T,) that the grid sees. Nothing is sent to the grid: what is left over is not used."""
    return np.maximum(gross_mw - given_mw, 0.0)
