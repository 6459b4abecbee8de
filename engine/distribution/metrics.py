"""Measures of a feeder's operation: unbalance, deviation of voltages, losses, bills, and what compensators give.

VUF is the true unbalance, negative over positive sequence (IEC 61000-4-30; IEEE Std 1159), and needs the phasors of an
AC solution. The linear flow has magnitudes only; the stand-in for it is the largest distance of a bus's magnitudes from
their mean, over the mean: to earth on four wires, where it is called PVUR (IEEE Std 936; IEEE Std 112), and between
phases on a three-wire feeder, where it is called LVUR (NEMA MG-1). Source of the comparison: Pillay and Manyage,
"Definitions of voltage unbalance", IEEE Power Engineering Review 21(5), 2001.
"""

from dataclasses import dataclass

import numpy as np

from engine.distribution.dso import DsoResult
from engine.distribution.frames import REFERENCE, Frame, Matrix, Phasors, Vector, three_phase_buses
from engine.errors import QuestionError

DEVIATION_PU = 0.05  # of voltage, that counts as none


@dataclass(frozen=True, slots=True, eq=False)
class Bills:
    """What data centres pay at the prices of their nodes, $/h; a battery's share is in it."""

    active_per_h: Matrix  # (T, C)
    reactive_per_h: Matrix  # (T, C)

    @property
    def total_per_h(self) -> Matrix:
        """Return both together (T, C): the draw at the marginal cost of a load of its power factor."""
        return self.active_per_h + self.reactive_per_h


def voltage_unbalance(frame: Frame, phasors: Phasors) -> Vector:
    """Return VUF (..., B3) of the phasors (..., N): negative over positive sequence, as a share.

    The zero sequence is in neither, so phasors to earth and between phases give the same.
    Raises QuestionError if the phasors are not those of the frame's nodes.
    """
    if phasors.shape[-1] != frame.size:
        raise QuestionError(f"{phasors.shape[-1]} phasors do not fit {frame.size} nodes")
    _, nodes = three_phase_buses(frame)
    at = phasors[..., nodes]
    positive, negative = at @ np.conj(REFERENCE), at @ REFERENCE
    return np.asarray(np.abs(negative) / np.abs(positive))


def magnitude_unbalance(frame: Frame, voltage_pu: Matrix) -> Matrix:
    """Return PVUR (LVUR on three wires) (..., B3) of the magnitudes (..., N), as a share.

    Raises QuestionError if the magnitudes are not those of the frame's nodes.
    """
    if voltage_pu.shape[-1] != frame.size:
        raise QuestionError(f"{voltage_pu.shape[-1]} voltages do not fit {frame.size} nodes")
    _, nodes = three_phase_buses(frame)
    at = voltage_pu[..., nodes]
    mean = at.mean(axis=-1, keepdims=True)
    return np.asarray(np.abs(at / mean - 1.0).max(axis=-1))


def voltage_deviation(frame: Frame, voltage_pu: Matrix) -> Vector:
    """Return (...,) the sum over the nodes beyond the source of what magnitudes (..., N) are off 1 by above 0.05."""
    off = np.abs(voltage_pu[..., frame.roots :] - 1.0) - DEVIATION_PU
    return np.asarray(np.maximum(off, 0.0).sum(axis=-1))


def bills(result: DsoResult) -> Bills:
    """Return what each data centre pays for what it draws, battery included, at the prices of its nodes."""
    feeder, frame, prices = result.frame.feeder, result.frame, result.prices
    shares = [frame.share(row) for row in feeder.centres]
    share = np.column_stack(shares) if shares else np.zeros((frame.size, 0))
    reactive = np.array([row.kvar_per_kw for row in feeder.centres])
    active = (prices.active_per_mwh @ share) * (result.centre_mw + result.battery_mw)
    return Bills(active, (prices.reactive_per_mvarh @ share) * (result.centre_mw * reactive))


def operator_surplus(result: DsoResult) -> Vector:
    """Return (T,) $/h: what all withdrawals pay at their nodes, less what sources and generators are paid there.

    It is what limits and losses earn: the merchandising surplus. Static var generators and the substation's
    reactive power are in it at the reactive prices.
    """
    prices = result.prices
    drawn = result.drawn_mva + result.withdrawal_mva()
    roots = result.frame.roots
    energy = prices.active.energy[:, :roots].mean(axis=1) * result.supply_mw
    reactive = prices.reactive.energy[:, :roots].mean(axis=1) * result.supply_mvar
    paid = (prices.active_per_mwh * drawn.real + prices.reactive_per_mvarh * drawn.imag).sum(axis=1)
    return np.asarray(paid - energy - reactive)


def compensator_output(result: DsoResult) -> Matrix:
    """Return (T, K) Mvar that each of the K static var generators gives on its phases together; below zero: takes."""
    found = np.zeros((len(result.supply_mw), len(result.frame.feeder.compensators)))
    for column, at in enumerate(result.compensator.tolist()):
        found[:, at] += result.compensator_mvar[:, column]
    return found
