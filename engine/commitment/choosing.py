"""Schedules put together from the units' menus, one whole program after the other: Benders' decomposition by hours.

The master chooses one day for each unit. What it costs beyond the relaxation's bound is what the days cost their units
more than the best ones, and what each hour's dispatch costs more than at the relaxation's prices; the second is not
known, and is bounded from below by cuts, one for each hour and each dispatch done so far (:mod:`.hourly`). A choice is
dispatched exactly; if it is not good enough, or supplies too little, its prices make the next cuts. So the master has a
hundred rows where the whole program has forty thousand, and it learns what only a dispatch of the network knows.

What a dispatch lacked is asked for in MW and has no price: the next choice has to suffice. The first choice is dear,
and its days are on the menu, so that the master always has one to begin with.

Any prices make cuts that hold, whatever loads they were found at. So a day with a site begins with what the day without
it has learned, and asks for a little more than it tells, because the site's load reaches limits that were not met. What
is asked for beyond the cuts may leave out the best choice: the master finds schedules, and no bound is made of it.

Source: Benders, Numerische Mathematik 4, 1962; Van Roy, "Cross decomposition for mixed integer programming",
Mathematical Programming 25, 1983.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import coo_array, csr_array, vstack

from engine.commitment.bound import Prices
from engine.commitment.hourly import Hourly
from engine.commitment.instance import Instance
from engine.commitment.integer import solve_integer
from engine.commitment.menu import Menu, corrected
from engine.commitment.ramps import RampPrices
from engine.network.model import Flags, Integers
from engine.program import LinearProgram, Status

Evaluate = Callable[[Flags], tuple[float, Prices] | None]  # the cost of a choice (T, N), inf if it supplies too little

_MORE = 2.0  # times as long for a choice, where none was found that helps
_FIRST_WIDTH = 7.5e-6  # of the bound: how much worse than its best the days of a menu may be at first
_WIDEST = 0.15  # of the gap asked: menus are doubled up to this
_GIVEN_LACKED = 2  # how often a search has lacked something that begins with the cuts of another
_WORTHWHILE = 0.02  # of the gap asked, that a choice must promise to save
_SOON = 0.7  # of the gap asked: a choice that promises as much is dispatched at once
_GAP = 0.01
_MASTER_S = 4.0  # of one choice at first
_SCARCE_PER_MWH = 1000.0  # a dispatch with a higher price breaks something
_MARGIN_MW = 2.0  # of what it lacks: a choice that just suffices in one respect seldom does in all
_MOST_LACKED = 4  # times the margin that is asked for in addition
_SAME = 1e-6  # $/h: a unit whose loss differs by less has no entry in a cut


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What a master chose."""

    on: Flags  # (T, N)
    promise: float  # $, what it costs beyond the bound, as far as the cuts tell
    best: bool = True  # of the menus, so far as the cuts tell; else the time was over before that was known


class Master:
    """One day for each unit, and the cuts that are known."""

    def __init__(
        self,
        instance: Instance,
        prices: Prices,
        most: float,
        also: Sequence[Flags] = (),
        margin_mw: float = _MARGIN_MW,
    ) -> None:
        self.margin_mw = margin_mw
        self.instance, self.prices = instance, replace(prices, ramps=RampPrices.none())
        self.reference = Hourly.of(instance, self.prices)
        self.menu = Menu.of(instance, self.reference, most, also)
        self.lacked = 0  # how many dispatches in a row broke something
        self.more_mw: list[float] = []  # that a row asks for while they do: a choice that suffices is found sooner
        self.rows: list[csr_array] = []
        self.least: list[float] = []

    def learn(self, prices: Prices) -> None:
        """Take the cuts that the prices of a dispatch make; hours that break something ask for more."""
        menu, reference, found = self.menu, self.reference, Hourly.of(self.instance, prices)
        loss, end = (found.loss - reference.loss).T, (found.end - reference.end).T
        more = menu.on * loss[menu.unit] + menu.ends * end[menu.unit]
        hours, days = self.instance.hours, len(menu.unit)
        scarce = prices.energy > _SCARCE_PER_MWH
        worth = found.worth - reference.worth + np.where(scarce, self.margin_mw * prices.energy, 0.0)
        more_mw = self.margin_mw * self.lacked
        self.lacked = min(self.lacked + 1, _MOST_LACKED) if scarce.any() else 0
        for hour in range(hours):
            own = np.flatnonzero(np.abs(more[:, hour]) > _SAME)
            if own.size:
                column, value = np.append(own, days + hour), np.append(-more[own, hour], 1.0)
                if scarce[hour]:  # a choice must suffice, whatever that costs: in MW, and none of it for money
                    column, value = own, -more[own, hour] / prices.energy[hour]
                    worth[hour] /= prices.energy[hour]
                place = (np.zeros(len(column), dtype=np.intp), column)
                self.rows.append(csr_array(coo_array((value, place), shape=(1, days + hours))))
                self.least.append(float(worth[hour]))
                self.more_mw.append(more_mw if scarce[hour] else 0.0)

    def choose(self, near: Flags | None, *, enough: float, time_limit_s: float) -> Choice | None:
        """Return the best choice; None without one. The solver begins with ``near`` (T, N).

        A choice that promises to cost ``enough`` $ beyond the bound, or less, is taken at once.
        """
        menu, hours = self.menu, self.instance.hours
        days, units = len(menu.unit), len(self.instance.committed)
        one = coo_array((np.ones(days), (menu.unit, np.arange(days))), shape=(units, days + hours))
        asked = np.array(self.least) + np.array(self.more_mw) * bool(self.lacked)
        start = None
        if near is not None:
            same = (menu.on == near.T[menu.unit]).all(axis=1)
            start = np.concatenate([same.astype(np.float64), np.zeros(hours)]) if same.sum() == units else None
        program = LinearProgram(
            cost=np.concatenate([menu.extra, np.ones(hours)]),
            matrix=csr_array(vstack([csr_array(one), *self.rows], format="csr")),
            row_lower=np.concatenate([np.ones(units), asked]),
            row_upper=np.concatenate([np.ones(units), np.full(len(asked), np.inf)]),
            lower=np.zeros(days + hours),
            upper=np.concatenate([np.ones(days), np.full(hours, np.inf)]),
        )
        found = solve_integer(program, np.arange(days), gap=_GAP, time_limit_s=time_limit_s, target=enough, start=start)
        if not np.isfinite(found.objective):
            return None
        taken: Integers = np.flatnonzero(found.x[:days] > 0.5)
        on = np.zeros((hours, units), dtype=np.bool_)
        on[:, menu.unit[taken]] = menu.on[taken].T
        return Choice(on, found.objective, found.status is Status.OPTIMAL)


@dataclass(slots=True, eq=False)
class Choosing:
    """The search for a schedule that costs at most ``wanted`` $ more than the bound at ``prices``."""

    instance: Instance
    prices: Prices
    wanted: float  # $
    evaluate: Evaluate
    end: float  # of the time, as time.perf_counter counts
    given: Sequence[Prices] = ()  # learned at other loads of the same units and limits
    learned: list[Prices] = field(default_factory=list)
    tried: list[Flags] = field(default_factory=list)  # (T, N) each, whose dispatches taught it
    best: float = np.inf  # $
    near: Flags | None = None  # (T, N), the choice of that cost

    def run(self, bound: float, first: Flags | None = None) -> None:
        """Evaluate one choice after the other; ``bound`` is that of the prices, in $.

        ``first`` (T, N) is a choice that probably supplies enough, however dear it is: better than none in the end.
        """
        choice = None
        if first is not None:
            choice = corrected(self.instance, Hourly.of(self.instance, self.prices), first)
        if choice is not None:
            found = self.evaluate(choice)
            if found is None:
                return
            self.best = found[0]
            self._learn(choice, found[1])
            self.near = choice if np.isfinite(self.best) else None
        also = () if self.near is None else (self.near,)
        widest = _WIDEST * self.wanted
        most = min(_FIRST_WIDTH * abs(bound), widest)
        while True:
            master = Master(self.instance, self.prices, most, also)
            for prices in (*self.given, *self.learned):
                master.learn(prices)
            if self.given:
                master.lacked = max(master.lacked, _GIVEN_LACKED)
            if self._with(master, bound) or most >= widest:
                return
            most = min(2.0 * most, widest)

    def _learn(self, choice: Flags, prices: Prices) -> None:
        self.tried.append(choice)
        self.learned.append(prices)

    def _with(self, master: Master, bound: float) -> bool:
        """Return whether the search is over; else the master's menus offer nothing better."""
        seconds = _MASTER_S
        seen: set[bytes] = set()
        while self.best - bound > self.wanted:
            left = self.end - time.perf_counter()
            if left <= 0.0:
                return True
            choice = master.choose(self.near, enough=_SOON * self.wanted, time_limit_s=min(seconds, left))
            if choice is None or choice.promise > self.best - bound - _WORTHWHILE * self.wanted:
                if seconds > left or (choice is not None and choice.best):
                    return False
                seconds *= _MORE  # too short to find one
                continue
            if choice.on.tobytes() in seen:  # its own cuts do not tell it from what it promised
                return False
            seen.add(choice.on.tobytes())
            found = self.evaluate(choice.on)
            if found is None:
                return True
            cost, prices = found
            self._learn(choice.on, prices)
            master.learn(prices)
            if cost < self.best:
                self.best, self.near = cost, choice.on
        return True
