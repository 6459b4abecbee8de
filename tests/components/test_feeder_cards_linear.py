"""Cards of the linear flow beside AC, and why AC flags an unbalance that tightening magnitudes does not mend."""

from dataclasses import replace

import numpy as np
import pytest

from components import feeder_checks, feeder_sheet, feeder_unbalance
from components.feeder_cards import card
from components.feeder_cards_linear import flagged_words, reasons
from components.feeder_layers import At, shape
from engine.distribution.frames import Frame
from engine.distribution.metrics import magnitude_unbalance, voltage_unbalance
from engine.distribution.run import FeederRun
from tests.callbacks.screen import text
from tests.components.feeder_runs import made_up, with_case, worked
from tests.components.test_feeder_cards import told
from tests.components.test_feeder_panels import page_of


def test_linear_voltages_and_unbalance_open_cards_of_their_own() -> None:
    run, case = worked(), worked().cases[0]
    at = At("off", 15, "voltage", "bus:740")
    node = run.nodes.index(("740", "ab"))
    said = text(card(run, at, "linear:740:ab"))
    assert told(said, "by the linear flow", "p.u.") == pytest.approx(float(case.voltage_pu[15, node]), abs=1e-6)
    assert told(said, "in AC", "p.u.") == pytest.approx(float(abs(case.phasors[15, node])), abs=1e-6)
    place = shape(run).whole.index("740")
    share = 100.0 * magnitude_unbalance(Frame.of(run.feeder), case.voltage_pu)[15, place]
    assert told(text(card(run, at, "pvur:740")), "", "%") == pytest.approx(share, abs=0.0051)
    page = page_of(feeder_sheet.sheet(run, at))
    assert all(f"feeder-sheet-off-{what}" in page for what in ("linear:740:ab", "pvur:740", "vuf:740"))
    with pytest.raises(ValueError, match="there is no"):
        card(run, at, "linear:740:zz")


@pytest.mark.parametrize("feeder", ["ieee13", "ieee37"])
def test_unbalance_is_of_magnitudes_where_angles_are_a_third_apart(feeder: str) -> None:
    """The definition by another route, on phasors that only their magnitudes, or only their angles, make uneven."""
    run = made_up(feeder)
    case, frame = run.cases[0], Frame.of(run.feeder)
    vuf = voltage_unbalance(frame, case.phasors)  # made up at the reference angles
    assert reasons(run, case, 1, 2) == (pytest.approx(float(vuf[1, 2])), pytest.approx(0.0, abs=1e-12))
    rng = np.random.default_rng(3)
    turned = case.phasors / np.abs(case.phasors) * np.exp(1j * rng.normal(0.0, 0.02, case.phasors.shape))
    even = with_case(run, 0, phasors=turned).cases[0]
    vuf = voltage_unbalance(frame, turned)
    assert reasons(run, even, 1, 2) == (pytest.approx(0.0, abs=1e-12), pytest.approx(float(vuf[1, 2])))


def flagged(run: FeederRun, *, angles: bool) -> FeederRun:
    """Return the run with an unbalance that AC flags at 671 in its second hour, of angles or of magnitudes."""
    nodes = shape(run).whole_nodes[shape(run).whole.index("671")]
    phasors = run.cases[0].phasors / np.abs(run.cases[0].phasors)
    phasors[1, nodes[0]] *= np.exp(0.06j) if angles else 0.94
    vuf = float(voltage_unbalance(Frame.of(run.feeder), phasors)[1, shape(run).whole.index("671")])
    flag = {"hour": 1, "kind": "unbalance", "element": "671", "phase": "", "linear": 0.01, "ac": vuf, "limit": 0.015}
    asked = replace(run, question=replace(run.question, unbalance_limit=0.015))
    return with_case(asked, 0, phasors=phasors, facts=run.cases[0].facts | {"flags": [flag]})


def test_a_flagged_unbalance_says_whether_magnitudes_could_mend_it() -> None:
    run = made_up("ieee13")
    assert flagged_words(run, run.cases[0]) == []
    by_angles, by_size = flagged(run, angles=True), flagged(run, angles=False)
    (words,) = flagged_words(by_angles, by_angles.cases[0])
    assert "mostly one of angles: at bus 671" in words
    assert "hardly moves this" in words
    (words,) = flagged_words(by_size, by_size.cases[0])
    assert "mostly one of magnitudes" in words
    assert "mostly one of angles" in text(card(by_angles, At(), "violations"))
    assert "mostly one of angles" in text(feeder_checks.content(by_angles, At()))


def test_magnitudes_to_earth_make_a_pvur_of_nearly_twice_the_vuf_and_the_card_says_so() -> None:
    turn = np.exp(2j * np.pi / 3)
    for sizes in np.random.default_rng(0).uniform(0.95, 1.05, (200, 3)):
        vuf = abs(sizes @ np.array([1.0, turn, turn**2])) / sizes.sum()  # the angles are a third apart
        pvur = np.abs(sizes / sizes.mean() - 1.0).max()
        assert np.sqrt(3.0) - 1e-9 <= pvur / vuf <= 2.0 + 1e-9
    words = "PVUR is 1.73 to 2 times VUF"
    four, three = made_up("ieee13"), made_up("ieee37")
    assert words in text(card(four, At("off", 0), "pvur:671"))
    assert words not in text(card(three, At("off", 0), "pvur:740"))
    assert "zero sequence" in page_of(feeder_unbalance.content(four, At("off", 0)))
    assert "zero sequence" not in page_of(feeder_unbalance.content(three, At("off", 0)))
