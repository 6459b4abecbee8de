"""Parts sent as HTML: escaped, as Dash would draw them, and of plain elements alone."""

from typing import Any

import pytest
from dash import dcc, html

from components.static import Wired, folded, markup, static


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


WIRED = Wired.of(
    [
        {"output": "..told.children...kept.data@5f..", "inputs": [{"id": "press", "property": "n_clicks"}]},
        {"output": "5f0e", "inputs": [{"id": "press", "property": "n_clicks"}]},  # one that writes nothing
        {
            "output": '{"at":["MATCH"],"type":"row"}.children',
            "inputs": [],
            "state": [{"id": "box", "property": "value"}],
            "running": {"running": {"busy.hidden": False}, "runningOff": {"busy.hidden": True}},
        },
    ]
)


def inside(part: Any) -> Any:
    return getattr(part, "data-static", None)


def test_what_callbacks_name_is_read_from_all_that_dash_tells_a_browser() -> None:
    assert WIRED.ids == {"told", "kept", "press", "box", "busy", '{"at":["MATCH"],"type":"row"}'}
    assert WIRED.reaches_into("told")
    assert WIRED.reaches_into({"type": "row", "at": 3})
    assert not any(map(WIRED.reaches_into, ("press", "other", None, {"type": "row"})))


def test_a_layout_is_folded_as_far_as_no_callback_reaches() -> None:
    name = html.Label([html.Span("Name"), dcc.Input(id="box")])
    press = html.Button([html.Span("x"), html.Span("Press")], id="press")
    told = html.Div([html.P([html.B("nothing"), " yet"])], id="told")
    plain = html.Section([html.H2("Words", id="words"), html.Ul([html.Li("one"), html.Li("two")])], className="c")
    page = html.Main([name, press, told, plain, "text"], id="main")
    found = folded(page, WIRED)
    kept, pressed, written, shown, text = found.children
    assert (kept.children, text) == ([*name.children], "text")  # a control among them: nothing to fold
    assert (pressed.id, pressed.children, inside(pressed)) == ("press", None, "<span>x</span><span>Press</span>")
    assert inside(written) is None  # a callback writes its children: only what is below them is folded
    assert inside(written.children[0]) == "<b>nothing</b> yet"
    assert inside(shown) == '<h2 id="words">Words</h2><ul><li>one</li><li>two</li></ul>'
    assert inside(page.children[1]) is None  # the layout given is as it was
    # Written as HTML, both are the same elements; and folding again changes nothing.
    assert markup(folded(plain, WIRED)) == markup(plain)
    assert markup(folded(press, WIRED)) == markup(press)
    assert [inside(one) for one in folded(found, WIRED).children[1:4]] == [inside(pressed), None, inside(shown)]


@pytest.mark.parametrize(
    "held",
    [
        html.Button("Press", id="press"),
        html.P("of a pattern", id={"type": "other", "at": 1}),
        html.Div("shown by its property", **{"data-dialog": ""}),
        html.Span("pressed", n_clicks=0),
        html.Span("wide", style={"width": 4}),  # React says pixels
        html.Select([html.Option("one")]),
        html.Div([1.0]),  # "1" in the browser
        dcc.Link("Home", href="/"),
    ],
)
def test_what_needs_its_component_keeps_it_and_all_around_it(held: Any) -> None:
    around = html.Div([html.P([html.I("before")]), held])
    found = folded(html.Div([around]), WIRED)
    assert inside(found) is None
    assert inside(found.children[0]) is None
    assert inside(found.children[0].children[0]) == "<i>before</i>"
    assert type(found.children[0].children[1]) is type(held)


def test_a_part_of_another_content_is_another_element() -> None:
    plain = html.Div([html.P("one")])
    assert folded(plain, WIRED).key == static("two").key != getattr(plain, "key", None)
