"""Are lots gross substitutes for a bidder? If not: the exchange that shows it, in plain words.

A monotone valuation v satisfies gross substitutes exactly if for all bundles S and distinct lots i, j, k outside S

(a) v(S+i) + v(S+j) >= v(S+i+j) + v(S), and
(b) v(S+i+j) + v(S+k) <= max(v(S+i+k) + v(S+j), v(S+j+k) + v(S+i)).

Source: Reijnierse, van Gellekom, Potters, *Verifying gross substitutability*, Economic Theory 20, 2002; definition 3
of arXiv 2604.08854. Equal blocks are looked at one by one, as lots of their own.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import linprog

from engine.auction.amounts import told
from engine.auction.rules import Configuration
from engine.auction.values import SUBSTITUTES, Bundles, Campus, Counts, Money, Valuation

EXACT = 12  # blocks up to which every bundle is tried
_SAMPLED = 6  # blocks of one part of a larger market, in which every bundle is tried
_PARTS = 100  # such parts that are drawn
_TIE = 1e-9  # relative to the largest value: less is rounding

Answer = Literal["proved by its form", "proved by trying all", "violated", "no violation found"]


@dataclass(frozen=True, slots=True, eq=False)
class Violation:
    """Lots that are complements for this bidder, with values that prove it."""

    condition: Literal["a", "b"]
    held: Counts  # (M,), the bundle S, blocks of each lot
    first: int  # lot i, whose price stays
    second: int  # lot j, whose price rises
    third: int | None  # lot k of condition (b)
    excess: float  # by how much the condition fails, currency units
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What the test found, and how far it looked."""

    answer: Answer
    violation: Violation | None
    words: str

    @property
    def substitutes(self) -> bool | None:
        """Return whether gross substitutes hold; None where sampling found nothing, which proves nothing."""
        if self.answer == "no violation found":
            return None
        return self.answer != "violated"


def violation(valuation: Valuation, configuration: Configuration, *, seed: int = 0) -> Violation | None:
    """Return a failure of gross substitutes, or None; see :func:`check_substitutes` for when None is a proof."""
    return check_substitutes(valuation, configuration, seed=seed).violation


def check_substitutes(valuation: Valuation, configuration: Configuration, *, seed: int = 0) -> Verdict:
    """Return whether gross substitutes hold for ``valuation``.

    Additive, symmetric concave and unit-demand valuations do by their form. Others are tried out to ``EXACT`` blocks,
    a campus at one bus each to so many at a bus. Above, parts of the market are drawn with ``seed``, and finding
    nothing there is no proof.
    """
    if isinstance(valuation, SUBSTITUTES):
        return Verdict("proved by its form", None, f"Every {valuation.kind} valuation has gross substitutes.")
    lot = np.repeat(np.arange(len(valuation.quantity)), valuation.quantity)
    # Values of different sites add up, so that complements are to be found within one.
    sites = valuation.sites() if isinstance(valuation, Campus) else [np.unique(lot)]
    together = [lot[np.isin(lot, site)] for site in sites]
    if all(len(group) <= EXACT for group in together):
        found = [_search(valuation, np.zeros_like(valuation.quantity), group) for group in together]
        worst = max((one for one in found if one is not None), key=lambda one: one.excess, default=None)
        if worst is None:
            return Verdict("proved by trying all", None, f"No bundle of the {len(lot)} blocks violates the conditions.")
        return _violated(valuation, configuration, worst)
    for base, chosen in _parts(valuation, lot, np.random.default_rng(seed)):
        one = _search(valuation, base, chosen)
        if one is not None:
            return _violated(valuation, configuration, one)
    words = (
        f"No violation found in {_PARTS} parts of {_SAMPLED} blocks each of the {len(lot)} blocks; this is no proof."
    )
    return Verdict("no violation found", None, words)


def _parts(valuation: Valuation, lot: Counts, rng: np.random.Generator) -> Iterator[tuple[Counts, Counts]]:
    """Give (what is held, lots of the blocks to try) for parts of a market: first where complements are likely."""
    lots = len(valuation.quantity)
    likely: list[Counts] = []
    if isinstance(valuation, Campus):
        for site in valuation.sites()[:_PARTS]:
            ordered = np.concatenate([site[valuation.firm[site]], site[~valuation.firm[site]]])
            blocks = np.repeat(ordered, valuation.quantity[ordered])
            enough = int(np.searchsorted(np.cumsum(valuation.block_mw[blocks]), valuation.minimum_mw))
            likely.append(blocks[: enough + _SAMPLED - 1])
    if isinstance(valuation, Bundles):
        likely = [np.repeat(np.arange(lots), listed) for listed in valuation.listed[:_PARTS]]
    for blocks in likely:
        base = np.bincount(blocks[:-_SAMPLED], minlength=lots).astype(np.int64)
        yield base, np.sort(blocks[-_SAMPLED:])
    for _ in range(_PARTS):
        mixed = rng.permutation(len(lot))
        density = rng.choice([0.0, rng.random()])  # complements show where little is held: half of the parts hold none
        rest = lot[mixed[_SAMPLED:][rng.random(len(lot) - _SAMPLED) < density]]
        base = np.bincount(rest, minlength=lots).astype(np.int64)
        yield base, np.sort(lot[mixed[:_SAMPLED]])


@dataclass(frozen=True, slots=True)
class _Failure:
    """Where a condition fails: the smallest bundle S first, then condition (a), then the largest excess."""

    rank: tuple[int, int, float]
    held: Counts  # (M,), S
    lots: Counts  # i, j and perhaps k
    excess: float


def _search(valuation: Valuation, base: Counts, lot: Counts) -> _Failure | None:
    """Try every bundle of some blocks, given by their lots (K,), on top of ``base`` (M,)."""
    blocks = len(lot)
    masks = np.arange(1 << blocks)
    inside = (masks[:, np.newaxis] >> np.arange(blocks)) & 1
    bundles = base + inside @ np.eye(len(base), dtype=np.int64)[lot]
    worth, size = valuation.values(bundles), inside.sum(axis=1)
    least = _TIE * (1.0 + float(worth[-1]))
    failures: list[_Failure] = []

    def look(items: tuple[int, ...], held: Counts, excess: Money) -> None:
        failing = np.flatnonzero(excess > least)
        if len(failing):
            at = failing[np.lexsort((-excess[failing], size[held[failing]]))[0]]
            rank = (int(size[held[at]]), len(items), -float(excess[at]))
            failures.append(_Failure(rank, bundles[held[at]], lot[list(items)], float(excess[at])))

    for i, j in itertools.combinations(range(blocks), 2):
        a, b = 1 << i, 1 << j
        held = masks[(masks & (a | b)) == 0]
        look((i, j), held, worth[held | a | b] + worth[held] - worth[held | a] - worth[held | b])
        for k in set(range(blocks)) - {i, j}:
            c, free = 1 << k, held[held & (1 << k) == 0]
            kept = worth[free | a | b] + worth[free | c]
            regrouped = np.maximum(worth[free | a | c] + worth[free | b], worth[free | b | c] + worth[free | a])
            look((i, j, k), free, kept - regrouped)
    return min(failures, key=lambda failure: failure.rank, default=None)


def _violated(valuation: Valuation, configuration: Configuration, failure: _Failure) -> Verdict:
    """Say in words what a failure means for lots i, j and perhaps k."""
    held, lots, excess = failure.held, failure.lots, failure.excess
    names = [_name(configuration, int(lot)) for lot in lots]
    subsets = (np.arange(1 << len(lots))[:, np.newaxis] >> np.arange(len(lots))) & 1
    added = subsets @ np.eye(len(held), dtype=np.int64)[lots]
    gain = valuation.values(held + added) - valuation.value(held)
    adds = [_told(amount) for amount in gain]
    if len(lots) == 2:
        words = (
            f"{names[0]} alone adds {adds[1]} and {names[1]} alone {adds[2]}, but both together add {adds[3]}: "
            "they are complements."
        )
        instead = "takes neither"
    else:
        words = (
            f"{names[0]} with {names[1]} adds {adds[3]} and {names[2]} alone {adds[4]}, {_told(excess)} more in sum "
            f"than if either of the first two changed places with {names[2]}."
        )
        instead = f"takes {names[2]} instead of both"
    prices = _prices(gain, subsets, 0 if len(lots) == 2 else 4)
    if prices is not None:
        asked, step = prices
        also = f", {names[2]} {_told(asked[2])}" if len(lots) == 3 else ""
        words += (
            f" If {names[0]} costs {_told(asked[0])}, {names[1]} {_told(asked[1] - step)}{also} and nothing else is "
            f"offered, the bidder takes {names[0]} and {names[1]}; when only {names[1]} rises to "
            f"{_told(asked[1] + step)} the bidder {instead}: {names[0]} is dropped although its price has not changed."
        )
    before = _listing(configuration, held)
    opening = f"With {before} in hand, " if before else ""
    words = opening + words if opening else words[0].upper() + words[1:]
    third_lot = int(lots[2]) if len(lots) == 3 else None
    condition: Literal["a", "b"] = "b" if len(lots) == 3 else "a"
    found = Violation(condition, held, int(lots[0]), int(lots[1]), third_lot, excess, words)
    return Verdict("violated", found, words)


def _prices(gain: Money, subsets: Counts, other: int) -> tuple[Money, float] | None:
    """Return prices at which i and j together (subset 3) and subset ``other`` are equally good, far above the rest.

    Where the price of j is a step lower only the first is best, a step higher only the other: the step is returned
    too. None where no prices of at least zero keep the rest below.
    """
    rest = [row for row in range(len(gain)) if row not in (3, other)]
    # Surplus of subset 3 >= that of each other one + t, and room below the price of j for a step of t / 4: maximise t.
    rows = np.hstack([subsets[3] - subsets[rest], np.ones((len(rest), 1))])
    step = np.zeros(subsets.shape[1] + 1)
    step[[1, -1]] = -1.0, 0.25
    room = np.append(gain[3] - gain[rest], 0.0)
    equal = np.append(subsets[3] - subsets[other], 0.0)[np.newaxis, :]
    cost = np.append(np.zeros(subsets.shape[1]), -1.0)
    found = linprog(cost, np.vstack([rows, step]), room, equal, [gain[3] - gain[other]])
    if found.x is None or found.x[-1] <= 0.0:
        return None
    return found.x[:-1], float(found.x[-1]) / 4.0


def _told(amount: float) -> str:
    return told(amount, 4)


def _name(configuration: Configuration, lot: int) -> str:
    name = configuration.lots[lot].name
    return name if configuration.lots[lot].quantity == 1 else f"a block of {name}"


def _listing(configuration: Configuration, held: Counts) -> str:
    own = [
        configuration.lots[lot].name if blocks == 1 else f"{blocks} blocks of {configuration.lots[lot].name}"
        for lot, blocks in enumerate(held)
        if blocks
    ]
    return " and ".join([", ".join(own[:-1]), own[-1]] if len(own) > 1 else own)
