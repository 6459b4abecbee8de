"""The gate against linear programs in bus angles, one by one, on every triple of small networks."""

import numpy as np
import pytest

from engine.compute import HERE, Processes
from engine.errors import CancelledError, QuestionError, UncertaintyDataError
from engine.network import library
from engine.network.factors import Factors
from engine.network.model import Network
from engine.network.tables import NetworkTables, table_of
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies, Rule
from engine.siting.envelopes import envelope
from engine.siting.gate import screening
from engine.siting.gate.blocks import BlockProgram
from engine.siting.gate.certificates import certificate
from engine.siting.gate.joint import infeasible_pairs
from engine.siting.gate.question import GateQuestion
from engine.siting.gate.results import GateResult
from engine.siting.gate.screening import screen
from tests.engine.siting.angle_loads import load_interval

ASKED_MW = tuple(np.geomspace(2.0, 240.0, 25).tolist())  # MW; one program in angles decides all of them
EDGE_MW = 0.01  # levels this near to the end of an interval are not asked


def _network(key: str, share: float) -> Network:
    """Return a network of the library with limits near its filed flows, so that outages matter."""
    network = Network.from_tables(library.load(key))
    flow = np.abs(Factors.of(network).flows(network.injection_mw))
    rating = np.maximum(share * flow, 0.15 * flow.max())
    branches = network.tables.branches.assign(rating_a_mw=rating)
    return Network.from_tables(network.tables.with_table("branches", branches))


def _case(network: Network, scales=(1.0,)) -> SitingCase:
    units = network.units
    least = np.tile(np.where(units.in_service, np.minimum(units.p_min_mw, units.p_max_mw), 0.0), (len(scales), 1))
    most = np.tile(np.where(units.in_service, units.p_max_mw, 0.0), (len(scales), 1))
    demand = np.array([scale * network.demand_mw for scale in scales])
    hours = np.arange(len(scales))
    return SitingCase(network, demand, least, most, hours % 24 + 1, tuple(f"hour {h}" for h in hours), "test")


def _compare(case: SitingCase, sizes, step: int = 1) -> tuple[int, set]:
    """Compare every triple with its own program; return how many there were, and the outcomes seen."""
    network = case.network
    contingencies = Contingencies.of(Factors.of(network), Rule(least_kv=0.0), case)
    buses = np.flatnonzero(network.buses.in_service)[::step]
    question = GateQuestion(buses, (envelope("firm"),), tuple(size / 0.8 for size in sizes))
    result = screen(case, contingencies, question)
    assert result.undecided == 0
    count, seen = 0, set()
    for hour in range(len(case)):
        base = {k for t, k in result.base_infeasible() if t == hour}
        for k in range(len(contingencies)):
            branch = contingencies.branches(k)
            for place, bus in enumerate(buses.tolist()):
                least, most = load_interval(
                    network,
                    case.demand_mw[hour],
                    case.least_mw[hour],
                    case.largest_mw[hour],
                    bus,
                    branch=branch[0] if branch else -1,
                    unit=contingencies.unit(k),
                )
                assert (k in base) == (least > 1e-6), contingencies.ids[k]
                for level, size in enumerate(sizes):
                    if min(abs(size - least), abs(size - most)) < EDGE_MW:
                        continue
                    passes = least <= size <= most
                    assert result.verdict(place, hour, level, k) == int(passes), (bus, size, contingencies.ids[k])
                    seen.add((passes, least > 1e-6, contingencies.kind(k)))
                    count += 1
    return count, seen


@pytest.mark.parametrize(("key", "share", "step"), [("ieee14", 1.3, 2), ("ieee30", 1.4, 8), ("rts24", 1.3, 10)])
def test_every_triple_agrees_with_a_program_in_angles(key, share, step):
    count, seen = _compare(_case(_network(key, share)), ASKED_MW, step)

    assert count > 2_000
    assert {(True, False, "branch"), (False, False, "branch"), (True, False, "unit"), (False, False, "unit")} <= seen


def test_two_hours_of_which_one_cannot_keep_its_limits():
    network = _network("ieee14", 1.05)

    count, seen = _compare(_case(network, (1.0, 1.3)), (5.0, 30.0), 4)

    assert count > 200
    assert any(not passes and base for passes, base, _ in seen)


def _pair(rating: float | None = 80.0) -> Network:
    """Two buses joined by two equal circuits; the unit at A must produce 150 of 200 MW, that at B can move."""
    buses = [{"bus": "A", "base_kv": 138.0, "slack": True}, {"bus": "B", "base_kv": 138.0, "load_mw": 200.0}]
    branches = [
        {"branch": f"A-B/{k}", "from_bus": "A", "to_bus": "B", "circuit": str(k), "rating_a_mw": rating} for k in (1, 2)
    ]
    units = [
        {"unit": "a", "bus": "A", "p_min_mw": 150.0, "p_max_mw": 200.0},
        {"unit": "b", "bus": "B", "p_max_mw": 200.0},
    ]
    rows = {"buses": buses, "branches": branches, "units": units}
    return Network.from_tables(NetworkTables(name="pair", **{name: table_of(name, row) for name, row in rows.items()}))


SIZES = (30.0, 69.0, 71.0, 150.0, 199.0, 201.0)


def _pair_result(rating: float | None = 80.0):
    case = _case(_pair(rating))
    contingencies = Contingencies.of(Factors.of(case.network), Rule(), case)
    question = GateQuestion(np.array([0, 1]), (envelope("firm"),), tuple(size / 0.8 for size in SIZES))
    return case, contingencies, screen(case, contingencies, question)


def test_a_load_can_relieve_an_outage_that_fails_without_it():
    # One circuit left: A's 150 MW less the load at A must fit through 80 MW, so the load is at least 70 MW; and the
    # units' 400 MW serve 200 MW of it at most. A load at B relieves nothing. Without unit b, 200 MW need 160 MW.
    _, contingencies, result = _pair_result()

    assert contingencies.ids == ("branch A-B/1", "branch A-B/2", "unit a", "unit b")
    for circuit in (0, 1):
        assert [result.verdict(0, 0, level, circuit) for level in range(6)] == [0, 0, 1, 1, 1, 0]
        assert [result.verdict(1, 0, level, circuit) for level in range(6)] == [0] * 6
    for unit in (2, 3):
        assert [result.verdict(0, 0, level, unit) for level in range(6)] == [0] * 6
    assert result.base_infeasible() == [(0, 0), (0, 1), (0, 3)]
    assert result.intact_fails() == []


def test_branches_without_ratings_limit_nothing():
    _, _, result = _pair_result(None)

    assert [result.verdict(0, 0, level, 0) for level in range(6)] == [1, 1, 1, 1, 1, 0]  # the units' 400 MW
    assert result.base_infeasible() == []


def test_rates_thresholds_and_failures_are_those_of_the_verdicts():
    _, _, result = _pair_result()
    low, high = result.pass_rate("firm", 150.0 / 0.8)

    assert low.tolist() == high.tolist() == [0.5, 0.0]  # both circuits of four contingencies
    assert result.qualified("firm", 150.0 / 0.8, 0.5).tolist() == [1, 0]
    assert result.qualified("firm", 150.0 / 0.8, 0.51).tolist() == [0, 0]
    assert result.strict("firm", 150.0 / 0.8).tolist() == [0, 0]
    assert result.first_failure(0, "firm", 150.0 / 0.8) == (0, 2)
    assert [part.tolist() for part in result.by_contingency(0, "firm", 150.0 / 0.8)] == [[1, 1, 0, 0], [0, 0, 1, 1]]
    with pytest.raises(QuestionError, match="was not screened"):
        result.pass_rate("firm", 500.0)


def test_a_result_reads_back_as_it_was_saved():
    _, _, result = _pair_result()
    again = GateResult.load(result.save())

    assert again.save() == result.save()
    assert again.qualified("firm", 150.0 / 0.8, 0.5).tolist() == [1, 0]
    with pytest.raises(UncertaintyDataError):
        GateResult.load(b"no gate")


def test_cuts_of_hours_that_fail_hold_for_every_load_that_helps():
    # After the loss of a circuit 70 MW at A help, at B nothing does: the cut of A's price says exactly that.
    case, contingencies, _ = _pair_result()
    found = infeasible_pairs(case, contingencies)

    assert [(pair.hour, contingencies.ids[pair.contingency], pair.weight) for pair in found] == [
        (0, "branch A-B/1", 2.0),
        (0, "unit b", 1.0),
    ]
    cut = found[0]
    assert cut.room_mw < 0.0
    assert cut.room_mw / cut.price[0] == pytest.approx(70.0, abs=1e-6)
    assert cut.price[1] >= -1e-9


def test_what_cannot_be_asked_is_refused_by_name():
    case, contingencies, _ = _pair_result()
    with pytest.raises(QuestionError, match="above 0"):
        GateQuestion(np.array([0]), (envelope("firm"),), (0.0,))
    with pytest.raises(QuestionError, match="as many weights"):
        screen(case, contingencies, GateQuestion(np.array([0]), (envelope("firm"),), (9.0,), hour_weight=(1.0, 2.0)))


def test_an_hour_that_units_cannot_balance_fails_as_a_whole_and_says_so():
    case, contingencies, _ = _pair_result()
    short = SitingCase(case.network, 3.0 * case.demand_mw, case.least_mw, case.largest_mw, case.hour_of_day, ("x",), "")
    result = screen(short, contingencies, GateQuestion(np.array([0]), (envelope("firm"),), (100.0,)))

    assert result.intact_fails() == [0]
    assert len(result.base_infeasible()) == len(contingencies)
    assert [result.verdict(0, 0, 0, k) for k in range(4)] == [0] * 4
    cut = infeasible_pairs(short, contingencies)[0]
    assert cut.room_mw / cut.price[1] == pytest.approx(400.0 - 600.0)  # what the units are short of


def test_parts_and_kept_tasks_give_the_same_result(tmp_path):
    case = _case(_network("ieee14", 1.3), (1.0, 0.9))
    contingencies = Contingencies.of(Factors.of(case.network), Rule(least_kv=0.0), case)
    question = GateQuestion(np.arange(14), (envelope("firm"), envelope("pause")), (50.0, 100.0))
    whole = screen(case, contingencies, question)
    store: dict[str, bytes] = {}

    class Files:
        def save(self, key, content):
            store[key] = content

        def open(self, key):
            if key not in store:
                return None
            (tmp_path / key).write_bytes(store[key])
            return tmp_path / key

    def stop_in_the_middle(done, total):
        if done == 2:
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        screen(case, contingencies, question, parts=2, artifacts=Files(), progress=stop_in_the_middle)
    assert 0 < len(store) < 4
    again = screen(case, contingencies, question, parts=2, artifacts=Files())

    for one, other in zip(whole.verdicts, again.verdicts, strict=True):
        assert (one.passed == other.passed).all()
        assert (one.failed == other.failed).all()


@pytest.mark.parametrize("workers", [HERE, Processes(1)])
def test_the_share_that_is_done_moves_inside_an_hour(workers):
    case = _case(_network("ieee14", 1.3))
    contingencies = Contingencies.of(Factors.of(case.network), Rule(least_kv=0.0), case)
    told: list[float] = []
    tasks: list[int] = []
    screen(
        case, contingencies, GateQuestion(np.arange(14), (envelope("firm"),), (60.0,)),
        workers=workers, share=told.append, progress=lambda *now: tasks.append(now[0]),
    )  # fmt: skip

    assert told == sorted(told)
    assert told[-1] == 1.0
    assert set(tasks) <= {0, 1}
    if workers is HERE:  # in another process it moves too, but this hour may be over before it is looked at
        assert len({share for share in told if 0.0 < share < 1.0}) > 3


def test_a_certificate_is_a_dispatch_or_a_cut():
    case, contingencies, _ = _pair_result()
    passes = certificate(case, contingencies, 0, 100.0, 0, 0)
    fails = certificate(case, contingencies, 0, 30.0, 0, 0)

    assert passes.passes
    assert passes.output_mw.sum() == pytest.approx(300.0)  # 200 MW of load and 100 more
    assert abs(passes.output_mw[0] - 100.0) <= 80.0 + 1e-4  # what the circuit that is left carries
    assert (passes.output_mw >= case.least_mw[0] - 1e-6).all()
    assert not fails.passes
    assert fails.limits == ("line A-B/2",)
    short = certificate(case, contingencies, 0, 50.0, 0, 3)  # without unit b, 200 MW for 250
    assert not short.passes
    assert short.price[1] * 50.0 > short.room_mw
    assert fails.price[0] * 30.0 > fails.room_mw  # the cut is broken by this load, and kept by 70 MW
    assert fails.price[0] * 70.0 <= fails.room_mw + 1e-6


def test_the_largest_size_is_the_last_that_qualifies():
    _, _, result = _pair_result()
    sure, may = result.largest_size("firm", 0.5)

    assert sure.tolist() == may.tolist() == [pytest.approx(199.0 / 0.8), 0.0]


def test_hours_beyond_the_budget_stay_open_and_the_rate_is_a_bracket():
    case = _case(_pair(), (1.0,) * 6)
    contingencies = Contingencies.of(Factors.of(case.network), Rule(), case)
    question = GateQuestion(np.array([0]), (envelope("firm"),), (150.0 / 0.8,), threshold=0.5)
    none = screen(case, contingencies, question, budget_s=0.0)
    all_ = screen(case, contingencies, question)

    assert np.concatenate(none.pass_rate("firm", 150.0 / 0.8)) == pytest.approx([0.0, 1.0])
    assert none.qualified("firm", 150.0 / 0.8).tolist() == [-1]
    assert all_.qualified("firm", 150.0 / 0.8).tolist() == [1]
    assert np.concatenate(all_.pass_rate("firm", 150.0 / 0.8)) == pytest.approx([0.5, 0.5])


def test_verdicts_do_not_rest_on_blocks_of_outages_that_the_solver_gives_up_on(monkeypatch):
    """A block only looks for dispatches; without one every case has a program of its own, and the same verdict."""
    case = _case(_network("ieee14", 1.3), (1.0, 1.1))
    contingencies = Contingencies.of(Factors.of(case.network), Rule(least_kv=0.0), case)
    buses = np.flatnonzero(case.network.buses.in_service)
    question = GateQuestion(buses, (envelope("firm"),), (10.0, 40.0, 80.0))
    found = screen(case, contingencies, question)
    asked = []

    def gives_up(self) -> None:
        asked.append(self)

    monkeypatch.setattr(BlockProgram, "_solve", gives_up)
    alone = screen(case, contingencies, question)

    assert asked
    for hour in range(len(case)):
        for k in range(len(contingencies)):
            for place in range(len(buses)):
                for level in range(len(question.sizes_mw)):
                    assert alone.verdict(place, hour, level, k) == found.verdict(place, hour, level, k)


def test_what_is_known_is_told_while_hours_are_under_way(monkeypatch):
    monkeypatch.setattr(screening, "_TOLD_EVERY_S", 0.0)
    case = _case(_pair(), (1.0,) * 4)
    contingencies = Contingencies.of(Factors.of(case.network), Rule(), case)
    question = GateQuestion(np.array([0, 1]), (envelope("firm"),), (150.0 / 0.8,), threshold=0.5)
    told = []
    last = screen(case, contingencies, question, parts=2, partial=told.append)
    screened = [sum(hour is not None for hour in known.verdicts) for known in told]

    assert screened == [0, 1, 1, 2, 2, 3, 3, 4]  # an hour counts when both of its parts are there
    for known in told:
        (low, high), (rate, _) = known.pass_rate("firm", 150.0 / 0.8), last.pass_rate("firm", 150.0 / 0.8)
        assert (low <= rate + 1e-12).all()
        assert (rate <= high + 1e-12).all()
    assert told[-1].save() == last.save()
