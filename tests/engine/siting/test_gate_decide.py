"""Bounds on pass rates over many hours, against the exact gate of every hour; and hours put together."""

import numpy as np
import pytest

from engine.errors import QuestionError, UncertaintyDataError
from engine.network.factors import Factors
from engine.network.model import Network
from engine.network.tables import NetworkTables, table_of
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies, Rule
from engine.siting.envelopes import envelope
from engine.siting.gate.bracket import GateBracket
from engine.siting.gate.decide import decide
from engine.siting.gate.hour import HourSolver
from engine.siting.gate.model import GateHour, GateModel
from engine.siting.gate.question import GateQuestion
from engine.siting.gate.screening import screen
from engine.siting.gate.together import Together
from tests.engine.siting.angle_loads import load_interval
from tests.engine.siting.test_gate import _network

HOURS = 10
ENVELOPES = (envelope("firm"), envelope("shift"))
SIZES = (12.0, 50.0, 150.0)


@pytest.fixture(scope="module")
def fourteen() -> SitingCase:
    """Hours of IEEE 14 with demand that differs from bus to bus, and one unit whose limits differ by hour."""
    network = _network("ieee14", 1.35)
    generator = np.random.default_rng(5)
    units = network.units
    factor = generator.uniform(0.75, 1.1, HOURS)[:, np.newaxis] * generator.uniform(0.97, 1.03, (HOURS, 14))
    most = np.tile(np.where(units.in_service, units.p_max_mw, 0.0), (HOURS, 1))
    most[:, 1] *= generator.uniform(0.6, 1.0, HOURS)
    labels = tuple(f"hour {h}" for h in range(HOURS))
    demand = factor * network.demand_mw
    return SitingCase(network, demand, np.zeros_like(most), most, np.arange(HOURS) % 24 + 9, labels, "test")


@pytest.fixture(scope="module")
def asked(fourteen) -> tuple[Contingencies, GateQuestion]:
    contingencies = Contingencies.of(Factors.of(fourteen.network), Rule(least_kv=0.0), fourteen)
    return contingencies, GateQuestion(np.arange(14), ENVELOPES, SIZES, threshold=0.9)


def test_what_passes_narrower_passes_and_what_fails_wider_fails_in_every_hour(fourteen, asked):
    contingencies, question = asked
    model = GateModel.of(contingencies, question.buses)
    levels = np.array([10.0, 40.0, 120.0])
    seen = set()
    order = np.argsort(fourteen.demand_mw.sum(axis=1))
    for hours in (order[:3], order[4:6], order[7:]):
        together = Together.of(model, fourteen.at(hours))
        assert together.narrower is not None
        narrow = HourSolver(together.narrower, levels).solve().verdicts(levels)
        wide = HourSolver(together.wider, levels).solve().verdicts(levels)
        for hour in hours:
            exact = HourSolver(GateHour.of(model, fourteen.state(hour)), levels).solve().verdicts(levels)
            assert (exact[narrow == 1] == 1).all()
            assert (exact[wide == 0] == 0).all()
            seen |= {((narrow == 1) & (exact == 1)).any(), ((wide == 0) & (exact == 0)).any()}
        assert (wide[narrow == 1] == 1).all()
    assert seen == {np.True_}  # both kinds of verdict were carried over


def test_one_hour_is_its_own_narrower_and_wider_one(fourteen, asked):
    contingencies, question = asked
    model = GateModel.of(contingencies, question.buses)
    together = Together.of(model, fourteen.at(np.array([4])))
    alone = GateHour.of(model, fourteen.state(4))

    assert together.narrower is not None
    for one in (together.narrower, together.wider):
        assert one.fixed_mw == pytest.approx(alone.fixed_mw, abs=1e-9)
        assert one.model.after_upper_mw == pytest.approx(alone.model.after_upper_mw, abs=1e-9)
        assert one.largest_mw == pytest.approx(alone.largest_mw, abs=1e-9)


def test_bounds_hold_and_end_at_the_decision_of_the_exact_gate(fourteen, asked, monkeypatch):
    contingencies, question = asked
    exact = screen(fourteen, contingencies, question)
    told = []
    bracket = decide(fourteen, contingencies, question, groups=4, progress=lambda *now: told.append(now[0]))
    clock = iter(range(100))
    monkeypatch.setattr("engine.siting.gate.decide.time.perf_counter", lambda: float(next(clock)))
    early = decide(fourteen, contingencies, question, groups=12, budget_s=1.5)  # one round

    assert bracket.decided_share == 1.0
    assert bracket.looked_at > 0.0
    for one in ENVELOPES:
        for size in SIZES:
            rate = exact.pass_rate(one.name, size)[0]
            for found in (bracket, early):
                lower, upper = found.pass_rate(one.name, size)
                assert (lower <= rate + 1e-9).all()
                assert (rate <= upper + 1e-9).all()
            assert (bracket.qualified(one.name, size) == exact.qualified(one.name, size)).all()
    assert {claim.passes for claim in bracket.claims} == {True, False}
    for claim in bracket.claims:
        level = int(np.argmin([abs(exact.load_mw(claim.hour, level) - claim.load_mw) for level in range(6)]))
        assert exact.verdict(claim.bus, claim.hour, level, claim.contingency) == int(claim.passes)
    assert told == sorted(told)
    assert told[-1] == 14 * len(ENVELOPES) * len(SIZES)
    assert 0.0 < early.looked_at < 1.0 + 1e-9
    assert early.decided_share < 1.0
    assert len(early.undecided("firm", 50.0)) == int((early.qualified("firm", 50.0) == -1).sum())
    with pytest.raises(QuestionError, match="was not asked"):
        bracket.pass_rate("firm", 51.0)
    assert GateBracket.load(bracket.save()).save() == bracket.save()
    with pytest.raises(UncertaintyDataError):
        GateBracket.load(b"nothing")


def _behind(rating: float) -> Network:
    """A ring of three buses, and a unit of 100 MW behind a transformer of some rating."""
    buses = [
        {"bus": name, "base_kv": 138.0, "load_mw": load} for name, load in zip("ABC", (0.0, 60.0, 60.0), strict=True)
    ]
    buses += [{"bus": "G", "base_kv": 13.8}]
    buses[0]["slack"] = True
    ends = (("A", "B", 70.0), ("B", "C", 70.0), ("A", "C", 70.0), ("G", "C", rating))
    branches = [
        {"branch": f"{a}-{b}", "from_bus": a, "to_bus": b, "rating_a_mw": limit, "reactance_pu": 0.1}
        for a, b, limit in ends
    ]
    units = [{"unit": "a", "bus": "A", "p_max_mw": 200.0}, {"unit": "g", "bus": "G", "p_max_mw": 100.0}]
    rows = {"buses": buses, "branches": branches, "units": units}
    return Network.from_tables(
        NetworkTables(name="behind", **{name: table_of(name, row) for name, row in rows.items()})
    )


@pytest.mark.parametrize(("rating", "columns"), [(120.0, 2), (40.0, 2)])
def test_units_behind_a_transformer_count_at_its_other_end_where_they_cannot_overload_it(rating, columns):
    network = _behind(rating)
    units = network.units
    case = SitingCase(
        network,
        network.demand_mw[np.newaxis],
        0.0 * units.p_max_mw[np.newaxis],
        units.p_max_mw[np.newaxis],
        np.array([1]),
        ("x",),
        "",
    )
    contingencies = Contingencies.of(Factors.of(network), Rule(), case)
    model = GateModel.of(contingencies, np.array([1, 2]))
    hour = GateHour.of(model, case.state(0))
    assert len(model.unit_buses) == columns
    assert (hour.model is model) == (rating > 100.0)
    levels = np.array([20.0, 60.0, 85.0])
    verdicts = HourSolver(hour, levels).solve().verdicts(levels)
    for place, bus in enumerate((1, 2)):
        for k in range(len(contingencies)):
            branch = contingencies.branches(k)
            gate_case = 1 + int(np.searchsorted(contingencies.distinct, contingencies.same_as[k]))
            least, most = load_interval(
                network,
                case.demand_mw[0],
                case.least_mw[0],
                case.largest_mw[0],
                bus,
                branch=branch[0] if branch else -1,
                unit=contingencies.unit(k),
            )
            for level, load in enumerate(levels.tolist()):
                if min(abs(load - least), abs(load - most)) > 0.01:
                    assert verdicts[level, place, gate_case] == int(least <= load <= most), (bus, k, load)
