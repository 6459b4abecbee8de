"""The check of an answer by other solvers: before it has run, while it runs, and what it found."""

from dash import dcc, html

from components import capacity_ids
from components.capacity_answer import level_words, pressed_button
from components.capacity_promise import scrolled, table
from components.format import number
from components.skeleton import Part, job_stores, progress_card, section, state
from engine.capacity.independent import IndependentCheck
from engine.store.jobs import Job


def place() -> html.Div:
    """Return the place of the check by other solvers, with its Stores."""
    return html.Div(
        [
            *job_stores(capacity_ids.CHECKED),
            dcc.Store(id=f"{capacity_ids.CHECKED_RUN}-pressed"),
            html.Div(id=capacity_ids.CHECKED, className="hr-promise", **{"aria-live": "polite"}),
        ]
    )


def to_check(reason: str = "") -> Part:
    """Return the check before it has run, or why it cannot."""
    if reason:
        return section("Other solvers", html.P(reason, className="hr-muted"))
    words = "The whole problem of every level, all limits at once, by Clarabel and by HiGHS through scipy."
    press = pressed_button("Check with an independent solver", capacity_ids.CHECKED_RUN)
    return section("Other solvers", html.P(words, className="hr-muted"), press)


def running(job: Job) -> Part:
    """Return the check while it runs."""
    card = progress_card("Other solvers", done=job.done, total=job.total, message=job.message, job=job.id)
    return section("Other solvers", card)


def failed(message: str, *, cancelled: bool) -> Part:
    """Return the check after a job that gave no result."""
    press = pressed_button("Check again", capacity_ids.CHECKED_RUN)
    if cancelled:
        return section("Other solvers", state("empty", "The check was cancelled.", title="Cancelled", action=press))
    return section("Other solvers", state("failed", message or "The job stopped without a word.", action=press))


def done(found: IndependentCheck) -> Part:
    """Return what other solvers said."""
    head = ["Level", "Solver", "Differs by", "Sites, MW", "Time, s"]
    rows = [
        html.Tr(
            [
                html.Td(level_words(entry.epsilon).capitalize()),
                html.Td(entry.solver.partition(" ")[0], title=entry.solver),
                html.Td(f"{entry.difference:.1e}" if entry.status == "optimal" else entry.status),
                html.Td(number(entry.apart_mw, 3)),
                html.Td(number(entry.time_s, 2)),
            ]
        )
        for entry in found.checks
    ]
    count = found.checks[0].rows if found.checks else 0
    words = found.words[:1].upper() + found.words[1:]
    note = (
        f"{number(count)} limits and conditions at every level; the largest excess of the allocation is "
        f"{found.violation_mw:.1e} MW. Differs by: objective of the allocation less the solver's, in unserved shares. "
        "Where sites differ and objectives do not, the optimum is not unique."
    )
    return section(
        "Other solvers",
        state("done" if found.holds else "failed", f"{words}.", title="Confirmed" if found.holds else "Not confirmed"),
        scrolled(table(head, rows), "What other solvers found"),
        html.P(note, className="hr-muted"),
    )
