"""A case of hubs: the hubs, their network, a day of tariffs, and what the operator weighs when it sets prices."""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

import numpy as np

from engine.errors import NetworkDataError, Problem
from engine.network.model import Integers, Matrix
from engine.pricing.hubs import Battery, Generator, Hub, Hydrogen, Profile, Work
from engine.pricing.network import HubNetwork

Fairness = Literal["hubs", "mean", "time"]
GUARD_PER_MWH = 1e-3  # that buying costs more than selling brings, at least: else both at once would pay
MOST_HUBS, MOST_PERIODS = 5_000, 192


@dataclass(frozen=True, slots=True)
class Terms:
    """What the operator makes least: overloads, and what prices differ from none, over time and between hubs."""

    line_per_mwh: float = 100.0  # $ of a MWh that a line carries beyond its limit
    substation_per_mwh: float = 100.0
    level: float = 0.01  # $ for each $/MWh that the price of a hub in a period is changed by
    smooth: float = 0.01  # for each $/MWh that it changes by from one period to the next
    fair: float = 0.01  # for each $/MWh that two hubs' differ by
    fairness: Fairness = "hubs"  # between each two hubs, from the hubs' mean, or over time as the source prints it


@dataclass(frozen=True, slots=True)
class PriceRange:
    """What the operator may add to the price of imports, $/MWh; and to that of exports, where it may.

    As far as an overload weighs: at a smaller price some that is worth its cure is not cured.
    """

    least: float = -100.0
    most: float = 100.0
    exports: bool = False  # the same is added to what exports are paid: a price of net withdrawal


@dataclass(frozen=True, slots=True)
class Curvature:
    """How much dearer the last MWh is than the first: the quadratic follower's own part, a choice.

    In $/MWh over the whole range of each quantity: rising cost of comfort and of buying more, wear and switching. A
    quantity of range r has the second derivative ``share * rise / r``.
    """

    exchange: float = 4.0  # import and export
    work: float = 4.0
    battery: float = 2.0  # charge and discharge
    own: float = 4.0  # generator, electrolyser, fuel cell, curtailment
    ramp: float = 1.0
    held: float = 0.2  # energy, hydrogen and work that wait at the end of a period
    share: float = 1.0  # kappa: of all of these


@dataclass(frozen=True, slots=True, eq=False)
class HubCase:
    """I hubs over T periods of ``step_h`` hours. Nothing is checked here: :meth:`checked` does."""

    hubs: tuple[Hub, ...]
    network: HubNetwork
    buy_per_mwh: Profile  # (T,)
    sell_per_mwh: Profile  # (T,)
    step_h: float = 1.0
    labels: tuple[str, ...] = ()  # (T,), of the periods; () for their numbers
    terms: Terms = field(default_factory=Terms)
    prices: PriceRange = field(default_factory=PriceRange)
    curvature: Curvature = field(default_factory=Curvature)
    areas: tuple[int, ...] = ()  # (I,), hubs of one area have one price; () for a price for each hub

    @property
    def periods(self) -> int:
        """Return T."""
        return len(self.buy_per_mwh)

    @property
    def area(self) -> Integers:
        """Return (I,) positions of the hubs' areas, counted from 0."""
        return np.asarray(self.areas or range(len(self.hubs)), dtype=np.intp)

    @property
    def area_count(self) -> int:
        """Return the number of areas, K."""
        return int(self.area.max()) + 1

    def of_areas(self, price: Matrix) -> Matrix:
        """Return prices (K, T) of the areas: each the mean of its hubs' (I, T)."""
        found = np.zeros((self.area_count, self.periods))
        np.add.at(found, self.area, price)
        return np.asarray(found / np.bincount(self.area)[:, np.newaxis])

    def buying(self) -> Matrix:
        """Return (I, T), $/MWh that hubs pay before the operator's prices."""
        base = np.array([hub.base_per_mwh for hub in self.hubs])
        return np.asarray(np.asarray(self.buy_per_mwh) + base[:, np.newaxis])

    def price_bounds(self) -> tuple[Matrix, Matrix]:
        """Return the least and most of the operator's prices (K, T): buying always costs more than selling brings."""
        least = np.full((self.area_count, self.periods), self.prices.least)
        if not self.prices.exports:
            sells = np.array([hub.export_mw > 0.0 for hub in self.hubs])
            floor = np.asarray(self.sell_per_mwh) + GUARD_PER_MWH - self.buying()
            np.maximum.at(least, self.area[sells], floor[sells])
        return least, np.maximum(least, self.prices.most)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of everything in the case."""
        network = self.network
        told: dict[str, Any] = {
            "hubs": [asdict(hub) for hub in self.hubs],
            "day": [self.buy_per_mwh, self.sell_per_mwh, self.step_h, self.labels],
            "asked": [asdict(self.terms), asdict(self.prices), asdict(self.curvature), self.areas],
            "network": [network.lines, network.import_mw, network.export_mw],
        }
        found = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
        for values in (network.share, network.background_mw, network.limit_mw, network.substation_mw):
            found.update(np.ascontiguousarray(values, dtype=np.float64).tobytes())
        return found.hexdigest()

    def checked(self) -> Self:
        """Return the case. Raises NetworkDataError with everything that is wrong with its numbers, at once."""
        if problems := [*self._of_the_day(), *self._of_hubs(), *self.network.problems(len(self.hubs)), *self._asked()]:
            raise NetworkDataError(problems)
        return self

    def _of_the_day(self) -> Iterator[Problem]:
        if not 0 < self.periods <= MOST_PERIODS:
            yield _problem("day", f"the day has {self.periods} periods; 1 to {MOST_PERIODS}")
        if not (math.isfinite(self.step_h) and 0.0 < self.step_h <= 24.0):
            yield _problem("day", f"a period has {self.step_h:g} h; above 0, to 24")
        if self.network.periods != self.periods:
            yield _problem("day", f"the network has {self.network.periods} periods, the prices {self.periods}")
        if self.labels and len(self.labels) != self.periods:
            yield _problem("day", f"{len(self.labels)} labels for {self.periods} periods")
        yield from _profile("day", "price of buying", self.buy_per_mwh, self.periods, least=-math.inf)
        yield from _profile("day", "price of selling", self.sell_per_mwh, self.periods, least=-math.inf)

    def _of_hubs(self) -> Iterator[Problem]:
        if not 0 < len(self.hubs) <= MOST_HUBS:
            yield _problem("hubs", f"{len(self.hubs)} hubs; 1 to {MOST_HUBS}")
        seen: set[str] = set()
        sells = np.asarray(self.sell_per_mwh)
        for at, hub in enumerate(self.hubs):
            if hub.name in seen:
                yield _problem("hubs", f"two hubs are named {hub.name}", hub.name, at)
            seen.add(hub.name)
            for text in hub_problems(hub, self.periods):
                yield _problem("hubs", text, hub.name, at)
            buys = np.asarray(self.buy_per_mwh) + hub.base_per_mwh
            if hub.export_mw > 0.0 and buys.shape == sells.shape:
                for t in np.flatnonzero(buys < sells + GUARD_PER_MWH).tolist():
                    yield _problem(
                        "hubs", f"hub {hub.name} buys at {buys[t]:g} $/MWh in period {t + 1} and sells at "
                        f"{sells[t]:g}: buying must cost at least {GUARD_PER_MWH:g} more", hub.name, at,
                    )  # fmt: skip
        if self.areas and (len(self.areas) != len(self.hubs) or set(self.areas) != set(range(len(set(self.areas))))):
            yield _problem("hubs", "areas are one number for each hub, counted from 0 without a gap")

    def _asked(self) -> Iterator[Problem]:
        for holder in (self.terms, self.curvature):
            for name, value in asdict(holder).items():
                if isinstance(value, float | int) and not (math.isfinite(value) and value >= 0.0):
                    yield _problem("terms", f"{name} is {value:g}; a number of at least 0")
        for name, value in asdict(self.curvature).items():
            if value == 0.0:
                yield _problem("terms", f"the curvature {name} is 0; the quadratic follower needs more")
        least, most = self.prices.least, self.prices.most
        if not (math.isfinite(least) and math.isfinite(most) and least <= 0.0 <= most):
            yield _problem("terms", f"the operator's prices run from {least:g} to {most:g} $/MWh; 0 must be within")


def hub_problems(hub: Hub, periods: int) -> list[str]:
    """Return everything that is wrong with the numbers of one hub, in words."""
    found = [
        *_numbers(hub.name, (("import limit, MW,", hub.import_mw, 0.0), ("export limit, MW,", hub.export_mw, 0.0),
                             ("base charge", hub.base_per_mwh, -math.inf),
                             ("price of curtailment", hub.curtailment_per_mwh, 0.0))),
        *(each.message for each in _profile(f"hub {hub.name}", "demand", hub.demand_mw, periods)),
    ]  # fmt: skip
    if hub.sun_mw:
        found += [each.message for each in _profile(f"hub {hub.name}", "sun", hub.sun_mw, periods)]
    if hub.battery is not None:
        found += _battery(hub.name, hub.battery)
    if hub.hydrogen is not None:
        found += _hydrogen(hub.name, hub.hydrogen)
    if hub.generator is not None:
        found += _generator(hub.name, hub.generator)
    if hub.work is not None:
        found += _work(hub.name, hub.work, periods)
    return found


def _battery(name: str, row: Battery) -> list[str]:
    found = _numbers(name, (("power of its battery, MW,", row.power_mw, 0.0),
                            ("energy of its battery, MWh,", row.energy_mwh, 0.0),
                            ("wear of its battery", row.wear_per_mwh, 0.0)))  # fmt: skip
    found += _shares(name, (("charging", row.charge_efficiency), ("discharging", row.discharge_efficiency)))
    for words, value in (("begins", row.start_mwh), ("ends", row.start_mwh if row.end_mwh is None else row.end_mwh)):
        if not 0.0 <= row.least_mwh <= value <= row.energy_mwh:
            found.append(
                f"the battery of hub {name} {words} with {value:g} MWh; from {row.least_mwh:g} to {row.energy_mwh:g}, "
                "and neither below 0"
            )
    return found


def _hydrogen(name: str, row: Hydrogen) -> list[str]:
    found = _numbers(name, (("power of its electrolyser, MW,", row.electrolyser_mw, 0.0),
                            ("power of its fuel cell, MW,", row.fuel_cell_mw, 0.0),
                            ("hydrogen store, MWh,", row.store_mwh, 0.0),
                            ("cost of hydrogen", row.cost_per_mwh, 0.0)))  # fmt: skip
    found += _shares(name, (("electrolysis", row.electrolyser_efficiency), ("the fuel cell", row.fuel_cell_efficiency)))
    for words, value in (("begins", row.start_mwh), ("ends", row.start_mwh if row.end_mwh is None else row.end_mwh)):
        if not 0.0 <= value <= row.store_mwh:
            found.append(f"the store of hub {name} {words} with {value:g} MWh; from 0 to {row.store_mwh:g}")
    return found


def _generator(name: str, row: Generator) -> list[str]:
    found = _numbers(name, (("power of its generator, MW,", row.power_mw, 0.0),
                            ("cost of its generator", row.cost_per_mwh, 0.0)))  # fmt: skip
    if row.ramp_mw is not None:
        found += _numbers(name, (("ramp of its generator, MW,", row.ramp_mw, 0.0),))
    if row.before_mw is not None and not 0.0 <= row.before_mw <= row.power_mw:
        found.append(f"the generator of hub {name} ran at {row.before_mw:g} MW before; from 0 to {row.power_mw:g}")
    return found


def _work(name: str, row: Work, periods: int) -> list[str]:
    found = _numbers(name, (("most work, MW,", row.most_mw, 0.0), ("price of waiting", row.waiting_per_mwh, 0.0)))
    found += [each.message for each in _profile(f"hub {name}", "arriving work", row.arrivals_mw, periods)]
    if len(row.before_mwh) > periods or not all(math.isfinite(mwh) and mwh >= 0.0 for mwh in row.before_mwh):
        found.append(f"the work of hub {name} from before is one number of at least 0 for each of the first periods")
    if not 1 <= row.deadline <= periods:
        found.append(f"the deadline of work at hub {name} is {row.deadline} periods; 1 to {periods}")
    return found


def _numbers(name: str, rows: Iterable[tuple[str, float, float]]) -> list[str]:
    return [
        f"the {words} of hub {name} is {value:g}; it must be a number{f' of at least {least:g}' if least == 0 else ''}"
        for words, value, least in rows
        if not (math.isfinite(value) and value >= least)
    ]


def _shares(name: str, rows: Iterable[tuple[str, float]]) -> list[str]:
    return [
        f"the efficiency of {words} at hub {name} is {value:g}; above 0, to 1"
        for words, value in rows
        if not (math.isfinite(value) and 0.0 < value <= 1.0)
    ]


def _profile(who: str, words: str, values: Profile, periods: int, least: float = 0.0) -> Iterator[Problem]:
    if len(values) != periods:
        yield _problem("series", f"the {words} of {who} has {len(values)} values for {periods} periods")
    for t, value in enumerate(values):
        if not (math.isfinite(value) and value >= least):
            floor = " of at least 0" if least == 0.0 else ""
            yield _problem("series", f"the {words} of {who} in period {t + 1} is {value:g}; it must be a number{floor}")


def _problem(code: str, message: str, element: str = "", row: int | None = None) -> Problem:
    return Problem(code, "error", message, "hubs", row, element=element)
