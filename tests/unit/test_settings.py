"""Where settings come from, which one wins, and what is said of a wrong one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtower.domain.errors import Invalid
from runtower.folders import Folders
from runtower.settings import Settings
from runtower.settings_files import Loaded, load
from runtower.settings_quick import settings


def own(folders: Folders, text: str) -> Path:
    folders.config.mkdir(exist_ok=True)
    (folders.config / "settings.yaml").write_text(text)
    return folders.config / "settings.yaml"


def of_project(project: Path, text: str) -> Path:
    (project / "runtower.yaml").write_text(text)
    return project / "runtower.yaml"


def read(project: Path, folders: Folders, **environ: str) -> Loaded:
    return load(project, environ, folders, {})


def test_defaults_without_any_file(project: Path, folders: Folders) -> None:
    assert settings(project, {}, folders) == Settings()


def test_the_later_wins_lists_replace_and_maps_merge(project: Path, folders: Folders) -> None:
    user = own(folders, "theme: dark\ninterval: 9\nredact: [a]\nmetrics: {loss: {goal: min}, acc: {digits: 2}}\n")
    mine = of_project(project, "interval: 8\nredact: [b, c]\nmetrics: {loss: {digits: 3}}\n")
    inner = project / "src"
    inner.mkdir()
    loaded = load(inner, {"RUNTOWER_INTERVAL": "7", "RUNTOWER_METRICS__acc__GOAL": "max"}, folders, {"mouse": "false"})
    found = loaded.settings
    assert (found.theme, found.interval, found.mouse, found.redact) == ("dark", 7.0, False, ["b", "c"])
    assert (found.metrics["loss"].goal, found.metrics["loss"].digits) == ("min", 3)
    assert (found.metrics["acc"].goal, found.metrics["acc"].digits) == ("max", 2)
    assert loaded.origins["theme"] == str(user)
    assert loaded.origins["redact"] == str(mine)
    assert loaded.origins["interval"] == "RUNTOWER_INTERVAL"
    assert loaded.origins["mouse"] == "--mouse"
    assert loaded.origins["cache"] == "default"


def test_what_a_diff_ignores_is_a_list_that_replaces(project: Path, folders: Folders) -> None:
    assert "seed" in read(project, folders).settings.diff.ignore
    own(folders, "diff: {ignore: [a.*]}\n")
    assert settings(project, {}, folders).diff.ignore == ["a.*"]
    assert settings(project, {}, folders).diff.ignore == ["a.*"], "as it was kept"
    of_project(project, "diff: {}\n")
    assert read(project, folders).settings.diff.ignore == ["a.*"]
    assert read(project, folders, RUNTOWER_DIFF__IGNORE="b, c.d").settings.diff.ignore == ["b", "c.d"]
    assert read(project, folders, RUNTOWER_DIFF__IGNORE="").settings.diff.ignore == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("thme: dark\n", ("thme", "Did you mean theme?")),
        ("theme: drak\n", ("theme", "dark")),
        ("interval: often\n", ("interval", "a number", "often")),
        ("mouse: perhaps\n", ("mouse", "true or false")),
        ("interval: 0\n", ("interval", "0.1")),
        ("interval: .nan\n", ("interval", "0.1")),
        ("metrics: {loss: {gaol: min}}\n", ("metrics.loss.gaol", "metrics.loss.goal")),
        ("views: {good: {wher: x}}\n", ("views.good.wher", "views.good.where")),
        ("views: {good: {sort: name}}\n", ("views.good.sort", "a list of texts")),
        ("metrics: {loss: {goal: down}}\n", ("metrics.loss.goal", "min")),
        ("sources: {a: {kind: mlflow}}\n", ("sources.a", "uri")),
        ("sources: [a]\n", ("sources", "map")),
        ("keys: {find.fliter: f}\n", ("find.fliter", "find.filter")),
        ("theme: {a: 1}\n", ("theme", "single value")),
        ("diff: {ignroe: [seed]}\n", ("diff.ignroe", "diff.ignore")),
        ("diff: {ignore: seed}\n", ("diff.ignore", "a list of texts")),
        ("diff: [seed]\n", ("diff", "map")),
        ("diff: {ignore: {a: 1}}\n", ("diff.ignore",)),
        ("theme: dark\n  interval: 2\n", ("line 2",)),
        ("just words\n", ("just words",)),
        ("theme: dark\ntheme: light\n", ("line 2",)),
    ],
)
def test_what_is_wrong_is_named_with_its_file(
    project: Path, folders: Folders, text: str, words: tuple[str, ...]
) -> None:
    file = own(folders, text)
    with pytest.raises(Invalid) as wrong:
        read(project, folders)
    for word in (str(file), *words):
        assert word in str(wrong.value)


def test_a_wrong_variable_is_named(project: Path, folders: Folders) -> None:
    with pytest.raises(Invalid, match=r"RUNTOWER_THEM.*Did you mean theme"):
        read(project, folders, RUNTOWER_THEM="dark")


def test_an_empty_file_and_empty_maps_say_nothing(project: Path, folders: Folders) -> None:
    own(folders, "")
    of_project(project, "sources:\nmetrics: {}\n")
    assert read(project, folders).settings == Settings()


def test_own_keys(project: Path, folders: Folders) -> None:
    own(folders, "keys: {find.filter: f}\n")
    assert read(project, folders).settings.keys == {"find.filter": "f"}


@pytest.mark.parametrize(
    "text",
    [
        "sources: {a: {uri: 'https://me:pw@host'}}",
        "sources: {a: {uri: 'https://host/?token=x'}}",
        "sources: {a: {uri: 'https://host', options: {api_key: x}}}",
        "sources: {a: {uri: 'https://host', options: {headers.Authorization: x}}}",
        "sources: {a: {uri: 'https://host', options: {headers.Cookie: x}}}",
        "sources: {a: {uri: 'https://host', options: {headers.X-Gateway-Key: x}}}",
        "sources: {a: {uri: 'https://${oc.env:HOME}'}}",
    ],
)
def test_a_project_may_not_bring_credentials(project: Path, folders: Folders, text: str) -> None:
    of_project(project, text + "\n")
    with pytest.raises(Invalid, match="may not") as wrong:
        read(project, folders)
    assert "pw" not in str(wrong.value)


def test_ones_own_file_may_take_a_servers_token_from_a_variable(
    project: Path, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_TOKEN", "hush")
    own(
        folders, "sources: {a: {uri: 'https://host', options: {token: '${oc.env:TEAM_TOKEN}', headers.X-Team: blue}}}\n"
    )
    assert read(project, folders).settings.sources["a"].options == {"token": "hush", "headers.X-Team": "blue"}


def test_a_projects_paths_begin_at_its_file(project: Path, folders: Folders) -> None:
    of_project(project, "sources: {a: {uri: store/mlflow.db}, b: {uri: 'https://host'}}\n")
    (project / "deep").mkdir()
    found = load(project / "deep", {}, folders, {}).settings.sources
    assert (found["a"].uri, found["b"].uri) == (str(project / "store/mlflow.db"), "https://host")


def test_the_kept_result_serves_until_something_changes(project: Path, folders: Folders) -> None:
    file = own(folders, "theme: dark\n")
    assert settings(project, {}, folders).theme == "dark"
    kept = list(folders.cache.glob("settings-*"))
    assert len(kept) == 1
    assert kept[0].stat().st_mode & 0o777 == 0o600
    assert settings(project, {}, folders).theme == "dark"
    file.write_text("theme: light\n")
    os.utime(file, ns=(1, 1))
    assert settings(project, {}, folders).theme == "light"
    assert settings(project, {"RUNTOWER_THEME": "contrast"}, folders).theme == "contrast"
    kept[0].write_bytes(b"broken")
    assert settings(project, {}, folders).theme == "light"


def test_credentials_are_not_kept(project: Path, folders: Folders) -> None:
    own(folders, "sources: {a: {uri: 'https://me:pw@host'}}\n")
    assert settings(project, {}, folders).sources["a"].kind == "mlflow"
    assert not list(folders.cache.glob("settings-*"))


def test_the_kept_result_needs_no_omegaconf(project: Path, folders: Folders) -> None:
    own(folders, "theme: dark\n")
    code = (
        "import sys; from pathlib import Path; from runtower.folders import Folders;"
        "from runtower.settings_quick import settings;"
        f"folders = Folders(Path({str(folders.cache)!r}), Path('s'), Path({str(folders.config)!r}));"
        f"s = settings(Path({str(project)!r}), {{}}, folders);"
        "print(s.theme, 'omegaconf' in sys.modules, 'numpy' in sys.modules)"
    )
    outputs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout for _ in range(2)]
    assert outputs == ["dark True False\n", "dark False False\n"]
