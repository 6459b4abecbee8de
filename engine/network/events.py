"""The closed set of edits of a network, and the only way from and to their JSON."""

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeAlias

from engine.errors import NetworkDataError
from engine.network.tables import COLUMNS, TableName

MOST_ITEMS = 20_000  # elements, cells or moves in one event: far above any gesture, far below a denial of service
LONGEST_PASTE = 5_000_000  # characters
LONGEST_NAME = 120

Cell: TypeAlias = tuple[str, str, str | float | bool | None]  # row's id, column, what was typed
Place: TypeAlias = tuple[str, float, float]  # bus, then x and y, or longitude and latitude


class FieldError(ValueError):
    """A field of an event's JSON is of the wrong type or out of its range."""


class EditError(NetworkDataError):
    """An edit is refused; ``problems`` holds every reason with its table, row and column."""


def _table(value: object) -> TableName:
    if value not in COLUMNS:
        raise FieldError(f"one of {', '.join(COLUMNS)} is needed, found {value!r:.60}")
    return value  # type: ignore[return-value]  # a member of COLUMNS is a TableName


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise FieldError(f"text is needed, found {value!r:.60}")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise FieldError(f"a finite number is needed, found {value!r:.60}")
    return float(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise FieldError(f"true or false is needed, found {value!r:.60}")
    return value


def _optional(read: Callable[[object], Any]) -> Callable[[object], Any]:
    return lambda value: None if value is None else read(value)


def _many(read: Callable[[object], Any]) -> Callable[[object], tuple[Any, ...]]:
    def read_all(value: object) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise FieldError(f"a list is needed, found {value!r:.60}")
        if len(value) > MOST_ITEMS:
            raise FieldError(f"at most {MOST_ITEMS} items, found {len(value)}")
        return tuple(read(item) for item in value)

    return read_all


def _typed(value: object) -> str | float | bool | None:
    if value is not None and not isinstance(value, (str, int, float, bool)):
        raise FieldError(f"text, a number, true, false or nothing is needed, found {value!r:.60}")
    return value


def _cell(value: object) -> Cell:
    if not isinstance(value, (list, tuple)) or len(value) != 3:
        raise FieldError(f"row, column and value are needed, found {value!r:.60}")
    return _string(value[0]), _string(value[1]), _typed(value[2])


def _place(value: object) -> Place:
    if not isinstance(value, (list, tuple)) or len(value) != 3:
        raise FieldError(f"bus and two numbers are needed, found {value!r:.60}")
    return _string(value[0]), _number(value[1]), _number(value[2])


def _values(value: object) -> tuple[tuple[str, str | float | bool | None], ...]:
    if isinstance(value, Mapping):
        value = list(value.items())
    if not isinstance(value, (list, tuple)) or any(not isinstance(v, (list, tuple)) or len(v) != 2 for v in value):
        raise FieldError(f"column and value pairs are needed, found {value!r:.60}")
    return tuple((_string(column), _typed(cell)) for column, cell in value)


def _read(read: Callable[[object], Any]) -> Mapping[str, Any]:
    return {"read": read}


@dataclass(frozen=True, slots=True)
class AddBus:
    """A new bus, named after the highest number so far plus one, at a place on the canvas or on the map."""

    x: float | None = field(default=None, metadata=_read(_optional(_number)))
    y: float | None = field(default=None, metadata=_read(_optional(_number)))
    longitude: float | None = field(default=None, metadata=_read(_optional(_number)))
    latitude: float | None = field(default=None, metadata=_read(_optional(_number)))


@dataclass(frozen=True, slots=True)
class Connect:
    """A new branch between two buses; a parallel one gets the next circuit number."""

    from_bus: str = field(metadata=_read(_string))
    to_bus: str = field(metadata=_read(_string))


@dataclass(frozen=True, slots=True)
class Move:
    """Buses at new places: canvas x and y, or longitude and latitude when ``geographic``."""

    places: tuple[Place, ...] = field(metadata=_read(_many(_place)))
    geographic: bool = field(default=False, metadata=_read(_flag))


@dataclass(frozen=True, slots=True)
class Delete:
    """Elements taken out; a bus takes its branches and units with it, a branch its place in lists of branches."""

    buses: tuple[str, ...] = field(default=(), metadata=_read(_many(_string)))
    branches: tuple[str, ...] = field(default=(), metadata=_read(_many(_string)))
    units: tuple[str, ...] = field(default=(), metadata=_read(_many(_string)))
    interfaces: tuple[str, ...] = field(default=(), metadata=_read(_many(_string)))
    contingencies: tuple[str, ...] = field(default=(), metadata=_read(_many(_string)))


@dataclass(frozen=True, slots=True)
class EditCells:
    """New values in one table: (row's id, column, what was typed), all of them or none."""

    table: TableName = field(metadata=_read(_table))
    cells: tuple[Cell, ...] = field(metadata=_read(_many(_cell)))


@dataclass(frozen=True, slots=True)
class AddRow:
    """A new row with these values; an identifier is made when none is given."""

    table: TableName = field(metadata=_read(_table))
    values: tuple[tuple[str, str | float | bool | None], ...] = field(default=(), metadata=_read(_values))


@dataclass(frozen=True, slots=True)
class PasteRows:
    """A block of text from a spreadsheet: new rows, or over the cells from ``row`` and ``column`` on."""

    table: TableName = field(metadata=_read(_table))
    text: str = field(metadata=_read(_string))
    row: str | None = field(default=None, metadata=_read(_optional(_string)))
    column: str | None = field(default=None, metadata=_read(_optional(_string)))


@dataclass(frozen=True, slots=True)
class RenameBus:
    """A bus under a new identifier; branches and units follow."""

    bus: str = field(metadata=_read(_string))
    to: str = field(metadata=_read(_string))


@dataclass(frozen=True, slots=True)
class SetSlack:
    """The reference bus, exactly one."""

    bus: str = field(metadata=_read(_string))


@dataclass(frozen=True, slots=True)
class SetName:
    """The network's name."""

    name: str = field(metadata=_read(_string))


Event: TypeAlias = AddBus | Connect | Move | Delete | EditCells | AddRow | PasteRows | RenameBus | SetSlack | SetName
KINDS: Mapping[str, type[Event]] = {
    "add-bus": AddBus,
    "connect": Connect,
    "move": Move,
    "delete": Delete,
    "edit-cells": EditCells,
    "add-row": AddRow,
    "paste-rows": PasteRows,
    "rename-bus": RenameBus,
    "set-slack": SetSlack,
    "set-name": SetName,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


def to_json(event: Event) -> dict[str, Any]:
    """Return ``event`` as a JSON object: its ``type`` and its fields."""
    return {"type": _NAMES[type(event)]} | {f.name: getattr(event, f.name) for f in fields(event)}


def from_json(content: object) -> Event:
    """Return the event that a JSON object stands for. Raises EditError naming the field that is wrong."""
    if not isinstance(content, Mapping):
        raise EditError(f"an edit is an object with a type, found {content!r:.60}")
    kind = KINDS.get(content["type"]) if isinstance(content.get("type"), str) else None
    if kind is None:
        raise EditError(f"type: one of {', '.join(KINDS)} is needed, found {content.get('type')!r:.60}")
    known = {f.name: f for f in fields(kind)}
    for name in content:
        if name != "type" and name not in known:
            raise EditError(f"{name!s:.40}: {content['type']} has no such field")
    given = {}
    for name, part in known.items():
        if name in content:
            try:
                given[name] = part.metadata["read"](content[name])
            except ValueError as error:
                raise EditError(f"{name}: {error}") from None
    try:
        event = kind(**given)
    except TypeError:
        missing = next(name for name, part in known.items() if name not in given and part.default is MISSING)
        raise EditError(f"{missing}: {content['type']} needs it") from None
    return event
