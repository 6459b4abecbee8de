"""Where new load is asked for: sites chosen by filter, typed or pasted, and said in words."""

import math
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from components.capacity_words import MOST_SITES
from components.format import number, voltage
from engine.capacity.question import MOST_DEMAND_MW
from engine.errors import QuestionError
from engine.network.model import Network

_CELLS = re.compile(r"[\s,;]+")


def voltages(network: Network) -> list[float]:
    """Return the nominal voltages in service, highest first."""
    return sorted({float(kv) for kv in network.buses.base_kv[network.buses.in_service] if kv > 0}, reverse=True)


def zones(network: Network) -> list[str]:
    """Return the zones that have a name, in order."""
    return sorted({zone for zone in network.buses.zones if zone})


def matching(network: Network, least_kv: float | None, zone: str | None) -> npt.NDArray[np.intp]:
    """Return the positions of the buses in service at ``least_kv`` or more, in ``zone`` (None: anywhere)."""
    wanted = network.buses.in_service.copy()
    if least_kv:
        wanted &= network.buses.base_kv >= least_kv - 1e-9
    if zone:
        wanted &= np.array([entry == zone for entry in network.buses.zones])
    return np.flatnonzero(wanted)


def choose(network: Network, least_kv: float | None, zone: str | None, most: int) -> list[str]:
    """Return at most ``most`` bus ids that match, spread over the map: each next one is the farthest from those before.

    Without coordinates they are spread evenly over the table. The choice is always the same for the same network.
    """
    found = matching(network, least_kv, zone)
    if most < 1 or len(found) == 0:
        return []
    places = np.column_stack([network.buses.longitude, network.buses.latitude])[found]
    if len(found) <= most:
        picked = np.arange(len(found))
    elif np.isfinite(places).all():
        picked = _spread(places, most)
    else:
        picked = np.unique(np.linspace(0, len(found) - 1, most).astype(int))
    return [network.buses.ids[i] for i in found[np.sort(picked)]]


def _spread(places: npt.NDArray[np.float64], most: int) -> npt.NDArray[np.intp]:
    flat = places * np.array([math.cos(math.radians(float(places[:, 1].mean()))), 1.0])  # degrees of equal length
    chosen = [int(np.argmin(((flat - flat.mean(axis=0)) ** 2).sum(axis=1)))]
    distance = ((flat - flat[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < most:
        farthest = int(np.argmax(distance))
        if distance[farthest] == 0:  # the rest share places with those chosen
            rest = [i for i in range(len(flat)) if i not in set(chosen)]
            chosen += rest[: most - len(chosen)]
            break
        chosen.append(farthest)
        distance = np.minimum(distance, ((flat - flat[farthest]) ** 2).sum(axis=1))
    return np.array(chosen, dtype=np.intp)


def read_table(text: str, network: Network, default_mw: float) -> tuple[list[str], list[float]]:
    """Return the sites of a typed or pasted table: a bus per line, with its MW or without (``default_mw``).

    Cells may be parted by blanks, tabs, commas or semicolons; a heading is skipped; a bus listed twice
    counts once, with its last MW. Raises QuestionError naming every line that cannot be used (the first five).
    """
    known = set(network.buses.ids)
    sites: dict[str, float] = {}
    faults: list[str] = []
    for place, line in enumerate(text.splitlines(), start=1):
        cells = [cell for cell in _CELLS.split(line.strip()) if cell]
        if not cells or (place == 1 and cells[0].lower() in ("bus", "site", "id")):
            continue
        bus = cells[0]
        if bus not in known:
            faults.append(f"line {place}: the network has no bus {bus!r}")
            continue
        try:
            mw = float(cells[1]) if len(cells) > 1 else default_mw
        except ValueError:
            faults.append(f"line {place}: {cells[1]!r} is not a number of MW")
            continue
        if not (math.isfinite(mw) and 0 < mw <= MOST_DEMAND_MW):
            faults.append(
                f"line {place}: the demand at bus {bus!r} must be above 0 and at most {MOST_DEMAND_MW:.0f} MW"
            )
            continue
        sites[bus] = mw
    if len(sites) > MOST_SITES:
        faults.append(f"{number(len(sites))} sites are listed; at most {number(MOST_SITES)} can be asked at once")
    if faults:
        more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise QuestionError("; ".join(faults[:5]) + more)
    if not sites:
        raise QuestionError("the table lists no bus: write one per line, its MW after it")
    return list(sites), list(sites.values())


def table_text(buses: Sequence[str], demand_mw: Sequence[float]) -> str:
    """Return the sites as the text that :func:`read_table` reads."""
    return "\n".join(f"{bus} {mw:g}" for bus, mw in zip(buses, demand_mw, strict=True))


def sites_words(count: int) -> str:
    """Return the number of sites as the sentence says it."""
    return "1 site" if count == 1 else f"{number(count)} sites"


def bus_words(network: Network, position: int) -> str:
    """Return a bus as a reader knows it: ``HARTLEY 3 (bus 5120)``, ``bus 4`` when it has no other name."""
    name, key = network.buses.names[position], network.buses.ids[position]
    return f"{name} (bus {key})" if name and name.lower() != f"bus {key}".lower() else f"Bus {key}"


def bus_facts(network: Network, position: int) -> list[tuple[str, str]]:
    """Return a bus's own data for the inspector."""
    buses = network.buses
    rows = [("Bus", buses.ids[position])]
    if kv := voltage(float(buses.base_kv[position])):
        rows.append(("Voltage", kv))
    if buses.zones[position]:
        rows.append(("Zone", buses.zones[position]))
    rows.append(("Load as filed", f"{number(float(buses.load_mw[position]), 1)} MW"))
    limit = float(buses.withdrawal_limit_mw[position])
    if math.isfinite(limit):
        rows.append(("Withdrawal limit", f"{number(limit, 1)} MW"))
    return rows
