"""The study of the largest sizes: how many sites qualify at every size, and the largest size of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import numpy as np

from components.format import count, duration, number, percent
from components.siting_site import SOURCE, SiteStudy, bar, small_csv, small_table
from components.siting_states import AT_ONCE_S, START_S, gate_seconds
from components.siting_studies_time import Takes
from components.skeleton import Part
from components.why_card import why_card, why_number
from engine.network.model import Integers, Network
from engine.siting.largest_job import COARSE_MW, FINE_MW, LargestFound
from engine.siting.question import SitingQuestion

TITLE = "Largest size at each site"
WORDS = "What is the largest size that qualifies at each candidate, and how many qualify at every size?"
FROM = "One study for all sizes: each is proved on both sides, by dispatches below it and by multipliers above."
# The ladder in times of the gate as it is estimated. By 50 MW, all 1,431 candidates of Texas in two hours took 526 s on
# two cores, 1.4 times the gate's 368 s, and 831 s of the processor (2,833 s where it was busy). By 10 MW, 90 of them
# took 1.9 times as long.
_COARSE, _FINE = 1.4, 2.6
FILE_PATH = "/siting/largest.csv"
SITES, COUNTS = "sites", "counts"  # the tables that the file may be of
_FORMULA = "*P*_{b,e} = max{*P* : *r*_{b,e}(*P*) ≥ *τ*},  |*Q*_e(*P*)| = |{*b* : *r*_{b,e}(*P*) ≥ *τ*}|"


def step_mw(network: Network, question: SitingQuestion) -> float:
    """Return the step of the ladder, MW: the fine one where that is begun at one press."""
    return FINE_MW if _seconds(network, question, _FINE) <= AT_ONCE_S else COARSE_MW


def takes(network: Network, question: SitingQuestion) -> Takes:
    """Return how long the study takes."""
    step = step_mw(network, question)
    return Takes(
        _seconds(network, question, _FINE if step == FINE_MW else _COARSE),
        first=f"ladder of sizes by {number(step)} MW at {count(len(question.envelopes), 'envelope')}",
    )


def _seconds(network: Network, question: SitingQuestion, times: float) -> float:
    return START_S + times * (gate_seconds(network, replace(question, stages=())) - START_S)


def address(study: str, drawn: str, table: str) -> str:
    """Return where all rows of a table lie as CSV; ``drawn`` is what is drawn, as an address holds it."""
    return f"{FILE_PATH}?{urlencode({'study': study, 'table': table, 'drawn': drawn})}"


def origin_words(told: Mapping[str, Any]) -> str:
    """Return where an answer comes from: it came with the program, or was computed here."""
    if "origin" not in told:
        return f"It was computed here, in {duration(round(told['time_s']))}."
    when, took = str(told["origin"]["computed_at"])[:10], duration(round(float(told["origin"]["seconds"])))
    return f"It came with this program, which computed it on {when}, in {took}."


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is found, beside the study that is drawn."""

    study: SiteStudy
    found: LargestFound

    def counts(self) -> list[tuple[str, Integers, Integers]]:
        """Return of each envelope its name, how many qualify at each size, and for how many that is open."""
        sizes = self.found.sizes
        return [(own.name, *sizes.counts_by_size(own.name)) for own in sizes.envelopes]

    def card(self, title: str, note: str = "") -> Part:
        """Return why a number of this study is what it is."""
        sizes, told = self.found.sizes, self.found.told
        return why_card(
            title,
            formula=_FORMULA,
            values=[
                ("threshold *τ*", percent(sizes.threshold)),
                ("hours and outages", f"{number(len(sizes.labels))} and {number(told['contingencies'])}"),
                ("sizes *P*", ladder_words(self.found)),
                ("candidates *b*", number(len(sizes.buses))),
                ("processor time", duration(round(told["processor_s"]))),
            ],
            inputs=self.study.inputs(),
            source=SOURCE,
            note=" ".join(part for part in (note, origin_words(told)) if part),
        )


def ladder_words(found: LargestFound) -> str:
    """Return the sizes that were decided: ``50 to 2 000 MW by 50``."""
    step, last = number(found.step_mw), number(found.sizes.sizes_mw[-1])
    return f"{step} to {last} MW by {step}"


def shown(study: SiteStudy, found: LargestFound, whole: str) -> list[Part]:
    """Return what was found: the count at the size that is drawn and the next, then both tables.

    ``whole`` is where all rows of the sites lie as CSV.
    """
    seen = _Seen(study, found)
    return [_told(seen), _by_size(seen), _by_site(seen, whole)]


def _told(seen: _Seen) -> Part:
    name, found = seen.study.envelope, seen.found
    able = sorted(size for size in found.sizes.largest_mw(name)[0].tolist() if size > 0.0)
    if not able:
        return f"No candidate qualifies under {name} at {number(found.step_mw)} MW or more."
    middle = able[(len(able) - 1) // 2]
    words = f"{number(middle)} MW"
    shown_words = why_number(
        "siting-why-largest", words,
        seen.card(f"Half of the {number(len(able))} candidates that qualify at some size qualify at {words} or more"),
        label="median of the largest sizes",
    )  # fmt: skip
    return [
        f"Under {name} {number(len(able))} of {count(len(found.sizes.buses), 'candidate')} qualify at some size, "
        "half of them at ", shown_words, f" or more; the largest is {_size(able[-1], found)}.",
    ]  # fmt: skip


def _by_size(seen: _Seen) -> Part:
    sizes, counts = seen.found.sizes, seen.counts()
    every = np.array([[sure, open_] for _, sure, open_ in counts])  # (E, 2, K)
    changes = [0, *(np.flatnonzero((np.diff(every, axis=2) != 0).any(axis=(0, 1))) + 1).tolist()]
    rows = [
        (f"{number(sizes.sizes_mw[place])} MW",
         *(_counted(int(sure[place]), int(open_[place]), len(sizes.buses)) for _, sure, open_ in counts))
        for place in changes
    ]  # fmt: skip
    first, sure, _ = counts[0]
    title = f"{number(sizes.sizes_mw[0])} MW, {first}: {number(int(sure[0]))} qualify"
    return small_table(
        "largest-counts", "Sites that qualify at every size", ["Size", *(name for name, *_ in counts)],
        rows, file="sites-by-size", tall=True, note="Sizes that are not listed have the counts of the row above.",
        why=seen.card(title, "A bar is the share of all candidates."),
    )  # fmt: skip


def _counted(sure: int, more: int, candidates: int) -> tuple[Part, int]:
    words = number(sure) + (f" (+{number(more)} open)" if more else "")
    return bar(sure / max(candidates, 1), words), sure


def _by_site(seen: _Seen, whole: str) -> Part:
    study, found = seen.study, seen.found
    heads, rows = _site_rows(study, found)
    held = sum(int((~found.sizes.falls(own.name)).sum()) for own in found.sizes.envelopes)
    note = f"Largest first, under {study.envelope}. A size holds to within {number(found.step_mw)} MW."
    if held:
        note += (
            f" At {number(held)} of the sizes marked * some smaller one fails: there a load relieves an outage that "
            "fails without it."
        )
    most = float(found.sizes.largest_mw(study.envelope)[0].max())
    title = f"{rows[0][0]}: {_size(most, found)}"
    return small_table(
        "largest-sites", "Largest size of each site", heads, rows, file="largest-sizes", tall=True, note=note,
        why=seen.card(title), whole=whole,
    )  # fmt: skip


def _site_rows(study: SiteStudy, found: LargestFound) -> tuple[list[str], list[Sequence[Part]]]:
    """Return the heads and the rows of all sites, the largest under the envelope drawn first."""
    sizes, ids = found.sizes, study.network.buses.ids
    of = [(*sizes.largest_mw(own.name), sizes.falls(own.name)) for own in sizes.envelopes]
    drawn = sizes.largest_mw(study.envelope)[0]
    order = sorted(range(len(sizes.buses)), key=lambda at: (-drawn[at], ids[sizes.buses[at]]))
    rows: list[Sequence[Part]] = [
        (study.words(int(sizes.buses[at])),
         *(_largest(float(sure[at]), float(most[at]), found, falls=bool(falls[at])) for sure, most, falls in of))
        for at in order
    ]  # fmt: skip
    return ["Site", *(f"{own.name}, MW" for own in sizes.envelopes)], rows


def sites_csv(study: SiteStudy, found: LargestFound) -> str:
    """Return the table of the sites as CSV, with every row."""
    return small_csv(*_site_rows(study, found))


def _largest(size: float, most: float, found: LargestFound, *, falls: bool) -> tuple[Part, str]:
    words = "none" if size == 0.0 else _size(size, found, unit="")
    if most > size:
        words = f"{number(size)}–{number(most)}"
    return words + ("" if falls else " *"), f"{size:g}"


def _size(size_mw: float, found: LargestFound, unit: str = " MW") -> str:
    """Return a size; what qualifies at the end of the ladder may take more."""
    return ("at least " if size_mw == found.sizes.sizes_mw[-1] else "") + number(size_mw) + unit
