"""A case of the reader's own: the place where its file is taken in, and what was understood of it."""

from collections.abc import Sequence

from dash import dcc, html

from components import hubs_ids
from components.format import count, number
from components.hubs_words import limit_words
from components.skeleton import Part, button, facts, state
from engine.pricing.case import HubCase

_SHOWN = 60  # problems that are listed


def place() -> html.Div:
    """Return the place. A reader of somebody else's study may look at a file too; taken, it begins a study of his."""
    return html.Div(
        [
            html.Div(
                dcc.Upload(
                    html.Button("Choose the file of a case", type="button", className="hr-button"),
                    id=hubs_ids.UPLOAD,
                    accept=".json,application/json",
                    max_size=-1,  # the server names its limit in words
                ),
                **{
                    "data-siting-upload": "File of a case of hubs"
                },  # its field gets this name: assets/91_siting_site.js
            ),
            html.P(
                "Our own JSON: hubs with their assets, lines with each hub's share, tariffs. Files, The case (JSON) "
                "gives one to begin with.",
                className="hr-muted",
            ),
            html.Div(id=f"{hubs_ids.UPLOAD}-shown", **{"aria-live": "polite"}),
            button("Take it", f"{hubs_ids.UPLOAD}-take", primary=True, hidden=True),
            html.P(id=f"{hubs_ids.UPLOAD}-message", className="hr-feeder-message", role="status"),
            dcc.Store(id=f"{hubs_ids.UPLOAD}-offer"),
        ],
        className="hr-feeder-upload",
    )


def understood(case: HubCase, title: str) -> html.Div:
    """Return what was understood of a case that can be taken."""
    hubs = case.hubs
    with_ = {
        "a battery": sum(hub.battery is not None for hub in hubs),
        "hydrogen": sum(hub.hydrogen is not None for hub in hubs),
        "a generator": sum(hub.generator is not None for hub in hubs),
        "work that may wait": sum(hub.work is not None for hub in hubs),
        "sun": sum(any(hub.sun_mw) for hub in hubs),
    }
    rows: list[tuple[Part, Part]] = [
        ("Hubs", number(len(hubs))),
        *((f"with {words}", number(found)) for words, found in with_.items()),
        ("Areas of one price", number(case.area_count)),
        ("Periods", f"{case.periods} of {case.step_h:g} h"),
        ("Lines with a limit", number(len(case.network.lines))),
        ("Substation imports at most", limit_words(case.network.import_mw)),
        ("Substation exports at most", limit_words(case.network.export_mw)),
    ]
    return html.Div([html.H4(title, className="hr-section-title"), facts(rows)])


def refused(reasons: Sequence[str], title: str) -> html.Div:
    """Return every reason why a file cannot be taken."""
    more = [f"and {len(reasons) - _SHOWN} more"] if len(reasons) > _SHOWN else []
    words = "Mend this and choose the file again; the question is as it was."
    head = f"{title} cannot be taken: {count(len(reasons), 'problem')}"
    return state("failed", words, title=head, details=[*reasons[:_SHOWN], *more])
