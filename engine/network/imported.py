"""What a reader returns."""

from dataclasses import dataclass

from engine.errors import Problem
from engine.network.tables import NetworkTables


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The snapshots of a file that holds several: their names, their loads in MW, and which one was read."""

    names: tuple[str, ...]
    load_mw: tuple[float, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Imported:
    """A network from a file, and what there is to say about it.

    ``problems`` holds notes of what was understood, counted or left out, then what the checks found.
    """

    tables: NetworkTables
    problems: tuple[Problem, ...] = ()
    snapshots: Snapshots | None = None  # None: the file holds one
