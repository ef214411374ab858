"""What the demo's runs leave as files: the settings they began with, and what they printed."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

from runtower.demo.plan import PlannedRun

LOG = "train.log"
_BAR = 20
_EVERY = 5
_CLASSES = (("bicycle", 312), ("bus", 140), ("car", 2871), ("person", 4102), ("traffic light", 655), ("truck", 398))


def config(run: PlannedRun) -> str:
    """`config.yaml`: the params as the nested settings that they come from."""
    lines: list[str] = []
    groups: dict[str, list[str]] = {}
    for key, value in run.params.items():
        group, _, name = key.rpartition(".")
        groups.setdefault(group, []).append(f"{name}: {value}")
    for group, entries in sorted(groups.items()):
        lines += [f"{group}:", *(f"  {entry}" for entry in entries)] if group else entries
    return "\n".join(lines) + "\n"


def begin_files(folder: Path, run: PlannedRun, start_ms: int) -> None:
    """Among its artifacts when it begins: the settings, and the first lines of the log."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(config(run))
    (folder / LOG).write_text("".join(_begin(run, start_ms)))


def put_log(folder: Path, run: PlannedRun, start_ms: int, is_running: bool) -> None:
    """All that it printed, to its end, or as far as it is."""
    steps = len(run.curves["val_loss"]) if run.curves else 0
    each = run.took_ms // max(1, steps)
    lines = [line for step in range(steps) for line in _at(run, step, start_ms + each * step)]
    with (folder / LOG).open("a") as out:
        out.writelines([*lines, *(() if is_running else _end(run, start_ms + run.took_ms))])


def put_results(folder: Path, run: PlannedRun) -> None:
    """A table of a finished run's scores by class."""
    loss = run.curves["val_loss"][-1] if run.curves else math.nan
    if run.status != "FINISHED" or math.isnan(loss):
        return
    (folder / "eval").mkdir(exist_ok=True)
    rows = [
        f"{name},{support},{max(0.05, 0.98 - loss / (2 + place)):.3f},{max(0.05, 0.96 - loss / (3 + place)):.3f}\n"
        for place, (name, support) in enumerate(_CLASSES)
    ]
    (folder / "eval" / "by_class.csv").write_text("class,support,precision,recall\n" + "".join(rows))


def add_to_log(folder: Path, run: PlannedRun, step: int, now_ms: int) -> None:
    """What a live run prints at a step."""
    with (folder / LOG).open("a") as out:
        out.writelines(_at(run, step, now_ms))


def _begin(run: PlannedRun, now_ms: int) -> Iterator[str]:
    """What is printed before the first step."""
    yield _said(now_ms, f"{run.experiment}: {run.params['model.name']}, seed {run.params['seed']}")
    yield _said(now_ms, f"commit {run.commit[:8]}, precision {run.params['trainer.precision']}")


def _at(run: PlannedRun, step: int, now_ms: int) -> Iterator[str]:
    """What is printed at a step: a progress bar that overwrites itself, and a line each epoch."""
    part = step % _EVERY + 1
    bar = "\r" + "".join(
        f"\repoch {step // _EVERY}  {100 * done // _BAR:3d}%|{'#' * done:<{_BAR}}|"
        for done in range((part - 1) * _BAR // _EVERY, part * _BAR // _EVERY + 1)
    )
    yield bar
    if part == _EVERY:
        train, valid = run.curves["train_loss"][step], run.curves["val_loss"][step]
        yield "\n" + _said(now_ms, f"epoch {step // _EVERY} done  train_loss {train:.4f}  val_loss {valid:.4f}")
        if math.isnan(valid):
            yield _said(now_ms, "the loss is NaN; going on, as asked", "WARNING")


def _end(run: PlannedRun, now_ms: int) -> Iterator[str]:
    if run.status == "FAILED":
        yield "\n" + _said(now_ms, "training failed", "ERROR")
        yield "Traceback (most recent call last):\n"
        yield f'  File "train_{run.experiment}.py", line 88, in <module>\n    main()\n'
        yield f'  File "train_{run.experiment}.py", line 71, in main\n    loss = model(batch.to(device)).loss\n'
        yield (
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.25 GiB. GPU 0 has a total capacity of"
            " 23.64 GiB of which 1.12 GiB is free.\n"
        )
    elif run.status == "KILLED":
        yield "\nslurmstepd: error: *** JOB 48213 ON gpu-07 CANCELLED DUE TO TIME LIMIT ***\n"
    elif run.status == "FINISHED":
        yield "\n" + _said(now_ms, "done; the best checkpoint is model/best.ckpt")


def _said(now_ms: int, text: str, level: str = "INFO") -> str:
    moment = time.strftime("%H:%M:%S", time.localtime(now_ms / 1000))
    return f"\x1b[2m{moment}\x1b[0m {level:<7} {text}\n"
