"""Every test has a home of its own, and no MLflow settings of the developer's."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from support.labstore import write_lab


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh HOME with XDG folders below it; the working folder stays."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    for name, below in (
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_CACHE_HOME", ".cache"),
        ("XDG_STATE_HOME", ".local/state"),
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_RUNTIME_DIR", ".run"),
    ):
        path = folder / below
        path.mkdir(parents=True)
        monkeypatch.setenv(name, str(path))
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)
    return folder


@pytest.fixture(scope="session")
def lab_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared by the workers of one test run: the first one writes, the others wait for the finished file."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    done, claim = shared / "lab.db", shared / "lab.claim"
    try:
        claim.touch(exist_ok=False)
    except FileExistsError:
        end = time.monotonic() + 120
        while not done.exists():
            assert time.monotonic() < end, "the other worker never wrote the store"
            time.sleep(0.1)  # another process writes; there is nothing else to wait on
        return done
    unfinished = shared / "lab.unfinished.db"
    write_lab(f"sqlite:///{unfinished}")
    unfinished.rename(done)
    return done
