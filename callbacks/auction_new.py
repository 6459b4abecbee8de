"""Make an auction: the draft of a template or of a published product set, judged as it changes, and made."""

import math
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from callbacks.security import current_user
from callbacks.services import Services
from callbacks.shell import toast
from components import auction_draft, auction_ids, auction_new, auction_rules, auction_worth, ids
from components.auction_draft import Read, Seat
from components.auction_new import Source
from components.capacity_products import moment_of
from components.format import count, megawatts
from components.grid_map import is_geographic
from engine.auction import templates, values
from engine.auction.bots import BOTS
from engine.auction.configuration import check_configuration
from engine.auction.presets import PRESETS
from engine.auction.rules import Configuration, Lot
from engine.auction.value_builder import Built, build
from engine.capacity.products import ProductSet
from engine.errors import EngineError, NotFoundError
from engine.network.tables import NetworkTables
from engine.store.answers import ProductSetRecord

PAGE = ids.AUCTION
SET, TEMPLATE = "set:", "template:"
_BIDDERS = 6  # seats of an auction of one's own products, to begin with
_SHOWN_SETS = 5
_SEEDS = 2**31


def sources(services: Services, user: str, study: str | None) -> list[Source]:
    """Return what an auction can be made from: product sets of the open study first, then templates."""
    made = [
        Source(f"{TEMPLATE}{one.key}", one.title, one.description, f"/auction?make={TEMPLATE}{one.key}")
        for one in templates.TEMPLATES.values()
    ]
    if not study:
        return made
    try:
        name = services.studies.get(user, study).name
        records = services.products.list(user, study)[:_SHOWN_SETS]
    except NotFoundError:
        return made
    for record in reversed(records):
        listed = record.product_set["products"]
        total = sum(product["capacity_mw"] for product in listed)
        made.insert(
            0,
            Source(
                f"{SET}{record.version}",
                f"{name}, version {record.version}",
                f"{count(len(listed), 'product')}, {megawatts(total)}, published {moment_of(record.created)}",
                f"/auction?make={SET}{record.version}&study={study}",
            ),
        )
    return made


def start(services: Services, user: str, wanted: str, study: str | None) -> dict[str, Any]:
    """Return the draft that ``wanted`` asks for. Raises NotFoundError for what is not there."""
    if wanted.startswith(SET) and study:
        return _of_set(services, user, study, wanted.removeprefix(SET))
    key = wanted.removeprefix(TEMPLATE)
    template = _fresh() if f"{TEMPLATE}{key}" == auction_draft.FRESH else templates.TEMPLATES.get(key)
    if template is None:
        raise NotFoundError(f"there is no template {wanted.removeprefix(TEMPLATE)[:40]!r} to make an auction from")
    seats = [_seat(seat) for seat in template.seats]
    return auction_draft.draft_of(_named(template.configuration), seats, f"{TEMPLATE}{template.key}")


def _fresh() -> templates.Template:
    """Return the class-room template with values of its own: those of the template are known to all who open it."""
    drawn = templates.classroom(seed=secrets.randbelow(_SEEDS))
    origin = "the class-room template, its products and values drawn for this auction"
    return replace(drawn, configuration=replace(drawn.configuration, seed=0, origin=origin))


def _of_set(services: Services, user: str, study: str, version: str) -> dict[str, Any]:
    record = services.products.get(user, study, int(version) if version.isdecimal() else 0)
    products = ProductSet.from_json(record.product_set)
    summary = services.studies.get(user, study)
    tables = services.tables_version(user, study, record.network_digest)
    names = dict(zip(tables.buses["bus"].astype(str), tables.buses["name"].astype(str), strict=True))
    title = f"{summary.name}, products version {record.version}"
    configuration = templates.from_product_set(products, title=title, names=names)
    seats = [_seat(seat) for seat in templates.seats_for(configuration, _BIDDERS, secrets.randbelow(_SEEDS))]
    draft = auction_draft.draft_of(_named(configuration), seats, f"{SET}{record.version}:{study}")
    return {**draft, "study": study, "version": record.version}


def _seat(seat: templates.Seat) -> Seat:
    return Seat(seat.name, seat.bot, seat.eligibility, dict(seat.valuation) if seat.valuation else None)


# What is wrong


def judged(draft: Any) -> tuple[Read, list[str]]:
    """Return what a draft says, and what the engine finds wrong with it; the draft's own problems are in the former."""
    read = auction_draft.read(draft)
    found = [problem.message for problem in check_configuration(read.configuration) if problem.severity == "error"]
    for seat in read.seats:
        if seat.valuation is not None:
            listed = values.check(seat.valuation, read.configuration)
            found += [f"{seat.name}: {problem.message}" for problem in listed if problem.severity == "error"]
    if not read.seats:
        found.append("An auction has at least one seat: add one.")
    return read, list(dict.fromkeys(found))


def make(services: Services, user: str, draft: Any) -> str:
    """Make the auction of a draft; return its id. Raises EngineError in words while something is wrong."""
    read, found = judged(draft)
    wrong = [*read.problems, *found]
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise EngineError(f"The auction is not made yet. {wrong[0]}{more}")
    every = templates.total_units(read.configuration)
    deposit = read.configuration.rules.deposit_per_unit
    seats = [
        templates.Seat(seat.name, seat.valuation, seat.bot, units, deposit * units)
        for seat in read.seats
        for units in [every if seat.eligibility is None else seat.eligibility]
    ]
    study, record = _from(services, user, draft)
    if study is None or record is None:
        return services.auctions.create(user, _named(read.configuration), seats, keep_seed=read.seeded)
    tables = services.tables_version(user, study, record.network_digest)
    places = places_of(read.configuration.lots, tables)
    return services.auctions.create(
        user, _named(read.configuration), seats, study=study, version=record.version, places=places,
        keep_seed=read.seeded,
    )  # fmt: skip


def places_of(lots: Sequence[Lot], tables: NetworkTables) -> dict[str, tuple[float, float]]:
    """Return longitude and latitude of each lot, by its id, where its bus has them."""
    if not is_geographic(tables):
        return {}
    columns = (tables.buses[name] for name in ("bus", "longitude", "latitude"))
    known = {str(bus): (float(east), float(north)) for bus, east, north in zip(*columns, strict=True)}
    return {lot.id: known[lot.bus] for lot in lots if lot.bus in known and all(map(math.isfinite, known[lot.bus]))}


def _named(configuration: Configuration) -> Configuration:
    return replace(configuration, rules=auction_rules.named(configuration.rules, PRESETS))


def _from(services: Services, user: str, draft: Any) -> tuple[str | None, ProductSetRecord | None]:
    """Return study and record of a draft's product set, once they are found to be the user's to read."""
    study, version = (draft.get(name) for name in ("study", "version")) if isinstance(draft, Mapping) else (None, None)
    if not isinstance(study, str) or not isinstance(version, int):
        return None, None
    return study, services.products.get(user, study, version)


# The page


def page_layout(services: Services, **query: str) -> Any:
    """Return the page that makes an auction from what the address names."""
    wanted, study = str(query.get("make") or ""), query.get("study")
    held = study if isinstance(study, str) else None
    return auction_new.layout(start(services, current_user(), wanted, held), PRESETS)


def form(services: Services, user: str, draft: Any, study: Any) -> Any:
    """Return the form drawn from a draft that the browser kept."""
    held: dict[str, Any] = dict(draft) if isinstance(draft, Mapping) else {}
    rows: dict[str, Any] = {
        name: listed if isinstance(listed := held.get(name), list) else [] for name in ("lots", "seats")
    }
    kinds = [kind for kind in BOTS if not kind.startswith("paper-")] + [k for k in BOTS if k.startswith("paper-")]
    offered = sources(services, user, study if isinstance(study, str) else None)
    return auction_new.form({**held, **rows}, kinds, offered, auction_draft.read({**held, **rows}))


def register(app: Dash, services: Services) -> None:
    """Wire the form."""
    app.clientside_callback(
        ClientsideFunction("auction", "openDraft"),
        Output(auction_ids.OPENED, "data"),
        Input(auction_ids.START, "data"),
    )

    @app.callback(
        Output(auction_ids.FORM, "children"),
        Input(auction_ids.OPENED, "data"),
        State(ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def draw(draft: Any, study: Any) -> Any:
        if not isinstance(draft, Mapping):
            return no_update
        return form(services, current_user(), draft, study)

    app.clientside_callback(
        ClientsideFunction("auction", "collect"),
        Output({"type": "auction-rule", "name": ALL}, "value"),
        Output(auction_ids.PRESET, "value"),
        Output(auction_ids.SEATS, "value"),
        Output(auction_ids.DRAFT, "data"),
        Input(auction_ids.PRESET, "value"),
        Input({"type": "auction-rule", "name": ALL}, "value"),
        Input(auction_ids.TITLE, "value"),
        Input(auction_ids.CURRENCY, "value"),
        Input(auction_ids.SEED, "value"),
        Input(auction_ids.SEATS, "value"),
        Input(ids.grid(PAGE, auction_new.LOTS), "cellValueChanged"),
        Input(ids.grid(PAGE, auction_new.SEATS), "cellValueChanged"),
        Input(f"{auction_ids.DRAFT}-changed", "data"),
        State(auction_ids.PRESETS, "data"),
        State(auction_ids.OPENED, "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(auction_ids.SUMMARY, "children"),
        Output(f"{auction_ids.SOLD}-text", "children"),
        Input(auction_ids.DRAFT, "data"),
        prevent_initial_call=True,
    )
    def judge(draft: Any) -> Any:
        if not isinstance(draft, Mapping):
            return no_update, no_update
        read, found = judged(draft)
        return auction_new.summary(read, found), auction_draft.sold_words(read.configuration)

    @app.callback(
        Output(auction_ids.MADE, "data"),
        Output(ids.LOCATION, "href", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Input(auction_ids.MAKE, "n_clicks"),
        State(auction_ids.DRAFT, "data"),
        State(auction_ids.OPENED, "data"),
        running=[(Output(auction_ids.MAKE, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def create(clicks: Any, draft: Any, opened: Any) -> Any:
        if not clicks:
            return no_update, no_update, no_update
        try:
            made = make(services, current_user(), draft if isinstance(draft, Mapping) else opened)
        except EngineError as error:
            return no_update, no_update, toast(str(error))
        return made, f"/auction?auction={made}", no_update

    app.clientside_callback(
        ClientsideFunction("auction", "made"),
        Output(f"{auction_ids.DRAFT}-kept", "data"),
        Input(auction_ids.MADE, "data"),
        prevent_initial_call=True,
    )

    _register_worth(app)


def worth(held: Mapping[str, Any], draft: Any) -> tuple[Built | None, list[str], str]:
    """Return the values that the builder's fields make of a draft's products, what is wrong, and the currency."""
    configuration = auction_draft.read(draft).configuration
    inputs, problems = auction_worth.inputs_of(held, sorted({lot.risk for lot in configuration.lots}))
    if inputs is None:
        return None, problems, configuration.currency
    try:
        return build(inputs, configuration), [], configuration.currency
    except EngineError as error:
        return None, [f"{part[:1].upper()}{part[1:]}." for part in str(error).split("; ")], configuration.currency


def _register_worth(app: Dash) -> None:
    @app.callback(
        output=(Output(f"{auction_ids.WORTH}-working", "children"), Output(auction_ids.WORTH_RESULT, "data")),
        inputs={
            "pressed": {
                "given": Input({"type": "auction-worth-field", "name": ALL}, "value"),
                "opened": Input(auction_ids.WORTH, "n_clicks"),
                "used": Input(f"{auction_ids.WORTH}-use", "n_clicks"),
            }
        },
        state={
            "held": {
                "names": State({"type": "auction-worth-field", "name": ALL}, "id"),
                "draft": State(auction_ids.DRAFT, "data"),
                "start": State(auction_ids.OPENED, "data"),
            }
        },
        prevent_initial_call=True,
    )
    def value(pressed: dict[str, Any], held: dict[str, Any]) -> Any:
        if not pressed["opened"]:
            return no_update, no_update
        pairs = zip(held["names"], pressed["given"], strict=False)
        fields = {str(name.get("name")): one for name, one in pairs if isinstance(name, dict)}
        draft = held["draft"] if isinstance(held["draft"], Mapping) else held["start"]
        built, problems, currency = worth(fields, draft)
        if built is None:
            return auction_worth.wrong(problems), no_update
        shown = auction_worth.working(built, currency)
        if ctx.triggered_id != f"{auction_ids.WORTH}-use" or not pressed["used"]:
            return shown, no_update
        row = auction_draft.seat_row(Seat("", valuation=dict(built.valuation)), 0)
        return shown, {"row": {key: row[key] for key in row if key not in _KEPT}, "at": time.time()}

    app.clientside_callback(
        ClientsideFunction("auction", "useWorth"),
        Output(f"{auction_ids.WORTH_RESULT}-used", "data"),
        Input(auction_ids.WORTH_RESULT, "data"),
        prevent_initial_call=True,
    )


_KEPT = ("id", "name", "bot", "eligibility")  # of a seat whose values are built
