"""Jobs of clearing and of corridors, on two buses that can be worked out by hand."""

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine.errors import InfeasibleError, QuestionError
from engine.network.model import Network
from engine.siting.clearing import Applicant
from engine.siting.envelopes import envelope
from engine.siting.question import SitingQuestion
from engine.siting.study_jobs import (
    clear_arguments,
    clear_job,
    corridors_arguments,
    corridors_from,
    corridors_job,
)
from tests.siting_study import network

FIRM = envelope("firm")
QUESTION = SitingQuestion(source="filed", choice="one", envelopes=(FIRM,), sizes_mw=(100.0,), threshold=0.5)
APPLICANTS = tuple(Applicant(name, 100.0, f"2026-0{k + 1}-01") for k, name in enumerate(("Ann", "Bob", "Cid")))
OFFER = {"bus": "A", "envelope": "firm", "score": 0.8, "largest_mw": 100.0, "zone": "North"}


def grid(rating_mw: float) -> Network:
    tables = network().tables
    return Network.from_tables(tables.with_table("branches", tables.branches.assign(rating_a_mw=rating_mw)))


def context(of: Network) -> Any:
    return SimpleNamespace(load_network=lambda _: of.tables, load_dataset=None, progress=lambda *_: None)


def cleared(of: Network, method: str, **rules: Any) -> dict[str, Any]:
    arguments = clear_arguments(of.digest, QUESTION, APPLICANTS, [OFFER], rules=rules, method=method)
    found = clear_job(json.loads(json.dumps(arguments)), context(of))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    return found


def test_awards_are_made_until_the_loads_do_not_stand_together() -> None:
    # 80 MW each at A. Two draw 160: one circuit of 80 MW carries A's 150 to 200 less them. Three make 440 MW of load,
    # and the units give 400: all four outages fail, two are allowed.
    found = cleared(network(), "sequence", most_per_bus=9)
    assert [one["applicant"] for one in found["awards"]] == ["Ann", "Bob"]
    assert found["unplaced"] == ["Cid"]
    assert found["refusals"][0]["reason"].startswith("with the loads placed before it 4 of 4 hours and outages fail")
    assert (found["pairs"], found["allowed_share"], found["failed"], found["failed_share"]) == (
        4,
        0.5,
        2,
        0.5,
    )  # without a unit any load fails


def test_a_rule_refuses_by_its_own_words() -> None:
    found = cleared(network(), "sequence", most_per_bus=9, zone_cap_mw=100.0)
    assert len(found["awards"]) == 1
    reason = "the cap of zone North of 100 MW would be exceeded: 200 MW with this one"  # 100 MW each
    assert reason in {one["reason"] for one in found["refusals"]}
    assert found["why"]["Bob"] == f"at bus A under {OFFER['envelope']}, its best site, {reason}"
    assert found["order"].startswith("the higher score, then the earlier date")
    one = cleared(network(), "sequence", most_per_bus=9, caps=[["corridor", "North - South", 150.0]])
    assert "the cap of corridor North - South of 150 MW would be exceeded" in one["why"]["Bob"]
    assert one["awards"][0]["corridor"] == "North - South"


def test_the_best_portfolio_is_as_large_as_stands_together() -> None:
    found = cleared(grid(200.0), "portfolio", most_per_bus=9)
    assert len(found["awards"]) == 2
    assert (found["gap"], found["failed"]) == (pytest.approx(0.0, abs=1e-9), 2)
    with pytest.raises(InfeasibleError, match="committed before"):  # 80 MW circuits fail without any load
        cleared(network(), "portfolio")


def test_what_cannot_be_cleared_is_refused() -> None:
    with pytest.raises(QuestionError, match="clearing is by"):
        clear_arguments("d", QUESTION, APPLICANTS, [OFFER], rules={}, method="lottery")
    with pytest.raises(QuestionError, match="0 applications"):
        clear_arguments("d", QUESTION, [], [OFFER], rules={}, method="sequence")
    stranger = [Applicant("Dan", 1.0, "2026-01-01")]
    arguments = clear_arguments(network().digest, QUESTION, stranger, [OFFER], rules={}, method="sequence")
    arguments["applicants"][0]["buses"] = [2]
    with pytest.raises(QuestionError, match="position 2"):
        clear_job(arguments, context(network()))


def test_the_corridor_between_two_zones_is_what_its_circuits_leave() -> None:
    found = corridors_job(corridors_arguments(network().digest, QUESTION), context(network()))
    (one,) = corridors_from(json.loads(json.dumps(found, allow_nan=False)))
    assert (one.zones, one.branches, one.rating_mw) == (("North", "South"), 2, 160.0)
    # A produces at least 150 MW, and all of it goes to B: at most 10 MW are left.
    assert one.flow_mw >= 150.0 - 1e-6
    assert one.headroom_mw == pytest.approx(160.0 - one.flow_mw)
    (wide,) = corridors_from(corridors_job(corridors_arguments("d", QUESTION), context(grid(np.inf))))
    assert wide.headroom_mw == np.inf
    with pytest.raises(QuestionError, match="no hour"):
        corridors_job(corridors_arguments("d", QUESTION), context(grid(10.0)))
