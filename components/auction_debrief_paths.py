"""Round by round: what each product's price did, who held it, and how far the prices were from an equilibrium."""

from collections.abc import Sequence

import plotly.graph_objects as go
from dash import html

from components.auction_debrief_parts import (
    Cell,
    Column,
    Row,
    amount,
    chart,
    codes,
    csv_button,
    lot_name,
    numbered,
    table,
)
from components.format import MISSING, count, number
from components.skeleton import Part
from engine.auction.debrief import Debrief, RoundRow

MOST_LINES = 12  # products that have a line each
MOST_HELD = 40  # products that have a row each
MOST_ROUNDS = 60  # that have a column each
_DASHES = ("solid", "dash", "dot", "dashdot")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star")
COLOURS = 6  # of the palette; beyond, a hatch tells bidders apart, and the letter always does


def drawn_lots(debrief: Debrief, most: int) -> list[int]:
    """Return the places of the products that are drawn: all, or those that stand highest at the end, in their order."""
    lots = range(len(debrief.lots))
    if len(debrief.lots) <= most:
        return list(lots)
    last = debrief.rounds[-1].prices
    return sorted(sorted(lots, key=lambda lot: (-(last[lot] or 0), lot))[:most])


def drawn_rounds(rounds: Sequence[RoundRow], most: int = MOST_ROUNDS) -> list[RoundRow]:
    """Return the rounds that are drawn: all, or the first and the last ones."""
    return list(rounds) if len(rounds) <= most else [*rounds[: most // 2], *rounds[-(most - most // 2) :]]


def limited(shown: int, there: int, what: str, how: str) -> list[Part]:
    """Return what is said where not all are drawn."""
    if shown >= there:
        return []
    words = f"{number(shown)} of {number(there)} {what} are shown: {how}. The files below have all."
    return [html.P(words, className="hr-muted")]


# Prices


def prices(debrief: Debrief) -> list[Part]:
    """Return the price of each product after each round, as lines and as a table."""
    lots = drawn_lots(debrief, MOST_LINES)
    figure = price_figure(debrief, lots)
    names = [lot_name(debrief.lots[lot]) for lot in lots]
    columns = [
        Column("Round", number=True),
        *(Column(name, debrief.currency, number=True) for name in names),
        Column("New bids", number=True),
        Column("Sum of standing bids", debrief.currency, number=True),
    ]
    rows = [
        Row([number(row.round), *(numbered(row.prices[lot]) for lot in lots), numbered(row.new_bids),
             numbered(row.standing_total)])
        for row in debrief.rounds
    ]  # fmt: skip
    twin = table("prices", "Prices after each round", columns, rows, file="price-paths")
    label = f"Price of each product after each of {count(len(debrief.rounds), 'round')}, in {debrief.currency}"
    return [
        chart("prices", figure, label, twin),
        *limited(len(lots), len(debrief.lots), "products", "those with the highest prices at the end"),
    ]


def price_figure(debrief: Debrief, lots: Sequence[int]) -> go.Figure:
    """Return a line for each of these products: the lowest standing bid, from the round in which all of it is held."""
    figure = go.Figure()
    rounds = [row.round for row in debrief.rounds]
    for place, lot in enumerate(lots):
        name = lot_name(debrief.lots[lot])
        figure.add_trace(
            go.Scatter(
                x=rounds,
                y=[row.prices[lot] for row in debrief.rounds],
                name=name,
                mode="lines+markers" if len(rounds) <= MOST_ROUNDS else "lines",
                line={"shape": "hv", "width": 2, "dash": _DASHES[place // COLOURS % len(_DASHES)]},
                marker={"symbol": _SYMBOLS[place % len(_SYMBOLS)], "size": 7},
                hovertemplate=f"{name}<br>round %{{x}}: %{{y:,}} {debrief.currency}<extra></extra>",
            )
        )
    return figure.update_layout(
        xaxis={"title": "round", "dtick": _step(rounds), "range": [rounds[0] - 0.3, rounds[-1] + 0.3]},
        yaxis={"title": f"price, {debrief.currency}", "rangemode": "tozero"},
        showlegend=True,
    )


def _step(rounds: Sequence[int]) -> int:
    return max(1, -(-len(rounds) // 12))


# Holders


def holders(debrief: Debrief) -> list[Part]:
    """Return who held what after each round: a letter for each bidder, on his colour."""
    lots, rounds = drawn_lots(debrief, MOST_HELD), drawn_rounds(debrief.rounds)
    letters = codes(len(debrief.bidders))
    head = [html.Th("Product", scope="col")]
    for place, row in enumerate(rounds):
        gap = place > 0 and row.round != rounds[place - 1].round + 1
        head.append(html.Th(number(row.round), scope="col", className="hr-debrief-gap" if gap else ""))
    body = []
    for lot in lots:
        before: tuple[int | None, ...] | None = None
        cells: list[Part] = [html.Th(f"{number(lot + 1)}. {lot_name(debrief.lots[lot])}", scope="row")]
        for row in rounds:
            held = row.holders[lot]
            cells.append(_held(held, letters, changed=before is not None and held != before))
            before = held
        body.append(html.Tr(cells))
    key = "debrief-table-holders"
    strip = html.Table([html.Thead(html.Tr(head)), html.Tbody(body)], className="hr-debrief-strip", id=key)
    return [
        _legend(debrief, letters),
        html.Div(
            strip,
            className="hr-worked-scroll",
            tabIndex=0,
            role="group",
            **{"aria-label": "Who held what after each round"},
        ),
        html.Div([html.Span("A line at the left of a cell: it changed hands in that round.", className="hr-muted"),
                  csv_button(key, "holders", "who held what")], className="hr-debrief-under"),
        *limited(len(lots), len(debrief.lots), "products", "those with the highest prices at the end"),
        *limited(len(rounds), len(debrief.rounds), "rounds", "the first and the last"),
    ]  # fmt: skip


def held_words(held: Sequence[int | None], letters: Sequence[str]) -> str:
    """Return a product's holders as letters: ``A``, ``A2 B`` for blocks, a dot while nobody holds it."""
    found = [place for place in held if place is not None]
    said = [
        letters[place] + (number(times) if (times := found.count(place)) > 1 else "") for place in dict.fromkeys(found)
    ]
    return " ".join(said) or "·"


def _held(held: Sequence[int | None], letters: Sequence[str], *, changed: bool) -> html.Td:
    found = [place for place in held if place is not None]
    most = max(dict.fromkeys(found), key=found.count) if found else None
    names = "hr-debrief-held" + (" hr-debrief-changed" if changed else "")
    more = {} if most is None else {"data-colour": str(most % COLOURS), "data-hatch": str(most // COLOURS % 3)}
    return html.Td(held_words(held, letters), className=names, **more)


def _legend(debrief: Debrief, letters: Sequence[str]) -> html.Ul:
    entries = []
    for place, bidder in enumerate(debrief.bidders):
        swatch = html.Span(
            letters[place],
            className="hr-debrief-held hr-debrief-swatch",
            **{"data-colour": str(place % COLOURS), "data-hatch": str(place // COLOURS % 3)},
        )
        entries.append(html.Li([swatch, bidder.name]))
    return html.Ul(entries, className="hr-debrief-legend")


# The certificate, round by round


def gaps(debrief: Debrief) -> list[Part]:
    """Return L(p) and its gap after each round; words where it is not known."""
    rows = [row for row in debrief.rounds if row.dual_value is not None]
    if not rows or debrief.totals.optimum is None:
        return []
    columns = [Column("Round", number=True), Column("Promised by the prices, L(p)", debrief.currency, number=True),
               Column("Gap, L(p) − W*", debrief.currency, number=True),
               Column("Surplus given up against straightforward bidding", debrief.currency, number=True)]  # fmt: skip
    body = [
        Row([number(row.round), numbered(row.dual_value), numbered(row.gap), _given_up(row)]) for row in debrief.rounds
    ]
    twin = table(
        "gaps", "What the prices promise, and the gap, after each round", columns, body, file="certificate-by-round"
    )
    label = (
        f"What the prices promise in all, L(p), after each round, from {amount(rows[0].dual_value)} to "
        f"{amount(rows[-1].dual_value)} {debrief.currency}, and the best possible welfare, "
        f"{amount(debrief.totals.optimum)}"
    )
    return [chart("gaps", gap_figure(debrief), label, twin, height=260)]


def _given_up(row: RoundRow) -> Cell:
    known = [one for one in row.given_up if one is not None]
    return numbered(sum(known)) if known else Cell(MISSING, None)


def gap_figure(debrief: Debrief) -> go.Figure:
    """Return L(p) by round above the best possible welfare; the space between is the gap."""
    totals = debrief.totals
    rounds = [row.round for row in debrief.rounds if row.dual_value is not None]
    values = [row.dual_value for row in debrief.rounds if row.dual_value is not None]
    flat = [totals.optimum] * len(rounds)
    hover = f"round %{{x}}: %{{y:,.2~f}} {debrief.currency}<extra>%{{fullData.name}}</extra>"
    figure = go.Figure()
    figure.add_trace(go.Scatter(x=rounds, y=values, name="promised by the standing prices, L(p)", mode="lines+markers",
                                line={"shape": "hv", "width": 2.5}, hovertemplate=hover))  # fmt: skip
    figure.add_trace(go.Scatter(x=rounds, y=flat, name="best possible welfare, W*", mode="lines",
                                line={"dash": "dash", "width": 2}, hovertemplate=hover))  # fmt: skip
    bound = totals.linear_bound
    if bound is not None and totals.optimum is not None and bound > totals.optimum * (1 + 1e-6):
        figure.add_trace(go.Scatter(x=rounds, y=[bound] * len(rounds), name="least that any prices promise",
                                    mode="lines", line={"dash": "dot", "width": 2}, hovertemplate=hover))  # fmt: skip
    return figure.update_layout(
        xaxis={"title": "round", "dtick": _step(rounds)}, yaxis={"title": debrief.currency}, showlegend=True
    )
