"""What the file of RTS-GMLC leaves out of its units: fuels, and ramps of half an hour.

Source: the test system's own table of units (``RTS_Data/SourceData/gen.csv``), whose rows are those of the file. C.
Barrows et al., The IEEE Reliability Test System: A Proposed 2019 Update, IEEE Trans. Power Syst. 35(1), 2020.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from engine.network.tables import NetworkTables

# Units that burn something are told by their size alone: U12 and U20 burn oil, U55 and U355 gas, and so on.
_BURN: Mapping[float, str] = {
    12.0: "oil", 20.0: "oil", 55.0: "ng", 355.0: "ng", 76.0: "coal", 155.0: "coal", 350.0: "coal", 400.0: "nuclear",
}  # fmt: skip
_WIND = ("309", "317", "303", "122")  # buses: 148.3, 799.1, 847 and 713.5 MW
_LEAST_WIND_MW = 100.0  # the smallest park has 148.3 MW; water at bus 122 comes in units of 50 MW
_WATER_MW = 50.0


def completed(tables: NetworkTables) -> NetworkTables:
    """Return the tables with the fuel of each unit and with ramps of half an hour.

    A synchronous condenser has no fuel; the battery of bus 313 is "battery"; heat from the sun is "solar".
    The file has one number in its three columns of ramps, and it is the "Ramp Rate MW/Min" of the table of units: 4
    for a coal unit of 350 MW, which would need 44 hours from nothing to all if these were 30 minutes.
    """
    units = tables.units
    size, bus = units["p_max_mw"].to_numpy(), units["bus"].to_numpy(dtype=np.str_)
    moves_volts = units["q_max_mvar"].to_numpy() > 0.0
    fuel = np.full(len(units), "solar", dtype="<U8")  # all that is left: fields, roofs and the tower of bus 212
    for burnt_mw, name in _BURN.items():
        fuel[size == burnt_mw] = name
    fuel[(size == _WATER_MW) & moves_volts] = "hydro"
    fuel[(size == _WATER_MW) & ~moves_volts] = "battery"
    fuel[np.isin(bus, _WIND) & (size > _LEAST_WIND_MW) & ~moves_volts] = "wind"
    fuel[size == 0.0] = ""
    ramp = 30.0 * units["ramp_30_min_mw"]
    return replace(tables, units=units.assign(fuel=fuel.astype(object), ramp_30_min_mw=ramp))
