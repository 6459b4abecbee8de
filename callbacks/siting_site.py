"""Who asks, of which siting study: what the sheets, the catalogue and the studies read from the page's Stores."""

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from callbacks.security import current_user
from callbacks.siting_desk import ASKED, PAGE, Desk, drawn_of
from components.format import megawatts
from components.siting_site import SiteStudy
from engine.errors import QuestionError
from engine.siting.jobs import ac_arguments
from engine.siting.question import SitingQuestion
from engine.siting.sheet import gate_sheet
from engine.store.answers import Answer as StoredAnswer

_LONGEST_ADDRESS = 3500  # characters that every server takes
_LARGEST_DRAWN = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class SiteSeat:
    """Every read goes through the services with this user's access."""

    desk: Desk
    user: str
    study: str

    def read(self, drawn: Any) -> SiteStudy | None:
        """Return what is drawn, None while no gate is. Raises EngineError in words."""
        if not isinstance(drawn, Mapping):
            return None
        run = self.desk.gate(self.user, self.study, drawn)
        if run is None:
            return None
        view = drawn_of(drawn)
        market = self.desk.market(self.user, self.study, drawn)
        ranked = self.desk.ranked(self.user, self.study, drawn)
        own = self.desk.own(self.user, self.study, drawn)
        return SiteStudy(
            run, market, ranked, view.envelope, view.size_mw, view.threshold, own, view.by, view.top,
            self.desk.gate_s(self.user, self.study, drawn),
        )  # fmt: skip


def ac_arguments_of(seat: SiteSeat, study: SiteStudy, bus: int) -> tuple[dict[str, Any], str]:
    """Return the arguments of a site's AC power flows, and in words what they are for.

    Of the hour in which most outages fail, among those of the largest demand. Raises QuestionError before any hour is
    screened.
    """
    hours = gate_sheet(study.gate, bus, study.envelope, study.size_mw).hours
    if not hours:
        raise QuestionError("no hour is screened yet")
    demand = study.run.prepared.case.demand_mw.sum(axis=1)
    worst = max(hours, key=lambda one: (one.failed, float(demand[one.hour]), -one.hour))
    network, key = seat.desk.services.network(seat.user, seat.study).digest, study.network.buses.ids[bus]
    place = int(study.run.prepared.hours.hours[worst.hour])
    arguments = ac_arguments(network, study.run.question, key, worst.load_mw, place)
    words = f"{study.gate.labels[worst.hour]}, {megawatts(worst.load_mw)} at {study.words(bus)}"
    return json.loads(json.dumps(arguments)), words


def address_of(
    seat: SiteSeat, path: str, drawn: Mapping[str, Any], more: Mapping[str, str], *, owner: bool
) -> str | None:
    """Return the address of a page of what is drawn; a long question is kept by the store and named by its digest.

    None where a reader looks at a long question that the study does not hold: only its owner can keep one.
    """
    text = f"{path}?{urlencode({'study': seat.study, **more, 'drawn': packed_drawn(drawn)})}"
    if len(text) <= _LONGEST_ADDRESS or not isinstance(drawn.get("question"), Mapping):
        return text
    question = SitingQuestion.from_json(drawn["question"])
    digest = question.digest(seat.desk.services.network(seat.user, seat.study).digest)
    if owner:
        seat.desk.services.results.put(seat.user, seat.study, StoredAnswer(ASKED, digest, question.to_json(), {}))
    elif _kept_question(seat, digest) is None:
        return None
    left = {name: value for name, value in drawn.items() if name != "question"}
    return f"{path}?{urlencode({'study': seat.study, **more, 'q': digest, 'drawn': packed_drawn(left)})}"


def drawn_in(seat: SiteSeat, query: Mapping[str, str]) -> dict[str, Any]:
    """Return what an address of :func:`address_of` says is drawn. Raises QuestionError in words."""
    drawn = unpacked_drawn(query.get("drawn", ""))
    if "q" in query:
        kept = _kept_question(seat, query["q"])
        if kept is None:
            raise QuestionError("the question of this address is not kept any more: open it from the Siting page")
        drawn["question"] = kept
    return drawn


def _kept_question(seat: SiteSeat, digest: str) -> dict[str, Any] | None:
    """Return the question of a digest: one that the store keeps by it, or the one saved with the study."""
    services = seat.desk.services
    kept = services.results.get(seat.user, seat.study, ASKED, digest)
    saved = services.studies.question(seat.user, seat.study, PAGE) if kept is None else kept.content
    if saved is None:
        return None
    question = SitingQuestion.from_json(saved)
    return question.to_json() if question.digest(services.network(seat.user, seat.study).digest) == digest else None


def packed_drawn(drawn: Mapping[str, Any]) -> str:
    """Return the Store of what is drawn as an address holds it."""
    text = json.dumps(drawn, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(zlib.compress(text, 9)).decode()


def unpacked_drawn(text: str) -> dict[str, Any]:
    """Return what :func:`packed_drawn` packed. Raises QuestionError for anything else."""
    try:
        expander = zlib.decompressobj()
        content = expander.decompress(base64.urlsafe_b64decode(text), _LARGEST_DRAWN)
        found = json.loads(content)
    except (ValueError, zlib.error):
        found = None
    if not isinstance(found, dict):
        raise QuestionError("the address does not say which study: open the sheet from the Siting page")
    return found


def site_seat(desk: Desk, study: Any) -> SiteSeat:
    """Return the seat of whoever asks: the session says who it is, the page only which study."""
    return SiteSeat(desk, current_user(), study if isinstance(study, str) else "")


def named(names: Any, values: Any) -> dict[str, Any]:
    """Return the values of a page's controls by their names. Raises QuestionError for what no page of ours sends."""
    try:
        return {one["name"]: value for one, value in zip(names, values, strict=True)}
    except (KeyError, TypeError, ValueError):
        raise QuestionError("the controls are not those of this page: reload it") from None
