"""The largest loads with redispatch on the Capacity page: every state of the panel, the layer, the table, the card."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from callbacks import capacity_panes as panes
from callbacks.capacity_answer import Seat
from callbacks.capacity_desk import AtOnce, Desk
from callbacks.capacity_largest import Looked, Told, asked_of, drawn_with, show, why
from callbacks.drawing import Pressed, capacity_figure
from callbacks.imported import CHECKS
from callbacks.services import Services
from components import capacity_export, capacity_layers
from components import capacity_largest as panel
from components.capacity_answer import Answer
from components.capacity_view import read_view
from components.drawing_capacity import capacity_map
from components.format import megawatts
from engine.capacity import jobs
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.errors import EngineError, NotFoundError, QuestionError
from engine.network import library
from engine.network.model import Network
from engine.redispatch.check import LargestCheck
from engine.redispatch.largest_jobs import LARGEST, largest_arguments, largest_job
from engine.store.kinds import KINDS
from engine.store.queue import Queue
from tests.callbacks.screen import ANNE, BEN, text
from tests.components.test_drawing import svg_of, words_in

QUESTION = CapacityQuestion(
    candidates=("5", "20"), demand_mw=(300.0, 300.0), supply="headroom", at_zero="hold",
    uncertainty=UncertaintySpec("hourly", {"hours": 6}, 1),
)  # fmt: skip


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("largest")
    opened = Services.open(f"sqlite:///{folder / 'store.db'}", folder / "artefacts")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def network() -> Network:
    return Network.from_tables(library.load("rts24"))


@pytest.fixture(scope="module")
def seat(services: Services, network: Network) -> Seat:
    """A study whose plain answer is there."""
    seat = Seat(Desk(services), ANNE, services.studies.create(ANNE, "Grid", network.tables))
    jobs.prepare_job(jobs.prepare_arguments(network.digest, QUESTION), AtOnce(services, ANNE, seat.study, network))
    return seat


@pytest.fixture(scope="module")
def drawn(network: Network) -> dict[str, Any]:
    return {"question": QUESTION.to_json(), "network": network.digest, "period": None}


def answer_of(seat: Seat, drawn: Any) -> Answer:
    answer = seat.answer(drawn)
    assert answer is not None
    return answer


def work(seat: Seat, network: Network) -> int:
    """Compute the jobs that wait, as a runner does."""
    services = seat.desk.services
    queue, done = Queue(services.store.database, services.artifacts, KINDS, running_per_user=9), 0
    while (claim := queue.claim()) is not None:
        context = AtOnce(services, seat.user, seat.study, network)
        try:
            queue.finish(claim, json.loads(json.dumps(largest_job(dict(claim.arguments), context))), 0.1)
        except EngineError as error:
            queue.fail(claim.id, str(error))
        done += 1
    return done


@pytest.fixture
def computed(seat: Seat, network: Network, drawn: Any) -> Told:
    """The panel of the state of the largest load, computed."""
    show(seat, Looked(drawn, pressed=True))
    work(seat, network)
    return show(seat, Looked(drawn, selection="bus:5", redrawn=True))


def test_the_panel_goes_from_nothing_by_a_press_to_the_answer(seat: Seat, network: Network, drawn: Any) -> None:
    assert show(seat, Looked(None)) == Told(None)
    label = answer_of(seat, drawn).prepared.labels[3]
    waiting = show(seat, Looked(drawn, state=label))
    assert f"{label}, secure for no outage" in text(waiting.children)
    assert waiting.job is None
    running = show(seat, Looked(drawn, state=label, pressed=True))
    assert running.job is not None
    assert show(seat, Looked(drawn, state=label)).job == running.job
    assert work(seat, network) == 1
    told = show(seat, Looked(drawn, state=label, redrawn=True))
    assert told.found is not None
    assert told.found["asked"] == label
    assert "The largest load that each bus alone could add" in text(told.children)
    again = show(seat, Looked(drawn, state=label, found=told.found))
    assert again.layer is not told.layer  # the map has it already: a selection sends it no more
    assert not isinstance(again.layer, dict)


def test_who_looks_at_the_layer_asks_for_it_and_a_cancelled_job_waits_for_a_press(
    seat: Seat, network: Network, drawn: Any
) -> None:
    label = answer_of(seat, drawn).prepared.labels[4]
    asked = show(seat, Looked(drawn, state=label, watched=True))
    assert asked.job is not None
    seat.desk.services.jobs.cancel(ANNE, asked.job)
    after = show(seat, Looked(drawn, state=label, watched=True))
    assert after.job is None
    assert "cancelled" in text(after.children)
    assert work(seat, network) == 0


def test_layer_table_export_and_drawing_tell_the_same_numbers(seat: Seat, drawn: Any, computed: Told) -> None:
    answer = answer_of(seat, drawn)
    largest = drawn_with(seat, answer, computed.found)
    assert largest is not None
    most = largest.most_mw
    layer = computed.layer
    assert layer == capacity_layers.data(answer, largest=largest)["layers"][panel.LAYER]
    assert [number > 0 for number in layer["buses"]] == np.isfinite(most).tolist()
    rows, columns = panes.bus_table(seat, drawn, None, computed.found)
    assert [row["most"] for row in rows] == most.tolist()
    assert {"most", "most_by"} <= {column["field"] for column in columns}
    assert not {"most", "most_by"} & {column["field"] for column in panes.bus_table(seat, drawn, None)[1]}
    sent = capacity_export.download(answer, "buses", "csv", None, largest)["content"]
    lines = list(csv.DictReader(io.StringIO(sent)))
    assert [float(line["alone_with_redispatch_mw"]) for line in lines] == pytest.approx(most.tolist(), rel=1e-9)
    assert {line["with_redispatch_in"] for line in lines} == {largest.when}
    assert lines[4]["with_redispatch_limited_by"] == rows[4]["most_by"]
    words = words_in(svg_of(*capacity_map(answer, panel.LAYER, largest=largest)))
    assert f"in {largest.when}, secure for no outage" in " ".join(words)
    assert f"5: {megawatts(float(most[4]))}" in words
    figure = capacity_figure(seat, drawn, Pressed("map", "svg", panel.LAYER, largest=computed.found))
    assert "map-redispatch" in figure["filename"]
    with pytest.raises(QuestionError, match="compute the largest loads"):
        capacity_figure(seat, drawn, Pressed("map", "svg", panel.LAYER))


def test_what_the_card_says_is_checked_when_it_is_opened(
    seat: Seat, drawn: Any, computed: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = text(why(seat, Looked(drawn, selection="bus:5", found=computed.found)))
    largest = drawn_with(seat, answer_of(seat, drawn), computed.found)
    assert largest is not None
    # Bus 5 hangs on two lines of 175 MW and has no unit: what they bring, less what it draws in that state.
    expected = 2 * 175.0 - largest.loads.state.demand_mw[4]
    assert largest.most_mw[4] == pytest.approx(expected, abs=1e-5)
    assert card.count(f"{expected:.3f}") == 4  # by the dispatch, by the multipliers, and both as the check finds them
    assert "Line 5-10" in card
    assert "Line 1-5" in card
    assert "do not agree" not in card
    wrong = LargestCheck(0.0, 0.0, 0.0, expected, expected - 1.0)
    monkeypatch.setattr(seat.desk.largest, "check", lambda *_: wrong)
    assert "do not agree" in text(why(seat, Looked(drawn, selection="bus:5", found=computed.found)))
    with pytest.raises(QuestionError, match="not drawn any more"):
        why(seat, Looked(drawn, selection="bus:5"))


@pytest.mark.parametrize(
    ("check", "outages", "holds"),
    [
        (LargestCheck(0.0, 0.0, 0.0, 100.0, 100.0), False, True),
        (LargestCheck(1e-3, 0.0, 0.0, 100.0, 100.0), False, False),
        (LargestCheck(0.0, 0.1, 0.0, 100.0, 100.0), False, False),
        (LargestCheck(0.0, 0.0, 0.0, 101.0, 100.0), False, False),
        (LargestCheck(0.0, 0.0, 0.0, 100.0, 120.0), False, False),
        (LargestCheck(0.0, 0.0, 0.0, 100.0, 120.0), True, True),  # without outages there is more room
        (LargestCheck(0.0, 0.0, 0.0, 100.0, 90.0), True, False),
    ],
)
def test_a_check_agrees_only_when_all_of_it_does(check: LargestCheck, outages: bool, holds: bool) -> None:
    assert panel.agrees(100.0, check, outages=outages) is holds


def test_an_evicted_file_is_not_drawn_and_is_computed_again(
    seat: Seat, network: Network, drawn: Any, computed: Told
) -> None:
    largest = drawn_with(seat, answer_of(seat, drawn), computed.found)
    assert largest is not None
    path = seat.desk.services.artifacts.open(largest.told["artifacts"][0])
    assert path is not None
    path.unlink()
    gone = show(seat, Looked(drawn, found=computed.found))
    assert gone.found is None
    assert gone.layer == panel.layer_data(None)
    assert show(seat, Looked(drawn, pressed=True)).job is not None
    assert work(seat, network) == 1
    assert show(seat, Looked(drawn)).found == computed.found


def test_states_that_are_none_and_strangers_are_refused(seat: Seat, drawn: Any, computed: Told) -> None:
    with pytest.raises(QuestionError, match="'tomorrow' is none of the 6 sampled states, such as 2016"):
        show(seat, Looked(drawn, state="tomorrow"))
    assert asked_of(answer_of(seat, drawn), " ") == ""
    stranger = Seat(seat.desk, BEN, seat.study)
    for call in (lambda: show(stranger, Looked(drawn)), lambda: why(stranger, Looked(drawn, found=computed.found))):
        with pytest.raises(NotFoundError):
            call()


def test_a_reader_may_look_and_ask(seat: Seat, network: Network, drawn: Any) -> None:
    services = seat.desk.services
    link = services.studies.share(ANNE, seat.study)
    services.studies.accept_share(BEN, link)
    reader = Seat(seat.desk, BEN, seat.study)
    label = answer_of(seat, drawn).prepared.labels[5]
    assert show(reader, Looked(drawn, state=label, pressed=True)).job is not None
    assert work(reader, network) == 1
    assert show(reader, Looked(drawn, state=label)).found is not None
    assert show(seat, Looked(drawn, state=label)).job is None  # the owner's study has not changed


def test_a_network_whose_units_stand_still_has_no_redispatch(services: Services, network: Network) -> None:
    units = network.tables.units.assign(p_min_mw=network.tables.units["p_mw"], p_max_mw=network.tables.units["p_mw"])
    fixed = Network.from_tables(network.tables.with_table("units", units))
    seat = Seat(Desk(services), ANNE, services.studies.create(ANNE, "Fixed", fixed.tables))
    box = UncertaintySpec("box", {"buses": [{"bus": "5", "low": 0.0, "high": 70.0}]})
    question = CapacityQuestion(candidates=("5",), demand_mw=(10.0,), firm_set="box", epsilons=(), uncertainty=box)
    jobs.prepare_job(jobs.prepare_arguments(fixed.digest, question), AtOnce(services, ANNE, seat.study, fixed))
    told = show(seat, Looked({"question": question.to_json(), "network": fixed.digest}, watched=True))
    assert "No unit of this network can move" in text(told.children)


def test_the_job_s_word_in_a_file_is_taken_whole_or_refused(seat: Seat, network: Network, tmp_path: Path) -> None:
    context = AtOnce(seat.desk.services, ANNE, seat.study, network)
    content = json.loads(json.dumps(largest_job(largest_arguments(network.digest, QUESTION), context)))
    CHECKS.answers[LARGEST](content)
    for name, value in (("states", "six"), ("load_mw", None), ("artifacts", [1]), ("peak", 2)):
        with pytest.raises(EngineError):
            CHECKS.answers[LARGEST](content | {name: value})
    with pytest.raises(EngineError):
        CHECKS.answers[LARGEST]({name: value for name, value in content.items() if name != "state"})


def test_a_link_names_the_layer_and_the_hour() -> None:
    view = read_view({"layer": "redispatch", "hour": "2016-08-11 16:00"})
    assert (view.layer, view.hour) == ("redispatch", "2016-08-11 16:00")


def test_of_many_states_some_are_offered_over_the_whole_year() -> None:
    labels = [f"hour {place}" for place in range(2000)]
    offered = [option.value for option in panel.options(labels)]
    assert len(offered) == panel.MOST_OFFERED
    assert (offered[0], offered[-1]) == (labels[0], labels[-1])
    assert [option.value for option in panel.options(labels[:3])] == labels[:3]
    assert panel.options([]) == []
