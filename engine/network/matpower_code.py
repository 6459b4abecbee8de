"""The program code that published MATPOWER cases carry after their tables: known statements, applied exactly.

Distribution cases state impedances in ohms and loads in kW, and convert them in code. No code is run here:
a statement is either one of those, word for word, or it is refused.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from engine.errors import Problem
from engine.network.matlab import DataFile, NumberRows, Statement, as_number

# The standard columns, in order, under MATPOWER's own names: idx_bus, idx_gen, idx_brch.
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
    "F_BUS", "T_BUS", "BR_R", "BR_X", "BR_B", "RATE_A", "RATE_B", "RATE_C", "TAP", "SHIFT", "BR_STATUS", "PF", "QF",
    "PT", "QT", "MU_SF", "MU_ST", "ANGMIN", "ANGMAX", "MU_ANGMIN", "MU_ANGMAX",
)  # fmt: skip
_INDEX_FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "idx_bus": ("PQ", "PV", "REF", "NONE", *BUS),
    "idx_gen": GEN,
    "idx_brch": BRANCH,
}


class CaseCode:
    """The statements of published cases that change their data after the tables, applied exactly."""

    def __init__(self) -> None:
        self.variables: dict[str, float] = {}
        self.notes: list[Problem] = []

    def execute(self, file: DataFile, statement: Statement) -> None:
        """Apply a statement that is known; report any other that could change the data."""
        text, tokens, mpc = statement.text, statement.tokens, file.structure or "mpc"
        known: dict[str, Callable[[DataFile], None]] = {
            f"Vbase = {mpc}.bus ( 1 BASE_KV ) * 1e3": self._voltage_base,
            f"Sbase = {mpc}.baseMVA * 1e6": self._power_base,
            f"{mpc}.branch ( : [ BR_R BR_X ] ) = {mpc}.branch ( : [ BR_R BR_X ] ) / ( Vbase ^ 2 / Sbase )": self._ohms,
            f"{mpc}.bus ( : [ PD QD ] ) = {mpc}.bus ( : [ PD QD ] ) / 1e3": self._kilowatts,
            f"{mpc}.bus ( : QD ) = {mpc}.bus ( : PD ) * sin ( acos ( pf ) )": self._reactive,
            f"{mpc}.bus ( : PD ) = {mpc}.bus ( : PD ) * pf": self._active,
        }
        if text in known:
            try:
                known[text](file)
            except (KeyError, IndexError, ZeroDivisionError, OverflowError):
                file.problem("statement", statement.line, f"{text!r} uses a value that the file has not given")
            return
        if text in {"end", "return", "endfunction", "define_constants"} or _names_columns(tokens):
            return
        value = as_number("".join(tokens[2:])) if tokens[1:2] == ("=",) else None
        constants = {name for names in _INDEX_FUNCTIONS.values() for name in names}
        if value is not None and tokens[0].isidentifier() and tokens[0] not in constants | {mpc}:
            self.variables[tokens[0]] = value
            return
        file.problem("statement", statement.line, f"{text[:80]!r} is program code that this reader does not know")

    def _voltage_base(self, file: DataFile) -> None:
        self.variables["Vbase"] = _rows(file, "bus")[0][BUS.index("BASE_KV")] * 1e3

    def _power_base(self, file: DataFile) -> None:
        base = file.fields["baseMVA"]
        self.variables["Sbase"] = (base if isinstance(base, float) else math.nan) * 1e6

    def _ohms(self, file: DataFile) -> None:
        ohms_per_unit = self.variables["Vbase"] ** 2 / self.variables["Sbase"]
        for row in _rows(file, "branch"):
            row[2] /= ohms_per_unit
            row[3] /= ohms_per_unit
        self._note("ohms", f"branch impedances were in ohms: divided by {ohms_per_unit:g} ohms, as the file says")

    def _kilowatts(self, file: DataFile) -> None:
        for row in _rows(file, "bus"):
            row[2] /= 1e3
            row[3] /= 1e3
        self._note("kilowatts", "loads were in kW and kvar: divided by 1000, as the file says")

    def _reactive(self, file: DataFile) -> None:
        factor = math.sin(math.acos(min(1.0, max(-1.0, self.variables["pf"]))))
        for row in _rows(file, "bus"):
            row[3] = row[2] * factor
        self._note("power-factor", f"reactive loads from apparent loads at power factor {self.variables['pf']:g}")

    def _active(self, file: DataFile) -> None:
        for row in _rows(file, "bus"):
            row[2] *= self.variables["pf"]

    def _note(self, code: str, message: str) -> None:
        self.notes.append(Problem(code, "note", message))


def _rows(file: DataFile, name: str) -> list[list[float]]:
    value = file.fields[name]
    return value.rows if isinstance(value, NumberRows) else []


def _names_columns(tokens: Sequence[str]) -> bool:
    """Tell if a statement is ``[...] = idx_bus`` and the like, with MATPOWER's names in MATPOWER's order."""
    if len(tokens) < 5 or tokens[0] != "[" or tuple(tokens[-3:-1]) != ("]", "="):
        return False
    names = tuple(tokens[1:-3])
    return names == _INDEX_FUNCTIONS.get(tokens[-1], ())[: len(names)]
