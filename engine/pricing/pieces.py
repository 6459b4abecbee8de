"""The best prices of one affine piece: those at which each column of each hub stays at its bound, or between its two.

Where hubs' answers are affine in prices, overloads and what prices weigh are a linear program, without a trust region:
over the prices p, the answers x and the duals y of the hubs' equations ``A x = b``,
``c + E'p + Q x - A'y`` is 0 for the columns between their bounds, and at least (most) 0 for those at the lower (upper)
one, which stay there. So prices become as small as they can while hubs do what is best for the network, however many
prices lead to the same answers. The piece of prices beyond what is allowed has such allowed ones too, often.
These are the branches of a mathematical program with complementarity constraints.
Source: Luo, Pang and Ralph, *Mathematical Programs with Equilibrium Constraints*, 1996, ch. 6 (piecewise programming).
"""

import numpy as np
from scipy.sparse import block_array, block_diag, csr_array, diags_array, eye_array, kron, vstack

from engine.network.model import Matrix, Vector
from engine.pricing.evaluation import Evaluation, Fleet
from engine.program import LinearProgram, Status, solve

_MANY_ROWS = 6_000  # from there on the interior point method with a vertex at its end is faster


class Pieces:
    """The linear programs of a fleet's pieces. Columns: prices, answers, duals, overloads, and prices' two sides."""

    def __init__(self, fleet: Fleet) -> None:
        self.terms, self.shape = fleet.terms, (fleet.case.area_count, fleet.case.periods)
        own, case = fleet.programs, fleet.case
        self.matrix, priced, withdrawn = (
            csr_array(block_diag([getattr(each, name) for each in own], format="csr"))
            for name in ("matrix", "priced", "withdrawn")
        )
        self.right, self.cost, self.curved, self.lower, self.upper = (
            np.concatenate([getattr(each, name) for each in own])
            for name in ("right", "cost", "curved", "lower", "upper")
        )
        areas = np.zeros((len(own), case.area_count))
        areas[np.arange(len(own)), case.area] = 1.0
        one = eye_array(case.periods)
        self.paid = csr_array(priced.T @ kron(csr_array(areas), one))  # (n, K T)
        self.price_bounds = tuple(each.ravel() for each in case.price_bounds())
        network, terms = case.network, case.terms
        flow = csr_array(kron(csr_array(network.share), one) @ withdrawn)  # less, on lines (L T)
        whole = csr_array(kron(np.ones((1, len(own))), one) @ withdrawn)
        background, limit = network.background_mw.ravel(), np.repeat(network.limit_mw, case.periods)
        parts = [  # of an overload: what hubs add, what it is without them, what it weighs
            (-flow, background - limit, terms.line_per_mwh),
            (flow, -background - limit, terms.line_per_mwh),
            (whole, network.substation_mw - network.import_mw, terms.substation_per_mwh),
            (-whole, -network.substation_mw - network.export_mw, terms.substation_per_mwh),
        ]
        kept = [np.flatnonzero(self._most(rows) + beyond > 0.0) for rows, beyond, _ in parts]
        self.added = csr_array(vstack([rows[at] for (rows, _, _), at in zip(parts, kept, strict=True)], format="csr"))
        self.beyond = np.concatenate([beyond[at] for (_, beyond, _), at in zip(parts, kept, strict=True)])
        self.weight = np.concatenate(
            [np.full(len(at), weight * case.step_h) for (_, _, weight), at in zip(parts, kept, strict=True)]
        )

    def _most(self, rows: csr_array) -> Vector:
        """Return the most that rows over answers come to within bounds."""
        return np.asarray(rows.maximum(0.0) @ self.upper + rows.minimum(0.0) @ self.lower)

    def best(self, found: Evaluation, time_limit_s: float) -> tuple[Matrix, float] | None:
        """Return the best prices (K, T) of the piece that ``found`` is in, and their objective, $.

        None where no prices of the piece are allowed, or none were found in time.
        """
        x = np.concatenate([each.x for each in found.responses])
        free = np.concatenate([each.free for each in found.responses])
        low, held = ~free & (x <= self.lower), self.lower >= self.upper
        high = ~free & ~low
        prices, duals, over, sides = found.price.size, len(self.right), len(self.weight), self.terms.rows.shape[0]
        matrix = block_array(
            [
                [self.paid, diags_array(self.curved), -self.matrix.T, None, None, None],
                [None, self.matrix, None, None, None, None],
                [csr_array((over, prices)), -self.added, None, eye_array(over), None, None],
                [self.terms.rows, None, None, None, -eye_array(sides), eye_array(sides)],
            ],
            format="csr",
        )
        least, most = self.price_bounds
        free_dual, zero, ever = np.full(duals, np.inf), np.zeros(over + 2 * sides), np.full(over + 2 * sides, np.inf)
        program = LinearProgram(
            np.concatenate([np.zeros(prices + len(x) + duals), self.weight, self.terms.weight, self.terms.weight]),
            csr_array(matrix),
            np.concatenate([np.where(high | held, -np.inf, -self.cost), self.right, self.beyond, np.zeros(sides)]),
            np.concatenate([
                np.where(low | held, np.inf, -self.cost), self.right, np.full(over, np.inf), np.zeros(sides),
            ]),
            np.concatenate([least, np.where(high, self.upper, self.lower), -free_dual, zero]),
            np.concatenate([most, np.where(low, self.lower, self.upper), free_dual, ever]),
        )  # fmt: skip
        answer = solve(program, time_limit_s=time_limit_s, barrier=matrix.shape[0] > _MANY_ROWS)
        if answer.status is not Status.OPTIMAL:
            return None
        return np.clip(answer.x[:prices], least, most).reshape(self.shape), answer.objective
