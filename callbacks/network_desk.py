"""What an edit does to a study and to the screen: plain functions, no Dash in their signatures."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from callbacks.network_import import Offers, refused, uploaded
from callbacks.services import Services
from components import network as view
from components.grid_map import map_bounds, map_points
from components.network_canvas import elements
from components.network_canvas import view as view_of
from components.network_rows import TABLES, Row, problem_rows, rows, transaction
from engine.errors import ConflictError, EngineError, NetworkDataError
from engine.network.checks import check
from engine.network.counts import Counts
from engine.network.csv_pair import read_rows
from engine.network.edit import apply, from_json, label
from engine.network.events import AddBus, AddRow, Connect, Delete, EditCells, EditError, Event, PasteRows, RenameBus
from engine.network.layout import positions
from engine.network.pasting import as_text
from engine.network.readers import MOST_BYTES
from engine.network.tables import KEYS, SINGULAR, NetworkTables, TableName
from engine.store.history import NetworkStatus

ATTEMPTS = 4  # another tab may save between our reading and our saving: the edit is then made on what it left
STEPS = ("undo", "redo")
MOST_GUIDED = 12  # buses; who draws more knows how
# What the map files hold: while these columns stay, the map in the browser stays.
DRAWN_BUS = ("bus", "name", "base_kv", "zone", "longitude", "latitude", "x", "y", "in_service")
DRAWN_BRANCH = ("branch", "from_bus", "to_bus", "rating_a_mw", "kind", "in_service")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the server answers to one edit. A part that is None leaves the screen as it is."""

    ack: dict[str, Any]
    message: str = ""
    problems: tuple[str, ...] = ()  # of a refusal
    status: NetworkStatus | None = None  # after the edit
    before: NetworkTables | None = None  # what the screen shows
    after: NetworkTables | None = None
    selection: str | None = None
    select: bool = False  # whether ``selection`` is to be written
    restore: Mapping[str, list[Row]] = field(default_factory=dict)  # rows to put back in a grid after a refusal


@dataclass(frozen=True, slots=True)
class Seat:
    """Who works on which study. The user is the session's, never one that a browser names."""

    services: Services
    user: str
    study: str

    def status(self) -> NetworkStatus:
        """Return where the network stands; raises NotFoundError when it is nobody's business."""
        return self.services.studies.network_status(self.user, self.study)

    def tables(self, digest: object) -> NetworkTables:
        """Return a version of the network."""
        if not isinstance(digest, str):
            raise EditError("the version of the network is not known: load the page again")
        return self.services.tables_version(self.user, self.study, digest)

    def read_only(self) -> bool:
        """Return whether the user may only read."""
        return self.services.studies.get(self.user, self.study).role != "owner"


def change(seat: Seat, shown: object, request: object) -> Outcome:
    """Make the edit that a browser asks for. ``shown`` is the digest of what its screen shows.

    Nothing in ``request`` is trusted: it is validated by the engine, and the store checks the user's right.
    """
    asked = request if isinstance(request, Mapping) else {}
    ack = {"seq": asked.get("seq"), "from": asked.get("from"), "ok": False, "at": time.time()}
    try:
        before = seat.tables(shown)
        action = asked.get("action")
        if action in STEPS:
            return _step(seat, str(action), ack, before)
        return _edit(seat, from_json(asked.get("event")), ack, before)
    except NetworkDataError as error:
        reasons = tuple(problem.message for problem in error.problems)
        return Outcome(ack, "Not changed", reasons, restore=_stored(seat, asked.get("event")))
    except EngineError as error:
        return Outcome(ack, str(error), (str(error),))


def add_from_csv(seat: Seat, shown: object, table: object, content: object, file_name: str) -> Outcome:
    """Add the rows of an uploaded CSV file (a data URL) to the open table; a refusal names each line at fault."""
    ack = {"seq": None, "from": "paste", "ok": False, "at": time.time()}
    name = next((name for name in TABLES if name == table), None)
    try:
        before = seat.tables(shown)
        if name is None:
            raise EditError("open the table that the rows are for")
        rows_read = read_rows(file_name[:200], uploaded(file_name[:200], content, MOST_BYTES), name)
        return _edit(seat, PasteRows(name, as_text(name, rows_read)), ack, before)
    except NetworkDataError as error:
        return Outcome(ack, "Not changed", tuple(problem.message for problem in error.problems))
    except EngineError as error:
        return Outcome(ack, str(error), (str(error),))


def _edit(seat: Seat, event: Event, ack: dict[str, Any], before: NetworkTables) -> Outcome:
    for attempt in range(ATTEMPTS):
        status = seat.status()
        tables = seat.tables(status.digest)
        words = label(tables, event)
        after = apply(tables, event)
        try:
            saved = seat.services.studies.save_network(seat.user, seat.study, after, status.revision, words)
        except ConflictError:
            if attempt == ATTEMPTS - 1:
                raise
            continue
        chosen, select = _selected(tables, after, event)
        text = f"{words[:1].upper()}{words[1:]}{next_step(after)}"
        return Outcome({**ack, "ok": True}, text, (), saved, before, after, chosen, select)
    raise EditError("the network is being changed elsewhere; try again")


def _step(seat: Seat, action: str, ack: dict[str, Any], before: NetworkTables) -> Outcome:
    status = seat.status()
    words = status.undo_label if action == "undo" else status.redo_label
    studies = seat.services.studies
    step = studies.undo if action == "undo" else studies.redo
    state = step(seat.user, seat.study, status.revision)
    text = f"Undone: {words}" if action == "undo" else f"Done again: {words}"
    return Outcome({**ack, "ok": True}, text, (), state, before, state.tables)


def _selected(before: NetworkTables, after: NetworkTables, event: Event) -> tuple[str | None, bool]:
    """Return what is selected after an edit, and whether that is to be written."""
    if isinstance(event, Delete):
        return None, True
    name: TableName | None = None
    row = -1
    if isinstance(event, AddBus | Connect | AddRow):
        name = "buses" if isinstance(event, AddBus) else "branches" if isinstance(event, Connect) else event.table
    elif isinstance(event, RenameBus):
        name, row = "buses", before.buses["bus"].tolist().index(event.bus)
    elif isinstance(event, EditCells) and any(column == KEYS[event.table] for _, column, _ in event.cells):
        name, row = event.table, before.table(event.table)[KEYS[event.table]].tolist().index(event.cells[0][0])
    if name is None:
        return None, False
    return f"{SINGULAR[name]}:{after.table(name)[KEYS[name]].iloc[row]}", True


def _stored(seat: Seat, event: object) -> dict[str, list[Row]]:
    """Return the rows as they are stored of a refused edit of cells, so that the grid shows them again."""
    if not isinstance(event, Mapping) or event.get("type") != "edit-cells" or event.get("table") not in TABLES:
        return {}
    try:
        edit = from_json(event)
        tables = seat.tables(seat.status().digest)
    except EngineError:
        return {}
    if not isinstance(edit, EditCells):
        return {}
    wanted = {key for key, _, _ in edit.cells}
    found = [i for i, key in enumerate(tables.table(edit.table)[KEYS[edit.table]]) if key in wanted]
    return {edit.table: rows(tables, edit.table, found)}


def replace_network(seat: Seat, offers: Offers, shown: object, offer: object) -> Outcome:
    """Put the network that was shown to ``user`` in the place of the study's; undo brings the old one back."""
    ack = {"seq": None, "from": "import", "ok": False, "at": time.time()}
    try:
        before = seat.tables(shown)
        after = offers.take(seat.user, offer)
        revision = seat.status().revision
        saved = seat.services.studies.save_network(seat.user, seat.study, after, revision, f"import {after.name}")
    except EngineError as error:
        return Outcome(ack, "Not imported", tuple(refused(error)))
    return Outcome({**ack, "ok": True}, f"Imported {after.name}", (), saved, before, after, None, True)


def next_step(tables: NetworkTables) -> str:
    """Return what a drawing that has just begun still needs, as the end of a message; "" for any other."""
    buses, branches = len(tables.buses), len(tables.branches)
    if buses > MOST_GUIDED or buses == 0:
        return ""
    if buses == 1:
        return ". Press again for the next bus"
    if not branches:
        return ". Then C, and drag from bus to bus"
    if not len(tables.units):
        return ". Still to come: a unit (select its bus, Add unit)"
    return "" if (tables.buses["load_mw"] > 0).any() else ". Still to come: loads, in the table of buses"


# What the screen shows


def steps(status: NetworkStatus) -> dict[str, Any]:
    """Return what undo and redo would do."""
    return {
        "undo": status.can_undo,
        "redo": status.can_redo,
        "undo_label": status.undo_label,
        "redo_label": status.redo_label,
    }


def version(status: NetworkStatus, *, read_only: bool) -> dict[str, Any]:
    """Return what the browser keeps of the network's version."""
    return {"digest": status.digest, "revision": status.revision, "readonly": read_only}


def drawing(study: str, digest: str, tables: NetworkTables) -> dict[str, Any]:
    """Return how a network is drawn: its view, its elements or the addresses of its map files, its bounds."""
    kind = view_of(tables)
    drawn: dict[str, Any] = {"view": kind, "elements": [], "buses": None, "branches": None}
    if kind == "canvas":
        return {**drawn, "elements": elements(tables, positions(tables)), "bounds": ((-1.0, -1.0), (1.0, 1.0))}
    points = map_points(tables, None if kind == "geographic" else positions(tables))
    address = f"/api/networks/{study}/{digest}/map"
    return {
        **drawn,
        "buses": f"{address}/buses.geojson",
        "branches": f"{address}/branches.geojson",
        "bounds": map_bounds(points),
    }


def same_drawing(before: NetworkTables, after: NetworkTables) -> bool:
    """Return whether the map files of both networks are equal."""
    pairs = ((before.buses, after.buses, DRAWN_BUS), (before.branches, after.branches, DRAWN_BRANCH))
    return all(old is new or old[list(names)].equals(new[list(names)]) for old, new, names in pairs)


def same_symbols(before: NetworkTables, after: NetworkTables) -> bool:
    """Return whether the buses of both, in the same places, have the same signs on the canvas: slack, load, units."""
    old, new = before.buses, after.buses
    signs = old["slack"].equals(new["slack"]) and (old["load_mw"] > 0).equals(new["load_mw"] > 0)
    return signs and set(before.units["bus"]) == set(after.units["bus"])


def changed_rows(
    before: NetworkTables | None, after: NetworkTables, loaded: Iterable[str]
) -> dict[TableName, tuple[dict[str, Any] | None, list[Row] | None]]:
    """Return for each loaded table its transaction, or all of its rows when that is simpler."""
    found: dict[TableName, tuple[dict[str, Any] | None, list[Row] | None]] = {}
    for name in TABLES:
        if name not in set(loaded):
            continue
        parts = transaction(before, after, name) if before is not None else None
        if parts is None:
            found[name] = (None, rows(after, name))
        elif parts:
            found[name] = (parts, None)
    return found


def problems_of(tables: NetworkTables) -> list[Row]:
    """Return the rows of the problems tab."""
    return problem_rows(check(tables))


def totals_of(tables: NetworkTables) -> Any:
    """Return the totals strip."""
    return view.totals(Counts.of(tables))
