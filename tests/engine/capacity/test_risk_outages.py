"""Violations after outages against networks without the branches that are lost, state by state."""

import numpy as np
import pytest

from engine.capacity.margins import prepare
from engine.capacity.risk_outages import judged_after_outages
from engine.capacity.risk_rows import Measure
from engine.capacity.uncertainty import States
from tests.engine.capacity.small import sample
from tests.engine.capacity.test_secure import answer, grid, networks, question_of, states_of


@pytest.mark.parametrize("share", [1.0, 0.8])
def test_frequencies_after_outages_are_those_of_networks_without_the_branches(share: float) -> None:
    network = grid("case14", share=share)
    known = states_of(network)
    assert known.sample is not None
    question = question_of(network, supply="headroom", downward_closed=False)
    granted = [np.array(level.capacity_mw) for level in answer(network, question, known).levels]
    filed = -network.injection_mw
    judged = sample(filed * (1 + 0.09 * np.random.default_rng(11).standard_normal((30, len(filed)))))
    margins = prepare(network, question, States(known.sample))
    rows = judged_after_outages(margins, question, granted, known.sample, judged)
    measure = Measure(question, granted, together=True)
    measure.add(rows, granted, judged)
    risk = measure.risk(None)
    share_of = margins.factors.slack_share
    for level, mw in enumerate(granted):
        extra = np.zeros(len(filed))
        for bus, size in zip(question.candidates, mw, strict=True):
            extra[network.bus(bus)] += size
        broken = np.zeros(30, dtype=bool)
        for name, reduced, factors_of_it, _ in networks(network, question):
            factors = factors_of_it.with_slack(share_of)
            rating = reduced.branches.rating_c_mw if name else reduced.branches.rating_a_mw
            added = factors.flows(-extra) - factors.flows(np.zeros(len(extra)))
            now = factors.flows(-judged.net_demand_mw.T)
            for sign in (1.0, -1.0):
                over = sign * (now + added[:, np.newaxis]) - np.maximum(rating[:, np.newaxis], sign * now)
                counted = (sign * added > 1e-6) & reduced.branches.in_service
                broken |= ((over > 1e-6) & counted[:, np.newaxis]).any(axis=0)
        assert risk.levels[level].exceeded.value == pytest.approx(broken.mean())
    assert risk.levels[-1].exceeded.value > 0
    assert any("after the loss of" in row.words for row in risk.rows)
