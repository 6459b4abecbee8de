"""Five metrics of a market run, each over three windows: what stage 3 ranks sites by.

Source: equations (13) to (19) of arXiv 2605.14714; the formulas are lost in its text and fixed by the description
and the published pipeline. Percentiles across buses take the midpoint rule ("hazen", (k - 0.5)/n) as that does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Flags, Integers, Matrix, Vector

Metric = Literal["mean_lmp", "p95_p5", "std", "binding_hours", "rent"]
Window = Literal["all", "on_peak", "off_peak"]
METRICS: tuple[Metric, ...] = get_args(Metric)
WINDOWS: tuple[Window, ...] = get_args(Window)
METRIC_WORDS: dict[Metric, str] = {
    "mean_lmp": "mean LMP",
    "p95_p5": "LMP P95-P5",
    "std": "LMP standard deviation",
    "binding_hours": "binding hours",
    "rent": "congestion rent",
}
METRIC_UNITS: dict[Metric, str] = {
    "mean_lmp": "$/MWh",
    "p95_p5": "$/MWh",
    "std": "$/MWh",
    "binding_hours": "h",
    "rent": "M$/day",
}
WINDOW_WORDS: dict[Window, str] = {"all": "all hours", "on_peak": "on-peak", "off_peak": "off-peak"}
BINDING_PER_MWH = 1e-6  # the source's tolerance: a limit with a larger price binds
_HOURS_PER_DAY = 24.0
_PER_MILLION = 1e-6
_ROUNDING = 1e-9  # in a metric's own unit: a solver's last digits are no rise and no fall


@dataclass(frozen=True, slots=True, eq=False)
class HourlyMarket:
    """What the metrics need of T market hours: prices across buses, and what the limits of each hour were worth."""

    mean_lmp: Vector  # (T,), $/MWh, equation (14)
    p95_p5: Vector  # (T,), $/MWh
    std: Vector  # (T,), $/MWh, with n - 1
    largest_limit_price: Vector  # (T,), $/MWh: the largest multiplier of a limit on flows
    rent_per_h: Vector  # (T,), $/h: multipliers times flows

    @classmethod
    def of(cls, lmp_per_mwh: Matrix, limit_price_per_mwh: Matrix, limit_mw: Matrix) -> Self:
        """Return the hourly figures of prices (T, B) and of the multipliers (T, R) and binding flows (T, R) of R rows.

        Buses out of service have nan for a price and are left out. The multipliers are those of the limits, not below
        zero; a limit that does not bind has none, so the flow is the limit wherever it counts.
        """
        priced = lmp_per_mwh[:, ~np.isnan(lmp_per_mwh).all(axis=0)]
        if priced.shape[1] < 2 or np.isnan(priced).any():
            raise QuestionError("the market metrics need prices at two buses or more in every hour")
        high, low = np.percentile(priced, [95.0, 5.0], axis=1, method="hazen")
        return cls(
            mean_lmp=priced.mean(axis=1),
            p95_p5=high - low,
            std=priced.std(axis=1, ddof=1),
            largest_limit_price=limit_price_per_mwh.max(axis=1, initial=0.0),
            rent_per_h=(limit_price_per_mwh * np.abs(limit_mw)).sum(axis=1),
        )


def windows(hour_of_day: Integers, peak_hours: Sequence[int]) -> dict[Window, Flags]:
    """Return which hours (T,) each window holds."""
    peak = np.isin(hour_of_day, list(peak_hours))
    return {"all": np.ones(len(peak), dtype=np.bool_), "on_peak": peak, "off_peak": ~peak}


def five_metrics(
    hours: HourlyMarket, hour_of_day: Integers, peak_hours: Sequence[int], weight: Vector | None = None
) -> Matrix:
    """Return the metrics (3, 5), in the order of :data:`WINDOWS` and :data:`METRICS`; nan for an empty window.

    ``weight`` (T,) is what each hour counts, such as the days that its day stands for; left out, hours count alike.
    Binding hours then are hours out of T, and the rent is that of an average day.
    """
    count = np.ones(len(hour_of_day)) if weight is None else np.asarray(weight, dtype=np.float64)
    if count.shape != hours.mean_lmp.shape or (count < 0).any() or not count.sum() > 0:
        raise QuestionError(f"{len(hours.mean_lmp)} hours need as many weights, none below zero and not all zero")
    count = count * (len(count) / count.sum())
    binding = hours.largest_limit_price > BINDING_PER_MWH
    found = np.full((len(WINDOWS), len(METRICS)), np.nan)
    for place, held in enumerate(windows(hour_of_day, peak_hours).values()):
        total = count[held].sum()
        if not total > 0:
            continue
        means = [float(count[held] @ part[held]) / total for part in (hours.mean_lmp, hours.p95_p5, hours.std)]
        rent = _PER_MILLION * float(count[held] @ hours.rent_per_h[held]) * _HOURS_PER_DAY / len(count)
        found[place] = [*means, float(count[held] @ binding[held]), rent]
    return found


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of a metric over sites, and the distance between its quartiles."""

    median: float
    iqr: float
    sites: int

    @classmethod
    def of(cls, values: Vector) -> Self:
        """Return the spread of values (n,), with the midpoint rule; nan where there is none."""
        if not len(values):
            return cls(np.nan, np.nan, 0)
        low, middle, high = np.percentile(values, [25.0, 50.0, 75.0], method="hazen")
        return cls(float(middle), float(high - low), len(values))


def paired_change(one: Vector, other: Vector) -> tuple[Spread, int, int]:
    """Return the spread of ``other - one`` over the sites that both have, and how many rose and fell.

    Medians of two sets of sites differ also because the sets do (survivors): the paired change does not.
    """
    both = ~(np.isnan(one) | np.isnan(other))
    change = other[both] - one[both]
    return Spread.of(change), int((change > _ROUNDING).sum()), int((change < -_ROUNDING).sum())
