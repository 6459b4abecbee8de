"""The kinds of jobs: a name, the function that computes it, and a version that its results are cached under."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobKind:
    """A plain function ``(arguments, context) -> dict``, see :class:`engine.compute.JobContext`.

    ``function`` is ``module:name``, imported in the worker only. Raise ``version`` when the function gives
    another result for the same arguments: results of the old version are then computed again.
    """

    function: str
    version: int = 1


KINDS: Mapping[str, JobKind] = {
    "capacity.prepare": JobKind("engine.capacity.jobs:prepare_job", 2),
    "capacity.verify": JobKind("engine.capacity.jobs:verify_job", 2),
    "capacity.answer": JobKind("engine.capacity.jobs:answer_job"),
    "capacity.promise": JobKind("engine.capacity.promise_jobs:promise_job", 6),
    "capacity.check": JobKind("engine.capacity.check_jobs:check_job"),
    "capacity.largest": JobKind("engine.redispatch.largest_jobs:largest_job"),
    "auction.deliverability": JobKind("engine.auction.deliver_jobs:deliver_job", 2),
    "auction.debrief": JobKind("engine.auction.debrief_jobs:debrief_job"),
    "auction.what_if": JobKind("engine.auction.what_if_jobs:what_if_job"),
    "siting.gate": JobKind("engine.siting.jobs:gate_job"),
    "siting.market": JobKind("engine.siting.jobs:market_job"),
    "siting.ac": JobKind("engine.siting.jobs:ac_job", 2),
    "siting.year": JobKind("engine.siting.year:year_job"),
    "siting.again": JobKind("engine.siting.year:again_job"),
    "siting.largest": JobKind("engine.siting.largest_job:largest_job"),
    "siting.corridors": JobKind("engine.siting.study_jobs:corridors_job"),
    "siting.clear": JobKind("engine.siting.study_jobs:clear_job", 2),
    "siting.products": JobKind("engine.siting.product_jobs:products_job", 3),
    "feeder.study": JobKind("engine.distribution.jobs:study_job", 2),
    "feeder.methods": JobKind("engine.distribution.methods_job:methods_job"),
    "feeder.several": JobKind("engine.distribution.several_job:several_job"),
    "hubs.study": JobKind("engine.pricing.jobs:study_job"),
    "resilience.study": JobKind("engine.resilience.jobs:study_job"),
    "network.opf": JobKind("engine.opf.jobs:opf_job"),
}
