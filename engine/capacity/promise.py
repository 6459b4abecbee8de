"""The worth of a promise as one record: measured risk, intervals of the increments, and what a reader must know."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from types import UnionType
from typing import Any, Self, Union, get_args, get_origin, get_type_hints

from engine.capacity.bootstrap import Bootstrap
from engine.capacity.risk import Risk


@dataclass(frozen=True, slots=True)
class Promise:
    """What an allocation's promise is worth."""

    risk: Risk  # on every limit the part that loads it most, where every part is promised; else everything at once
    together: Risk | None  # everything drawn at once, where ``risk`` is of the worst part
    bootstrap: Bootstrap | None  # None where only firm capacity is asked, or intervals were not asked for
    states: str  # which independent states it was judged on, in words
    warnings: tuple[str, ...]
    network_digest: str
    question_digest: str
    uncertainty_digest: str
    date: str  # UTC, ISO 8601
    time_s: float
    redispatch: bool  # units move in every state: exceeded means that no dispatch keeps every limit
    no_interval: str  # why increments that are promised have no interval

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the record of :meth:`to_json`."""
        made: Self = _made(cls, content)
        return made


def now() -> str:
    """Return the date for a record."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _made(hint: Any, value: Any) -> Any:
    """Return a JSON value as the record, tuple or plain value that ``hint`` says."""
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        if value is None:
            return None
        (hint,) = (part for part in get_args(hint) if part is not type(None))
        origin = get_origin(hint)
    if origin is tuple:
        inner = get_args(hint)[0]
        if not isinstance(value, list | tuple):
            raise TypeError(f"a list is needed, found {value!r:.40}")
        return tuple(_made(inner, entry) for entry in value)
    if isinstance(hint, type) and hasattr(hint, "__dataclass_fields__"):
        hints = get_type_hints(hint)
        return hint(**{name: _made(hints[name], entry) for name, entry in dict(value).items()})
    return value
