"""The largest loads with redispatch that jobs have computed: found by what was asked, opened once, checked once."""

import json
from typing import Any

from callbacks.capacity_aside import Standing, begin, standing
from callbacks.services import Kept, Services
from components.capacity_answer import Answer
from components.capacity_deep import outage_words
from components.capacity_largest import Largest
from engine.redispatch.check import LargestCheck, check_largest
from engine.redispatch.largest import LargestLoads
from engine.redispatch.largest_jobs import LARGEST, largest_arguments, largest_key, limits_of
from engine.store.codec import dump_json
from engine.store.jobs import hash_input
from engine.store.kinds import KINDS

KEPT = 3  # on Texas some 10 MB each
KEPT_CHECKS = 200
_MOST_OUTAGES = 200  # that one card is judged after: each takes up to 5 ms


class LargestDesk:
    """The largest loads that jobs have computed. One per process, safe to share between threads."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: Kept[Largest] = Kept(KEPT)
        self._checks: Kept[LargestCheck] = Kept(KEPT_CHECKS)

    def stands(self, user: str, study: str, answer: Answer, state: str, *, submit: bool) -> Standing:
        """Return the job's word on that state of the answer's question, else where its job stands."""
        arguments = _arguments(answer, state)
        found = standing(self._services, user, study, LARGEST, arguments)
        if found.content is not None and self._services.artifacts.open(largest_key(arguments)) is None:
            found = Standing()  # its file was evicted since
        if found.content is None and submit and not (found.job is not None and found.job.active):
            found = begin(self._services, user, study, LARGEST, arguments)
        return found

    def of(self, user: str, study: str, answer: Answer, state: str) -> Largest | None:
        """Return what was computed, None when it was not, or is not kept any more."""
        told = self.stands(user, study, answer, state, submit=False).content
        arguments = _arguments(answer, state)
        path = self._services.artifacts.open(largest_key(arguments))
        if told is None or path is None:
            return None
        key = hash_input(LARGEST, KINDS[LARGEST], dump_json(arguments, "the arguments of a job"))
        return self._kept.get(
            key,
            lambda: Largest(
                loads=LargestLoads.load(path),
                limits=limits_of(arguments, self._services.factors_of(answer.network)),
                told=told,
                secure=outage_words(answer.question),
                key=key,
            ),
        )

    def check(self, largest: Largest, place: int) -> LargestCheck:
        """Return the check of one bus by programs that share no code with the answer; about 0.3 s on 2,000 buses.

        After outages a large network is judged only where the multipliers say: each outage takes some milliseconds.
        """
        outages = largest.limits.outages
        lost = () if outages is None else outages.lost
        return self._checks.get(
            (largest.key, place),
            lambda: check_largest(largest.network, largest.loads, place, lost, most_outages=_MOST_OUTAGES),
        )


def _arguments(answer: Answer, state: str) -> dict[str, Any]:
    """Return the job's arguments as they come back from it: plain JSON values, so that both compare equal."""
    found: dict[str, Any] = json.loads(json.dumps(largest_arguments(answer.network.digest, answer.question, state)))
    return found
