"""The words of the capacity question: what each control holds, and how a question is made of them and back.

A control holds what a reader typed or chose, as text or a number; nothing here trusts it. A value that
cannot be used is refused with QuestionError, which names the control and its limits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from components.capacity_typed import LIST, amount, correlation_of, correlation_text, table_lines, table_rows, tidy
from components.format import number, percent
from engine.capacity.question import LARGEST_EPSILON, CapacityQuestion
from engine.errors import QuestionError

Words = dict[str, Any]

ANY = "any"  # of a filter: an empty value would show no word in the control
EPSILONS = ("0.01", "0.02", "0.05", "0.1", "0.2")
NEVER, OTHER = "never", "other"
KEPT = (
    ("hourly:sample", "every sampled hour of a year"),
    ("hourly:box", "every state within the sampled hours' box"),
    ("distribution:sample", "every drawn scenario"),
    ("distribution:box", "every state within the scenarios' box"),
    ("box:box", "every state of a box"),
    ("file:sample", "every row of my file"),
    ("file:box", "every state within my file's box"),
    ("hourly:budget", "the sampled hours' box, few buses at extremes"),
    ("distribution:budget", "the scenarios' box, few buses at extremes"),
    ("box:budget", "a box, few buses at extremes"),
    ("file:budget", "my file's box, few buses at extremes"),
)
REDISPATCH = "redispatch"
FIXED = (
    ("headroom", "unit headroom"),
    ("capacity", "units by capacity"),
    ("slack", "the slack bus"),
    ("given", "given shares"),
)
SUPPLIES = (*FIXED, (REDISPATCH, "units that redispatch"))
SECURITIES = (
    ("base", "no outage"),
    ("n-1:all", "every single outage"),
    ("n-1:listed", "every listed outage"),
)
RATINGS = (("a", "A, as without one"), ("b", "B, long-time emergency"), ("c", "C, short-time emergency"))
DISPATCHES = (("base", "as the network stands"), ("n-1", "after every single outage too"))
PERIODS = (
    ("year", "the whole year"),
    ("season", "each season"),
    ("month", "each month"),
    ("block", "each block of hours"),
)
OBJECTIVES = (
    ("sum_ratio", "least sum of unserved shares"),
    ("sum_sq_ratio", "least sum of squared unserved shares"),
    ("lex_max_min", "worst-served site first (max-min)"),
)
TIES = (("lex_max_min", "worst-served site first"), ("least_squares", "least squares"))
CLOSED = (("closed", "every part deliverable alone"), ("signed", "all or nothing (signed rows)"))
AT_ZERO = (("stop", "stop and name them"), ("hold", "hold them at their present level"))
MEASURES = (("cvar", "how often and how deep (CVaR)"), ("var", "how often only (VaR)"))
READINGS = (("moment_matched", "of the truncated law"), ("parent", "of the normal before truncation"))
MODELS = (
    ("auto", "the grid's own series, else a generic year"),
    ("texas", "Texas 2016 load shapes"),
    ("generic", "a generic year"),
)

# Why the set of states matters, told beside the controls that choose it.
SET_NOTES: Mapping[str, str] = {
    "sample": "Kept in every one of these states, firm is kept in every mixture of them too: the sample's hull.",
    "box": "A box lets every bus be at its own extreme at once. On a few buses that is cautious; on 2,000 such states "
    "never happen together and leave no room at all: keep firm in every hour or scenario there.",
    "budget": "A budget lets only so many buses be at their extremes at once, whichever these are; each limit is kept "
    "in every state that was drawn, too.",
}

# Every control of the question but the sites, with what it holds on a fresh page.
DEFAULTS: Words = {
    "keep": "hourly:sample", "budget": 10, "epsilon": "0.05", "levels": "1 5 10", "supply": "headroom",
    "fixed": "headroom", "shares": "", "security": "base", "rating": "c", "period": "year",
    "objective": "sum_ratio", "tie": "lex_max_min", "closed": "closed", "measure": "cvar", "cutoff": 0,
    "zero": "stop", "block": None, "round": 0.1, "seed": 1, "hours": 2000, "model": "auto", "wind": 38, "derate": 90,
    "dispatch": "base",
    "scenarios": 2000, "sd": 5, "range": 20, "correlation": "0", "reading": "moment_matched", "laws": "",
    "spread": 10, "box": "", "file": "",
}  # fmt: skip
NAMES = tuple(DEFAULTS)
_USUAL_QUESTION = CapacityQuestion()
# The fields of a question that the words hold; any other is kept, or comes from a panel of its own.
_WORDED = frozenset({
    "candidates", "demand_mw", "firm_set", "epsilons", "budget", "security", "outages", "outage_rating", "recourse",
    "period", "measure", "objective", "tie_rule", "supply", "supply_shares", "cutoff", "downward_closed", "at_zero",
    "block_mw", "round_mw", "uncertainty",
})  # fmt: skip

# Parameters that have no control are kept from the question that the page began with.
_OWNED = {
    "hourly": ("model", "hours", "wind_factor", "derate", "security"),
    "distribution": ("buses", "relative_sd", "relative_range", "reading", "correlation", "scenarios"),
    "box": ("spread", "buses"),
    "file": ("digest", "filename"),
}
# What the engine takes for a parameter that is not told.
_USUAL: Mapping[str, Mapping[str, Any]] = {
    "hourly": {"model": "auto", "hours": 2000, "wind_factor": 0.38, "derate": 0.9, "security": "base"},
    "distribution": {
        "scenarios": 2000, "correlation": 0, "reading": "moment_matched", "relative_sd": 0.05, "relative_range": 0.2,
    },
    "box": {"spread": 0.1},
}  # fmt: skip
MOST_SITES = 2000
_MOST_SCENARIOS = 20_000


def question_of(
    words: Mapping[str, Any], sites: Any, base: CapacityQuestion | None = None, more: Any = None
) -> CapacityQuestion:
    """Return the question that the controls ask. ``sites`` is ``{"bus": [...], "mw": [...]}``.

    ``base`` gives what has no control: parameters of the uncertainty, and fields of the question that panels of
    their own edit; ``more`` is what those panels hold, by field. Raises QuestionError.
    """
    given = {**DEFAULTS, **{name: words[name] for name in NAMES if name in words}}
    buses, demand = sites_of(sites)
    kind, _, firm_set = str(given["keep"]).partition(":")
    security, _, outages = str(given["security"]).partition(":")
    redispatch = given["supply"] == REDISPATCH
    supply = given["fixed"] if redispatch else given["supply"]
    content: dict[str, Any] = _unowned(base, more) | {
        "candidates": buses,
        "demand_mw": demand,
        "firm_set": firm_set,
        # A box has no probabilities: there is no risk level to ask.
        "epsilons": [] if kind == "box" else _levels(given["epsilon"], given["levels"]),
        "budget": amount(given["budget"], "the number of buses at their extremes", 0, 1e5)
        if firm_set == "budget"
        else _USUAL_QUESTION.budget,
        "security": security,
        "outages": outages or _USUAL_QUESTION.outages,
        "outage_rating": given["rating"] if security == "n-1" else _USUAL_QUESTION.outage_rating,
        "recourse": "redispatch" if redispatch else "none",
        "period": given["period"],
        "measure": given["measure"],
        "objective": given["objective"],
        "tie_rule": given["tie"],
        "supply": supply,
        "supply_shares": _shares(given["shares"]) if supply == "given" else {},
        "cutoff": amount(given["cutoff"], "the factor cutoff, %", 0, 99) / 100,
        "downward_closed": given["closed"] != "signed",
        "at_zero": given["zero"],
        "block_mw": None
        if given["block"] in (None, "", 0)
        else amount(given["block"], "the block size, MW", 0.001, 1e6),
        "round_mw": amount(given["round"], "the rounding step, MW", 1e-6, 1000),
        "uncertainty": {
            "kind": kind,
            "parameters": _kept(base, kind) | _told(base, kind, _parameters(kind, given)),
            "seed": int(amount(given["seed"], "the seed", 0, 2**53, whole=True)),
        },
    }
    return CapacityQuestion.from_json(content)


def words_of(question: CapacityQuestion) -> Words:
    """Return what the controls hold for ``question``: the inverse of :func:`question_of`."""
    spec, parameters = question.uncertainty, question.uncertainty.parameters
    epsilon, levels = _epsilon_words(question.epsilons)
    words = DEFAULTS | {
        "keep": f"{spec.kind}:{question.firm_set}",
        "budget": tidy(question.budget),
        "epsilon": epsilon,
        "levels": levels,
        "supply": REDISPATCH if question.recourse == "redispatch" else question.supply,
        "fixed": question.supply,
        "security": question.security if question.security == "base" else f"n-1:{question.outages}",
        "rating": question.outage_rating,
        "period": question.period,
        "shares": "\n".join(f"{bus} {share:.10g}" for bus, share in question.supply_shares),
        "objective": question.objective,
        "tie": question.tie_rule,
        "closed": "closed" if question.downward_closed else "signed",
        "measure": question.measure,
        "cutoff": tidy(100 * question.cutoff),
        "zero": question.at_zero,
        "block": question.block_mw,
        "round": question.round_mw,
        "seed": spec.seed,
    }
    if spec.kind == "hourly":
        words |= {
            "hours": parameters.get("hours", 2000),
            "model": parameters.get("model", "auto"),
            "wind": tidy(100 * parameters.get("wind_factor", 0.38)),
            "derate": tidy(100 * parameters.get("derate", 0.9)),
            "dispatch": parameters.get("security", "base"),
        }
    elif spec.kind == "distribution":
        correlation = parameters.get("correlation", 0.0)
        words |= {
            "scenarios": parameters.get("scenarios", 2000),
            "sd": tidy(100 * parameters.get("relative_sd", 0.05)),
            "range": tidy(100 * parameters.get("relative_range", 0.2)),
            "correlation": correlation_text(correlation),
            "reading": parameters.get("reading", "moment_matched"),
            "laws": table_lines(parameters.get("buses", ()), ("bus", "low", "high", "mean", "variance")),
        }
    elif spec.kind == "box":
        words |= {
            "spread": tidy(100 * parameters.get("spread", 0.1)),
            "box": table_lines(parameters.get("buses", ()), ("bus", "low", "high")),
        }
    else:
        words["file"] = f"{parameters.get('digest', '')}:{parameters.get('filename', '')}"
    return words


def sites_of(sites: Any) -> tuple[list[str], list[float]]:
    """Return the buses and MW of a sites Store. Raises QuestionError when it is not of that shape."""
    if not isinstance(sites, Mapping):
        return [], []
    buses, demand = sites.get("bus", []), sites.get("mw", [])
    if not isinstance(buses, Sequence) or not isinstance(demand, Sequence) or isinstance(buses, str):
        raise QuestionError("the sites must be a list of buses and a list of MW")
    return [str(bus) for bus in buses], [
        amount(mw, f"the demand at bus {bus}, MW", 0, 1e6) for bus, mw in zip(buses, demand, strict=False)
    ]


def sites_data(question: CapacityQuestion) -> dict[str, list[Any]]:
    """Return the sites Store of a question."""
    return {"bus": list(question.candidates), "mw": [tidy(mw) for mw in question.demand_mw]}


def uniform_mw(demand: Sequence[float]) -> float | None:
    """Return the MW asked for at every site, None when they differ."""
    return tidy(demand[0]) if demand and len(set(demand)) == 1 else None


def changed(before: CapacityQuestion, after: CapacityQuestion) -> list[str]:
    """Return in words what differs between two questions: "demand of 3 sites", "risk level"."""
    found = []
    old, new = (
        dict(zip(before.candidates, before.demand_mw, strict=True)),
        dict(zip(after.candidates, after.demand_mw, strict=True)),
    )
    if old.keys() != new.keys():
        moved = len(old.keys() ^ new.keys())
        found.append(f"{number(moved)} {'site' if moved == 1 else 'sites'} added or removed")
    shifted = sum(1 for bus in old.keys() & new.keys() if old[bus] != new[bus])
    if shifted:
        found.append(f"demand of {number(shifted)} {'site' if shifted == 1 else 'sites'}")
    named = (
        ("epsilons", "the risk level"),
        ("measure", "the risk measure"),
        ("firm_set", "the states in which firm is kept"),
        ("budget", "the budget of buses at their extremes"),
        ("security", "the outages"),
        ("outages", "the list of outages"),
        ("outage_rating", "the rating after an outage"),
        ("recourse", "redispatch"),
        ("period", "the periods"),
        ("supply", "who supplies"),
        ("supply_shares", "the supply shares"),
        ("objective", "the objective"),
        ("tie_rule", "the rule for ties"),
        ("cutoff", "the cutoff"),
        ("downward_closed", "whether parts must be deliverable alone"),
        ("at_zero", "what happens to limits exceeded already"),
        ("block_mw", "the block size"),
        ("round_mw", "the rounding"),
    )
    found += [words for name, words in named if getattr(before, name) != getattr(after, name)]
    told = {name for name, _ in named} | {"candidates", "demand_mw", "uncertainty"}
    others = [entry.name for entry in fields(CapacityQuestion) if entry.name not in told]
    found += [f"the {name}" for name in others if getattr(before, name) != getattr(after, name)]
    if before.uncertainty.to_json() != after.uncertainty.to_json():
        found.append("the uncertainty of existing demand")
    return found


def _unowned(base: CapacityQuestion | None, more: Any) -> dict[str, Any]:
    """Return the fields of a question that no word of the sentence holds."""
    content = {} if base is None else {k: v for k, v in base.to_json().items() if k not in _WORDED}
    given = more if isinstance(more, Mapping) else {}
    return content | {str(name): value for name, value in given.items() if name not in _WORDED}


def _kept(base: CapacityQuestion | None, kind: str) -> dict[str, Any]:
    if base is None or base.uncertainty.kind != kind:
        return {}
    return {name: value for name, value in base.uncertainty.parameters.items() if name not in _OWNED[kind]}


def _told(base: CapacityQuestion | None, kind: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters without those at their usual value, unless the first question told them too: so an
    unchanged page asks the question it began with, digest for digest.
    """
    before = base.uncertainty.parameters if base is not None and base.uncertainty.kind == kind else {}
    usual = _USUAL.get(kind, {})
    told = {name: value for name, value in parameters.items() if name in before or usual.get(name) != value}
    return {name: before[name] if before.get(name) == value else value for name, value in told.items()}  # 20.0, not 20


def _parameters(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "hourly":
        return {
            "model": str(given["model"]),
            "hours": int(amount(given["hours"], "the number of hours", 0, 8784, whole=True)),
            "wind_factor": amount(given["wind"], "the yearly output of wind, % of its largest", 2, 90) / 100,
            "derate": amount(given["derate"], "the derating of branches in the dispatch, %", 10, 100) / 100,
            "security": "n-1" if given["dispatch"] == "n-1" else "base",
        }
    if kind == "distribution":
        laws = table_rows(given["laws"], ("bus", "low", "high", "mean", "variance"), "the table of distributions")
        common: dict[str, Any] = {
            "scenarios": int(amount(given["scenarios"], "the number of scenarios", 2, _MOST_SCENARIOS, whole=True)),
            "correlation": correlation_of(given["correlation"]),
            "reading": str(given["reading"]),
        }
        if laws:
            return common | {"buses": laws}
        return common | {
            "relative_sd": amount(given["sd"], "the standard deviation, % of load", 0, 100) / 100,
            "relative_range": amount(given["range"], "the range, % of load", 0, 100) / 100,
        }
    if kind == "box":
        buses = table_rows(given["box"], ("bus", "low", "high"), "the table of the box")
        if buses:
            return {"buses": buses}
        return {"spread": amount(given["spread"], "the spread, % of load", 0, 1000) / 100}
    if kind == "file":
        digest, _, filename = str(given["file"] or "").partition(":")
        if not digest:
            raise QuestionError("no file is chosen: upload a CSV or Parquet file of net demand under More")
        return {"digest": digest, "filename": filename}
    raise QuestionError(f"the uncertainty {kind!r} is not known")


def _levels(chosen: Any, typed: Any) -> list[float]:
    if chosen == NEVER:
        return []
    if chosen != OTHER:
        return [amount(chosen, "the risk level", 0, 1)]
    parts = [part for part in LIST.split(str(typed or "").replace("%", " ")) if part]
    if not parts:
        raise QuestionError(f"type one risk level or more, in percent, up to {percent(LARGEST_EPSILON)}: 1 5 10")
    return [tidy(amount(part, "a risk level, %", 0, 100) / 100) for part in parts]


def _epsilon_words(epsilons: tuple[float, ...]) -> tuple[str, str]:
    if not epsilons:
        return NEVER, str(DEFAULTS["levels"])
    levels = " ".join(f"{100 * epsilon:.6g}" for epsilon in epsilons)
    one = f"{epsilons[0]:.6g}"
    return (one, str(DEFAULTS["levels"])) if len(epsilons) == 1 and one in EPSILONS else (OTHER, levels)


def _shares(text: Any) -> dict[str, float]:
    return {row["bus"]: row["share"] for row in table_rows(text, ("bus", "share"), "the table of supply shares")}
