"""The README keeps its word: its example runs and prints what is shown, its settings and its links exist."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from callbacks.settings import Settings
from tests import figures

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
_NAMES = {"home": "HEADROOM_HOME", "data": "HEADROOM_DATA"}  # where a field is not its variable in small letters


@pytest.mark.parametrize(("code", "shown"), re.findall(r"```python\n(.*?)```\s*```text\n(.*?)```", README, re.DOTALL))
def test_an_example_prints_what_the_readme_shows(code: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102 (our own file)
    assert capsys.readouterr().out == shown


def test_the_table_of_settings_is_complete() -> None:
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))
    assert told == {_NAMES.get(field.name, field.name.upper()) for field in fields(Settings)}


def test_the_settings_told_as_defaults_are_the_defaults(tmp_path: Path) -> None:
    told = dict(re.findall(r"^\| `([A-Z_]+)` \| `([^`]+)` \|", README, re.MULTILINE))
    settings = Settings.from_env({"HEADROOM_HOME": str(tmp_path)})
    given = Settings.from_env({"HEADROOM_HOME": str(tmp_path), **told})
    assert settings == given


@pytest.mark.parametrize("path", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_every_link_into_the_repository_leads_somewhere(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_figures_are_those_of_the_last_benchmarks() -> None:
    assert figures.filled(README) == README, "python -m tests.figures writes them anew"


def test_a_figure_without_a_result_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FIGURES", (figures.Figure("speed", "", "browser", ("/nowhere",), 1),))
    with pytest.raises(LookupError, match=r"browser\.md has no row that begins with /nowhere"):
        figures.table()
