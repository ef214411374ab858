"""The code of runs: what a real store records of it, and what a real repository says lies between."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from support.labstore import COMMIT, changing
from support.labtower import Lab, rows_of
from support.repository import Repository

from runtower.acts.git_changes import MOST_TEXT, change_between, changes_between
from runtower.acts.run_code import RunsCode, code_of


async def code(own_lab: Lab, *names: str) -> RunsCode:
    async with own_lab.tower() as tower:
        return await code_of(tower, rows_of(tower, *names))


def by_name(found: RunsCode) -> dict[str, tuple[str | None, ...]]:
    return {row.name: row.values for row in found.facts.rows}


async def test_what_mlflow_records(own_lab: Lab) -> None:
    tags = {
        "mlflow.source.git.branch": "vit",
        "mlflow.source.git.repoURL": "https://ana:secret@example.org/lab.git",
        "mlflow.source.git.dirty": "true",
        "mlflow.source.git.diff": "--- a/x\n+++ b/x\n",
        "git.sha": "89ab" * 10,
    }
    own_lab.new_run("new", **tags)
    found = await code(own_lab, "new", "lr=0.001", "unet-0")
    assert [row.name for row in found.facts.rows] == ["commit", "branch", "repository", "dirty", "patch", "script"]
    rows = by_name(found)
    assert rows["commit"] == ("89ab" * 10, COMMIT, None)
    assert rows["repository"] == ("https://example.org/lab.git", None, None)
    assert rows["dirty"] == ("true", None, None)
    assert rows["script"] == (None, "train.py", None)
    assert found.commits == ("89ab" * 10, COMMIT, None)
    assert found.patches == ("--- a/x\n+++ b/x\n", None, None)


async def test_patches_are_the_same_or_not_whatever_they_are_called(own_lab: Lab) -> None:
    own_lab.put("lr=0.001", "diff.patch", "-1\n+2\n")
    own_lab.put("lr=0.0003", "code/uncommitted.diff", "-1\n+2\n")
    own_lab.put("calm-owl", "git/a.patch", "-1\n+3\n")
    own_lab.put("wide-elk", "git/a.patch", b"\xff")
    found = await code(own_lab, "lr=0.001", "lr=0.0003", "calm-owl", "wide-elk")
    first, second, third, last = by_name(found)["patch"]
    assert first == second != third
    assert first is not None
    assert first.startswith("2 lines, ")
    assert last is None
    assert found.patches == ("-1\n+2\n", "-1\n+2\n", "-1\n+3\n", None)
    assert found.facts.note == (
        "diff.patch (lr=0.001); code/uncommitted.diff (lr=0.0003); git/a.patch (calm-owl);"
        " git/a.patch is no text: byte 0 isn't UTF-8 (wide-elk)"
    )


async def test_artifacts_that_cannot_be_reached_are_told(own_lab: Lab) -> None:
    with changing(own_lab.store) as connection:
        connection.execute("UPDATE runs SET artifact_uri = 'http://elsewhere/x' WHERE name = 'lr=0.001'")
    found = await code(own_lab, "lr=0.001", "lr=0.0003")
    assert by_name(found)["commit"] == (COMMIT, COMMIT)
    assert found.facts.note.startswith("The artifacts of this run are kept by a web server")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repo")


async def test_what_lies_between_two_commits(repository: Repository) -> None:
    one = repository.commit(train="lr = 1\n", other="same\n")
    two = repository.commit(train="lr = 2\n", größe="neu\n")
    (repository.folder / "below").mkdir()
    (change,) = await changes_between(repository.folder / "below", [one, None, one, two, "unknown"])
    assert (change.before, change.after, change.why, change.cut) == (one, two, "", False)
    assert [line.split() for line in change.stat.splitlines()[:2]] == [
        ["größe", "|", "1", "+"],
        ["train", "|", "2", "+-"],
    ]
    assert "-lr = 1\n+lr = 2\n" in change.text
    assert change.text.startswith("diff --git a/größe b/größe\n")
    same = await change_between(repository.folder, two[:9], two)
    assert (same.stat, same.text, same.why) == ("", "", "")


async def test_nothing_of_the_repositorys_is_run(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    trap = repository.folder / ".git" / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {repository.folder}/.git/sprung\n")
    trap.chmod(trap.stat().st_mode | stat.S_IXUSR)
    for name in (
        "diff.external",
        "diff.mine.command",
        "diff.mine.textconv",
        "core.pager",
        "pager.diff",
        "core.fsmonitor",
    ):
        repository.git("config", name, str(trap))
    for name, value in (("color.ui", "always"), ("diff.noprefix", "true"), ("diff.relative", "true")):
        repository.git("config", name, value)
    (repository.folder / ".gitattributes").write_text("*.txt diff=mine\n")
    one = repository.commit(**{"a.txt": "1\n"})
    two = repository.commit(**{"a.txt": "2\n"})
    (repository.folder / ".git" / "sprung").unlink(missing_ok=True)
    (repository.folder / "below").mkdir()
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(trap))
    monkeypatch.setenv("GIT_PAGER", str(trap))
    change = await change_between(repository.folder / "below", one, two)
    assert "-1\n+2\n" in change.text
    assert change.text.startswith("diff --git a/a.txt b/a.txt\n")
    assert "\x1b" not in change.text + change.stat
    assert not (repository.folder / ".git" / "sprung").exists()


async def test_a_large_change_is_cut_at_a_line(repository: Repository) -> None:
    one = repository.commit(data="")
    two = repository.commit(data="0123456789abcdef\n" * 100_000)
    change = await change_between(repository.folder, one, two)
    assert change.cut
    assert not change.stat_cut
    assert MOST_TEXT - 20 < len(change.text) <= MOST_TEXT
    assert change.text.endswith("+0123456789abcdef\n")
    assert "100000" in change.stat


async def test_why_there_is_none(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = repository.commit(a="1\n")
    change = await change_between(repository.folder, one, COMMIT)
    assert change.why == f"commit {COMMIT[:8]} isn't in the repository of {repository.folder}"
    assert (await change_between(repository.folder, one, "--output=x")).why == "'--output=x' is no commit"
    assert not (repository.folder / "x").exists()
    tree = repository.git("rev-parse", "HEAD^{tree}")
    assert (await change_between(repository.folder, one, tree)).why.startswith(f"commit {tree[:8]} isn't in")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", os.fspath(tmp_path))
    assert "in no git repository" in (await change_between(elsewhere, one, one)).why
    monkeypatch.setenv("PATH", str(elsewhere))
    assert (await change_between(repository.folder, one, one)).why == "there is no git on this machine"
    assert await changes_between(repository.folder, [one, None, one]) == ()


async def test_where_the_first_commit_is_not_there_that_is_said_once(repository: Repository) -> None:
    one = repository.commit(a="1\n")
    two = repository.commit(a="2\n")
    changes = await changes_between(repository.folder, [COMMIT, one, two])
    assert [change.why.split()[1] for change in changes] == [COMMIT[:8]]
    changes = await changes_between(repository.folder, [one, COMMIT, two])
    assert [bool(change.why) for change in changes] == [True, False]
