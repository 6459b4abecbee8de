"""The words of the siting question: what each control holds, and how a question is made of them and back.

A control holds what a reader typed or chose; nothing here trusts it. A value that cannot be used is refused with
QuestionError, which names the control and its limits.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from components.siting_hours import hours_of, hours_text
from components.siting_own import line_of, read_line, same
from components.siting_typed import ANY_SPACE, Problems, amount, numbers, peak_of, percent, share_of
from engine.errors import EngineError, QuestionError
from engine.siting.case import HOURS_OF_DAY
from engine.siting.cases import PAPER_HOURS
from engine.siting.envelopes import (
    PAUSE_DEPTH,
    PEAK_HOURS,
    RAMP_SHARE,
    SHIFT_DEPTH,
    UTILISATION,
    Envelope,
    envelope,
    hours_words,
)
from engine.siting.hourly_file import Stamps
from engine.siting.question import MOST_MW, Committed, SitingQuestion
from engine.siting.ramps import repaired
from engine.siting.staging import Stage

Words = dict[str, Any]

SOURCES = (("2016", "2016"), ("filed", "the network as filed"), ("file", "my file of hours"))
CHOICES = (
    ("stress", "the hours under stress"),
    ("representative", "representative hours"),
    ("one", "one hour"),
    ("list", "a list of hours"),
    ("year", "every hour"),
)
CANDIDATES = (
    ("source", "buses of 24 to 500 kV"),
    ("paper", "buses at 115, 161 and 230 kV"),
    ("listed", "the buses listed here"),
)
OUTAGES = (
    ("voltage:units", "a branch of 69 kV or more, or a unit"),
    ("voltage", "a branch of 69 kV or more"),
    ("all:units", "a branch or a unit"),
    ("all", "a branch"),
    ("listed:units", "what the network lists, or a unit"),
    ("listed", "what the network lists"),
    ("none:units", "a unit"),
)
RATINGS = (
    ("a", "A: continuous"),
    ("b", "B: long-term emergency, A where not given"),
    ("c", "C: short-term emergency, A where not given"),
)
THERMAL = (("zero", "0: any unit may be off"), ("filed", "as filed: all run"))
KINDS = (("firm", "firm"), ("pause", "pause"), ("shift", "shift"))
NAMES = (
    "source", "choice", "hours", "count", "thermal", "scale", "seed", "candidates", "buses", "sizes", "threshold",
    "outages", "file", "committed", "kinds", "utilisation", "peak", "pause", "shift", "makeup", "ramp", "own", "repair",
    "rating", "onsite", "stages", "criteria",
)  # fmt: skip
# What the source screens, as far as it says: one hour of a peak day at the on-peak level, branches lost, PAPER_KV.
AS_THE_SOURCE: Mapping[str, str] = {
    "candidates": "paper",
    "choice": "one",
    "hours": f"{PAPER_HOURS['stressed'].day}/{PAPER_HOURS['stressed'].hour}",
    "outages": "voltage",
    "thermal": "filed",
    "rating": "a",
}
OFFERED = "offered"  # what the control of the file holds for the series of the data folder until it is taken in


def words_of(question: SitingQuestion) -> Words:
    """Return what each control holds for a question."""
    return {
        "source": question.source,
        "choice": question.choice,
        "hours": hours_text(question.hours, question.source),
        "count": question.count,
        "thermal": question.thermal,
        "scale": percent(question.load_scale),
        "seed": question.seed,
        "candidates": question.candidates,
        "buses": ", ".join(question.buses),
        "sizes": ", ".join(f"{mw:g}" for mw in question.sizes_mw),
        "threshold": percent(question.threshold),
        "outages": question.branches + (":units" if question.units else ""),
        "file": question.dataset,
        "committed": "\n".join(_committed_line(load) for load in question.committed),
        "rating": question.outage_rating,
        "onsite": ", ".join(f"{mw:g}" for mw in question.onsite_mw),
        "stages": "\n".join(f"{stage.start} {stage.cap_mw:g}" for stage in question.stages),
        "criteria": criteria_word(question),
        **_envelope_words(question.envelopes),
    }


def question_of(words: Mapping[str, Any], base: SitingQuestion, stamps: Stamps | None = None) -> SitingQuestion:
    """Return the question that the controls hold; what has no control is that of ``base``. Not yet checked.

    ``stamps`` (T,) are the starts of the hours of a file, for hours that are typed as dates. Raises QuestionError with
    every control that cannot be read.
    """
    source = str(words["source"])
    branches, _, units = str(words["outages"]).partition(":")
    found = Problems()

    def read(name: str, what: str, least: float, most: float) -> float:
        return float(found.read(lambda: amount(words[name], what, least, most), least))

    asked = {
        **base.to_json(),
        "source": source,
        "choice": "one" if source == "filed" else str(words["choice"]),
        "hours": [],
        "count": int(read("count", "number of representative hours", 1, 8784)),
        "thermal": str(words["thermal"]),
        "load_scale": read("scale", "load in per cent of the source's", 1, 1000) / 100.0,
        "seed": int(read("seed", "seed", 0, 2**31)),
        "candidates": str(words["candidates"]),
        "buses": list(_listed(words["buses"])) if words["candidates"] == "listed" else [],
        "sizes_mw": found.read(lambda: sorted(numbers(words["sizes"], "size in MW", least=0.001, most=MOST_MW)), [1.0]),
        "threshold": read("threshold", "threshold in per cent", 50, 100) / 100.0,
        "branches": branches,
        "units": units == "units",
        "dataset": str(words["file"] or "") if source == "file" else "",
        "outage_rating": str(words["rating"]),
        "onsite_mw": found.read(lambda: onsite_of(words["onsite"]), []),
        "stages": [stage.to_json() for stage in found.read(lambda: stages_of(words["stages"]), ())],
        **found.read(lambda: _criteria(words["criteria"]), {}),
    }
    if asked["dataset"] == OFFERED:
        found.append("the hours of 2020 are still being read")
    if source not in {key for key, _ in SOURCES}:
        found.append("hours are of 2016, of the network as filed, or of a file")
    elif source != "filed" and asked["choice"] in {"one", "list"}:
        typed = str(words["hours"] or "")
        asked["hours"] = list(found.read(lambda: hours_of(typed, source, stamps), ()))  # type: ignore[arg-type]
    envelopes = found.read(lambda: envelopes_of(words), base.envelopes)
    committed = found.read(lambda: committed_of(str(words["committed"] or ""), envelopes), ())
    found.told()
    return replace(SitingQuestion.from_json(asked), envelopes=envelopes, committed=committed)


def envelopes_of(words: Mapping[str, Any]) -> tuple[Envelope, ...]:
    """Return the envelopes that are ticked or typed. Raises QuestionError with every problem of a profile."""
    made = drafted(words)
    if words["repair"]:
        made = [_repaired(one) for one in made]
    found = [problem for one in made for problem in one.problems()]
    if found:
        raise QuestionError("; ".join(found))
    return tuple(made)


def drafted(words: Mapping[str, Any]) -> list[Envelope]:
    """Return the envelopes as they are ticked or typed, whether or not they keep their ramps.

    Raises QuestionError with everything that cannot be read, and when there is none.
    """
    found = Problems()
    utilisation = found.read(lambda: share_of(words["utilisation"], "utilisation", 1, 100), UTILISATION)
    ramp = found.read(lambda: share_of(words["ramp"], "ramp bound", 0.1, 100), RAMP_SHARE)
    peak = found.read(lambda: peak_of(str(words["peak"] or "")), PEAK_HOURS)
    kinds = words["kinds"] if isinstance(words["kinds"], list) else []

    def made_of(kind: str) -> Envelope:
        depth = None if kind == "firm" else share_of(words[kind], f"depth of {kind}", 0, 100)
        more = None if kind != "shift" or _empty(words["makeup"]) else share_of(words["makeup"], "make-up", 0, 100)
        parts = {"utilisation": utilisation, "peak_hours": peak, "ramp_share": ramp, "depth": depth}
        return envelope(kind, **parts, make_up=more)  # type: ignore[arg-type]

    made = [found.read(partial(made_of, kind), None) for kind, _ in KINDS if kind in kinds]
    lines = [line for line in str(words["own"] or "").splitlines() if line.strip()]
    made += [found.read(partial(read_line, line, (utilisation, peak, ramp)), None) for line in lines]
    if not made:
        found.append("choose an envelope: firm, pause, shift or one of your own")
    found.told()
    return made


def onsite_of(text: Any) -> list[float]:
    """Return the MW of on-site resources: none, one for every hour, or one for each hour of the day.

    Raises QuestionError naming a value that is none, and how many there are.
    """
    parts = str(text or "").translate(ANY_SPACE).replace(";", ",").replace(",", " ").split()
    found = Problems()
    values = [
        found.read(partial(amount, part, _hour(hour, len(parts)), 0, MOST_MW), 0.0)
        for hour, part in enumerate(parts, start=1)
    ]
    if len(parts) not in {0, 1, HOURS_OF_DAY}:
        found.append(f"on-site resources have {len(parts)} values: 1, or {HOURS_OF_DAY}, one per hour of the day")
    found.told()
    return values if any(values) else []


def stages_of(text: Any) -> tuple[Stage, ...]:
    """Return the stages of energisation: a line each with a date and MW. Raises QuestionError with every wrong line."""
    found, made = Problems(), []
    for number, line in enumerate(str(text or "").splitlines(), start=1):
        parts = line.replace(",", " ").replace(";", " ").split()
        if not parts:
            continue
        try:
            made.append(Stage(date.fromisoformat(parts[0]), float(parts[1])))
            wrong = len(parts) > 2
        except (IndexError, ValueError):
            wrong = True
        if wrong:
            found.append(f"stages, line {number}: a date and MW such as 2027-06-01 300, not {line.strip()[:40]!r}")
    found.told()
    return tuple(made)


def criteria_word(question: SitingQuestion) -> str:
    """Return the reader's own criteria as the page's control holds them."""
    names = ("criteria", "criteria_file", "group_weights")
    held = {name: value for name, value in question.to_json().items() if name in names}
    return json.dumps(held, separators=(",", ":")) if held else ""


def _criteria(text: Any) -> dict[str, Any]:
    """Return the fields of a question that :func:`criteria_word` wrote."""
    empty: dict[str, Any] = {"criteria": [], "criteria_file": "", "group_weights": []}
    if not text:
        return empty
    try:
        held = json.loads(str(text))
        return empty | {name: held[name] for name in empty if name in held}
    except (ValueError, TypeError):
        raise QuestionError("the criteria cannot be read: choose their file again") from None


def _hour(hour: int, values: int) -> str:
    return "output of on-site resources in MW" + (f" in hour {hour}" if values > 1 else "")


def committed_of(text: str, envelopes: Sequence[Envelope]) -> tuple[Committed, ...]:
    """Return the loads that are committed already: a line each with bus, MW and, for one not firm, its envelope."""
    by_name = {one.name: one for one in envelopes}
    made, found = [], Problems()
    for number, line in enumerate(text.splitlines(), start=1):
        parts = line.replace(",", " ").split()
        if not parts:
            continue
        name = " ".join(parts[2:]) or "firm"
        own = by_name.get(name) or (envelope("firm") if name == "firm" else None)
        try:
            size = float(parts[1])
        except (IndexError, ValueError):
            found.append(f"committed loads, line {number}: a bus, its MW and its envelope")
            continue
        if own is None:
            found.append(f"committed loads, line {number}: there is no envelope {name!r:.40}")
            continue
        made.append(Committed(parts[0], own, size))
    found.told()
    return tuple(made)


def envelope_words(envelopes: Sequence[Envelope], onsite_mw: Sequence[float] = ()) -> str:
    """Return the names of envelopes for the sentence, and what on-site resources take off."""
    names = [one.name for one in envelopes]
    listed = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]
    if not any(onsite_mw):
        return listed
    return listed + (f" less {onsite_mw[0]:g} MW on site" if len(onsite_mw) == 1 else " less what is made on site")


def _repaired(broken: Envelope) -> Envelope:
    if len(broken.share) != HOURS_OF_DAY:
        return broken
    try:
        return repaired(broken)
    except EngineError as error:
        raise QuestionError(str(error)) from error


def _envelope_words(envelopes: Sequence[Envelope]) -> Words:
    """Return the controls of envelopes; what their parameters cannot say is written out hour by hour."""
    model = next((one for one in envelopes if one.kind != "own"), envelopes[0])
    by_kind = {one.kind: one for one in envelopes if one.kind != "own" and one.name == one.kind}
    shift = by_kind.get("shift")
    held: Words = {
        "kinds": [kind for kind, _ in KINDS if kind in by_kind],
        "utilisation": percent(model.utilisation if model.kind != "own" else UTILISATION),
        "peak": hours_words(model.peak_hours or PEAK_HOURS),
        "pause": percent(by_kind["pause"].depth if "pause" in by_kind else PAUSE_DEPTH),
        "shift": percent(shift.depth if shift else SHIFT_DEPTH),
        "makeup": None,
        "ramp": percent(model.ramp_share or RAMP_SHARE),
        "own": "",
        "repair": [],
    }
    if shift and not same(shift, _made(held, "shift")):
        held["makeup"] = percent(shift.make_up)
    told = [kind for kind in held["kinds"] if same(by_kind[kind], _made(held, kind))]
    held["kinds"] = told
    others = [one for one in envelopes if not (one.kind in told and one.name == one.kind)]
    held["own"] = "\n".join(line_of(one, model) for one in others)
    return held


def _made(held: Words, kind: str) -> Envelope | None:
    try:
        return envelopes_of({**held, "kinds": [kind], "own": "", "repair": []})[0]
    except QuestionError:
        return None


def _committed_line(load: Committed) -> str:
    return f"{load.bus} {load.nameplate_mw:g} {load.envelope.name}"


def _listed(text: Any) -> tuple[str, ...]:
    """Return the buses of a list: between commas or lines where there are some, else between spaces."""
    given = str(text or "").replace(";", ",").replace("\n", ",")
    parts = given.split(",") if "," in given.strip(", ") else given.replace(",", " ").split()
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _empty(value: Any) -> bool:
    return value is None or str(value).strip() == ""
