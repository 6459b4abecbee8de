"""Quick prices by gradients alone, beside the search of the program: from the same prices, of 300 hubs.

Overloads and absolute values are rounded at their bends, less and less, and L-BFGS-B follows the exact gradient of
that by one adjoint system for each hub. What counts is the true objective, the least on the way.
Source of the method: Byrd, Lu, Nocedal and Zhu, "A limited memory algorithm for bound constrained optimization", SIAM
J. Sci. Comput. 16, 1995.
"""

import time
from collections.abc import Iterator

import numpy as np
from scipy.optimize import minimize

from engine.network.model import Matrix, Vector
from engine.pricing.cases import fleet
from engine.pricing.central import Joint, together
from engine.pricing.evaluation import Fleet
from engine.pricing.program import programs
from engine.pricing.response import Response
from engine.pricing.smooth import smooth_prices
from engine.pricing.starts import begun, standing_for

HUBS, LIMIT_S = 300, 47.0  # s of the processor, of gradients
BEGUN_S = 600.0  # by the clock, for prices to begin with and the program's search
ROUNDED = ((0.05, 1.0), (0.01, 0.3), (0.002, 0.1))  # MW of an overload, and $/MWh of prices, one after the other


class _OverError(Exception):
    """The time is over."""


class _Rounded:
    """The rounded objective and its gradient, and the least true one so far."""

    def __init__(self, own: Fleet) -> None:
        self.own, self.shape = own, own.case.price_bounds()[0].shape
        self.near: tuple[Response, ...] = ()
        self.least, self.answers, self.begin = np.inf, 0, time.process_time()

    def at(self, prices: Vector, overload_mw: float, price_per_mwh: float) -> tuple[float, Vector]:
        """Return the value and the gradient at prices (K T,), rounded within so many MW and $/MWh of a bend."""
        if time.process_time() - self.begin > LIMIT_S:
            raise _OverError
        own, case = self.own, self.own.case
        found = own.at(prices.reshape(self.shape), self.near)
        self.near, self.least, self.answers = found.responses, min(self.least, found.objective), self.answers + 1
        over, terms, network = found.overloads, case.terms, case.network

        def rounded(mw: Matrix) -> tuple[float, Matrix]:
            value = np.where(mw < overload_mw, mw**2 / (2.0 * overload_mw), mw - overload_mw / 2.0)
            return float(value.sum()), np.minimum(mw / overload_mw, 1.0)

        (line, by_line), (whole, by_whole) = rounded(over.line_mw), rounded(over.substation_mw)
        by_line = by_line * np.sign(over.flow_mw) * terms.line_per_mwh
        by_whole = by_whole * np.sign(over.substation_flow_mw) * terms.substation_per_mwh
        by_withdrawal = (by_whole - network.share.T @ by_line) * case.step_h  # (I, T)
        slope = np.zeros(self.shape)
        for follower, response, each, area in zip(
            own.followers.each, found.responses, by_withdrawal, case.area.tolist(), strict=True
        ):
            slope[area] += follower.adjoint(response, each)
        weighed = own.terms.rows @ prices
        size = np.sqrt(weighed**2 + price_per_mwh**2)
        value = (terms.line_per_mwh * line + terms.substation_per_mwh * whole) * case.step_h
        value += float(own.terms.weight @ (size - price_per_mwh))
        return value, slope.ravel() + own.terms.rows.T @ (own.terms.weight * weighed / size)

    def search(self, start: Matrix) -> None:
        """Search from prices (K, T) until the time is over or all roundings are done."""
        least, most = self.own.case.price_bounds()
        now = np.clip(start, least, most).ravel()
        try:
            for rounding in ROUNDED:
                now = minimize(
                    self.at, now, args=rounding, jac=True, method="L-BFGS-B",
                    bounds=list(zip(least.ravel(), most.ravel(), strict=True)),
                    options={"maxiter": 400, "maxfun": 1000, "ftol": 1e-7},
                ).x  # fmt: skip
        except _OverError:
            return


def by_gradients() -> Iterator[str]:
    """Yield the rows of both searches, from the prices that the program begins with and from cruder ones."""
    case = fleet(HUBS)
    own, alike = Fleet.of(case), standing_for(case)
    cost = alike.of_areas(together(Joint.of(alike, programs(alike.checked()))).price)
    starts = {
        "found for hubs alike taken as one": begun(case, own.programs, BEGUN_S)["alike"],
        "what withdrawals cost the network there": np.clip(cost, *case.price_bounds()),
    }
    yield f"\nOf {HUBS} hubs, both searches from the same prices:\n"
    yield "| begun at prices | search | answers of all hubs | s of the processor | objective, $ |"
    yield "|---|---|---|---|---|"
    for name, start in starts.items():
        ended = smooth_prices(own, {"one": start}, time_limit_s=BEGUN_S).best
        yield (
            f"| {name} | the program's, within trust regions | {len(ended.steps) + 1} | {ended.processor_s:.1f} "
            f"| {ended.found.objective:.1f} |"
        )
        other = _Rounded(own)
        other.search(start)
        yield (
            f"| {name} | by gradients alone (L-BFGS-B) | {other.answers} | {time.process_time() - other.begin:.1f} "
            f"| {other.least:.1f} |"
        )
