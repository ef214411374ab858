"""The commands as people and scripts run them: real processes on a real folder of logs."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for number, loss in enumerate(("0.5", "nan", "0.25")):
        version = folder / "lightning_logs" / f"version_{number}"
        version.mkdir(parents=True)
        (version / "metrics.csv").write_text(f"step,val_loss\n0,2.0\n10,{loss}\n")
        (version / "hparams.yaml").write_text(f'lr: 0.{number + 1}\nnote: "a|b\\e[31m"\n')
    return folder


def run(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    known = {"PATH": os.environ["PATH"], "HOME": str(folder.parent / "home"), "LANG": "C.UTF-8", **environ}
    argv = [sys.executable, "-m", "runtower.cli", *words]
    return subprocess.run(argv, cwd=folder, env=known, capture_output=True, text=True, timeout=90)


def test_json_lists_whole_runs(project: Path) -> None:
    done = run(project, "runs", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    runs = {one["run_id"]: one for one in json.loads(done.stdout)}
    assert set(runs) == {"version_0", "version_1", "version_2"}
    assert runs["version_0"]["metrics"]["val_loss"] == 0.5
    assert runs["version_1"]["metrics"]["val_loss"] == "NaN"
    assert runs["version_0"]["params"]["note"] == "a|b\x1b[31m"
    assert isinstance(runs["version_0"]["start_time"], int)


def test_csv_markdown_and_plain(project: Path) -> None:
    words = ("runs", "--columns", "run_id,val_loss,note", "--sort", "val_loss", "--limit", "2")
    done = run(project, *words, "--csv")
    assert list(csv.reader(io.StringIO(done.stdout)))[1:] == [
        ["version_2", "0.25", "a|b\x1b[31m"],
        ["version_0", "0.5", "a|b\x1b[31m"],
    ]
    assert "2 of 3 runs" in done.stderr
    assert "a\\|b" in run(project, *words, "--md").stdout
    assert "\x1b" not in run(project, *words).stdout


def test_where_chooses_runs(project: Path) -> None:
    found = json.loads(run(project, "runs", "--where", "val_loss is not nan and lr < 0.2", "--json").stdout)
    assert [one["run_id"] for one in found] == ["version_0"]
    best = run(project, "show", "@best:val_loss", "--where", "params.lr != 0.3", "--json")
    assert json.loads(best.stdout)[0]["run_id"] == "version_0"
    none = run(project, "runs", "--where", "metrics.val_los < 1", "--json")
    assert (none.returncode, json.loads(none.stdout)) == (0, [])
    assert "Did you mean metrics.val_loss?" in none.stderr


def test_a_wrong_query_is_marked(project: Path) -> None:
    done = run(project, "runs", "--where", "val_loss < 1 adn lr = 2")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[1:] == ["  val_loss < 1 adn lr = 2", "               ^^^"]
    said = json.loads(run(project, "show", "x", "--where", "los = 1", "--json").stderr)
    assert (said["error"], said["place"], said["exit_code"]) == ("invalid", [0, 3], 2)


def test_a_saved_view_and_what_goes_before_it(project: Path) -> None:
    columns = "[params.lr, curve, metrics.val_loss]"
    view = f"{{where: metrics.val_loss is not nan, sort: [metrics.val_loss:desc], columns: {columns}}}"
    (project / "runtower.yaml").write_text(f"views: {{good: {view}, odd: {{columns: [val_loss]}}}}\n")
    found = run(project, "runs", "--view", "good", "--csv")
    assert list(csv.reader(io.StringIO(found.stdout))) == [
        ["run_id", "name", "params.lr", "metrics.val_loss"],
        ["version_0", "lightning_logs/version_0", "0.1", "0.5"],
        ["version_2", "lightning_logs/version_2", "0.3", "0.25"],
    ]
    other = run(
        project,
        "runs",
        "--view",
        "good",
        "--sort",
        "metrics.val_loss",
        "--where",
        "lr > 0.1",
        "--columns",
        "run_id",
        "--csv",
    )
    assert other.stdout.split() == ["run_id", "version_2", "version_1"]
    unknown = run(project, "runs", "--view", "goood")
    assert (unknown.returncode, unknown.stdout) == (6, "")
    assert "There is good" in unknown.stderr
    assert "Write metrics.KEY" in run(project, "runs", "--view", "odd").stderr
    assert "There is good" in run(project, "--view", "goood").stderr
    assert "--view has no name" in run(project, "--view").stderr


def test_groups_with_their_statistics(project: Path) -> None:
    for number, lr in enumerate(("1e-1", "0.2")):
        version = project / "lightning_logs" / f"version_{number + 3}"
        version.mkdir()
        (version / "metrics.csv").write_text(f"step,val_loss,val_acc\n0,0.7{number}5,0.5\n")
        (version / "hparams.yaml").write_text(f"lr: {lr}\n")
    (project / "lightning_logs" / "version_2" / "hparams.yaml").write_text("seed: 1\n")
    groups = json.loads(run(project, "runs", "--group", "lr", "--columns", "val_loss", "--json").stdout)
    assert [(one["column"], one["value"], one["runs"]) for one in groups[1:]] == [
        ("params.lr", "0.2", 2),
        ("params.lr", None, 1),
    ]
    first, second, rest = (one["metrics"]["val_loss"] for one in groups)
    assert (groups[0]["runs"], first["count"], first["min"], first["max"], first["best"]) == (2, 2, 0.5, 0.705, 0.5)
    assert first["mean"] == pytest.approx(0.6025)
    assert first["std"] == pytest.approx(0.1449569)
    assert (second["count"], second["std"], second["best"]) == (1, None, 0.715), "NaN is not among the values"
    assert (rest["count"], rest["mean"]) == (1, 0.25)
    words = ("runs", "--group", "params.lr", "--sort", "val_loss:desc", "--limit", "2")
    done = run(project, *words, "--csv")
    table = list(csv.reader(io.StringIO(done.stdout)))
    assert table[0][:5] == ["params.lr", "runs", "states", "metrics.val_loss count", "metrics.val_loss mean"]
    assert [row[0] for row in table[1:]] == ["0.2", "1e-1"], "as the first run of the group spells it"
    assert "2 of 3 groups" in done.stderr
    assert run(project, *words, "--md").stdout.startswith("| params.lr | runs | states |")
    assert run(project, *words).stdout.splitlines()[0].split()[:3] == ["lr", "runs", "states"]


@pytest.mark.parametrize(("words", "says"), [(("lr", "--columns", "lr"), "is no metric"), (("nope",), "no column")])
def test_groups_that_make_no_sense(project: Path, words: tuple[str, ...], says: str) -> None:
    done = run(project, "runs", "--group", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_one_run_and_its_history(project: Path) -> None:
    best = run(project, "show", "@best:val_loss", "--json")
    assert json.loads(best.stdout)[0]["run_id"] == "version_2"
    points = json.loads(run(project, "metric", "version_1", "val_loss", "--json").stdout)
    assert [(point["step"], point["value"]) for point in points] == [(0, 2.0), (10, "NaN")]


def test_errors_are_one_object_with_their_code(project: Path) -> None:
    several = run(project, "show", "version", "--json")
    assert (several.returncode, several.stdout) == (6, "")
    said = json.loads(several.stderr)
    assert (said["error"], said["exit_code"]) == ("not_found", 6)
    assert "version_0" in said["tried"]
    assert run(project, "show", "@best:lr").returncode == 6
    assert run(project, "runs", "--bogus").returncode == 2
    assert run(project, "runs", "--tracking-uri", "missing.db").returncode == 6
    assert run(project, "runs", RUNTOWER_THEM="x").returncode == 2


def test_doctor_and_settings(project: Path) -> None:
    done = run(project, "doctor", "--json", TERM="xterm-256color")
    assert done.returncode == 0, done.stdout
    assert any("3 runs" in one["says"] for one in json.loads(done.stdout))
    assert "RUNTOWER_THEME" in run(project, "settings", RUNTOWER_THEME="dark").stdout


def test_doctor_counts_the_runs_that_could_not_be_read_whole(project: Path) -> None:
    (project / "lightning_logs" / "version_1" / "hparams.yaml").write_text("lr: [0.1\n")
    done = run(project, "doctor", "--json")
    (bad,) = [one for one in json.loads(done.stdout) if "could not be read whole" in one["says"]]
    assert done.returncode == 1
    assert "1 run could not" in bad["says"]
    assert "version_1: " in bad["says"]
    assert not bad["ok"]


def test_nothing_found_says_what_was_looked_for(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = run(empty, "runs")
    assert (done.returncode, done.stdout) == (6, "")
    assert "mlflow.db" in done.stderr
