"""The Resilience page: its layout, and what its controls do. Identity comes from the session only."""

from typing import Any

from dash import Dash

from callbacks import resilience_edits, resilience_files, resilience_panes, resilience_upload
from callbacks.day_desk import study_of
from callbacks.day_page import opening, register_browser_side, register_question
from callbacks.feeder_desk import FEEDER_KIND
from callbacks.resilience_answer import answer_to
from callbacks.resilience_desk import SHOCKS_KIND, Desk
from callbacks.security import current_user
from callbacks.services import Services
from components import resilience, resilience_asked, resilience_ids
from components.resilience_view import read_question, read_view


def page_layout(services: Services, **query: Any) -> Any:
    """Return the page for the question that the address holds, as whoever asks may see it."""
    user, desk = current_user(), Desk(services)
    study = study_of(services, user, query.get("study"))
    asked, problems = opening(desk, user, study, query, read_question)
    return resilience.layout(
        resilience.Opened(
            question=asked,
            view=read_view(query),
            study=study,
            own=desk.choices(user, study, SHOCKS_KIND),
            feeders=desk.choices(user, study, FEEDER_KIND),
            problems=problems,
        ),
        resilience_panes.places(),
        resilience_panes.kinds(),
    )


def register(app: Dash, services: Services) -> None:
    """Wire the page."""
    desk = Desk(services)
    register_browser_side(app, resilience_ids, (resilience_ids.METHOD, resilience_ids.SHOCK, resilience_ids.ON))
    register_question(app, desk, resilience_asked.NAMES, "edits", answer_to)
    resilience_panes.register(app, desk)
    resilience_edits.register(app, desk)
    resilience_upload.register(app, desk)
    resilience_files.register(app, desk)
