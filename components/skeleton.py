"""The one skeleton of every page: workbench (map, inspector, drawer), totals, states; its question bar is ``sentence``.

All functions are pure: they return components and read nothing. What a key, a press or a drag does to
them in the browser is in ``assets/10_headroom.js``; it works by the ``data-`` attributes set here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from dash import dcc, html

from components import ids
from components.format import duration, number
from components.icons import icon

Part = Any  # a Dash component or text
Kind = Literal["bus", "branch", "unit"]
State = Literal["empty", "computing", "partial", "done", "stale", "infeasible", "failed", "read-only"]

STATE_WORDS: Mapping[State, str] = {
    "empty": "Nothing here yet",
    "computing": "Computing",
    "partial": "Partial result",
    "done": "Done",
    "stale": "Stale",
    "infeasible": "No feasible answer",
    "failed": "Failed",
    "read-only": "Read only",
}
_STATE_ICONS: Mapping[State, str] = {
    "empty": "select",
    "computing": "jobs",
    "partial": "jobs",
    "done": "fine",
    "stale": "warning",
    "infeasible": "warning",
    "failed": "warning",
    "read-only": "lock",
}


def element(kind: Kind, element_id: str) -> str:
    """Return what a selection Store holds for one element: ``"bus:5120"``."""
    return f"{kind}:{element_id}"


def parse_element(data: Any, kinds: Sequence[str] = ("bus", "branch", "unit")) -> tuple[str, str] | None:
    """Return (kind, id) of a selection Store's data, or None when nothing (or nothing readable) is selected.

    ``kinds`` are what the page can select.
    """
    if not isinstance(data, str):
        return None
    kind, colon, element_id = data.partition(":")
    if not colon or not element_id or kind not in kinds:
        return None
    return kind, element_id


def popover(
    component_id: str,
    face: Part,
    content: Part,
    *,
    label: str,
    class_name: str = "hr-button",
    width: int = 360,
    button_label: str | None = None,
) -> html.Span:
    """Return a button with a panel that it opens and closes (Enter, Escape, a press outside).

    The button's id is ``component_id`` (so ``n_clicks`` can fill the panel late), the panel's body is
    ``<component_id>-panel``. ``label`` names the panel; ``button_label`` the button when its face is only an icon.
    """
    panel_id = f"{component_id}-panel"
    names = {"aria-label": button_label} if button_label else {}
    return html.Span(
        [
            html.Button(
                face,
                id=component_id,
                type="button",
                className=class_name,
                **{"data-popover": panel_id, "aria-expanded": "false", "aria-haspopup": "dialog"},
                **names,
            ),
            html.Span(
                html.Div(content, id=panel_id),
                className="hr-popover",
                style={"width": f"{width}px"},
                role="dialog",
                **{"aria-label": label, "data-popover-panel": panel_id},
            ),
        ],
        className="hr-popover-anchor",
    )


# The workbench


def workbench(
    page: str,
    map_pane: Part,
    inspector: Part,
    drawer: Part,
    *,
    totals: Part | None = None,
    inspector_title: str = "Inspector",
    drawer_title: str = "Table",
    drawer_tools: Part | None = None,
    drawer_open: bool = True,
    tab_words: tuple[str, str, str] = ("Map", "Why", "Table"),
) -> html.Div:
    """Return the three panes with their shared selection Store. On a phone they are three tabs.

    The left pane is named after its tab, the first of ``tab_words``.
    A page writes the children of ``ids.inspector(page)`` and ``ids.drawer(page)``.
    """
    tabs = [
        html.Button(
            [icon(name, size=18), word],
            type="button",
            className="hr-tab",
            **{"data-pane-tab": pane, "aria-pressed": "true" if pane == "map" else "false"},
        )
        for pane, name, word in zip(("map", "why", "table"), ("map", "why", "table"), tab_words, strict=True)
    ]
    return html.Div(
        [
            dcc.Store(id=ids.selection(page)),
            html.Div(totals, id=ids.totals(page), className="hr-totals-strip") if totals is not None else None,
            html.Div(tabs, className="hr-tabs", role="group", **{"aria-label": "Panes"}),
            html.Div(
                [
                    html.Section(
                        map_pane,
                        className="hr-pane hr-pane-map",
                        id=f"{ids.workbench(page)}-map",
                        **{"aria-label": tab_words[0], "data-pane-body": "map"},
                    ),
                    _separator("inspector", "Width of the inspector", "vertical", 38),
                    html.Section(
                        [
                            html.Header(
                                [html.H2(inspector_title, className="hr-pane-title")], className="hr-pane-head"
                            ),
                            html.Div(
                                inspector,
                                id=ids.inspector(page),
                                className="hr-pane-body",
                                tabIndex=0,
                                role="group",
                                **{"aria-label": inspector_title, "aria-live": "polite"},
                            ),
                        ],
                        className="hr-pane hr-pane-why",
                        **{"aria-label": inspector_title, "data-pane-body": "why"},
                    ),
                ],
                className="hr-upper",
            ),
            _separator("drawer", "Height of the table", "horizontal", 34),
            html.Section(
                [
                    html.Header(
                        [
                            html.Button(
                                [icon("chevron", size=16), html.Span(drawer_title)],
                                type="button",
                                className="hr-drawer-toggle",
                                **{"data-drawer-toggle": "", "aria-expanded": "true" if drawer_open else "false"},
                            ),
                            html.Div(drawer_tools, className="hr-drawer-tools") if drawer_tools is not None else None,
                        ],
                        className="hr-pane-head",
                    ),
                    html.Div(drawer, id=ids.drawer(page), className="hr-drawer-body"),
                ],
                className="hr-pane hr-pane-table",
                **{"aria-label": drawer_title, "data-pane-body": "table"},
            ),
        ],
        id=ids.workbench(page),
        className="hr-workbench" + ("" if drawer_open else " hr-drawer-closed"),
        **{"data-workbench": page, "data-pane": "map"},
    )


def _separator(of: str, label: str, orientation: str, share: int) -> html.Div:
    return html.Div(
        className=f"hr-separator hr-separator-{orientation}",
        role="separator",
        tabIndex=0,
        **{
            "data-resize": of,
            "aria-label": label,
            "aria-orientation": orientation,
            "aria-valuenow": str(share),
            "aria-valuemin": "15",
            "aria-valuemax": "75",
        },
    )


def page(*children: Part, title: str, class_name: str = "") -> html.Main:
    """Return a page's main element. ``title`` is its first heading, read aloud and not drawn."""
    return html.Main(
        [html.H1(title, className="visually-hidden"), *children],
        className=f"hr-page {class_name}".strip(),
        id="main",
        tabIndex=-1,
    )


# Numbers


def totals(items: Sequence[Mapping[str, Any]]) -> html.Dl:
    """Return the page's key numbers, large.

    Each item has ``label`` and ``value`` (text, or a why-number), and may have ``unit``, ``note`` and
    ``sign`` ("firm", "flexible", "binding", "fine", "candidate").
    """
    cells = [
        html.Div(
            [
                html.Dt(item["label"], className="hr-total-label"),
                html.Dd(
                    [
                        html.Span(
                            [
                                html.Span(item["value"], className="hr-total-value"),
                                html.Span(item["unit"], className="hr-unit") if item.get("unit") else None,
                            ],
                            className="hr-total-number",
                        ),
                        html.Span(item["note"], className="hr-total-note") if item.get("note") else None,
                    ]
                ),
            ],
            className="hr-total" + (f" hr-sign-{item['sign']}" if item.get("sign") else ""),
        )
        for item in items
    ]
    return html.Dl(cells, className="hr-totals")


def facts(rows: Sequence[tuple[Part, Part]]) -> html.Dl:
    """Return a list of names and values, numbers at the right."""
    return html.Dl(
        [html.Div([html.Dt(name), html.Dd(value)], className="hr-fact") for name, value in rows], className="hr-facts"
    )


def section(title: str, *children: Part) -> html.Section:
    """Return a titled part of the inspector."""
    return html.Section([html.H3(title, className="hr-section-title"), *children], className="hr-section")


# States


def state(
    kind: State, message: Part, *, title: str | None = None, action: Part | None = None, details: Sequence[Part] = ()
) -> html.Div:
    """Return a panel's state in words: what is so, and (``action``) what to do next."""
    return html.Div(
        [
            icon(_STATE_ICONS[kind], size=20, class_name="hr-state-icon"),
            html.Div(
                [
                    html.P(title or STATE_WORDS[kind], className="hr-state-title"),
                    html.Div(message, className="hr-state-message"),
                    html.Ul([html.Li(line) for line in details], className="hr-state-details") if details else None,
                    html.Div(action, className="hr-state-action") if action is not None else None,
                ]
            ),
        ],
        className=f"hr-state hr-state-{kind}",
        role="alert" if kind in ("failed", "infeasible") else "status",
    )


def stale(children: Part, reason: str, *, action: Part | None = None) -> html.Div:
    """Return ``children`` under a pale hatch, with why they are stale and a press that computes again."""
    return html.Div(
        [
            html.Div(
                [icon("warning", size=16), html.Span(f"Stale: {reason}"), action],
                className="hr-stale-note",
                role="status",
            ),
            html.Div(children, className="hr-stale-body"),
        ],
        className="hr-stale",
    )


def progress_card(
    title: str,
    *,
    done: int | None = None,
    total: int | None = None,
    message: str = "",
    eta_s: float | None = None,
    cancel: Part | None = None,
    job: str | None = None,
) -> html.Div:
    """Return a running computation: how far, how much longer, and a cancel button.

    With ``job`` the card follows that job by itself in the browser, and its cancel button works.
    """
    known, share, words = False, 0, "starting"
    if done is not None and total is not None and total > 0:
        known, share, words = True, round(100 * done / total), f"{number(done)} of {number(total)}"
    if cancel is None and job is not None:
        cancel = html.Button(
            "Cancel", id=ids.job_cancel(job), type="button", className="hr-button", **{"data-job-cancel": job}
        )
    left = f"about {duration(eta_s)} left" if eta_s is not None else ""
    names = {"data-job": job} if job is not None else {}
    bar_names = {"aria-valuenow": str(share), "aria-valuemin": "0", "aria-valuemax": "100", "aria-label": title}
    return html.Div(
        [
            html.Div(
                [html.Span(title, className="hr-progress-title"), cancel],
                className="hr-progress-head",
            ),
            html.Div(
                html.Div(className="hr-progress-bar", style={"width": f"{share}%"}),
                className="hr-progress-track" + ("" if known else " hr-progress-unknown"),
                role="progressbar",
                **bar_names,
            ),
            html.Div(
                [
                    html.Span(message or words, className="hr-progress-words"),
                    html.Span(left, className="hr-progress-left"),
                ],
                className="hr-progress-foot",
            ),
        ],
        className="hr-progress",
        **names,
    )


def job_stores(panel: str) -> list[dcc.Store]:
    """Return the Stores of a panel that waits for a job of its own (``callbacks.followed``).

    ``<panel>-job`` holds the job's id or None, ``<panel>-ended`` is written in the browser when it has ended;
    ``<panel>-seen`` is written by nobody, as in grid_map.register_map.
    """
    return [dcc.Store(id=f"{panel}-{part}") for part in ("job", "ended", "seen")]


def button(
    text: Part, component_id: Any, *, primary: bool = False, icon_name: str | None = None, **props: Any
) -> html.Button:
    """Return a button. Its text is a verb: "Compute", "Publish 18 products"."""
    face = [icon(icon_name, size=16), html.Span(text)] if icon_name else text
    return html.Button(
        face,
        id=component_id,
        type="button",
        className="hr-button hr-button-primary" if primary else "hr-button",
        **props,
    )
