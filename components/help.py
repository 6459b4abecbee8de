"""The words on the screen and what they mean, in plain and exact terms."""

from collections.abc import Iterable
from dataclasses import dataclass

from dash import html

from components import help_auction, help_feeder, help_hubs, help_resilience, help_siting


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
    ("base-kv", "Base voltage", "The nominal voltage of a bus in kV; per unit values are shares of it."),
    (
        "reactance",
        "Reactance",
        "What decides how flow divides between parallel paths: twice the reactance, half the flow.",
    ),
    ("tap", "Tap", "The turns ratio of a transformer against the nominal one; 1 or empty for a line."),
    (
        "shift",
        "Phase shift",
        "The angle that a phase-shifting transformer adds; it moves flow from one path to another.",
    ),
    ("shunt", "Shunt", "A fixed element at a bus; its MW are counted as load, its Mvar are not used by linear flow."),
    (
        "least-output",
        "Least output",
        "The MW below which a unit that is on cannot run. Here every unit in service is on, unless its least output is "
        "ignored.",
    ),
    ("loading", "Loading", "Flow as a share of the limit that is used. At 100 % the branch binds."),
    ("island", "Island", "A part of the network with no path to the rest. It cannot be computed together with it."),
    ("zone", "Zone", "A named part of the network: a weather zone, an area, a market zone."),
    ("dc-opf", "DC-OPF", "The least-cost dispatch of units under linear flow: no losses, flat voltage, small angles."),
    (
        "lmp",
        "LMP",
        "Locational marginal price: the cost of one more MWh at a bus. It is the energy price plus congestion.",
    ),
    (
        "congestion",
        "Congestion",
        "The part of a price that exists because some branch is at its rating. Zero everywhere when no branch is.",
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
    ("seed", "Seed", "The number that random draws begin with: the same seed draws the same scenarios again."),
    (
        "truncated",
        "Truncated",
        "A normal distribution cut at a lower and an upper bound. Mean and variance are those after the cut, or those "
        "of the normal before it, as chosen.",
    ),
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
    (
        "served",
        "Served",
        "The share of the MW asked for that a site gets, firm and flexible together.",
    ),
    (
        "alone",
        "Alone",
        "What a bus could take if it were the only site. Sites that share a limit get less together than alone.",
    ),
    (
        "alone-redispatch",
        "Alone, with redispatch",
        "The largest load that a bus alone could add in one sampled hour while every unit moves freely between its "
        "limits, proved from both sides. What that hour allows, not a promise for all hours.",
    ),
    ("increment", "Increment (Δ)", "Flexible minus firm capacity at a bus: the MW that come with the risk."),
    (
        "objective",
        "Objective",
        "How room shared by several candidates is split: the sum of unserved ratios, their squares, or "
        "the worst-served candidate first.",
    ),
    (
        "tie",
        "Among equal optima",
        "Several splits may be equally good by the objective. The rule that chooses one of them is part of the answer.",
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
        "outages",
        "Secure for outages (N-1)",
        "Every limit holds after each outage too, in MW against the rating for that time. The outage after which a "
        "limit is reached first is its worst one.",
    ),
    (
        "redispatch",
        "Redispatch",
        "Units move in every state, each between its least and largest output in MW, to make room for the new load. "
        "With fixed supply they produce the extra MW in fixed shares, whether they have them left or not.",
    ),
    (
        "largest",
        "Largest load alone, with redispatch",
        "The most MW that one bus could add in one state while every unit moves freely: what one hour allows, not a "
        "promise for all of them.",
    ),
    (
        "promise",
        "Worth of a promise",
        "How often, measured on hours that the answer was not made from, a limit is exceeded or a product is "
        "interrupted: % of states, hours a year, MW cut and MWh a year.",
    ),
    (
        "curtailment",
        "Curtailment",
        "MW of flexible products that are cut in a state so that every limit holds; firm MW are never cut.",
    ),
    (
        "bootstrap",
        "Interval (95 %)",
        "Where a number would mostly fall, in its unit, had other states been drawn: the question is answered again "
        "on states drawn from the same sample.",
    ),
    (
        "condition",
        "Condition of one's own",
        "A cap, a reserved share or a weighted sum in MW or % that the answer must keep beside the network's limits.",
    ),
    (
        "request",
        "Request, queue",
        "A customer's wish: bus, MW, date and envelope. Their sum per bus is the demand; their dates are the queue.",
    ),
    (
        "envelope",
        "Envelope",
        "How free a request is: firm, flexible, one that may pause for some hours, or one that may shift its load.",
    ),
    (
        "comparison",
        "Comparison (A and B)",
        "Two questions or two versions of the network side by side, bus by bus, as B less A in MW.",
    ),
    (
        "report",
        "Report",
        "The answer of a study or of one bus on paper: maps, tables, what it was made from, how to compute it again.",
    ),
    (
        "interface",
        "Interface",
        "A weighted sum of branch flows with a limit in MW, such as all lines between two areas.",
    ),
    (
        "contingency",
        "Contingency",
        "One branch, or several together, that may be lost; the limits must hold in MW after it too.",
    ),
    (
        "island-outage",
        "Outage that splits the network",
        "The loss of a bridge: what it cuts off has no way left. It is named with its MW of load and left out of N-1.",
    ),
    (
        "import",
        "Import",
        "A network from MATPOWER, PSS/E RAW, pandapower, PyPSA or CSV. What was understood, and what was not carried, "
        "is shown before it is taken.",
    ),
    (
        "periods",
        "Seasons, months, blocks of hours",
        "Each part of the year has an answer of its own in MW, never below what is offered the year round, which "
        "holds in all of them.",
    ),
    (
        "budget",
        "Budget of buses at their extremes (Γ)",
        "At most so many buses (a number) are at an end of their range at once, whichever these are; every state of "
        "the sample is kept too. With all buses it is the box.",
    ),
    (
        "cutoff",
        "Cutoff",
        "Distribution factors smaller than this are taken as zero, as some operators do. Zero keeps them all.",
    ),
    (
        "downward-closed",
        "Every part deliverable alone (downward closed)",
        "Every part of an offered set can be delivered too: if some products stay unsold, the others still keep "
        "every limit. "
        "Room made by counter-flow is then not counted.",
    ),
    ("counter-flow", "Counter-flow", "Flow that relieves a branch because it runs against the flow that is there."),
    ("binds", "Binds", "A limit binds when it is reached and would have to move for the answer to improve."),
    (
        "dual",
        "First MW more gives (value of a limit)",
        "How many more MW of capacity one more MW of that limit would give.",
    ),
    (
        "margin",
        "Margin (room before)",
        "The room that a limit leaves for new load, after existing net demand in its worst states.",
    ),
    (
        "witness",
        "Feasibility witness",
        "Numbers kept with a product set from which anyone can check that every limit holds.",
    ),
    ("product", "Product", "What is offered: a bus, a number of MW, and a risk (0 for firm)."),
    ("block", "Block", "The size a product is cut into; a last, smaller product holds what is left."),
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
GLOSSARY: dict[str, Word] = {
    key: Word(key, title, meaning)
    for key, title, meaning in (
        *_ENTRIES,
        *help_auction.ENTRIES,
        *help_siting.ENTRIES,
        *help_feeder.ENTRIES,
        *help_hubs.ENTRIES,
        *help_resilience.ENTRIES,
    )
}

PAGE_WORDS: dict[str, tuple[str, ...]] = {
    "auction": (*help_auction.WORDS, "firm", "flexible"),
    "hubs": (*help_hubs.WORDS, "bus", "seed", "stale", "indicative"),
    "resilience": (*help_resilience.WORDS, "bus", "seed", "stale", "indicative"),
    "feeder": (*help_feeder.WORDS, "bus", "dual", "seed", "stale", "indicative"),
    "siting": (
        *help_siting.WORDS,
        "contingency",
        "island-outage",
        "dc-opf",
        "lmp",
        "bus",
        "zone",
        "stale",
        "indicative",
    ),
    "home": ("study", "bus", "branch", "firm", "flexible", "indicative"),
    "network": (
        "bus",
        "branch",
        "unit",
        "rating",
        "slack",
        "zone",
        "island",
        "base-kv",
        "per-unit",
        "reactance",
        "tap",
        "shift",
        "shunt",
        "least-output",
        "loading",
        "binds",
        "interface",
        "contingency",
        "island-outage",
        "import",
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
        "served",
        "alone",
        "alone-redispatch",
        "epsilon",
        "cvar",
        "var",
        "scenario",
        "sample",
        "seed",
        "truncated",
        "box",
        "hull",
        "hour",
        "net-demand",
        "supply",
        "slack",
        "headroom",
        "redispatch",
        "largest",
        "outages",
        "contingency",
        "island-outage",
        "interface",
        "periods",
        "budget",
        "condition",
        "request",
        "envelope",
        "promise",
        "curtailment",
        "bootstrap",
        "comparison",
        "report",
        "objective",
        "tie",
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
