"""Studies as their owner and their readers see them."""

from dataclasses import replace

import pandas as pd
import pytest
import sqlalchemy as sa

from engine.errors import LimitError, NetworkDataError, NotFoundError, PermissionDeniedError, QuestionError
from engine.network.tables import NetworkTables
from engine.store import Store, contents, records, sharing
from engine.store.answers import Answer
from engine.store.codec import sha256
from engine.store.schema import files, networks, shares, studies
from engine.store.store import UNDO_DELETE_S

ANSWER = Answer("capacity.allocate", "ab" * 32, {"firm_mw": [10.0, 10.0]}, {"seed": 7})


def test_a_study_holds_what_it_was_made_of(store: Store, grid: NetworkTables) -> None:
    study = store.studies.create("ann", "  Where to\nbuild ", grid, {"capacity": {"epsilon": 0.05}})
    summary = store.studies.get("ann", study)
    assert (summary.name, summary.role, summary.network_name) == ("Where to build", "owner", "Triangle")
    assert (summary.buses, summary.branches, summary.units) == (3, 3, 1)
    assert summary.network_digest == grid.digest()
    assert store.studies.question("ann", study, "capacity") == {"epsilon": 0.05}
    assert store.studies.question("ann", study, "siting") is None
    state = store.studies.network("ann", study)
    for name in ("buses", "branches", "units"):
        pd.testing.assert_frame_equal(state.tables.table(name), grid.table(name))
    assert (state.revision, state.can_undo, state.can_redo) == (0, False, False)


def test_the_list_is_the_users_own_the_last_changed_first(store: Store, grid: NetworkTables) -> None:
    first, second = (store.studies.create("ann", name, grid) for name in ("A", "B"))
    store.studies.create("bob", "C", grid)
    assert [study.id for study in store.studies.list("ann")] == [second, first]
    store.studies.save_question("ann", first, "capacity", {"epsilon": 0.1})
    assert [study.id for study in store.studies.list("ann")] == [first, second]
    assert [study.name for study in store.studies.list("bob")] == ["C"]
    assert store.studies.list("") == []


def test_the_list_counts_data_products_and_answers(store: Store, grid: NetworkTables) -> None:
    study = store.studies.create("ann", "A", grid)
    store.studies.add_dataset("ann", study, "load.csv", "scenarios", b"1,2")
    store.products.publish("ann", study, {"products": []}, {"flows": []})
    store.results.put("ann", study, ANSWER)
    summary = store.studies.list("ann")[0]
    assert (summary.datasets, summary.products, summary.answered) == (1, 1, ("capacity.allocate",))


def test_equal_networks_are_stored_once(store: Store, grid: NetworkTables) -> None:
    for user in ("ann", "bob"):
        store.studies.create(user, "A", grid)
    with store.database.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(networks)).scalar_one() == 1


def test_a_name_must_say_something(store: Store, grid: NetworkTables) -> None:
    study = store.studies.create("ann", "A", grid)
    for name, reason in (
        ("", "needs a name"),
        (" \x00\n", "needs a name"),
        ("x" * 121, "121 characters; the limit is 120"),
    ):
        with pytest.raises(QuestionError, match=reason):
            store.studies.rename("ann", study, name)
    store.studies.rename("ann", study, "Süd \ud800 電力")
    assert store.studies.get("ann", study).name == "Süd 電力"


def test_text_that_no_database_keeps_is_refused_or_cleaned(store: Store, grid: NetworkTables) -> None:
    with pytest.raises(NetworkDataError, match="not Unicode"):
        store.studies.create("ann", "A", replace(grid, source="\ud800"))
    study = store.studies.create("ann", "A", replace(grid, name="a\x00b"))
    assert store.studies.network("ann", study).tables.name == "a\x00b"
    assert store.studies.get("ann", study).network_name == "a b"
    store.studies.save_question("ann", study, "capacity\x00", {"text": "a\x00b \ud800"})
    assert store.studies.question("ann", study, "capacity ") == {"text": "a\x00b \ud800"}


def test_a_question_must_be_json(store: Store, grid: NetworkTables) -> None:
    study = store.studies.create("ann", "A", grid)
    for bad in ({"x": float("nan")}, {"x": {1, 2}}):
        with pytest.raises(QuestionError, match="question of page 'capacity' cannot be stored as JSON"):
            store.studies.save_question("ann", study, "capacity", bad)


def test_a_duplicate_is_the_whole_study_and_lives_its_own_life(store: Store, grid: NetworkTables) -> None:
    study = store.studies.create("ann", "A", grid, {"capacity": {"epsilon": 0.05}})
    kept = store.studies.add_dataset("ann", study, "load.csv", "scenarios", b"1,2")
    gone = store.studies.add_dataset("ann", study, "old.csv", "scenarios", b"3")
    store.studies.delete_dataset("ann", study, gone.id)
    store.results.put("ann", study, ANSWER)
    store.products.publish("ann", study, {"products": [1]}, {"flows": [2]})
    copy = store.studies.duplicate("ann", study)
    assert store.studies.get("ann", copy).name == "A (copy)"
    store.studies.delete_dataset("ann", study, kept.id)
    store.studies.save_network("ann", study, replace(grid, name="Other"), 0, "rename")
    store.studies.delete("ann", study)
    assert store.studies.network("ann", copy).digest == grid.digest()
    assert store.studies.question("ann", copy, "capacity") == {"epsilon": 0.05}
    [dataset] = store.studies.datasets("ann", copy)
    assert (dataset.name, store.studies.dataset("ann", copy, dataset.id)[1]) == ("load.csv", b"1,2")
    assert store.results.list("ann", copy)[0].content == ANSWER.content
    assert store.products.get("ann", copy, 1).witness == {"flows": [2]}


def test_a_deleted_study_is_gone_for_all_and_comes_back_whole(store: Store, grid: NetworkTables) -> None:
    study = store.studies.create("ann", "A", grid)
    token = store.studies.share("ann", study)
    store.studies.accept_share("bob", token)
    store.studies.delete("ann", study)
    for user in ("ann", "bob"):
        assert store.studies.list(user) == []
        with pytest.raises(NotFoundError):
            store.studies.network(user, study)
    with pytest.raises(NotFoundError):
        store.studies.accept_share("cid", token)
    assert [deleted.id for deleted in store.studies.list("ann", deleted=True)] == [study]
    assert store.studies.list("bob", deleted=True) == []
    with pytest.raises(NotFoundError):
        store.studies.restore("bob", study)
    store.studies.restore("ann", study)
    assert store.studies.get("bob", study).role == "reader"


def test_a_purge_forgets_what_was_deleted_long_ago_and_nothing_else(store: Store, grid: NetworkTables) -> None:
    old, recent, kept = (store.studies.create("ann", name, replace(grid, name=name)) for name in "ABC")
    for study in (old, recent):
        store.studies.add_dataset("ann", study, "x", "scenarios", study.encode())
        store.studies.delete("ann", study)
    with store.database.writing() as connection:
        connection.execute(
            sa.update(studies).where(studies.c.id == old).values(deleted=studies.c.deleted - UNDO_DELETE_S - 1)
        )
        for table in (networks, files):
            connection.execute(sa.update(table).values(used=0.0))
    assert store.purge() == 3  # the study, its network, its file; what hangs on the study goes with it
    with pytest.raises(NotFoundError):
        store.studies.restore("ann", old)
    store.studies.restore("ann", recent)
    assert store.studies.datasets("ann", recent)[0].bytes == 16
    assert store.studies.network("ann", kept).tables.name == "C"


def test_an_example_is_opened_once_until_it_is_changed(store: Store, grid: NetworkTables) -> None:
    def example(user: str = "ann") -> str:
        return store.studies.open_example(user, "triangle", "Triangle", grid)

    first = example()
    assert example() == first
    assert example("bob") != first
    assert store.studies.get("ann", first).example == "triangle"
    store.studies.save_question("ann", first, "capacity", {"epsilon": 0.1})  # asking is what an example is for
    assert example() == first
    store.studies.save_network("ann", first, replace(grid, name="Mine"), 0, "rename")
    second = example()
    assert second != first
    store.studies.rename("ann", second, "My triangle")
    third = example()
    assert third not in {first, second}
    store.studies.add_dataset("ann", third, "load.csv", "scenarios", b"1")
    fourth = example()
    store.studies.delete("ann", fourth)
    assert len({first, second, third, fourth, example()}) == 5


def test_a_link_lets_others_look_but_not_change(store: Store, grid: NetworkTables) -> None:
    study = store.studies.create("ann", "A", grid)
    token = store.studies.share("ann", study)
    assert store.studies.accept_share("bob", token) == study
    assert store.studies.accept_share("bob", token) == study
    assert store.studies.accept_share("ann", token) == study
    assert store.studies.get("ann", study).role == "owner"
    assert store.studies.get("bob", study).role == "reader"
    assert store.studies.readers("ann", study) == 1
    with pytest.raises(PermissionDeniedError, match=r"'A'.*needs its owner.*duplicate"):
        store.studies.rename("bob", study, "Mine")
    copy = store.studies.duplicate("bob", study, "Mine")
    assert store.studies.get("bob", copy).role == "owner"


def test_the_database_does_not_hold_the_token_of_a_link(store: Store, grid: NetworkTables) -> None:
    token = store.studies.share("ann", store.studies.create("ann", "A", grid))
    with store.database.reading() as connection:
        assert connection.execute(sa.select(shares.c.token_digest)).scalars().all() == [sha256(token)]


def test_a_revoked_link_opens_nothing_any_more(store: Store, grid: NetworkTables) -> None:
    study = store.studies.create("ann", "A", grid)
    tokens = [store.studies.share("ann", study) for _ in range(2)]
    for user, token in zip(("bob", "cid"), tokens, strict=True):
        store.studies.accept_share(user, token)
    assert store.studies.revoke_shares("ann", study) == 2
    for token in tokens:
        with pytest.raises(NotFoundError, match="this link opens nothing"):
            store.studies.accept_share("bob", token)
    with pytest.raises(NotFoundError):
        store.studies.get("bob", study)


def test_a_reader_may_leave_and_the_owner_may_not(store: Store, grid: NetworkTables) -> None:
    study = store.studies.create("ann", "A", grid)
    store.studies.accept_share("bob", store.studies.share("ann", study))
    store.studies.leave("bob", study)
    assert store.studies.list("bob") == []
    store.studies.leave("ann", study)
    assert store.studies.get("ann", study).role == "owner"


def test_a_data_set_comes_back_byte_for_byte(store: Store, grid: NetworkTables) -> None:
    study = store.studies.create("ann", "A", grid)
    content = bytes(range(256)) * 100
    dataset = store.studies.add_dataset("ann", study, "Нагрузка.parquet", "scenarios", content)
    assert (dataset.bytes, dataset.digest) == (25_600, sha256(content))
    assert store.studies.dataset("ann", study, dataset.id) == (dataset, content)
    store.studies.delete_dataset("ann", study, dataset.id)
    assert store.studies.datasets("ann", study) == []
    with pytest.raises(NotFoundError, match=dataset.id):
        store.studies.delete_dataset("ann", study, dataset.id)
    store.studies.restore_dataset("ann", study, dataset.id)
    assert store.studies.dataset("ann", study, dataset.id) == (dataset, content)


def test_limits_are_said_with_the_number_found(
    store: Store, grid: NetworkTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = store.studies.create("ann", "A", grid)
    monkeypatch.setattr(contents, "MAX_DATASET_BYTES", 10)
    with pytest.raises(LimitError, match=r"'big.csv' has 11 bytes; the limit is 10"):
        store.studies.add_dataset("ann", study, "big.csv", "scenarios", b"x" * 11)
    monkeypatch.setattr(contents, "MAX_STUDY_BYTES", 15)
    store.studies.add_dataset("ann", study, "a", "scenarios", b"x" * 10)
    with pytest.raises(LimitError, match="would have 16 bytes; limit 15"):
        store.studies.add_dataset("ann", study, "b", "scenarios", b"x" * 6)
    monkeypatch.setattr(records, "MAX_STUDIES", 1)
    with pytest.raises(LimitError, match="the limit is 1"):
        store.studies.create("ann", "B", grid)
    monkeypatch.setattr(sharing, "MAX_SHARES", 1)
    store.studies.share("ann", study)
    with pytest.raises(LimitError, match="1 links"):
        store.studies.share("ann", study)


def test_an_answer_replaces_the_earlier_one_to_the_same_question(store: Store, grid: NetworkTables) -> None:
    study, other = (store.studies.create(user, "A", grid) for user in ("ann", "bob"))
    store.results.put("ann", study, ANSWER)
    store.results.put("ann", study, replace(ANSWER, content={"firm_mw": [11.0]}))
    found = store.results.get("ann", study, ANSWER.kind, ANSWER.input_hash)
    assert found is not None
    assert (found.content, found.provenance) == ({"firm_mw": [11.0]}, {"seed": 7})
    assert store.results.get("ann", study, "other", ANSWER.input_hash) is None
    assert store.results.list("ann", study, "other") == []
    assert store.results.get("bob", other, ANSWER.kind, ANSWER.input_hash) is None  # a page's answer is its study's own


def test_product_sets_are_versions_that_never_change(store: Store, grid: NetworkTables) -> None:
    study = store.studies.create("ann", "A", grid)
    first, second = {"products": [{"id": "p1"}]}, {"products": [{"id": "p2"}]}
    assert store.products.publish("ann", study, first, {"ok": 1}) == 1
    assert store.products.publish("ann", study, first, {"ok": 1}) == 1  # a double click
    assert store.products.publish("ann", study, second, {"ok": 2}) == 2
    assert store.products.publish("ann", study, first, {"ok": 1}) == 3
    assert [record.version for record in store.products.list("ann", study)] == [3, 2, 1]
    record = store.products.get("ann", study, 1)
    assert (record.product_set, record.witness, record.network_digest) == (first, {"ok": 1}, grid.digest())
    with pytest.raises(QuestionError, match="witness"):
        store.products.publish("ann", study, first, {})
    with pytest.raises(NotFoundError, match="version 4"):
        store.products.get("ann", study, 4)
