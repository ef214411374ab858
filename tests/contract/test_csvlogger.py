"""Lightning's CSVLogger folders: files that grow, tear, change their header, or make no sense."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from support.mirror import drained

from runtower.domain.errors import NotFound
from runtower.domain.runs import ValueType
from runtower.sources.csvlogger import SOURCE
from runtower.sources.csvlogger.source import CsvLoggerSource
from runtower.sources.port import Known, Target, Texts


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _version(root: Path, path: str, metrics: str, hparams: str | None = None) -> Path:
    folder = root / path
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.csv").write_text(metrics)
    if hparams is not None:
        (folder / "hparams.yaml").write_text(hparams)
    return folder


def _source(root: Path) -> CsvLoggerSource:
    return CsvLoggerSource(root.resolve(), Known())


def test_a_missing_folder_is_not_made(tmp_path):
    with pytest.raises(NotFound):
        SOURCE.open(Target("t", "csvlogger", str(tmp_path / "no")), Known())
    assert list(tmp_path.iterdir()) == []


def test_runs_are_version_folders_wherever_they_are(tmp_path):
    for path in ("lightning_logs/version_0", "a/b/c/version_7", "version_1", "a/version_0/below/version_2"):
        _version(tmp_path, path, "step,loss\n0,1\n")
    for path in (".hidden/version_0", "node_modules/version_0", "lightning_logs/other", "1/2/3/4/5/6/7/8/9/version_0"):
        _version(tmp_path, path, "step,loss\n0,1\n")
    _version(tmp_path, "env/lib/version_0", "step,loss\n0,1\n")
    (tmp_path / "env" / "pyvenv.cfg").touch()
    (tmp_path / "lightning_logs" / "version_9").mkdir()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    mirror = drained(_source(tmp_path))
    named = {run_id: (f["attribute.name"], f["attribute.experiment_id"]) for run_id, f in mirror.runs.items()}
    assert named == {
        "lightning_logs/version_0": ("lightning_logs/version_0", "lightning_logs"),
        "a/b/c/version_7": ("c/version_7", "a/b/c"),
        "version_1": (f"{tmp_path.name}/version_1", "."),
        "a/version_0/below/version_2": ("below/version_2", "a/version_0/below"),
    }
    assert mirror.experiments["."].name == tmp_path.name


def test_the_root_may_be_a_version_folder(tmp_path):
    root = _version(tmp_path, "lightning_logs/version_3", "step,loss\n0,1\n")
    mirror = drained(_source(root))
    assert mirror.runs["."]["attribute.name"] == "version_3"
    assert _source(root).history(".", "loss").values.tolist() == [1.0]


def test_empty_cells_are_no_values(tmp_path):
    _version(tmp_path, "version_0", "epoch,step,loss,val\n0,1,0.5,\n0,2,,0.25\n1,3,nan,\n1,4,,inf\n")
    source = _source(tmp_path)
    run = drained(source).runs["version_0"]
    assert {key: run[f"metric.{key}"] for key in ("epoch", "loss", "val")} == {
        "epoch": 1.0,
        "loss": "nan",
        "val": float("inf"),
    }
    assert "metric.step" not in run
    assert source.history("version_0", "val").steps.tolist() == [2, 4]
    assert source.history("version_0", "epoch").values.tolist() == [0, 0, 1, 1]
    with pytest.raises(NotFound):
        source.history("version_0", "step")
    with pytest.raises(NotFound):
        source.history("../version_0", "loss")


def test_a_torn_line_waits_until_it_is_whole(tmp_path):
    path = _version(tmp_path, "version_0", "step,loss\n0,1.5\n1,0.2") / "metrics.csv"
    source = _source(tmp_path)
    mirror = drained(source)
    assert mirror.runs["version_0"]["metric.loss"] == 1.5
    assert source.history("version_0", "loss").values.tolist() == [1.5]
    with path.open("a") as file:
        file.write("5\n2,0.125\n3,")
    mirror.poll(source)
    assert mirror.runs["version_0"]["metric.loss"] == 0.125
    assert source.history("version_0", "loss").values.tolist() == [1.5, 0.25, 0.125]
    assert not mirror.errors


def test_a_header_still_being_written(tmp_path):
    path = _version(tmp_path, "version_0", "step,lo") / "metrics.csv"
    source = _source(tmp_path)
    mirror = drained(source)
    assert list(mirror.runs) == ["version_0"]
    path.write_text("step,loss\n0,3\n")
    mirror.poll(source)
    assert mirror.runs["version_0"]["metric.loss"] == 3.0


def test_a_new_column_makes_the_file_anew(tmp_path):
    path = _version(tmp_path, "version_0", "step,loss\n0,1\n1,2\n") / "metrics.csv"
    source = _source(tmp_path)
    mirror = drained(source)
    path.write_text("step,loss,acc\n0,1,\n1,2,\n2,,0.5\n")
    mirror.poll(source)
    assert mirror.runs["version_0"]["metric.loss"] == 2.0
    assert mirror.runs["version_0"]["metric.acc"] == 0.5


def test_growth_is_read_from_where_it_ended(tmp_path, monkeypatch):
    path = _version(tmp_path, "version_0", "step,loss\n" + "".join(f"{n},{n}\n" for n in range(1000))) / "metrics.csv"
    source = _source(tmp_path)
    mirror = drained(source)
    metrics = source._runs["version_0"].metrics
    before = metrics._offset
    assert before == path.stat().st_size
    with path.open("a") as file:
        file.write("1000,7\n")
    mirror.poll(source)
    assert metrics._offset == path.stat().st_size
    assert mirror.runs["version_0"]["metric.loss"] == 7.0


def test_hparams_are_flat_and_typed(tmp_path):
    text = (
        "lr: 1e-3\nbatch: 32\ndrop: 0.5\nname: vit\nflag: true\nnone: null\nlayers: [1, {b: 2, a: x}]\n"
        "opt:\n  name: adam\n  betas: [0.9, 0.99]\n  deep: {er: 1}\nempty: {}\nday: 2024-01-01\n"
    )
    _version(tmp_path, "version_0", "step,loss\n0,1\n", text)
    (delta,) = _source(tmp_path).changes(b"", ())
    found = {c.key: (c.values[0], ValueType(c.types[0])) for c in delta.cells if isinstance(c, Texts) and c.types}
    assert found == {
        "lr": ("1e-3", ValueType.TEXT),
        "batch": ("32", ValueType.INTEGER),
        "drop": ("0.5", ValueType.FLOAT),
        "name": ("vit", ValueType.TEXT),
        "flag": ("true", ValueType.BOOLEAN),
        "none": ("null", ValueType.NULL),
        "layers": ('[1,{"a":"x","b":2}]', ValueType.JSON),
        "opt.name": ("adam", ValueType.TEXT),
        "opt.betas": ("[0.9,0.99]", ValueType.JSON),
        "opt.deep.er": ("1", ValueType.INTEGER),
        "empty": ("{}", ValueType.JSON),
        "day": ("2024-01-01", ValueType.TEXT),
    }


@pytest.mark.parametrize(
    "text",
    [
        "x: !!python/object/apply:os.system ['touch hacked']\ny: 1\n",
        "x: !!python/name:os.system ''\ny: 1\n",
        "x: !!python/object/new:pathlib.PosixPath [a, b]\ny: 1\n",
        "x: !custom {a: 1}\ny: 1\n",
        "x: !!python/tuple [1, 2]\ny: 1\n",
    ],
)
def test_tags_make_no_objects(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    _version(tmp_path, "version_0", "step,loss\n0,1\n", text)
    mirror = drained(_source(tmp_path))
    assert mirror.runs["version_0"]["param.y"] == "1"
    assert any(key.startswith("param.x") for key in mirror.runs["version_0"])
    assert not (tmp_path / "hacked").exists()
    assert not mirror.errors


@pytest.mark.parametrize(
    "text",
    [
        "a: [1\n",
        "- 1\n- 2\n",
        "a: &a [*a, *a]\nb: {c: " + "[" * 50 + "]" * 49 + "}\n",
        "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 1}]\n" for n in range(12)),
    ],
)
def test_a_broken_yaml_is_an_error_of_its_row(tmp_path, text):
    folder = _version(tmp_path, "version_0", "step,loss\n0,1\n", text)
    source = _source(tmp_path)
    mirror = drained(source)
    assert mirror.runs["version_0"]["metric.loss"] == 1.0
    assert [error.run_id for error in mirror.errors] == ["version_0"]
    (folder / "hparams.yaml").write_text("a: 1\n")
    mirror.errors.clear()
    mirror.poll(source)
    assert mirror.runs["version_0"]["param.a"] == "1"
    assert not mirror.errors


def test_a_broken_csv_is_an_error_of_its_row(tmp_path):
    _version(tmp_path, "version_0", 'step,loss\n0,1\n1,what\n\x00\x00\n2,3,4,5\n"3,2\n')
    _version(tmp_path, "version_1", "")
    mirror = drained(_source(tmp_path))
    assert mirror.runs.keys() == {"version_0", "version_1"}
    assert {error.run_id for error in mirror.errors} == {"version_0"}


def test_what_could_not_be_read_is_said_again_by_the_next_process(tmp_path):
    _version(tmp_path, "version_0", "step,loss\n0,1\n", "a: [1\n")
    _version(tmp_path, "version_1", "step,loss\n0,1\n")
    mirror = drained(_source(tmp_path))
    mirror.errors.clear()
    (delta,) = mirror.poll(_source(tmp_path))
    assert delta.run_ids == ["version_0"]
    assert [error.run_id for error in mirror.errors] == ["version_0"]


def test_writing_and_quiet(tmp_path):
    path = _version(tmp_path, "version_0", "step,loss\n0,1\n", "a: 1\n") / "metrics.csv"
    os.utime(path, (1_000_000, 1_000_000))
    os.utime(path.with_name("hparams.yaml"), (999_000, 999_000))
    clock = Clock()
    clock.now = 1_000_030.0
    source = CsvLoggerSource(tmp_path.resolve(), Known(), clock)
    mirror = drained(source)
    run = mirror.runs["version_0"]
    assert (run["attribute.status"], run["attribute.source_status"]) == ("RUNNING", "writing")
    assert run["attribute.start_time"] == 999_000_000.0
    assert "attribute.end_time" not in run
    assert mirror.poll(source) == []
    clock.now = 1_000_061.0
    mirror.poll(source)
    run = mirror.runs["version_0"]
    assert (run["attribute.status"], run["attribute.source_status"]) == ("UNKNOWN", "quiet")
    assert mirror.poll(source) == []


def test_a_root_that_goes_and_comes(tmp_path):
    root = tmp_path / "logs"
    _version(root, "version_0", "step,loss\n0,1\n")
    source = _source(root)
    mirror = drained(source)
    root.rename(tmp_path / "away")
    with pytest.raises(NotFound):
        mirror.poll(source)
    (tmp_path / "away").rename(root)
    mirror.poll(source)
    assert list(mirror.runs) == ["version_0"]


def test_steps_that_are_missing(tmp_path):
    _version(tmp_path, "version_0", "loss\n3\n2\n1\n")
    _version(tmp_path, "version_1", "step,loss\n5,3\n,2\n4,1\n")
    source = _source(tmp_path)
    assert source.history("version_0", "loss").steps.tolist() == [0, 1, 2]
    series = source.history("version_1", "loss")
    assert series.steps.tolist() == [4, 5, 5]
    np.testing.assert_array_equal(series.values, [1.0, 3.0, 2.0])
