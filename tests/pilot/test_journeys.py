"""docs/journeys.md, replayed on a real store: the file is the input of this test."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.labstore import artifact_of, changing, id_of, keep_artifacts
from support.towerapp import Open, Tower

from runtower.screens.listed_screen import ListedScreen

FILE = Path(__file__).parents[2] / "docs" / "journeys.md"
NAMES = {
    "/": "slash",
    ":": "colon",
    "=": "equals_sign",
    "-": "minus",
    "*": "asterisk",
    "~": "tilde",
    "?": "question_mark",
    "esc": "escape",
    " ": "space",
    ".": "full_stop",
    "<": "less_than_sign",
}


DONE = "(done)"
READ = "(read)"
WRITTEN = 60.0  # the first change of a sitting waits for the import of a library


@dataclass(frozen=True)
class Journey:
    """Keys of one or more sittings, and what the last screen shows."""

    name: str
    sittings: tuple[tuple[str, ...], ...]
    seen: tuple[str, ...]


def journeys() -> list[Journey]:
    found = []
    for line in FILE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("|") or len(cells) != 3 or cells[0] in ("Journey", "---"):
            continue
        sittings = tuple(keys_of(part) for part in cells[1].split("(again)"))
        found.append(Journey(cells[0], sittings, tuple(re.findall(r'"([^"]*)"', cells[2]))))
    return found


def keys_of(words: str) -> tuple[str, ...]:
    keys: list[str] = []
    for typed, word in re.findall(r'text "([^"]*)"|(\S+)', words.replace("(none)", "")):
        keys += [NAMES.get(letter, letter) for letter in typed] if typed else [NAMES.get(word, word)]
    return tuple(keys)


def is_done(tower: Tower) -> bool:
    """Whether a change was made and none is under way."""
    editor = tower.app.desk.editor if tower.app.desk is not None else None
    return editor is not None and bool(editor.said) and not editor.under_way


def is_read(tower: Tower) -> bool:
    """Whether the rows of a registry's screen are there."""
    screen = tower.app.screen
    return isinstance(screen, ListedScreen) and len(screen.listed) > 0 and screen._due is None


def test_there_are_ten_at_least_and_each_says_what_is_seen() -> None:
    assert len(journeys()) >= 10
    assert all(journey.seen for journey in journeys())


@pytest.fixture(autouse=True)
def logs(tmp_path: Path) -> None:
    """The folder that no source names."""
    version = tmp_path / "logs" / "version_0"
    version.mkdir(parents=True)
    (version / "metrics.csv").write_text("step,val_loss\n0,2.0\n10,0.5\n")


@pytest.fixture(autouse=True)
def files(store: Path, tmp_path: Path) -> None:
    """What two of the runs left: settings, and what they printed."""
    kept = tmp_path / "kept"
    keep_artifacts(store, kept)
    printed = "".join(f"epoch {number}  val_loss {2 / (number + 1):.4f}\n" for number in range(40))
    trace = "Traceback (most recent call last):\n  loss.backward()\nRuntimeError: CUDA out of memory\n"
    artifact_of(store, kept, "pure-gnat", "train.log").write_text(printed)
    artifact_of(store, kept, "pure-gnat", "config.yaml").write_text("optim:\n  lr: 0.0003\n")
    artifact_of(store, kept, "lr=0.01", "train.log").write_text(printed + trace)


@pytest.fixture(autouse=True)
def registered(store: Path) -> None:
    """A model of two versions, as MLflow's store keeps them."""
    versions = ((1, "pure-gnat"), (2, "calm-owl"))
    with changing(store) as connection:
        connection.execute("INSERT INTO registered_models (name, creation_time) VALUES ('detector', 0)")
        for version, run in versions:
            connection.execute(
                "INSERT INTO model_versions (name, version, creation_time, current_stage, run_id, status, source) "
                "VALUES ('detector', ?, 0, 'None', ?, 'READY', 'none')",
                (version, id_of(store, run)),
            )
        connection.execute(
            "INSERT INTO registered_model_aliases (name, alias, version) VALUES ('detector', 'champion', 1)"
        )


@pytest.mark.parametrize("journey", journeys(), ids=lambda journey: journey.name)
async def test_a_journey_ends_where_the_page_says(journey: Journey, open_lab: Open) -> None:
    for keys in journey.sittings:
        async with open_lab() as tower:
            await tower.settles()
            for key in keys:
                if key == DONE:
                    await tower.until(lambda: is_done(tower), "the change", WRITTEN)
                elif key == READ:
                    await tower.until(lambda: is_read(tower), "the models", WRITTEN)
                else:
                    await tower.press(key)
            if keys is journey.sittings[-1]:
                await tower.sees(*journey.seen, within=WRITTEN)
