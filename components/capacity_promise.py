"""What the promise of the drawn answer is worth: measured risk of the study and of the selected bus, and the check."""

from collections.abc import Sequence

from dash import dcc, html

from components import capacity_ids
from components.capacity_answer import level_words, pressed_button
from components.format import interval, megawatts, number, percent
from components.skeleton import Part, facts, job_stores, progress_card, section, stale, state
from components.why_card import WhyInput, why_card, why_number
from engine.capacity.bootstrap import Bootstrap, Interval
from engine.capacity.promise import Promise
from engine.capacity.question import CapacityQuestion
from engine.capacity.risk import ProductRisk, Share, percents
from engine.store.jobs import Job

_METHOD = (
    "CVaR: Rockafellar and Uryasev, J. Risk 2(3), 2000; intervals: Clopper and Pearson, Biometrika 26, 1934; "
    "bootstrap: Efron and Tibshirani, 1993"
)
_EXCEEDED = {
    "together": "*P*(max_l (*S*_l (*c* + *d*) − *F*_l) > 0) = Σ_s *w*_s 1[some *l* exceeded in *s*]",
    "part": "*P*(max_l (*S*_l^{+}*c* + *S*_l *d* − *F*_l) > 0) = Σ_s *w*_s 1[some *l* exceeded in *s*]",
    "redispatch": "*P*(min_p max_l (|*f*_l(*p*, *c*, *d*)| − *F*_l) / *F*_l > 0) = Σ_s *w*_s 1[no *p* in *s*]",
}
_HEADS = {
    "together": "Some limit exceeded, all drawn at once",
    "part": "Limits exceeded, whatever part is drawn",
    "redispatch": "No dispatch keeps every limit",
}
_CUT = {
    False: "min Σ_n *y*_n,  *S* (*c* + *d* − *y*) ≤ *F*,  0 ≤ *y*_n ≤ Δ_n",
    True: "min_{p,y} Σ_n *y*_n,  |*f*(*p*, *c* − *y*, *d*)| ≤ *F*,  *p*_{min} ≤ *p* ≤ *p*_{max},  0 ≤ *y*_n ≤ Δ_n",
}
_MOST_LISTED = 8
_TITLE = "What the promise is worth"


def place() -> html.Div:
    """Return the panel's place below the inspected element, with its Stores."""
    return html.Div(
        [
            *job_stores(capacity_ids.PROMISE),
            dcc.Store(id=f"{capacity_ids.PROMISE_MEASURE}-pressed"),
            html.Div(id=capacity_ids.PROMISE, className="hr-promise", **{"aria-live": "polite"}),
        ]
    )


# States of the promise


def nothing() -> Part:
    """Return the panel before there is an answer: nothing, since the inspector says so above."""
    return None


def not_measured(reason: str) -> Part:
    """Return the panel where a promise cannot be measured, with the reason."""
    return section(_TITLE, html.P(reason, className="hr-muted"))


def to_measure(before: Promise | None = None) -> Part:
    """Return the panel before the promise was measured; an earlier one stands below, under a hatch."""
    press = pressed_button("Measure the promise", capacity_ids.PROMISE_MEASURE, primary=before is None)
    words = html.P(
        "The risk of the question holds limit by limit, on its own sample. Measured on states that had no part in it: "
        "how often any limit is exceeded, who is interrupted, how deep, and how sure the increments are.",
        className="hr-muted",
    )
    if before is None:
        return section(_TITLE, words, press)
    return section(_TITLE, stale(study(before), "the question or the network changed since", action=press))


def running(job: Job) -> Part:
    """Return the panel while a job measures."""
    return section(
        _TITLE,
        progress_card("Measuring the promise", done=job.done, total=job.total, message=job.message, job=job.id),
    )


def failed(message: str, *, cancelled: bool) -> Part:
    """Return the panel after a job that gave no result."""
    press = pressed_button("Measure again", capacity_ids.PROMISE_MEASURE)
    if cancelled:
        return section(_TITLE, state("empty", "The measurement was cancelled.", title="Cancelled", action=press))
    return section(_TITLE, state("failed", message or "The job stopped without a word.", action=press))


def done(promise: Promise, question: CapacityQuestion, bus: str | None) -> Part:
    """Return the measured promise: of the selected ``bus`` where it has a part in it, then of the study."""
    parts: list[Part] = []
    if bus is not None and bus in question.candidates:
        parts.append(section(f"The promise at bus {bus}", *_bus(promise, bus)))
    parts.append(section(_TITLE, study(promise)))
    return html.Div(parts)


def study(promise: Promise) -> html.Div:
    """Return the promise of the whole answer: levels, totals, the products most often interrupted, what to know."""
    risk = promise.risk
    parts: list[Part] = [_levels(promise)]
    totals = _totals(promise.bootstrap)
    if totals:
        parts.append(facts(totals))
    if promise.no_interval:
        parts.append(html.P(f"{promise.no_interval[:1].upper()}{promise.no_interval[1:]}.", className="hr-muted"))
    listed = sorted(risk.products, key=lambda product: -product.interrupted.value)[:_MOST_LISTED]
    if listed:
        parts.append(_products(promise, listed))
    if risk.before.value > 0:
        words = f"Some limit is exceeded before anything is added in {percents(risk.before)} of states."
        parts.append(html.P(words, className="hr-muted"))
    if risk.firm_broken.value > 0:
        parts.append(
            html.P(
                f"In {percents(risk.firm_broken)} of states no interruption of flexible products restores the limits: "
                f"firm capacity itself would be in question, by {_at_least(promise)} at worst.",
                className="hr-sign-binding",
            )
        )
    notes = [html.Li(f"{words[:1].upper()}{words[1:]}.") for words in promise.warnings]
    if risk.rows:
        parts.append(_limits(promise))
    parts.append(html.Details([html.Summary("In plain words"), html.Ul([html.Li(row.words) for row in risk.levels])]))
    parts.append(html.Details([html.Summary(f"Notes and sources ({len(notes)})"), html.Ul(notes), _made_from(promise)]))
    return html.Div(parts, className="hr-promise-study")


def _levels(promise: Promise) -> html.Table:
    """Return how often some limit is exceeded at each level."""
    hours = promise.risk.hours_a_year is not None
    both = promise.together is not None
    use = "redispatch" if promise.redispatch else "part" if both else "together"
    first = _HEADS[use]
    what = "have no dispatch that keeps every limit" if promise.redispatch else "exceed some limit"
    head = ["Level", first, *(["Hours a year"] if hours else []), *(["All at once"] if both else []), "Worst, MW"]
    rows = []
    for place_, level in enumerate(promise.risk.levels):
        card = why_card(
            f"{percents(level.exceeded)} of states {what}, {level_words(level.epsilon)}",
            formula=_EXCEEDED[use],
            values=[
                ("states", number(promise.risk.states)),
                ("limit by limit at most", percents(level.most_on_one)),
                ("mean largest excess over all states", _small(level.mean_mw)),
                ("worst excess", megawatts(level.worst_mw)),
            ],
            binds=[f"most often {level.most_on}"] if level.most_on else (),
            inputs=_inputs(promise),
            source=_METHOD,
            note=level.words,
        )
        shown = why_number(
            f"{capacity_ids.PROMISE}-level{place_}", percents(level.exceeded), card,
            label=f"how often some limit is exceeded, {level_words(level.epsilon)}",
        )  # fmt: skip
        cells: list[Part] = [html.Td(level_words(level.epsilon).capitalize()), html.Td(shown)]
        if hours:
            cells.append(html.Td(_a_year(level.exceeded, promise.risk.hours_a_year)))
        if promise.together is not None:
            cells.append(html.Td(percents(promise.together.levels[place_].exceeded)))
        cells.append(html.Td(number(level.worst_mw, 1)))
        rows.append(html.Tr(cells))
    return table(head, rows)


def _totals(found: Bootstrap | None) -> list[tuple[Part, Part]]:
    """Return the intervals of the increments' totals."""
    if found is None:
        return []
    return [
        (f"Flexible in all {level_words(level.epsilon)}", _ranged(level.increment, found, f"total{place_}"))
        for place_, level in enumerate(found.totals)
    ]


def _products(promise: Promise, listed: Sequence[ProductRisk]) -> html.Table:
    """Return the products that are interrupted most often; a press selects the bus."""
    energy = promise.risk.hours_a_year is not None
    head = ["Bus", "Flexible, MW", "Interrupted", "Not served, MWh/a" if energy else "Mean cut, MW", "Worst, MW"]
    rows = []
    for product in listed:
        press = html.Button(
            product.bus,
            type="button",
            className="hr-capacity-link",
            **{"data-capacity-select": f"bus:{product.bus}", "aria-label": f"Select bus {product.bus}"},
        )
        mean = product.energy_mwh if product.energy_mwh is not None else product.cut_mw
        cells = [
            html.Td([press, f" {level_words(product.epsilon)}"]),
            html.Td(number(product.capacity_mw, 1)),
            html.Td(percents(product.interrupted)),
            html.Td(number(mean, 0 if energy else 3)),
            html.Td(number(product.worst_mw, 1)),
        ]
        rows.append(html.Tr(cells))
    caption = "All products" if len(listed) == len(promise.risk.products) else "Interrupted most often"
    caption += ", whatever part is drawn" if promise.together is not None else ", all drawn at once"
    return table(head, rows, caption)


def _limits(promise: Promise) -> html.Details:
    """Return the limits that are exceeded in some state, the most often exceeded first."""
    risk = promise.risk
    before = any(row.before.value > 0 for row in risk.rows)
    head = ["Limit", *(level_words(level.epsilon).capitalize() for level in risk.levels)]
    head += [*(["Before"] if before else []), "Worst, MW"]
    rows = [
        html.Tr(
            [
                html.Td(row.words + (", held as it is" if row.held else "")),
                *(html.Td(percents(share)) for share in row.exceeded),
                *([html.Td(percents(row.before))] if before else []),
                html.Td(number(max(row.worst_mw), 1)),
            ]
        )
        for row in risk.rows[:_MOST_LISTED]
    ]
    shown = f", the {_MOST_LISTED} most often" if risk.rows_exceeded > _MOST_LISTED else ""
    summary = html.Summary(f"Limit by limit ({number(risk.rows_exceeded)} exceeded{shown})")
    return html.Details([summary, scrolled(table(head, rows), "How often each limit is exceeded")])


def table(head: Sequence[str], rows: Sequence[html.Tr], caption: str = "") -> html.Table:
    """Return a small table of a panel."""
    heads = html.Thead(html.Tr([html.Th(words, scope="col") for words in head]))
    top = [html.Caption(caption, className="hr-muted")] if caption else []
    return html.Table([*top, heads, html.Tbody(rows)], className="hr-promise-table")


def scrolled(content: Part, label: str) -> html.Div:
    """Return what may be wider than its panel, in a frame that scrolls and that a keyboard reaches."""
    return html.Div(content, className="hr-promise-scroll", tabIndex=0, role="group", **{"aria-label": label})


def _at_least(promise: Promise) -> str:
    """Return the MW that no interruption restores: with redispatch, of the site that helps most."""
    worst = megawatts(promise.risk.firm_broken_worst_mw)
    return f"at least {worst}" if promise.redispatch else worst


def _bus(promise: Promise, bus: str) -> list[Part]:
    """Return what each flexible product at a bus is worth."""
    parts: list[Part] = []
    own = [product for product in promise.risk.products if product.bus == bus]
    if not own:
        return [html.P("No flexible product here: nothing that could be interrupted.", className="hr-muted")]
    for place_, product in enumerate(own):
        rows: list[tuple[Part, Part]] = [
            (f"Flexible {level_words(product.epsilon)}", _size(promise, product, place_)),
            ("Interrupted", _interrupted(promise, product, place_)),
        ]
        if promise.together is not None:
            key = (product.bus, product.epsilon)
            same = next(entry for entry in promise.together.products if (entry.bus, entry.epsilon) == key)
            rows.append(("Interrupted, all drawn at once", percents(same.interrupted)))
        if product.hours is not None:
            rows.append(("Interrupted a year", _a_year(product.interrupted, promise.risk.hours_a_year) + " h"))
        rows += [
            ("Cut when interrupted, mean", megawatts(product.cut_when_mw)),
            ("Cut, worst", _worst(product)),
        ]
        if product.energy_mwh is not None:
            rows.append(("Energy not served a year", f"{number(product.energy_mwh)} MWh"))
        parts.append(facts(rows))
    return parts


def _size(promise: Promise, product: ProductRisk, place_: int) -> Part:
    found = promise.bootstrap
    listed = () if found is None else found.products
    entry = next((row for row in listed if (row.bus, row.epsilon) == (product.bus, product.epsilon)), None)
    if found is None or entry is None:
        return megawatts(product.capacity_mw)
    return _ranged(entry.increment, found, f"size{place_}")


def _ranged(value: Interval, found: Bootstrap, name: str) -> Part:
    """Return an increment with its interval, which says why."""
    text = interval(value.value_mw, value.low_mw, value.high_mw)
    card = why_card(
        f"{text}: from the sample that happened to be drawn",
        formula="Δ_b = *c*^{ε}(*d*^{b1} … *d*^{bM}) − *c*,  2.5 % and 97.5 % of Δ_1 … Δ_B",
        values=[
            ("replications *B*", number(found.replications)),
            ("standard deviation", f"{number(value.sd_mw, 2)} MW"),
            ("limits computed again", number(found.rows)),
        ],
        source=_METHOD,
        note=found.words,
    )
    return why_number(f"{capacity_ids.PROMISE}-{name}", text, card, label=text)


def _interrupted(promise: Promise, product: ProductRisk, place_: int) -> Part:
    text = percents(product.interrupted)
    card = why_card(
        f"Interrupted in {text} of states",
        formula=_CUT[promise.redispatch],
        values=[
            ("states", number(promise.risk.states)),
            ("risk level of the product", percent(product.epsilon)),
            ("mean cut over all states", _small(product.cut_mw)),
        ],
        inputs=_inputs(promise),
        source=_METHOD,
        note="The riskiest products are cut first, then the fewest MW, then in proportion to size; firm is never cut. "
        "The level bounds each limit by itself; several limits can interrupt the same product."
        + (" On every limit the part that loads it most is drawn." if promise.together is not None else ""),
    )
    return why_number(
        f"{capacity_ids.PROMISE}-cut{place_}", text, card, label=f"how often bus {product.bus} is interrupted"
    )


def _small(mw: float) -> str:
    """Return a mean over all states, most of them zero, with as many digits as are meant."""
    return f"{number(mw, 2)} MW" if mw >= 0.01 or mw == 0.0 else "below 0.01 MW"


def _worst(product: ProductRisk) -> str:
    if product.worst_mw <= 0:
        return "never"
    where = f" in {product.worst_state}" if product.worst_state else ""
    return f"{megawatts(product.worst_mw)}{where}"


def _a_year(share: Share, hours: float | None) -> str:
    if hours is None:
        return ""
    return interval(share.value * hours, share.low * hours, share.high * hours, "", 0)


def _made_from(promise: Promise) -> html.Dl:
    return facts(
        [
            ("States", promise.states),
            ("Computed", f"{promise.date[:16].replace('T', ' ')} UTC"),
            ("Time", f"{number(promise.time_s, 1)} s"),
        ]
    )


def _inputs(promise: Promise) -> list[WhyInput]:
    date = promise.date[:10]
    return [
        WhyInput("network", promise.network_digest, date),
        WhyInput("question", promise.question_digest, date),
        WhyInput(promise.states, promise.uncertainty_digest, date),
    ]
