"""Hours as a reader types them, and their places in a source of hours."""

import re
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from engine.errors import QuestionError
from engine.siting.case import HOURS_OF_DAY
from engine.siting.hourly_file import Stamps
from engine.siting.question import Source

YEAR = 2016
_FIRST = date(YEAR, 1, 1)
_DAYS = 366
_SPLIT = re.compile(r"[,;\n]+")
_DATED = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[ T]+(?:hour )?|/)(\d{1,2})(?::00)?")
_COUNTED = re.compile(r"(\d{1,4})/(\d{1,2})")
_PLAIN = re.compile(r"\d{1,7}")


def hours_of(text: str, source: Source, stamps: Stamps | None = None) -> tuple[int, ...]:
    """Return the positions, from 0, of typed hours: "2016-08-12 16", "225/16" (day and hour), or the number of a row.

    Raises QuestionError naming what cannot be read. Dates are of 2016; in a file an hour is a row, or a day and hour
    counted from its first row, or a date and hour where ``stamps`` (T,) say when each of its hours begins.
    """
    found = [_position(part.strip(), source, stamps) for part in _SPLIT.split(text) if part.strip()]
    return tuple(dict.fromkeys(found))


def has_dates(text: str) -> bool:
    """Return whether some of the typed hours is a date and hour."""
    return any(_DATED.fullmatch(part.strip()) for part in _SPLIT.split(text))


def hours_text(hours: Sequence[int], source: Source) -> str:
    """Return hours as :func:`hours_of` reads them."""
    if source != "2016":
        return ", ".join(f"{hour + 1}" for hour in hours)
    return ", ".join(f"{_FIRST + timedelta(days=hour // HOURS_OF_DAY)} {hour % HOURS_OF_DAY + 1}" for hour in hours)


def _position(text: str, source: Source, stamps: Stamps | None) -> int:
    if dated := _DATED.fullmatch(text):
        year, month, day, hour = (int(part) for part in dated.groups())
        try:
            when = date(year, month, day)
        except ValueError:
            raise QuestionError(f"hour {text!r}: there is no such date") from None
        if source == "file" and stamps is not None:
            return _row(when, hour, stamps, text)
        if source != "2016" or year != YEAR:
            raise QuestionError(f"hour {text!r}: dates are of {YEAR}; choose a file for the dates of its own hours")
        return _at((when - _FIRST).days + 1, hour, text)
    if counted := _COUNTED.fullmatch(text):
        return _at(int(counted[1]), int(counted[2]), text, most=_DAYS if source == "2016" else 10_000)
    if _PLAIN.fullmatch(text) and int(text) > 0:
        return int(text) - 1
    raise QuestionError(f"an hour is a date and an hour such as {YEAR}-08-12 16, or a day and an hour such as 225/16, "
                        f"not {text[:40]!r}")  # fmt: skip


def _row(when: date, hour: int, stamps: Stamps, text: str) -> int:
    """Return the row of a file whose hour is that of a day, 1 to 24: it begins at the clock hour before it."""
    found = np.flatnonzero(stamps == np.datetime64(when, "h") + hour - 1)
    if not found.size or not 1 <= hour <= HOURS_OF_DAY:
        first, last = (f"{str(at)[:10]} {int(str(at)[11:13]) + 1}" for at in (stamps[0], stamps[-1]))
        raise QuestionError(f"hour {text!r}: the file's hours are {first} to {last}")
    return int(found[0])


def _at(day: int, hour: int, text: str, most: int = _DAYS) -> int:
    if not 1 <= day <= most or not 1 <= hour <= HOURS_OF_DAY:
        raise QuestionError(f"hour {text!r}: a day of 1 to {most}, an hour of 1 to {HOURS_OF_DAY}")
    return (day - 1) * HOURS_OF_DAY + hour - 1
