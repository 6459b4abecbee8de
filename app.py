"""Headroom: where data centres may connect to a power grid, how much they may draw, and who gets it.

``python app.py`` serves it; :func:`create_app` is the one place where pages, callbacks and services meet.
"""

import os
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callbacks import processes
from callbacks.settings import Settings, SettingsError
from components.links import PageLink

# What computes and what draws is imported where it is used: the supervisor needs none of it, the runner no web, and
# each process that computes jobs loads this file again.
if TYPE_CHECKING:
    from dash import Dash

    from callbacks.services import Services

ARTEFACTS = "artefacts"  # in the data folder
MEGABYTE = 1024 * 1024
FOLDER = Path(__file__).resolve().parent

# The pages, in the order of the navigation. The module of a page is ``callbacks.<key>``, with
# ``page_layout(services, **query)`` and ``register(app, services)``.
PAGES: tuple[PageLink, ...] = (
    PageLink("home", "/", "Home", "home"),
    PageLink("network", "/network", "Network", "network"),
    PageLink("capacity", "/capacity", "Capacity", "capacity"),
    PageLink("siting", "/siting", "Siting", "siting"),
    PageLink("auction", "/auction", "Auction", "auction"),
    PageLink("feeder", "/feeder", "Feeder", "feeder"),
    PageLink("hubs", "/hubs", "Hubs", "hubs"),
    PageLink("resilience", "/resilience", "Resilience", "resilience"),
)
# Reached from another page, which wires them too: not in the navigation.
SIDE_PAGES: tuple[PageLink, ...] = (
    PageLink("difference", "/difference", "Comparison", "capacity"),
    PageLink("auction_join", "/auction/join", "Join an auction", "auction"),
    PageLink("auction_seat", "/auction/seat", "My seat", "auction"),
    PageLink("auction_screen", "/auction/screen", "Screen for the room", "auction"),
    PageLink("auction_watch", "/auction/watch", "Watch an auction", "auction"),
    PageLink("auction_debrief", "/auction/debrief", "Debrief of an auction", "auction"),
)

MAPPED = frozenset({"network", "capacity", "siting", "difference"})  # pages that open with the map of a study


def create_app(settings: Settings) -> "Dash":
    """Return the product as a Dash app, its WSGI callable in ``.server``. It opens the store of ``settings``."""
    import dash  # noqa: PLC0415

    from callbacks import (  # noqa: PLC0415
        auction_invite,
        auction_routes,
        http,
        job_banner,
        no_study,
        opening,
        packed,
        routes,
        security,
    )
    from callbacks import shell as shell_callbacks  # noqa: PLC0415
    from components import shell  # noqa: PLC0415
    from components.static import Wired  # noqa: PLC0415

    services = open_services(settings)
    dash.page_registry.clear()  # it is one per process, and a test builds many apps
    app = opening.Product(
        "headroom",
        title="Headroom",
        description="Where data centres may connect to the power grid, and how much they may draw",
        assets_folder=str(FOLDER / "assets"),
        assets_ignore=shell.ASSETS_IGNORE,
        use_pages=True,
        pages_folder="",
        include_pages_meta=False,
        serve_locally=True,
        suppress_callback_exceptions=True,  # a page's controls exist only while it is open
        update_title="",
        on_error=http.on_error,
    )
    app.server.extensions[processes.CLOSE] = services.close
    http.compress(app.server)
    packed.install(app.server)
    http.install_faults(app, settings.max_upload_mb)
    http.install_log(app.server)
    limiter = security.install(app, settings)
    http.install_caching(app.server)
    auction_invite.install(app.server, settings)
    auction_routes.register(app.server, services, settings.home)
    routes.register(app.server, services, limiter, settings.home)
    if settings.forwarded_allow:  # before all else, also the gate: everybody reads the address from it
        app.server.wsgi_app = security.TrustedProxy(app.server.wsgi_app, settings.forwarded_allow)
    app.index_string = shell.INDEX_STRING
    shell_callbacks.register(app, services, PAGES)
    no_study.register(app, services)
    job_banner.register(app.server, services, PAGES)
    pages: dict[str, opening.Page] = {}
    for link in (*PAGES, *SIDE_PAGES):
        module = import_module(f"callbacks.{link.key}")
        layout = app.lean(http.guarded(_with_services(module.page_layout, services)))
        pages[link.path] = opening.Page(link.path, f"{link.label} - Headroom", layout, mapped=link.key in MAPPED)
        dash.register_page(link.key, path=link.path, name=link.label, title=pages[link.path].title, layout=layout)
        if link in PAGES:
            module.register(app, services)
    other = opening.Page("/not-found", "Not found - Headroom", http.not_found)
    dash.register_page("not_found_404", path=other.path, title=other.title, layout=other.layout)
    app.layout = app.lean(lambda: shell.layout(PAGES, opening.outlet(pages, other, opening.opened())))
    app.early = lambda: opening.early(pages, services)
    _finish(app)
    app.wired = Wired.of(app._callback_list)
    return app


def load() -> None:
    """Import all that :func:`create_app` needs: once for all web workers, which are forked after it."""
    names = (
        "auction_invite",
        "auction_routes",
        "http",
        "job_banner",
        "opening",
        "packed",
        "routes",
        "security",
        "services",
        "shell",
    )
    for name in (*names, *(link.key for link in (*PAGES, *SIDE_PAGES))):
        import_module(f"callbacks.{name}")


def _finish(app: "Dash") -> None:
    """Let Dash do now what it leaves to its first request: several of them at once would do it side by side."""
    from dash import Dash  # noqa: PLC0415

    for prepare in app.server.before_request_funcs[None]:
        if prepare.__module__ == Dash.__module__:
            prepare()


def open_services(settings: Settings) -> "Services":
    """Return the store and all that is computed from it, as ``settings`` place them."""
    from callbacks.services import Services  # noqa: PLC0415

    capacity = settings.artefact_cache_mb * MEGABYTE
    kept = settings.home / ARTEFACTS
    return Services.open(settings.database_url, kept, capacity_bytes=capacity, data=settings.data)


def work_off(settings: Settings, stop: threading.Event) -> None:
    """Run queued jobs until ``stop`` is set."""
    from engine.store import runner  # noqa: PLC0415
    from engine.store.artifacts import Artifacts  # noqa: PLC0415

    kept = Artifacts(settings.home / ARTEFACTS, settings.artefact_cache_mb * MEGABYTE)
    runner.run(settings.database_url, kept, settings.job_workers, stop, compute=settings.compute)


def _with_services(layout: Callable[..., Any], services: Any) -> Callable[..., Any]:
    def of(**query: str) -> Any:
        return layout(services, **query)

    return of


def main(arguments: list[str], environ: dict[str, str]) -> int:
    """Run the whole product, or with ``web`` or ``runner`` one of its two processes. Return the exit status."""
    try:
        settings = Settings.from_env(environ)
    except SettingsError as error:
        sys.stderr.write("Headroom cannot start with these settings:\n")
        sys.stderr.writelines(f"  {problem}\n" for problem in error.problems)
        return 2
    match arguments:
        case []:
            return processes.supervise(settings, Path(__file__).resolve())
        case ["web"]:
            load()
            return processes.serve(settings, lambda: create_app(settings).server)
        case ["runner"]:
            return processes.run_jobs(settings, lambda stop: work_off(settings, stop))
        case _:
            sys.stderr.write("usage: python app.py [web | runner]\n")
            return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], dict(os.environ)))
