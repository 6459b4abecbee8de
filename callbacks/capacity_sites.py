"""Where load is asked for: the sites of the Capacity page, chosen, typed, edited, added on the map."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from callbacks.capacity_answer import Seat, amount_of, seat_of, zone_of
from callbacks.capacity_desk import Desk
from callbacks.shell import toast
from components import capacity_ids, capacity_words, ids
from components.capacity_sites import choose, read_table, sites_words, table_text
from components.skeleton import parse_element
from engine.errors import EngineError, QuestionError

PAGE = ids.CAPACITY


@dataclass(frozen=True, slots=True)
class Sites:
    """The sites after a change: their Store, the uniform demand, the text of the table, the word, a message."""

    store: dict[str, list[Any]]
    mw: float | None
    text: str
    word: str
    message: str = ""


def sites_after(buses: Sequence[str], demand_mw: Sequence[float], message: str = "") -> Sites:
    """Return the page's parts for these sites."""
    return Sites(
        store={"bus": list(buses), "mw": list(demand_mw)},
        mw=capacity_words.uniform_mw(demand_mw),
        text=table_text(buses, demand_mw),
        word=sites_words(len(buses)),
        message=message,
    )


def chosen(seat: Seat, sites: Any, kv: Any, zone: Any, most: Any) -> Sites:
    """Return sites chosen by filter, each with the demand asked at present (the first's, where they differ)."""
    network = seat.network()
    count = amount_of(most)
    if count is None or count != int(count) or count > capacity_words.MOST_SITES:
        raise QuestionError(f"choose a whole number of sites from 1 to {capacity_words.MOST_SITES}")
    found = choose(network, amount_of(kv), zone_of(zone), int(count))
    if not found:
        raise QuestionError("no bus in service has that voltage in that zone")
    return sites_after(found, [_usual_mw(sites)] * len(found), f"{sites_words(len(found))} chosen")


def from_table(seat: Seat, sites: Any, text: Any) -> Sites:
    """Return the sites of a typed or pasted table."""
    network = seat.network()
    buses, demand = read_table(str(text or ""), network, _usual_mw(sites))
    return sites_after(buses, demand, f"{sites_words(len(buses))} read")


def toggled(seat: Seat, sites: Any, selection: Any) -> Sites:
    """Return the sites with the selected bus added, or taken away when it is one."""
    element = parse_element(selection)
    buses, demand = capacity_words.sites_of(sites)
    if element is None or element[0] != "bus" or element[1] not in seat.network().buses.ids:
        raise QuestionError("select a bus first")
    bus = element[1]
    if bus in buses:
        kept = [(b, mw) for b, mw in zip(buses, demand, strict=True) if b != bus]
        return sites_after([b for b, _ in kept], [mw for _, mw in kept])
    return sites_after([*buses, bus], [*demand, _usual_mw(sites)])


def edited(sites: Any, changes: Any) -> Sites:
    """Return the sites after cells of the table's column Asked were edited."""
    buses, demand = capacity_words.sites_of(sites)
    asked = dict(zip(buses, demand, strict=True))
    for change in changes if isinstance(changes, Sequence) else []:
        if not isinstance(change, Mapping) or change.get("colId") != "asked":
            continue
        bus, value = str(change.get("rowId")), amount_of(change.get("value"))
        if value is None:
            raise QuestionError(f"the demand at bus {bus} must be a number of MW above 0; remove a site on the map")
        if bus in asked:
            asked[bus] = value
    return sites_after(list(asked), list(asked.values()))


def _usual_mw(sites: Any) -> float:
    _, demand = capacity_words.sites_of(sites)
    return demand[0] if demand else 100.0


def register(app: Dash, desk: Desk) -> None:
    """Wire the controls of the sites."""
    targets = (
        Output(capacity_ids.SITES, "data"),
        Output(capacity_ids.word("mw"), "value"),
        Output(capacity_ids.SITES_TEXT, "value"),
        Output(f"{capacity_ids.SITES_WORD}-text", "children"),
        Output(capacity_ids.SITES_MESSAGE, "children"),
        Output(ids.TOAST, "data", allow_duplicate=True),
    )

    app.clientside_callback(
        ClientsideFunction("capacity", "sameDemand"),
        Output(capacity_ids.SITES, "data", allow_duplicate=True),
        Output(capacity_ids.SITES_TEXT, "value", allow_duplicate=True),
        Input(capacity_ids.word("mw"), "value"),
        State(capacity_ids.SITES, "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        *targets,
        Input(capacity_ids.SITES_CHOOSE, "n_clicks"),
        Input(capacity_ids.SITES_USE, "n_clicks"),
        Input(ids.grid(PAGE, "sites"), "cellValueChanged"),
        State(capacity_ids.SITES, "data"),
        State(capacity_ids.SITES_KV, "value"),
        State(capacity_ids.SITES_ZONE, "value"),
        State(capacity_ids.SITES_MOST, "value"),
        State(capacity_ids.SITES_TEXT, "value"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def change(*given: Any) -> Any:
        choosing, using, changes, sites, kv, zone, most, text, study = given
        seat, by = seat_of(desk, study), ctx.triggered_id
        if by == capacity_ids.SITES_CHOOSE and choosing:
            return _sites(lambda: chosen(seat, sites, kv, zone, most))
        if by == capacity_ids.SITES_USE and using:
            return _sites(lambda: from_table(seat, sites, text))
        if by == ids.grid(PAGE, "sites") and changes:
            return _sites(lambda: edited(sites, changes), aloud=True)
        return (no_update,) * len(targets)

    @app.callback(
        *(Output(target.component_id, target.component_property, allow_duplicate=True) for target in targets),
        Input(f"{capacity_ids.SITE_TOGGLE}-pressed", "data"),
        State(capacity_ids.SITES, "data"),
        State(ids.selection(PAGE), "data"),
        State(capacity_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def toggle(pressed: Any, sites: Any, selection: Any, study: Any) -> Any:
        if not pressed:
            return (no_update,) * len(targets)
        return _sites(lambda: toggled(seat_of(desk, study), sites, selection), aloud=True)


def _sites(make: Callable[[], Sites], *, aloud: bool = False) -> tuple[Any, ...]:
    """Return the outputs of a change of the sites; a refusal is told beside the control, or ``aloud`` in a toast."""
    try:
        after = make()
    except EngineError as error:
        text = str(error)
        told = toast(text[:1].upper() + text[1:]) if aloud else no_update
        return no_update, no_update, no_update, no_update, "" if aloud else text, told
    return after.store, after.mw, after.text, after.word, after.message, no_update
