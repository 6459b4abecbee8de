"""``capacity.largest``: the largest extra load at every bus in one state of a capacity question, as a job."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from engine.capacity.jobs import STATES_FORMAT, states_of
from engine.capacity.question import CapacityQuestion
from engine.capacity.secure import outages_of
from engine.compute import JobContext
from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Network
from engine.redispatch.largest import FORMAT, largest_loads
from engine.redispatch.limits import FlowLimits
from engine.redispatch.states import Scenarios, filed_units, state_of

LARGEST = "capacity.largest"
PEAK = ""  # the state of the largest load
AS_FILED = "the network as filed"
_STATES = 0.2  # of the progress bar
_STEPS = 1000
# What the job returns beside the keys of its files.
SHAPE: Mapping[str, type] = {
    "state": str,
    "peak": bool,
    "states": int,
    "load_mw": float,
    "given_up_mw": float,
    "possible": bool,
    "buses": int,
    "time_s": float,
}
_SECURITY = ("security", "outages", "outage_rating")


def largest_arguments(network_digest: str, question: CapacityQuestion, state: str = PEAK) -> dict[str, Any]:
    """Return the arguments of the job: its states, its outages, and which state by its label."""
    asked = question.to_json()
    secure = question.security == "n-1"
    return {
        "network": network_digest,
        "uncertainty": asked["uncertainty"],
        **{name: asked[name] if secure else getattr(CapacityQuestion(), name) for name in _SECURITY},
        "state": state,
        "formats": [STATES_FORMAT, FORMAT],
    }


def largest_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of the file that holds every dispatch and every multiplier."""
    text = json.dumps(dict(arguments), sort_keys=True, allow_nan=False)
    return f"largest-{hashlib.sha256(text.encode()).hexdigest()[:40]}.npz"


def largest_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Compute and keep the :class:`LargestLoads` that ``arguments`` (of :func:`largest_arguments`) ask for.

    Returns which state it is, its load, and the file's key under ``artifacts``. Raises QuestionError where no unit
    can move, the sample has no such state, or units cannot balance its load.
    """
    network = Network.from_tables(context.load_network(arguments["network"]))
    factors = Factors.of(network)
    if not can_move(network):
        raise QuestionError(f"network {network.name!r} has no unit that can move: redispatch needs one")
    states = states_of(arguments, network, factors, context, share=_STATES)
    state, given_up, count = state_of(network), 0.0, 0
    if states.sample is not None:
        scenarios = Scenarios.of(states.sample, network)
        place = place_of(scenarios, arguments["state"])
        state, given_up, count = scenarios.state(place), float(scenarios.given_up_mw[place]), len(scenarios)
    elif arguments["state"] not in (PEAK, AS_FILED):
        raise QuestionError(f"a box has no state {arguments['state']!r:.40}: leave it out for {AS_FILED}")

    def report(done: int, total: int) -> None:
        share = _STATES + (1.0 - _STATES) * done / max(total, 1)
        context.progress(round(_STEPS * share), _STEPS, f"largest load, bus {done} of {total}")

    found = largest_loads(network, state, limits=limits_of(arguments, factors), progress=report)
    key = largest_key(arguments)
    context.artifacts.save(key, found.save())
    return {
        "state": state.words or AS_FILED,
        "peak": arguments["state"] == PEAK and count > 0,
        "states": count,
        "load_mw": float(state.demand_mw.sum()),
        "given_up_mw": given_up,
        "possible": bool(found.possible),
        "buses": len(found.buses),
        "time_s": found.time_s,
        "artifacts": [key],
    }


def limits_of(arguments: Mapping[str, Any], factors: Factors) -> FlowLimits:
    """Return the limits that the answer to ``arguments`` keeps."""
    if arguments["security"] == "base":
        return FlowLimits.of(factors)
    question = CapacityQuestion.from_json({name: arguments[name] for name in _SECURITY})
    return FlowLimits.of(factors, outages_of(factors.network, question, factors), question.outage_rating)


def place_of(scenarios: Scenarios, label: str) -> int:
    """Return the position of a state, that of the largest load for PEAK. Raises QuestionError for one that is none."""
    if label == PEAK:
        return int(scenarios.demand_mw.sum(axis=1).argmax())
    if label not in scenarios.labels:
        raise QuestionError(f"{label[:40]!r} is none of the {len(scenarios):,} states, such as {scenarios.labels[0]!r}")
    return scenarios.labels.index(label)


def can_move(network: Network) -> bool:
    """Return whether some unit in service can move."""
    units = filed_units(network)
    return bool((units.largest_mw > units.least_mw).any())
