"""How near to AC the linear flow comes, round by round: ``python -m tests.benchmarks.feeder_corrections``.

The worked days of the four IEEE feeders with static var generators in service and the work divided evenly. Once with
each AC solution as the next operating point, once with points mixed (Anderson). Every hour keeps its best answer.
"""

import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from unittest.mock import patch

from engine.distribution import corrected
from engine.distribution.methods import given_kw
from engine.distribution.prepare import prepare
from engine.distribution.question import FeederQuestion
from engine.program import SOLVER

FEEDERS = ("ieee13", "ieee34", "ieee37", "ieee123")
RESULT = Path(__file__).parent / "results" / "feeder_corrections.md"
ROUNDS = 8


def row(key: str, depth: int) -> str:
    """The largest error over 24 hours after each round, the operator's cost, and processor time."""
    question = FeederQuestion(feeder=key)
    prepared = prepare(question)
    draws, options = given_kw(question, prepared.case, prepared.workload), question.options(compensators=True)
    before = time.process_time()
    with patch.object(corrected, "_DEPTH", depth):
        found = corrected.dispatch_corrected(prepared.case, draws, options, corrections=ROUNDS)
    errors = [f"{error:.1e}" for error in found.error_pu] + [""] * (ROUNDS + 1 - len(found.error_pu))
    told = f"| {key} | {'mixed' if depth else 'as they come'} | {' | '.join(errors)} "
    return told + f"| {found.result.cost_per_h.sum():.2f} | {time.process_time() - before:.1f} |"


def main() -> None:
    lines = [
        "# Corrections of the operator's linear flow at its own AC solutions\n",
        f"{datetime.now(UTC):%Y-%m-%d}, {SOLVER}, OpenDSSDirect {version('opendssdirect.py')}. Largest distance of a "
        "linear voltage magnitude from AC in p.u., over all nodes and 24 hours, before and after each correction; "
        "static var generators in service; limits of the question's defaults. An hour within 1e-5 takes no more. "
        "Processor time without that of the AC solver.\n",
        f"| feeder | points | {' | '.join(str(at) for at in range(ROUNDS + 1))} | cost, $ | processor, s |",
        f"|{'---|' * (ROUNDS + 5)}",
    ]
    for key in FEEDERS:
        for depth in (0, 3):
            lines.append(row(key, depth))
            print(lines[-1], flush=True)
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
