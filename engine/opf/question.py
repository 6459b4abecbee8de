"""What is asked of the DC optimal power flow of a study's network, and its JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from engine.errors import QuestionError
from engine.network.model import Network
from engine.opf.dc_opf import DcOpfOptions

Held = Literal["a", "b", "c", "none"]
MOST_PERCENT = 1000.0


@dataclass(frozen=True, slots=True)
class OpfQuestion:
    """What does it cost to serve a share of the load, with branches held to a rating?"""

    scale_percent: float = 100.0  # of each bus's load
    rating: Held = "a"  # "none": branches without limits
    ignore_p_min: bool = False  # units may go down to zero whatever their least output

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
            time_limit_s=time_limit_s,
        )

    def words(self) -> str:
        """Return the question as the title of its answer."""
        limits = "no branch limits" if self.rating == "none" else f"rating {self.rating.upper()}"
        least = ", least outputs ignored" if self.ignore_p_min else ""
        return f"{self.scale_percent:g} % of the load, {limits}{least}"
