"""Flexible capacity modules: what one unit of each type can do, what it costs, and how many there are.

The source names the types and prints no numbers, so those of :data:`STANDARD` are our own assumption, stated here:
capital costs of the order of public benchmarks (battery 350 $/kWh of 2 h, long-duration storage 200 $/kWh, gas
reciprocating engine 1,000 $/kW) at an annuity of 10 %, and a contract of 30 $/kW a year for demand response.
Source of the types: arXiv 2601.14665 (BESS, fast-ramp generation, demand response, long-duration storage).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["storage", "generation", "response"]
MOST_MODULES = 1_000  # of a type, in all


@dataclass(frozen=True, slots=True)
class ModuleType:
    """One type of module; numbers are of one module, which is placed whole.

    ``energy_mwh``: what a store holds, or what a response may put off in all. A response draws ``payback`` MWh later
    for each that it puts off, within ``window_h``.
    """

    name: str
    kind: Kind
    power_mw: float  # either way for a store
    cost: float  # $ a year, capital and upkeep
    inventory: int  # how many suppliers have
    most_at_site: int
    energy_mwh: float = 0.0
    charge_efficiency: float = 1.0
    discharge_efficiency: float = 1.0
    loss_per_h: float = 0.0  # share of what a store holds
    start_share: float = 0.7  # of its energy before the event, and owed back at the end
    cost_per_mwh: float = 0.0  # of what is produced or put off; of charge and discharge: wear
    ramp_mw_per_min: float = math.inf  # generation
    delay_min: float = 0.0  # generation: from the event to the first MW
    payback: float = 1.0
    window_h: float = 4.0
    reactive: float = 0.0  # Mvar either way, for each MW of power

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with it, in words that name it."""
        if self.kind not in get_args(Kind):
            yield f"module {self.name}: its kind is {self.kind!r}; it must be one of {', '.join(get_args(Kind))}"
            return
        for name, least, most in _RANGES:
            value = getattr(self, name)
            if not (least <= value <= most) or (math.isinf(value) and name != "ramp_mw_per_min"):
                words = name.replace("_", " ")
                yield f"module {self.name}: {words} is {value:g}; it must lie between {least:g} and {most:g}"
        for name, value in (("inventory", self.inventory), ("most_at_site", self.most_at_site)):
            if not 0 <= value <= MOST_MODULES:
                yield f"module {self.name}: {name.replace('_', ' ')} is {value}; it must be 0 to {MOST_MODULES}"
        if self.kind != "generation" and not self.energy_mwh > 0.0:
            yield f"module {self.name}: energy mwh is {self.energy_mwh:g}; it must be above 0"


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("power_mw", 1e-6, 1e4), ("cost", 0.0, 1e12), ("energy_mwh", 0.0, 1e6), ("charge_efficiency", 0.01, 1.0),
    ("discharge_efficiency", 0.01, 1.0), ("loss_per_h", 0.0, 1.0), ("start_share", 0.0, 1.0),
    ("cost_per_mwh", 0.0, 1e6), ("ramp_mw_per_min", 0.0, math.inf), ("delay_min", 0.0, 1e4), ("payback", 0.0, 2.0),
    ("window_h", 0.0, 168.0), ("reactive", 0.0, 2.0),
)  # fmt: skip

STANDARD: tuple[ModuleType, ...] = (
    ModuleType("BESS", "storage", 0.25, 17_500.0, 12, 4, 0.5, 0.95, 0.95, 0.0, 0.7, 5.0, reactive=0.48),
    ModuleType("GEN", "generation", 0.5, 50_000.0, 4, 2, cost_per_mwh=180.0, ramp_mw_per_min=0.1, delay_min=15.0,
               reactive=0.48),
    ModuleType("DR", "response", 0.1, 3_000.0, 10, 3, 0.3, cost_per_mwh=150.0, payback=1.05, window_h=4.0),
    ModuleType("LDES", "storage", 0.2, 32_000.0, 4, 2, 1.6, 0.85, 0.82, 0.002, 0.9, 2.0, reactive=0.48),
)  # fmt: skip
