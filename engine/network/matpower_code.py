"""The program code that MATPOWER cases carry after their tables, such as loads divided by 1000: applied exactly.

Distribution cases state impedances in ohms and loads in kW, and convert them in code; people scale loads and
ratings the same way. No code is run here: an assignment of arithmetic to variables, fields, rows and columns is
understood and done, and whatever else could change the data is refused.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from engine.errors import Problem
from engine.network.arithmetic import ExpressionError, Indices, Parser, Values, Work, between_commas, number
from engine.network.matlab import DataFile, NumberRows, Statement

# The columns of the matrices under MATPOWER's own names, in order.
BUS = (
    "BUS_I", "BUS_TYPE", "PD", "QD", "GS", "BS", "BUS_AREA", "VM", "VA", "BASE_KV", "ZONE", "VMAX", "VMIN", "LAM_P",
    "LAM_Q", "MU_VMAX", "MU_VMIN",
)  # fmt: skip
GEN = (
    "GEN_BUS", "PG", "QG", "QMAX", "QMIN", "VG", "MBASE", "GEN_STATUS", "PMAX", "PMIN", "PC1", "PC2", "QC1MIN",
    "QC1MAX", "QC2MIN", "QC2MAX", "RAMP_AGC", "RAMP_10", "RAMP_30", "RAMP_Q", "APF", "MU_PMAX", "MU_PMIN",
    "MU_QMAX", "MU_QMIN",
)  # fmt: skip
BRANCH = (
    "F_BUS", "T_BUS", "BR_R", "BR_X", "BR_B", "RATE_A", "RATE_B", "RATE_C", "TAP", "SHIFT", "BR_STATUS", "ANGMIN",
    "ANGMAX", "PF", "QF", "PT", "QT", "MU_SF", "MU_ST", "MU_ANGMIN", "MU_ANGMAX",
)  # fmt: skip


def _numbered(names: Sequence[str]) -> dict[str, int]:
    return {name: position for position, name in enumerate(names, 1)}


# What each index function returns, in the order in which it returns it (idx_gen and idx_brch: not that of the file).
_INDEX_FUNCTIONS: Mapping[str, Mapping[str, int]] = {
    "idx_bus": _numbered(("PQ", "PV", "REF", "NONE")) | _numbered(BUS),
    "idx_gen": {name: GEN.index(name) + 1 for name in (*GEN[:10], *GEN[21:], *GEN[10:21])},
    "idx_brch": {name: BRANCH.index(name) + 1 for name in (*BRANCH[:11], *BRANCH[13:19], *BRANCH[11:13], *BRANCH[19:])},
    "idx_cost": {"PW_LINEAR": 1, "POLYNOMIAL": 2}
    | _numbered(("MODEL", "STARTUP", "SHUTDOWN", "NCOST", "COST")),
}  # fmt: skip
USED_FIELDS = {
    "version", "baseMVA", "bus", "gen", "branch", "gencost", "bus_name", "genfuel", "gentype", "dcline", "headroom"
}  # fmt: skip
_MOST_NOTES = 50
_HARMLESS = {"end", "return", "endfunction"}
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)

Positions = npt.NDArray[np.intp]


class CaseCode:
    """Does the statements of one file as they come."""

    def __init__(self) -> None:
        self.variables: dict[str, Values] = {}
        self.work = Work()
        self.notes: list[Problem] = []
        self.forgotten: set[str] = set()  # fields that could not be read and do not matter

    def execute(self, file: DataFile, statement: Statement) -> None:
        """Do a statement that is understood; report any other that could change the data."""
        tokens = statement.tokens
        if (len(tokens) == 1 and tokens[0] in _HARMLESS) or self._defines_columns(tokens):
            return
        at = tokens.index("=") if "=" in tokens else len(tokens)
        try:
            self._assign(file, tokens[:at], tokens[at + 1 :])
        except ExpressionError as fault:
            if self._concerns_nothing_used(file, tokens[:at]):
                return
            text = statement.text
            shown = text if len(text) <= 80 else text[:79] + "…"
            file.problem("statement", statement.line, f"{shown!r} is program code that is not understood: {fault}")
            return
        if "." in tokens[0] and len(self.notes) < _MOST_NOTES:
            message = f"line {statement.line} was applied as the file says: {statement.text[:200]}"
            self.notes.append(Problem("code", "note", message))

    def _concerns_nothing_used(self, file: DataFile, target: Sequence[str]) -> bool:
        """Forget a field that no network is made of, such as ``mpc.userfcn``, when its value is not understood."""
        structure, _, field = (target[0] if target else "").partition(".")
        if not field or structure != (file.structure or structure) or field.partition(".")[0] in USED_FIELDS:
            return False
        file.fields.pop(field, None)  # whatever it was, it no longer is
        self.forgotten.add(field)
        return True

    def _defines_columns(self, tokens: Sequence[str]) -> bool:
        """Define MATPOWER's names for columns if the statement is ``define_constants`` or ``[...] = idx_bus``."""
        if tuple(tokens) == ("define_constants",):
            for values in _INDEX_FUNCTIONS.values():
                self._define(values)
            return True
        if len(tokens) < 5 or tokens[0] != "[" or tuple(tokens[-3:-1]) != ("]", "="):
            return False
        names = [word for word in tokens[1:-3] if word != ","]
        values = _INDEX_FUNCTIONS.get(tokens[-1], {})
        if len(names) > len(values) or not all(_NAME.fullmatch(name) for name in names):
            return False
        self._define(dict(zip(names, values.values(), strict=False)))
        return True

    def _define(self, values: Mapping[str, int]) -> None:
        self.variables.update({name: number(float(value)) for name, value in values.items()})

    def _assign(self, file: DataFile, target: Sequence[str], expression: Sequence[str]) -> None:
        value = self._value(file, expression)
        name, indices = target[0] if target else "", target[1:]
        structure, _, field = name.partition(".")
        if not indices and not field and _NAME.fullmatch(name) and name != (file.structure or "mpc"):
            self.variables[name] = value
            return
        if not field or structure != (file.structure or structure):
            raise ExpressionError(f"nothing can be assigned to {' '.join(target)[:40]!r}")
        if not indices:
            if value.size != 1:
                raise ExpressionError("only a number can be assigned to a field as a whole")
            file.structure = structure
            file.fields[field] = float(value[0, 0])
            return
        if indices[0] != "(" or indices[-1] != ")":
            raise ExpressionError(f"the place {' '.join(target)[:40]!r} is not understood")
        rows, columns = self._places(_matrix(file, field), between_commas(indices[1:-1]))
        if value.size != 1 and value.shape != (len(rows), len(columns)):
            size, room = f"{value.shape[0]} x {value.shape[1]}", f"{len(rows)} x {len(columns)}"
            raise ExpressionError(f"{size} numbers do not fit into {room}")
        self.work.spend(len(rows) * len(columns))
        cells = np.broadcast_to(value, (len(rows), len(columns))).tolist()
        at = columns.tolist()
        table = _matrix(file, field).rows
        for row, new in zip(rows.tolist(), cells, strict=True):
            for column, cell in zip(at, new, strict=True):
                table[row][column] = cell

    def _value(self, file: DataFile, expression: Sequence[str]) -> Values:
        def resolve(name: str, indices: Indices | None) -> Values:
            structure, _, field = name.partition(".")
            if not field:
                if name not in self.variables or indices is not None:
                    raise ExpressionError(f"{name[:40]!r} is not known")
                return self.variables[name]
            found = file.fields.get(field) if structure == file.structure else None
            if indices is None and isinstance(found, float):
                return number(found)
            if indices is None or found is None:
                raise ExpressionError(f"{name[:40]!r} is not something that the file has given")
            matrix = _matrix(file, field)
            rows, columns = self._places(matrix, indices)
            self.work.spend(len(rows) * len(columns))
            at = columns.tolist()
            picked = [[matrix.rows[row][column] for column in at] for row in rows.tolist()]
            return np.array(picked, dtype=np.float64).reshape(len(rows), len(columns))

        return Parser(expression, resolve, self.work).value()

    def _places(self, matrix: NumberRows, indices: Indices) -> tuple[Positions, Positions]:
        if len(indices) != 2:
            raise ExpressionError("a place needs a row and a column")
        height, width = len(matrix.rows), min(map(len, matrix.rows), default=0)
        self.work.spend(height)
        return self._index(indices[0], height, "row"), self._index(indices[1], width, "column")

    def _index(self, tokens: Sequence[str], size: int, what: str) -> Positions:
        """Return the positions, counted from 0, that an index such as ``:``, ``2:end`` or ``[PD, QD]`` names."""
        if tuple(tokens) == (":",):
            return np.arange(size)
        listed = bool(tokens) and tokens[0] == "[" and tokens[-1] == "]"
        found: list[Positions] = []
        for part in _listed(tokens[1:-1]) if listed else [list(tokens)]:
            ends = [split.split() for split in " ".join(part).split(":")]
            if len(ends) > 2:
                raise ExpressionError("a range with steps is not read")
            places = [self._position(end, size, what) for end in ends]
            self.work.spend(places[-1] + 1 - places[0])
            found.append(np.arange(places[0], places[-1] + 1))
        return np.concatenate(found) if found else np.zeros(0, dtype=np.intp)

    def _position(self, tokens: Sequence[str], size: int, what: str) -> int:
        def resolve(name: str, indices: Indices | None) -> Values:
            if name == "end":
                return number(float(size))
            if name not in self.variables or indices is not None:
                raise ExpressionError(f"{name[:40]!r} is not known as a {what}")
            return self.variables[name]

        value = Parser(tokens, resolve, self.work).value()
        if value.size != 1 or not 1 <= value[0, 0] <= size or value[0, 0] != np.floor(value[0, 0]):
            shown = f"{value[0, 0]:g}" if value.size == 1 else f"{value.size} numbers"
            raise ExpressionError(f"{shown} is not a {what} from 1 to {size}")
        return int(value[0, 0]) - 1


def _matrix(file: DataFile, field: str) -> NumberRows:
    found = file.fields.get(field)
    if not isinstance(found, NumberRows):
        raise ExpressionError(f"{field[:40]!r} is not a table that the file has given")
    return found


def _listed(tokens: Sequence[str]) -> list[list[str]]:
    """Return the items of a list such as ``1:3, 7 PD``."""
    items: list[list[str]] = []
    for sign in tokens:
        if sign == ",":
            continue
        if items and (sign == ":" or items[-1][-1] == ":"):
            items[-1].append(sign)
        else:
            items.append([sign])
    return items
