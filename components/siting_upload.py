"""The place where a file of the reader's own is taken in: a button, and what the file is made of."""

from dash import dcc, html

from components.skeleton import Part


def place(target: str, label: str, *, accept: str, file: str, hint: str, message: Part = None) -> html.Div:
    """Return the place; ``target`` takes the file, ``file`` names it to who drops one, ``hint`` says what it holds."""
    return html.Div(
        [
            html.Div(
                dcc.Upload(
                    html.Button(label, type="button", className="hr-button"),
                    id=target,
                    accept=accept,
                    max_size=-1,  # the server names its limit in words
                ),
                **{"data-siting-upload": file},
            ),
            html.P(hint, className="hr-muted"),
            message,
        ],
        className="hr-siting-upload",
    )
