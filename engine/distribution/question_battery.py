"""What a feeder study says of a battery beside a data centre."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from engine.distribution.feeder import Battery
from engine.errors import QuestionError


@dataclass(frozen=True, slots=True)
class CentreBattery:
    """A battery beside a data centre, run by the aggregator with its work; every method takes it.

    It moves what is drawn from the network, not the work, and enters the aggregator's own constraints alone.
    """

    centre: str = ""  # its name; empty: every centre has one of these
    power_mw: float = 0.2  # either way, at the terminals
    energy_mwh: float = 0.8
    efficiency: float = 0.9  # there and back; each way has its square root
    start_share: float = 0.5  # of the energy, before the first hour
    end_share: float = 0.5  # after the last

    def problems(self) -> list[str]:
        """Return what is out of its range."""
        ranges = (
            ("power_mw", "power of a battery, MW,", 1e-4, 1e3), ("energy_mwh", "energy of a battery, MWh,", 1e-4, 1e4),
            ("efficiency", "efficiency of a battery", 0.05, 1.0),
            ("start_share", "share that a battery begins with", 0.0, 1.0),
            ("end_share", "share that a battery ends with", 0.0, 1.0),
        )  # fmt: skip
        return [
            f"the {words} is {getattr(self, name):g}: {least:g} to {most:g}"
            for name, words, least, most in ranges
            if not least <= getattr(self, name) <= most
        ]

    def row(self) -> Battery:
        """Return the battery as a feeder's row has it."""
        each = math.sqrt(self.efficiency)
        return Battery(1000.0 * self.energy_mwh, 1000.0 * self.power_mw, each, each, self.start_share, self.end_share)

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the battery that a question's JSON holds. Raises QuestionError for a field that is none."""
        if unknown := sorted(set(row) - set(cls.__dataclass_fields__)):
            raise QuestionError(f"a battery has no field {unknown[0]!r:.60}")
        numbers = {name: float(value) for name, value in row.items() if name != "centre"}
        return cls(centre=str(row.get("centre", "")), **numbers)
