"""An uploaded file as the browser sends it, and what a torn one is told."""

import base64
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callbacks.uploads import content_of
from engine.errors import QuestionError

CALLBACKS = Path(__file__).parents[2] / "callbacks"


@given(st.binary(max_size=200))
def test_every_file_comes_back_as_it_was(content: bytes) -> None:
    assert content_of("data:text/csv;base64," + base64.b64encode(content).decode()) == content


@pytest.mark.parametrize("torn", ["data:x;base64,???", "data:x;base64,YWJj\u00e9", "data:x;base64,YWJ", "data:x,a b"])
def test_a_torn_file_is_told_in_words(torn: str) -> None:
    with pytest.raises(QuestionError, match="did not send the file whole; try again"):
        content_of(torn)


def test_uploads_are_decoded_in_one_place() -> None:
    # siting_site reads an address, which is no upload
    found = {path.stem for path in CALLBACKS.glob("*.py") if re.search(r"\bb64decode\(", path.read_text("utf-8"))}
    assert found == {"uploads"}
