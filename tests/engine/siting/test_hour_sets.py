"""Which hours are screened: orders and clusters that are known, and the two levels of every envelope."""

import json
from itertools import combinations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from engine.errors import QuestionError
from engine.network.model import Network
from engine.network.tables import NetworkTables, table_of
from engine.siting import hour_sets
from engine.siting.case import SitingCase
from engine.siting.envelopes import envelope, own_envelope, standard
from engine.siting.hour_sets import HourSet, StressCounts, k_medoids

ENVELOPES = standard()
NETWORK = Network.from_tables(
    NetworkTables(
        name="one",
        buses=table_of("buses", [{"bus": "1", "slack": True}]),
        units=table_of(
            "units", [{"unit": fuel, "bus": "1", "fuel": fuel} for fuel in ("wind", "solar", "hydro", "ng")]
        ),
    )
)


def case_of(
    load: np.ndarray, wind: np.ndarray | float = 0.0, solar: np.ndarray | float = 0.0, first: int = 1
) -> SitingCase:
    count = len(load)
    largest = np.zeros((count, 4))
    largest[:, 0], largest[:, 1], largest[:, 2], largest[:, 3] = wind, solar, 1.0, 1000.0
    hour = (first - 1 + np.arange(count)) % 24 + 1
    labels = tuple(f"hour {place + 1}" for place in range(count))
    return SitingCase(NETWORK, np.asarray(load, float)[:, None], np.zeros((count, 4)), largest, hour, labels, "test")


def test_the_stress_set_by_hand() -> None:
    # Three days of 24 hours. Load 100 but for four hours; wind takes its part off the net load.
    load, wind = np.full(72, 100.0), np.zeros(72)
    load[[16, 40]] = 200.0, 190.0  # hour 17 of days 1 and 2
    wind[[16, 60]] = 50.0, 80.0  # net load 149 (with 1 of hydro) and 19
    load[[3, 30]] = 10.0, 20.0
    found = hour_sets.stress(case_of(load, wind), ENVELOPES, StressCounts(2, 2, 2))
    assert found.hours.tolist() == [3, 16, 30, 40, 60]
    assert found.reasons == (
        "least load, no. 1: 10 MW",
        "highest net load, no. 2: 149 MW; most wind, solar and hydro, no. 2: 51 MW",
        "least load, no. 2: 20 MW",
        "highest net load, no. 1: 189 MW",
        "most wind, solar and hydro, no. 1: 81 MW",
    )
    assert found.weight.tolist() == [1.0] * 5
    assert found.notices == ()
    again = HourSet.from_json(json.loads(json.dumps(found.to_json())))
    assert again.to_json() == found.to_json()
    assert (again.hours.dtype, again.weight.dtype) == (found.hours.dtype, found.weight.dtype)


def test_renewables_that_are_the_same_in_every_hour_choose_none() -> None:
    """No wind and no sun, and as much water in each hour: the first hours of the year are no stress."""
    load = np.arange(72.0) + 100.0
    found = hour_sets.stress(case_of(load), [], StressCounts(2, 5, 1))
    assert found.hours.tolist() == [0, 70, 71]
    assert found.notices == ("most wind, solar and hydro: 1 MW in every hour, so no hour is taken for it",)
    flat = hour_sets.stress(case_of(np.full(72, 100.0)), [], StressCounts(2, 0, 1))
    assert flat.hours.tolist() == [0, 1]


def test_one_day_gives_a_few_hours_only_while_others_are_left() -> None:
    load = np.concatenate([np.arange(24) + 500.0, np.arange(24) + 100.0])
    case = case_of(load)
    two = hour_sets.stress(case, [], StressCounts(4, 0, 0, most_per_day=2))
    assert two.hours.tolist() == [22, 23, 46, 47]
    five = hour_sets.stress(case, [], StressCounts(5, 0, 0, most_per_day=2))
    assert five.hours.tolist() == [21, 22, 23, 46, 47]
    assert hour_sets.stress(case, [], StressCounts(60, 0, 0)).hours.tolist() == list(range(48))


@pytest.mark.parametrize(("top", "added"), [(17, 10), (2, 15)])
def test_both_levels_of_every_envelope_are_there(top: int, added: int) -> None:
    # One top hour, on the peak (hour 18) or off it (hour 3): the best hour of the other window joins it.
    load = np.full(24, 100.0)
    load[top], load[added] = 300.0, 200.0
    found = hour_sets.stress(case_of(load), ENVELOPES, StressCounts(1, 0, 0))
    assert found.hours.tolist() == sorted([top, added])
    assert any(reason.startswith("highest net load of the") for reason in found.reasons)
    for kind in ("pause", "shift"):
        levels = envelope(kind).level_mw(1000.0, found.hours + 1)
        assert set(levels) == set(envelope(kind).level_mw(1000.0, np.arange(1, 25)))


def test_the_highest_level_of_an_own_envelope_is_there() -> None:
    share = [0.5] * 24
    share[6] = 0.6  # hour 7
    own = own_envelope("night", share)
    load = np.arange(24) + 1.0
    assert 6 in hour_sets.stress(case_of(load), [own], StressCounts(1, 0, 0)).hours
    assert 6 in hour_sets.representative(case_of(load), 4, [own]).hours


def test_what_one_hour_does_not_screen_is_said() -> None:
    found = hour_sets.listed(case_of(np.ones(24)), [15], ENVELOPES)
    assert (found.kind, found.hours.tolist(), found.reasons) == ("one", [15], ("chosen",))
    assert "the hours outside the peak of shift, the highest level of shift" in found.notices[0]
    several = hour_sets.listed(case_of(np.ones(24)), [15, 2, 15], ENVELOPES)
    assert (several.kind, several.hours.tolist(), several.notices) == ("list", [2, 15], ())
    load = np.arange(24.0) + 100.0  # highest in hour 24, off the peak; of the peak's hours in hour 19; 1 MW of hydro
    marked = hour_sets.listed(case_of(load), [2, 18, 23], ENVELOPES)
    assert marked.reasons == (
        "chosen",
        "chosen: highest net load of the peak hours, 117 MW",
        "chosen: highest net load of all hours, 122 MW",
    )
    whole = hour_sets.year(case_of(np.ones(24)), ENVELOPES)
    assert (len(whole), whole.weight.sum(), whole.notices) == (24, 24.0, ())


def test_representative_hours_of_days_of_known_kinds() -> None:
    # Ten days, each hour of the same three kinds of weather; four loads by window: the clusters are the kinds.
    rng = np.random.default_rng(3)
    windy = np.repeat(np.arange(10) % 2, 24)
    hour = np.tile(np.arange(1, 25), 10)
    load = np.where((hour >= 16) & (hour <= 19), 900.0, 500.0) + rng.uniform(-1, 1, 240)
    case = case_of(load, wind=windy * 300.0 + rng.uniform(0, 1, 240))
    found = hour_sets.representative(case, 12, ENVELOPES, seed=1)
    assert found.weight.sum() == 240
    peak = np.isin(case.hour_of_day[found.hours], (16, 17, 18, 19))
    # 40 of 240 hours are on the peak: 2 of 12, one windy and one calm, 20 hours each.
    assert found.weight[peak].tolist() == [20.0, 20.0]
    assert sorted(windy[found.hours[peak]]) == [0, 1]
    for kind in (0, 1):
        assert found.weight[~peak & (windy[found.hours] == kind)].sum() == 100
    again = hour_sets.representative(case, 12, ENVELOPES, seed=1)
    assert (again.hours.tolist(), again.weight.tolist()) == (found.hours.tolist(), found.weight.tolist())
    assert found.reasons[0].startswith(f"stands for {found.weight[0]:.0f} hours like it: load ")


def test_every_hour_can_represent_itself() -> None:
    found = hour_sets.representative(case_of(np.ones(30)), 30, ENVELOPES)
    assert (found.hours.tolist(), found.weight.tolist()) == (list(range(30)), [1.0] * 30)


@pytest.mark.parametrize("seed", range(6))
def test_medoids_against_every_choice(seed: int) -> None:
    # Three clouds far apart: every choice of three points is tried.
    rng = np.random.default_rng(seed)
    points = np.concatenate([rng.normal(centre, 0.5, (4, 2)) for centre in ((0, 0), (9, 0), (0, 9))])
    best = min(
        (float(cdist(points, points[list(chosen)]).min(axis=1).sum()), chosen) for chosen in combinations(range(12), 3)
    )
    medoids, cluster = k_medoids(points, 3, np.random.default_rng(seed))
    assert tuple(sorted(medoids.tolist())) == best[1]
    assert sorted(np.bincount(cluster)) == [4, 4, 4]


def test_equal_points_are_no_trouble() -> None:
    medoids, cluster = k_medoids(np.zeros((5, 1)), 3, np.random.default_rng(0))
    assert len(set(medoids.tolist())) == 3
    assert np.bincount(cluster, minlength=3).min() >= 1


def test_what_cannot_be_chosen_is_refused() -> None:
    case = case_of(np.ones(24))
    for count in (1, 25):
        with pytest.raises(QuestionError, match=r"from 2 .* to 24"):
            hour_sets.representative(case, count, ENVELOPES)
    with pytest.raises(QuestionError, match="hour 25 is not one of the 24"):
        hour_sets.listed(case, [24], ENVELOPES)
    with pytest.raises(QuestionError, match="one hour or more"):
        hour_sets.listed(case, [], ENVELOPES)
    with pytest.raises(QuestionError, match="not all 0"):
        StressCounts(0, 0, 0)
    with pytest.raises(QuestionError, match="most_per_day"):
        StressCounts(most_per_day=0)
