"""DVC's cache: contents by MD5, of files that git doesn't hold."""

from __future__ import annotations

import configparser
import os
from pathlib import Path

from runtower.sources.dvc.contract import DVC_FOLDER
from runtower.sources.dvc.places import Content, disk_content


class Cache:
    """The cache of a project, where its config says."""

    def __init__(self, root: Path) -> None:
        self._folder = _cache_folder(root)

    def content(self, md5: str, is_new: bool) -> Content | None:
        """A file by its MD5; `is_new`: as DVC 3 hashes it. None where the cache hasn't got it."""
        if not md5 or not md5.isalnum():
            return None
        folders = (self._folder / "files/md5", self._folder) if is_new else (self._folder, self._folder / "files/md5")
        for folder in folders:
            found = disk_content(folder / md5[:2] / md5[2:])
            if found is not None:
                return Content(md5, found.read)
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
