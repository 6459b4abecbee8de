"""The Checks tab: what proves the answer, what was assumed, where it is from, and how large a study may be."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dash import html

from components import hubs_export
from components.format import count, number, percent
from components.hubs_cards import card
from components.hubs_cards_proof import EXPORTS, LEAST, ORDER, tiny
from components.hubs_growth import growth
from components.hubs_tables import Rows, tabled
from components.hubs_view import question_query
from components.hubs_why import RATIO
from components.hubs_words import At, bound_of, dollars
from components.skeleton import Part, facts, section
from components.static import static
from components.tables import GridColumn
from engine.pricing.cases import assumptions, fleet_assumptions
from engine.pricing.growth import Grown
from engine.pricing.question import LEAST_HOURS, MOST_PROVED, HubQuestion

if TYPE_CHECKING:
    from engine.pricing.run import HubRun

TAB = "checks"
_LEAST_MWH = 5e-4  # less is written as 0


def content(run: "HubRun", at: At, others: Sequence[Grown] = (), study: str = "") -> Part:
    """Return certificates, bounds, how it grows, the assumptions, the provenance and the lines that run it again.

    ``others`` are what the sizes to try took, of those that were computed here; ``study`` holds the reader's files.
    """
    columns, listed = rows(run, at)
    faces = {(row, "found"): card(run, at, f"proof:{each['name']}") for row, each in enumerate(listed)}
    known = run.provenance
    origin: list[tuple[Part, Part]] = [
        ("Case", html.Code(str(known["case_digest"])[:16])),
        ("Question", html.Code(str(known["question_digest"])[:16])),
        ("Seed", str(run.question.seed)),
        ("Solvers", str(known["solver"])),
        ("Headroom", str(known["headroom"])),
        ("Computed", str(known["date"])),
        ("Time", f"{number(float(known['time_s']), 1)} s"),
    ]
    own = not run.question.dataset
    return html.Div(
        [
            tabled(
                TAB,
                "Certificates",
                columns,
                listed,
                faces=faces,
                note="Numbers that are 0, or nearly, where everything is as it should be.",
            ),
            _bounds(run, at, study),
            growth(run, others),
            static(
                html.Div(
                    [
                        section(
                            "What was assumed",
                            html.Ul([html.Li(line) for line in _assumed(run)], className="hr-feeder-lines"),
                        )
                        if own
                        else None,
                        section("Where it is from", facts(origin)),
                        section(
                            "Again, in Python",
                            html.Pre(
                                hubs_export.code(run, {}),
                                className="hr-hubs-code",
                                tabIndex=0,
                                **{"aria-label": "Python lines that run it again"},
                                role="group",
                            ),
                        ),
                    ],
                    className="hr-feeder-columns",
                )
            ),
        ]
    )


def _assumed(run: "HubRun") -> tuple[str, ...]:
    """Return what was assumed for the case of a run, in sentences."""
    asked = run.question
    return (
        assumptions(asked.seed) if asked.case == "three" else fleet_assumptions(asked.count, asked.feeder, asked.seed)
    )


def _bounds(run: "HubRun", at: At, study: str) -> Part:
    """Return the chain of bounds of quick prices, and how far they are from the best, or how that is found out."""
    columns, listed = chain(run)
    cards = {"floor": "floor", "best": "best", "quick": "outcome:quick-quadratic", "none": "outcome:none-quadratic"}
    faces = {
        (row, "value"): card(run, at, cards[each["name"]])
        for row, each in enumerate(listed)
        if each["value"] is not None
    }
    return section(
        "How good quick prices are",
        html.P(gap_words(run), className="hr-feeder-told"),
        *_ways(run, study),
        tabled("chain", "Bounds of quick prices", columns, listed, faces=faces, note="From least to most."),
    )


def chain(run: "HubRun") -> Rows:
    """Return columns and rows: the bounds F_B, F_D*, F_D and F_A of hubs of rising costs, from least to most."""
    columns = [
        GridColumn("what", "Bound"),
        GridColumn("value", "Objective", "$", "number", digits=2),
        GridColumn("told", "What it is"),
    ]
    quick, none, best = run.of("quick", "quadratic"), run.of("none", "quadratic"), run.facts.get("best")
    if quick is None or none is None:
        raise ValueError("a run without quick prices")
    lines = [
        ("floor", "B, all as one", run.floor, "no prices reach less"),
        ("best", "D*, the best quick prices", best["objective"] if best else None,
         f"proved: none below {dollars(best['bound'])}" if best else "not looked for"),
        ("quick", "D, quick prices", quick.objective, "found step by step"),
        ("none", "A, no prices", none.objective, "no prices are prices too"),
    ]  # fmt: skip
    return columns, [{"name": name, "what": what, "value": value, "told": told} for name, what, value, told in lines]


def gap_words(run: "HubRun") -> str:
    """Return how far quick prices are from the best by a proof, or why that is not known, in sentences."""
    quick, best, case = run.of("quick", "quadratic"), run.facts.get("best"), run.case
    if quick is None:
        raise ValueError("a run without quick prices")
    if best:
        told = (
            f"Quick prices come to {dollars(quick.objective)}; the best that branch and bound finds come to "
            f"{dollars(best['objective'])}, and none to less than {dollars(best['bound'])}"
        )
        if best["bound"] < RATIO:
            return f"{told}."
        over = percent(max(quick.objective / best["bound"] - 1.0, 0.0), 2)
        return (
            f"{told}: a ratio of {number(quick.objective / best['objective'], 4)}, so quick prices are at most {over} "
            "above the best there are."
        )
    size = len(case.hubs) * case.periods
    ratio = (
        f" Whatever the best are, they are no less than {dollars(bound)}, so quick prices are at most "
        f"{number(quick.objective / bound, 2)} times the best."
        if (bound := bound_of(run, quick)) >= RATIO
        else ""
    )
    if size > MOST_PROVED:
        return (
            f"How far quick prices are from the best is proved for small cases alone, of at most {MOST_PROVED} hubs "
            f"times periods: this one has {number(size)}.{ratio}"
        )
    return f"How far quick prices are from the best can be proved of so small a case, and was not asked for.{ratio}"


def smaller(question: HubQuestion, hubs: int, periods: int) -> HubQuestion | None:
    """Return the question whose answer proves how good quick prices are: this one, or one of fewer hours.

    None where that is no matter of hours: a file is studied as it is, and very many hubs do not fit one hour.
    """
    if hubs * periods <= MOST_PROVED:
        return replace(question, ladder=True)
    hours = MOST_PROVED // hubs
    if question.dataset or hours < LEAST_HOURS:
        return None
    return replace(question, hours=hours, window=min(question.window, hours), ladder=True)


def _ways(run: "HubRun", study: str) -> list[Part]:
    """Return the press that asks for the proof, where there is none yet."""
    if run.facts.get("best"):
        return []
    asked = smaller(run.question, len(run.case.hubs), run.case.periods)
    if asked is None:
        few = HubQuestion(hours=MOST_PROVED // 3)
        return [_way(few, "", f"Ask it of three hubs over {few.hours} hours")]
    of = f"these hubs over {asked.hours} hours" if asked.hours != run.question.hours else "this case"
    return [_way(asked, study, f"Ask it of {of}")]


def _way(question: HubQuestion, study: str, words: str) -> Part:
    held = f"study={quote(study)}&" if study else ""
    href = f"/hubs?{held}{question_query(question)}&tab={TAB}"
    return html.Div(html.A(words, href=href, className="hr-button"), className="hr-hubs-tries")


def rows(run: "HubRun", _at: At) -> Rows:
    """Return columns and rows: each certificate with what it should be."""
    told: dict[str, Any] = dict(run.facts["certificates"])
    columns = [
        GridColumn("what", "Certificate"),
        GridColumn("found", "Found"),
        GridColumn("wanted", "Should be"),
        GridColumn("holds", "Holds"),
    ]
    lines = [
        ("residual", "Largest violation of a hub's conditions of optimality"),
        ("second_solver", f"Largest difference from a second solver, {count(told['sampled'], 'hub')} asked"),
        ("both_ways_mw", "MW that a battery charges and discharges, or a hub imports and exports, at once"),
        ("gradient", "Slope by adjoints against differences, a hair beside the prices"),
    ]
    found = [
        {
            "name": name,
            "what": words,
            "found": tiny(told[name]),
            "wanted": f"at most {LEAST[name]:.0e}",
            "holds": "yes" if told[name] <= LEAST[name] else "no",
        }
        for name, words in lines
    ]
    exports = run.facts.get("by_exports_mwh")
    if exports is not None:
        found.append(
            {
                "name": EXPORTS,
                "what": "MWh beyond limits that exports alone make",
                "found": number(float(exports), 3),
                "wanted": "0",
                "holds": "yes" if exports < _LEAST_MWH else "no: the price is on imports alone",
            }
        )
    found.append(
        {
            "name": ORDER,
            "what": "Bounds in their order: all as one, prices, no prices",
            "found": "yes" if told["order"] else "no",
            "wanted": "yes",
            "holds": "yes" if told["order"] else "no",
        }
    )
    return columns, found
