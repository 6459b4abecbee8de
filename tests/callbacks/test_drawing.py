"""Figures as downloads: what is sent for what is on the page, what is refused in words, and to whom."""

import xml.etree.ElementTree as ET
from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest

from callbacks import network_desk
from callbacks.capacity_answer import Seat
from callbacks.drawing import Pressed, capacity_figure, network_figure
from callbacks.network_opf import OpfDesk
from callbacks.services import Services
from engine.errors import NotFoundError, QuestionError
from engine.network import library
from engine.opf.question import OpfQuestion

ANNE, BEN = "anne", "ben"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def drawn(seat: Seat) -> dict[str, Any]:
    question = seat.desk.begin(seat.user, seat.study)
    answer = seat.desk.look(seat.user, seat.study, question, submit=False).answer
    assert answer is not None
    return {"question": question.to_json(), "network": answer.network.digest}


def words_of(sent: dict[str, Any]) -> list[str]:
    root = ET.fromstring(b64decode(sent["content"]))  # noqa: S314 (drawn here)
    return ["".join(part.itertext()) for part in root.iter("{http://www.w3.org/2000/svg}text")]


def test_the_map_that_shows_is_sent(seat: Seat, drawn: dict[str, Any]) -> None:
    sent = capacity_figure(seat, drawn, Pressed("map", "svg", "sites"))
    assert sent["filename"].endswith(".svg")
    assert "map-sites" in sent["filename"]
    assert "3: 28 %" in words_of(sent)  # section 6 of the specification: 16.7 of 60 MW
    assert b64decode(capacity_figure(seat, drawn, Pressed("map", "png", "firm"))["content"]).startswith(PNG)


def test_a_filter_is_told_on_the_map(seat: Seat, drawn: dict[str, Any]) -> None:
    told = words_of(capacity_figure(seat, drawn, Pressed("map", "svg", "firm", shown=[2, 3, 99, "x"])))
    assert any(text.startswith("Filter: 2 of 4 buses") for text in told)


def test_the_curve_is_that_of_the_selected_bus(seat: Seat, drawn: dict[str, Any]) -> None:
    told = words_of(capacity_figure(seat, drawn, Pressed("curve", "svg", selection="bus:4")))
    assert "firm: 10.0 MW" in told
    for selection in (None, "branch:1-2", "bus:99"):
        with pytest.raises(QuestionError, match="select a bus first"):
            capacity_figure(seat, drawn, Pressed("curve", "svg", selection=selection))


def test_nothing_is_drawn_before_it_is_computed_or_for_another_user(seat: Seat, drawn: dict[str, Any]) -> None:
    with pytest.raises(QuestionError, match="compute the answer"):
        capacity_figure(seat, None, Pressed("map", "svg", "firm"))
    with pytest.raises(NotFoundError):
        capacity_figure(replace(seat, user=BEN), drawn, Pressed("map", "svg", "firm"))


def test_a_dispatch_is_drawn_with_its_layer_and_told_stale_when_the_network_changed(services: Services) -> None:
    study = services.studies.create(ANNE, "Four", library.load("fourbus"))
    seat, desk = network_desk.Seat(services, ANNE, study), OpfDesk(services)
    with pytest.raises(QuestionError, match="solve the DC-OPF first"):
        network_figure(seat, desk, None, Pressed("map", "svg", "lmp"))
    assert "The network 4-bus auction paper" in words_of(network_figure(seat, desk, None, Pressed("map", "svg", "kv")))
    answer = desk.ask(ANNE, study, OpfQuestion(), submit=False).answer
    assert answer is not None
    assert answer.dispatch is not None
    shown = {"digest": answer.network_digest, "question": answer.question.to_json()}
    told = words_of(network_figure(seat, desk, shown, Pressed("map", "svg", "lmp")))
    assert f"1: {answer.dispatch.lmp_per_mwh[0]:.2f}" in told
    assert not any(text.startswith("Stale") for text in told)
    tables = seat.tables(answer.network_digest)
    fewer = replace(tables, branches=tables.branches.assign(rating_a_mw=tables.branches["rating_a_mw"] + 1.0))
    services.studies.save_network(ANNE, study, fewer, seat.status().revision, "wider")
    told = words_of(network_figure(seat, desk, shown, Pressed("map", "svg", "lmp")))
    assert "Stale: the network has changed since" in told
    with pytest.raises(NotFoundError):
        network_figure(network_desk.Seat(services, BEN, study), desk, shown, Pressed("map", "svg", "lmp"))
