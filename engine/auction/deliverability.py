"""Whether what an auction has awarded can be delivered by the network that its products came from.

The limits are made anew from the stored network, question and states; the product table is not asked. Two routes give
the answer. :mod:`engine.capacity.verify`, which shares no code with what made the products, judges every limit: firm in
every state of the uncertainty set, flexible by CVaR at its level. Margins prepared again name the tightest limits. An
award that is a part of a downward-closed set holds by itself; of an all-or-nothing set it may fail, and that is told.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

import numpy as np

from engine.auction.results import winners
from engine.auction.state import NOBODY, AuctionState
from engine.capacity.allocation import usable_margin
from engine.capacity.answer import Margins, work_out
from engine.capacity.conditions import condition_rows
from engine.capacity.margins import Prepared, prepare
from engine.capacity.products import ProductSet
from engine.capacity.question import CapacityQuestion, percent
from engine.capacity.results import Verdict
from engine.capacity.uncertainty import States
from engine.capacity.verify import TOLERANCE_MW, verify
from engine.compute import Progress
from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Network, Vector
from engine.redispatch.verify import verify_with_redispatch

SHOWN = 10  # tightest limits kept of each level
APART_MW = 1e-4  # margins and checker differ by summation noise, never by this much
_CAPPING = frozenset({"cap", "corridor", "largest"})  # conditions that more sold may break; others ask for more
_OPTIONS = ("firm_set", "budget", "epsilons", "measure", "security", "outages", "outage_rating", "recourse", "period",
            "supply", "cutoff", "downward_closed", "at_zero")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Award:
    """The blocks of one lot that are held, and by whom."""

    lot: str
    bus: str
    risk: float  # 0 for firm
    capacity_mw: float  # of one block
    blocks: int
    holders: tuple[tuple[str, int], ...] = ()  # bidder's id and his blocks, in the order of the seats

    @property
    def mw(self) -> float:
        """Return the MW of all held blocks."""
        return self.capacity_mw * self.blocks


Sold = tuple[tuple[str, float, float], ...]  # bus, risk, MW; sorted, each bus and risk once


@dataclass(frozen=True, slots=True)
class Origin:
    """What a product set says it was computed from: SHA-256 digests."""

    product_set: str
    network: str
    question: str
    uncertainty: str

    @classmethod
    def of(cls, products: ProductSet) -> Self:
        """Return the digests that a product set carries, and its own."""
        told = products.provenance
        return cls(products.digest(), told["network_digest"], told["question_digest"], told["uncertainty_digest"])

    def check(self, network: Network, question: CapacityQuestion) -> None:
        """Raise QuestionError where network, question or uncertainty are not those that the products came from."""
        found = {"network": network.digest, "question": question.digest(), "uncertainty": question.uncertainty.digest()}
        for name, digest in found.items():
            told = getattr(self, name)
            if told != digest:
                raise QuestionError(
                    f"the {name} is not the one that the products were computed from: theirs has the digest "
                    f"{told[:12]}, this one {digest[:12]}; nothing is said about it"
                )


@dataclass(frozen=True, slots=True)
class TightRow:
    """A limit with what is awarded: the room before, what the awards take of it, and what is left."""

    level: float  # 0 for firm
    element: str  # id of the bus, branch or interface; "" for a condition
    words: str
    period: str  # "" for the year as a whole
    margin_mw: float
    used_mw: float
    slack_mw: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """The answer, and what proves it."""

    holds: bool
    words: str
    sold: Sold
    sold_mw: tuple[float, ...]  # firm, then firm and flexible up to each risk level
    rows: tuple[TightRow, ...]  # tightest first within a level; none with redispatch
    verdict: Verdict
    notices: tuple[str, ...]
    inputs: Mapping[str, str]  # SHA-256 of the product set, network, question, uncertainty, states and awards
    options: Mapping[str, Any]  # of the question, as far as the limits depend on them
    date: str  # UTC, ISO 8601
    time_s: float

    def to_json(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        content: dict[str, Any] = json.loads(json.dumps(asdict(self), allow_nan=False))
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the answer of :meth:`to_json`."""
        lists = {
            "sold": tuple((bus, risk, mw) for bus, risk, mw in content["sold"]),
            "sold_mw": tuple(content["sold_mw"]),
            "rows": tuple(TightRow(**row) for row in content["rows"]),
            "notices": tuple(content["notices"]),
            "verdict": Verdict.from_json(content["verdict"]),
        }
        return cls(**{**content, **lists})


def awards(state: AuctionState) -> tuple[Award, ...]:
    """Return what is held after the last closed round, lot by lot.

    Once the auction has closed, blocks that ended under their reserve or were not paid for are not awarded.
    """
    holders = state.holder if state.phase in ("open", "paused") else winners(state)
    found = []
    for place, lot in enumerate(state.configuration.lots):
        own = holders[state.slots_of(place)]
        held = own != NOBODY
        seats, blocks = np.unique(own[held], return_counts=True)
        if seats.size:
            whose = tuple(
                (state.bidders[seat].id, count) for seat, count in zip(seats.tolist(), blocks.tolist(), strict=True)
            )
            found.append(Award(lot.id, lot.bus, lot.risk, lot.capacity_mw, int(held.sum()), whose))
    return tuple(found)


def sold_of(awarded: Iterable[Award]) -> Sold:
    """Return the MW by bus and risk, whoever holds them."""
    total: dict[tuple[str, float], float] = {}
    for award in awarded:
        total[(award.bus, award.risk)] = total.get((award.bus, award.risk), 0.0) + award.mw
    # Rounded, so that the same MW in another order of addition is the same question.
    return tuple((bus, risk, round(mw, 9)) for (bus, risk), mw in sorted(total.items()))


def levels_of(question: CapacityQuestion, sold: Sold) -> tuple[Vector, ...]:
    """Return for firm and each risk level the (K,) MW sold at that risk or less.

    Raises QuestionError for a bus or a risk that the question does not ask about, or MW that are no amount.
    """
    position = {bus: place for place, bus in enumerate(question.candidates)}
    levels = (0.0, *question.epsilons)
    found = tuple(np.zeros(len(position)) for _ in levels)
    for bus, risk, mw in sold:
        if bus not in position:
            raise QuestionError(f"bus {bus!r} is sold, but the product set has no product there")
        if risk not in levels:
            known = ", ".join("firm" if level == 0 else percent(level) for level in levels)
            raise QuestionError(f"a risk of {percent(risk)} is sold at bus {bus!r}; the product set has {known}")
        if not (np.isfinite(mw) and mw >= 0):
            raise QuestionError(f"{mw} MW are sold at bus {bus!r}: an amount is 0 or more")
        for level, total in zip(levels, found, strict=True):
            if risk <= level:
                total[position[bus]] += mw
    return found


def check(  # noqa: PLR0913 (what is checked, against what, and who is told)
    network: Network,
    products: ProductSet,
    awarded: Iterable[Award],
    states: States,
    *,
    margins: Margins | None = None,
    factors: Factors | None = None,
    progress: Progress | None = None,
) -> Delivery:
    """Return whether ``awarded`` can be delivered by the network and states that ``products`` came from.

    ``margins`` of :func:`margins_of` save making them. Raises QuestionError where the digests differ, or a lot sells
    what the set does not have.
    """
    question = CapacityQuestion.from_json(products.question)
    return deliver(
        network,
        question,
        Origin.of(products),
        sold_of(awarded),
        states,
        margins=margins,
        factors=factors,
        progress=progress,
    )


def deliver(  # noqa: PLR0913 (as check)
    network: Network,
    question: CapacityQuestion,
    origin: Origin,
    sold: Sold,
    states: States,
    *,
    margins: Margins | None = None,
    factors: Factors | None = None,
    progress: Progress | None = None,
) -> Delivery:
    """Return the answer of :func:`check` for MW by bus and risk and a product set known by its digests."""
    begin = time.perf_counter()
    origin.check(network, question)
    levels = levels_of(question, sold)
    used = factors or Factors.of(network)
    if question.recourse == "redispatch":
        verdict = verify_with_redispatch(network, question, levels, states, factors=used, progress=progress)
    else:
        verdict = verify(network, question, levels, states, used, progress=progress)
    made = margins_of(network, question, states, used) if margins is None else margins
    rows = [row for name, prepared in made for row in _limits(prepared, question, levels, name)]
    caps, unmet = _conditions(network, question, levels)
    broken = [row for row in (*rows, *caps) if row.slack_mw < -(APART_MW if row.element else TOLERANCE_MW)]
    holds = verdict.holds and not broken
    tight = _tightest([*rows, *caps], question)
    return Delivery(
        holds=holds,
        words=_words(verdict, tight, broken, float(levels[-1].sum())),
        sold=sold,
        sold_mw=tuple(float(level.sum()) for level in levels),
        rows=tight,
        verdict=verdict,
        notices=(*_notices(question, margins=bool(made)), *unmet),
        inputs={**asdict(origin), "states": states_digest(states), "awards": _sha256(json.dumps(sold).encode())},
        options={name: question.to_json()[name] for name in _OPTIONS},
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        time_s=time.perf_counter() - begin,
    )


def margins_of(
    network: Network, question: CapacityQuestion, states: States, made: Prepared | Factors | None = None
) -> Margins:
    """Return the margins of the year or of each period, with the rows after outages that stop the whole set.

    None with redispatch, which has no margins. ``made`` are the plain margins of the same states, or factors.
    """
    if question.recourse == "redispatch":
        return ()
    if question.security == "base" and question.period == "year":
        plain = made if isinstance(made, Prepared) else prepare(network, question, states, factors=made)
        return (("", plain),)
    return own_of(work_out(network, question, states, margins=made).margins)


def own_of(margins: Margins) -> Margins:
    """Return the margins of the periods by themselves, where there are any."""
    return tuple(one for one in margins if one[0]) or margins


def states_digest(states: States) -> str:
    """Return the SHA-256 of the box and the sample: probabilities, names and MW of every state."""
    digest = hashlib.sha256()
    if states.box is not None:
        for bound in (states.box.lower_mw, states.box.upper_mw):
            digest.update(np.ascontiguousarray(bound, dtype=np.float64).data)
    if states.sample is not None:
        sample = states.sample
        digest.update("\n".join(sample.labels).encode())
        for part in (sample.net_demand_mw, sample.weight):
            digest.update(np.ascontiguousarray(part, dtype=np.float64).data)
    return digest.hexdigest()


def _limits(prepared: Prepared, question: CapacityQuestion, levels: Sequence[Vector], period: str) -> list[TightRow]:
    """Return the tightest limits of every level, all of them where they are exceeded."""
    factors = prepared.factors_of(question)
    if question.downward_closed:
        factors = np.maximum(factors, 0.0)
    touched = np.flatnonzero((factors != 0.0).any(axis=1))
    found = []
    for level, sold_mw in zip((0.0, *question.epsilons), levels, strict=True):
        margin = usable_margin(prepared, question, level)[touched]
        used = factors[touched] @ sold_mw
        slack = margin - used
        for place in np.argsort(slack, kind="stable")[: max(SHOWN, int((slack < -APART_MW).sum()))].tolist():
            limit = prepared.limit(int(touched[place]))
            numbers = (float(margin[place]), float(used[place]), float(slack[place]))
            found.append(TightRow(level, limit.element, limit.words, period, *numbers))
    return found


def _conditions(
    network: Network, question: CapacityQuestion, levels: Sequence[Vector]
) -> tuple[list[TightRow], list[str]]:
    """Return the reader's own caps as rows, and in words the least amounts that what is sold does not reach."""
    rows = condition_rows(question.conditions, network, question.candidates, np.array(question.demand_mw))
    caps: list[TightRow] = []
    unmet: dict[str, None] = {}
    for level, sold_mw in zip((0.0, *question.epsilons), levels, strict=True):
        for row, upper, owner in zip(rows.rows, rows.upper_mw.tolist(), rows.owner, strict=True):
            condition, used = question.conditions[owner], float(row @ sold_mw)
            if condition.kind in _CAPPING:
                caps.append(TightRow(level, "", f"the condition {condition.title!r}", "", upper, used, upper - used))
            elif used > upper + TOLERANCE_MW:
                unmet[f"what is sold does not reach the condition {condition.title!r}"] = None
    return caps, list(unmet)


def _tightest(rows: Sequence[TightRow], question: CapacityQuestion) -> tuple[TightRow, ...]:
    found = []
    for level in (0.0, *question.epsilons):
        own = sorted((row for row in rows if row.level == level), key=lambda row: row.slack_mw)
        found += own[:SHOWN]
    return tuple(found)


def _shown(mw: float) -> str:
    return f"{mw:,.1f}".replace(",", "\u2009")


def _words(verdict: Verdict, tight: Sequence[TightRow], broken: Sequence[TightRow], total_mw: float) -> str:
    if not verdict.holds:
        return f"cannot be delivered: {verdict.words}"
    if broken:
        worst = min(broken, key=lambda row: row.slack_mw)
        return f"cannot be delivered: {worst.words} is exceeded by {-worst.slack_mw:.6g} MW"
    if total_mw == 0:
        return f"nothing is sold yet: {verdict.words}"
    words = f"{_shown(total_mw)} MW can be delivered: {verdict.words}"
    if not tight:
        return words
    least = min(tight, key=lambda row: row.slack_mw)
    where = "firm" if least.level == 0 else f"risk {percent(least.level)}"
    return f"{words}; least room: {_shown(max(least.slack_mw, 0.0))} MW on {least.words} ({where})"


def _notices(question: CapacityQuestion, *, margins: bool) -> list[str]:
    found = []
    if not question.downward_closed:
        found.append(
            "sold all or nothing: it counts that all bidders draw the MW awarded to them, which may relieve limits"
        )
    if not margins:
        found.append("units redispatch: a dispatch is judged in every state, and limits have no margin of their own")
    elif question.security == "n-1":
        found.append("every limit after every outage is checked; listed are those that can stop the whole set")
    return found


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
