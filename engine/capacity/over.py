"""Limits that existing load exceeds before anything is added, with and without outages, in words."""

import numpy as np

from engine.capacity.margins import Prepared
from engine.capacity.question import percent
from engine.capacity.results import OverLimit
from engine.capacity.secure import Secure
from engine.network.outages import Outages

AT_LIMIT_MW = 1e-3  # an existing load this little above a limit is at it: a dispatch holds lines to about this
LISTED = 30  # limits after outages that are listed at each level; the others are counted
_NAMED = 5


def over_limit(prepared: Prepared, row: int, epsilon: float, load_mw: float, *, reached: bool) -> OverLimit:
    """Return the record of a row that existing load exceeds."""
    limit = prepared.limit(row)
    state = prepared.state_words(row)
    over = load_mw - limit.limit_mw
    when = f" in {state}" if state and epsilon == 0 else ""
    risk = "" if epsilon == 0 else f" at risk {percent(epsilon)}"
    words = (
        f"{limit.words}: {load_mw:.1f} MW{risk}{when}, before any addition, against a limit of "
        f"{limit.limit_mw:.1f} MW ({over:.1f} MW over)"
    )
    return OverLimit(limit, epsilon, load_mw, over, state, reached, words)


def over_after_outages(secure: Secure) -> tuple[tuple[OverLimit, ...], tuple[int, ...]]:
    """Return the worst limits that existing load exceeds after outages, level by level, and how many there are."""
    found: list[OverLimit] = []
    counts = []
    for level, epsilon in enumerate(secure.levels):
        pairs, load = secure.exceeded(level, AT_LIMIT_MW)
        counts.append(len(pairs))
        worst = pairs.part(np.arange(min(LISTED, len(pairs))))
        rows, reached = secure.rows_of(worst), secure.reached(worst)
        for place, row in enumerate(rows):
            found.append(over_limit(secure.prepared, row, epsilon, float(load[place]), reached=bool(reached[place])))
    return tuple(found), tuple(counts)


def islanding_words(outages: Outages) -> str:
    """Return how many outages split the network and are left out, with the one that cuts off most load."""
    apart = outages.islanding
    words = max(apart, key=lambda one: one.load_mw).words(outages.network)
    if len(apart) == 1:
        return f"1 outage splits the network and is left out: {words}"
    return f"{len(apart)} outages split the network and are left out, the worst: {words}"


def secure_notices(secure: Secure, counts: tuple[int, ...], *, held: bool) -> tuple[str, ...]:
    """Return what a reader must know about the outages that were counted, and those that were not."""
    question, outages = secure.question, secure.outages
    network, apart = outages.network, outages.islanding
    rating = question.outage_rating.upper()
    rule = "" if rating == "A" else " (A where it is not given)"
    found = [f"limits hold after each of {len(outages):,} outages too, up to rating {rating}{rule}"]
    if apart:
        found.append(islanding_words(outages))
        cut = {network.buses.ids[bus] for one in apart for bus in one.buses}
        sites = [bus for bus in question.candidates if bus in cut]
        if sites:
            named = ", ".join(sites[:_NAMED]) + (f" and {len(sites) - _NAMED} more" if len(sites) > _NAMED else "")
            which = "1 site has" if len(sites) == 1 else f"{len(sites)} sites have"
            found.append(f"{which} no second way to the network, and no supply after the outage of the first: {named}")
    for epsilon, count in zip(secure.levels, counts, strict=True):
        if count:
            where = "" if epsilon == 0 else f" at risk {percent(epsilon)}"
            limits = "1 limit is" if count == 1 else f"{count:,} limits are"
            kept = ", and held at the present level" if held else ""
            listed = f"; the {LISTED} worst are listed" if count > LISTED else ""
            found.append(f"{limits} exceeded after outages before any addition{where}{kept}{listed}")
    return tuple(found)
