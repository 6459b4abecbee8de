"""Clearing of certified sites, and headroom of corridors and substations: forms, tables, reasons."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import siting_cards, siting_ids
from components.capacity_answer import pressed_button
from components.format import megawatts, number, percent, sentence
from components.siting_basis import days_and_floor
from components.siting_site import SiteStudy, small_table
from components.skeleton import Part, facts, job_stores, progress_card, section, state
from components.why_card import why_card, why_number
from engine.siting.clearing import TIE_BREAKS
from engine.siting.corridors import Corridor, Substation
from engine.store.jobs import Job

FIELDS = (
    ("score_step", "Scores count in steps of", ""),
    ("tranche_mw", "Tranche: in all at most", "MW"),
    ("corridor_cap_mw", "In each corridor at most", "MW"),
    ("zone_cap_mw", "In each zone at most", "MW"),
    ("most_per_corridor", "Awards in a corridor at most", ""),
    ("most_per_zone", "Awards in a zone at most", ""),
    ("most_per_bus", "Awards at a bus at most", ""),
)
METHODS = (("sequence", "by score, in sequence"), ("portfolio", "the best portfolio"))
EXAMPLE = """name,mw,date,envelopes
Campus A,{one:g},2026-01-15,
Campus B,{one:g},2026-02-01,
Campus C,{two:g},2026-02-20,firm
"""
_MOST_SUBSTATIONS = 100


def place() -> list[Part]:
    """Return the form and the place of the awards."""
    name = siting_ids.CLEARING
    rules = [_number(key, words, unit) for key, words, unit in FIELDS]
    tie = html.Label(
        [
            html.Span("Between equal scores"),
            html.Span(
                dbc.Select(
                    id=siting_ids.rule("tie_break"),
                    value="date",
                    options=[{"value": key, "label": words} for key, words in TIE_BREAKS.items()],
                ),
                className="hr-siting-control",
            ),
        ],
        className="hr-siting-field hr-siting-wide",
    )
    caps = html.Label(
        [
            "Caps of single zones or corridors, one a line: name, MW; they take the place of those for each",
            dbc.Textarea(
                id=siting_ids.rule("caps"), rows=2, debounce=True, placeholder="North - West 800", class_name="hr-input"
            ),
        ],
        className="hr-siting-field hr-siting-wide",
    )
    method = dbc.RadioItems(
        id=siting_ids.rule("method"),
        name="siting-rule-method",
        options=[{"value": key, "label": words} for key, words in METHODS],
        value="sequence",
        class_name="hr-segments",
    )
    applicants = html.Label(
        [
            "Applications: name, nameplate MW, date, and optionally buses and envelopes (parted by blanks)",
            dbc.Textarea(id=siting_ids.APPLICANTS, rows=5, debounce=True, class_name="hr-input"),
        ],
        className="hr-siting-field hr-siting-wide",
    )
    return [
        *job_stores(name),
        dcc.Store(id=f"{siting_ids.CLEARING_RUN}-pressed"),
        section(
            "Clearing",
            html.P(
                "Who of the applicants gets which certified site. Sites certified one by one need not stand together: "
                "every award is tried with all the others, and what is refused says why.",
                className="hr-muted",
            ),
            html.Div([applicants], className="hr-siting-fields"),
            html.H3("Published rules", className="hr-section-title"),
            html.Div([tie, *rules, caps], className="hr-siting-fields"),
            html.P(
                "A site belongs to the corridor between two zones whose flow a load there changes most, met by all "
                "units. The order between equal scores counts in sequence only: the best portfolio has none.",
                className="hr-muted",
            ),
            html.Div([method, pressed_button("Clear", siting_ids.CLEARING_RUN)], className="hr-siting-ways"),
            html.Div(id=name, **{"aria-live": "polite"}),
        ),
    ]


def _number(key: str, words: str, unit: str) -> html.Label:
    box = dbc.Input(
        id=siting_ids.rule(key), type="number", value=1 if key == "most_per_bus" else None, min=0, step="any",
        placeholder="as they are" if key == "score_step" else "no limit", debounce=True,
        class_name="hr-input hr-input-small",
    )  # fmt: skip
    return html.Label([words, html.Span([box, html.Span(unit, className="hr-unit")])], className="hr-siting-field")


def example(size_mw: float) -> str:
    """Return applications to begin with, of the size that is drawn."""
    return EXAMPLE.format(one=size_mw, two=size_mw / 2.0)


def message(words: str, *, wrong: bool = False) -> Part:
    """Return a word about a clearing that has no awards to show."""
    return state("failed" if wrong else "empty", words, title="Not possible" if wrong else None)


def running(job: Job) -> Part:
    """Return the place of the awards while they are worked out."""
    return progress_card("Clearing", done=job.done, total=job.total, message=job.message, job=job.id)


def cleared(study: SiteStudy, found: Mapping[str, Any]) -> Part:
    """Return the awards, who is left without, and the refusals, from what the job returned."""
    awards, refusals, unplaced = found["awards"], found["refusals"], found["unplaced"]
    words = {key: study.words(place) for place, key in enumerate(study.network.buses.ids)}
    total = sum(float(award["mw"]) for award in awards)
    rows = [
        (
            award["applicant"],
            (words.get(award["bus"], award["bus"]), award["bus"]),
            award["envelope"],
            award.get("zone", ""),
            award.get("corridor", ""),
            (number(award["mw"]), award["mw"]),
            (number(award["score"], 3), award["score"]),
            (percent(award["pass_rate"], 2) if award["pass_rate"] is not None else number(None), award["pass_rate"]),
        )
        for award in awards
    ]
    text = megawatts(total)
    best = found["method"] == "portfolio"
    card = why_card(
        f"{text} awarded to {number(len(awards))} of {number(len(awards) + len(unplaced))}",
        formula="max \u03a3_r \u03a3_o *C*_o *MW*_r *x*_{ro} with the gate for all loads together"
        if best
        else "repeat: the pair of the best score, kept if everything placed passes the gate together",
        values=[
            ("hours times outages", number(found["pairs"])),
            ("fail with all awards", number(found["failed"])),
            ("their share, by the weights of the hours", percent(found["failed_share"], 2)),
            ("of which may fail", percent(found["allowed_share"])),
            *([("gap to the bound", percent(found["gap"], 3)), ("cuts", number(found["cuts"]))] if best else []),
        ],
        inputs=study.inputs(market=True),
        source="arXiv 2605.14714, clearing by score; the batch is a mixed-integer program with cuts of the gate",
        note="The pass rate of each award in sequence is that of everything placed up to it.",
    )
    shown = why_number("siting-why-cleared", text, card, label="MW awarded")
    parts: list[Part] = [
        facts(
            [
                ("Awarded", shown),
                ("Left without", ", ".join(unplaced) or "nobody"),
                ("Refused pairs", number(len(refusals))),
                *([("Order", f"{order[:1].upper()}{order[1:]}")] if (order := str(found.get("order", ""))) and not best
                  else []),
            ]
        ),
        small_table("awards", "Awards",
                    ["Applicant", "Site", "Envelope", "Zone", "Corridor", "MW", "Score", "Passes together"], rows,
                    text=(0, 1, 2, 3, 4), file="awards", note=days_and_floor(study.market),
                    why=siting_cards.awards(study, found, rows[0][1][0]) if rows else None),
        _left_without(study, found),
    ]  # fmt: skip
    if refusals:
        listed = [
            (one["applicant"], (words.get(one["bus"], one["bus"]), one["bus"]), one["envelope"], one["reason"])
            for one in refusals
        ]
        table = small_table(
            "refusals", "Refusals", ["Applicant", "Site", "Envelope", "Why not"], listed, text=(0, 1, 2, 3),
            file="refusals", tall=True, why=siting_cards.refusals(study, found),
        )  # fmt: skip
        parts.append(html.Details([html.Summary(f"Refused, with reasons ({number(len(refusals))})"), table]))
    return html.Div(parts)


def _left_without(study: SiteStudy, found: Mapping[str, Any]) -> Part:
    """Return who is left without a site, and the rule or the limit that turned them away."""
    why = found.get("why") or {}
    if not why:
        return None
    rows = [(name, sentence(reason)) for name, reason in why.items()]
    return small_table(
        "left", "Left without a site", ["Applicant", "Why"], rows, text=(0, 1), file="left-without",
        why=siting_cards.left_without(study, found, rows[0][0]),
    )  # fmt: skip


# Headroom


def headroom(study: SiteStudy, found: Sequence[Corridor], places: Sequence[Substation], left_out: int) -> Part:
    """Return the corridors, the one with the least headroom first, and the substations with the largest sizes."""
    parts: list[Part] = []
    if found:
        rows = [
            (
                one.name,
                number(one.branches),
                (number(one.rating_mw), one.rating_mw),
                (number(abs(one.flow_mw)), one.flow_mw),
                (_headroom_number(study, place, one), one.headroom_mw),
                one.hour,
                (f"{one.fullest}, {percent(one.loading, 0)}", f"{one.fullest} {one.loading:.4f}"),
            )
            for place, one in enumerate(found)
        ]
        heads = ["Corridor", "Branches", "Rating, MW", "Flow, MW", "Headroom, MW", "Hour", "Fullest branch"]
        parts.append(small_table("corridors", "Headroom of corridors", heads, rows, text=(0, 5, 6), file="corridors"))
    else:
        parts.append(html.P("No branch joins two zones or areas: there is no corridor.", className="hr-muted"))
    if left_out:
        words = f"{number(left_out)} hours have no dispatch that keeps every limit; their flows are left out."
        parts.append(html.P(words, className="hr-sign-binding"))
    names = list(dict.fromkeys(name for one in places for name in one.largest_mw))
    listed = sorted(places, key=lambda one: (-max(one.largest_mw.values(), default=-1.0), one.name))
    sub_rows = [
        (
            one.name,
            (", ".join(one.buses[:4]) + (" \u2026" if len(one.buses) > 4 else ""), " ".join(one.buses)),
            *((number(one.largest_mw.get(name)), one.largest_mw.get(name, "")) for name in names),
        )
        for one in listed
        if one.largest_mw
    ]
    parts.append(
        small_table(
            "substations", "Headroom of substations", ["Substation", "Buses", *(f"{name}, MW" for name in names)],
            sub_rows, text=(0, 1), file="substations", tall=True,
            note="The largest nameplate of the question that passes the gate at one of its buses, alone; 0 where none.",
            why=siting_cards.substations(study, listed[0], names[0]) if sub_rows else None,
        )
    )  # fmt: skip
    return html.Div(parts)


def _headroom_number(study: SiteStudy, place: int, one: Corridor) -> Part:
    text = number(one.headroom_mw)
    card = why_card(
        f"{one.name}: {megawatts(one.headroom_mw)} in {one.hour}",
        formula="min_t ( \u03a3_l *F*_l \u2212 |\u03a3_l *f*_{lt}| ) over the branches *l* between the zones",
        values=[
            ("ratings", megawatts(one.rating_mw)),
            ("net flow", megawatts(one.flow_mw)),
            ("fullest branch", f"{one.fullest}, {percent(one.loading, 0)} in {one.fullest_hour}"),
        ],
        inputs=study.inputs(),
        source="least-cost DC dispatch of each hour of the question, without outages",
        note="No load can use it in full: single branches fill before the sum does. The gate alone certifies.",
    )
    return why_number(f"siting-why-corridor-{place}", text, card, label=f"headroom of {one.name}")
