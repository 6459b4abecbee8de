"""What is asked of the DC optimal power flow of a study's network, and its JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, get_args

from engine.errors import QuestionError
from engine.network.model import Network
from engine.opf.dc_opf import DcOpfOptions
from engine.opf.limits import OutageList, Rating, Security

Held = Literal["a", "b", "c", "none"]
MOST_PERCENT = 1000.0


@dataclass(frozen=True, slots=True)
class OpfQuestion:
    """What does it cost to serve a share of the load, with branches held to a rating, also after outages?"""

    scale_percent: float = 100.0  # of each bus's load
    rating: Held = "a"  # "none": no limits on flows
    ignore_p_min: bool = False  # units may go down to zero whatever their least output
    security: Security = "base"  # "n-1": limits hold after each outage too
    outages: OutageList = "all"  # every branch whose loss leaves the network whole, or the network's contingencies
    outage_rating: Rating = "c"  # that holds after an outage; A where it is not given

    def __post_init__(self) -> None:
        """Refuse what no network can be asked. Raises QuestionError naming the word and its range."""
        if isinstance(self.scale_percent, bool) or not isinstance(self.scale_percent, (int, float)):
            raise QuestionError(f"the share of the load is a number, found {self.scale_percent!r:.40}")
        if not 0.0 <= self.scale_percent <= MOST_PERCENT:
            raise QuestionError(f"the share of the load is between 0 and 1,000 %, found {self.scale_percent!r}")
        if self.rating not in ("a", "b", "c", "none"):
            raise QuestionError(f"branch limits are rating A, B, C or none, found {self.rating!r:.40}")
        if not isinstance(self.ignore_p_min, bool):
            raise QuestionError(f"ignoring least outputs is true or false, found {self.ignore_p_min!r:.40}")
        for name, kind in (("security", Security), ("outages", OutageList), ("outage_rating", Rating)):
            if getattr(self, name) not in get_args(kind):
                words = " or ".join(get_args(kind))
                raise QuestionError(f"{name.replace('_', ' ')} is {words}, found {getattr(self, name)!r:.40}")
        if self.security == "n-1" and self.rating == "none":
            raise QuestionError("limits that hold after outages need limits before them: choose a rating")

    @classmethod
    def from_json(cls, content: object) -> Self:
        """Return the question that :meth:`to_json` wrote; what is left out takes its default.

        Raises QuestionError on anything else.
        """
        if not isinstance(content, Mapping):
            raise QuestionError("the question of a DC-OPF is a mapping of names to values")
        unknown = set(content) - set(cls.__dataclass_fields__)
        if unknown:
            raise QuestionError(f"the question of a DC-OPF has no {', '.join(sorted(map(str, unknown)))[:80]}")
        given: dict[str, Any] = dict(content)
        scale = given.get("scale_percent")
        if isinstance(scale, int) and not isinstance(scale, bool):
            given["scale_percent"] = float(scale)  # so that 100 and 100.0 are one question
        return cls(**given)

    def to_json(self) -> dict[str, Any]:
        """Return the question as JSON."""
        return asdict(self)

    def options(self, network: Network, time_limit_s: float | None = None) -> DcOpfOptions:
        """Return the options of the solve."""
        return DcOpfOptions(
            enforce_limits=self.rating != "none",
            rating="a" if self.rating == "none" else self.rating,
            ignore_p_min=self.ignore_p_min,
            load_mw=network.buses.load_mw * (self.scale_percent / 100.0),
            security=self.security,
            outages=self.outages,
            outage_rating=self.outage_rating,
            time_limit_s=time_limit_s,
        )

    def words(self) -> str:
        """Return the question as the title of its answer."""
        limits = "no limits on flows" if self.rating == "none" else f"rating {self.rating.upper()}"
        least = ", least outputs ignored" if self.ignore_p_min else ""
        secure = ""
        if self.security == "n-1":
            which = "every single outage" if self.outages == "all" else "every listed outage"
            secure = f", rating {self.outage_rating.upper()} after {which}"
        return f"{self.scale_percent:g} % of the load, {limits}{secure}{least}"
