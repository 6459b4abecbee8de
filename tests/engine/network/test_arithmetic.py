"""MATLAB's arithmetic: precedence, shapes, limits, and refusals."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.network.arithmetic import ExpressionError, Indices, Parser, Values, Work, number
from engine.network.matlab import as_number

COLUMN = np.array([[1.0], [2.0], [4.0]])
TABLE = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])


def resolve(name: str, indices: Indices | None) -> Values:
    found = {"a": number(3.0), "column": COLUMN, "table": TABLE, "row": COLUMN.T}
    if name not in found or indices is not None:
        raise ExpressionError(f"{name} is not known")
    return found[name]


def value(text: str) -> Values:
    return Parser(text.split(), resolve).value()


# By hand, from MATLAB's table of operator precedence: powers, then signs, then products, then sums; all from the left.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 + 3 * 4", 14), ("( 2 + 3 ) * 4", 20), ("10 - 4 - 3", 3), ("100 / 10 / 5", 2), ("- 2 ^ 2", -4),
        ("2 ^ - 1", 0.5), ("2 ^ 3 ^ 2", 64), ("- - 3", 3), ("2 * - 3", -6), ("sqrt ( 2 * 8 )", 4), ("a ^ 2 / a", 3),
        ("sin ( pi / 2 )", 1), ("1e2 .* 2", 200), ("1.5d2", 150), ("12.66 ^ 2 / 10", 16.02756), ("Inf", math.inf),
    ],
)  # fmt: skip
def test_numbers_follow_the_precedence_of_matlab(text: str, expected: float) -> None:
    assert value(text)[0, 0] == pytest.approx(expected)
    assert value(text).shape == (1, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("column * 2", COLUMN * 2), ("table / 1e3", TABLE / 1e3), ("column .* column", COLUMN**2),
        ("a ./ column", 3.0 / COLUMN), ("table .^ 2", TABLE**2), ("table - column", TABLE - COLUMN),
        ("column + row", COLUMN + COLUMN.T), ("abs ( - table )", TABLE),
    ],
)  # fmt: skip
def test_matrices_go_element_by_element(text: str, expected: Values) -> None:
    np.testing.assert_array_equal(value(text), expected)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "ends too early"), ("1 +", "ends too early"), ("1 2", "'2' was not expected"), ("( 1", "a ) is missing"),
        ("1 )", "was not expected"), ("b", "b is not known"), ("a ( 1 )", "not known"), ("1 / 0", "divides by zero"),
        ("sqrt ( - 1 )", "no real value"), ("acos ( 2 )", "no real value"), ("sqrt 4", "needs parentheses"),
        ("( 0 - 8 ) ^ 0.5", "no finite real value"), ("0 ^ - 1", "no finite real value"),
        ("column * column", "of matrices is not read"), ("1 / column", "of matrices"), ("table ^ 2", "of matrices"),
        ("table + table ( 1", "missing"), ("row + table", "1 x 3 and 3 x 2 numbers do not fit"), ("1 == 1", "expected"),
        ("'", "was not expected"), ("__import__", "was not expected"), ("( " * 60 + "1" + " )" * 60, "too many"),
    ],
)  # fmt: skip
def test_what_has_no_plain_meaning_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        value(text)
    assert reason in str(refused.value)


def test_work_is_limited_before_it_is_done() -> None:
    long = np.ones((100_000, 1))
    with pytest.raises(ExpressionError, match="too much"):
        Parser(("x", "+", "y"), lambda name, _: long if name == "x" else long.T).value()
    with pytest.raises(ExpressionError, match="too much"):
        Parser(("1",) + ("+", "1") * 20, resolve, Work(2000)).value()


LEAF = st.integers(0, 50).map(str) | st.floats(0.01, 99).map(lambda x: repr(round(x, 3)))
TREE = st.recursive(
    LEAF,
    lambda inner: st.tuples(st.just("("), inner, st.sampled_from("+-*/"), inner, st.just(")")),
    max_leaves=15,
)


def flat(tree: Any) -> list[str]:
    return [tree] if isinstance(tree, str) else [word for part in tree for word in flat(part)]


@given(TREE)
def test_any_expression_has_the_value_that_python_gives_it(tree: Any) -> None:
    words = flat(tree)
    try:
        expected = eval(" ".join(words))  # noqa: S307 - digits, signs and parentheses of our own
    except ZeroDivisionError:
        assume(False)
    assert Parser(words).value()[0, 0] == expected


@pytest.mark.parametrize(
    ("token", "expected"),
    [("1e3", 1000), ("-Inf", -math.inf), ("50/3", 50 / 3), ("-50/3", -50 / 3), ("2*3", 6), ("12/sqrt(3)", 12 / 3**0.5),
     ("1-2", -1), ("(1)", 1), ("2.*3", 6), ("1d3", 1000), ("1.D-2*2", 0.02), ("pi/180", math.pi / 180), ("3./4", 0.75)],
)  # fmt: skip
def test_a_cell_may_be_a_short_expression(token: str, expected: float) -> None:
    assert as_number(token) == pytest.approx(expected)


@pytest.mark.parametrize(
    "token", ["", "a", "1/0", "__import__", "1e3e3", "1/", "/2", "9" * 5000 + "x", "1_0", "٣", "="]
)
def test_what_is_not_a_number_is_none(token: str) -> None:
    assert as_number(token) is None
