"""DVC projects of a test's own: written by git's objects as DVC leaves them, or by DVC's own commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pygit2

_DVC_YAML = """\
metrics: [dvclive/metrics.json]
plots:
- dvclive/plots/metrics: {x: step}
"""
_ANA = pygit2.Signature("Ana", "ana@example.org", 1_800_000_000, 60)


class WrittenProject:
    """A project whose experiments are written as commits: quick, and as DVCLive's are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = pygit2.init_repository(str(folder), initial_head="main")
        (folder / ".dvc").mkdir()
        self.baseline = self.commit(
            "refs/heads/main", {".dvc/config": "", "dvc.yaml": _DVC_YAML, "params.yaml": "{}\n"}
        )
        self.repository.checkout_head(strategy=pygit2.enums.CheckoutStrategy.FORCE)

    def commit(self, ref: str, files: Mapping[str, str | bytes], parent: str = "", when: int = 0) -> str:
        """A commit with these files on top of the parent's; gives its id."""
        index = pygit2.Index()
        if parent:
            index.read_tree(self.repository[parent].tree)
        for path, text in files.items():
            blob = self.repository.create_blob(text if isinstance(text, bytes) else text.encode())
            index.add(pygit2.IndexEntry(path, blob, pygit2.enums.FileMode.BLOB))
        tree = index.write_tree(self.repository)
        who = pygit2.Signature(_ANA.name, _ANA.email, _ANA.time + when, _ANA.offset)
        oid = self.repository.create_commit(None, who, who, f"commit {when}\n", tree, [parent] if parent else [])
        self.repository.references.create(ref, oid, force=True)
        return str(oid)

    def experiment(self, name: str, files: Mapping[str, str | bytes], when: int = 1, baseline: str = "") -> str:
        """An experiment; gives its run's id."""
        baseline = baseline or self.baseline
        self.commit(f"refs/exps/{baseline[:2]}/{baseline[2:]}/{name}", files, baseline, when)
        return f"exp:{name}@{baseline}"

    def remove(self, run_id: str) -> None:
        name, _, baseline = run_id.removeprefix("exp:").partition("@")
        self.repository.references.delete(f"refs/exps/{baseline[:2]}/{baseline[2:]}/{name}")


def live_files(name: str, points: list[tuple[int, Mapping[str, float]]]) -> dict[str, str]:
    """What DVCLive leaves of these points: the last values, and a table for each metric."""
    latest: dict[str, float] = {}
    tables: dict[str, str] = {}
    for step, metrics in points:
        for key, value in metrics.items():
            latest[key] = value
            tables.setdefault(key, f"step\t{key}\n")
            tables[key] += f"{step}\t{value}\n"
    files = {f"dvclive/plots/metrics/{key}.tsv": text for key, text in tables.items()}
    return files | {"dvclive/metrics.json": json.dumps(latest), "params.yaml": f"name: {name}\n"}


class RealProject:
    """A project that DVC's commands make."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.environ = {
            **os.environ,
            "DVC_NO_ANALYTICS": "1",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }
        self.git("init", "-q", "-b", "main", ".")
        self.git("config", "user.name", "Ana")
        self.git("config", "user.email", "ana@example.org")
        self.dvc("init", "-q")

    def git(self, *words: str) -> str:
        return self._run("git", *words)

    def dvc(self, *words: str, **environ: str) -> str:
        return self._run("dvc", *words, **environ)

    def write(self, files: Mapping[str, str]) -> None:
        for path, text in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text)

    def commit(self, message: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def _run(self, *words: str, **environ: str) -> str:
        done = subprocess.run(
            words, cwd=self.folder, env=self.environ | environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()
