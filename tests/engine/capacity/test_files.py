"""A user's file of net demand: read exactly, or refused with every reason."""

import io
import pickle
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest

from engine.capacity import files
from engine.capacity.files import read_sample
from engine.errors import FileFormatError
from tests.engine.capacity.small import triangle


def parquet(columns: dict[str, Any]) -> bytes:
    target = io.BytesIO()
    pa_parquet.write_table(pa.table(columns), target)
    return target.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_gives_states_labels_and_weights(delimiter: str) -> None:
    text = "hour,2,3,weight\nmonday,1.5,-2,1\ntuesday,3,4e1,3\n".replace(",", delimiter)
    found = read_sample("mine.csv", b"\xef\xbb\xbf" + text.encode(), triangle())
    assert found.net_demand_mw.tolist() == [[0.0, 1.5, -2.0], [0.0, 3.0, 40.0]]
    assert found.labels == ("monday", "tuesday")
    assert found.weight.tolist() == [0.25, 0.75]
    assert found.notices == ("1 buses without a column keep their filed net demand",)


def test_a_parquet_file_is_the_same() -> None:
    content = parquet({"1": [0, 1], "2": [1.5, 3.0], "3": [2.0, 4.0]})
    found = read_sample("mine.parquet", content, triangle())
    assert found.net_demand_mw.tolist() == [[0.0, 1.5, 2.0], [1.0, 3.0, 4.0]]
    assert found.weights is None
    assert found.labels == ("row 1", "row 2")


def test_every_problem_is_told_at_once() -> None:
    text = "2,9,2,3,weight\n1,1,1,x,1\n2,1,1,,-1\n3,1,1,1e9,nan\n"
    with pytest.raises(FileFormatError) as refused:
        read_sample("mine.csv", text.encode(), triangle())
    codes = [problem.code for problem in refused.value.problems]
    assert codes.count("not-a-number") == 4
    assert {"unknown-bus", "repeated-column", "weight"} <= set(codes)
    assert "column '3', row 2: 'x' is not a number" in str([p.message for p in refused.value.problems])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "first line must name the columns"),
        ("a.csv", b"\xff\xfe1\x002\x00", "not UTF-8"),
        ("a.csv", b"2,3\n1,2,3\n", "a.csv: "),
        ("a.csv", b"2,3\n", "no row below"),
        ("a.csv", "шина,узел\n1,2\n".encode(), "no column is named like a bus"),
        ("a.csv", b"PK\x03\x04\x00\x00\x00\x00", "not a table of text"),
        ("a.parquet", b"PAR1 not really", "not a Parquet file"),
        ("a.parquet", pickle.dumps({"2": [1.0]}), "not a Parquet file"),
        ("a.xlsx", b"2\n1\n", "read from .csv or .parquet"),
        ("a.pkl", pickle.dumps([1]), "read from .csv or .parquet"),
    ],
)
def test_a_file_that_is_something_else_is_refused(name: str, content: bytes, words: str) -> None:
    with pytest.raises(FileFormatError, match=words):
        read_sample(name, content, triangle())


def test_sizes_are_limited_before_anything_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    content = parquet({"2": np.zeros(30_000)})
    assert len(content) < 10_000
    with pytest.raises(FileFormatError, match="30,000 rows; the limit is 20,000"):
        read_sample("zeros.parquet", content, triangle())
    with pytest.raises(FileFormatError, match="rows; the limit"):
        read_sample("long.csv", b"2\n" + b"1\n" * 30_000, triangle())
    monkeypatch.setattr(files, "MOST_BYTES", 1000)
    with pytest.raises(FileFormatError, match="the limit is"):
        read_sample("big.csv", b"2\n" + b"1\n" * 1000, triangle())
