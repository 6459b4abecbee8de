"""The rows that say of hubs that what they do is their best: conditions of optimality, with a yes or no for each bound.

Hub by hub, with the operator's price p in the cost: ``c + E'p + Q x = A'y + r - s``; a column is at its lower bound or
its r is 0, at its upper bound or its s is 0. Q is 0 for linear hubs, and the curvature for quadratic ones.

Two things are added that follow from these, and are not seen by a program in which a yes or no may be in part: what a
hub pays is what its duals are worth (strong duality), with price times quantity between its McCormick bounds and a
square above its tangents; and no column is at both of its bounds.
Sources: Fortuny-Amat and McCarl, "A representation and economic interpretation of a two-level programming problem", J.
Oper. Res. Soc. 32, 1981; McCormick, "Computability of global solutions to factorable nonconvex programs", Math.
Program. 10, 1976.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import block_diag, csr_array, diags_array, eye_array, hstack, kron, vstack

from engine.network.model import Flags, Integers, Matrix, Vector
from engine.pricing.answered import Answered
from engine.pricing.central import Joint
from engine.pricing.congestion import Overloads, PriceTerms
from engine.pricing.program import HubProgram
from engine.program import LazyProgram, LinearProgram, Status

REACHED = 1e-7  # of a column's range: a bound that is farther off is never met
_TIGHT = 1e-6  # $, relative to 1 + what a hub can pay: how far strong duality may be missed by rounding
_TANGENTS = 5  # of a square, over its column's range
_NAMES = ("hubs", "prices", "absolute", "dual", "below", "above", "paid", "square", "at_low", "at_high")
Row = tuple[csr_array, Vector, Vector]


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """How far all hubs' columns (H,) go in any case."""

    least: Vector
    most: Vector
    moving: Flags  # not held at one value
    low: Integers  # that could be at their lower bound
    high: Integers

    @classmethod
    def of(cls, joint: Joint) -> "Reach":
        """Return it by two linear programs for each column. Raises InfeasibleError for a hub that has no point."""
        ends = [_ends(own) for own in joint.programs]
        least, most = (np.concatenate([each[k] for each in ends]) for k in (0, 1))
        hubs = int(joint.first[-1])
        lower, upper = joint.lower[:hubs], joint.upper[:hubs]
        moving = upper > lower
        room = REACHED * np.maximum(upper - lower, 1.0)
        low, high = np.flatnonzero(moving & (least <= lower + room)), np.flatnonzero(moving & (most >= upper - room))
        return cls(least, most, moving, low, high)


def _ends(own: HubProgram) -> tuple[Vector, Vector]:
    model = LazyProgram(LinearProgram(own.cost * 0.0, own.matrix, own.right, own.right, own.lower, own.upper))
    least, most = own.lower.copy(), own.upper.copy()
    for ends, sign in ((least, 1.0), (most, -1.0)):
        for at in np.flatnonzero(own.upper > own.lower).tolist():
            cost = np.zeros(len(own.cost))
            cost[at] = sign
            model.set_cost(cost)
            found = model.solve()
            if found.status is Status.INFEASIBLE:
                own.check()
            ends[at] = np.clip(sign * found.optimum().objective, own.lower[at], own.upper[at])
    return least, most


@dataclass(frozen=True, slots=True, eq=False)
class Ranges:
    """How far the columns (V,) of :class:`Conditions` go in every answer that counts."""

    lower: Vector
    upper: Vector


class Conditions:
    """The integer program and where its columns are."""

    def __init__(self, joint: Joint, reach: Reach, *, quadratic: bool) -> None:
        self.joint, self.reach, self.quadratic = joint, reach, quadratic
        self.terms = PriceTerms.of(joint.case)
        self.count = int(joint.first[-1])  # of hubs' columns
        own = joint.programs
        self.cost = np.concatenate([each.cost for each in own])
        self.curved = np.concatenate([each.curved for each in own]) * quadratic
        self.matrix = csr_array(block_diag([each.matrix for each in own], format="csr"))
        self.right = np.concatenate([each.right for each in own])
        self.priced = csr_array(block_diag([each.priced for each in own], format="csr"))  # (I T, H)
        areas = np.zeros((len(own), joint.case.area_count))
        areas[np.arange(len(own)), joint.case.area] = 1.0
        self.spread = csr_array(kron(csr_array(areas), eye_array(joint.case.periods)))  # (I T, K T), to each hub
        self.bent = np.flatnonzero(reach.moving & (self.curved > 0.0))
        low, high = len(reach.low), len(reach.high)
        sizes = (len(joint.weight), self.spread.shape[1], self.terms.rows.shape[0], len(self.right), low, high,
                 self.priced.shape[0], len(self.bent), low, high)  # fmt: skip
        ends = np.cumsum([0, *sizes])
        self.place = {name: np.arange(a, b) for name, (a, b) in zip(_NAMES, pairwise(ends.tolist()), strict=True)}
        self.width = int(ends[-1])
        self.whole = np.concatenate([self.place["at_low"], self.place["at_high"]])
        self.multipliers = np.concatenate([self.place["below"], self.place["above"]])
        hub = np.repeat(np.arange(len(own)), np.diff(joint.first))
        self.hub_of = np.concatenate([hub[reach.low], hub[reach.high]])  # of the multipliers

    def ranges(self) -> Ranges:
        """Return what is known of columns beforehand; of the multipliers of bounds, only that they are not negative."""
        joint, place = self.joint, self.place
        lower, upper = np.full(self.width, -np.inf), np.full(self.width, np.inf)
        for name in ("hubs", "absolute", "below", "above", "square", "at_low", "at_high"):
            lower[place[name]] = 0.0
        own = place["hubs"][: self.count]
        lower[own], upper[own] = self.reach.least, self.reach.most
        upper[place["hubs"][self.count :]] = joint.upper[self.count :]
        least, most = joint.case.price_bounds()
        lower[place["prices"]], upper[place["prices"]] = least.ravel(), most.ravel()
        upper[self.whole] = 1.0
        return Ranges(lower, upper)

    def price(self, x: Vector) -> Matrix:
        """Return the prices (K, T) of a point."""
        return x[self.place["prices"]].reshape(self.joint.case.area_count, -1)

    def begun(self, known: Answered) -> Vector:
        """Return the point (V,) of prices and the hubs' answers to them, its yes and no included.

        A bound that is met is a yes, also where nothing is carried there: so prices may still move.
        """
        x, own, joint, place = np.zeros(self.width), np.concatenate(known.points), self.joint, self.place
        lower, upper = joint.lower[: self.count], joint.upper[: self.count]
        room = REACHED * np.maximum(upper - lower, 1.0)
        price, rows = known.price.ravel(), self.terms.rows
        carried = self.cost + self.curved * own + self.priced.T @ (self.spread @ price)
        carried -= self.matrix.T @ np.concatenate(known.duals)
        at_low, at_high = own <= lower + room, own >= upper - room
        low, high = self.reach.low, self.reach.high
        drawn = np.array([each.withdrawal(part) for each, part in zip(joint.programs, known.points, strict=True)])
        over = Overloads.of(joint.case, drawn)
        x[place["hubs"]] = np.concatenate([own, over.line_mw.ravel(), over.substation_mw])
        x[place["prices"]], x[place["absolute"]] = price, np.abs(rows @ price)
        x[place["dual"]] = np.concatenate(known.duals)
        x[place["below"]] = np.where(at_low, np.maximum(carried, 0.0), 0.0)[low]
        x[place["above"]] = np.where(at_high, np.maximum(-carried, 0.0), 0.0)[high]
        x[place["paid"]] = (self.priced @ own) * (self.spread @ price)
        x[place["square"]] = own[self.bent] ** 2
        x[place["at_low"]], x[place["at_high"]] = at_low[low], at_high[high]
        return x

    def program(self, floor: float, ranges: Ranges) -> LinearProgram:
        """Return the program within ``ranges``; ``floor`` is what overloads weigh at least, whatever hubs do.

        A multiplier without an end has no row that ties it to its yes or no.
        """
        cost = np.zeros(self.width)
        cost[self.place["hubs"]], cost[self.place["absolute"]] = self.joint.weight, self.terms.weight
        rows, row_lower, row_upper = zip(*self._rows(floor, ranges), strict=True)
        matrix = csr_array(vstack(rows, format="csr"))
        return LinearProgram(
            cost, matrix, np.concatenate(row_lower), np.concatenate(row_upper), ranges.lower, ranges.upper
        )

    def _rows(self, floor: float, ranges: Ranges) -> Iterator[Row]:
        joint, terms = self.joint, self.terms
        yield self._wide({"hubs": joint.matrix}), joint.row_lower, joint.row_upper
        one = csr_array(eye_array(terms.rows.shape[0]))
        for sign in (1.0, -1.0):
            row = self._wide({"prices": sign * terms.rows, "absolute": one})
            yield row, np.zeros(row.shape[0]), np.full(row.shape[0], np.inf)
        yield self._stationary()
        yield from self._one_or_the_other(ranges)
        yield from self._paid(ranges)
        yield from self._squares(ranges)
        yield self._strong_duality()
        yield self._wide({"hubs": csr_array(joint.weight[np.newaxis])}), np.array([floor]), np.array([np.inf])

    def _wide(self, parts: dict[str, csr_array]) -> csr_array:
        """Return rows over all columns from blocks over some of them; hubs' columns may be without the overloads."""
        height = next(iter(parts.values())).shape[0]
        blocks = []
        for name in _NAMES:
            width = len(self.place[name])
            block = parts.get(name, csr_array((height, 0)))
            blocks.append(csr_array(hstack([block, csr_array((height, width - block.shape[1]))], format="csr")))
        return csr_array(hstack(blocks, format="csr"))

    def _picked(self, columns: Integers, values: Vector | float = 1.0) -> csr_array:
        """Return (k, H): the values at the columns."""
        count = len(columns)
        data = np.broadcast_to(np.asarray(values, dtype=np.float64), count)
        return csr_array((data, (np.arange(count), columns)), shape=(count, self.count))

    def _stationary(self) -> Row:
        """Return, for every column that can move, that its slope is what the bounds that it meets carry."""
        keep = np.flatnonzero(self.reach.moving)
        parts = {
            "hubs": csr_array(diags_array(self.curved)), "prices": csr_array(self.priced.T @ self.spread),
            "dual": csr_array(-self.matrix.T), "below": csr_array(-self._picked(self.reach.low).T),
            "above": csr_array(self._picked(self.reach.high).T),
        }  # fmt: skip
        right = -self.cost[keep]
        return self._wide({name: csr_array(block.tocsr()[keep]) for name, block in parts.items()}), right, right

    def _one_or_the_other(self, ranges: Ranges) -> Iterator[Row]:
        """Return that a column is at a bound or carries nothing there, and at one of its bounds at most."""
        lower, upper = self.joint.lower[: self.count], self.joint.upper[: self.count]
        least, most = ranges.lower[: self.count], ranges.upper[: self.count]
        sides = (
            (self.reach.low, "below", "at_low", 1.0, lower, most - lower),
            (self.reach.high, "above", "at_high", -1.0, -upper, upper - least),
        )
        for columns, multiplier, chosen, sign, end, span in sides:
            most_worth = ranges.upper[self.place[multiplier]]
            tied = np.flatnonzero(np.isfinite(most_worth))
            unit = csr_array(eye_array(len(columns)))
            row = self._wide({multiplier: unit[tied], chosen: csr_array(diags_array(-_finite(most_worth)))[tied]})
            yield row, np.full(len(tied), -np.inf), np.zeros(len(tied))
            room = np.maximum(span[columns], 0.0) + REACHED
            row = self._wide({"hubs": self._picked(columns, sign), chosen: csr_array(diags_array(room))})
            yield row, np.full(len(columns), -np.inf), end[columns] + room
        both, low, high = np.intersect1d(self.reach.low, self.reach.high, return_indices=True)
        at, one = np.arange(len(both)), np.ones(len(both))
        row = self._wide({
            "at_low": csr_array((one, (at, low)), shape=(len(both), len(self.reach.low))),
            "at_high": csr_array((one, (at, high)), shape=(len(both), len(self.reach.high))),
        })  # fmt: skip
        yield row, np.full(len(both), -np.inf), one

    def _paid(self, ranges: Ranges) -> Iterator[Row]:
        """Return McCormick's four bounds of price times quantity, for each hub and period."""
        up, down = (sign * csr_array((sign * self.priced).maximum(0.0)) for sign in (1.0, -1.0))
        lower, upper = ranges.lower[: self.count], ranges.upper[: self.count]
        few, many = np.asarray(up @ lower + down @ upper), np.asarray(up @ upper + down @ lower)
        least, most = (np.asarray(self.spread @ ends[self.place["prices"]]) for ends in (ranges.lower, ranges.upper))
        one = csr_array(eye_array(len(few)))
        ends = ((least, few, True), (most, many, True), (most, few, False), (least, many, False))
        for price, quantity, above in ends:
            row = self._wide({
                "hubs": csr_array(-diags_array(price) @ self.priced),
                "prices": csr_array(-diags_array(quantity) @ self.spread), "paid": one,
            })  # fmt: skip
            right, free = -price * quantity, np.full(len(few), np.inf)
            yield (row, right, free) if above else (row, -free, right)

    def _squares(self, ranges: Ranges) -> Iterator[Row]:
        """Return that a square is above its tangents and below its chord."""
        bent = self.bent
        if not bent.size:
            return
        low, high = ranges.lower[bent], ranges.upper[bent]
        one, free = csr_array(eye_array(len(bent))), np.full(len(bent), np.inf)
        for share in np.linspace(0.0, 1.0, _TANGENTS).tolist():
            at = low + share * (high - low)
            yield self._wide({"hubs": self._picked(bent, -2.0 * at), "square": one}), -at * at, free
        yield self._wide({"hubs": self._picked(bent, -(low + high)), "square": one}), -free, -low * high

    def _strong_duality(self) -> Row:
        """Return that each hub pays no more than its duals are worth; columns that are held are no one's choice."""
        joint, held = self.joint, ~self.reach.moving
        lower, upper = joint.lower[: self.count], joint.upper[: self.count]
        fixed = np.where(held, lower, 0.0)
        of = np.repeat(np.arange(len(joint.programs)), np.diff(joint.first))
        rows_of = np.repeat(np.arange(len(joint.programs)), [len(each.right) for each in joint.programs])
        periods_of = np.repeat(np.arange(len(joint.programs)), joint.case.periods)
        worth = self.right - self.matrix @ fixed

        def by_hub(values: Vector, hubs: Integers) -> csr_array:
            shape = (len(joint.programs), len(values))
            return csr_array((values, (hubs, np.arange(len(values)))), shape=shape)

        held_price = csr_array(by_hub(np.ones(self.priced.shape[0]), periods_of)
                               @ diags_array(np.asarray(self.priced @ fixed)) @ self.spread)  # fmt: skip
        row = self._wide({
            "hubs": by_hub(np.where(held, 0.0, self.cost), of), "prices": csr_array(-held_price),
            "dual": by_hub(-worth, rows_of), "below": by_hub(-lower[self.reach.low], of[self.reach.low]),
            "above": by_hub(upper[self.reach.high], of[self.reach.high]),
            "paid": by_hub(np.ones(self.priced.shape[0]), periods_of),
            "square": by_hub(self.curved[self.bent], of[self.bent]),
        })  # fmt: skip
        size = np.bincount(of, weights=np.abs(self.cost) * np.maximum(np.abs(lower), np.abs(upper)))
        return row, np.full(len(joint.programs), -np.inf), np.asarray(_TIGHT * (1.0 + size), dtype=np.float64)


def _finite(values: Vector) -> Vector:
    """Return the values, 0 for those without an end."""
    return np.where(np.isfinite(values), values, 0.0)
