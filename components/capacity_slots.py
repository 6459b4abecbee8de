"""The places of the Capacity page that other parts fill: each function returns what stands there, None for nothing."""

from components import (
    capacity_check,
    capacity_conditions,
    capacity_largest,
    capacity_promise,
    capacity_requests,
    difference_parts,
    drawing_parts,
    report_parts,
)
from components.skeleton import Part
from engine.capacity.question import CapacityQuestion
from engine.network.model import Network


def under_question() -> Part:
    """Return what stands below More, beside the question: two settings held against each other."""
    return difference_parts.pin_bar()


def requests_tab(network: Network) -> Part:
    """Return the drawer's tab of requests: customers, buses, MW, dates; None leaves the tab out."""
    return capacity_requests.tab(network)


def more_groups(question: CapacityQuestion, *, read_only: bool) -> list[Part]:
    """Return further groups of the rare options behind More: conditions of one's own."""
    return [capacity_conditions.group(question.conditions, read_only=read_only)]


def under_inspected(hour: str = "") -> list[Part]:
    """Return what stands below the selected element in the inspector: each bus with redispatch in the state ``hour``,
    and the worth of the promise.
    """
    return [capacity_largest.place(hour), capacity_promise.place()]


def under_products() -> Part:
    """Return what stands below the published versions in the tab of products: the promise, the check of the set."""
    return capacity_check.place()


def export_buttons() -> list[Part]:
    """Return further buttons of the export panel: the map and the curve as figures."""
    return drawing_parts.capacity_buttons()


def beside_export() -> list[Part]:
    """Return what stands beside Export in the drawer's head: the report."""
    return report_parts.capacity_link()
