"""Scripts, styles and map files go out compressed, whole, and only to those who take it."""

import gzip

import brotli
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import FOLDER, create_app
from callbacks import packed
from callbacks.settings import Settings

STYLE = "/assets/10_headroom.css"
UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress}


@pytest.fixture
def client(settings: Settings) -> FlaskClient:
    return create_app(settings).server.test_client()


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_what_is_unpacked_is_the_file(client: FlaskClient, encoding: str) -> None:
    original = (FOLDER / STYLE.lstrip("/")).read_bytes()
    for _ in range(2):  # made, then kept
        answer = client.get(STYLE, buffered=True, headers={"Accept-Encoding": encoding})
        assert answer.headers["Content-Encoding"] == encoding
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert int(answer.headers["Content-Length"]) == len(answer.data) < len(original) / 3
        assert UNPACK[encoding](answer.data) == original
    assert client.get(STYLE, buffered=True, headers={"Accept-Encoding": "identity"}).data == original


def test_a_browser_that_has_the_file_is_told_so_by_its_tag(client: FlaskClient) -> None:
    first = client.get(STYLE, buffered=True, headers={"Accept-Encoding": "br"})
    again = client.get(STYLE, buffered=True, headers={"Accept-Encoding": "br", "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = client.get(
        STYLE, buffered=True, headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]}
    )
    assert other.status_code == 200


def test_each_content_is_compressed_once_and_a_changed_one_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []
    whole = packed.packed
    monkeypatch.setattr(packed, "packed", lambda content, *how: made.append(content) or whole(content, *how))
    server, text = Flask("packing"), ["a{}" * 400]
    packed.install(server)
    server.add_url_rule("/assets/a.css", "style", lambda: (text[0], {"Content-Type": "text/css"}))
    for content in ("a{}" * 400, "a{}" * 400, "b{}" * 400):
        text[0] = content
        answer = server.test_client().get("/assets/a.css", headers={"Accept-Encoding": "br"})
        assert brotli.decompress(answer.data).decode() == content
    assert [content[:1] for content in made] == [b"a", b"b"]


def test_a_short_answer_and_another_kind_stay_as_they_are() -> None:
    server = Flask("packing")
    packed.install(server)
    server.add_url_rule("/assets/a.css", "short", lambda: ("a{}", {"Content-Type": "text/css"}))
    server.add_url_rule("/assets/a.woff2", "font", lambda: ("x" * 900, {"Content-Type": "font/woff2"}))
    for path in ("/assets/a.css", "/assets/a.woff2"):
        assert "Content-Encoding" not in server.test_client().get(path, headers={"Accept-Encoding": "br"}).headers
