"""The largest sizes of a question: found where a job kept them, or among what came with the program."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callbacks.capacity_aside import Standing, standing
from callbacks.services import Services
from components import siting_largest as view
from engine.siting.largest import LargestSizes
from engine.siting.largest_job import LARGEST, LargestFound, largest_arguments, largest_key
from engine.siting.question import SitingQuestion
from engine.store.codec import dump_json
from engine.store.jobs import Job, hash_input
from engine.store.kinds import KINDS
from engine.store.shipped import files_of, manifest


@dataclass(frozen=True, slots=True, eq=False)
class LargestStands:
    """What is found, and the job that it waits for, or that found it at once: another study had asked the same."""

    found: LargestFound | None = None
    job: Job | None = None


def look(services: Services, user: str, study: str, question: SitingQuestion, *, submit: bool = False) -> LargestStands:
    """Return the largest sizes of a question at its threshold, or where their job stands; ``submit`` begins it."""
    network = services.network(user, study)
    step_mw = view.step_mw(network, question)
    arguments = json.loads(json.dumps(largest_arguments(network.digest, question, step_mw)))
    key = largest_key(arguments)
    stands = standing(services, user, study, LARGEST, arguments)
    found = _kept(services, key, stands) or _came_with_it(arguments, key)
    if found is not None or not submit or (stands.job is not None and stands.job.active):
        return LargestStands(found, None if found is not None else stands.job)
    job = services.jobs.submit(user, LARGEST, arguments, study)
    if job.state != "done":
        return LargestStands(job=job)
    return LargestStands(_kept(services, key, standing(services, user, study, LARGEST, arguments)), job)


def _kept(services: Services, key: str, stands: Standing) -> LargestFound | None:
    """Return what a job found, None where it did not or its file is not kept any more."""
    path = None if stands.content is None else services.artifacts.open(key)
    return None if stands.content is None or path is None else LargestFound(LargestSizes.load(path), stands.content)


def _came_with_it(arguments: Mapping[str, Any], key: str) -> LargestFound | None:
    """Return the answer that came with the program: a small file, read where it lies."""
    known = manifest(hash_input(LARGEST, KINDS[LARGEST], dump_json(arguments, "the arguments of a job")))
    return None if known is None else LargestFound(LargestSizes.load(files_of(known)[key]), known["result"])
