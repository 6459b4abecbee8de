"""One table of all methods."""

import pytest

from engine.distribution.compare import as_table, compare
from tests.engine.distribution.problems import HOURS, hour


def test_one_table_has_every_method() -> None:
    found = compare(hour(*HOURS[1]), bits=(3,))
    names = [row["method"] for row in as_table(found)]
    assert names == [
        "price taker", "critical regions", "region walk", "payment identity", "expansion, 3 bits", "best response",
        "best response, damped",
    ]  # fmt: skip
    assert not found.failures
    taker, best = found.rows[0], found.rows[1]
    assert best.payment_saving == pytest.approx(1.0 - best.objective / taker.objective)
    assert best.system_increase > 0.0
    assert all(row.gap >= -1e-6 for row in found.rows)
    assert found.best.objective == min(row.objective for row in found.rows)
