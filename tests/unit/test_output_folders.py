"""The folders that runs leave in a project: found once, then followed by what changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runtower.jobs.outputs import OutputReader


def hydra(folder: Path, *logs: str) -> Path:
    (folder / ".hydra").mkdir(parents=True)
    for log in logs:
        (folder / log).write_text("x")
    return folder


def shown(reader: OutputReader, project: Path) -> dict[str, tuple[str, str, str]]:
    return {
        os.path.relpath(path, project): (one.kind, one.id, os.path.basename(one.log))
        for path, one in reader.lap().items()
    }


def test_hydras_submitits_and_wandbs(tmp_path: Path) -> None:
    hydra(tmp_path / "outputs/2027-01-15/08-00-00", "train.log")
    hydra(tmp_path / "multirun/2027-01-15/09-00-00/0", "a.log", "b.log")
    submitit = tmp_path / "multirun/2027-01-15/09-00-00/.submitit/4711_3"
    submitit.mkdir(parents=True)
    (submitit / "4711_3_0_log.out").write_text("x")
    wandb = tmp_path / "wandb/offline-run-20270115_080000-x1y2/files"
    wandb.mkdir(parents=True)
    (wandb / "output.log").write_text("x")
    assert shown(OutputReader(tmp_path), tmp_path) == {
        "outputs/2027-01-15/08-00-00": ("hydra", "", "train.log"),
        "multirun/2027-01-15/09-00-00/0": ("hydra", "", ""),
        "multirun/2027-01-15/09-00-00/.submitit/4711_3": ("submitit", "4711_3", "4711_3_0_log.out"),
        "wandb/offline-run-20270115_080000-x1y2": ("wandb", "x1y2", "output.log"),
    }


def test_nothing_below_a_runs_own_folder_nor_in_environments_nor_over_links(tmp_path: Path) -> None:
    hydra(tmp_path / "outputs/a")
    hydra(tmp_path / "outputs/a/checkpoints/b")
    hydra(tmp_path / ".venv/lib/c")
    hydra(tmp_path / "mlruns/0/d")
    (tmp_path / "round").symlink_to(tmp_path)
    assert list(shown(OutputReader(tmp_path), tmp_path)) == ["outputs/a"]


def test_what_comes_and_goes(tmp_path: Path) -> None:
    reader = OutputReader(tmp_path)
    assert reader.lap() == {}
    hydra(tmp_path / "outputs/a")
    assert list(shown(reader, tmp_path)) == ["outputs/a"]
    hydra(tmp_path / "outputs/b")
    assert sorted(shown(reader, tmp_path)) == ["outputs/a", "outputs/b"]
    (tmp_path / "outputs/a/.hydra").rmdir()
    (tmp_path / "outputs/a").rmdir()
    assert list(shown(reader, tmp_path)) == ["outputs/b"]


def test_folders_that_have_not_changed_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        hydra(tmp_path / f"outputs/{number}")
    old = 1_700_000_000
    for folder in (tmp_path, tmp_path / "outputs"):
        os.utime(folder, (old, old))
    reader = OutputReader(tmp_path)
    assert len(reader.lap()) == 20
    read: list[str] = []
    scandir = os.scandir

    def noted(path: str) -> object:
        read.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", noted)
    assert len(reader.lap()) == 20
    assert read == []
    hydra(tmp_path / "outputs/new")
    assert len(reader.lap()) == 21
    assert read == [str(tmp_path / "outputs")]


def test_a_project_that_is_gone_has_none(tmp_path: Path) -> None:
    assert OutputReader(tmp_path / "gone").lap() == {}
