"""Every callback of the product, called by a stranger with somebody else's study, gives and changes nothing.

The stranger sends what the owner's own page would send, and the study's ids in every place; the owner then sends
the same, because silence proves something only where there is something to say.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest
import sqlalchemy as sa
from dash import Dash
from flask import session

from app import PAGES, create_app, open_services
from callbacks import security
from callbacks.capacity_desk import Desk
from callbacks.services import Services
from callbacks.settings import Settings
from engine.capacity import jobs
from engine.capacity.defaults import paper_question
from engine.capacity.question import UncertaintySpec
from engine.errors import EngineError
from engine.network import library
from engine.network.tables import NetworkTables
from engine.store.schema import METADATA

MARK = "Zanzibar"  # in everything that the owner's study holds, and nowhere else
OWNER = "owner-of-the-study"
Body = dict[str, Any]


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "CALLBACK_LIMIT", "100000 per minute")


@pytest.fixture
def services(settings: Settings) -> Services:
    return open_services(settings)


@pytest.fixture
def app(settings: Settings) -> Dash:
    return create_app(settings)


def marked_network() -> NetworkTables:
    tables = library.load("fourbus")
    buses = tables.buses.copy()
    buses["name"] = [f"{MARK} {bus}" for bus in buses["bus"]]
    return replace(tables, name=f"{MARK} grid", buses=buses)


@pytest.fixture
def study(services: Services) -> str:
    """The owner's study with an answer, a file and published products."""
    made = services.studies.create(OWNER, f"{MARK} study", marked_network())
    question = paper_question()
    desk = Desk(services)
    found = desk.look(OWNER, made, question, submit=True)
    assert found.answer is not None
    assert found.answer.products is not None
    desk.remember(OWNER, made, found.answer.question, found.answer)
    content = json.loads(json.dumps(found.answer.products.to_json()))
    services.products.publish(OWNER, made, content, {"flows": MARK})
    services.studies.add_dataset(OWNER, made, f"{MARK}.csv", "net-demand", b"1,2,3,4\n20,20,10,10\n")
    return made


class Wired:
    """What is wired to what, and the values that the owner's pages hold."""

    def __init__(self, app: Dash, services: Services, study: str) -> None:
        self.app, self.study = app, study
        self.values: dict[tuple[str, str], Any] = {}
        with app.server.test_request_context():
            session["user"] = OWNER
            layouts = [import_module(f"callbacks.{link.key}").page_layout(services, study=study) for link in PAGES]
        for layout in layouts:
            self._collect(layout)
        question = paper_question().to_json()
        digest = services.studies.network_status(OWNER, study).digest
        side = {"question": question, "network": digest, "period": ""}
        self.values |= {
            ("difference-study", "data"): study,
            ("difference-sides", "data"): {"a": side, "b": side},
            ("difference-kept", "data"): {"study": study, **side},
            ("difference-selection", "data"): "bus:3",
            ("shell-study", "data"): study,
            ("capacity-answered", "data"): {"question": question},
            ("capacity-study-start", "data"): {"question": question},
            ("capacity-selection", "data"): "bus:3",
            ("capacity-map-filter", "data"): None,
            ("capacity-tab", "value"): "buses",
            ("network-selection", "data"): "bus:3",
            ("network-tab", "value"): "buses",
        }

    def bodies(self) -> Iterator[tuple[str, Body]]:
        """Give requests for every callback that the server has: as the owner's page sends them, each input in its
        turn the trigger, and with the study's id in the place of every other value.
        """
        named = (
            self.study,
            f"?study={self.study}",
            {"study": self.study, "id": self.study, "action": "study-restore", "kind": "study", "at": 1},
            [self.study],
        )
        for key, spec in self.app.callback_map.items():
            if "callback" not in spec:  # the browser's own
                continue
            for trigger in range(len(spec["inputs"])):
                yield key, self.body(key, spec, trigger)
            for value in named:
                yield key, self.body(key, spec, 0, value)

    def body(self, key: str, spec: dict[str, Any], trigger: int = 0, *value: Any) -> Body:
        inputs = [self._argument(part, *value) for part in spec["inputs"]]
        # As Dash writes them: several outputs between dots, an output that others write too with a hash behind an @.
        names = key.strip(".").split("...") if key.startswith("..") else [key]
        outputs = [self._output(name) for name in names]
        return {
            "output": key,
            "outputs": outputs if key.startswith("..") else outputs[0],
            "inputs": inputs,
            "state": [self._argument(part, *value) for part in spec.get("state", [])],
            "changedPropIds": [_changed(inputs[trigger])] if inputs else [],
        }

    def _collect(self, component: Any) -> None:
        if isinstance(component, list | tuple):
            for child in component:
                self._collect(child)
        elif hasattr(component, "to_plotly_json"):
            written = component.to_plotly_json()["props"]
            element = written.get("id")
            if isinstance(element, str):
                self.values |= {(element, name): value for name, value in written.items() if name != "children"}
            for value in written.values():
                self._collect(value)

    def _argument(self, part: dict[str, str], *given: Any) -> Any:
        element, name = self._element(part["id"]), part["property"]
        value = given[0] if given else self.values.get((part["id"], name))
        if name == "n_clicks":
            value = 1
        elif name in {"href", "search", "contents", "filename"}:
            value = value if isinstance(value, str) else f"?study={self.study}"
        elif name == "pathname":
            value = "/capacity"
        one = {"id": element, "property": name, "value": json.loads(json.dumps(value, default=str))}
        return [one] if isinstance(element, dict) and '["ALL"]' in part["id"] else one

    def _output(self, name: str) -> Any:
        element, _, place = name.rpartition(".")
        found = {"id": self._element(element), "property": re.sub(r"@.*$", "", place)}
        return [found] if '["ALL"]' in element else found

    def _element(self, text: str) -> Any:
        if not text.startswith("{"):
            return text
        named = {"version": "1", "kind": "json"}
        return {
            name: named.get(name, self.study) if part in (["ALL"], ["MATCH"]) else part
            for name, part in json.loads(text).items()
        }


def _changed(argument: Any) -> str:
    first = argument[0] if isinstance(argument, list) else argument
    element = first["id"]
    text = element if isinstance(element, str) else json.dumps(element, sort_keys=True, separators=(",", ":"))
    return f"{text}.{first['property']}"


@pytest.fixture
def wired(app: Dash, services: Services, study: str) -> Wired:
    return Wired(app, services, study)


def rows(services: Services, study: str) -> dict[str, list[str]]:
    """Return every row that belongs to the study."""
    found = {}
    with services.store.database.reading() as connection:
        for name, table in METADATA.tables.items():
            key = table.c.id if name == "studies" else table.c.get("study_id")
            if key is not None:
                found[name] = sorted(map(repr, connection.execute(sa.select(table).where(key == study))))
    return found


def test_a_stranger_learns_nothing_of_a_study_and_changes_nothing(
    app: Dash, services: Services, study: str, wired: Wired
) -> None:
    services.studies.share(OWNER, study)
    services.studies.revoke_shares(OWNER, study)
    before = rows(services, study)
    client = app.server.test_client()
    client.get("/")
    sent = 0
    for key, body in wired.bodies():
        answer = client.post("/_dash-update-component", json=body)
        assert answer.status_code in {200, 204}, f"{key}: {answer.text}"
        assert MARK not in answer.text, key
        sent += 1
    assert sent > 200
    assert rows(services, study) == before


def test_the_same_requests_from_the_owner_are_answered(app: Dash, services: Services, study: str, wired: Wired) -> None:
    client = app.server.test_client()
    client.get("/")
    with client.session_transaction() as kept:
        kept["user"] = OWNER
    told = set()
    for key, body in wired.bodies():
        if MARK in client.post("/_dash-update-component", json=body).text:
            told.add(key.strip(".").partition(".")[0])
        if services.studies.list(OWNER, deleted=True):
            services.studies.restore(OWNER, study)
    assert {"shell-study", "shell-study-list", "home-recent", "network-inspector", "capacity-buses-grid"} <= told
    assert {"capacity-inspected", "shell-download", "difference-inspector", "difference-table-grid"} <= told
    assert len(told) >= 10


ODD: tuple[Any, ...] = (
    None, True, 1, -1, 1e308, float("nan"), -(10**30), "", "x", "\x00", "\ud800", "a" * 5000, [], [None], [[[]]], {},
    {"a": 1}, {"id": "7", "rows": [{}], "kind": "bus"}, {"data": {"bus": 1}},
)  # fmt: skip


def test_values_that_no_page_sends_are_no_fault_of_ours(
    app: Dash, study: str, wired: Wired, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[str] = []
    monkeypatch.setattr("callbacks.http.report", lambda event, error: faults.append(f"{event}: {error!r}") or "mark")
    client = app.server.test_client()
    client.get("/")
    with client.session_transaction() as kept:
        kept["user"] = OWNER
    for key, spec in app.callback_map.items():
        for value in ODD:
            body = wired.body(key, spec, 0, value)
            for part in body["state"]:  # the owner's own study, else nothing behind it would be reached
                if isinstance(part, dict) and str(part["id"]).endswith("-study"):
                    part["value"] = study
            client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
            assert faults == [], f"{key} with {value!r:.60}"


class OwnersJob:
    """The context of a job of the owner's."""

    def __init__(self, services: Services, study: str) -> None:
        self.artifacts, self.services, self.study = services.artifacts, services, study

    def progress(self, done: int, total: int, message: str = "") -> None:
        pass

    def load_network(self, digest: str) -> NetworkTables:
        return self.services.studies.network_version(OWNER, self.study, digest)

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        (kept,) = self.services.studies.datasets(OWNER, self.study)
        assert kept.digest == digest
        return kept.name, self.services.studies.dataset(OWNER, self.study, kept.id)[1]


def test_a_former_reader_gets_nothing_that_was_computed_from_a_file(services: Services, study: str) -> None:
    (kept,) = services.studies.datasets(OWNER, study)
    question = replace(
        paper_question(), firm_set="sample", uncertainty=UncertaintySpec("file", {"digest": kept.digest}, 1)
    )
    desk, network = Desk(services), services.network(OWNER, study)
    jobs.prepare_job(jobs.prepare_arguments(network.digest, question), OwnersJob(services, study))
    assert desk.answer(OWNER, study, question.to_json()) is not None
    mine = services.studies.create("mallory", "M", marked_network())
    with pytest.raises(EngineError):
        desk.look("mallory", mine, question, submit=True)
    with pytest.raises(EngineError):
        desk.answer("mallory", mine, question.to_json())
