"""The runs screen in use, on a store that others write to meanwhile."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.labstore import add_run, changing, rename
from support.towerapp import Open, tower
from textual import events

from runtower.link.events import State
from runtower.settings import MetricSettings, Settings, SourceSettings

DETECTOR = ["vit sweep", "lr=0.001", "lr=0.1", "lr=0.01", "lr=0.0003", "pure-gnat", "calm-owl", "wide-elk"]


async def test_a_new_run_is_counted_and_comes_in_when_asked(open_lab: Open, store: Path) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.press("j", "j")
        before = t.rows
        assert before == DETECTOR
        line = t.line_of(">")
        add_run(store, "fresh-fox")
        await t.sees("+1 new")
        assert t.rows == before
        assert t.line_of(">") == line
        assert "lr=0.1" in t.cursor_line
        await t.press("r")
        await t.sees("fresh-fox")
        await t.sees_no("+1 new")
        assert "lr=0.1" in t.cursor_line
        assert t.rows == ["fresh-fox", *before]


async def test_a_name_changed_elsewhere_shows_in_its_place(open_lab: Open, store: Path) -> None:
    async with open_lab() as t:
        await t.settles()
        place = t.line_of("wide-elk")
        rename(store, "wide-elk", "broad-elk")
        await t.sees("broad-elk")
        assert t.line_of("broad-elk") == place


async def test_letters_typed_at_once_land_once_in_a_menu(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        for key in (":", "t", "h", "e", "m", "x", "backspace"):
            t.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await t.until(lambda: "│ them " in t.screen)
        await t.press("e")
        await t.until(lambda: "│ theme " in t.screen)


async def test_letters_typed_at_once_land_in_the_filter(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.press("slash", "s", "w")
        await t.until(lambda: t.rows == ["vit sweep"])
        await t.press("enter")
        await t.sees("/ sw", "1 of 8")
        await t.press("escape")
        await t.until(lambda: t.rows == DETECTOR)
        await t.sees_no("1 of 8")


async def test_marks_survive_a_filter(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.goes_to("pure-gnat")
        await t.press("space", "slash")
        await t.type("calm")
        await t.until(lambda: t.rows == ["calm-owl"])
        await t.press("escape")
        await t.sees("1 marked")
        await t.until(lambda: t.rows == DETECTOR)
        assert t.lines[t.line_of("pure-gnat")].startswith(" +")


async def test_marks_and_cursor_survive_the_death_of_the_sources_process(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.goes_to("pure-gnat")
        await t.press("space")
        await t.until(lambda: "calm-owl" in t.cursor_line)
        assert t.app.desk is not None
        link = t.app.desk.tower.links[0]
        first = link.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await t.until(lambda: link.pid not in (None, first) and link.health.state is State.LIVE)
        assert t.rows == DETECTOR
        assert t.lines[t.line_of("pure-gnat")].startswith(" +")
        assert "calm-owl" in t.cursor_line


async def test_a_pinned_run_stands_first_under_any_filter(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.goes_to("wide-elk")
        await t.press("p", "slash")
        await t.type("calm")
        await t.until(lambda: t.rows == ["wide-elk", "calm-owl"])


async def test_the_pane_says_what_differs_from_the_baseline(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.goes_to("lr=0.0003")
        await t.press("equals_sign")
        await t.goes_to("pure-gnat")
        await t.sees("12 → 8")
        assert "*" in t.lines[t.line_of("lr=0.0003")][:4]


async def test_sorting_reverses_and_a_second_key_follows(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.press("b", "s")
        await t.sees("sort val_loss ▴")
        assert t.rows[0] == "lr=0.0003"
        assert t.rows[-2:] == ["lr=0.01", "vit sweep"]
        await t.press("s")
        await t.sees("sort val_loss ▾")
        assert t.rows[0] == "calm-owl"
        assert t.rows[-2:] == ["lr=0.01", "vit sweep"]
        await t.press("h", "S")
        await t.sees("sort val_loss ▾, state")


@pytest.mark.parametrize(
    ("keys", "said", "first"),
    [
        (("s",), "sort val_loss ▴", ["vit sweep", "lr=0.0003", "lr=0.001", "lr=0.1", "lr=0.01", "pure-gnat"]),
        (("s", "s"), "sort val_loss ▾", ["calm-owl", "wide-elk", "pure-gnat", "vit sweep", "lr=0.1", "lr=0.001"]),
    ],
)
async def test_a_sweep_stands_where_its_best_child_would(
    open_lab: Open, keys: tuple[str, ...], said: str, first: list[str]
) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.press(*keys)
        await t.sees(said)
        await t.until(lambda: t.rows[:6] == first)
        assert "0.2114" in t.lines[t.line_of("vit sweep")]


async def test_the_goal_of_the_settings_says_which_child_is_best(open_lab: Open) -> None:
    async with open_lab(metrics={"val_loss": MetricSettings(goal="max")}) as t:
        await t.settles()
        await t.press("s")
        await t.sees("sort val_loss ▾")
        await t.until(lambda: t.rows[:3] == ["calm-owl", "vit sweep", "lr=0.1"])


async def test_columns_are_as_they_were_left(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.press("minus")
        await t.until(lambda: "val_loss" not in t.lines[2])
        await t.press("h", "right_parenthesis", "right_parenthesis", "greater_than_sign")
        await t.until(lambda: t.lines[2].index("state") > t.lines[2].index("curve"))
        left = t.lines[2]
        await t.press("q")
    async with open_lab() as t:
        await t.settles()
        assert t.lines[2] == left


async def test_deleted_runs_only(open_lab: Open, store: Path) -> None:
    with changing(store) as connection:
        connection.execute("UPDATE runs SET lifecycle_stage = 'deleted'")
    async with open_lab() as t:
        await t.sees("runs of detector are deleted")


async def test_a_store_without_runs_says_how_to_log_one(open_lab: Open, store: Path) -> None:
    with changing(store) as connection:
        for table in ("latest_metrics", "metrics", "params", "tags", "runs"):
            connection.execute(f"DELETE FROM {table}")
    async with open_lab() as t:
        await t.sees("No runs in", "import mlflow")
        add_run(store, "first-run")
        await t.sees("first-run")


async def test_a_filter_that_matches_nothing_says_so(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.press("slash")
        await t.type("zebra")
        await t.sees("Nothing matches", "zebra", "in 8 runs")
        await t.press("escape")
        await t.until(lambda: t.rows == DETECTOR)


async def test_a_run_without_metrics_is_shown_all_the_same(open_lab: Open, store: Path) -> None:
    add_run(store, "bare-bee", metrics=False)
    async with open_lab() as t:
        await t.settles()
        await t.goes_to("bare-bee")
        await t.sees("bare-bee", "▶ run")


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_what_of_a_run_could_not_be_read_is_a_line_of_its_pane(tmp_path: Path, size: tuple[int, int]) -> None:
    logs = tmp_path / "lightning_logs"
    for number in range(2):
        (logs / f"version_{number}").mkdir(parents=True)
        (logs / f"version_{number}" / "metrics.csv").write_text("step,loss\n0,1\n")
    (logs / "version_1" / "hparams.yaml").write_text("lr: [0.1\n")
    settings = Settings(sources={"logs": SourceSettings("csvlogger", str(logs))}, interval=0.2)
    async with tower(settings, tmp_path, size) as t:
        await t.settles()
        await t.goes_to("version_1")
        await t.sees("hparams.yaml")
        await t.goes_to("version_0")
        await t.sees_no("hparams.yaml")
        await t.goes_to("version_1")
        await t.sees("hparams.yaml")
        (logs / "version_1" / "hparams.yaml").write_text("lr: 0.1\n")
        await t.sees_no("hparams.yaml")
        await t.sees("lr")


async def test_a_store_that_isnt_there_is_one_calm_sentence(open_lab: Open, tmp_path: Path) -> None:
    async with open_lab(at=tmp_path / "absent.db") as t:
        await t.sees("There is no MLflow store at", "try again now")
        assert not (tmp_path / "absent.db").exists()


async def test_nothing_to_open_is_the_first_screen(tmp_path: Path, store: Path) -> None:
    folder = tmp_path / "empty"
    (folder / ".git").mkdir(parents=True)
    async with tower(Settings(interval=0.2), folder) as t:
        await t.sees("Nothing to show in empty yet", "the demo")
        await t.press("u")
        await t.sees("sqlite:///mlflow.db")
        await t.type("nowhere.db")
        await t.press("enter")
        await t.sees("There is nothing at")
        for _ in "nowhere.db":
            await t.press("backspace")
        await t.type(f"sqlite:///{store}")
        await t.press("enter")
        await t.sees("vit sweep")


@pytest.mark.parametrize("size", [(50, 12), (120, 36), (200, 60)])
async def test_any_size_shows_name_state_metric_and_curve(open_lab: Open, size: tuple[int, int]) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.pilot.resize_terminal(*size)
        await t.until(lambda: t.app.size == size)
        await t.sees("lr=0.0003", "✓ ok", "0.2114", "▅▅▄▄▄▃▃▂", "/ filter", "? keys")


async def test_without_colour_states_are_still_told_apart(open_lab: Open) -> None:
    async with open_lab(environ={"NO_COLOR": "1"}) as t:
        await t.settles()
        await t.sees("▶ run", "✗ fail", "■ kill", "✓ ok")


async def test_plain_glyphs(open_lab: Open) -> None:
    async with open_lab(glyphs="ascii") as t:
        await t.settles()
        await t.sees("> run", "x fail", "# kill", "v ok")
        assert all(line.isascii() for line in t.lines)


async def test_a_hostile_name_only_shows(open_lab: Open, store: Path) -> None:
    add_run(store, "\x1b[31m\u202e[bold]x\n")
    async with open_lab() as t:
        await t.settles()
        await t.sees("␛[31m·[bold]x⏎")
        assert not set("\x1b\u202e") & set(t.screen)


async def test_the_menu_of_keys_searches_and_does_what_is_picked(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.press("question_mark")
        await t.sees("Half a page down")
        await t.type("tree or flat")
        await t.sees_no("Half a page down")
        await t.press("enter")
        await t.until(lambda: "└" not in t.screen and "vit sweep" in t.screen)
        assert t.rows == sorted(DETECTOR, key=["lr=0.001", "lr=0.1", "lr=0.01", "lr=0.0003", *DETECTOR].index)


async def test_quitting_ends_the_app_and_its_processes(open_lab: Open, store: Path) -> None:
    async with open_lab() as t:
        await t.settles()
        links = list(t.app.desk.tower.links) if t.app.desk else []
        assert links
        await t.press("q")
    assert all(str(link.health.state).lower().endswith("closed") for link in links)
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (11,)


async def test_which_source_answers_first_does_not_decide_what_is_shown(store: Path, tmp_path: Path, user: str) -> None:
    logs = tmp_path / "logs" / "version_0"
    logs.mkdir(parents=True)
    (logs / "metrics.csv").write_text("step,loss\n0,1.0\n")
    for path in (*logs.iterdir(), logs):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    # The folder's own process is there in no time, the store waits for its lock.
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        sources = {
            "lab": SourceSettings("mlflow", f"sqlite:///{store}"),
            "logs": SourceSettings("csvlogger", str(logs.parent)),
        }
        async with tower(Settings(sources=sources, interval=0.2), tmp_path) as t:
            await t.sees("version_0")
            connection.rollback()
            await t.until(lambda: t.rows == DETECTOR)
            await t.until(lambda: "vit sweep" in t.cursor_line)  # drawn a frame after the rows are ordered
