"""A valuation as rows of a mixed-integer program: the value of x is the most that ``gain'(x, z)`` can be.

x (M,) are the blocks of each lot, z the auxiliary variables that the kind needs. Where x is whole numbers the
auxiliary variables reach exactly the valuation's value, never more.
"""

from dataclasses import dataclass

import numpy as np

from engine.auction.values import Additive, Bundles, Campus, Flags, Symmetric, UnitDemand, Valuation
from engine.program import Vector


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """Maximise ``gain'y`` over ``rows y <= row_upper``, ``0 <= y <= upper``, where y = (x, z)."""

    gain: Vector  # (M + Z,)
    upper: Vector  # (M + Z,)
    integer: Flags  # (M + Z,)
    rows: Vector  # (R, M + Z)
    row_upper: Vector  # (R,)


@dataclass(frozen=True, slots=True, eq=False)
class _Auxiliary:
    gain: Vector  # (Z,)
    upper: Vector | float  # (Z,), or the same for all
    integer: Flags | bool = False  # (Z,), or the same for all


def encode(valuation: Valuation) -> Encoding:
    """Return the rows of ``valuation``; its budget is not among them."""
    lots = len(valuation.quantity)
    match valuation:
        case Additive():
            nothing = np.zeros((0, lots))
            return _joined(valuation, valuation.block, _Auxiliary(np.zeros(0), 0.0), nothing, np.zeros(0))
        case Symmetric():
            # z_k: there is a k-th block. The gains fall, so the first come first.
            gains = np.diff(valuation.total)
            row = np.concatenate([-np.ones(lots), np.ones(len(gains))])[np.newaxis, :]
            return _joined(valuation, np.zeros(lots), _Auxiliary(gains, 1.0), row, np.zeros(1))
        case UnitDemand():
            # z_l: lot l is the one that counts.
            rows = np.vstack([np.hstack([-np.eye(lots), np.eye(lots)]), np.repeat([0.0, 1.0], lots)])
            room = np.append(np.zeros(lots), 1.0)
            return _joined(valuation, np.zeros(lots), _Auxiliary(valuation.block, 1.0), rows, room)
        case Bundles():
            # z_k: bundle k is the one that counts, whole or not at all.
            number = len(valuation.listed)
            inside = np.hstack([-np.eye(lots), valuation.listed.T.astype(np.float64)])
            rows = np.vstack([inside, np.concatenate([np.zeros(lots), np.ones(number)])])
            room = np.append(np.zeros(lots), 1.0)
            return _joined(valuation, np.zeros(lots), _Auxiliary(valuation.worth, 1.0, True), rows, room)
        case Campus():
            return _campus(valuation)


def _campus(valuation: Campus) -> Encoding:
    """Add w_l (blocks that are used), f_b (bus b has firm capacity) and o_s (the campus of site s is built)."""
    lots, buses, sites = len(valuation.quantity), np.unique(valuation.bus), valuation.sites()
    number = lots + len(buses) + len(sites)
    blocks = valuation.quantity.astype(np.float64)
    used, firm, built = lots + np.arange(lots), 2 * lots, 2 * lots + len(buses)
    rows: list[Vector] = []

    def add(*terms: tuple[int, float]) -> None:
        row = np.zeros(lots + number)
        for column, entry in terms:
            row[column] += entry
        rows.append(row)

    for lot in range(lots):
        add((used[lot], 1.0), (lot, -1.0))
        if not valuation.firm[lot]:
            add((used[lot], 1.0), (firm + int(np.searchsorted(buses, valuation.bus[lot])), -blocks[lot]))
    for place, bus in enumerate(buses):
        at_bus = np.flatnonzero((valuation.bus == bus) & valuation.firm)
        add((firm + place, 1.0), *((int(lot), -1.0) for lot in at_bus))
    for place, site in enumerate(sites):
        for lot in site:
            add((used[lot], 1.0), (built + place, -blocks[lot]))
        size = ((int(used[lot]), -float(valuation.block_mw[lot])) for lot in site)
        add((built + place, valuation.minimum_mw), *size)
    upper = np.concatenate([blocks, np.ones(len(buses) + len(sites))])
    gain = np.concatenate([valuation.block, np.zeros(len(buses) + len(sites))])
    whole = np.concatenate([np.zeros(lots, dtype=np.bool_), np.ones(len(buses) + len(sites), dtype=np.bool_)])
    return _joined(valuation, np.zeros(lots), _Auxiliary(gain, upper, whole), np.array(rows), np.zeros(len(rows)))


def _joined(valuation: Valuation, gain: Vector, added: _Auxiliary, rows: Vector, row_upper: Vector) -> Encoding:
    number = len(added.gain)
    return Encoding(
        np.concatenate([gain, added.gain]),
        np.concatenate([valuation.quantity.astype(np.float64), np.broadcast_to(added.upper, number)]),
        np.concatenate([np.ones(len(gain), dtype=np.bool_), np.broadcast_to(added.integer, number)]),
        rows,
        row_upper,
    )
