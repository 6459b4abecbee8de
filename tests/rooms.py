"""Visitors of an auction room without a browser, and auctions for them."""

import io
import itertools
import zipfile
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from engine.auction.rules import Activity, Closing, Configuration, Increment, Jump, Lot, Rules, Timing, Withdrawals

_numbers = itertools.count(1)


def configuration(**rules: Any) -> Configuration:
    """Return an auction of three lots; ``rules`` replace those of a class room."""
    chosen: dict[str, Any] = {
        "increment": Increment("fixed", 5),
        "jump": Jump("any"),
        "activity": Activity(enforced=False),
        "withdrawals": Withdrawals(rounds=2),
        "closing": Closing(),
        "timing": Timing("clock", 30.0),
        **rules,
    }
    lots = tuple(Lot(f"lot-{n}", f"Lot {n}", 10.0 * n, 0.0, str(n), 10 * n) for n in (1, 2, 3))
    return Configuration("Test", lots, Rules(**chosen), seed=4_242_424_242)


def seat(name: str, **more: Any) -> dict[str, Any]:
    """Return a seat as an auction is made with."""
    return {"name": name, "valuation": None, "bot": "", "eligibility": None, "deposit": None, **more}


class Visitor:
    """A session of its own, which remembers every answer."""

    def __init__(self, server: Flask) -> None:
        self.client = server.test_client()
        self.client.get("/")
        with self.client.session_transaction() as session:
            self.user = str(session["user"])
        self.seen: list[str] = []

    def get(self, path: str, **more: Any) -> TestResponse:
        """Ask for an address of the room."""
        return self._kept(self.client.get(f"/api/auctions/{path}", **more))

    def post(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        """Send JSON to an address of the room."""
        return self._kept(self.client.post(f"/api/auctions/{path}", **({"json": body or {}} | more)))

    def look(self, auction: str, role: str) -> dict[str, Any]:
        """Return the snapshot of that role."""
        answer = self.get(f"{auction}/snapshot?as={role}")
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json
        return told

    def act(self, auction: str, what: str, number: int, **more: Any) -> dict[str, Any]:
        """Act as a bidder in the round of that number; return the receipt."""
        body = {"request": f"a{next(_numbers)}", "round": number, "what": what, **more}
        answer = self.post(f"{auction}/act", body)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json
        return told

    def order(self, auction: str, what: str, **more: Any) -> dict[str, Any]:
        """Order something as the host; return the receipt."""
        answer = self.post(f"{auction}/host", {"request": f"h{next(_numbers)}", "what": what, **more})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json
        return told

    def _kept(self, answer: TestResponse) -> TestResponse:
        self.seen.append(f"{answer.status_code} {answer.headers} {_text(answer.data)}")
        return answer


def _text(content: bytes) -> str:
    """Return what can be read in an answer; of an archive, its files."""
    if content[:2] != b"PK":
        return content.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
