"""Where the console output of a run is: its artifacts, Hydra's folder, Slurm's and submitit's files, W&B's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from runtower.acts.job_runs import JOB_TAG
from runtower.domain.artifacts import Artifact, Folder
from runtower.domain.errors import TowerError
from runtower.jobs.queueing import Queue, number_of

DVC_LOG: Final = "dvc.log"  # the tag in which the source of DVC names it
# By how likely it is that they hold all that was printed.
_NAMES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(train|training|output|console|run|main|app)\.(log|txt)",
        r".+\.log",
        r"(stdout|console|log)([-_.].*)?",
        r".*(stdout|console).*\.(txt|out)|slurm-.*\.out|.+_log\.out|.+\.out",
        r"stderr([-_.].*)?|.*stderr.*\.(txt|err)|.+\.err|.+\.log\.\d+",
    )
)
_FOLDERS: Final = re.compile(r"logs?|.*[-_]logs?|files|outputs?|console|stdout|\.?hydra|slurm|wandb", re.IGNORECASE)
_MOST_FOLDERS: Final = 8
_HYDRA_FOLDER: Final = ".hydra"
_HYDRA_FILES: Final = ("hydra.yaml", ".hydra/hydra.yaml", "hydra/hydra.yaml")
_HYDRA_KEYS: Final = re.compile(r"(.*[./_])?(hydra[./_])?(runtime[./_])?(output_dir|run[./_]dir)", re.IGNORECASE)
_OUTPUT_DIR: Final = re.compile(r"^\s+output_dir:\s*['\"]?(/.*?)['\"]?\s*$", re.MULTILINE)
_JOB_KEYS: Final = re.compile(r"(.*[./_-])?((slurm|submitit|cluster)[./_-]?)(array[./_-])?job[./_-]?id", re.IGNORECASE)
_JOB: Final = re.compile(r"\d+(_\d+)?")
_PLACE_KEYS: Final = re.compile(
    r"(.*[./_-])?(slurm_submit_dir|submit_dir|submitit[./_-]folder|work(ing)?_?dir|cwd|log_?dir|sweep[./_]dir)",
    re.IGNORECASE,
)
_WANDB_KEYS: Final = re.compile(r"(.*[./_])?wandb[./_]?(run[./_]?)?dir", re.IGNORECASE)
_WANDB_IDS: Final = re.compile(r"(.*[./_])?wandb[./_]?(run[./_]?)?id", re.IGNORECASE)
_UP: Final = 4


@dataclass(frozen=True, slots=True)
class LogPlace:
    """A file with console output: an artifact of the run, or a file of this machine by its absolute path."""

    path: str
    is_artifact: bool
    size: int | None = None


@dataclass(frozen=True)
class Search:
    """What was found, the likeliest first, and the places that were looked at, as sentences."""

    found: tuple[LogPlace, ...]
    looked: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """What a run says of itself: its params and tags in one, its artifacts' URI, its script; and the folder of all
    jobs."""

    said: Mapping[str, str] = field(default_factory=dict)
    artifact_uri: str = ""
    script: str = ""
    jobs: str = ""


class Looks(Protocol):
    """Looks at a run's artifacts and at this machine's folders."""

    async def folder(self, path: str) -> Folder:
        """A folder of its artifacts. Raises TowerError."""
        ...

    async def beginning(self, path: str) -> str:
        """The beginning of an artifact. Raises TowerError."""
        ...

    async def files(self, folder: Path) -> Sequence[Artifact] | None:
        """What lies in a folder of this machine, by name; None where there is none that could be read."""
        ...


async def find_log(facts: Facts, looks: Looks) -> Search:
    """Look in all places, one after the other. Never raises for one that can't be read: it says so."""
    looked: list[str] = []
    ours = await _of_our_job(facts, looks, looked) + await _of_dvc(facts, looks, looked)
    found, hydra = await _among_artifacts(looks, looked)
    found = ours + found
    folders = _hydra_folders(facts, hydra)
    found += await _in_hydra_folders(folders, facts, looks, looked)
    places = _places(facts, folders)
    found += await _of_jobs(facts, places, looks, looked)
    found += await _of_wandb(facts, places, looks, looked)
    return Search(tuple(dict.fromkeys(found)), tuple(looked))


def rank(name: str) -> int | None:
    """How likely a file of that name holds console output, 0 the likeliest; None: it doesn't look so."""
    return next((place for place, known in enumerate(_NAMES) if known.fullmatch(name)), None)


# -- artifacts


async def _among_artifacts(looks: Looks, looked: list[str]) -> tuple[list[LogPlace], str]:
    """Those that look like logs; and the text of Hydra's own file where it is among them."""
    try:
        entries = list((await looks.folder("")).entries)
        for folder in [one for one in entries if one.is_dir and _FOLDERS.fullmatch(one.name)][:_MOST_FOLDERS]:
            entries += (await looks.folder(folder.path)).entries
        hydra = [one.path for one in entries if one.path in _HYDRA_FILES]
        text = await looks.beginning(hydra[0]) if hydra else ""
    except TowerError as error:
        looked.append(f"its artifacts, which can't be read: {error.tried}")
        return [], ""
    looked.append("its artifacts: *.log, stdout*, stderr*, console*, *.out, also in log/, logs/ and files/")
    ranked = [(place, one) for one in entries if not one.is_dir and (place := rank(one.name)) is not None]
    ranked.sort(key=lambda pair: (pair[0], pair[1].path.count("/"), pair[1].path))
    return [LogPlace(one.path, True, one.size) for _, one in ranked], text


# -- Hydra


def named_output_folders(facts: Facts) -> list[Path]:
    """Where Hydra has put its output by what the run itself says of it, in its params and tags."""
    base = _first(facts, re.compile(r"(.*[./_])?(hydra[./_])?(runtime[./_])?cwd", re.IGNORECASE))
    return _absolute(Path(base or "/nowhere") / text for text in _values(facts, _HYDRA_KEYS))


def _hydra_folders(facts: Facts, hydra_file: str) -> list[Path]:
    """Where Hydra may have put its output, by what the run says and by where its artifacts lie."""
    folders = [*named_output_folders(facts), *(Path(text) for text in _OUTPUT_DIR.findall(hydra_file))]
    local = _local_path(facts.artifact_uri)
    if local is not None:
        folders += [local, *list(local.parents)[:_UP]]
    return _absolute(folders)


def _absolute(folders: Iterable[Path]) -> list[Path]:
    """Each once, without relative ones and the root."""
    return [one for one in dict.fromkeys(folders) if one.is_absolute() and one.parent != one]


async def _in_hydra_folders(folders: Sequence[Path], facts: Facts, looks: Looks, looked: list[str]) -> list[LogPlace]:
    found: list[LogPlace] = []
    named = {Path(text) for text in _values(facts, _HYDRA_KEYS)}
    for folder in folders:
        entries = await looks.files(folder)
        if entries is None:
            if folder in named:
                looked.append(f"the output folder {folder}, which isn't on this machine")
            continue
        if not any(one.name == _HYDRA_FOLDER and one.is_dir for one in entries):
            continue
        looked.append(f"Hydra's output folder {folder}: *.log")
        found += [_file(folder, one) for one in entries if one.name.endswith(".log") and not one.is_dir]
    if not any("output folder" in text for text in looked):
        looked.append("Hydra's output folder: no param, tag or .hydra folder names it")
    return found


# -- jobs


async def _of_our_job(facts: Facts, looks: Looks, looked: list[str]) -> list[LogPlace]:
    """What a job that runtower launched has printed: all of it, hence the first."""
    host, _, name = facts.said.get(JOB_TAG, "").rpartition(":")
    if not host or not facts.jobs or number_of(name) < 0:
        return []
    folder = Queue(Path(facts.jobs), host).folder / name
    entries = await looks.files(folder)
    looked.append(f"job {name} of {host}{'' if entries is not None else ', whose files are not on this machine'}")
    return [_file(folder, one) for one in entries or () if one.name == "log" and one.size]


# -- DVC


async def _of_dvc(facts: Facts, looks: Looks, looked: list[str]) -> list[LogPlace]:
    """What an experiment in DVC's queue has printed, or the worker that couldn't begin it."""
    path = Path(facts.said.get(DVC_LOG, ""))
    if not path.is_absolute():
        return []
    looked.append(f"DVC's log {path}")
    return [_file(path.parent, one) for one in await looks.files(path.parent) or () if one.name == path.name]


# -- Slurm, submitit


def _places(facts: Facts, hydra: Sequence[Path]) -> list[Path]:
    """Folders of this machine in which a scheduler may have left its files."""
    folders = [Path(text) for text in _values(facts, _PLACE_KEYS)]
    script = PurePosixPath(facts.script)
    if script.is_absolute():
        folders.append(Path(script.parent))
    return [one for one in dict.fromkeys([*folders, *hydra]) if one.is_absolute()]


async def _of_jobs(facts: Facts, places: Sequence[Path], looks: Looks, looked: list[str]) -> list[LogPlace]:
    jobs = [text for text in _values(facts, _JOB_KEYS) if _JOB.fullmatch(text)]
    if not jobs:
        looked.append("Slurm's and submitit's files: no param or tag names a job (slurm_job_id)")
        return []
    if not places:
        looked.append(f"slurm-{jobs[0]}.out: no param or tag names its folder (SLURM_SUBMIT_DIR)")
        return []
    found: list[LogPlace] = []
    for job in dict.fromkeys(jobs):
        number = job.partition("_")[0]
        names = re.compile(rf"slurm-{number}(_\d+)?\.(out|err)|{number}(_\d+)*_log\.(out|err)")
        below = [
            *(f"{one}" for one in places),
            *(f"{one}/.submitit/{name}" for one in places for name in dict.fromkeys((job, number))),
        ]
        for folder in map(Path, below):
            entries = await looks.files(folder) or ()
            found += [_file(folder, one) for one in entries if names.fullmatch(one.name) and not one.is_dir]
        looked.append(f"slurm-{job}.out and {job}_*_log.out in {', '.join(map(str, places[:3]))}")
    return sorted(found, key=lambda one: one.path.endswith(".err"))


# -- W&B


async def _of_wandb(facts: Facts, places: Sequence[Path], looks: Looks, looked: list[str]) -> list[LogPlace]:
    folders = [Path(text) for text in _values(facts, _WANDB_KEYS) if Path(text).is_absolute()]
    for run_id in _values(facts, _WANDB_IDS):
        for place in places:
            entries = await looks.files(place / "wandb") or ()
            folders += [place / "wandb" / one.name for one in entries if one.is_dir and one.name.endswith(f"-{run_id}")]
    found: list[LogPlace] = []
    for folder in dict.fromkeys(folders):
        below = folder if folder.name == "files" else folder / "files"
        looked.append(f"W&B's {below}/output.log")
        found += [_file(below, one) for one in await looks.files(below) or () if one.name == "output.log"]
    if not folders:
        looked.append("W&B's files/output.log: no param or tag names its folder (wandb_dir)")
    return found


def _values(facts: Facts, keys: re.Pattern[str]) -> list[str]:
    return [text.strip() for key, text in facts.said.items() if text.strip() and keys.fullmatch(key)]


def _first(facts: Facts, keys: re.Pattern[str]) -> str:
    return next(iter(_values(facts, keys)), "")


def _file(folder: Path, one: Artifact) -> LogPlace:
    return LogPlace(str(folder / one.name), False, one.size)


def _local_path(uri: str) -> Path | None:
    """The folder of this machine that a URI or an absolute path stands for."""
    if uri.startswith("file:"):
        return Path(unquote(urlsplit(uri).path))
    return Path(uri) if uri.startswith("/") else None
