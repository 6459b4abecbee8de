"""What the cards of the Hubs page share: where numbers are from, which hub is meant, and how far a limit is used."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from components.hubs_words import SUBSTATION, At
from components.skeleton import Part
from components.why_card import WhyInput
from engine.network.model import Vector
from engine.pricing.compare import Outcome
from engine.pricing.network import HubNetwork

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

Card = Callable[["HubRun", At, str], Part]
BEYOND_MW = 5e-4  # less is written as 0
RATIO = 1e-3  # of the least $ that a ratio is told of
MOST = 6  # limits, hubs or areas that a card names
_FAR = 10.0  # parts of a limit of 0 that any flow counts as


def inputs_of(run: "HubRun") -> list[WhyInput]:
    """Return the inputs of every number of a run."""
    known = run.provenance
    return [
        WhyInput("case of hubs", str(known.get("case_digest", "")), str(known.get("date", ""))[:10]),
        WhyInput("question", str(known.get("question_digest", ""))),
        WhyInput(f"seed {run.question.seed}; {known.get('solver', '')}"),
    ]


def hub_place(run: "HubRun", name: str) -> int:
    """Return the place of a hub. Raises ValueError for one that is not there."""
    for place, hub in enumerate(run.case.hubs):
        if hub.name == name:
            return place
    raise ValueError(f"there is no hub {name!r:.60}")


def line_place(run: "HubRun", name: str) -> int:
    """Return the place of a line. Raises ValueError for one that is not there."""
    if name not in run.case.network.lines:
        raise ValueError(f"there is no line {name!r:.60}")
    return run.case.network.lines.index(name)


def outcome_of(run: "HubRun", key: str) -> Outcome:
    """Return an outcome by its key, such as ``quick-quadratic``. Raises ValueError for one that was not computed."""
    found = next((each for each in run.outcomes if f"{each.prices}-{each.hubs}" == key), None)
    if found is None:
        raise ValueError(f"there is no outcome {key!r:.60}")
    return found


def loading_of(run: "HubRun", each: Outcome, name: str) -> tuple[Vector, Vector]:
    """Return MW beyond the limit, and flow in parts of it, of a line or the substation by period (T,).

    Whatever flows against a limit of 0 counts as ten times it. Raises ValueError for a line that is not there.
    """
    network, over = run.case.network, each.overloads
    if name != SUBSTATION:
        row = line_place(run, name)
        return over.line_mw[row], np.abs(over.flow_mw[row]) / float(network.limit_mw[row])
    return over.substation_mw, substation_parts(network, over.substation_flow_mw)


def substation_parts(network: HubNetwork, flow_mw: Vector) -> Vector:
    """Return what the substation imports (T,), in parts of its limit of the way that it flows."""
    return np.maximum(_parts(flow_mw, network.import_mw), _parts(-flow_mw, network.export_mw))


def _parts(flow: Vector, limit: float) -> Vector:
    return flow / limit if limit > 0.0 else np.where(flow > BEYOND_MW, _FAR, 0.0)
