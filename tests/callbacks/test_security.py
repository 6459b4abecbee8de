"""Who is asking, and what is refused: session, policy, forged and oversized requests, limits."""

import gzip
import io
import json
import threading
from dataclasses import replace
from http.cookies import SimpleCookie
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from callbacks import security
from callbacks.settings import Settings
from tests.forging import forged_body


@pytest.fixture
def client(settings: Settings) -> FlaskClient:
    return create_app(settings).server.test_client()


# Session


def test_the_first_visit_gets_a_signed_cookie_that_scripts_and_other_sites_cannot_use(client: FlaskClient) -> None:
    cookie = client.get("/").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Set-Cookie" not in client.get("/").headers  # the second visit is the same reader


def test_two_readers_have_two_ids_and_a_changed_cookie_is_nobody(settings: Settings) -> None:
    server = create_app(settings).server
    one, other = server.test_client(), server.test_client()
    one.get("/")
    other.get("/")
    assert user_of(one) != user_of(other)
    morsel = SimpleCookie()
    morsel.load(server.test_client().get("/").headers["Set-Cookie"])
    forged = morsel["headroom"].value[:-2] + "AA"
    client = server.test_client()
    client.set_cookie("headroom", forged)
    assert "Set-Cookie" in client.get("/").headers  # a new reader


def test_all_workers_read_each_others_sessions(settings: Settings) -> None:
    first, second = create_app(settings).server, create_app(settings).server
    client = first.test_client()
    cookie = SimpleCookie(client.get("/").headers["Set-Cookie"])["headroom"].value
    elsewhere = second.test_client()
    elsewhere.set_cookie("headroom", cookie)
    assert "Set-Cookie" not in elsewhere.get("/").headers


def user_of(client: FlaskClient) -> str:
    with client.session_transaction() as session:
        return str(session["user"])


# What an answer may do in a browser


def test_a_page_may_run_no_script_but_ours(client: FlaskClient) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    scripts = next(rule for rule in policy.split("; ") if rule.startswith("script-src"))
    assert "'self'" in scripts
    assert "'sha256-" in scripts
    assert "unsafe" not in scripts
    for rule in ("frame-ancestors 'none'", "object-src 'none'", "base-uri 'self'", "form-action 'self'"):
        assert rule in policy


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/nothing", "/assets/nothing.js"])
def test_every_answer_carries_the_protecting_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "default-src 'self'" in headers["Content-Security-Policy"]


def test_cookies_and_transport_are_secure_when_asked_for(settings: Settings) -> None:
    headers = create_app(replace(settings, cookie_secure=True)).server.test_client().get("/").headers
    assert headers["Set-Cookie"].startswith("__Host-headroom=")
    assert "Secure" in headers["Set-Cookie"]
    assert "Path=/" in headers["Set-Cookie"]
    assert "Domain" not in headers["Set-Cookie"]
    assert "max-age" in headers["Strict-Transport-Security"]


# Refusals


def test_a_callback_takes_json_only(client: FlaskClient) -> None:
    body = json.dumps(forged_body("shell-study.data", {"shell-study.data": "1"}))
    assert client.post("/_dash-update-component", data=body, content_type="text/plain").status_code == 415


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://localhost.elsewhere.example"])
def test_a_request_that_another_sites_page_sends_is_refused(client: FlaskClient, origin: str) -> None:
    answer = client.post("/_dash-update-component", json={}, headers={"Origin": origin})
    assert answer.status_code == 403


@pytest.mark.parametrize(("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 404)])
def test_a_request_of_which_the_browser_says_that_it_is_not_ours_is_refused(
    client: FlaskClient, site: str, status: int
) -> None:
    assert client.post("/api/jobs/none/cancel", headers={"Sec-Fetch-Site": site}).status_code == status


WELL_FORMED = forged_body("..shell-study.data..", {"a.b": 1})


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"3", b"null", b"{}", b'{"output": 3}', b'{"output": "nothing.data"}', b"[" * 100_000,
        b"9" * 10_000, b"\xff", json.dumps(WELL_FORMED).encode(), gzip.compress(json.dumps(WELL_FORMED).encode()),
    ],
)  # fmt: skip
def test_what_calls_no_callback_is_refused_and_is_no_fault(client: FlaskClient, content: bytes) -> None:
    encoding = {"Content-Encoding": "gzip"} if content[:1] == b"\x1f" else {}
    answer = client.post("/_dash-update-component", data=content, content_type="application/json", headers=encoding)
    assert answer.status_code == 400


def study_body(**changed: Any) -> dict[str, Any]:
    """Return the request that fills the study picker, as the browser sends it, but for what is ``changed``."""
    body = forged_body("shell-study-list.children", {"shell-study-menu.n_clicks": 1}, {"shell-study.data": None})
    return {**body, **changed}


def test_a_callback_is_called_with_its_own_inputs_only(client: FlaskClient) -> None:
    client.get("/")
    assert client.post("/_dash-update-component", json=study_body()).status_code == 200
    good = study_body()
    for changed in (
        {"inputs": []},
        {"inputs": good["inputs"] * 2},
        {"inputs": [{**good["inputs"][0], "id": "shell-study-delete"}]},
        {"inputs": [{**good["inputs"][0], "value": "1"}]},
        {"inputs": [[good["inputs"][0]]]},
        {"state": []},
        {"state": [{**good["state"][0], "property": "children"}]},
        {"outputs": None},
        {"changedPropIds": ["shell-study-delete.n_clicks"]},
        {"changedPropIds": ["{bad.n_clicks"]},
        {"changedPropIds": "shell-study-menu.n_clicks"},
    ):
        answer = client.post("/_dash-update-component", json=study_body(**changed))
        assert answer.status_code == 400, changed


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../app.py", "/assets/%2e%2e/app.py", "/assets/..%2fapp.py", "/assets//etc/passwd", "/../../etc/passwd",
        "/_dash-component-suites/dash/../../app.py", "/_dash-component-suites/os/path.py", "/api/../app.py",
        "/api/thumbnails/example/..%2f..%2fapp.svg", "/api/networks/..%2f../x/map/buses.geojson", "/assets/%00",
    ],
)  # fmt: skip
def test_no_address_leads_to_a_file_outside(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert "create_app" not in answer.text
    assert "root:" not in answer.text
    assert answer.status_code in {200, 404}  # 200: the page that says that there is nothing
    assert answer.status_code == 404 or "<!DOCTYPE html>" in answer.text


@pytest.mark.parametrize("host", ["elsewhere.example", "bad host", "a@b"])
def test_a_host_name_that_is_not_ours_is_refused(client: FlaskClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 400


def test_an_upload_above_the_limit_is_refused_in_words(settings: Settings) -> None:
    client = create_app(replace(settings, max_upload_mb=1)).server.test_client()
    content = b"{" + b" " * (3 * 1024 * 1024) + b"}"
    answer = client.post("/_dash-update-component", data=io.BytesIO(content), content_type="application/json")
    assert answer.status_code == 413
    assert answer.json["detail"] == "One file may have at most 1 MB"


def test_an_upload_of_no_stated_size_is_cut_off_at_the_limit(settings: Settings) -> None:
    client = create_app(replace(settings, max_upload_mb=1)).server.test_client()
    content = io.BytesIO(b'{"a": "' + b"x" * (4 * 1024 * 1024) + b'"}')
    answer = client.post(
        "/_dash-update-component",
        input_stream=content,
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True},  # as the server says of a chunked body
    )
    assert answer.status_code == 413


def test_large_requests_are_limited_more_strictly(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "LARGE_LIMIT", "2 per minute")
    client = create_app(settings).server.test_client()
    client.get("/")
    large = b" " * 1_000_001
    statuses = [
        client.post("/_dash-update-component", data=large, content_type="application/json").status_code
        for _ in range(3)
    ]
    assert statuses == [400, 400, 429]
    assert client.post("/_dash-update-component", json={}).status_code == 400


def test_an_unknown_address_of_the_api_is_json_and_404(client: FlaskClient) -> None:
    answer = client.get("/api/nothing/here")
    assert answer.status_code == 404
    assert answer.json["error"].startswith("There is nothing here")


def test_a_session_that_asks_too_often_is_told_to_wait_and_another_is_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "CALLBACK_LIMIT", "3 per minute")
    server = create_app(settings).server
    eager, calm = server.test_client(), server.test_client()
    eager.get("/")
    calm.get("/")
    statuses = [eager.post("/_dash-update-component", json={}).status_code for _ in range(4)]
    assert statuses[-1] == 429
    assert 429 not in statuses[:-1]
    assert calm.post("/_dash-update-component", json={}).status_code != 429


def test_forwarded_headers_are_believed_from_a_named_proxy_only() -> None:
    def inner(environ: dict[str, str], _: object) -> str:
        return environ["REMOTE_ADDR"]

    guard = security.TrustedProxy(inner, ["10.0.0.0/8"])
    for sender, seen in (("10.1.2.3", "8.8.8.8"), ("9.9.9.9", "9.9.9.9")):
        environ = {"REMOTE_ADDR": sender, "HTTP_X_FORWARDED_FOR": "8.8.8.8", "REQUEST_METHOD": "GET"}
        assert guard(environ, None) == seen


def test_requests_at_once_are_all_counted_and_begin_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = security.OneAtATime("one-at-a-time://")
    counted.timer.join()
    monkeypatch.setattr(counted, "timer", None)  # the library would look whether it runs
    askers = [threading.Thread(target=lambda: [counted.incr("key", 60.0) for _ in range(500)]) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert counted.get("key") == 4 * 500


def test_counts_end_with_their_time_and_take_no_room_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    counted, now = security.OneAtATime("one-at-a-time://"), [1_000.0]
    monkeypatch.setattr("limits.storage.memory.time.time", lambda: now[0])  # the module's, which is everybody's
    assert [counted.incr("a", 60.0), counted.incr("a", 60.0), counted.incr("b", 5.0)] == [1, 2, 1]
    now[0] += 5.0  # b's time is over, a's is not
    assert [counted.incr("b", 5.0), counted.incr("a", 60.0)] == [1, 3]
    now[0] += 60.0
    assert counted.incr("c", 60.0) == 1
    assert set(counted.storage) == set(counted.expirations) == {"c"}
    assert counted.incr("a", 60.0) == 1
