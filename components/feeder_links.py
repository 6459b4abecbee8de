"""The Links tab: every line, switch, transformer and regulator in the hour that is looked at."""

from typing import TYPE_CHECKING, Any

import numpy as np
from dash import html

from components import ids
from components.feeder_cards import card
from components.feeder_layers import At, case_key, case_of, case_said, cases_of, hour_of, selected
from components.feeder_limits import at_hour
from components.feeder_tables import reasons
from components.format import count, percent
from components.skeleton import Part
from components.tables import GridColumn, grid, tools
from engine.distribution.feeder import Line, Link, Regulator, Switch, Transformer

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

_WORDS = {Line: "line", Switch: "switch", Transformer: "transformer", Regulator: "regulator"}
_LOADING = "In AC: the largest current of a line's phases, the largest power of a transformer's windings"
_STATES = {"binds": "at its limit", "exceeded": "exceeded in AC", "flagged": "exceeded in AC, flagged"}


def place() -> list[Part]:
    """Return the grid; the page writes ``rowData`` and ``columnDefs`` of ``ids.grid(ids.FEEDER, "links")``."""
    return [
        tools(ids.FEEDER, name="links", label="Filter the links", csv_name="feeder-links.csv"),
        html.Div(
            grid(
                ids.FEEDER, [GridColumn("id", "Link", width=110, pinned=True)], (), name="links", label="Links",
                kind="link",
            ),
            className="hr-feeder-grid",
        ),
    ]  # fmt: skip


def content(run: "FeederRun", at: At) -> Part:
    """Return what is told of the table, and cards of one link: the selected, else the fullest."""
    case, hour = case_of(run, at), hour_of(run, at)
    shares = [_share(link, case, hour, place_) or 0.0 for place_, link in enumerate(run.feeder.links)]
    full = int(np.argmax(shares))
    name = run.feeder.links[full].name
    shown = "with SVG less without" if at.case == "difference" and len(cases_of(run, at)) > 1 else case_said(case)
    words = (
        f"{run.labels[hour]}, {shown}: {count(len(run.feeder.links), 'link')}, the fullest {name} at "
        f"{percent(shares[full], 1)} of its rating."
    )
    chosen = selected(run, at)
    link = next(
        (row for row in run.feeder.links if chosen is not None and chosen == ("link", row.name)), run.feeder.links[full]
    )
    one = At(case_key(case), at.hour)  # type: ignore[arg-type]
    cards = {"loading, in AC and linear": card(run, one, f"loading:{link.name}")}
    cards |= {f"current {phase}": card(run, one, f"current:{link.name}:{phase}") for phase in link.phases}
    if len(case.line_chance):
        cards["chance above rating"] = card(run, one, "chance")
    return reasons("links", words, f"link {link.name}", cards)


def rows(run: "FeederRun", at: At) -> tuple[list[GridColumn], list[dict[str, Any]]]:
    """Return columns and rows, one row for each link; a phase that it has not is None."""
    hour, cases = hour_of(run, at), cases_of(run, at)
    case, less = cases[-1], cases[0] if at.case == "difference" and len(cases) > 1 else None
    states = {each.element: _STATES[each.state] for each in at_hour(run, case, hour) if each.kind == "link"}
    found = []
    for place_, link in enumerate(run.feeder.links):
        values = _values(link, case, hour, place_)
        if less is not None:
            other = _values(link, less, hour, place_)
            values = {name: _less(value, other[name]) for name, value in values.items()}
        is_open = isinstance(link, Switch) and not link.closed
        found.append(
            {
                "id": link.name,
                "kind": f"open {_WORDS[type(link)]}" if is_open else _WORDS[type(link)],
                "from": link.from_bus,
                "to": link.to_bus,
                "phases": ", ".join(link.phases),
                "rating": getattr(link, "rating_a", None),
                "kva": link.kva if isinstance(link, Transformer) else None,
                "state": states.get(link.name, ""),
                **values,
            }
        )
    columns = _columns()
    return columns if len(case.line_chance) else columns[:-1], found


def _values(link: Link, case: "CaseRun", hour: int, at: int) -> dict[str, float | None]:
    amperes = case.current_a[hour, at]
    found: dict[str, float | None] = {
        f"a_{phase}": float(value) if phase in link.phases else None
        for phase, value in zip("abc", amperes, strict=True)
    }
    share, linear = _share(link, case, hour, at), float(case.linear_loading[hour, at])
    found["loading"] = None if share is None else 100.0 * share
    found["linear"] = 100.0 * linear if linear else None
    chance = case.line_chance
    found["chance"] = 100.0 * float(chance[hour, at]) if len(chance) else None
    return found


def _share(link: Link, case: "CaseRun", hour: int, at: int) -> float | None:
    """Return how full a link is in AC, of currents or of a transformer's power; None without a rating."""
    rated = isinstance(link, Transformer) or link.rating_a is not None
    return float(case.ac_loading[hour, at]) if rated else None


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _columns() -> list[GridColumn]:
    return [
        GridColumn("id", "Link", width=110, pinned=True),
        GridColumn("kind", "Kind", width=104),
        GridColumn("from", "From", width=88),
        GridColumn("to", "To", width=88),
        GridColumn("phases", "Phases", width=92),
        GridColumn("state", "Limit", width=118),
        GridColumn("loading", "Loading", "%", "number", digits=1, width=116, help=_LOADING),
        GridColumn("linear", "Loading, linear", "%", "number", digits=1, width=150),
        *(GridColumn(f"a_{phase}", f"Current {phase}", "A", "number", digits=1, width=122) for phase in "abc"),
        GridColumn("rating", "Rating", "A", "number", digits=0, width=104),
        GridColumn("kva", "Rating", "kVA", "number", digits=0, width=116),
        GridColumn("chance", "Chance above rating", "%", "number", digits=1, width=180, help="Of the scenarios, in AC"),
    ]
