"""About how long the studies take, told before they begin; one that is long is asked for twice.

Seconds on two cores with nothing else to do. A gate of many envelopes takes no longer than one of many sizes, which the
figures of :mod:`components.siting_states` were measured with: 16 envelopes of one size took half of the time of three
at four sizes on 24 buses.
"""

from dataclasses import dataclass, replace

from dash import html

from components.format import count, sentence
from components.siting_answer import Gate
from components.siting_market_plan import about, plan
from components.siting_site import SiteStudy
from components.siting_states import AT_ONCE_S, START_S, gate_seconds
from components.skeleton import Part
from engine.network.model import Network
from engine.siting.market_run import MarketQuestion, MarketRun
from engine.siting.market_time import again_s, market_s
from engine.siting.question import SitingQuestion
from engine.siting.run import GateRun

# A least-cost dispatch of an hour: measured were 4 ms on 24 buses and 60 ms on 2,000.
DISPATCH_S, DISPATCH_BUS_S = 4e-3, 3e-5
# The gate on loads together, for each hour and outage: where all pass, and at most where many fail. Measured were 24 us
# and 0.25 ms on 24 buses, 11 us and 0.64 ms on 200, 0.27 ms and 5 ms on 2,000.
TOGETHER_S, TOGETHER_BUS_S = 1e-5, 1.3e-7
REFUSED_S, REFUSED_BUS_S = 2e-4, 2.5e-6


@dataclass(frozen=True, slots=True)
class Takes:
    """How long a study takes that is not there yet: its gate or dispatch first, then a market."""

    first_s: float = 0.0
    market_s: float = 0.0
    at_most: bool = False  # how much of it is not known before: the time is the most
    first: str = ""  # what takes the time, in words
    market: str = ""

    @property
    def seconds(self) -> float:
        """Return all of it."""
        return self.first_s + self.market_s

    @property
    def long(self) -> bool:
        """Return whether it is begun only when asked for twice."""
        return self.seconds > AT_ONCE_S

    def words(self) -> str:
        """Return what takes how long: ``The gate of 3 envelopes at 3 sizes takes about 6 min on two cores.``."""
        parts = [(self.first, f"about {about(self.first_s)}")] if self.first_s else []
        if self.market_s:
            parts.append((self.market, f"{'up to' if self.at_most else 'about'} {about(self.market_s)}"))
        listed = [f"the {what}{' takes' if place == 0 else ''} {long}" for place, (what, long) in enumerate(parts)]
        return f"{sentence(', then '.join(listed))} on two cores." if listed else ""

    def short(self) -> str:
        """Return the whole time in few words: ``up to 2 h``."""
        return f"{'up to' if self.at_most else 'about'} {about(self.seconds)}" if self.seconds else ""


def gate(network: Network, question: SitingQuestion) -> Takes:
    """Return how long the gate of a question takes."""
    what = f"gate of {count(len(question.envelopes), 'envelope')} at {count(len(question.sizes_mw), 'size')}"
    return Takes(gate_seconds(network, question), first=what)


def again_gate(network: Network, study: SiteStudy) -> Takes:
    """Return how long the gate that is drawn takes once more: as long as it took, where that is known."""
    takes = gate(network, study.run.question)
    return replace(takes, first_s=study.gate_s) if study.gate_s else takes


def unknown_market(network: Network, study: SiteStudy, question: SitingQuestion, market: MarketQuestion) -> Takes:
    """Return how long the market of a gate takes at most that is not run yet: of every site that could go on."""
    most = len(study.gate.buses)
    taken = min(most, market.most_sites) if market.most_sites else most
    sites = taken * len(question.envelopes) * len(market.sizes_of(question.sizes_mw))
    seconds = market_s(network, _days(study), sites, market)
    return Takes(market_s=seconds, at_most=True, market=f"market of up to {count(sites, 'site')}")


def known_market(network: Network, study: SiteStudy, run: GateRun, market: MarketQuestion) -> Takes:
    """Return how long the market of a gate takes that is there."""
    there = Gate("", run.question, run.gate, run, {"of_source": run.prepared.of_source})
    sites, _, seconds = plan(network, there, market, study.threshold, study.own)
    return Takes(market_s=seconds, market=f"market of {count(sites, 'site')}")


def again_market(network: Network, market: MarketRun) -> Takes:
    """Return how long the same sites take once more on the same days, by what each of them took."""
    return Takes(market_s=again_s(network, market), market=f"market of {count(len(market.sites), 'site')}")


def dispatches(network: Network, hours: int) -> Takes:
    """Return how long the least-cost dispatches of so many hours take."""
    seconds = START_S + hours * (DISPATCH_S + DISPATCH_BUS_S * len(network.buses.ids))
    return Takes(seconds, first=f"least-cost dispatch of {count(hours, 'hour')}")


def clearing(study: SiteStudy, applicants: int, method: str) -> str:
    """Return how long a clearing takes, in words: how often the gate refuses is known only afterwards."""
    pairs, buses = len(study.run.prepared.case) * len(study.run.contingencies), len(study.network.buses.ids)
    tried = applicants + 1 if method == "sequence" else 2
    least = START_S + tried * pairs * (TOGETHER_S + TOGETHER_BUS_S * buses)
    refused = max(1.0, pairs * (REFUSED_S + REFUSED_BUS_S * buses))
    return f"It takes about {about(least)} if the gate refuses nothing; each refusal adds up to {about(refused)}."


def both(gate_takes: Takes, market_takes: Takes) -> Takes:
    """Return a gate and what follows it."""
    return replace(market_takes, first_s=gate_takes.first_s, first=gate_takes.first)


def start(name: str, takes: Takes) -> Part:
    """Return the second press, which begins a long study: its words say how long it takes."""
    return html.Button(
        f"Start it: {takes.short()} on two cores",
        type="button",
        className="hr-button hr-button-primary",
        **{"data-siting-study": f"{name} {START}"},
    )


START = "start"  # after a study's name, what its second press asks for


def _days(study: SiteStudy) -> int:
    """Return on how many days the market that is drawn was run."""
    return 1 if study.market is None else max(1, len(study.market.facts["days"]))
