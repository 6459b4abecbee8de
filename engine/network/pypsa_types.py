"""Standard types of lines and transformers, which PyPSA's files name without repeating their numbers."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.resources import files
from typing import Any

from engine.network.foreign import Row


@dataclass(frozen=True, slots=True)
class LineType:
    """Ohm and nF per km, and Hz."""

    f_nom: float
    r_per_length: float
    x_per_length: float
    c_per_length: float

    def of(self, length: float, parallel: float) -> tuple[float, float, float]:
        """Return resistance and reactance in ohm, susceptance in siemens, of so many parallel lines of so many km."""
        parallel = parallel or math.inf
        susceptance = 2e-9 * math.pi * self.f_nom * self.c_per_length * length * parallel
        return (
            self.r_per_length * length / parallel,
            self.x_per_length * length / parallel,
            susceptance if math.isfinite(susceptance) else 0.0,
        )


@dataclass(frozen=True, slots=True)
class TransformerType:
    """MVA, short-circuit voltages in percent, degrees, tap steps in percent."""

    s_nom: float
    vsc: float
    vscr: float
    phase_shift: float
    tap_neutral: float
    tap_step: float

    def of(self, parallel: float) -> tuple[float, float]:
        """Return resistance and reactance of so many parallel transformers, in pu of the rating of one."""
        parallel = parallel or math.inf
        r = self.vscr / 100
        x = math.sqrt(max((self.vsc / 100) ** 2 - r**2, 0.0))
        return r / parallel, x / parallel

    def ratio(self, position: float) -> float:
        """Return the tap ratio at a position."""
        return 1 + (position - self.tap_neutral) * self.tap_step / 100


def line_types(given: Iterable[Row]) -> dict[str, LineType]:
    """Return the standard line types and those of a file, by name."""
    return {**_standard()[0], **{str(row.index): LineType(*_numbers(row, LineType)) for row in given}}


def transformer_types(given: Iterable[Row]) -> dict[str, TransformerType]:
    """Return the standard transformer types and those of a file, by name."""
    own = {str(row.index): TransformerType(*_numbers(row, TransformerType)) for row in given if row.number("s_nom") > 0}
    return {**_standard()[1], **own}


def _numbers(row: Row, kind: Any) -> list[float]:
    return [row.number(entry.name) for entry in fields(kind)]


@lru_cache(maxsize=1)
def _standard() -> tuple[dict[str, LineType], dict[str, TransformerType]]:
    content = json.loads((files("engine.data") / "pypsa_types.json").read_text(encoding="utf-8"))
    lines = {name: LineType(*_picked(numbers, LineType)) for name, numbers in content["lines"].items()}
    transformers = {
        name: TransformerType(*_picked(numbers, TransformerType)) for name, numbers in content["transformers"].items()
    }
    return lines, transformers


def _picked(numbers: Any, kind: Any) -> list[float]:
    return [numbers[entry.name] for entry in fields(kind)]
