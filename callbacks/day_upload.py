"""A file of the reader's own on a page of a day: shown with what was understood of it, then taken into a study."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from dash import Dash, Input, Output, State, no_update

from callbacks.day_answer import reasons
from callbacks.day_desk import D, DayDesk, Q, R, Seat, seat_of
from components import ids
from engine.errors import EngineError, QuestionError
from engine.store.codec import sha256

Offer = dict[str, str]  # {"digest", "name"} of what can be taken


def offered(seat: Seat[D], content: bytes, name: str) -> Offer:
    """Keep what was understood of a file for a while, and return what takes it."""
    seat.desk.services.artifacts.save(_key(seat, sha256(content)), content)
    return {"digest": sha256(content), "name": name[:100]}


def taken(seat: Seat[D], held: Any, *, first: str, gone: str) -> tuple[str, bytes]:
    """Return name and content of what was offered. Raises QuestionError: ``first`` where nothing was, or ``gone``."""
    digest, name = (held.get("digest"), held.get("name")) if isinstance(held, Mapping) else (None, None)
    if not isinstance(digest, str) or not isinstance(name, str):
        raise QuestionError(first)
    content = seat.desk.services.artifacts.read(_key(seat, digest))
    if content is None:
        raise QuestionError(gone)
    return name, content


def address_of(desk: DayDesk[Q, R], user: str, study: str, question: Q) -> str:
    """Return the address of the page with a question."""
    query = desk.query(user, study, question)
    return f"/{desk.subject.ids.PAGE}?{urlencode({'study': study})}" + (f"&{query}" if query else "")


def register_upload(  # noqa: PLR0913 (by name)
    app: Dash,
    desk: D,
    words: Mapping[str, State],
    offer: Callable[..., tuple[Any, Offer | None]],
    take: Callable[[Seat[D], Any, dict[str, Any]], str],
    *,
    fitted: bool = False,
) -> None:
    """Wire the upload: ``offer`` makes of contents and names what was understood and what takes it, None for nothing.

    Where a file has to fit the question, ``fitted``, it is given what the controls of the question hold as well.
    ``take`` returns the address with what was offered taken, for what the controls of the question hold. It raises
    EngineError in words.
    """
    of = desk.subject.ids

    @app.callback(
        Output(f"{of.UPLOAD}-shown", "children"),
        Output(f"{of.UPLOAD}-offer", "data"),
        Output(f"{of.UPLOAD}-take", "hidden"),
        Output(of.UPLOAD, "contents"),
        inputs={"contents": Input(of.UPLOAD, "contents")},
        state={"names": State(of.UPLOAD, "filename"), "study": State(of.STUDY, "data")}
        | ({"words": words} if fitted else {}),
        prevent_initial_call=True,
    )
    def show(contents: Any, names: Any, study: Any, **asked: Any) -> Any:
        if not contents:
            return (no_update,) * 4
        panel, made = offer(seat_of(desk, study), contents, names, *asked.values())
        return panel, made, made is None, None  # emptied, so that the same file, mended, can be sent again

    @app.callback(
        Output(ids.LOCATION, "href", allow_duplicate=True),
        Output(f"{of.UPLOAD}-message", "children"),
        inputs={"clicks": Input(f"{of.UPLOAD}-take", "n_clicks")},
        state={"held": State(f"{of.UPLOAD}-offer", "data"), "words": words, "study": State(of.STUDY, "data")},
        prevent_initial_call=True,
    )
    def took(clicks: Any, held: Any, words: dict[str, Any], study: Any) -> Any:
        if not clicks:
            return no_update, no_update
        try:
            return take(seat_of(desk, study), held, words), ""
        except EngineError as error:
            return no_update, "; ".join(reasons(error))


def _key(seat: Seat[D], digest: str) -> str:
    """Return the name of what is kept for a user: nobody finds what another one uploaded, not even by its digest."""
    return f"{seat.desk.subject.ids.PAGE}-offer-{sha256(json.dumps([seat.user, digest]))}"
