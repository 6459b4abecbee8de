"""The server around the pages: settings, faults, logs, and the product as a whole."""

import json
import logging
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import structlog
from dash import Dash, Input, Output, dcc, html
from flask import Flask
from flask.testing import FlaskClient

import app as program
from app import PAGES, SIDE_PAGES, create_app
from callbacks import http, logs
from callbacks.settings import Settings, SettingsError
from tests.forging import call


@pytest.fixture
def client(settings: Settings) -> FlaskClient:
    return create_app(settings).server.test_client()


# Settings


def test_settings_have_a_default_for_everything(tmp_path: Path) -> None:
    settings = Settings.from_env({"HEADROOM_HOME": str(tmp_path)})
    assert (settings.host, settings.port, settings.max_upload_mb) == ("127.0.0.1", 8050, 50)
    assert settings.database_url == f"sqlite:///{tmp_path}/headroom.sqlite"
    assert settings.address == "http://127.0.0.1:8050"


def test_every_bad_setting_is_refused_at_once_by_name_and_value(tmp_path: Path) -> None:
    bad = {
        "PORT": "http", "HOST": "not a host", "WEB_WORKERS": "0", "LOG_LEVEL": "loud", "DATABASE_URL": "mysql://x/y",
        "SECRET_KEY": "short", "COOKIE_SECURE": "maybe", "FORWARDED_ALLOW": "10.0.0.300", "HEADROOM_COLOUR": "red",
    }  # fmt: skip
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({"HEADROOM_HOME": str(tmp_path), **bad})
    assert len(refused.value.problems) == len(bad)
    for name in bad:
        assert any(name in problem for problem in refused.value.problems)
    assert "a whole number from 1 to 65535" in str(refused.value)


def test_a_refused_setting_ends_the_program_with_status_2_and_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main([], {"HEADROOM_HOME": str(tmp_path), "PORT": "0"}) == 2
    told = capsys.readouterr().err
    assert "PORT is '0'" in told
    assert "Traceback" not in told


def test_a_folder_that_cannot_be_made_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="HEADROOM_HOME"):
        Settings.from_env({"HEADROOM_HOME": str(tmp_path / "file" / "below")})


def test_the_secret_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    first = Settings.from_env({"HEADROOM_HOME": str(tmp_path)})
    second = Settings.from_env({"HEADROOM_HOME": str(tmp_path)})
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= 32
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["secret_key"]  # noqa: PTH208 (no draft is left behind)


@pytest.mark.parametrize("url", ["mysql://me:hush@host/db", "postgresql://me:hush@host:port/db", "hush"])
def test_a_refused_database_url_is_not_repeated_for_it_may_hold_a_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL is set; it") as refused:
        Settings.from_env({"HEADROOM_HOME": str(tmp_path), "DATABASE_URL": url})
    assert "hush" not in str(refused.value)


def test_a_kept_key_that_is_too_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("")
    with pytest.raises(SettingsError, match="has 0 characters; it needs 32 or more"):
        Settings.from_env({"HEADROOM_HOME": str(tmp_path)})


def test_settings_do_not_show_their_secrets(tmp_path: Path) -> None:
    settings = Settings.from_env({"HEADROOM_HOME": str(tmp_path), "DATABASE_URL": "postgresql://me:hush@host/db"})
    assert "hush" not in repr(settings)
    assert settings.secret_key not in repr(settings)


# Faults


def faulty_app(settings: Settings) -> Dash:
    """Return an app with one callback that fails in a way that nobody foresaw."""
    app = Dash("faulty", on_error=http.on_error)
    app.layout = html.Div([dcc.Input(id="a"), html.Div(id="b")])
    http.install_faults(app, settings.max_upload_mb)
    http.install_log(app.server)
    app.server.secret_key = "x" * 32

    @app.callback(Output("b", "children"), Input("a", "value"))
    def fail(_: str) -> str:
        raise ZeroDivisionError("a secret detail")

    @app.server.get("/api/fails")
    def fails() -> str:
        raise ZeroDivisionError("a secret detail")

    return app


def test_a_fault_in_a_callback_is_an_apology_with_a_reference_and_the_log_has_its_traceback(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    app = faulty_app(settings)
    with own_logging():
        logs.configure("INFO", "test")
        answer = call(app.server.test_client(), "b.children", {"a.value": "1"})
    told = answer.json["sideUpdate"]["shell-toast"]["data"]["text"]
    assert "secret detail" not in answer.text
    reference = told.rsplit(" ", 1)[-1]
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    found = next(line for line in lines if line.get("reference") == reference)
    assert "ZeroDivisionError" in found["exception"]


def test_a_fault_in_a_route_is_told_without_its_details(settings: Settings) -> None:
    answer = faulty_app(settings).server.test_client().get("/api/fails")
    assert answer.status_code == 500
    assert answer.json["detail"].startswith("Reference: ")
    assert "secret detail" not in answer.text


# Logs


class own_logging:  # noqa: N801 (used like a function)
    """Gives the logging of the test run back as it was."""

    def __enter__(self) -> None:
        root = logging.getLogger()
        self.kept = (root.handlers[:], root.level, structlog.get_config())

    def __exit__(self, *_: object) -> None:
        root = logging.getLogger()
        root.handlers, level, structure = self.kept
        root.setLevel(level)
        structlog.configure(**structure)


def test_a_request_is_one_json_line_without_query_user_id_or_secret(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    client = create_app(settings).server.test_client()
    client.get("/")
    with client.session_transaction() as session:
        user = str(session["user"])
    with own_logging():
        logs.configure("INFO", "test")
        answer = client.get("/capacity?study=12&share=WONDERFUL")
        logs.get("headroom.test").warning("made", cookie="WONDERFUL")
    text = capsys.readouterr().err
    line, made = (json.loads(line) for line in text.splitlines())
    assert line["event"] == "request"
    assert line["status"] == answer.status_code
    assert line["request"] == answer.headers["X-Request-ID"]
    assert line["ms"] >= 0
    assert made["cookie"] == "(hidden)"
    assert "WONDERFUL" not in text
    assert user not in text
    assert settings.secret_key not in text


# The product as a whole


def test_healthz_tells_version_and_is_never_kept(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json["version"] == http.product_version()
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers


def test_a_browser_keeps_what_does_not_change(client: FlaskClient) -> None:
    def kept(path: str) -> str:
        return client.get(path, buffered=True).headers["Cache-Control"]

    assert "immutable" in kept("/assets/10_headroom.css?m=1")
    assert kept("/assets/fonts/ibm-plex-sans-latin-400-normal.woff2") == "public, max-age=604800"
    assert kept("/assets/outlines/states.geojson") == "public, max-age=604800"
    assert "max-age" not in kept("/assets/10_headroom.css")  # the address does not say which one


def test_text_is_compressed_for_those_who_take_it(client: FlaskClient) -> None:
    for offered in ("br", "gzip"):
        answer = client.get("/", headers={"Accept-Encoding": offered})
        assert answer.headers["Content-Encoding"] == offered


def test_every_page_is_registered_once(settings: Settings) -> None:
    import dash  # noqa: PLC0415 (its registry is filled by create_app)

    create_app(settings)
    create_app(settings)
    paths = [page["path"] for page in dash.page_registry.values()]
    assert sorted(paths) == sorted([*(page.path for page in (*PAGES, *SIDE_PAGES)), "/not-found"])


def test_sixteen_first_requests_at_once_are_answered_alike(settings: Settings) -> None:
    server = create_app(settings).server
    together = threading.Barrier(16)

    def ask(_: int) -> tuple[int, str]:
        client = server.test_client()
        together.wait()
        answer = client.get("/_dash-dependencies")
        return answer.status_code, answer.text

    with ThreadPoolExecutor(16) as pool:
        answers = set(pool.map(ask, range(16)))
    ((status, dependencies),) = answers
    assert status == 200
    assert "_pages_content.children" in dependencies  # the last callback that Dash adds, with the first request


def test_the_wsgi_application_is_flasks(settings: Settings) -> None:
    assert isinstance(create_app(settings).server, Flask)
