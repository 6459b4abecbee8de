"""Jobs about the answer that is drawn: found in the store, or where their computation stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callbacks.services import Services
from engine.store.codec import dump_json
from engine.store.jobs import Job, hash_input
from engine.store.kinds import KINDS


@dataclass(frozen=True, slots=True)
class Standing:
    """A result, or the newest job that was to give it; neither when nobody has asked."""

    content: Mapping[str, Any] | None = None
    job: Job | None = None


def standing(services: Services, user: str, study: str, kind: str, arguments: Mapping[str, Any]) -> Standing:
    """Return what is known of a computation on a study that the user may read."""
    key = hash_input(kind, KINDS[kind], dump_json(arguments, "the arguments of a job"))
    kept = services.results.get(user, study, kind, key)
    if kept is not None:
        return Standing(kept.content)
    listed = (job for job in services.jobs.list(user, study, results=False) if job.kind == kind)
    job = next((job for job in listed if dict(job.arguments) == arguments), None)
    if job is None:
        return Standing()
    if job.state == "done":  # a reader's: only his job has it
        return Standing(services.jobs.get(user, job.id).result)
    return Standing(job=job)


def begin(services: Services, user: str, study: str, kind: str, arguments: Mapping[str, Any]) -> Standing:
    """Ask for a computation; one that is under way, or its result, is given again."""
    job = services.jobs.submit(user, kind, arguments, study)
    return standing(services, user, study, kind, arguments) if job.state == "done" else Standing(job=job)
