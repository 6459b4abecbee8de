"""The joint allocation with redispatch, against one program with every scenario's dispatch in it."""

from dataclasses import replace

import numpy as np
import pytest

from engine.capacity.allocation import allocate
from engine.capacity.margins import prepare
from engine.capacity.periods import positions
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.capacity.results import CapacityResult
from engine.capacity.uncertainty import Box, Sample, States, UnitStates
from engine.errors import CancelledError, QuestionError, UncertaintyDataError
from engine.network.factors import Factors
from engine.network.model import Network, Vector
from engine.redispatch import verify
from engine.redispatch.angles import Held
from engine.redispatch.check import dispatch_overload, least_overload
from engine.redispatch.joint import allocate_with_redispatch, redispatch_answer
from engine.redispatch.kept import JointProofs
from engine.redispatch.largest import largest_loads
from engine.redispatch.levels import RedispatchLevel, Row
from engine.redispatch.limits import FlowLimits
from engine.redispatch.recourse import Recourse
from engine.redispatch.states import Scenarios
from engine.redispatch.verify import verify_with_redispatch
from tests.engine.capacity.small import network as small_network
from tests.engine.grids import network_of, pypower_case
from tests.engine.redispatch.joint_oracle import extensive


@pytest.fixture(scope="module")
def rts() -> Network:
    return network_of(pypower_case("case24_ieee_rts"))


def sample_of(network: Network, scenarios: int, seed: int = 0, share: float = 0.75) -> Sample:
    """Loads about a share of those filed, units about their filed limits, and some dispatch."""
    generator = np.random.default_rng(seed)
    units = network.units
    demand = share * network.demand_mw * generator.uniform(0.7, 1.2, (scenarios, len(network.buses.ids)))
    largest = units.p_max_mw * generator.uniform(0.8, 1.0, (scenarios, len(units.ids)))
    generation = largest * (demand.sum(axis=1) / largest.sum(axis=1))[:, np.newaxis]
    at_bus = np.zeros_like(demand)
    np.add.at(at_bus.T, units.bus, generation.T)
    single = [part.astype(np.float32) for part in (generation, np.zeros((1, len(units.ids))), largest)]
    labels = tuple(f"hour {place}" for place in range(scenarios))
    return Sample(demand - at_bus, None, labels, "a test's own states", 0, units=UnitStates(*single))


def question_of(buses: tuple[str, ...], mw: tuple[float, ...], **changes: object) -> CapacityQuestion:
    given: dict[str, object] = {"epsilons": (0.2,), "recourse": "redispatch", "downward_closed": False, **changes}
    return CapacityQuestion(candidates=buses, demand_mw=mw, uncertainty=UncertaintySpec("file", {}, 0), **given)


BUSES, ASKED = ("3", "6", "8", "10", "14", "19"), (500.0, 400.0, 600.0, 300.0, 450.0, 700.0)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_equals_one_program_with_every_dispatch_in_it(rts: Network, seed: int) -> None:
    question, sample = question_of(BUSES, ASKED), sample_of(rts, 10, seed)
    found = allocate_with_redispatch(rts, question, States(sample))
    scenarios = Scenarios.of(sample, rts)
    demand = np.array(ASKED)
    floor = None
    for level, epsilon in zip(found.levels, (0.0, 0.2), strict=True):
        oracle = extensive(rts, question, scenarios, epsilon, floor)
        unserved = float(((demand - oracle) / demand).sum())
        assert level.objective == pytest.approx(unserved, abs=1e-5)
        assert level.certificate["relative_overload"] <= 3e-6
        floor = np.array(level.capacity_mw)
    if seed == 0:  # elsewhere some line without any load of its own is full in every state
        assert found.levels[1].total_mw > found.levels[0].total_mw + 1.0


def test_one_site_gets_the_least_over_the_scenarios_of_its_largest_load(rts: Network) -> None:
    sample = sample_of(rts, 6)
    scenarios = Scenarios.of(sample, rts)
    for bus in ("8", "14"):
        found = allocate_with_redispatch(rts, question_of((bus,), (5000.0,), epsilons=()), States(sample))
        place = np.array([rts.bus(bus)])
        alone = [largest_loads(rts, scenarios.state(s), buses=place).most_mw[0] for s in range(6)]
        assert found.firm_mw[0] == pytest.approx(min(alone), rel=2e-5)
        assert found.levels[0].binding[0].state == sample.labels[int(np.argmin(alone))]


def test_units_that_move_never_give_less(rts: Network) -> None:
    sample = sample_of(rts, 6, share=0.5)
    fixed = question_of(BUSES, ASKED, recourse="none", epsilons=(), supply="capacity")
    base = allocate(prepare(rts, fixed, States(sample)), fixed)
    moved = allocate_with_redispatch(rts, question_of(BUSES, ASKED, epsilons=()), States(sample))
    assert base.status == "optimal"  # the sample's own dispatch keeps every limit
    assert moved.levels[0].objective <= base.levels[0].objective + 1e-6


def test_what_is_kept_proves_the_allocation(rts: Network) -> None:
    question, sample = question_of(BUSES, ASKED), sample_of(rts, 8)
    answer = redispatch_answer(rts, question, States(sample))
    assert answer.proofs is not None
    proofs = JointProofs.load(answer.proofs.save())
    scenarios = Scenarios.of(sample, rts)
    extra = np.zeros(24)
    extra[[rts.bus(bus) for bus in BUSES]] = proofs.granted_mw[0]
    for place in range(8):
        overload = dispatch_overload(
            Held(rts), scenarios.state(place), proofs.dispatch_mw[0, place].astype(float), extra
        )
        assert overload < 1e-5  # dispatches are kept in single precision
    assert CapacityResult.from_json(answer.result.to_json()) == answer.result


def test_parts_of_a_closed_allocation_keep_every_limit(rts: Network) -> None:
    question, sample = question_of(BUSES, ASKED, epsilons=(), downward_closed=True), sample_of(rts, 5)
    found = allocate_with_redispatch(rts, question, States(sample))
    whole = allocate_with_redispatch(rts, replace(question, downward_closed=False), States(sample))
    assert found.levels[0].total_mw <= whole.levels[0].most_total_mw + 1e-3
    scenarios, mw = Scenarios.of(sample, rts), np.array(found.firm_mw)
    generator = np.random.default_rng(5)
    sites = [rts.bus(bus) for bus in BUSES]
    for _ in range(6):
        extra = np.zeros(24)
        extra[sites] = mw * (generator.random(len(mw)) < 0.5)
        assert max(least_overload(rts, scenarios.state(s), extra, stretch_units=True) for s in range(5)) < 1e-5


def two_buses(loads: list[float]) -> tuple[Network, Sample]:
    """A line of 50 MW from 100 MW of generation to a load."""
    units = [{"unit": "a", "bus": "1", "p_max_mw": 100.0, "p_min_mw": 0.0}]
    network = small_network([(1, 2)], [50.0], buses=2, units=units)
    generation = np.array(loads)[:, np.newaxis].astype(np.float32)
    units_of = UnitStates(generation, np.zeros((1, 1), np.float32), np.full((1, 1), 100.0, np.float32))
    states = np.column_stack([-np.array(loads), np.array(loads)])
    labels = tuple(f"s{place}" for place in range(len(loads)))
    return network, Sample(states, None, labels, "", 0, units=units_of)


def test_the_tail_of_one_line_by_hand() -> None:
    network, sample = two_buses([10.0] * 8 + [30.0, 40.0])
    found = allocate_with_redispatch(network, question_of(("2",), (90.0,)), States(sample))
    # Firm: 50 - 40. At 20 %: the two worst of ten loads are 35 on average, (35 + c - 50) / 50 = 0.
    assert found.firm_mw[0] == pytest.approx(10.0, abs=1e-4)
    assert found.flexible_mw[0][0] == pytest.approx(15.0, abs=1e-4)
    (binding,) = found.levels[0].binding
    assert "redispatch cannot keep line" in binding.words
    assert "in s9" in binding.words
    assert binding.gain_mw_per_mw == pytest.approx(1.0, abs=1e-6)
    assert found.levels[0].limited_by == (0,)


@pytest.mark.parametrize("seed", [0, 2, 12])
def test_levels_of_risk_whose_parts_are_deliverable(rts: Network, seed: int) -> None:
    generator = np.random.default_rng(seed)
    sample = sample_of(rts, 20, seed, share=float(generator.uniform(0.5, 0.9)))
    buses = tuple(str(bus) for bus in generator.choice(np.arange(1, 25), 4, replace=False))
    demand = generator.uniform(100.0, 900.0, 4)
    question = question_of(buses, tuple(demand), epsilons=(0.05, 0.1, 0.2), downward_closed=True)
    states = States(sample)
    found = allocate_with_redispatch(rts, question, states)
    grants = [np.array(level.capacity_mw) for level in found.levels]
    assert verify_with_redispatch(rts, question, grants, states).holds
    assert found.levels[-1].total_mw > found.levels[0].total_mw + 10.0
    scenarios, floor = Scenarios.of(sample, rts), None
    for level, epsilon in zip(found.levels, (0.0, 0.05, 0.1, 0.2), strict=True):
        least = float(((demand - extensive(rts, question, scenarios, epsilon, floor)) / demand).sum())
        assert level.objective >= least - 1e-5  # without the parts no more is served
        floor = np.array(level.capacity_mw)


def test_what_is_granted_already_leaves_every_row_a_hair(rts: Network) -> None:
    """A row that is just full leaves a site with a factor of 1e-7 a range that rounding turns around."""
    sample = sample_of(rts, 3)
    sites = np.array([rts.bus(bus) for bus in BUSES], dtype=np.intp)
    recourse = Recourse(Scenarios.of(sample, rts), FlowLimits.of(Factors.of(rts)), sites)
    floor = np.array([100.0, 0.0, 30.0, 20.0, 10.0, 70.0])
    level = RedispatchLevel(recourse, 0.1, np.array(ASKED), floor)
    factor = np.array([1.0, 0.5, 1e-7, 0.0, 0.2, -0.3])
    for room in (-5.0, 0.0, 40.0):
        margin = float(np.maximum(factor, 0.0) @ floor) + room
        level.rows.append(Row(factor, margin, np.zeros(1, dtype=np.intp), np.ones(1), 0))
    problem = level.program(closed=True)
    left = problem.margin_mw - problem.factors @ floor
    assert left == pytest.approx([1e-6, 1e-6, 40.0], abs=1e-9)
    assert (left > 0.0).all()


def test_what_is_full_in_every_state_leaves_risk_no_room() -> None:
    """Buses 1-2 and 1-3 have lines of 50 and 100 MW; the first is full in every state, whatever bus 3 is granted."""
    units = [{"unit": "a", "bus": "1", "p_max_mw": 300.0, "p_min_mw": 0.0}]
    network = small_network([(1, 2), (1, 3)], [50.0, 100.0], buses=3, units=units)
    loads = np.array([10.0] * 8 + [30.0, 40.0])
    generation = (loads + 50.0)[:, np.newaxis].astype(np.float32)
    units_of = UnitStates(generation, np.zeros((1, 1), np.float32), np.full((1, 1), 300.0, np.float32))
    states = np.column_stack([-loads - 50.0, np.full(10, 50.0), loads])
    sample = Sample(states, None, tuple(f"s{place}" for place in range(10)), "", 0, units=units_of)
    found = allocate_with_redispatch(network, question_of(("3",), (90.0,), epsilons=(0.1, 0.2)), States(sample))
    # The least overload is never below that of the full line, 0: its mean in any tail is 0 only if none is above.
    assert [level.capacity_mw[0] for level in found.levels] == pytest.approx([60.0] * 3, abs=1e-3)


def test_states_exceeded_before_any_addition() -> None:
    network, sample = two_buses([10.0, 60.0, 70.0])
    question = question_of(("1", "2"), (25.0, 25.0), epsilons=())
    stopped = allocate_with_redispatch(network, question, States(sample))
    assert stopped.status == "infeasible_at_zero"
    (over,) = stopped.over_limit
    assert over.over_mw == pytest.approx(20.0, abs=1e-4)
    assert over.state == "s2"
    assert "and in 1 more states" in over.words
    held = allocate_with_redispatch(network, replace(question, at_zero="hold"), States(sample))
    # At bus 2 nothing can be added to an exceeded line; at bus 1 the unit itself has 30 MW left.
    assert held.firm_mw == pytest.approx((25.0, 0.0), abs=1e-3)


def test_generation_that_is_used_up_is_named() -> None:
    network, sample = two_buses([30.0, 40.0])
    found = allocate_with_redispatch(network, question_of(("1",), (90.0,), epsilons=()), States(sample))
    assert found.firm_mw[0] == pytest.approx(60.0, abs=1e-3)
    assert "all units at their largest outputs" in found.levels[0].binding[0].words


@pytest.mark.parametrize("stretched", [False, True])
def test_a_mw_more_of_units_that_are_used_up_is_a_mw_more(
    rts: Network, monkeypatch: pytest.MonkeyPatch, *, stretched: bool
) -> None:
    if stretched:  # the same limit, found by the other of the two programs, has a price of another size

        def exceeds(recourse: Recourse, granted_mw: Vector, scenario: int) -> bool:
            return recourse.solve(granted_mw, scenario, 0.0) > 0.0

        monkeypatch.setattr(Recourse, "exceeds", exceeds)
    sample = sample_of(rts, 4, share=0.9)
    level = allocate_with_redispatch(
        rts, question_of(("18", "21", "13"), (300.0,) * 3, epsilons=()), States(sample)
    ).levels[0]
    units = sample.units
    assert units is not None
    left = units.largest_mw.sum(axis=1) - units.generation_mw.sum(axis=1) - sample.net_demand_mw.sum(axis=1)
    assert level.total_mw == pytest.approx(left.min(), abs=1e-3)
    assert [row.gain_mw_per_mw for row in level.binding] == [pytest.approx(1.0)]


def test_after_every_outage(rts: Network) -> None:
    sample = sample_of(rts, 3, share=0.55)
    question = question_of(BUSES, ASKED, epsilons=(), security="n-1")
    secure = redispatch_answer(rts, question, States(sample))
    base = allocate_with_redispatch(rts, replace(question, security="base"), States(sample))
    assert secure.result.status == "optimal"
    assert secure.result.levels[0].objective >= base.levels[0].objective - 1e-6
    assert any(row.limit.outage for row in secure.result.levels[0].binding)
    assert secure.proofs is not None
    scenarios, extra = Scenarios.of(sample, rts), np.zeros(24)
    extra[[rts.bus(bus) for bus in BUSES]] = secure.proofs.granted_mw[0]
    lost = [(branch,) for branch in range(38) if branch not in _bridges(rts)]
    assert len(lost) == 37  # bus 7 hangs on one line
    for place in range(3):
        dispatch = secure.proofs.dispatch_mw[0, place].astype(float)
        assert dispatch_overload(Held(rts), scenarios.state(place), dispatch, extra, lost) < 1e-5


def _bridges(network: Network) -> set[int]:
    ends = np.column_stack([network.branches.from_bus, network.branches.to_bus])
    seven = network.bus("7")
    return set(np.flatnonzero((ends == seven).any(axis=1)).tolist())


def test_what_it_makes_no_claim_for_is_refused(rts: Network) -> None:
    sample = sample_of(rts, 2)
    box = Box.around(sample)
    question = question_of(BUSES, ASKED)
    with pytest.raises(QuestionError, match="not for a box or a budget"):
        allocate_with_redispatch(rts, replace(question, firm_set="box"), States(sample, box))
    with pytest.raises(QuestionError, match="CVaR"):
        allocate_with_redispatch(rts, replace(question, measure="var"), States(sample))
    with pytest.raises(UncertaintyDataError, match="a box has none"):
        allocate_with_redispatch(rts, question, States(box=box))
    with pytest.raises(QuestionError, match="'999' is not in"):
        allocate_with_redispatch(rts, question_of(("999",), (1.0,)), States(sample))


def test_a_cancel_request_ends_it(rts: Network) -> None:
    def cancelled(done: int, total: int) -> None:
        assert 0 <= done <= total
        raise CancelledError("stop")

    with pytest.raises(CancelledError):
        allocate_with_redispatch(rts, question_of(BUSES, ASKED), States(sample_of(rts, 2)), progress=cancelled)


def test_the_checker_passes_what_is_true_and_names_what_is_not(rts: Network) -> None:
    question, states = question_of(BUSES, ASKED, downward_closed=True), States(sample_of(rts, 10))
    found = allocate_with_redispatch(rts, question, states)
    levels = [np.array(level.capacity_mw) for level in found.levels]
    verdict = verify_with_redispatch(rts, question, levels, states, cold=4)
    assert verdict.holds, verdict.words
    assert "4 solved from nothing" not in verdict.words  # firm, at risk, and parts: twelve
    assert "12 solved from nothing agree" in verdict.words
    more = verify_with_redispatch(rts, question, [mw + 3.0 for mw in levels], states, cold=4)
    assert not more.holds
    assert any("firm: exceeded by" in row.words for row in more.violations)
    assert any("risk 20 %" in row.words for row in more.violations)
    less = verify_with_redispatch(rts, question, [levels[0], levels[0] - 1.0], states, cold=1)
    assert any("below what it had before" in row.words for row in less.violations)


def test_the_checker_solves_outages_anew(rts: Network) -> None:
    states = States(sample_of(rts, 3, share=0.55))
    question = question_of(BUSES, ASKED, epsilons=(), security="n-1")
    found = allocate_with_redispatch(rts, question, states)
    assert verify_with_redispatch(rts, question, [np.array(found.firm_mw)], states, cold=1).holds
    base = allocate_with_redispatch(rts, replace(question, security="base"), states)
    assert not verify_with_redispatch(rts, question, [np.array(base.firm_mw)], states, cold=1).holds


def test_the_checker_judges_outages_at_a_risk_level_too(rts: Network) -> None:
    """Ratings before outages are wide here: only those after outages bind."""
    branches = rts.tables.branches.assign(rating_a_mw=2.5 * rts.branches.rating_c_mw)
    units = rts.tables.units.assign(p_max_mw=2.0 * rts.units.p_max_mw)
    wide = Network.from_tables(rts.tables.with_table("branches", branches).with_table("units", units))
    states = States(sample_of(wide, 8))
    question = question_of(BUSES, ASKED, epsilons=(0.2,), security="n-1", at_zero="hold")
    found = allocate_with_redispatch(wide, question, states)
    levels = [np.array(level.capacity_mw) for level in found.levels]
    verdict = verify_with_redispatch(wide, question, levels, states, cold=1)
    assert verdict.holds, verdict.words
    assert "in each of 8 states, before and after every outage" in verdict.words
    # An optimum leaves nothing: more at any site that is short would have been granted, were it kept.
    short = np.flatnonzero(levels[1] < np.array(question.demand_mw) - 1.0)
    assert short.size
    for site in short.tolist():
        more = levels[1] + np.eye(1, len(levels[1]), site)[0]
        broken = verify_with_redispatch(wide, question, [levels[0], more], states, cold=1)
        assert not broken.holds
        assert "after the outage of" in broken.violations[0].words


def test_the_checker_takes_a_risk_in_each_season_by_itself(rts: Network) -> None:
    """Summers are heavy here and winters light: over the whole year the light half hides a risk of the summer."""
    sample = sample_of(rts, 12)
    season = np.arange(12) % 2 == 0  # summer
    demand = sample.net_demand_mw + np.where(season, 0.0, -0.5)[:, np.newaxis] * rts.demand_mw
    labels = tuple(f"2016-{'07' if summer else '01'}-{1 + place:02d} 12:00" for place, summer in enumerate(season))
    dated = replace(sample, net_demand_mw=demand, labels=labels)
    question = question_of(BUSES, ASKED, downward_closed=True, period="season")
    parts = tuple(at for _, at in positions(dated, question))
    found = redispatch_answer(rts, question, States(dated), parts=parts).result
    levels = [np.array(level.capacity_mw) for level in found.levels]
    verdict = verify_with_redispatch(rts, question, levels, States(dated), cold=1)
    assert verdict.holds, verdict.words
    # An optimum leaves nothing: more at a site that is short would have been granted, were it kept.
    short = np.flatnonzero(levels[1] < np.array(question.demand_mw) - 1.0)
    more = levels[1] + np.eye(1, len(levels[1]), int(short[0]))[0]
    broken = verify_with_redispatch(rts, question, [levels[0], more], States(dated), cold=1)
    assert any(row.words.startswith("Jun-Aug: risk 20 %: exceeded by") for row in broken.violations)
    whole = replace(question, period="year")
    assert verify_with_redispatch(rts, whole, [levels[0], more], States(dated), cold=1).holds  # as it was judged before


def test_the_checker_says_how_many_states_it_judged_after_outages(
    rts: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "_CELLS", 3 * 38 * 38)
    states, question = States(sample_of(rts, 6, share=0.55)), question_of(BUSES, ASKED, epsilons=(), security="n-1")
    seen: list[tuple[int, int]] = []
    verdict = verify_with_redispatch(
        rts, question, [np.zeros(len(BUSES))], states, cold=1, progress=lambda done, total: seen.append((done, total))
    )
    assert verdict.holds, verdict.words
    assert "in the worst 3 of them after every outage" in verdict.words
    assert "solved from nothing, without outages, agree" in verdict.words
    assert seen[-1] == (len(seen) - 1, len(seen))


def test_the_gain_of_a_binding_limit_is_what_more_of_it_brings(rts: Network) -> None:
    sample, question = sample_of(rts, 6, share=0.6), question_of(("6", "8", "10"), (600.0,) * 3, epsilons=())
    found = allocate_with_redispatch(rts, question, States(sample)).levels[0]
    assert len(found.binding) == 3
    for row in found.binding:
        wider = rts.tables.branches["rating_a_mw"].to_numpy().copy()
        wider[rts.branches.ids.index(row.limit.element)] += 0.2
        changed = rts.tables.branches.assign(rating_a_mw=wider)
        network = Network.from_tables(rts.tables.with_table("branches", changed))
        more = allocate_with_redispatch(network, question, States(sample)).levels[0].total_mw
        assert (more - found.total_mw) / 0.2 == pytest.approx(row.gain_mw_per_mw, abs=2e-2)
