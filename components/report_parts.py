"""The way from the Capacity page to the printable reports of what is drawn there."""

from urllib.parse import urlencode

from dash import html

from components import capacity_ids
from components.icons import icon
from components.skeleton import Part, popover

PATH = "/report"


def capacity_link() -> list[Part]:
    """Return the button Report; the links of its panel are written once an answer is drawn."""
    face = [icon("copy", size=14), html.Span("Report")]
    panel = html.Div(links("", "", ""), id=capacity_ids.REPORT_LINKS)
    return [
        popover(capacity_ids.REPORT, face, panel, label="Report", class_name="hr-button hr-button-quiet", width=260)
    ]


def links(study_address: str, bus_address: str, bus: str) -> list[Part]:
    """Return the links to the report of the study and to that of the selected bus; words where there is none."""
    if not study_address:
        return [html.P("There is nothing to report yet: compute the answer first.", className="hr-muted")]
    parts: list[Part] = [
        html.P("Made for paper: print it from the new tab.", className="hr-muted"),
        _link("Report of the study", study_address),
    ]
    if bus_address:
        parts.append(_link(f"Report of bus {bus}", bus_address))
    else:
        parts.append(html.P("Select a bus for a report of that bus.", className="hr-muted"))
    return [html.Div(parts, className="hr-report-links")]


def too_long() -> list[Part]:
    """Return what is said where the question fits no address and the reader may not keep it."""
    return [
        html.P(
            "This question is too long for an address, and with a study that is shared with you nothing is saved: "
            "duplicate the study to print it.",
            className="hr-muted",
        )
    ]


def address(study: str, query: str, network: str, bus: str = "") -> str:
    """Return the address of a report: ``query`` is the question's own query string, ``network`` the digest."""
    parts = urlencode([("study", study), ("network", network), *([("bus", bus)] if bus else [])])
    return f"{PATH}?{parts}&{query}"


def _link(words: str, href: str) -> html.A:
    return html.A([icon("arrow", size=14), words], href=href, target="_blank", rel="noopener", className="hr-button")
