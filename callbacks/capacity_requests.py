"""The table of requests: pasted, uploaded, typed, kept with the study, and summed to the sites of the question."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, no_update

from callbacks.capacity_answer import Seat, seat_of
from callbacks.capacity_desk import Desk
from callbacks.capacity_sites import sites_after
from callbacks.shell import toast
from callbacks.uploads import content_of
from components import capacity_ids, ids
from components import capacity_requests as table
from components.capacity_words import sites_of
from components.format import count
from engine.capacity.requests import COLUMNS, Request, Requests, read_block, read_csv
from engine.errors import EngineError, PermissionDeniedError, QuestionError

KEPT = "capacity.requests"  # the page under which a study keeps them
_FIRST_MW = 100.0


@dataclass(frozen=True, slots=True)
class Taken:
    """The table after a change, and what is said beside it."""

    requests: Requests
    message: str = ""
    undo: dict[str, Any] | None = None  # what brings a row back that was taken away


def kept(seat: Seat) -> Requests:
    """Return the requests of the study; an empty table where there are none that can be read."""
    content = seat.desk.services.studies.question(seat.user, seat.study, KEPT)
    return Requests() if content is None else Requests.from_json(content)


def pasted(seat: Seat, before: Requests, text: Any) -> Taken:
    """Return the table with the rows of a block of text at its end. Raises QuestionError naming every fault."""
    found = read_block(str(text or ""), seat.network())
    return Taken(Requests((*before.rows, *found.rows)), f"{len(found.rows)} rows taken")


def uploaded(seat: Seat, contents: Any) -> Taken:
    """Return the table of an uploaded CSV file. Raises QuestionError naming every fault."""
    found = read_csv(content_of(contents), seat.network())
    return Taken(found, f"{len(found.rows)} rows read; they are the whole table now")


def edited(seat: Seat, before: Requests, changes: Any) -> Taken:
    """Return the table after cells were edited. Raises QuestionError naming the cell."""
    rows: list[dict[str, Any]] = [asdict(row) for row in before.rows]
    for change in changes if isinstance(changes, list) else []:
        column, place = str(change.get("colId")), _place(change.get("rowId"), len(rows))
        if place is not None and column in COLUMNS:
            rows[place][column] = change.get("value")
    return Taken(Requests.from_json({"rows": rows}, seat.network()))


def with_row(seat: Seat, before: Requests) -> Taken:
    """Return the table with one more row, at the first bus in service, to be filled in."""
    network = seat.network()
    usual = before.rows[-1] if before.rows else None
    bus = usual.bus if usual else network.buses.ids[int(network.buses.in_service.argmax())]
    today = datetime.now(UTC).date().isoformat()
    return Taken(
        Requests((*before.rows, Request("", bus, _FIRST_MW, today))),
        f"A row of {_FIRST_MW:g} MW at bus {bus} was added and counts: put in its own",
    )


def from_sites(seat: Seat, before: Requests, sites: Any) -> Taken:
    """Return the table with a firm request of today for each site of the question. Raises QuestionError for none."""
    buses, demand = sites_of(sites)
    if not buses:
        raise QuestionError("the question has no site yet: choose some in the sentence")
    today = datetime.now(UTC).date().isoformat()
    asked = [Request(f"Site {bus}", bus, mw, today) for bus, mw in zip(buses, demand, strict=True)]
    rows = [asdict(row) for row in asked]
    found = Requests.from_json({"rows": rows}, seat.network())
    return Taken(Requests((*before.rows, *found.rows)), f"{count(len(rows), 'row')} taken from the sites")


def without_row(before: Requests, selected: Any) -> Taken:
    """Return the table without the selected row. Raises QuestionError when none is selected."""
    row = selected[0] if isinstance(selected, list) and selected else {}
    place = _place(table.row_at(row).get("id"), len(before.rows))
    if place is None:
        raise QuestionError("select a row of the table first")
    undo = {"store": capacity_ids.REQUESTS_BACK, "place": place, "row": asdict(before.rows[place])}
    return Taken(replace(before, rows=before.rows[:place] + before.rows[place + 1 :]), undo=undo)


def restored(seat: Seat, before: Requests, asked: Mapping[str, Any]) -> Taken:
    """Return the table with a row that was taken away in its old place. Raises QuestionError when it is none."""
    row = Requests.from_json({"rows": [asked.get("row")]}, seat.network()).rows
    place = _place(asked.get("place"), len(before.rows) + 1)
    at = len(before.rows) if place is None else place
    return Taken(replace(before, rows=before.rows[:at] + row + before.rows[at:]), "The row is back")


def save(seat: Seat, requests: Requests) -> str:
    """Keep the table with the study; return what a reader is told, who cannot."""
    try:
        seat.desk.services.studies.save_question(seat.user, seat.study, KEPT, requests.to_json())
    except PermissionDeniedError:
        return "Read only: the table is not kept with the study"
    return ""


def _place(value: Any, count: int) -> int | None:
    text = str(value)
    return int(text) if text.isdigit() and int(text) < count else None


def _held(seat: Seat, data: Any) -> Requests:
    return Requests.from_json(data) if isinstance(data, Mapping) else kept(seat)


def register(app: Dash, desk: Desk) -> None:
    """Wire the table."""
    _register_table(app, desk)
    _register_use(app, desk)


def _register_table(app: Dash, desk: Desk) -> None:
    grid = ids.grid(ids.CAPACITY, table.GRID)

    @app.callback(
        Output(capacity_ids.REQUESTS_HELD, "data"),
        Output(grid, "rowData"),
        Output(capacity_ids.REQUESTS_TOTAL, "children"),
        Output(capacity_ids.REQUESTS_MESSAGE, "children"),
        Output(capacity_ids.REQUESTS_TEXT, "value"),
        Output(capacity_ids.REQUESTS_START, "hidden"),
        *(
            Output(name, "hidden")
            for name in (capacity_ids.REQUESTS_USE, capacity_ids.REQUESTS_REMOVE, capacity_ids.REQUESTS_CSV)
        ),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Input(capacity_ids.STUDY, "data"),
        Input(capacity_ids.REQUESTS_START, "n_clicks"),
        Input(capacity_ids.REQUESTS_READ, "n_clicks"),
        Input(capacity_ids.REQUESTS_ADD, "n_clicks"),
        Input(capacity_ids.REQUESTS_REMOVE, "n_clicks"),
        Input(capacity_ids.REQUESTS_UPLOAD, "contents"),
        Input(grid, "cellValueChanged"),
        Input(capacity_ids.REQUESTS_BACK, "data"),
        State(capacity_ids.REQUESTS_TEXT, "value"),
        State(grid, "selectedRows"),
        State(capacity_ids.REQUESTS_HELD, "data"),
        State(capacity_ids.SITES, "data"),
        prevent_initial_call="initial_duplicate",
    )
    def change(*given: Any) -> Any:
        study, _start, _read, _add, _remove, contents, changes, back, text, selected, data, sites = given
        seat, by = seat_of(desk, study), ctx.triggered_id
        before = Requests()
        if by == capacity_ids.REQUESTS_BACK and not (isinstance(back, Mapping) and back.get("study") == study):
            return (no_update,) * 10
        try:
            before = _held(seat, data)
            acts = {
                capacity_ids.REQUESTS_START: lambda: from_sites(seat, before, sites),
                capacity_ids.REQUESTS_READ: lambda: pasted(seat, before, text),
                capacity_ids.REQUESTS_ADD: lambda: with_row(seat, before),
                capacity_ids.REQUESTS_REMOVE: lambda: without_row(before, selected),
                capacity_ids.REQUESTS_UPLOAD: lambda: uploaded(seat, contents),
                grid: lambda: edited(seat, before, changes),
                capacity_ids.REQUESTS_BACK: lambda: restored(seat, before, back),
            }
            act = acts.get(str(by))
            after = Taken(before) if act is None else act()
            told = save(seat, after.requests) if act is not None else ""
        except EngineError as error:
            return no_update, *_drawn(before), table.refusal(error), no_update, *_shown_buttons(before), no_update
        clear = "" if by == capacity_ids.REQUESTS_READ else no_update
        shown = after.requests
        said = no_update if after.undo is None else toast("The row was removed", {**after.undo, "study": study})
        return shown.to_json(), *_drawn(shown), told or after.message, clear, *_shown_buttons(shown), said


def _drawn(requests: Requests) -> tuple[Any, Any]:
    return table.rows_of(requests), table.total_words(requests)


def _shown_buttons(requests: Requests) -> list[bool]:
    """Return what is hidden: the start from the sites once there are rows, what works on rows before."""
    empty = not requests.rows
    return [not empty, *[empty] * 3]


def _register_use(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(capacity_ids.SITES, "data", allow_duplicate=True),
        Output(capacity_ids.word("mw"), "value", allow_duplicate=True),
        Output(capacity_ids.SITES_TEXT, "value", allow_duplicate=True),
        Output(f"{capacity_ids.SITES_WORD}-text", "children", allow_duplicate=True),
        Output(capacity_ids.REQUESTS_MESSAGE, "children", allow_duplicate=True),
        Input(capacity_ids.REQUESTS_USE, "n_clicks"),
        State(capacity_ids.REQUESTS_HELD, "data"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def use(clicks: int | None, data: Any, study: Any) -> Any:
        if not clicks:
            return (no_update,) * 5
        try:
            requests = _held(seat_of(desk, study), data)
        except EngineError as error:
            return (*(no_update,) * 4, str(error))
        buses, demand = requests.demand()
        if not buses:
            return (*(no_update,) * 4, "There is no request yet")
        after = sites_after(buses, demand)
        return after.store, after.mw, after.text, after.word, f"{len(buses)} buses are the sites of the question now"

    @app.callback(
        Output(ids.DOWNLOAD, "data", allow_duplicate=True),
        Input(capacity_ids.REQUESTS_CSV, "n_clicks"),
        State(capacity_ids.REQUESTS_HELD, "data"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def download(clicks: int | None, data: Any, study: Any) -> Any:
        if not clicks:
            return no_update
        try:
            return dcc.send_string(_held(seat_of(desk, study), data).to_csv(), "requests.csv")
        except EngineError:
            return no_update
