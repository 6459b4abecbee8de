"""Home: what this is in one screen, six doors, recent studies, examples that open at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from dash import dcc, html

from components import home_ids
from components.format import number
from components.icons import icon
from components.skeleton import page, state

PAGE = "home"
THUMBNAIL = (132, 84)  # pixels


@dataclass(frozen=True, slots=True)
class Door:
    """One of the ways in."""

    key: str
    verb: str
    title: str
    text: str
    example: str  # library key, of the feeders after "feeder-"
    size: str
    page: str  # where it opens, when that page exists
    address: str = ""  # of a door that opens no study


_BUSES = number(2000).replace("\u2009", "\u202f")  # in a sentence it stays on one line

DOORS = (
    Door(
        "plan",
        "Plan",
        "Where do 1 GW sites fit in Texas?",
        f"Fifty candidate sites on the {_BUSES}-bus grid: firm and flexible MW at each, and what stops it there.",
        "texas-2020",
        f"{number(2000)} buses, 598 units",
        "capacity",
    ),
    Door(
        "site",
        "Site",
        "Which buses take 1 GW after any outage?",
        "The buses that qualify for firm and flexible use, what sites do to prices, and the ranked shortlist: there at "
        "once.",
        "texas-2020",
        f"{number(2000)} buses, 3 envelopes",
        "siting",
    ),
    Door(
        "teach",
        "Teach",
        "An auction to play at once",
        "Capacity of a small grid sold in rounds: see how it ends, bid yourself against a bot, or run it for a class "
        "with phones and a projector.",
        "fourbus",
        "4 products, 2 bidders",
        "auction",
        address="/auction",
    ),
    Door(
        "price",
        "Price",
        "What do data centres pay on a feeder?",
        "Three of them on an unbalanced three-phase feeder: prices by bus and phase over a day, with and without SVG, "
        "each hour judged by AC power flow.",
        "feeder-ieee37",
        "38 buses, 24 hours",
        "feeder",
        address="/feeder",
    ),
    Door(
        "steer",
        "Steer",
        "Can prices keep a network in its limits?",
        "Three energy hubs, a data centre among them, answer hourly prices: what prices cure, what that costs, and "
        "how near they are to the best.",
        "feeder-ieee37",
        "3 hubs, 24 hours",
        "hubs",
        address="/hubs",
    ),
    Door(
        "prepare",
        "Prepare",
        "Where do batteries stand against AI shocks?",
        "Modules for a budget on a feeder with three campuses: what they save in the worst events, under probabilities "
        "in doubt, and on shocks that no plan has seen.",
        "feeder-ieee33",
        "33 buses, 100 shocks",
        "resilience",
        address="/resilience",
    ),
    Door(
        "show",
        "Show",
        "An answer for the projector",
        "The three-area test system, its capacity worked out as it opens: press any number and it says why.",
        "rts-gmlc",
        "73 buses, 3 areas",
        "capacity",
    ),
)


@dataclass(frozen=True, slots=True)
class StudyCard:
    """A recent study as Home shows it."""

    id: str
    name: str
    network: str
    size: str  # "2 000 buses, 3 206 branches"
    answered: str  # "Firm 3 973 MW, 6 840 MW with flexible", or "" when nothing was asked
    when: str
    href: str
    thumbnail: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """A grid of the library."""

    key: str
    title: str
    description: str
    buses: int


def layout(studies: Sequence[StudyCard], examples: Sequence[Example], auctions: Any = None) -> html.Main:
    """Return the page. ``auctions`` stands below the recent studies."""
    return page(
        html.Div(
            [
                html.Section(
                    [
                        html.H2(
                            "Where can a data centre connect, and how much may it draw?", className="hr-home-title"
                        ),
                        html.P(
                            "Headroom takes a grid and answers in MW: what each bus can supply in every planned state "
                            "(firm), what more it can supply if it may be interrupted (flexible), and which line or "
                            "transformer sets the limit.",
                            className="hr-home-lead",
                        ),
                    ],
                    className="hr-home-intro",
                ),
                html.Div([door(entry) for entry in DOORS], className="hr-doors"),
                html.Div(id=home_ids.MESSAGE, role="status"),
                html.Div(
                    [
                        html.Section(
                            [
                                html.H2("Recent studies", className="hr-home-head"),
                                html.Div(recent(studies), id=home_ids.RECENT),
                                auctions,
                            ],
                            className="hr-home-recent",
                        ),
                        html.Section(
                            [html.H2("Grids to open", className="hr-home-head"), example_list(examples)],
                            className="hr-home-examples",
                        ),
                    ],
                    className="hr-home-columns",
                ),
                html.P(
                    "Answers are those of a linear model on public or your own data: indicative only, no offer of a "
                    "connection.",
                    className="hr-home-foot",
                ),
            ],
            className="hr-home",
        ),
        title="Headroom",
        class_name="hr-page-scroll",
    )


def door(entry: Door) -> Any:
    """Return one of the doors: one large button, or a link where it opens no study."""
    look = f"hr-door hr-door-{entry.key}"
    if entry.address:
        return dcc.Link(inside(entry), href=entry.address, className=look)
    button = home_ids.open_example(f"{entry.example}:{entry.page}")
    return html.Button(inside(entry), id=button, type="button", className=look)


def inside(entry: Door) -> list[Any]:
    """Return what a door shows: its picture and its words."""
    return [
        picture(f"/api/thumbnails/example/{entry.example}.svg", "hr-door-map"),
        html.Span(
            [
                html.Span(entry.verb, className="hr-door-verb"),
                html.Span(entry.title, className="hr-door-title"),
                html.Span(entry.text, className="hr-door-text"),
                html.Span(
                    [html.Span(entry.size), html.Span(["Open", icon("arrow", size=16)], className="hr-door-go")],
                    className="hr-door-foot",
                ),
            ],
            className="hr-door-words",
        ),
    ]


def picture(address: str, class_name: str) -> html.Span:
    """Return a thumbnail in the colours of the theme: the picture is the mask of a coloured box."""
    mask = f'url("{address}")'
    return html.Span(
        className=class_name, style={"maskImage": mask, "WebkitMaskImage": mask}, **{"aria-hidden": "true"}
    )


def recent(studies: Sequence[StudyCard]) -> Any:
    """Return the list of recent studies, or what to do when there is none."""
    if not studies:
        return state(
            "empty",
            "Open one of the grids, or choose New study in the bar above to draw or import your own.",
            title="No studies yet",
        )
    return html.Ul([html.Li(_study(card), className="hr-study-card") for card in studies], className="hr-study-cards")


def _study(card: StudyCard) -> list[Any]:
    return [
        dcc.Link(
            [
                picture(card.thumbnail, "hr-study-map"),
                html.Span(
                    [
                        html.Span(card.name, className="hr-study-title"),
                        html.Span(f"{card.network}, {card.size}" if card.network != card.name else card.size),
                        html.Span(
                            [
                                html.Span(
                                    card.answered or "Nothing asked yet",
                                    className="hr-study-answer",
                                ),
                                html.Span(card.when + (", read only" if card.read_only else "")),
                            ],
                            className="hr-study-line",
                        ),
                    ],
                    className="hr-study-words",
                ),
            ],
            href=card.href,
            className="hr-study-link",
        ),
        html.Button(
            icon("delete", size=16),
            id=home_ids.delete_study(card.id),
            type="button",
            className="hr-button hr-button-quiet hr-button-icon",
            title="Delete",
            **{"aria-label": f"Delete {card.name}"},
        ),
    ]


def example_list(examples: Sequence[Example]) -> html.Ul:
    """Return the library as a compact list; each line opens the reader's own study of that grid."""
    return html.Ul(
        [
            html.Li(
                html.Button(
                    [
                        html.Span(example.title, className="hr-example-title"),
                        html.Span(example.description, className="hr-example-text", title=example.description),
                        html.Span(
                            [number(example.buses), html.Span(" buses", className="hr-unit")],
                            className="hr-example-size",
                        ),
                        icon("arrow", size=16, class_name="hr-example-go"),
                    ],
                    id=home_ids.open_example(example.key),
                    type="button",
                    className="hr-example",
                )
            )
            for example in examples
        ],
        className="hr-examples",
        id=home_ids.EXAMPLES,
    )


def thumbnail(
    points: npt.NDArray[np.float64], ends: npt.NDArray[np.intp], size: tuple[int, int] = THUMBNAIL, scale: int = 2
) -> bytes:
    """Return a small SVG of a network: (B, 2) points with y upward, (L, 2) positions of the branches' ends.

    It is a mask, so only opacity matters. Lines that fall on the same pixels are drawn once.
    """
    width, height = size[0] * scale, size[1] * scale
    spots = _fitted(points, width, height)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
    few = len(points) <= 80
    parts = [head]
    if len(ends):
        lines = np.unique(np.hstack([spots[ends[:, 0]], spots[ends[:, 1]]]), axis=0)
        lines = lines[(lines[:, :2] != lines[:, 2:]).any(axis=1)]
        path = "".join(f"M{a} {b}L{c} {d}" for a, b, c, d in lines.tolist())
        parts.append(
            f'<path d="{path}" fill="none" stroke="#000" stroke-width="{3 if few else 1}" stroke-opacity=".55"/>'
        )
    if few:
        radius = 7 if len(points) <= 10 else 4
        parts += [f'<circle cx="{x}" cy="{y}" r="{radius}"/>' for x, y in np.unique(spots, axis=0).tolist()]
    else:
        dots = np.unique(spots, axis=0).tolist()
        path = "".join(f"M{x} {y}h0" for x, y in dots)
        parts.append(f'<path d="{path}" fill="none" stroke="#000" stroke-width="2.4" stroke-linecap="round"/>')
    return "".join([*parts, "</svg>"]).encode()


def _fitted(points: npt.NDArray[np.float64], width: int, height: int) -> npt.NDArray[np.intp]:
    """Return (B, 2) whole pixels, y downward, the drawing centred with a border."""
    if len(points) == 0:
        return np.zeros((0, 2), dtype=np.intp)
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.maximum(high - low, 1e-9)
    inner = np.array([width, height]) - 24
    factor = float((inner / span).min()) if (high > low).any() else 0.0
    middle = (low + high) / 2
    spots = (points - middle) * factor * np.array([1.0, -1.0]) + np.array([width, height]) / 2
    return np.round(spots).astype(np.intp)
