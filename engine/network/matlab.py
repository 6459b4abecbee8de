"""The part of the MATLAB language that data files are written in: a reader that evaluates nothing.

It understands comments, block comments, continuations, and assignments of numbers, text, numeric matrices
and cell arrays of text to the fields of one structure. Every other statement is handed back with its line,
so that a caller can recognise it or refuse it. Time and memory are linear in the size of the text.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from engine.errors import Problem
from engine.network.arithmetic import ExpressionError, Parser
from engine.network.tables import MOST_ROWS

MOST_PROBLEMS = 200  # a damaged file yields one problem per row; past this they help nobody
MOST_STATEMENTS = 1_000  # tables included; a published case has some twenty
MOST_LINES = 2_000_000
LONGEST_LINE = 2_000_000  # characters
LONGEST_ROW = 10_000  # numbers or texts; the longest of a public case has 44
LONGEST_EXPRESSION = 100  # characters, of a cell
MOST_EXPRESSIONS = 20_000  # cells such as 50/3; each takes as long as a hundred plain numbers
LONGEST_STATEMENT = 5_000  # characters; a statement is a line of code, data stand in brackets

_SPACES = ((re.compile(r"(\w) \("), r"\1("), (re.compile(r"([(\[]) "), r"\1"), (re.compile(r" ([)\],])"), r"\1"))
_SHORT = 20  # tokens of an assignment that may be a plain number
_ASSIGN = re.compile(r"([A-Za-z]\w*(?:\.[A-Za-z]\w*)*)[ \t]*=(?!=)[ \t]*", re.ASCII)
_NUMBER_IN_CELL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?=[\s,;}%]|$)", re.ASCII)
_TOKEN = re.compile(
    r"[A-Za-z]\w*(?:\.[A-Za-z]\w*)*|(?:\d+(?:\.(?![*/^.])\d*)?|\.\d+)(?:[eEdD][+-]?\d+)?|\.[*/^]|\S", re.ASCII
)


@dataclass(slots=True)
class NumberRows:
    """A numeric matrix as it stands in the file: its rows may differ in length."""

    line: int  # where it opens, counted from 1
    rows: list[list[float]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)  # the line of each row


@dataclass(slots=True)
class TextRows:
    """A cell array of text, row by row."""

    line: int
    rows: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that is not plain data, as its tokens."""

    line: int
    tokens: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return the statement on one line, spaced as people write."""
        text = " ".join(self.tokens)
        for pattern, tight in _SPACES:
            text = pattern.sub(tight, text)
        return text


FieldValue = NumberRows | TextRows | float | str


@dataclass(slots=True)
class DataFile:
    """What a data file assigns, and every place where it could not be read."""

    function: str = ""
    structure: str = ""  # the name of the structure whose fields are assigned, usually mpc
    fields: dict[str, FieldValue] = field(default_factory=dict)  # by name without the structure's
    field_lines: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, code: str, line: int, message: str) -> None:
        """Add a problem at a line of the file, up to MOST_PROBLEMS of them."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(code, "error", f"line {line}: {message}"))


def read_data_file(text: str, execute: Callable[[DataFile, Statement], None]) -> DataFile:
    """Return the data in ``text``; ``execute`` is given each other statement, in the order of the file."""
    return _Reader(text, execute).read()


def as_number(token: str) -> float | None:
    """Return the value of a numeric literal, or of a short expression such as ``-50/3``, else None."""
    if not token.isascii() or "_" in token:
        return None
    try:
        return float(token)
    except ValueError:
        if len(token) > LONGEST_EXPRESSION:
            return None
    try:
        return float(Parser(_TOKEN.findall(token)).value()[0, 0])
    except ExpressionError:
        return None


class _Reader:
    """One pass over the lines; ``row`` and ``column`` are where the next character is read."""

    def __init__(self, text: str, execute: Callable[[DataFile, Statement], None]) -> None:
        plain = text.replace("\r\n", "\n").replace("\r", "\n")
        self.line_count = plain.count("\n")
        self.lines = _without_block_comments(plain.split("\n")) if self.line_count <= MOST_LINES else [""]
        self.execute = execute
        self.file = DataFile()
        self.row = self.column = self.statements = self.expressions = 0

    def read(self) -> DataFile:
        if self.line_count > MOST_LINES:
            self.file.problem("lines", 1, f"{self.line_count:,} lines follow; {MOST_LINES:,} is the most")
            return self.file
        if (longest := max(map(len, self.lines))) > LONGEST_LINE:
            self.file.problem("long-line", 1, f"a line of {longest:,} characters; {LONGEST_LINE:,} is the most")
            return self.file
        while self.row < len(self.lines) and len(self.file.problems) < MOST_PROBLEMS:
            line = self.lines[self.row]
            while self.column < len(line) and line[self.column] in " \t;,\f\v":
                self.column += 1
            if self.column >= len(line) or line[self.column] == "%" or line.startswith("...", self.column):
                self._next_line()
                continue
            self._statement(line)
        return self.file

    def _next_line(self) -> None:
        self.row += 1
        self.column = 0

    def _statement(self, line: str) -> None:
        self.statements += 1
        if self.statements > MOST_STATEMENTS:
            self.file.problem("program", self.row + 1, f"more than {MOST_STATEMENTS:,} statements: this is a program")
            self.row = len(self.lines)
            return
        match = _ASSIGN.match(line, self.column)
        opener = line[match.end() : match.end() + 1] if match else ""
        number = self.row + 1
        if match is None or opener not in {"[", "{", "'", '"'}:
            self._other_statement()
            return
        structure, _, name = match[1].partition(".")
        self.column = match.end() + 1
        value: FieldValue | None
        if opener == "[":
            value = self._matrix(match[1])
        elif opener == "{":
            value = self._cells(match[1])
        else:
            value = self._string(opener)
        if value is not None:
            self._nothing_follows(match[1])
            self._store(structure, name, value, number)

    def _store(self, structure: str, name: str, value: FieldValue, line: int) -> None:
        if not name:
            self.execute(self.file, Statement(line, (structure, "=", "[", "...", "]")))
            return
        if not self.file.structure:
            self.file.structure = structure
        if structure != self.file.structure:
            self.file.problem("other-structure", line, f"{structure}.{name} is not a field of {self.file.structure}")
            return
        self.file.fields[name] = value
        self.file.field_lines[name] = line

    def _nothing_follows(self, name: str) -> None:
        """Report an operator after a literal: the value would not be what is written in the brackets."""
        if self.row >= len(self.lines):
            return
        rest = self.lines[self.row][self.column : self.column + 100].lstrip()
        if rest and rest[0] not in ";,%" and not rest.startswith("..."):
            self.file.problem("expression", self.row + 1, f"{rest[:40]!r} after the value of {name} is not understood")
            self.column = len(self.lines[self.row])

    def _matrix(self, name: str) -> NumberRows | None:
        matrix = NumberRows(self.row + 1)
        current: list[float] = []
        while self.row < len(self.lines):
            body, end, continued = self._matrix_part()
            if "[" in body or "=" in body:
                self.file.problem("open-matrix", self.row + 1, f"{name}, opened on line {matrix.line}, is not closed")
                self.row, self.column = max(self.row, matrix.line), 0  # go on with the next assignment
                return None
            pieces = body.replace(",", " ").split(";")
            for position, piece in enumerate(pieces):
                current.extend(self._numbers(piece, name))
                if too_large := _too_large(matrix.rows, current):
                    self.file.problem("too-large", self.row + 1, f"{name} {too_large}")
                    self.row = len(self.lines)
                    return None
                row_ends = position < len(pieces) - 1 or end >= 0 or not continued
                if row_ends and current:
                    matrix.rows.append(current)
                    matrix.lines.append(self.row + 1)
                    current = []
            if end >= 0:
                self.column = end + 1
                return matrix
            self._next_line()
        self.file.problem("truncated", matrix.line, f"{name} is not closed before the end of the file")
        return None

    def _matrix_part(self) -> tuple[str, int, bool]:
        """Return the matrix's text on this line, where its bracket closes (-1: not here), and if it continues."""
        line = self.lines[self.row]
        end = line.find("]", self.column)
        body = line[self.column : end] if end >= 0 else line[self.column :]
        comment, dots = body.find("%"), body.find("...")
        if dots >= 0 and (comment < 0 or dots < comment):
            return body[:dots], -1, True
        if comment >= 0:
            return body[:comment], -1, False
        return body, end, False

    def _numbers(self, piece: str, name: str) -> list[float]:
        tokens = piece.split()
        if piece.isascii() and "_" not in piece:
            try:
                return [*map(float, tokens)]
            except ValueError:
                pass
        numbers = []
        for token in tokens:
            value = self._number(token)
            if value is None:
                self.file.problem("number", self.row + 1, f"{token[:40]!r} in {name} is not a number")
            numbers.append(0.0 if value is None else value)
            if len(self.file.problems) >= MOST_PROBLEMS:
                break
        return numbers

    def _number(self, token: str) -> float | None:
        try:
            return float(token) if token.isascii() and "_" not in token else None
        except ValueError:
            self.expressions += 1
        if self.expressions == MOST_EXPRESSIONS:
            self.file.problem("expressions", self.row + 1, f"more than {MOST_EXPRESSIONS:,} cells are no plain numbers")
        return as_number(token) if self.expressions < MOST_EXPRESSIONS else 0.0

    def _cells(self, name: str) -> TextRows | None:
        cells = TextRows(self.row + 1)
        current: list[str] = []
        while self.row < len(self.lines):
            line = self.lines[self.row]
            here = line[self.column : self.column + 1]
            if here in {"", "%", ";", "}"} and current:
                cells.rows.append(current)
                current = []
            if too_large := _too_large(cells.rows, current):
                self.file.problem("too-large", self.row + 1, f"{name} {too_large}")
                self.row = len(self.lines)
                return None
            if here in {"", "%"}:
                self._next_line()
            elif here == "}":
                self.column += 1
                return cells
            elif here in {"'", '"'}:
                self.column += 1
                current.append(self._string(here) or "")
            elif here in " \t,;":
                self.column += 1
            elif line.startswith("...", self.column):
                self.row, self.column = self.row + 1, 0
            elif not self._number_cell(current, name):
                return None
        self.file.problem("truncated", cells.line, f"{name} is not closed before the end of the file")
        return None

    def _number_cell(self, row: list[str], name: str) -> bool:
        """Add the number that stands here to ``row``, as text; else report it, skip the rest and return False."""
        line = self.lines[self.row]
        if number := _NUMBER_IN_CELL.match(line, self.column):
            row.append(number[0])
            self.column = number.end()
            return True
        self.file.problem(
            "cell", self.row + 1, f"{line[self.column : self.column + 40]!r} in {name} is not text in quotes"
        )
        while self.row < len(self.lines) and "}" not in self.lines[self.row]:
            self._next_line()
        self._next_line()
        return False

    def _string(self, quote: str) -> str | None:
        """Return the text up to the closing quote; a doubled quote stands for one."""
        line, parts = self.lines[self.row], []
        while True:
            end = line.find(quote, self.column)
            if end < 0:
                self.file.problem("open-text", self.row + 1, f"text without its closing {quote}")
                self.column = len(line)
                return None
            parts.append(line[self.column : end])
            self.column = end + 1
            if not line.startswith(quote, self.column):
                return "".join(parts)
            parts.append(quote)
            self.column += 1

    def _other_statement(self) -> None:
        start, tokens = self.row + 1, self._tokens()
        if not tokens:
            return
        if tokens[:1] == ["function"]:
            self._function_line(start, tokens)
            return
        statement = Statement(start, tuple(tokens))
        structure, _, name = statement.tokens[0].partition(".")
        if name and statement.tokens[1:2] == ("=",) and len(tokens) <= _SHORT:
            try:
                value = Parser(statement.tokens[2:]).value()
            except ExpressionError:
                pass  # it says more than a number: for the caller
            else:
                self._store(structure, name, float(value[0, 0]), start)
                return
        self.execute(self.file, statement)

    def _function_line(self, line: int, tokens: list[str]) -> None:
        if self.file.function:
            self.file.problem("second-function", line, "a second function: only one function of data is read")
            return
        if tokens[1:2] == ["["]:
            self.file.problem(
                "version-1", line, "this is a case of MATPOWER version 1; save it as version 2 (savecase) first"
            )
        elif len(tokens) >= 4 and tokens[2] == "=":
            self.file.structure, self.file.function = tokens[1], tokens[3]

    def _tokens(self) -> list[str]:
        """Return the tokens of the statement that starts here, up to a ; or an end of line outside brackets.

        None of a statement that is too long, which is reported.
        """
        tokens: list[str] = []
        depth = size = 0
        start = self.row + 1
        while self.row < len(self.lines):
            line = self.lines[self.row]
            for match in _TOKEN.finditer(line, self.column):
                sign = match[0]
                self.column = match.end()
                if sign == "%" or line.startswith("...", match.start()):
                    break
                if sign in ";," and depth <= 0:
                    return tokens
                depth += (sign in "([{") - (sign in ")]}")
                size += len(sign) + 1
                tokens.append(sign)
                if size > LONGEST_STATEMENT:
                    self.file.problem("program", start, f"a statement of more than {LONGEST_STATEMENT:,} characters")
                    self._next_line()
                    return []
            continued = "..." in line.partition("%")[0]
            self._next_line()
            if not continued and depth <= 0:
                return tokens
        return tokens


def _too_large(rows: Sequence[object], row: Sequence[object]) -> str:
    if len(row) > LONGEST_ROW:
        return f"has a row of more than {LONGEST_ROW:,} numbers or texts"
    return f"has more than {MOST_ROWS:,} rows" if row and len(rows) >= MOST_ROWS else ""


def _without_block_comments(lines: list[str]) -> list[str]:
    """Return the lines with those between %{ and %} blank: these stand alone on their lines, and may nest."""
    depth = 0
    kept = []
    for line in lines:
        mark = line.strip() if "%" in line else ""
        depth += mark == "%{"
        kept.append("" if depth else line)
        depth -= depth > 0 and mark == "%}"
    return kept
