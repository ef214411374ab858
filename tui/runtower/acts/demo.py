"""The demo project: a real MLflow store and CSV logs, made by a process of its own while one looks at them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtower.acts.discover import sqlite_uri
from runtower.demo.project import put_settings
from runtower.domain.errors import Invalid
from runtower.sources.port import Target

# What a line says, and the actions that take to the next one.
STEPS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("/ filters as you type: try vit or !failed", ("find.filter",)),
    ("h l choose a column, s sorts by it, s again reverses", ("columns.sort",)),
    ("space marks runs, * marks all that the filter shows", ("mark.toggle", "mark.all")),
    ("x shows only the columns in which runs differ, = makes one the baseline", ("look.differences", "mark.baseline")),
    ("m chooses the metric of the curve, enter opens the run", ("look.metric", "look.open")),
    ("E chooses experiments, ? lists every key", ("find.experiments", "app.help")),
)
FIRST_EXPERIMENT: Final = "detector"


@dataclass
class Demo:
    """A project that is being made. `is_kept`: the folder was named by the user, and stays."""

    folder: Path
    targets: tuple[Target, ...]
    process: subprocess.Popen[bytes]
    is_kept: bool

    def close(self) -> None:
        """End the processes that make it; a temporary folder goes with it."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if not self.is_kept:
            shutil.rmtree(self.folder, ignore_errors=True)
            sys.stdout.write("The demo's folder is removed; 'runtower demo DIR' keeps one.\n")


def start(folder: Path | None) -> Demo:
    """Begin to make a demo project; call it in the thread that the screen ends with.

    Raises Invalid for a folder that holds something or can't be made.
    """
    kept = folder is not None
    place = _empty(folder) if folder is not None else Path(tempfile.mkdtemp(prefix="runtower-demo-"))
    logs = place / "lightning_logs"
    logs.mkdir()
    (place / ".dvc").mkdir()  # what is made of it comes later
    put_settings(place)
    # What the user's MLflow is set to must not lead the demo's writes anywhere else.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    with (place / "demo.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "runtower.demo.make", str(place), "--parent", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=place,
            env=environ,
            start_new_session=True,
        )
    targets = (
        Target("demo", "mlflow", sqlite_uri(place / "mlflow.db")),
        Target("csv", "csvlogger", str(logs)),
        Target("dvc", "dvc", str(place)),
    )
    return Demo(place, targets, process, kept)


def _empty(folder: Path) -> Path:
    folder = folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        filled = next(folder.iterdir(), None) is not None
    except OSError as error:
        raise Invalid(f"The demo can't use {folder}: {error.strerror}.", "Name an empty or new folder.") from error
    if filled:
        raise Invalid(f"{folder} isn't empty, and the demo writes into nothing that exists.", "Name a new folder.")
    return folder
