"""What the Capacity page keeps for good: published products, and files of states."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dash
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from callbacks.capacity_answer import Seat, seat_of
from callbacks.capacity_desk import CheckRunningError, Desk
from callbacks.security import current_user
from callbacks.shell import of_page, toast
from callbacks.uploads import content_of
from components import capacity, capacity_export, capacity_ids, capacity_products, ids
from components.capacity_question import file_choices
from components.format import count, megawatts, size
from engine.capacity.files import read_sample
from engine.errors import EngineError, PermissionDeniedError, QuestionError

DATASET_KIND = "net-demand"


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What the controls hold after an upload."""

    files: list[dict[str, str]]
    value: str
    message: str


def publish(seat: Seat, drawn: Any) -> str:
    """Publish the products of the answer that is drawn; return what is told about it.

    What is the last version already is not published again: an answer that was computed once more has another
    date and nothing else.

    Raises QuestionError when there is nothing to publish, PermissionDeniedError for a reader.
    """
    answer = seat.answer(drawn)
    if answer is None:
        raise QuestionError("compute the answer before publishing its products")
    if seat.desk.services.studies.get(seat.user, seat.study).role != "owner":
        raise PermissionDeniedError(
            "this study is shared with you to read: duplicate it to publish products of your own"
        )
    products = seat.desk.checked(seat.user, seat.study, answer)
    if products is None or not products.products:
        raise QuestionError("there are no products to publish")
    content = json.loads(json.dumps(products.to_json()))
    amount = f"{count(len(products.products), 'product')}, {megawatts(products.total_mw())}"
    last = next(iter(seat.desk.services.products.list(seat.user, seat.study)), None)
    if last is not None and _same(last.product_set, content):
        return f"Nothing changed: version {last.version} is these {amount}"
    version = seat.desk.services.products.publish(seat.user, seat.study, content, content["witness"])
    words = f"Published version {version}: {amount}"
    verdict = products.witness.verdict
    if verdict is None:
        return f"{words}. Not checked apart: the states are too many for that here, or not kept any more"
    return f"{words}. Checked apart: {verdict.words}"


def _same(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Return whether two product sets are the same products of the same question on the same inputs."""
    digests = ("network_digest", "question_digest", "uncertainty_digest")
    origins = [[content["provenance"][name] for name in digests] for content in (before, now)]
    return origins[0] == origins[1] and before["products"] == now["products"]


def read_upload(seat: Seat, filename: str, content: bytes) -> Uploaded:
    """Keep a file of net demand with the study once it can be read for its network. Raises EngineError in words."""
    network = seat.network()
    sample = read_sample(filename, content, network)
    entry = seat.desk.services.studies.add_dataset(seat.user, seat.study, filename, DATASET_KIND, content)
    listed = [row for row in seat.desk.services.studies.datasets(seat.user, seat.study) if row.kind == DATASET_KIND]
    files = file_choices(listed)
    value = f"{entry.digest}:{entry.name}"
    return Uploaded(
        files=[{"value": key, "label": text} for key, text in files],
        value=value,
        message=f"{filename}, {size(len(content))}: {count(len(sample.net_demand_mw), 'state')} read",
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def register(app: Dash, desk: Desk) -> None:
    """Wire the products and the upload of states."""
    _register_publishing(app, desk)
    _register_versions(app, desk)
    _register_upload(app, desk)


def _register_publishing(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(capacity_ids.PUBLISHED, "data"),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Output(capacity_ids.CHECKING, "data"),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Input(f"{capacity_ids.PUBLISH}-pressed", "data"),
        State(capacity_ids.ANSWERED, "data"),
        State(capacity_ids.STUDY, "data"),
        running=[(Output(capacity_ids.PUBLISH, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def publish_products(pressed: Any, drawn: Any, study: Any) -> Any:
        if not pressed:
            return (no_update,) * 4
        try:
            words = publish(seat_of(desk, study), drawn)
        except CheckRunningError as running:
            return no_update, toast(_sentence(str(running))), running.job, time.time()
        except EngineError as error:
            return no_update, toast(_sentence(str(error))), None, no_update
        return time.time(), toast(words), None, no_update

    app.clientside_callback(
        ClientsideFunction("capacity", "checkEnded"),
        Output(f"{capacity_ids.CHECKING}-seen", "data"),
        Input(ids.JOBS, "data"),
        Input(capacity_ids.CHECKING, "data"),
    )

    app.clientside_callback(
        ClientsideFunction("capacity", "showChecking"),
        Output(f"{capacity_ids.CHECKING}-words", "children"),
        Input(capacity_ids.CHECKING, "data"),
        Input(capacity_ids.TRAY, "children"),  # a new one has a new button
    )


def _register_versions(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(capacity_ids.VERSIONS, "children"),
        Input(capacity_ids.PUBLISHED, "data"),
        Input(capacity_ids.TAB, "value"),
        Input(capacity_ids.ANSWERED, "data"),
        State(capacity_ids.STUDY, "data"),
    )
    def list_versions(_bumped: Any, tab: Any, drawn: Any, study: Any) -> Any:
        if tab != "products":
            return no_update
        try:
            records = desk.services.products.list(current_user(), study)
        except EngineError as error:
            return str(error)
        return capacity.published(capacity_products.versions(records, drawn if isinstance(drawn, dict) else {}, study))

    @app.callback(
        Output(capacity_ids.AUCTION, "children"),
        Input(capacity_ids.PUBLISHED, "data"),
        Input(capacity_ids.TRAY, "children"),  # a new one has a new place for the link
        State(capacity_ids.ANSWERED, "data"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def link_auction(_bumped: Any, _tray: Any, drawn: Any, study: Any) -> Any:
        try:
            records = desk.services.products.list(current_user(), study)
        except EngineError:
            return None
        return capacity_products.auction_link(records, drawn if isinstance(drawn, dict) else {}, study)

    @app.callback(
        Output(ids.DOWNLOAD, "data", allow_duplicate=True),
        of_page(capacity_ids.STUDY),
        Input({"type": "capacity-version", "version": dash.ALL, "kind": dash.ALL}, "n_clicks"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def download_version(clicks: list[int | None], study: Any) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            return no_update, no_update
        try:
            record = desk.services.products.get(current_user(), study, int(ctx.triggered_id["version"]))
        except (EngineError, ValueError):  # not there, or no number at all
            return no_update, no_update
        name = str(record.product_set["provenance"]["network"]).lower().replace(" ", "-")
        return capacity_export.product_download(record, str(ctx.triggered_id["kind"]), name), no_update


def _register_upload(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(capacity_ids.word("file"), "options"),
        Output(capacity_ids.word("file"), "value"),
        Output(capacity_ids.word("keep"), "value"),
        Output(capacity_ids.UPLOAD_MESSAGE, "children"),
        Input(capacity_ids.UPLOAD, "contents"),
        State(capacity_ids.UPLOAD, "filename"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def upload(contents: Any, filename: Any, study: Any) -> Any:
        if not isinstance(contents, str):
            return (no_update,) * 4
        try:
            content = content_of(contents)
            found = read_upload(seat_of(desk, study), str(filename or "file"), content)
        except EngineError as error:
            return no_update, no_update, no_update, str(error)
        return found.files, found.value, "file:sample", found.message
