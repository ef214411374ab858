"""Runs are changed with keys, on a real store, through a process of its own: asked, done, seen, taken back."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.labstore import changing, id_of, rename
from support.towerapp import Open, Tower, settings_for, tower

from runtower.folders import Folders
from runtower.link.commandlog import read

# The first change of a sitting waits for the import of a library, on a machine that may be busy.
WRITTEN = 60.0


def name_of(store: Path, run_id: str) -> str:
    with closing(sqlite3.connect(store)) as connection:
        (name,) = connection.execute("SELECT name FROM runs WHERE run_uuid = ?", (run_id,)).fetchone()
    return str(name)


def tags_of(store: Path, run_id: str) -> dict[str, str]:
    with closing(sqlite3.connect(store)) as connection:
        return dict(connection.execute("SELECT key, value FROM tags WHERE run_uuid = ?", (run_id,)).fetchall())


def lifecycles(store: Path) -> dict[str, str]:
    with closing(sqlite3.connect(store)) as connection:
        return dict(connection.execute("SELECT name, lifecycle_stage FROM runs").fetchall())


async def rename_to(t: Tower, name: str, typed: str = "") -> None:
    """Up to the answer that does it."""
    await t.press("e")
    await t.sees("change ", "add a tag")
    await t.type("name")
    await t.press("enter")
    await t.sees("enter next")
    await t.type(name)
    await t.press("enter")
    await t.sees("leave all as it is", "by hand: runtower rename")
    if typed:
        await t.type(typed)
        await t.press("enter")
        await t.sees("y yes")


async def test_renamed_seen_and_taken_back(open_lab: Open, store: Path) -> None:
    run_id = id_of(store, "lr=0.0003")
    async with open_lab((120, 36)) as t:
        await t.settles()
        await t.goes_to("lr=0.0003")
        await rename_to(t, "the best")
        await t.sees("rename lr=0.0003 to the best", "on sqlite:///", "now   lr=0.0003", "then  the best", "[leave all")
        await t.press("enter")
        await t.sees("all is left as it was")
        assert name_of(store, run_id) == "lr=0.0003", "the safe answer was chosen"
        await rename_to(t, "the best")
        await t.press("y")
        await t.sees("renamed lr=0.0003 to the best", "u  undo: rename the best to lr=0.0003", within=WRITTEN)
        assert name_of(store, run_id) == tags_of(store, run_id)["mlflow.runName"] == "the best"
        await t.until(lambda: "the best" in t.cursor_line, "the row says so")
        await t.press("u", "y")
        await t.sees("undone: renamed the best to lr=0.0003", within=WRITTEN)
        assert name_of(store, run_id) == "lr=0.0003"
        await t.press("u")
        await t.sees("taken back already")
        await t.press("@")
        await t.sees("command log", "rename the best to lr=0.0003")
        await t.press("enter")
        await t.sees("[back]", "copy the command", "runtower rename --tracking-uri")
        await t.press("escape")


async def test_a_tag_is_added_changed_and_taken_away_and_a_note_written(open_lab: Open, store: Path) -> None:
    run_id = id_of(store, "lr=0.001")
    async with open_lab() as t:
        await t.settles()
        await t.goes_to("lr=0.001")
        await t.press("e", *"add", "enter")
        await t.type("stage")
        await t.press("enter")
        await t.sees("write KEY=VALUE")
        await t.type("= tried")
        await t.press("enter", "y")
        await t.sees("set the tag stage of lr=0.001 to tried     u  undo", within=WRITTEN)
        assert tags_of(store, run_id)["stage"] == "tried"
        await t.until(lambda: t.app.desk and "stage" in t.app.desk.editor.plans.tags(t.app.desk.browser.cursor or 0))
        await t.press("e", *"stage", "enter")
        await t.sees("take it away", "tried")
        await t.press("down", "enter", "y")
        await t.sees("took the tag stage of lr=0.001 away", within=WRITTEN)
        assert "stage" not in tags_of(store, run_id)
        await t.press("e", *"note", "enter")
        await t.sees("enter next")
        await t.type(r"two\nlines")
        await t.press("enter", "y")
        await t.sees("wrote the note of lr=0.001", within=WRITTEN)
        assert tags_of(store, run_id)["mlflow.note.content"] == "two\nlines"


async def test_marked_runs_of_others_want_their_count_typed_and_come_back(open_lab: Open, store: Path) -> None:
    async with open_lab((120, 36)) as t:
        await t.settles()
        await t.goes_to("pure-gnat")
        await t.press("space", "slash", *"lr=0.1", "enter")
        await t.until(lambda: t.rows == ["vit sweep", "lr=0.1"])
        await t.goes_to("lr=0.1")
        await t.press("space", "X")
        await t.sees("delete 2 runs", "1 of the 2 is out of sight", "1 is not yours: bo (1)", "type 2 to choose")
        await t.press("y", "enter")
        await t.sees("that isn't 2")
        await t.press("backspace", "2", "enter")
        await t.sees("y yes")
        await t.press("right", "enter")
        await t.sees("deleted 2 runs", "u  undo: restore 2 runs", within=WRITTEN)
        assert [name for name, stage in lifecycles(store).items() if stage == "deleted"] == [
            "lr=0.1",
            "pure-gnat",
            "old-toad",
        ]
        await t.press("u")
        await t.sees("restore 2 runs", "type 2 to choose")
        await t.press("2", "enter", "y")
        await t.sees("undone: ", "restored 2 runs", within=WRITTEN)
        assert [name for name, stage in lifecycles(store).items() if stage == "deleted"] == ["old-toad"]


async def test_what_is_deleted_is_restored_with_the_same_key_and_purged_by_a_shown_command(
    open_lab: Open, store: Path
) -> None:
    async with open_lab((120, 36)) as t:
        await t.settles()
        await t.press("colon", *"deleted", "enter")
        await t.until(lambda: t.rows == ["old-toad"])
        await t.press("colon", *"purge", "enter")
        copied = Folders.of().state / "copied.txt"
        await t.until(copied.is_file, "the command is copied")
        assert copied.read_text().startswith("mlflow gc --backend-store-uri sqlite:///")
        assert lifecycles(store)["old-toad"] == "deleted", "it was only copied"
        await t.press("e")
        await t.sees("it is deleted")
        await t.press("X", "y")
        await t.sees("restored old-toad", within=WRITTEN)
        assert lifecycles(store)["old-toad"] == "active"


async def test_somebody_else_was_quicker(open_lab: Open, store: Path) -> None:
    run_id = id_of(store, "lr=0.0003")
    async with open_lab((120, 36)) as t:
        await t.settles()
        await t.goes_to("lr=0.0003")
        await rename_to(t, "mine")
        rename(store, "lr=0.0003", "theirs")
        await t.press("y")
        await t.sees("changed since it was shown", "theirs", within=WRITTEN)
        assert name_of(store, run_id) == "theirs"
        await t.press("u")
        await t.sees("nothing was changed here")


async def test_a_lost_run_is_marked_killed_after_the_word_was_typed(open_lab: Open, store: Path) -> None:
    async with open_lab((120, 36)) as t:
        await t.settles()
        await t.goes_to("lr=0.0003")
        await t.press("colon", *"killed", "enter")
        await t.sees("only runs that still say")
        await t.press("escape")
        await t.goes_to("lr=0.001")
        await t.press("e", *"killed", "enter")
        await t.sees("its last metric", "can't be undone", "type killed to choose", within=WRITTEN)
        await t.press(*"killed", "enter", "y")
        await t.sees("marked lr=0.001 KILLED", within=WRITTEN)
        with changing(store) as connection:
            query = "SELECT status FROM runs WHERE name = 'lr=0.001'"
            assert connection.execute(query).fetchone() == ("KILLED",)
        await t.press("u")
        await t.sees("keeps its end time")


async def test_read_only_says_why_not(open_lab: Open, store: Path) -> None:
    async with open_lab((120, 36), read_only=True) as t:
        await t.settles()
        await t.press("e")
        await t.sees("lab is read-only")
        await t.press("question_mark", *"delete the")
        await t.sees("Delete the run", "lab is read-only (flag")
        assert t.app.desk is not None
        assert [writer.pid for writer in t.app.desk.editor._writers.values() if writer.pid] == []


async def test_a_write_whose_process_is_killed_is_read_back(open_lab: Open, store: Path) -> None:
    run_id = id_of(store, "lr=0.0003")
    async with open_lab((120, 36)) as t:
        await t.settles()
        await t.goes_to("lr=0.0003")
        await rename_to(t, "mine")
        assert t.app.desk is not None
        (writer,) = t.app.desk.editor._writers.values()
        with changing(store) as connection:
            connection.execute("BEGIN IMMEDIATE")  # MLflow waits for the lock, in the middle of the write
            await t.press("y")
            await t.until(lambda: read(Folders.of().commands), "logged before it is done", WRITTEN)
            await t.sees("rename lr=0.0003 to mine ...")
            await t.press("e")
            await t.sees("still busy")
            os.kill(writer.pid or 0, signal.SIGKILL)
        await t.sees("did not take effect, as read back", within=WRITTEN)
        assert name_of(store, run_id) == "lr=0.0003"
        assert [entry.outcome for entry in read(Folders.of().commands)] == ["refused"]


async def test_quitting_waits_for_a_write_and_the_next_start_says_what_became_of_it(
    open_lab: Open, store: Path
) -> None:
    async with open_lab((120, 36)) as t:
        await t.settles()
        await t.goes_to("lr=0.0003")
        await rename_to(t, "mine")
        assert t.app.desk is not None
        (writer,) = t.app.desk.editor._writers.values()
        with changing(store) as connection:
            connection.execute("BEGIN IMMEDIATE")
            await t.press("y")
            await t.until(lambda: read(Folders.of().commands), "logged before it is done", WRITTEN)
            await t.press("q")
            await t.sees("Leaving in 3 s at the latest", "finished and logged either way")
            await t.until(lambda: not t.app.is_running, "left", WRITTEN)
            os.kill(writer.pid or 0, signal.SIGKILL) if writer.pid else None
            (entry,) = read(Folders.of().commands)
            assert entry.outcome == "open"
            os.kill(entry.intent.pid, signal.SIGKILL)
    async with open_lab((120, 36)) as t:
        await t.sees("'rename lr=0.0003 to mine', did not take effect", within=WRITTEN)
        assert [entry.outcome for entry in read(Folders.of().commands)] == ["refused"]


@pytest.mark.parametrize("size", [(80, 24), (50, 12)])
async def test_questions_fit_small_terminals(store: Path, tmp_path: Path, user: str, size: tuple[int, int]) -> None:
    async with tower(settings_for(store), tmp_path, size) as t:
        await t.settles()
        await t.goes_to("pure")
        await t.press("X")
        await t.sees("delete pure-gnat", "[leave all as it is]", "type 1")
        await t.press("escape")
        await t.sees_no("[leave all as it is]")
