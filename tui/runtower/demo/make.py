"""`python -P -m runtower.demo.make DIR [--parent PID] [--frozen NOW_MS]`: makes the project, then trains until killed.

The CSV logs come first, since mlflow takes ten seconds to make its tables.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runtower.demo.plan import SEED, PlannedRun, curves, live_run, planned_runs
from runtower.demo.project import put_settings
from runtower.link import native

if TYPE_CHECKING:
    from runtower.demo.store import Store

_LIVE: Final = 3
_CSV_VERSIONS: Final = 4
_NICE: Final = 10


def main() -> None:
    """Make it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--parent", type=int, help="end with this process")
    parser.add_argument("--frozen", type=int, metavar="NOW_MS", help="no live training, and times relative to this")
    asked = parser.parse_args()
    if asked.parent is not None:
        native.die_with(asked.parent)
    if asked.frozen is None:
        native.nice(_NICE)
    sys.dont_write_bytecode = True  # MLflow imports the models' code where it lies, and its cache would stay there
    folder = asked.folder.absolute()
    csv_logs(folder / "lightning_logs")
    put_settings(folder)
    os.chdir(folder)  # MLflow keeps a uv.lock of the working folder with each model
    from runtower.demo.store import Store  # noqa: PLC0415  mlflow takes seconds to import: the CSV logs are there first

    if asked.frozen is None:
        begin_pipeline(folder)
    store = Store(folder)
    now_ms = asked.frozen or time.time_ns() // 1_000_000
    fill(store, now_ms, asked.frozen is not None)
    if asked.frozen is None:
        train(store, folder / "lightning_logs")


def begin_pipeline(folder: Path) -> None:
    """The DVC project, made by a process beside this one."""
    words = [sys.executable, "-P", "-m", "runtower.demo.pipeline", str(folder), "--parent", str(os.getpid())]
    subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL)


def csv_logs(folder: Path) -> None:
    """Versions 0 to 3, as Lightning's CSVLogger leaves them."""
    chance = random.Random(SEED)  # noqa: S311 - a demo, not a secret
    for number in range(_CSV_VERSIONS):
        version = folder / f"version_{number}"
        version.mkdir(parents=True)
        rate = (1e-4, 3e-4, 1e-3, 1e-2)[number]
        (version / "hparams.yaml").write_text(f"lr: {rate}\nbatch_size: {32 * (number + 1)}\nhidden_dim: 256\n")
        known = curves("sentiment", chance, 50, rate)
        lines = [_csv_line(known, step) for step in range(50)]
        (version / "metrics.csv").write_text("epoch,step,train_loss,val_loss\n" + "".join(lines))


def _csv_line(known: dict[str, list[float]], step: int) -> str:
    return f"{step // 5},{step * 20},{known['train_loss'][step]},{known['val_loss'][step]}\n"


def fill(store: Store, now_ms: int, is_frozen: bool) -> None:
    """All runs that are over, newest last, and the registry. Frozen: the last two are left running."""
    planned = planned_runs()
    written: list[tuple[PlannedRun, str]] = []
    for place, run in enumerate(planned):
        is_running = is_frozen and place >= len(planned) - 2
        written.append((run, store.write(run, now_ms - run.age_ms, is_running)))
    good = [(run, run_id) for run, run_id in written if run.status == "FINISHED" and run.curves]
    good.sort(key=lambda pair: (pair[0].curves["val_loss"][-1] != pair[0].curves["val_loss"][-1], _last(pair[0])))
    register(store, now_ms, {(run.experiment, run.name): (run, run_id) for run, run_id in written})
    store.tag(good[0][1], "mlflow.note.content", "The best one so far.")


def register(store: Store, now_ms: int, runs: Mapping[tuple[str, str], tuple[PlannedRun, str]]) -> None:
    """The registry, when all runs can be seen already."""
    from runtower.demo.registry import Registry  # noqa: PLC0415  pandas takes a second to import

    Registry(store.client, store.folder, runs).fill(now_ms)


def _last(run: PlannedRun) -> float:
    return run.curves["val_loss"][-1]


def train(store: Store, logs: Path) -> None:
    """Three runs at a time, a step each second, for ever; and one CSV log that grows."""
    chance = random.Random(SEED + 1)  # noqa: S311
    going: list[tuple[PlannedRun, str, int]] = []
    started = 0
    csv_curves, csv_step, version = curves("sentiment", chance, 600, 1e-3), 0, logs / f"version_{_CSV_VERSIONS}"
    version.mkdir()
    (version / "hparams.yaml").write_text("lr: 0.001\nbatch_size: 64\nhidden_dim: 512\n")
    (version / "metrics.csv").write_text("epoch,step,train_loss,val_loss\n")
    while True:
        now_ms = time.time_ns() // 1_000_000
        while len(going) < _LIVE:
            run = live_run(chance, started)
            going.append((run, store.begin(run, now_ms), 0))
            started += 1
        still: list[tuple[PlannedRun, str, int]] = []
        for run, run_id, step in going:
            if step < len(run.curves["val_loss"]):
                store.point(run_id, run, step, now_ms)
                still.append((run, run_id, step + 1))
            else:
                store.end(run_id, replace(run, status="FINISHED"), now_ms)
        going = still
        if csv_step < 600:
            with (version / "metrics.csv").open("a") as file:
                file.write(_csv_line(csv_curves, csv_step))
            csv_step += 1
        time.sleep(max(0.0, 1.0 - (time.time_ns() // 1_000_000 - now_ms) / 1000))


if __name__ == "__main__":
    main()
