"""Make the answers that come with the program: run ``python -m engine.data.build_answers [FOLDER]``, about an hour.

For the question that the Siting page opens with on synthetic Texas, the job of the gate itself computes the verdicts
and decides 1,000 of them again from nothing; the job of the market then solves the day with each of the sites that it
opens with, and that of the largest sizes decides every 50 MW up to 2 GW. An answer to the very same inputs is kept.
Where verdicts are there whose hours, outages, candidates, loads and solver are the same, only their question's hash
being another, they are kept too and 1,000 of them decided again.
The answers of the Feeder page come from :mod:`engine.data.build_feeders`, those of the Hubs and Resilience pages from
:mod:`engine.data.build_hubs` and :mod:`engine.data.build_resilience`. An answer to no opening question is deleted.
What is computed on the way lies in FOLDER, so that a run that was stopped goes on where it was.
"""

import argparse
import json
import lzma
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.data import build_hubs, build_resilience
from engine.data.answer_files import HERE, Context, kept, origin, write
from engine.data.build_feeders import build_feeders
from engine.network.library import load
from engine.network.model import Network
from engine.siting import jobs
from engine.siting.defaults import starting_market, starting_question
from engine.siting.gate.results import GateResult
from engine.siting.largest_job import COARSE_MW, LARGEST, largest_arguments, largest_job
from engine.siting.prepare import prepare
from engine.siting.question import SitingQuestion
from engine.siting.run import CHECKED, GateRun, checked_again, gate_question, remade

NETWORKS = ("texas-2020",)


def build(key: str, folder: str) -> list[list[Path]]:
    """Write the answers to the opening questions on one network; return their files, each answer's manifest first."""
    network = Network.from_tables(load(key))
    question = starting_question(network).checked(network)
    context = Context(folder, network.tables)
    gate = json.loads(json.dumps(jobs.gate_arguments(network.digest, question)))
    market = json.loads(json.dumps(jobs.market_arguments(network.digest, question, starting_market(network))))
    made = [kept(jobs.GATE, gate, context) or _gate(gate, question, network, context)]
    largest = json.loads(json.dumps(largest_arguments(network.digest, question, COARSE_MW)))
    made.append(kept(jobs.MARKET, market, context) or _market(market, context))
    made.append(kept(LARGEST, largest, context) or _largest(largest, context))
    return made


def _gate(arguments: dict[str, Any], question: SitingQuestion, network: Network, context: Context) -> list[Path]:
    known, key = kept_before(question, network), jobs.gate_key(arguments)
    if known is None:
        result = jobs.gate_job(arguments, context)
        return write(jobs.GATE, arguments, result | {"origin": origin(result)}, context)
    before, run, content = known
    report = checked_again(run, count=CHECKED, seed=int(time.time()), workers=context.workers)
    check = {"words": report.words(), "count": len(report.found), "mismatches": 0, "seed": report.seed}
    result = {**before["result"], "hours": run.prepared.hours.to_json(), "check": check, "artifacts": [key]}
    context.artifacts.save(key, content)
    return write(jobs.GATE, arguments, result, context)


def _market(arguments: dict[str, Any], context: Context) -> list[Path]:
    went_on = any(context.folder.glob("market-*"))
    before = os.times()
    result = jobs.market_job(arguments, context)
    after = os.times()
    spent = after.user + after.children_user - before.user - before.children_user
    # A run that went on tells the time of its last stretch alone.
    told = origin(result | {"processor_s": spent}) | ({"went_on": True} if went_on else {})
    return write(jobs.MARKET, arguments, result | {"origin": told}, context)


def _largest(arguments: dict[str, Any], context: Context) -> list[Path]:
    went_on = any(context.folder.glob("largest-*"))
    result = largest_job(arguments, context)
    told = origin(result) | ({"went_on": True} if went_on else {})
    return write(LARGEST, arguments, result | {"origin": told}, context)


def kept_before(question: SitingQuestion, network: Network) -> tuple[dict[str, Any], GateRun, bytes] | None:
    """Return an answer's manifest, run and file whose verdicts are those of the question, None where there is none."""
    prepared = prepare(question, network)
    asked = gate_question(question, prepared)
    for path in HERE.glob("*.json"):
        before = json.loads(path.read_text(encoding="utf-8"))
        if before["kind"] != jobs.GATE:
            continue
        content = lzma.decompress((HERE / f"{before['result']['artifacts'][0]}.xz").read_bytes())
        gate = GateResult.load(content)
        if gate.case_digest != prepared.case.digest:
            continue
        run = remade(question, prepared, replace(gate, threshold=question.threshold))
        same = (run.contingencies.digest, asked.rating, asked.sizes_mw, asked.envelopes)
        before_it = (gate.contingencies_digest, gate.rating, gate.sizes_mw, gate.envelopes)
        if same == before_it and np.array_equal(asked.buses, gate.buses):
            return before, run, content
    return None


def main() -> None:
    """Build the answers in the folder of the command line, or in one that is gone at the end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", metavar="FOLDER")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as own:
        folder = asked.folder or own
        made = build_feeders(folder) + build_hubs.ANSWER.build(folder) + build_resilience.ANSWER.build(folder)
        for name in NETWORKS:
            made += build(name, folder)
    for old in HERE.iterdir():
        if not any(old in files for files in made):
            old.unlink()
    print(*(files[0] for files in made), sep="\n")  # noqa: T201 (a program that tells)


if __name__ == "__main__":
    main()
