"""A study as one file, and what a damaged or hostile file does: nothing but a message."""

import io
import json
import pickle
import zipfile
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.errors import EngineError, FileFormatError, LimitError
from engine.network.tables import NetworkTables
from engine.store import Artifacts, Store, archive
from engine.store.answers import Answer
from engine.store.codec import sha256
from engine.store.jobs import Jobs
from engine.store.kinds import JobKind

ANSWER = Answer("capacity.prepare", "ab" * 32, {"firm_mw": [10.0, 10.0]}, {"seed": 7})


@pytest.fixture
def study(store: Store, grid: NetworkTables) -> str:
    made = store.studies.create("ann", "Süd / 1", grid, {"capacity": {"epsilon": 0.05}})
    store.studies.add_dataset("ann", made, "load.csv", "scenarios", bytes(range(256)))
    store.results.put("ann", made, ANSWER)
    store.products.publish("ann", made, {"products": [1]}, {"flows": [2]})
    store.products.publish("ann", made, {"products": [3]}, {"flows": [4]})
    return made


def test_a_study_comes_back_whole_under_whoever_imports_it(store: Store, study: str, grid: NetworkTables) -> None:
    name, content = store.studies.export_file("ann", study)
    assert name == "Süd-1.headroom.zip"
    again = store.studies.import_file("bob", content)
    summary = store.studies.get("bob", again)
    assert (summary.name, summary.role, summary.network_digest) == ("Süd / 1", "owner", grid.digest())
    tables = store.studies.network("bob", again).tables
    for table in ("buses", "branches", "units"):
        pd.testing.assert_frame_equal(tables.table(table), grid.table(table))
    assert store.studies.question("bob", again, "capacity") == {"epsilon": 0.05}
    [dataset] = store.studies.datasets("bob", again)
    assert store.studies.dataset("bob", again, dataset.id)[1] == bytes(range(256))
    result = store.results.get("bob", again, ANSWER.kind, ANSWER.input_hash)
    assert result is not None
    assert (result.content, result.provenance) == (ANSWER.content, ANSWER.provenance)
    published = store.products.list("bob", again)
    assert [(p.version, p.product_set, p.witness) for p in published] == [
        (2, {"products": [3]}, {"flows": [4]}),
        (1, {"products": [1]}, {"flows": [2]}),
    ]
    assert store.studies.list("ann")[0].id == study
    assert store.studies.export_file("bob", again)[1] == content  # the file says all there is


def test_an_imported_answer_is_never_given_to_others_who_ask_the_same(
    store: Store, study: str, grid: NetworkTables, artifacts: Artifacts
) -> None:
    jobs = Jobs(store, artifacts, {"capacity.prepare": JobKind("tests.engine.store.tasks:count")})
    honest = jobs.submit("ann", "capacity.prepare", {"network": grid.digest()}, study)
    forged = replace(ANSWER, input_hash=honest.input_hash, content={"firm_mw": [1e9]})
    store.results.put("ann", study, forged)
    store.studies.import_file("mallory", store.studies.export_file("ann", study)[1])
    victim = store.studies.create("victor", "V", grid)
    job = jobs.submit("victor", "capacity.prepare", {"network": grid.digest()}, victim)
    assert (job.state, job.result) == ("queued", None)


def _changed(content: bytes, change: dict[str, bytes | None], *, honest: bool = True) -> bytes:
    """The file with other parts; with digests that fit, unless they are to betray the change."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        parts: dict[str, bytes | None] = {name: file.read(name) for name in file.namelist()}
    parts |= change
    if honest and parts.get("study.json"):
        manifest = json.loads(parts["study.json"])
        for name in change:
            if name != "study.json" and parts[name] is not None:
                manifest["digests"][name] = sha256(parts[name])
            else:
                manifest["digests"].pop(name, None)
        parts["study.json"] = json.dumps(manifest).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, part in parts.items():
            if part is not None:
                file.writestr(name, part)
    return buffer.getvalue()


def _manifest(content: bytes, **changes: Any) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return json.dumps(json.loads(file.read("study.json")) | changes).encode()


def _network(**content: Any) -> bytes:
    return json.dumps({"format": "headroom-network", "version": 1} | content).encode()


def _answers(**changes: Any) -> bytes:
    item = {"kind": "a.b", "input_hash": "ab" * 32, "content": {}, "provenance": {}} | changes
    return json.dumps([item]).encode()


def _products(**changes: Any) -> bytes:
    item = {"version": 1, "network_digest": "ab" * 32, "product_set": {}, "witness": {}} | changes
    return json.dumps([item]).encode()


@pytest.mark.parametrize(
    ("part", "content", "reason"),
    [
        ("network.json", None, "'network.json' is missing"),
        ("network.json", b"\xff\xfe", "not UTF-8"),
        ("network.json", b"{", "not JSON"),
        ("network.json", b"[" * 100_000, "not JSON"),
        ("network.json", b"[]", "not a Headroom network"),
        ("network.json", _network(version=2), "version 2"),
        ("network.json", _network(buses={"bus": [1]}), "column 'bus', row 1: 1 is not a text"),
        ("network.json", _network(buses={"bus": ["1"], "load_mw": []}), "different lengths"),
        ("network.json", _network(buses={"load_mw": ["=1+1"]}), "'=1\\+1' is not a number"),
        ("network.json", _network(buses={"load_mw": [7]}).replace(b"7", b"9" * 5000), "not JSON|number"),
        ("network.json", _network(base_mva="x"), "base_mva must be a number, found 'x'"),
        ("questions.json", b'{"capacity": 3}', "one object per page"),
        ("questions.json", b"3", "JSON object"),
        ("answers.json", b"{}", "JSON list"),
        ("answers.json", b"[3]", "must have exactly"),
        ("answers.json", _answers(content=3), "content of item 1 .* is not a dict"),
        ("answers.json", _answers(input_hash="../../x"), "no valid kind or input hash"),
        ("answers.json", _answers(extra=1), "must have exactly"),
        ("products.json", _products(version=0), "must rise from 1, found \\[0\\]"),
        ("products.json", _products(version=True), "version of item 1 .* is not a int"),
        ("products.json", _products(version=2**31), "must rise from 1"),
        ("products.json", _products(network_digest="x"), "by a digest"),
        ("data/" + sha256(bytes(range(256))), None, "is missing"),
        ("study.json", None, "'study.json' is missing"),
        ("study.json", b"{}", "no format 'headroom-study'"),
    ],
)  # fmt: skip
def test_a_damaged_part_is_named(part: str, content: bytes | None, reason: str, store: Store, study: str) -> None:
    file = _changed(store.studies.export_file("ann", study)[1], {part: content}, honest=part != "study.json")
    with pytest.raises(FileFormatError, match=reason):
        store.studies.import_file("bob", file)
    assert store.studies.list("bob") == []


def test_a_file_of_a_later_version_is_refused_by_its_number(store: Store, study: str) -> None:
    content = store.studies.export_file("ann", study)[1]
    with pytest.raises(FileFormatError, match="version 2; this reader knows 1"):
        store.studies.import_file("bob", _changed(content, {"study.json": _manifest(content, version=2)}))


def test_a_part_that_was_changed_outside_is_betrayed_by_its_digest(store: Store, study: str) -> None:
    content = store.studies.export_file("ann", study)[1]
    with pytest.raises(FileFormatError, match=r"missing or damaged: questions.json"):
        store.studies.import_file("bob", _changed(content, {"questions.json": b"{}"}, honest=False))


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"x" * 1000, pickle.dumps({"a": 1})], ids=["empty", "head", "text", "pickle"]
)
def test_what_is_no_zip_is_refused(content: bytes, store: Store) -> None:
    with pytest.raises(FileFormatError, match="not a whole zip archive"):
        store.studies.import_file("bob", content)


def test_cut_and_flipped_files_give_a_message_or_the_same_study(store: Store, study: str, grid: NetworkTables) -> None:
    content = store.studies.export_file("ann", study)[1]
    dice = np.random.default_rng(7)
    for turn in range(150):
        damaged = bytearray(content)
        if turn % 3 == 0:
            damaged = damaged[: dice.integers(len(damaged))]
        else:
            for _ in range(dice.choice([1, 1, 5, 40])):
                damaged[dice.integers(len(damaged))] = dice.integers(256)
        with suppress(EngineError):  # anything else fails; a flip in a date or a comment of the zip does no harm
            assert archive.read_archive(bytes(damaged)).tables.digest() == grid.digest()


def test_a_zip_bomb_is_stopped_before_it_unpacks(store: Store, study: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_RATIO_FREE_BYTES", 1_000_000)
    content = store.studies.export_file("ann", study)[1]
    data = "data/" + sha256(bytes(range(256)))
    bomb = _changed(content, {data: b" " * 300_000_000})
    assert len(bomb) < 400_000
    with pytest.raises(LimitError, match=f"'{data}' unpacks to more than"):
        store.studies.import_file("bob", bomb)


def test_a_part_packed_with_another_method_is_not_opened(store: Store) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("study.json", b"{}")
    with pytest.raises(FileFormatError, match=r"'study\.json' is packed in a way that no study is"):
        store.studies.import_file("bob", buffer.getvalue())


def test_a_large_json_part_is_not_read(store: Store, study: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = store.studies.export_file("ann", study)[1]
    monkeypatch.setattr(archive, "MAX_JSON_BYTES", 3_000)
    large = _changed(content, {"questions.json": b" " * 3_001})
    with pytest.raises(LimitError, match=r"'questions\.json' unpacks to more than 3,000 bytes"):
        store.studies.import_file("bob", large)
    store.studies.save_question("ann", study, "capacity", {"text": "x" * 3_000})
    with pytest.raises(LimitError, match=r"'questions\.json' of the file has 3,0\d\d bytes; the limit is 3,000"):
        store.studies.export_file("ann", study)


def test_too_many_parts_and_twin_parts_are_refused(store: Store, study: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for number in range(301):
            file.writestr(str(number), b"")
    with pytest.raises(LimitError, match="301 parts; the limit is 300"):
        store.studies.import_file("bob", buffer.getvalue())
    twins = io.BytesIO(store.studies.export_file("ann", study)[1])
    with zipfile.ZipFile(twins, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("study.json", b"{}")
    with pytest.raises(FileFormatError, match=r"two parts named 'study\.json'"):
        store.studies.import_file("bob", twins.getvalue())


def test_a_file_over_the_limit_is_not_opened(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_FILE_BYTES", 10)
    with pytest.raises(LimitError, match="11 bytes; the limit is 10"):
        store.studies.import_file("bob", b"x" * 11)
