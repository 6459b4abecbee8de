"""The Checks tab: what proves the answer, what was assumed, where it is from, and how large a study may be."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dash import html

from components import hubs_export
from components.format import count, number
from components.hubs_cards import card
from components.hubs_growth import growth
from components.hubs_tables import Rows, tabled
from components.hubs_words import At
from components.skeleton import Part, facts, section
from components.static import static
from components.tables import GridColumn
from engine.pricing.cases import assumptions, fleet_assumptions
from engine.pricing.growth import Grown

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

TAB = "checks"
_LEAST = {"residual": 1e-6, "second_solver": 1e-5, "both_ways_mw": 1e-6, "gradient": 1e-5}
_LEAST_MWH = 5e-4  # less is written as 0


def content(run: "HubRun", at: At, others: Sequence[Grown] = ()) -> Part:
    """Return the certificates, how it grows, the assumptions, the provenance and the lines that run it again.

    ``others`` are what the sizes to try took, of those that were computed here.
    """
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
            growth(run, others),
            static(
                html.Div(
                    [
                        section(
                            "What was assumed",
                            html.Ul([html.Li(line) for line in _assumed(run)], className="hr-feeder-lines"),
                        )
                        if own
                        else None,
                        section("Where it is from", facts(origin)),
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


def _assumed(run: "HubRun") -> tuple[str, ...]:
    """Return what was assumed for the case of a run, in sentences."""
    asked = run.question
    return (
        assumptions(asked.seed) if asked.case == "three" else fleet_assumptions(asked.count, asked.feeder, asked.seed)
    )


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
        ("gradient", "Slope by adjoints against differences, a hair beside the prices"),
    ]
    found = [
        {
            "what": words,
            "found": f"{told[name]:.1e}",
            "wanted": f"at most {_LEAST[name]:.0e}",
            "holds": "yes" if told[name] <= _LEAST[name] else "no",
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
                "holds": "yes" if exports < _LEAST_MWH else "no: the price is on imports alone",
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
