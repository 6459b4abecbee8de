"""Whether records that came from outside hold what their types say: for results that are read from a file."""

import sys
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from engine.errors import FileFormatError


def check_shape(value: object, hint: Any, where: str) -> None:
    """Raise FileFormatError naming the first part of ``value`` that is not of type ``hint``.

    Knows the types of plain records: numbers, text, tuples, mappings, literals, unions, and dataclasses of these.
    A float is finite, and may be written without a point.
    """
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        for entry in fields(hint):
            check_shape(getattr(value, entry.name), hints[entry.name], f"{where}, {entry.name}")
    elif get_origin(hint) is tuple:
        _check_tuple(value, get_args(hint), where)
    elif get_origin(hint) in {Union, types.UnionType}:
        _check_union(value, get_args(hint), where)
    elif not _is_plain(value, hint):
        raise FileFormatError(f"{where} is {str(value)[:40]!r}, which is no {getattr(hint, '__name__', hint)}")


def _check_tuple(value: object, parts: tuple[Any, ...], where: str) -> None:
    if not isinstance(value, tuple):
        raise FileFormatError(f"{where} is not a list")
    wanted = [parts[0]] * len(value) if parts[1:] == (...,) else list(parts)
    if len(value) != len(wanted):
        raise FileFormatError(f"{where} has {len(value)} items instead of {len(wanted)}")
    for position, (item, hint) in enumerate(zip(value, wanted, strict=True)):
        check_shape(item, hint, f"{where}, item {position + 1}")


def _check_union(value: object, kinds: tuple[Any, ...], where: str) -> None:
    if value is None and type(None) in kinds:
        return
    (kind,) = (kind for kind in kinds if kind is not type(None))
    check_shape(value, kind, where)


def _is_plain(value: object, hint: Any) -> bool:
    if hint is Any:
        return True
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) is not None and issubclass(get_origin(hint), Mapping):
        _, kind = get_args(hint)
        return isinstance(value, Mapping) and all(_is_plain(item, kind) for item in value.values())
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)
