"""Clearing by score, in sequence: who of the applicants gets which certified site, under which envelope.

Repeat: of all applicants and certified offers that fit each other, take the pair with the best score, try it together
with everything placed so far, and keep it if the whole still passes the gate. Sites certified one by one need not stand
together, so every award is tried with all the others: no award rests on its own certificate alone.

The published order: the higher score, then the earlier date, then the larger load, then the applicant's name.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.compute import Progress
from engine.errors import QuestionError
from engine.network.model import Vector
from engine.siting.envelopes import Envelope

ORDER = "the higher score, then the earlier date, then the larger load, then the name"


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who asks for a place."""

    name: str
    mw: float  # nameplate
    date: str  # ISO 8601 day of the application
    buses: frozenset[int] = frozenset()  # positions that they would take; empty: any
    envelopes: frozenset[str] = frozenset()  # names that they would sign; empty: any


@dataclass(frozen=True, slots=True)
class Offer:
    """One certified place of the catalogue."""

    bus: int  # position
    bus_id: str
    envelope: Envelope
    score: float
    largest_mw: float  # nameplate that passes the gate alone
    zone: str = ""
    corridor: str = ""  # "" for none


@dataclass(frozen=True, slots=True)
class ClearingRules:
    """The published rules; infinite or empty where there is none."""

    tranche_mw: float = float("inf")  # of nameplate, in this clearing
    corridor_cap_mw: Mapping[str, float] = field(default_factory=dict)
    zone_cap_mw: Mapping[str, float] = field(default_factory=dict)
    most_per_zone: int = 10**6  # awards: diversification
    most_per_bus: int = 1


@dataclass(frozen=True, slots=True)
class Placed:
    """A load that is or would be there."""

    bus: int
    envelope: Envelope
    nameplate_mw: float


@dataclass(frozen=True, slots=True, eq=False)
class JointFailure:
    """An hour and an outage that no dispatch survives with the loads placed, and the ray that proves it.

    Loads ``extra`` (B,) of that hour can be served only if ``price @ extra <= room_mw``.
    """

    hour: int
    contingency: int
    weight: int  # outages that it stands for
    price: Vector  # (B,)
    room_mw: float
    words: str  # such as "2020-08-13 16:00, loss of line 12-40"


@dataclass(frozen=True, slots=True, eq=False)
class JointVerdict:
    """What the gate says of loads together."""

    pairs: int  # hours times outages
    allowed: int  # failures that the threshold allows
    failures: tuple[JointFailure, ...]  # every one of them

    @property
    def failed(self) -> int:
        """Return how many hours and outages fail."""
        return sum(failure.weight for failure in self.failures)

    @property
    def passes(self) -> bool:
        """Return whether the loads pass the gate together."""
        return self.failed <= self.allowed


class JointGate(Protocol):
    """The gate for several loads at once."""

    def check(self, placed: Sequence[Placed]) -> JointVerdict:
        """Return the verdict on exactly these loads."""

    def hour_of_day(self, hour: int) -> int:
        """Return the hour of the day, 1 to 24, of an hour of the case."""


@dataclass(frozen=True, slots=True)
class Award:
    """An applicant's place."""

    applicant: Applicant
    offer: Offer
    pass_rate: float  # of everything placed up to here


@dataclass(frozen=True, slots=True)
class Refusal:
    """A pair that was tried or ruled out, and why."""

    applicant: Applicant
    offer: Offer
    reason: str


@dataclass(frozen=True, slots=True)
class Clearing:
    """Awards in their order, those left without, and every pair that came first and was refused."""

    awards: tuple[Award, ...]
    unplaced: tuple[Applicant, ...]
    refusals: tuple[Refusal, ...]
    rules: ClearingRules
    order: str = ORDER

    @property
    def placed_mw(self) -> float:
        """Return the nameplate MW awarded."""
        return sum(award.applicant.mw for award in self.awards)


def clear_by_score(  # noqa: PLR0913 (what is cleared, by what, and two by name)
    applicants: Sequence[Applicant],
    offers: Sequence[Offer],
    rules: ClearingRules,
    gate: JointGate,
    *,
    placed: Sequence[Placed] = (),
    progress: Progress | None = None,
) -> Clearing:
    """Return who gets what; ``placed`` are loads committed before. Raises QuestionError naming a wrong application."""
    check_applicants(applicants)
    waiting, there = list(applicants), list(placed)
    awards: list[Award] = []
    refusals: list[Refusal] = []
    pairs = list(_in_order(applicants, offers))
    for done, (applicant, offer) in enumerate(pairs):
        if progress is not None:
            progress(done, len(pairs))
        if applicant not in waiting:
            continue
        if reason := broken_rule(applicant, offer, rules, [(award.applicant, award.offer) for award in awards]):
            refusals.append(Refusal(applicant, offer, reason))
            continue
        candidate = Placed(offer.bus, offer.envelope, applicant.mw)
        verdict = gate.check([*there, candidate])
        if not verdict.passes:
            first = verdict.failures[0].words
            refusals.append(
                Refusal(
                    applicant,
                    offer,
                    f"with the loads placed before it {verdict.failed} of {verdict.pairs} hours and outages fail, "
                    f"{verdict.allowed} are allowed; the first is {first}",
                )
            )
            continue
        there.append(candidate)
        waiting.remove(applicant)
        awards.append(Award(applicant, offer, 1.0 - verdict.failed / max(verdict.pairs, 1)))
    if progress is not None:
        progress(len(pairs), len(pairs))
    return Clearing(tuple(awards), tuple(waiting), tuple(refusals), rules)


def fits(applicant: Applicant, offer: Offer) -> bool:
    """Return whether an applicant would take an offer, and the offer alone can carry the load."""
    return (
        (not applicant.buses or offer.bus in applicant.buses)
        and (not applicant.envelopes or offer.envelope.name in applicant.envelopes)
        and applicant.mw <= offer.largest_mw
    )


def broken_rule(
    applicant: Applicant, offer: Offer, rules: ClearingRules, awarded: Sequence[tuple[Applicant, Offer]]
) -> str:
    """Return the published rule that one more award would break, in words; "" for none."""

    def total(chosen: Callable[[Offer], bool]) -> float:
        return sum(other.mw for other, place in awarded if chosen(place)) + applicant.mw

    count_bus = sum(place.bus == offer.bus for _, place in awarded)
    count_zone = sum(place.zone == offer.zone for _, place in awarded)
    checks = (
        (total(lambda _: True) > rules.tranche_mw, f"the tranche of {rules.tranche_mw:g} MW would be exceeded"),
        (
            total(lambda place: place.corridor == offer.corridor)
            > rules.corridor_cap_mw.get(offer.corridor, float("inf")),
            f"the cap of corridor {offer.corridor} would be exceeded",
        ),
        (
            total(lambda place: place.zone == offer.zone) > rules.zone_cap_mw.get(offer.zone, float("inf")),
            f"the cap of zone {offer.zone} would be exceeded",
        ),
        (
            count_zone >= rules.most_per_zone,
            f"zone {offer.zone} has {count_zone} awards, {rules.most_per_zone} at most",
        ),
        (count_bus >= rules.most_per_bus, f"bus {offer.bus_id} has {count_bus} awards, {rules.most_per_bus} at most"),
    )
    return next((words for broken, words in checks if broken), "")


def check_applicants(applicants: Sequence[Applicant]) -> None:
    """Raise QuestionError with every application that cannot be taken."""
    found = [f"{one.name!r} asks for {one.mw:g} MW: above 0, to 100,000" for one in applicants if not 0 < one.mw <= 1e5]
    names = [one.name for one in applicants]
    found += [f"{name!r} applies twice" for name in sorted({name for name in names if names.count(name) > 1})]
    if found:
        raise QuestionError("; ".join(found))


def _in_order(applicants: Sequence[Applicant], offers: Sequence[Offer]) -> Iterator[tuple[Applicant, Offer]]:
    """Yield every pair that fits, in the published order."""
    pairs = [(applicant, offer) for applicant in applicants for offer in offers if fits(applicant, offer)]
    return iter(
        sorted(
            pairs,
            key=lambda pair: (-pair[1].score, pair[0].date, -pair[0].mw, pair[0].name, pair[1].bus_id),
        )
    )
