"""Nobody reaches another's study: every public method is tried, found by looking at the classes.

A new method is tried without anybody thinking of it; one with a new parameter fails here until it is listed.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from engine.errors import NotFoundError, PermissionDeniedError
from engine.network.tables import NetworkTables
from engine.store import Artifacts, Store
from engine.store.answers import Answer, Products, Results
from engine.store.jobs import Jobs
from engine.store.kinds import JobKind
from engine.store.schema import METADATA
from engine.store.store import Studies
from tests.databases import ready_postgres, ready_sqlite
from tests.engine.store.conftest import triangle
from tests.postgres import another_database

CLASSES = (Studies, Results, Products, Jobs)
METHODS = [
    (owner, name)
    for owner in CLASSES
    for name, method in inspect.getmembers(owner, inspect.isfunction)
    if not name.startswith("_")
]
ABOUT_A_STUDY = [
    (owner, name)
    for owner, name in METHODS
    if {"study_id", "job_id"} & inspect.signature(getattr(owner, name)).parameters.keys()
]
# The rest name no study of others: each has tests of its own for what it lists or makes.
ABOUT_NO_STUDY = {"create", "open_example", "list", "accept_share", "import_file"}

# What a reader may do. Everything else must be denied, so a new method that changes something is safe by default.
LOOKING = {
    (Studies, name)
    for name in (
        "get", "network", "network_status", "network_version", "has_network_version", "question", "datasets", "dataset",
        "readers", "export_file", "duplicate", "leave",
    )
}  # fmt: skip
LOOKING |= {
    (Results, "get"),
    (Results, "list"),
    (Products, "get"),
    (Products, "list"),
    (Jobs, "submit"),
    (Jobs, "list"),
}
NOT_THERE_FOR_A_READER = {(Studies, "restore"), (Jobs, "get"), (Jobs, "cancel")}  # nothing deleted; the owner's job
CHANGES_HIS_OWN = {(Studies, "duplicate"), (Studies, "leave"), (Jobs, "submit")}

ANSWER = Answer("capacity.allocate", "cd" * 32, {"firm_mw": [1.0]}, {})
MISSING = "0123456789abcdef"


@dataclass
class World:
    """A study of ann with something of everything in it, and a way to call any method on it."""

    store: Store
    objects: dict[type, Any]
    values: dict[str, Any]

    def call(self, owner: type, name: str, user: str, **changed: Any) -> Any:
        parameters = list(inspect.signature(getattr(owner, name)).parameters.values())[1:]
        assert parameters[0].name == "user", f"{name} must take the user first"
        required = [p for p in parameters[1:] if p.default is inspect.Parameter.empty or p.name == "study_id"]
        values = {**self.values, **changed}
        return getattr(self.objects[owner], name)(user, **{p.name: values[p.name] for p in required})

    def dump(self) -> dict[str, list[Any]]:
        with self.store.database.reading() as connection:
            return {
                name: sorted(map(repr, connection.execute(sa.select(table)))) for name, table in METADATA.tables.items()
            }


@pytest.fixture
def world(store: Store, artifacts: Artifacts, grid: NetworkTables) -> World:
    """A world of its own for a test that changes it."""
    return world_in(store, artifacts, grid)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def still(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all the tests that see that nothing of it is changed."""
    folder = tmp_path_factory.mktemp("still")
    if request.param == "sqlite":
        url = ready_sqlite(folder / "store.sqlite")
    else:
        url = ready_postgres(another_database(request.getfixturevalue("postgres_server"), "still"))
    store = Store(url)
    yield world_in(store, Artifacts(folder / "artifacts"), triangle())
    store.close()


def world_in(store: Store, artifacts: Artifacts, grid: NetworkTables) -> World:
    jobs = Jobs(store, artifacts, {"test.count": JobKind("tests.engine.store.tasks:count")})
    study = store.studies.create("ann", "A", triangle("first"), {"capacity": {"epsilon": 0.05}})
    store.studies.save_network("ann", study, grid, 0, "add bus 7")
    dataset = store.studies.add_dataset("ann", study, "load.csv", "scenarios", b"1,2")
    store.results.put("ann", study, ANSWER)
    store.products.publish("ann", study, {"products": []}, {"flows": []})
    store.studies.accept_share("rita", store.studies.share("ann", study))
    job = jobs.submit("ann", "test.count", {"network": grid.digest()}, study)
    return World(
        store,
        {Studies: store.studies, Results: store.results, Products: store.products, Jobs: jobs},
        {
            "study_id": study, "job_id": job.id, "dataset_id": dataset.id, "name": "Mine", "tables": triangle("stolen"),
            "expected_revision": 1, "label": "add bus 8", "digest": grid.digest(), "page": "capacity",
            "question": {"epsilon": 0.9}, "kind": ANSWER.kind, "input_hash": ANSWER.input_hash, "content": b"3,4",
            "answer": ANSWER, "product_set": {"products": [1]}, "witness": {"flows": [1]}, "version": 1,
            "arguments": {"network": grid.digest()},
        },
    )  # fmt: skip


def test_every_method_is_tried() -> None:
    names = {name for owner, name in METHODS if (owner, name) not in ABOUT_A_STUDY}
    assert names <= ABOUT_NO_STUDY
    assert len(ABOUT_A_STUDY) >= 30


def _kind(owner: type) -> dict[str, str]:
    return {"kind": "test.count"} if owner is Jobs else {}


@pytest.mark.parametrize(("owner", "name"), ABOUT_A_STUDY, ids=lambda value: getattr(value, "__name__", value))
def test_a_stranger_finds_what_is_not_there(owner: type, name: str, still: World) -> None:
    before = still.dump()
    refusals = []
    for study, job in ((still.values["study_id"], still.values["job_id"]), (MISSING, MISSING)):
        with pytest.raises(NotFoundError) as refusal:
            still.call(owner, name, "mallory", study_id=study, job_id=job, **_kind(owner))
        refusals.append(str(refusal.value).replace(str(study), "ID").replace(str(job), "ID"))
    assert refusals[0] == refusals[1]  # somebody else's study and none at all look the same
    assert still.dump() == before


@pytest.mark.parametrize("odd", ["", "\x00", "\ud800", "a" * 65, "../x", 7, 2**70, True, ["a"], {"a": 1}, 1.5])
def test_what_can_be_no_identifier_is_not_there_and_stops_no_database(odd: Any, still: World) -> None:
    before = still.dump()
    for owner, name in ABOUT_A_STUDY:
        with pytest.raises(NotFoundError):
            still.call(owner, name, "ann", study_id=odd, job_id=odd, **_kind(owner))
    for name in ("dataset", "delete_dataset", "restore_dataset"):
        with pytest.raises(NotFoundError):
            still.call(Studies, name, "ann", dataset_id=odd)
    with pytest.raises(NotFoundError):
        still.call(Studies, "network_version", "ann", digest=odd)
    assert still.call(Results, "get", "ann", input_hash=odd) is None
    assert still.dump() == before


@pytest.mark.parametrize("version", [0, -1, 2, 2**31, 2**70])
def test_a_version_that_was_never_published_is_not_there(version: int, still: World) -> None:
    with pytest.raises(NotFoundError):
        still.call(Products, "get", "ann", version=version)


@pytest.mark.parametrize("user", ["", "ann ", "ANN", "%", "ann' OR '1'='1", "a" * 10_000])
def test_a_name_that_is_nearly_the_owners_is_not_the_owners(user: str, still: World) -> None:
    with pytest.raises(NotFoundError):
        still.store.studies.get(user, still.values["study_id"])


@pytest.mark.parametrize(
    ("owner", "name"),
    [one for one in ABOUT_A_STUDY if one not in CHANGES_HIS_OWN],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_reader_may_look_and_change_nothing(owner: type, name: str, still: World) -> None:
    before = still.dump()
    call: Callable[[], Any] = lambda: still.call(owner, name, "rita", **_kind(owner))  # noqa: E731
    if (owner, name) in LOOKING:
        call()
    elif (owner, name) in NOT_THERE_FOR_A_READER:
        with pytest.raises(NotFoundError):
            call()
    else:
        with pytest.raises(PermissionDeniedError, match="needs its owner"):
            call()
    assert still.dump() == before


def test_a_reader_may_change_what_is_his_own(world: World) -> None:
    for owner, name in sorted(CHANGES_HIS_OWN, key=lambda one: one[1] == "leave"):  # then he is a reader no more
        world.call(owner, name, "rita", **_kind(owner))


@pytest.mark.parametrize(("owner", "name"), ABOUT_A_STUDY, ids=lambda value: getattr(value, "__name__", value))
def test_the_owner_may_do_all(owner: type, name: str, world: World) -> None:
    if name == "restore":
        world.store.studies.delete("ann", world.values["study_id"])
    elif name == "restore_dataset":
        world.store.studies.delete_dataset("ann", world.values["study_id"], world.values["dataset_id"])
    elif name == "redo":
        world.store.studies.undo("ann", world.values["study_id"], 1)
        world.values["expected_revision"] = 2
    world.call(owner, name, "ann", **_kind(owner))


def test_what_others_have_deleted_stays_invisible(world: World) -> None:
    world.store.studies.delete("ann", world.values["study_id"])
    for owner, name in ABOUT_A_STUDY:
        for user in ("rita", "mallory", *(["ann"] if name != "restore" else [])):
            with pytest.raises(NotFoundError):
                world.call(owner, name, user, **_kind(owner))


def test_a_data_set_of_another_study_of_mine_is_not_in_this_one(world: World, grid: NetworkTables) -> None:
    mine = world.store.studies.create("mallory", "M", grid)
    for name in ("dataset", "delete_dataset", "restore_dataset"):
        with pytest.raises(NotFoundError):
            world.call(Studies, name, "mallory", study_id=mine)
    with pytest.raises(NotFoundError):
        world.store.studies.network_version("mallory", mine, triangle("first").digest())


def test_a_job_cannot_name_networks_or_data_of_others(world: World, grid: NetworkTables) -> None:
    theirs = world.store.studies.create("ann", "B", triangle("secret"))
    data = world.store.studies.add_dataset("ann", theirs, "secret.csv", "scenarios", b"secret")
    mine = world.store.studies.create("mallory", "M", grid)
    for digest in (triangle("secret").digest(), data.digest):
        with pytest.raises(NotFoundError):
            world.objects[Jobs].submit("mallory", "test.count", {"deep": [{"network": digest}]}, mine)
    own = world.store.studies.add_dataset("mallory", mine, "mine.csv", "scenarios", b"mine")
    arguments = {"network": grid.digest(), "uncertainty": {"dataset": own.digest}, "other": "ef" * 32}
    assert world.objects[Jobs].submit("mallory", "test.count", arguments, mine).state == "queued"


def test_lists_show_the_users_own_only(still: World) -> None:
    for user in ("mallory", ""):
        assert still.store.studies.list(user) == []
        assert still.objects[Jobs].list(user) == []
    assert still.objects[Jobs].list("rita") == []  # a reader sees the study, not who computes what on it
    assert [job.id for job in still.objects[Jobs].list("ann")] == [still.values["job_id"]]
