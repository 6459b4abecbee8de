"""The study of the largest sizes: how many sites qualify at every size, and the largest size of each."""

from dataclasses import dataclass, replace

from components.format import count, duration, number, percent
from components.siting_site import SOURCE, SiteStudy, bar, small_table
from components.siting_states import AT_ONCE_S, START_S, gate_seconds
from components.siting_studies_time import Takes
from components.skeleton import Part
from components.why_card import why_card, why_number
from engine.network.model import Network
from engine.siting.largest_job import COARSE_MW, FINE_MW, LargestFound, SizesOf
from engine.siting.question import SitingQuestion

TITLE = "Largest size at each site"
WORDS = "What is the largest size that qualifies at each candidate, and how many qualify at every size?"
FROM = "One study for all sizes: each is proved on both sides, by dispatches below it and by multipliers above."
# A ladder of steps, in times of the gate of two sizes as it is estimated: measured were 2.2 and 4 on Texas.
_COARSE, _FINE = 2.2, 4.0
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


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is found, beside the study that is drawn."""

    study: SiteStudy
    found: LargestFound

    @property
    def drawn(self) -> SizesOf:
        """Return the sizes under the envelope that is drawn."""
        return next(own for own in self.found.envelopes if own.envelope == self.study.envelope)

    def card(self, title: str, note: str = "") -> Part:
        """Return why a number of this study is what it is."""
        found = self.found
        return why_card(
            title,
            formula=_FORMULA,
            values=[
                ("threshold *τ*", percent(found.threshold)),
                ("hours and outages", f"{number(found.hours)} and {number(found.contingencies)}"),
                ("sizes *P*", f"{number(found.step_mw)} to {number(found.sizes_mw[-1])} MW by {number(found.step_mw)}"),
                ("candidates *b*", number(len(found.buses))),
                ("processor time", duration(round(found.processor_s))),
            ],
            inputs=self.study.inputs(),
            source=SOURCE,
            note=note,
        )


def shown(study: SiteStudy, found: LargestFound) -> list[Part]:
    """Return what was found: the count at the size that is drawn and the next, then both tables."""
    seen = _Seen(study, found)
    return [_told(seen), _by_size(seen), _by_site(seen)]


def _told(seen: _Seen) -> Part:
    own, found = seen.drawn, seen.found
    able = sorted(size for size in own.largest_mw if size > 0.0)
    if not able:
        return f"No candidate qualifies under {own.envelope} at {number(found.step_mw)} MW or more."
    middle = able[(len(able) - 1) // 2]
    words = f"{number(middle)} MW"
    shown_words = why_number(
        "siting-why-largest", words,
        seen.card(f"Half of the {number(len(able))} candidates that qualify at some size qualify at {words} or more"),
        label="median of the largest sizes",
    )  # fmt: skip
    return [
        f"Under {own.envelope} {number(len(able))} of {count(len(found.buses), 'candidate')} qualify at some size, "
        "half of them at ", shown_words, f" or more; the largest is {_size(able[-1], found)}.",
    ]  # fmt: skip


def _by_size(seen: _Seen) -> Part:
    found = seen.found
    counts = [tuple((own.qualified[at], own.undecided[at]) for own in found.envelopes)
              for at in range(len(found.sizes_mw))]  # fmt: skip
    rows = [
        (f"{number(size)} MW", *(_counted(own, place, len(found.buses)) for own in found.envelopes))
        for place, size in enumerate(found.sizes_mw)
        if place == 0 or counts[place] != counts[place - 1]
    ]
    first = found.envelopes[0]
    title = f"{number(found.sizes_mw[0])} MW, {first.envelope}: {number(first.qualified[0])} qualify"
    return small_table(
        "largest-counts", "Sites that qualify at every size", ["Size", *(own.envelope for own in found.envelopes)],
        rows, file="sites-by-size", tall=True, note="Sizes that are not listed have the counts of the row above.",
        why=seen.card(title, "A bar is the share of all candidates."),
    )  # fmt: skip


def _counted(own: SizesOf, place: int, candidates: int) -> tuple[Part, int]:
    sure, more = own.qualified[place], own.undecided[place]
    words = number(sure) + (f" (+{number(more)} open)" if more else "")
    return bar(sure / max(candidates, 1), words), sure


def _by_site(seen: _Seen) -> Part:
    study, found, own = seen.study, seen.found, seen.drawn
    order = sorted(range(len(found.buses)), key=lambda at: (-own.largest_mw[at], found.buses[at]))
    place_of = {bus: at for at, bus in enumerate(study.network.buses.ids)}
    rows = [
        (study.words(place_of[found.buses[at]]), *(_largest(each, at, found) for each in found.envelopes))
        for at in order
    ]
    held = sum(not falls for each in found.envelopes for falls in each.falls)
    note = f"Largest first, under {own.envelope}. A size holds to within {number(found.step_mw)} MW."
    if held:
        note += (
            f" At {number(held)} of the sizes marked * some smaller one fails: there a load relieves an outage that "
            "fails without it."
        )
    first = order[0]
    title = f"{rows[0][0]}: {_size(own.largest_mw[first], found)}"
    return small_table(
        "largest-sites", "Largest size of each site", ["Site", *(f"{each.envelope}, MW" for each in found.envelopes)],
        rows, file="largest-sizes", tall=True, note=note, why=seen.card(title),
    )  # fmt: skip


def _largest(own: SizesOf, at: int, found: LargestFound) -> tuple[Part, str]:
    size, most = own.largest_mw[at], own.most_mw[at]
    words = "none" if size == 0.0 else _size(size, found, unit="")
    if most > size:
        words = f"{number(size)}–{number(most)}"
    return words + ("" if own.falls[at] else " *"), f"{size:g}"


def _size(size_mw: float, found: LargestFound, unit: str = " MW") -> str:
    """Return a size; what qualifies at the end of the ladder may take more."""
    return ("at least " if size_mw == found.sizes_mw[-1] else "") + number(size_mw) + unit
