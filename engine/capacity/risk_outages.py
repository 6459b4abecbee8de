"""The limits after outages that an allocation exceeds in some independent state: the rows its promise is judged on.

Every outage is looked at in every state; only limits that some of them exceeds, with what is granted drawn,
become rows beside those without outages. The others are exceeded nowhere, so that leaving them out counts nothing
too little.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.capacity.margins import Prepared, prepare
from engine.capacity.question import CapacityQuestion
from engine.capacity.row_loads import loads_of
from engine.capacity.secure import Secure, outages_of
from engine.capacity.uncertainty import Sample, States
from engine.network.factors import Factors
from engine.network.model import Network, Vector


def judged_after_outages(
    prepared: Prepared, question: CapacityQuestion, granted: Sequence[Vector], known: Sample, judged: Sample
) -> Prepared:
    """Return ``prepared`` with the limits after outages that ``granted`` (K,) at some level exceeds in ``judged``.

    ``known`` are the states of the question: they tell which limits are exceeded already. Of the result only limits,
    their sums and the worst existing load are meant; it has no margins for risk levels.
    """
    network: Network = prepared.network
    factors: Factors = prepared.factors
    alone = replace(question, firm_set="sample", epsilons=(), at_zero="hold")
    margins = prepare(network, alone, States(judged), factors=factors)
    secure = Secure(margins, alone, States(judged), outages_of(network, question, factors))
    for mw in granted:
        while secure.bring_in(0, mw, closed=question.downward_closed):
            pass
    found = secure.prepared
    rows = np.arange(prepared.row_count, found.row_count)
    held = loads_of(found, known.net_demand_mw, rows).max(axis=1, initial=-np.inf)
    return replace(found, firm_load_mw=np.concatenate([prepared.firm_load_mw, held]))
