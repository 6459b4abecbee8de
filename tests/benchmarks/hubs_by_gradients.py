"""What exact gradients bring to quick prices of a large fleet, beside other ways to go on and gradients alone.

Of 300 hubs on days of two seeds the search of the program goes from the prices it begins with, and then once more:
from its end left by gradients of the rounded objective, as the program does; from its end with prices drawn beside it;
and from no prices. And gradients alone: overloads and absolute values rounded at their bends, less and less, and
L-BFGS-B from the prices that the search begins with. What counts is the true objective, the least on the way.
Source of the method: Byrd, Lu, Nocedal and Zhu, "A limited memory algorithm for bound constrained optimization", SIAM
J. Sci. Comput. 16, 1995.
"""

import time
from collections.abc import Iterator

import numpy as np
from scipy.optimize import minimize

from engine.network.model import Matrix, Vector
from engine.pricing.cases import fleet
from engine.pricing.evaluation import Fleet
from engine.pricing.gradients import Rounding, rounded
from engine.pricing.response import Response
from engine.pricing.smooth import Ended, smooth_prices
from engine.pricing.starts import begun

HUBS, SEEDS, LIMIT_S = 300, (0, 1), 47.0  # s of the processor, of gradients alone
BEGUN_S = 600.0  # by the clock, for prices to begin with and each search
ROUNDED = ((0.05, 1.0), (0.01, 0.3), (0.002, 0.1))  # MW of an overload, and $/MWh of prices, one after the other
DRAWN_PER_MWH = 6.0  # standard deviation of prices beside an end


class _OverError(Exception):
    """The time is over."""


class _Alone:
    """A search by gradients alone: the least true objective so far, and after how many answers of all hubs."""

    def __init__(self, own: Fleet) -> None:
        self.own, self.shape = own, own.case.price_bounds()[0].shape
        self.near: tuple[Response, ...] = ()
        self.least, self.answers, self.begin = np.inf, 0, time.process_time()

    def at(self, prices: Vector, by: Rounding) -> tuple[float, Vector]:
        """Return the rounded value and its gradient at prices (K T,)."""
        if time.process_time() - self.begin > LIMIT_S:
            raise _OverError
        found = self.own.at(prices.reshape(self.shape), self.near)
        self.near, self.least, self.answers = found.responses, min(self.least, found.objective), self.answers + 1
        value, slope = rounded(self.own, found, by)
        return value, slope.ravel()

    def search(self, start: Matrix) -> None:
        """Search from prices (K, T) until the time is over or all roundings are done."""
        least, most = self.own.case.price_bounds()
        now = np.clip(start, least, most).ravel()
        try:
            for each in ROUNDED:
                now = minimize(
                    self.at, now, args=(Rounding(*each),), jac=True, method="L-BFGS-B",
                    bounds=list(zip(least.ravel(), most.ravel(), strict=True)),
                    options={"maxiter": 400, "maxfun": 1000, "ftol": 1e-7},
                ).x  # fmt: skip
        except _OverError:
            return


def by_gradients() -> Iterator[str]:
    """Yield a row for each day: the search, what each way to go on comes to, and gradients alone."""
    yield "\n## Ways to go on from where a large fleet's search ends\n"
    yield f"Of {HUBS} hubs, the objective in $ and s of the processor in brackets, each way from the same prices:\n"
    yield (
        "| seed | the search | and again, its end left by gradients | and again, prices drawn beside its end "
        "| and again, from no prices | gradients alone (L-BFGS-B) |"
    )
    yield "|---|---|---|---|---|---|"
    for seed in SEEDS:
        case = fleet(HUBS, seed=seed)
        own = Fleet.of(case)
        least, most = case.price_bounds()
        start = begun(case, own.programs, BEGUN_S)["alike"]
        first, again = smooth_prices(own, {"alike": start}, time_limit_s=BEGUN_S, seed=0).ends
        draw = np.random.default_rng(0).normal(0.0, DRAWN_PER_MWH, least.shape)
        drawn = _from(own, np.clip(first.found.price + draw, least, most))
        none = _from(own, np.zeros_like(least))
        alone = _Alone(own)
        alone.search(start)
        cells = [
            *(f"{end.found.objective:.1f} ({end.processor_s:.0f})" for end in (first, again, drawn, none)),
            f"{alone.least:.1f} ({time.process_time() - alone.begin:.0f}, {alone.answers} answers)",
        ]
        yield f"| {seed} | {' | '.join(cells)} |"


def _from(own: Fleet, price: Matrix) -> Ended:
    return smooth_prices(own, {"one": price}, time_limit_s=BEGUN_S).best
