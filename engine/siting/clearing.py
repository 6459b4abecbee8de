"""Clearing by score, in sequence: who of the applicants gets which certified site, under which envelope.

Repeat: of all applicants and certified offers that fit each other, take the pair with the best score, try it together
with everything placed so far, and keep it if the whole still passes the gate. Sites certified one by one need not stand
together, so every award is tried with all the others: no award rests on its own certificate alone.

The published order: the higher score, then a published tie-break, by default the earlier date, then the larger load,
then the applicant's name. Scores may count in steps, so that sites that the noise floor cannot tell apart are equal.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from engine.compute import Progress
from engine.errors import QuestionError
from engine.network.model import Integers, Vector
from engine.siting.envelopes import Envelope

ROUNDING = 1e-12  # of a share: what sums in another order may differ by
TieBreak = Literal["date", "large", "small"]
TIE_BREAKS: Mapping[TieBreak, str] = {
    "date": "the earlier date, then the larger load, then the name",
    "large": "the larger load, then the earlier date, then the name",
    "small": "the smaller load, then the earlier date, then the name",
}


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
    most_per_corridor: int = 10**6
    tie_break: TieBreak = "date"  # between equal scores, in sequence
    score_step: float = 0.0  # scores count in whole steps of this; 0: as they are

    def order(self) -> str:
        """Return the order in which pairs are tried, in words."""
        step = f" in steps of {self.score_step:g}" if self.score_step else ""
        return f"the higher score{step}, then {TIE_BREAKS[self.tie_break]}"


@dataclass(frozen=True, slots=True)
class Placed:
    """A load that is or would be there."""

    bus: int
    envelope: Envelope
    nameplate_mw: float

    def level_mw(self, hour_of_day: Integers, series_mw: Vector | None = None) -> Vector:
        """Return what the grid serves of it in hours (T,), as :meth:`engine.siting.envelopes.Envelope.level_mw`."""
        return self.envelope.level_mw(self.nameplate_mw, hour_of_day, series_mw)


@dataclass(frozen=True, slots=True, eq=False)
class JointFailure:
    """An hour and an outage that no dispatch survives with the loads placed, and the ray that proves it.

    Loads ``extra`` (B,) of that hour can be served only if ``price @ extra <= room_mw``.
    """

    hour: int
    contingency: int
    outages: int  # that it stands for
    share: float  # of all hours and outages, by the weights of the hours
    price: Vector  # (B,)
    room_mw: float
    words: str  # such as "2020-08-13 16:00, loss of line 12-40"


@dataclass(frozen=True, slots=True, eq=False)
class JointVerdict:
    """What the gate says of loads together; shares are of hours and outages, by the weights of the hours."""

    pairs: int  # hours times outages
    allowed: float  # the share that may fail
    failures: tuple[JointFailure, ...]  # every one of them

    @property
    def failed(self) -> int:
        """Return how many hours and outages fail."""
        return sum(failure.outages for failure in self.failures)

    @property
    def failed_share(self) -> float:
        """Return the share that fails."""
        return sum(failure.share for failure in self.failures)

    @property
    def pass_rate(self) -> float:
        """Return the share that passes, as the gate counts it for one load."""
        return 1.0 - self.failed_share

    @property
    def passes(self) -> bool:
        """Return whether the loads pass the gate together."""
        return self.failed_share <= self.allowed + ROUNDING

    def words(self) -> str:
        """Return how many fail, what share that is, and what may."""
        return (
            f"{self.failed:,} of {self.pairs:,} hours and outages fail, {100.0 * self.failed_share:.2f} % by the "
            f"weights of the hours; {100.0 * self.allowed:g} % may"
        )


class JointGate(Protocol):
    """The gate for several loads at once."""

    def check(self, placed: Sequence[Placed]) -> JointVerdict:
        """Return the verdict on exactly these loads."""

    def served_mw(self, placed: Placed, hour: int) -> float:
        """Return what the grid serves of a load in an hour of the case, MW."""


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
    verdict: JointVerdict  # of the gate, on everything placed in the end

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
    last: JointVerdict | None = None
    awards: list[Award] = []
    refusals: list[Refusal] = []
    pairs = list(_in_order(applicants, offers, rules))
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
            refusals.append(Refusal(applicant, offer, _fails(verdict)))
            continue
        there.append(candidate)
        waiting.remove(applicant)
        awards.append(Award(applicant, offer, verdict.pass_rate))
        last = verdict
    if progress is not None:
        progress(len(pairs), len(pairs))
    return Clearing(tuple(awards), tuple(waiting), tuple(refusals), rules, last or gate.check(there))


def why_left(  # noqa: PLR0913 (who, of what, by which rules, beside what)
    applicant: Applicant,
    offers: Sequence[Offer],
    rules: ClearingRules,
    awarded: Sequence[tuple[Applicant, Offer]],
    *,
    gate: JointGate,
    placed: Sequence[Placed] = (),
) -> str:
    """Return what keeps an applicant out of its best site beside the awards: that none fits, a rule, or the gate."""
    mine = [offer for offer in offers if fits(applicant, offer)]
    if not mine:
        return _misfit(applicant, offers)
    best = max(mine, key=lambda offer: offer.score)
    at = f"at bus {best.bus_id} under {best.envelope.name}, its best site, "
    if reason := broken_rule(applicant, best, rules, awarded):
        return at + reason
    there = [*placed, *(Placed(place.bus, place.envelope, one.mw) for one, place in awarded)]
    verdict = gate.check([*there, Placed(best.bus, best.envelope, applicant.mw)])
    if not verdict.passes:
        return at + _fails(verdict)
    return at + "the awards made are worth more"


def _misfit(applicant: Applicant, offers: Sequence[Offer]) -> str:
    """Return why no offer fits an applicant alone."""
    found = [offer for offer in offers if not applicant.buses or offer.bus in applicant.buses]
    if not found:
        return "none of its buses is a certified site here"
    found = [offer for offer in found if not applicant.envelopes or offer.envelope.name in applicant.envelopes]
    if not found:
        return "none of its sites is certified under an envelope that it would sign"
    largest = max(offer.largest_mw for offer in found)
    return f"it asks for {applicant.mw:g} MW, the largest of its sites is certified for {largest:g} MW"


def _fails(verdict: JointVerdict) -> str:
    return f"with the loads placed before it {verdict.words()}; the first is {verdict.failures[0].words}"


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

    def total(chosen: Callable[[Offer], bool]) -> tuple[float, int]:
        same = [other for other, place in awarded if chosen(place)]
        return sum(other.mw for other in same) + applicant.mw, len(same)

    checks: list[tuple[str, float, tuple[float, int], float]] = [
        ("the tranche", rules.tranche_mw, total(lambda _: True), math.inf),
        (f"bus {offer.bus_id}", math.inf, total(lambda place: place.bus == offer.bus), rules.most_per_bus),
    ]
    if offer.corridor:
        name, cap = offer.corridor, rules.corridor_cap_mw.get(offer.corridor, math.inf)
        checks.append((f"corridor {name}", cap, total(lambda place: place.corridor == name), rules.most_per_corridor))
    if offer.zone:
        zone, cap = offer.zone, rules.zone_cap_mw.get(offer.zone, math.inf)
        checks.append((f"zone {zone}", cap, total(lambda place: place.zone == zone), rules.most_per_zone))
    for what, limit, (mw, count), most in checks:
        if mw > limit:
            named = f"{what} of {limit:g} MW" if what == "the tranche" else f"the cap of {what} of {limit:g} MW"
            return f"{named} would be exceeded: {mw:g} MW with this one"
        if count >= most:
            return f"{what} has {count} awards, {most:g} at most"
    return ""


def check_applicants(applicants: Sequence[Applicant]) -> None:
    """Raise QuestionError with every application that cannot be taken."""
    found = [f"{one.name!r} asks for {one.mw:g} MW: above 0, to 100,000" for one in applicants if not 0 < one.mw <= 1e5]
    names = [one.name for one in applicants]
    found += [f"{name!r} applies twice" for name in sorted({name for name in names if names.count(name) > 1})]
    if found:
        raise QuestionError("; ".join(found))


def _in_order(
    applicants: Sequence[Applicant], offers: Sequence[Offer], rules: ClearingRules
) -> Iterator[tuple[Applicant, Offer]]:
    """Yield every pair that fits, in the published order; of one applicant's equal sites the exact score decides."""
    pairs = [(applicant, offer) for applicant in applicants for offer in offers if fits(applicant, offer)]
    ties: Mapping[TieBreak, Callable[[Applicant], tuple[Any, ...]]] = {
        "date": lambda one: (one.date, -one.mw),
        "large": lambda one: (-one.mw, one.date),
        "small": lambda one: (one.mw, one.date),
    }

    def counted(score: float) -> float:
        return math.floor(score / rules.score_step + 1e-9) if rules.score_step else score

    def key(pair: tuple[Applicant, Offer]) -> tuple[Any, ...]:
        applicant, offer = pair
        tie = ties[rules.tie_break](applicant)
        return (-counted(offer.score), *tie, applicant.name, -offer.score, offer.bus_id)

    return iter(sorted(pairs, key=key))
