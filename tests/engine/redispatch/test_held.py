"""Limits that no dispatch keeps before any addition: by hand, and against programs of the tests' own."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from engine.capacity.question import CapacityQuestion
from engine.capacity.uncertainty import Sample, States
from engine.network.factors import Factors
from engine.network.model import Network, Vector
from engine.network.outages import Outages
from engine.redispatch.angles import Held
from engine.redispatch.check import dispatch_overload, least_overload, what_is_held
from engine.redispatch.joint import allocate_with_redispatch, redispatch_answer
from engine.redispatch.kept import JointProofs
from engine.redispatch.limits import FlowLimits, Raised, Sides
from engine.redispatch.recourse import Recourse
from engine.redispatch.states import Scenarios, State
from engine.redispatch.verify import verify_with_redispatch
from tests.engine.grids import network_of, pypower_case
from tests.engine.redispatch.test_joint import question_of, sample_of, two_buses

Key = tuple[int, int, int]


@pytest.fixture(scope="module")
def tight() -> Network:
    """The 24-bus reliability test system with lines of half their ratings: some cannot be kept at its peak."""
    network = network_of(pypower_case("case24_ieee_rts"))
    branches = network.tables.branches
    ratings = {name: 0.5 * branches[name] for name in ("rating_a_mw", "rating_b_mw", "rating_c_mw")}
    return Network.from_tables(network.tables.with_table("branches", branches.assign(**ratings)))


BUSES, ASKED = ("2", "5", "9", "15", "18", "20"), (300.0, 200.0, 150.0, 400.0, 300.0, 250.0)


def held_question(**changes: object) -> CapacityQuestion:
    return question_of(BUSES, ASKED, at_zero="hold", **changes)


def own_rows(network: Network, outages: Outages | None = None) -> tuple[list[Key], np.ndarray, Vector]:
    """Every side of every rating as a dense row on injections, each outage a network without its branch."""
    keys: list[Key] = []
    rows, limit = [], []
    ends = network.tables.branches
    for outage in range(-1, 0 if outages is None else len(outages)):
        without = network
        if outages is not None and outage >= 0:
            on = ends["in_service"].to_numpy().copy()
            on[list(outages.lost[outage])] = False
            without = Network.from_tables(network.tables.with_table("branches", ends.assign(in_service=on)))
        factor = Factors.of(without).dense()
        for row in np.flatnonzero(without.branches.in_service).tolist():
            rating = network.branches.rating_a_mw if outage < 0 else network.branches.rating_c_mw
            for sign in (1, -1):
                keys.append((row, outage, sign))
                rows.append(sign * factor[row])
                limit.append(rating[row])
    return keys, np.array(rows), np.array(limit)


def own_raises(network: Network, state: State, outages: Outages | None = None) -> tuple[dict[Key, float], Vector]:
    """What is held, limit by limit: one that cannot be below the least overload is held there, without any dual."""
    keys, rows, limit = own_rows(network, outages)
    count, buses = len(network.units.ids), len(network.buses.ids)
    outputs = np.zeros((buses, count))
    outputs[network.units.bus, np.arange(count)] = 1.0
    table = rows @ outputs  # p - overload * size <= most
    short = max(0.0, float(state.demand_mw.sum() / state.largest_mw.sum()) - 1.0)
    units = (short + 1e-9) * state.largest_mw
    most, size = limit + rows @ state.demand_mw, limit
    more, held = np.zeros(len(most)), np.zeros(len(most), dtype=bool)

    def least(cost: np.ndarray, stretch: np.ndarray, top: float) -> tuple[float, np.ndarray]:
        found = linprog(
            cost,
            A_ub=np.column_stack([table, -stretch]),
            b_ub=most + more,
            A_eq=np.append(np.ones(count), 0.0)[np.newaxis],
            b_eq=[state.demand_mw.sum()],
            bounds=[*zip(state.least_mw, state.largest_mw + units, strict=True), (0.0, top)],
        )
        assert found.status == 0
        return float(found.fun), found.x

    while True:
        stretch = np.where(held, 0.0, size)
        overload, point = least(np.append(np.zeros(count), 1.0), stretch, 1e3)
        if overload <= 1e-8:
            sides = {key: float(mw) for key, mw in zip(keys, more, strict=True) if mw > 0.0}
            return sides, units
        at = table @ point[:count] - most
        new = []
        for place in np.flatnonzero(~held & (at >= (overload - 1e-7) * size) & (size > 0.0)).tolist():
            lowest, _ = least(np.append(table[place], 0.0), stretch, overload + 1e-10)
            if lowest - most[place] >= (overload - 1e-6) * size[place]:
                new.append(place)
        assert new
        held[new] = True
        more[new] = overload * size[new]


def raised_of(recourse: Recourse, scenario: int) -> dict[Key, float]:
    own = recourse.raised[scenario]
    return dict(zip(own.sides.keys(), own.sides_mw.tolist(), strict=True))


def recourse_of(network: Network, sample: Sample, outages: Outages | None = None) -> Recourse:
    limits = FlowLimits.of(Factors.of(network), outages)
    return Recourse(Scenarios.of(sample, network), limits, np.array([network.bus(bus) for bus in BUSES]))


def test_a_line_that_is_overloaded_gives_no_leave_to_units() -> None:
    network, sample = two_buses([90.0, 95.0])
    question = question_of(("1",), (90.0,), epsilons=(), at_zero="hold")
    found = allocate_with_redispatch(network, question, States(sample))
    # The line of 50 MW carries 90 and 95 MW, whatever is done; the unit of 100 MW has 10 and 5 MW left.
    assert found.firm_mw == pytest.approx((5.0,), abs=1e-4)
    (over,) = found.over_limit
    assert over.words.startswith("no dispatch keeps line 1-2")
    assert "in s1, before any addition: at best 95.0 MW against 50.0 MW (and in 1 more states)" in over.words
    assert over.reached is False  # a load at bus 1 adds nothing to it
    both = replace(question, candidates=("1", "2"), demand_mw=(90.0, 90.0))
    assert allocate_with_redispatch(network, both, States(sample)).firm_mw == pytest.approx((5.0, 0.0), abs=1e-4)
    second = allocate_with_redispatch(network, both, States(sample))
    assert second.over_limit[0].reached
    held = {"limit 50.0 MW, held at 90.0 MW, in s0", "limit 50.0 MW, held at 95.0 MW, in s1"}  # either stops bus 2
    assert any(words in row.words for row in second.levels[0].binding for words in held)
    assert verify_with_redispatch(network, question, [np.array([5.0])], States(sample)).holds
    more = verify_with_redispatch(network, question, [np.array([6.0])], States(sample))
    assert not more.holds
    assert "firm: exceeded by 1.0000 %, most in s1" in more.words


def test_units_that_are_short_are_held_together() -> None:
    network, sample = two_buses([110.0, 40.0])
    question = question_of(("1",), (90.0,), epsilons=(), at_zero="hold", downward_closed=False)
    found = allocate_with_redispatch(network, question, States(sample))
    assert found.firm_mw == pytest.approx((0.0,), abs=1e-4)
    assert [round(over.over_mw, 3) for over in found.over_limit] == [60.0, 10.0]
    assert found.over_limit[1].words == (
        "load is above all units at their largest outputs in s0, before any addition: at best 110.0 MW against 100.0 MW"
    )
    words = "in 1 states no dispatch keeps every limit before any addition"
    assert any(notice.startswith(words) for notice in found.notices)


def test_the_tail_counts_from_what_is_held() -> None:
    network, sample = two_buses([90.0] + [20.0] * 9)
    question = question_of(("2",), (90.0,), epsilons=(0.2,), at_zero="hold")
    found = allocate_with_redispatch(network, question, States(sample))
    # The worst two of ten: c / 50 on the held line, (20 + c - 50) / 50 on the others, together at most zero.
    assert found.firm_mw == pytest.approx((0.0,), abs=1e-4)
    assert found.flexible_mw[0] == pytest.approx((15.0,), abs=1e-3)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_is_held_is_what_no_dispatch_can_better(tight: Network, seed: int) -> None:
    sample = sample_of(tight, 4, seed, share=1.0)
    recourse = recourse_of(tight, sample)
    states = recourse.hold_what_is().tolist()
    assert states
    for scenario in states:
        state = recourse.scenarios.state(scenario)
        sides, units = own_raises(tight, state)
        assert raised_of(recourse, scenario) == pytest.approx(sides, abs=1e-3)
        assert recourse.raised[scenario].units_mw == pytest.approx(units, abs=1e-3)
        checked = what_is_held(tight, state)
        assert checked is not None
        assert dict(zip(checked.sides.keys(), checked.sides_mw, strict=True)) == pytest.approx(sides, abs=1e-3)
        assert checked.units_mw == pytest.approx(units, abs=1e-3)


def test_what_is_held_after_outages_is_what_no_dispatch_can_better(tight: Network) -> None:
    sample = sample_of(tight, 1, share=0.75)
    outages = Outages.all_single(Factors.of(tight))
    recourse = recourse_of(tight, sample, outages)
    states = recourse.hold_what_is().tolist()
    assert states == [0]
    for scenario in states:
        sides, units = own_raises(tight, recourse.scenarios.state(scenario), outages)
        assert {outage for _, outage, _ in sides} - {-1}
        assert raised_of(recourse, scenario) == pytest.approx(
            sides, abs=2e-2
        )  # a millionth of a limit, many times over
        assert recourse.raised[scenario].units_mw == pytest.approx(units, abs=2e-3)


def test_of_many_limits_after_outages_the_worst_are_held_exactly_and_the_others_where_they_are(
    tight: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = sample_of(tight, 1, share=0.9)
    outages = Outages.all_single(Factors.of(tight))
    exact = recourse_of(tight, sample, outages)
    states = exact.hold_what_is().tolist()
    monkeypatch.setattr("engine.redispatch.held._ONE_BY_ONE", 3)
    recourse = recourse_of(tight, sample, outages)
    assert recourse.hold_what_is().tolist() == states
    assert any(len(exact.raised[scenario].sides) > 6 for scenario in states)
    for scenario in states:
        one, other = raised_of(exact, scenario), raised_of(recourse, scenario)
        largest = max(one, key=lambda key: one[key] / tight.branches.rating_c_mw[key[0]])
        assert other[largest] == pytest.approx(one[largest], abs=1e-3)
        state, dispatch = recourse.scenarios.state(scenario), recourse.dispatch_mw[scenario]
        raised, none = recourse.raised[scenario], np.zeros(24)
        assert dispatch_overload(Held(tight), state, dispatch, none, outages.lost, raised=raised) < 1e-5
        # Nothing is raised beyond the worst overload, nor where it is not reached after that outage.
        assert max(mw / tight.branches.rating_c_mw[key[0]] for key, mw in other.items()) < (
            one[largest] / tight.branches.rating_c_mw[largest[0]] + 1e-5
        )
        for place in (0, len(raised.sides) // 2, len(raised.sides) - 1):
            less = replace(raised, sides_mw=np.where(np.arange(len(raised.sides)) == place, 0.0, raised.sides_mw))
            assert dispatch_overload(Held(tight), state, dispatch, none, outages.lost, raised=less) > 1e-7
    assert recourse.below(np.zeros(len(BUSES)))[0].max() < 3e-6


def most(network: Network, sample: Sample, raises: list[tuple[dict[Key, float], Vector]]) -> float:
    """The least unserved shares, from one program with every state's dispatch in it, limits raised as given."""
    keys, rows, limit = own_rows(network)
    scenarios, sites = Scenarios.of(sample, network), [network.bus(bus) for bus in BUSES]
    count, demand = len(network.units.ids), np.array(ASKED)
    own = rows[:, network.units.bus]
    width = len(sites) + count * len(scenarios)
    table, bound, balance, drawn = [], [], [], []
    ends: list[tuple[float, float]] = [(0.0, mw) for mw in ASKED]
    for place, (sides, units) in enumerate(raises):
        state, start = scenarios.state(place), len(sites) + count * place
        part = np.zeros((len(keys), width))
        part[:, : len(sites)] = -rows[:, sites]
        part[:, start : start + count] = own
        table.append(part)
        bound.append(limit + [sides.get(key, 0.0) for key in keys] + rows @ state.demand_mw)
        equal = np.zeros(width)
        equal[: len(sites)], equal[start : start + count] = -1.0, 1.0
        balance.append(equal)
        drawn.append(state.demand_mw.sum())
        ends += list(zip(state.least_mw, (state.largest_mw + units) * (1.0 + 1e-7), strict=True))
    slack = np.tile(1e-7 * (1.0 + limit), len(raises))  # rounding: raised limits leave no room at all
    cost = np.concatenate([-1.0 / demand, np.zeros(width - len(sites))])
    found = linprog(cost, np.vstack(table), np.concatenate(bound) + slack, np.array(balance), drawn, ends)
    assert found.status == 0
    return len(sites) + float(found.fun)


@pytest.mark.parametrize(("share", "seed"), [(0.9, 0), (0.9, 1), (0.97, 3), (1.0, 1)])
def test_the_allocation_equals_one_program_with_the_held_limits_in_it(tight: Network, share: float, seed: int) -> None:
    sample = sample_of(tight, 5, seed, share=share)
    found = allocate_with_redispatch(tight, held_question(epsilons=()), States(sample))
    scenarios = Scenarios.of(sample, tight)
    raises = [own_raises(tight, scenarios.state(place)) for place in range(5)]
    assert any(sides for sides, _ in raises)
    unserved = most(tight, sample, raises)
    assert found.levels[0].objective == pytest.approx(unserved, abs=2e-4)
    # Raised in all states, they can only give more.
    everywhere: dict[Key, float] = {}
    for sides, _ in raises:
        everywhere |= {key: max(mw, everywhere.get(key, 0.0)) for key, mw in sides.items()}
    units = np.max([units for _, units in raises], axis=0)
    assert most(tight, sample, [(everywhere, units)] * 5) <= found.levels[0].objective + 2e-4


def test_nothing_granted_stays_possible_and_every_proof_allows_it(tight: Network) -> None:
    outages = Outages.all_single(Factors.of(tight))
    for held in (None, outages):
        recourse = recourse_of(tight, sample_of(tight, 3, share=0.9), held)
        states = recourse.hold_what_is().tolist()
        none = np.zeros(len(BUSES))
        assert recourse.above(none).max() < 3e-6
        assert recourse.below(none)[0].max() < 3e-6
        for scenario in states:
            assert recourse.below(none)[0][scenario] > -3e-6  # some proof says that no limit is held too far
            state = replace(recourse.scenarios.state(scenario), raised=recourse.raised[scenario])
            lost = () if held is None else held.lost
            overload = dispatch_overload(
                Held(tight), state, recourse.dispatch_mw[scenario], np.zeros(24), lost, raised=state.raised
            )
            assert overload < 1e-5
            for cut in recourse.cuts:
                assert cut.proof.floor(state, tight.units.bus) <= 1e-4


def test_cuts_bound_the_loss_of_states_with_held_limits(tight: Network) -> None:
    sample = sample_of(tight, 4, share=0.97)
    first, generator = recourse_of(tight, sample), np.random.default_rng(0)
    held = first.hold_what_is().tolist()
    assert held
    recourse = recourse_of(tight, sample)
    recourse.take([cut.proof for cut in first.cuts])  # before anything is held
    assert recourse.hold_what_is().tolist() == held
    for _ in range(4):
        mw = np.array(ASKED) * generator.random(len(ASKED))
        extra = np.zeros(24)
        extra[recourse.sites] = mw
        before = recourse.below(mw)[0]
        for scenario in held:
            exact = least_overload(
                tight, recourse.scenarios.state(scenario), extra, stretch_units=True, raised=recourse.raised[scenario]
            )
            assert before[scenario] <= exact + 1e-6
            assert recourse.solve(mw, scenario, -1.0) == pytest.approx(exact, abs=2e-6)
            assert recourse.below(mw)[0][scenario] == pytest.approx(exact, abs=2e-6)
            assert recourse.above(mw)[scenario] == pytest.approx(exact, abs=5e-6)


@pytest.mark.parametrize("security", ["base", "n-1"])
def test_the_checker_passes_what_is_held_and_refuses_a_mw_more(tight: Network, security: str) -> None:
    share = 0.9 if security == "base" else 0.8
    question, states = held_question(security=security), States(sample_of(tight, 4, share=share))
    found = allocate_with_redispatch(tight, question, states)
    assert found.over_limit
    levels = [np.array(level.capacity_mw) for level in found.levels]
    verdict = verify_with_redispatch(tight, question, levels, states, cold=4)
    assert verdict.holds, verdict.words
    stopped = [place for place, limit in enumerate(found.levels[0].limited_by) if limit >= 0]
    more = np.zeros(len(levels[0]))
    more[stopped[0]] = 1.0
    refused = verify_with_redispatch(tight, question, [mw + more for mw in levels], states, cold=1)
    assert not refused.holds
    assert any("firm: exceeded by" in row.words for row in refused.violations) or security == "n-1"


def test_a_file_brings_back_what_is_held(tight: Network) -> None:
    question, sample = held_question(), sample_of(tight, 4, share=1.0)
    answer = redispatch_answer(tight, question, States(sample))
    assert answer.proofs is not None
    proofs = JointProofs.load(answer.proofs.save())
    raised, extra = proofs.raised(), np.zeros(24)
    assert raised
    extra[[tight.bus(bus) for bus in BUSES]] = proofs.granted_mw[0]
    for place in range(4):
        state = Scenarios.of(sample, tight).state(place)
        dispatch = proofs.dispatch_mw[0, place].astype(float)
        own = raised.get(place)
        assert dispatch_overload(Held(tight), state, dispatch, extra, raised=own) < 1e-5
        if own is not None:
            assert dispatch_overload(Held(tight), state, dispatch, extra) > 1e-3


def test_a_limit_of_one_state_is_no_other_state_s() -> None:
    none = Raised.none(1)
    sides = Sides(np.array([0, 1]), np.array([-1, 2]), np.array([1.0, -1.0]))
    assert none.of(sides).tolist() == [0.0, 0.0]
    raised = Raised(sides.at(np.array([1])), np.array([7.0]), np.zeros(1))
    assert raised.of(sides).tolist() == [0.0, 7.0]
