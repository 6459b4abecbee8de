"""What the host's desk has beside the room: whether the awards can be delivered, and the round's certificate."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from callbacks import auction_orders, logs
from callbacks.auction_certificate import Certificates
from callbacks.auction_room import Here, Receipt
from callbacks.services import Services
from engine.auction.deliver_jobs import DELIVER, deliver_arguments, witness
from engine.auction.deliverability import Delivery, awards
from engine.auction.state import AuctionState
from engine.capacity.products import ProductSet
from engine.errors import EngineError, QuestionError
from engine.store.answers import ProductSetRecord
from engine.store.codec import dump_json
from engine.store.jobs import hash_input
from engine.store.kinds import KINDS

EXTENSION = "headroom-auction-desk"  # where the server keeps the desk

_log = logs.get("headroom.auction")


class Desk:
    """The host's orders and what only the host sees."""

    def __init__(self, services: Services, home: Path) -> None:
        self._services = services
        self._certificates = Certificates(services.auctions)
        self.home = home

    def order(self, user: str, auction_id: str, content: bytes) -> Receipt:
        """Do what a host orders and say what was done, or why not."""
        receipt = auction_orders.order(self._services.auctions, user, auction_id, content)
        if receipt.pop("deliver", False):
            try:
                self._submit(auction_id)
            except EngineError as error:
                return auction_orders.refusal([("", "deliverability", str(error))])
        return receipt

    def after_round(self, auction_id: str) -> None:
        """Ask whether what is held after a round can be delivered, for an auction that sells a product set."""
        try:
            self._submit(auction_id)
        except EngineError as error:
            # The round is closed whether or not this can be asked; the host's view says why it cannot.
            _log.warning("no deliverability check", auction=auction_id, why=str(error)[:300])

    def _submit(self, auction_id: str) -> None:
        room, row, live = self._services.auctions.look(auction_id)
        if not live.state.configuration.product_set_digest:
            return
        user = self._host(Here(room, row, live))
        arguments = self._arguments(Here(room, row, live), user)
        self._services.jobs.submit(user, DELIVER, arguments, row.study_id or "")

    def extra(self, here: Here) -> Mapping[str, Any]:
        """Return the fields of the host's view that are computed apart, with a ``mark`` that changes with them."""
        told = self.deliverability(here)
        checked = self._certificates.of(here)
        mark = "" if told is None else f"{told['state']}{told.get('done', '')}"
        return {"deliverability": told, **checked, "mark": f"{mark}.{self._certificates.mark(here)}"}

    def deliverability(self, here: Here) -> dict[str, Any] | None:
        """Return whether all that is held can be delivered, or where its check stands; None without a product set."""
        state = here.live.state
        if not state.configuration.product_set_digest or not state.rounds:
            return None
        try:
            user = self._host(here)
            arguments = here.room.keep("arguments", here.live.public, lambda: self._arguments(here, user))
            return self._answer(here, user, arguments)
        except EngineError as error:
            return {"state": "impossible", "words": str(error)}

    def _answer(self, here: Here, user: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        study, last = here.row.study_id or "", here.live.state.rounds[-1].round
        asked = hash_input(DELIVER, KINDS[DELIVER], dump_json(arguments, "the arguments of a job"))
        found = self._services.results.get(user, study, DELIVER, asked)
        if found is not None:
            delivery = Delivery.from_json(found.content)
            return {"state": "done", "round": last, "words": delivery.words, "holds": delivery.holds,
                    "witness": witness(delivery, awards(here.live.state))}  # fmt: skip
        job = next((one for one in self._services.jobs.list(user, study) if one.input_hash == asked), None)
        if job is None:
            return {"state": "not asked", "round": last, "words": "Not checked yet"}
        words = job.error or job.message or ("Waiting to be computed" if job.state == "queued" else "Computing")
        return {"state": job.state, "round": last, "words": words, "done": round(job.fraction, 2), "job": job.id}

    def _arguments(self, here: Here, user: str) -> dict[str, Any]:
        record = self._record(here, user)
        products = ProductSet.from_json(record.product_set)
        state = here.live.state
        return deliver_arguments(state.configuration, products, record.network_digest, awards(state))

    def _record(self, here: Here, user: str) -> ProductSetRecord:
        study, wanted = here.row.study_id, here.live.state.configuration.product_set_digest
        if study is None:
            raise QuestionError("the study whose product set this auction sells is gone")
        record: ProductSetRecord = here.room.keep("record", wanted, lambda: self._find(user, study, here.live.state))
        return record

    def _find(self, user: str, study: str, state: AuctionState) -> ProductSetRecord:
        for record in self._services.products.list(user, study):
            if ProductSet.from_json(record.product_set).digest() == state.configuration.product_set_digest:
                return record
        raise QuestionError("the study has no published product set with the digest of this auction's")

    def _host(self, here: Here) -> str:
        """Return the host in whose name the study is asked: the one who came first."""
        hosts = [one for one in self._services.auctions.people(here.room, here.row) if one.role == "host"]
        return hosts[0].user
