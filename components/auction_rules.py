"""The rules of an auction as controls: each rule one box, its value as a person types it (shares in percent)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import auction_ids
from components.sentence import word_number, word_select
from components.skeleton import Part
from engine.auction.rules import Rules

Kind = Literal["choice", "whole", "number", "share", "flag", "shares"]
LARGEST = 10**12


@dataclass(frozen=True, slots=True)
class Control:
    """One rule: where it is in :class:`~engine.auction.rules.Rules`, and how it is shown."""

    path: str  # "increment.kind"
    label: str
    kind: Kind
    options: tuple[tuple[str, str], ...] = ()
    unit: str = ""  # "currency": the auction's own
    minimum: float = 0
    maximum: float = LARGEST
    needs: str = ""  # shown only where this holds: "increment.kind=smoothed", "activity.enforced=yes"


PACES = (("clock", "by the clock"), ("all acted", "until all have acted"), ("by hand", "closed by hand"))
STEPS = (("fixed", "fixed"), ("smoothed", "in percent, by activity"))
JUMPS = (("none", "not allowed"), ("click box", "one of a few amounts"), ("any", "any amount"))
TIES = (("random", "by a random number"), ("alternating", "by turns"))
INFORMATION = (("full", "full"), ("anonymous", "anonymous"))
YES_NO = (("yes", "yes"), ("no", "no"))

# In the sentence
PACE = Control("timing.pace", "What ends a round", "choice", PACES)
ROUND_S = Control("timing.round_s", "Length of a round", "number", unit="s", minimum=1, maximum=86_400,
                  needs="timing.pace!=by hand")  # fmt: skip
STEP = Control("increment.kind", "Kind of increment", "choice", STEPS)
AMOUNT = Control("increment.amount", "Increment", "whole", unit="currency", minimum=1, needs="increment.kind=fixed")
SEEN = Control("information", "What bidders are shown", "choice", INFORMATION)
IN_SENTENCE = (PACE, ROUND_S, STEP, AMOUNT, SEEN)

_SMOOTHED, _BOX, _ACTIVE, _WITHDRAWN = (
    "increment.kind=smoothed", "jump.kind=click box", "activity.enforced=yes", "withdrawals.rounds!=0",
)  # fmt: skip
GROUPS: tuple[tuple[str, tuple[Control, ...]], ...] = (
    ("Prices", (
        Control("increment.floor", "Least increment (N)", "share", unit="%", maximum=1000, needs=_SMOOTHED),
        Control("increment.ceiling", "Largest increment (M)", "share", unit="%", maximum=1000, needs=_SMOOTHED),
        Control("increment.weight", "Weight of the last round (C)", "number", maximum=1, needs=_SMOOTHED),
        Control("increment.rounding", "Round minimum bids up to", "whole", unit="currency", minimum=1, needs=_SMOOTHED),
        Control("jump.kind", "Bids above the minimum", "choice", JUMPS),
        Control("jump.steps", "Amounts to choose from", "whole", minimum=2, maximum=100, needs=_BOX),
        Control("jump.step_share", "Steps between them, of the minimum", "share", unit="%", maximum=1000, needs=_BOX),
        Control("jump.cap_increments", "Most increments above the minimum (0: no limit)", "whole",
                needs="jump.kind!=none"),
        Control("ties", "Equal best bids are decided", "choice", TIES),
    )),
    ("Activity", (
        Control("activity.enforced", "Eligibility must be used", "flag"),
        Control("activity.stages", "Share required, stage by stage", "shares", unit="%", needs=_ACTIVE),
        Control("activity.waivers", "Waivers", "whole", maximum=1000, needs=_ACTIVE),
        Control("activity.automatic_waivers", "Waivers are used by themselves", "flag", needs=_ACTIVE),
        Control("activity.quiet_rounds", "Quiet rounds before the next stage (0: the host says)", "whole",
                maximum=1000, needs=_ACTIVE),
        Control("activity.quiet_share", "A round is quiet when new bids cover less than", "share", unit="% of units",
                maximum=100, needs=_ACTIVE),
        Control("deposit_per_unit", "Deposit for a unit of eligibility", "whole", unit="currency"),
    )),
    ("Withdrawals and the end", (
        Control("withdrawals.rounds", "Rounds in which one may withdraw (0: never)", "whole", maximum=1000),
        Control("withdrawals.interim_share", "Due until it sells again, of the bid", "share", unit="%", maximum=100,
                needs=_WITHDRAWN),
        Control("default_share", "Extra payment of a winner who does not pay", "share", unit="%", maximum=100),
        Control("closing.max_rounds", "Most rounds (0: no limit)", "whole", maximum=100_000),
        Control("demand_hint", "Show bidders with assigned values their demand", "flag"),
        Control("disclose_values", "Show everybody all assigned values after the end", "flag"),
    )),
)  # fmt: skip
CONTROLS: tuple[Control, ...] = (*IN_SENTENCE, *(control for _, listed in GROUPS for control in listed))
PATHS = tuple(control.path for control in CONTROLS)


# Values


def values_of(rules: Rules) -> dict[str, Any]:
    """Return what each control holds for ``rules``, by path."""
    return {control.path: _typed(control, _get(rules, control.path)) for control in CONTROLS}


def rules_of(values: Mapping[str, Any], preset: str) -> tuple[Rules, list[str]]:
    """Return the rules that the controls hold and what is wrong with them, one sentence per control.

    A control that cannot be read leaves its rule as it is by default, and is told.
    """
    rules, problems = Rules(preset=preset), []
    for control in CONTROLS:
        try:
            rules = _with(rules, control.path, _read(control, values.get(control.path)))
        except ValueError as error:
            if holds(control.needs, values):
                problems.append(f"{control.label}: {error}.")
    return rules, problems


def named(rules: Rules, presets: Mapping[str, Rules]) -> Rules:
    """Return the rules with the name of the preset that they are, else with that of rules of one's own."""
    name = next((name for name, one in presets.items() if replace(one, preset="") == replace(rules, preset="")), "Own")
    return replace(rules, preset=name)


def holds(needs: str, values: Mapping[str, Any]) -> bool:
    """Tell whether a condition of :class:`Control` holds for what the controls hold."""
    if not needs:
        return True
    path, sign, wanted = needs.partition("!=")
    if not sign:
        path, _, wanted = needs.partition("=")
    return (str(values.get(path)) == wanted) != bool(sign)


def _typed(control: Control, value: Any) -> Any:
    if control.kind == "share":
        return float(f"{100 * value:.6g}")
    if control.kind == "shares":
        return " ".join(f"{100 * share:.6g}" for share in value)
    if control.kind == "flag":
        return "yes" if value else "no"
    return value


def _read(control: Control, value: Any) -> Any:
    if control.kind == "choice":
        offered = [key for key, _ in control.options]
        if value not in offered:
            raise ValueError("choose one of the list")
        return value
    if control.kind == "flag":
        if value not in ("yes", "no"):
            raise ValueError("choose yes or no")
        return value == "yes"
    if control.kind == "shares":
        parts = str(value or "").replace(",", " ").replace("%", " ").split()
        shares = tuple(_bounded(part, 1, 100, "each share") / 100 for part in parts)
        if not shares:
            raise ValueError("give at least one share, such as 80 95")
        if list(shares) != sorted(shares):
            raise ValueError("a later stage cannot require less than an earlier one")
        return shares
    number = _bounded(value, control.minimum, control.maximum, "it")
    if control.kind == "whole":
        if number != int(number):
            raise ValueError(f"{number:g} is not a whole number")
        return int(number)
    return number / 100 if control.kind == "share" else number


def _bounded(value: Any, least: float, most: float, what: str) -> float:
    if value is None or value == "" or isinstance(value, bool):
        raise ValueError("a number is missing")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{str(value)[:40]!r} is not a number") from None
    if not math.isfinite(number) or not least <= number <= most:
        limit = f"from {least:g} to {most:g}" if most < LARGEST else f"at least {least:g}"
        raise ValueError(f"{what} must be {limit}, not {number:g}")
    return number


def _get(rules: Any, path: str) -> Any:
    for name in path.split("."):
        rules = getattr(rules, name)
    return rules


def _with(rules: Any, path: str, value: Any) -> Any:
    name, _, rest = path.partition(".")
    return replace(rules, **{name: _with(getattr(rules, name), rest, value) if rest else value})


def covered() -> frozenset[str]:
    """Return the path of every rule that there is, but the preset's name: each has a control (a test holds it)."""

    def paths(rules: Any, stem: str) -> list[str]:
        found = []
        for field in fields(rules):
            value, path = getattr(rules, field.name), f"{stem}{field.name}"
            found += paths(value, f"{path}.") if is_dataclass(value) else [path]
        return found

    return frozenset(paths(Rules(), "")) - {"preset"}


# Components


def word(control: Control, values: Mapping[str, Any], currency: str = "") -> html.Span:
    """Return a control of the sentence, with the condition under which it is shown."""
    component_id, value = auction_ids.rule(control.path), values.get(control.path)
    if control.kind == "choice":
        box: Part = word_select(component_id, control.options, value, control.label)
    else:
        unit = currency if control.unit == "currency" else control.unit
        box = word_number(component_id, value, control.label, unit=unit, minimum=control.minimum)
    return _conditional(html.Span, box, control, values, "hr-auction-word")


def more(values: Mapping[str, Any], currency: str) -> html.Div:
    """Return the rules that the sentence does not name, in groups."""
    return html.Div(
        [
            html.Fieldset([html.Legend(title), *(_field(control, values, currency) for control in listed)])
            for title, listed in GROUPS
        ],
        className="hr-auction-more",
    )


def _field(control: Control, values: Mapping[str, Any], currency: str) -> Any:
    component_id, value = auction_ids.rule(control.path), values.get(control.path)
    unit = currency if control.unit == "currency" else control.unit
    if control.kind in ("choice", "flag"):
        options = [{"value": key, "label": text} for key, text in control.options or YES_NO]
        box: Any = dbc.Select(id=component_id, options=options, value=value)
    elif control.kind == "shares":
        box = dbc.Input(id=component_id, type="text", value=value, debounce=True, autocomplete="off")
    else:
        box = dbc.Input(
            id=component_id, type="number", value=value, debounce=True, step="any", min=control.minimum,
            **({"max": control.maximum} if control.maximum < LARGEST else {}),
        )  # fmt: skip
    named = html.Span(unit, className="hr-unit", **_unit_mark(control)) if unit else None
    label = html.Label(
        [html.Span(control.label), html.Span([box, named], className="hr-auction-control")],
        className="hr-auction-field",
    )
    return _conditional(html.Div, label, control, values, "hr-auction-field-frame")


def _conditional(element: Any, child: Part, control: Control, values: Mapping[str, Any], class_name: str) -> Any:
    more_names = {"data-needs": control.needs} if control.needs else {}
    return element(child, className=class_name, hidden=not holds(control.needs, values), **more_names)


def _unit_mark(control: Control) -> dict[str, str]:
    return {"data-currency": ""} if control.unit == "currency" else {}


def presets_store(presets: Mapping[str, Rules]) -> dcc.Store:
    """Return the values of every preset for the browser, which fills the controls by itself."""
    return dcc.Store(id=auction_ids.PRESETS, data={name: values_of(rules) for name, rules in presets.items()})


def summary(sentences: Sequence[str]) -> html.Ul:
    """Return the rules in plain words."""
    return html.Ul([html.Li(line) for line in sentences], className="hr-auction-rules")


def origins(rules: Rules, sources: Mapping[str, str], currency: str) -> html.Details:
    """Return where each number of a preset comes from: ``sources`` by path, in the words of its notice."""
    values = values_of(rules)
    rows = []
    for control in CONTROLS:
        if control.path in sources:
            unit = currency if control.unit == "currency" else control.unit
            value = values[control.path]
            said = f"{value:g} {unit}".strip() if isinstance(value, int | float) else f"{value} {unit}".strip()
            source = sources[control.path]
            rows.append(html.Li([html.Strong(f"{control.label}: {said}"), html.Span(source)]))
    return html.Details(
        [html.Summary("Where the numbers of this preset come from"), html.Ul(rows, className="hr-auction-origins")],
        className="hr-worked-details",
    )
