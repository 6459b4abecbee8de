"""Shocks of the reader's own, or fewer for many: where they are taken in, and what was understood of them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import dash_bootstrap_components as dbc
import numpy as np
from dash import dcc, html

from components import resilience_ids
from components.day_edits import labelled, line, select
from components.format import count, number, percent
from components.resilience_words import mwh
from components.skeleton import Part, button, facts, state
from components.why_card import WhyInput, why_card, why_number
from engine.resilience.shock_files import COLUMNS

if TYPE_CHECKING:
    from engine.network.model import Matrix
    from engine.resilience.case import PlacementCase
    from engine.resilience.reduction import Method, Reduction

WAYS: Mapping["Method", str] = {"forward": "forward selection", "medoids": "k-medoids"}
_SHOWN = 60  # problems that are listed
_LISTED = 12  # shocks that are kept
_HAIR = 1e-9


def place() -> html.Div:
    """Return the place. A reader of somebody else's study may look at a file too; taken, it begins a study of his."""
    at, fewer = resilience_ids.UPLOAD, resilience_ids.fewer
    return html.Div(
        [
            html.Div(
                dcc.Upload(
                    html.Button("Choose a file of shocks", type="button", className="hr-button"),
                    id=at,
                    accept=".csv,text/csv",
                    max_size=-1,  # the server names its limit in words
                ),
                **{"data-siting-upload": "File of shocks"},  # its field gets this name: assets/91_siting_site.js
            ),
            html.P(
                f"CSV with {', '.join(COLUMNS)}: a row for each draw off the schedule; steps from 1, campuses by their "
                "bus. Files, The shocks (CSV) gives one to begin with. Measured days are written alike: take them, "
                "then choose them as what the model is of.",
                className="hr-muted",
            ),
            line(
                labelled("Or of the shocks above keep", dbc.Input(
                    id=fewer("count"), type="number", value=20, step="any", class_name="hr-input hr-feeder-number",
                )),
                labelled("by", select(fewer("method"), dict(WAYS), "forward")),
                button("Reduce", fewer("press")),
            ),
            html.P(
                "They get the probabilities of those that they stand for, so that the transport distance to all is "
                "least. Fewer shocks are planned for sooner.",
                className="hr-muted",
            ),
            html.Div(id=f"{at}-shown", **{"aria-live": "polite"}),
            button("Take it", f"{at}-take", primary=True, hidden=True),
            html.P(id=f"{at}-message", className="hr-feeder-message", role="status"),
            dcc.Store(id=f"{at}-offer"),
        ],
        className="hr-feeder-upload",
    )  # fmt: skip


def understood(case: "PlacementCase", title: str) -> html.Div:
    """Return what a file holds that fits the question; ``case`` has its shocks."""
    given = case.scenarios
    share, out = given.probability, given.outage
    equal = float(np.ptp(share)) <= _HAIR
    change = given.draw_mw - case.schedule_mw
    told = facts([
        ("Shocks", number(len(given))),
        ("Probabilities", f"equal, {percent(float(share[0]), 2)} each" if equal else
         f"{percent(float(share.min()), 2)} to {percent(float(share.max()), 2)}, 100 % in all"),
        ("Largest rise of a campus", f"{number(float(change.max()), 3)} MW"),
        ("Largest fall", f"{number(float(-change.min()), 3)} MW"),
        ("With a line out", number(int((out >= 0).sum()))),
        ("Fits", f"{count(len(case.campuses), 'campus', 'campuses')}, {count(case.steps, 'step')}"),
    ])  # fmt: skip
    return html.Div([html.H4(title, className="hr-section-title"), told])


def reduced(case: "PlacementCase", found: "Reduction", apart: "Matrix", method: "Method") -> html.Div:
    """Return which shocks of a case stand for all, and how far they are from them; ``apart`` (S, S) in MWh."""
    given = case.scenarios
    order = np.argsort(-found.probability, kind="stable")[:_LISTED].tolist()
    more = len(found.kept) - len(order)
    one = float((given.probability @ apart).min())
    farthest = float(apart[np.arange(len(given)), found.kept[found.nearest]].max())
    why = why_card(
        f"{mwh(found.distance, 4)}: the transport distance between {number(len(given))} shocks and "
        f"{number(len(found.kept))}",
        formula="Σ_s *p*_s min_{k ∈ kept} *d*_{sk},  *d*_{sk} = Δ Σ_t Σ_c | *D*_{stc} − *D*_{ktc} | + outages apart",
        values=[("with one shock alone", mwh(one, 3)), ("with all", mwh(0.0, 0)),
                ("farthest from what stands for it", mwh(farthest, 3)), ("chosen by", WAYS[method]),
                ("an hour with another line out", mwh(1.0, 0))],
        inputs=[WhyInput("case of placement", case.digest)],
        source="Dupačová, Gröwe-Kuska and Römisch, Math. Program. 95, 2003; Heitsch and Römisch, Comput. Optim. Appl. "
        "24, 2003" + ("; Kaufman and Rousseeuw, Finding Groups in Data, 1990" if method == "medoids" else ""),
        note="What is left out gives its probability to the nearest that is kept: the best there is for those kept. "
        "Tails are thinned: shocks that are rare and large may be left out.",
    )  # fmt: skip
    rows: list[tuple[Part, Part]] = [
        ("Transport distance", why_number(resilience_ids.why("fewer"), mwh(found.distance, 4), why,
                                          label="Transport distance of the shocks that are kept")),
        ("Of the distance with one alone", percent(found.distance / one if one > 0.0 else 0.0, 1)),
        ("Kept, by probability", ", ".join(
            f"{found.kept[at] + 1} ({percent(float(found.probability[at]), 0)})" for at in order
        ) + (f" and {more} more" if more > 0 else "")),
    ]  # fmt: skip
    title = f"{number(len(found.kept))} of {count(len(given), 'shock')}"
    return html.Div([html.H4(title, className="hr-section-title"), facts(rows)])


def refused(reasons: Sequence[str], title: str) -> html.Div:
    """Return every reason why a file cannot be taken, or shocks cannot be made fewer where ``title`` is empty."""
    more = [f"and {len(reasons) - _SHOWN} more"] if len(reasons) > _SHOWN else []
    words = "Mend this and choose the file again; the question is as it was." if title else "The question is as it was."
    what = f"{title} cannot be taken" if title else "These shocks cannot be made fewer"
    head = f"{what}: {count(len(reasons), 'problem')}"
    return state("failed", words, title=head, details=[*reasons[:_SHOWN], *more])
