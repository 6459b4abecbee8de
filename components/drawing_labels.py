"""Labels on a drawn map: each beside its place, never over another one; what finds no room is left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.theme import token
from engine.network.model import Matrix

# matplotlib takes half a second to import: whoever draws a picture waits for it, not each start.
if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OFFSETS = (((6, 0), "left", "center"), ((-6, 0), "right", "center"), ((0, 6), "center", "bottom"),
            ((0, -6), "center", "top"))  # fmt: skip
_MOST = 120  # each costs a measurement
_MARK_PT = 3.6  # half the width of a site's mark
# Not a path effect: that would turn the letters of an SVG into shapes.
_GROUND = {"facecolor": token("surface"), "alpha": 0.8, "edgecolor": "none", "pad": 0.8}


@dataclass(frozen=True, slots=True)
class Label:
    """Words at a place of the map: at a bus, or between two."""

    text: str
    bus: int
    other: int | None = None  # the branch's other end
    sign: str = "text"  # a colour token


def draw_labels(axes: "Axes", labels: Sequence[Label], points: Matrix) -> None:
    """Write the labels in their order, so that the first get their place."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.transforms import Bbox  # noqa: PLC0415

    if not labels:
        return
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("labels are drawn on a figure")
    renderer = FigureCanvasAgg(figure).get_renderer()
    frame = axes.get_window_extent(renderer)
    # What is named stays visible: no label lies on the mark of another one.
    marks = [axes.transData.transform(points[label.bus]) for label in labels[:_MOST] if label.other is None]
    reach = _MARK_PT * figure.dpi / 72
    taken = [Bbox.from_extents(x - reach, y - reach, x + reach, y + reach) for x, y in marks]
    taken += [part.get_window_extent(renderer) for part in (*axes.texts, *axes.lines)]  # the scale
    for label in labels[:_MOST]:
        place = points[label.bus] if label.other is None else 0.5 * (points[label.bus] + points[label.other])
        for offset, horizontal, vertical in _OFFSETS:
            text = axes.annotate(
                label.text,
                (float(place[0]), float(place[1])),
                xytext=offset,
                textcoords="offset points",
                ha=horizontal,  # type: ignore[arg-type]
                va=vertical,  # type: ignore[arg-type]
                size=7.5,
                color=token(label.sign),
                zorder=10,
                gid="label",
                bbox=_GROUND,
            )
            box = text.get_window_extent(renderer)
            inside = frame.x0 < box.x0 and box.x1 < frame.x1 and frame.y0 < box.y0 and box.y1 < frame.y1
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            text.remove()
