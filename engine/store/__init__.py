"""What must outlive the process: studies, results, product sets and jobs, in SQLite or PostgreSQL."""

from engine.store.artifacts import Artifacts
from engine.store.store import Store, Studies

__all__ = ["Artifacts", "Store", "Studies"]
