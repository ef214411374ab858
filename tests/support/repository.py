"""A git repository of a test's own."""

from __future__ import annotations

import subprocess
from pathlib import Path


class Repository:
    """A git repository; `commit` gives the commit of what was put there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.git("init", "-b", "main")

    def git(self, *words: str) -> str:
        identity = ("-c", "user.name=ana", "-c", "user.email=ana@example.org", "-c", "commit.gpgsign=false")
        argv = ["git", *identity, *words]
        return subprocess.run(argv, cwd=self.folder, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, **files: str | bytes) -> str:
        for name, content in files.items():
            (self.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        self.git("add", "-A")
        self.git("commit", "-m", "one", "--allow-empty")
        return self.git("rev-parse", "HEAD")
