"""The sheet of a drawn figure: its type, the words around it, and how it becomes the bytes of an SVG or a PNG.

matplotlib is used without pyplot, which keeps figures in global state. Text stays text in an SVG, and equal figures
give equal bytes.
"""

import io
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Literal

from components.theme import token

# matplotlib takes half a second to import: whoever draws a picture waits for it, not each start.
if TYPE_CHECKING:
    from matplotlib.figure import Figure

Format = Literal["svg", "png"]
FORMATS: tuple[Format, ...] = ("svg", "png")
TYPES: Mapping[Format, str] = {"svg": "image/svg+xml", "png": "image/png"}

ASSETS = Path(__file__).resolve().parents[1] / "assets"
DPI = 200
_FONTS = ("ibm-plex-sans-latin-400-normal.ttf", "ibm-plex-sans-latin-600-normal.ttf")
_CAPTION_IN_PER_LINE = 0.155
_DRAWING = Lock()  # matplotlib promises nothing about threads


@dataclass(frozen=True, slots=True)
class Caption:
    """What is written around a drawing: what was asked, where the numbers are from, what they are good for."""

    title: str  # the question's sentence
    subtitle: str  # what is painted
    lines: tuple[str, ...]  # network, digests, states, date
    use: str  # "indicative only: ..."
    date: str = ""  # of the answer, ISO 8601: the file's own date
    stale: str = ""  # why it is not current, "" when it is


def rendered(figure: "Figure", kind: Format, caption: Caption) -> bytes:
    """Return a figure as the bytes of a file. Equal figures give equal bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415

    sink = io.BytesIO()
    about = f"{caption.subtitle}. {' '.join(caption.lines)} {caption.use}"
    with _DRAWING:
        if kind == "svg":
            known = {
                "Date": caption.date or None,
                "Creator": ["Headroom"],
                "Title": caption.title,
                "Description": about,
            }
            FigureCanvasSVG(figure).print_svg(sink, metadata=known)  # type: ignore[no-untyped-call]
        else:
            figure.set_dpi(DPI)  # an SVG drawn before leaves its own
            FigureCanvasAgg(figure).print_png(
                sink, metadata={"Software": "Headroom", "Title": caption.title, "Description": about}
            )
    return sink.getvalue()


def inline(svg: bytes, label: str) -> str:
    """Return a drawn SVG as a part of an HTML page: one element with its name, ids only where they are pointed at."""
    text = svg.decode()
    text = text[text.index("<svg") :]
    pointed = set(re.findall(r"(?:#|url\(#)([A-Za-z0-9_]+)", text))
    text = re.sub(r' id="([^"]*)"', lambda found: found.group(0) if found.group(1) in pointed else "", text)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    name = label.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    head, rest = text.split(">", 1)
    head = re.sub(r' (?:width|height)="[^"]*"', "", head)
    return f'<svg role="img" aria-label="{name}"{head.removeprefix("<svg")}>{rest}'


def new_figure(size_in: tuple[float, float]) -> "Figure":
    """Return an empty figure in the product's type."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    _prepare()
    return Figure(figsize=size_in, dpi=DPI, facecolor=token("surface"))


def wrapped(text: str, width_in: float, size_pt: float) -> list[str]:
    """Return text in lines that fit a width; a letter of the product's type is about half its size wide."""
    return textwrap.wrap(text, max(8, int(width_in * 72 / (0.5 * size_pt)))) or [""]


def write_caption(figure: "Figure", caption: Caption) -> None:
    """Write title and subtitle at the top of a figure, where its numbers are from at its foot."""
    width, height = figure.get_size_inches()
    at = height - 0.22
    for place, (text, size, weight, colour) in enumerate(_head(caption, width)):
        at -= size / 72 * (0.55 if place == 0 else 0.75)
        figure.text(
            0.3 / width, at / height, text, size=size, weight=weight, color=colour, va="center", gid=f"title-{place}"
        )
        at -= size / 72 * 0.75
    lines = [line for text in (*caption.lines, _sentence(caption.use)) for line in wrapped(text, width - 0.6, 7.5)]
    for place, text in enumerate(reversed(lines)):
        figure.text(
            0.3 / width,
            (0.2 + _CAPTION_IN_PER_LINE * place) / height,
            text,
            size=7.5,
            color=token("muted"),
            va="center",
            gid=f"caption-{len(lines) - 1 - place}",
        )


@cache
def _prepare() -> None:
    """Set once what matplotlib reads from its global settings; nobody else uses it in this process."""
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib import font_manager  # noqa: PLC0415

    for name in _FONTS:
        font_manager.fontManager.addfont(ASSETS / "fonts" / name)
    bold = Path(font_manager.findfont("DejaVu Sans:bold"))
    known = font_manager.ttfFontProperty(font_manager.get_font(bold))
    font_manager.fontManager.ttflist.append(replace(known, weight=600))  # else it is looked for, and missed, aloud
    mpl.rcParams.update(
        {
            "font.family": ["IBM Plex Sans", "DejaVu Sans"],  # the second has what the first's file lacks, such as ≤
            "text.parse_math": False,  # "$/MWh" is a unit
            "svg.fonttype": "none",
            "svg.hashsalt": "headroom",
            "axes.unicode_minus": True,
        }
    )


def _head(caption: Caption, width: float) -> list[tuple[str, float, int, str]]:
    lines: list[tuple[str, float, int, str]] = [
        (line, 14.0, 600, token("text")) for line in wrapped(caption.title, width - 0.6, 14.0)
    ]
    lines += [(line, 10.5, 400, token("muted")) for line in wrapped(caption.subtitle, width - 0.6, 10.5)]
    if caption.stale:
        text = f"Stale: {caption.stale}"
        lines += [(line, 10.5, 600, token("binding-text")) for line in wrapped(text, width - 0.6, 10.5)]
    return lines


def caption_in(caption: Caption, width_in: float) -> tuple[float, float]:
    """Return how many inches the words take at the top and at the foot of a figure."""
    lines = [line for text in (*caption.lines, caption.use) for line in wrapped(text, width_in - 0.6, 7.5)]
    top = 0.3 + sum(size / 72 * 1.5 for _, size, _, _ in _head(caption, width_in))
    return top, 0.28 + _CAPTION_IN_PER_LINE * len(lines)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
