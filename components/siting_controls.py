"""What of an answer is drawn: envelope and nameplate, the length of the shortlist, the weights of the ranking."""

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import html

from components import ids, siting_criteria, siting_ids
from components.format import power
from components.icons import icon
from components.siting_view import View
from components.skeleton import popover
from engine.errors import QuestionError
from engine.siting.defaults import drawn_first
from engine.siting.question import SitingQuestion
from engine.siting.ranking import GROUPS, criterion_words

MOST_TOP = 50  # the slider's end; a link may ask for more
GROUP_NAMES = tuple(GROUPS)
MOST_WEIGHT = 1000.0


def strip(
    question: SitingQuestion, view: View, criteria_files: Sequence[tuple[str, str]] = (), *, read_only: bool = False
) -> html.Div:
    """Return the strip above the map. Every control answers at once."""
    return html.Div(
        [
            html.Span("Drawn:", className="hr-muted"),
            html.Div(
                dbc.RadioItems(
                    id=siting_ids.ENVELOPE,
                    name=siting_ids.ENVELOPE,
                    options=envelope_options(question),
                    value=drawn_envelope(question, view.envelope),
                    class_name="hr-segments",
                ),
                role="group",
                **{"aria-label": "Envelope that is drawn"},
            ),
            html.Label(
                [
                    html.Span("at", className="hr-muted"),
                    html.Span("Nameplate that is drawn", className="visually-hidden"),
                    dbc.Select(
                        id=siting_ids.SIZE,
                        options=size_options(question),
                        value=f"{drawn_size(question, view.size_mw):g}",
                        class_name="hr-siting-select",
                    ),
                ],
                className="hr-siting-pick",
            ),
            html.Label(
                [
                    html.Span("Shortlist of", className="hr-muted"),
                    dbc.Input(
                        id=siting_ids.TOP,
                        type="range",
                        min=1,
                        max=max(MOST_TOP, view.top or question.shortlist),
                        step=1,
                        value=view.top or question.shortlist,
                        debounce=120,
                        class_name="hr-siting-range",
                    ),
                    html.Output(str(view.top or question.shortlist), id=f"{siting_ids.TOP}-shown"),
                ],
                className="hr-siting-slider",
            ),
            weights_panel(view),
            siting_criteria.panel(criteria_files, question.criteria_file, read_only=read_only),
        ],
        className="hr-siting-strip",
        id=f"{ids.SITING}-strip",
        role="group",
        **{"aria-label": "What is drawn"},
    )


def weights_panel(view: View) -> html.Span:
    """Return the weights of the groups of criteria, and whether envelopes are scaled together."""
    rows = [
        html.Label(
            [
                html.Span(
                    [
                        html.Span(className=f"hr-score-part hr-score-part-{place} hr-score-swatch"),
                        name.capitalize(),
                        html.Small(_criteria(name), className="hr-muted"),
                    ]
                ),
                dbc.Input(
                    id=siting_ids.weight(place),
                    type="number",
                    min=0,
                    max=100,
                    step="any",
                    value=view.weights[place],
                    class_name="hr-input hr-siting-weight",
                ),
            ],
            className="hr-siting-weight-row",
        )
        for place, name in enumerate(GROUP_NAMES)
    ]
    content = html.Div(
        [
            html.P(
                "Weights multiply the normalised score of each group before distances are taken. Equal weights are the "
                "source's. Inside a group, entropy weighs the criteria.",
                className="hr-muted",
            ),
            *rows,
            html.Div(
                [
                    html.Span("Scaled"),
                    dbc.RadioItems(
                        id=siting_ids.SCALING,
                        name=siting_ids.SCALING,
                        options=[
                            {"label": "all envelopes together", "value": "pooled"},
                            {"label": "each by itself", "value": "own"},
                        ],
                        value="pooled" if view.pooled else "own",
                        class_name="hr-segments",
                    ),
                ],
                className="hr-siting-scaling",
                role="group",
                **{"aria-label": "Scaling"},
            ),
        ],
        className="hr-siting-weights",
    )
    face = [icon("filter", size=14), html.Span("Weights")]
    return popover(
        f"{ids.SITING}-weights", face, content, label="Weights of the ranking", class_name="hr-button", width=380
    )


def envelope_options(question: SitingQuestion) -> list[dict[str, str]]:
    """Return the envelopes of a question."""
    return [{"label": one.name, "value": one.name} for one in question.envelopes]


def size_options(question: SitingQuestion) -> list[dict[str, str]]:
    """Return the sizes of a question."""
    asked = set(question.sizes_mw)
    return [
        {"label": power(mw) + ("" if mw in asked else ", a stage"), "value": f"{mw:g}"} for mw in question.screened_mw
    ]


def drawn_envelope(question: SitingQuestion, wanted: str) -> str:
    """Return the envelope to draw: the one wanted if it was asked for, else the first."""
    names = [one.name for one in question.envelopes]
    return wanted if wanted in names else names[0]


def drawn_size(question: SitingQuestion, wanted: float | None) -> float:
    """Return the size to draw: the one wanted if it was asked for, else the source's 1 GW, else the middle one."""
    if wanted in question.screened_mw:
        return float(wanted or 0.0)
    return drawn_first(question.sizes_mw)


def _criteria(group: str) -> str:
    return ", ".join(criterion_words(name) for name in GROUPS[group])


def weights_of(given: object) -> list[float]:
    """Return the weights of the groups. Raises QuestionError when one is none, below zero, or all are zero."""
    listed = list(given) if isinstance(given, list | tuple) else []
    if not listed:
        return [1.0] * len(GROUP_NAMES)
    try:
        found = [float(weight) for weight in listed]
    except (TypeError, ValueError):
        raise QuestionError("a weight is a number of 0 or more") from None
    if len(found) != len(GROUP_NAMES) or min(found) < 0 or not 0 < sum(found) < MOST_WEIGHT * len(found):
        raise QuestionError("weights are numbers of 0 or more, not all 0")
    return found
