"""The DC-OPF as a job: its question, its answer as JSON, its reasons, its progress and its time limit."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from engine.errors import CancelledError, QuestionError, SolverError
from engine.network import library
from engine.network.model import Network
from engine.network.tables import NetworkTables
from engine.opf.dc_opf import DcOpfOptions, dc_opf
from engine.opf.jobs import answer, opf_arguments, opf_job
from engine.opf.question import OpfQuestion
from engine.opf.results import OpfAnswer


@dataclass
class Context:
    """A job's context with one network, which remembers what it was told."""

    tables: NetworkTables
    told: list[tuple[int, int, str]] = field(default_factory=list)
    cancel_after: int = 1000
    artifacts: Any = None

    def progress(self, done: int, total: int, message: str = "") -> None:
        self.told.append((done, total, message))
        if len(self.told) >= self.cancel_after:
            raise CancelledError("cancelled")

    def load_network(self, digest: str) -> NetworkTables:
        assert digest == self.tables.digest()
        return self.tables

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        raise AssertionError(digest)


def congested() -> NetworkTables:
    """Two units of 10 and 40 $/MWh at the ends of a line of 30 MW, and 50 MW of load at the dear end."""
    four = library.load("fourbus")
    buses = four.buses.iloc[:2].assign(load_mw=[0.0, 50.0])
    branches = four.branches.iloc[:1].assign(rating_a_mw=30.0)
    unit = four.units.iloc[0]
    units = four.units.iloc[[0, 0]].assign(
        unit=["cheap", "dear"], bus=["1", "2"], p_max_mw=[100.0, 100.0], cost_c1_per_mwh=[10.0, 40.0]
    )
    assert unit["p_min_mw"] == 0
    return replace(four, buses=buses, branches=branches, units=units.reset_index(drop=True))


def test_the_job_splits_prices_into_energy_and_congestion() -> None:
    """By hand: 30 MW cross the line, 20 MW are made at 40 $/MWh: 1,100 $/h; a MW more of line saves 30 $/h."""
    tables = congested()
    context = Context(tables)
    content = opf_job(opf_arguments(tables.digest(), OpfQuestion()), context)
    kept = OpfAnswer.from_json(json.loads(json.dumps(content, allow_nan=False)))
    dispatch = kept.dispatch
    assert dispatch is not None
    assert dispatch.cost_per_h == pytest.approx(1100)
    assert dispatch.energy_per_mwh == pytest.approx(10)  # the slack is bus 1
    assert dispatch.lmp_per_mwh == pytest.approx([10, 40])
    assert dispatch.congestion_per_mwh == pytest.approx([0, 30])
    assert dispatch.branch_price_per_mwh == pytest.approx([30])
    assert dispatch.loading() == pytest.approx([1])
    assert dispatch.binding() == [0]
    assert (dispatch.status, dispatch.certified, dispatch.reference) == ("optimal", True, "bus 1")
    assert kept.network_digest == tables.digest()
    assert [message for _, _, message in context.told[:2]] == [
        "solve 1, 0 limits in the program",
        "solve 2, 1 limits in the program",
    ]


@pytest.mark.parametrize("key", ["ieee30", "rts24", "activsg500"])
def test_an_answer_comes_back_from_its_json_as_it_was(key: str) -> None:
    network = Network.from_tables(library.load(key))
    made = answer(network, OpfQuestion())
    back = OpfAnswer.from_json(json.loads(json.dumps(made.to_json(), allow_nan=False)))
    solved = dc_opf(network, DcOpfOptions())
    assert back.dispatch is not None
    assert back.dispatch.cost_per_h == pytest.approx(solved.cost_per_h)
    for name in ("flow_mw", "dispatch_mw", "lmp_per_mwh", "congestion_per_mwh", "branch_price_per_mwh"):
        np.testing.assert_allclose(getattr(back.dispatch, name), getattr(solved, name), rtol=1e-11, atol=1e-9)
    np.testing.assert_array_equal(np.isinf(back.dispatch.upper_mw), np.isinf(solved.limits.branches.upper_mw))
    np.testing.assert_allclose(
        back.dispatch.lmp_per_mwh, back.dispatch.energy_per_mwh + back.dispatch.congestion_per_mwh
    )


def test_a_load_that_cannot_be_served_is_an_answer_that_names_the_branch() -> None:
    tables = congested()
    units = tables.units.assign(in_service=[True, False])
    network = Network.from_tables(replace(tables, units=units))
    made = OpfAnswer.from_json(answer(network, OpfQuestion()).to_json())
    assert made.dispatch is None
    assert "20.0 MW beyond 30.0 MW" in made.refusal  # 50 MW over a line of 30 MW
    assert [(p.table, p.element) for p in made.problems] == [("branches", network.branches.ids[0])]
    assert answer(network, OpfQuestion(rating="none")).dispatch is not None


def test_a_cancelled_job_stops_at_its_next_solve() -> None:
    tables = congested()
    context = Context(tables, cancel_after=2)
    with pytest.raises(CancelledError):
        opf_job(opf_arguments(tables.digest(), OpfQuestion()), context)
    assert len(context.told) == 2


def test_a_time_limit_ends_the_solve_and_the_search_for_reasons() -> None:
    network = Network.from_tables(library.load("activsg500"))
    with pytest.raises(SolverError, match="ime"):
        answer(network, OpfQuestion(), time_limit_s=0.0)


@pytest.mark.parametrize(
    "content",
    [
        None, [], {"scale_percent": "100"}, {"scale_percent": -1}, {"scale_percent": float("nan")}, {"rating": "z"},
        {"scale_percent": True}, {"ignore_p_min": "yes"}, {"limits": "a"}, {"rating": ["a"]},
    ],
)  # fmt: skip
def test_a_question_outside_its_range_is_refused(content: object) -> None:
    with pytest.raises(QuestionError):
        OpfQuestion.from_json(content)


def test_equal_questions_have_equal_arguments() -> None:
    one, other = OpfQuestion.from_json({"scale_percent": 100}), OpfQuestion()
    assert json.dumps(opf_arguments("a", one)) == json.dumps(opf_arguments("a", other))
    assert OpfQuestion.from_json(OpfQuestion(90.0, "b", True).to_json()) == OpfQuestion(90.0, "b", True)
