"""Many sizes in one question: what is carried from one load, case or dispatch to others, against plain evaluation."""

from functools import cache

import numpy as np
import pytest

from engine.network.factors import Factors
from engine.siting.contingencies import Contingencies, Rule
from engine.siting.gate.bounds import Intervals
from engine.siting.gate.flows import Flows, FlowScreen
from engine.siting.gate.hour import HourSolver
from engine.siting.gate.model import INTACT, GateHour, GateModel
from engine.siting.gate.program import OVERLOAD, CaseProgram
from engine.siting.gate.rays import carry, most_again
from engine.siting.gate.units import kept_without_unit
from tests.engine.siting.test_gate import _case, _network

CAP_MW = 1000.0
LEVELS_MW = np.geomspace(4.0, 400.0, 20)


@cache
def _hour(key: str = "rts24", share: float = 1.3) -> GateHour:
    case = _case(_network(key, share))
    contingencies = Contingencies.of(Factors.of(case.network), Rule(least_kv=0.0), case)
    return GateHour.of(GateModel.of(contingencies, np.flatnonzero(case.network.buses.in_service)), case.state(0))


def _flows(hour: GateHour, screen: FlowScreen, bus: int, load_mw: float, output: np.ndarray) -> Flows:
    row_mw, lost_mw = hour.rows_mw(output, bus, load_mw)
    return Flows(row_mw, lost_mw, screen.broken(row_mw, lost_mw))


def test_the_verdicts_of_a_size_do_not_change_when_others_are_asked_too() -> None:
    hour = _hour()
    many = HourSolver(hour, LEVELS_MW).solve().verdicts(LEVELS_MW)
    assert (many >= 0).all()
    assert 0.1 < many.mean() < 0.9  # both kinds
    for places in ([7], [3, 15], [0, 9, 10, 19]):
        few = HourSolver(hour, LEVELS_MW[places]).solve().verdicts(LEVELS_MW[places])
        assert (few == many[places]).all()


def test_the_highest_open_level_is_that_of_asking_each_level() -> None:
    generator = np.random.default_rng(3)
    known = Intervals.unknown(2, 400)
    levels = np.arange(10.0, 110.0, 10.0)
    known.reach_most[:] = generator.choice([-np.inf, 5.0, 50.0, 74.0, 200.0, np.inf], known.reach_most.shape)
    known.reach_least[:] = generator.choice([0.0, 10.0, 33.0], known.reach_least.shape)
    for bus in (0, 1):
        least, more = generator.uniform(0.0, 90.0, 300), generator.uniform(0.0, 60.0, 300)
        known.serve(bus, np.arange(300), 10.0 * np.round(least / 10.0))
        known.serve(bus, np.arange(300), least + more)
    for bus in (0, 1):
        open_ = np.array([known.open(bus, level) for level in levels])
        wanted = np.where(open_.any(axis=0), len(levels) - 1 - open_[::-1].argmax(axis=0), -1)
        assert len(set(wanted.tolist())) > 4
        assert (known.highest_open(bus, levels) == wanted).all()


def test_the_way_between_two_dispatches_keeps_limits_just_where_it_says() -> None:
    hour = _hour("rts24", 2.0)
    screen, generator = FlowScreen.of(hour.model), np.random.default_rng(1)
    shares = np.linspace(0.0, 1.0, 101)
    seen = np.zeros(3, dtype=np.intp)  # ways that are kept whole, in part, not at all
    for bus, load_mw in ((2, 60.0), (9, 150.0), (17, 240.0)):
        programs = CaseProgram(hour)
        programs.go(INTACT)
        first = programs.at(bus, 0.0).output_mw
        programs.go(int(generator.integers(1, hour.model.branch_cases)))
        last = programs.at(bus, load_mw).output_mw
        least, most = screen.span(_flows(hour, screen, bus, 0.0, first), _flows(hour, screen, bus, load_mw, last))
        for share in shares.tolist():
            kept, _ = screen.kept(hour, (1.0 - share) * first + share * last, bus, share * load_mw)
            said = (least <= share) & (share <= most)
            sure = np.minimum(np.abs(share - least), np.abs(share - most)) > 1e-6
            assert (kept[sure] == said[sure]).all()
        whole, none = (least <= 0.0) & (most >= 1.0), least > most
        seen += np.array([whole.sum(), (~whole & ~none).sum(), none.sum()])
    assert (seen >= 2).all(), seen


def test_a_ray_adapted_to_other_outages_bounds_their_largest_loads_and_often_meets_them() -> None:
    hour = _hour("ieee30", 1.8)
    branches = np.arange(1, 1 + hour.model.branch_cases)
    programs, meets, meets_as_it_is, count = CaseProgram(hour), 0, 0, 0
    for bus in range(0, len(hour.model.candidates), 5):
        for case in (INTACT, 4, 11):
            programs.go(case)
            found = programs.most(bus, CAP_MW)
            if found.ray is None or found.overload > OVERLOAD:
                continue
            bound = most_again(hour, found.ray, case, found.output_mw, bus, branches)
            plain = carry(hour, found.ray, branches).bounds(hour, np.array([bus]))[1][0]
            for place, other in enumerate(branches.tolist()):
                programs.go(other)
                exact = programs.most(bus, CAP_MW)
                if exact.overload > OVERLOAD:
                    continue
                assert bound[place] >= exact.load_mw - 1e-3
                meets += bound[place] <= exact.load_mw + 1e-3
                meets_as_it_is += plain[place] <= exact.load_mw + 1e-3
                count += 1
    assert count > 300
    assert meets > 1.5 * meets_as_it_is, (meets, meets_as_it_is, count)


@pytest.mark.parametrize("load_mw", [0.0, 40.0])
def test_a_dispatch_after_the_loss_of_a_unit_is_kept_just_where_every_row_is(load_mw: float) -> None:
    hour = _hour("rts24", 2.0)
    model, bus = hour.model, 5
    screen, programs = FlowScreen.of(model), CaseProgram(hour)
    programs.go(INTACT)
    output = programs.at(bus, load_mw).output_mw
    units = np.arange(len(model.lost_units))
    found = kept_without_unit(screen, hour, output, hour.rows_mw(output, bus, load_mw)[0], units)
    wanted = []
    for unit in units.tolist():
        case = 1 + model.branch_cases + unit
        least, largest = hour.box(case)
        left, place = output.copy(), model.unit_place[model.lost_units[unit]]
        missing = max(output[place] - largest[place], 0.0)
        room = np.maximum(hour.largest_mw - output, 0.0)
        room[place] = 0.0
        left += missing * room / room.sum()
        left[place] -= missing
        inside = (left <= np.maximum(largest, output) + 1e-9).all() and left[place] >= least[place] - 1e-9
        kept = screen.kept(hour, left, bus, load_mw)[0][INTACT]
        wanted.append(missing <= room.sum() and inside and kept)
    assert (found == np.array(wanted)).all()
    assert set(wanted) == {True, False}
