"""Prices with the hubs' answers and their proof: what a search for exact prices can begin with."""

from dataclasses import dataclass

from engine.network.model import Matrix, Vector


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """What hubs do at prices, and the duals of their equations by which nothing is better for them."""

    price: Matrix  # (K, T), $/MWh
    points: tuple[Vector, ...]  # (I,)
    duals: tuple[Vector, ...]  # (I,), $ per MW or MWh of each equation of a hub
