"""What the charts of the Feeder page share: hours along the axis, a column for each case, lines of three phases."""

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from components.feeder_layers import At, case_said, cases_of, hour_of
from components.theme import PHASES as LINES
from components.theme import Theme, styled, token

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

STEPS = "hvh"  # a value holds for its hour


def axis_name(place: int) -> str:
    """Return the x axis of a column: ``x``, ``x2``."""
    return f"x{place + 1 if place else ''}"


def hours_of(run: "FeederRun") -> list[int]:
    """Return the places of the hours."""
    return list(range(len(run.labels)))


def line_of(slot: int, theme: Theme, width: float = 2.2) -> dict[str, Any]:
    """Return the line of a phase or pair by its place in the frame: blue dash, orange dot, green line."""
    colour, dash = LINES[slot]
    return {"color": token(colour, theme), "dash": dash, "width": width, "shape": STEPS}


def hover(words: str, unit: str, case: "CaseRun", digits: int = 2) -> str:
    """Return the words under the pointer; a trace's ``customdata`` holds the hours' labels."""
    return f"%{{customdata}} {words}: %{{y:.{digits}f}} {unit}<extra>{case_said(case)}</extra>"


def framed(
    figure: go.Figure,
    run: "FeederRun",
    at: At,
    theme: Theme,
    *,
    rows: list[tuple[str, float]],
    key: str,
    title: str = "",
    named: bool = True,
) -> go.Figure:
    """Return a figure of hours with a column for each case and ``rows`` of (unit, share of the height), top to bottom.

    The hour that is looked at is marked in every column; ``named`` says the case behind the title. Rows are the axes
    ``y``, ``y2``, ...
    """
    cases, hour, count = cases_of(run, at), hour_of(run, at), len(run.labels)
    step = 1 if count <= 8 else 3 if count <= 24 else 6
    ticks = list(range(0, count, step))
    layout: dict[str, Any] = {}
    gap, wide = 0.03, 1.0 / len(cases)
    for place, case in enumerate(cases):
        words = case_said(case) if len(cases) > 1 else f"{title}, {case_said(case)}" if named else title
        start = place * wide + (gap / 2 if place else 0.0)
        end = (place + 1) * wide - (gap / 2 if place + 1 < len(cases) else 0.0)
        layout[axis_name(place).replace("x", "xaxis")] = {
            "tickvals": ticks,
            "ticktext": [run.labels[k] for k in ticks],
            "domain": [start, end],
            "anchor": "y" if len(rows) == 1 else f"y{len(rows)}",
            "title": {"text": words[:1].upper() + words[1:]},
            "range": [-0.6, count - 0.4],
        }  # fmt: skip
        figure.add_shape(
            type="rect", x0=hour - 0.5, x1=hour + 0.5, y0=0, y1=1, xref=axis_name(place), yref="paper", line_width=0,
            fillcolor=token("candidate", theme), opacity=0.26, layer="below",
        )  # fmt: skip
    top, room = 1.0, 0.07
    free = 1.0 - room * (len(rows) - 1)
    for place, (unit, share) in enumerate(rows):
        layout[f"yaxis{place + 1 if place else ''}"] = {
            "title": {"text": unit}, "domain": [max(0.0, top - share * free), top], "anchor": "x",
        }  # fmt: skip
        top -= share * free + room
    figure.update_layout(**layout, margin={"l": 8, "r": 8, "t": 8, "b": 8}, legend={"traceorder": "normal"})
    return styled(figure, theme, key=key)
