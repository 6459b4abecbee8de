"""The same placement wherever it is computed: here, by processes, by a Dask cluster."""

from contextlib import closing

import numpy as np
import pytest

from engine.compute import Cluster, Processes, Shared
from engine.resilience import stage
from engine.resilience.ambiguity import TotalVariation
from engine.resilience.lshaped import LShaped
from engine.resilience.placement import Aim, Search
from tests.engine.resilience.small import tiny
from tests.engine.test_compute import local_cluster


def test_processes_and_a_cluster_find_the_same_to_the_last_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "TOGETHER", 2)  # three tasks of the five shocks
    case, aim, search = tiny(), Aim(0.5, 0.7, TotalVariation(0.2)), Search(1e-3)
    here = LShaped(case, aim, search).solve()
    with local_cluster(2) as address:
        for workers in (Processes(2), Cluster(address)):
            with closing(Shared(workers)) as shared:
                there = LShaped(case, aim, search, workers=shared).solve()
            assert np.array_equal(there.plan, here.plan)
            assert (there.objective, there.bound, there.cuts) == (here.objective, here.bound, here.cuts)
            assert np.array_equal(there.costs, here.costs)
