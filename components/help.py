"""The words on the screen and what they mean, in plain and exact terms."""

from collections.abc import Iterable
from dataclasses import dataclass

from dash import html


@dataclass(frozen=True, slots=True)
class Word:
    """One entry of the glossary."""

    key: str
    title: str
    meaning: str


_ENTRIES = (
    ("bus", "Bus", "A point of the network where lines, transformers, units and loads meet, at one voltage."),
    (
        "branch",
        "Branch",
        "A line or a transformer between two buses. Its flow is counted positive from its first bus to its second.",
    ),
    ("unit", "Unit", "A generator: its limits in MW, its cost, its fuel."),
    (
        "rating",
        "Rating",
        "The most MW a branch may carry. A is the normal rating, B holds for a short time, C in an emergency. "
        "Where B or C is not given, A is used.",
    ),
    (
        "slack",
        "Slack",
        "The bus, or the shares of several buses, that supplies whatever the rest leaves open. Flows depend on this "
        "choice.",
    ),
    ("island", "Island", "A part of the network with no path to the rest. It cannot be computed together with it."),
    ("bridge", "Bridge", "A branch whose loss cuts the network in two. It has no outage distribution factor."),
    ("zone", "Zone", "A named part of the network: a weather zone, an area, a market zone."),
    (
        "ptdf",
        "PTDF",
        "Power transfer distribution factor: the MW that flow on a branch for each MW put in at a bus and taken out "
        "at the slack.",
    ),
    (
        "lodf",
        "LODF",
        "Line outage distribution factor: the share of a lost branch's flow that moves to another branch.",
    ),
    (
        "n-1",
        "N-1",
        "Secure for every single outage: after the loss of any one branch, every other stays within its emergency "
        "rating.",
    ),
    ("dc-opf", "DC-OPF", "The least-cost dispatch of units under linear flow: no losses, flat voltage, small angles."),
    (
        "lmp",
        "LMP",
        "Locational marginal price: the cost of one more MWh at a bus. It is the energy price plus congestion.",
    ),
    (
        "congestion",
        "Congestion",
        "The part of a price that exists because some branch is at its rating. The same everywhere when no branch is.",
    ),
    (
        "per-unit",
        "Per unit (pu)",
        "A quantity as a share of a base: reactance and voltage are given so. Screens carry MW and kV.",
    ),
    (
        "firm",
        "Firm capacity",
        "Load that can be added and served in every planned state: no branch above its rating in any of them.",
    ),
    (
        "flexible",
        "Flexible capacity",
        "Load that can be added beyond firm and may be interrupted, with a stated risk. "
        "It is measured by the average of the worst share of states.",
    ),
    ("hosting", "Hosting capacity", "What can be added at a place before a limit is reached."),
    (
        "headroom",
        "Headroom",
        "Room that is left: of a branch, its rating less its flow; of a unit, its largest output less its present one.",
    ),
    (
        "epsilon",
        "Risk level (ε)",
        "The share of states, the worst ones, whose average must stay within the limit. "
        "At 5 % with 2,000 scenarios these are the worst 100. It holds for each limit by itself, not for all limits "
        "together.",
    ),
    (
        "cvar",
        "CVaR",
        "Conditional value at risk: the mean of the worst ε share of losses. Keeping it at or below zero bounds how "
        "often "
        "and how deeply a limit is exceeded.",
    ),
    (
        "var",
        "VaR",
        "Value at risk: the loss that is exceeded with probability ε. It bounds how often a limit is exceeded, not "
        "how deeply.",
    ),
    ("scenario", "Scenario", "One possible state of the existing net demand at every bus."),
    (
        "sample",
        "Sample",
        "A set of scenarios: drawn from stated distributions with a stated seed, or the hours of a year.",
    ),
    ("net-demand", "Net demand", "Load less generation at a bus; withdrawal is positive."),
    (
        "box",
        "Box",
        "A lower and an upper net demand for each bus, any combination of which may happen. On a large network this "
        "asks for the "
        "worst of all buses at once, which never happens, and leaves no room.",
    ),
    (
        "hull",
        "Hull",
        "All mixtures of the sample's scenarios. Keeping the limits in every scenario keeps them on the hull, since "
        "flows are linear.",
    ),
    ("hour", "Hour", "A scenario of an hourly sample, named by its day of the year and hour of the day."),
    ("candidate", "Candidate", "A bus where new load is asked for, with the MW asked."),
    ("demand", "Demand", "The MW asked for at a candidate. Nothing above it is offered there."),
    ("increment", "Increment (Δ)", "Flexible minus firm capacity at a bus: the MW that come with the risk."),
    (
        "objective",
        "Objective",
        "How room shared by several candidates is split: the sum of unserved ratios, their squares, or "
        "the worst-served candidate first.",
    ),
    (
        "ratio-loss",
        "Lost to the ratio objective",
        "The MW of total capacity given up because the split looks at ratios and not at the total. "
        "It is zero on a radial network; on a meshed one it may not be.",
    ),
    (
        "supply",
        "Who supplies",
        "Where the power for the new load comes from: the slack bus, or units in proportion to their headroom or size. "
        "The answer depends on it, so every result names it.",
    ),
    (
        "cutoff",
        "Cutoff",
        "Distribution factors smaller than this are taken as zero, as some operators do. Zero keeps them all.",
    ),
    (
        "downward-closed",
        "Downward closed",
        "Every part of an offered set can be delivered too: if some products stay unsold, the others still keep "
        "every limit. "
        "Room made by counter-flow is then not counted.",
    ),
    ("counter-flow", "Counter-flow", "Flow that relieves a branch because it runs against the flow that is there."),
    ("binds", "Binds", "A limit binds when it is reached and would have to move for the answer to improve."),
    ("dual", "Value of a limit", "How many more MW of capacity one more MW of that limit would give."),
    ("margin", "Margin", "The room that a limit leaves for new load, after existing net demand in its worst states."),
    (
        "witness",
        "Feasibility witness",
        "Numbers kept with a product set from which anyone can check that every limit holds.",
    ),
    ("product", "Product", "What is offered: a bus, a number of MW, and a risk (0 for firm)."),
    ("block", "Block", "The size a product is cut into; it is sold in whole blocks."),
    (
        "infeasible",
        "Infeasible",
        "No answer keeps every limit. The limits that are exceeded before anything is added are named.",
    ),
    (
        "hold",
        "Hold at present level",
        "A limit that is exceeded already is waived up to its present level: nothing may make it worse.",
    ),
    (
        "stale",
        "Stale",
        "An input has changed since the result was computed. The result is shown under a hatch until it is computed "
        "again.",
    ),
    (
        "duality-gap",
        "Optimality check",
        "The distance between the answer and a bound on the best answer, worked out apart from the solver.",
    ),
    ("study", "Study", "A network with its data, questions and results: what is saved, shared and exported together."),
    (
        "substation",
        "Substation",
        "A place that holds one or more buses. Buses of one substation are drawn side by side.",
    ),
    (
        "withdrawal-limit",
        "Withdrawal limit",
        "The most net demand that a bus may take, whatever the lines could carry.",
    ),
    ("indicative", "Indicative only", "The answer of a linear model on public data. It is no offer of a connection."),
)
GLOSSARY: dict[str, Word] = {key: Word(key, title, meaning) for key, title, meaning in _ENTRIES}

PAGE_WORDS: dict[str, tuple[str, ...]] = {
    "home": ("study", "bus", "branch", "firm", "flexible", "indicative"),
    "network": (
        "bus",
        "branch",
        "unit",
        "rating",
        "slack",
        "zone",
        "island",
        "bridge",
        "per-unit",
        "ptdf",
        "lodf",
        "n-1",
        "dc-opf",
        "lmp",
        "congestion",
        "substation",
        "withdrawal-limit",
        "net-demand",
    ),
    "capacity": (
        "firm",
        "flexible",
        "increment",
        "candidate",
        "demand",
        "epsilon",
        "cvar",
        "var",
        "scenario",
        "sample",
        "box",
        "hull",
        "hour",
        "net-demand",
        "supply",
        "slack",
        "headroom",
        "objective",
        "ratio-loss",
        "cutoff",
        "downward-closed",
        "counter-flow",
        "binds",
        "dual",
        "margin",
        "product",
        "block",
        "witness",
        "infeasible",
        "hold",
        "stale",
        "indicative",
    ),
}

KEYS = (
    ("/", "Search the map"),
    ("?", "Open or close this help"),
    ("[", "Fold or open the navigation"),
    ("]", "Fold or open the inspector"),
    ("t", "To the table"),
    ("m", "To the map"),
    ("Esc", "Close what is open"),
)


def definitions(keys: Iterable[str]) -> html.Dl:
    """Return the definitions of ``keys``, in that order. Raises KeyError for a word that is not in GLOSSARY."""
    words = [GLOSSARY[key] for key in keys]
    rows = [html.Div([html.Dt(word.title), html.Dd(word.meaning)], className="hr-word-row") for word in words]
    return html.Dl(rows, className="hr-glossary")


def term(key: str, text: str | None = None) -> html.Abbr:
    """Return a word of the page whose meaning shows when it is pointed at. Raises KeyError if it has none."""
    word = GLOSSARY[key]
    return html.Abbr(text or word.title, title=word.meaning, className="hr-term")


def help_body(page: str) -> html.Div:
    """Return the help drawer's content for a page: its keys and its words."""
    keys = [html.Div([html.Dt(html.Kbd(key)), html.Dd(what)], className="hr-key-row") for key, what in KEYS]
    return html.Div(
        [
            html.H3("Words on this page", className="hr-section-title"),
            definitions(PAGE_WORDS.get(page, ("study", "bus", "branch"))),
            html.H3("Keys", className="hr-section-title"),
            html.Dl(keys, className="hr-keys"),
        ]
    )
