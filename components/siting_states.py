"""The strip between the siting question and its answer, in words: what runs, how long it takes, what is wrong."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from dash import html

from components.format import count, duration, number
from components.siting_answer import Gate
from components.skeleton import Part, progress_card, state
from engine.network.model import Network
from engine.siting.contingencies import LEAST_KV
from engine.siting.question import SitingQuestion, candidates_of

# Of the processor, for one of the programs that decide an hour: about two a candidate and four for three outages. It
# grows with the square of the buses: 1.4 to 3.4 ms were measured with 24 to 200, 49 ms with 2,000.
PROGRAM_S, BUSES_S = 1.5e-3, 1.2e-8
PER_CANDIDATE, PER_OUTAGE = 2.0, 4.0 / 3.0
START_S, CORES = 5.0, 2  # to begin processes and to make the hours; what an estimate is told for
STRESS_HOURS = 16
AT_ONCE_S = 60.0  # a gate of so much is begun when the page opens
LONG_S = 3600.0  # a year of more than this is better asked as bounds
_YEAR = 8784


def gate_seconds(network: Network, question: SitingQuestion) -> float:
    """Return about how long the gate takes on two cores, s."""
    hours = {"one": 1, "stress": STRESS_HOURS, "year": _YEAR}.get(question.choice, question.count)
    if question.choice == "list":
        hours = len(question.hours)
    candidates = len(candidates_of(network, question.candidates, question.buses))
    busy = processor_seconds(len(network.buses.ids), hours, candidates, _outages(network, question))
    return START_S + busy / CORES


def processor_seconds(buses: int, hours: int, candidates: int, outages: int) -> float:
    """Return about how long processors are busy with so many hours, candidates and outages."""
    programs = PER_CANDIDATE * candidates + PER_OUTAGE * outages
    return hours * programs * (PROGRAM_S + BUSES_S * buses**2)


def _outages(network: Network, question: SitingQuestion) -> int:
    branches, kv = network.branches, network.buses.base_kv
    on = branches.in_service
    high = on & (kv[branches.from_bus] >= LEAST_KV) & (kv[branches.to_bus] >= LEAST_KV)
    lost = {"voltage": int(high.sum()), "all": int(on.sum()), "none": 0}.get(question.branches, int(on.sum()))
    return lost + (int(np.size(network.units.in_service)) if question.units else 0)


def computing(job: Any, gate: Gate | None) -> list[Part]:
    """Return the card of the running gate, and what is known so far."""
    card = progress_card(
        "Screening the candidates",
        done=job.done, total=job.total or None, message=job.message, eta_s=job.eta_s, job=job.id,
    )  # fmt: skip
    if gate is None:
        return [card]
    hours = f"{gate.hours_done} of {count(len(gate.result.labels), 'hour')}"
    words = (
        f"{hours} are screened. A site that cannot reach the threshold any more is out; the others stay open until "
        "enough hours are done."
    )
    return [card, state("partial", words, title="So far")]


def to_screen(network: Network, question: SitingQuestion, changed: Sequence[str], *, has_answer: bool) -> html.Div:
    """Return the state of a question whose gate must be run first; Screen stands in the question bar."""
    about = f"about {duration(round(gate_seconds(network, question)))} on two cores"
    if question.choice == "year" and gate_seconds(network, question) > LONG_S:
        words = (
            f"Every hour of the year, one by one, takes {about}. Bounds that decide most candidates take minutes, and "
            "never guess: answer the question for a few hours, then press Studies, Over the whole year. Screen here "
            "begins the long run; what is done is kept."
        )
        return state("stale" if has_answer else "empty", words, title="A year hour by hour is long")
    if has_answer:
        what = ", ".join(changed) or "the question"
        return state("stale", f"Changed since: {what}. What is drawn is the answer of before; press Screen ({about}).")
    return state(
        "empty",
        f"Every candidate is screened against every outage in every hour: press Screen ({about}). What is done is "
        "kept, also when it is stopped. Another threshold, weight or length of the shortlist is answered at once.",
        title="Not screened yet",
    )


def came_with_it(origin: Mapping[str, Any], *, priced: bool = False) -> html.Div:
    """Return where an answer comes from that was computed before, by these programs, and came with them."""
    when, took = str(origin.get("computed_at", ""))[:10], duration(round(float(origin.get("seconds", 0.0))))
    busy = duration(round(float(origin.get("processor_s", 0.0))))
    what = "verdicts, prices and ranking" if priced else "verdicts"
    words = (
        f"Came with this program: {what}. It computed the verdicts on {when}, in {took} ({busy} of processors). "
        "Studies, Once more, from nothing, compares every one."
    )
    return html.Div(html.P(words), className="hr-muted hr-siting-origin", role="status")


def failed(message: str, *, cancelled: bool = False, what: str = "The gate") -> html.Div:
    """Return the state of a job that ended without an answer."""
    if cancelled:
        words = "What was done is kept; started again, it goes on from there."
        return state("empty", words, title=f"{what} was cancelled")
    return state("failed", f"{message} Started again, it goes on from what is done.", title=f"{what} failed")


def refused(message: str, *, title: str = "This question cannot be answered") -> html.Div:
    """Return the state of a question that is outside its stated range, every problem on a line."""
    lines = [line[:1].upper() + line[1:] for line in message.split("; ")]
    if len(lines) == 1:
        return state("failed", f"{lines[0].rstrip('.')}.", title=title)
    return state("failed", f"{number(len(lines))} things to mend:", title=title, details=lines)


def read_only() -> html.Div:
    """Return the note of a reader: words can be changed here, and nothing is saved."""
    return state(
        "read-only", "You may change the words and look; nothing is saved. Duplicate the study to keep your own."
    )


def nothing_qualifies(gate: Gate, intact: int) -> html.Div:
    """Return the note that no hour can be balanced or kept within limits even without a load."""
    return state(
        "infeasible",
        f"In {intact} of {len(gate.result.labels)} hours no dispatch keeps every limit even without an outage and "
        "without a further load: no site can pass in them. Lower the loads under More, choose other hours, or mend "
        "the limits on the Network page.",
        title="The network is over its limits already",
    )


def changed_words(before: SitingQuestion, now: SitingQuestion) -> list[str]:
    """Return what of a question has changed, in words."""
    names = {
        "source": "the source of hours", "dataset": "the file of hours", "choice": "the hours", "hours": "the hours",
        "count": "the hours", "thermal": "least outputs", "load_scale": "the loads", "seed": "the seed",
        "candidates": "the candidates", "buses": "the candidates", "envelopes": "the envelopes",
        "sizes_mw": "the sizes", "branches": "the outages", "units": "the outages", "outage_rating": "the rating",
        "committed": "the committed loads", "onsite_mw": "on-site resources", "stages": "the stages",
    }  # fmt: skip
    old, new = before.to_json(), now.to_json()
    return list(dict.fromkeys(words for name, words in names.items() if old.get(name) != new.get(name)))
