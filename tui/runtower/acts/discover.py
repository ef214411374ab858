"""What there is to open: in a folder and its project, or behind a path or URI that somebody names.

MLflow is looked for as mlflow itself does it: MLFLOW_TRACKING_URI, an `mlruns` folder that holds experiments,
`mlflow.db`. A DVC project is what has a folder `.dvc`. Standard library only, since this runs before the first paint.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from runtower.domain.errors import Invalid, NotFound
from runtower.domain.targets import Target

MOST_ENTRIES: Final = 2000
REGISTRY: Final = "registry_uri"  # the option of an MLflow source whose models are kept elsewhere
_DEEPEST: Final = 3
_VERSION: Final = re.compile(r"version_\d+\Z")
_FIRST: Final = ("lightning_logs", "csv_logs", "logs")
_SKIPPED: Final = frozenset({"node_modules", "venv", "env", "__pycache__", "site-packages", "mlruns", "mlartifacts"})
_SERVERS: Final = frozenset(
    {"http", "https", "postgresql", "postgres", "mysql", "mssql", "databricks", "databricks-uc"}
)
_SECRET_NAME: Final = re.compile(r"(?i)password|passwd|token|secret|api[_-]?key|credential|auth")
_DATABASES: Final = frozenset({".db", ".sqlite", ".sqlite3"})
_SQLITE: Final = b"SQLite format 3\0"
_REMEDY: Final = (
    "Name an sqlite file, an mlruns or CSVLogger folder, a project's folder (DVC's too), or a URI that MLflow takes."
)


@dataclass(frozen=True, slots=True)
class Found:
    """`targets` to open, `looked`: what was looked for and where, in short words; `root` is the project's folder."""

    targets: tuple[Target, ...]
    looked: tuple[str, ...]
    root: Path


def discover(folder: Path, environ: Mapping[str, str]) -> Found:
    """What a folder's project has recorded. Reads at most a few thousand folder entries, opens nothing."""
    folder = folder.absolute()
    root = project_root(folder)
    where = f"in {folder}" if root == folder else f"from {folder} up to {root}"
    looked: list[str] = []
    uris: list[tuple[str, str]] = []
    asked = environ.get("MLFLOW_TRACKING_URI", "").strip()
    if asked:
        uris.append(("mlflow", absolute_uri(asked, folder)))
        looked.append("MLFLOW_TRACKING_URI")
    else:
        looked += ["MLFLOW_TRACKING_URI (not set)", f"mlruns and mlflow.db {where}"]
        store = _mlflow_store(folder, root)
        if store is not None:
            uris.append(("mlflow", store))
    looked.append(f"CSVLogger's version_N/metrics.csv in {root} and {_DEEPEST} folders down")
    uris += [("csvlogger", str(logs)) for logs in _csv_folders(root)]
    looked.append(f"a DVC project {where}")
    if (project := _dvc_project(folder, root)) is not None:
        uris.append(("dvc", str(project)))
    registry = environ.get("MLFLOW_REGISTRY_URI", "").strip()
    options = {REGISTRY: absolute_uri(registry, folder)} if registry else {}
    targets = tuple(replace(one, options=options) if one.kind == "mlflow" else one for one in _named(uris))
    return Found(targets, tuple(looked), root)


def target_of(text: str, cwd: Path) -> Found:
    """What a path or URI stands for, relative to `cwd`.

    Raises NotFound for a path that isn't there or holds nothing, Invalid for words that are neither.
    """
    text = text.strip()
    if not text or not text.isprintable():
        raise Invalid("An empty or unprintable text names no source.", _REMEDY)
    scheme = parts_of(text).scheme.lower() if ":" in text else ""
    path = cwd / Path(text).expanduser()
    if scheme.startswith("sqlite"):
        return _database(_sqlite_path(text, cwd), cwd)
    if scheme == "file":
        return _path(Path(unquote(urlsplit(text).path)), cwd)
    if scheme.partition("+")[0] in _SERVERS or (text in {"databricks", "databricks-uc"} and not path.exists()):
        return Found(_named([("mlflow", text)]), (), cwd.absolute())
    if len(scheme) > 1 and not path.exists():
        # What follows the scheme may be a password, so that it isn't repeated.
        hint = f"For a server write http://{text}." if re.fullmatch(r"[\w.-]+:\d+/?", text) else _REMEDY
        raise Invalid(f"'{scheme}:' begins no URI that runtower knows.", hint)
    return _path(path, cwd)


def parts_of(uri: str) -> SplitResult:
    """The parts of a URI or path. Raises Invalid, which repeats nothing of it: there may be a password in it."""
    try:
        return urlsplit(uri)
    except ValueError as error:
        raise Invalid(f"An address can't be read: {error}.", "Look at its brackets; http://HOST:PORT is one.") from None


def is_server(uri: str) -> bool:
    """Whether MLflow would ask somebody else for what is behind a URI, rather than read a file or a folder."""
    scheme = parts_of(uri).scheme.lower() if ":" in uri else ""
    here = scheme in ("file", "sqlite") or scheme.startswith("sqlite+")
    return uri in {"databricks", "databricks-uc"} or (len(scheme) > 1 and not here)


def holds_credentials(uri: str) -> bool:
    """Whether a URI has a user in it, or a parameter that is called like a secret."""
    parts = parts_of(uri)
    return "@" in parts.netloc or bool(_SECRET_NAME.search(parts.query))


def kind_of(uri: str) -> str:
    """The kind of source that a URI or path is for, where nobody said it."""
    path = Path(uri).expanduser()
    if "://" in uri or not path.is_dir():
        return "mlflow"
    if (path / ".dvc").is_dir() and not _has_versions(path) and not _holds_experiments(path):
        return "dvc"
    logged = _has_versions(path) or (not _holds_experiments(path) and _csv_folders(path))
    return "csvlogger" if logged else "mlflow"


def project_root(folder: Path) -> Path:
    """The nearest folder upward with a .git or .dvc; the folder itself where there is none."""
    return next((one for one in (folder, *folder.parents) if _there(one / ".git") or _there(one / ".dvc")), folder)


def _path(path: Path, cwd: Path) -> Found:
    path = Path(os.path.abspath(path))
    if not _there(path):
        raise NotFound(f"There is nothing at {path}.", _REMEDY)
    if path.is_file():
        if path.name == "metrics.csv" and _VERSION.match(path.parent.name):
            return Found(_named([("csvlogger", str(path.parent.parent))]), (), path.parent.parent)
        return _database(path, cwd)
    if _holds_experiments(path):
        return Found(_named([("mlflow", str(path))]), (), path.parent)
    if _VERSION.match(path.name) and (path / "metrics.csv").is_file():
        path = path.parent
    if _has_versions(path):
        return Found(_named([("csvlogger", str(path))]), (), path)
    found = discover(path, {})
    if not found.targets:
        raise NotFound(f"No runs were found in {path}; looked for {', '.join(found.looked[1:])}.", _REMEDY)
    return found


def _database(path: Path, cwd: Path) -> Found:
    path = Path(os.path.abspath(cwd / path))
    if not path.is_file():
        raise NotFound(f"There is no database file {path}.", _REMEDY)
    try:
        with path.open("rb") as file:
            begins = file.read(len(_SQLITE))
    except OSError as error:
        raise Invalid(f"{path} can't be read: {error.strerror}.", "Look at its permissions.") from error
    # An empty file is what MLflow leaves for a moment while it makes a store.
    if begins != _SQLITE and (begins or path.suffix not in _DATABASES):
        raise Invalid(f"{path} is not an sqlite database.", _REMEDY)
    return Found(_named([("mlflow", sqlite_uri(path))]), (), path.parent)


def sqlite_uri(path: Path) -> str:
    """SQLAlchemy's URI of an absolute path; the path itself where a URI would cut it at its question mark."""
    return str(path) if "?" in str(path) else f"sqlite:///{path}"


def _sqlite_path(uri: str, cwd: Path) -> Path:
    # Three slashes begin a relative path, four an absolute one.
    rest = uri.split(":", 1)[1].removeprefix("//").removeprefix("/").split("?", 1)[0]
    if not rest:
        raise Invalid("sqlite:/// needs the path of a file.", "For example sqlite:///mlflow.db.")
    return cwd / rest


def absolute_uri(uri: str, folder: Path) -> str:
    """A URI or path whose relative path, if it has one, begins at `folder`; all others stay as they are."""
    scheme = parts_of(uri).scheme.lower()
    if scheme.startswith("sqlite") and "?" not in uri:
        return sqlite_uri(_sqlite_path(uri, folder))
    if len(scheme) > 1 or uri in {"databricks", "databricks-uc"}:
        return uri
    return str(folder / Path(uri).expanduser())


def portable(uri: str, folder: Path) -> str:
    """The opposite of `absolute_uri`: what lies below a folder is named from there, so that the folder can be moved."""
    path = uri.removeprefix("sqlite:///")
    if not os.path.isabs(path) or folder not in Path(path).parents:
        return uri
    return uri.removesuffix(path) + str(Path(path).relative_to(folder))


def _mlflow_store(folder: Path, root: Path) -> str | None:
    """In the nearest folder from here to the root that has one: mlruns with experiments before mlflow.db."""
    for place in (folder, *folder.parents):
        if _holds_experiments(place / "mlruns"):
            return str(place / "mlruns")
        if _is_file(place / "mlflow.db"):
            return sqlite_uri(place / "mlflow.db")
        if place == root:
            break
    return None


def _dvc_project(folder: Path, root: Path) -> Path | None:
    """The nearest folder from here to the root that `dvc init` made a project of."""
    for place in (folder, *folder.parents):
        if os.path.isdir(place / ".dvc"):
            return place
        if place == root:
            break
    return None


def _holds_experiments(folder: Path) -> bool:
    """Whether a folder is a file store: some entry of it has a meta.yaml (artifacts alone make no store)."""
    return any(
        _is_file(Path(entry.path) / "meta.yaml")
        for entry in _entries(folder, MOST_ENTRIES)
        if not entry.name.startswith(".")
    )


def _csv_folders(root: Path) -> list[Path]:
    """Folders with version_N/metrics.csv, nearest first, those that Lightning makes by itself before others."""
    found: list[Path] = []
    left = MOST_ENTRIES
    waiting = deque([(root, 0)])
    while waiting and left > 0:
        folder, depth = waiting.popleft()
        entries = list(_entries(folder, left))
        left -= len(entries)
        folders = sorted((e.name for e in entries if _is_folder(e)), key=lambda name: (name not in _FIRST, name))
        versions = [name for name in folders if _VERSION.match(name)]
        if any(_is_file(folder / name / "metrics.csv") for name in versions):
            found.append(folder)
        if depth < _DEEPEST:
            waiting.extend((folder / name, depth + 1) for name in folders if name not in versions and _worth(name))
    return _gathered(found, root)


def _gathered(found: list[Path], root: Path) -> list[Path]:
    """Siblings (CSVLogger's names in one save_dir) become their parent: one source with several experiments."""
    siblings: dict[Path, list[Path]] = {}
    for folder in found:
        siblings.setdefault(folder.parent, []).append(folder)
    out: dict[Path, None] = {}
    for folder in found:
        together = len(siblings[folder.parent]) > 1 and folder not in (root, *root.parents) and folder.parent != root
        out[folder.parent if together else folder] = None
    return [one for one in out if not any(parent in out for parent in one.parents if parent != root)]


def _has_versions(folder: Path) -> bool:
    versions = (entry for entry in _entries(folder, MOST_ENTRIES) if _VERSION.match(entry.name))
    return any(_is_file(Path(entry.path) / "metrics.csv") for entry in versions)


def _worth(name: str) -> bool:
    return not name.startswith(".") and name not in _SKIPPED


def _entries(folder: Path, most: int) -> Iterator[os.DirEntry[str]]:
    """The first entries of a folder; none where it can't be read, since that is no reason not to start."""
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(most), entries, strict=False):
                yield entry
    except OSError:
        return


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)


def _there(path: Path) -> bool:
    return os.path.lexists(path)


def _named(uris: list[tuple[str, str]]) -> tuple[Target, ...]:
    """Targets `mlflow` and `csv`; further ones of a kind are called by their folder, or counted."""
    taken: set[str] = set()
    out: list[Target] = []
    for kind, uri in uris:
        short = "csv" if kind == "csvlogger" else kind
        name = short if short not in taken else f"{short}-{Path(uri).name}"
        plain, number = name, 1
        while name in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(name)
        out.append(Target(name, kind, uri))
    return tuple(out)
