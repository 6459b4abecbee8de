"""What bundles of lots are worth to a bidder: five kinds of valuation, as values and as JSON.

A bundle is the number of blocks of each lot, (M,); for single lots that is 0 or 1, and a set of lots' places is
taken too. Every valuation is zero for nothing and never falls when a block is added (free disposal), in currency
units of the auction. A budget is not part of the value: it is what the bidder can pay in all. JSON::

    {"kind": "additive", "values": {"lot id": value of a block, ...}, "budget": 100}
    {"kind": "symmetric", "totals": [0, value of 1 block, of 2 blocks, ...]}
    {"kind": "unit demand", "values": {...}}
    {"kind": "campus", "values": {...}, "minimum_mw": 15, "counted": "at each bus" or "over all buses"}
    {"kind": "bundles", "bundles": [{"lots": {"lot id": blocks, ...}, "value": 40}, ...]}

Lots that are not named are worth nothing; more blocks than a symmetric valuation lists add nothing; ``budget`` may be
left out, and ``counted`` is "at each bus" unless it says otherwise.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from engine.auction.amounts import told
from engine.auction.rules import MAX_AMOUNT, Configuration
from engine.errors import AuctionRuleError, Problem

Counts = npt.NDArray[np.int64]
Money = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Bundle = Counts | Collection[int]
Counted = Literal["at each bus", "over all buses"]


def counts(bundle: Bundle, lots: int) -> Counts:
    """Return a bundle as (M,) numbers of blocks; a collection of places is one block of each."""
    if isinstance(bundle, np.ndarray):
        return bundle
    found = np.zeros(lots, dtype=np.int64)
    found[list(bundle)] = 1
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Valued:
    """What all kinds share: how many blocks there are of each lot, and what the bidder can pay in all."""

    kind: ClassVar[str]
    quantity: Counts  # (M,), blocks of each lot
    budget: float | None  # None: no limit

    def values(self, bundles: Counts) -> Money:
        """Return the (K,) values of (K, M) bundles."""
        raise NotImplementedError

    def value(self, bundle: Bundle) -> float:
        """Return the value of one bundle: (M,) blocks of each lot, or a collection of lots' places."""
        return float(self.values(counts(bundle, len(self.quantity))[np.newaxis, :])[0])


@dataclass(frozen=True, slots=True, eq=False)
class Additive(_Valued):
    """The sum of the values of the blocks."""

    kind: ClassVar[str] = "additive"
    block: Money  # (M,), value of one block

    def only(self, lots: Counts) -> "Additive":
        """Return the valuation of bundles of some lots, by their places, as if there were no others."""
        return replace(self, quantity=self.quantity[lots], block=self.block[lots])

    def values(self, bundles: Counts) -> Money:
        """Return the (K,) values of (K, M) bundles."""
        worth: Money = bundles @ self.block
        return worth


@dataclass(frozen=True, slots=True, eq=False)
class Symmetric(_Valued):
    """A concave function of the number of blocks."""

    kind: ClassVar[str] = "symmetric"
    total: Money  # (U + 1,), value of 0, 1, ... U blocks

    def values(self, bundles: Counts) -> Money:
        """Return the (K,) values of (K, M) bundles."""
        worth: Money = self.total[bundles.sum(axis=1)]
        return worth


@dataclass(frozen=True, slots=True, eq=False)
class UnitDemand(_Valued):
    """The value of the best block."""

    kind: ClassVar[str] = "unit demand"
    block: Money  # (M,)

    def values(self, bundles: Counts) -> Money:
        """Return the (K,) values of (K, M) bundles."""
        worth: Money = np.where(bundles > 0, self.block, 0.0).max(axis=1, initial=0.0)
        return worth


@dataclass(frozen=True, slots=True, eq=False)
class Campus(_Valued):
    """Nothing below a minimum size; flexible capacity is useless at a bus without firm capacity."""

    kind: ClassVar[str] = "campus"
    block: Money  # (M,), value of one block that is used
    block_mw: Money  # (M,)
    firm: Flags  # (M,)
    bus: Counts  # (M,), number of the lot's bus, from 0
    minimum_mw: float
    counted: Counted

    def site_of(self) -> Counts:
        """Return the (M,) number of the site of each lot: blocks of one site count together towards the size."""
        return np.zeros_like(self.bus) if self.counted == "over all buses" else self.bus

    def sites(self) -> list[Counts]:
        """Return the places of the lots of each site, in the order of their numbers."""
        site_of = self.site_of()
        order = np.argsort(site_of, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(site_of[order])) + 1)

    def only(self, lots: Counts) -> "Campus":
        """Return the valuation of bundles of some lots, by their places, as if there were no others."""
        return replace(
            self,
            quantity=self.quantity[lots],
            block=self.block[lots],
            block_mw=self.block_mw[lots],
            firm=self.firm[lots],
            bus=np.unique(self.bus[lots], return_inverse=True)[1].astype(np.int64),
        )

    def values(self, bundles: Counts) -> Money:
        """Return the (K,) values of (K, M) bundles."""
        at_bus = np.eye(int(self.bus.max(initial=-1)) + 1)[self.bus]  # (M, B)
        with_firm = (bundles * self.firm) @ at_bus > 0
        used = bundles * with_firm[:, self.bus]
        size, worth = used * self.block_mw, used * self.block
        if self.counted == "over all buses":
            size, worth = size.sum(axis=1, keepdims=True), worth.sum(axis=1, keepdims=True)
        else:
            size, worth = size @ at_bus, worth @ at_bus
        found: Money = np.where(size >= self.minimum_mw - SIZE_TOLERANCE_MW, worth, 0.0).sum(axis=1)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Bundles(_Valued):
    """The best listed bundle inside what is held."""

    kind: ClassVar[str] = "bundles"
    listed: Counts  # (K, M)
    worth: Money  # (K,)

    def values(self, bundles: Counts) -> Money:
        """Return the (K,) values of (K, M) bundles."""
        found = np.zeros(len(bundles))
        for listed, worth in zip(self.listed, self.worth, strict=True):
            inside = (bundles >= listed).all(axis=1)
            np.maximum(found, np.where(inside, worth, 0.0), out=found)
        return found


Valuation = Additive | Symmetric | UnitDemand | Campus | Bundles
SIZE_TOLERANCE_MW = 1e-9  # 3 x 0.1 MW is 0.3 MW
SUBSTITUTES = (Additive, Symmetric, UnitDemand)  # kinds that satisfy gross substitutes by their form

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "additive": ("values",),
    "symmetric": ("totals",),
    "unit demand": ("values",),
    "campus": ("values", "minimum_mw", "counted"),
    "bundles": ("bundles",),
}
KINDS = tuple(_FIELDS)
MAX_BUNDLES = 2000
_CONCAVE_TOLERANCE = 1e-9  # of the largest total: rounding of computed values is not a convex step


def check(content: object, configuration: Configuration) -> list[Problem]:
    """Return everything that is wrong with a valuation given as JSON; an empty list if it can be used.

    The element of a problem is the lot's id, its row the place in ``totals`` or ``bundles``.
    """
    if not isinstance(content, Mapping):
        return [_problem("value-kind", "a valuation is an object with a kind and its values")]
    kind = content.get("kind")
    if not isinstance(kind, str) or kind not in _FIELDS:
        return [_problem("value-kind", f"{kind!r} is no kind of valuation: {', '.join(KINDS)}", column="kind")]
    known = {"kind", "budget", *_FIELDS[kind]}
    problems = [
        _problem("value-field", f"a valuation of kind {kind!r} has no field {name!r}", column=str(name))
        for name in content
        if name not in known
    ]
    if content.get("budget") is not None:
        problems += _amount(content["budget"], "the budget", "budget")
    if "values" in _FIELDS[kind]:
        problems += _check_values(content.get("values"), configuration)
    if kind == "symmetric":
        problems += _check_totals(content.get("totals"), configuration)
    if kind == "campus":
        problems += _amount(content.get("minimum_mw"), "the minimum campus size", "minimum_mw")
        if content.get("counted", "at each bus") not in ("at each bus", "over all buses"):
            words = f"{content['counted']!r}: the size is counted 'at each bus' or 'over all buses'"
            problems.append(_problem("value-field", words, column="counted"))
    if kind == "bundles":
        problems += _check_bundles(content.get("bundles"), configuration)
    return problems


def from_json(content: object, configuration: Configuration) -> Valuation:
    """Return the valuation that JSON describes. Raises AuctionRuleError with every problem that :func:`check` finds."""
    problems = check(content, configuration)
    if problems or not isinstance(content, Mapping):
        raise AuctionRuleError(problems)
    lots = configuration.lots
    quantity = np.array([lot.quantity for lot in lots], dtype=np.int64)
    budget = None if content.get("budget") is None else float(content["budget"])
    named = content.get("values", {})
    block = _fixed(np.array([float(named.get(lot.id, 0.0)) for lot in lots]))
    match content["kind"]:
        case "additive":
            return Additive(quantity, budget, block)
        case "symmetric":
            listed = [float(total) for total in content["totals"]]
            blocks = int(quantity.sum())
            total = np.array((listed + [listed[-1]] * blocks)[: blocks + 1])
            return Symmetric(quantity, budget, _fixed(total))
        case "unit demand":
            return UnitDemand(quantity, budget, block)
        case "campus":
            mw = np.array([lot.capacity_mw for lot in lots])
            firm = np.array([lot.risk == 0.0 for lot in lots])
            bus = np.unique([lot.bus for lot in lots], return_inverse=True)[1].astype(np.int64)
            least, counted = float(content["minimum_mw"]), content.get("counted", "at each bus")
            return Campus(quantity, budget, block, mw, firm, bus, least, counted)
        case _:
            places = {lot.id: place for place, lot in enumerate(lots)}
            listed_counts = np.zeros((len(content["bundles"]), len(lots)), dtype=np.int64)
            for row, bundle in enumerate(content["bundles"]):
                for lot_id, blocks in bundle["lots"].items():
                    listed_counts[row, places[lot_id]] = blocks
            worth = np.array([float(bundle["value"]) for bundle in content["bundles"]])
            return Bundles(quantity, budget, listed_counts, _fixed(worth))


def to_json(valuation: Valuation, configuration: Configuration) -> dict[str, Any]:
    """Return the JSON of a valuation: :func:`from_json` gives the same valuation back."""
    content: dict[str, Any] = {"kind": valuation.kind}
    match valuation:
        case Additive() | UnitDemand() | Campus():
            content["values"] = _named(valuation.block, configuration)
        case Symmetric():
            content["totals"] = [_plain(total) for total in valuation.total]
        case Bundles():
            content["bundles"] = [
                {"lots": _named(listed, configuration), "value": _plain(worth)}
                for listed, worth in zip(valuation.listed, valuation.worth, strict=True)
            ]
    if isinstance(valuation, Campus):
        content |= {"minimum_mw": valuation.minimum_mw, "counted": valuation.counted}
    if valuation.budget is not None:
        content["budget"] = _plain(valuation.budget)
    return content


def _check_values(values: object, configuration: Configuration) -> list[Problem]:
    if not isinstance(values, Mapping):
        return [_problem("value-field", "the values are an object from product to value", column="values")]
    known = {lot.id for lot in configuration.lots}
    problems = []
    for lot, value in values.items():
        if lot not in known:
            problems.append(_problem("value-lot", f"there is no product {lot!r}", column="values", element=str(lot)))
        else:
            problems += _amount(value, f"the value of product {lot!r}", "values", element=lot)
    return problems


def _check_totals(totals: object, configuration: Configuration) -> list[Problem]:
    if not isinstance(totals, list | tuple) or not totals:
        return [_problem("value-field", "the totals are a list: the value of 0 blocks, of 1, ...", column="totals")]
    blocks = sum(lot.quantity for lot in configuration.lots)
    problems = []
    if len(totals) > blocks + 1:
        words = f"the totals go up to {_blocks(len(totals) - 1)}, but there are only {blocks}"
        problems.append(_problem("value-field", words, column="totals"))
    for row, total in enumerate(totals):
        problems += _amount(total, f"the value of {_blocks(row)}", "totals", row=row)
    if problems:
        return problems
    if totals[0] != 0:
        words = f"the value of 0 blocks is {told(totals[0])}; the totals begin with 0"
        return [_problem("value-of-nothing", words, column="totals", row=0)]
    gains = np.diff(np.array(totals, dtype=np.float64))
    slack = _CONCAVE_TOLERANCE * (1.0 + float(np.abs(gains).max(initial=0.0)))
    for row, gain in enumerate(gains, start=1):
        if gain < -slack:
            words = f"{_blocks(row)} are worth less than {row - 1}: the totals must not fall"
            problems.append(_problem("value-falls", words, column="totals", row=row))
        elif row > 1 and gain > gains[row - 2] + slack:
            words = (
                f"block {row} adds {told(gain)}, more than the {told(gains[row - 2])} of block {row - 1}: a symmetric "
                "valuation is concave; give complements as bundles"
            )
            problems.append(_problem("value-convex", words, column="totals", row=row))
    return problems


def _check_bundles(bundles: object, configuration: Configuration) -> list[Problem]:
    if not isinstance(bundles, list | tuple) or not bundles:
        return [_problem("value-field", "the bundles are a list of products and their value", column="bundles")]
    if len(bundles) > MAX_BUNDLES:
        words = f"{len(bundles)} bundles are listed; the limit is {MAX_BUNDLES}"
        return [_problem("value-field", words, column="bundles")]
    quantity = {lot.id: lot.quantity for lot in configuration.lots}
    problems = []
    for row, bundle in enumerate(bundles):
        if not isinstance(bundle, Mapping) or not isinstance(bundle.get("lots"), Mapping) or not bundle["lots"]:
            words = f"bundle {row + 1} names no products: it is an object with lots and value"
            problems.append(_problem("value-field", words, column="bundles", row=row))
            continue
        problems += _amount(bundle.get("value"), f"the value of bundle {row + 1}", "bundles", row=row)
        for lot, blocks in bundle["lots"].items():
            if lot not in quantity:
                words = f"bundle {row + 1}: there is no product {lot!r}"
                problems.append(_problem("value-lot", words, column="bundles", row=row, element=str(lot)))
            elif isinstance(blocks, bool) or not isinstance(blocks, int) or not 1 <= blocks <= quantity[lot]:
                words = f"bundle {row + 1}: {blocks!r} blocks of product {lot!r}, which has {_blocks(quantity[lot])}"
                problems.append(_problem("value-blocks", words, column="bundles", row=row, element=lot))
    return problems


def _amount(value: object, what: str, column: str, *, row: int | None = None, element: str = "") -> list[Problem]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        words = f"{what} is {value!r}, not a number"
    elif not 0 <= value <= MAX_AMOUNT:  # so is nan not
        words = f"{what} is {value!r}; it must be between 0 and {MAX_AMOUNT}"
    else:
        return []
    return [_problem("value-amount", words, column=column, row=row, element=element)]


def _problem(code: str, words: str, *, column: str = "", row: int | None = None, element: str = "") -> Problem:
    return Problem(code, "error", words, table="values", row=row, column=column, element=element)


def _blocks(number: int) -> str:
    return "1 block" if number == 1 else f"{number} blocks"


def _named(numbers: Money | Counts, configuration: Configuration) -> dict[str, int | float]:
    found = zip(configuration.lots, numbers, strict=True)
    return {lot.id: _plain(number) for lot, number in found if number}


def _plain(number: float) -> int | float:
    """Return a whole number as int, so that JSON reads as it was typed."""
    return int(number) if float(number).is_integer() else float(number)


def _fixed(array: Money) -> Money:
    array.setflags(write=False)
    return array
