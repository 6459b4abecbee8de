"""The DC-OPF of a study's network as an answer on the Network page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from callbacks.services import Kept, Services
from components.grid_map import Layer, classes, magnitude
from engine.errors import QuestionError
from engine.network.model import Network
from engine.opf.dc_opf import DcOpfOptions, DcOpfResult, dc_opf

KEPT_ANSWERS = 8
CONGESTED = 0.995  # of its limit: from here on a branch is drawn as binding
LOADING_BREAKS = (0.25, 0.5, 0.75, 0.9, CONGESTED)
LOADING_WORDS = ("below 25 %", "25\u201350 %", "50\u201375 %", "75\u201390 %", "90 % and more", "at its limit")


@dataclass(frozen=True, slots=True)
class OpfQuestion:
    """What the sentence of the page asks."""

    scale_percent: float = 100.0
    rating: Literal["a", "b", "c", "none"] = "a"
    ignore_p_min: bool = False

    @classmethod
    def of(cls, scale: object, rating: object, least: object) -> "OpfQuestion":
        """Return the question that the words ask. Raises QuestionError naming the word and its range."""
        if isinstance(scale, bool) or not isinstance(scale, (int, float)) or not 0 <= scale <= 1000:
            raise QuestionError(f"the share of the load is between 0 and 1,000 %, found {scale!r}")
        if rating not in ("a", "b", "c", "none"):
            raise QuestionError(f"branch limits are rating A, B, C or none, found {rating!r:.40}")
        return cls(float(scale), rating, least == "ignore")

    def options(self, network: Network) -> DcOpfOptions:
        """Return the options of the solve."""
        return DcOpfOptions(
            enforce_limits=self.rating != "none",
            rating="a" if self.rating == "none" else self.rating,
            ignore_p_min=self.ignore_p_min,
            load_mw=network.buses.load_mw * (self.scale_percent / 100.0),
        )

    def words(self) -> str:
        """Return the question as the title of its answer."""
        limits = "no branch limits" if self.rating == "none" else f"rating {self.rating.upper()}"
        least = ", least outputs ignored" if self.ignore_p_min else ""
        return f"{self.scale_percent:g} % of the load, {limits}{least}"


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A solved question, and the network it is for."""

    network: Network
    question: OpfQuestion
    result: DcOpfResult

    def loading(self) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        """Return each branch's flow as a share of its limit (L,), nan when it has none."""
        limits = self.result.limits
        bound = np.where(self.result.flow_mw >= 0, limits.upper_mw, -limits.lower_mw)
        rated = np.isfinite(bound) & (bound > 0)
        return np.where(rated, np.abs(self.result.flow_mw) / np.where(rated, bound, 1.0), np.nan)

    def binding(self) -> list[int]:
        """Return the positions of the branches with a price, the dearest first."""
        price = np.abs(self.result.branch_price_per_mwh)
        found = np.flatnonzero(price > 1e-6)
        return [int(i) for i in found[np.argsort(-price[found], kind="stable")]]


class Answers:
    """The answers given last, by network and question: the inspector asks for them again element by element."""

    def __init__(self) -> None:
        self._kept: Kept[Answer] = Kept(KEPT_ANSWERS)

    def solve(self, services: Services, user: str, study: str, digest: str | None, question: OpfQuestion) -> Answer:
        """Return the answer for a version of a study's network (None: the present one).

        Raises NetworkDataError while the network is half drawn, InfeasibleError saying what cannot be kept.
        """
        if digest is None:
            digest = services.studies.network_status(user, study).digest
        network = services.network_version(user, study, digest)
        return self._kept.get((digest, question), lambda: self._made(services, user, study, network, question))

    @staticmethod
    def _made(services: Services, user: str, study: str, network: Network, question: OpfQuestion) -> Answer:
        present = services.studies.network_status(user, study).digest == network.digest
        factors = services.factors(user, study) if present else None
        return Answer(network, question, dc_opf(network, question.options(network), factors))


def layers(answer: Answer) -> list[Layer]:
    """Return the answer's layers: loading of branches, price of buses and its congestion part."""
    result = answer.result
    loading = answer.loading()
    flow_text = [
        f"{abs(flow):,.1f} MW" + ("" if np.isnan(share) else f", {100 * share:.0f} % of its limit")
        for flow, share in zip(result.flow_mw, loading, strict=True)
    ]
    price_text = [f"{price:.2f} $/MWh" for price in result.lmp_per_mwh]
    congestion_text = [f"{price:+.2f} $/MWh of congestion" for price in result.congestion_per_mwh]
    loading_layer = Layer(
        "loading", "Loading", "%", "cividis", None, classes(loading, LOADING_BREAKS), LOADING_WORDS,
        branch_text=flow_text, note="flow as a share of the limit",
    )  # fmt: skip
    price = magnitude("lmp", "Price", "$/MWh", np.round(result.lmp_per_mwh, 4), bus_text=price_text)
    return [loading_layer, price, _congestion(result, congestion_text)]


def _congestion(result: DcOpfResult, text: list[str]) -> Layer:
    values = np.round(result.congestion_per_mwh, 4)
    most = float(np.nanmax(np.abs(values), initial=0.0))
    words = ("far below", "below", "a little below", "about none", "a little above", "above", "far above")
    steps = np.array([-0.5, -0.2, -0.02, 0.02, 0.2, 0.5]) * (most if most > 1e-6 else 1.0)
    return Layer(
        "congestion", "Congestion", "$/MWh", "difference", classes(values, steps.tolist()), None, words,
        bus_text=text, note=f"price minus energy at {result.prices.reference}, up to {most:.2f} $/MWh",
    )  # fmt: skip


def question_of(data: object) -> tuple[str, OpfQuestion] | None:
    """Return the digest and the question that the answer's Store names, None when there is no answer."""
    if not isinstance(data, Mapping) or not isinstance(data.get("digest"), str):
        return None
    asked: Any = data.get("question")
    if not isinstance(asked, Mapping):
        return None
    least = "ignore" if asked.get("ignore_p_min") is True else "keep"
    return data["digest"], OpfQuestion.of(asked.get("scale_percent"), asked.get("rating"), least)
