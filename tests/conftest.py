"""Every test has a home of its own, and no MLflow settings of the developer's."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest
from support.labregistry import Registry, register_lab
from support.labstore import write_lab

hypothesis.settings.register_profile("patient", deadline=None)  # a busy machine is no error
hypothesis.settings.load_profile("patient")


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
    """The lab's store, to be copied."""
    return _written_once(tmp_path_factory, "lab.db", lambda path: write_lab(f"sqlite:///{path}"))


@pytest.fixture(scope="session")
def registry_template(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """The lab's registry of models, to be copied."""
    return Registry(_written_once(tmp_path_factory, "registry", register_lab))


@pytest.fixture
def registry(registry_template: Registry, tmp_path: Path) -> Registry:
    """A registry of the test's own, written 'just now'."""
    return registry_template.copied(tmp_path / "registry")


def _written_once(factory: pytest.TempPathFactory, name: str, write: Callable[[Path], object]) -> Path:
    """Shared by the workers of one test run: the first one writes, the others wait for what is finished."""
    shared = factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    done, claim = shared / name, shared / f"{name}.claim"
    try:
        claim.touch(exist_ok=False)
    except FileExistsError:
        end = time.monotonic() + 120
        while not done.exists():
            assert time.monotonic() < end, f"the other worker never wrote {name}"
            time.sleep(0.1)  # another process writes; there is nothing else to wait on
        return done
    unfinished = shared / f"unfinished.{name}"
    write(unfinished)
    unfinished.rename(done)
    return done
