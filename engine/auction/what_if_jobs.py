"""``auction.what_if``: what one changed rule would have done, as a job for auctions that take long to play.

The ledger is a file of the artefact cache, named by the hash of its last entry.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.auction.ledger import Entry, verify
from engine.auction.signing import read_file, to_file
from engine.auction.what_if import Change, Comparison, Outcome, rerun
from engine.compute import Artifacts, JobContext
from engine.errors import QuestionError

WHAT_IF = "auction.what_if"


def keep_ledger(entries: Sequence[Entry], artifacts: Artifacts) -> str:
    """Keep a ledger for the job and return its key."""
    key = ledger_key(entries[-1].hash)
    artifacts.save(key, to_file(entries, None))
    return key


def ledger_key(last_hash: str) -> str:
    """Return the key under which the ledger with that last entry is kept."""
    return f"auction-ledger-{last_hash}"


def what_if_arguments(key: str, change: Change) -> dict[str, Any]:
    """Return the arguments of the job for the ledger kept under ``key``: plain JSON values."""
    rules = {path: list(value) if isinstance(value, tuple) else value for path, value in change.rules.items()}
    return {
        "ledger": key,
        "change": {"title": change.title, "rules": rules, "bots": dict(change.bots), "seed": change.seed},
    }


def what_if_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Return the :class:`Comparison` for ``arguments`` as JSON. Raises QuestionError where the ledger is gone."""
    path = context.artifacts.open(str(arguments["ledger"]))
    if path is None:
        raise QuestionError("the ledger is not kept any more: ask again from the debrief")
    entries, _ = read_file(path.read_bytes())
    verify(entries)
    return rerun(entries, Change(**arguments["change"]), progress=context.progress).to_json()


def comparison_from_json(content: Mapping[str, Any]) -> Comparison:
    """Return what :meth:`Comparison.to_json` has written."""
    parts: dict[str, Any] = {name: _outcome(content[name]) for name in ("played", "before", "after")}
    parts |= {name: tuple(content[name]) for name in ("lots", "bidders", "words", "notices")}
    return Comparison(change=Change(**content["change"]), optimum=content["optimum"], **parts)


def _outcome(content: Mapping[str, Any]) -> Outcome:
    parts: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in content.items()}
    return Outcome(**parts)
