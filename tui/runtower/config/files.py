"""Configs that lie in files: YAML and JSON, Hydra's `.hydra` folders, and files at a git revision."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from runtower.config.tree import Config, ConfigSource
from runtower.config.yaml_text import read_any, read_text
from runtower.domain.errors import Invalid, NotFound, Unreachable

HYDRA: Final = ".hydra"
HYDRA_FILES: Final = ("config.yaml", "overrides.yaml", "hydra.yaml")
GIT: Final = "git:"
_SUFFIXES: Final = (".yaml", ".yml", ".json")
_LARGEST: Final = 32 * 1024 * 1024
_PATIENCE: Final = 20.0  # seconds for git, which may have to fetch an object of a partial clone


def is_named(text: str) -> bool:
    """Whether a text means a file, a folder of Hydra's or a git revision, and no run."""
    path = Path(text)
    if text.startswith(GIT) or path.suffix.lower() in _SUFFIXES:
        return True
    return text.startswith((".", "/", "~")) or (path.is_dir() and hydra_folder(path) is not None)


def read_named(text: str) -> Config:
    """The config that a text names. Raises NotFound, Invalid, Unreachable."""
    if text.startswith(GIT):
        return at_revision(text, Path.cwd())
    path = Path(text).expanduser()
    if not path.exists():
        raise NotFound(f"There is no file or folder {text}.", "Is the path right?")
    if not path.is_dir():
        return Config(read_text(_content(path), text), text)
    folder = hydra_folder(path)
    if folder is None:
        raise NotFound(f"{text} holds no {HYDRA} folder with a config.yaml.", "Name a YAML file, or a run's folder.")
    return of_hydra(folder)


def hydra_folder(path: Path) -> Path | None:
    """The folder of Hydra's files: the folder itself, or the one in it."""
    for folder in (path / HYDRA, path):
        if (folder / "config.yaml").is_file() and (folder.name == HYDRA or (folder / "hydra.yaml").is_file()):
            return folder
    return None


def of_hydra(folder: Path) -> Config:
    """What Hydra wrote beside a run. Raises Invalid."""
    texts = {name: _content(folder / name) for name in HYDRA_FILES if (folder / name).is_file()}
    return hydra_config(texts, str(folder))


def hydra_config(texts: Mapping[str, str], origin: str) -> Config:
    """Of the texts of `HYDRA_FILES`, by name: the config as composed, what was typed, and which groups were chosen.

    Only config.yaml has to be there. Raises Invalid.
    """
    tree = read_text(texts["config.yaml"], f"{origin}/config.yaml")
    overrides: tuple[str, ...] = ()
    if "overrides.yaml" in texts:
        listed = read_any(texts["overrides.yaml"], f"{origin}/overrides.yaml")
        overrides = tuple(str(one) for one in listed) if isinstance(listed, list) else ()
    choices: dict[str, str] = {}
    source: ConfigSource | None = None
    if "hydra.yaml" in texts:
        hydra: Any = read_text(texts["hydra.yaml"], f"{origin}/hydra.yaml")
        chosen = _below(hydra, "hydra", "runtime", "choices")
        if isinstance(chosen, dict):
            choices = {str(group): "null" if option is None else str(option) for group, option in chosen.items()}
        source = _source(
            _below(hydra, "hydra", "runtime", "config_sources"), _below(hydra, "hydra", "job", "config_name")
        )
    return Config(tree, origin, choices, overrides, source)


def _below(tree: Any, *names: str) -> Any:
    for name in names:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


def _source(sources: Any, name: Any) -> ConfigSource | None:
    """That of the application itself, where it is a folder."""
    for one in sources if isinstance(sources, list) and isinstance(name, str) else ():
        if isinstance(one, dict) and one.get("provider") in ("main", "command-line") and one.get("schema") == "file":
            return ConfigSource(str(one.get("path")), name)
    return None


def at_revision(text: str, folder: Path) -> Config:
    """`git:REV:PATH`, the path from the repository's root, or from `folder` where it begins with `./`.

    Raises Invalid, NotFound, Unreachable.
    """
    parts = text.split(":", 2)
    if len(parts) < 3 or not parts[1] or not parts[2] or parts[1].startswith("-"):
        raise Invalid(f"'{text}' names no file at a revision.", "Write git:REVISION:PATH.")
    spec = f"{parts[1]}:{parts[2]}"
    # cat-file, not show: it runs neither a pager nor a filter that the repository may name
    argv = ["git", "--no-pager", "cat-file", "blob", spec]
    environ = os.environ | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(argv, cwd=folder, env=environ, capture_output=True, timeout=_PATIENCE, check=False)
    except FileNotFoundError:
        raise NotFound(f"{text} can't be read: there is no git.", "Install git, or name a file.") from None
    except subprocess.TimeoutExpired:
        raise Unreachable(f"git gave no answer about {spec} in {_PATIENCE:g} seconds.", "Try it by hand.") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = said[-1].removeprefix("fatal: ") if said else f"git ended with {done.returncode}"
        raise NotFound(f"git has no {spec}: {reason}.", "The path begins at the repository's root.")
    return Config(read_text(_decoded(done.stdout, text), text), text)


def _content(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise Invalid(f"{path} is larger than {_LARGEST // 1024 // 1024} MB.", "A config is smaller.")
        return _decoded(path.read_bytes(), str(path))
    except OSError as error:
        raise Invalid(f"{path} can't be read: {error.strerror}.", "Look at its permissions.") from None


def _decoded(data: bytes, origin: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{origin} is no text: byte {error.start} isn't UTF-8.", "A config is a text file.") from None
