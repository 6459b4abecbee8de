"""What a hub does in MW and holds in MWh, period by period, as charts, tables and cards of the Hubs page name it."""

from typing import TYPE_CHECKING

import numpy as np

from components.hubs_words import programs_of
from engine.network.model import Vector
from engine.pricing.compare import Outcome

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

HELD = {  # in words, colour and dash of its line
    "energy": ("battery", "fine", "solid"),
    "hydrogen": ("hydrogen", "flexible", "dash"),
    "waiting": ("work that waits", "candidate", "dot"),
}
WORDS = {
    "import": "import",
    "sun": "sun used",
    "discharge": "battery out",
    "generated": "generator",
    "fuel cell": "fuel cell",
    "demand": "demand",
    "work": "work done",
    "charge": "battery in",
    "electrolyser": "electrolyser",
    "export": "export",
}


def parts_of(run: "HubRun", outcome: Outcome, place_: int) -> dict[str, Vector]:
    """Return what a hub does in MW, and holds in MWh, period by period; only what it has."""
    hub, program, x = run.case.hubs[place_], programs_of(run)[place_], outcome.points[place_]
    found: dict[str, Vector] = {"demand": np.asarray(hub.demand_mw)}
    for kind in ("import", "export", "work", "charge", "discharge", "generated", "electrolyser", *HELD):
        if kind in program.kinds:
            found[kind] = program.of(x, kind)
    if hub.hydrogen is not None:
        found["fuel cell"] = hub.hydrogen.fuel_cell_efficiency * program.of(x, "fuel cell")
    if any(hub.sun_mw):
        found["sun"] = np.asarray(hub.sun_mw) - program.of(x, "curtailed")
    return found
