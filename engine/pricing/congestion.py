"""What the operator counts: overloads of lines and of the substation, and how far prices are from none and from alike.

``F = line * overload of lines + substation * overload of it + level * |p|_1 + smooth * |D_t p|_1 + fair * |D p|_1``:
overloads in MWh, prices p in $/MWh, one of each area and period, and D over hubs, or over time as the source prints it.
An area's price is that of each of its hubs, so it counts for each of them.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import coo_array, csr_array, vstack

from engine.network.model import Matrix, Vector
from engine.pricing.case import HubCase


@dataclass(frozen=True, slots=True, eq=False)
class Overloads:
    """What flows and what is beyond limits, MW."""

    flow_mw: Matrix  # (L, T)
    line_mw: Matrix  # (L, T), beyond the limit
    substation_flow_mw: Vector  # (T,)
    substation_mw: Vector  # (T,), beyond the limit of import or export

    @classmethod
    def of(cls, case: HubCase, withdrawal_mw: Matrix) -> Self:
        """Return the overloads of withdrawals (I, T)."""
        network = case.network
        flow, whole = network.flows(withdrawal_mw), network.substation(withdrawal_mw)
        line = np.maximum(np.abs(flow) - network.limit_mw[:, np.newaxis], 0.0)
        beyond = np.maximum(whole - network.import_mw, 0.0) + np.maximum(-whole - network.export_mw, 0.0)
        return cls(flow, line, whole, beyond)

    def mwh(self, case: HubCase) -> float:
        """Return all that is beyond limits, MWh."""
        return float(self.line_mw.sum() + self.substation_mw.sum()) * case.step_h

    def cost(self, case: HubCase) -> float:
        """Return what overloads weigh, $."""
        lines = case.terms.line_per_mwh * float(self.line_mw.sum())
        return (lines + case.terms.substation_per_mwh * float(self.substation_mw.sum())) * case.step_h


@dataclass(frozen=True, slots=True, eq=False)
class ByExports:
    """Overloads that would not be there without what hubs export: prices on imports alone do not reach them."""

    line_mw: Matrix  # (L, T)
    substation_mw: Vector  # (T,)

    @classmethod
    def of(cls, case: HubCase, exports_mw: Matrix, overloads: Overloads) -> Self:
        """Return them for exports (I, T); none where the operator's price counts for exports too."""
        network, reached = case.network, case.prices.exports
        pushed = network.share @ exports_mw * (not reached)  # (L, T), added to flows
        way = np.sign(overloads.flow_mw)
        export = np.maximum(-overloads.substation_flow_mw - network.export_mw, 0.0)
        whole = exports_mw.sum(axis=0) * (not reached)
        return cls(np.minimum(overloads.line_mw, np.maximum(way * pushed, 0.0)), np.minimum(export, whole))

    def mwh(self, case: HubCase) -> float:
        """Return all of them, MWh."""
        return float(self.line_mw.sum() + self.substation_mw.sum()) * case.step_h


@dataclass(frozen=True, slots=True)
class PriceCost:
    """What prices weigh in the operator's objective, $."""

    level: float
    smooth: float
    fair: float

    @property
    def total(self) -> float:
        """Return all of it."""
        return self.level + self.smooth + self.fair


@dataclass(frozen=True, slots=True, eq=False)
class PriceTerms:
    """The absolute values that prices weigh by: ``weight' |rows @ p|`` with p the prices (K, T), row after row."""

    rows: csr_array  # (r, K T)
    weight: Vector  # (r,)
    parts: tuple[int, int, int]  # how many rows of level, smoothness and fairness

    @classmethod
    def of(cls, case: HubCase) -> Self:
        """Return the terms of a case."""
        count, periods, terms = case.area_count, case.periods, case.terms
        size = np.bincount(case.area, minlength=count).astype(np.float64)
        over_time = _over_time(count, periods)
        if terms.fairness == "time":
            between, share = over_time, np.repeat(size, periods - 1)
        elif terms.fairness == "mean":
            mean = np.eye(count) - np.tile(size / size.sum(), (count, 1))
            between, share = _for_each_period(mean, periods), np.repeat(size, periods)
        else:
            first, second = np.triu_indices(count, k=1)
            pairs = np.zeros((len(first), count))
            pairs[np.arange(len(first)), first], pairs[np.arange(len(first)), second] = 1.0, -1.0
            between, share = _for_each_period(pairs, periods), np.repeat(size[first] * size[second], periods)
        level = _for_each_period(np.eye(count), periods)
        weight = np.concatenate(
            [terms.level * np.repeat(size, periods), terms.smooth * np.repeat(size, periods - 1), terms.fair * share]
        )
        rows = csr_array(vstack([level, over_time, between], format="csr"))
        return cls(rows, weight, (level.shape[0], over_time.shape[0], between.shape[0]))

    def cost(self, price: Matrix) -> PriceCost:
        """Return what prices (K, T) weigh."""
        each = self.weight * np.abs(self.rows @ price.ravel())
        level, smooth, _ = np.cumsum(self.parts)
        return PriceCost(float(each[:level].sum()), float(each[level:smooth].sum()), float(each[smooth:].sum()))


def _for_each_period(between: Matrix, periods: int) -> csr_array:
    """Return rows over prices (K T) that do in each period what ``between`` (r, K) does."""
    found = coo_array(between)
    t = np.arange(periods)
    row = (found.row[:, np.newaxis] * periods + t).ravel()
    column = (found.col[:, np.newaxis] * periods + t).ravel()
    shape = (between.shape[0] * periods, between.shape[1] * periods)
    return csr_array(coo_array((np.repeat(found.data, periods), (row, column)), shape=shape))


def _over_time(count: int, periods: int) -> csr_array:
    """Return the rows (K (T-1), K T) of each price less that of the period before."""
    place = np.arange(count * periods).reshape(count, periods)
    after, before = place[:, 1:].ravel(), place[:, :-1].ravel()
    row = np.arange(len(after))
    values = np.repeat([1.0, -1.0], len(after))
    places = (np.tile(row, 2), np.concatenate([after, before]))
    return csr_array(coo_array((values, places), shape=(len(after), count * periods)))
