"""Colours: one truth in two places, and enough contrast to read by."""

import re
from pathlib import Path

import pytest

from components import theme

CSS = (Path(__file__).resolve().parents[2] / "assets" / "10_headroom.css").read_text(encoding="utf-8")


def declared(name: theme.Theme) -> dict[str, str]:
    block = CSS[CSS.index(f'[data-bs-theme="{name}"] {{\n  color-scheme') :]
    return dict(re.findall(r"--hr-([a-z-]+): (#[0-9a-f]{6});", block[: block.index("}")]))


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_style_sheet_and_the_figures_have_the_same_colours(name: theme.Theme) -> None:
    css = declared(name)
    assert {key: css[key] for key in theme.TOKENS[name]} == theme.TOKENS[name]


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("ground", ["surface", "ground", "sunken"])
def test_text_has_a_contrast_of_4_5_on_every_ground(name: theme.Theme, ground: str) -> None:
    words = ["text", "muted", *(key for key in theme.TOKENS[name] if key.endswith("-text") and key != "ink-text")]
    poor = {word: round(contrast(theme.token(word, name), theme.token(ground, name)), 2) for word in words}
    assert {word: ratio for word, ratio in poor.items() if ratio < 4.5} == {}
    assert contrast(theme.token("ink-text", name), theme.token("ink", name)) >= 4.5


def test_light_marks_are_the_palette_of_okabe_and_ito() -> None:
    published = {
        "firm": "#0072b2",
        "flexible": "#e69f00",
        "binding": "#d55e00",
        "fine": "#009e73",
        "candidate": "#56b4e9",
    }
    assert {key: theme.token(key) for key in published} == published


def test_a_figure_takes_its_theme_and_keeps_the_readers_zoom() -> None:
    import plotly.graph_objects as go  # noqa: PLC0415

    figure = theme.styled(go.Figure(), "dark", key="curve")
    assert figure.layout.uirevision == "curve"
    assert figure.layout.template.layout.font.color == theme.token("text", "dark")
