"""The DC optimal power flow of a study's network, within a request or as a job: plain functions of JSON."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from engine.compute import JobContext
from engine.errors import InfeasibleError, NetworkDataError
from engine.network.factors import Factors
from engine.network.model import Network
from engine.opf.dc_opf import dc_opf
from engine.opf.lazy import Watch
from engine.opf.question import OpfQuestion
from engine.opf.results import Dispatch, OpfAnswer

KIND = "network.opf"


def opf_arguments(network_digest: str, question: OpfQuestion) -> dict[str, Any]:
    """Return the arguments of the job: all that its answer depends on."""
    return {"network": network_digest, "question": question.to_json()}


def opf_job(arguments: Mapping[str, Any], context: JobContext) -> dict[str, Any]:
    """Answer the question of ``arguments`` (of :func:`opf_arguments`); return :meth:`OpfAnswer.to_json`.

    A load that cannot be served is an answer, with its reasons; SolverError says why the solver stopped.
    """
    network = Network.from_tables(context.load_network(arguments["network"]))

    def watch(solves: int, limits: int) -> None:
        context.progress(0, 0, f"solve {solves}, {limits} limits in the program")

    return answer(network, OpfQuestion.from_json(arguments["question"]), watch=watch).to_json()


def answer(
    network: Network,
    question: OpfQuestion,
    *,
    factors: Factors | None = None,
    time_limit_s: float | None = None,
    watch: Watch | None = None,
) -> OpfAnswer:
    """Return the answer of ``network``. Raises SolverError when the time limit ends before the solve does."""
    made = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        result = dc_opf(network, question.options(network, time_limit_s), factors, watch)
    except (InfeasibleError, NetworkDataError) as error:
        return OpfAnswer(network.digest, question, made, None, str(error), error.problems)
    return OpfAnswer(network.digest, question, made, Dispatch.of(result, network))
