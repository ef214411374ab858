"""A project's folder, and the folders of a user of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtower.folders import Folders


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "cache", tmp_path / "state", tmp_path / "config")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    return folder
