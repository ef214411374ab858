"""The runs screen at its sizes, in its themes, and where there is nothing to show. Looked at, then kept.

`pytest tests/snapshot --snapshot-update` takes what is drawn now for right; look at the report before that.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.labstore import RUNS, WRITTEN_MS, artifact_of, keep_artifacts
from support.towerapp import Tower
from textual.pilot import Pilot

from runtower.app import TowerApp
from runtower.folders import Folders
from runtower.settings import Settings, SourceSettings
from runtower.starting import Starter

Compare = Callable[..., bool]
Draw = Callable[..., bool]


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second after the store was written, in UTC, before ana's screen."""
    monkeypatch.setattr(time, "time", lambda: WRITTEN_MS / 1000 + 1)
    monkeypatch.setattr(time, "time_ns", lambda: WRITTEN_MS * 1_000_000 + 10**9)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    for name in ("LOGNAME", "USER"):
        monkeypatch.setenv(name, "ana")


@pytest.fixture
def project(lab_template: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "detector"
    logs = folder / "logs" / "version_0"
    logs.mkdir(parents=True)
    _with_steady_ids(Path(shutil.copy(lab_template, folder / "mlflow.db")))
    (logs / "metrics.csv").write_text("step,val_loss\n0,2.0\n10,0.5\n")
    (logs / "hparams.yaml").write_text("lr: 0.1\n")
    for path in (*logs.iterdir(), logs):
        os.utime(path, (WRITTEN_MS / 1000 - 2e6,) * 2)
    return folder


def _with_steady_ids(store: Path) -> None:
    """MLflow's run ids are random: here they follow from the runs' names."""
    with closing(sqlite3.connect(store)) as connection, connection:
        ids = dict(connection.execute("SELECT run_uuid, name FROM runs").fetchall())
        for old, name in ids.items():
            new = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
            for table in ("runs", "tags", "params", "metrics", "latest_metrics"):
                connection.execute(f"UPDATE {table} SET run_uuid = ? WHERE run_uuid = ?", (new, old))
            connection.execute("UPDATE tags SET value = ? WHERE value = ?", (new, old))
            connection.execute("UPDATE runs SET artifact_uri = replace(artifact_uri, ?, ?)", (old, new))


@pytest.fixture
def draws(snap_compare: Compare, project: Path) -> Draw:
    """Whether the screen that some keys lead to is the one that was kept."""

    def compare(*keys: str, size: tuple[int, int] = (120, 36), wait: str = "lr=0.0003", **more: Any) -> bool:
        sources = {
            "lab": SourceSettings("mlflow", f"sqlite:///{project / 'mlflow.db'}"),
            "logs": SourceSettings("csvlogger", str(project / "logs")),
        }
        settings = Settings(**{"sources": sources, "interval": 600.0, "cache": False, **more})
        starter = Starter(settings, Folders.of(), project)
        app = TowerApp(starter.here(), starter, {**os.environ, "TERM": "xterm-256color"})

        async def settle(pilot: Pilot[Any]) -> None:
            tower = Tower(app, pilot)
            await tower.sees(wait)
            await tower.rests()
            for key in keys:
                await tower.press(key)
                await tower.rests()
            await pilot.pause()

        return snap_compare(app, terminal_size=size, run_before=settle)

    return compare


@pytest.mark.parametrize("size", [(50, 12), (80, 24), (120, 36), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_runs(draws: Draw, size: tuple[int, int]) -> None:
    assert draws(size=size)


@pytest.mark.parametrize("theme", ["light", "contrast"])
def test_themes(draws: Draw, theme: str) -> None:
    assert draws(theme=theme)


def test_plain_glyphs(draws: Draw) -> None:
    assert draws(glyphs="ascii", size=(80, 24))


def test_marks_a_pin_and_the_baseline(draws: Draw) -> None:
    assert draws("j", "j", "equals_sign", "space", "p", "j", "x", size=(120, 36))


def test_a_filter_and_its_hits(draws: Draw) -> None:
    assert draws("slash", "v", "i", "t", size=(80, 24))


def test_a_filter_that_matches_nothing(draws: Draw) -> None:
    assert draws("slash", "z", "e", "b", "r", "a", "enter", size=(80, 24))


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_groups(draws: Draw, size: tuple[int, int]) -> None:
    assert draws("g", "b", "l", "r", "enter", "s", "g", "g", "j", "j", "j", "space", "z", "a", size=size)


def test_details_large(draws: Draw) -> None:
    assert draws("j", "d", size=(80, 24))


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_curves(draws: Draw, size: tuple[int, int]) -> None:
    assert draws("j", "space", "j", "space", "enter", "s", "left", "left", size=size)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_two_configs(draws: Draw, size: tuple[int, int]) -> None:
    assert draws("j", "j", "j", "j", "equals_sign", "G", "c", "x", size=size)


def test_many_configs_and_metrics(draws: Draw) -> None:
    assert draws("asterisk", "c", "right_square_bracket", "l", size=(120, 36))


def test_one_curve_in_ascii(draws: Draw) -> None:
    assert draws("j", "enter", "z", glyphs="ascii", size=(80, 24))


@pytest.fixture
def files(project: Path) -> None:
    """Each run left its settings and what it printed."""
    store, kept = project / "mlflow.db", project / "kept"
    keep_artifacts(store, kept)
    for name, *_ in RUNS:
        artifact_of(store, kept, name, "config.yaml").write_text(
            "optim:\n  lr: 0.001\nmodel:\n  name: vit\n  depth: 12\n"
        )
        artifact_of(store, kept, name, "model/weights.bin").write_bytes(bytes(range(256)) * 40)
        printed = "".join(f"epoch {n}  val_loss {2 / (n + 1):.4f}\n" for n in range(40))
        trace = "Traceback (most recent call last):\n  loss.backward()\nRuntimeError: CUDA out of memory\n"
        artifact_of(store, kept, name, "train.log").write_text(printed + "\r 10%|#\r 20%|##\n" + trace)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.usefixtures("files")
def test_artifacts(draws: Draw, size: tuple[int, int]) -> None:
    assert draws("j", "enter", "right_square_bracket", "l", "j", "j", size=size)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.usefixtures("files")
def test_two_texts(draws: Draw, project: Path, size: tuple[int, int]) -> None:
    other = "optim:\n  lr: 0.0003\nmodel:\n  name: vit\n  depth: 12\n  heads: 8\n"
    artifact_of(project / "mlflow.db", project / "kept", "pure-gnat", "config.yaml").write_text(other)
    at_gnat = ("j",) * 5
    assert draws("j", "equals_sign", *at_gnat[1:], "enter", "right_square_bracket", "j", "d", "n", size=size)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.usefixtures("files")
def test_a_log(draws: Draw, size: tuple[int, int]) -> None:
    assert draws("j", "L", "slash", "2", "enter", "N", size=size)


def test_no_log(draws: Draw) -> None:
    assert draws("j", "L", size=(80, 24))


def test_every_key(draws: Draw) -> None:
    assert draws("question_mark", size=(80, 24))


def test_only_deleted_runs(draws: Draw, project: Path) -> None:
    with closing(sqlite3.connect(project / "mlflow.db")) as connection, connection:
        connection.execute("UPDATE runs SET lifecycle_stage = 'deleted'")
    shutil.rmtree(project / "logs" / "version_0")
    assert draws(size=(80, 24), wait="are deleted")
