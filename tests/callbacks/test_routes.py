"""The addresses beside the pages: whose network, whose file, which link, how healthy."""

import io
import json
import os
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app, open_services
from callbacks.processes import RUNNER_SIGN
from callbacks.services import Services
from callbacks.settings import Settings
from engine.network import library

Case = tuple[Flask, Services, str, str]


@pytest.fixture
def services(settings: Settings) -> Services:
    return open_services(settings)


@pytest.fixture
def server(settings: Settings) -> Flask:
    return create_app(settings).server


def visitor(server: Flask) -> tuple[FlaskClient, str]:
    """Return a browser that opened a page, and its user id."""
    client = server.test_client()
    client.get("/")
    with client.session_transaction() as session:
        return client, str(session["user"])


def texas(services: Services, user: str) -> tuple[str, str]:
    """Return a new study of the Texas grid, and its network's digest."""
    study = services.studies.create(user, "Texas", library.load("texas-2016"))
    return study, services.studies.network_status(user, study).digest


def test_a_map_holds_every_bus_and_branch_in_table_order(server: Flask, services: Services) -> None:
    client, user = visitor(server)
    study, digest = texas(services, user)
    tables = library.load("texas-2016")
    for layer, table, key in (("buses", tables.buses, "bus"), ("branches", tables.branches, "branch")):
        answer = client.get(f"/api/networks/{study}/{digest}/map/{layer}.geojson")
        assert answer.mimetype == "application/geo+json"
        features = json.loads(answer.data)["features"]
        assert [feature["properties"]["i"] for feature in features] == list(range(len(table)))
        assert [feature["properties"]["id"] for feature in features] == table[key].tolist()
    assert np.isclose(json.loads(client.get(f"/api/networks/{study}/{digest}/map/buses.geojson").data)["features"][0][
        "geometry"]["coordinates"], tables.buses[["longitude", "latitude"]].iloc[0], atol=0.05).all()  # fmt: skip


def test_a_network_without_coordinates_gets_a_map_of_its_own(server: Flask, services: Services) -> None:
    client, user = visitor(server)
    study = services.studies.create(user, "RTS", library.load("ieee14"))
    digest = services.studies.network_status(user, study).digest
    features = json.loads(client.get(f"/api/networks/{study}/{digest}/map/buses.geojson").data)["features"]
    places = {tuple(feature["geometry"]["coordinates"]) for feature in features}
    assert len(places) == 14  # no two buses in one spot


def test_a_map_is_kept_by_its_reader_only_and_sent_once(server: Flask, services: Services) -> None:
    client, user = visitor(server)
    study, digest = texas(services, user)
    address = f"/api/networks/{study}/{digest}/map/buses.geojson"
    first = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert first.headers["Cache-Control"].startswith("private, max-age=")
    assert "immutable" in first.headers["Cache-Control"]
    assert first.headers["Content-Encoding"] == "gzip"
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"], "Accept-Encoding": "gzip"})
    assert (again.status_code, again.data) == (304, b"")


def test_somebody_elses_network_file_or_digest_is_not_there(server: Flask, services: Services) -> None:
    client, user = visitor(server)
    study, digest = texas(services, user)
    address = f"/api/networks/{study}/{digest}/map/buses.geojson"
    assert client.get(address).status_code == 200  # drawn, and kept by the server
    stranger, _ = visitor(server)
    for path in (address, f"/api/studies/{study}/export"):
        answer = stranger.get(path)
        assert answer.status_code == 404
        assert "Texas" not in answer.text
    assert client.get(f"/api/networks/{study}/{'0' * 64}/map/buses.geojson").status_code == 404
    assert client.get(f"/api/networks/{study}/{digest}/map/secrets.geojson").status_code == 404


def test_a_study_is_exported_as_one_zip_with_its_name(server: Flask, services: Services) -> None:
    client, user = visitor(server)
    study, _ = texas(services, user)
    answer = client.get(f"/api/studies/{study}/export")
    assert "Texas.headroom.zip" in answer.headers["Content-Disposition"]
    assert zipfile.ZipFile(io.BytesIO(answer.data)).testzip() is None
    copy = services.studies.import_file(user, answer.data)
    assert services.studies.get(user, copy).buses == 2000


def test_exporting_is_limited_per_session(server: Flask, services: Services) -> None:
    client, _ = visitor(server)
    statuses = [client.get("/api/studies/nothing/export").status_code for _ in range(31)]
    assert statuses[-1] == 429
    assert set(statuses[:-1]) == {404}


def test_a_share_link_makes_a_reader_and_loses_its_token(server: Flask, services: Services) -> None:
    _, owner = visitor(server)
    study, _ = texas(services, owner)
    token = services.studies.share(owner, study)
    client, guest = visitor(server)
    answer = client.get(f"/capacity?view=flexible&share={token}&at=5120&at=7")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/capacity?study={study}&view=flexible&at=5120&at=7"
    assert services.studies.get(guest, study).role == "reader"


def test_a_share_link_works_on_a_first_visit(server: Flask, services: Services) -> None:
    _, owner = visitor(server)
    study, _ = texas(services, owner)
    client = server.test_client()
    client.get(f"/?share={services.studies.share(owner, study)}")
    with client.session_transaction() as session:
        assert services.studies.get(session["user"], study).role == "reader"


@pytest.mark.parametrize("path", ["/?share=", "/?share=wrong", "/capacity?share=wrong&study=1"])
def test_a_link_that_opens_nothing_says_so(server: Flask, path: str) -> None:
    answer = server.test_client().get(path)
    assert answer.status_code == 404
    assert "revoked" in answer.text


@pytest.mark.parametrize("path", ["//elsewhere.example/x", "/\\elsewhere.example/x", "///elsewhere.example"])
def test_a_share_link_never_leads_to_another_site(server: Flask, services: Services, path: str) -> None:
    _, owner = visitor(server)
    study, _ = texas(services, owner)
    query = f"share={services.studies.share(owner, study)}"
    answer = server.test_client().get("/", query_string=query, environ_overrides={"PATH_INFO": path})
    assert answer.headers["Location"].startswith("/elsewhere.example")


def test_health_tells_a_missing_runner_and_a_present_one(server: Flask, settings: Settings) -> None:
    client = server.test_client()
    told = client.get("/healthz").json
    assert (told["status"], told["runner"], told["runner_seen_s_ago"]) == ("degraded", "missing", None)
    sign = settings.home / RUNNER_SIGN
    sign.touch()
    told = client.get("/healthz").json
    assert (told["status"], told["runner"]) == ("ok", "running")
    old = time.time() - 120
    os.utime(sign, (old, old))
    told = client.get("/healthz").json
    assert told["runner"] == "missing"
    assert told["runner_seen_s_ago"] == pytest.approx(120, abs=5)


def test_health_is_503_without_a_database(
    server: Flask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(_: object) -> None:
        raise ConnectionError("no route to host secret-host")

    monkeypatch.setattr("engine.store.store.Store.check", gone)
    answer = server.test_client().get("/healthz")
    assert answer.status_code == 503
    assert answer.json["database"] == "unreachable"
    assert "secret-host" not in answer.text
    capsys.readouterr()


def test_the_data_stay_in_the_data_folder(settings: Settings, server: Flask) -> None:
    server.test_client().get("/")
    assert {"headroom.sqlite", "secret_key"} <= {path.name for path in Path(settings.home).iterdir()}
