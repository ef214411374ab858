"""The lab's store is written once a machine's test run, then copied for each test."""

from __future__ import annotations

import shutil
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from support.labstore import bring_to_now
from support.towerapp import Open, Tower, settings_for, tower


@pytest.fixture
def store(lab_template: Path, tmp_path: Path) -> Path:
    """A store of the test's own, written 'just now'."""
    path = Path(shutil.copy(lab_template, tmp_path / "mlflow.db"))
    bring_to_now(path)
    return path


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch) -> str:
    """Who sits before the screen."""
    for name in ("LOGNAME", "USER"):
        monkeypatch.setenv(name, "ana")
    return "ana"


@pytest.fixture
def open_lab(store: Path, tmp_path: Path, user: str) -> Open:
    """`async with open_lab() as t`: the app on the test's store, with other settings where given."""

    def opened(
        size: tuple[int, int] = (80, 24), environ: dict[str, str] | None = None, at: Path | None = None, **more: Any
    ) -> AbstractAsyncContextManager[Tower]:
        return tower(settings_for(at or store, **more), tmp_path, size, environ)

    return opened
