"""Stage II: its cost by an independent program, the laws of its dispatch, and cuts that are never above a cost."""

from dataclasses import asdict, replace
from functools import lru_cache

import numpy as np
import pytest

from engine.distribution import library
from engine.distribution.feeder import Load
from engine.errors import NetworkDataError
from engine.resilience.case import Campus, Penalties, PlacementCase, Scenarios
from engine.resilience.cases import SHOCKS, on_feeder
from engine.resilience.outcomes import Outcomes
from engine.resilience.recourse import Answer, Recourse
from tests.engine.resilience import small
from tests.engine.resilience.oracle import cost_of

HAIR = 1e-6
OUT = (2, 4)  # links of the small feeder: B-C and D-E


@lru_cache(maxsize=8)
def recourse(seed: int) -> Recourse:
    return Recourse(small.case(seed, outages=OUT))


@lru_cache(maxsize=1)
def answers() -> list[tuple[Recourse, np.ndarray, Answer]]:
    """Return every shock of three cases, each under a plan of its own."""
    found = []
    for seed in range(3):
        of = recourse(seed)
        for at in range(len(of)):
            plan = small.plan(of.stage.case, 100 * seed + at, whole=at % 2 == 0)
            found.append((of, plan, of.solve(at, plan)))
    return found


def one_shock(case: PlacementCase, draw: np.ndarray, start: int, end: int, outage: int = -1, **more) -> PlacementCase:
    scenarios = Scenarios(
        draw[np.newaxis], np.array([start]), np.array([end]), np.ones(1), np.array([outage]), ("shock",), **more
    )
    return replace(case, scenarios=scenarios).checked()


def test_costs_are_those_of_a_program_written_apart() -> None:
    """Storage, generation, response, reactive power, outages and every penalty at work in at least one of them."""
    cheap = {"penalties": Penalties(voltage_per_pu2h=20_000.0)}
    asked = [
        (small.case(0, outages=OUT), 0, 1), (small.case(0, outages=OUT), 4, 11), (small.case(1, outages=OUT), 1, 5),
        (small.case(1, margin_pu=0.01, **cheap), 2, None), (small.case(2, outages=(3, 1)), 0, 20),
        (small.case(3, **cheap), 0, 40), (small.case(4, steps=12, outages=(0,)), 0, 2),
    ]  # fmt: skip
    most: dict[str, float] = {}
    for place, (case, at, seed) in enumerate(asked):
        none = np.zeros(case.most.size)
        plan = none if seed is None else small.plan(case, seed, whole=place != 1)
        expected, found = cost_of(case, at, plan)
        assert Recourse(case).solve(at, plan).cost == pytest.approx(expected, rel=1e-5)
        for name, values in found.used.items():
            most[name] = max(most.get(name, 0.0), float(np.max(values.value)))
    for name in ("shed", "slack", "imbalance", "late", "lacking", "output", "put off", "reactive"):
        assert most[name] > 1e-3, name
    assert most["rating"] > 0.9  # of a link's rating in active power alone


def test_the_import_far_below_its_schedule_costs_just_that() -> None:
    """30 MW are scheduled and nothing is drawn for two hours; 0.1 MW of it is free: 29.9 x 2 h x 500 $/MWh."""
    case = replace(small.case(), campuses=(Campus("E", 30.0, 1.0),), load_share=np.full(8, 0.01), substation_mva=np.inf)
    case = one_shock(case, np.zeros((8, 1)), 0, 8)
    assert Recourse(case).solve(0, np.zeros(9)).cost == pytest.approx(29.9 * 2.0 * 500.0)


def test_a_feed_in_that_is_larger_than_all_load_is_no_fault() -> None:
    """2 MW at D against 2.5 MW of loads at 1 %, campuses at their schedule: nothing fails, so nothing is paid."""
    base = small.case()
    gives = tuple(Load(f"wind {phase}", "D", phase, -2000.0 / 3.0, 0.0) for phase in "abc")
    feeder = replace(base.feeder, loads=(*base.feeder.loads, *gives))
    case = replace(base, feeder=feeder, load_share=np.full(8, 0.01), types=(small.ENGINE,))
    case = one_shock(case, np.tile(0.5 * case.schedule_mw, (8, 1)), 0, 8)
    case = replace(case, campuses=tuple(replace(each, schedule_share=0.15) for each in case.campuses))
    of = Recourse(case)
    answer = of.solve(0, np.zeros(3))
    assert answer.cost == pytest.approx(0.0, abs=HAIR)
    # Both campuses at 0.15 of 3.2 MW and 25 kW of loads.
    assert answer.x[of.stage.columns.imported] == pytest.approx(0.48 + 0.025 - 2.0)


@pytest.mark.parametrize("key", ["ieee13", "ieee34", "ieee37", "ieee123"])
def test_whatever_fails_on_a_published_feeder_there_is_a_cost(key: str) -> None:
    """With capacitors and cables behind links that are out, which draw what nobody could shed."""
    feeder = replace(library.load(key), v_min_pu=0.95)
    case = on_feeder(feeder, scenarios=4, steps=4, model=replace(SHOCKS, outage_share=1.0))
    found = Recourse(case)
    assert (case.scenarios.outage >= 0).all()
    for at in range(4):
        answer = found.solve(at, np.zeros(found.stage.size))
        # Those behind the link are without supply while it is out.
        flow = found.flows.flow.rows(found.flows.links[case.scenarios.outage[at]])
        served = found.stage.draws_mw[at] - answer.x[found.stage.columns.shed]
        none = np.zeros((len(case.sites), case.steps))
        gone = slice(int(case.scenarios.start[at]), int(case.scenarios.restored[at]))
        assert np.abs(flow.at(served, none, none)[:, gone]).max() < HAIR
        assert answer.x[found.stage.columns.shed][:, gone].sum() > 1e-3


def test_stores_keep_their_energy() -> None:
    """What is held is what was, less losses, plus what is charged, less what is discharged, from the share before."""
    used = 0.0
    for of, plan, answer in answers():
        case, col = of.stage.case, of.stage.columns
        for module in np.flatnonzero(col.charge[:, 0] >= 0).tolist():
            kind, x = case.types[module // len(case.sites)], answer.x
            charge, discharge, held = (x[place[module]] for place in (col.charge, col.discharge, col.energy))
            begun = kind.start_share * kind.energy_mwh * plan[module]
            before = np.concatenate([[begun], held[:-1]])
            flow = kind.charge_efficiency * charge - discharge / kind.discharge_efficiency
            assert held == pytest.approx((1.0 - 0.25 * kind.loss_per_h) * before + 0.25 * flow, abs=HAIR)
            assert (held >= -HAIR).all()
            assert (held <= kind.energy_mwh * plan[module] + HAIR).all()
            assert (np.maximum(charge, discharge) <= kind.power_mw * plan[module] + HAIR).all()
            assert x[col.lacking[module]] == pytest.approx(max(0.0, begun - held[-1]), abs=HAIR)
            used += discharge.sum()
    assert used > 1.0


def test_what_a_response_puts_off_is_drawn_within_its_window() -> None:
    used = 0.0
    for of, plan, answer in answers():
        case, col = of.stage.case, of.stage.columns
        for module in np.flatnonzero(col.put_off[:, 0] >= 0).tolist():
            kind = case.types[module // len(case.sites)]
            off, back = 0.25 * answer.x[col.put_off[module]], 0.25 * answer.x[col.taken_up[module]]
            assert back.sum() == pytest.approx(kind.payback * off.sum(), abs=HAIR)
            assert off.sum() <= kind.energy_mwh * plan[module] + HAIR
            assert np.maximum(off, back).max() <= 0.25 * kind.power_mw * plan[module] + HAIR
            returned, owed = np.cumsum(back), kind.payback * np.cumsum(off)
            window = round(kind.window_h / 0.25)
            assert (returned <= owed + HAIR).all()  # nothing before it was put off
            assert (returned[window:] >= owed[:-window] - HAIR).all()
            used += off.sum()
        # A site puts off, or has shed, no more than it draws.
        for place, bus in enumerate(case.sites):
            demands = [at for at, name in enumerate(of.flows.demands) if name == bus]
            gone = answer.x[col.shed[demands]].sum(axis=0)
            modules = [m for m in range(place, of.stage.size, len(case.sites)) if col.put_off[m, 0] >= 0]
            gone = gone + sum(answer.x[col.put_off[m]] for m in modules)
            assert (gone <= of.stage.draws_mw[answer.scenario, demands].sum(axis=0) + HAIR).all()
    assert used > 0.1


def test_generation_waits_for_its_delay_and_keeps_its_ramp() -> None:
    """20 min are two steps of a quarter of an hour begun; 0.012 MW a minute are 0.18 MW a step and module."""
    used = 0.0
    for of, plan, answer in answers():
        col, first = of.stage.columns, int(of.stage.scenarios.start[answer.scenario]) + 2
        for module in np.flatnonzero(col.output[:, 0] >= 0).tolist():
            output = answer.x[col.output[module]]
            assert np.abs(output[:first]).max(initial=0.0) <= HAIR
            assert np.abs(np.diff(output, prepend=0.0)).max() <= 0.18 * plan[module] + HAIR
            assert output.max() <= 0.5 * plan[module] + HAIR
            used += output.sum()
    assert used > 1.0


def test_nothing_flows_through_a_link_that_is_out() -> None:
    """By what is drawn and given behind it: bus C behind B-C, bus E behind D-E."""
    seen = 0
    for of, _, answer in answers():
        scenarios, case = of.stage.scenarios, of.stage.case
        link = int(scenarios.outage[answer.scenario])
        if link < 0:
            continue
        bus, at = case.links[link][-1], answer.scenario
        gone = slice(int(scenarios.start[at]), int(scenarios.restored[at]))
        demands = [place for place, name in enumerate(of.flows.demands) if name == bus]
        given, _, shed = of.stage.injections(answer.x)
        served = (of.stage.draws_mw[at] - shed)[demands].sum(axis=0)
        assert served[gone] == pytest.approx(given[case.sites.index(bus), gone], abs=HAIR)
        seen += 1
    assert seen == 3 * len(OUT)


def test_stores_do_not_charge_while_they_discharge_where_less_import_is_no_fault() -> None:
    """Campuses at their schedule or above it: burning energy gains nothing, and wear and losses cost."""
    base = small.case(5)
    draw = np.maximum(base.scenarios.draw_mw, base.schedule_mw)
    case = replace(base, scenarios=replace(base.scenarios, draw_mw=draw), dead_band_mw=0.0)
    of, used = Recourse(case), 0.0
    for at in range(len(of)):
        found = Outcomes.of(of, of.solve(at, small.plan(case, at)))
        assert found.both_ways_mwh[0] <= HAIR
        used += found.given_mwh[0, :3].sum()
    assert used > 0.1


def drops() -> list[tuple[PlacementCase, np.ndarray]]:
    """Cases of one shock in which campuses stop and stores are full, or nearly, with a plan each."""
    found = []
    for seed, share, counts in ((6, 1.0, (1, 0, 1)), (6, 1.0, (2, 0, 0)), (9, 0.9, (1, 1, 1)), (11, 0.95, (0, 0, 1))):
        full = replace(small.STORE, start_share=share, loss_per_h=0.0)
        case = one_shock(small.case(seed, types=(full,), dead_band_mw=0.0), np.zeros((8, 2)), 1, 6)
        found.append((case, np.array(counts, dtype=float)))
    return found


def test_a_dispatch_has_each_store_one_way_where_a_linear_program_burns_energy() -> None:
    """Full stores cannot take what campuses no longer draw; charged and discharged at once they would lose it."""
    for case, plan in drops():
        of = Recourse(case)
        bound, found = of.solve(0, plan), of.dispatch(0, plan)
        assert Outcomes.of(of, bound).both_ways_mwh[0] > 0.01  # it does burn, though both ways share the power
        both = sum(bound.x[place[of.stage.stores]] for place in (of.stage.columns.charge, of.stage.columns.discharge))
        assert (both <= small.STORE.power_mw * plan[:, np.newaxis] + HAIR).all()
        assert Outcomes.of(of, found).both_ways_mwh[0] <= HAIR
        # It keeps every row and bound, costs what it says, and leaves the linear program as it was.
        program, x = of._program(0, plan), found.x
        rows = program.matrix @ x
        assert (np.maximum(program.row_lower - rows, rows - program.row_upper) <= HAIR).all()
        assert (np.maximum(program.lower - x, x - program.upper) <= HAIR).all()
        assert found.cost == pytest.approx(float(of.stage.cost @ x))
        assert of.solve(0, plan).cost == pytest.approx(bound.cost)
        assert found.solution.objective == pytest.approx(bound.cost)  # what cuts rest on


def test_a_dispatch_costs_what_a_program_with_binaries_costs_or_little_more() -> None:
    """That program, written apart, has a binary for each store and step; the rule for ways may miss its optimum."""
    dearer = 0.0
    for case, plan in drops():
        of = Recourse(case)
        least, found = cost_of(case, 0, plan, one_way=True)[0], of.dispatch(0, plan).cost
        assert of.solve(0, plan).cost == pytest.approx(cost_of(case, 0, plan)[0], rel=1e-5)
        assert least * (1.0 - 1e-5) <= found <= least * 1.04
        assert of.solve(0, plan).cost <= least * (1.0 + 1e-5)  # the linear program leaves out no dispatch
        dearer = max(dearer, least / of.solve(0, plan).cost - 1.0)
    assert dearer > 0.01  # burning energy would have been cheaper


def test_a_dispatch_is_the_linear_program_where_no_store_burns() -> None:
    for of, plan, answer in answers():
        if Outcomes.of(of, answer).both_ways_mwh[0] <= HAIR:
            assert of.dispatch(answer.scenario, plan).cost == pytest.approx(answer.cost, rel=1e-6, abs=1e-3)


def test_outcomes_are_plain_sums_of_the_dispatch() -> None:
    of, plan, answer = answers()[0]
    found, col, x, prices = Outcomes.of(of, answer), of.stage.columns, answer.x, of.stage.case.penalties
    shed = x[col.shed].sum(axis=0)
    assert found.cost[0] == answer.cost == pytest.approx(float(of.stage.cost @ x))
    assert found.unserved_mwh[0] == pytest.approx(0.25 * shed.sum())
    assert found.unserved_mwh[0] > 0.1
    assert found.imbalance_mwh[0] == pytest.approx(0.25 * x[col.imbalance].sum())
    late = 0.25 * shed[of.stage.scenarios.end[answer.scenario] :].sum()
    lacking = x[col.lacking[col.lacking >= 0]].sum()
    assert found.restoration_cost[0] == pytest.approx(prices.restore_per_mwh * (late + lacking))
    states = np.sqrt(of.states(answer.scenario, x)[0])
    assert (found.lowest_pu[0], found.highest_pu[0]) == (states.min(), states.max())
    given = [0.25 * x[place[m]].sum() for m in range(of.stage.size)
             for place in (col.discharge, col.output, col.put_off) if place[m, 0] >= 0]  # fmt: skip
    there = of.stage.case.most.ravel() > 0
    assert found.given_mwh[0][there] == pytest.approx(given)
    assert (found.given_mwh[0][~there] == 0.0).all()
    assert plan[there].sum() > 0


def test_voltages_are_within_their_limits_but_for_the_violation_that_is_paid() -> None:
    for of, _, answer in answers():
        voltage, sides = of.states(answer.scenario, answer.x)
        beyond = answer.x[of.stage.columns.violation]
        assert (voltage >= small.LOWEST_PU**2 - beyond - 2 * HAIR).all()
        assert (voltage <= small.HIGHEST_PU**2 + beyond + 2 * HAIR).all()
        assert (sides <= of.flows.side_limit[:, np.newaxis] + 2 * HAIR).all()


def test_every_plan_has_a_cost_whatever_was_solved_before() -> None:
    """Warm from another shock and plan, or from nothing: the same."""
    of = recourse(2)
    for at, plan in ((0, np.zeros(9)), (3, of.stage.case.most.ravel().astype(float)), (0, np.zeros(9))):
        warm = of.solve(at, plan).cost
        assert np.isfinite(warm)
        assert warm == pytest.approx(of.fresh().solve(at, plan).cost, rel=1e-6, abs=1e-3)


def test_more_modules_are_never_dearer_where_they_lose_nothing_by_standing_there() -> None:
    """A module may idle. One that loses energy by itself has to be charged for that, so it may cost."""
    case = small.case(7, outages=OUT, types=(replace(small.STORE, loss_per_h=0.0), small.ENGINE, small.RESPONSE))
    of, fell = Recourse(case), 0.0
    for at in range(len(of)):
        plan, last = np.zeros(9), np.inf
        for module in np.random.default_rng(at).permutation(np.flatnonzero(case.most.ravel())).tolist():
            plan[module] += 1.0
            cost = of.solve(at, plan).cost
            assert cost <= last * (1.0 + 1e-6) + 1e-3
            fell = max(fell, 0.0 if last == np.inf else last - cost)
            last = cost
    assert fell > 100.0


def test_costs_do_not_fall_where_a_penalty_rises() -> None:
    base = small.case(1, outages=OUT)
    plan = small.plan(base, 3)
    before = [Recourse(base).solve(at, plan).cost for at in range(3)]
    for name, value in asdict(base.penalties).items():
        dearer = Recourse(replace(base, penalties=replace(base.penalties, **{name: 2.0 * value})))
        after = [dearer.solve(at, plan).cost for at in range(3)]
        assert all(late >= early - 1e-3 for early, late in zip(before, after, strict=True)), name


def test_cuts_are_never_above_a_cost_of_any_shock_and_reach_their_own() -> None:
    """At random plans, whole and in parts, for the shock of the dual point and all others."""
    for seed in range(2):
        of = recourse(seed)
        case, count = of.stage.case, len(of)
        plans = [small.plan(case, 500 + at, whole=at < 2) for at in range(4)] + [np.zeros(9)]
        plans.append(case.most.ravel().astype(float))
        costs = np.array([[of.solve(at, plan).cost for at in range(count)] for plan in plans])
        bites = 0
        for place, plan in enumerate(plans):
            for at in range(count):
                cuts = of.cuts(of.solve(at, plan))
                value, slope = cuts.of(at)
                assert value + slope @ plan == pytest.approx(costs[place, at], rel=1e-5, abs=1e-2)
                bound = np.array([cuts.at(other) for other in plans])
                assert (bound <= costs * (1.0 + 1e-5) + 1e-2).all()
                bites += int((np.delete(bound, at, axis=1) > 0.5 * np.delete(costs, at, axis=1)).sum())
        assert bites > 10  # shocks bound each other by more than nothing


def test_a_store_that_loses_all_in_a_step_begins_empty() -> None:
    """2 h at a loss of 1 an hour; it could not be charged up to less than nothing."""
    case = small.case(step_h=2.0, types=(replace(small.STORE, loss_per_h=1.0, power_mw=0.01),))
    of = Recourse(case)
    plan = np.array([1.0, 0.0, 0.0])
    held = of.solve(0, plan).x[of.stage.columns.energy[0]]
    assert held.max() <= 2.0 * 0.01 * 0.93 + HAIR  # what a step charges


def test_a_case_without_room_for_modules_is_solved() -> None:
    case = small.case(2, types=(small.RESPONSE,), sites=("D",))  # nothing is drawn at D
    assert case.most.sum() == 0
    plain = Recourse(small.case(2)).solve(1, np.zeros(9)).cost
    assert Recourse(case).solve(1, np.zeros(1)).cost == pytest.approx(plain, rel=1e-6)


def test_numbers_that_cannot_be_are_refused_all_at_once() -> None:
    base = small.case()
    scenarios = base.scenarios
    case = replace(
        base, budget=-1.0, sites=("C", "C", "99"), step_h=0.0,
        types=(replace(small.STORE, inventory=-2, start_share=1.5), replace(small.ENGINE, name="store")),
        campuses=(replace(base.campuses[0], bus="98"), replace(base.campuses[1], power_factor=0.0)),
        scenarios=replace(scenarios, probability=scenarios.probability * 0.9, outage_end=scenarios.end + 9),
        penalties=replace(base.penalties, shed_per_mwh=float("nan")),
    )  # fmt: skip
    with pytest.raises(NetworkDataError) as refused:
        case.checked()
    told = [each.message for each in refused.value.problems]
    for part in (
        "the budget is -1", "a site is named twice", "no bus 99", "a step has 0 h", "store: inventory is -2",
        "start share is 1.5", "two types of modules have the same name", "no bus 98", "power factor of the campus at E",
        "probabilities sum to 0.9", "an outage ends outside of the 8 steps, or before it begins", "shed per mwh is nan",
    ):  # fmt: skip
        assert any(part in text for text in told), part


def test_shocks_of_another_shape_are_refused() -> None:
    given = small.case().scenarios
    for changed, part in (
        ({"draw_mw": given.draw_mw[:, :5]}, "draws have the shape (6, 5, 2)"),
        ({"draw_mw": -given.draw_mw}, "a draw is below 0"),
        ({"start": given.start[:3]}, "start has the shape (3,)"),
        ({"end": given.end + 8}, "outside of the 8 steps"),
        ({"outage": given.outage + 9}, "an outage is of link 8"),
        ({"probability": -given.probability}, "a probability is below 0"),
        ({"kind": ("shock",)}, "1 kinds for 6 scenarios"),
    ):
        with pytest.raises(NetworkDataError) as refused:
            small.case(scenarios=replace(given, **changed))
        assert part in str(refused.value)


def test_a_meshed_feeder_is_refused_by_its_loop() -> None:
    base = small.case()
    tie = replace(base.feeder.lines[0], name="tie", from_bus="C", to_bus="E")
    with pytest.raises(NetworkDataError, match=r"closes a loop of .*\btie\b"):
        Recourse(replace(base, feeder=replace(base.feeder, lines=(*base.feeder.lines, tie))))
