"""The network of a study: one current version, and the edits before and after it that undo and redo walk."""

from dataclasses import dataclass

import sqlalchemy as sa

from engine.errors import ConflictError
from engine.network.tables import NetworkTables
from engine.store.access import is_id, missing, study_row
from engine.store.codec import MAX_LABEL, clean_text, pack_network, unpack_network
from engine.store.database import Database, epoch
from engine.store.records import keep_network, touch
from engine.store.schema import edits, networks

MAX_UNDO = 100


@dataclass(frozen=True, slots=True)
class NetworkStatus:
    """Where a study's network stands."""

    digest: str
    revision: int  # to be given back when the network is changed
    can_undo: bool
    can_redo: bool
    undo_label: str  # what undo would take back, "" when nothing
    redo_label: str


@dataclass(frozen=True, slots=True, eq=False)
class NetworkState(NetworkStatus):
    """A study's network, and where it stands."""

    tables: NetworkTables


class History:
    """The part of the store that keeps networks and their edits."""

    _database: Database

    def network(self, user: str, study_id: str) -> NetworkState:
        """Return the current network of a study."""
        with self._database.reading() as connection:
            row = study_row(connection, user, study_id)
            return _state(connection, row)

    def network_status(self, user: str, study_id: str) -> NetworkStatus:
        """Return where the network stands, without reading the network itself."""
        with self._database.reading() as connection:
            return _status(connection, study_row(connection, user, study_id))

    def network_version(self, user: str, study_id: str, digest: str) -> NetworkTables:
        """Return the network ``digest``, the present one of this study or one that undo or redo can reach."""
        with self._database.reading() as connection:
            self._check_version(connection, user, study_id, digest)
            return load_network(connection, digest)

    def has_network_version(self, user: str, study_id: str, digest: str) -> None:
        """Raise NotFoundError unless ``digest`` is a version of this study's network."""
        with self._database.reading() as connection:
            self._check_version(connection, user, study_id, digest)

    def save_network(
        self, user: str, study_id: str, tables: NetworkTables, expected_revision: int, label: str
    ) -> NetworkStatus:
        """Make ``tables`` the current network; ``label`` says what was done, such as "add bus 7".

        What was undone before can no longer be redone. Saving what is already there changes nothing. Raises
        ConflictError when the network is not at ``expected_revision`` any more: nothing is written then.
        """
        packed = pack_network(tables)
        with self._database.writing() as connection:
            row = study_row(connection, user, study_id, "owner")
            _check_revision(row, expected_revision)
            if packed.digest == row.network_digest:
                return _status(connection, row)
            keep_network(connection, packed)
            position = row.position + 1
            connection.execute(
                sa.delete(edits).where(
                    edits.c.study_id == study_id,
                    (edits.c.position >= position) | (edits.c.position < position - MAX_UNDO),
                )
            )
            connection.execute(
                sa.insert(edits).values(
                    study_id=study_id,
                    position=position,
                    network_digest=packed.digest,
                    label=clean_text(label)[:MAX_LABEL],
                    created=epoch(),
                )
            )
            touch(connection, study_id, network_digest=packed.digest, position=position, revision=row.revision + 1)
            return _status(connection, study_row(connection, user, study_id))

    def undo(self, user: str, study_id: str, expected_revision: int) -> NetworkState:
        """Take back the last edit. Raises ConflictError on an old revision, or when nothing is left to undo."""
        return self._step(user, study_id, expected_revision, -1)

    def redo(self, user: str, study_id: str, expected_revision: int) -> NetworkState:
        """Make the edit again that was taken back last. Raises ConflictError as :meth:`undo` does."""
        return self._step(user, study_id, expected_revision, +1)

    def _step(self, user: str, study_id: str, expected_revision: int, step: int) -> NetworkState:
        with self._database.writing() as connection:
            row = study_row(connection, user, study_id, "owner")
            _check_revision(row, expected_revision)
            target = row.position + step
            digest = connection.execute(
                sa.select(edits.c.network_digest).where(edits.c.study_id == study_id, edits.c.position == target)
            ).scalar_one_or_none()
            if digest is None:
                raise ConflictError(f"there is nothing to {'undo' if step < 0 else 'redo'} in study {row.name!r}")
            touch(connection, study_id, network_digest=digest, position=target, revision=row.revision + 1)
            return _state(connection, study_row(connection, user, study_id))

    def _check_version(self, connection: sa.Connection, user: str, study_id: str, digest: str) -> None:
        study_row(connection, user, study_id)
        if not is_version(connection, study_id, digest):
            raise missing("network", digest)


def is_version(connection: sa.Connection, study_id: str, digest: str) -> bool:
    """Return whether ``digest`` is the network of the study at some position of its history."""
    query = sa.select(edits.c.position).where(edits.c.study_id == study_id, edits.c.network_digest == digest)
    return is_id(digest) and connection.execute(query.limit(1)).first() is not None


def load_network(connection: sa.Connection, digest: str) -> NetworkTables:
    """Return a network by its digest; the caller has checked that the user may read it."""
    content = connection.execute(sa.select(networks.c.content).where(networks.c.digest == digest)).scalar_one_or_none()
    if content is None:
        raise missing("network", digest)
    return unpack_network(bytes(content))


def _check_revision(row: "sa.Row[tuple[object, ...]]", expected: int) -> None:
    if row.revision != expected:
        raise ConflictError(
            f"the network of study {row.name!r} was changed elsewhere (it is at revision {row.revision}, "
            f"your change was made at {expected}); reload it and make the change again"
        )


def _status(connection: sa.Connection, row: "sa.Row[tuple[object, ...]]") -> NetworkStatus:
    near = (row.position - 1, row.position, row.position + 1)
    query = sa.select(edits.c.position, edits.c.label).where(edits.c.study_id == row.id, edits.c.position.in_(near))
    labels = dict(connection.execute(query).all())
    can_undo, can_redo = near[0] in labels, near[2] in labels
    return NetworkStatus(
        digest=row.network_digest,
        revision=row.revision,
        can_undo=can_undo,
        can_redo=can_redo,
        undo_label=labels[near[1]] if can_undo else "",
        redo_label=labels.get(near[2], ""),
    )


def _state(connection: sa.Connection, row: "sa.Row[tuple[object, ...]]") -> NetworkState:
    status = _status(connection, row)
    return NetworkState(
        status.digest,
        status.revision,
        status.can_undo,
        status.can_redo,
        status.undo_label,
        status.redo_label,
        load_network(connection, row.network_digest),
    )
