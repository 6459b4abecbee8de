"""Auction products from an allocation: (capacity, risk, bus), in blocks, rounded down, with their witness.

A product promises MW at a bus. A firm product is never interrupted; a flexible one may be, and its risk is
the level epsilon at which the increment was granted. The MW of one site, over all its products, never exceed
the site's allocation.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from engine.capacity.allocation import usable_margin
from engine.capacity.margins import Prepared
from engine.capacity.question import CapacityQuestion
from engine.capacity.results import CapacityResult, Verdict
from engine.errors import InfeasibleError
from engine.network.model import Network, Vector

ProductKind = Literal["firm", "flexible", "envelope"]

INDICATIVE = "indicative only: a linear (DC) power-flow study, no voltage, stability or outage limits"
INDICATIVE_SECURE = "indicative only: a linear (DC) power-flow study, no voltage or stability limits"
_GRID_NOISE = 1e-9  # a size this close below a step of the rounding is that step: 9.9999999999 is 10


def indicative(security: str) -> str:
    """Return what an answer is good for, by the question's security: "base", or "n-1" with limits after outages."""
    return INDICATIVE if security == "base" else INDICATIVE_SECURE


@dataclass(frozen=True, slots=True)
class Product:
    """One lot: a promise of ``capacity_mw`` at ``bus``, interrupted with a risk of at most ``risk``."""

    id: str  # "5120-firm", "5120-flex5-2": bus, kind, level in percent, and the block's number where there are several
    bus: str
    capacity_mw: float
    risk: float  # 0 for firm, and for a load that keeps to an envelope, whose reductions are agreed and not risked
    kind: ProductKind


@dataclass(frozen=True, slots=True)
class WitnessRow:
    """A limit with all products sold at once: the load that its side of the inequality adds, and the room left."""

    element: str
    words: str
    level: float
    margin_mw: float
    used_mw: float  # sum of the products' factors times their MW; positive factors only if downward closed
    slack_mw: float


@dataclass(frozen=True, slots=True)
class Witness:
    """Why the whole set can be delivered: the tightest limits at every level, and the checker's word."""

    rows: tuple[WitnessRow, ...]  # the ten tightest of each level, tightest first
    rows_checked: int  # limits to which some candidate adds or from which it takes, over all levels
    downward_closed: bool
    verdict: Verdict | None  # of the independent checker on the sample; None until it has run


@dataclass(frozen=True, slots=True)
class ProductSet:
    """What an auction may sell. Nothing in it changes after it is published."""

    products: tuple[Product, ...]
    lost_to_rounding_mw: float  # allocated MW that no product carries, because sizes are rounded down
    rounded_away: tuple[tuple[str, float], ...]  # (bus, MW) of it, where it is not zero
    question: Mapping[str, Any]
    provenance: Mapping[str, Any]
    witness: Witness
    notices: tuple[str, ...]

    def total_mw(self, kind: ProductKind | None = None) -> float:
        """Return the MW of all products, or of one kind."""
        return math.fsum(p.capacity_mw for p in self.products if kind in {None, p.kind})

    def sold_by_level(self, candidates: tuple[str, ...], epsilons: tuple[float, ...]) -> tuple[Vector, ...]:
        """Return for firm and each level the (K,) MW of the products of that risk or less."""
        position = {bus: i for i, bus in enumerate(candidates)}
        levels = []
        for level in (0.0, *epsilons):
            total = np.zeros(len(candidates))
            for product in self.products:
                if product.risk <= level:
                    total[position[product.bus]] += product.capacity_mw
            levels.append(total)
        return tuple(levels)

    def with_verdict(self, verdict: Verdict) -> Self:
        """Return the same set with the checker's word in its witness.

        Raises InfeasibleError when the checker found a promise broken: such a set is not sold.
        """
        if not verdict.holds:
            raise InfeasibleError(f"the product set fails its check: {verdict.words}")
        return replace(self, witness=replace(self.witness, verdict=verdict))

    def to_json(self) -> dict[str, Any]:
        """Return the set as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the set of :meth:`to_json`."""
        witness = content["witness"]
        verdict = witness["verdict"]
        return cls(
            products=tuple(Product(**row) for row in content["products"]),
            lost_to_rounding_mw=content["lost_to_rounding_mw"],
            rounded_away=tuple((bus, lost) for bus, lost in content["rounded_away"]),
            question=dict(content["question"]),
            provenance=dict(content["provenance"]),
            witness=Witness(
                rows=tuple(WitnessRow(**row) for row in witness["rows"]),
                rows_checked=witness["rows_checked"],
                downward_closed=witness["downward_closed"],
                verdict=None if verdict is None else Verdict.from_json(verdict),
            ),
            notices=tuple(content["notices"]),
        )

    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON text."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def rows(self, network: Network) -> list[dict[str, Any]]:
        """Return one flat record per product for CSV, JSON or GeoJSON, each with where it is from."""
        position = {bus: i for i, bus in enumerate(network.buses.ids)}
        origin = self.provenance
        records = []
        for product in self.products:
            bus = position[product.bus]
            records.append(
                {
                    "product": product.id,
                    "bus": product.bus,
                    "name": network.buses.names[bus],
                    "zone": network.buses.zones[bus],
                    "base_kv": float(network.buses.base_kv[bus]),
                    "kind": product.kind,
                    "capacity_mw": product.capacity_mw,
                    "risk": product.risk,
                    "longitude": _or_none(network.buses.longitude[bus]),
                    "latitude": _or_none(network.buses.latitude[bus]),
                    "question": origin["sentence"],
                    "network": origin["network"],
                    "network_digest": origin["network_digest"],
                    "question_digest": origin["question_digest"],
                    "uncertainty_digest": origin["uncertainty_digest"],
                    "seed": origin["seed"],
                    "solver": origin["solver"],
                    "computed": origin["date"],
                    "data": origin["data"],
                    "states": origin["source"],
                    "use": indicative(self.question.get("security", "base")),
                }
            )
        return records

    def geojson(self, network: Network) -> dict[str, Any]:
        """Return the products with coordinates as a GeoJSON FeatureCollection of points, sentence and use on top."""
        features = []
        for record in self.rows(network):
            place = (record.pop("longitude"), record.pop("latitude"))
            geometry = None if None in place else {"type": "Point", "coordinates": list(place)}
            features.append({"type": "Feature", "geometry": geometry, "properties": record})
        return {"type": "FeatureCollection", "name": self.provenance["sentence"], "features": features}


def product_set(prepared: Prepared | None, question: CapacityQuestion, result: CapacityResult) -> ProductSet:
    """Return the products of an allocation, sizes rounded down and cut into blocks, with their witness.

    Without margins, as where units redispatch in every state, the witness is the checker's verdict alone.

    Raises InfeasibleError when the question stopped at limits exceeded at zero, or if the rounded set would
    not fit its limits, which a smaller set of a downward-closed allocation cannot do.
    """
    if result.status != "optimal":
        raise InfeasibleError("there are no products: limits are exceeded before anything is added")
    products: list[Product] = []
    lost: dict[str, float] = {}
    for level in result.levels:
        for bus, size in zip(result.candidates, level.increment_mw, strict=True):
            made, rest = _cut(bus, size, level.epsilon, question)
            products.extend(made)
            if rest > _GRID_NOISE:
                lost[bus] = lost.get(bus, 0.0) + rest
    notices = list(result.notices)
    if not question.downward_closed:
        notices.append("all or nothing: a part of this set can exceed a limit that the whole set keeps")
    made_set = ProductSet(
        products=tuple(products),
        lost_to_rounding_mw=math.fsum(lost.values()),
        rounded_away=tuple(lost.items()),
        question=question.to_json(),
        provenance=asdict(result.provenance),
        witness=Witness((), 0, question.downward_closed, None),
        notices=tuple(notices),
    )
    return made_set if prepared is None else replace(made_set, witness=_witness(prepared, question, made_set))


def round_down(value_mw: float, step_mw: float) -> float:
    """Return the largest multiple of ``step_mw`` that is not above ``value_mw``, printed exactly."""
    steps = math.floor(value_mw / step_mw + _GRID_NOISE)
    decimals = max(0, math.ceil(-math.log10(step_mw)) + 3)
    return max(0.0, round(steps * step_mw, decimals))


def _cut(bus: str, size_mw: float, epsilon: float, question: CapacityQuestion) -> tuple[list[Product], float]:
    """Return the blocks and the remainder of one increment as products, and the MW rounded away."""
    block = question.block_mw
    sizes = [round_down(size_mw, question.round_mw)]
    if block is not None:
        whole = math.floor(size_mw / block + _GRID_NOISE)
        sizes = [block] * whole + [round_down(size_mw - whole * block, question.round_mw)]
    sizes = [size for size in sizes if size > 0.0]
    kind: ProductKind = "firm" if epsilon == 0.0 else "flexible"
    stem = f"{bus}-firm" if epsilon == 0.0 else f"{bus}-flex{100 * epsilon:.6g}"
    names = [stem] if len(sizes) == 1 else [f"{stem}-{number}" for number in range(1, len(sizes) + 1)]
    products = [Product(name, bus, size, epsilon, kind) for name, size in zip(names, sizes, strict=True)]
    return products, max(0.0, size_mw - math.fsum(sizes))


def _witness(prepared: Prepared, question: CapacityQuestion, products: ProductSet) -> Witness:
    factors = prepared.factors_of(question)
    if question.downward_closed:
        factors = np.maximum(factors, 0.0)
    rows: list[WitnessRow] = []
    checked = 0
    sold = products.sold_by_level(question.candidates, question.epsilons)
    for epsilon, sold_mw in zip((0.0, *question.epsilons), sold, strict=True):
        margin = usable_margin(prepared, question, epsilon)
        used = factors @ sold_mw
        touched = np.flatnonzero((factors != 0.0).any(axis=1))
        checked += len(touched)
        slack = margin[touched] - used[touched]
        if slack.size and slack.min() < -prepared.tolerance_mw:
            worst = prepared.limit(int(touched[slack.argmin()]))
            raise InfeasibleError(
                f"rounded products exceed {worst.words} by {-slack.min():.6f} MW: sell all or nothing"
            )
        for place in np.argsort(slack, kind="stable")[:10]:
            row = int(touched[place])
            limit = prepared.limit(row)
            rows.append(
                WitnessRow(
                    limit.element, limit.words, epsilon, float(margin[row]), float(used[row]), float(slack[place])
                )
            )
    return Witness(tuple(rows), checked, question.downward_closed, None)


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
