"""How the work of a gate is shared by its two parts, the screening and the check from nothing: for the time left.

Figures are of processor time, so that the share is about right on any machine.
"""

from engine.siting.run import CHECKED, Ground, gate_question

# Measured: 1,000 verdicts checked in 6 s on 24 and on 118 buses, 10.5 s on 200 and 230 s on 2,000; a verdict screened
# in 4 microseconds on 24 to 200 buses and in 10 on 2,000 (tests/benchmarks/results/siting_growth.md).
_BUSES, _CHECK_S, _LEAST_S, _CHECK_GROWS = 200, 10.5, 6.0, 1.33
_VERDICT_S, _VERDICT_GROWS = 4e-6, 0.4
_LEAST, _MOST = 0.05, 0.95


def screened_share(ground: Ground) -> float:
    """Return about which share of a gate's work its screening is; the rest is the check."""
    asked = gate_question(ground.question, ground.prepared)
    drawn = len(asked.buses) * len(asked.envelopes) * len(asked.sizes_mw)
    verdicts = drawn * len(ground.prepared.case) * len(ground.contingencies)
    grown = len(ground.network.buses.ids) / _BUSES
    screening = _VERDICT_S * verdicts * max(1.0, grown) ** _VERDICT_GROWS
    checking = max(_LEAST_S, _CHECK_S * grown**_CHECK_GROWS) * min(1.0, verdicts / CHECKED)
    return float(min(_MOST, max(_LEAST, screening / (screening + checking))))
