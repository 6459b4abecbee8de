"""The Auction tab of the Siting page: which sites of the shortlist stand together, and the way to their auction."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import siting_ids
from components.capacity_answer import pressed_button
from components.format import count, megawatts, number, percent, sentence
from components.siting_basis import days_and_floor
from components.siting_site import SOURCE_MARKET, SiteStudy, small_table
from components.skeleton import Part, facts, job_stores, progress_card, section, state
from components.why_card import why_card, why_number
from engine.siting.market import SiteMarket
from engine.siting.products import MOST_OFFERS, SITING, SaleTerms
from engine.store.jobs import Job

TERMS = SaleTerms()


STEPS = (
    ("Shortlist", "ranked by the market"),
    ("Stand together", "the gate of all of them at once"),
    ("Products", "published, with reserves by score"),
    ("Auction", "bids in the room"),
    ("Signed result", "the ledger's file, with its proof"),
    ("Deliverability", "what was sold, checked in the debrief"),
)


def path(done: int) -> html.Ol:
    """Return the way from the shortlist to a checked result; the first ``done`` steps are behind."""
    return html.Ol(
        [
            html.Li(
                [html.Strong(name), html.Span(words)],
                className="hr-siting-done" if place < done else "hr-siting-next" if place == done else "",
                **({"aria-current": "step"} if place == done else {}),
            )
            for place, (name, words) in enumerate(STEPS)
        ],
        className="hr-siting-path",
        **{"aria-label": "From the shortlist to a checked result"},
    )


def place() -> list[Part]:
    """Return the form and the place of what it finds."""
    name = siting_ids.AUCTION
    fields = [
        ("count", "Sites tried, best score first", TERMS.count, "", MOST_OFFERS),
        ("reserve_per_mw", "Reserve r0, per MW", TERMS.reserve_per_mw, "currency", 1_000_000),
    ]
    given = [
        html.Label(
            [
                words,
                html.Span(
                    [
                        dbc.Input(
                            id=siting_ids.sale(key), type="number", value=value, min=0, max=most, step="any",
                            debounce=True, class_name="hr-input hr-input-small",
                        ),
                        html.Span(unit, className="hr-unit"),
                    ]
                ),
            ],
            className="hr-siting-field",
        )
        for key, words, value, unit, most in fields
    ]  # fmt: skip
    return [
        *job_stores(name),
        dcc.Store(id=f"{name}-published"),
        *(dcc.Store(id=f"{button}-pressed") for button in (siting_ids.AUCTION_TRY, siting_ids.AUCTION_SELL)),
        section(
            "Certified capacity for an auction",
            html.Div(path(0), id=f"{name}-path"),
            html.P(
                "Sites are certified one by one and need not stand together. They are taken by their scores, each tried"
                " with all before it; what passes the gate as a whole can be sold. A lot is one site with its envelope,"
                " and a worse score costs more: its reserve is r0 (2 \u2212 score) per MW.",
                className="hr-muted",
            ),
            html.Div(given, className="hr-siting-fields"),
            html.Div(pressed_button("Try them together", siting_ids.AUCTION_TRY), className="hr-siting-ways"),
            html.Div(id=name, **{"aria-live": "polite"}),
        ),
    ]


def message(words: str, *, wrong: bool = False) -> Part:
    """Return a word where there is nothing to sell."""
    return state("failed" if wrong else "empty", words, title="Not possible" if wrong else None)


def unproved_words(study: SiteStudy, amount: int, count_: int) -> str:
    """Return why a shortlist of the first ``count_`` places cannot be published yet, and what to do."""
    gap = "" if study.market is None else percent(study.market.question.base_gap, 2)
    return (
        f"by the weights drawn and a shortlist of {number(count_)}, the noise floor could move {count(amount, 'site')} "
        f"whose gap is above {gap} into or out of what is offered: run the market again with {gap} as the gap of its "
        f"sites, or go back to equal weights and a shortlist of "
        f"{number(study.run.question.shortlist)}, for which such sites were solved again"
    )


def unproved(study: SiteStudy, loose: Sequence[SiteMarket], count_: int) -> Part:
    """Return why nothing is offered: sites at the border of the shortlist are too loosely solved."""
    rows = [
        (study.words(placed.bus), placed.envelope.name, (percent(site.gap, 3), site.gap))
        for site in sorted(loose, key=lambda one: -one.gap)
        if (placed := site.placement) is not None
    ]
    card = why_card(
        f"{count(len(loose), 'site')} too loosely solved",
        formula="open by the noise floor,  gap > gap of the days without a site",
        values=[
            ("places of the shortlist", number(count_)),
            (
                "gap of the days without a site",
                "" if study.market is None else percent(study.market.question.base_gap, 2),
            ),
        ],
        inputs=study.inputs(market=True),
        source=SOURCE_MARKET,
    )
    return html.Div(
        [
            state("infeasible", f"{sentence(unproved_words(study, len(loose), count_))}.", title="Not proved yet"),
            small_table(
                "unproved", "Sites too loosely solved", ["Site", "Envelope", "Gap"], rows, text=(0, 1),
                file="loosely-solved", why=card,
            ),
        ]
    )  # fmt: skip


def running(job: Job) -> Part:
    """Return the place of the products while sites are tried."""
    return progress_card("Sites tried together", done=job.done, total=job.total, message=job.message, job=job.id)


def offered(study: SiteStudy, made: Mapping[str, Any], version: int | None, link: str, *, owner: bool) -> Part:
    """Return what can be sold, what was refused and why, and the way to the auction."""
    offers, witness = made["question"][SITING]["offers"], made["witness"]
    total = sum(float(product["capacity_mw"]) for product in made["products"])
    places = {key: place for place, key in enumerate(study.network.buses.ids)}
    rows = [
        (
            (study.words(places[product["bus"]]), product["bus"]),
            offers[product["id"]]["envelope"]["name"],
            (number(product["capacity_mw"]), product["capacity_mw"]),
            (number(offers[product["id"]]["score"], 3), offers[product["id"]]["score"]),
            (number(offers[product["id"]]["reserve_per_mw"], 1), offers[product["id"]]["reserve_per_mw"]),
        )
        for product in made["products"]
    ]
    verdict = witness["verdict"]
    text = megawatts(total)
    card = why_card(
        f"{text} at {number(len(rows))} sites pass the gate together",
        formula="in the order of scores: keep a site if everything kept passes \u03c1 \u2265 threshold with it",
        values=[
            ("hours times outages", number(witness["rows_checked"])),
            ("threshold", percent(made["question"][SITING]["question"]["threshold"], 0)),
            ("decided again from nothing", number(verdict["rows_checked"])),
        ],
        inputs=study.inputs(market=True),
        source="arXiv 2605.14714, clearing; the check is a linear program in bus angles for each hour and outage",
        note=verdict["words"],
    )
    shown = why_number("siting-why-offered", text, card, label="MW that stand together")
    refused = list(made["notices"][2:])
    parts: list[Part] = [
        facts([("Stand together", shown), ("Sites", number(len(rows))), ("Refused", number(len(refused)))]),
        small_table(
            "offered", "What can be sold", ["Site", "Envelope", "MW", "Score", "Reserve per MW"], rows, text=(0, 1),
            file="certified-products", note=days_and_floor(study.market), why=card,
        ),
    ]  # fmt: skip
    if refused:
        listed = [tuple(words.split(": ", 1)) for words in refused]
        table = small_table(
            "offers-refused",
            "Refused",
            ["Site and envelope", "Why not"],
            listed,
            text=(0, 1),
            file="refused",
            tall=True,
        )
        parts.append(html.Details([html.Summary(f"Refused, with reasons ({number(len(refused))})"), table]))
    parts.append(_way(version, link, owner=owner))
    return html.Div(parts)


def _way(version: int | None, link: str, *, owner: bool) -> Part:
    if version is not None:
        words = f"Published as version {version} of this study's products."
        way = dcc.Link(f"Auction version {version}", href=link, className="hr-button hr-button-primary")
        return html.Div([html.P(words), way], className="hr-siting-ways")
    if not owner:
        return html.P("This study is shared with you to read: duplicate it to auction its sites.", className="hr-muted")
    return html.Div(pressed_button("Publish as products", siting_ids.AUCTION_SELL), className="hr-siting-ways")
