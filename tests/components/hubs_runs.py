"""Answers of the Hubs page that its tests look at, and words of a part as they are written."""

import json
import re
from functools import lru_cache
from typing import Any

from plotly.utils import PlotlyJSONEncoder

from components import (
    hubs_cards,
)
from components.hubs_words import At
from engine.data.openings import HUBS
from engine.distribution.answers import came_with
from engine.pricing.files import to_json
from engine.pricing.jobs import STUDY, study_arguments, study_key
from engine.pricing.question import HubQuestion
from engine.pricing.run import HubRun, run_hubs
from engine.store.shipped import files_of
from tests.callbacks.screen import text
from tests.engine.pricing.small import two_hubs

AT = At(hour=21)


@lru_cache(maxsize=1)
def example() -> HubRun:
    """Return the run that comes with the program."""
    arguments = study_arguments(HUBS)
    known = came_with(STUDY, arguments)
    assert known is not None, "python -m engine.data.build_hubs"
    return HubRun.load(files_of(known)[study_key(json.loads(json.dumps(arguments)))])


def written(part: Any) -> str:
    """Return a part with what of it is HTML."""
    return json.dumps(part, cls=PlotlyJSONEncoder)


def spaced(told: str) -> str:
    """Return words with plain spaces and minus signs."""
    return re.sub("[\u00a0\u2009]", " ", told).replace("\u2212", "-")


def plain(what: str, at: At = AT, run: HubRun | None = None) -> str:
    """Return the words of a card with plain spaces and minus signs."""
    return spaced(text(hubs_cards.card(run or example(), at, what)))


@lru_cache(maxsize=1)
def proved() -> HubRun:
    """Return a case done by hand of 2 hubs over 4 hours, small enough that its best quick prices are proved."""
    question = HubQuestion(dataset="hand", quick_time_s=20.0)
    return run_hubs(question, lambda _digest: ("hand.json", to_json(two_hubs())))
