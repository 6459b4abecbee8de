"""A finished auction on one page: key numbers, its rounds, what each product went for, the certificate."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from components.format import count, number
from components.skeleton import Part, section, totals
from components.why_card import why_card, why_number
from engine.auction.equilibrium import BidderCheck, Outcome, TableRow
from engine.auction.state import NOBODY, Acted, AuctionState, RoundResult
from engine.auction.wording import increment_words, money, sentence

MOST_COLUMNS = 8  # products that have a column each in the table of rounds
MOST_ROUNDS = 60  # of a long auction the first and the last are shown
SOURCE = "simultaneous ascending auction, Milgrom (2000); arXiv 2604.08854, section III"


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What is known of a finished auction by its bidders' values."""

    values: Sequence[float] | None  # (N,), each bidder's value of what he won; None when some values are not known
    optimum: float | None  # the most that the products can be worth in anybody's hands
    method: str  # how the optimum was found, in words
    gap: float | None = None  # L(p) - optimum
    dual: float | None = None  # L(p)
    lines: Sequence[str] = ()  # the certificate in words
    premises: Sequence[str] = ()  # of the theory, that were broken
    tables: Sequence["Table"] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One bidder's bundles, as the paper's tables VI to IX."""

    title: str
    rows: Sequence[Mapping[str, Any]]  # bundle, value, penalty, price, surplus, won, best
    note: str = ""


def result(state: AuctionState, judged: Judged, tag: str) -> list[Part]:
    """Return the whole result. ``tag`` tells its numbers' ids apart from those of another result."""
    names = [bidder.name for bidder in state.bidders]
    return [
        html.P(sentence(state.configuration, len(names)), className="hr-auction-sentence"),
        totals(_totals(state, judged, tag)),
        html.Div(
            [
                section("What each product went for", products(state, tag)),
                section("Certificate", *certificate(judged)),
            ],
            className="hr-worked-pair",
        ),
        section(f"Its {count(len(state.rounds), 'round')}", rounds(state)),
    ]


def revenue(state: AuctionState) -> int:
    """Return what the winners pay together."""
    return int(state.price[state.holder != NOBODY].sum())


def _totals(state: AuctionState, judged: Judged, tag: str) -> list[dict[str, Any]]:
    currency, lots = state.configuration.currency, state.configuration.lots
    paid = [(bidder.name, int(state.price[state.holder == place].sum())) for place, bidder in enumerate(state.bidders)]
    items: list[dict[str, Any]] = [
        {
            "label": "Revenue",
            "value": why_number(f"auction-why-revenue-{tag}", number(revenue(state)), why_card(
                "Revenue: what winners pay together",
                formula="*R* = Σ_l *p*_l",
                values=[(name, money(amount, currency)) for name, amount in paid],
                binds=[f"{state.ended_because[:1].upper()}{state.ended_because[1:]}."],
                source=SOURCE,
            ), label="revenue"),
            "unit": currency,
            "sign": "firm",
        }
    ]  # fmt: skip
    if judged.values is not None and judged.optimum is not None:
        worth = sum(judged.values)
        share = worth / judged.optimum if judged.optimum else 1.0
        won = [
            (f"*v*({state.bidders[place].name})", money(value, currency)) for place, value in enumerate(judged.values)
        ]
        items.append({
            "label": "Welfare",
            "value": why_number(f"auction-why-welfare-{tag}", number(worth), why_card(
                "Welfare: what the products are worth to those who won them",
                formula="*W* = Σ_i *v*_i(*X*_i)",
                values=[*won, ("Best possible", money(judged.optimum, currency))],
                note=f"Best possible welfare: {judged.method}.",
                source=SOURCE,
            ), label="welfare"),
            "unit": currency,
            "note": "the best possible" if share > 1 - 1e-9 else f"{number(100 * share, 1)} % of the best possible",
            "sign": "fine" if share > 1 - 1e-9 else "flexible",
        })  # fmt: skip
    if judged.gap is not None and judged.dual is not None and judged.optimum is not None:
        items.append({
            "label": "Gap of the prices",
            "value": why_number(f"auction-why-gap-{tag}", number(judged.gap), why_card(
                "How far the prices are from an equilibrium",
                formula="gap = *L*(*p*) − *W*^{*}",
                values=[("*L*(*p*) = Σ *p* + Σ max [*v*(*S*) − *p*(*S*)]", money(judged.dual, currency)),
                        ("*W*^{*}, best possible welfare", money(judged.optimum, currency))],
                note="Zero where the prices support an equilibrium of the values as they are. With an increment above "
                     "zero the theory promises an equilibrium of values that are lower by one increment per product "
                     "not won.",
                source="Bikhchandani and Mamer (1997); specification of the round certificate",
            ), label="gap of the prices"),
            "unit": currency,
        })  # fmt: skip
    last = state.rounds[-1] if state.rounds else None
    step = increment_words(state.configuration.rules.increment, currency)
    items.append({
        "label": "Rounds",
        "value": why_number(f"auction-why-rounds-{tag}", number(len(state.rounds)), why_card(
            "Rounds until the end",
            formula="end when nobody bids anything new",
            values=[("New bids in the last round", number(0 if last is None else int(last.bids_per_lot.sum()))),
                    ("Products", number(len(lots))),
                    ("Increment", step.removeprefix("increment "))],
            binds=[f"{state.ended_because[:1].upper()}{state.ended_because[1:]}."],
            source=SOURCE,
        ), label="rounds"),
    })  # fmt: skip
    return items


# Tables


def table_of(state: AuctionState, outcome: Outcome, check: BidderCheck, rows: Iterable[TableRow]) -> Table:
    """Return a bidder's table: each bundle with its surplus by the modified values (8), his own and the best marked."""
    own = tuple(int(number) for number in check.bundle)
    listed = [
        {
            "bundle": _bundle_words(row.bundle),
            "value": row.value,
            "penalty": row.penalty,
            "price": row.price,
            "surplus": row.modified_surplus,
            "won": row.bundle == own,
            "best": row.modified_surplus >= check.best_surplus - check.tolerance,
        }
        for row in rows
    ]
    name, currency = state.bidders[check.bidder].name, outcome.configuration.currency
    best = sum(bool(row["best"]) for row in listed)
    return Table(
        f"{name}: every bundle at the final prices",
        listed,
        f"In {currency}. The shaded row is what {name} won; the largest surplus, {number(check.best_surplus)}, is "
        f"underlined: {count(best, 'bundle reaches', 'bundles reach')} it. "
        "The penalty is one increment for each product not won.",
    )


def _bundle_words(bundle: Sequence[int]) -> str:
    named = [
        number(lot + 1) if blocks == 1 else f"{blocks} of {lot + 1}" for lot, blocks in enumerate(bundle) if blocks
    ]
    return ", ".join(named) or "none"


def products(state: AuctionState, tag: str) -> html.Div:
    """Return each product's final price, holder, and how the price came about."""
    currency = state.configuration.currency
    head = html.Tr([html.Th("", scope="col"), html.Th("Product", scope="col"),
                    html.Th(f"Price, {currency}", scope="col", className="hr-num"),
                    html.Th("Won by", scope="col")])  # fmt: skip
    rows = []
    for lot, about in enumerate(state.configuration.lots):
        slots = slice(*_span(state, lot))
        standing = [
            int(price) for price, who in zip(state.price[slots], state.holder[slots], strict=True) if who != NOBODY
        ]
        who = [state.bidders[int(place)].name for place in state.holder[slots] if place != NOBODY]
        shown: Part = "–"
        if standing:
            shown = why_number(f"auction-why-lot-{tag}-{lot}", number(min(standing)), _price_card(state, lot, standing),
                               label=f"price of {about.name}")  # fmt: skip
        rows.append(
            html.Tr([html.Td(number(lot + 1), className="hr-muted"), html.Th(about.name, scope="row"),
                     html.Td(shown, className="hr-num"), html.Td(_counted(who) or "nobody")])
        )  # fmt: skip
    return _scrolled(html.Table([html.Thead(head), html.Tbody(rows)], className="hr-worked-table"), "Final prices")


def _counted(names: Sequence[str]) -> str:
    found = {name: names.count(name) for name in names}
    return ", ".join(name if times == 1 else f"{name} ({times})" for name, times in found.items())


def _price_card(state: AuctionState, lot: int, standing: Sequence[int]) -> html.Div:
    configuration = state.configuration
    about = configuration.lots[lot]
    story = [(f"Round {done.round}", words) for done in state.rounds if (words := _offers(state, done, lot))]
    if len(story) > 8:
        story = [*story[:3], ("…", f"{len(story) - 7} more rounds"), *story[-4:]]
    several = about.quantity > 1
    return why_card(
        f"Price of {about.name}",
        formula="*p*_l = lowest standing bid of its blocks" if several else "*p*_l = highest bid on it",
        values=[*story, *([("Standing bids", ", ".join(number(price) for price in standing))] if several else [])],
        binds=["Nobody offered more in the last round." if state.phase == "closed" else "The auction goes on."],
        source=SOURCE,
    )


def _offers(state: AuctionState, done: RoundResult, lot: int) -> str:
    offers = [
        f"{state.bidders[place].name} {number(bid.amount)}"
        for place, acted in done.acted.items()
        for bid in acted.bids
        if bid.lot == lot
    ]
    return ", ".join(offers) + (" (tie)" if lot in done.tied else "")


def rounds(state: AuctionState) -> html.Div:
    """Return who bid what in each round, and who held what after it: of a few products in columns, else in words."""
    names = [bidder.name for bidder in state.bidders]
    few = len(state.configuration.lots) <= MOST_COLUMNS
    standing = (
        [html.Th(number(lot + 1), scope="col", className="hr-num") for lot in range(len(state.configuration.lots))]
        if few
        else [html.Th("Standing: product, holder, price", scope="col")]
    )
    head = html.Tr(
        [html.Th("Round", scope="col"), *(html.Th(f"{name} bids", scope="col") for name in names), *standing]
    )
    shown = list(state.rounds)
    left_out = 0
    if len(shown) > MOST_ROUNDS:
        left_out, shown = len(shown) - MOST_ROUNDS, [*shown[: MOST_ROUNDS // 2], *shown[-MOST_ROUNDS // 2 :]]
    rows = [
        html.Tr(
            [
                html.Th(number(done.round), scope="row"),
                *(html.Td(bids_words(done.acted.get(place))) for place in range(len(names))),
                *([_held(state, done, lot) for lot in range(len(state.configuration.lots))]
                  if few else [html.Td(standing_words(state, done))]),
            ]
        )
        for done in shown
    ]  # fmt: skip
    lead = html.P(
        "After each round: the standing bid on each product by its number, and who holds it." if few else "",
        className="hr-muted",
    )
    note = html.P(f"{left_out} rounds in the middle are left out.", className="hr-muted") if left_out else None
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="hr-worked-table")
    return html.Div([_scrolled(table, "Rounds"), lead, note])


def _held(state: AuctionState, done: RoundResult, lot: int) -> html.Td:
    slots = [slot for slot in range(*_span(state, lot)) if done.holder[slot] != NOBODY]
    if not slots:
        return html.Td("–", className="hr-num")
    names = _counted([state.bidders[int(done.holder[slot])].name for slot in slots])
    price = number(min(int(done.price[slot]) for slot in slots))
    return html.Td([html.Span(price), html.Span(names, className="hr-worked-holder")], className="hr-num")


def _span(state: AuctionState, lot: int) -> tuple[int, int]:
    return int(state.first_slot[lot]), int(state.first_slot[lot + 1])


def bids_words(acted: Acted | None) -> str:
    """Return a set of bids as ``1, 3, 4 at 5``; a dash for none."""
    if acted is None or not acted.bids:
        return "–"
    by_amount: dict[int, list[str]] = {}
    for bid in acted.bids:
        words = number(bid.lot + 1) if bid.blocks == 1 else f"{bid.blocks} of {bid.lot + 1}"
        by_amount.setdefault(bid.amount, []).append(words)
    return "; ".join(f"{', '.join(lots)} at {number(amount)}" for amount, lots in by_amount.items())


def standing_words(state: AuctionState, done: RoundResult) -> str:
    """Return the standing bids after a round: ``1 Bidder 2 (10)``; blocks of one product together."""
    said = []
    for lot in range(len(state.configuration.lots)):
        held = [slot for slot in range(*_span(state, lot)) if done.holder[slot] != NOBODY]
        if not held:
            continue
        names = _counted([state.bidders[int(done.holder[slot])].name for slot in held])
        said.append(f"{lot + 1} {names} ({number(min(int(done.price[slot]) for slot in held))})")
    return ", ".join(said) or "–"


def certificate(judged: Judged) -> list[Part]:
    """Return the certificate in words, then a table per bidder."""
    told: list[Part] = [html.Ul([html.Li(line) for line in judged.lines], className="hr-host-lines")]
    if judged.premises:
        listed = list(dict.fromkeys(judged.premises))
        summary = html.Summary(f"{count(len(listed), 'premise')} of the theory broken")
        lines = html.Ul([html.Li(line) for line in listed], className="hr-host-lines")
        told.append(html.Details([summary, lines], className="hr-worked-details"))
    told += [_bundles(table) for table in judged.tables]
    return told


def _bundles(table: Table) -> html.Details:
    head = html.Tr([html.Th(words, scope="col", className="" if place == 0 else "hr-num") for place, words in
                    enumerate(("Products", "Value", "Penalty", "Price", "Surplus after penalty"))])  # fmt: skip
    rows = [
        html.Tr(
            [html.Th(row["bundle"], scope="row"),
             *(html.Td(number(row[name]), className="hr-num") for name in ("value", "penalty", "price", "surplus"))],
            className=("hr-worked-won " if row["won"] else "") + ("hr-worked-best" if row["best"] else ""),
        )
        for row in table.rows
    ]  # fmt: skip
    body = html.Table([html.Thead(head), html.Tbody(rows)], className="hr-worked-table")
    note = html.P(table.note, className="hr-muted") if table.note else None
    return html.Details([html.Summary(table.title), _scrolled(body, table.title), note], className="hr-worked-details")


def _scrolled(table: html.Table, label: str) -> html.Div:
    return html.Div(table, className="hr-worked-scroll", tabIndex=0, role="group", **{"aria-label": label})
