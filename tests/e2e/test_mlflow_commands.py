"""The commands on what MLflow writes: an sqlite file and an ./mlruns folder, found by themselves."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

_WRITE = """
import sys
from mlflow import MlflowClient
from mlflow.entities import Metric
client = MlflowClient(sys.argv[1])
sweep = client.create_experiment("sweep")
for number, last in enumerate((0.5, float("nan"), 0.25)):
    run = client.create_run(sweep, start_time=1_700_000_000_000 + number, run_name=f"try-{number}").info.run_id
    points = [Metric("val_loss", 2.0, 1_700_000_000_500, 0), Metric("val_loss", last, 1_700_000_001_000, 10)]
    client.log_batch(run, metrics=points)
    client.log_param(run, "lr", f"1e-{number}")
    client.set_terminated(run, "FAILED" if number == 1 else "FINISHED", end_time=1_700_000_060_000)
"""


@pytest.fixture(scope="module", params=["sqlite", pytest.param("mlruns", marks=pytest.mark.long)])
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    uri = f"sqlite:///{folder}/mlflow.db" if request.param == "sqlite" else (folder / "mlruns").as_uri()
    environ = {**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true"}
    subprocess.run([sys.executable, "-c", _WRITE, uri], cwd=folder, env=environ, check=True, capture_output=True)
    return folder


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    known = {"PATH": os.environ["PATH"], "HOME": str(folder / "home"), "LANG": "C.UTF-8", "PYTHONFAULTHANDLER": "1"}
    argv = [sys.executable, "-m", "runtower.cli", *words]
    return subprocess.run(argv, cwd=folder, env=known, capture_output=True, text=True, timeout=90)


def test_runs(project: Path) -> None:
    done = run(project, "runs", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = {one["name"]: one for one in json.loads(done.stdout)}
    assert {name: one["metrics"]["val_loss"] for name, one in found.items()} == {
        "try-0": 0.5,
        "try-1": "NaN",
        "try-2": 0.25,
    }
    first = found["try-0"]
    assert (first["experiment"], first["status"], first["params"]["lr"]) == ("sweep", "FINISHED", "1e-0")
    assert (first["start_time"], first["end_time"]) == (1_700_000_000_000, 1_700_000_060_000)
    assert found["try-1"]["status"] == "FAILED"
    plain = run(project, "runs", "--columns", "name,val_loss", "--sort", "val_loss", "--limit", "2", "--csv")
    assert list(csv.reader(io.StringIO(plain.stdout)))[1:] == [["try-2", "0.25"], ["try-0", "0.5"]]


def test_show_and_metric(project: Path) -> None:
    best = run(project, "show", "@best:val_loss", "--json")
    assert best.returncode == 0, best.stderr
    assert json.loads(best.stdout)[0]["name"] == "try-2"
    history = run(project, "metric", "try-1", "val_loss", "--json")
    points = [(point["step"], point["time"], point["value"]) for point in json.loads(history.stdout)]
    assert points == [(0, 1_700_000_000_500, 2.0), (10, 1_700_000_001_000, "NaN")]
    assert run(project, "show", "try-9").returncode == 6
    assert run(project, "metric", "try-1", "train_loss").returncode == 6


# A line from (0, 2.0) to (10, 0.5), and one to (10, 0.25).
GOLDEN = """\
1 try-0  0.5
2 try-2  0.25
                val_loss
 ┌─────────────────────────────────────┐
2┤1                                    │
1┤ 111111111111111111                  │
 │                   111111111111111111│
 └┬───────────────────────────────────┬┘
  0                                  10
                  step
"""


def test_plot(project: Path) -> None:
    done = run(project, "plot", "try-0", "try-2", "val_loss", "--size", "40x10")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == GOLDEN
    points = run(project, "plot", "try-0", "try-1", "val_loss", "--json", "--x", "relative")
    found = [(one["name"], one["x"], one["step"], one["value"]) for one in json.loads(points.stdout)]
    assert found == [("try-0", 0.0, 0, 2.0), ("try-0", 0.5, 10, 0.5), ("try-1", 0.0, 0, 2.0), ("try-1", 0.5, 10, "NaN")]
    smooth = run(project, "plot", "try-0", "val_loss", "--csv", "--smooth", "0.5")
    assert [row[4] for row in csv.reader(io.StringIO(smooth.stdout))] == ["value", "2.0", "1.0"]
    picture = ElementTree.fromstring(run(project, "plot", "try-0", "val_loss", "--svg", "--log").stdout)
    assert sum(element.tag.endswith("polyline") for element in picture) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("try-0", "nope"), "metric 'nope'"),
        (("nobody", "val_loss"), "nobody"),
        (("try-0", "val_loss", "--smooth", "1"), "below 1"),
        (("try-0", "val_loss", "--size", "9x9"), "too small"),
        (("try-0", "val_loss", "--size", "big"), "no size"),
        (("try-0", "val_loss", "--svg", "--csv"), "Choose one"),
    ],
)
def test_plot_says_what_is_wrong(project: Path, words: tuple[str, ...], said: str) -> None:
    done = run(project, "plot", *words)
    assert done.returncode in (2, 6)
    assert said in done.stderr
    assert done.stdout == ""


def test_doctor(project: Path) -> None:
    done = run(project, "doctor", "--json")
    assert done.stdout, (done.returncode, done.stderr)
    says = [one["says"] for one in json.loads(done.stdout)]
    assert any("3 runs" in line and str(project) in line for line in says), says


def test_reading_changes_nothing(project: Path) -> None:
    def stamps() -> dict[str, tuple[int, int]]:
        store = project / "mlruns" if (project / "mlruns").is_dir() else project / "mlflow.db"
        files = [path for path in (store, *store.rglob("*")) if path.is_file()]
        return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in files}

    before = stamps()
    assert run(project, "runs").returncode == 0
    assert before
    assert stamps() == before
