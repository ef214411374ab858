"""`t`: the sources are seen, chosen, added, made read-only and trusted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from support.fault_server import FaultServer, a_run, faulty
from support.towerapp import Tower, settings_for, tower

from runtower.folders import Folders
from runtower.settings import Settings, SourceSettings
from runtower.settings_quick import given

SIZE = (100, 30)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with faulty([a_run(number) for number in range(3)]) as made:
        yield made


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    version = tmp_path / "logs" / "version_0"
    version.mkdir(parents=True)
    (version / "metrics.csv").write_text("step,val_loss\n0,2.0\n10,0.5\n")
    return tmp_path / "logs"


@pytest.fixture
def both(store: Path, logs: Path) -> Settings:
    """The lab's store and a folder of logs."""
    settings = settings_for(store)
    settings.sources["logs"] = SourceSettings("csvlogger", str(logs))
    return settings


def opened(settings: Settings, folder: Path, **more: dict[str, str]) -> AbstractAsyncContextManager[Tower]:
    return tower(settings, folder, SIZE, **more)


def line(t: Tower, name: str) -> str:
    return next((line for line in t.lines if name in line[:18]), "")


async def test_each_source_is_told_and_chosen(both: Settings, tmp_path: Path, user: str) -> None:
    async with opened(both, tmp_path) as t:
        await t.settles()
        await t.press("t")
        await t.sees("2 sources", "● answers", "lab", "logs")
        await t.until(lambda: "+" in line(t, "logs") or "+" in line(t, "lab"))
        await t.press("asterisk")
        await t.sees("2 sources, all shown, 12 runs")
        await t.press("space")
        await t.sees("2 sources, 1 shown, 1 run")
        await t.press("j", "space")
        await t.sees("Show the runs")
        await t.press("escape")
        await t.until(lambda: t.rows == ["logs/version_0"])
        await t.sees("(lab)", "1 run")
        await t.press("q")
        await t.until(lambda: not t.app.is_running)
    async with opened(both, tmp_path) as t:
        await t.until(lambda: t.app.desk is not None and t.rows == ["logs/version_0"], "as it was left")
        await t.sees("(lab)")
        await t.press("E")
        await t.sees("all experiments", "logs")
        assert "detector" not in t.screen, "an experiment of a source that isn't shown"
        await t.press("escape", "t")
        await t.sees("2 sources, 1 shown")
        await t.press("g", "g", "enter")
        await t.until(lambda: len(t.rows) == 10)
        await t.sees("(logs)")


async def test_a_source_that_is_put_away_says_nothing_any_more(
    both: Settings, tmp_path: Path, user: str, server: FaultServer
) -> None:
    server.fault = "forbidden"
    both.sources["team"] = SourceSettings("mlflow", server.url)
    async with opened(both, tmp_path) as t:
        await t.sees("team", "not yours")
        await t.press("t", "G")
        await t.sees("✗ no answer", "Next try", server.url)
        await t.press("asterisk", "space", "escape")
        await t.sees("(team)", "12 runs")
        await t.sees_no("not yours")
        server.fault = ""
        await t.press("t", "r")
        await t.until(lambda: "answers" in line(t, "team"), "asked again")
        assert "ms" in line(t, "team")


async def test_a_source_is_read_only_for_a_sitting(both: Settings, tmp_path: Path, user: str) -> None:
    async with opened(both, tmp_path) as t:
        await t.settles()
        await t.press("t", "g", "g", "W")
        await t.sees("lab is read-only now")
        await t.press("enter")
        await t.sees("(logs)")
        await t.press("e")
        await t.sees("lab is read-only")
        await t.press("t", "W", "escape")
        await t.sees("lab can be changed in this sitting")
        await t.press("e")
        await t.sees("add a tag")
    both.read_only = True
    async with opened(both, tmp_path) as t:
        await t.settles()
        await t.press("t", "W")
        await t.sees("Read-only or not")


async def test_one_more_is_opened_beside_the_others(
    store: Path, tmp_path: Path, user: str, server: FaultServer
) -> None:
    async with opened(settings_for(store), tmp_path) as t:
        await t.settles()
        await t.goes_to("pure-gnat")
        await t.press("space", "t", "a")
        await t.sees("where is it?")
        await t.type("nothing.db")
        await t.press("enter")
        await t.sees("There is nothing at")
        await t.press(*["backspace"] * len("nothing.db"))
        await t.type(server.url)
        await t.press("enter")
        await t.sees("how shall it be called?", "mlflow")
        await t.type("lab")
        await t.press("enter")
        await t.sees("there is a source lab already")
        await t.press(*["backspace"] * 3)
        await t.type("team")
        await t.press("enter")
        await t.sees("keep team in runtower.yaml?", f"{tmp_path.name}/runtower.yaml", f"team: {server.url}")
        await t.press("enter")
        await t.until(lambda: "answers" in line(t, "team"))
        await t.sees("2 sources, all shown", "Added in this sitting, in no file.")
        assert not (tmp_path / "runtower.yaml").exists()
        await t.press("escape")
        await t.until(lambda: {"name-0", "pure-gnat", "unet-0"} <= set(t.rows))
        await t.sees("1 marked", "● lab", "● team")
        await t.press("slash")
        await t.type("name-")
        await t.press("enter")
        await t.until(lambda: t.rows == ["name-2", "name-1", "name-0"])
        await t.press("e")
        await t.sees("name-2", "add a tag")
        await t.press("escape", "t", "a")
        await t.type(server.url)
        await t.press("enter")
        await t.sees("It is open already, as team.")


@pytest.fixture
def outside(logs: Path, tmp_path: Path) -> Path:
    """The logs in a folder that nobody searches."""
    (tmp_path / ".git").mkdir()
    return logs.rename(tmp_path.parent / f"{tmp_path.name}-logs")


async def test_one_more_is_kept_and_opened_at_the_next_start(
    store: Path, outside: Path, tmp_path: Path, user: str
) -> None:
    async with opened(Settings(), tmp_path) as t:
        await t.sees("lr=0.001")
        await t.press("t", "a")
        await t.type(str(outside))
        await t.press("enter", *"more", "enter")
        await t.sees("keep more in runtower.yaml?", "mlflow: sqlite:///", "more: ", "what was found is named too")
        await t.press("y")
        await t.until(lambda: (tmp_path / "runtower.yaml").exists(), "written")
        await t.sees("Named in ")
        await t.press("g", "g", "j", "enter")
        await t.until(lambda: t.rows == [f"{outside.name}/version_0"])
        await t.press("q")
        await t.until(lambda: not t.app.is_running)
    text = (tmp_path / "runtower.yaml").read_text()
    assert text == f"sources:\n  mlflow: {{uri: 'sqlite:///mlflow.db'}}\n  more: {{uri: {outside}}}\n"
    found = given(tmp_path, {}, Folders.of())
    async with opened(found.settings, tmp_path, origins=found.origins) as t:
        await t.until(lambda: t.app.desk is not None and t.rows == [f"{outside.name}/version_0"], "as it was left")
        await t.sees("(mlflow)", "more")


async def test_a_server_of_a_projects_file_is_trusted_on_the_screen(
    both: Settings, tmp_path: Path, user: str, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "hush")
    both.sources["team"] = SourceSettings("mlflow", server.url)
    file = tmp_path / "runtower.yaml"
    file.write_text("# of the project\n")
    origins = {"sources.team.uri": str(file)}
    async with opened(both, tmp_path, origins=origins) as t:
        await t.sees("12 runs", "isn't trusted yet", "runtower trust")
        await t.press("t", "G")
        await t.sees("○ untrusted", "T shows what it")
        await t.press("T")
        await t.sees("trust team?", f"uri: {server.url}", "MLFLOW_TRACKING_TOKEN of the environment", "send nothing")
        assert "hush" not in t.screen
        await t.press("enter")
        await t.sees_no("trust team?")
        assert server.headers == []
        await t.press("T", "y")
        await t.until(lambda: "answers" in line(t, "team"), "opened at once")
        assert {headers["Authorization"] for headers in server.headers} == {"Bearer hush"}
        await t.press("enter")
        await t.until(lambda: len(t.rows) == 3)
    async with opened(both, tmp_path, origins=origins) as t:
        await t.sees("name-2", "name-1", "name-0")
        await t.sees("● team")
