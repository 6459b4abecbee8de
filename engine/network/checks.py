"""Placeholder being written: see CONTRACT."""

from engine.errors import Problem
from engine.network.tables import NetworkTables


def check(tables: NetworkTables) -> list[Problem]:
    return []
