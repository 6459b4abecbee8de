"""Who should get what: a market taken apart where its lots have nothing to do with each other, and each part solved.

Additive valuations: each lot to the highest value. Additive, symmetric and unit-demand valuations together: one
assignment problem. Few bundles: dynamic programming over the bidders. Everything else: a mixed-integer program.
Letters: N bidders, M lots of the part, U blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array

from engine.auction.demand import bundles_of
from engine.auction.encoding import encode
from engine.auction.values import SUBSTITUTES, Additive, Campus, Counts, Money, Symmetric, UnitDemand, Valuation
from engine.errors import SolverError
from engine.integer import MixedIntegerProgram, solve_integer
from engine.program import Status

TRIED = 2**6  # bundles up to which dynamic programming over the bidders is faster than a program
_LEAST = 1e-12  # what nobody values is sold to nobody


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some lots that go together, with every bidder's values for bundles of them."""

    lots: Counts  # (M,), their places in the whole market
    valuations: tuple[Valuation, ...]  # (N,)
    quantity: Counts  # (M,)
    seller: Money  # (M,), what the seller keeps a block for

    def worth(self, bundles: Counts) -> float:
        """Return the value of (N, M) bundles, with the seller's of the rest."""
        values = sum(v.value(bundle) for v, bundle in zip(self.valuations, bundles, strict=True))
        return values + float(self.seller @ (self.quantity - bundles.sum(axis=0)))


@dataclass(frozen=True, slots=True, eq=False)
class Owners:
    """An allocation of one part."""

    bundles: Counts  # (N, M)
    bound: float  # no allocation is worth more
    status: Status
    method: str  # in words


def parts_of(valuations: Sequence[Valuation], quantity: Counts, seller: Money) -> tuple[Part, ...]:
    """Return the parts of a market whose values add up: its buses, if all are additive or campuses at one bus each."""
    everything = Part(np.arange(len(quantity)), tuple(valuations), quantity, seller)
    campuses = [v for v in valuations if isinstance(v, Campus) and v.counted == "at each bus"]
    additive = [v for v in valuations if isinstance(v, Additive)]
    if not campuses or len(campuses) + len(additive) < len(valuations):
        return (everything,)
    return tuple(
        Part(
            site,
            tuple(v.only(site) for v in valuations if isinstance(v, Additive | Campus)),
            quantity[site],
            seller[site],
        )
        for site in campuses[0].sites()
    )


def solve_part(part: Part, time_limit_s: float) -> Owners:
    """Return an allocation of a part whose value is largest, or the best that was found in time.

    Raises SolverError if a program has no allocation by then.
    """
    if all(isinstance(valuation, Additive) for valuation in part.valuations):
        bundles, method = _highest(part), "each product to the highest value"
    elif all(isinstance(valuation, SUBSTITUTES) for valuation in part.valuations):
        bundles, method = _assigned(part), "an assignment of blocks to marginal values"
    elif np.prod(part.quantity + 1.0) <= TRIED:
        bundles, method = _tried(part), "every bundle, bidder by bidder"
    else:
        return _programmed(part, time_limit_s)
    return Owners(bundles, part.worth(bundles), Status.OPTIMAL, method)


def _highest(part: Part) -> Counts:
    """Give each lot to the highest value."""
    valuations, quantity = part.valuations, part.quantity
    bundles = np.zeros((len(valuations), len(quantity)), dtype=np.int64)
    if valuations:
        worth = np.array([v.block for v in valuations if isinstance(v, Additive)])
        owner, sold = worth.argmax(axis=0), worth.max(axis=0) >= np.maximum(part.seller, _LEAST)
        bundles[owner[sold], np.flatnonzero(sold)] = quantity[sold]
    return bundles


def _assigned(part: Part) -> Counts:
    """Assign blocks to marginal values of symmetric bidders, to unit-demand bidders, or to the best additive value.

    A symmetric bidder's k-th block is worth the same whichever it is, and the gains fall with k: the best assignment
    takes his first ones. So the sum is that of a gross-substitutes market, whose assignment is integral.
    """
    valuations, quantity, seller = part.valuations, part.quantity, part.seller
    lot = np.repeat(np.arange(len(quantity)), quantity)
    blocks = len(lot)
    marginal = [(i, gain) for i, v in enumerate(valuations) if isinstance(v, Symmetric) for gain in np.diff(v.total)]
    marginal = sorted(marginal, key=lambda pair: -pair[1])[:blocks]
    single = [(i, v.block) for i, v in enumerate(valuations) if isinstance(v, UnitDemand)]
    additive = [(i, v.block) for i, v in enumerate(valuations) if isinstance(v, Additive)]
    other = np.array([seller, *(block for _, block in additive)])  # row 0: the seller keeps it
    columns = np.full((blocks, len(marginal) + len(single) + blocks), -np.inf)
    columns[:, : len(marginal)] = [gain for _, gain in marginal]
    for place, (_, block) in enumerate(single):
        columns[:, len(marginal) + place] = block[lot]
    columns[np.arange(blocks), len(marginal) + len(single) + np.arange(blocks)] = other.max(axis=0)[lot]
    owners = [i for i, _ in marginal] + [i for i, _ in single]
    bundles = np.zeros((len(valuations), len(quantity)), dtype=np.int64)
    for row, column in zip(*linear_sum_assignment(columns, maximize=True), strict=True):
        if columns[row, column] < _LEAST:
            continue
        if column < len(owners):
            bundles[owners[column], lot[row]] += 1
        elif (best := int(other[:, lot[row]].argmax())) > 0:
            bundles[additive[best - 1][0], lot[row]] += 1
    return bundles


def _tried(part: Part) -> Counts:
    """Let one bidder after the other take some of what is left, and keep the best way for every rest."""
    bundles = np.concatenate(list(bundles_of(part.quantity)))  # (K, M)
    # Bundles are numbered so that the number of a difference is the difference of the numbers.
    inside = (bundles[np.newaxis, :, :] <= bundles[:, np.newaxis, :]).all(axis=2)  # [left, taken]
    number = np.arange(len(bundles))
    rest = np.where(inside, number[:, np.newaxis] - number, 0)
    best: Money = bundles @ part.seller
    taken = []
    for valuation in part.valuations:
        total = np.where(inside, valuation.values(bundles) + best[rest], -np.inf)
        taken.append(total.argmax(axis=1))
        best = total.max(axis=1)
    found, left = np.zeros((len(part.valuations), len(part.quantity)), dtype=np.int64), len(bundles) - 1
    for place in reversed(range(len(part.valuations))):
        mine = int(taken[place][left])
        found[place], left = bundles[mine], left - mine
    return found


def _programmed(part: Part, time_limit_s: float) -> Owners:
    """Solve a part as a mixed-integer program. Raises SolverError without an allocation in time."""
    valuations, quantity, seller = part.valuations, part.quantity, part.seller
    codes = [encode(valuation) for valuation in valuations]
    lots = len(quantity)
    starts = np.concatenate([[0], np.cumsum([len(code.gain) for code in codes])]).astype(int)
    gain = np.concatenate([code.gain for code in codes])
    rows, columns, entries, upper = [], [], [], []
    count = 0
    for start, code in zip(starts, codes, strict=False):
        gain[start : start + lots] -= seller  # what a bidder gets the seller does not keep
        row, column = np.nonzero(code.rows)
        rows.append(count + row)
        columns.append(start + column)
        entries.append(code.rows[row, column])
        upper.append(code.row_upper)
        rows.append(np.full(lots, -1))  # supply rows are counted from the end: one for each lot
        columns.append(start + np.arange(lots))
        entries.append(np.ones(lots))
        count += len(code.rows)
    row_of = np.concatenate(rows)
    row_of[row_of == -1] = np.tile(count + np.arange(lots), len(codes))
    shape = (count + lots, int(starts[-1]))
    matrix = csr_array((np.concatenate(entries), (row_of, np.concatenate(columns))), shape=shape)
    limits = np.concatenate([*upper, quantity.astype(np.float64)])
    program = MixedIntegerProgram(
        -gain, np.concatenate([code.upper for code in codes]), np.concatenate([code.integer for code in codes])
    ).with_rows(matrix, np.full(len(limits), -np.inf), limits)
    found = solve_integer(program, time_limit_s=time_limit_s)
    if not np.isfinite(found.objective):
        raise SolverError(f"no allocation was found within {time_limit_s:g} s: {found.message}")
    bundles = np.array(
        [
            _useful(valuation, found.x[start : start + lots].astype(np.int64))
            for valuation, start in zip(valuations, starts, strict=False)
        ]
    )
    bound = float(seller @ quantity) - found.bound
    return Owners(bundles, max(bound, part.worth(bundles)), found.status, "a mixed-integer program")


def _useful(valuation: Valuation, bundle: Counts) -> Counts:
    """Return the bundle without the lots that add nothing to its value."""
    worth = valuation.value(bundle)
    for lot in np.flatnonzero(bundle):
        without = bundle.copy()
        without[lot] = 0
        if valuation.value(without) >= worth:
            bundle = without
    return bundle
