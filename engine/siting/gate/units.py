"""A dispatch after the loss of a unit: the others make up for it in proportion to what each has left."""

import numpy as np

from engine.network.model import Flags, Integers, Vector
from engine.siting.gate.flows import FlowScreen
from engine.siting.gate.model import INTACT, GateHour


def kept_without_unit(screen: FlowScreen, hour: GateHour, output_mw: Vector, row_mw: Vector, lost: Integers) -> Flags:
    """Return after which lost units (n,), places among those of the model, a dispatch keeps every limit.

    ``row_mw`` (R,) are the rows of the dispatch (U,) and its load before the loss.
    What a bus cannot produce any more is made up by all others in proportion to their room; where its units must
    produce less than they did, or the room does not suffice, the answer is no, which proves nothing.
    """
    model = hour.model
    units = model.lost_units[lost]
    place = model.unit_place[units]
    room = np.maximum(hour.largest_mw - output_mw, 0.0)
    most = hour.largest_mw[place] - hour.state.largest_mw[units]
    least = hour.least_mw[place] - hour.state.least_mw[units]
    missing = np.maximum(output_mw[place] - most, 0.0)
    others = room.sum() - room[place]
    able = (missing <= others) & (output_mw[place] - missing >= least - 1e-9) & (most >= least - 1e-9)
    kept: Flags = able & bool(screen.inside(row_mw[:, np.newaxis], INTACT)[0])
    some = np.flatnonzero(kept & (missing > 0.0))
    if not some.size:
        return kept
    # Only rows that the largest change could take to a limit are looked at.
    place, missing, others = place[some], missing[some], np.maximum(others[some], 1e-9)
    moved = model.at_units @ room
    farthest = np.abs(moved) * float((missing / others).max())
    farthest += model.most_at_units * float((missing * (1.0 + room[place] / others)).max())
    rows = np.flatnonzero((row_mw + farthest > model.upper_mw) | (row_mw - farthest < model.lower_mw))
    own = model.at_units[np.ix_(rows, place)]
    change = (moved[rows, np.newaxis] - own * room[place]) / others - own
    kept[some] = screen.inside(row_mw[rows, np.newaxis] + change * missing, INTACT, rows)
    return kept
