"""The Hubs page: its layout, and what its controls do. Identity comes from the session only."""

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output

from callbacks import hubs_edits, hubs_files, hubs_panes, hubs_upload
from callbacks.day_desk import study_of
from callbacks.day_page import opening, register_browser_side, register_question
from callbacks.hubs_answer import answer_to
from callbacks.hubs_desk import CASE_KIND, Desk
from callbacks.security import current_user
from callbacks.services import Services
from components import hubs, hubs_asked, hubs_ids
from components.hubs_view import read_question, read_view


def page_layout(services: Services, **query: Any) -> Any:
    """Return the page for the question that the address holds, as whoever asks may see it."""
    user, desk = current_user(), Desk(services)
    study = study_of(services, user, query.get("study"))
    asked, problems = opening(desk, user, study, query, read_question)
    return hubs.layout(
        hubs.Opened(
            question=asked,
            view=read_view(query),
            study=study,
            own=desk.choices(user, study, CASE_KIND),
            problems=problems,
        ),
        hubs_panes.places(),
        hubs_panes.kinds(),
    )


def register(app: Dash, services: Services) -> None:
    """Wire the page."""
    desk = Desk(services)
    register_browser_side(app, hubs_ids, (hubs_ids.SHOW, hubs_ids.OUTCOME))
    app.clientside_callback(
        ClientsideFunction("hubsPage", "fleet"),
        Output(f"{hubs_ids.word('case')}-fleet", "hidden"),
        Input(hubs_ids.word("case"), "value"),
    )
    register_question(app, desk, hubs_asked.NAMES, "edits", answer_to)
    hubs_panes.register(app, desk)
    hubs_edits.register(app, desk)
    hubs_upload.register(app, desk)
    hubs_files.register(app, desk)
