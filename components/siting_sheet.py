"""The sheet of a site: what the study says of the selected bus, top to bottom, in the inspector."""

from dash import dcc, html

from components import siting_ids
from components.capacity_sites import bus_facts
from components.format import megawatts
from components.icons import icon
from components.siting_resources import resource_sections
from components.siting_sheet_gate import gate_sections
from components.siting_sheet_market import market_sections, ranking_sections
from components.siting_site import SiteStudy
from components.skeleton import Part, facts, job_stores, section, state
from engine.errors import QuestionError

REPORT_PATH = "/siting/report"


def place() -> html.Div:
    """Return the sheet's place in the inspector, with its Stores."""
    ac = siting_ids.AC
    return html.Div(
        [
            dcc.Store(id=siting_ids.OUTAGE),
            *job_stores(ac),
            dcc.Store(id=f"{siting_ids.AC_RUN}-pressed"),
            html.Div(id=f"{siting_ids.SITE}-ways"),
            html.Div(id=siting_ids.SITE),
            html.Div(id=siting_ids.OUTAGE_TOLD, **{"aria-live": "polite"}),
            html.Div(id=f"{siting_ids.SITE}-rest"),
            html.Section(
                [html.H3("Voltages and losses", className="hr-section-title"), html.Div(id=ac)],
                className="hr-section",
                id=f"{ac}-section",
                hidden=True,
            ),
        ],
        className="hr-siting-sheet",
    )


def nothing_yet() -> Part:
    """Return what is said before there is an answer."""
    return state("empty", "What the gate says of this bus appears here once it is computed.")


def ways(report: str | None, *, candidate: bool = True) -> Part:
    """Return where a sheet leads: back to all sites, to its terms, and to its printable form at ``report``."""
    back = html.Button("All sites", type="button", className="hr-button hr-button-quiet", **{"data-siting-select": ""})
    if not candidate:
        return html.Div(back, className="hr-siting-ways")
    terms = html.Button("Draft agreement", type="button", className="hr-button", **{"data-siting-tab": "agreement"})
    if report is None:
        words = "This question is too long for an address: the study's owner can print the sheet."
        return html.Div([html.Div([terms, back], className="hr-siting-ways"), html.P(words, className="hr-muted")])
    face = [icon("download", size=14), "Printable sheet"]
    printed = html.A(face, href=report, target="_blank", rel="noopener", className="hr-button")
    return html.Div([printed, terms, back], className="hr-siting-ways")


def sheet(study: SiteStudy, bus: int) -> tuple[list[Part], list[Part]]:
    """Return the sheet of a bus (position): what the gate says, then ranking, market and data."""
    head = [html.H3(study.words(bus), className="hr-capacity-title")]
    data = section("Data", facts(bus_facts(study.network, bus)))
    if bus not in study.gate.buses:
        words = "This bus is not among the candidates of the question: nothing was screened here."
        return [*head, state("empty", words, title="Not a candidate")], [data]
    try:
        gate = gate_sections(study, bus)
    except QuestionError as error:
        return [*head, state("empty", f"{error}.")], [data]
    looked = html.P(f"{study.envelope}, {megawatts(study.size_mw)}", className="hr-muted")
    own = resource_sections(study, bus)
    return [*head, looked, *gate, *own], [*ranking_sections(study, bus), *market_sections(study, bus), data]
