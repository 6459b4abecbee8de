"""One cell of a network table, from what a person typed or pasted to its typed value and back."""

import math
import re
from collections.abc import Iterable
from typing import Literal

from engine.network.tables import COLUMNS, KEYS, Column, TableName, Value, cost_points
from engine.network.terms import read_branches, read_terms

DecimalMark = Literal[".", ",", "?"]  # "?": the text itself must tell

LONGEST_ID = 60
LONGEST_TEXT = 200
LONGEST_COST = 4000
LONGEST_LIST = 20_000  # of branches: 300 identifiers of the longest kind
KINDS = ("line", "transformer")

_BLANKS = str.maketrans("", "", " \u00a0\u2009\u202f'")
_NO_LIMIT = {"inf", "+inf", "infinity", "∞", "none", "unlimited", "no limit"}
_TRUE = {"true", "1", "1.0", "yes", "y", "x", "on", "in"}
_FALSE = {"false", "0", "0.0", "no", "n", "off", "out"}
_ONE_GROUP = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3}){2,}|[+-]?[1-9]\d{0,2}(,\d{3})+\.\d*")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")  # in linear time


MAY_BE_UNLIMITED = {"rating_a_mw", "rating_b_mw", "rating_c_mw", "limit_backward_mw"}  # where empty is not "none"


class CellError(ValueError):
    """What was given for a cell is of no use there."""


def column_of(table: TableName, name: str) -> Column:
    """Return the column called ``name``. Raises ValueError naming a column the table does not have."""
    for column in COLUMNS[table]:
        if column.name == name:
            return column
    raise ValueError(f"{table} have no column {name!r}")


def longest_text(table: TableName, column: str) -> int:
    """Return the most characters that a text cell may have."""
    if column in {KEYS[table], "bus", "from_bus", "to_bus"}:
        return LONGEST_ID
    if (table, column) in {("interfaces", "terms"), ("contingencies", "branches")}:
        return LONGEST_LIST
    return LONGEST_COST if column == "cost_points" else LONGEST_TEXT


def read_cell(table: TableName, column: Column, raw: object, mark: DecimalMark = "?") -> Value:
    """Return the typed value of a cell that was typed, pasted or sent as JSON; an empty cell is the default.

    Text may carry a decimal comma, thin spaces in thousands, and "unlimited" where a column knows no limit.
    Raises ValueError saying what was found and what would do.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        if column.name == KEYS[table]:
            raise ValueError("an identifier is needed")
        return column.default
    if column.kind == "number":
        return _number(column, raw, mark)
    if column.kind == "flag":
        return _flag(raw)
    return _text(table, column, raw)


def decimal_mark(cells: Iterable[str]) -> DecimalMark:
    """Return the decimal mark that a block of number cells uses, "?" when no cell gives it away."""
    likely: DecimalMark = "?"
    for cell in cells:
        bare = cell.translate(_BLANKS)
        if "." in bare and _NUMBER.fullmatch(bare.replace(",", "")):
            if "," in bare:
                return "," if bare.rfind(",") > bare.rfind(".") else "."
            if not _ONE_GROUP.fullmatch(bare.replace(".", ",")):
                return "."
            likely = "."  # 1.000 is one where no other cell has a decimal comma
        if bare.count(",") == 1 and not _ONE_GROUP.fullmatch(bare) and _NUMBER.fullmatch(bare.replace(",", ".")):
            return ","
    return likely


def shown(column: Column, value: Value) -> str:
    """Return a cell as text that :func:`read_cell` reads back to the same value."""
    if column.kind == "flag":
        return "true" if value else "false"
    if column.kind == "text":
        text = str(value)
        # A spreadsheet runs a text that starts like a formula; the apostrophe is its own sign for "only text".
        return "'" + text if text[:1] in "=+-@'" and text else text
    number = float(value)
    if number == column.default or (math.isnan(number) and math.isnan(float(column.default))):
        return ""
    return "nan" if math.isnan(number) else repr(number)


def _number(column: Column, raw: object, mark: DecimalMark) -> float:
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
        raise CellError(f"a number is needed, found {raw!r}")
    value = number_in_text(raw, mark) if isinstance(raw, str) else float(raw)
    default = float(column.default)
    if math.isnan(value) and not math.isnan(default):
        raise ValueError("a number is needed, found 'nan'")
    if math.isinf(value) and not (math.isinf(default) or math.isnan(default)):
        raise ValueError("a finite number is needed, found no limit")
    if math.isinf(value) and math.isinf(default) and value != default:
        raise ValueError(f"a finite number is needed, found {value}")
    if math.isinf(value) and math.isnan(default) and column.name not in MAY_BE_UNLIMITED:
        raise ValueError("a finite number is needed, found no limit")
    return value


def number_in_text(raw: str, mark: DecimalMark) -> float:
    """Return the number that a text stands for. Raises ValueError saying what was found and what would do."""
    text = raw.strip()
    if text.lower() in _NO_LIMIT:
        return math.inf
    if text.lower() == "-inf":
        return -math.inf
    if text.lower() in {"nan", "n/a", "unknown"}:
        return math.nan
    bare = text.translate(_BLANKS).replace("\u2212", "-")
    if "," in bare:
        bare = _without_comma(bare, mark)
    elif mark == ",":
        bare = bare.replace(".", "") if re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+", bare) else bare
    if not _NUMBER.fullmatch(bare):
        raise ValueError(f"a number is needed, found {_short(text)!r}")
    return float(bare)


def _without_comma(bare: str, mark: DecimalMark) -> str:
    if "." in bare and bare.rfind(",") > bare.rfind("."):
        return bare.replace(".", "").replace(",", ".")
    if _GROUPS.fullmatch(bare) or (mark == "." and _ONE_GROUP.fullmatch(bare)):
        return bare.replace(",", "")
    if mark == "?" and _ONE_GROUP.fullmatch(bare):
        plain, decimal = bare.replace(",", ""), bare.replace(",", ".")
        raise ValueError(f"{bare!r} may mean {decimal} or {plain}; write one of these")
    return bare.replace(",", ".")


def _flag(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    text = str(raw).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f"true or false is needed, found {_short(str(raw))!r}")


def _text(table: TableName, column: Column, raw: object) -> str:
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
        raise CellError(f"text is needed, found {raw!r}")
    if isinstance(raw, float) and not math.isfinite(raw):
        raise CellError(f"text is needed, found {raw!r}")
    text = (str(int(raw)) if isinstance(raw, float) and raw.is_integer() else str(raw)).strip()
    if text[:1] == "'" and text[1:2] in {"=", "+", "-", "@", "'"}:
        text = text[1:]
    if not text.isprintable():
        raise ValueError(f"text without control characters is needed, found {_short(text)!r}")
    longest = longest_text(table, column.name)
    if len(text) > longest:
        raise ValueError(f"at most {longest} characters, found {len(text)}")
    if column.name == "kind" and text.lower() not in KINDS:
        raise ValueError(f"line or transformer is needed, found {_short(text)!r}")
    if column.name == "cost_points":
        cost_points(text)
    if (table, column.name) == ("interfaces", "terms"):
        read_terms(text)
    if (table, column.name) == ("contingencies", "branches"):
        read_branches(text)
    return text.lower() if column.name == "kind" else text


def _short(text: str, longest: int = 40) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
