"""The one door for network files: which reader a file needs, what is refused unread, and what is said of it."""

import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from engine.errors import FileFormatError, Problem
from engine.network.checks import check
from engine.network.csv_pair import decoded, read_csv_pair, write_csv_zip
from engine.network.geojson import read_geojson, write_geojson
from engine.network.imported import Imported
from engine.network.intake import structural_problems
from engine.network.json_file import GZIP_MAGIC, read_json, unzipped, write_json
from engine.network.losses import losses
from engine.network.matpower import read_matpower
from engine.network.matpower_writer import write_matpower
from engine.network.pandapower_json import is_pandapower, read_pandapower
from engine.network.pandapower_writer import write_pandapower
from engine.network.psse import read_psse
from engine.network.psse_writer import write_psse
from engine.network.pypsa import read_pypsa_folder, read_pypsa_netcdf
from engine.network.pypsa_files import is_netcdf, is_pypsa_folder
from engine.network.pypsa_writer import write_pypsa, write_pypsa_netcdf
from engine.network.tables import COLUMNS, NetworkTables

__all__ = ["EXACT", "FORMATS", "Format", "Imported", "not_carried", "read_network", "write_network"]

Format = Literal["matpower", "csv", "geojson", "json", "psse33", "psse34", "psse35", "pandapower", "pypsa", "pypsa_nc"]
FORMATS: Mapping[Format, str] = MappingProxyType({
    "matpower": "MATPOWER .m", "csv": "CSV (zip)", "geojson": "GeoJSON", "json": "Headroom JSON",
    "psse33": "PSS/E RAW 33", "psse34": "PSS/E RAW 34", "psse35": "PSS/E RAW 35", "pandapower": "pandapower JSON",
    "pypsa": "PyPSA CSV (zip)", "pypsa_nc": "PyPSA netCDF",
})  # fmt: skip
EXACT: tuple[Format, ...] = ("matpower", "csv", "geojson", "json")  # every cell comes back; the others keep the flows
MOST_BYTES = 40_000_000  # as sent, and unpacked; the largest public case has 23 MB
MOST_FILES = 200  # in a zip; a solved PyPSA network has some 60
MOST_RATIO = 200  # unpacked to packed; tables of numbers pack 3 to 20 times, a bomb 1,000
_MOST_BRACKETS = 3_000_000  # of a pandapower file: each row is a list, and a list costs 60 bytes
_RAW_START = re.compile(rb"\s*0\s*,\s*[\d.]+\s*,\s*3\d\s*[,/\r\n]")  # the first line of a PSS/E RAW file
_NO_FILES: Mapping[str, bytes] = MappingProxyType({})

_SINGLE = (".m", ".raw", ".nc", ".json", ".geojson")  # a zip may hold one of these
# What a file starts with, if it is surely not a network.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"\x80\x02", "a Python pickle, which is never opened"),
    (b"\x80\x03", "a Python pickle, which is never opened"),
    (b"\x80\x04", "a Python pickle, which is never opened"),
    (b"\x80\x05", "a Python pickle, which is never opened"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook: save it as CSV"),
    (b"PAR1", "a Parquet file"),
    (b"MATLAB 5.0", "a binary .mat file: save the case as .m (savecase)"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"SQLite format 3", "an SQLite database"),
    (b"7z\xbc\xaf", "a 7z archive: use zip"),
    (b"Rar!", "a RAR archive: use zip"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)


def read_network(
    filename: str, content: bytes, companions: Mapping[str, bytes] = _NO_FILES, *, snapshot: int | None = None
) -> Imported:
    """Return the network in a file, with notes on what was understood and everything :func:`check` finds.

    ``companions`` are further files of the same upload (name -> content): branches.csv beside buses.csv. Of a
    PyPSA file the ``snapshot`` of that position is read, of the largest load without one; others have none. The
    reader is chosen by the name's ending and the content. A network that has errors is returned with them, so that
    it can be mended; what is not a readable network raises FileFormatError with every problem.
    """
    files = {filename: content, **companions}
    _refuse(files)
    try:
        imported = _read(filename, files, snapshot)
    except ArithmeticError as error:  # of numbers that are themselves far out of range
        raise FileFormatError(f"{_short(filename)} has numbers that cannot be computed with: {error}") from error
    wrong = structural_problems(imported.tables)
    if wrong:
        raise FileFormatError(wrong)
    return replace(imported, problems=(*imported.problems, *check(imported.tables)))


def write_network(tables: NetworkTables, file_format: Format) -> tuple[str, bytes]:
    """Return a file name and the content of ``tables`` in one of :data:`FORMATS`.

    Raises NetworkDataError if the format cannot hold the network (MATPOWER: branches at missing buses).
    """
    stem = re.sub(r"[^\w-]+", "_", tables.name).strip("_")[:60] or "network"
    writers: Mapping[Format, tuple[str, Callable[[], bytes]]] = {
        "matpower": (".m", lambda: write_matpower(tables).encode()),
        "csv": (".zip", lambda: write_csv_zip(tables)),
        "geojson": (".geojson", lambda: write_geojson(tables)),
        "json": (".json", lambda: write_json(tables)),
        "psse33": ("-33.raw", lambda: write_psse(tables, 33).encode()),
        "psse34": ("-34.raw", lambda: write_psse(tables, 34).encode()),
        "psse35": ("-35.raw", lambda: write_psse(tables, 35).encode()),
        "pandapower": ("-pandapower.json", lambda: write_pandapower(tables)),
        "pypsa": ("-pypsa.zip", lambda: write_pypsa(tables)),
        "pypsa_nc": (".nc", lambda: write_pypsa_netcdf(tables)),
    }
    ending, write = writers[file_format]
    if file_format == "matpower":  # MATLAB calls a file by its name
        stem = re.sub(r"\W+", "_", stem, flags=re.ASCII).strip("_") or "case_network"
        stem = stem if stem[0].isalpha() else f"case_{stem}"
    with np.errstate(all="ignore"):  # what is out of range stays so, and is told when it is read
        return stem + ending, write()


def not_carried(tables: NetworkTables, file_format: Format) -> tuple[Problem, ...]:
    """Return a note for each column that ``file_format`` cannot carry exactly.

    CSV and GeoJSON drop blanks at the ends of text, and read an empty text as its column's default; most networks
    have none. For other programs' formats the network is written and read back. Raises as :func:`write_network`.
    """
    if file_format not in EXACT:
        filename, content = write_network(tables, file_format)
        return tuple(losses(tables, _read(filename, {filename: content}).tables))
    if file_format in {"matpower", "json"}:
        return ()
    notes = []
    for name, columns in COLUMNS.items():
        for column in (column for column in columns if column.kind == "text"):
            cells = tables.table(name)[column.name].tolist()
            lost = [row for row, cell in enumerate(cells) if cell != (cell.strip() or column.default)]
            if lost:
                message = f"{name}, {column.name}: {len(lost)} cells with blanks at their ends, or empty, will change"
                notes.append(Problem("not-carried", "note", message, name, lost[0], column.name))
    return tuple(notes)


def _refuse(files: Mapping[str, bytes]) -> None:
    """Raise FileFormatError for files that are too large, empty, or surely something else."""
    problems = []
    for name, content in files.items():
        short = _short(name)
        if len(content) > MOST_BYTES:
            size = len(content) / 1e6
            problems.append(f"{short} has {size:.0f} MB; {MOST_BYTES / 1e6:.0f} MB is the most")
        elif not content.strip():
            problems.append(f"{short} is empty")
        else:
            problems.extend(f"{short} is {what}" for magic, what in _FOREIGN if content.startswith(magic))
            if content[:512].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<svg")):
                problems.append(f"{short} is a web page or XML, not a network")
    if problems:
        raise FileFormatError([Problem("not-a-network", "error", text) for text in problems])


def _read(filename: str, files: Mapping[str, bytes], snapshot: int | None = None) -> Imported:
    content, stem = files[filename], _stem(filename)
    if content.startswith(b"PK\x03\x04"):
        return _read_zip(filename, content, snapshot)
    if content.startswith(GZIP_MAGIC):
        content = unzipped(content, MOST_BYTES)
        filename = filename.removesuffix(".gz")
    if is_netcdf(content):
        return read_pypsa_netcdf(content, stem, snapshot)
    ending = filename.lower().rpartition(".")[2]
    if ending in {"csv", "tsv", "txt"} or len(files) > 1:
        return read_csv_pair(files, stem)
    start = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if ending in {"json", "geojson"} or start.startswith(b"{"):
        return _read_json(content, stem)
    if ending == "m" or b"mpc." in content[:200_000] or start.startswith(b"function"):
        return _read_text(filename, content, read_matpower)
    if ending == "raw" or _RAW_START.match(start):
        return _read_text(filename, content, read_psse)
    raise FileFormatError(
        f"{_short(filename)} is not a network that can be read: send a MATPOWER .m file, a PSS/E .raw file, pandapower "
        "JSON, a PyPSA .nc file or its CSV folder in a zip, buses.csv with branches.csv (or both in a zip), GeoJSON, "
        "or a Headroom JSON file"
    )


def _read_text(filename: str, content: bytes, read: Callable[[str, str], Imported]) -> Imported:
    try:
        text, guessed = decoded(content)
    except ValueError as error:
        raise FileFormatError(f"{_short(filename)} is not text: {error}") from error
    imported = read(text, _stem(filename))
    note = Problem("encoding", "warning", "the file is not UTF-8; read as Latin-1, so check names with accents")
    return replace(imported, problems=(note, *imported.problems)) if guessed else imported


def _read_json(content: bytes, stem: str) -> Imported:
    if is_pandapower(content[:4096]):
        if content.count(b"[") + content.count(b"{") > _MOST_BRACKETS:
            raise FileFormatError(f"the JSON has more than {_MOST_BRACKETS:,} brackets")
        return read_pandapower(content, stem)
    return read_geojson(content, stem) if _is_geojson(content) else read_json(content, MOST_BYTES)


def _is_geojson(content: bytes) -> bool:
    """Tell GeoJSON from our own JSON without reading a long file twice: by its type, else by its format."""
    start = content[:4096]
    if b'"headroom-network"' in start:
        return False
    if b'"FeatureCollection"' in start:
        return True
    if content.count(b"[") > MOST_BYTES // 20:
        return True  # its reader refuses it
    try:
        parsed = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"the file is not JSON in UTF-8: {str(error)[:200]}") from error
    return not (isinstance(parsed, dict) and "format" in parsed)


def _read_zip(filename: str, content: bytes, snapshot: int | None) -> Imported:
    members = _members(filename, content)
    csv_files = {name: data for name, data in members.items() if name.lower().endswith((".csv", ".tsv"))}
    if is_pypsa_folder(csv_files):
        return read_pypsa_folder(members, _stem(filename), snapshot)
    if csv_files:
        return read_csv_pair(csv_files, _stem(filename))
    single = [name for name in members if name.lower().endswith(_SINGLE)]
    if len(single) != 1:
        endings = ", ".join(_SINGLE[:-1])
        raise FileFormatError(
            f"{_short(filename)} holds neither CSV files nor exactly one {endings} or {_SINGLE[-1]} file"
        )
    _refuse({single[0]: members[single[0]]})
    if members[single[0]].startswith((b"PK\x03\x04", GZIP_MAGIC)):
        raise FileFormatError(f"{_short(filename)} holds an archive inside the archive")
    return _read(single[0], {single[0]: members[single[0]]}, snapshot)


def _members(filename: str, content: bytes) -> dict[str, bytes]:
    """Return the files of a zip, having read no more of it than its limits allow, whatever its headers claim."""
    short = _short(filename)
    members: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir() and "__MACOSX" not in entry.filename]
            if any(entry.filename == "[Content_Types].xml" for entry in entries):
                raise FileFormatError(f"{short} is an Office document: save the sheets as CSV")
            if len(entries) > MOST_FILES:
                raise FileFormatError(f"{short} holds {len(entries)} files; {MOST_FILES} is the most")
            if any(entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for entry in entries):
                raise FileFormatError(f"{short} is packed by a method other than deflate")
            left = min(MOST_BYTES, MOST_RATIO * max(len(content), 10_000))
            for entry in entries:
                with archive.open(entry) as stream:
                    data = stream.read(left + 1)
                left -= len(data)
                if left < 0:
                    raise FileFormatError(
                        f"{short} unpacks to more than {MOST_BYTES / 1e6:.0f} MB or {MOST_RATIO} times its size"
                    )
                members[entry.filename] = data
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        reason = str(error)[:200] or "damaged"
        if "not a zip file" in reason:  # it starts like one
            reason = "it is cut off, the list of its files that stands at the end is missing"
        raise FileFormatError(f"{short} cannot be unpacked: {reason}") from error
    if not members:
        raise FileFormatError(f"{short} is an archive without files")
    return members


def _stem(filename: str) -> str:
    last = filename.replace("\\", "/").rpartition("/")[2]
    return _short(
        re.sub(r"\.(m|raw|nc|csv|tsv|txt|zip|json|geojson|gz)$", "", last.removesuffix(".gz"), flags=re.IGNORECASE)
    )


def _short(filename: str) -> str:
    shown = "".join(sign for sign in filename.replace("\\", "/").rpartition("/")[2] if sign.isprintable())
    return shown[:80] or "the file"
