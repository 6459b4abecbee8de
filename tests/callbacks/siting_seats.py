"""Who sits before the Siting page's sheet, catalogue and studies in its tests, on a study worked out by hand."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from callbacks.capacity_aside import Standing
from callbacks.imported import CHECKS
from callbacks.services import Services
from callbacks.siting_site import SiteSeat
from engine.siting.order import OrderBy, order_of
from engine.siting.run import GateRun
from engine.siting.study_jobs import clear_job, corridors_job
from engine.store.kinds import KINDS
from engine.store.queue import Queue
from tests.callbacks.screen import ANNE
from tests.siting_study import gate_run, market_run, network

DRAWN = {
    "envelope": "firm", "size": 100.0, "threshold": 0.5, "top": 20, "weights": [1.0, 1.0, 1.0], "pooled": True,
}  # fmt: skip
TERMS = {
    "sampling_min": "15", "response_min": 15, "tolerance_mw": 0, "tolerance_share": 1, "energy_band": 5,
    "least_coverage": 95,
}  # fmt: skip

ORDER = order_of(gate_run().gate, market_run(), OrderBy(threshold=0.0))


class Desk:
    """The page's desk with the study's results in hand; other questions are begun and never end."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.market_there = True
        self.order = ORDER
        self.runs: dict[int, GateRun] = {0: gate_run()}  # by loads committed
        self.begun: list[str] = []

    def gate(self, user: str, study: str, drawn: Any) -> GateRun | None:
        self.services.studies.get(user, study)
        return gate_run() if drawn else None

    def market(self, *_: Any) -> Any:
        return market_run() if self.market_there else None

    def ranked(self, *_: Any) -> Any:
        return self.order if self.market_there else None

    def own(self, *_: Any) -> None:
        """No criteria of a reader's own."""

    own_of = own

    def gate_s(self, *_: Any) -> float:
        return 0.0

    def run_of(self, _user: str, _study: str, question: Any) -> GateRun | None:
        return self.runs.get(len(question.committed))

    def look(self, *_: Any) -> Any:
        return SimpleNamespace(job=None)

    def look_market(self, *_: Any) -> Any:
        return SimpleNamespace(job=None)

    def market_of(self, *_: Any) -> Any:
        return market_run() if self.market_there else None

    def start_gate(self, *_: Any) -> Standing:
        self.begun.append("gate")
        return Standing(job=SimpleNamespace(id="g", active=True, done=1, total=4, message="1 of 4 hours"))  # type: ignore[arg-type]

    def start_market(self, *_: Any) -> Standing:
        self.begun.append("market")
        return Standing()


@pytest.fixture(name="seat")
def seat_fixture(services: Services) -> SiteSeat:
    study = services.studies.create(ANNE, "Pair", network().tables)
    return SiteSeat(Desk(services), ANNE, study)  # type: ignore[arg-type]


def desk_of(seat: SiteSeat) -> Desk:
    assert isinstance(seat.desk, Desk)
    return seat.desk


def work(seat: SiteSeat) -> None:
    """Compute the jobs that wait, as a runner does."""
    services = seat.desk.services
    queue = Queue(services.store.database, services.artifacts, KINDS, running_per_user=9)
    context: Any = SimpleNamespace(
        load_network=lambda _: network().tables, load_dataset=None, progress=lambda *_: None
    )  # fmt: skip
    while (claim := queue.claim()) is not None:
        function = {"siting.clear": clear_job, "siting.corridors": corridors_job}[claim.kind]
        found = json.loads(json.dumps(function(dict(claim.arguments), context)))
        CHECKS.answers[claim.kind](found)
        queue.finish(claim, found, 0.1)
