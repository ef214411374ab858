"""A lab's registry of models, as MLflow writes it: two that are used, one that came from elsewhere, and odd ones.

`detector` has six versions. Between 2 (champion) and 3 (challenger) only the environment differs, and 3 is the better
one on the same data; 1 and 4 have other signatures, 1 was judged on other data; 5 is pending and 6 failed.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from support.labstore import WRITTEN_MS, bring_to_now, changing, id_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "street"
DETECTOR, RANKER, IMPORTED, EMPTY = "detector", "ranker", "imported", "never-versioned"
LONG = "straßen-erkennung 模型 🚀 [b]bold[ " + "very-long-name-" * 12
LONG_WORDS = "Erkennt Straßen. \x1b[31mRed?\x1b[0m\n\n" + "A long description, 長い説明 and 🚀. " * 40
MODELS = (DETECTOR, EMPTY, IMPORTED, RANKER, LONG)
DATA, OLD_DIGEST, DIGEST = "street-val", "0d1e2f3a", "9c8b7a65"
COMMITS = ("1111111111222222222233333333334444444444", "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd")
# name, hours ago, user, model, lr, seed, last val_acc, last loss, latency_ms, digest of the data it was judged on
RUNS = (
    ("first-try", 240, "ana", "cnn", "0.01", "1", 0.9010, 0.410, 18.0, OLD_DIGEST),
    ("vit-s1", 120, "ana", "vit", "0.001", "1", 0.9210, 0.262, 30.5, DIGEST),
    ("vit-s2", 119, "ana", "vit", "0.001", "2", 0.9190, 0.268, 30.4, DIGEST),
    ("vit-s3", 118, "ana", "vit", "0.001", "3", 0.9200, 0.265, 30.6, DIGEST),
    ("vit-low-s1", 48, "bo", "vit", "0.0003", "1", 0.9312, 0.231, 34.2, DIGEST),
    ("vit-low-s2", 47, "bo", "vit", "0.0003", "2", 0.9301, 0.234, 34.1, DIGEST),
    ("vit-low-s3", 46, "bo", "vit", "0.0003", "3", 0.9308, 0.232, 34.3, DIGEST),
    ("wide", 24, "bo", "vit-wide", "0.0003", "1", 0.9215, 0.260, 52.0, DIGEST),
)
STEPS = 10
OLD_INPUTS, INPUTS = ("image",), ("image", "scale")
OLD_REQUIREMENTS = ("numpy==1.26.4", "torch==2.4.0")
REQUIREMENTS = ("numpy==2.1.0", "torch==2.5.1")
NEW_REQUIREMENTS = ("numpy==2.1.0", "pillow==11.0.0", "torch==2.6.0")
FAILED_WORDS = "The files at models:/m-gone could not be copied: no space left on device."


@dataclass(frozen=True)
class LabVersion:
    """A version of `detector`. `hours` ago it was registered."""

    run: str
    hours: int
    inputs: tuple[str, ...]
    requirements: tuple[str, ...]
    alias: str = ""
    stage: str = "None"
    tags: tuple[tuple[str, str], ...] = ()
    description: str = ""
    status: str = "READY"


VERSIONS = (
    LabVersion("first-try", 230, OLD_INPUTS, OLD_REQUIREMENTS, "baseline", "Archived", description="The first one."),
    LabVersion("vit-s1", 110, INPUTS, REQUIREMENTS, "champion", "Production", (("reviewed", "chen"),), "Holds up."),
    LabVersion(
        "vit-low-s1",
        40,
        INPUTS,
        NEW_REQUIREMENTS,
        "challenger",
        "Staging",
        (("reviewed", "ana"), ("quantized", "no")),
        "A lower rate,\nand **better** by a point.",
    ),
    LabVersion("wide", 20, (*INPUTS, "mask"), NEW_REQUIREMENTS),
    LabVersion("vit-low-s2", 2, INPUTS, NEW_REQUIREMENTS, status="PENDING_REGISTRATION"),
    LabVersion("vit-low-s3", 1, INPUTS, NEW_REQUIREMENTS, status="FAILED_REGISTRATION"),
)


@dataclass(frozen=True)
class Registry:
    """A store with its files, all below `folder`."""

    folder: Path

    @property
    def store(self) -> Path:
        return self.folder / "mlflow.db"

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.store}"

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    @cached_property
    def client(self) -> MlflowClient:
        """Somebody else's, on the same store."""
        from mlflow import MlflowClient

        return MlflowClient(self.uri, self.uri)

    def run_id(self, name: str) -> str:
        """The id of one of RUNS."""
        return id_of(self.store, name)

    def files_of(self, model: str, version: int) -> Path:
        """The folder of a version's MLmodel."""
        with closing(sqlite3.connect(self.store)) as connection:
            (place,) = connection.execute(
                "SELECT storage_location FROM model_versions WHERE name = ? AND version = ?", (model, version)
            ).fetchone()
        return Path(unquote(urlsplit(place).path))

    def copied(self, folder: Path, to_now: bool = True) -> Registry:
        """A registry of one's own in a new folder, written 'just now' unless its times are to stay."""
        shutil.copytree(self.folder, folder)
        copy = Registry(folder)
        new = copy.artifacts.as_uri()
        with changing(copy.store) as connection:
            named = "SELECT artifact_location FROM experiments WHERE name = ?"
            (old,) = connection.execute(named, (EXPERIMENT,)).fetchone()
            for table, column in (
                ("experiments", "artifact_location"),
                ("runs", "artifact_uri"),
                ("logged_models", "artifact_location"),
                ("model_versions", "source"),
                ("model_versions", "storage_location"),
            ):
                connection.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (old, new))
        for file in folder.rglob("MLmodel"):
            file.write_text(file.read_text().replace(old, new))
        if to_now:
            bring_to_now(copy.store)
        return copy


def register_lab(folder: Path) -> Registry:
    """Write it, by a process of its own: what logs models looks at the working folder and sets variables."""
    folder.mkdir(parents=True)
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent), "MLFLOW_DISABLE_TELEMETRY": "true"}
    written = subprocess.run(
        [sys.executable, "-m", "support.write_registry", str(folder)],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
    )
    assert written.returncode == 0, written.stderr
    return Registry(folder)


def at(hours: float) -> int:
    """So many hours before it was written; UTC epoch ms."""
    return WRITTEN_MS - int(hours * 3_600_000)
