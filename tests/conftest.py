"""What all tests share: the same random numbers in each run, a data folder of their own, browser tests last."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from callbacks.settings import Settings
from tests.databases import ready_sqlite

if TYPE_CHECKING:
    from tests.browser.browsing import Server

hypothesis_settings.register_profile(
    "headroom",
    derandomize=True,  # a failure is the same on every machine
    database=None,
    deadline=None,  # a shared machine is slow at times; that is not a fault of the code
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis_settings.load_profile("headroom")

# Unset, it would draw each traceback with all its variables, which takes seconds when one of them is a table.
structlog.configure(
    processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)],
    logger_factory=structlog.PrintLoggerFactory(),
)

_BROWSER = Path(__file__).parent / "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the browser tests, and run them after all others: a fault shows first where it is made."""
    for item in items:
        if _BROWSER in item.path.parents:
            item.add_marker(pytest.mark.browser)
            # Once more, and told so (R): what a browser does in a stalled machine's second is no fault of the product.
            item.add_marker(pytest.mark.flaky(reruns=1))
    items.sort(key=lambda item: _BROWSER in item.path.parents)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with a data folder that is gone after the test, its database with the schema in place."""
    made = Settings.from_env({"HEADROOM_HOME": str(tmp_path / "home")})
    ready_sqlite(Path(made.database_url.removeprefix("sqlite:///")))
    return made


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Server]":
    """Yield the product, running with an empty store. What a test asks of it is small: a job computes it alone.

    Many tests share it, so a test that kills a part of it leaves when it is served again.
    """
    from tests.browser.browsing import running  # noqa: PLC0415 (it loads the whole product and a browser's driver)

    with running(tmp_path_factory.mktemp("product") / "home", WEB_WORKERS="2", COMPUTE="here") as server:
        yield server
