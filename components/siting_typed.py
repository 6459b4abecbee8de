"""What a reader types into the siting question, read part by part: numbers, shares, hours, problems kept together."""

from collections.abc import Callable
from typing import Any

from engine.errors import EngineError, QuestionError

ANY_SPACE = str.maketrans({"\u2009": "", "\u00a0": " ", "%": " "})


class Problems(list[str]):
    """Reads one control after the other, and keeps what is wrong with each: all is told at once."""

    def read(self, made: Callable[[], Any], instead: Any) -> Any:
        """Return what ``made`` reads; where that is refused, note why and return ``instead``."""
        try:
            return made()
        except EngineError as error:
            self.append(str(error))
            return instead

    def told(self) -> None:
        """Raise QuestionError with everything noted."""
        if self:
            raise QuestionError("; ".join(dict.fromkeys(self)))


def numbers(text: Any, what: str, *, least: float, most: float) -> list[float]:
    """Return a typed list of numbers, each once. Raises QuestionError naming the one that is none or outside."""
    parts = str(text or "").translate(ANY_SPACE).replace(";", ",").replace(",", " ").split()
    found = [amount(part, what, least, most) for part in parts]
    if not found:
        raise QuestionError(f"give a {what}")
    return list(dict.fromkeys(found))


def peak_of(text: str) -> tuple[int, ...]:
    """Return hours of the day typed as "16-19" or "7, 8, 18". Raises QuestionError for anything else."""
    found: set[int] = set()
    for part in text.replace("\u2013", "-").replace(";", ",").replace(",", " ").split():
        first, dash, last = part.partition("-")
        if not first.isdigit() or (dash and not last.isdigit()) or not 1 <= int(first) <= int(last or first) <= 24:
            raise QuestionError(f"peak hours are hours of the day such as 16-19 or 7, 8, 18, not {part[:20]!r}")
        found |= set(range(int(first), int(last or first) + 1))
    return tuple(sorted(found))


def share_of(value: Any, what: str, least: float, most: float) -> float:
    """Return a share typed in per cent. Raises QuestionError naming what is none or outside."""
    return round(amount(value, f"{what} in per cent", least, most) / 100.0, 12)


def amount(value: Any, what: str, least: float, most: float) -> float:
    """Return a typed number. Raises QuestionError naming what is none or outside its limits."""
    try:
        found = float(str(value).translate(ANY_SPACE).strip())
    except ValueError:
        if value in (None, ""):  # a box sends nothing for what is no number, or outside its bounds
            raise QuestionError(f"the {what} is a number from {least:g} to {most:g}") from None
        raise QuestionError(f"the {what} is a number, not {str(value)[:40]!r}") from None
    if not least <= found <= most:
        raise QuestionError(f"the {what} is {found:g}: {least:g} to {most:g}")
    return found


def percent(share: float) -> float:
    """Return a share in per cent, without the noise of its last digits."""
    return round(100.0 * share, 9)


def percent_text(share: float) -> str:
    """Return it as a reader would type it."""
    return f"{round(100.0 * share, 9):g}"
