"""OpenDSS scripts read as text: which commands they hold, and which of them the engine may see.

Nothing of a script reaches the engine as it was written. Commands are taken apart here, compared with a list of those
that only describe a circuit, and written anew; a script that does anything else is refused with every such line.
Files are those of the upload, never of the computer: ``redirect`` and ``compile`` are followed here.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from engine.errors import FileFormatError, Problem
from engine.network.csv_pair import decoded

MOST_BYTES = 5_000_000  # of all files together
_MOST_COMMANDS = 50_000
_MOST_ELEMENTS = 20_000
_DEEPEST = 10  # redirects within redirects
_MOST_PROBLEMS = 100

_DESCRIBING = frozenset({
    "circuit", "vsource", "line", "linecode", "linegeometry", "linespacing", "wiredata", "cndata", "tsdata",
    "transformer", "xfmrcode", "load", "capacitor", "regcontrol", "generator",
})  # fmt: skip
# What only measures, plots, protects, or varies over time: the circuit of one hour is the same without it.
_LEFT_OUT = frozenset({
    "loadshape", "growthshape", "priceshape", "tshape", "xycurve", "spectrum", "tcc_curve", "monitor", "energymeter",
    "sensor", "capcontrol", "swtcontrol", "fuse", "relay", "recloser",
})  # fmt: skip
_LEFT_OUT_PROPERTIES = frozenset({
    "daily", "yearly", "duty", "growth", "spectrum", "cvrcurve", "debugtrace", "eventlog"
})  # fmt: skip
# Within one line: signs that may also be ends of lines would be tried from each empty line to the last.
_CIRCUIT = re.compile(r"(?im)^[ \t]*new[ \t]+(object[ \t]*=[ \t]*)?\"?circuit\.")
# A generator can have a program of its own loaded: only these are let through.
_GENERATOR = frozenset({
    "phases", "bus1", "kv", "kw", "pf", "model", "conn", "kvar", "maxkvar", "minkvar", "kva", "enabled", "vminpu",
    "vmaxpu", "status", "like",
})  # fmt: skip
_OPTIONS = frozenset({"defaultbasefrequency", "loadmult"})  # the engine sees these
_LEFT_OUT_OPTIONS = frozenset({
    "voltagebases", "tolerance", "maxiterations", "maxiter", "maxcontroliter", "controlmode", "algorithm",
})  # fmt: skip
_LEFT_OUT_COMMANDS = frozenset({"clear", "clearall", "calcvoltagebases", "calcv", "solve"})
_NAME = re.compile(r"[\w\-+#:]{1,100}")
_PROPERTY = re.compile(r"%?[A-Za-z][\w\-]{0,40}")
_BARE = re.compile(r"[\w.\-+*/^%:|#]{1,200}")
_QUOTED = re.compile(r"[\w.\-+*/^%:|#,\s()\[\]]{0,20000}")
_CLOSING = {"(": ")", "[": "]", "{": "}", '"': '"', "'": "'"}


@dataclass(slots=True)
class Script:
    """What a script says: commands for the engine, coordinates of buses, and what was left out."""

    commands: list[str] = field(default_factory=list)
    places: dict[str, tuple[float, float]] = field(default_factory=dict)  # by bus, in small letters
    left_out: dict[str, int] = field(default_factory=dict)  # class or property -> how often
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, place: str, text: str, code: str = "command") -> None:
        """Add a problem; past a hundred they are no longer kept."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(code, "error", f"{place}: {text}"))


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    quote: str = ""  # the sign that opened it


def read_script(files: Mapping[str, bytes], main: str = "") -> Script:
    """Return what the scripts in ``files`` (file name -> content) say, from ``main`` or the one with the circuit.

    Raises FileFormatError with every line that is refused.
    """
    size = sum(map(len, files.values()))
    if size > MOST_BYTES:
        raise FileFormatError(f"the files have {size / 1e6:.1f} MB; {MOST_BYTES / 1e6:g} MB is the most")
    texts: dict[str, str] = {}
    for name, content in files.items():
        try:
            texts[_path(name)] = decoded(content)[0]
        except ValueError as error:
            raise FileFormatError(f"{name[:80]} is not text: {error}") from None
    first = _path(main) if main else _with_circuit(texts)
    if first not in texts:
        raise FileFormatError(f"there is no file {main[:80]!r}; the script starts there")
    reader = _Reader(texts)
    reader.follow(first)
    script = reader.script
    if not script.problems and not any(command.startswith("new circuit.") for command in script.commands):
        script.refuse(first, "it makes no circuit: there is no command new circuit", "no-circuit")
    if script.problems:
        raise FileFormatError(script.problems)
    return script


def _path(name: str) -> str:
    """Return where a file is among those given, in small letters and with one kind of slash."""
    return posixpath.normpath(name.strip().lower().replace("\\", "/"))


def _with_circuit(texts: Mapping[str, str]) -> str:
    named = [name for name, text in texts.items() if _CIRCUIT.search(text)]
    if len(named) != 1:
        raise FileFormatError(f"{len(named)} of the files make a circuit; say with which the script starts")
    return named[0]


class _Reader:
    """Goes through the lines of files, one within the other."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self.script = Script()
        self.open: list[str] = []
        self.about = ""  # what "~" goes on with: "line.l1"
        self.lines = 0
        self.elements = 0
        self.size = 0  # characters read, those of a file that is called again too

    def follow(self, name: str) -> None:
        """Read one file. Raises FileFormatError where files call each other without end."""
        self.open.append(name)
        if len(self.open) > _DEEPEST or name in self.open[:-1]:
            raise FileFormatError(f"the files call each other without end: {' -> '.join(self.open)}")
        for number, line in _without_blocks(self._read(name)):
            self.lines += 1
            if self.lines > _MOST_COMMANDS:
                raise FileFormatError(f"the scripts have more than {_MOST_COMMANDS:,} lines")
            place = f"{name} line {number}"
            try:
                tokens = list(_tokens(line))
                if tokens:
                    self._command(tokens)
            except ValueError as error:
                self.script.refuse(place, str(error))
        self.open.pop()

    def _read(self, name: str) -> str:
        """Return a file's text. Raises FileFormatError where all that was read is more than files may have."""
        text = self.texts[name]
        self.size += len(text)
        if self.size > MOST_BYTES:
            raise FileFormatError(f"files that call each other again have more than {MOST_BYTES / 1e6:g} MB together")
        return text

    def _command(self, tokens: list[_Token]) -> None:
        verb = tokens[0].text.lower()
        if len(tokens) > 1 and tokens[1].text == "=" and not tokens[1].quote:
            self._by_path(tokens)
        elif verb in {"new", "edit"}:
            self._element(verb, tokens[1:])
        elif verb in {"~", "more", "m"}:
            if not self.about:
                raise ValueError("it goes on with a command that is not there")
            self._emit("edit", self.about, tokens[1:])
        elif verb == "set":
            self._options(tokens[1:])
        elif verb in {"redirect", "compile"}:
            self._redirect(verb, tokens[1:])
        elif verb == "buscoords":
            self._places(tokens[1:])
        elif verb not in _LEFT_OUT_COMMANDS:
            allowed = "new, edit, ~, set, redirect, compile, buscoords, clear, calcvoltagebases, solve"
            raise ValueError(f"the command {verb[:40]!r} is not let through; a script may have {allowed}")

    def _by_path(self, tokens: list[_Token]) -> None:
        """Take "load.a.kw=5", which edits an element."""
        path = tokens[0].text.split(".")
        if len(path) != 3:
            raise ValueError(f"{tokens[0].text[:60]!r} is not a command")
        self._element("edit", [_Token(f"{path[0]}.{path[1]}"), _Token(path[2]), *tokens[1:]])

    def _element(self, verb: str, tokens: list[_Token]) -> None:
        if len(tokens) > 2 and tokens[0].text.lower() == "object" and tokens[1].text == "=":
            tokens = tokens[2:]
        kind, _, name = (tokens[0].text if tokens else "").lower().partition(".")
        self.about = ""
        if kind in _LEFT_OUT:
            self.about = f"{kind}."
            self._count(kind)
            return
        if kind not in _DESCRIBING:
            known = ", ".join(sorted(_DESCRIBING))
            raise ValueError(f"elements of the class {kind[:40]!r} are not read; these are: {known}")
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name[:60]!r} cannot be the name of an element")
        self.about = "vsource.source" if kind == "circuit" else f"{kind}.{name}"
        self._emit(verb, f"{kind}.{name}", tokens[1:])

    def _emit(self, verb: str, element: str, tokens: list[_Token]) -> None:
        """Add a command with its properties, each of which must have a name."""
        kind = element.partition(".")[0]
        if kind in _LEFT_OUT:
            return
        told = []
        for name, value in _pairs(tokens):
            if name in _LEFT_OUT_PROPERTIES:
                self._count(name)
            elif kind == "generator" and name not in _GENERATOR:
                raise ValueError(f"the property {name[:40]!r} of a generator is not let through")
            else:
                told.append(f"{name}={_value(value)}")
        self.elements += verb == "new"
        if self.elements > _MOST_ELEMENTS:
            raise FileFormatError(f"the scripts make more than {_MOST_ELEMENTS:,} elements")
        if told or verb == "new":
            self.script.commands.append(" ".join([verb, element, *told]))

    def _count(self, what: str) -> None:
        self.script.left_out[what] = self.script.left_out.get(what, 0) + 1

    def _options(self, tokens: list[_Token]) -> None:
        for name, value in _pairs(tokens):
            if name in _OPTIONS:
                self.script.commands.append(f"set {name}={_value(value)}")
            elif name == "mode" and value.text.lower() not in {"snap", "snapshot"}:
                raise ValueError(f"the mode {value.text[:40]!r} is of many hours; a feeder is read as of one")
            elif name != "mode" and name not in _LEFT_OUT_OPTIONS:
                raise ValueError(f"the option {name[:40]!r} is not let through")

    def _redirect(self, verb: str, tokens: list[_Token]) -> None:
        self.follow(self._file(verb, tokens))

    def _file(self, verb: str, tokens: list[_Token]) -> str:
        asked = " ".join(token.text for token in tokens)
        beside = _path(posixpath.join(posixpath.dirname(self.open[-1]), _path(asked)))
        if beside in self.texts:
            return beside
        # Folders are often lost on the way: a file of that name will do, if there is one.
        name = posixpath.basename(beside)
        same = [path for path in self.texts if posixpath.basename(path) == name and path != self.open[-1]]
        if len(same) != 1:
            there = ", ".join(self.texts)
            raise ValueError(f"{verb} asks for {asked[:80]!r}, which is not among the files given: {there[:200]}")
        return same[0]

    def _places(self, tokens: list[_Token]) -> None:
        for line in self._read(self._file("buscoords", tokens)).splitlines():
            cells = re.split(r"[,;\s]+", line.strip())
            try:
                self.script.places[cells[0].lower()] = float(cells[1]), float(cells[2])
            except (IndexError, ValueError):
                continue  # a header or a comment: a place that is not known is drawn by the layout


def _without_blocks(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines outside of /* ... */ with their numbers."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if not inside and line.lstrip().startswith("/*"):
            inside = True
        if inside:
            inside = "*/" not in line
            continue
        yield number, line


def _tokens(line: str) -> Iterator[_Token]:
    """Yield the words of a line up to its comment. Raises ValueError for a quote without its end."""
    at = 0
    while at < len(line):
        sign = line[at]
        if sign.isspace() or sign == ",":
            at += 1
        elif sign == "!" or line.startswith("//", at):
            return
        elif sign in _CLOSING:
            end = line.find(_CLOSING[sign], at + 1)
            if end < 0:
                raise ValueError(f"{line[at : at + 40]!r} has no {_CLOSING[sign]!r}")
            yield _Token(line[at + 1 : end], sign)
            at = end + 1
        elif sign in "=~":
            yield _Token(sign)
            at += 1
        else:
            end = at
            while end < len(line) and not (line[end].isspace() or line[end] in ",=!~" or line.startswith("//", end)):
                end += 1
            yield _Token(line[at:end])
            at = end


def _pairs(tokens: list[_Token]) -> Iterator[tuple[str, _Token]]:
    """Yield names and values. Raises ValueError for a value without a name."""
    at = 0
    while at < len(tokens):
        name = tokens[at]
        if at + 2 >= len(tokens) or tokens[at + 1].text != "=" or tokens[at + 1].quote or name.quote:
            raise ValueError(f"{name.text[:60]!r} is not a property with a value; write name=value")
        if not _PROPERTY.fullmatch(name.text):
            raise ValueError(f"{name.text[:60]!r} is not the name of a property")
        yield name.text.lower(), tokens[at + 2]
        at += 3


def _value(token: _Token) -> str:
    """Return a value as it is written anew. Raises ValueError for signs that a value does not need."""
    allowed = _QUOTED if token.quote else _BARE
    if not allowed.fullmatch(token.text) or "//" in token.text:
        raise ValueError(f"the value {token.text[:60]!r} has signs that no value needs")
    return f"{token.quote}{token.text}{_CLOSING.get(token.quote, '')}"
