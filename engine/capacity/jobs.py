"""The long steps of a capacity study, as jobs: plain functions of JSON arguments and a context.

``capacity.prepare`` makes the states of net demand and the margins, and keeps both as files by key;
``capacity.answer`` answers a whole question, with outages, redispatch or periods; ``capacity.verify`` checks a
product set, or an allocation, against the states themselves.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.capacity.answer import keep, work_out
from engine.capacity.archive import AnyArray, pack, unpack
from engine.capacity.files import read_sample
from engine.capacity.margins import FORMAT, Prepared, prepare
from engine.capacity.products import ProductSet
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.capacity.series import hourly_sample
from engine.capacity.uncertainty import Box, Sample, States, UnitStates, box, distribution_sample
from engine.capacity.verify import verify
from engine.compute import Artifacts, JobContext, Progress
from engine.errors import UncertaintyDataError
from engine.network.factors import Factors
from engine.network.model import Network
from engine.redispatch.verify import verify_with_redispatch

PREPARE, VERIFY, ANSWER = "capacity.prepare", "capacity.verify", "capacity.answer"
STATES_FORMAT = "headroom-states-4"
_UNIT_ARRAYS = ("generation_mw", "least_mw", "largest_mw")
_ANSWERING = {"none": "allocating", "redispatch": "allocating with redispatch"}
_STEPS = 1000  # of the progress bar: nine tenths are the states, one tenth the margins


def prepare_arguments(network_digest: str, question: CapacityQuestion) -> dict[str, Any]:
    """Return the arguments of ``capacity.prepare``: the parts of a question on which margins depend."""
    return {
        "network": network_digest,
        "uncertainty": question.uncertainty.to_json(),
        "supply": question.supply,
        "supply_shares": dict(question.supply_shares) if question.supply == "given" else {},
        "firm_set": question.firm_set,
        "budget": question.budget if question.firm_set == "budget" else None,
        # A result that is cached from files of an older format would be given for ever, and its files never found.
        "formats": [FORMAT, STATES_FORMAT],
    }


def answer_arguments(network_digest: str, question: CapacityQuestion) -> dict[str, Any]:
    """Return the arguments of ``capacity.answer``: the network and the whole question."""
    formats = [FORMAT, STATES_FORMAT]
    return {"network": network_digest, "question": question.to_json(), "formats": formats}


def prepared_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of the margins' file: equal arguments, equal key."""
    return f"prepared-{_digest({'format': FORMAT, **arguments})}.npz"


def states_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of the file of states, which do not depend on supply or firm set."""
    parts = {"format": STATES_FORMAT, "network": arguments["network"], "uncertainty": arguments["uncertainty"]}
    return f"states-{_digest(parts)}.npz"


def prepare_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Make and keep the states and margins that ``arguments`` (of :func:`prepare_arguments`) ask for.

    Returns the keys of both files, the numbers of limits and scenarios, and the notices. Raises an
    EngineError that says which bus, parameter or file is at fault.
    """
    network = Network.from_tables(context.load_network(arguments["network"]))
    factors = Factors.of(network)
    question = _question(arguments)
    states = states_of(arguments, network, factors, context)
    context.progress(_STEPS * 9 // 10, _STEPS, "margins of every limit")
    prepared = prepare(
        network,
        question,
        states,
        factors=factors,
        progress=_part(context, 0.9, 1.0, "margins of every limit"),
    )
    key = prepared_key(arguments)
    context.artifacts.save(key, prepared.save())
    return {
        "prepared": key,
        "states": states_key(arguments),
        "artifacts": [key, states_key(arguments)],
        "limits": prepared.row_count,
        "scenarios": prepared.scenarios,
        "notices": list(prepared.notices),
        "source": prepared.source,
    }


def answer_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Return the :class:`Answer` to the question in ``arguments`` (of :func:`answer_arguments`) as JSON.

    Keeps the states, the margins with every row that was needed, and the proofs of a redispatch: ``artifacts`` names
    the files.
    """
    network = Network.from_tables(context.load_network(arguments["network"]))
    factors = Factors.of(network)
    question = CapacityQuestion.from_json(arguments["question"])
    made = prepare_arguments(arguments["network"], question)
    states = states_of(made, network, factors, context, share=0.5)
    kept = context.artifacts.open(prepared_key(made)) if question.period == "year" else None
    prepared = None if kept is None else Prepared.load(kept, network, factors)
    progress = _part(context, 0.5, 1.0, _ANSWERING[question.recourse])
    worked = work_out(network, question, states, margins=prepared or factors, progress=progress)
    keys = keep(context.artifacts, arguments, worked)
    return {**worked.answer.to_json(), "artifacts": [states_key(made), *keys]}


def verify_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Return the checker's verdict on ``levels_mw`` or on the products of ``products``, as JSON.

    ``arguments`` are those of ``capacity.prepare`` with ``question`` and one of the two. The states are made
    again when their file is gone.
    """
    network = Network.from_tables(context.load_network(arguments["network"]))
    factors = Factors.of(network)
    question = CapacityQuestion.from_json(arguments["question"])
    states = states_of(arguments, network, factors, context, share=0.5)
    if arguments.get("products") is not None:
        products = ProductSet.from_json(arguments["products"])
        levels = list(products.sold_by_level(question.candidates, question.epsilons))
    else:
        levels = [np.array(level, dtype=np.float64) for level in arguments["levels_mw"]]
    context.progress(_STEPS // 2, _STEPS, "checking every limit")
    if question.recourse == "redispatch":
        progress = _part(context, 0.5, 1.0, "checking every outage")
        verdict = verify_with_redispatch(network, question, levels, states, factors=factors, progress=progress)
        return verdict.to_json()
    progress = _part(context, 0.5, 1.0, "checking every limit")
    return verify(network, question, levels, states, factors, progress=progress).to_json()


def make_states(
    spec: UncertaintySpec,
    network: Network,
    *,
    factors: Factors | None = None,
    file: tuple[str, bytes] | None = None,
    progress: Progress | None = None,
) -> States:
    """Return the box, the sample or both that ``spec`` describes; ``file`` is the user's own for kind "file".

    Raises UncertaintyDataError or FileFormatError saying what is at fault.
    """
    if spec.kind == "box":
        return States(box=box(spec, network))
    if spec.kind == "distribution":
        return States(distribution_sample(spec, network), box(spec, network))
    if spec.kind == "hourly":
        return States(hourly_sample(spec, network, factors=factors, progress=progress))
    if file is None:
        raise UncertaintyDataError("the file with the states of net demand is not here: choose it again")
    return States(read_sample(*file, network))


def save_states(states: States) -> bytes:
    """Return states as ``.npz`` bytes."""
    arrays: dict[str, AnyArray] = {}
    meta: dict[str, Any] = {"format": STATES_FORMAT}
    if states.box is not None:
        arrays |= {"lower_mw": states.box.lower_mw, "upper_mw": states.box.upper_mw}
    if states.sample is not None:
        sample = states.sample
        arrays |= {"net_demand_mw": sample.net_demand_mw, "labels": np.array(sample.labels, dtype=np.str_)}
        arrays |= {} if sample.weights is None else {"weights": sample.weights}
        if sample.units is not None:
            arrays |= {name: getattr(sample.units, name) for name in _UNIT_ARRAYS}
        meta |= {"source": sample.source, "seed": sample.seed, "notices": list(sample.notices)}
    return pack(arrays, meta)


def load_states(source: Path | bytes) -> States:
    """Return what :func:`save_states` wrote. Raises UncertaintyDataError when it is something else."""
    arrays, meta = unpack(source)
    if meta.get("format") != STATES_FORMAT:
        raise UncertaintyDataError("not a file of states of this version")
    sample = None
    if "net_demand_mw" in arrays:
        sample = Sample(
            net_demand_mw=arrays["net_demand_mw"],
            weights=arrays.get("weights"),
            labels=tuple(arrays["labels"].tolist()),
            source=meta["source"],
            seed=meta["seed"],
            notices=tuple(meta["notices"]),
            units=UnitStates(*(arrays[name] for name in _UNIT_ARRAYS)) if "largest_mw" in arrays else None,
        )
    bounds = Box(arrays["lower_mw"], arrays["upper_mw"]) if "lower_mw" in arrays else None
    return States(sample, bounds)


def open_prepared(artifacts: Artifacts, arguments: Mapping[str, Any], network: Network) -> Prepared | None:
    """Return the margins that a job has kept, or None when their file is not there (then submit the job)."""
    path = artifacts.open(prepared_key(arguments))
    return None if path is None else Prepared.load(path, network)


def states_of(
    arguments: Mapping[str, Any], network: Network, factors: Factors, context: JobContext, *, share: float = 0.9
) -> States:
    """Return the states that ``arguments`` ask for, kept or made and kept now, in ``share`` of the job's progress."""
    key = states_key(arguments)
    kept = context.artifacts.open(key)
    if kept is not None:
        return load_states(kept)
    spec = UncertaintySpec.from_json(arguments["uncertainty"])
    file = context.load_dataset(str(spec.parameters.get("digest", ""))) if spec.kind == "file" else None
    context.progress(0, _STEPS, "states of net demand")
    progress = _part(context, 0.0, share, "dispatching hours" if spec.kind == "hourly" else "states of net demand")
    states = make_states(spec, network, factors=factors, file=file, progress=progress)
    context.artifacts.save(key, save_states(states))
    return states


def _part(context: JobContext, start: float, stop: float, message: str) -> Progress:
    """Return a progress callback that moves the job's bar from ``start`` to ``stop``."""

    def report(done: int, total: int) -> None:
        share = start + (stop - start) * done / max(1, total)
        context.progress(round(_STEPS * share), _STEPS, f"{message}, {done} of {total}")

    return report


def _question(arguments: Mapping[str, Any]) -> CapacityQuestion:
    content = {name: arguments[name] for name in ("uncertainty", "supply", "supply_shares", "firm_set")}
    if arguments["budget"] is not None:
        content["budget"] = arguments["budget"]
    return CapacityQuestion.from_json(content)


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()[:40]
