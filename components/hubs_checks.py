"""The Checks tab: what proves the answer, what was assumed, where it is from, and how large a study may be."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dash import html

from components import hubs_export
from components.format import count, number
from components.hubs_cards import card
from components.hubs_tables import Rows, tabled
from components.hubs_words import At
from components.skeleton import Part, facts, section
from components.static import static
from components.tables import GridColumn
from engine.pricing.cases import assumptions

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

TAB = "checks"
_LEAST = {"residual": 1e-6, "second_solver": 1e-5, "both_ways_mw": 1e-6, "gradient": 1e-4}
_LEAST_MWH = 5e-4  # less is written as 0
_SCALE = ((30, 30.0), (300, 120.0), (3000, 240.0))  # hubs, and s for the search


def content(run: "HubRun", at: At) -> Part:
    """Return the certificates, the assumptions, the provenance and the lines that run it again."""
    columns, listed = rows(run, at)
    known = run.provenance
    origin: list[tuple[Part, Part]] = [
        ("Case", html.Code(str(known["case_digest"])[:16])),
        ("Question", html.Code(str(known["question_digest"])[:16])),
        ("Seed", str(run.question.seed)),
        ("Solvers", str(known["solver"])),
        ("Headroom", str(known["headroom"])),
        ("Computed", str(known["date"])),
        ("Time", f"{number(float(known['time_s']), 1)} s"),
    ]
    own = not run.question.dataset
    return html.Div(
        [
            tabled(
                TAB,
                "Certificates",
                columns,
                listed,
                why=card(run, at, "objective"),
                note="Numbers that are 0, or nearly, where everything is as it should be.",
            ),
            static(
                html.Div(
                    [
                        section(
                            "What was assumed",
                            html.Ul([html.Li(line) for line in assumptions()], className="hr-feeder-lines"),
                        )
                        if own
                        else None,
                        section("Where it is from", facts(origin)),
                        section("How large it may be", html.P("The same question of larger fleets:"), _scale()),
                        section(
                            "Again, in Python",
                            html.Pre(
                                hubs_export.code(run, {}),
                                className="hr-hubs-code",
                                tabIndex=0,
                                **{"aria-label": "Python lines that run it again"},
                                role="group",
                            ),
                        ),
                    ],
                    className="hr-feeder-columns",
                )
            ),
        ]
    )


def _scale() -> Part:
    links = []
    for amount, seconds in _SCALE:
        asked = quote(f'{{"case":"fleet","count":{amount},"quick_time_s":{seconds}}}', safe=",:")
        words = f"{count(amount, 'hub')} on IEEE 37, {seconds:g} s for the search"
        links.append(html.Li(html.A(words, href=f"/hubs?ask={asked}&tab=models")))
    return html.Ul(links, className="hr-feeder-lines")


def rows(run: "HubRun", _at: At) -> Rows:
    """Return columns and rows: each certificate with what it should be."""
    told: dict[str, Any] = dict(run.facts["certificates"])
    columns = [
        GridColumn("what", "Certificate"),
        GridColumn("found", "Found"),
        GridColumn("wanted", "Should be"),
        GridColumn("holds", "Holds"),
    ]
    lines = [
        ("residual", "Largest violation of a hub's conditions of optimality"),
        ("second_solver", f"Largest difference from a second solver, {count(told['sampled'], 'hub')} asked"),
        ("both_ways_mw", "MW that a battery charges and discharges, or a hub imports and exports, at once"),
        ("gradient", "Slope by adjoints against differences, along a random way"),
    ]
    found = [
        {
            "what": words,
            "found": f"{told[name]:.1e}",
            "wanted": f"at most {_LEAST[name]:.0e}",
            "holds": "yes"
            if told[name] <= _LEAST[name]
            else "an answer bends just there"
            if name == "gradient"
            else "no",
        }
        for name, words in lines
    ]
    exports = run.facts.get("by_exports_mwh")
    if exports is not None:
        found.append(
            {
                "what": "MWh beyond limits that exports alone make",
                "found": number(float(exports), 3),
                "wanted": "0",
                "holds": "yes" if exports < _LEAST_MWH else "a price on imports cannot cure it",
            }
        )
    found.append(
        {
            "what": "Bounds in their order: all as one, prices, no prices",
            "found": "yes" if told["order"] else "no",
            "wanted": "yes",
            "holds": "yes" if told["order"] else "no",
        }
    )
    return columns, found
