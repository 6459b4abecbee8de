"""Which lines the web server lets wait, and which it closes: those of an asker whose requests were refused as a flood.

An asker is a session, or the address of all that have none: :func:`callbacks.auction_access.asker`. A request that was
refused has cost its parsing. What comes after it on the same line is not read for a second, and no thread waits for
that. The same holds for a new line whose first bytes, looked at and not yet read, tell that it is of an asker who was
refused within that second: who calls again for each order waits unheard. Too many such lines are closed. Lines of other
askers are never touched by this, whoever shares the address.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

WAIT_S = 1.0  # what the refusal tells as Retry-After
LINES = 100  # of one asker that wait, in each worker: a flood whose lines wait calls less often than one cut off
ALL_LINES = 400  # of all askers that wait, in each worker
_MOST_ASKERS = 1_000


@dataclass(slots=True)
class _Asker:
    waiting: int = 0  # lines
    until: float = 0.0  # when he may ask again


class Doors:
    """What is known of the askers whose requests were refused; not for use by several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refused: dict[bytes, _Asker] = {}
        self._waiting = 0
        self._quiet_from = 0.0

    @property
    def quiet(self) -> bool:
        """Tell whether nobody was refused a moment ago, so that nobody need be looked at."""
        return self._quiet_from <= self._clock()

    def refuse(self, who: bytes) -> None:
        """Note a refused request."""
        now = self._clock()
        if who not in self._refused and len(self._refused) >= _MOST_ASKERS:
            self._refused = {one: known for one, known in self._refused.items() if known.waiting or known.until > now}
        self._refused.setdefault(who, _Asker()).until = self._quiet_from = now + WAIT_S

    def must_wait(self, who: bytes) -> bool:
        """Tell whether this asker was refused a moment ago."""
        known = self._refused.get(who)
        return known is not None and known.until > self._clock()

    def wait(self, who: bytes) -> bool:
        """Let one more line of a refused asker wait, until :meth:`over`; return False where it is to be closed."""
        known = self._refused[who]
        if known.waiting >= LINES or self._waiting >= ALL_LINES:
            return False
        known.waiting += 1
        self._waiting += 1
        return True

    def over(self, who: bytes) -> None:
        """Note that a line has waited."""
        self._refused[who].waiting -= 1
        self._waiting -= 1
