"""The worked cases: the same for the same seed, feasible as planned, and what they say of themselves holds."""

import numpy as np
import pytest

from engine.distribution import cases, library
from engine.distribution.checks import check
from engine.distribution.feeder import Transformer
from engine.distribution.opendss import Dispatch, ac_flow
from engine.errors import NetworkDataError


def test_the_day_is_the_same_for_the_same_seed_and_peaks_where_it_says() -> None:
    one, same, other = cases.day(3), cases.day(3), cases.day(4)
    assert np.array_equal(one.price_per_mwh, same.price_per_mwh)
    assert not np.array_equal(one.price_per_mwh, other.price_per_mwh)
    assert 17 <= int(one.price_per_mwh.argmax()) <= 21
    assert one.load_share.max() <= 1.0
    assert one.sun_share[:6].max() == one.sun_share[19:].max() == 0.0
    assert 0.0 < one.sun_share[12] <= 1.0


@pytest.mark.parametrize("key", cases.PLACES)
def test_every_feeder_of_the_library_has_a_case_without_a_problem(key: str) -> None:
    made = cases.worked_case(key)
    feeder = made.case.feeder
    assert check(feeder) == []
    assert all(row.rating_a is not None for row in feeder.lines)
    assert sum(row.most_kw for row in feeder.centres) == pytest.approx(
        len(feeder.centres) * cases.PLACES[key].centre_share * sum(row.kw for row in feeder.loads), rel=0.01
    )
    free = np.array([cases.is_free(row) for row in feeder.generators])
    assert (made.case.availability[:, ~free] == 1.0).all()
    assert (made.case.availability[2, free] == 0.0).all()  # at two in the night
    assert made.workload.problems() == []


def test_lines_carry_their_plan_and_transformers_keep_their_ohms() -> None:
    feeder, plain = cases.furnished("ieee13"), library.load("ieee13")
    plan = ac_flow(feeder, Dispatch(1.0, centre_kw=np.array([row.most_kw for row in feeder.centres])))
    for link, amperes in zip(feeder.links, np.nanmax(np.abs(plan.current_a), axis=1), strict=True):
        rating = getattr(link, "rating_a", None)
        assert rating is None or amperes <= rating

    def ohms(row: Transformer) -> float:
        return row.x_pu * row.to_kv**2 / row.kva

    assert feeder.transformers[0].kva > plain.transformers[0].kva
    assert ohms(feeder.transformers[0]) == pytest.approx(ohms(plain.transformers[0]), rel=1e-12)


def test_a_feeder_that_is_not_there_is_named() -> None:
    with pytest.raises(NetworkDataError, match="ieee8500"):
        cases.worked_case("ieee8500")


def test_a_feeder_placed_without_ac_is_the_furnished_one_but_for_ratings() -> None:
    for key in cases.PLACES:
        without, whole = cases.placed(key), cases.furnished(key)
        for table in ("buses", "loads", "centres", "generators", "compensators", "regulators", "capacitors"):
            assert getattr(without, table) == getattr(whole, table)
        assert [row.name for row in without.lines] == [row.name for row in whole.lines]
        assert all(row.rating_a is not None for row in whole.lines)
