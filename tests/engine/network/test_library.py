"""The named grids and the Texas tables: counts, places, fleets, series, and where they are from."""

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.data import build_texas
from engine.errors import FileFormatError, NetworkDataError
from engine.network import library, texas
from engine.network.tables import NetworkTables


def outside(name: str) -> pd.DataFrame:
    """A reference table that is not part of the product."""
    folder = os.environ.get("HEADROOM_DATA", "")
    path = Path(folder) / "texas2000" / name
    if not folder or not path.is_file():
        pytest.skip("HEADROOM_DATA does not name a folder with the reference tables of Texas")
    return pd.read_csv(path)


@pytest.mark.parametrize("named", library.NAMED, ids=lambda named: named.key)
def test_a_named_grid_has_its_buses_title_and_source(named: library.NamedNetwork) -> None:
    tables = library.load(named.key)
    assert len(tables.buses) == named.buses
    assert tables.name == named.title
    assert named.source in tables.source
    assert named.licence in tables.source
    assert named.description


def test_keys_are_unique_and_a_wrong_one_is_named() -> None:
    assert len({named.key for named in library.NAMED}) == len(library.NAMED)
    with pytest.raises(NetworkDataError, match=r"'texas-2099'.*texas-2016"):
        library.load("texas-2099")


def test_a_missing_case_is_named() -> None:
    with pytest.raises(NetworkDataError, match=r"no_such_case\.m"):
        library.case_text("no_such_case")


def test_a_grid_is_read_once() -> None:
    assert library.load("ieee14") is library.load("ieee14")


def test_the_four_bus_case_has_the_published_numbers() -> None:
    tables = library.load("fourbus")
    assert tables.branches[["from_bus", "to_bus", "rating_a_mw"]].to_numpy().tolist() == [
        ["1", "2", 100.0],
        ["2", "3", 50.0],
        ["2", "4", 50.0],
    ]
    assert tables.buses["load_mw"].tolist() == [25, 25, 15, 20]
    assert tables.buses["withdrawal_limit_mw"].tolist() == [40] * 4
    assert tables.buses["bus"][tables.buses["slack"]].tolist() == ["1"]


def test_texas_has_the_published_counts() -> None:
    # ACTIVSg2000: 2,000 buses, 3,206 branches, 544 units of which 432 are on, 67,109 MW of load on 1,125 buses.
    tables = library.load("texas-2016")
    assert (len(tables.branches), len(tables.units), int(tables.units["in_service"].sum())) == (3206, 544, 432)
    assert tables.buses["load_mw"].sum() == pytest.approx(67_109.2, abs=0.1)
    assert int((tables.buses["load_mw"] > 0).sum()) == 1125
    assert int(tables.buses["base_kv"].isin([115.0, 161.0, 230.0]).sum()) == 1431


def test_texas_stands_in_texas_and_each_load_area_is_one_weather_zone() -> None:
    buses = library.load("texas-2016").buses
    assert buses["longitude"].between(-106.7, -93.5).all()
    assert buses["latitude"].between(25.8, 36.6).all()
    assert (buses["name"] != "").all()
    zones = buses.groupby("area")["zone"].unique()
    assert {area: zone.tolist() for area, zone in zones.items()} == {
        str(area): [zone] for area, zone in enumerate(texas.AREA_ZONES, 1)
    }


def test_the_2020_fleet_and_ratings_differ_as_published() -> None:
    before, after = library.load("texas-2016"), library.load("texas-2020")
    assert len(after.units) == 598
    assert after.units["in_service"].all()
    change = after.branches["rating_a_mw"] - before.branches["rating_a_mw"]
    assert int((change != 0).sum()) == 142
    assert after.buses.equals(before.buses)
    assert (after.units["ramp_30_min_mw"] > 0).all()


def test_fleet_places_and_ratings_equal_the_reference_tables() -> None:
    tables = library.load("texas-2020")
    buses, ratings, fleet = (outside(name) for name in ("buses.csv", "branch_ratings_2020.csv", "fleet_2020.csv"))
    np.testing.assert_array_equal(tables.buses["name"], buses["substation"])
    np.testing.assert_array_equal(tables.buses["zone"], buses["zone"])
    np.testing.assert_array_equal(tables.buses[["latitude", "longitude", "base_kv"]], buses[["lat", "lon", "base_kv"]])
    np.testing.assert_array_equal(tables.branches["rating_a_mw"], ratings["rate_mva"])
    np.testing.assert_array_equal(tables.units["bus"].astype(int), fleet["bus"])
    np.testing.assert_array_equal(tables.units["fuel"], fleet["fuel"])
    for own, reference in (
        ("p_max_mw", "p_max_mw"),
        ("p_min_mw", "p_min_mw"),
        ("cost_c0_per_h", "cost_c0_usd_per_h"),
        ("cost_c1_per_mwh", "cost_c1_usd_per_mwh"),
        ("cost_c2_per_mw2h", "cost_c2_usd_per_mw2h"),
    ):
        np.testing.assert_array_equal(tables.units[own], fleet[reference])


def test_the_commitment_rule_gives_the_reference_start_ups_ramps_and_hours() -> None:
    fleet = outside("fleet_2020.csv")
    rules = [texas.commitment_rule(fuel, size) for fuel, size in zip(fleet["fuel"], fleet["p_max_mw"], strict=True)]
    size = fleet["p_max_mw"].to_numpy()
    np.testing.assert_allclose([rule.startup_per_mw for rule in rules] * size, fleet["startup_usd"])
    np.testing.assert_allclose([rule.ramp_30_min_per_mw for rule in rules] * size, fleet["ramp_30_min_mw"])
    np.testing.assert_array_equal([rule.min_up_h for rule in rules], fleet["min_up_h"])
    np.testing.assert_array_equal([rule.min_down_h for rule in rules], fleet["min_down_h"])


@pytest.mark.parametrize(
    ("fuel", "mw", "startup", "up", "down"),
    [("coal", 5, 10, 1, 1), ("coal", 650, 250, 12, 12), ("ng", 60, 100, 1, 1), ("ng", 300, 150, 2, 1),
     ("nuclear", 1200, 1000, 24, 24), ("wind", 100, 0, 1, 1), ("unheard of", 9, 0, 1, 1)],
)  # fmt: skip
def test_the_commitment_rule_by_fuel_and_size(fuel: str, mw: float, startup: float, up: int, down: int) -> None:
    rule = texas.commitment_rule(fuel, mw)
    assert (rule.startup_per_mw, rule.min_up_h, rule.min_down_h) == (startup, up, down)
    assert rule.shutdown_per_mw == (startup if fuel == "nuclear" else startup / 10)


def test_area_loads_are_those_of_the_change_table() -> None:
    load = texas.area_load_2016()
    assert load.shape == (texas.HOURS_2016, 8)
    # The first row of the change table, and its last, read by eye.
    assert load[0].tolist() == [946.9, 806.8, 940.1, 3318.7, 10047.2, 5441.9, 8258.4, 1467.9]
    text = library.case_text("scenarios_ACTIVSg2000")
    built = build_texas.csv_text(build_texas.area_load(text))
    assert built.encode() == gzip.decompress(texas.data_bytes("texas2000_area_load_2016.csv.gz"))
    with pytest.raises(ValueError, match="read-only"):
        load[0, 0] = 0.0


def test_capacity_factors_are_shares_with_nights_and_droughts() -> None:
    solar, hydro = texas.solar_capacity_factor(), texas.hydro_capacity_factor()
    assert solar.shape == (12, 24)
    assert hydro.shape == (12,)
    assert ((solar >= 0) & (solar <= 1)).all()
    assert (solar[:, :5] == 0).all()
    assert ((hydro > 0) & (hydro < 1)).all()


def test_solar_factors_equal_the_reference_table() -> None:
    np.testing.assert_array_equal(
        texas.solar_capacity_factor(), outside("solar_capacity_factor.csv").drop(columns="m").to_numpy()
    )


def test_wind_facts_fall_with_distance_and_time_and_fit_the_2020_fleet() -> None:
    facts = texas.wind_facts()
    assert (np.diff(facts.correlation_by_distance) < 0).all()
    assert (np.diff(facts.autocorrelation) < 0).all()
    tables = library.load("texas-2020")
    wind = tables.units[tables.units["fuel"] == "wind"].merge(tables.buses[["bus", "zone"]], on="bus")
    by_zone = wind.groupby("zone")["p_max_mw"].sum()
    for zone, mw in facts.zone_mw.items():
        assert by_zone[zone] == pytest.approx(mw, abs=1.0)


def test_places_and_fleet_fit_no_other_grid() -> None:
    other = library.load("activsg500")
    with pytest.raises(NetworkDataError, match="ACTIVSg2000"):
        texas.on_the_map(other)
    with pytest.raises(NetworkDataError, match="ACTIVSg2000"):
        texas.with_fleet_2020(other)
    with pytest.raises(NetworkDataError, match="ACTIVSg2000"):
        texas.with_fleet_2020(NetworkTables())


def test_every_file_of_data_is_listed_with_its_source_and_together_they_are_small() -> None:
    folder = Path(build_texas.__file__).parent
    files = [path for path in folder.iterdir() if path.suffix in {".gz", ".json", ".csv"}]
    listed = (folder / "README.md").read_text(encoding="utf-8")
    assert files
    assert [path.name for path in files if f"`{path.name}`" not in listed] == []
    assert sum(path.stat().st_size for path in files) < 500_000


def test_the_tables_are_built_from_the_pinned_wheel_only(tmp_path: Path) -> None:
    wheel = tmp_path / build_texas.WHEEL_FILE
    wheel.write_bytes(b"another wheel")
    with pytest.raises(FileFormatError, match="SHA-256"):
        build_texas.build(wheel)


@pytest.mark.parametrize(
    ("unit", "mw_per_min"), [("101-1", 3.0), ("101-3", 2.0), ("123-2", 4.0), ("121-1", 20.0), ("107-1", 4.14)]
)
def test_units_of_rts_gmlc_ramp_as_their_published_table_says(unit: str, mw_per_min: float) -> None:
    units = library.load("rts-gmlc").units.set_index("unit")  # "Ramp Rate MW/Min" of the test system's gen.csv
    assert units.loc[unit, "ramp_30_min_mw"] == pytest.approx(30.0 * mw_per_min)


def test_units_of_rts_gmlc_have_the_fuels_of_their_published_table() -> None:
    units = library.load("rts-gmlc").units
    found = units.groupby("fuel")["p_max_mw"].agg(["size", "sum"])
    # Column "Fuel" of the test system's gen.csv: units of each, and their "PMax MW".
    published = {
        "coal": (16, 2317.0), "ng": (37, 5035.0), "oil": (19, 324.0), "nuclear": (1, 400.0), "hydro": (20, 1000.0),
        "wind": (4, 2507.9), "solar": (57, 2915.9), "battery": (1, 50.0), "": (3, 0.0),
    }  # fmt: skip
    assert {fuel: (int(row["size"]), pytest.approx(row["sum"])) for fuel, row in found.iterrows()} == published
    wind = units.loc[units["fuel"] == "wind"].set_index("bus")["p_max_mw"]
    assert wind.to_dict() == {"309": 148.3, "317": 799.1, "303": 847.0, "122": 713.5}
    assert units.loc[units["fuel"] == "hydro", "bus"].value_counts().to_dict() == {
        "122": 6, "201": 1, "215": 3, "222": 6, "322": 4,
    }  # fmt: skip
