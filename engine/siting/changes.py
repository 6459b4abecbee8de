"""What one version of a catalogue has that another has not: the sites that qualify, and apart those that are priced."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.siting.catalogue import QUALIFYING, Catalogue, Entry, Standing
from engine.siting.ranking import spearman

NOT_A_CANDIDATE = "not a candidate"
Left = tuple[tuple[str, Standing | str], ...]  # buses, and how each stands now
Entries = Mapping[str, Entry]  # by bus


@dataclass(frozen=True, slots=True)
class SetChange:
    """How a set of sites changed."""

    before: int
    after: int
    entered: tuple[str, ...]  # buses that are in it now and were not
    left: Left  # buses that are not in it any more, and what they are now


@dataclass(frozen=True, slots=True)
class Changes:
    """What one version has that another has not, for one envelope and size."""

    envelope: str
    nameplate_mw: float
    qualified: SetChange  # by the gate and a reader's own criteria, priced or not
    priced: SetChange  # that the market serves
    spearman: float  # of the scores of those priced in both; nan without two
    moves: tuple[tuple[str, int, int], ...]  # bus, place before, place now: the largest moves first

    @property
    def grew(self) -> bool:
        """Return whether more sites qualify: after a load was added an exception, which counter-flow can make."""
        return self.qualified.after > self.qualified.before


def changes(old: Catalogue, new: Catalogue, *, most_moves: int = 20) -> list[Changes]:
    """Return what changed, for every envelope and size that is in either version."""
    pairs = sorted({(entry.envelope, entry.nameplate_mw) for entry in (*old.entries, *new.entries)})
    return [_change(old, new, envelope, size, most_moves) for envelope, size in pairs]


def _change(old: Catalogue, new: Catalogue, envelope: str, size: float, most_moves: int) -> Changes:
    was, now = ({entry.bus: entry for entry in version.of(envelope, size)} for version in (old, new))
    both = [bus for bus, entry in was.items() if _placed(entry) and bus in now and _placed(now[bus])]
    scores = np.array([[was[bus].score, now[bus].score] for bus in both], dtype=np.float64).reshape(-1, 2)
    moved = [(bus, int(was[bus].place or 0), int(now[bus].place or 0)) for bus in both]
    moved = sorted((move for move in moved if move[1] != move[2]), key=lambda move: (-abs(move[1] - move[2]), move[2]))
    return Changes(
        envelope=envelope,
        nameplate_mw=size,
        qualified=_set_change(was, now, QUALIFYING),
        priced=_set_change(was, now, frozenset({"qualified"})),
        spearman=spearman(scores[:, 0], scores[:, 1]) if len(both) > 1 else float("nan"),
        moves=tuple(moved[:most_moves]),
    )


def _set_change(was: Entries, now: Entries, standings: frozenset[Standing]) -> SetChange:
    before, after = ({bus for bus, entry in found.items() if entry.standing in standings} for found in (was, now))
    left = ((bus, now[bus].standing if bus in now else NOT_A_CANDIDATE) for bus in sorted(before - after))
    return SetChange(len(before), len(after), tuple(sorted(after - before)), tuple(left))


def _placed(entry: Entry) -> bool:
    return entry.standing == "qualified" and entry.score is not None and entry.place is not None
