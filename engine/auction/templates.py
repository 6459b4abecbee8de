"""Auctions that are ready to run: the paper's two examples, three to teach with, and one from a product set.

The paper is arXiv 2604.08854, section VI-E/F. The other templates are made up; their draws come from a seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from engine.auction.presets import PRESETS
from engine.auction.rules import MAX_AMOUNT, Configuration, Increment, Lot, Rules
from engine.auction.value_builder import Inputs, build
from engine.capacity.products import Product, ProductSet
from engine.errors import QuestionError

Units = Literal["MW", "MW weighted by risk"]
# Prices of many sizes in one room: an increment in percent ends as soon for a lot of 2,000 k$ as for one of 200.
IN_PERCENT = Increment("smoothed", amount=1, weight=0.5, floor=0.1, ceiling=0.2, rounding=1)
PRODUCT_SET_RULES = replace(PRESETS["Classroom"], increment=IN_PERCENT)


@dataclass(frozen=True, slots=True)
class Seat:
    """A place for a bidder: what he is worth to himself, and what he may bid for."""

    name: str
    valuation: Mapping[str, Any] | None  # JSON of engine.auction.values; None: a person brings his own
    bot: str = ""  # the kind of bot that sits here; "" for a person
    eligibility: int = 0  # bidding units
    deposit: int = 0  # currency units
    id: str = ""  # "bidder-1" and so on by place where it is empty


@dataclass(frozen=True, slots=True)
class Template:
    """A configuration with its seats and what it shows."""

    key: str
    title: str
    description: str
    configuration: Configuration
    seats: tuple[Seat, ...]


def total_units(configuration: Configuration) -> int:
    """Return the bidding units of all blocks of all lots: who has so many may bid for everything."""
    return sum(lot.units * lot.quantity for lot in configuration.lots)


_PAPER_LOTS = (
    Lot("3-firm", "10 MW firm at bus 3", 10.0, 0.0, "3", 10),
    Lot("3-flex5", "6.3 MW at 5 % at bus 3", 6.3, 0.05, "3", 6),
    Lot("4-firm", "10 MW firm at bus 4", 10.0, 0.0, "4", 10),
    Lot("4-flex5", "5.6 MW at 5 % at bus 4", 5.6, 0.05, "4", 6),
)
_PAPER_BOTS = ("paper-highest", "paper-lowest")  # the order in which each of the paper's bidders breaks his ties


def _paper(key: str, number: int, what: str, valuations: tuple[Mapping[str, Any], ...]) -> Template:
    configuration = Configuration(
        title=f"The paper's example {number}: {what}",
        lots=_PAPER_LOTS,
        rules=replace(PRESETS["Paper"], increment=Increment("fixed", 5)),
        origin=f"arXiv 2604.08854, section VI, example {number}",
    )
    units = total_units(configuration)
    seats = tuple(
        Seat(f"Bidder {place}", valuation, bot, units)
        for place, (valuation, bot) in enumerate(zip(valuations, _PAPER_BOTS, strict=True), start=1)
    )
    words = f"Two bidders with {what} values for four products on the four-bus grid, increment 5; closes efficiently."
    return Template(key, configuration.title, words, configuration, seats)


def _additive(values: tuple[int, ...]) -> dict[str, Any]:
    return {"kind": "additive", "values": {lot.id: value for lot, value in zip(_PAPER_LOTS, values, strict=True)}}


def paper_1() -> Template:
    """Return the paper's example 1: additive values."""
    return _paper("paper-1", 1, "additive", (_additive((20, 0, 30, 15)), _additive((30, 20, 10, 10))))


def paper_2() -> Template:
    """Return the paper's example 2: symmetric concave values."""
    totals = ((0, 30, 50, 55, 60), (0, 25, 45, 60, 65))
    valuations = tuple({"kind": "symmetric", "totals": list(row)} for row in totals)
    return _paper("paper-2", 2, "symmetric concave", valuations)


def spectrum(seed: int = 97) -> Template:
    """Return classes of equal blocks in four regions, sold as spectrum is: to national and regional bidders."""
    draws = np.random.default_rng(seed)
    regions = {"North": 1.0, "East": 1.4, "South": 0.8, "West": 1.1}  # worth of a MW against North's
    lots = []
    for region in regions:
        letter = region[0]
        lots.append(Lot(f"{letter}-10", f"10 MW block, {region}", 10.0, 0.0, region, 10, opening=40, quantity=4))
        lots.append(Lot(f"{letter}-5", f"5 MW block, {region}", 5.0, 0.0, region, 5, opening=20, quantity=2))
    configuration = Configuration(
        title="Equal blocks in four regions",
        lots=tuple(lots),
        rules=PRESETS["FCC"],
        seed=seed,
        origin="template: equal blocks in four regions (made up, drawn from the seed)",
    )
    units = total_units(configuration)
    kinds = (("National A", 0.45, 4), ("National B", 0.40, 4), ("Regional C", 0.30, 2), ("Regional D", 0.30, 2))
    seats = []
    for name, share, wide in (*kinds, ("Newcomer E", 0.15, 3)):
        served = set(draws.choice(list(regions), size=wide, replace=False).tolist())
        per_mw = {region: 10.0 * worth * draws.uniform(0.7, 1.3) for region, worth in regions.items()}
        values = {
            lot.id: round(per_mw[lot.bus] * lot.capacity_mw * draws.uniform(0.95, 1.05))
            for lot in lots
            if lot.bus in served
        }
        seats.append(Seat(name, {"kind": "additive", "values": values}, "", round(share * units)))
    words = (
        "Eight classes of equal blocks, five bidders with limited eligibility, increments by activity, waivers: nobody "
        "may win everything, and blocks of a class end within one increment of each other."
    )
    return Template("spectrum", configuration.title, words, configuration, tuple(seats))


def campus() -> Template:
    """Return an auction in which lots are complements for one bidder, and he can be left with half a campus.

    At bus West two firm lots are worth 60 together to the campus and nothing alone; another bidder pays up to 40 for
    either. Prices that clear would be 40 or more for each and at most 60 for both: there are none.
    """
    lots = (
        Lot("West-firm-1", "10 MW firm at West, first", 10.0, 0.0, "West", 10),
        Lot("West-firm-2", "10 MW firm at West, second", 10.0, 0.0, "West", 10),
        Lot("West-flex5", "10 MW at 5 % at West", 10.0, 0.05, "West", 10),
        Lot("East-firm", "10 MW firm at East", 10.0, 0.0, "East", 10),
        Lot("East-flex5", "10 MW at 5 % at East", 10.0, 0.05, "East", 10),
    )
    configuration = Configuration(
        title="A campus needs both products",
        lots=lots,
        rules=replace(PRESETS["Classroom"], increment=Increment("fixed", 5)),
        origin="template: a campus needs both products (made up)",
    )
    units = total_units(configuration)
    big = {"West-firm-1": 30, "West-firm-2": 30, "West-flex5": 12}
    either = {"West-firm-1": 40, "West-firm-2": 40}
    small = {"West-flex5": 25, "East-firm": 45, "East-flex5": 20}
    rival = {"East-firm": 38, "East-flex5": 24}
    seats = (
        Seat("Training campus", {"kind": "campus", "values": big, "minimum_mw": 20.0}, "", units),
        Seat("Edge operator", {"kind": "unit demand", "values": either}, "", units),
        Seat("Retailer", {"kind": "additive", "values": small}, "", units),
        Seat("Cloud region", {"kind": "additive", "values": rival}, "", units),
    )
    words = (
        "A campus of at least 20 MW needs two firm products at one bus. No prices clear this market, and a campus that "
        "bids for both can be left with one, or pay more than both are worth: the exposure problem."
    )
    return Template("campus", configuration.title, words, configuration, seats)


def classroom(bidders: int = 6, lots: int = 8, seed: int = 1) -> Template:
    """Return an auction for ``bidders`` people over ``lots`` products with values drawn from ``seed``.

    Raises QuestionError outside 2 to 60 bidders and 2 to 60 lots.
    """
    if not (2 <= bidders <= 60 and 2 <= lots <= 60):
        raise QuestionError(f"a class-room auction has 2 to 60 bidders and 2 to 60 products, not {bidders} and {lots}")
    draws = np.random.default_rng(seed)
    products = []
    for number in range(lots):
        bus = chr(ord("A") + number // 2 % 26) + ("" if number < 52 else "2")
        size = int(draws.integers(2, 11)) * 5
        firm = number % 2 == 0
        name = f"{size} MW firm at {bus}" if firm else f"{size} MW at 5 % at {bus}"
        risk = 0.0 if firm else 0.05
        units = units_of(float(size), risk, "MW weighted by risk", 0.5)
        suffix = "firm" if firm else "flex5"
        products.append(Lot(f"{bus}-{suffix}", name, float(size), risk, bus, units, opening=2 * units))
    configuration = Configuration(
        title=f"Class-room auction of {lots} products",
        lots=tuple(products),
        rules=PRODUCT_SET_RULES,
        seed=seed,
        origin=f"template: class-room draw for {bidders} bidders from seed {seed}",
    )
    total = total_units(configuration)
    seats = []
    for number in range(1, bidders + 1):
        taste = draws.uniform(0.95, 1.05)
        values = {
            lot.id: round(taste * draws.uniform(0.5, 1.5) * (10.0 if lot.risk == 0.0 else 7.0) * lot.capacity_mw)
            for lot in products
        }
        seats.append(Seat(f"Bidder {number}", {"kind": "additive", "values": values}, "", -(-6 * total // 10)))
    words = (
        f"{lots} products, {bidders} bidders, each with private values drawn by chance and eligible for 60 % of "
        "all bidding units."
    )
    return Template("classroom", configuration.title, words, configuration, tuple(seats))


@dataclass(frozen=True, slots=True)
class SaleChoices:
    """How a product set is sold: what counts as a bidding unit, what opens the bidding, and by which rules."""

    units: Units = "MW"
    flexible_weight: float = 0.5  # what a flexible MW counts where units are weighted by risk; a choice, not a law
    opening_rate: float = 100.0  # currency units of the opening bid per bidding unit
    merge_equal_blocks: bool = False  # products of equal bus, size and risk become one class with a quantity
    rules: Rules = PRODUCT_SET_RULES
    currency: str = "k$"
    seed: int = 0


def from_product_set(
    products: ProductSet,
    *,
    title: str = "",
    names: Mapping[str, str] | None = None,
    choices: SaleChoices = SaleChoices(),
) -> Configuration:
    """Return the auction that sells a product set.

    Bidding units are the MW of a block, or its MW weighted by risk; what was chosen is written into the origin.
    ``names`` gives buses their names. Certified sites bring the reserves of their scores. Raises QuestionError for an
    empty set or a number outside its range.
    """
    if not products.products:
        raise QuestionError("the product set is empty: there is nothing to sell")
    weight, rate = choices.flexible_weight, choices.opening_rate
    if not 0.0 < weight <= 1.0:
        raise QuestionError(f"a flexible MW must count more than 0 and at most 1 of a firm one, not {weight:g}")
    if not 0.0 <= rate <= MAX_AMOUNT:
        raise QuestionError(f"the opening rate must be 0 to {MAX_AMOUNT} per bidding unit, not {rate:g}")
    groups: dict[tuple[Any, ...], list[Product]] = {}
    for product in products.products:
        key = (product.bus, product.capacity_mw, product.risk) if choices.merge_equal_blocks else (product.id,)
        groups.setdefault(key, []).append(product)
    offers = products.question.get("siting", {}).get("offers", {})  # certified sites bring their own reserves
    lots = []
    for group in groups.values():
        first = group[0]
        count = units_of(first.capacity_mw, first.risk, choices.units, weight)
        where = (names or {}).get(first.bus) or f"bus {first.bus}"
        own = offers.get(first.id)
        what = _what(first) if own is None else own["envelope"]["name"]
        block = f", block {first.id.rsplit('-', 1)[-1]}" if len(group) == 1 and _numbered(first) else ""
        lots.append(
            Lot(
                id=first.id if len(group) == 1 else _stem(first),
                name=f"{first.capacity_mw:g} MW {what} at {where}{block}",
                capacity_mw=first.capacity_mw,
                risk=first.risk,
                bus=first.bus,
                units=count,
                opening=round(rate * count),
                reserve=0 if own is None else round(own["reserve_per_mw"] * first.capacity_mw),
                quantity=len(group),
            )
        )
    counted = f"a flexible MW counts {weight:g}" if choices.units == "MW weighted by risk" else "every MW counts 1"
    origin = f"product set {products.digest()[:12]} of {products.provenance['network']}; bidding units: {counted}"
    return Configuration(
        title=title or f"Capacity of {products.provenance['network']}",
        lots=tuple(lots),
        rules=choices.rules,
        currency=choices.currency,
        seed=choices.seed,
        origin=origin,
        product_set_digest=products.digest(),
        network_digest=str(products.provenance["network_digest"]),
    )


def _what(product: Product) -> str:
    return "firm" if product.risk == 0.0 else f"at {100 * product.risk:g} %"


def units_of(capacity_mw: float, risk: float, units: Units, flexible_weight: float) -> int:
    """Return the bidding units of one block: its MW, or its MW weighted by risk, rounded, at least 1."""
    weight = flexible_weight if units == "MW weighted by risk" and risk > 0.0 else 1.0
    return max(1, round(weight * capacity_mw))


def _numbered(product: Product) -> bool:
    """Whether the product is one of several blocks of a site and level: "5120-firm-2"."""
    head, _, last = product.id.rpartition("-")
    return last.isdigit() and head.startswith(f"{product.bus}-")


def _stem(product: Product) -> str:
    """Return what is common to the ids of equal blocks, with their size, which tells classes of one site apart."""
    return f"{product.id.rpartition('-')[0]}-x{product.capacity_mw:g}"


def seats_for(configuration: Configuration, bidders: int, seed: int = 0, bot: str = "") -> tuple[Seat, ...]:
    """Return ``bidders`` seats with values of the value builder, its inputs drawn from ``seed``.

    Revenue 100 to 250 thousand dollars per MW and year, backup 150 to 400 dollars per MWh above the grid, ten years
    at 8 %; every third bidder builds nothing below half of what the largest bus offers. The ranges are made up.
    """
    draws = np.random.default_rng(seed)
    by_bus: dict[str, float] = {}
    for lot in configuration.lots:
        by_bus[lot.bus] = by_bus.get(lot.bus, 0.0) + lot.capacity_mw * lot.quantity
    seats = []
    for number in range(1, bidders + 1):
        inputs = Inputs(
            revenue_per_mw_year=float(draws.integers(100, 251)) * 1000.0,
            backup_cost_per_mwh=float(draws.integers(150, 401)),
            minimum_campus_mw=0.5 * max(by_bus.values()) if number % 3 == 0 else 0.0,
            years=10,
            discount_rate=0.08,
        )
        built = build(inputs, configuration)
        seats.append(Seat(f"Bidder {number}", built.valuation, bot, total_units(configuration)))
    return tuple(seats)


def _templates() -> Mapping[str, Template]:
    made = (paper_1(), paper_2(), spectrum(), campus(), classroom())
    return MappingProxyType({template.key: template for template in made})


TEMPLATES: Mapping[str, Template] = _templates()
