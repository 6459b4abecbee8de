"""Make an auction: its sentence, the table of products, the table of seats, the rules in words as they change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import auction_ids, auction_worth, ids
from components import auction_rules as rules
from components.auction_draft import KIND_WORDS, VALUE, Read, sold_words
from components.format import count
from components.icons import icon
from components.sentence import question_bar, word_number, word_popover, word_select
from components.skeleton import Part, button, page, section, state
from components.skeleton import workbench as bench
from components.tables import GridColumn, grid
from engine.auction.presets import ORIGINS
from engine.auction.wording import rules_words, sentence

PAGE = ids.AUCTION
LOTS, SEATS = "lots", "seats"
PRESETS = (("Paper", "Paper"), ("Classroom", "Classroom"), ("FCC", "FCC"), ("Own", "its own"))


@dataclass(frozen=True, slots=True)
class Source:
    """Something an auction can be made from."""

    key: str  # of the address: "template:paper-1", "set:3"
    title: str
    text: str
    href: str


def layout(start: Mapping[str, Any], presets: Mapping[str, Any]) -> html.Main:
    """Return the page. The form is drawn from the draft that this browser keeps for the same source, if any."""
    return page(
        dcc.Store(id=auction_ids.START, data=dict(start)),
        dcc.Store(id=auction_ids.OPENED),
        dcc.Store(id=auction_ids.DRAFT),
        dcc.Store(id=f"{auction_ids.DRAFT}-kept"),
        dcc.Store(id=f"{auction_ids.DRAFT}-changed"),
        dcc.Store(id=auction_ids.MADE),
        dcc.Store(id=auction_ids.WORTH_RESULT),
        dcc.Store(id=f"{auction_ids.WORTH_RESULT}-used"),
        rules.presets_store(presets),
        html.Div(html.P("Opening the draft", className="hr-muted"), id=auction_ids.FORM, className="hr-auction-form"),
        title="Make an auction",
        class_name="hr-auction hr-auction-new",
    )


def form(draft: Mapping[str, Any], bots: Sequence[str], sources: Sequence[Source], read: Read) -> list[Part]:
    """Return the form of a draft. ``read`` is what it says: the first words are there with the form."""
    held = draft.get("rules")
    values: Mapping[str, Any] = held if isinstance(held, Mapping) else {}
    currency = str(draft.get("currency") or "")
    lots = [dict(row) for row in draft.get("lots", []) if isinstance(row, Mapping)]
    seats = [dict(row) for row in draft.get("seats", []) if isinstance(row, Mapping)]
    return [
        question_bar(
            PAGE,
            [
                "Sell ",
                word_popover(auction_ids.SOLD, sold_words(read.configuration), _sources(sources), "What is sold"),
                " to ",
                word_number(auction_ids.SEATS, len(seats), "Number of bidders", minimum=1, maximum=400, step=1),
                " bidders by ",
                word_select(auction_ids.PRESET, PRESETS, str(draft.get("preset") or "Own"), "Rules"),
                " rules, rounds ",
                rules.word(rules.PACE, values),
                _after(rules.ROUND_S, values, " of "),
                ", increment ",
                rules.word(rules.STEP, values),
                _after(rules.AMOUNT, values, " of ", currency),
                ", with ",
                rules.word(rules.SEEN, values),
                " information.",
            ],
            more=html.Div([_about(draft, currency), rules.more(values, currency)], className="hr-auction-options"),
            actions=[
                html.Button("Start afresh", type="button", className="hr-button hr-button-quiet",
                            **{"data-auction-afresh": ""}),
                button("Make the auction", auction_ids.MAKE, primary=True),
            ],
        ),
        bench(
            PAGE,
            grid(PAGE, lot_columns(fixed=bool(draft.get("product_set_digest"))), lots, name=LOTS, label="Products",
                 options=_OPTIONS),
            html.Div(summary(read), id=auction_ids.SUMMARY),
            grid(PAGE, seat_columns(read.configuration.lots, bots), seats, name=SEATS, label="Seats",
                 options=_OPTIONS),
            totals=_tools("Products", LOTS, [] if draft.get("product_set_digest") else [("Add a product", "add-lot")]),
            inspector_title="The rules in words",
            drawer_title="Seats",
            drawer_tools=_tools("", SEATS, [("Add a seat", "add-seat")], more=auction_worth.panel()),
            tab_words=("Products", "Rules", "Seats"),
        ),
    ]  # fmt: skip


# A product's id may hold a dot, which would otherwise mean a part of a value.
_OPTIONS = {
    "rowSelection": {"mode": "multiRow", "checkboxes": False, "headerCheckbox": False, "enableClickSelection": True},
    "singleClickEdit": True,
    "stopEditingWhenCellsLoseFocus": True,
    "suppressFieldDotNotation": True,
}
_PLAYERS = {"valueFormatter": {"function": "hrAuctionPlayer(params.value)"}}
_KINDS = {"valueFormatter": {"function": "hrAuctionKind(params.value)"}}


def lot_columns(*, fixed: bool) -> list[GridColumn]:
    """Return the columns of the products. What a published set says of them is ``fixed``."""
    free = not fixed
    return [
        GridColumn("name", "Product", width=190, pinned=True, editable=True),
        GridColumn("capacity_mw", "Size", "MW", "number", width=92, editable=free),
        GridColumn("risk", "Risk", "%", "number", width=84, editable=free,
                   help="0 for firm capacity; for flexible capacity the level at which it may be interrupted"),
        GridColumn("bus", "Bus", width=80, editable=free),
        GridColumn("units", "Units", "", "number", 0, width=84, editable=True,
                   help="Weight of one block in eligibility and activity"),
        GridColumn("opening", "Opening", "", "number", 0, width=100, editable=True, help="Lowest first bid on a block"),
        GridColumn("reserve", "Reserve", "", "number", 0, width=98, editable=True,
                   help="A block whose final price is below is not sold"),
        GridColumn("quantity", "Blocks", "", "number", 0, width=88, editable=True,
                   help="How many equal blocks of this size are sold"),
    ]  # fmt: skip


def seat_columns(lots: Sequence[Any], bots: Sequence[str]) -> list[GridColumn]:
    """Return the columns of the seats: who plays, how much he may bid on, what the products are worth to him."""
    return [
        GridColumn("name", "Seat", width=150, pinned=True, editable=True),
        GridColumn("bot", "Played by", width=140, editable=True, choices=("", *bots), more=_PLAYERS,
                   help="A person, or a kind of bot; the host may change it at any time"),
        GridColumn("eligibility", "Eligibility", "units", "number", 0, width=130, editable=True,
                   help="Most units to hold and bid on; empty: all there are"),
        GridColumn("kind", "Values", width=125, editable=True, choices=tuple(KIND_WORDS), more=_KINDS,
                   help="Assigned values, private to the seat: none, or a kind"),
        *(
            GridColumn(f"{VALUE}{lot.id}", lot.name, "", "number", 0, width=max(84, 8 * len(lot.name) + 34),
                       editable=True, help="Value of one block, for additive, unit demand and campus values")
            for lot in lots
        ),
        GridColumn("listed", "Totals or bundles", width=210, editable=True,
                   help="By number won: 30 50 55 60. Bundles: A + B = 90; C = 40"),
        GridColumn("minimum_mw", "Least campus", "MW", "number", width=130, editable=True,
                   help="A campus of fewer MW at one bus is worth nothing"),
        GridColumn("budget", "Budget", "", "number", 0, width=96, editable=True),
    ]  # fmt: skip


def summary(read: Read, problems: Sequence[str] | None = None) -> list[Part]:
    """Return what stands at the right: everything that is wrong at once, then the rules in words."""
    wrong = [*read.problems, *(problems or [])]
    configuration = read.configuration
    told: list[Part] = []
    if wrong:
        listed = [*wrong[:MOST_TOLD], *([f"and {len(wrong) - MOST_TOLD} more"] if len(wrong) > MOST_TOLD else [])]
        told.append(state("infeasible", "The auction can be made once these are mended.",
                          title=count(len(wrong), "thing") + " to mend", details=listed))  # fmt: skip
    people = sum(not seat.bot for seat in read.seats)
    told += [
        html.P(sentence(configuration, len(read.seats)), className="hr-auction-sentence"),
        html.P(KNOWN, className="hr-muted") if read.known and people else None,
        html.P(
            f"{count(people, 'seat')} for people, {count(len(read.seats) - people, 'bot')}"
            + (f", from {configuration.origin}" if configuration.origin else ""),
            className="hr-muted",
        ),
        section("Rules", rules.summary(rules_words(configuration))) if configuration.lots else None,
        rules.origins(configuration.rules, ORIGINS, configuration.currency)
        if configuration.rules.preset == "FCC"
        else None,
    ]
    return told


MOST_TOLD = 20
KNOWN = (
    "The values of this template are the same for everybody who opens it. For people who should not know each other's, "
    "type or build others."
)


def _after(control: rules.Control, values: Mapping[str, Any], words: str, currency: str = "") -> Part:
    """Return a word that is shown only while its condition holds, together with the words before it."""
    inner = rules.word(control, values, currency)
    return html.Span([words, inner], hidden=not rules.holds(control.needs, values), **{"data-needs": control.needs})


def _about(draft: Mapping[str, Any], currency: str) -> html.Fieldset:
    def text(component_id: str, label: str, value: Any, **more: Any) -> html.Label:
        box = dbc.Input(id=component_id, type="text", value=value, debounce=True, autocomplete="off", **more)
        return html.Label(
            [html.Span(label), html.Span(box, className="hr-auction-control")], className="hr-auction-field"
        )

    return html.Fieldset(
        [
            html.Legend("The auction"),
            text(auction_ids.TITLE, "Title", draft.get("title"), maxlength=120),
            text(auction_ids.CURRENCY, "Currency of amounts", currency, maxlength=12),
            text(
                auction_ids.SEED,
                "Seed of ties and bots",
                draft.get("seed"),
                inputmode="numeric",
                maxlength=16,
                placeholder="drawn when it is made",
            ),
        ],
        className="hr-auction-about",
    )


def _sources(sources: Sequence[Source]) -> Part:
    return html.Div(
        [
            html.P("Make it from another set of products; this draft is kept.", className="hr-muted"),
            html.Ul(
                [html.Li(dcc.Link([html.Strong(one.title), html.Span(one.text)], href=one.href)) for one in sources],
                className="hr-auction-sources",
            ),
        ]
    )


def _tools(title: str, name: str, actions: Sequence[tuple[str, str]], more: Part = None) -> html.Div:
    made = [
        html.Button([icon("plus", size=14), html.Span(words)], type="button", className="hr-button hr-button-quiet",
                    **{"data-auction-rows": what})
        for words, what in actions
    ]  # fmt: skip
    removing = html.Button(
        [icon("delete", size=14), html.Span("Remove the chosen")], type="button", className="hr-button hr-button-quiet",
        **{"data-auction-rows": f"remove-{name}", "aria-label": f"Remove the chosen {name}"},
    )  # fmt: skip
    heading = html.H2(title, className="hr-pane-title") if title else None
    return html.Div([heading, html.Div([*made, removing, more], className="hr-auction-row-tools")],
                    className="hr-auction-tools")  # fmt: skip
