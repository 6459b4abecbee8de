"""Who got what and what it cost, and what each bidder would have had in the optimum, an equilibrium and under VCG."""

from collections import Counter

import plotly.graph_objects as go
from dash import html

from components.auction_debrief_parts import (
    MOST_IN_CARD,
    Cell,
    Column,
    Row,
    amount,
    bundle_words,
    chart,
    lot_name,
    money,
    numbered,
    table,
    told,
)
from components.format import MISSING, count, number, percent
from components.skeleton import Part
from components.why_card import why_card, why_number
from engine.auction.debrief import BidderRow, Debrief

MOST_BARS = 20  # bidders that have bars
MOST_CARDS = 40  # products and bidders whose price and payment say why
SOURCE = "simultaneous ascending auction, Milgrom (2000); arXiv 2604.08854, section III"


def places_of(debrief: Debrief) -> dict[str, int]:
    """Return the place of each product by its id."""
    return {str(lot["id"]): place for place, lot in enumerate(debrief.lots)}


def names_of(debrief: Debrief) -> dict[str, str]:
    """Return the name of each product by its id."""
    return {str(lot["id"]): str(lot["name"]) for lot in debrief.lots}


# Allocation and payments


def allocation(debrief: Debrief) -> Part:
    """Return what each product went for and to whom."""
    last = debrief.rounds[-1]
    won = {lot: [(bidder.name, blocks) for bidder in debrief.bidders for one, blocks in bidder.won if one == lot]
           for lot in places_of(debrief)}  # fmt: skip
    columns = [
        Column("No.", number=True),
        Column("Product"),
        Column("Each", "MW", number=True),
        Column("Risk", number=True),
        Column("Bus"),
        Column("Price", debrief.currency, number=True),
        Column("Won by"),
        Column("Not sold", number=True),
    ]
    rows = []
    for place, lot in enumerate(debrief.lots):
        sold = won[str(lot["id"])]
        unsold = int(lot["quantity"]) - sum(blocks for _, blocks in sold)
        who = ", ".join(name if blocks == 1 else f"{name} ({blocks})" for name, blocks in sold)
        standing = last.prices[place]
        rows.append(Row([
            number(place + 1),
            Cell(html.Span(lot_name(lot), className="hr-debrief-product"), lot_name(lot)),
            numbered(lot["capacity_mw"]),
            Cell("firm" if lot["risk"] == 0 else percent(lot["risk"]), lot["risk"]),
            str(lot["bus"]) or MISSING,
            _price(debrief, place, standing) if sold else Cell(MISSING, None),
            who or "nobody",
            Cell(number(unsold) if unsold else "", unsold),
        ]))  # fmt: skip
    return table("allocation", "What each product went for", columns, rows)


def _price(debrief: Debrief, lot: int, standing: int | None) -> Cell:
    """Return a final price, of the first products with how it came about."""
    if standing is None or lot >= MOST_CARDS:
        return numbered(standing)
    name, several = lot_name(debrief.lots[lot]), int(debrief.lots[lot]["quantity"]) > 1
    steps = []
    before: tuple[object, object] = (None, None)
    for row in debrief.rounds:
        now = (row.prices[lot], row.holders[lot])
        if now != before:
            who = Counter(debrief.bidders[place].name for place in row.holders[lot] if place is not None)
            held = ", ".join(one if times == 1 else f"{one} ({times})" for one, times in who.items())
            steps.append((f"Round {number(row.round)}", f"{amount(row.prices[lot])}, {held or 'nobody'}"))
        before = now
    if len(steps) > MOST_IN_CARD:
        left = len(steps) - MOST_IN_CARD + 1
        steps = [*steps[:3], ("…", f"{number(left)} more changes"), *steps[4 - MOST_IN_CARD :]]
    ended = "Nobody offered more in the last round." if debrief.rounds[-1].new_bids == 0 else "The rounds were over."
    card = why_card(
        f"Price of {name}",
        formula="*p*_l = lowest standing bid of its blocks" if several else "*p*_l = standing bid",
        values=steps,
        binds=[ended] if debrief.phase == "closed" else [],
        source=SOURCE,
    )
    return Cell(why_number(f"debrief-why-price-{lot}", amount(standing), card, label=f"price of {name}"), standing)


def _pays(debrief: Debrief, place: int) -> Cell:
    """Return what a bidder pays, of the first bidders with what for."""
    bidder = debrief.bidders[place]
    if place >= MOST_CARDS or not bidder.pays:
        return numbered(bidder.pays)
    places, last = places_of(debrief), debrief.rounds[-1]
    parts = []
    for lot, blocks in bidder.won[: MOST_IN_CARD - 1]:
        about, price = debrief.lots[places[lot]], last.prices[places[lot]]
        said = amount(price) if int(about["quantity"]) == 1 else f"{number(blocks)} blocks"
        parts.append((str(about["name"]), said))
    if len(bidder.won) >= MOST_IN_CARD:
        parts.append(("…", f"{number(len(bidder.won) - MOST_IN_CARD + 1)} more"))
    parts.append(("Bids together", money(bidder.bids_paid, debrief.currency)))
    if bidder.other_payments:
        parts.append(("Withdrawals and defaults", money(bidder.other_payments, debrief.currency)))
    card = why_card(
        f"What {bidder.name} pays",
        formula="the standing bids on what was won, and what is owed for bids withdrawn or not paid",
        values=parts,
        source=SOURCE,
    )
    return Cell(why_number(f"debrief-why-pays-{place}", amount(bidder.pays), card, label=f"what {bidder.name} pays"),
                bidder.pays)  # fmt: skip


def payments(debrief: Debrief) -> Part:
    """Return what each bidder won and pays."""
    places = places_of(debrief)
    other = any(bidder.other_payments for bidder in debrief.bidders)
    columns = [Column("Bidder"), Column("Won, by No."), Column("In all", "MW", number=True),
               *([Column("Bids", debrief.currency, number=True),
                  Column("Withdrawals, defaults", debrief.currency, number=True)] if other else []),
               Column("Pays", debrief.currency, number=True)]  # fmt: skip
    rows = []
    for place, bidder in enumerate(debrief.bidders):
        more = [numbered(bidder.bids_paid), numbered(bidder.other_payments)] if other else []
        won = bundle_words(bidder.won, places)
        rows.append(Row([bidder.name, won, numbered(bidder.won_mw), *more, _pays(debrief, place)]))
    totals = debrief.totals
    more = [numbered(totals.revenue), numbered(totals.payments - totals.revenue)] if other else []
    rows.append(Row(["All", "", numbered(totals.sold_mw), *more, numbered(totals.payments)], "hr-debrief-sum"))
    return table("payments", "What each bidder pays", columns, rows)


# Surplus


def surplus(debrief: Debrief) -> list[Part]:
    """Return each bidder's surplus as played, against the optimum, an equilibrium and VCG."""
    known = [bidder for bidder in debrief.bidders if bidder.surplus is not None]
    if not known:
        return [html.P("Nobody's values are known here: a surplus needs a value.", className="hr-muted")]
    compared = any(bidder.optimum_value is not None for bidder in known)
    twin = _surplus_table(debrief, compared=compared)
    said: list[Part] = []
    if len(known) < len(debrief.bidders):
        said.append(html.P(f"Values are known of {number(len(known))} of {count(len(debrief.bidders), 'bidder')}.",
                           className="hr-muted"))  # fmt: skip
    if debrief.totals.equilibrium_exists is False:
        said.append(html.P("There are no equilibrium prices to compare with: no linear prices support the optimum.",
                           className="hr-muted"))  # fmt: skip
    if compared:
        said.append(html.P(_compared(debrief)))
    label = "Surplus of each bidder" + (" as played, in an equilibrium and under VCG" if compared else " as played")
    bars = sorted(known, key=lambda one: -abs(one.surplus or 0.0))[:MOST_BARS]
    figure = surplus_figure(debrief, [bidder for bidder in known if bidder in bars])
    if len(known) > MOST_BARS:
        words = f"Bars are drawn for the {MOST_BARS} bidders with the largest surplus or loss; the table has all."
        said.append(html.P(words, className="hr-muted"))
    return [*said, chart("surplus", figure, label, twin, height=280)]


def _compared(debrief: Debrief) -> str:
    totals, unit = debrief.totals, debrief.currency
    said = [f"Revenue as played is {money(totals.revenue, unit)}"]
    if totals.equilibrium_revenue is not None:
        said.append(f"{money(totals.equilibrium_revenue, unit)} at equilibrium prices")
    if totals.vcg_revenue is not None:
        said.append(f"{money(totals.vcg_revenue, unit)} under VCG")
    return ", ".join(said) + "."


def _surplus_table(debrief: Debrief, *, compared: bool) -> html.Div:
    unit, places = debrief.currency, places_of(debrief)
    columns = [Column("Bidder"), Column("Value of what is won", unit, number=True), Column("Pays", unit, number=True),
               Column("Surplus", unit, number=True)]  # fmt: skip
    if compared:
        columns += [Column("In the optimum, by No."), Column("Value there", unit, number=True),
                    Column("Surplus in an equilibrium", unit, number=True),
                    Column("VCG payment", unit, number=True), Column("VCG surplus", unit, number=True)]  # fmt: skip
    columns.append(Column("Given up against straightforward bidding", unit, number=True))
    rows = []
    for bidder in debrief.bidders:
        shown = told(debrief, f"surplus {bidder.id}", amount(bidder.surplus), f"surplus of {bidder.name}")
        cells: list[object] = [bidder.name, numbered(bidder.value), numbered(bidder.pays), Cell(shown, bidder.surplus)]
        if compared:
            best = MISSING if bidder.optimum_won is None else bundle_words(bidder.optimum_won, places)
            cells += [best, *(numbered(one) for one in (bidder.optimum_value, bidder.equilibrium_surplus,
                                                        bidder.vcg_payment, bidder.vcg_surplus))]  # fmt: skip
        rows.append(Row([*cells, numbered(bidder.given_up)], "hr-debrief-loss" if bidder.loss else ""))
    return table("surplus", "Surplus of each bidder", columns, rows)


def surplus_figure(debrief: Debrief, bidders: list[BidderRow]) -> go.Figure:
    """Return bars of each bidder's surplus: as played, in an equilibrium, under VCG, told apart by hatches too."""
    twice = {name for name, times in Counter(bidder.name for bidder in bidders).items() if times > 1}
    names = [f"{one.name} ({one.id})" if one.name in twice else one.name for one in bidders]
    figure = go.Figure()
    for label, shape, values in (
        ("as played", "", [bidder.surplus for bidder in bidders]),
        ("in an equilibrium", "/", [bidder.equilibrium_surplus for bidder in bidders]),
        ("under VCG", ".", [bidder.vcg_surplus for bidder in bidders]),
    ):
        if any(value is not None for value in values):
            hover = f"%{{x}}: %{{y:,.2~f}} {debrief.currency} {label}<extra></extra>"
            pattern = {"shape": shape, "solidity": 0.35}
            figure.add_trace(go.Bar(x=names, y=values, name=label, marker={"pattern": pattern}, hovertemplate=hover))
    return figure.update_layout(
        barmode="group", bargap=0.3, yaxis={"title": f"surplus, {debrief.currency}"}, showlegend=True
    )


def exposure(debrief: Debrief) -> list[Part]:
    """Return who pays more than what he won is worth to him, and why that happens."""
    known = [bidder for bidder in debrief.bidders if bidder.loss is not None]
    if not known:
        return [html.P("Losses need values, and nobody's are known here.", className="hr-muted")]
    losers = [bidder for bidder in known if bidder.loss]
    of = "" if len(known) == len(debrief.bidders) else f" of the {number(len(known))} whose values are known"
    if not losers:
        return [html.P(f"Nobody{of} pays more than what was won is worth to the bidder.")]
    names, unit = names_of(debrief), debrief.currency
    lines = [
        html.Li([html.Strong(f"{bidder.name} loses {money(bidder.loss, unit)}"),
                 f": {bundle_words(bidder.won, {}, names)}, worth {money(bidder.value, unit)} to the bidder, "
                 f"{_cost(bidder, unit)}"])
        for bidder in losers
    ]  # fmt: skip
    why = (
        "Whoever needs several products together bids for all of them and can be left with a part, or goes on bidding "
        "past what the whole is worth so as not to lose more: each bid binds by itself."
    )
    return [html.Ul(lines, className="hr-debrief-lines"), html.P(why, className="hr-muted")]


def _cost(bidder: BidderRow, unit: str) -> str:
    if not bidder.other_payments:
        return f"cost {money(bidder.pays, unit)}."
    return (
        f"cost {money(bidder.pays, unit)}, of which {money(bidder.other_payments, unit)} for withdrawn or unpaid bids."
    )
