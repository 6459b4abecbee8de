"""The panel of the envelopes: each profile as it is typed, mended at a click, gross and net."""

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output
from dash.exceptions import PreventUpdate

from components import siting_envelopes, siting_ids, siting_words
from components.skeleton import Part, state
from components.static import static
from engine.errors import EngineError
from engine.siting.question import MOST_MW

NAMES = ("kinds", "utilisation", "peak", "pause", "shift", "makeup", "ramp", "own", "repair", "onsite", "sizes")
_SIZE = 1000.0  # MW, at which profiles are told while the sizes cannot be read


def told(words: Mapping[str, Any]) -> Part:
    """Return the profiles that the controls hold, or everything that stops them from being read."""
    try:
        sizes = siting_words.numbers(words["sizes"], "a size in MW", least=0.001, most=MOST_MW)
    except EngineError:
        sizes = [_SIZE]
    try:
        asked, onsite = siting_words.drafted(words), siting_words.onsite_of(words["onsite"])
    except EngineError as error:
        lines = [f"{line[:1].upper()}{line[1:]}." for line in str(error).split("; ")]
        return state("failed", lines[0]) if len(lines) == 1 else state("failed", "To mend:", details=lines)
    return siting_envelopes.profiles(asked, onsite, max(sizes), mend=bool(words["repair"]))


def register(app: Dash) -> None:
    """Wire the panel."""

    @app.callback(
        Output(siting_ids.PROFILES, "children"),
        inputs={"words": {name: Input(siting_ids.word(name), "value") for name in NAMES}},
    )
    def show(words: Any) -> Any:
        if not isinstance(words, dict) or any(name not in words for name in NAMES):
            raise PreventUpdate
        return static(told(words))
