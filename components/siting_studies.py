"""The Studies tab: each study of the source is one button, and its answer a table that says what it means."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import dcc, html

from components import siting_ids, siting_largest, siting_year
from components import siting_studies_cards as cards
from components import siting_studies_time as times
from components.format import count, duration, number, percent, price
from components.siting_basis import days_and_floor
from components.siting_clearing import place as clearing_place
from components.siting_site import SOURCE, SOURCE_RANKING, SiteStudy, bar, share_words, small_table, verdict_mark
from components.siting_studies_time import Takes
from components.skeleton import Part, job_stores, progress_card, section, state
from components.why_card import why_card, why_number
from engine.commitment.outcome import End
from engine.siting.envelopes import Envelope, hours_words
from engine.siting.market_run import MarketRun
from engine.siting.sheet import GateSheet
from engine.siting.shortlist import POOLED
from engine.siting.studies import DEARER, NAIVE_SITES, Compared, Count, like
from engine.store.jobs import Job


@dataclass(frozen=True, slots=True)
class Named:
    """A study as its button has it."""

    title: str
    words: str
    source: str


STUDIES: Mapping[str, Named] = {
    "naive": Named(
        "Lowest prices first",
        f"Do the {NAIVE_SITES} candidates with the lowest mean price before any load pass the gate?",
        "In the source 0 of 20 pass at 1 GW.",
    ),
    "threshold": Named(
        "Threshold sweep",
        "How many candidates qualify as the share of hours and outages that must pass rises?",
        "The count falls as the threshold rises: a law, not a finding.",
    ),
    "depth": Named(
        "Depth sweep",
        "How many qualify when pause and shift give up 5 to 40 % in the peak hours?",
        "In the source 188, 210, 239 and 253 sites at its four depths, the score best at the third.",
    ),
    "dearer": Named(
        "Units 20 % dearer",
        "Does the order of sites stand when every marginal cost rises by 20 %?",
        "Prices that only scale leave the order as it is; start-up and no-load costs do not scale here.",
    ),
    "double": Named(
        "Twice the size",
        "How many sites still qualify at twice the nameplate, as 1 against 2 GW?",
        "In the source pause and shift add 17 and 9 % of sites at 1 GW, 19 and 21 % at 2 GW.",
    ),
    "firm": Named(
        "How firm is this order",
        "Does the shortlist stand without any one site, under other weights, and under every envelope?",
        "The source compares fixed weights with its scores, and takes the least and the mean over envelopes.",
    ),
    "largest": Named(siting_largest.TITLE, siting_largest.WORDS, siting_largest.FROM),
    "year": Named(siting_year.TITLE, siting_year.WORDS, siting_year.FROM),
    "again": Named(
        "Once more, from nothing",
        "Does the gate give the same verdicts when it is run again with nothing kept?",
        "Another 1,000 verdicts are decided by a program that shares no code with the gate.",
    ),
    "headroom": Named(
        "Corridors and substations",
        "How much room is left between zones, and at each substation?",
        "Indicators beside the gate, which alone certifies.",
    ),
}


_LOST = {
    End.TIME_LIMIT: "ran out of time",
    End.INFEASIBLE: "had no schedule",
    End.REFUSED: "had a schedule that the judge refused",
}


def place() -> html.Div:
    """Return the tab: the studies with what the pressed one found, and the clearing."""
    name = siting_ids.STUDY_PANEL
    buttons = [
        html.Button(
            [one.title, " ", html.Span(id=siting_ids.study_time(key), className="hr-siting-small")],
            type="button",
            className="hr-button hr-siting-study",
            title=one.words,
            **{"data-siting-study": key, "aria-pressed": "false"},
        )
        for key, one in STUDIES.items()
    ]
    return html.Div(
        [
            dcc.Store(id=siting_ids.STUDY_ASKED),
            *job_stores(name),
            html.Div(
                [
                    html.Div(buttons, className="hr-siting-buttons", role="group", **{"aria-label": "Studies"}),
                    html.Div(_asks(), id=name, **{"aria-live": "polite"}),
                ],
                className="hr-siting-half",
            ),
            html.Div(clearing_place(), className="hr-siting-half"),
        ],
        className="hr-siting-halves",
    )


def _asks() -> list[Part]:
    """Return what each study asks, before one is pressed."""
    terms = [html.Div([html.Dt(one.title), html.Dd(one.words)], className="hr-siting-ask") for one in STUDIES.values()]
    return [html.P("Press a study: each asks one question of what is drawn.", className="hr-muted"), html.Dl(terms)]


def nothing_yet() -> Part:
    """Return the panel before there is an answer."""
    return state("empty", "Compute the gate first: every study begins with it.")


def no_market(name: str) -> Part:
    """Return a study that needs prices, while there are none."""
    words = "It needs the market: run the market of this question first."
    return _framed(name, state("empty", words, title="Needs the market"))


def to_press(name: str, takes: Takes | None = None) -> Part:
    """Return a study that was not computed for what is drawn, with the press that begins it and its time."""
    return _framed(name, _offer(name, "Not computed for this question", takes))


def waits(name: str, job: Job) -> Part:
    """Return a study while its job computes."""
    return _framed(
        name, progress_card(STUDIES[name].title, done=job.done, total=job.total, message=job.message, job=job.id)
    )


def failed(name: str, message: str, *, cancelled: bool = False) -> Part:
    """Return a study that ended without a result."""
    return _framed(name, _ended(message, cancelled=cancelled))


def scores_wait(job: Job | None, takes: Takes) -> Part:
    """Return where the market stands that the scores of a depth sweep need: not begun, or ended without prices."""
    if job is None:
        return _offer("depth", "Scores need the market of these envelopes", takes)
    ended = _ended(job.error or "", cancelled=job.state == "cancelled")
    return html.Div([html.P("Scores need the market of these envelopes.", className="hr-muted"), ended])


def no_market_yet() -> Part:
    """Return why a depth sweep has no scores while the question has no market."""
    words = "Scores need the market: run the market of this question, then press again."
    return html.P(words, className="hr-muted")


def _ended(message: str, *, cancelled: bool) -> Part:
    if cancelled:
        return state("empty", "It was cancelled: press it again.", title="Cancelled")
    return state("failed", message or "The job stopped without a word.")


def _offer(name: str, words: str, takes: Takes | None) -> Part:
    """Return what a study would compute and how long that takes; a long one is begun by a second press, here."""
    if takes is None or not takes.long:
        known = "" if takes is None else f" {takes.words()}".rstrip()
        return state("empty", f"{words}: press it to compute.{known}")
    said = f"{words}. {takes.words()} What is done is kept, also when it is stopped."
    return state("empty", said, title="This takes a while", action=times.start(name, takes))


def _framed(name: str, *parts: Part) -> Part:
    one = STUDIES[name]
    return section(one.words, *parts, html.P(one.source, className="hr-muted"))


# What they found


def naive(study: SiteStudy, sheets: Sequence[GateSheet], mean_lmp: Mapping[int, float]) -> Part:
    """Return the verdicts of the sites with the lowest prices."""
    passed = sum(sheet.verdict == 1 for sheet in sheets)
    unsure = sum(sheet.verdict == -1 for sheet in sheets)
    text = f"{number(passed)} of {number(len(sheets))}"
    card = why_card(
        f"{text} pass",
        formula="\u03bb\u0304_b = \u03a3_d *w*_d \u03bb_{bd} / \u03a3_d *w*_d, lowest first",
        values=[
            ("highest mean price among them", price(max(mean_lmp[sheet.bus] for sheet in sheets), digits=3)),
            ("threshold *\u03c4*", percent(study.threshold)),
            ("open", number(unsure)),
        ],
        inputs=study.inputs(market=True),
        source=SOURCE,
    )
    rows = [
        (
            study.words(sheet.bus),
            (number(mean_lmp[sheet.bus], 3), mean_lmp[sheet.bus]),
            (bar(sheet.low, share_words(sheet.low, sheet.high)), f"{sheet.low:.6f}"),
            verdict_mark(sheet.verdict),
        )
        for sheet in sheets
    ]
    shown = why_number("siting-why-naive", text, card, label="sites with the lowest prices that pass")
    return _framed(
        "naive",
        html.P(
            [shown, f" of the lowest mean prices pass: {study.envelope}, {number(study.size_mw)} MW. The source takes "
             "the mean of a year, and 1,000 MW; the days here are named below the table."]
        ),
        small_table("naive", "Sites with the lowest prices", ["Site", "Mean LMP, $/MWh", "Pass rate", "Gate"], rows,
                    text=(0, 3), file="lowest-prices", tall=True,
                    note=days_and_floor(study.market, (("all", "mean_lmp"),)),
                    why=cards.naive(study, sheets[0], mean_lmp[sheets[0].bus]) if sheets else None),
    )  # fmt: skip


def threshold(study: SiteStudy, thresholds: Sequence[float], found: Mapping[str, Sequence[Count]]) -> Part:
    """Return the counts at each threshold, of the size that is drawn."""
    most = max((one.qualified for counts in found.values() for one in counts), default=0)
    rows = [
        (
            (percent(value), value),
            *(_counted(counts[place], most) for counts in found.values()),
        )
        for place, value in enumerate(thresholds)
    ]
    here = {name: counts[_nearest(thresholds, study.threshold)].qualified for name, counts in found.items()}
    words = "; ".join(f"{name} {number(amount)}" for name, amount in here.items())
    near = thresholds[_nearest(thresholds, study.threshold)]
    card = why_card(
        f"At {percent(near)}: {words}",
        formula="|*Q*_e(*\u03c4*)| = number of *b* with *r*_{b,e} \u2265 *\u03c4*",
        values=[("candidates", number(len(study.gate.buses))), ("size", f"{number(study.size_mw)} MW")],
        inputs=study.inputs(),
        source=SOURCE,
        note="The verdicts of the gate are read again: nothing is computed.",
    )
    first_card = next((cards.threshold(study, thresholds[0], name, own[0]) for name, own in found.items()), None)
    shown = why_number("siting-why-threshold", f"At {percent(near)}: {words}", card, label="qualified sites")
    return _framed(
        "threshold",
        html.P(shown),
        small_table("threshold", "Qualified sites by threshold", ["Threshold", *found], rows, file="threshold-sweep",
                    tall=True, why=first_card),
    )  # fmt: skip


def depth(
    study: SiteStudy,
    counts: Mapping[str, Mapping[float, Count]],
    scores: Mapping[str, Mapping[float, float]],
    rest: Part = None,
    market: MarketRun | None = None,
) -> Part:
    """Return the counts, and where the market was run the median scores, by kind and depth.

    ``rest`` says where the market stands that the scores need, ``market`` is the one that they are from.
    """
    depths = sorted({one for own in counts.values() for one in own})
    most = max((one.qualified for own in counts.values() for one in own.values()), default=0)
    rows = []
    for value in depths:
        cells: list[Part] = [(percent(value), value)]
        for kind, own in counts.items():
            cells.append(_counted(own[value], most))
            if scores:
                score = scores.get(kind, {}).get(value)
                cells.append((number(score, 3), "" if score is None else score))
        rows.append(tuple(cells))
    heads = ["Depth"]
    for kind in counts:
        heads += [f"{kind}, sites", *([f"{kind}, median score"] if scores else [])]
    first = {kind: own[depths[0]].qualified for kind, own in counts.items()}
    last = {kind: own[depths[-1]].qualified for kind, own in counts.items()}
    words = "; ".join(f"{kind} {number(first[kind])} to {number(last[kind])}" for kind in counts)
    card = why_card(
        f"From {percent(depths[0])} to {percent(depths[-1])}: {words}",
        formula="\u2113(*h*) = (1 \u2212 *\u03b1*) *u* *P* in the peak hours",
        values=[
            ("size", f"{number(study.size_mw)} MW"),
            ("threshold *\u03c4*", percent(study.threshold)),
            *_drawn_like(counts, study.run.question.envelopes),
        ],
        inputs=study.inputs(market=bool(scores)),
        source=SOURCE_RANKING,
        note="A shift that breaks its ramp bound is the nearest profile that keeps it. "
        + (
            "All depths share one scaling."
            if study.by.scaling == POOLED
            else "Each depth is scaled by itself, as chosen: the scores of two depths do not compare."
        ),
    )
    shown = why_number("siting-why-depth", words, card, label="qualified sites by depth")
    kind = next(iter(counts))
    score = scores.get(kind, {}).get(depths[0])
    return _framed(
        "depth",
        html.P(["Sites that qualify from the least depth to the most: ", shown, "."]),
        html.P(best) if study.by.scaling == POOLED and (best := _best_depths(scores)) else None,
        html.P(lost) if (lost := _not_priced(market, study.size_mw)) else None,
        small_table("depth", "Sites by depth", heads, rows, file="depth-sweep", tall=True, note=_priced(study, scores),
                    why=cards.depth(study, kind, depths[0], counts[kind][depths[0]], score)),
        rest,
    )  # fmt: skip


def _best_depths(scores: Mapping[str, Mapping[float, float]]) -> str:
    """Return at which depth the median score of each kind is the highest, "" without scores."""
    best = {kind: max(own.items(), key=lambda found: found[1]) for kind, own in scores.items() if own}
    said = [f"{kind} at {percent(value)} ({number(score, 3)})" for kind, (value, score) in best.items()]
    return f"The median score is highest for {', for '.join(said)}." if said else ""


def _not_priced(market: MarketRun | None, size_mw: float, envelope: str = "") -> str:
    """Return which sites of a size, of all or one envelope, a study's market did not price and why, "" where none."""
    if market is None:
        return ""
    sent = [
        site
        for site in market.sites
        if site.placement is not None
        and site.placement.nameplate_mw == size_mw
        and envelope in {"", site.placement.envelope.name}
    ]
    lost = Counter(site.status for site in sent if not site.served)
    said = [f"{number(lost[end])} {words}" for end, words in _LOST.items() if lost[end]]
    return f"Of {count(len(sent), 'site')} sent to this market {' and '.join(said)}: left out here." if said else ""


def _drawn_like(kinds: Iterable[str], listed: Sequence[Envelope]) -> list[tuple[str, str]]:
    """Return of each kind whose peak hours and utilisation *u* its depths have: those of the question."""
    models = {kind: like(kind, listed) for kind in kinds}
    return [
        (f"{kind}: peak hours, *u*", f"{hours_words(one.peak_hours)}, {percent(one.utilisation)}")
        for kind, one in models.items()
    ]


def _priced(study: SiteStudy, scores: Mapping[str, Mapping[float, float]]) -> str:
    """Return which sites the median scores are of."""
    if study.market is None or not scores:
        return ""
    most = study.market.question.most_sites
    which = f"the {number(most)} of the best pass rates at each depth" if most else "all that qualify"
    return f"Median scores are of the sites priced, {which}. {days_and_floor(study.market)}"


def dearer(study: SiteStudy, found: Compared, means: tuple[float, float], market: MarketRun) -> Part:
    """Return what dearer units change; ``means`` are the mean prices without a load before and after, $/MWh.

    ``market`` is that of the dearer units.
    """
    ratio = means[1] / means[0] if means[0] else float("nan")
    card = why_card(
        f"Spearman {number(found.spearman, 4)} over {count(found.common, 'site')}",
        formula="\u03c1 = corr(rank *C*, rank *C*\u2032)",
        values=[
            ("factor of marginal costs", number(DEARER, 2)),
            ("mean LMP without a load", f"{price(means[0], digits=3)}, {price(means[1], digits=3)}"),
            ("ratio of the means", number(ratio, 4)),
            (f"top {found.top} shared", percent(found.overlap, 0)),
        ],
        inputs=study.inputs(market=True),
        source=SOURCE_RANKING,
    )
    shown = why_number("siting-why-dearer", number(found.spearman, 3), card, label="Spearman of the scores")
    rows = [
        (study.words(bus), number(before), number(after), *((number(score, 3), score) for score in scores))
        for (bus, before, after), scores in zip(found.moves, found.scores, strict=True)
    ]
    order: list[Part] = ["The scores correlate by ", shown]
    if math.isnan(found.spearman):
        order = ["The scores of one order are all equal, so that no correlation is told (", shown, ")"]
    lost = _not_priced(market, study.size_mw, study.envelope)
    return _framed(
        "dearer",
        html.P(
            [f"{count(found.common, 'site')} of {study.envelope}, {number(study.size_mw)} MW are ranked in both. ",
             *order,
             f"; {percent(found.overlap, 0)} of the first {number(found.top)} "
             f"places are shared; the mean price without a load goes from {price(means[0], digits=3)} to "
             f"{price(means[1], digits=3)}."]
        ),
        html.P(lost) if lost else None,
        small_table("dearer", "Places with dearer units",
                    ["Site", "Place", "Place when dearer", "Score", "Score when dearer"], rows,
                    file="dearer", tall=True, note=f"Only a rule parts equal scores. {days_and_floor(study.market)}",
                    why=cards.dearer(study, *found.moves[0])),
    )  # fmt: skip


def firm(parts: Sequence[Part]) -> Part:
    """Return how firm the order is, see :func:`components.siting_firm.firm`."""
    return _framed("firm", *parts)


def double(study: SiteStudy, sizes: tuple[float, float], counts: Mapping[str, tuple[Count, Count]]) -> Part:
    """Return the counts at two sizes, and how much more than firm each envelope has."""
    firm = counts.get("firm")
    most = max((one.qualified for pair in counts.values() for one in pair), default=0)
    rows = []
    for name, pair in counts.items():
        cells: list[Part] = [name]
        for place, one in enumerate(pair):
            cells += [_counted(one, most), _growth(one, None if firm is None or name == "firm" else firm[place])]
        cells.append(percent(pair[1].qualified / pair[0].qualified, 0) if pair[0].qualified else number(None))
        rows.append(tuple(cells))
    small, large = (f"{number(size)} MW" for size in sizes)
    words = "; ".join(f"{name} {number(a.qualified)} and {number(b.qualified)}" for name, (a, b) in counts.items())
    card = why_card(
        f"At {small} and at {large}: {words}",
        formula="|*Q*_e(*P*)| = number of *b* with *r*_{b,e}(*P*) \u2265 *\u03c4*",
        values=[("threshold *\u03c4*", percent(study.threshold)), ("candidates", number(len(study.gate.buses)))],
        inputs=study.inputs(),
        source=SOURCE,
        note="More load can relieve an outage: a site may qualify at the larger size alone.",
    )
    name, pair = next(iter(counts.items()))
    first_card = cards.double(study, name, sizes, pair, None if name == "firm" else firm)
    shown = why_number("siting-why-double", words, card, label=f"qualified sites at {small} and {large}")
    return _framed(
        "double",
        html.P(["At ", small, " and at ", large, ": ", shown, "."]),
        small_table("double", "Two sizes", ["Envelope", small, "More than firm", large, "More than firm ", "Kept"],
                    rows, file="two-sizes", why=first_card),
    )  # fmt: skip


def largest(parts: Sequence[Part]) -> Part:
    """Return the largest sizes, see :func:`components.siting_largest.shown`."""
    words, *tables = parts
    return _framed("largest", html.P(words), *tables)


def again(study: SiteStudy, told: Mapping[str, Any]) -> Part:
    """Return how many verdicts are the same when everything is computed again."""
    text = f"All {number(told['verdicts'])} verdicts are the same"
    card = why_card(
        text,
        formula="|{(*b*, *t*, \u2113, *c*): *I* \u2260 *I*\u2032}|",
        values=[
            ("verdicts compared", number(told["verdicts"])),
            ("that differ", number(told["differ"])),
            ("time", duration(round(told["time_s"]))),
            ("processor time of the gate", duration(round(told["processor_s"]))),
        ],
        inputs=study.inputs(),
        source=SOURCE,
        note="A run in which one differs fails, and names it.",
    )
    shown = why_number("siting-why-again", text, card, label="verdicts of both runs")
    took = f": computed again in {duration(round(told['time_s']))}. {told['check']['words']}."
    return _framed("again", html.P([shown, took]))


def _growth(one: Count, firm: Count | None) -> tuple[str, str]:
    if firm is None or not firm.qualified:
        return number(None), ""
    share = one.qualified / firm.qualified - 1.0
    sign = "+" if share > 0 else ""
    return f"{sign}{percent(share, 0)}", f"{share:.4f}"


def _counted(one: Count, most: int) -> tuple[Part, int]:
    words = number(one.qualified) + (f" (+{number(one.undecided)} open)" if one.undecided else "")
    return bar(one.qualified / max(most, 1), words), one.qualified


def _nearest(thresholds: Sequence[float], wanted: float) -> int:
    return min(range(len(thresholds)), key=lambda place: abs(thresholds[place] - wanted))
