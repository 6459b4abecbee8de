"""What is computed of an auction's ledger beside the pages: jobs of whoever reads it, of no study.

The ledger is kept in the artefact cache by the hash of its last entry, so the same question is computed once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from callbacks.services import Services
from engine.auction.ledger import Entry
from engine.auction.what_if_jobs import keep_ledger, ledger_key
from engine.store.codec import dump_json
from engine.store.jobs import Job, hash_input
from engine.store.kinds import KINDS


def keep(services: Services, last_hash: str, entries: Callable[[], Sequence[Entry]]) -> str:
    """Keep a ledger where jobs find it and return its key; it is read only where it is not kept yet."""
    key = ledger_key(last_hash)
    return key if services.artifacts.open(key) is not None else keep_ledger(entries(), services.artifacts)


def standing(services: Services, user: str, kind: str, arguments: Mapping[str, Any], *, asked: bool) -> Job | None:
    """Return the user's job for this question, with its result once it is there.

    Where it is ``asked``, one begins unless it is under way or answered; else None says that nobody has asked.
    """
    if asked:
        job = services.jobs.submit(user, kind, arguments, None)
    else:
        key = hash_input(kind, KINDS[kind], dump_json(arguments, "the arguments of a job"))
        listed = (one for one in services.jobs.list(user, results=False) if not one.study_id)
        found = next((one for one in listed if one.input_hash == key), None)
        if found is None:
            return None
        job = found
    return services.jobs.get(user, job.id) if job.state == "done" else job
