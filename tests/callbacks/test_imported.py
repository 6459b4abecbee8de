"""Answers in a study's file are taken when the pages can show them, and refused by name when not."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from app import create_app, open_services
from callbacks.capacity_desk import Desk
from callbacks.services import Services
from callbacks.settings import Settings
from engine.capacity.defaults import paper_question
from engine.errors import FileFormatError
from engine.store.codec import sha256

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def services(settings: Settings) -> Services:
    return open_services(settings)


@pytest.fixture
def file(services: Services) -> bytes:
    """The file of the paper's study with its answer and its products."""
    study = services.open_example("ann", "fourbus")
    desk = Desk(services)
    found = desk.look("ann", study, paper_question(), submit=True)
    assert found.answer is not None
    assert found.answer.products is not None
    desk.remember("ann", study, found.answer.question, found.answer)
    content = json.loads(json.dumps(found.answer.products.to_json()))
    services.products.publish("ann", study, content, content["witness"])
    return services.studies.export_file("ann", study)[1]


def changed(file: bytes, part: str, change: Change) -> bytes:
    """Return the file with the first item of a part changed, its digests in order."""
    with zipfile.ZipFile(io.BytesIO(file)) as packed:
        parts = {name: json.loads(packed.read(name)) for name in packed.namelist()}
    change(parts[part][0])
    written = json.dumps(parts[part]).encode()
    parts["study.json"]["digests"][part] = sha256(written)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed, zipfile.ZipFile(io.BytesIO(file)) as before:
        for name in parts:
            own = {part: written, "study.json": json.dumps(parts["study.json"]).encode()}
            packed.writestr(name, own.get(name, before.read(name)))
    return buffer.getvalue()


def test_what_the_pages_wrote_comes_back_whole(services: Services, file: bytes) -> None:
    study = services.studies.import_file("bob", file)
    assert services.studies.export_file("bob", study)[1] == file


@pytest.mark.parametrize(
    ("part", "change", "reason"),
    [
        ("answers.json", lambda a: a.update(kind="capacity.guess"), "kind 'capacity.guess', which this version"),
        ("answers.json", lambda a: a["content"].pop("result"), "kind 'capacity' .*KeyError 'result'"),
        ("answers.json", lambda a: a["content"].update(firm_mw="20"), "firm_mw is '20', which is no float"),
        ("answers.json", lambda a: a["content"].update(total_mw=10**400), "total_mw is .*, which is no float"),
        ("answers.json", lambda a: a["content"]["question"].update(epsilons=[7]), "risk levels must rise"),
        ("answers.json", lambda a: a["content"]["result"].update(levels=3), "TypeError"),
        ("answers.json", lambda a: a["content"]["result"].update(candidates=[3, 4]), "candidates, item 1 is '3'"),
        ("answers.json", lambda a: a["content"]["result"]["levels"][0].update(gap=None), "item 1, gap is 'None'"),
        ("answers.json", lambda a: a["content"]["result"].update(status="great"), "status is 'great'"),
        ("products.json", lambda p: p["product_set"].pop("products"), "version 1 of the product set .*KeyError"),
        ("products.json", lambda p: p["product_set"]["products"][0].update(capacity_mw=[1]), "capacity_mw is"),
        ("products.json", lambda p: p["product_set"]["products"].append("x"), "TypeError"),
        ("products.json", lambda p: p["product_set"].update(provenance={}), "Provenance"),
        ("products.json", lambda p: p["product_set"].update(rounded_away=[["3"]]), "ValueError"),
    ],
)  # fmt: skip
def test_an_answer_that_no_page_can_show_is_refused_by_name(
    services: Services, file: bytes, part: str, change: Change, reason: str
) -> None:
    with pytest.raises(FileFormatError, match=reason):
        services.studies.import_file("bob", changed(file, part, change))
    assert services.studies.list("bob") == []


def test_an_imported_study_stands_on_every_page(settings: Settings, services: Services, file: bytes) -> None:
    client = create_app(settings).server.test_client()
    client.get("/")
    with client.session_transaction() as session:
        study = services.studies.import_file(session["user"], file)
    for path in ("/", f"/network?study={study}", f"/capacity?study={study}"):
        assert client.get(path).status_code == 200
