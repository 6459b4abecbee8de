"""Draft terms of an agreement on one site and one envelope: what a meter will be held against.

A draft for the parties to edit, not legal advice. :mod:`engine.siting.audit` applies exactly these terms. Defaults of
sampling, response, tolerances and the ladder are this product's own and are said to be.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Vector
from engine.siting.case import HOURS_OF_DAY
from engine.siting.envelopes import Envelope, envelope_from_json, hours_words
from engine.siting.meter import zone_of

MOST_MW = 100_000.0
LONGEST_WORDS = 300
_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Rung:
    """What follows when so many days of the last thirty had a violation."""

    days: int
    consequence: str


LADDER = (
    Rung(1, "written notice"),
    Rung(3, "cure plan within ten days"),
    Rung(6, "cap lowered to the metered compliant level until cured"),
    Rung(10, "suspension until cured"),
)
LADDER_DAYS = 30


@dataclass(frozen=True, slots=True)
class Agreement:
    """The terms. ``cap_mw`` and the ramp bound follow from the envelope and the nameplate."""

    site: str
    envelope: Envelope
    nameplate_mw: float
    sampling_min: int = 15  # one metered value per so many minutes: their mean
    response_min: int = 15  # after a cap falls, before it is held
    tolerance_mw: float = 0.0
    tolerance_share: float = 0.01  # of the cap; the larger of the two tolerances counts
    energy_band: float = 0.05  # of the envelope's daily energy, above it; shift: below it too
    least_coverage: float = 0.95  # of a day's samples, below which the day cannot be judged
    ladder: tuple[Rung, ...] = LADDER
    time_zone: str = ""  # of the clock that hours are of, in the IANA database; "" for the clock of the meter

    @property
    def cap_mw(self) -> Vector:
        """Return the cap (24,) of each hour of the day."""
        return self.envelope.level_mw(self.nameplate_mw, np.arange(1, HOURS_OF_DAY + 1))

    @property
    def ramp_mw_per_h(self) -> float:
        """Return the ramp bound."""
        return self.envelope.ramp_share * self.nameplate_mw

    def tolerance(self) -> Vector:
        """Return the tolerance (24,) above the cap of each hour, MW."""
        return np.maximum(self.tolerance_mw, self.tolerance_share * self.cap_mw)

    def checked(self) -> "Agreement":
        """Return the agreement. Raises QuestionError with every problem at once."""
        found = self.envelope.problems()
        if not 0.0 < self.nameplate_mw <= MOST_MW:
            found.append(f"the nameplate is {self.nameplate_mw:g} MW: above 0, to {MOST_MW:,.0f}")
        if self.sampling_min not in {1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60}:
            found.append(f"sampling every {self.sampling_min} min does not divide the hour")
        if not 0 <= self.response_min <= _MINUTES:
            found.append(f"the response time is {self.response_min} min: 0 to {_MINUTES}")
        for name, value in (
            ("tolerance", self.tolerance_share),
            ("energy band", self.energy_band),
            ("least coverage", self.least_coverage),
        ):
            if not 0.0 <= value <= 1.0:
                found.append(f"the {name} is {100 * value:g} %: 0 to 100")
        if not 0.0 <= self.tolerance_mw <= MOST_MW:
            found.append(f"the tolerance is {self.tolerance_mw:g} MW: 0 to {MOST_MW:,.0f}")
        found += self._words_problems()
        if found:
            raise QuestionError("; ".join(found))
        return self

    def _words_problems(self) -> list[str]:
        found = []
        days = [rung.days for rung in self.ladder]
        if days != sorted(set(days)) or any(not 1 <= day <= LADDER_DAYS for day in days):
            found.append(f"the ladder's days {days[:LADDER_DAYS]} must rise, 1 to {LADDER_DAYS}")
        if any(len(words) > LONGEST_WORDS for words in (self.site, *(rung.consequence for rung in self.ladder))):
            found.append(f"the site and what follows a violation have at most {LONGEST_WORDS} letters")
        try:
            zone_of(self.time_zone)
        except QuestionError as error:
            found.append(str(error))
        return found

    def terms(self) -> list[tuple[str, str]]:
        """Return the draft as pairs of a heading and a sentence."""
        caps = self.cap_mw
        energy = self.envelope.energy_mwh(self.nameplate_mw)
        below = "within" if self.envelope.kind == "shift" else "at most"
        sign = "±" if self.envelope.kind == "shift" else "+"
        whole = "; too little only on a day with every sample" if self.envelope.kind == "shift" else ""
        return [
            ("Site", self.site),
            ("Envelope", f"{self.envelope.name}, {self.nameplate_mw:g} MW nameplate: {self.envelope.words()}"),
            ("Cap by hour", "; ".join(f"hours {hours}: {mw:g} MW" for hours, mw in _runs(caps))),
            (
                "Ramp",
                f"at most {self.ramp_mw_per_h:g} MW, and the tolerance of the later hour, between the means of two "
                "hours in sequence, midnight included",
            ),
            ("Energy", f"{below} {energy:,.0f} MWh a day, {sign}{100 * self.energy_band:g} %{whole}"),
            (
                "Metering",
                f"a mean every {self.sampling_min} min; a day counts with {100 * self.least_coverage:g} % of them",
            ),
            (
                "Clock",
                f"hours of the clock in {self.time_zone}; a day of 23 or 25 hours draws the energy of its own hours"
                if self.time_zone
                else "hours as the meter's clock writes them",
            ),
            ("Response", f"for {self.response_min} min after a cap falls the cap before it still holds"),
            (
                "Tolerance",
                f"{self.tolerance_mw:g} MW or {100 * self.tolerance_share:g} % of the cap, the larger, by the hour: "
                "above the cap, and above the ramp bound",
            ),
            *((f"From {rung.days} of {LADDER_DAYS} days", f"{rung.consequence}") for rung in self.ladder),
        ]

    def to_json(self) -> dict[str, Any]:
        """Return what :func:`agreement_from_json` reads."""
        return asdict(self) | {
            "envelope": self.envelope.to_json(),
            "ladder": [asdict(rung) for rung in self.ladder],
        }


def agreement_from_json(content: Mapping[str, Any]) -> Agreement:
    """Return the checked agreement that :meth:`Agreement.to_json` wrote. Raises QuestionError for anything else."""
    try:
        found = Agreement(
            site=str(content["site"]),
            envelope=envelope_from_json(content["envelope"]),
            nameplate_mw=float(content["nameplate_mw"]),
            sampling_min=int(content["sampling_min"]),
            response_min=int(content["response_min"]),
            tolerance_mw=float(content["tolerance_mw"]),
            tolerance_share=float(content["tolerance_share"]),
            energy_band=float(content["energy_band"]),
            least_coverage=float(content["least_coverage"]),
            ladder=tuple(Rung(int(rung["days"]), str(rung["consequence"])) for rung in content["ladder"]),
            time_zone=str(content.get("time_zone") or ""),
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        raise QuestionError("an agreement needs a site, an envelope, its terms as numbers, and a ladder") from None
    return found.checked()


def _runs(caps: Vector) -> list[tuple[str, float]]:
    """Return the hours of each cap, those with the same cap together, in the order of the day."""
    return [
        (hours_words(tuple((np.flatnonzero(caps == mw) + 1).tolist())), float(mw))
        for mw in dict.fromkeys(caps.tolist())
    ]
