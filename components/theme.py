"""Colours and type in light and dark, and the Plotly templates made from them.

The same tokens are CSS custom properties in ``assets/10_headroom.css``; a test holds the two together. A
colour has one meaning everywhere (Okabe and Ito's palette): a mark keeps the palette's own value in the
light theme, and text in that meaning has a darker or lighter twin with a contrast of 4.5 to 1 or more.
"""

from typing import Literal

import plotly.graph_objects as go

Theme = Literal["light", "dark"]

TOKENS: dict[Theme, dict[str, str]] = {
    "light": {
        "ground": "#f3f5f6",
        "surface": "#ffffff",
        "sunken": "#eaeef0",
        "line": "#d3dade",
        "line-strong": "#7b8a94",
        "text": "#16222b",
        "muted": "#4d5d68",
        "ink": "#14303f",
        "ink-text": "#ffffff",
        "firm": "#0072b2",
        "firm-text": "#005f96",
        "flexible": "#e69f00",
        "flexible-text": "#7d5600",
        "binding": "#d55e00",
        "binding-text": "#a84600",
        "fine": "#009e73",
        "fine-text": "#006e50",
        "candidate": "#56b4e9",
        "candidate-text": "#14678f",
        "stale": "#8a959c",
        "land": "#fbfcfc",
        "county": "#dde3e6",
        "branch": "#98a5ad",
        "bus": "#51626d",
    },
    "dark": {
        "ground": "#10171c",
        "surface": "#182128",
        "sunken": "#0b1115",
        "line": "#2c3942",
        "line-strong": "#71818c",
        "text": "#e4eaee",
        "muted": "#a3b1bb",
        "ink": "#cfe3ee",
        "ink-text": "#10202a",
        "firm": "#3d9bd6",
        "firm-text": "#6cb8e8",
        "flexible": "#f0b23a",
        "flexible-text": "#f0b23a",
        "binding": "#f07a2b",
        "binding-text": "#ff9a57",
        "fine": "#2bbd92",
        "fine-text": "#43cfa5",
        "candidate": "#7cc8f2",
        "candidate-text": "#8fd0f5",
        "stale": "#7f8b93",
        "land": "#172027",
        "county": "#26323a",
        "branch": "#566670",
        "bus": "#9fb0bb",
    },
}
FONT = "'IBM Plex Sans', system-ui, sans-serif"
CIVIDIS = ("#00224e", "#35456c", "#666970", "#948e77", "#c8b866", "#fee838")
MAP_MAGNITUDE = ("#efd94a", "#c8b866", "#948e77", "#666970", "#35456c", "#00224e")  # more is darker, on a light ground
DIFFERENCE = ("#5e3c99", "#9a86c2", "#cbc3e0", "#f3f1f6", "#fad3a1", "#ee9c43", "#c8670d")
PHASES = (("firm", "dash"), ("flexible", "dot"), ("fine", "solid"))  # a, b, c: colour token and line style


def token(name: str, theme: Theme = "light") -> str:
    """Return the colour ``name``. Raises KeyError for a name that is not a token."""
    return TOKENS[theme][name]


def figure_template(theme: Theme = "light") -> go.layout.Template:
    """Return the Plotly template of a theme. Give the graph's container a height: figures fill it."""
    colours = TOKENS[theme]
    axis = {
        "gridcolor": colours["line"],
        "linecolor": colours["line-strong"],
        "tickcolor": colours["line-strong"],
        "zerolinecolor": colours["line-strong"],
        "ticks": "outside",
        "ticklen": 4,
        "automargin": True,
        "title": {"standoff": 8, "font": {"size": 12, "color": colours["muted"]}},
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 12, "color": colours["text"]},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [colours[name] for name in ("firm", "flexible", "fine", "binding", "candidate", "muted")],
            "colorscale": {
                "sequential": [[step / (len(CIVIDIS) - 1), colour] for step, colour in enumerate(CIVIDIS)],
                "diverging": [[step / (len(DIFFERENCE) - 1), colour] for step, colour in enumerate(DIFFERENCE)],
            },
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "font": {"size": 12}},
            "hoverlabel": {
                "bgcolor": colours["surface"],
                "bordercolor": colours["line-strong"],
                "font": {"family": FONT, "size": 12, "color": colours["text"]},
            },
            "separators": ".\u2009",
        }
    )


def styled(figure: go.Figure, theme: Theme = "light", *, key: str = "figure") -> go.Figure:
    """Return ``figure`` in a theme. ``key`` keeps the reader's zoom while it stays the same."""
    return figure.update_layout(template=figure_template(theme), uirevision=key, autosize=True)
