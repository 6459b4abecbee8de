"""Rows of a feeder's tables from cells and back: cells are text of a CSV file, or what JSON knows."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from engine.distribution.feeder import Rows
from engine.errors import FileFormatError, Problem
from engine.network.csv_pair import decoded

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")  # in linear time
_FLAGS = {"true": True, "yes": True, "1": True, "closed": True, "false": False, "no": False, "0": False, "open": False}
_FORMULA = ("=", "+", "-", "@", "'")
_LONGEST_TEXT = 2_000
_MOST_PROBLEMS = 200


class Records:
    """Reads rows, and keeps what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def wrong(self, code: str, message: str, table: str = "", row: int | None = None, column: str = "") -> None:
        """Add a problem; past a few hundred they are no longer kept."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(code, "error", message, table, row, column))

    def rows(self, table: str, row_type: type, given: Sequence[Mapping[str, Any]], place: str) -> tuple[Any, ...]:
        """Return the rows of a table; ``place`` says where it is: "buses.csv row"."""
        read = [self._row(row_type, cells, (table, at, f"{place} {at + 1}")) for at, cells in enumerate(given)]
        return tuple(row for row in read if row is not None)

    def _row(self, row_type: type, cells: Mapping[str, Any], where: tuple[str, int, str]) -> Any:
        table, at, place = where
        if not isinstance(cells, Mapping):
            self.wrong("row", f"{place} is not a list of named cells", table, at)
            return None
        known = {each.name for each in fields(row_type)}
        for column in cells:
            if column not in known:
                self.wrong("unknown-column", f"{place}: there is no column {str(column)!r:.80}", table, at, str(column))
        made: dict[str, Any] = {}
        for each in fields(row_type):
            try:
                made[each.name] = self._value(each, hints(row_type)[each.name], cells.get(each.name), where)
            except ValueError as error:
                self.wrong("cell", f"{place}: {each.name} {error}", table, at, each.name)
        return row_type(**made) if len(made) == len(known) else None

    def _value(self, each: "Field[Any]", hint: Any, cell: Any, where: tuple[str, int, str]) -> Any:
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            if each.default is not MISSING:
                return each.default
            if hint is str:  # a name that is missing is told with the other faults of the row
                return ""
            raise ValueError("is needed")
        part = _part(hint)
        if part is not None:
            if not isinstance(cell, Mapping):
                raise ValueError("is not a list of named cells")
            return self._row(part, cell, where)
        return read_value(hint, cell)


def json_object(content: bytes, wanted: str, what: str) -> dict[str, Any]:
    """Return what a JSON file of our own format ``wanted`` holds; ``what`` is that in words.

    Raises FileFormatError for anything else.
    """
    try:
        held = json.loads(decoded(content)[0])
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"the JSON cannot be read: {str(error)[:200]}") from None
    if not isinstance(held, dict) or held.get("format") != wanted:
        raise FileFormatError(f'the JSON is not {what} of Headroom: it has no "format": "{wanted}"')
    return held


@lru_cache(maxsize=32)
def hints(row_type: type) -> dict[str, Any]:
    """Return the types of a row's columns."""
    return get_type_hints(row_type)


def _part(hint: Any) -> type | None:
    """Return the dataclass that a column may hold, if it may."""
    return next((option for option in get_args(hint) if is_dataclass(option) and isinstance(option, type)), None)


def read_value(hint: Any, cell: Any) -> Any:
    """Return a cell as what its column holds. Raises ValueError completing "kw ..."."""
    options = [option for option in get_args(hint) if option is not NoneType] if get_origin(hint) is UnionType else []
    hint = options[0] if options else hint
    if hint is float:
        return number(cell)
    if hint is int:
        value = number(cell)
        if value != int(value):
            raise ValueError(f"is {value:g}, which is not a whole number")
        return int(value)
    if hint is bool:
        flag = cell if isinstance(cell, bool) else _FLAGS.get(str(cell).strip().lower())
        if flag is None:
            raise ValueError(f"is {str(cell)[:40]!r}, neither true nor false")
        return flag
    if hint == Rows:
        rows = cell.split("|") if isinstance(cell, str) else cell
        return tuple(_numbers(row) for row in _listed(rows))
    if get_origin(hint) is tuple:
        return tuple(map(text, _split(cell))) if get_args(hint)[0] is str else _numbers(cell)
    if hint is str or get_origin(hint) is Literal:
        return text(cell)
    raise TypeError(f"no cell holds {hint}")


def text(cell: Any) -> str:
    """Return a cell as text. Raises ValueError for a list or a long text."""
    if not isinstance(cell, str | int | float) or isinstance(cell, bool):
        raise ValueError("is not a text")  # noqa: TRY004 - one type for every bad cell
    found = cell.strip() if isinstance(cell, str) else repr(cell).removesuffix(".0")
    if len(found) > _LONGEST_TEXT:
        raise ValueError(f"has {len(found):,} characters; {_LONGEST_TEXT:,} is the most")
    return found


def number(cell: Any) -> float:
    """Return a cell as a number. Raises ValueError for anything else; "nan" and "inf" are not numbers."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        try:
            value = float(cell)
        except OverflowError:
            raise ValueError("is too large") from None
        if math.isfinite(value):
            return value
    plain = str(cell).strip().replace("\u2212", "-")
    if not isinstance(cell, str) or not _NUMBER.fullmatch(plain):
        raise ValueError(f"is {str(cell)[:40]!r}, which is not a number")
    return float(plain)


def _split(cell: Any) -> Sequence[Any]:
    return cell.split() if isinstance(cell, str) else _listed(cell)


def _listed(cell: Any) -> Sequence[Any]:
    if not isinstance(cell, list | tuple):
        raise ValueError("is not a list")  # noqa: TRY004 - one type for every bad cell
    return cell


def _numbers(cell: Any) -> tuple[float, ...]:
    if isinstance(cell, int | float):
        return (number(cell),)
    return tuple(number(entry) for entry in _split(cell))


def flat_columns(row_type: type) -> Iterator[tuple[str, str | None]]:
    """Yield the columns of a CSV table: the field, and the field of the part that it holds, if it holds one."""
    for each in fields(row_type):
        part = _part(hints(row_type)[each.name])
        if part is None:
            yield each.name, None
        else:
            for inner in fields(part):
                yield each.name, inner.name


def shown(value: Any) -> str:
    """Return a value as the text of a CSV cell, safe in a spreadsheet."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, tuple):
        between = " | " if value and isinstance(value[0], tuple) else " "
        return between.join(str(entry) if isinstance(entry, str) else shown(entry) for entry in value)
    return guarded(str(value))


def guarded(plain: str) -> str:
    """Return a text that no spreadsheet runs as a formula."""
    return "'" + plain if plain[:1] in _FORMULA else plain


def unguarded(cell: str) -> str:
    """Return what :func:`guarded` was given."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _FORMULA else cell
