"""Clearing by score and as a batch, on a gate whose limits are known planes: all portfolios are enumerated too."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest

from engine.errors import InfeasibleError, QuestionError
from engine.program import Status
from engine.siting.clearing import (
    TIE_BREAKS,
    Applicant,
    ClearingRules,
    JointFailure,
    JointVerdict,
    Offer,
    Placed,
    broken_rule,
    clear_by_score,
    fits,
    why_left,
)
from engine.siting.envelopes import envelope
from engine.siting.portfolio import best_portfolio

FIRM = envelope("firm", utilisation=1.0)
PAUSE = envelope("pause", utilisation=1.0, depth=0.5)


@dataclass(frozen=True)
class Planes:
    """A gate of P pairs of hour and outage, each with one limit on the loads: price (P, B) @ load <= room (P,).

    ``weight`` (P,) is what each counts, of 1; none: all count the same. ``allowed`` is the share that may fail.
    """

    price: np.ndarray
    room: np.ndarray
    hours: tuple[int, ...]  # (P,), of the day
    allowed: float = 0.0
    weight: tuple[float, ...] = ()

    def check(self, placed: Sequence[Placed]) -> JointVerdict:
        failures = []
        for pair, hour in enumerate(self.hours):
            load = np.zeros(self.price.shape[1])
            for one in placed:
                load[one.bus] += one.envelope.level_mw(one.nameplate_mw, np.array([hour]))[0]
            if self.price[pair] @ load > self.room[pair] + 1e-9:
                share = self.weight[pair] if self.weight else 1.0 / len(self.hours)
                failures.append(
                    JointFailure(pair, 0, 1, share, self.price[pair], float(self.room[pair]), f"pair {pair}")
                )
        return JointVerdict(len(self.hours), self.allowed, tuple(failures))

    def served_mw(self, placed: Placed, hour: int) -> float:
        return float(placed.level_mw(np.array([self.hours[hour]]))[0])


def offer(bus: int, score: float, largest: float = 1000.0, **more: object) -> Offer:
    return Offer(bus, f"b{bus}", more.pop("envelope", FIRM), score, largest, **more)  # type: ignore[arg-type]


ONE_LIMIT = Planes(np.array([[1.0, 1.0, 0.0]]), np.array([1500.0]), (16,))


def test_sites_certified_alone_are_refused_together() -> None:
    applicants = [Applicant("Ann", 1000.0, "2026-01-01"), Applicant("Bob", 1000.0, "2026-01-02")]
    found = clear_by_score(applicants, [offer(0, 0.9), offer(1, 0.8), offer(2, 0.1)], ClearingRules(), ONE_LIMIT)
    assert [(a.applicant.name, a.offer.bus) for a in found.awards] == [("Ann", 0), ("Bob", 2)]
    (refused,) = [r for r in found.refusals if r.offer.bus == 1]
    assert refused.reason == (
        "with the loads placed before it 1 of 1 hours and outages fail, 100.00 % by the weights of the hours; "
        "0 % may; the first is pair 0"
    )


def test_equal_scores_go_by_date_then_size_then_name() -> None:
    one = [offer(2, 0.5)]
    late, early = Applicant("A", 500.0, "2026-03-01"), Applicant("Z", 100.0, "2026-02-01")
    large, small = Applicant("Z", 500.0, "2026-02-01"), Applicant("A", 100.0, "2026-02-01")
    named = Applicant("M", 500.0, "2026-02-01")
    for pair, first in (((late, early), "Z"), ((small, large), "Z"), ((large, named), "M")):
        found = clear_by_score(pair, one, ClearingRules(), ONE_LIMIT)
        assert [award.applicant.name for award in found.awards] == [first]
        assert len(found.unplaced) == 1


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (ClearingRules(tranche_mw=900.0), "tranche of 900 MW"),
        (ClearingRules(corridor_cap_mw={"North-West": 900.0}), "cap of corridor North-West"),
        (ClearingRules(zone_cap_mw={"North": 900.0}), "cap of zone North"),
        (ClearingRules(most_per_zone=1), "zone North has 1 awards"),
        (ClearingRules(most_per_corridor=1), "corridor North-West has 1 awards"),
    ],
)
def test_each_published_rule_stops_the_second_award(rules: ClearingRules, words: str) -> None:
    applicants = [Applicant("Ann", 500.0, "2026-01-01"), Applicant("Bob", 500.0, "2026-01-02")]
    places = [offer(0, 0.9, zone="North", corridor="North-West"), offer(1, 0.8, zone="North", corridor="North-West")]
    found = clear_by_score(applicants, places, rules, ONE_LIMIT)
    assert [award.applicant.name for award in found.awards] == ["Ann"]
    assert any(words in refusal.reason for refusal in found.refusals)


def test_the_published_tie_break_decides_between_equal_scores_and_steps_make_them_equal() -> None:
    early, large = Applicant("E", 100.0, "2026-01-01"), Applicant("L", 500.0, "2026-02-01")
    wanted = {"date": "E", "large": "L", "small": "E"}
    for tie, first in wanted.items():
        found = clear_by_score((large, early), [offer(2, 0.5)], ClearingRules(tie_break=tie), ONE_LIMIT)  # type: ignore[arg-type]
        assert [award.applicant.name for award in found.awards] == [first]
        assert TIE_BREAKS[tie] in found.rules.order()  # type: ignore[index]
    # Two sites 0.004 apart, one for each applicant, and a tranche for one: in steps of 0.01 they are equal.
    mine = [Applicant("E", 100.0, "2026-01-01", frozenset({0})), Applicant("L", 100.0, "2026-02-01", frozenset({1}))]
    places = [offer(0, 0.501), offer(1, 0.505)]
    for step, first in ((0.0, "L"), (0.01, "E")):
        rules = ClearingRules(tranche_mw=100.0, score_step=step)
        found = clear_by_score(mine, places, rules, ONE_LIMIT)
        assert [award.applicant.name for award in found.awards] == [first]


@pytest.mark.parametrize("seed", range(20))
def test_no_clearing_exceeds_a_cap_and_each_refusal_by_a_rule_would(seed: int) -> None:
    rng = np.random.default_rng(seed)
    free = Planes(np.zeros((1, 6)), np.array([1.0]), (16,))  # the rules alone stop anyone
    applicants = [Applicant(f"A{k}", float(rng.integers(1, 9)) * 100.0, f"2026-01-0{k + 1}") for k in range(5)]
    offers = [
        offer(bus, float(rng.uniform(0.1, 1.0)), zone="NS"[bus % 2], corridor=("N - S", "S - W", "")[bus % 3])
        for bus in range(6)
    ]
    rules = ClearingRules(
        tranche_mw=float(rng.uniform(800.0, 2500.0)),
        corridor_cap_mw={"N - S": float(rng.uniform(200.0, 1200.0))},
        zone_cap_mw={"N": float(rng.uniform(200.0, 1500.0))},
        most_per_zone=2,
        most_per_corridor=1,
    )
    found = clear_by_score(applicants, offers, rules, free)
    best = best_portfolio(applicants, offers, rules, free)
    for awards in ([(one.applicant, one.offer) for one in found.awards], list(best.awards)):
        assert sum(one.mw for one, _ in awards) <= rules.tranche_mw
        for kind, caps, most in (("corridor", rules.corridor_cap_mw, 1), ("zone", rules.zone_cap_mw, 2)):
            for name in {getattr(place, kind) for _, place in awards} - {""}:
                own = [one.mw for one, place in awards if getattr(place, kind) == name]
                assert sum(own) <= caps.get(name, np.inf) + 1e-9
                assert len(own) <= most
        assert len({place.bus for _, place in awards}) == len(awards)
        placed = {one.name for one, _ in awards}
        for applicant in applicants:
            if applicant.name not in placed:
                said = why_left(applicant, offers, rules, awards, gate=free)
                assert "would be exceeded" in said or "at most" in said or "are worth more" in said
    assert best.value == pytest.approx(brute_force(applicants, offers, rules, free, []), abs=1e-6)
    # What a rule refused in sequence breaks it beside the awards made before; those only grow.
    final = [(one.applicant, one.offer) for one in found.awards]
    for refusal in found.refusals:
        if refusal.applicant in found.unplaced:
            assert broken_rule(refusal.applicant, refusal.offer, rules, final)


def test_whoever_is_left_out_is_told_why() -> None:
    there = [(Applicant("Ann", 1000.0, "2026-01-01"), offer(0, 0.9))]
    places = [offer(0, 0.9), offer(1, 0.8, 500.0), offer(1, 0.7, 500.0, envelope=PAUSE)]

    def why(**more: object) -> str:
        one = Applicant("Bob", **{"mw": 400.0, "date": "2026-02-01", **more})  # type: ignore[arg-type]
        return why_left(one, places, ClearingRules(), there, gate=ONE_LIMIT)

    assert why(buses=frozenset({2})) == "none of its buses is a certified site here"
    assert why(envelopes=frozenset({"shift"})).endswith("under an envelope that it would sign")
    assert why(mw=2000.0) == "it asks for 2000 MW, the largest of its sites is certified for 1000 MW"
    assert why() == "at bus b0 under firm, its best site, bus b0 has 1 awards, 1 at most"
    assert why(buses=frozenset({1}), mw=500.0) == (
        "at bus b1 under firm, its best site, the awards made are worth more"
    )
    tight = Planes(ONE_LIMIT.price, np.array([1200.0]), (16,))
    said = why_left(Applicant("Bob", 400.0, "2026-02-01", frozenset({1})), places, ClearingRules(), there, gate=tight)
    assert "with the loads placed before it 1 of 1 hours and outages fail" in said


def test_an_applicant_gets_only_what_they_would_sign_and_the_site_can_carry() -> None:
    picky = Applicant("Ann", 500.0, "2026-01-01", frozenset({1}), frozenset({"pause"}))
    assert not fits(picky, offer(0, 0.9, envelope=PAUSE))
    assert not fits(picky, offer(1, 0.9))
    assert not fits(picky, offer(1, 0.9, 400.0, envelope=PAUSE))
    assert fits(picky, offer(1, 0.9, envelope=PAUSE))


def test_committed_loads_count() -> None:
    there = [Placed(1, FIRM, 1000.0)]
    found = clear_by_score(
        [Applicant("Ann", 1000.0, "2026-01-01")], [offer(0, 0.9)], ClearingRules(), ONE_LIMIT, placed=there
    )
    assert not found.awards
    with pytest.raises(InfeasibleError, match="committed before 1 of 1 hours and outages fail"):
        best_portfolio([], [], ClearingRules(), ONE_LIMIT, placed=[Placed(1, FIRM, 2000.0)])


def test_wrong_applications_are_named_all_at_once() -> None:
    wrong = [
        Applicant("Ann", -5.0, "2026-01-01"),
        Applicant("Bob", 5.0, "2026-01-01"),
        Applicant("Bob", 5.0, "2026-01-01"),
    ]
    with pytest.raises(QuestionError, match=r"'Ann' asks for -5 MW.*'Bob' applies twice"):
        clear_by_score(wrong, [], ClearingRules(), ONE_LIMIT)


def test_a_site_of_score_0_is_awarded_beside_the_optimum_where_it_fits() -> None:
    """It is worth nothing, so no optimum needs it: the worst of any ranking has this score, and would stay empty."""
    applicants = [Applicant(name, 600.0, f"2026-01-0{day}") for day, name in enumerate(("Ann", "Bob", "Cid"), start=1)]
    rules = ClearingRules()
    for score in (0.0, 1.5e-13):  # as a ranking of two sites gives it
        free = best_portfolio(applicants, [offer(0, 0.9), offer(2, score)], rules, ONE_LIMIT)  # bus 2 has no price
        assert sorted(place.bus for _, place in free.awards) == [0, 2]
        assert free.value == pytest.approx(540.0)  # 0.9 x 600, as without it
        assert free.gap == pytest.approx(0.0, abs=1e-9)
    # 600 and 600 MW are below 1500 at buses 0 and 1; a third would be above, and a tranche of 1000 takes one alone.
    both = best_portfolio(applicants, [offer(0, 0.9), offer(1, 0.0)], rules, ONE_LIMIT)
    assert len(both.awards) == 2
    tight = replace(ONE_LIMIT, room=np.array([1000.0]))
    for gate, own in ((tight, rules), (ONE_LIMIT, ClearingRules(tranche_mw=1000.0))):
        found = best_portfolio(applicants, [offer(0, 0.9), offer(1, 0.0)], own, gate)
        assert [place.bus for _, place in found.awards] == [0]
        assert found.verdict.passes


def brute_force(
    applicants: Sequence[Applicant],
    offers: Sequence[Offer],
    rules: ClearingRules,
    gate: Planes,
    placed: Sequence[Placed],
) -> float:
    best = -np.inf
    for choice in product([None, *offers], repeat=len(applicants)):
        awarded: list[tuple[Applicant, Offer]] = []
        allowed = True
        for applicant, place in zip(applicants, choice, strict=True):
            if place is None:
                continue
            allowed &= fits(applicant, place) and not broken_rule(applicant, place, rules, awarded)
            awarded.append((applicant, place))
        loads = [*placed, *(Placed(place.bus, place.envelope, one.mw) for one, place in awarded)]
        if allowed and gate.check(loads).passes:
            best = max(best, sum(place.score * one.mw for one, place in awarded))
    return best


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_the_portfolio_is_the_best_of_all_that_pass(seed: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    pairs = 9
    gate = Planes(
        rng.normal(0.3, 0.6, (pairs, 4)),
        rng.uniform(100.0, 900.0, pairs),
        tuple(rng.choice([3, 16], pairs).tolist()),
        allowed=int(rng.integers(0, 3)) / pairs,
    )
    if weighted:  # as days of a representative set: whole numbers of hours, of all
        count = rng.integers(1, 40, pairs)
        gate = replace(gate, weight=tuple((count / count.sum()).tolist()))
    applicants = [Applicant(f"A{k}", float(rng.uniform(200.0, 900.0)), f"2026-01-0{k + 1}") for k in range(3)]
    offers = [
        offer(bus, float(rng.uniform(0.1, 1.0)), envelope=kind, zone="NS"[bus % 2], corridor=("", "N - S")[bus // 2])
        for bus in range(4)
        for kind in (FIRM, PAUSE)
    ]
    rules = ClearingRules(
        tranche_mw=float(rng.uniform(600.0, 3000.0)),
        most_per_zone=2,
        most_per_corridor=1,
        corridor_cap_mw={"N - S": 700.0},
    )
    placed = [Placed(3, PAUSE, 50.0)] if gate.check([Placed(3, PAUSE, 50.0)]).passes else []
    found = best_portfolio(applicants, offers, rules, gate, placed=placed)
    assert found.status is Status.OPTIMAL
    assert found.verdict.passes
    assert found.value == pytest.approx(brute_force(applicants, offers, rules, gate, placed), abs=1e-6)
    assert found.bound == pytest.approx(found.value, rel=1e-6, abs=1e-6)


def test_a_batch_is_worth_at_least_the_sequence() -> None:
    # The best site first blocks two others: the sequence takes it, the batch does not.
    gate = Planes(np.array([[1.0, 0.4, 0.4]]), np.array([1000.0]), (16,))
    applicants = [Applicant("Ann", 1000.0, "2026-01-01"), Applicant("Bob", 1000.0, "2026-01-02")]
    places = [offer(0, 0.9), offer(1, 0.8), offer(2, 0.7)]
    sequence = clear_by_score(applicants, places, ClearingRules(), gate)
    batch = best_portfolio(applicants, places, ClearingRules(), gate)
    assert sequence.placed_mw == 1000.0
    assert batch.value == pytest.approx(1500.0)
