"""What the pages ask: studies, answers, jobs and cached networks, opened once and handed in."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Generic, Self, TypeVar

from callbacks.auction_room import Rooms
from callbacks.imported import CHECKS
from engine.network import library
from engine.network.factors import Factors
from engine.network.model import Network
from engine.network.tables import NetworkTables
from engine.store.answers import Products, Results
from engine.store.artifacts import DEFAULT_CAPACITY_BYTES, Artifacts
from engine.store.jobs import Jobs
from engine.store.records import StudyId
from engine.store.store import Store, Studies

Value = TypeVar("Value")

KEPT_NETWORKS = 16
KEPT_FACTORS = 8  # of a grid of 10,000 buses some 20 MB each, before dense columns


class Kept(Generic[Value]):
    """The values used last, by key. Threads that want the same new value wait for one of them to make it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = Lock()
        self._values: dict[Hashable, Value] = {}  # the oldest use first
        self._makers: dict[Hashable, Lock] = {}

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of ``key``, made now when it is not here. What ``make`` raises is not kept."""
        with self._lock:
            if key in self._values:
                return self._use(key)
            maker = self._makers.setdefault(key, Lock())
        try:
            with maker:
                with self._lock:
                    if key in self._values:
                        return self._use(key)
                value = make()
                with self._lock:
                    self._values[key] = value
                    while len(self._values) > self._size:
                        del self._values[next(iter(self._values))]
                return value
        finally:
            with self._lock:
                self._makers.pop(key, None)

    def _use(self, key: Hashable) -> Value:
        value = self._values.pop(key)
        self._values[key] = value
        return value


@dataclass(frozen=True, slots=True, eq=False)
class Services:
    """The store and what is computed from it, for one process. Safe to share between threads."""

    store: Store
    jobs: Jobs
    artifacts: Artifacts
    auctions: Rooms
    data: Path | None = None  # the operator's folder of reference data, only read
    _tables: Kept[NetworkTables] = field(default_factory=lambda: Kept(KEPT_NETWORKS), repr=False)
    _networks: Kept[Network] = field(default_factory=lambda: Kept(KEPT_NETWORKS), repr=False)
    _factors: Kept[Factors] = field(default_factory=lambda: Kept(KEPT_FACTORS), repr=False)

    @classmethod
    def open(
        cls,
        database_url: str,
        artifacts_dir: Path | str,
        *,
        capacity_bytes: int = DEFAULT_CAPACITY_BYTES,
        data: Path | None = None,
    ) -> Self:
        """Open the store, bring its schema up to date and return the services."""
        store = Store(database_url, CHECKS)
        store.migrate()
        artifacts = Artifacts(Path(artifacts_dir), capacity_bytes)
        return cls(store, Jobs(store, artifacts), artifacts, Rooms(store), data)

    @property
    def studies(self) -> Studies:
        """Studies with their networks, questions, data and links."""
        return self.store.studies

    @property
    def results(self) -> Results:
        """Answers attached to studies."""
        return self.store.results

    @property
    def products(self) -> Products:
        """Published product sets."""
        return self.store.products

    def tables(self, user: str, study_id: str) -> NetworkTables:
        """Return the current tables of a study's network."""
        digest = self.studies.network_status(user, study_id).digest
        return self._tables_of(user, study_id, digest)

    def network(self, user: str, study_id: str) -> Network:
        """Return a study's network, checked. Raises NetworkDataError while it is half drawn."""
        digest = self.studies.network_status(user, study_id).digest
        return self._network_of(user, study_id, digest)

    def factors(self, user: str, study_id: str) -> Factors:
        """Return the factors of a study's network, factorised once."""
        return self.factors_of(self.network(user, study_id))

    def factors_of(self, network: Network) -> Factors:
        """Return the factors of a network that the caller has read, factorised once."""
        return self._factors.get(network.digest, lambda: Factors.of(network))

    def network_version(self, user: str, study_id: str, digest: str) -> Network:
        """Return a version that the study's history holds, for addresses that name one. NotFoundError otherwise."""
        self.studies.has_network_version(user, study_id, digest)
        return self._network_of(user, study_id, digest)

    def tables_version(self, user: str, study_id: str, digest: str) -> NetworkTables:
        """Return the tables of a version that the study's history holds, half drawn ones too."""
        self.studies.has_network_version(user, study_id, digest)
        return self._tables_of(user, study_id, digest)

    def open_example(self, user: str, key: str, questions: Mapping[str, dict[str, Any]] | None = None) -> StudyId:
        """Return the user's own study of a grid of the library: the one he left untouched, else a new one.

        Raises NetworkDataError on a key that the library does not have.
        """
        tables = library.load(key)
        return self.studies.open_example(user, key, tables.name, tables, questions)

    def close(self) -> None:
        """Close the connections to the database."""
        self.store.close()

    def _tables_of(self, user: str, study_id: str, digest: str) -> NetworkTables:
        """Return tables that the caller has checked the right to."""
        return self._tables.get(digest, lambda: self.studies.network_version(user, study_id, digest))

    def _network_of(self, user: str, study_id: str, digest: str) -> Network:
        return self._networks.get(digest, lambda: Network.from_tables(self._tables_of(user, study_id, digest)))
