"""Kept versions of a catalogue: read back as they were, and nothing else taken for one."""

import json

import pytest

from engine.errors import QuestionError
from engine.siting.order import order_of
from engine.siting.run import catalogue_of
from engine.siting.versions import packed, unpacked
from tests.siting_study import gate_run, market_run


def test_a_version_reads_back_as_it_was_packed() -> None:
    run, market = gate_run(), market_run()
    made = catalogue_of(run, market, order_of(run.gate, market), version=3, made="2026-11-22T00:00:00+00:00")
    content = json.loads(json.dumps(packed(made, "50 MW at A")))
    assert json.dumps(unpacked(content).to_json()) == json.dumps(made.to_json())
    firm = run.gate.qualified("firm", 100.0)  # 80 MW at A relieve both circuits, at B none
    assert content["passed"]["firm, 100 MW"] == int((firm == 1).sum()) == 1
    assert (content["version"], content["placed"]) == (3, "50 MW at A")


@pytest.mark.parametrize(
    "wrong", [{"version": 4}, {"packed": "no base64 of anything"}, {"packed": ""}, {"question": {"colour": 1}}]
)
def test_anything_else_is_refused(wrong: dict[str, object]) -> None:
    content = packed(catalogue_of(gate_run(), version=3))
    with pytest.raises(QuestionError):
        unpacked({**content, **wrong})
