"""The Feeder page: its layout, and what its controls do. Identity comes from the session only."""

from typing import Any

from dash import Dash

from callbacks import feeder_edits, feeder_files, feeder_panes, feeder_sides, feeder_upload
from callbacks.day_desk import study_of
from callbacks.day_page import opening, register_browser_side, register_question
from callbacks.feeder_answer import answer_to
from callbacks.feeder_desk import FEEDER_KIND, WORK_KIND, Desk
from callbacks.security import current_user
from callbacks.services import Services
from components import feeder, feeder_asked, feeder_ids
from components.feeder_view import read_question, read_view


def page_layout(services: Services, **query: Any) -> Any:
    """Return the page for the question that the address holds, as whoever asks may see it."""
    user, desk = current_user(), Desk(services)
    study = study_of(services, user, query.get("study"))
    asked, problems = opening(desk, user, study, query, read_question)
    return feeder.layout(
        feeder.Opened(
            question=asked,
            view=read_view(query),
            study=study,
            own=desk.choices(user, study, FEEDER_KIND),
            workloads=desk.choices(user, study, WORK_KIND),
            read_only=bool(study) and not desk.owns(user, study),
            problems=problems,
        ),
        feeder_panes.places(),
        feeder_panes.kinds(),
    )


def register(app: Dash, services: Services) -> None:
    """Wire the page."""
    desk = Desk(services)
    register_browser_side(app, feeder_ids, (feeder_ids.LAYER, feeder_ids.CASE))
    register_question(app, desk, feeder_asked.NAMES, "centres", answer_to)
    feeder_panes.register(app, desk)
    feeder_edits.register(app, desk)
    feeder_upload.register(app, desk)
    feeder_files.register(app, desk)
    feeder_sides.register(app, desk)
