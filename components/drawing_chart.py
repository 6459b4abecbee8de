"""Charts as SVG and PNG, in the same frame and type as the drawn maps."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from components.drawing_sheet import Caption, caption_in, new_figure, write_caption
from components.format import megawatts
from components.theme import token

# matplotlib takes half a second to import: whoever draws a picture waits for it, not each start.
if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CHART_IN = (9.0, 6.2)
BARE_IN = (6.6, 2.7)  # for a report, which has the words already


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a chart."""

    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class StepChart:
    """A curve with some of its points marked: the first as firm, the others as flexible."""

    line: Series
    marks: tuple[tuple[float, float, str], ...]  # x, y, words
    x_title: str
    y_title: str


def draw_chart(chart: StepChart, caption: Caption | None) -> "Figure":
    """Return the chart as a figure, without words around it when ``caption`` is None."""
    figure = new_figure(CHART_IN if caption else BARE_IN)
    width, height = CHART_IN if caption else BARE_IN
    if caption is not None:
        write_caption(figure, caption)
        top, bottom = caption_in(caption, width)
        box = (0.8 / width, (bottom + 0.6) / height, (width - 1.1) / width, (height - top - bottom - 0.65) / height)
    else:
        box = (0.75 / width, 0.5 / height, (width - 1.0) / width, (height - 0.65) / height)
    axes = figure.add_axes(box)
    axes.set_gid("chart")
    axes.plot(chart.line.x, chart.line.y, color=token("flexible"), linewidth=2.0, gid="curve")
    for place, (x, y, words) in enumerate(chart.marks):
        sign, shape = ("firm", "s") if place == 0 else ("flexible", "o")
        axes.plot(
            [x], [y], shape, color=token(sign), markeredgecolor=token("surface"), markersize=8, clip_on=False,
            zorder=5, gid=f"mark-{place}",
        )  # fmt: skip
        axes.annotate(
            f"{words}: {megawatts(y)}", (x, y), xytext=(7, -11), textcoords="offset points", size=8,
            color=token("text"), gid="mark-words",
        )  # fmt: skip
    _look(axes, chart)
    return figure


def _look(axes: "Axes", chart: StepChart) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    low, high = float(np.min(chart.line.y)), float(np.max(chart.line.y))
    room = 0.12 * (high - low) or 0.1 * max(1.0, abs(high))
    axes.set_xlim(0, max(chart.line.x) * 1.02 or 1.0)
    axes.set_ylim(0 if low < 0.5 * high else low - 2 * room, high + room)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.set_xlabel(chart.x_title, size=8.5, color=token("muted"))
    axes.set_ylabel(chart.y_title, size=8.5, color=token("muted"))
    axes.tick_params(labelsize=8.5, colors=token("text"), width=0.6)
    axes.grid(color=token("line"), linewidth=0.6)
    axes.set_axisbelow(True)
    for name, side in axes.spines.items():
        side.set_visible(name in {"left", "bottom"})
        side.set_edgecolor(token("line-strong"))
