"""What prices come to when hubs have rising marginal costs: every hub's answer, the flows, and the objective."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from engine.network.model import Matrix, Vector
from engine.pricing.answered import Answered
from engine.pricing.case import HubCase
from engine.pricing.congestion import Overloads, PriceCost, PriceTerms
from engine.pricing.program import HubProgram, programs
from engine.pricing.response import Follower, Followers, Response


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Prices and what follows from them."""

    price: Matrix  # (K, T), of the areas
    responses: tuple[Response, ...]  # (I,)
    withdrawal_mw: Matrix  # (I, T)
    overloads: Overloads
    overload_cost: float  # $
    price_cost: PriceCost

    @property
    def objective(self) -> float:
        """Return what the operator makes least, $."""
        return self.overload_cost + self.price_cost.total

    @property
    def residual(self) -> float:
        """Return the largest violation of any hub's optimality conditions."""
        return max(response.residual for response in self.responses)

    @property
    def answered(self) -> Answered:
        """Return the prices with the hubs' answers and their duals."""
        return Answered(
            self.price, tuple(each.x for each in self.responses), tuple(each.dual for each in self.responses)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """The hubs of a case, ready to be asked at many prices."""

    case: HubCase
    programs: tuple[HubProgram, ...]
    followers: Followers
    terms: PriceTerms

    @classmethod
    def of(cls, case: HubCase) -> Self:
        """Return the fleet of a case. Raises NetworkDataError with everything that is wrong with it."""
        own = programs(case.checked())
        return cls(case, own, Followers([Follower(each) for each in own]), PriceTerms.of(case))

    def at(self, price: Matrix, near: Sequence[Response] = ()) -> Evaluation:
        """Return what prices (K, T) come to; ``near`` are answers to prices that may be near.

        Raises InfeasibleError naming what hubs cannot meet, SolverError where an answer is not certified.
        """
        own = price[self.case.area]
        starts: list[Vector | None] = [each.dual for each in near] or [None] * len(self.followers.each)
        responses = self.followers.respond(own, starts)
        withdrawal = np.array(
            [each.withdrawal(response.x) for each, response in zip(self.programs, responses, strict=True)]
        )
        overloads = Overloads.of(self.case, withdrawal)
        return Evaluation(price, responses, withdrawal, overloads, overloads.cost(self.case), self.terms.cost(price))

    def gradient(self, found: Evaluation) -> Matrix:
        """Return the slope (K, T) of the overloads' weight by prices, by one adjoint system for each hub.

        $ per $/MWh. Where a limit is just met, it counts as kept.
        """
        case, network = self.case, self.case.network
        weight = case.terms.line_per_mwh * case.step_h
        line = np.where(found.overloads.line_mw > 0.0, np.sign(found.overloads.flow_mw), 0.0) * weight
        whole = found.overloads.substation_flow_mw
        over = (whole > network.import_mw).astype(np.float64) - (whole < -network.export_mw)
        by_withdrawal: Matrix = over * case.terms.substation_per_mwh * case.step_h - network.share.T @ line  # (I, T)
        return self.adjoint(found, by_withdrawal)

    def adjoint(self, found: Evaluation, by_withdrawal: Matrix) -> Matrix:
        """Return the slope (K, T) by prices of what has the slope (I, T) by withdrawals: one system for each hub."""
        slope = np.zeros_like(found.price)
        for follower, response, own, area in zip(
            self.followers.each, found.responses, by_withdrawal, self.case.area.tolist(), strict=True
        ):
            slope[area] += follower.adjoint(response, own)
        return slope

    def hub_costs(self, found: Evaluation) -> Vector:
        """Return what each hub pays (I,) without the operator's prices and without curvature, $."""
        return np.array([own.cost @ response.x for own, response in zip(self.programs, found.responses, strict=True)])

    def paid(self, found: Evaluation) -> Vector:
        """Return what each hub pays (I,) by the operator's prices, $."""
        price = found.price[self.case.area]
        return np.array(
            [own.priced @ response.x @ each
             for own, response, each in zip(self.programs, found.responses, price, strict=True)]
        )  # fmt: skip
