"""Random small markets and the plainest way to look at all bundles, written apart from the engine."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from engine.auction.rules import Configuration, Lot
from engine.auction.values import Valuation


def configuration(quantity: list[int], reserve: int = 0) -> Configuration:
    """Lots alternate firm and flexible; two of them at each bus."""
    lots = [
        Lot(f"{k + 1}", f"Lot {k + 1}", 10.0 - 2 * (k % 2), 0.05 * (k % 2), f"{k // 2}", 10, 0, reserve, blocks)
        for k, blocks in enumerate(quantity)
    ]
    return Configuration("Random", tuple(lots))


def draw(kind: str, lots: tuple[Lot, ...], rng: np.random.Generator, top: int = 30) -> dict[str, Any]:
    """A random valuation of one kind as JSON, in whole currency units."""
    blocks = sum(lot.quantity for lot in lots)
    values = {lot.id: int(rng.integers(0, top)) for lot in lots}
    if kind == "symmetric":
        gains = np.sort(rng.integers(0, top, blocks))[::-1]
        return {"kind": kind, "totals": [0, *np.cumsum(gains).tolist()]}
    if kind == "campus":
        counted = ("at each bus", "over all buses")[int(rng.integers(2))]
        return {"kind": kind, "values": values, "minimum_mw": int(rng.integers(0, 30)), "counted": counted}
    if kind == "bundles":
        listed = []
        for _ in range(int(rng.integers(1, 6))):
            chosen = {lot.id: int(rng.integers(1, lot.quantity + 1)) for lot in lots if rng.random() < 0.5}
            listed.append({"lots": chosen or {lots[0].id: 1}, "value": int(rng.integers(1, top * 2))})
        return {"kind": kind, "bundles": listed}
    return {"kind": kind, "values": values}


def worth(content: Mapping[str, Any], lots: tuple[Lot, ...], bundle: tuple[int, ...]) -> float:
    """The value of a bundle, read straight from the JSON."""
    values = content.get("values", {})
    own = [(lot, n) for lot, n in zip(lots, bundle, strict=True) if n]
    match content["kind"]:
        case "additive":
            return sum(n * values[lot.id] for lot, n in own)
        case "unit demand":
            return max((values[lot.id] for lot, _ in own), default=0)
        case "symmetric":
            return content["totals"][sum(bundle)]
        case "bundles":
            held = {lot.id: n for lot, n in own}
            inside = [b["value"] for b in content["bundles"] if all(held.get(k, 0) >= n for k, n in b["lots"].items())]
            return max(inside, default=0)
    with_firm = {lot.bus for lot, _ in own if lot.risk == 0}
    used = [(lot, n) for lot, n in own if lot.bus in with_firm]
    sites = [with_firm] if content["counted"] == "over all buses" else [{bus} for bus in with_firm]
    total = 0
    for site in sites:
        here = [(lot, n) for lot, n in used if lot.bus in site]
        if sum(n * lot.capacity_mw for lot, n in here) >= content["minimum_mw"]:
            total += sum(n * values[lot.id] for lot, n in here)
    return total


def everything(lots: tuple[Lot, ...]) -> Iterator[tuple[int, ...]]:
    return itertools.product(*(range(lot.quantity + 1) for lot in lots))


def best_partition(contents: list[Mapping[str, Any]], lots: tuple[Lot, ...], seller: int = 0) -> float:
    """The largest total value over all ways to give every block to a bidder or to keep it, by recursion."""
    if not contents:
        return 0.0

    def rest(place: int, left: tuple[int, ...]) -> float:
        if place == len(contents):
            return float(seller * sum(left))
        key = (place, left)
        if key not in known:
            known[key] = max(
                worth(contents[place], lots, own)
                + rest(place + 1, tuple(a - b for a, b in zip(left, own, strict=True)))
                for own in itertools.product(*(range(n + 1) for n in left))
            )
        return known[key]

    known: dict[tuple[int, tuple[int, ...]], float] = {}
    return rest(0, tuple(lot.quantity for lot in lots))


def surplus(valuation: Valuation, bundle: np.ndarray, prices: np.ndarray) -> float:
    return valuation.value(bundle) - float(prices @ bundle)
