"""DVC's cache: contents by MD5, of files that git doesn't hold."""

from __future__ import annotations

import configparser
import json
import os
from pathlib import Path
from typing import Final

from runtower.sources.dvc.contract import DVC_FOLDER
from runtower.sources.dvc.places import Content, disk_content

FOLDER: Final = ".dir"  # ends the MD5 of a folder: a JSON list of {md5, relpath} (dvc_data/hashfile/tree.py)


class Cache:
    """The cache of a project, where its config says."""

    def __init__(self, root: Path) -> None:
        self._folder = _cache_folder(root)

    def content(self, md5: str, is_new: bool) -> Content | None:
        """A file by its MD5; `is_new`: as DVC 3 hashes it. None where the cache hasn't got it."""
        if not md5.removesuffix(FOLDER).isalnum():
            return None
        folders = (self._folder / "files/md5", self._folder) if is_new else (self._folder, self._folder / "files/md5")
        for folder in folders:
            found = disk_content(folder / md5[:2] / md5[2:])
            if found is not None:
                return Content(md5, found.read)
        return None

    def member(self, md5: str, is_new: bool, path: str) -> str | None:
        """The MD5 of a file in a folder, by the folder's; '' for one that isn't in it, None where nobody can say."""
        listed = self.content(md5, is_new)
        try:
            entries = json.loads(listed.read()) if listed is not None else None
            return None if entries is None else next((e["md5"] for e in entries if e["relpath"] == path), "")
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _cache_folder(root: Path) -> Path:
    """As `cache.dir` says in .dvc/config.local or .dvc/config: relative to .dvc; else .dvc/cache."""
    base = root / DVC_FOLDER
    for name in ("config.local", "config"):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read(base / name, encoding="utf-8")
            given = parser.get("cache", "dir", fallback="")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue
        if given:
            return Path(os.path.normpath(base / os.path.expanduser(given)))
    return base / "cache"
