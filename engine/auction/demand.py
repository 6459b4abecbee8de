"""What a bidder wants at given prices: the bundles that maximise value minus price, and one of them.

Definition (6) of arXiv 2604.08854 with the choices among ties that make it deterministic. Additive, symmetric,
unit-demand and listed-bundle valuations are solved in closed form, a campus bus by bus; what a budget or eligibility
cuts is enumerated where there are at most ``ENUMERATED`` bundles, and else a mixed-integer program in HiGHS.
Letters: M lots, U blocks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.auction.encoding import encode
from engine.auction.values import (
    SIZE_TOLERANCE_MW,
    Additive,
    Bundles,
    Campus,
    Counts,
    Flags,
    Money,
    Symmetric,
    UnitDemand,
    Valuation,
)
from engine.errors import LimitError
from engine.integer import MixedIntegerProgram, solve_integer
from engine.program import Status, Vector

Prefer = Literal["smallest", "largest"]
Numbers = Literal["lowest", "highest"]

ENUMERATED = 2**16  # bundles that are tried one by one before a program is faster
MOST_BUNDLES = 2**20  # of a whole demand correspondence
_CHUNK = 2**14  # bundles whose values are computed at once, so that memory stays small
_TIE = 1e-11  # surpluses that differ by less, relative to the values, are equal: sums of decimals round


@dataclass(frozen=True, slots=True)
class Ties:
    """Which of several best bundles is taken: by the number of blocks, then by the lots' numbers."""

    prefer: Prefer = "smallest"
    numbers: Numbers = "lowest"


STANDARD = Ties()


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """What a bidder can still add: money and bidding units."""

    paid: float | None = None  # what he pays for what he holds; None: at the prices asked
    units: Counts | None = None  # (M,), bidding units of one block
    units_left: float = np.inf  # of his eligibility, beside what he holds


UNLIMITED = Means()


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """The maximum surplus and the bundles that reach it."""

    surplus: float
    bundles: Counts  # (K, M), in the order of their numbers


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """What a bidder can add to ``base``, block by block. The blocks of each lot stand in rising order of cost."""

    base: Counts  # (M,), blocks that he keeps whatever happens
    lot: Counts  # (U,), lot of each block that can be added, rising
    cost: Money  # (U,), in each lot rising
    limits: tuple[tuple[Vector, float], ...] = ()  # (weight of each block (U,), room for their sum)

    def room(self) -> Counts:
        """Return the (M,) numbers of blocks that can be added."""
        return np.bincount(self.lot, minlength=len(self.base)).astype(np.int64)

    def blocks(self, added: Counts) -> Counts:
        """Return the places of the cheapest blocks that make up ``added`` (M,)."""
        first = np.concatenate([[0], np.cumsum(self.room())[:-1]])
        rank = np.arange(len(self.lot)) - first[self.lot]
        return np.flatnonzero(rank < added[self.lot])

    def price(self, added: Counts) -> float:
        """Return what ``added`` (M,) costs."""
        return float(self.cost[self.blocks(added)].sum())

    def fits(self, added: Counts) -> bool:
        """Return whether ``added`` (M,) keeps every limit."""
        if not self.limits:
            return True
        chosen = self.blocks(added)
        return all(float(weight[chosen].sum()) <= room + _slack(room) for weight, room in self.limits)


def best_bundle(
    valuation: Valuation,
    prices: Money | Counts,
    held: Counts | None = None,
    ties: Ties = STANDARD,
    means: Means = UNLIMITED,
) -> Counts:
    """Return the (M,) blocks that a straightforward bidder wants: what he holds and what he would add to it.

    Maximises value minus price over the bundles that contain ``held`` (M,). ``prices`` (M,) are personal: what one
    more block of each lot would cost him, the minimum bid. Among equals ``ties`` decides.

    The valuation's budget must cover what he pays for what he holds and what he adds; his eligibility must cover the
    bidding units of what he adds (``means``).
    Beyond ``ENUMERATED`` bundles under such limits, and for a campus over very many lots, the bundle is a best one,
    but which of several of one size is the solver's choice (always the same one), and so is the size itself where
    the solver does not settle it. Raises SolverError if a program does not reach its optimum.
    """
    base = np.zeros(len(valuation.quantity), dtype=np.int64) if held is None else held
    cost = np.asarray(prices, dtype=np.float64)
    lot = np.repeat(np.arange(len(base)), valuation.quantity - base)
    limits: list[tuple[Vector, float]] = []
    if valuation.budget is not None:
        spent = float(cost @ base) if means.paid is None else means.paid
        limits.append((cost[lot], valuation.budget - spent))
    if means.units is not None:
        limits.append((means.units[lot].astype(np.float64), means.units_left))
    offer = Offer(base, lot, cost[lot], tuple(limits))
    return base + best_addition(valuation, offer, ties)


def best_addition(valuation: Valuation, offer: Offer, ties: Ties = STANDARD) -> Counts:
    """Return the (M,) blocks to add to ``offer.base``: value minus cost is largest, ties as in :func:`best_bundle`.

    A budget counts only where it is one of the offer's limits. Raises SolverError as :func:`best_bundle`.
    """
    added = _without_limits(valuation, offer, ties)
    if offer.fits(added):
        return added
    if _number_of_bundles(offer.room()) <= ENUMERATED:
        return _enumerated(valuation, offer, ties)
    return _programmed(valuation, offer, ties)


def correspondence(valuation: Valuation, prices: Money | Counts, held: Counts | None = None) -> Demand:
    """Return every bundle that contains ``held`` and maximises value minus price at ``prices`` (M,) per block.

    The surplus counts the price of ``held`` too. A budget is not looked at: demand in the sense of (6) has none.
    Raises LimitError beyond ``MOST_BUNDLES`` bundles.
    """
    base = np.zeros(len(valuation.quantity), dtype=np.int64) if held is None else held
    cost = np.asarray(prices, dtype=np.float64)
    lot = np.repeat(np.arange(len(base)), valuation.quantity - base)
    gain, bundles = maximisers(valuation, Offer(base, lot, cost[lot]))
    return Demand(gain - float(cost @ base), bundles)


def maximisers(valuation: Valuation, offer: Offer) -> tuple[float, Counts]:
    """Return the largest value minus cost of additions, and every (K, M) bundle (with the base) that reaches it.

    Raises LimitError beyond ``MOST_BUNDLES`` bundles.
    """
    number = _number_of_bundles(offer.room())
    if number > MOST_BUNDLES:
        raise LimitError(f"there are {number} bundles; all best ones are listed up to {MOST_BUNDLES}")
    best, kept, surpluses = -np.inf, np.zeros((0, len(offer.base)), dtype=np.int64), np.zeros(0)
    for added, surplus in _surpluses(valuation, offer):
        best = max(best, float(surplus.max(initial=-np.inf)))
        near = surplus >= best - _tie(valuation)
        kept, surpluses = np.concatenate([kept, added[near]]), np.concatenate([surpluses, surplus[near]])
        near = surpluses >= best - _tie(valuation)
        kept, surpluses = kept[near], surpluses[near]
    return best, offer.base + kept


def bundles_of(room: Counts) -> Iterator[Counts]:
    """Give all (K, M) bundles within ``room`` (M,) blocks, some thousands at a time, nothing first."""
    free, number = np.flatnonzero(room), _number_of_bundles(room)
    shape = tuple(int(n) + 1 for n in room[free])
    for start in range(0, number, _CHUNK):
        places = np.arange(start, min(start + _CHUNK, number))
        found = np.zeros((len(places), len(room)), dtype=np.int64)
        if len(free):  # numpy's arrays have 64 dimensions at most: lots without room are none
            found[:, free] = np.stack(np.unravel_index(places, shape), axis=1)
        yield found


def _surpluses(valuation: Valuation, offer: Offer) -> Iterator[tuple[Counts, Money]]:
    """Give the additions that keep the limits, and value minus cost of each, some thousands at a time."""
    room = offer.room()
    for added in bundles_of(room):
        surplus = valuation.values(offer.base + added) - _summed(offer.cost, room, added)
        inside = np.ones(len(added), dtype=np.bool_)
        for weight, most in offer.limits:
            inside &= _summed(weight, room, added) <= most + _slack(most)
        yield added[inside], surplus[inside]


def _summed(weight: Vector, room: Counts, added: Counts) -> Money:
    """Return the (K,) sums of the weights (U,) of the first ``added`` (K, M) blocks of each lot."""
    total, first = np.zeros(len(added)), 0
    for place, blocks in enumerate(room):
        upto = np.concatenate([[0.0], np.cumsum(weight[first : first + blocks])])
        total += upto[added[:, place]]
        first += blocks
    return total


def _enumerated(valuation: Valuation, offer: Offer, ties: Ties) -> Counts:
    found = [(surplus, added) for added, surplus in _surpluses(valuation, offer) if len(added)]
    if not found:
        return np.zeros_like(offer.base)  # what is held breaks a limit already: nothing can be added
    surplus = np.concatenate([part for part, _ in found])
    added = np.concatenate([part for _, part in found])
    return _chosen(added[surplus >= surplus.max() - _tie(valuation)], ties)


def _chosen(added: Counts, ties: Ties) -> Counts:
    """Return one of several (K, M) bundles: by the number of blocks, then by the lots' numbers."""
    size = added.sum(axis=1)
    added = added[size == (size.min() if ties.prefer == "smallest" else size.max())]
    keys = added if ties.numbers == "lowest" else added[:, ::-1]  # the first lot to have more blocks is the one wanted
    row: Counts = added[np.lexsort(keys.T[::-1])[-1]]
    return row


def _without_limits(valuation: Valuation, offer: Offer, ties: Ties) -> Counts:
    match valuation:
        case Additive():
            gain = valuation.block[offer.lot] - offer.cost
            wanted = gain > _tie(valuation) if ties.prefer == "smallest" else gain >= -_tie(valuation)
            return _counted(offer, np.flatnonzero(wanted))
        case Symmetric():
            return _by_number(valuation, offer, ties)
        case UnitDemand() if ties.prefer == "smallest":
            return _single(valuation, offer, ties)
        case UnitDemand() | Bundles():
            return _listed(valuation, offer, ties)
        case Campus():
            return _by_site(valuation, offer, ties)


def _by_number(valuation: Symmetric, offer: Offer, ties: Ties) -> Counts:
    """Add the cheapest blocks while the next adds more than it costs: exact, because the gains fall."""
    order = _cheapest_first(offer, ties)
    held = int(offer.base.sum())
    gain = np.diff(valuation.total[held:])[: len(order)] - offer.cost[order]
    wanted = gain > _tie(valuation) if ties.prefer == "smallest" else gain >= -_tie(valuation)
    return _counted(offer, order[: _leading(wanted)])


def _single(valuation: UnitDemand, offer: Offer, ties: Ties) -> Counts:
    """Add the one block that gains most over what is held, if any gains."""
    gain = np.maximum(valuation.block[offer.lot] - valuation.value(offer.base), 0.0) - offer.cost
    best = gain.max(initial=0.0)
    if best <= _tie(valuation):
        return np.zeros_like(offer.base)
    equal = np.flatnonzero(gain >= best - _tie(valuation))
    return _counted(offer, equal[:1] if ties.numbers == "lowest" else equal[-1:])


def _listed(valuation: UnitDemand | Bundles, offer: Offer, ties: Ties) -> Counts:
    """Try what completes each listed bundle: any best bundle holds one of these, and costs no less."""
    lots = len(offer.base)
    listed = valuation.listed if isinstance(valuation, Bundles) else np.eye(lots, dtype=np.int64)
    added = np.maximum(np.concatenate([np.zeros((1, lots), dtype=np.int64), listed - offer.base]), 0)
    room = offer.room()
    added = added[(added <= room).all(axis=1)]
    surplus = valuation.values(offer.base + added) - _summed(offer.cost, room, added)
    best = added[surplus >= surplus.max() - _tie(valuation)]
    return _chosen(_with_free(offer, best) if ties.prefer == "largest" else best, ties)


def _by_site(valuation: Campus, offer: Offer, ties: Ties) -> Counts:
    """Solve every site by itself: a campus is worth the same whatever is built at another site.

    Where the blocks that are worth their price alone make a campus, they are best: no bundle gains more. Only at sites
    where they do not, or where what is held does not make one, the bundles are tried.
    """
    gain, site_of, sites = valuation.block[offer.lot] - offer.cost, valuation.site_of(), valuation.sites()
    wanted = gain > _tie(valuation) if ties.prefer == "smallest" else gain >= -_tie(valuation)
    added = _counted(offer, np.flatnonzero(wanted))
    held = np.bincount(site_of, offer.base, len(sites)) > 0
    simple = (~held | _complete(valuation, offer.base)) & _complete(valuation, offer.base + added)
    simple |= np.bincount(site_of, offer.base + added, len(sites)) == 0
    if ties.prefer == "smallest":
        most_mw = np.bincount(site_of, (offer.base + offer.room()) * valuation.block_mw, len(sites))
        hopeless = most_mw < valuation.minimum_mw - SIZE_TOLERANCE_MW
        added[hopeless[site_of]] = 0
        simple |= hopeless
    for number in np.flatnonzero(~simple):
        site, here = sites[number], site_of[offer.lot] == number
        part = Offer(offer.base[site], np.searchsorted(site, offer.lot[here]), offer.cost[here])
        small, only = _number_of_bundles(part.room()) <= ENUMERATED, valuation.only(site)
        added[site] = _enumerated(only, part, ties) if small else _programmed(only, part, ties)
    return added


def _complete(valuation: Campus, bundle: Counts) -> Flags:
    """Return at which sites a bundle (M,) makes a campus in which all of it is used."""
    site_of, number = valuation.site_of(), len(valuation.sites())
    with_firm = np.bincount(valuation.bus, bundle * valuation.firm) > 0
    idle = np.bincount(site_of, bundle * ~with_firm[valuation.bus], number) > 0
    large = np.bincount(site_of, bundle * valuation.block_mw, number) >= valuation.minimum_mw - SIZE_TOLERANCE_MW
    complete: Flags = large & ~idle
    return complete


def _programmed(valuation: Valuation, offer: Offer, ties: Ties) -> Counts:
    """Solve the choice as a mixed-integer program, then once more for the fewest or the most blocks."""
    code, lots, blocks = encode(valuation), len(offer.base), len(offer.lot)
    aux = len(code.gain)
    cost = np.concatenate([-code.gain, offer.cost])
    program = MixedIntegerProgram(
        cost=cost,
        upper=np.concatenate([code.upper, np.ones(blocks)]),
        integer=np.concatenate([code.integer, np.ones(blocks, dtype=np.bool_)]),
    )
    held = np.zeros((lots, aux + blocks))  # blocks of each lot = those held + those added
    held[:, :lots] = np.eye(lots)
    held[offer.lot, aux + np.arange(blocks)] = -1.0
    program = program.with_rows(held, offer.base.astype(np.float64), offer.base.astype(np.float64))
    wide = np.hstack([code.rows, np.zeros((len(code.rows), blocks))])
    program = program.with_rows(wide, np.full(len(wide), -np.inf), code.row_upper)
    for weight, room in offer.limits:
        row = np.concatenate([np.zeros(aux), weight])[np.newaxis, :]
        program = program.with_rows(row, np.array([-np.inf]), np.array([max(room, 0.0)]))
    first = solve_integer(program).optimum()
    sign = 1.0 if ties.prefer == "smallest" else -1.0
    reach = np.array([first.objective + _PROGRAM_TIE * (1.0 + abs(first.objective))])
    second = program.with_rows(cost[np.newaxis, :], np.array([-np.inf]), reach)
    size = np.concatenate([np.zeros(aux), np.full(blocks, sign)])
    final = solve_integer(second.with_cost(size))
    if final.status is not Status.OPTIMAL:
        final = first  # a best bundle too; only which of equal ones is then the solver's choice
    return _counted(offer, np.flatnonzero(final.x[aux:] > 0.5))


_PROGRAM_TIE = 1e-7  # the solver keeps rows and integers to this


def _counted(offer: Offer, blocks: Counts) -> Counts:
    return np.bincount(offer.lot[blocks], minlength=len(offer.base)).astype(np.int64)


def _with_free(offer: Offer, added: Counts) -> Counts:
    """Return (K, M) bundles with every block that costs nothing: it does no harm, and makes the bundle larger."""
    return np.maximum(added, _counted(offer, np.flatnonzero(offer.cost <= 0.0)))


def _cheapest_first(offer: Offer, ties: Ties) -> Counts:
    place = offer.lot if ties.numbers == "lowest" else -offer.lot
    return np.lexsort((place, offer.cost))


def _leading(flags: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> int:
    """Return how many flags are set before the first that is not."""
    return len(flags) if flags.all() else int(np.argmin(flags))


def _number_of_bundles(room: Counts) -> int:
    number = 1
    for blocks in room:
        number *= int(blocks) + 1
    return number


def _tie(valuation: Valuation) -> float:
    return _TIE * (1.0 + valuation.value(valuation.quantity))


def _slack(room: float) -> float:
    return _TIE * (1.0 + abs(room))
