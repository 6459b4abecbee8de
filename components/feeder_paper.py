"""What arXiv 2606.26328 states, feeder by feeder: reproduced or contradicted, with the number that says so."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components.feeder_tables import Columns, Row
from components.format import count, number, signed
from components.tables import GridColumn
from engine.distribution.price_spread import APART
from engine.distribution.question import FeederQuestion

if TYPE_CHECKING:
    from engine.distribution.several import FeederRow, SeveralRun

_ZERO = 5e-9  # p.u., and of a VUF: rounding, as the SVG effect counts it
_VERDICT = {True: "reproduced", False: "contradicted"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One statement on one feeder. ``said`` completes "contradicts it: there ..."."""

    feeder: str
    reproduced: bool
    numbers: str
    said: str


Judge = Callable[["FeederRow", "FeederRow"], "tuple[bool, str, str] | None"]


def _voltage(off: "FeederRow", on: "FeederRow") -> tuple[bool, str, str] | None:
    if off.centres_pu is None or on.centres_pu is None:
        return None
    change = on.centres_pu - off.centres_pu
    told = f"mean {signed(change, 4)} p.u., from {number(off.centres_pu, 4)} to {number(on.centres_pu, 4)}"
    how = "lower the mean voltage at data centres" if change < -_ZERO else "leave that mean voltage as it is"
    return change > _ZERO, told, f"they {how}, {told}"


def _unbalance(off: "FeederRow", on: "FeederRow") -> tuple[bool, str, str] | None:
    if off.vuf is None or on.vuf is None:
        return None
    change = on.vuf - off.vuf
    told = f"from {number(100.0 * off.vuf, 3)} to {number(100.0 * on.vuf, 3)} %"
    mean = ""
    if off.vuf_mean is not None and on.vuf_mean is not None:
        mean = f"; mean {number(100.0 * off.vuf_mean, 3)} to {number(100.0 * on.vuf_mean, 3)} %"
    how = "raise the largest VUF" if change > _ZERO else "leave the largest VUF as it is"
    return change < -_ZERO, f"largest {told}{mean}", f"they {how}, {told}"


def _prices(off: "FeederRow", on: "FeederRow") -> tuple[bool, str, str] | None:
    phase, place = (
        [each for each in (getattr(row, name) for row in (off, on)) if each is not None]
        for name in ("apart_phase", "apart_place")
    )
    if not place:
        return None
    by_phase = f"{_two(phase)} by phase" if phase else "one phase alone"
    told = f"{by_phase}; {_two(place)} by place"
    held = bool(phase) and min(max(phase), max(place)) >= APART
    return held, told, f"they are apart by at most {told}, in $/MWh without and with SVG"


def _two(apart: list[float]) -> str:
    """Return what two cases have, the one without static var generators first."""
    return " and ".join(number(each, 2) for each in apart)


# What is stated, what its column is called, and who judges it.
STATEMENTS: Mapping[str, tuple[str, str, Judge]] = {
    "voltage": ("static var generators raise the voltage at data centres", "SVG raise the voltage at data centres",
                _voltage),
    "unbalance": ("static var generators lower the unbalance", "SVG lower the unbalance (VUF)", _unbalance),
    "prices": ("prices differ by phase and by place", "Prices differ by phase and by place, $/MWh without and with SVG",
               _prices),
}  # fmt: skip


def verdicts(several: "SeveralRun", statement: str) -> list[Verdict]:
    """Return what each feeder with both cases says of a statement; nothing of one that cannot say."""
    judge, found = STATEMENTS[statement][2], []
    for at, question in enumerate(several.questions):
        rows = {row.svg: row for row in several.rows if row.question == at and not row.failure}
        off, on = rows.get(False), rows.get(True)
        told = None if off is None or on is None else judge(off, on)
        if told is not None and off is not None:
            found.append(Verdict(name_of(off, question), *told))
    return found


def findings(several: "SeveralRun") -> list[str]:
    """Return of each statement how many feeders reproduce it, and in a sentence each feeder that contradicts it."""
    lines = []
    for statement, (words, _, _) in STATEMENTS.items():
        found = verdicts(several, statement)
        if found:
            held = sum(each.reproduced for each in found)
            lines.append(
                f"arXiv 2606.26328 states that {words}: reproduced on {number(held)} of "
                f"{count(len(found), 'feeder')} here."
            )
            lines += [f"{each.feeder} contradicts it: there {each.said}." for each in found if not each.reproduced]
    return lines


def rows(several: "SeveralRun") -> tuple[Columns, list[Row]]:
    """Return columns and rows of the verdicts: one for each feeder, a statement in each column."""
    columns = [GridColumn("feeder", "Feeder", width=120)]
    columns += [GridColumn(key, head, width=300) for key, (_, head, _) in STATEMENTS.items()]
    listed: dict[str, dict[str, Any]] = {}
    for statement in STATEMENTS:
        for each in verdicts(several, statement):
            row = listed.setdefault(each.feeder, {"feeder": each.feeder, "marks": ""})
            row[statement] = f"{_VERDICT[each.reproduced]}: {each.numbers}"
            row["marks"] = row["marks"] if each.reproduced else "hr-feeder-over"
    return columns, list(listed.values())


def _own(question: FeederQuestion) -> bool:
    """Return whether a question is one feeder's own: edited, or with files or draws that no other feeder has."""
    of_centres = any(row.centre for row in question.batteries)
    return bool(question.dataset or question.workload or question.edits or question.draw_kw or of_centres)


def name_of(told: "FeederRow", question: FeederQuestion) -> str:
    """Return a feeder's name among several."""
    return f"{told.feeder}, as asked here" if _own(question) else told.feeder
