"""The printable report of a capacity answer: of the study, or of one bus. Pure: from records to HTML."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from markupsafe import Markup

from components.capacity_answer import Answer, gain_words, level_words, served_in_full, short_limit
from components.capacity_deep import left_out
from components.capacity_export import about
from components.capacity_results import notices, over_limit_rows, strongest
from components.capacity_tables import limit_rows, product_rows, site_rows
from components.drawing import REPORT_IN, draw_map
from components.drawing_capacity import capacity_map, source_lines, subtitle_of, title_of
from components.drawing_sheet import inline, rendered
from components.format import MISSING, count, duration, megawatts, number, percent
from components.report_html import breakable, bullets, el, facts, figure, numbers, printed_at, section, table
from components.report_python import again
from engine.capacity.results import CapacityResult

MOST_LISTED = 400  # rows of a table on paper; what is left out is counted


@dataclass(frozen=True, slots=True, eq=False)
class ReportOf:
    """What a report is made of."""

    study: str  # name
    answer: Answer
    now: datetime
    version: str  # of the product
    stale: str = ""  # why the answer is not current, "" when it is
    published: Sequence[str] = ()  # the published versions, in words
    promise: Sequence[Markup] = field(default_factory=tuple)  # what the promise is worth, where it was computed


def study_report(given: ReportOf) -> list[Markup]:
    """Return the parts of the report of a study."""
    answer = given.answer
    return [
        heading(given, title_of(answer), "Capacity report of a study"),
        _totals(answer),
        *_maps(answer),
        section("The sites", _sites(answer)),
        section("What binds", *binding_tables(answer)),
        section("Parts of the year", _periods(answer)),
        section(f"Without {left_out(answer.question)}" if answer.deep else "", _base(answer)),
        section("Products", _products(answer), bullets(given.published)),
        section("What the promise is worth", *given.promise),
        section("The network", network_facts(answer)),
        section("To know", bullets(_sentence(line) for line in notices(answer))),
        *provenance(given),
    ]


def heading(given: ReportOf, title: str, what: str) -> Markup:
    """Return the head of a report: what it is of, whether it is current, what it is good for."""
    return el(
        "div",
        el("header", el("p", f"{what} \u00b7 {given.study} \u00b7 printed {printed_at(given.now)}"), el("h1", title)),
        el("div", el("strong", "Stale: "), given.stale, class_="state", role="status") if given.stale else None,
        el("p", _sentence(str(about(given.answer)["use"])), class_="use"),
    )


def _totals(answer: Answer) -> Markup:
    result = answer.result
    asked = sum(result.demand_mw)
    if answer.stopped:
        rows = over_limit_rows(answer)
        words = f"{count(len(rows), 'limit')} exceeded before anything is added: nothing was allocated."
        return el("div", el("strong", "No feasible answer. "), words, class_="state", role="status")
    firm, last = result.levels[0], result.levels[-1]
    cells = [
        ("Firm", megawatts(firm.total_mw), f"of {megawatts(asked)} asked at {count(len(result.candidates), 'site')}")
    ]
    if len(result.levels) > 1:
        gain = last.total_mw - firm.total_mw
        cells.append(
            (f"Flexible, {level_words(last.epsilon)}", f"+{megawatts(gain)}", f"{megawatts(last.total_mw)} with firm")
        )
    cells.append(("Served in full", f"{served_in_full(answer)} of {len(result.candidates)}", "sites"))
    parts = [numbers(cells)]
    binding = strongest(answer)
    if binding is not None:
        gain_text = gain_words(binding)
        words = f"Binds most: {binding.limit.words}" + (f"; {gain_text}" if gain_text else "") + "."
        parts.append(el("p", words))
    return el("div", *parts)


def _maps(answer: Answer) -> list[Markup]:
    """Return the map of the sites and that of every bus alone."""
    return [
        drawn_map(answer, "sites", "What the sites get together"),
        drawn_map(answer, "firm", "What each bus could take alone", new_page=True),
    ]


def drawn_map(answer: Answer, layer: str, title: str, *, new_page: bool = False, around: int | None = None) -> Markup:
    """Return a map as a part of a report."""
    content, caption = capacity_map(answer, layer, around=around)
    svg = rendered(draw_map(content, None, REPORT_IN), "svg", caption)
    words = subtitle_of(answer, layer)
    made = figure(inline(svg, f"{title}: {words}"), f"{words}. {source_lines(answer)[0]}")
    return section(title, made, class_="new-page" if new_page else None)


def _sites(answer: Answer) -> Markup:
    epsilons = answer.question.epsilons
    named = [(key, head) for key, head in (("name", "Substation"), ("zone", "Zone")) if _held(answer, key)]
    heads = ["Bus", *(head for _, head in named), "Asked, MW", "Firm, MW"]
    heads += [f"+ {level_words(epsilon)}, MW" for epsilon in epsilons]
    heads += ["Total, MW", "Served", "Alone, firm, MW", "Limited by"]
    rows = []
    for row in site_rows(answer):
        cells = [row["id"], *(row[key] for key, _ in named), mw(row["asked"]), mw(row.get("firm"))]
        cells += [mw(row.get(f"inc{place}")) for place in range(len(epsilons))]
        cells += [mw(row.get("total")), percent(row.get("served"), 0), mw(row["alone"]), row["limit"]]
        rows.append(cells)
    left = (*range(1 + len(named)), len(heads) - 1)
    return el("div", table(heads, rows[:MOST_LISTED], "Sites in the order asked", left=left), _left_out(len(rows)))


def _held(answer: Answer, key: str) -> bool:
    """Return whether the network has names, or zones: a column that holds nothing is left out."""
    return any(answer.network.buses.names if key == "name" else answer.network.buses.zones)


def binding_tables(answer: Answer, limits: Sequence[str] | None = None) -> list[Markup | None]:
    """Return the limits that are exceeded already and those that bind: all, or those with the words ``limits``."""
    heads = ["Limit", "Level", "Limit, MW", "Room before, MW", "First MW more gives, MW", "Stops sites", "Worst state"]
    rows = over_limit_rows(answer) + limit_rows(answer)
    if limits is not None:
        rows = [row for row in rows if row["limit"] in limits]
    cells = [
        [
            row["limit"], row["level"], mw(row["rating"]), mw(row["margin"]), number(row.get("gain"), 2),
            number(row.get("sites")), row.get("state") or MISSING,
        ]
        for row in rows
    ]  # fmt: skip
    caption = "Limits that stop the sites, the one whose next MW brings most first; the outage or interface is named"
    return [table(heads, cells[:MOST_LISTED], caption, left=(0, 1, 6)), _left_out(len(cells))]


def _periods(answer: Answer) -> Markup | None:
    if not answer.periods:
        return None
    rows = [_result_row(name, result) for name, result in answer.periods]
    return table(
        _RESULT_HEADS, rows, "Each part of the year by itself; the year-round answer is kept in all", left=(0, 3)
    )


def _base(answer: Answer) -> Markup | None:
    if answer.base is None:
        return None
    rows = [_result_row("This question", answer.whole), _result_row("Without", answer.base)]
    return table(_RESULT_HEADS, rows, f"What {left_out(answer.question)} change", left=(0, 3))


_RESULT_HEADS = ("", "Firm, MW", "With flexible, MW", "Binds most")


def _result_row(name: str, result: CapacityResult) -> list[str]:
    if not result.levels:
        return [name, MISSING, MISSING, "limits are exceeded already"]
    binding = result.levels[0].binding
    words = short_limit(binding[0].limit) if binding else "nothing: every site gets all it asks for"
    return [name, mw(result.levels[0].total_mw), mw(result.levels[-1].total_mw), words]


def _products(answer: Answer) -> Markup | None:
    rows = product_rows(answer)
    if not rows:
        return None
    heads = ("Product", "Bus", "Kind", "Size, MW", "Interrupted in at most")
    cells = [[row["id"], row["bus"], row["kind"], number(row["mw"], 1), row["risk"]] for row in rows]
    made = table(heads, cells[:MOST_LISTED], "What could be published", left=(0, 1, 2, 4))
    return el("div", made, _left_out(len(cells)))


def network_facts(answer: Answer) -> Markup:
    """Return what the network is."""
    network = answer.network
    buses, branches, units = network.buses, network.branches, network.units
    rated = int((branches.in_service & (branches.rating_a_mw < float("inf"))).sum())
    rows = [
        ("Name", network.name),
        ("Buses in service", f"{number(int(buses.in_service.sum()))} of {number(len(buses.ids))}"),
        ("Branches in service", f"{number(int(branches.in_service.sum()))} of {number(len(branches.ids))}"),
        ("With a rating", number(rated)),
        ("Interfaces", number(len(network.interfaces.ids))),
        ("Units in service", f"{number(int(units.in_service.sum()))} of {number(len(units.ids))}"),
        ("Filed load", megawatts(float(buses.load_mw[buses.in_service].sum()))),
        ("Unit capacity", megawatts(float(units.p_max_mw[units.in_service].sum()))),
        ("Data", network.tables.source),
    ]
    return facts(rows)


def provenance(given: ReportOf) -> list[Markup]:
    """Return where the numbers are from, and how to compute them again."""
    answer = given.answer
    known = about(answer)
    levels = answer.result.levels
    rows = [
        ("Question", known["question"]),
        ("Question, digest", breakable(known["question_digest"])),
        ("Network, digest", breakable(known["network_digest"])),
        ("States, digest", breakable(known["uncertainty_digest"])),
        ("States", known["states"]),
        ("Seed", str(known["seed"])),
        ("Extra power from", answer.question.supply_words()),
        ("Objective", answer.question.objective_words()),
        ("Solver", known["solver"]),
        ("Status", "; ".join(dict.fromkeys(f"{level.status}, {level.solver}" for level in levels)) or known["status"]),
        ("Optimality gap", MISSING if known["gap"] is None else f"{known['gap']:.2g}"),
        ("Time", duration(answer.result.time_s)),
        ("Computed", f"{known['computed'][:16].replace('T', ' ')} UTC"),
        ("Printed", f"{printed_at(given.now)} by Headroom {given.version}"),
    ]
    return [
        section("Made from", facts(rows), class_="new-page"),
        section("Again, from Python", *again(answer)),
    ]


def mw(value: object) -> str:
    """Return a cell of MW, the unit being in the head."""
    if value == "inf":
        return "unlimited"
    return number(value, 1) if isinstance(value, int | float) else MISSING


def _left_out(rows: int) -> Markup | None:
    if rows <= MOST_LISTED:
        return None
    words = f"{number(rows - MOST_LISTED)} more rows are in the CSV of the page."
    return el("p", words)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
