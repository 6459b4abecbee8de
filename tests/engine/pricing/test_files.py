"""Cases of hubs as files: they come back as they went, and everything that cannot be read is said at once."""

import json
from typing import Any

import numpy as np
import pytest

from engine.errors import FileFormatError
from engine.pricing.case import HubCase
from engine.pricing.cases import fleet, three_hubs
from engine.pricing.files import MOST_BYTES, from_json, to_json
from tests.engine.pricing.small import random_case, two_hubs


@pytest.mark.parametrize(
    "case", [three_hubs(), fleet(5), two_hubs(), random_case(3)], ids=["three", "fleet", "two", "random"]
)
def test_a_case_comes_back_to_the_last_digit(case: HubCase) -> None:
    again = from_json(to_json(case))
    assert again.digest == case.digest
    assert again.hubs == case.hubs
    assert np.array_equal(again.network.background_mw, case.network.background_mw)


def _held() -> dict[str, Any]:
    return dict(json.loads(to_json(two_hubs())))


def test_every_cell_that_cannot_be_read_is_named() -> None:
    held = _held()
    held["hubs"][0]["import_mw"] = "much"
    held["hubs"][0]["battery"]["power_mw"] = float("nan")
    held["hubs"][1]["colour"] = "red"
    held["hubs"].append({"name": "third"})
    held["lines"][0]["share"] = [1.0]
    held["lines"].append(3)
    held["day"]["step_h"] = None
    held["day"]["buy_per_mwh"][1] = float("nan")
    held["terms"] = [1]
    held["areas"] = [0, "x"]
    held["more"] = 1
    with pytest.raises(FileFormatError) as caught:
        from_json(json.dumps(held).encode())
    told = "\n".join(problem.message for problem in caught.value.problems)
    for words in (
        "hub 1: import_mw is 'much', which is not a number", "power_mw is 'nan'", "hub 2: there is no column 'colour'",
        "hub 3: demand_mw is needed", "line 2 is not a list of named cells", "buy_per_mwh is 'nan'",
        "terms is not a list of named cells", "areas is not a list of whole numbers", "there is no 'more' in a case",
    ):  # fmt: skip
        assert words in told, (words, told)


def test_lines_of_another_size_are_named() -> None:
    held = _held()
    held["lines"][0]["share"] = [1.0]
    held["lines"][0]["background_mw"] = [0.0] * 9
    with pytest.raises(FileFormatError) as caught:
        from_json(json.dumps(held).encode())
    assert [problem.message for problem in caught.value.problems] == [
        "line line: share has 1 values for 2 hubs", "line line: background_mw has 9 values for 4 periods",
    ]  # fmt: skip


def test_a_hub_that_cannot_be_read_is_told_alone() -> None:
    """Each line still has a share for it: that these are as many as the hubs of the file is no fault."""
    held = _held()
    held["hubs"][1]["demand_mw"][2] = float("nan")
    with pytest.raises(FileFormatError) as caught:
        from_json(json.dumps(held).encode())
    assert [problem.message for problem in caught.value.problems] == [
        "hub 2: demand_mw is 'nan', which is not a number"
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"{", "cannot be read"), (b"[]", "not a case of hubs"), (b'{"format": "other"}', "not a case of hubs"),
     (b" " * (MOST_BYTES + 1), "is the most"), (b"[" * 100_000, "cannot be read")],
)  # fmt: skip
def test_what_is_no_such_file_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(FileFormatError, match=words):
        from_json(content)
