"""The lobby of the auctions: a worked example with its result, one's own auctions, what to make one from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import dcc, html

from components import auction_ids, ids
from components.auction_new import Source
from components.format import count
from components.icons import icon
from components.sentence import question_bar, word_number, word_select
from components.skeleton import Part, button, page, state

PAGE = ids.AUCTION
PHASES = {"set up": "not open yet", "open": "open", "paused": "paused", "closed": "closed", "cancelled": "cancelled"}
AS_THEY_ARE = "as given"


@dataclass(frozen=True, slots=True)
class AuctionLine:
    """One auction of the list."""

    id: str
    title: str
    phase: str
    round: int
    bidders: int
    when: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the worked example is asked: a template, and what of it is changed."""

    template: str
    increment: int | None  # None: in percent, as the template has it
    ties: str
    bots: str = AS_THEY_ARE


def layout(
    asked: Asked,
    result: Part,
    auctions: Sequence[AuctionLine],
    sources: Sequence[Source],
    bots: Sequence[tuple[str, str]],
    *,
    templates: Sequence[tuple[str, str]],
) -> html.Main:
    """Return the page. ``result`` is the worked example's, there when the page opens."""
    return page(
        question_bar(PAGE, sentence(asked, templates, bots), actions=[
            button("Play it against bots", f"{auction_ids.EXAMPLE}-play", primary=True),
            dcc.Link("Make it an auction", href=f"/auction?make=template:{asked.template}",
                     className="hr-button", id=f"{auction_ids.EXAMPLE}-make"),
            dcc.Link("Join by a code", href="/auction/join", className="hr-button"),
            dcc.Link("Open a ledger", href="/auction/debrief", className="hr-button"),
        ]),
        html.Div(
            [
                html.Section([html.H2("Worked example", className="visually-hidden"),
                              html.Div(result, id=auction_ids.EXAMPLE, **{"aria-live": "polite"})],
                             className="hr-lobby-example"),
                html.Div([mine(auctions), made_from(sources)], className="hr-lobby-side"),
            ],
            className="hr-lobby",
        ),
        title="Auctions",
        class_name="hr-auction hr-auction-lobby",
    )  # fmt: skip


def sentence(asked: Asked, templates: Sequence[tuple[str, str]], bots: Sequence[tuple[str, str]]) -> list[Part]:
    """Return the question of the worked example: its words are controls."""
    return [
        "How does ",
        word_select(auction_ids.word("template"), templates, asked.template, "Example"),
        " end with increment ",
        word_number(auction_ids.word("increment"), asked.increment, "Increment", unit="k$", minimum=1, step=1,
                    placeholder="in percent"),
        ", equal best bids decided ",
        word_select(auction_ids.word("ties"), (("alternating", "by turns"), ("random", "by a random number")),
                    asked.ties, "Equal best bids"),
        ", and bidders who bid ",
        word_select(auction_ids.word("bots"), ((AS_THEY_ARE, "as the example says"), *bots), asked.bots, "Bidding"),
        "?",
    ]  # fmt: skip


def mine(auctions: Sequence[AuctionLine]) -> html.Section:
    """Return the list of one's own auctions."""
    if not auctions:
        body: Part = state(
            "empty",
            "Press one of the sets below: its form is filled, and the auction is made with one press.",
            title="No auctions of yours yet",
        )
    else:
        body = html.Ul([html.Li(_line(one)) for one in auctions], className="hr-lobby-list")
    return html.Section([html.H2("My auctions", className="hr-home-head"), body], id=auction_ids.LIST)


def at_home(auctions: Sequence[AuctionLine]) -> html.Section:
    """Return what Home shows of auctions: one's own last ones, and the worked example."""
    example = dcc.Link(
        [
            html.Span(
                [
                    html.Strong("A whole auction, bid by bid"),
                    html.Span("Four products, two bidders, five rounds, and the proof that nobody would rather swap."),
                ],
                className="hr-lobby-words",
            ),
            icon("arrow", size=16),
        ],
        href="/auction",
        className="hr-lobby-link",
    )
    lines = [html.Li(_line(one)) for one in auctions]
    return html.Section(
        [
            html.H2("Auctions", className="hr-home-head"),
            html.Ul([*lines, html.Li(example)], className="hr-lobby-list"),
        ],
        className="hr-home-auctions",
    )


def _line(one: AuctionLine) -> Part:
    where = f"round {one.round}, " if one.phase in ("open", "paused") and one.round else ""
    return dcc.Link(
        [
            html.Span([html.Strong(one.title), html.Span(f"{count(one.bidders, 'seat')}, {one.when}")],
                      className="hr-lobby-words"),
            html.Span(f"{where}{PHASES.get(one.phase, one.phase)}", className="hr-host-phase",
                      **{"data-phase": one.phase}),
        ],
        href=f"/auction?auction={one.id}",
        className="hr-lobby-link",
    )  # fmt: skip


def made_from(sources: Sequence[Source]) -> html.Section:
    """Return what an auction can be made from."""
    lines = [
        html.Li(
            dcc.Link(
                [
                    html.Span([html.Strong(one.title), html.Span(one.text)], className="hr-lobby-words"),
                    icon("arrow", size=16),
                ],
                href=one.href,
                className="hr-lobby-link",
            )
        )
        for one in sources
    ]
    return html.Section(
        [html.H2("Make an auction", className="hr-home-head"), html.Ul(lines, className="hr-lobby-list")]
    )


def failed(message: str) -> Part:
    """Return what stands where the result would be."""
    return state("infeasible", message, title="This example has no result")


def ids_of_words() -> dict[str, Any]:
    """Return the ids of the sentence's words by name."""
    return {name: auction_ids.word(name) for name in ("template", "increment", "ties", "bots")}
