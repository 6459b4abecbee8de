"""Every callback of the product, called by a stranger with somebody else's study, gives and changes nothing."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from dash import Dash

from app import create_app, open_services
from callbacks.services import Services
from callbacks.settings import Settings
from engine.network import library
from engine.network.tables import NetworkTables

MARK = "Zanzibar"  # in everything that the owner's study holds, and nowhere else


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


def bodies(app: Dash, study: str, token: str) -> list[dict[str, Any]]:
    """Return requests for every callback that the server has, each value naming the study in some way."""
    values = (
        study,
        f"?study={study}",
        f"?study={study}&share={token}",
        {"study": study, "id": study, "study_id": study, "action": "restore", "kind": "study", "at": 1},
        [study],
        1,
    )
    return [_body(key, spec, study, value) for key, spec in app.callback_map.items() for value in values]


def _body(key: str, spec: dict[str, Any], study: str, value: Any) -> dict[str, Any]:
    inputs = [_argument(part, study, value) for part in spec["inputs"]]
    states = [_argument(part, study, value) for part in spec.get("state", [])]
    # As Dash writes them: several outputs between dots, an output that others write too with a hash behind an @.
    names = key.strip(".").split("...") if key.startswith("..") else [key]
    outputs = [_output(name, study) for name in names]
    return {
        "output": key,
        "outputs": outputs if key.startswith("..") else outputs[0],
        "inputs": inputs,
        "state": states,
        "changedPropIds": [_changed(inputs[0])] if inputs else [],
    }


def _argument(part: dict[str, str], study: str, value: Any) -> Any:
    element = _element(part["id"], study)
    one = {"id": element, "property": part["property"], "value": 1 if part["property"] == "n_clicks" else value}
    return [one] if isinstance(element, dict) and '["ALL"]' in part["id"] else one


def _output(name: str, study: str) -> Any:
    element, _, place = name.rpartition(".")
    found = {"id": _element(element, study), "property": re.sub(r"@.*$", "", place)}
    return [found] if '["ALL"]' in element else found


def _element(text: str, study: str) -> Any:
    if not text.startswith("{"):
        return text
    return {name: study if part in (["ALL"], ["MATCH"]) else part for name, part in json.loads(text).items()}


def _changed(argument: Any) -> str:
    first = argument[0] if isinstance(argument, list) else argument
    element = first["id"]
    text = element if isinstance(element, str) else json.dumps(element, sort_keys=True, separators=(",", ":"))
    return f"{text}.{first['property']}"


def answers_of(app: Dash, user_page: str, requests: list[dict[str, Any]], user: str | None) -> str:
    """Return all that the server says to ``requests`` from one session: a stranger's, or ``user``'s."""
    client = app.server.test_client()
    client.get(user_page)
    if user is not None:
        with client.session_transaction() as session:
            session["user"] = user
    said = []
    for body in requests:
        answer = client.post("/_dash-update-component", json=body)
        assert answer.status_code != 429
        said.append(answer.text)
    return "".join(said)


def test_a_stranger_learns_nothing_of_a_study_and_changes_nothing(
    app: Dash, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = "owner-of-the-study"
    study = services.studies.create(owner, f"{MARK} study", marked_network())
    token = services.studies.share(owner, study)
    services.studies.revoke_shares(owner, study)
    app.server.test_client().get("/")  # the router of the pages is among the callbacks from here on
    requests = bodies(app, study, token)
    before = (services.studies.get(owner, study), services.studies.network_status(owner, study))
    assert len(requests) > 50
    assert MARK not in answers_of(app, "/", requests, user=None)
    after = (services.studies.get(owner, study), services.studies.network_status(owner, study))
    assert after == before
    assert services.studies.readers(owner, study) == 0


def test_the_same_requests_from_the_owner_are_answered(app: Dash, services: Services) -> None:
    owner = "owner-of-the-study"
    study = services.studies.create(owner, f"{MARK} study", marked_network())
    app.server.test_client().get("/")
    # Otherwise the silence above would prove nothing.
    assert MARK in answers_of(app, "/", bodies(app, study, "none"), user=owner)
