"""PSS/E RAW files (revisions 33, 34 and 35) as records: where each section starts, and what a field is called.

Source of the layouts: the published data format of power flow raw data files, revisions 33 to 35 (PSS/E
Program Operation Manual, chapter "Power Flow Raw Data File"; the RAWX data dictionary for revision 35).
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from engine.errors import FileFormatError
from engine.network.intake import Intake

VERSIONS = (33, 34, 35)
MOST_LINES = 1_500_000
_LONGEST_LINE = 20_000
_MOST_FIELDS = 400  # of a record; the longest of the format has 46
# One token: quoted text, a comma, a slash that starts a comment, or anything up to the next of them.
_TOKEN = re.compile(r"""'([^']*)'|"([^"]*)"|(,)|(/)|([^\s,/'"]+)|(['"])""")
_BEGIN = re.compile(r"BEGIN\s+(.+?)(?:\s+DATA\b|\s*$)", re.IGNORECASE)

_OWNERS = "O1 F1 O2 F2 O3 F3 O4 F4"
_RATES_33 = "RATE1 RATE2 RATE3"
_RATES_34 = " ".join(f"RATE{at}" for at in range(1, 13))
_BUS = "I NAME BASKV IDE AREA ZONE OWNER VM VA NVHI NVLO EVHI EVLO"
_LOAD = "I ID STAT AREA ZONE PL QL IP IQ YP YQ OWNER SCALE INTRPT"
_UNIT_34 = f"I ID PG QG QT QB VS IREG MBASE ZR ZX RT XT GTAP STAT RMPCT PT PB {_OWNERS} WMOD WPF"
_UNIT_35 = f"I ID PG QG QT QB VS IREG NREG MBASE ZR ZX RT XT GTAP STAT RMPCT PT PB BASLOD {_OWNERS} WMOD WPF"
_BRANCH_33 = f"I J CKT R X B {_RATES_33} GI BI GJ BJ STAT MET LEN {_OWNERS}"
_BRANCH_34 = f"I J CKT R X B NAME {_RATES_34} GI BI GJ BJ STAT MET LEN {_OWNERS}"
_WINDING_33 = f"WINDV NOMV ANG {_RATES_33} COD CONT RMA RMI VMA VMI NTP TAB CR CX CNXA"
_WINDING_34 = f"WINDV NOMV ANG {_RATES_34} COD CONT RMA RMI VMA VMI NTP TAB CR CX CNXA"
_WINDING_35 = f"WINDV NOMV ANG {_RATES_34} COD CONT NODE RMA RMI VMA VMI NTP TAB CR CX CNXA"

# The fields of each kind of record, by revision; a revision that is missing is laid out as the one before it.
_LAYOUTS: Mapping[str, Mapping[int, str]] = {
    "bus": {33: _BUS},
    "load": {33: _LOAD, 34: f"{_LOAD} DGENP DGENQ DGENM"},
    "fixed shunt": {33: "I ID STAT GL BL"},
    "generator": {33: _UNIT_34, 34: f"{_UNIT_34} NREG", 35: _UNIT_35},
    "branch": {33: _BRANCH_33, 34: _BRANCH_34},
    "switching device": {34: f"I J CKT X {_RATES_34} STAT NSTAT MET STYPE NAME"},
    "transformer": {33: f"I J K CKT CW CZ CM MAG1 MAG2 NMETR NAME STAT {_OWNERS} VECGRP ZCOD"},
    "transformer impedance": {33: "R12 X12 SBASE12 R23 X23 SBASE23 R31 X31 SBASE31 VMSTAR ANSTAR"},
    "winding": {33: _WINDING_33, 34: _WINDING_34, 35: _WINDING_35},
    "area": {33: "I ISW PDES PTOL NAME"},
    "zone": {33: "I NAME"},
    "two-terminal dc": {33: "NAME MDC RDC SETVL VSCHD VCMOD RCOMP DELTI METER DCVMIN CCCITMX CCCACC"},
    "dc converter": {33: "I"},
    "vsc dc": {33: f"NAME MDC RDC {_OWNERS}"},
    "vsc converter": {33: "I TYPE MODE DCSET ACSET ALOSS BLOSS MINLOSS SMAX IMAX PWF"},
    "facts": {33: "NAME I J MODE PDES QDES VSET SHMX TRMX VTMN VTMX VSMX IMX LINX"},
    "switched shunt": {33: "I"},
    "induction machine": {33: "I ID STAT"},
    "substation": {34: "IS NAME LATI LONG SGR"},
    "substation node": {34: "NI NAME I STAT VM VA"},
}

# The order of the sections where a file does not say what begins.
_ORDER_33 = (
    "bus", "load", "fixed shunt", "generator", "branch", "transformer", "area", "two-terminal dc", "vsc dc",
    "impedance correction", "multi-terminal dc", "multi-section line", "zone", "inter-area transfer", "owner",
    "facts", "switched shunt", "gne", "induction machine",
)  # fmt: skip
_ORDER_34 = ("system-wide", *_ORDER_33[:5], "switching device", *_ORDER_33[5:], "substation")
_PAST = "?past the end"
# What a file must tell to its end: these have all loads, units and branches.
_NEEDED = {"system-wide", *_ORDER_33[:6], "switching device"}
# What a terminator may call the section that begins, tried in this order.
_NAMES = (
    ("system-wide", "SYSTEM-WIDE"), ("switching device", "SYSTEM SWITCHING"),
    ("impedance correction", "TRANSFORMER IMPEDANCE"), ("transformer", "TRANSFORMER"),
    ("branch", "BRANCH"), ("fixed shunt", "FIXED"), ("switched shunt", "SWITCHED"), ("bus", "BUS"),
    ("induction machine", "INDUCTION"), ("multi-terminal dc", "MULTI-TERMINAL"), ("two-terminal dc", "TWO-TERMINAL"),
    ("multi-section line", "MULTI-SECTION"), ("vsc dc", "VSC"), ("vsc dc", "VOLTAGE SOURCE"),
    ("impedance correction", "IMPEDANCE"), ("inter-area transfer", "INTER-AREA"), ("inter-area transfer", "INTERAREA"),
    ("facts", "FACTS"), ("gne", "GNE"), ("gne", "GENERIC"), ("load", "LOAD"), ("generator", "GENERATOR"),
    ("area", "AREA"), ("zone", "ZONE"), ("owner", "OWNER"), ("substation", "SUBSTATION"),
)  # fmt: skip
_LINE_NAMES = ("NON-TRANSFORMER BRANCH", "NONTRANSFORMER BRANCH")
_NEXT_BLOCK = {
    "substation node": "substation switching device",
    "substation switching device": "substation terminal",
    "substation terminal": "substation",
}


def layout(kind: str, version: int) -> tuple[str, ...]:
    """Return the names of the fields of a kind of record in a revision of the format."""
    by_version = _LAYOUTS[kind]
    return tuple(by_version[max(known for known in by_version if known <= version)].split())


@dataclass(frozen=True, slots=True)
class Line:
    """The fields of one line, None where one is left to its default, and where it stands."""

    number: int
    fields: list[str | None]


@dataclass(frozen=True, slots=True)
class Record:
    """One record by the names of its fields; what cannot be read goes to the intake's problems."""

    kind: str
    number: int
    values: Mapping[str, str | None]
    intake: Intake

    @property
    def place(self) -> str:
        """Return where the record stands, for a message."""
        return f"line {self.number}, {self.kind}"

    def real(self, name: str, default: float = 0.0) -> float:
        """Return a number; the default if the field is empty or cut off."""
        text = self.values.get(name)
        if text is None or not text.strip():
            return default
        try:
            value = float(text.replace("D", "E").replace("d", "e"))
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or "_" in text:
            self.intake.wrong("number", f"{self.place}: {name} is {text[:40]!r}, not a number")
            return default
        return value

    def whole(self, name: str, default: int = 0) -> int:
        """Return a whole number; the default if the field is empty or cut off."""
        value = self.real(name, default)
        if value != math.floor(value) or abs(value) > 1e9:
            self.intake.wrong("number", f"{self.place}: {name} is {value:g}, not a whole number")
            return default
        return int(value)

    def text(self, name: str, default: str = "") -> str:
        """Return a text without the blanks at its ends."""
        text = self.values.get(name)
        return default if text is None else text.strip() or default

    def bus(self, name: str = "I") -> str:
        """Return a bus number as our identifier; a minus only marks the metered end of a branch."""
        text = self.text(name)
        if text and not text.lstrip("+-").isdigit():
            self.intake.wrong("bus", f"{self.place}: bus {text[:40]!r} is not a number (buses by name are not read)")
            return ""
        number = abs(self.whole(name))
        if not number:
            self.intake.wrong("bus", f"{self.place}: {name} is not a bus number")
        return str(number) if number else ""


@dataclass(slots=True)
class RawFile:
    """The lines of a RAW file by section, with the numbers of its first line."""

    version: int = 33
    base_mva: float = 100.0
    title: str = ""
    remark: str = ""  # the second title
    sections: dict[str, list[Line]] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)  # sections that are not known -> lines

    def records(self, kind: str, intake: Intake, section: str | None = None) -> Iterator[Record]:
        """Yield the records of a section that has one line for each."""
        for line in self.sections.get(section or kind, []):
            yield self.record(kind, line, intake)

    def record(self, kind: str, line: Line, intake: Intake) -> Record:
        """Return a line under the names of its kind."""
        return Record(kind, line.number, dict(zip(layout(kind, self.version), line.fields, strict=False)), intake)


def read_sections(text: str, intake: Intake) -> RawFile:
    """Return the sections of a RAW file. Raises FileFormatError if it is no RAW file of a revision that is read."""
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        raise FileFormatError(f"the file has {len(lines):,} lines; {MOST_LINES:,} is the most")
    start = next((at for at, line in enumerate(lines) if line.strip() and not line.startswith("@!")), len(lines))
    raw = _first_line(lines[start] if start < len(lines) else "")
    titles = [" ".join(line.split()) for line in lines[start + 1 : start + 3] if line.strip()]
    raw.title, raw.remark = titles[0] if titles else "", titles[1] if len(titles) > 1 else ""
    sorter = _Sorter(raw)
    for number, line in enumerate(lines[start + 3 :], start + 4):
        if line.strip().upper() == "Q":
            return raw
        if line.strip() and not line.startswith("@!"):
            fields, comment = _fields(line, number, intake)
            if fields:
                sorter.take(Line(number, fields), comment)
    if sorter.section in _NEEDED:
        intake.wrong("truncated", f"the file ends inside its {sorter.section} data, before all branches are told")
    elif sorter.section != _PAST:
        message = (
            f"the file ends in its {sorter.section.lstrip('?').lower()} data, without the Q that ends a whole file"
        )
        intake.note("truncated", f"{message}: what follows there is not known", severity="warning")
    return raw


class _Sorter:
    """Puts each line into its section."""

    def __init__(self, raw: RawFile) -> None:
        self.raw = raw
        self.all = _ORDER_33 if raw.version == 33 else _ORDER_34
        self.order = iter(self.all)
        self.section = next(self.order)
        self.block = "substation"  # of the substation section: each substation has blocks that end with zeros

    def take(self, line: Line, comment: str) -> None:
        """Keep a record, or go on to the next section at the zero that ends one."""
        first, *others = line.fields
        if first == "0" and not any(others):
            if self.section == "substation" and self.block != "substation":
                self.block = _NEXT_BLOCK[self.block]
            else:
                self.section, self.block = self._next(comment), "substation"
            return
        if self.section == "system-wide" and (first or "").isdigit():
            self.section = next(self.order)  # a file without that section
        if self.section.startswith("?"):
            self.raw.skipped[self.section[1:]] = self.raw.skipped.get(self.section[1:], 0) + 1
            return
        kind = self.block if self.section == "substation" else self.section
        self.raw.sections.setdefault(kind, []).append(line)
        if kind == "substation":
            self.block = "substation node"

    def _next(self, comment: str) -> str:
        """Return the section that a terminator names, else the next one in the format's order."""
        begins = _BEGIN.search(comment)
        if not begins:
            return next(self.order, _PAST)
        name = begins[1].strip().upper()
        named = (section for section, word in _NAMES if name.startswith(word))
        known = "branch" if name in _LINE_NAMES else next(named, "")
        if known in self.all:  # so that a terminator without words after this one is understood
            self.order = iter(self.all[self.all.index(known) + 1 :])
        return known or f"?{name[:60]}"


def _first_line(line: str) -> RawFile:
    fields = [part.strip() for part in line.partition("/")[0].replace(",", " ").split()]
    try:
        change, base_mva = int(fields[0]), float(fields[1])
    except (IndexError, ValueError):
        raise FileFormatError("the file is no PSS/E RAW file: its first line gives no IC and SBASE") from None
    if change != 0:
        raise FileFormatError(f"IC is {change}: the file adds to a case that is not in it; save the whole case")
    named = re.search(r"PSS\W*(?:\(\w+\)|®|™)?\W*E?\W*-?\s*(\d\d)", line.partition("/")[2])
    revision = fields[2] if len(fields) > 2 else named[1] if named else ""
    if revision.removesuffix(".0") not in {str(version) for version in VERSIONS}:
        given = f"revision {revision[:10]}" if revision else "no revision"
        raise FileFormatError(f"the RAW file has {given}; revisions 33, 34 and 35 are read: save it as one of them")
    if not (math.isfinite(base_mva) and base_mva > 0):
        raise FileFormatError(f"the system base SBASE is {base_mva:g} MVA; it must be above 0")
    return RawFile(int(float(revision)), base_mva)


def _fields(line: str, number: int, intake: Intake) -> tuple[list[str | None], str]:
    """Return the fields of a line, apart by commas or blanks, and the comment after a slash."""
    if len(line) > _LONGEST_LINE:
        intake.wrong("line", f"line {number} has {len(line):,} characters; {_LONGEST_LINE:,} is the most")
        return [], ""
    fields: list[str | None] = []
    waiting = True  # for the field that follows a comma, which may be empty
    for match in _TOKEN.finditer(line):
        kind = match.lastindex
        if kind == 3:
            if waiting:
                fields.append(None)
            waiting = True
        elif kind == 4:
            return fields[:_MOST_FIELDS], line[match.end() :]
        elif kind == 6:
            intake.wrong("quotes", f"line {number}: a text without its closing quote")
            return fields[:_MOST_FIELDS], ""
        else:
            fields.append(match[kind or 0])
            waiting = False
    return fields[:_MOST_FIELDS], ""
