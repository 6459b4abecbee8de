"""What ``python3 -m tests`` does on a machine that lacks something, tried with stand-ins for its programs."""

import ast
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import __main__ as setup
from tests import programs

Fake = Callable[[str, str], Path]
RUNS = "exit 0"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of the PATH but for the shell's own programs, on a machine without PostgreSQL."""
    made = tmp_path / "bin"
    made.mkdir()
    for name in ("sh", "chmod", "cat"):
        (made / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(made))
    monkeypatch.setattr(programs, "_POSTGRESQL", (f"{tmp_path}/usr/lib/postgresql/*/bin",))
    monkeypatch.setattr(setup, "CLUSTER_SETTINGS", tmp_path / "etc" / "createcluster.conf")
    return made


@pytest.fixture
def fake(folder: Path) -> Fake:
    """Put a program of that name on the PATH; it notes how it was called."""

    def make(name: str, script: str) -> Path:
        path = folder / name
        path.write_text(f'#!{folder}/sh\necho "{name} $*" >> {folder.parent}/calls\n{script}\n')
        path.chmod(0o755)
        return path

    return make


def calls(folder: Path) -> list[str]:
    noted = folder.parent / "calls"
    return noted.read_text().splitlines() if noted.exists() else []


def becoming(monkeypatch: pytest.MonkeyPatch, user: int) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)


def placing(path: Path, script: str = RUNS) -> str:
    """The script of a program that makes another one, as an installer does."""
    return f"cat > {path} <<END\n#!/bin/sh\n{script}\nEND\nchmod 755 {path}"


# Browser


def test_a_chromium_of_the_path_is_taken_and_nothing_is_installed(folder: Path, fake: Fake) -> None:
    fake("apt-get", RUNS)
    chromium = fake("chromium", RUNS)
    assert setup.find_chromium("no-python", {}) == str(chromium)
    assert calls(folder) == ["chromium --version"]


def test_a_script_that_only_says_where_to_get_it_is_no_chromium(folder: Path, fake: Fake) -> None:
    fake("chromium-browser", "echo 'install the snap' >&2; exit 1")
    chrome = fake("google-chrome", RUNS)
    assert programs.chromium_on_path() == str(chrome)


def test_a_chromium_that_was_named_must_start(fake: Fake) -> None:
    named = fake("mine", "exit 1")
    with pytest.raises(SystemExit):
        setup.find_chromium("no-python", {"HEADROOM_CHROMIUM": str(named)})
    fake("mine", RUNS)
    assert setup.find_chromium("no-python", {"HEADROOM_CHROMIUM": str(named)}) == str(named)


def test_playwrights_own_chromium_is_taken_before_anything_is_installed(folder: Path, fake: Fake) -> None:
    own = fake("headless", RUNS)
    python = fake("python", f"echo {own}")
    fake("apt-get", RUNS)
    assert setup.find_chromium(str(python), {}) == str(own)
    assert not any(call.startswith("apt-get") for call in calls(folder))


def test_root_on_debian_installs_the_distributions_chromium(
    folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    becoming(monkeypatch, 0)
    shell = folder / "chromium-headless-shell"
    fake("apt-get", placing(shell))
    python = fake("python", RUNS)
    assert setup.find_chromium(str(python), {}) == str(shell)
    assert [call for call in calls(folder) if call.startswith("apt-get")] == [
        "apt-get update -qq",
        "apt-get install -y -qq --no-install-recommends chromium-headless-shell fonts-liberation",
    ]


def test_a_distribution_without_the_headless_one_gives_the_whole_chromium(
    folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    becoming(monkeypatch, 0)
    chromium = folder / "chromium"
    fake("apt-get", f'case "$*" in *headless-shell*) exit 100;; *update*) exit 0;; esac\n{placing(chromium)}')
    python = fake("python", RUNS)
    assert setup.find_chromium(str(python), {}) == str(chromium)


@pytest.mark.parametrize(
    ("user", "command"), [(0, "-m playwright install --with-deps chromium"), (1000, "-m playwright install chromium")]
)
def test_playwright_installs_where_the_distribution_does_not(
    folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch, user: int, command: str
) -> None:
    becoming(monkeypatch, user)
    fake("apt-get", "exit 100")
    python = fake("python", RUNS)
    assert setup.find_chromium(str(python), {}) is None  # Playwright knows where its own is
    assert calls(folder)[-1] == f"python {command}"
    assert any(call.startswith("apt-get") for call in calls(folder)) == (user == 0)


def test_without_any_chromium_one_sentence_says_what_to_do(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    python = fake("python", "exit 1")
    with pytest.raises(SystemExit) as ended:
        setup.find_chromium(str(python), {})
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "No Chromium was found or could be installed; set HEADROOM_CHROMIUM to the path of one.\n"
    )


# PostgreSQL


def test_a_postgresql_of_the_path_or_the_newest_of_the_distribution_is_found(
    folder: Path, fake: Fake, tmp_path: Path
) -> None:
    for version in ("9.6", "15", "9"):
        place = tmp_path / "usr/lib/postgresql" / version / "bin"
        place.mkdir(parents=True)
        (place / "initdb").touch()
    assert programs.postgresql_programs() == tmp_path / "usr/lib/postgresql/15/bin"
    setup.find_postgresql()
    assert calls(folder) == []
    fake("initdb", RUNS)
    assert programs.postgresql_programs() == folder


def test_root_on_debian_installs_postgresql_without_a_cluster_of_the_system(
    folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    becoming(monkeypatch, 0)
    fake("apt-get", placing(folder / "initdb"))
    setup.find_postgresql()
    assert calls(folder)[-1] == "apt-get install -y -qq --no-install-recommends postgresql"
    assert setup.CLUSTER_SETTINGS.read_text() == "create_main_cluster = false\n"


def test_settings_of_the_machines_own_clusters_are_left_alone(
    folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    becoming(monkeypatch, 0)
    setup.CLUSTER_SETTINGS.parent.mkdir()
    setup.CLUSTER_SETTINGS.write_text("mine")
    fake("apt-get", placing(folder / "initdb"))
    setup.find_postgresql()
    assert setup.CLUSTER_SETTINGS.read_text() == "mine"


def test_without_any_postgresql_one_sentence_says_what_to_do(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    becoming(monkeypatch, 1000)
    fake("apt-get", RUNS)
    with pytest.raises(SystemExit):
        setup.find_postgresql()
    assert "put its initdb and postgres on the PATH" in capsys.readouterr().err


# Packages


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python without packages, in a folder of the product that has no environment yet."""
    root = tmp_path / "product"
    root.mkdir()
    (root / "pyproject.toml").write_text("one")
    (root / "constraints.txt").write_text("two")
    monkeypatch.setattr(setup, "ROOT", root)
    monkeypatch.setattr(setup, "VENV", root / ".venv")
    monkeypatch.setattr(setup, "NEEDED", ("a_package_that_is_not_there",))
    return root


def test_an_environment_with_every_package_is_used_as_it_is() -> None:
    assert setup.suitable_python() == sys.executable


def test_packages_are_installed_once_and_again_when_others_are_asked_for(
    bare: Path, folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = bare / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    base = fake("base", placing(python, f"echo \\$2 >> {folder.parent}/calls"))
    monkeypatch.setattr(sys, "executable", str(base))
    assert setup.suitable_python() == str(python)
    assert calls(folder) == [f"base -m venv {bare}/.venv", "pip", "compileall"]
    assert setup.suitable_python() == str(python)
    assert calls(folder)[3:] == []
    (bare / "constraints.txt").write_text("three")
    assert setup.suitable_python() == str(python)
    assert calls(folder)[3:] == ["pip", "compileall"]


def test_a_pip_that_fails_ends_in_one_sentence_and_is_tried_again_the_next_time(
    bare: Path, fake: Fake, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = bare / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!{folder}/sh\nexit 1\n")
    python.chmod(0o755)
    for _ in range(2):
        with pytest.raises(SystemExit):
            setup.suitable_python()
        assert "pip's message above says why" in capsys.readouterr().err


def test_debians_missing_venv_module_is_installed_and_what_it_left_is_removed(
    bare: Path, folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    becoming(monkeypatch, 0)
    for name in ("mkdir", "touch"):
        (folder / name).symlink_to(f"/bin/{name}")
    mended = folder / "mended"
    base = fake("base", f"mkdir {bare}/.venv && test -e {mended}")
    (folder / "test").symlink_to("/bin/test")
    fake("apt-get", f"touch {mended}")
    monkeypatch.setattr(sys, "executable", str(base))
    setup.make_venv()
    assert [call.split()[0] for call in calls(folder)] == ["base", "apt-get", "apt-get", "base"]
    assert calls(folder)[2].endswith("python3-venv")


def test_a_machine_without_the_venv_module_and_without_root_says_so(
    bare: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    becoming(monkeypatch, 1000)
    monkeypatch.setattr(sys, "executable", str(fake("base", "exit 1")))
    with pytest.raises(SystemExit):
        setup.make_venv()
    assert "install the venv module of this Python" in capsys.readouterr().err


def test_an_old_python_looks_for_a_newer_one_and_is_told_when_there_is_none(
    bare: Path, folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit):
        setup.make_venv()
    assert "Python 3.11 or newer is needed" in capsys.readouterr().err
    fake("python3.12", RUNS)
    setup.make_venv()
    assert calls(folder) == [f"python3.12 -m venv {bare}/.venv"]


@pytest.mark.parametrize("module", [setup, programs])
def test_an_old_python_understands_the_set_up(module: object) -> None:
    path = Path(str(module.__file__))  # type: ignore[attr-defined]
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert "annotations" in {name.name for name in imported[0].names}  # else it would stumble over `str | None`


# Sections


def test_all_sections_run_though_one_fails_and_the_status_tells(
    folder: Path, fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    python = fake("python", 'test "$2" != pytest || echo "1 passed in 2 s"\ntest "$2" != ruff')
    (folder / "test").symlink_to("/bin/test")
    environ = dict(os.environ)
    assert setup.run(["format", "types", "pytest"], str(python), environ, ["-k", "share"]) == 1
    assert sorted(calls(folder)) == [
        "python -m mypy",
        "python -m pytest -n 2 --dist worksteal -k share",
        "python -m ruff format --check .",
    ]
    told = capfd.readouterr().out
    assert told.index("format: failed") < told.index("types: passed") < told.index("failed so far: format")
    assert told.endswith("1 passed in 2 s\n")
    assert setup.run(["types"], str(python), environ, []) == 0


def test_tests_that_fail_are_told_by_the_status(folder: Path, fake: Fake, capfd: pytest.CaptureFixture[str]) -> None:
    python = fake("python", 'test "$2" != pytest')
    (folder / "test").symlink_to("/bin/test")
    assert setup.run(["types", "pytest"], str(python), dict(os.environ), []) == 1
    assert "types: passed" in capfd.readouterr().out


def test_a_section_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["tests", "lint", "speed"])
    with pytest.raises(SystemExit) as ended:
        setup.main()
    assert ended.value.code == 2
