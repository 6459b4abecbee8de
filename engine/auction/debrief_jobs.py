"""``auction.debrief``: the debrief of a large auction, as a job.

The ledger is a file of the artefact cache, named by the hash of its last entry; so is the debrief, by the same hash.
"""

import json
from collections.abc import Mapping
from typing import Any

from engine.auction.debrief import BidderRow, Debrief, RoundRow, Totals, debrief
from engine.auction.debrief_why import Why
from engine.auction.signing import read_file
from engine.compute import JobContext
from engine.errors import QuestionError

DEBRIEF = "auction.debrief"


def debrief_arguments(ledger: str) -> dict[str, Any]:
    """Return the arguments of the job for the ledger kept under that key."""
    return {"ledger": ledger}


def debrief_key(last_hash: str) -> str:
    """Return the key under which the debrief of the ledger with that last entry is kept."""
    return f"auction-debrief-{last_hash}"


def debrief_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Return the key under which the debrief is kept. Raises QuestionError where the ledger is gone."""
    path = context.artifacts.open(str(arguments["ledger"]))
    if path is None:
        raise QuestionError("the ledger is not kept any more: open the debrief again")
    entries, _ = read_file(path.read_bytes())
    found = debrief(entries, progress=context.progress)
    key = debrief_key(entries[-1].hash)
    context.artifacts.save(key, json.dumps(found.to_json()).encode())
    return {"debrief": key, "artifacts": [key]}


def debrief_from_json(content: Mapping[str, Any]) -> Debrief:
    """Return what :meth:`Debrief.to_json` has written."""
    parts = dict(content)
    parts["lots"], parts["tables"], parts["notices"] = (tuple(content[n]) for n in ("lots", "tables", "notices"))
    parts["rounds"] = tuple(_row(RoundRow, one) for one in content["rounds"])
    parts["bidders"] = tuple(_row(BidderRow, one) for one in content["bidders"])
    parts["totals"] = _row(Totals, content["totals"])
    parts["why"] = {name: _row(Why, one) for name, one in content["why"].items()}
    return Debrief(**parts)


def _row(kind: Any, content: Mapping[str, Any]) -> Any:
    return kind(**{name: _tuples(value) for name, value in content.items()})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
