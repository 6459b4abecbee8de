"""Undo and redo, and two windows that change one network."""

from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from engine.errors import ConflictError, FileFormatError, LimitError, NotFoundError
from engine.network.tables import NetworkTables
from engine.store import Store, codec, history
from engine.store.schema import edits, networks


def named(grid: NetworkTables, step: int) -> NetworkTables:
    return replace(grid, name=f"step {step}")


def test_undo_and_redo_walk_the_edits_with_their_labels(store: Store, grid: NetworkTables) -> None:
    study = store.studies.create("ann", "A", named(grid, 0))
    store.studies.save_network("ann", study, named(grid, 1), 0, "add bus 7")
    status = store.studies.save_network("ann", study, named(grid, 2), 1, "delete line 3")
    assert (status.revision, status.undo_label, status.can_redo) == (2, "delete line 3", False)
    state = store.studies.undo("ann", study, 2)
    assert (state.tables.name, state.revision) == ("step 1", 3)
    assert (state.undo_label, state.redo_label) == ("add bus 7", "delete line 3")
    state = store.studies.undo("ann", study, 3)
    assert (state.tables.name, state.can_undo, state.undo_label, state.redo_label) == ("step 0", False, "", "add bus 7")
    with pytest.raises(ConflictError, match="nothing to undo"):
        store.studies.undo("ann", study, 4)
    assert store.studies.redo("ann", study, 4).tables.name == "step 1"
    status = store.studies.save_network("ann", study, named(grid, 9), 5, "move bus 1")
    assert not status.can_redo
    with pytest.raises(ConflictError, match="nothing to redo"):
        store.studies.redo("ann", study, 6)


def test_saving_what_is_there_is_no_edit(store: Store, grid: NetworkTables) -> None:
    study = store.studies.create("ann", "A", grid)
    status = store.studies.save_network("ann", study, grid, 0, "nothing")
    assert (status.revision, status.can_undo) == (0, False)


def test_the_second_of_two_windows_is_told_and_loses_nothing(store: Store, grid: NetworkTables) -> None:
    study = store.studies.create("ann", "A", grid)
    store.studies.save_network("ann", study, named(grid, 1), 0, "one window")
    for change in (
        lambda: store.studies.save_network("ann", study, named(grid, 2), 0, "the other"),
        lambda: store.studies.undo("ann", study, 0),
        lambda: store.studies.redo("ann", study, 0),
    ):
        with pytest.raises(ConflictError, match="at revision 1, your change was made at 0"):
            change()
    assert store.studies.network("ann", study).tables.name == "step 1"


def test_random_walks_agree_with_a_list_and_a_cursor(
    store: Store, grid: NetworkTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    depth = 5
    monkeypatch.setattr(history, "MAX_UNDO", depth)
    dice = np.random.default_rng(20260)
    study = store.studies.create("ann", "A", named(grid, 0))
    versions, cursor, revision = [0], 0, 0  # the model
    for step in range(1, 80):
        action = dice.choice(["save", "save", "undo", "redo"])
        if action == "save":
            versions = [*versions[max(cursor - depth + 1, 0) : cursor + 1], step]
            cursor = len(versions) - 1
            revision += 1
            store.studies.save_network("ann", study, named(grid, step), revision - 1, f"edit {step}")
        elif 0 <= (target := cursor + (1 if action == "redo" else -1)) < len(versions):
            cursor, revision = target, revision + 1
            getattr(store.studies, action)("ann", study, revision - 1)
        else:
            with pytest.raises(ConflictError, match=f"nothing to {action}"):
                getattr(store.studies, action)("ann", study, revision)
        state = store.studies.network("ann", study)
        assert state.tables.name == f"step {versions[cursor]}"
        assert (state.revision, state.can_undo, state.can_redo) == (revision, cursor > 0, cursor < len(versions) - 1)
    with store.database.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(edits)).scalar_one() <= 2 * depth + 1


def test_the_history_is_there_after_a_restart(url: str, grid: NetworkTables) -> None:
    first = Store(url)
    first.migrate()
    study = first.studies.create("ann", "A", named(grid, 0))
    first.studies.save_network("ann", study, named(grid, 1), 0, "add bus 7")
    first.close()
    second = Store(url)
    assert second.studies.undo("ann", study, 1).redo_label == "add bus 7"
    second.close()


def test_a_version_is_found_by_its_digest_in_its_own_study_only(store: Store, grid: NetworkTables) -> None:
    study = store.studies.create("ann", "A", named(grid, 0))
    other = store.studies.create("ann", "B", named(grid, 5))
    store.studies.save_network("ann", study, named(grid, 1), 0, "add bus 7")
    assert store.studies.network_version("ann", study, named(grid, 0).digest()).name == "step 0"
    with pytest.raises(NotFoundError):
        store.studies.network_version("ann", other, named(grid, 0).digest())


def test_a_network_damaged_on_the_disk_is_said_and_not_guessed(store: Store, grid: NetworkTables) -> None:
    study = store.studies.create("ann", "A", grid)
    with store.database.writing() as connection:
        content = bytes(connection.execute(sa.select(networks.c.content)).scalar_one())
        connection.execute(sa.update(networks).values(content=content[: len(content) // 2]))
    with pytest.raises(FileFormatError, match="stored network"):
        store.studies.network("ann", study)


def test_a_network_too_large_to_keep_is_refused(
    store: Store, grid: NetworkTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec, "MAX_NETWORK_BYTES", 100)
    with pytest.raises(LimitError, match="the limit is 100"):
        store.studies.create("ann", "A", grid)
