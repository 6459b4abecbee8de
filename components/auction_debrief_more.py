"""The end of a debrief: can the result be delivered, what would another rule have done, files, other ledgers."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import auction_ids
from components.auction_debrief_parts import Cell, Column, Row, numbered, signed, table
from components.format import MISSING, megawatts, number, percent
from components.icons import icon
from components.skeleton import Part, button, job_stores, progress_card, state
from engine.auction.what_if import Comparison, Outcome

MOST_BYTES = 20_000_000  # of all files of an upload together


# Deliverability


def delivery(told: Mapping[str, Any]) -> list[Part]:
    """Return what the check against the network has found, or where it stands."""
    if told["state"] in ("queued", "running"):
        return [progress_card("Checking delivery", message=str(told["words"]), job=str(told["job"]))]
    if told["state"] != "done":
        title = {"impossible": "This cannot be checked", "failed": "The check failed"}.get(told["state"], "Not checked")
        return [state("failed" if told["state"] == "failed" else "empty", str(told["words"]), title=title)]
    holds = bool(told["holds"])
    sign = "fine" if holds else "binding"
    verdict = "All that is awarded can be delivered at once" if holds else "Not all that is awarded can be delivered"
    witness = told["witness"]
    columns = [Column("Limit"), Column("Risk", number=True), Column("Room before", "MW", number=True),
               Column("Used", "MW", number=True), Column("Left", "MW", number=True)]  # fmt: skip
    rows = [
        Row(
            [
                f"{row['words']}{_period(row)}",
                Cell("firm" if row["level"] == 0 else percent(row["level"]), row["level"]),
                *(Cell(megawatts(row[name], "").strip(), row[name]) for name in ("margin_mw", "used_mw", "slack_mw")),
            ]
        )
        for row in witness["rows"]
    ]
    return [
        html.P(html.Strong(verdict), className=f"hr-debrief-badge hr-sign-{sign}"),
        html.P(str(told["words"])),
        table("delivery", "The limits with the least room left", columns, rows) if rows else None,
    ]


def _period(row: Mapping[str, Any]) -> str:
    return f", {row['period']}" if row.get("period") else ""


# One changed rule


def change(titles: Sequence[str], words: str) -> list[Part]:
    """Return the question of another rule, and the place of its answer; ``words`` say why it cannot be asked."""
    if not titles:
        return [html.P(words, className="hr-muted")]
    choice = dbc.Select(
        id=auction_ids.DEBRIEF_CHANGE,
        options=[{"value": str(place), "label": title} for place, title in enumerate(titles)],
        value="0",
        class_name="hr-word hr-word-select",
    )
    name = auction_ids.DEBRIEF_RERUN
    return [
        *job_stores(name),
        html.Div(
            [
                html.Label([html.Span("With ", className="hr-debrief-with"), choice], className="hr-word-label"),
                button("Play it again", auction_ids.DEBRIEF_RUN, primary=True),
            ],
            className="hr-debrief-ask",
        ),
        html.P(
            "Bots with the same values play it twice on the same seed, by the rules as they were and by the changed "
            "ones: people do not play twice the same way.",
            className="hr-muted",
        ),
        html.Div(id=name, **{"aria-live": "polite"}),
    ]


def compared(found: Comparison, currency: str) -> list[Part]:
    """Return what the change does: as played, by bots before, by bots after, and the difference of the two runs."""
    runs = ("As played", "Bots, same rules", f"Bots, {found.change.title}", "Difference of the bots")
    columns = [Column("Number"), *(Column(title, number=True) for title in runs)]
    sides = (found.played, found.before, found.after)
    rows = [
        _numbers("Rounds", [one.rounds for one in sides]),
        _numbers(f"Revenue, {currency}", [one.revenue for one in sides]),
        _numbers(f"Welfare, {currency}", [one.welfare for one in sides]),
        _shares([one.efficiency for one in sides]),
        _numbers(f"Exposure losses, {currency}", [one.loss for one in sides]),
        _numbers("Blocks sold", [one.blocks_sold for one in sides]),
        _numbers("Waivers", [one.waivers for one in sides]),
        *(_numbers(f"Surplus of {name}, {currency}", [one.surplus[place] for one in sides])
          for place, name in enumerate(found.bidders)),
    ]  # fmt: skip
    return [
        html.Ul([html.Li(line) for line in found.words], className="hr-debrief-lines"),
        table("change", f"What {found.change.title} would have done", columns, rows, file="another-rule"),
        _prices(found, currency),
        *[html.P(f"{line[:1].upper()}{line[1:]}.", className="hr-muted") for line in found.notices],
    ]


def _numbers(label: str, values: Sequence[float | None]) -> Row:
    _, before, after = values
    there = before is not None and after is not None
    difference = after - before if there and after is not None and before is not None else None
    return Row([label, *(numbered(value) for value in values), Cell(signed(difference), difference)])


def _shares(values: Sequence[float | None]) -> Row:
    _, before, after = values
    difference = None if before is None or after is None else 100 * (after - before)
    cells = [Cell(MISSING if value is None else percent(round(value, 3)), value) for value in values]
    shown = MISSING if difference is None else f"{signed(round(difference, 1))} points"
    return Row(["Efficiency", *cells, Cell(shown, difference)])


def _prices(found: Comparison, currency: str) -> html.Details:
    columns = [Column("Product"), *(Column(title, currency, number=True) for title in
                                    ("As played", "Bots, same rules", "Bots, changed"))]  # fmt: skip
    sides: tuple[Outcome, ...] = (found.played, found.before, found.after)
    rows = [Row([lot, *(numbered(one.prices[place]) for one in sides)]) for place, lot in enumerate(found.lots)]
    return html.Details(
        [html.Summary("Final prices"), table("change-prices", "Final prices by each run", columns, rows)],
        className="hr-worked-details",
    )


# Files


def files(auction: str, listed: Sequence[tuple[str, str]], fingerprint: str = "") -> list[Part]:
    """Return what can be taken home: links for an auction of the room, one button for a ledger from a file.

    ``fingerprint`` is the public key that signs, for whoever may check the ledger.
    """
    if auction:
        links = [
            html.Li(
                [
                    html.A(
                        [icon("download", size=14), name],
                        href=f"/api/auctions/{auction}/download/{name}",
                        download=name,
                        className="hr-button",
                    ),
                    html.Span(words, className="hr-muted"),
                ]
            )
            for name, words in listed
        ]
        return [html.Ul(links, className="hr-debrief-files"), *(_audit(fingerprint) if fingerprint else [])]
    return [
        html.P("Made from the file that you opened; nobody else sees it."),
        button("All result files in a ZIP", auction_ids.DEBRIEF_KEEP, icon_name="download"),
    ]


def _audit(fingerprint: str) -> list[Part]:
    """Return how anybody checks the ledger without this server."""
    return [
        html.H3("Check it without this server", className="hr-debrief-sub"),
        html.P(
            [
                "Signed by the key ",
                html.Code(fingerprint, className="hr-debrief-code"),
                ": compare it with what the host has published elsewhere. With Headroom on your own machine, ",
                "the first command checks every hash and the signature, the second plays the ledger again by the rules "
                "and writes the same result files:",
            ]
        ),
        html.Pre(
            "python -m engine.auction verify ledger.jsonl --public-key auction_public_key.pem\n"
            "python -m engine.auction replay ledger.jsonl --public-key auction_public_key.pem --out results",
            className="hr-debrief-commands",
            tabIndex=0,
        ),
        html.P(["Or ", dcc.Link("open the ledger", href="/auction/debrief"), " here or on another Headroom."]),
    ]


# A ledger from a file


def open_ledger() -> html.Section:
    """Return the place where a ledger from elsewhere is opened."""
    return html.Section(
        [
            html.H2("Open a ledger", className="hr-debrief-title"),
            html.P(
                "Choose the ledger of a finished auction (ledger.jsonl): its hashes and signature are checked, every "
                "event is applied again by the rules, and the result is told here. It joins no list and nobody else "
                "sees it."
            ),
            html.Div(
                dcc.Upload(
                    html.Button("Choose a file, or drop it here", type="button", className="hr-button"),
                    id=auction_ids.DEBRIEF_FILE,
                    multiple=True,
                    max_size=MOST_BYTES,
                    className="hr-draw-upload",
                )
            ),
            html.P(
                f"Or round files with the auction's configuration.json: the FCC's round files, tables.zip or "
                f"tables.json. {number(MOST_BYTES // 1_000_000)} MB together at most. Round files hold no values, so "
                "that efficiency stays unknown.",
                className="hr-muted",
            ),
        ],
        className="hr-debrief-open",
        **{"aria-label": "Open a ledger"},
    )


def opener() -> list[Part]:
    """Return the page without an auction: where a ledger is opened, and where it is told."""
    return [
        open_ledger(),
        html.Div(id=auction_ids.DEBRIEF_READ, className="hr-debrief-read", **{"aria-live": "polite"}),
    ]


def refused(lines: Sequence[str]) -> Part:
    """Return why a file is no ledger that can be told."""
    first, rest = lines[0], lines[1:]
    return state("infeasible", f"{first[:1].upper()}{first[1:]}.", title="This file is not taken", details=rest[:30])


def failed(words: str) -> Part:
    """Return why there is no answer to the changed rule."""
    return state("infeasible", f"{words[:1].upper()}{words[1:]}.", title="This cannot be played")


def running(job: str) -> Part:
    """Return the progress of a run that is a job."""
    return progress_card("Playing it again with bots", job=job)
