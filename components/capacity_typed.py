"""What a reader types into the capacity question: numbers and small tables, read with words for what is wrong."""

import json
import math
import re
from collections.abc import Sequence
from typing import Any

from components.format import number
from engine.errors import QuestionError

LIST = re.compile(r"[\s,;]+")
_MOST_LINES = 20_000
_MOST_CORRELATED = 300  # buses in a pasted table of correlations


def amount(value: Any, what: str, least: float, most: float, *, whole: bool = False) -> float:
    """Return a typed number. Raises QuestionError, which names ``what`` and its range."""
    try:
        size = float(value)
    except (TypeError, ValueError):
        if value in (None, ""):  # a box sends nothing for what is no number, or outside its bounds
            raise QuestionError(f"{what} must be a number from {least:g} to {most:g}") from None
        raise QuestionError(f"{what} must be a number, found {json.dumps(value, default=str)}") from None
    if not math.isfinite(size) or not least <= size <= most or (whole and size != int(size)):
        kind = "a whole number" if whole else "a number"
        raise QuestionError(f"{what} must be {kind} from {least:g} to {most:g}, found {value}")
    return tidy(size)


def tidy(value: Any) -> float:
    """Return a number without the dust of a division, whole numbers as such."""
    rounded = round(float(value), 12)
    return int(rounded) if rounded == int(rounded) else rounded


def table_rows(text: Any, columns: tuple[str, ...], what: str) -> list[dict[str, Any]]:
    """Return the rows of a typed or pasted table: a bus id, then numbers, parted by blanks, commas or semicolons."""
    rows: list[dict[str, Any]] = []
    lines = str(text or "").splitlines()
    if len(lines) > _MOST_LINES:
        raise QuestionError(f"{what} has {number(len(lines))} lines; at most {number(_MOST_LINES)} are read")
    for place, line in enumerate(lines, start=1):
        cells = [cell for cell in LIST.split(line.strip()) if cell]
        if not cells or (place == 1 and cells[0].lower() == "bus"):
            continue
        if len(cells) != len(columns):
            raise QuestionError(f"{what}, line {place}: {' '.join(columns)} are needed, found {line.strip()!r}")
        row: dict[str, Any] = {columns[0]: cells[0]}
        for name, cell in zip(columns[1:], cells[1:], strict=True):
            row[name] = amount(cell, f"{what}, line {place}, {name}", -1e9, 1e9)
        rows.append(row)
    return rows


def table_lines(rows: Any, columns: tuple[str, ...]) -> str:
    """Return the text of :func:`table_rows` again, "" for what is no table."""
    if not isinstance(rows, Sequence):
        return ""
    return "\n".join(
        " ".join(f"{row[name]:.10g}" if name != "bus" else str(row[name]) for name in columns) for row in rows
    )


def correlation_of(text: Any) -> float | list[list[float]]:
    """Return one correlation for every pair, or the square table that was pasted."""
    lines = [[cell for cell in LIST.split(line.strip()) if cell] for line in str(text or "0").splitlines()]
    lines = [cells for cells in lines if cells]
    if len(lines) == 1 and len(lines[0]) == 1:
        return amount(lines[0][0], "the correlation", 0, 1)
    if len(lines) > _MOST_CORRELATED or any(len(cells) != len(lines) for cells in lines):
        raise QuestionError("the correlation is one number from 0 to 1, or a square table of the listed buses")
    return [[amount(cell, "a correlation", -1, 1) for cell in cells] for cells in lines]


def correlation_text(correlation: Any) -> str:
    """Return the text of :func:`correlation_of` again."""
    if isinstance(correlation, int | float):
        return f"{correlation:.10g}"
    if not isinstance(correlation, Sequence) or isinstance(correlation, str):
        return "0"
    return "\n".join(" ".join(f"{value:.10g}" for value in row) for row in correlation)
