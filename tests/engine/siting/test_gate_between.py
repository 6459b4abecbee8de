"""Sizes between those screened, against the exact gate that screens them."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.siting.contingencies import Contingencies, Rule
from engine.siting.envelopes import envelope
from engine.siting.gate.between import Between
from engine.siting.gate.question import GateQuestion
from engine.siting.gate.screening import screen
from tests.engine.siting.test_gate import _case, _network

SCREENED, OTHERS = (30.0, 90.0), (5.0, 20.0, 31.0, 60.0, 89.0, 100.0, 240.0)


def test_what_the_screened_sizes_prove_of_others_is_what_screening_them_finds() -> None:
    case = _case(_network("ieee14", 1.2), (1.0, 1.12))
    assert case.network.digest
    contingencies = Contingencies.of(Factors.of(case.network), Rule(least_kv=0.0), case)
    question = GateQuestion(np.arange(14), (envelope("firm"), envelope("shift")), SCREENED, 0.9)
    result = screen(case, contingencies, question)
    between = Between.of(result)
    exact = screen(case, contingencies, replace(question, sizes_mw=(*SCREENED, *OTHERS)))
    assert len(result.base_infeasible()) > 0  # a load may relieve them
    proved, open_ = [0.0, 0.0], 0
    for own in question.envelopes:
        for size in (*SCREENED, *OTHERS):
            rate = exact.pass_rate(own.name, size)[0]
            low, high = between.pass_rate(own.name, size)
            assert (low <= rate + 1e-12).all()
            assert (rate <= high + 1e-12).all()
            verdict, sure = exact.qualified(own.name, size), between.qualified(own.name, size, 0.9)
            assert (verdict[sure >= 0] == sure[sure >= 0]).all()
            if size not in SCREENED:
                proved = [proved[0] + low.sum(), proved[1] + (1.0 - high).sum()]
            open_ += int((sure < 0).sum())
            if size in SCREENED:
                assert high == pytest.approx(low, abs=1e-12)
                assert low == pytest.approx(rate, abs=1e-12)
    assert min(proved) > 1.0  # both kinds of verdict are carried to sizes that were not screened
    assert open_ < 2 * 14 * len(OTHERS)
    with pytest.raises(QuestionError, match="no envelope"):
        between.pass_rate("pause", 30.0)
