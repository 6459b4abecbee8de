"""The printable sheet of a site: what it holds of the question, the terms held, and the address that leads to it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import numpy as np
import pytest

from callbacks import siting_sheet
from callbacks.services import Services
from callbacks.siting_report import edited_terms, sheet_page
from callbacks.siting_site import SiteSeat, address_of, drawn_in, packed_drawn
from components.drawing_capacity import points_of
from components.format import number, percent
from components.siting_locator import Marks, locator
from components.siting_report import Printed, site_report
from components.siting_sheet import REPORT_PATH
from components.siting_site import SiteStudy
from engine.errors import NotFoundError, QuestionError
from engine.siting.agreement import Agreement, Rung
from engine.siting.criteria import Criterion, OwnCriteria, read_columns
from engine.siting.firmness import score_intervals
from engine.siting.gate.screening import screen
from engine.siting.question import SitingQuestion
from engine.siting.run import GateRun, gate_question
from engine.siting.sheet import row_of
from engine.siting.staging import Stage
from tests.callbacks.screen import ANNE, BEN, text
from tests.callbacks.siting_seats import DRAWN, ORDER, Desk
from tests.databases import ready_sqlite
from tests.siting_study import gate_run, market_run, network

NOW = datetime(2026, 11, 22, tzinfo=UTC)
STAGES = (Stage(date(2027, 6, 1), 20.0), Stage(date(2028, 1, 1), 100.0))


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[SiteSeat]:
    opened = Services.open(ready_sqlite(tmp_path / "store.db"), tmp_path / "artefacts")
    yield SiteSeat(Desk(opened), ANNE, opened.studies.create(ANNE, "Pair", network().tables))  # type: ignore[arg-type]
    opened.close()


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def link(seat: SiteSeat, drawn: Any = DRAWN, held: Any = None, bus: str = "bus:A") -> dict[str, str]:
    found = re.search(re.escape(REPORT_PATH) + r"\?[^'\"]*", str(siting_sheet.ways(seat, drawn, bus, held)))
    assert found is not None
    return query_of(found.group())


def test_terms_are_printed_as_they_are_held_else_as_proposed(seat: SiteSeat) -> None:
    own = gate_run().gate.envelopes[0]
    proposed = Agreement("Birch (bus B)", own, 100.0)  # held since another bus was selected: terms have no bus
    assert "terms" not in link(seat, held=proposed.to_json())
    assert edited_terms(None) is None
    page = sheet_page(seat, link(seat), NOW)
    assert "the terms that the page proposes" in page
    assert "15 min after a cap falls" in page
    edited = replace(proposed, response_min=30, tolerance_mw=2.5, ladder=(Rung(2, "a <word>"),), time_zone="UTC")
    page = sheet_page(seat, link(seat, held=edited.to_json()), NOW)
    assert "the terms as edited on the page" in page
    for words in ("30 min after a cap falls", "2.5 MW or 1 % of the cap", "a &lt;word&gt;", "clock in UTC"):
        assert words in page
    assert "Alder" in page
    for wrong in ({"response_min": 500}, {"ladder": "all"}):
        refused = sheet_page(seat, {**link(seat), "terms": packed_drawn(wrong)}, NOW)
        assert "No sheet" in refused


def test_net_load_stages_and_own_criteria_are_printed() -> None:
    here = gate_run()
    question = replace(here.question, onsite_mw=(10.0,), stages=STAGES, buses=("B",))
    gate = screen(here.prepared.case, here.contingencies, gate_question(question, here.prepared))
    columns = read_columns("bus,water,land\nB,3,\n", here.network.buses.ids)
    own = OwnCriteria.of([Criterion("water", "gate at most", 2.0), Criterion("land", "cost")], columns)
    study = SiteStudy(GateRun(question, here.prepared, here.contingencies, gate), None, None, "firm", 100.0, 0.5, own)
    draft = Agreement("B", gate.envelopes[0], 100.0)
    page = "".join(map(str, site_report(study, 1, Printed("Pair", NOW, None, draft))))
    assert '1-24</td><td class="number">80.0</td><td class="number">70.0' in page  # 0.8 x 100, less 10
    for stage in STAGES:
        rate = float(gate.pass_rate("firm", stage.cap_mw)[0][0])
        cells = f'{stage.start}</td><td class="number">{number(stage.cap_mw)}</td><td class="number">{percent(rate, 1)}'
        assert cells in page
    assert "3, at most 2: fails" in page
    assert "not known" in page
    assert "no market was run" in page


def test_the_score_has_its_interval(seat: SiteSeat) -> None:
    order = ORDER  # as the page's desk holds it
    row = row_of(order, 0, "firm", 100.0)
    assert row is not None
    floor = market_run().floor
    assert floor is not None
    low, high = score_intervals(order, floor, [row])[0]
    assert low < high
    page = sheet_page(seat, link(seat), NOW)
    assert f"score {order.score[row]:.3f}, {low:.3f} to {high:.3f} within the noise floor" in page


def test_a_long_question_is_named_by_its_digest_for_those_who_may_see_the_study(seat: SiteSeat) -> None:
    rng = np.random.default_rng(2)
    buses = tuple(f"{value:x}" for value in rng.integers(0, 2**60, 400))
    question = SitingQuestion(source="filed", choice="one", candidates="listed", buses=buses)
    drawn = DRAWN | {"question": question.to_json()}
    query = link(seat, drawn)
    assert "q" in query
    assert len(query["drawn"]) < 400
    assert drawn_in(seat, query) == drawn
    assert "Pass rate" in sheet_page(seat, query, NOW)
    services = seat.desk.services
    stranger = SiteSeat(seat.desk, BEN, seat.study)
    with pytest.raises(NotFoundError):
        drawn_in(stranger, query)
    services.studies.accept_share(BEN, services.studies.share(ANNE, seat.study))
    assert drawn_in(stranger, query) == drawn
    other = DRAWN | {"question": replace(question, threshold=0.9).to_json()}
    assert address_of(stranger, REPORT_PATH, other, {}, owner=False) is None
    assert "its owner can print" in text(siting_sheet.ways(stranger, other, "bus:A", None)).replace("study's", "its")
    with pytest.raises(QuestionError, match="not kept any more"):
        drawn_in(seat, {**query, "q": "0" * 64})
    services.studies.save_question(ANNE, seat.study, "siting", replace(question, threshold=0.9).to_json())
    address = address_of(stranger, REPORT_PATH, other, {}, owner=False)  # saved with the study: a reader may name it
    assert address is not None
    assert drawn_in(stranger, query_of(address)) == other


def test_a_bus_that_is_no_candidate_has_no_printable_sheet(seat: SiteSeat) -> None:
    assert siting_sheet.ways(seat, DRAWN, None, None) is None
    assert siting_sheet.ways(seat, None, "bus:A", None) is None


def test_the_map_rings_the_site_at_one_scale_in_both_directions() -> None:
    # Alder at 97 W 31 N, Birch at 96 W 30 N: a degree of longitude is cos 30.5 = 0.8616 of one of latitude.
    grid = network()
    marks = Marks(0, np.array([0, 1]), np.array([True, False]), (1,))
    drawn = ElementTree.fromstring(locator(grid, marks))  # noqa: S314 (made here)
    ring = drawn.findall("{http://www.w3.org/2000/svg}circle")[-1]
    x, y = float(ring.attrib["cx"]), float(ring.attrib["cy"])
    box = [float(part) for part in drawn.attrib["viewBox"].split()]
    assert 0 < x < box[2] / 2  # the west
    assert 0 < y < box[3] / 2  # the north
    assert (box[2] - 2 * x) / (box[3] - 2 * y) == pytest.approx(np.cos(np.deg2rad(30.5)), rel=2e-3)
    assert len(drawn.findall("{http://www.w3.org/2000/svg}path")) == 5  # states, lines, two kinds of dots, what is lost
    flat = grid.tables.with_table("buses", grid.tables.buses.assign(longitude=np.nan, latitude=np.nan))
    assert points_of(grid).shape == (2, 2)
    ElementTree.fromstring(locator(type(grid).from_tables(flat), marks))  # noqa: S314
