"""Choices that bots make beside exact demand: cut to a size, keep what is safe, find what is not worth its price."""

import math

import numpy as np

from engine.auction.demand import Means, bundles_of
from engine.auction.exposure import worst_part
from engine.auction.values import Additive, Campus, Counts, Money, Valuation

LARGEST_SITE = 4096  # bundles at one bus that are tried one by one
LARGEST_KNAPSACK = 4_000_000  # blocks times units of room up to which limited additive demand is solved exactly


def surplus_of(valuation: Valuation, ask: Money, held: Counts, added: Counts) -> float:
    """Return the value of what is held and added, minus what is asked for the added blocks."""
    return valuation.value(held + added) - float(ask @ added)


def limited_additive(valuation: Additive, ask: Money, held: Counts, means: Means) -> Counts:
    """Return the (M,) blocks to add: exact demand, or where money or very many units bind a greedy filling."""
    lot, gain, units = _blocks(valuation, ask, held, means)
    wanted = gain > 0.0
    chosen = np.flatnonzero(wanted)
    spent = float(ask[lot[chosen]].sum())
    money = np.inf if valuation.budget is None else valuation.budget - (means.paid or 0.0)
    if spent <= money:
        if float(units[chosen].sum()) <= means.units_left:
            return np.bincount(lot[chosen], minlength=len(held)).astype(np.int64)
        common = int(np.gcd.reduce(units[chosen]))
        if len(chosen) * (means.units_left // common + 1.0) <= LARGEST_KNAPSACK:
            taken = chosen[knapsack(gain[chosen], units[chosen] // common, int(means.units_left // common))]
            return np.bincount(lot[taken], minlength=len(held)).astype(np.int64)
    return by_worth(valuation, ask, held, means)


def _blocks(valuation: Additive, ask: Money, held: Counts, means: Means) -> tuple[Counts, Money, Counts]:
    """Return lot, gain and units of every block that can be added, in the order of the lots."""
    lot = np.repeat(np.arange(len(held)), valuation.quantity - held)
    units = np.ones(len(lot), dtype=np.int64) if means.units is None else np.maximum(means.units[lot], 1)
    return lot, (valuation.block - ask)[lot], units


def knapsack(gain: Money, units: Counts, room: int) -> Counts:
    """Return the places of the blocks with the largest total gain within ``room`` units.

    Of equals the fewest blocks, then the lowest numbers. Bellman's recursion over blocks and room: exact.
    """
    worth = gain - 1e-9 * (1.0 + float(np.abs(gain).sum()))  # fewer blocks are better by a hair
    best, take = np.zeros(room + 1), np.zeros((len(gain), room + 1), dtype=np.bool_)
    for block in range(len(gain) - 1, -1, -1):
        size = int(units[block])
        if size > room:
            continue
        with_it = np.full(room + 1, -np.inf)
        with_it[size:] = worth[block] + best[: room + 1 - size]
        take[block] = with_it >= best
        best = np.maximum(best, with_it)
    chosen, left = [], room
    for block in range(len(gain)):
        if take[block, left]:
            chosen.append(block)
            left -= int(units[block])
    return np.array(chosen, dtype=np.int64)


def limited_campus(valuation: Campus, ask: Money, held: Counts, means: Means) -> Counts | None:
    """Return the (M,) blocks that a campus at each bus adds within its units: exact, as :func:`knapsack` over buses.

    None where that does not hold or is too large: a budget, a campus over all buses, very many bundles at one bus.
    """
    units, everything = means.units, valuation.quantity - held
    sites = [site[everything[site] > 0] for site in valuation.sites()]
    number = [math.prod(blocks + 1 for blocks in everything[site].tolist()) for site in sites]
    if units is None or valuation.budget is not None or max(number, default=0) > LARGEST_SITE:
        return None
    room = min(float(units @ everything), means.units_left)
    common = int(np.gcd.reduce(np.append(units[everything > 0], 0))) or 1
    places = int(room // common)
    if sum(number) * (places + 1.0) > LARGEST_KNAPSACK * 10:
        return None
    best, taken = np.zeros(places + 1), list[tuple[Counts, Counts]]()
    hair = 1e-9 * (1.0 + valuation.value(valuation.quantity))
    for site in reversed(sites):
        added = _site_bundles(everything, site)
        worth = valuation.values(held + added) - valuation.value(held) - added @ ask - hair * added.sum(axis=1)
        size = (added @ units) // common
        useful = (worth > 0.0) & (size <= places)
        useful[0] = True  # nothing
        added, worth, size = added[useful], worth[useful], size[useful]
        with_it = np.full((len(added), places + 1), -np.inf)
        for row in range(len(added)):
            with_it[row, size[row] :] = worth[row] + best[: places + 1 - size[row]]
        chosen = with_it.argmax(axis=0)
        best = with_it[chosen, np.arange(places + 1)]
        taken.append((added[chosen], size[chosen]))
    total, left = np.zeros_like(held), places
    for added, size in reversed(taken):
        total += added[left]
        left -= int(size[left])
    return total


def _site_bundles(everything: Counts, site: Counts) -> Counts:
    """Return (K, M) additions at one bus, nothing first, then those with more of the lowest lots first."""
    some = np.concatenate(list(bundles_of(everything[site])))
    wide = np.zeros((len(some), len(everything)), dtype=np.int64)
    wide[:, site] = np.concatenate([some[:1], some[:0:-1]])
    return wide


def one_by_one(valuation: Valuation, ask: Money, held: Counts, means: Means) -> Counts:
    """Return (M,) blocks to add for any values, found block by block: the largest gain per unit first.

    What only pays together is not found: for when exact demand is not to be had.
    """
    added = np.zeros_like(held)
    money = np.inf if valuation.budget is None else valuation.budget - (means.paid or 0.0)
    units = np.ones_like(held) if means.units is None else np.maximum(means.units, 1)
    room = means.units_left
    while True:
        open_lots = np.flatnonzero((valuation.quantity > held + added) & (units <= room) & (ask <= money))
        if not len(open_lots):
            return added
        more = np.repeat((held + added)[np.newaxis, :], len(open_lots), axis=0)
        more[np.arange(len(open_lots)), open_lots] += 1
        gain = valuation.values(more) - valuation.value(held + added) - ask[open_lots]
        if gain.max() <= 0.0:
            return added
        lot = (
            open_lots[int((gain / units[open_lots]).argmax())] if (gain > 0.0).all() else open_lots[int(gain.argmax())]
        )
        added[lot] += 1
        room, money = room - float(units[lot]), money - float(ask[lot])


def by_worth(valuation: Additive, ask: Money, held: Counts, means: Means) -> Counts:
    """Return the (M,) blocks to add by a greedy filling: what gains most per unit of eligibility first.

    Without a limit that is exact demand; with one it is within one block of the best.
    """
    lot, gain, units = _blocks(valuation, ask, held, means)
    room, money = means.units_left, np.inf if valuation.budget is None else valuation.budget - (means.paid or 0.0)
    left = np.flatnonzero(gain > 0.0)
    left = left[np.argsort(-(gain / units)[left], kind="stable")]
    taken = []
    while len(left):
        used, spent = np.cumsum(units[left]), np.cumsum(ask[lot[left]])
        fit = int(np.searchsorted(used > room, True)) if len(used) else 0
        fit = min(fit, int(np.searchsorted(spent > money, True)))
        if fit:
            taken.append(left[:fit])
            room, money = room - used[fit - 1], money - spent[fit - 1]
        left = left[fit + 1 :]
        left = left[(units[left] <= room) & (ask[lot[left]] <= money)]
    chosen = np.concatenate(taken) if taken else left
    return np.bincount(lot[chosen], minlength=len(held)).astype(np.int64)


def cut_to_units(
    valuation: Valuation, ask_held: tuple[Money, Counts], added: Counts, units: Counts, room: float
) -> Counts:
    """Return ``added`` (M,) cut, block by block, to ``room`` units: what gives least surplus per unit goes first.

    ``ask_held`` are the prices of one more block and the blocks held, (M,) each.
    """
    ask, held = ask_held
    kept = added.copy()
    over = float(units @ kept) - room
    if over <= 0.0:
        return kept
    if isinstance(valuation, Additive):
        per_unit = (valuation.block - ask) / np.maximum(units, 1)
        for lot in np.argsort(per_unit, kind="stable"):
            if over <= 0.0:
                break
            gone = min(int(kept[lot]), int(np.ceil(over / units[lot])))
            kept[lot] -= gone
            over -= gone * float(units[lot])
        return kept
    while float(units @ kept) > room and kept.any():
        here = np.flatnonzero(kept)
        fewer = np.repeat(kept[np.newaxis, :], len(here), axis=0)
        fewer[np.arange(len(here)), here] -= 1
        lost = surplus_of(valuation, ask, held, kept) - (valuation.values(held + fewer) - fewer @ ask)
        kept = fewer[int((lost / np.maximum(units[here], 1)).argmin())]
    return kept


def safe_addition(valuation: Valuation, standing: list[Money], ask: Money, wanted: Counts, means: Means) -> Counts:
    """Return (M,) blocks to add such that no part of all would lose more than a part of what stands already would.

    ``standing`` are the prices of the blocks held of each lot, dearest first. The demand ``wanted`` itself if it is
    safe; else blocks are added one by one, the largest gain first, while all parts stay safe.
    """
    held = np.array([len(prices) for prices in standing])
    floor = worst_part(valuation, standing).surplus
    if not wanted.any() or _safe(valuation, standing, ask, wanted, floor):
        return wanted
    added, spent = np.zeros_like(held), means.paid or 0.0
    budget = np.inf if valuation.budget is None else valuation.budget
    units = means.units if means.units is not None else np.zeros_like(held)
    while True:
        now = surplus_of(valuation, ask, held, added)
        best, better = 0.0, None
        for lot in np.flatnonzero(valuation.quantity > held + added):
            more = added.copy()
            more[lot] += 1
            if float(units @ more) > means.units_left or spent + float(ask @ more) > budget:
                continue
            gain = surplus_of(valuation, ask, held, more) - now
            if gain > best and _safe(valuation, standing, ask, more, floor):
                best, better = gain, more
        if better is None:
            return added
        added = better


def _safe(valuation: Valuation, standing: list[Money], ask: Money, added: Counts, floor: float) -> bool:
    costs = [np.sort(np.append(prices, np.full(int(count), price)))[::-1]
             for prices, count, price in zip(standing, added, ask, strict=True)]  # fmt: skip
    part = worst_part(valuation, costs)
    return part.exact and part.surplus >= floor


def unwanted(valuation: Valuation, standing: list[Money]) -> list[int]:
    """Return the lots to give back: while the surplus rises, the lot whose loss raises it most, all its blocks."""
    held, prices = np.array([len(cost) for cost in standing]), np.array([float(cost.sum()) for cost in standing])
    given: list[int] = []
    while held.any():
        lots = np.flatnonzero(held)
        without = np.repeat(held[np.newaxis, :], len(lots), axis=0)
        without[np.arange(len(lots)), lots] = 0
        gain = valuation.values(without) - valuation.value(held) + prices[lots]
        if gain.max() <= 0.0:
            break
        given.append(int(lots[int(gain.argmax())]))
        held = without[int(gain.argmax())]
    return sorted(given)
