"""Where the programs are that the tests drive: a Chromium and a PostgreSQL. Needs the standard library only."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

# The one without windows first: the same pages cost it about two thirds of the processor time.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_POSTGRESQL = (
    "/usr/lib/postgresql/*/bin",  # Debian
    "/usr/pgsql-*/bin",  # Red Hat
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
_ANSWERS_WITHIN_S = 60


def chromium_on_path() -> str | None:
    """Return the first Chromium on the PATH that starts."""
    return next((path for name in BROWSERS if (path := shutil.which(name)) and starts(path)), None)


def starts(path: str) -> bool:
    """Tell whether a browser is really there: some distributions ship a script that only says where to get it."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=_ANSWERS_WITHIN_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def postgresql_programs() -> Path | None:
    """Return the folder that holds ``initdb`` and ``postgres``: that of the PATH, else the newest version's."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = [folder for place in _POSTGRESQL for folder in Path("/").glob(place[1:]) if (folder / "initdb").exists()]
    return max(folders, key=_version, default=None)


def _version(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(folder))]
