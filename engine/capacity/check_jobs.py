"""``capacity.check``: an allocation checked by other solvers, as a job."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.capacity import jobs
from engine.capacity.independent import check_independently
from engine.capacity.margins import prepare
from engine.capacity.question import CapacityQuestion
from engine.compute import JobContext
from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Network

CHECK = "capacity.check"


def check_arguments(
    network_digest: str, question: CapacityQuestion, levels_mw: Sequence[Sequence[float]]
) -> dict[str, Any]:
    """Return the arguments of ``capacity.check`` for the capacities (K,) of firm and each risk level."""
    return {
        **jobs.prepare_arguments(network_digest, question),
        "question": question.to_json(),
        "levels_mw": [list(level) for level in levels_mw],
    }


def check_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Return what other solvers say of the capacities in ``arguments`` (of :func:`check_arguments`) as JSON.

    Raises QuestionError for an answer with outages, redispatch or seasons, which is not one program over margins.
    """
    question = CapacityQuestion.from_json(arguments["question"])
    if question.recourse != "none" or question.security != "base" or question.period != "year":
        raise QuestionError("other solvers check one program over all limits: ask without outages, redispatch, seasons")
    network = Network.from_tables(context.load_network(arguments["network"]))
    context.progress(0, 2, "margins of every limit")
    prepared = jobs.open_prepared(context.artifacts, arguments, network)
    if prepared is None:
        states = jobs.states_of(arguments, network, Factors.of(network), context)
        prepared = prepare(network, question, states)
    context.progress(1, 2, "other solvers")
    levels = [np.array(level, dtype=np.float64) for level in arguments["levels_mw"]]
    return check_independently(prepared, question, levels).to_json()
