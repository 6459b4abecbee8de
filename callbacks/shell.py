"""The shell: which study is open, the study picker and what it does, help, theme, toasts."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, html, no_update

from callbacks.security import current_user
from callbacks.services import Services
from callbacks.uploads import content_of
from components import difference_parts, ids, late
from components.format import ago, count
from components.help import help_body
from components.links import PageLink
from components.shell import StudyEntry, study_list
from engine.errors import EngineError, NotFoundError
from engine.network.tables import NetworkTables

LONGEST_LIST = 40


def register(app: Dash, services: Services, links: Sequence[PageLink]) -> None:
    """Wire the shell and add the routes of the job banner."""
    late.arrange()
    pages = {link.path: link.key for link in links}
    _register_browser_side(app)
    _register_study(app, services, pages)
    _register_actions(app, services, pages)
    _register_return(app, services, pages)
    _register_dialogs(app)
    _register_naming(app, services, pages)
    _register_sharing(app, services)

    @app.callback(Output(ids.HELP_BODY, "children"), Input(ids.HELP_PAGE, "data"), prevent_initial_call=True)
    def explain(pathname: str | None) -> html.Div:
        asked = pathname if isinstance(pathname, str) else "/"
        if asked.startswith("/auction/"):  # pages beside the Auction page, of the same words
            asked = "/auction"
        helped = {**pages, difference_parts.PATH: "capacity"}  # a page beside the Capacity page, of the same words
        return help_body(helped.get(asked, "home"))


def asked_study(search: str | None) -> str | None:
    """Return the study that an address's query names, or None."""
    given = parse_qs((search or "").removeprefix("?")).get("study")
    return given[0] if given and given[0] else None


def study_address(pages: dict[str, str], study: str, prefer: str | None = None) -> str:
    """Return the address of a study: on the page ``prefer``, else on one that works on studies, else on Home."""
    paths = {key: path for path, key in pages.items()}
    wanted = (prefer, "capacity", "network")
    path = next((paths[key] for key in wanted if key in paths and key != "home"), "/")
    return f"{path}?{urlencode({'study': study})}"


def open_pages() -> dict[str, str]:
    """Return path -> key of the pages that this app has registered."""
    import dash  # noqa: PLC0415 (the registry belongs to the app that is being served)

    return {entry["path"]: key for key, entry in dash.page_registry.items()}


def entries(services: Services, user: str, chosen: str | None, now: float) -> list[StudyEntry]:
    """Return the picker's lines, newest first."""
    return [
        StudyEntry(
            study.id,
            study.name,
            f"{count(study.buses, 'bus', 'buses')}, {since(study.updated, now)}",
            study.id == chosen,
        )
        for study in services.studies.list(user)[:LONGEST_LIST]
    ]


def since(epoch_s: float, now_s: float) -> str:
    """Return in words how long ago a moment of the store was."""
    return ago(datetime.fromtimestamp(epoch_s, UTC), datetime.fromtimestamp(now_s, UTC))


def of_page(store: str) -> Output:
    """Return an output that a callback never writes: with it, the callback leaves together with its page.

    Dash calls what listens to a pattern of ids once more when the last of them has left the layout, and would miss
    there whatever else the page held.
    """
    return Output(store, "data", allow_duplicate=True)


def toast(text: str, undo: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what the toast's Store takes."""
    return {"text": text, "undo": undo, "at": time.time()}


def _register_browser_side(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("headroom", "theme"), Output(ids.THEME, "data"), Input(ids.LOCATION, "pathname")
    )
    app.clientside_callback(
        ClientsideFunction("headroom", "toast"), Input(ids.TOAST, "data"), prevent_initial_call=True
    )
    app.clientside_callback(
        ClientsideFunction("headroom", "rail"),
        Input(ids.LOCATION, "pathname"),
        Input(ids.STUDY, "data"),
        Input(ids.RAIL_PATHS, "data"),
    )
    # Called when the page is drawn too: jobs may be running since an earlier visit.
    app.clientside_callback(ClientsideFunction("headroom", "wakeJobs"), Input(ids.JOBS_WAKE, "data"))
    app.clientside_callback(
        ClientsideFunction("headroom", "exportStudy"),
        Input(ids.STUDY_EXPORT, "n_clicks"),
        State(ids.STUDY, "data"),
        prevent_initial_call=True,
    )


def _register_study(app: Dash, services: Services, pages: dict[str, str]) -> None:
    @app.callback(
        Output(ids.STUDY, "data"),
        Output(ids.STUDY_ROLE, "data"),
        Output(ids.STUDY_NAME, "children"),
        Output(f"{ids.STUDY_ROLE}-mark", "children"),
        Output(f"{ids.STUDY_MENU}-actions", "hidden"),
        Input(ids.LOCATION, "search"),
        Input(ids.STUDIES_CHANGED, "data"),
        State(ids.STUDY, "data"),
    )
    def open_study(search: str | None, _changed: Any, kept: str | None) -> tuple[Any, ...]:
        wanted = asked_study(search) or kept
        try:
            study = services.studies.get(current_user(), wanted) if isinstance(wanted, str) else None
        except NotFoundError:
            study = None
        if study is None or study.deleted is not None:
            return None, None, "No study open", "", True
        return study.id, study.role, study.name, "read only" if study.role == "reader" else "", False

    @app.callback(
        Output(ids.STUDY_LIST, "children"),
        Input(ids.STUDY_MENU, "n_clicks"),
        State(ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def fill(_clicks: int, chosen: str | None) -> Any:
        return study_list(entries(services, current_user(), chosen, time.time()))

    @app.callback(
        Output(ids.LOCATION, "href", allow_duplicate=True),
        Input({"type": "shell-study-open", "study": ALL}, "n_clicks"),
        State(ids.LOCATION, "pathname"),
        prevent_initial_call=True,
    )
    def switch(clicks: list[int | None], pathname: str | None) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            return no_update
        return study_address(pages, ctx.triggered_id["study"], pages.get(pathname or ""))


def _register_actions(app: Dash, services: Services, pages: dict[str, str]) -> None:
    @app.callback(
        Output(ids.LOCATION, "href", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Input(ids.STUDY_DUPLICATE, "n_clicks"),
        State(ids.STUDY, "data"),
        State(ids.LOCATION, "pathname"),
        prevent_initial_call=True,
    )
    def duplicate(clicks: int | None, study: str | None, pathname: str | None) -> Any:
        if not clicks or not study:
            return no_update, no_update
        try:
            copy = services.studies.duplicate(current_user(), study)
            name = services.studies.get(current_user(), copy).name
        except EngineError as error:
            return no_update, toast(str(error))
        return study_address(pages, copy, pages.get(pathname or "")), toast(f"Made a copy: {name}")

    @app.callback(
        Output(ids.LOCATION, "href", allow_duplicate=True),
        Output(ids.STUDIES_CHANGED, "data", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Input(ids.STUDY_DELETE, "n_clicks"),
        State(ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def delete(clicks: int | None, study: str | None) -> Any:
        if not clicks or not study:
            return no_update, no_update, no_update
        told = delete_study(services, current_user(), study)
        return ("/" if told["deleted"] else no_update), time.time(), told["toast"]


def _register_return(app: Dash, services: Services, pages: dict[str, str]) -> None:
    @app.callback(
        Output(ids.STUDIES_CHANGED, "data", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Input(ids.UNDO, "data"),
        prevent_initial_call=True,
    )
    def undo(asked: dict[str, Any] | None) -> Any:
        if not isinstance(asked, dict) or asked.get("action") != "study-restore":
            return no_update, no_update
        try:
            services.studies.restore(current_user(), str(asked.get("study", "")))
        except EngineError as error:
            return no_update, toast(str(error))
        return time.time(), toast("The study is back")

    @app.callback(
        Output(ids.LOCATION, "href", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Input(ids.STUDY_IMPORT, "contents"),
        prevent_initial_call=True,
    )
    def take_in(contents: str | None) -> Any:
        if not contents or not isinstance(contents, str):
            return no_update, no_update
        try:
            content = content_of(contents)
        except EngineError as error:
            return no_update, toast(f"{str(error)[:1].upper()}{str(error)[1:]}")
        try:
            study = services.studies.import_file(current_user(), content)
        except EngineError as error:
            return no_update, toast(f"Nothing was imported: {error}")
        return study_address(pages, study), toast("The study was imported")


def delete_study(services: Services, user: str, study: str) -> dict[str, Any]:
    """Delete a study of one's own, or leave one that was shared. Return ``deleted`` and the toast that tells of it."""
    try:
        found = services.studies.get(user, study)
        if found.role == "reader":
            services.studies.leave(user, study)
            return {"deleted": True, "toast": toast(f"{found.name} is off your list; its link brings it back")}
        services.studies.delete(user, study)
    except EngineError as error:
        return {"deleted": False, "toast": toast(str(error))}
    return {"deleted": True, "toast": toast(f"Deleted {found.name}", {"action": "study-restore", "study": study})}


def _register_dialogs(app: Dash) -> None:
    @app.callback(
        Output(ids.STUDY_DIALOG, "hidden", allow_duplicate=True),
        Output(f"{ids.STUDY_DIALOG}-words", "children"),
        Output(ids.STUDY_DIALOG_OK, "children"),
        Output(ids.STUDY_DIALOG_NAME, "value"),
        Output(ids.STUDY_DIALOG_MESSAGE, "children", allow_duplicate=True),
        Output(ids.STUDY_DIALOG_MODE, "data"),
        Input(ids.STUDY_NEW, "n_clicks"),
        Input(ids.STUDY_RENAME, "n_clicks"),
        State(ids.STUDY_NAME, "children"),
        prevent_initial_call=True,
    )
    def ask_name(new: int | None, rename: int | None, name: str) -> tuple[Any, ...]:
        if ctx.triggered_id == ids.STUDY_NEW and new:
            return False, "New study", "Create", "", "", "new"
        if ctx.triggered_id == ids.STUDY_RENAME and rename:
            return False, "Rename the study", "Rename", name, "", "rename"
        return (no_update,) * 6


def _register_naming(app: Dash, services: Services, pages: dict[str, str]) -> None:
    @app.callback(
        Output(ids.STUDY_DIALOG, "hidden", allow_duplicate=True),
        Output(ids.STUDY_DIALOG_MESSAGE, "children", allow_duplicate=True),
        Output(ids.LOCATION, "href", allow_duplicate=True),
        Output(ids.STUDIES_CHANGED, "data", allow_duplicate=True),
        Input(ids.STUDY_DIALOG_OK, "n_clicks"),
        State(ids.STUDY_DIALOG_NAME, "value"),
        State(ids.STUDY_DIALOG_MODE, "data"),
        State(ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def name_it(clicks: int | None, name: str | None, mode: str | None, study: str | None) -> tuple[Any, ...]:
        if not clicks:
            return (no_update,) * 4
        given = name.strip() if isinstance(name, str) else ""
        if not given:
            return no_update, "Give the study a name", no_update, no_update
        try:
            if mode == "rename" and study:
                services.studies.rename(current_user(), study, given)
                return True, "", no_update, time.time()
            made = services.studies.create(current_user(), given, NetworkTables(name=given))
        except EngineError as error:
            return no_update, str(error), no_update, no_update
        return True, "", study_address(pages, made, "network"), time.time()


def _register_sharing(app: Dash, services: Services) -> None:
    app.clientside_callback(
        ClientsideFunction("headroom", "here"),
        Output(ids.SHARE_ASKED, "data"),
        Input(ids.STUDY_SHARE, "n_clicks"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(ids.SHARE_DIALOG, "hidden", allow_duplicate=True),
        Output(ids.SHARE_LINK, "value"),
        Output(ids.SHARE_MESSAGE, "children", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Input(ids.SHARE_ASKED, "data"),
        State(ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def share(asked: Any, study: str | None) -> tuple[Any, ...]:
        href = asked.get("href") if isinstance(asked, dict) else None
        if not isinstance(href, str) or not study:
            return (no_update,) * 4
        try:
            token = services.studies.share(current_user(), study)
        except EngineError as error:
            return no_update, no_update, no_update, toast(str(error))
        return False, share_link(href, study, token), "", no_update

    @app.callback(
        Output(ids.SHARE_MESSAGE, "children", allow_duplicate=True),
        Output(ids.SHARE_LINK, "value", allow_duplicate=True),
        Input(ids.SHARE_REVOKE, "n_clicks"),
        State(ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def revoke(clicks: int | None, study: str | None) -> Any:
        if not clicks or not study:
            return no_update, no_update
        try:
            readers = services.studies.revoke_shares(current_user(), study)
        except EngineError as error:
            return str(error), no_update
        return f"All links are void; {count(readers, 'reader')} removed", ""


def share_link(href: str, study: str, token: str) -> str:
    """Return the address of this view, with the token that lets its reader in."""
    parts = urlsplit(href)
    kept = [(name, value) for name, values in parse_qs(parts.query).items() for value in values]
    query = [(name, value) for name, value in kept if name not in ("study", "share")]
    return parts._replace(query=urlencode([("study", study), *query, ("share", token)]), fragment="").geturl()
