"""Parts sent as HTML: escaped, as Dash would draw them, and of plain elements alone."""

import pytest
from dash import dcc, html

from components.static import markup, static


def test_elements_attributes_and_text_are_written_and_escaped() -> None:
    inner = ["<b>", html.Br(), 3, None, [html.Span("&", className="x", hidden=True)]]
    part = html.Button(
        inner, id="a", type="button", disabled=False, style={"backgroundColor": "red"}, **{"data-k": 'a"b<'}
    )
    found = markup(part)
    assert found.startswith("<button ")
    assert found.endswith('>&lt;b&gt;<br>3<span class="x" hidden>&amp;</span></button>')
    head = found[: found.index(">")]
    for wanted in ('id="a"', 'type="button"', 'style="background-color:red"', 'data-k="a&#34;b&lt;"'):
        assert f" {wanted}" in head
    assert "disabled" not in head
    assert ' tabindex="0"' in markup(html.Div(tabIndex=0))
    assert ' aria-hidden="false"' in markup(html.Div(**{"aria-hidden": "false"}))
    assert getattr(static("a < b"), "data-static") == "a &lt; b"


def test_a_component_that_a_callback_could_write_is_refused() -> None:
    with pytest.raises(TypeError, match="Store"):
        markup(html.Div(dcc.Store(id="x")))


def test_a_paragraph_around_a_block_is_none_since_a_browser_would_tear_them_apart() -> None:
    around = html.P([html.Span(html.Div("card")), " of all"], className="hr-muted")
    assert markup(around) == '<div class="hr-paragraph hr-muted"><span><div>card</div></span> of all</div>'
    assert markup(html.P(["5 ", html.Span("MW")])) == "<p>5 <span>MW</span></p>"
