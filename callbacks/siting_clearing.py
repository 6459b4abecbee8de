"""Clearing on the Studies tab: applications read, offers made of the shortlist, the job, its awards."""

import csv
import io
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from callbacks.capacity_aside import begin, standing
from callbacks.followed import follow_job
from callbacks.siting_desk import Desk
from callbacks.siting_seen import looked_at
from callbacks.siting_site import SiteSeat, named, site_seat
from components import ids, siting_ids
from components import siting_clearing as view
from components import siting_studies_time as times
from components.siting_site import SiteStudy
from components.static import static
from engine.errors import EngineError, QuestionError
from engine.network.model import Network
from engine.siting.clearing import TIE_BREAKS, Applicant, check_applicants
from engine.siting.corridors import corridor_of, zones_of
from engine.siting.ranking import top
from engine.siting.study_jobs import CLEAR, MOST_APPLICANTS, clear_arguments

_LONGEST = 100_000
_MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Told:
    """The awards, or where they stand, and the job they wait for."""

    children: Any
    job: str | None = None


def applicants_of(text: Any, study: SiteStudy) -> list[Applicant]:
    """Return the applications of a CSV text. Raises QuestionError with every problem at once."""
    rows = [row for row in csv.reader(io.StringIO(str(text or "")[:_LONGEST])) if any(cell.strip() for cell in row)]
    head = [cell.strip().lower() for cell in rows[0]] if rows else []
    if not {"name", "mw", "date"} <= set(head):
        raise QuestionError("applications need a first line with the columns name, mw and date")
    place = {key: position for position, key in enumerate(study.network.buses.ids)}
    names = {own.name for own in study.gate.envelopes}
    found, problems = [], []
    for line, row in enumerate(rows[1:], start=2):
        cells = dict(zip(head, (cell.strip() for cell in row), strict=False))
        buses, envelopes = cells.get("buses", "").split(), cells.get("envelopes", "").split()
        wrong = [f"there is no bus {bus!r:.40}" for bus in buses if bus not in place]
        wrong += [f"there is no envelope {name!r:.40}" for name in envelopes if name not in names]
        name, mw, day = cells.get("name", ""), _number(cells.get("mw", "")), _date(cells.get("date", ""))
        if not name:
            wrong.append("the name is missing")
        if math.isnan(mw):
            wrong.append(f"mw is {cells.get('mw', '')!r:.40}, not a number")
        if not day:
            wrong.append(f"date is {cells.get('date', '')!r:.40}, not a date such as 2026-01-15")
        problems += [f"line {line}: {words}" for words in wrong]
        found.append(
            Applicant(name, mw, day, frozenset(place[bus] for bus in buses if bus in place),
                      frozenset(envelopes))
        )  # fmt: skip
    if problems:
        raise QuestionError("; ".join(problems[:_MOST_PROBLEMS]))
    if not found or len(found) > MOST_APPLICANTS:
        raise QuestionError(f"{len(found)} applications: 1 to {MOST_APPLICANTS}")
    check_applicants(found)
    return found


def offers_of(study: SiteStudy, most: int) -> list[dict[str, Any]]:
    """Return the first ``most`` places of each envelope at the size drawn, with the largest size that passes there.

    Raises QuestionError without a ranking: clearing is by score.
    """
    if study.ranked is None:
        raise QuestionError("clearing is by score: run the market of this question first")
    network = study.network
    zones = zones_of(network)
    candidate = {bus: place for place, bus in enumerate(study.gate.buses.tolist())}
    found = []
    for own in study.gate.envelopes:
        rows = [
            row
            for row, site in enumerate(study.ranked.sites)
            if site.placement is not None
            and site.placement.envelope.name == own.name
            and site.placement.nameplate_mw == study.size_mw
        ]
        largest = study.gate.largest_size(own.name, study.threshold)[0]
        for position in top(study.ranked.place[rows], most).tolist() if rows else []:
            placed = study.ranked.sites[rows[position]].placement
            if placed is not None:
                found.append(
                    {
                        "bus": network.buses.ids[placed.bus],
                        "envelope": own.name,
                        "score": float(study.ranked.score[rows[position]]),
                        "largest_mw": float(largest[candidate[placed.bus]]),
                        "zone": str(zones[placed.bus]),
                    }
                )
    if not found:
        raise QuestionError("no site of this size is ranked: there is nothing to clear")
    return found


def rules_of(given: Mapping[str, Any], network: Network) -> dict[str, Any]:
    """Return the rules that are set. Raises QuestionError with every one that cannot be used."""
    found: dict[str, Any] = {}
    problems: list[str] = []
    for key, words, unit in view.FIELDS:
        if (value := given.get(key)) in (None, ""):
            continue
        number = _number(value)
        if not 0.0 < number < math.inf or (key.startswith("most") and number != int(number)):
            wanted = "a whole number above 0" if key.startswith("most") else f"a number of {unit or 'points'} above 0"
            problems.append(f"{words[:1].lower()}{words[1:]}: {value}; it must be {wanted}".replace("; it", ", it"))
            continue
        found[key] = number
    tie = given.get("tie_break") or "date"
    if tie not in TIE_BREAKS:
        problems.append(f"equal scores are told apart by one of {', '.join(TIE_BREAKS)}, not {tie!r:.40}")
    elif tie != "date":
        found["tie_break"] = tie
    if str(given.get("caps") or "").strip():
        found["caps"] = _caps(str(given["caps"]), network, problems)
    if problems:
        raise QuestionError("; ".join(problems[:_MOST_PROBLEMS]))
    return found


def _caps(text: str, network: Network, problems: list[str]) -> list[list[Any]]:
    """Return the caps that are typed, as [zone or corridor, name, MW]; what is wrong goes to ``problems``."""
    pairs = [" - ".join(pair) for pair in corridor_of(network)[0]]
    zones = sorted(set(zones_of(network)) - {""})
    kinds = dict.fromkeys(zones, "zone") | dict.fromkeys(pairs, "corridor")
    found = []
    for line, words in enumerate(text.splitlines(), start=1):
        if not words.strip():
            continue
        name, _, mw = words.strip().rpartition(" ")
        name, number = name.strip().rstrip(","), _number(mw)
        if name not in kinds:
            known = ", ".join([*zones, *pairs][:12]) or "none"
            problems.append(f"caps, line {line}: there is no zone or corridor {name!r:.60}, there are {known}")
        elif not 0.0 < number < math.inf:
            problems.append(f"caps, line {line}: {mw!r:.40} is no number of MW above 0")
        else:
            found.append([kinds[name], name, number])
    return found


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _date(text: str) -> str:
    """Return an ISO date, "" for anything else."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def panel(seat: SiteSeat, drawn: Any, text: Any, rules: Mapping[str, Any], *, pressed: bool) -> Told:
    """Return the awards, or where their job stands; a press begins it. Raises EngineError in words."""
    study = seat.read(drawn)
    if study is None:
        return Told(view.message("Compute the gate and the market first: clearing is by score."))
    if study.ranked is None and not pressed:
        return Told(view.message("Clearing is by score: run the market of this question first."))
    network, applicants = seat.desk.services.network(seat.user, seat.study).digest, applicants_of(text, study)
    arguments = clear_arguments(
        network,
        study.run.question,
        applicants,
        offers_of(study, study.run.question.shortlist),
        rules=rules_of(rules, study.network),
        method=str(rules.get("method")),
    )
    arguments = json.loads(json.dumps(arguments))  # as they come back from the job
    act = begin if pressed else standing
    found = act(seat.desk.services, seat.user, seat.study, CLEAR, arguments)
    if found.content is not None:
        return Told(view.cleared(study, found.content))
    if found.job is None:
        takes = times.clearing(study, len(applicants), arguments["method"])
        return Told(
            view.message(f"Press Clear: the applications and rules as they stand were not cleared yet. {takes}")
        )
    if found.job.active:
        return Told(view.running(found.job), found.job.id)
    cancelled = found.job.state == "cancelled"
    words = "The clearing was cancelled." if cancelled else found.job.error or "The job stopped without a word."
    return Told(view.message(words, wrong=not cancelled))


def register(app: Dash, desk: Desk) -> None:
    """Wire the form and the awards."""
    name = siting_ids.CLEARING
    follow_job(app, name)

    @app.callback(
        Output(siting_ids.APPLICANTS, "value"),
        Input(siting_ids.seen("studies"), "data"),
        State(siting_ids.APPLICANTS, "value"),
        prevent_initial_call=True,
    )
    def begin_with(seen: Any, text: Any) -> Any:
        drawn, _ = looked_at(seen)
        size = drawn.get("size") if isinstance(drawn, Mapping) else None
        return no_update if text or not isinstance(size, int | float) else view.example(float(size))

    @app.callback(
        Output(name, "children"),
        Output(f"{name}-job", "data"),
        Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        Input(f"{siting_ids.CLEARING_RUN}-pressed", "data"),
        Input(f"{name}-ended", "data"),
        Input(siting_ids.seen("studies"), "data"),
        Input(siting_ids.rule(ALL), "value"),
        Input(siting_ids.APPLICANTS, "value"),
        State(siting_ids.rule(ALL), "id"),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def write(*given: Any) -> Any:
        press, _ended, seen, values, text, names, of = given
        drawn, _ = looked_at(seen)
        pressed = bool(press) and ctx.triggered_id == f"{siting_ids.CLEARING_RUN}-pressed"
        try:
            told = panel(site_seat(desk, of), drawn, text, named(names, values), pressed=pressed)
        except EngineError as error:
            told = Told(view.message(f"{error}.", wrong=True))
        return static(told.children), told.job, time.time() if told.job else no_update
