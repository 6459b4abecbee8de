"""The network as hubs see it: what each hub's withdrawal moves on each line, and what flows without them.

``flow = background - share @ withdrawal``: a withdrawal is an injection less, so with factors of injections (PTDF) the
share is the factor itself. On a radial feeder the factor is one for the lines between the bus and the substation, with
lines pointed towards the substation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from engine.distribution.feeder import Feeder, Link, Regulator, walk
from engine.distribution.frames import phase_rating_mva
from engine.errors import NetworkDataError, Problem
from engine.network.factors import Factors
from engine.network.model import Matrix, Network, Vector


@dataclass(frozen=True, slots=True, eq=False)
class HubNetwork:
    """L lines, I hubs, T periods."""

    lines: tuple[str, ...]  # (L,)
    share: Matrix  # (L, I), MW on the line less, per MW that a hub withdraws
    background_mw: Matrix  # (L, T)
    limit_mw: Vector  # (L,), either way
    substation_mw: Vector  # (T,), what is imported without hubs
    import_mw: float = np.inf  # limit of the substation, hubs and background together
    export_mw: float = np.inf

    @property
    def periods(self) -> int:
        """Return T."""
        return len(self.substation_mw)

    def flows(self, withdrawal_mw: Matrix) -> Matrix:
        """Return the flows (L, T) of withdrawals (I, T), MW."""
        return np.asarray(self.background_mw - self.share @ withdrawal_mw)

    def substation(self, withdrawal_mw: Matrix) -> Vector:
        """Return what the substation imports (T,), MW."""
        return np.asarray(self.substation_mw + withdrawal_mw.sum(axis=0))

    @classmethod
    def of_network(cls, network: Network, buses: Sequence[str], load_share: Sequence[float] | Vector) -> Self:
        """Return the lines with a limit of a network whose loads are scaled by ``load_share`` (T,).

        The substation is the slack, which balances what units do not. Raises NetworkDataError naming unknown buses.
        """
        unknown = [bus for bus in buses if bus not in set(network.buses.ids)]
        if unknown:
            raise NetworkDataError([_unknown(bus) for bus in unknown])
        factors = Factors.of(network)
        branches, share = network.branches, np.asarray(load_share, dtype=np.float64)
        limited = np.flatnonzero(np.isfinite(branches.rating_a_mw) & branches.in_service)
        rows = factors.rows(limited)
        injection = network.generation_mw[:, np.newaxis] - network.demand_mw[:, np.newaxis] * share
        others = np.arange(len(injection)) != network.slack
        return cls(
            lines=tuple(branches.ids[at] for at in limited.tolist()),
            share=rows[:, [network.bus(bus) for bus in buses]],
            background_mw=factors.flows(injection)[limited],
            limit_mw=branches.rating_a_mw[limited],
            substation_mw=-injection[others].sum(axis=0),
        )

    @classmethod
    def of_feeder(
        cls, feeder: Feeder, buses: Sequence[str], load_share: Sequence[float] | Vector, *, power_factor: float = 0.95
    ) -> Self:
        """Return the lines with a rating of a radial feeder whose loads are scaled by ``load_share`` (T,).

        Losses are left out, phases are taken together, and a rating carries ``power_factor`` of itself in MW. Raises
        NetworkDataError naming unknown buses, loops and what the source does not reach.
        """
        tree, problems = walk(feeder)
        problems = [*problems, *(_unknown(bus) for bus in buses if bus not in set(tree.buses))]
        if problems:
            raise NetworkDataError(problems)
        place = {name: at for at, name in enumerate(tree.buses)}
        kv = {bus.name: bus.kv for bus in feeder.buses}
        below = np.eye(len(tree.buses))  # (above or itself, bus)
        for at in range(1, len(tree.buses)):  # every bus comes after the one above it
            below[:, at] += below[:, tree.parents[at]]
        load = np.zeros(len(tree.buses))
        for row in feeder.loads:
            load[place[row.bus]] += row.kw / 1000.0
        rated = [
            (at, link, limit)
            for at, link in enumerate(tree.links)
            if link is not None and (limit := _limit_mw(link, kv, power_factor)) is not None
        ]
        rows = below[[at for at, _, _ in rated]]
        share = np.asarray(load_share, dtype=np.float64)
        return cls(
            lines=tuple(link.name for _, link, _ in rated),
            share=rows[:, [place[bus] for bus in buses]],
            background_mw=-np.outer(rows @ load, share),
            limit_mw=np.array([limit for _, _, limit in rated]),
            substation_mw=load.sum() * share,
        )

    def problems(self, hubs: int) -> list[Problem]:
        """Return everything that is wrong with the shapes and numbers for so many hubs."""
        found = []
        shapes = (
            ("share", self.share, (len(self.lines), hubs)),
            ("background_mw", self.background_mw, (len(self.lines), self.periods)),
            ("limit_mw", self.limit_mw, (len(self.lines),)),
        )
        for name, values, shape in shapes:
            if values.shape != shape:
                found.append(_wrong(f"{name} of the network has the shape {values.shape}; it must have {shape}"))
            elif np.isnan(values).any() or (name != "limit_mw" and not np.isfinite(values).all()):
                found.append(_wrong(f"{name} of the network holds something that is not a number"))
        if not np.isfinite([*self.limit_mw.ravel(), self.import_mw, self.export_mw]).any():
            found.append(_wrong("the network has no line with a limit and no limit of the substation"))
        for way, limit in (("import", self.import_mw), ("export", self.export_mw)):
            if not limit >= 0.0:
                found.append(_wrong(f"the substation's limit of {way} is {limit:g} MW; it must be 0 or more"))
        for name, limit in zip(self.lines, self.limit_mw.tolist(), strict=False):
            if not limit > 0.0:
                found.append(_wrong(f"the limit of line {name} is {limit:g} MW; it must be above 0", name))
        if not np.isfinite(self.substation_mw).all():
            found.append(_wrong("the import of the substation holds something that is not a number"))
        return found


def _limit_mw(link: Link, kv: dict[str, float], power_factor: float) -> float | None:
    """Return what a link may carry, all its phases together; None without a rating."""
    rating = phase_rating_mva(link, kv[link.from_bus])
    if not np.isfinite(rating):
        return None
    phases = 3 if isinstance(link, Regulator) and link.open_delta else len(link.phases)
    return phases * rating * power_factor


def _unknown(bus: str) -> Problem:
    return Problem("bus", "error", f"there is no bus {bus} in the network", "hubs", element=bus)


def _wrong(message: str, element: str = "") -> Problem:
    return Problem("network", "error", message, "network", element=element)
