"""The debrief of an auction: one page that tells its story, from the numbers that matter to the tables that prove them.

It is laid out from the engine's debrief, cut to what its reader may see, and draws nothing that is not in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dash import dcc, html

from components import auction_debrief_money as money_parts
from components import auction_debrief_more as more
from components import auction_debrief_paths as paths
from components import auction_debrief_proof as proof
from components import auction_ids
from components.auction_debrief_parts import amount, money, told
from components.format import count, megawatts, number, percent
from components.icons import icon
from components.skeleton import Part, job_stores, page, progress_card, state, totals
from components.why_card import why_card, why_number
from engine.auction.debrief import Debrief
from engine.auction.rules import Configuration
from engine.auction.wording import rules_words, sentence

PAGE = auction_ids.DEBRIEF
ALL = 1.0 - 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """What the page tells, and what its reader can do with it."""

    debrief: Debrief
    configuration: Configuration
    auction: str = ""  # "": from a file
    delivery: Mapping[str, Any] | None = None  # of an auction that sells a product set
    files: Sequence[tuple[str, str]] = ()  # name and words of what can be downloaded
    fingerprint: str = ""  # of the public key that signs, for whoever may check the ledger
    changes: Sequence[str] = ()  # what one rule change could have been; none where that cannot be told
    changes_words: str = ""  # why not
    origin: Sequence[str] = ()  # of a file: what its check found
    ways: Sequence[tuple[str, str]] = field(default=())  # (address, words) of the way back


def layout(body: Part, title: str, *, auction: str | None = None, asked: str | None = None) -> html.Main:
    """Return the page around the story, or around what is said instead of it.

    ``asked`` is an auction whose debrief is worked out once the page stands.
    """
    return page(
        dcc.Store(id=auction_ids.DEBRIEF_OF, data=auction),
        dcc.Store(id=auction_ids.DEBRIEF_ASKED, data=asked),
        *job_stores(auction_ids.DEBRIEF),
        *job_stores(auction_ids.DEBRIEF_READ),
        html.Div(body, id=auction_ids.DEBRIEF, className="hr-debrief"),
        title=title,
        class_name="hr-auction hr-page-scroll hr-debrief-page",
    )


def working(entries: int) -> Part:
    """Return what stands there while the story is worked out."""
    words = (
        f"{count(entries, 'entry', 'entries')} of the ledger are replayed and held against the best possible "
        "allocation, an equilibrium and VCG payments. With complements this takes up to a minute."
    )
    return html.Div(state("computing", words, title="Working out the debrief"), className="hr-capacity-alone")


def job_card(job: str) -> Part:
    """Return the progress of the job that works the story out."""
    return html.Div(progress_card("Working out the debrief", job=job), className="hr-capacity-alone")


def stopped(why: str) -> Part:
    """Return what is said where the job gave no debrief."""
    again = html.A("Work it out again", href="", className="hr-button hr-button-primary")  # opens this very page
    message = f"{why[:1].upper()}{why[1:]}."
    told = state("empty", message, title="The debrief is not worked out", action=[again])
    return html.Div(told, className="hr-capacity-alone")


def gone() -> Part:
    """Return what is said where the debrief was worked out and is not kept any more."""
    return stopped("it was worked out, and its file is not kept any more")


def instead(title: str, message: Part, ways: Sequence[tuple[str, str]] = (), *, kind: Any = "empty") -> Part:
    """Return what is said where there is no story to tell."""
    links = [
        dcc.Link(words, href=href, className="hr-button hr-button-primary" if place == 0 else "hr-button")
        for place, (href, words) in enumerate(ways)
    ]
    return html.Div(state(kind, message, title=title, action=links or None), className="hr-capacity-alone")


def story(given: Story) -> list[Part]:
    """Return the whole page: the story first, then what proves it."""
    debrief = given.debrief
    sections: list[tuple[str, str, Sequence[Part]]] = [
        ("prices", "Prices, round by round", paths.prices(debrief)),
        ("holders", "Who held what", paths.holders(debrief)),
        ("result", "Who got what, and what it cost", [_pair(debrief)]),
        ("surplus", "What each bidder gained", money_parts.surplus(debrief)),
        ("certificate", "Certificate", proof.certificate(debrief)),
        ("exposure", "Exposure losses", money_parts.exposure(debrief)),
    ]
    if given.delivery is not None:
        sections.append(("delivery", "Can it be delivered?", more.delivery(given.delivery)))
    sections.append(("change", "What another rule would have done", more.change(given.changes, given.changes_words)))
    sections.append(("files", "Files", more.files(given.auction, given.files, given.fingerprint)))
    return [
        _head(given, [(key, title) for key, title, _ in sections]),
        *(_section(key, title, parts) for key, title, parts in sections),
    ]


def _section(key: str, title: str, parts: Sequence[Part]) -> html.Section:
    heading = html.H2(title, className="hr-debrief-title", id=f"debrief-{key}-title")
    return html.Section(
        [heading, *parts],
        id=f"debrief-{key}",
        className="hr-debrief-section",
        tabIndex=-1,
        **{"aria-labelledby": f"debrief-{key}-title"},
    )


def _pair(debrief: Debrief) -> html.Div:
    return html.Div([money_parts.allocation(debrief), money_parts.payments(debrief)], className="hr-debrief-pair")


# The story at the top


def _head(given: Story, sections: Sequence[tuple[str, str]]) -> html.Header:
    debrief = given.debrief
    links = [dcc.Link(words, href=href, className="hr-button") for href, words in given.ways]
    jump = [
        html.Button(title, type="button", className="hr-debrief-jump", **{"data-debrief-go": f"debrief-{key}"})
        for key, title in sections
    ]
    return html.Header(
        [
            html.Div(
                [
                    html.P(debrief.title, className="hr-debrief-name"),
                    html.Div(
                        [*links, html.Button([icon("copy", size=14), "Print"], type="button", className="hr-button",
                                             **{"data-debrief-print": ""})],
                        className="hr-debrief-ways",
                    ),
                ],
                className="hr-debrief-row",
            ),
            *(html.P(line, className="hr-debrief-origin") for line in given.origin),
            *_standing(debrief),
            html.P(lead(debrief), className="hr-debrief-lead"),
            *efficiency(debrief),
            totals(headline(debrief)),
            *[html.P(f"{line[:1].upper()}{line[1:]}.", className="hr-muted") for line in debrief.notices],
            html.Details(
                [
                    html.Summary("The rules it was played by"),
                    html.P(f"{sentence(given.configuration, len(debrief.bidders))}."),
                    html.Ul([html.Li(line) for line in rules_words(given.configuration)],
                            className="hr-debrief-lines"),
                ],
                className="hr-worked-details",
            ),
            html.Nav(jump, className="hr-debrief-jumps", **{"aria-label": "Parts of the debrief"}),
        ],
        className="hr-debrief-head",
    )  # fmt: skip


def _standing(debrief: Debrief) -> list[Part]:
    if debrief.phase == "cancelled":
        words = f"This auction was {debrief.ended_because}. Nothing was sold: all below is how it stood by then."
        return [state("infeasible", words, title="Cancelled")]
    if debrief.phase != "closed":
        words = "The auction is not closed. All below is as if it had ended with its last closed round."
        return [state("partial", words, title="Still running: only its host sees this")]
    return []


def lead(debrief: Debrief) -> str:
    """Return the auction in two or three sentences that anybody understands."""
    totals_, unit = debrief.totals, debrief.currency
    winners = sum(bool(bidder.won) for bidder in debrief.bidders)
    blocks = sum(blocks for bidder in debrief.bidders for _, blocks in bidder.won)
    there = sum(int(lot["quantity"]) for lot in debrief.lots)
    what = "product" if there == len(debrief.lots) else "block"
    verb = "went" if debrief.phase == "closed" else "would go"
    if debrief.phase == "cancelled":
        return f"Cancelled after {count(totals_.rounds, 'closed round')}: none of {count(there, what)} was sold."
    if not blocks:
        bids = sum(row.new_bids for row in debrief.rounds)
        why = "No bid was good enough" if bids else "Nobody bid"
        said = [f"{why}: none of {count(there, what)} {'was' if debrief.phase == 'closed' else 'would be'} sold."]
    else:
        sold = f"All {count(there, what)}" if blocks == there else f"{number(blocks)} of {count(there, what)}"
        said = [
            f"{sold}, {megawatts(totals_.sold_mw)}, {verb} to {count(winners, 'bidder')} for "
            f"{money(totals_.revenue, unit)} in {count(totals_.rounds, 'round')}."
        ]
    return " ".join([*said, *_of_worth(debrief)])


def _of_worth(debrief: Debrief) -> list[str]:
    totals_, unit = debrief.totals, debrief.currency
    losers = [bidder for bidder in debrief.bidders if bidder.loss]
    lost = (
        [f"{losers[0].name} paid {money(losers[0].loss, unit)} more than what it won is worth to it."]
        if len(losers) == 1
        else [f"{count(len(losers), 'bidder')} paid more than what they won is worth to them."]
        if losers
        else []
    )
    if totals_.efficiency is None or totals_.welfare is None or totals_.optimum is None:
        if not debrief.certificate:
            return lost
        return ["Whether those who value them most have them cannot be told: not all values are known.", *lost]
    if totals_.efficiency >= ALL:
        return ["They are with those who value them most.", *lost]
    most = "" if totals_.optimum_proven else "at least "
    missing = f"{most}{money(totals_.optimum - totals_.welfare, unit)}"
    return [f"{missing} of value is lost: some are not with those who value them most.", *lost]


def efficiency(debrief: Debrief) -> list[Part]:
    """Return efficiency as a bar against the best possible welfare, with the zone that bound (9) allows."""
    totals_, unit = debrief.totals, debrief.currency
    if totals_.efficiency is None or totals_.welfare is None or not totals_.optimum:
        return []
    share = max(0.0, min(1.0, totals_.efficiency))
    bound = debrief.certificate.get("bound") if debrief.certificate else None
    zone = None if bound is None else max(0.0, min(1.0, 1.0 - float(bound) / totals_.optimum))
    sign = "fine" if totals_.efficiency >= ALL else "flexible" if totals_.efficiency >= 0.95 else "binding"
    shown = told(debrief, "efficiency", percent(_rounded(totals_.efficiency)), "efficiency")
    best = told(debrief, "optimum", money(totals_.optimum, unit), "best possible welfare")
    bar = html.Div(
        [
            html.Span(className="hr-debrief-fill", style={"width": f"{100 * share:.2f}%"}),
            html.Span(className="hr-debrief-zone", style={"left": f"{100 * zone:.2f}%"}) if zone is not None else None,
        ],
        className="hr-debrief-bar",
        role="img",
        **{"aria-label": f"{amount(totals_.welfare)} of {amount(totals_.optimum)} {unit}"},
    )
    note = [] if bound is None else [
        html.P(f"Hatched: in an equilibrium at most one increment for each block is lost, {money(float(bound), unit)}.",
               className="hr-debrief-note")
    ]  # fmt: skip
    return [
        html.Div(
            [
                html.P([html.Span("Efficiency ", className="hr-total-label"),
                        html.Span(shown, className="hr-debrief-share")], className="hr-debrief-efficiency"),
                html.Div([bar, *note], className="hr-debrief-bar-frame"),
                html.P([html.Span("best possible ", className="hr-total-label"), best], className="hr-debrief-best-of"),
            ],
            className=f"hr-debrief-against hr-sign-{sign}",
        )
    ]  # fmt: skip


def _rounded(share: float) -> float:
    """Return a share in tenths of a percent, never rounded up to all."""
    tenths = round(share, 3)
    return 0.999 if tenths >= 1.0 and share < ALL else tenths


def headline(debrief: Debrief) -> list[dict[str, Any]]:
    """Return the key numbers, each with its reason."""
    totals_, unit = debrief.totals, debrief.currency
    items: list[dict[str, Any]] = [
        {"label": "Revenue", "value": told(debrief, "revenue", amount(totals_.revenue), "revenue"), "unit": unit,
         "sign": "firm"}
    ]  # fmt: skip
    if totals_.payments != totals_.revenue:
        items.append({"label": "Payments in all", "unit": unit,
                      "value": told(debrief, "payments", amount(totals_.payments), "payments"),
                      "note": "with withdrawals and defaults"})  # fmt: skip
    if totals_.welfare is not None:
        items.append({"label": "Welfare", "value": told(debrief, "welfare", amount(totals_.welfare), "welfare"),
                      "unit": unit, "sign": "fine"})  # fmt: skip
    elif debrief.certificate and debrief.certificate.get("welfare_at_least") is not None:
        least = float(debrief.certificate["welfare_at_least"])
        items.append({"label": "Welfare, from bids alone", "value": f"≥ {amount(least)}", "unit": unit,
                      "note": "not all values are known"})  # fmt: skip
    items.append({"label": "Rounds", "value": _rounds(debrief)})
    if totals_.exposure_loss is not None:
        loss = totals_.exposure_loss
        shown = told(debrief, "exposure_loss", amount(loss), "losses to exposure")
        items.append({"label": "Exposure losses", "value": shown, "unit": unit,
                      "sign": "binding" if loss else "fine"})  # fmt: skip
    return items


def _rounds(debrief: Debrief) -> Part:
    last = debrief.rounds[-1]
    values = [
        ("New bids in all", number(sum(row.new_bids for row in debrief.rounds))),
        (f"New bids in round {number(last.round)}", number(last.new_bids)),
        ("Annulled rounds", number(debrief.annulled)),
    ]
    why = f"{debrief.ended_because[:1].upper()}{debrief.ended_because[1:]}." if debrief.ended_because else ""
    card = why_card(
        "Rounds until the end",
        formula="the first round in which nobody bids anything new ends it",
        values=values,
        binds=[why] if why else [],
        source="simultaneous ascending auction, Milgrom (2000)",
    )
    return why_number("debrief-why-rounds", number(len(debrief.rounds)), card, label="rounds")
