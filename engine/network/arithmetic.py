"""Arithmetic as MATLAB writes it, over numbers and matrices: a parser that runs no code and has no side effects.

It knows ``+ - * / ^`` and their element-wise forms, parentheses, a few functions of one argument, and the names
and the indexed fields that its caller resolves. Depth and work are limited, whatever the text.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]  # always two-dimensional, as in MATLAB; a number is (1, 1)

MOST_WORK = 5_000_000  # numbers made by one file's code; a scaling of the largest public case makes 700,000
_OVERHEAD = 100  # a single operation takes as long as that many numbers more in a matrix
_DEEPEST = 50  # parentheses inside parentheses
_FUNCTIONS: Mapping[str, Callable[[Values], Values]] = {
    "sqrt": np.sqrt, "abs": np.abs, "exp": np.exp, "log": np.log, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
}  # fmt: skip
_CONSTANTS = {"pi": math.pi, "Inf": math.inf, "inf": math.inf, "NaN": math.nan, "nan": math.nan}
_OPEN, _CLOSE = {"(", "["}, {")", "]"}
_POWERS, _PRODUCTS, _SUMS = ("^", ".^"), ("*", "/", ".*", "./"), ("+", "-")


class ExpressionError(ValueError):
    """An expression that is not understood, or has no finite meaning; the message says why."""


@dataclass(slots=True)
class Work:
    """How many numbers may still be made."""

    left: int = MOST_WORK

    def spend(self, numbers: int) -> None:
        """Take ``numbers`` off; raises ExpressionError when too few are left."""
        self.left -= numbers + _OVERHEAD
        if self.left < 0:
            raise ExpressionError("the file computes too much")


Indices = tuple[tuple[str, ...], ...]  # the tokens of each index, between commas


class Parser:
    """One expression, from the left; ``at`` is the next token.

    ``resolve`` is given a name that is neither a function nor a constant, and its indices if it has any.
    """

    def __init__(
        self, tokens: Sequence[str], resolve: Callable[[str, Indices | None], Values] | None = None,
        work: Work | None = None,
    ) -> None:  # fmt: skip
        self.tokens, self.resolve, self.work = tokens, resolve, work or Work()
        self.at = self.depth = 0

    def value(self) -> Values:
        """Return the value of all tokens. Raises ExpressionError."""
        with np.errstate(all="ignore"):
            result = self._sum()
        if self.at < len(self.tokens):
            raise ExpressionError(f"{self.tokens[self.at][:40]!r} was not expected")
        return result

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _sum(self) -> Values:
        result = self._product()
        while (sign := self._next()) in _SUMS:
            self.at += 1
            result = self._combined(sign, result, self._product())
        return result

    def _product(self) -> Values:
        result = self._signed()
        while (sign := self._next()) in _PRODUCTS:
            self.at += 1
            result = self._combined(sign, result, self._signed())
        return result

    def _signed(self) -> Values:
        negative = False
        while (sign := self._next()) in _SUMS:
            self.at += 1
            negative ^= sign == "-"
        result = self._power()
        return -result if negative else result

    def _power(self) -> Values:
        result = self._primary()
        while (sign := self._next()) in _POWERS:
            self.at += 1
            negative = False
            while (minus := self._next()) in _SUMS:
                self.at += 1
                negative ^= minus == "-"
            exponent = self._primary()
            result = self._combined(sign, result, -exponent if negative else exponent)
        return result

    def _primary(self) -> Values:
        word = self._next()
        self.at += 1
        if word == "(":
            return self._parentheses()
        if word[:1].isdigit() or (word[:1] == "." and word[1:2].isdigit()):
            return number(float(word.replace("d", "e").replace("D", "e")))
        if not (word[:1].isalpha() and word.isascii()):
            raise ExpressionError(f"{word[:40]!r} was not expected" if word else "it ends too early")
        if word in _FUNCTIONS:
            if self._next() != "(":
                raise ExpressionError(f"{word} needs parentheses")
            self.at += 1
            return self._function(word)
        if word in _CONSTANTS:
            return number(_CONSTANTS[word])
        if self.resolve is None:
            raise ExpressionError(f"{word[:40]!r} is not known")
        return self.resolve(word, self._indices() if self._next() == "(" else None)

    def _parentheses(self) -> Values:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ExpressionError("too many parentheses inside each other")
        result = self._sum()
        if self._next() != ")":
            raise ExpressionError("a ) is missing")
        self.at += 1
        self.depth -= 1
        return result

    def _function(self, name: str) -> Values:
        argument = self._parentheses()
        self.work.spend(argument.size)
        result = np.asarray(_FUNCTIONS[name](argument), dtype=np.float64)
        if (np.isnan(result) & ~np.isnan(argument)).any():
            raise ExpressionError(f"{name} has no real value there")
        return result

    def _indices(self) -> Indices:
        self.at += 1
        start, depth = self.at, 1
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            depth += (token in _OPEN) - (token in _CLOSE)
            if depth == 0:
                return between_commas(self.tokens[start : self.at - 1])
        raise ExpressionError("a ) is missing")

    def _combined(self, sign: str, left: Values, right: Values) -> Values:
        try:
            shape = np.broadcast_shapes(left.shape, right.shape)
        except ValueError:
            sizes = " and ".join(f"{rows} x {columns}" for rows, columns in (left.shape, right.shape))
            raise ExpressionError(f"{sizes} numbers do not fit {sign!r}") from None
        self.work.spend(shape[0] * shape[1])
        single = {"*": min(left.size, right.size), "/": right.size, "^": max(left.size, right.size)}
        if single.get(sign, 1) != 1:
            raise ExpressionError(f"{sign!r} of matrices is not read; element by element it is '.{sign}'")
        match sign.removeprefix("."):
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                if not right.all():
                    raise ExpressionError("it divides by zero")
                return left / right
        result: Values = left**right
        if not np.isfinite(result).all():
            raise ExpressionError("a power has no finite real value")
        return result


def number(value: float) -> Values:
    """Return a number as the (1, 1) array that it is here."""
    return np.array([[value]])


def between_commas(tokens: Sequence[str]) -> Indices:
    """Return the tokens between the commas that stand outside brackets."""
    found: list[list[str]] = [[]]
    depth = 0
    for sign in tokens:
        depth += (sign in _OPEN) - (sign in _CLOSE)
        if sign == "," and depth == 0:
            found.append([])
        else:
            found[-1].append(sign)
    return tuple(tuple(part) for part in found)
