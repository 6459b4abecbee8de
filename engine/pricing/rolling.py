"""Prices in real time: solved again in every period from what is measured, for the hours ahead as they are forecast.

In each period the operator and the hubs see its demand, sun and arriving work as they are, and forecasts of the periods
after it. Prices for the whole window are found (:mod:`engine.pricing.smooth`), starting from those of the period
before; the first of them counts. Hubs answer them for their window and do its first period. Then batteries, stores,
generators and waiting work stand where that left them, and the window moves on, as long as at first to its end: into
the next day (:data:`BEYOND`). Batteries and stores end each window, not the day, with what they began the day with.
Work that was put off in hope of less to come, and cannot be done in time any more, is done late and told
(:mod:`engine.pricing.late`). At the end it is told what the day would have come to had everything been known
beforehand, and had it ended with what batteries, stores and waiting work then ended with.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Integers, Matrix, Vector
from engine.pricing.case import HubCase
from engine.pricing.congestion import Overloads
from engine.pricing.evaluation import Evaluation, Fleet
from engine.pricing.hubs import Hub, Profile, Work
from engine.pricing.late import in_time
from engine.pricing.smooth import smooth_prices
from engine.pricing.starts import begun

BEYOND = "After the last period its day is taken to come again, known no better than other hours so far ahead."
HOURS = 24.0
Tick = Callable[[int, int], None]  # periods that are done, of how many
_THIRD = 3  # part of the time of a step, for the prices that it begins with
_DONE = 1e-9  # MWh: less work than that is rounding


@dataclass(frozen=True, slots=True, eq=False)
class Rolled:
    """A day of prices as they were when they counted."""

    price: Matrix  # (K, T), $/MWh
    withdrawal_mw: Matrix  # (I, T)
    overloads: Overloads
    overload_cost: float  # $
    hub_cost: Vector  # (I,), $, without the operator's prices and without curvature
    missed_mwh: Vector  # (I,), work that was done late, each period that it waited longer, or not done by the day's end
    waiting_mwh: Vector  # (I,), work that waits at the end for the next day
    step_s: Vector  # (T,), time of each period's prices
    end: tuple[Hub, ...]  # as hubs stand at the end: what batteries, stores and work hold
    foresight: Evaluation  # the same day with everything known beforehand, and the same end
    foresight_cost: Vector  # (I,), $, what hubs pay then, as above


def rolled(  # noqa: PLR0913 (how far ahead, how uncertain, how long: by name)
    case: HubCase, *, window: int = 24, error: float = 0.1, seed: int = 0, step_s: float = 1.8, tick: Tick | None = None
) -> Rolled:
    """Return a day of prices that look ``window`` periods ahead, beyond its end too; ``error``: deviation of forecasts.

    A forecast is what comes times ``exp(error * noise * sqrt(periods ahead / window))``. Raises QuestionError for a
    window or an error out of its range, and what :meth:`Fleet.at` raises.
    """
    if not 1 <= window <= case.periods:
        raise QuestionError(f"a window of {window} periods; 1 to {case.periods}")
    if not 0.0 <= error <= 1.0:
        raise QuestionError(f"the forecasts' standard deviation is {error:g}; 0 to 1")
    case.checked()
    rng, hubs = np.random.default_rng(seed), case.hubs
    price, withdrawal = np.zeros((case.area_count, case.periods)), np.zeros((len(hubs), case.periods))
    cost, missed, took, ahead = np.zeros(len(hubs)), np.zeros(len(hubs)), np.zeros(case.periods), None
    for now in range(case.periods):
        begin = time.perf_counter()
        seen, late = _window(case, hubs, now, window, error, rng)
        missed += late
        fleet = Fleet.of(seen)
        starts = begun(seen, fleet.programs, step_s / _THIRD)
        if ahead is not None:
            starts["before"] = _moved_on(ahead, seen.periods)
        if len(starts) > 1:
            del starts["none"]  # the time is short
        found = smooth_prices(fleet, starts, time_limit_s=max(step_s - (time.perf_counter() - begin), 0.1)).best.found
        took[now] = time.perf_counter() - begin
        ahead = found.price
        price[:, now], withdrawal[:, now] = found.price[:, 0], found.withdrawal_mw[:, 0]
        for at, (own, response) in enumerate(zip(fleet.programs, found.responses, strict=True)):
            first = np.concatenate([own.place(kind)[:1] for kind in own.kinds])
            cost[at] += float(own.cost[first] @ response.x[first])
        hubs = tuple(
            _after(hub, {kind: float(own.of(response.x, kind)[0]) for kind in own.kinds}, case.step_h)
            for hub, own, response in zip(seen.hubs, fleet.programs, found.responses, strict=True)
        )
        if tick is not None:
            tick(now + 1, case.periods)
    known = Fleet.of(ending_with(case, hubs))
    foresight = smooth_prices(known, begun(known.case, known.programs) | {"rolled": price}, seed=seed).best.found
    overloads = Overloads.of(case, withdrawal)
    waiting = np.array([0.0 if hub.work is None else sum(hub.work.before_mwh) for hub in hubs])
    return Rolled(
        price, withdrawal, overloads, overloads.cost(case), cost, missed, waiting, took, hubs, foresight,
        known.hub_costs(foresight),
    )  # fmt: skip


def ending_with(case: HubCase, ended: tuple[Hub, ...]) -> HubCase:
    """Return the day as its hubs ``ended`` it: batteries and stores no emptier, and without the work that waits then.

    The work that waits is what came last, as the oldest is done first.
    """
    hubs = []
    for hub, end in zip(case.hubs, ended, strict=True):
        battery, hydrogen, work = hub.battery, hub.hydrogen, hub.work
        if battery is not None and end.battery is not None:
            battery = replace(battery, end_mwh=end.battery.start_mwh)
        if hydrogen is not None and end.hydrogen is not None:
            hydrogen = replace(hydrogen, end_mwh=end.hydrogen.start_mwh)
        if work is not None and end.work is not None:
            arrived = np.asarray(work.arrivals_mw)[::-1] * case.step_h
            later = np.concatenate([[0.0], np.cumsum(arrived)])[:-1]
            waits = np.clip(sum(end.work.before_mwh) - later, 0.0, arrived)
            work = replace(work, arrivals_mw=tuple(((arrived - waits)[::-1] / case.step_h).tolist()))
        hubs.append(replace(hub, battery=battery, hydrogen=hydrogen, work=work))
    return replace(case, hubs=tuple(hubs))


def _periods_ahead(case: HubCase, now: int, count: int) -> Integers:
    """Return which of the case's periods (count,) the window has: after the last one those of its day again."""
    day = min(max(round(HOURS / case.step_h), 1), case.periods)
    ahead = now + np.arange(count)
    return np.where(ahead < case.periods, ahead, case.periods - day + (ahead - case.periods) % day)


def _window(  # noqa: PLR0913, PLR0917 (what is seen, of what, when)
    case: HubCase, hubs: tuple[Hub, ...], now: int, count: int, error: float, rng: np.random.Generator
) -> tuple[HubCase, Vector]:
    """Return the case of ``count`` periods from ``now`` on as it is seen then, and the MWh of work (I,) missed now.

    ``hubs`` stand as they are measured.
    """
    ahead = _periods_ahead(case, now, count)
    spread = error * np.sqrt(np.arange(count) / max(count, 1))

    def seen(actual: Profile) -> Profile:
        if not actual:
            return ()
        noise = rng.standard_normal(count)
        return tuple((np.asarray(actual)[ahead] * np.exp(spread * noise)).tolist())

    told, missed = [], np.zeros(len(hubs))
    for at, (actual, measured) in enumerate(zip(case.hubs, hubs, strict=True)):
        work = measured.work
        if work is not None and actual.work is not None:
            arrivals, deadline = seen(actual.work.arrivals_mw), min(actual.work.deadline, count)
            asked = replace(work, arrivals_mw=_that_fit(arrivals, work), deadline=deadline)
            work, missed[at] = in_time(asked, count, case.step_h)
        told.append(replace(measured, demand_mw=seen(actual.demand_mw), sun_mw=seen(actual.sun_mw), work=work))
    network = replace(
        case.network, background_mw=case.network.background_mw[:, ahead],
        substation_mw=case.network.substation_mw[ahead],
    )  # fmt: skip
    seen_case = replace(
        case, hubs=tuple(told), network=network, buy_per_mwh=_picked(case.buy_per_mwh, ahead),
        sell_per_mwh=_picked(case.sell_per_mwh, ahead), labels=tuple(case.labels[t] for t in ahead if case.labels),
    )  # fmt: skip
    return seen_case, missed


def _picked(profile: Profile, ahead: Integers) -> Profile:
    return tuple(profile[t] for t in ahead)


def _that_fit(arrivals: Profile, work: Work) -> Profile:
    """Return forecasts of work of which no period has more than could be done in it; what has arrived is as it is."""
    return (*arrivals[:1], *(min(each, work.most_mw) for each in arrivals[1:]))


def _after(hub: Hub, done: dict[str, float], step_h: float) -> Hub:
    """Return a hub as it stands after the first period, in which it did ``done`` (kind -> value)."""
    battery, hydrogen, generator, work = hub.battery, hub.hydrogen, hub.generator, hub.work
    if battery is not None:
        end = battery.start_mwh if battery.end_mwh is None else battery.end_mwh
        held = float(np.clip(done["energy"], battery.least_mwh, battery.energy_mwh))
        battery = replace(battery, start_mwh=held, end_mwh=end)
    if hydrogen is not None:
        end = hydrogen.start_mwh if hydrogen.end_mwh is None else hydrogen.end_mwh
        held = float(np.clip(done["hydrogen"], 0.0, hydrogen.store_mwh))
        hydrogen = replace(hydrogen, start_mwh=held, end_mwh=end)
    if generator is not None:
        generator = replace(generator, before_mw=float(np.clip(done["generated"], 0.0, generator.power_mw)))
    if work is not None:
        work = replace(work, before_mwh=_waiting(work, done["work"] * step_h, step_h))
    return replace(hub, battery=battery, hydrogen=hydrogen, generator=generator, work=work)


def _waiting(work: Work, done_mwh: float, step_h: float) -> Profile:
    """Return what waits after the first period, by how many periods are left for it; the oldest work is done first."""
    queue = np.zeros(max(len(work.before_mwh), work.deadline))
    queue[: len(work.before_mwh)] = work.before_mwh
    queue[work.deadline - 1] += work.arrivals_mw[0] * step_h
    before = np.concatenate([[0.0], np.cumsum(queue)])[:-1]
    left = queue - np.clip(done_mwh - before, 0.0, queue)
    left[left < _DONE] = 0.0
    return tuple(left[1:].tolist()) if left[1:].any() else ()


def _moved_on(price: Matrix, periods: int) -> Matrix:
    """Return prices (K, W) from their second period on, for so many periods; the last one stays."""
    place = np.minimum(np.arange(1, periods + 1), price.shape[1] - 1)
    return price[:, place]
