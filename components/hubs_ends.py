"""How each search for prices ended: the table above the steps of the Convergence tab, and a card for each end.

"ended:NUMBER" is the end of that search, counted from 0 in the table's order: those for quick prices, then that for
exact ones.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from components.format import count, duration, number, percent
from components.hubs_live import start_words
from components.hubs_tables import Rows
from components.hubs_why import Card, inputs_of
from components.hubs_words import SOURCE, SOURCE_QUICK, At, bound_of, dollars
from components.skeleton import Part
from components.tables import GridColumn
from components.why_card import why_card

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

ENDS = {
    "settled": "no step promises anything",
    "stalled": "steps bring next to nothing",
    "steps": "the most steps were taken",
    "time": "its time was over",
}
EXACT_ENDS = {"optimal": "the gap that was asked for is reached", "time limit": "its time was over"}


def rows(run: "HubRun") -> Rows:
    """Return columns and rows: one for each search, with what it reached and what is proved of it."""
    columns = [
        GridColumn("search", "Search"),
        GridColumn("objective", "Objective", "$", "number", digits=2),
        GridColumn("bound", "Bound", "$", "number", digits=2),
        GridColumn("gap", "Gap", "%", "percent", digits=1),
        GridColumn("steps", "Steps", "", "number", digits=0),
        GridColumn("time", "Time", "s", "number", digits=1),
        GridColumn("told", "Ended as"),
    ]
    ends, exact, bound = run.facts["ends"], run.facts["exact"], _bound(run)
    best = min(ends, key=lambda end: end["objective"])
    found: list[dict[str, Any]] = [
        {
            "search": f"D, {start_words(end['start'])}",
            "objective": end["objective"],
            "bound": bound,
            "gap": _gap(end["objective"], bound),
            "steps": end["steps"],
            "time": end["time_s"],
            "told": f"{ENDS.get(end['end'], end['end'])}{'; the best, so the answer' if end is best else ''}",
        }
        for end in ends
    ]
    if "objective" in exact:
        found.append(
            {
                "search": "C, exact prices",
                "objective": exact["objective"],
                "bound": exact["bound"],
                "gap": max(exact["gap"], 0.0),
                "steps": None,
                "time": exact["time_s"],
                "told": EXACT_ENDS.get(exact["status"], exact["status"]),
            }
        )
    return columns, found


def _bound(run: "HubRun") -> float:
    quick = run.of("quick", "quadratic")
    return run.floor if quick is None else bound_of(run, quick)


def _gap(objective: float, bound: float) -> float:
    return max(objective - bound, 0.0) / max(1.0, abs(objective))


def told_of_ends(told: Mapping[str, Any]) -> str:
    """Return on what the bound of exact prices rests, in a sentence: ends of multipliers that no program proved."""
    if not told["guessed"]:
        return "The ends of all multipliers are proved."
    doubled = f"ends were doubled {count(told['doubled'], 'time')}" if told["doubled"] else "no end had to be doubled"
    return (
        f"The bound holds as long as none of {count(told['guessed'], 'multiplier')} without a proved end needs more "
        f"than it was let be: none came near, and {doubled}."
    )


def _ended(run: "HubRun", _at: At, place: str) -> Part:
    ends = run.facts["ends"]
    if not place.isdecimal() or int(place) >= len(rows(run)[1]):
        raise ValueError(f"there is no search {place!r:.20}")
    return _of_exact(run) if int(place) == len(ends) else _of_quick(run, ends[int(place)])


def _of_quick(run: "HubRun", end: Mapping[str, Any]) -> Part:
    steps = [step for step in run.steps if step["start"] == end["start"]]
    bound = _bound(run)
    begun = [("begun at", dollars(steps[0]["objective"] + steps[0]["gained"]))] if steps else []
    taken = sum(step["gained"] > 0.0 for step in steps)
    return why_card(
        f"{dollars(end['objective'])}: quick prices {start_words(end['start'])}",
        formula="( *F* − bound ) / max( 1, |*F*| )",
        values=[
            *begun,
            ("steps", f"{number(end['steps'])}, of which {number(taken)} taken"),
            ("*F*", dollars(end["objective"])),
            ("bound", dollars(bound)),
            ("gap", percent(_gap(end["objective"], bound), 1)),
            ("it ended as", ENDS.get(end["end"], end["end"])),
            ("time, by a clock", duration(end["time_s"])),
            ("of the processor", duration(end["processor_s"])),
        ],
        inputs=inputs_of(run), source=SOURCE_QUICK,
        note="A search ends at a best of its surroundings, and which that is hangs on where it begins: the least of "
        "all is the answer.",
    )  # fmt: skip


def _of_exact(run: "HubRun") -> Part:
    told = run.facts["exact"]
    return why_card(
        f"{dollars(told['objective'])}: exact prices, for hubs of constant costs",
        formula="( *F* − bound ) / max( 1, |*F*| )",
        values=[
            ("*F*", dollars(told["objective"])),
            ("bound", dollars(told["bound"])),
            ("gap", percent(max(told["gap"], 0.0), 1)),
            ("gap asked for", percent(run.question.exact_gap, 2)),
            ("decisions of yes or no", number(told["decisions"])),
            ("multipliers without a proved end", number(told["guessed"])),
            ("times that ends were doubled", number(told["doubled"])),
            ("it ended as", EXACT_ENDS.get(told["status"], told["status"])),
            ("time, by a clock", duration(told["time_s"])),
        ],
        inputs=inputs_of(run), source=f"Branch and bound by HiGHS on the hubs' conditions of optimality. {SOURCE}",
        note=told_of_ends(told),
    )  # fmt: skip


CARDS: Mapping[str, Card] = {"ended": _ended}
