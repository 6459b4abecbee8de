"""Locational marginal prices and what they are made of: energy plus congestion (the model has no losses).

The price at a bus is the rise of the least cost per MWh more drawn there. Its split needs a reference: the
energy part is the price at the slack (or the slack's average), and congestion is the rest. The price itself
does not depend on the reference. Source: Schweppe et al., *Spot Pricing of Electricity*, 1988.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Vector


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Prices in $/MWh, ``nan`` at a bus out of service, and the reference of their split in words."""

    lmp_per_mwh: Vector  # (B,)
    energy_per_mwh: float
    congestion_per_mwh: Vector  # (B,)
    reference: str

    @classmethod
    def of(cls, factors: Factors, energy_per_mwh: float, flow_price_per_mwh: Vector) -> Self:
        """Return the prices for the value of energy at the slack of ``factors`` and the prices of flows (L,).

        The price of a limit is the cost saved by one MW more of it, positive where it is an upper one. What one MW
        more on a branch costs is the sum of these over the limits that weigh the branch: its own, those of
        interfaces, and those after outages. Congestion is minus the transposed factors times that.
        """
        network = factors.network
        congestion = np.where(network.buses.in_service, -factors.weighted(flow_price_per_mwh), np.nan)
        return cls(congestion + energy_per_mwh, energy_per_mwh, congestion, _reference(factors))

    def at_reference(self, factors: Factors) -> "Prices":
        """Return the same prices, split at the slack of ``factors``."""
        energy = float(factors.slack_share @ np.where(np.isnan(self.lmp_per_mwh), 0.0, self.lmp_per_mwh))
        return Prices(self.lmp_per_mwh, energy, self.lmp_per_mwh - energy, _reference(factors))


def congestion_rent_per_h(prices: Prices, injection_mw: Vector) -> float:
    """Return what loads pay more than units receive, $/h, for the injections (B,) of a dispatch.

    Raises QuestionError if the injections do not belong to the same buses.
    """
    if injection_mw.shape != prices.lmp_per_mwh.shape:
        raise QuestionError(f"{len(injection_mw)} injections do not fit {len(prices.lmp_per_mwh)} prices")
    return -float(np.nansum(prices.lmp_per_mwh * injection_mw))


def _reference(factors: Factors) -> str:
    used = np.flatnonzero(factors.slack_share)
    if used.size == 1:
        return f"bus {factors.network.buses.ids[used[0]]}"
    return f"the average of {used.size} buses, weighted by their slack shares"
