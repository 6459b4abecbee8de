"""How far the prices of a MWh lie apart in one hour: between the phases of a bus, and between buses on one phase."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engine.distribution.frames import Matrix

Node = tuple[str, str]  # bus and member of the frame
APART = 0.005  # $/MWh: prices that are nearer are written alike


@dataclass(frozen=True, slots=True)
class Spread:
    """The largest difference of two prices in one hour."""

    hour: int
    dear: Node
    cheap: Node
    most: float  # $/MWh, at ``dear``
    least: float  # $/MWh, at ``cheap``

    @property
    def apart(self) -> float:
        """Return the difference, $/MWh."""
        return self.most - self.least


def price_spread(nodes: Sequence[Node], price: Matrix, by: Literal["phase", "place"]) -> Spread | None:
    """Return the largest spread of ``price`` (T, N) of ``nodes`` (N,) over the hours, $/MWh.

    ``by`` is "phase": between members of one bus; or "place": between buses on one member, so that what differs is
    the place alone. None where no two nodes can be compared.
    """
    groups: dict[str, list[int]] = {}
    for at, (bus, member) in enumerate(nodes):
        groups.setdefault(bus if by == "phase" else member, []).append(at)
    found = None
    for group in groups.values():
        if len(group) < 2:
            continue
        own = price[:, group]
        hour = int((own.max(axis=1) - own.min(axis=1)).argmax())
        dear, cheap = int(own[hour].argmax()), int(own[hour].argmin())
        one = Spread(hour, nodes[group[dear]], nodes[group[cheap]], float(own[hour, dear]), float(own[hour, cheap]))
        if found is None or one.apart > found.apart:
            found = one
    return found
