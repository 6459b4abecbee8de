"""Wires what stands in the places of the Capacity page that other parts fill, see components.capacity_slots."""

from dash import Dash

from callbacks import (
    capacity_conditions,
    capacity_largest,
    capacity_promise,
    capacity_requests,
    difference,
    drawing,
    report,
)
from callbacks.capacity_desk import Desk


def register(app: Dash, desk: Desk) -> None:
    """Wire every part."""
    drawing.register(app, desk)
    report.register(app, desk)
    difference.register(app, desk)
    capacity_largest.register(app, desk)
    capacity_promise.register(app, desk)
    capacity_conditions.register(app, desk)
    capacity_requests.register(app, desk)
