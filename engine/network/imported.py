"""What a reader returns."""

from dataclasses import dataclass

from engine.errors import Problem
from engine.network.tables import NetworkTables


@dataclass(frozen=True, slots=True)
class Imported:
    """A network from a file, and what there is to say about it.

    ``problems`` holds notes of what was understood, counted or left out, then what the checks found.
    """

    tables: NetworkTables
    problems: tuple[Problem, ...] = ()
