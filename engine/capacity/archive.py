"""Arrays in one ``.npz`` file without pickle, laid out so that each can be mapped into memory where it lies."""

import io
import json
import mmap
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import UncertaintyDataError

_ALIGNMENT = 64
_LOCAL_HEADER = 30  # bytes of a zip entry's header before its name
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # equal content gives equal bytes

AnyArray = npt.NDArray[Any]


def pack(arrays: Mapping[str, AnyArray], meta: Mapping[str, Any]) -> bytes:
    """Return ``arrays`` and the JSON values ``meta`` as the bytes of an uncompressed ``.npz`` file."""
    text = json.dumps(meta, sort_keys=True, allow_nan=False).encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for name, array in {**arrays, "meta": np.frombuffer(text, dtype=np.uint8)}.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=_ZIP_EPOCH)
            entry.extra = _padding(target.tell() + _LOCAL_HEADER + len(entry.filename))
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(entry, content.getbuffer())
    return target.getvalue()


def unpack(source: Path | bytes) -> tuple[dict[str, AnyArray], dict[str, Any]]:
    """Return the arrays, read-only, and the meta values of :func:`pack`; of a file, arrays stay on disk until used.

    Raises UncertaintyDataError when it is not such a file. Nothing in it is ever executed.
    """
    try:
        buffer = _view(source)
        with zipfile.ZipFile(source if isinstance(source, Path) else io.BytesIO(source)) as archive:
            arrays = {entry.filename.removesuffix(".npy"): _member(buffer, entry) for entry in archive.infolist()}
        meta = json.loads(arrays.pop("meta").tobytes())
    except (zipfile.BadZipFile, ValueError, KeyError, OSError, EOFError) as error:
        raise UncertaintyDataError(f"not a file of margins or scenarios: {error}") from None
    return arrays, meta


def _view(source: Path | bytes) -> memoryview:
    if isinstance(source, bytes):
        return memoryview(source)
    with source.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _member(buffer: memoryview, entry: zipfile.ZipInfo) -> AnyArray:
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{entry.filename} is compressed")
    header = entry.header_offset
    name_length = int.from_bytes(buffer[header + 26 : header + 28], "little")
    extra_length = int.from_bytes(buffer[header + 28 : header + 30], "little")
    start = header + _LOCAL_HEADER + name_length + extra_length
    content = buffer[start : start + entry.file_size]
    head = io.BytesIO(bytes(content[: min(len(content), 4096)]))
    if np.lib.format.read_magic(head) != (1, 0):
        raise ValueError(f"{entry.filename} has an unknown array format")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(head)
    if dtype.hasobject or fortran:
        raise ValueError(f"{entry.filename} has a type that is not plain numbers or text")
    count = int(np.prod(shape, dtype=np.int64))
    array = np.frombuffer(content, dtype=dtype, count=count, offset=head.tell()).reshape(shape)
    array.setflags(write=False)
    return array


def _padding(before: int) -> bytes:
    """Return an extra field that makes what follows it start at a multiple of the alignment."""
    length = (-(before + 4)) % _ALIGNMENT
    return b"\x00\x00" + length.to_bytes(2, "little") + b"\x00" * length
