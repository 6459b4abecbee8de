"""Cases of a siting study: shares and limits by hand, the calendar by its rule, 2020 where it is there."""

import gzip
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.capacity.weather import available_mw, hour_labels
from engine.errors import FileFormatError, QuestionError
from engine.network import library, texas
from engine.network.model import Network
from engine.network.tables import NetworkTables, table_of
from engine.siting import cases
from engine.siting.cases import Assumptions
from engine.siting.hourly_file import HourlyFile

THREE = NetworkTables(
    name="three",
    buses=table_of(
        "buses",
        [
            {"bus": "1", "zone": "A", "area": "N", "load_mw": 30.0, "slack": True},
            {"bus": "2", "zone": "A", "area": "S", "load_mw": 10.0, "shunt_mw": 2.0},
            {"bus": "3", "zone": "B", "area": "S", "load_mw": 20.0},
        ],
    ),
    branches=table_of(
        "branches",
        [{"branch": f"{a}-{b}", "from_bus": a, "to_bus": b} for a, b in (("1", "2"), ("2", "3"), ("1", "3"))],
    ),
    units=table_of(
        "units",
        [
            {"unit": "gas", "bus": "1", "fuel": "ng", "p_min_mw": 20.0, "p_max_mw": 100.0},
            {"unit": "old", "bus": "2", "fuel": "ng", "p_min_mw": 5.0, "p_max_mw": 50.0, "in_service": False},
            {"unit": "w1", "bus": "2", "fuel": "wind", "p_min_mw": 30.0, "p_max_mw": 30.0},
            {"unit": "w2", "bus": "3", "fuel": "wind", "p_min_mw": 0.0, "p_max_mw": 10.0},
            {"unit": "bat", "bus": "3", "fuel": "storage", "p_min_mw": -8.0, "p_max_mw": 8.0},
        ],
    ),
)


@pytest.fixture(scope="module")
def three() -> Network:
    return Network.from_tables(THREE)


def read(network: Network, text: str, name: str = "own.csv", **more: int) -> HourlyFile:
    return HourlyFile.read(name, text.encode(), network, **more)


def problems(network: Network, text: str) -> list[str]:
    with pytest.raises(FileFormatError) as found:
        read(network, text)
    return [problem.message for problem in found.value.problems]


def test_loads_of_zones_are_shared_as_filed(three: Network) -> None:
    # Zone A files 30 and 10 MW at its two buses, so it is shared 3 to 1; bus 3 is not told and keeps 20.
    file = read(three, "hour,A\n1,80\n2,120\n")
    found = cases.from_file(three, file, Assumptions(weather=None))
    np.testing.assert_allclose(found.demand_mw, [[60, 22, 20], [90, 32, 20]])  # the shunt of 2 MW on top
    assert found.labels == ("2020-01-01 hour 1", "2020-01-01 hour 2")
    assert found.hour_of_day.tolist() == [1, 2]
    assert "1 buses that the file says nothing of keep their filed load" in found.notices
    halved = cases.from_file(three, file, Assumptions(weather=None, load_scale=0.5), hours=[1])
    np.testing.assert_allclose(halved.demand_mw, [[45, 17, 10]])
    assert "loads times 0.5" in halved.source


@pytest.mark.parametrize(
    ("header", "rows", "wanted"),
    [
        ("hour,N,S", "1,33,60", [33, 22, 40]),  # area S: 10 and 20 MW filed, so 1 to 2
        ("hour,area S", "1,60", [30, 22, 40]),
        ("hour,1,3", "1,7,8", [7, 12, 8]),
        ("hour;bus 2", "1;7", [30, 9, 20]),
    ],
)
def test_areas_and_buses(three: Network, header: str, rows: str, wanted: list[float]) -> None:
    found = cases.from_file(three, read(three, f"{header}\n{rows}\n"), Assumptions(weather=None))
    np.testing.assert_allclose(found.demand_mw, [wanted])


def test_what_units_may_produce(three: Network) -> None:
    # 20 MW of wind over 30 and 10 MW of units: 15 and 5. In the second hour 50 MW are more than all 40.
    file = read(three, "hour,A,wind_fleet_mw,unit gas\n1,80,20,70\n2,80,50,10\n")
    found = cases.from_file(three, file)
    np.testing.assert_allclose(found.largest_mw, [[70, 50, 15, 5, 8], [10, 50, 30, 10, 8]])
    np.testing.assert_allclose(found.least_mw, [[0, 0, 0, 0, -8]] * 2)
    assert any("in 1 hours the file's wind exceeds" in notice for notice in found.notices)
    filed = cases.from_file(three, file, Assumptions(thermal="filed", all_units=False))
    # The gas unit's least output of 20 MW gives way to the 10 MW that it can produce in hour 2.
    np.testing.assert_allclose(filed.least_mw, [[20, 0, 0, 0, -8], [10, 0, 0, 0, -8]])
    np.testing.assert_allclose(filed.largest_mw[:, 1], 0.0)
    assert any("1 of 5 units are out of service" in notice for notice in filed.notices)


def test_hours_that_cannot_balance_are_told(three: Network) -> None:
    file = read(three, "hour,1,2,3\n1,10,0,0\n2,300,0,0\n3,50,0,0\n")
    found = cases.from_file(three, file, Assumptions(thermal="filed", weather=None))
    # Least outputs are 20 + 5 - 8 = 17 MW against 12, and 198 MW is the most against 302.
    assert any("in 1 of 3 hours least outputs together exceed the load" in notice for notice in found.notices)
    assert any("in 1 of 3 hours the load exceeds" in notice for notice in found.notices)


def test_every_problem_of_a_file_at_once(three: Network) -> None:
    found = problems(three, "hour,A,C,coal_fleet_mw,unit x,wind_fleet_mw,A\n1,80,1,1,1,-3,1\n1,abc,1,1,1,4,1\n")
    assert len(found) == 8
    for words in (
        "column 'A' appears twice",
        "has no unit of fuel 'coal'",
        "'unit x' is no unit",
        "'C' is no zone",
        "zone 'A' has two columns",
        "1 does not come after 1",
        "row 3: 'abc' is not a number",
        "1 outputs are below 0, first -3 MW in row 2",
    ):
        assert any(words in message for message in found), words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A\n1\n", "no column 'hour'"),
        ("hour,X\n1,2\n", "no column is named like a zone"),
        ("hour,A\n", "no row below"),
        ("hour,A\n2020-06-31 01:00,1\n", "neither a whole number"),
        ("hour,A\n2020-06-30 01:30,1\n", "neither a whole number"),
        ("hour,A\n0,1\n", "neither a whole number"),
        ("hour,A,bus 3\n1,1,1\n", "could be zone or bus"),
        ("hour,A,B,bus 3\n1,1,1,1\n", "'bus 3' is a bus; the loads of one file are all by zone"),
    ],
)
def test_what_a_file_must_say(three: Network, text: str, words: str) -> None:
    assert any(words in message for message in problems(three, text))


def test_a_zone_without_filed_load_has_no_shares(three: Network) -> None:
    bare = replace(THREE, buses=THREE.buses.assign(load_mw=[30.0, 10.0, 0.0]))
    assert "zone 'B' has no filed load" in problems(Network.from_tables(bare), "hour,B\n1,5\n")[0]


def test_dates_are_hours_that_begin_then(three: Network) -> None:
    found = cases.from_file(three, read(three, "time,A\n2023-03-01 15:00,1\n2023-03-03T00:00,1\n"))
    assert found.labels == ("2023-03-01 hour 16", "2023-03-03 hour 1")
    assert found.hour_of_day.tolist() == [16, 1]
    # Weather is that of the same month, day and hour of a leap year: the 61st and the 63rd day.
    wind = available_mw(three, np.array([60 * 24 + 15, 62 * 24]), Assumptions().weather, 0)[:, 2:4]
    np.testing.assert_allclose(found.largest_mw[:, 2:4], wind)


def test_counted_hours_begin_a_year_that_is_told(three: Network) -> None:
    text = "hour,A\n" + "".join(f"{hour},1\n" for hour in range(1, 24 * 60 + 2))
    assert cases.from_file(three, read(three, text, year=2021)).labels[-1] == "2021-03-02 hour 1"
    assert cases.from_file(three, read(three, text)).labels[-1] == "2020-03-01 hour 1"
    packed = HourlyFile.read("own.csv.gz", gzip.compress(text.encode()), three)
    assert len(packed) == 1441
    with pytest.raises(FileFormatError, match="not a gzip file"):
        HourlyFile.read("own.csv.gz", text.encode(), three)


def test_hours_are_found_by_day_and_hour() -> None:
    assert cases.position(1, 1) == 0
    assert cases.position(226, 16) == 225 * 24 + 15
    assert cases.whole_day(2).tolist() == list(range(24, 48))
    for day, hour in ((0, 1), (1, 0), (1, 25)):
        with pytest.raises(QuestionError):
            cases.position(day, hour)


def test_hours_outside_are_refused(three: Network) -> None:
    file = read(three, "hour,A\n1,1\n")
    with pytest.raises(QuestionError, match=r"hour 2 is not one of the 1 hours of own\.csv"):
        cases.from_file(three, file, hours=[1])
    with pytest.raises(QuestionError, match="no hour"):
        cases.from_file(three, file, hours=[])
    with pytest.raises(QuestionError, match="stressed, peak, demonstration, found 'x'"):
        cases.paper_hour(three, file, "x")
    with pytest.raises(QuestionError, match="load_scale"):
        Assumptions(load_scale=0.0)


def test_a_network_as_filed(three: Network) -> None:
    found = cases.as_filed(three)
    np.testing.assert_allclose(found.demand_mw, three.demand_mw[np.newaxis])
    np.testing.assert_allclose(found.least_mw, [[20, 0, 0, 0, -8]])
    np.testing.assert_allclose(found.largest_mw, [[100, 0, 30, 10, 8]])
    assert (found.hour_of_day.tolist(), found.labels) == ([16], ("as filed",))
    assert cases.as_filed(three, hour_of_day=3).hour_of_day.tolist() == [3]


def test_a_schedule_keeps_units_on_and_off(three: Network) -> None:
    case = cases.from_file(three, read(three, "hour,A,unit gas\n1,80,90\n"), Assumptions(weather=None))
    found = cases.committed(case, np.array([[True, False, True, True, True]]))
    np.testing.assert_allclose(found.least_mw, [[20, 0, 0, 0, -8]])
    np.testing.assert_allclose(found.largest_mw, [[90, 0, 30, 10, 8]])
    with pytest.raises(QuestionError, match="schedule of shape"):
        cases.committed(case, np.ones((2, 5), dtype=bool))


def test_the_loads_of_2016_are_those_of_the_areas() -> None:
    network = Network.from_tables(library.load("texas-2016"))
    hours = [cases.position(224, 16), 8783]
    found = cases.year_2016(network, hours=hours)
    areas = np.array(network.buses.areas)
    # Each area draws what the series says, but for what its buses file less or more than the series' own base.
    filed = [network.buses.load_mw[areas == str(area)].sum() for area in range(1, 9)]
    wanted = texas.area_load_2016()[hours] / texas.AREA_FILED_MW * filed
    drawn = np.column_stack([found.demand_mw[:, areas == str(area)].sum(axis=1) for area in range(1, 9)])
    shunt = np.array([network.buses.shunt_mw[areas == str(area)].sum() for area in range(1, 9)])
    np.testing.assert_allclose(drawn, wanted + shunt)
    assert found.labels == ("2016-08-11 hour 16", "2016-12-31 hour 24")
    assert hour_labels(np.array(hours)) == ("2016-08-11 15:00", "2016-12-31 23:00")
    assert found.network.units.in_service.all()
    assert found.hour_of_day.tolist() == [16, 24]
    fuels = np.array(network.units.fuels)
    # Hydro is at its measured factor of the month: .133 in August, .111 in December.
    most = found.largest_mw[:, fuels == "hydro"].sum(axis=1)
    np.testing.assert_allclose(most, network.units.p_max_mw[fuels == "hydro"].sum() * np.array([0.133, 0.111]))
    assert (found.least_mw == 0.0).all()


def test_the_paper_s_hour() -> None:
    folder = os.environ.get("HEADROOM_DATA", "")
    path = Path(folder) / "texas2000" / "hourly_2020.csv.gz"
    if not folder or not path.is_file():
        pytest.skip("HEADROOM_DATA names no folder with the hours of 2020")
    network = Network.from_tables(library.load("texas-2020"))
    file = HourlyFile.read(path.name, path.read_bytes(), network)
    # Totals of the file: 74,059 MW in hour 16 of day 224, 76,376 on day 225, 63,155 on day 226.
    for choice, total in (("stressed", 74_059.0), ("peak", 76_376.0), ("demonstration", 0.96 * 63_155.0)):
        found = cases.paper_hour(network, file, choice, weather=None)
        assert found.demand_mw.sum() == pytest.approx(total, abs=1.0)
        assert found.hour_of_day.tolist() == [16]
        assert "does not say which day" in found.notices[0]
    fuels = np.array(network.units.fuels)
    assert found.largest_mw[:, fuels == "solar"].sum() == pytest.approx(977.23)
    assert found.largest_mw[:, fuels == "hydro"].sum() == pytest.approx(161.54)
    assert found.least_mw.sum() == pytest.approx(4350.48 + 19841.21 + 1541.58)  # coal, gas, nuclear as filed
    day = cases.paper_day(network, file, weather=None)
    assert day.hour_of_day.tolist() == list(range(1, 25))
    assert day.labels[0] == "2020-08-11 hour 1"
    south = np.array(network.buses.zones) == "South"
    assert day.demand_mw[15, south].sum() == pytest.approx(file.load_mw[223 * 24 + 15, file.places.index("South")])


def test_units_of_which_nothing_is_known_are_told_to_be_there_in_every_hour() -> None:
    filed = Network.from_tables(library.load("ieee14"))  # its file names no fuel: 332.4, 140 and three times 100 MW
    words = "5 units without a fuel in the tables, 772 MW: up to the largest output in every hour"
    assert words in cases.year_2016(filed, hours=[0]).notices
    fuels = filed.tables.units["fuel"].tolist()
    told = filed.tables.with_table("units", filed.tables.units.assign(fuel=["ng", "battery", "coal", *fuels[3:]]))
    found = cases.year_2016(Network.from_tables(told), hours=[0]).notices
    assert "2 units without a fuel in the tables, 200 MW: up to the largest output in every hour" in found
    assert "one battery in the tables, 140 MW: up to the largest output in every hour" in found
