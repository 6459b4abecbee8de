"""Waiting for what another process does: until it is so, and no longer than a stated time."""

import time
from collections.abc import Callable

_LOOK_EVERY_S = 0.05


def wait_for(condition: Callable[[], bool], timeout_s: float = 180.0) -> None:
    """Return when ``condition`` holds; fail when it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {timeout_s:.0f} s"
        time.sleep(_LOOK_EVERY_S)
