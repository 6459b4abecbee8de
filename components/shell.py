"""What outlives a page change: navigation, study picker, job banner, help, theme, toasts, dialogs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html, page_container

from components import ids
from components.icons import icon
from components.links import PageLink
from components.skeleton import popover

# The theme script stands in the head, so that the colours are right at the first paint.
ASSETS_IGNORE = r"^report\.css$"  # of the printable report, which is no page of Dash
INDEX_STRING = """<!DOCTYPE html>
<html lang="en">
<head>
{%metas%}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{%title%}</title>
<link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">
<script src="/assets/00_theme.js"></script>
{%css%}
</head>
<body>
<a class="hr-skip" href="#main">Skip to the content</a>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""


def layout(links: Sequence[PageLink], outlet: Any = page_container) -> html.Div:
    """Return the frame around every page. ``links`` are the pages that exist, in the order of the rail;
    ``outlet`` is where Dash puts a page.
    """
    return html.Div(
        [
            dcc.Location(id=ids.LOCATION, refresh="callback-nav"),
            dcc.Store(id=ids.STUDY, storage_type="local"),
            dcc.Store(id=ids.RAIL_PATHS, data={f"{ids.RAIL}-{link.key}": link.path for link in links}),
            dcc.Store(id=ids.STUDY_ROLE),
            dcc.Store(id=ids.STUDIES_CHANGED),
            dcc.Store(id=ids.THEME),
            dcc.Store(id=ids.JOBS, data=[]),
            dcc.Store(id=ids.JOBS_WAKE),
            dcc.Store(id=ids.SHARE_ASKED),
            dcc.Store(id=ids.TOAST),
            dcc.Store(id=ids.UNDO),
            dcc.Store(id=ids.HELP_PAGE),
            dcc.Store(id=ids.STUDY_DIALOG_MODE),
            dcc.Download(id=ids.DOWNLOAD),
            _rail(links),
            html.Div(
                [
                    _top_bar(),
                    html.Div(id=ids.MESSAGE, className="hr-message", role="status"),
                    html.Div(outlet, className="hr-outlet"),
                ],
                className="hr-body",
                id=ids.CONTENT,
            ),
            _help_drawer(),
            _name_dialog(),
            _share_dialog(),
            html.Div(className="hr-toasts", id="shell-toasts", role="status", **{"aria-live": "polite"}),
        ],
        className="hr-app",
    )


def _rail(links: Sequence[PageLink]) -> html.Nav:
    entries = [
        html.Li(
            dcc.Link(
                [icon(link.icon, size=20), html.Span(link.label, className="hr-rail-word")],
                href=link.path,
                className="hr-rail-link",
                id=f"{ids.RAIL}-{link.key}",
            )
        )
        for link in links
    ]
    return html.Nav(
        [
            html.Div(
                [
                    html.Span(className="hr-mark", **{"aria-hidden": "true"}),
                    html.Span("Headroom", className="hr-brand-word"),
                ],
                className="hr-brand",
            ),
            html.Ul(entries, className="hr-rail-list"),
            html.Button(
                icon("panel", size=18),
                type="button",
                className="hr-rail-fold",
                title="Fold or open the navigation ( [ )",
                **{"aria-label": "Fold or open the navigation", "data-fold-rail": ""},
            ),
        ],
        className="hr-rail",
        id=ids.RAIL,
        **{"aria-label": "Pages"},
    )


def _top_bar() -> html.Header:
    return html.Header(
        [
            html.Div(
                [
                    popover(
                        ids.STUDY_MENU,
                        [
                            icon("study", size=16),
                            html.Span("No study open", id=ids.STUDY_NAME, className="hr-study-name"),
                            icon("chevron", size=14),
                        ],
                        _study_menu(),
                        label="Studies",
                        class_name="hr-study-button",
                        width=340,
                    ),
                    html.Span(id=f"{ids.STUDY_ROLE}-mark", className="hr-role"),
                ],
                className="hr-top-study",
            ),
            html.Div(id=ids.JOB_BANNER, className="hr-jobs", **{"data-jobs": ""}),
            html.Div(
                [
                    html.Button(
                        [icon("help", size=18), html.Span("Help", className="hr-top-word")],
                        id=f"{ids.HELP}-open",
                        type="button",
                        className="hr-top-button",
                        title="Help ( ? )",
                        **{
                            "aria-expanded": "false",
                            "aria-controls": ids.HELP,
                            "data-help-toggle": "",
                            "aria-label": "Help",
                        },
                    ),
                    html.Button(
                        icon("theme", size=18),
                        id=ids.THEME_TOGGLE,
                        type="button",
                        className="hr-top-button",
                        title="Light or dark",
                        **{"aria-label": "Switch between light and dark", "data-theme-toggle": ""},
                    ),
                ],
                className="hr-top-tools",
            ),
        ],
        className="hr-top",
    )


def _study_menu() -> list[Any]:
    def entry(component_id: str, name: str, text: str) -> html.Button:
        return html.Button(
            [icon(name, size=16), html.Span(text)], id=component_id, type="button", className="hr-menu-item",
            **{"data-popover-close": ""},
        )  # fmt: skip

    return [
        html.Div(id=ids.STUDY_LIST, className="hr-study-list"),
        html.Div(
            [
                entry(ids.STUDY_NEW, "plus", "New study"),
                html.Label(
                    [
                        icon("upload", size=16),
                        dcc.Upload("Import a study file", id=ids.STUDY_IMPORT, max_size=200_000_000),
                    ],
                    className="hr-menu-item hr-menu-upload",
                ),
            ],
            className="hr-menu-group",
        ),
        html.Div(
            [
                entry(ids.STUDY_RENAME, "edit", "Rename this study"),
                entry(ids.STUDY_DUPLICATE, "copy", "Duplicate it"),
                entry(ids.STUDY_SHARE, "share", "Share by link"),
                entry(ids.STUDY_EXPORT, "download", "Export to a file"),
                entry(ids.STUDY_DELETE, "delete", "Delete it"),
            ],
            className="hr-menu-group",
            id=f"{ids.STUDY_MENU}-actions",
        ),
    ]


@dataclass(frozen=True, slots=True)
class StudyEntry:
    """One line of the study picker."""

    id: str
    name: str
    note: str  # "2 000 buses, 3 h ago"
    open: bool = False


def study_list(entries: Sequence[StudyEntry]) -> Any:
    """Return the picker's list of studies."""
    if not entries:
        return html.P(
            "No studies yet. Start one below, or open an example on Home.", className="hr-muted hr-menu-empty"
        )
    rows = [
        html.Li(
            html.Button(
                [html.Span(entry.name, className="hr-menu-name"), html.Span(entry.note, className="hr-menu-note")],
                id=ids.study_open(entry.id),
                type="button",
                className="hr-menu-item hr-menu-study",
                **({"aria-current": "true"} if entry.open else {}),
                **{"data-popover-close": ""},
            )
        )
        for entry in entries
    ]
    return html.Ul(rows, className="hr-menu-list")


def _help_drawer() -> html.Aside:
    return html.Aside(
        [
            html.Div(
                [
                    html.H2("Help", className="hr-pane-title"),
                    html.Button(
                        icon("close", size=18),
                        type="button",
                        className="hr-button hr-button-icon",
                        **{"aria-label": "Close the help", "data-help-toggle": ""},
                    ),
                ],
                className="hr-pane-head",
            ),
            html.Div(
                id=ids.HELP_BODY, className="hr-help-body", tabIndex=0, role="group", **{"aria-label": "Help text"}
            ),
        ],
        id=ids.HELP,
        className="hr-help",
        hidden=True,
        **{"aria-label": "Help"},
    )


def _dialog(component_id: str, title: Any, body: Sequence[Any], buttons: Sequence[Any]) -> html.Div:
    title_id = f"{component_id}-title"
    return html.Div(
        html.Div(
            [
                html.H2(title, id=title_id, className="hr-dialog-title"),
                *body,
                html.Div(list(buttons), className="hr-dialog-buttons"),
            ],
            className="hr-dialog",
            role="dialog",
            **{"aria-modal": "true", "aria-labelledby": title_id},
        ),
        id=component_id,
        className="hr-dialog-back",
        hidden=True,
        **{"data-dialog": ""},
    )


def _name_dialog() -> html.Div:
    return _dialog(
        ids.STUDY_DIALOG,
        html.Span("Study", id=f"{ids.STUDY_DIALOG}-words"),
        [
            html.Label(
                [
                    html.Span("Name", className="hr-label"),
                    dbc.Input(
                        id=ids.STUDY_DIALOG_NAME, type="text", class_name="hr-input", maxlength=120, autocomplete="off"
                    ),
                ],
                className="hr-field",
            ),
            html.P(id=ids.STUDY_DIALOG_MESSAGE, className="hr-field-message", role="alert"),
        ],
        [
            html.Button(
                "Cancel", id=ids.STUDY_DIALOG_CANCEL, type="button", className="hr-button", **{"data-dialog-close": ""}
            ),
            html.Button("Save", id=ids.STUDY_DIALOG_OK, type="button", className="hr-button hr-button-primary"),
        ],
    )


def _share_dialog() -> html.Div:
    return _dialog(
        ids.SHARE_DIALOG,
        "Share by link",
        [
            html.P("Whoever opens this link can read the study and copy it, and cannot change it."),
            html.Label(
                [
                    html.Span("Link to this view", className="hr-label"),
                    dbc.Input(id=ids.SHARE_LINK, type="text", readonly=True, class_name="hr-input"),
                ],
                className="hr-field",
            ),
            html.P(id=ids.SHARE_MESSAGE, className="hr-field-message", role="status"),
        ],
        [
            html.Button("End all sharing", id=ids.SHARE_REVOKE, type="button", className="hr-button"),
            html.Button("Copy", type="button", className="hr-button", **{"data-copy": ids.SHARE_LINK}),
            html.Button(
                "Done",
                id=ids.SHARE_CLOSE,
                type="button",
                className="hr-button hr-button-primary",
                **{"data-dialog-close": ""},
            ),
        ],
    )
