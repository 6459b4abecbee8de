"""An envelope of a reader's own as a line: its 24 values, or its parameters."""

import math
from collections.abc import Sequence
from typing import Any

from components.siting_typed import ANY_SPACE, amount, peak_of, percent_text, share_of
from engine.errors import QuestionError
from engine.siting.case import HOURS_OF_DAY
from engine.siting.envelopes import KINDS, PEAK_HOURS, RAMP_SHARE, Envelope, envelope, hours_words, own_envelope

Usual = tuple[float, Sequence[int], float]  # utilisation, peak hours, ramp bound, where a line does not say them


def read_line(line: str, usual: Usual) -> Envelope:
    """Return an envelope of a line: a name, a colon, and 24 values or a kind with its parameters.

    What a line does not say is as ``usual``: utilisation, peak hours, ramp bound.
    """
    name, colon, values = (part.strip() for part in line.partition(":"))
    _, peak, ramp = usual
    if not colon:
        raise QuestionError(
            f"an envelope of one's own is a name, a colon and {HOURS_OF_DAY} values, or such as 'shift 25 16-19': "
            f"{line[:40]!r}"
        )
    parts = values.translate(ANY_SPACE).replace(";", ",").replace(",", " ").split()
    if parts and parts[0].lower() in set(KINDS) - {"own"}:
        return _of_kind(name, parts[0].lower(), parts[1:], usual)
    shares = [amount(part, f"share of {name} in per cent", 0, 100) / 100.0 for part in parts]
    return own_envelope(name, shares, peak_hours=peak, ramp_share=ramp)


def _of_kind(name: str, kind: str, parts: list[str], usual: Usual) -> Envelope:
    """Return an envelope by parameters, as in ``shift 25 16-19 +5 at 90``.

    The first number is the depth in the peak hours, hours may follow; ``+5`` is what a shift draws more in the others,
    and ``at 90`` the utilisation, all in %.
    """
    utilisation, peak, ramp = usual
    given: dict[str, Any] = {}
    if "at" in parts:
        place = parts.index("at")
        level = parts[place + 1] if len(parts) > place + 1 else ""
        utilisation = share_of(level, f"utilisation of {name}", 1, 100)
        parts = parts[:place] + parts[place + 2 :]
    if kind == "shift":
        more = [part for part in parts if part.startswith("+")]
        if more:
            given["make_up"] = share_of(more[0][1:], f"make-up of {name}", 0, 100)
            parts = [part for part in parts if part != more[0]]
    if kind != "firm" and parts:
        given["depth"] = share_of(parts[0], f"depth of {name}", 0, 100)
        peak = peak_of(" ".join(parts[1:])) or peak
        parts = []
    if parts:
        raise QuestionError(f"envelope {name!r:.40}: {' '.join(parts)[:40]!r} says nothing of a {kind} load")
    parameters = {"utilisation": utilisation, "peak_hours": peak, "ramp_share": ramp, **given}
    return envelope(kind, name=name, **parameters)  # type: ignore[arg-type]


def line_of(one: Envelope, model: Envelope) -> str:
    """Return the line that :func:`read_line` reads, with the parameters of an envelope where these say all of it.

    ``model`` has the peak hours and the ramp bound that lines need not say.
    """
    usual = (one.utilisation, model.peak_hours or PEAK_HOURS, model.ramp_share or RAMP_SHARE)
    words: list[str] = [one.kind]
    if one.kind != "firm":
        words += [percent_text(one.depth), hours_words(one.peak_hours).replace(",", "")]
    if one.kind == "shift":
        words.append(f"+{percent_text(one.make_up)}")
    line = f"{one.name}: {' '.join([*words, 'at', percent_text(one.utilisation)])}"
    try:
        if one.kind != "own" and same(one, read_line(line, usual)):
            return line
    except QuestionError:
        pass  # a name with a colon, say
    return f"{one.name}: {', '.join(percent_text(share) for share in one.share)}"


def same(one: Envelope, other: Envelope | None) -> bool:
    """Return whether two envelopes draw the same in the same peak, under the same bound."""
    if other is None or one.peak_hours != other.peak_hours or not math.isclose(one.ramp_share, other.ramp_share):
        return False
    return all(math.isclose(a, b, abs_tol=1e-9) for a, b in zip(one.share, other.share, strict=True))
