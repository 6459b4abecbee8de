"""Which lines the web server lets wait, and which it cuts: for the address that they come from.

A request that was refused because its session floods (:mod:`callbacks.auction_access`) has cost its parsing. What comes
after it on the same line is not read for a second, and no thread waits for that. More such lines than a browser ever
has are cut, and from then on the address opens new ones at a rate: who calls again for each order waits unheard.
Lines that are open already are never touched by this, whoever shares the address.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

WAIT_S = 1.0  # what the refusal tells as Retry-After; a new line never waits longer either
WAITING_PER_ADDRESS = 32  # lines with a refused request, in each worker; a browser has 6 of all kinds
NEW_PER_S = 50.0  # lines that an address may open while it floods, in each worker
WATCHED_S = 10.0  # after a refusal the address is held to that rate for so long
MOST_WAITING = 400  # lines of all addresses, in each worker
_MOST_ADDRESSES = 1_000


@dataclass(slots=True)
class _Address:
    waiting: int = 0  # lines with a refused request
    watched_until: float = 0.0
    free_at: float = 0.0  # when the next new line may be let in


class Doors:
    """What is known of the addresses whose requests were refused; not for use by several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, _Address] = {}
        self._waiting = 0

    def refuse(self, address: str) -> bool:
        """Note a refused request; tell whether its line may wait for :data:`WAIT_S`, else it is cut.

        One that waits is counted until :meth:`over`.
        """
        now = self._clock()
        if address not in self._known and len(self._known) >= _MOST_ADDRESSES:
            self._known = {who: one for who, one in self._known.items() if one.waiting or one.watched_until > now}
        known = self._known.setdefault(address, _Address())
        known.watched_until = now + WATCHED_S
        if known.waiting >= WAITING_PER_ADDRESS or self._waiting >= MOST_WAITING:
            return False
        known.waiting += 1
        self._waiting += 1
        return True

    def over(self, address: str) -> None:
        """Note that a line with a refused request has waited."""
        self._known[address].waiting -= 1
        self._waiting -= 1

    def knock(self, address: str) -> float | None:
        """Return how many seconds a new line waits until it is read, 0 for most; None where it is cut."""
        known, now = self._known.get(address), self._clock()
        if known is None or known.watched_until <= now:
            return 0.0
        turn = max(known.free_at, now)
        if turn - now > WAIT_S:
            return None
        known.free_at = turn + 1.0 / NEW_PER_S
        return turn - now
