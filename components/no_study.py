"""A page that works on a study while none is open: its worked example, one press away."""

from dash import dcc, html

from components import home, ids
from components.skeleton import page, state

_BY_KEY = {entry.key: entry for entry in home.DOORS}
WORKED = {
    ids.NETWORK: home.Door(
        "draw",
        "Draw",
        "A grid on its map",
        "Synthetic Texas: look at every bus, line and unit, change any of them, and ask what serving its load costs.",
        "texas-2020",
        _BY_KEY["plan"].size,
        ids.NETWORK,
    ),
    ids.CAPACITY: _BY_KEY["plan"],
    ids.SITING: _BY_KEY["site"],
}


_WORDS = {
    ids.NETWORK: (
        "Network",
        "A network is drawn, read from a file or taken from the library, into a study.",
    ),
    ids.CAPACITY: ("Firm and flexible capacity", "A capacity question is asked of a study's network."),
    ids.SITING: ("Siting of flexible data centres", "A siting question is asked of a study's network."),
}


def button_id(key: str) -> str:
    """Return the id of the button that opens the worked example of a page."""
    return f"{key}-worked-example"


def no_study(key: str) -> html.Main:
    """Return the page ``key`` without a study: its worked example, and the way to everything else."""
    entry, (title, words) = WORKED[key], _WORDS[key]
    press = html.Button(
        home.inside(entry), id=button_id(key), type="button", className=f"hr-door hr-door-{entry.key} hr-worked"
    )
    way = dcc.Link("Other grids and recent studies", href="/", className="hr-button")
    return page(
        html.Div([state("empty", words, title="No study is open", action=way), press], className="hr-no-study"),
        title=title,
    )
