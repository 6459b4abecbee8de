"""A feeder over the hours of a day: how much its loads draw, what energy costs at the substation, what may generate."""

import hashlib
import json
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from engine.distribution.checks import checked
from engine.distribution.feeder import Feeder
from engine.distribution.frames import Matrix, Vector
from engine.errors import NetworkDataError, Problem


@dataclass(frozen=True, slots=True, eq=False)
class FeederCase:
    """T hours of one feeder with L loads and G generators. Capacitors are always connected."""

    feeder: Feeder
    price_per_mwh: Vector  # (T,), at the substation
    load_share: Matrix  # (T, L), of each load's table power
    availability: Matrix  # (T, G), of each generator's most power
    labels: tuple[str, ...]  # (T,)

    @classmethod
    def of(
        cls,
        feeder: Feeder,
        price_per_mwh: npt.ArrayLike,
        load_share: npt.ArrayLike = 1.0,
        availability: npt.ArrayLike = 1.0,
        labels: tuple[str, ...] | None = None,
    ) -> Self:
        """Return the case of as many hours as there are prices.

        ``load_share`` and ``availability`` are one number, one per hour, or one per hour and load (generator).
        Raises NetworkDataError with everything that is wrong with the feeder, or with every number that is missing,
        not finite or out of its range.
        """
        checked(feeder)
        price = np.atleast_1d(np.asarray(price_per_mwh, dtype=np.float64))
        if price.ndim != 1 or not len(price):
            raise NetworkDataError("a case needs a list of prices, one for each hour")
        hours = len(price)
        named = labels if labels is not None else tuple(f"hour {hour + 1}" for hour in range(hours))
        if len(named) != hours:
            raise NetworkDataError(f"{len(named)} labels do not fit {hours} prices")
        problems = [
            Problem("not-a-number", "error", f"the price of {named[hour]} is not a number")
            for hour in np.flatnonzero(~np.isfinite(price)).tolist()
        ]
        loads = tuple(row.name for row in feeder.loads)
        generators = tuple(row.name for row in feeder.generators)
        share = _table(load_share, named, loads, ("load share", np.inf), problems)
        available = _table(availability, named, generators, ("availability", 1.0), problems)
        if problems:
            raise NetworkDataError(problems)
        return cls(feeder, price, share, available, named)

    @property
    def hours(self) -> int:
        """Return the number of hours, T."""
        return len(self.price_per_mwh)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the feeder and all the numbers."""
        tables = [self.price_per_mwh.tolist(), self.load_share.tolist(), self.availability.tolist(), self.labels]
        return hashlib.sha256((self.feeder.digest + json.dumps(tables)).encode()).hexdigest()

    def draw_scale(self, hour: int) -> Vector:
        """Return what loads and then capacitors draw in an hour, as shares of their table power."""
        return np.concatenate([self.load_share[hour], np.ones(len(self.feeder.capacitors))])


def centre_draw(case: FeederCase, centre_kw: npt.ArrayLike | None) -> Matrix:
    """Return the (T, C) draw of the data centres in kW; None draws nothing.

    Raises NetworkDataError with each entry that is not finite, below zero, or above what the centre can draw.
    """
    centres = case.feeder.centres
    if centre_kw is None:
        return np.zeros((case.hours, len(centres)))
    given = np.asarray(centre_kw, dtype=np.float64)
    if given.shape != (case.hours, len(centres)):
        raise NetworkDataError(
            f"the draw of data centres has the shape {given.shape}; the case has {case.hours} hours and "
            f"{len(centres)} centres"
        )
    problems = []
    for at, centre in enumerate(centres):
        # A battery may add its own power to what the computers draw, and may feed some of it back.
        extra = 0.0 if centre.battery is None else centre.battery.power_kw
        low, high = -extra, centre.most_kw + extra
        room = 1e-6 * (1.0 + high)
        bad = ~np.isfinite(given[:, at]) | (given[:, at] < low - room) | (given[:, at] > high + room)
        for hour in np.flatnonzero(bad).tolist():
            drawn = f"{centre.name} draws {given[hour, at]:g} kW in {case.labels[hour]}"
            text = f"{drawn}; its limits are {low:g} and {high:g} kW"
            problems.append(Problem("centre-draw", "error", text, "centres", at, element=centre.name))
    if problems:
        raise NetworkDataError(problems)
    return given


def _table(
    given: npt.ArrayLike,
    hours: tuple[str, ...],
    names: tuple[str, ...],
    limit: tuple[str, float],
    problems: list[Problem],
) -> Matrix:
    """Return ``given`` as hours by names, adding a problem for each entry below zero or above the limit."""
    word, most = limit
    found = np.asarray(given, dtype=np.float64)
    if found.ndim == 1:
        found = found[:, np.newaxis]
    try:
        table = np.broadcast_to(found, (len(hours), len(names))).copy()
    except ValueError:
        text = f"the {word} has the shape {np.shape(given)}; there are {len(hours)} hours and {len(names)} rows"
        problems.append(Problem("shape", "error", text))
        return np.zeros((len(hours), len(names)))
    bad = ~np.isfinite(table) | (table < 0.0) | (table > most)
    for hour, at in np.argwhere(bad).tolist():
        text = f"the {word} of {names[at]} in {hours[hour]} is {table[hour, at]:g}; it must be between 0 and {most:g}"
        problems.append(Problem("range", "error", text, row=at, element=names[at]))
    return table
