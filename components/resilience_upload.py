"""Shocks of the reader's own: the place where their file is taken in, and what was understood of it."""

from collections.abc import Sequence

from dash import dcc, html

from components import resilience_ids
from components.format import count, number
from components.skeleton import button, facts, state
from engine.resilience.shock_files import COLUMNS

_SHOWN = 60  # problems that are listed


def place() -> html.Div:
    """Return the place. A reader of somebody else's study may look at a file too; taken, it begins a study of his."""
    at = resilience_ids.UPLOAD
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
            html.Div(id=f"{at}-shown", **{"aria-live": "polite"}),
            button("Take it", f"{at}-take", primary=True, hidden=True),
            html.P(id=f"{at}-message", className="hr-feeder-message", role="status"),
            dcc.Store(id=f"{at}-offer"),
        ],
        className="hr-feeder-upload",
    )


def understood(rows: int, title: str) -> html.Div:
    """Return what is known of a file before it is read against the question."""
    told = facts([
        ("Rows", number(rows)),
        ("Read against", "the feeder, the campuses and the steps of the question, when it is taken"),
    ])  # fmt: skip
    return html.Div([html.H4(title, className="hr-section-title"), told])


def refused(reasons: Sequence[str], title: str) -> html.Div:
    """Return every reason why a file cannot be taken."""
    more = [f"and {len(reasons) - _SHOWN} more"] if len(reasons) > _SHOWN else []
    words = "Mend this and choose the file again; the question is as it was."
    head = f"{title} cannot be taken: {count(len(reasons), 'problem')}"
    return state("failed", words, title=head, details=[*reasons[:_SHOWN], *more])
