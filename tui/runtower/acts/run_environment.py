"""What runs ran in, as far as they recorded it: Python, packages, the machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runtower.acts import export
from runtower.acts.package_lists import PYTHON, READERS, Listed
from runtower.acts.run_artifacts import RunArtifacts, few_at_a_time
from runtower.acts.sides import Facts, labels_of, side_by_side, told_once
from runtower.acts.tower import Tower
from runtower.config.yaml_text import read_text
from runtower.domain.artifacts import Artifact
from runtower.domain.errors import Invalid, TowerError
from runtower.link.offloop import off_loop

SYSTEM, PACKAGES = "system", "packages"
_METADATA: Final = "wandb-metadata.json"
_MODEL: Final = "MLmodel"
_ORDER: Final = (PYTHON, "os", "host", "user", "image", "cpus", "gpu", "gpus", "cuda", "cudnn", "driver")
_FOLDERS: Final = 40  # of a run that are looked into
_FAR_FOLDERS: Final = 15  # behind a line
_FILES: Final = 12  # of a run that are read
_LIKELY: Final = re.compile(r".*(model|env|files|wandb|requirements|code).*", re.IGNORECASE)
_ABOUT: Final = r"(?:(?:env|environment|sys|system|machine|hardware|platform|runtime|torch|nvidia)[./_ -])?"
_SAID: Final = tuple(
    (name, re.compile(f"{_ABOUT}(?:{pattern})", re.IGNORECASE))
    for name, pattern in (
        (PYTHON, r"python(?:[._ -]?version)?"),
        ("os", r"os(?:[._-]?(?:name|version|release))?|platform"),
        ("host", r"host(?:[._-]?name)?|node[._-]?name|slurm[._-](?:job[._-])?nodelist"),
        ("image", r"mlflow\.docker\.image\.(?:uri|id)|(?:docker|container)[._-]?image"),
        ("cpus", r"cpu[._-]?count|(?:num|n)[._-]cpus"),
        ("gpu", r"gpu(?:[._-]?(?:name|type|model))?"),
        ("gpus", r"gpus|(?:num|n)[._-]gpus?|gpu[._-]?count"),
        ("cuda", r"cuda(?:[._-]?version)?"),
        ("cudnn", r"cudnn(?:[._-]?version)?"),
        ("driver", r"(?:gpu[._-]|cuda[._-])?driver(?:[._-]?version)?"),
    )
)
_OF_METADATA: Final = {  # W&B's words
    "python": PYTHON,
    "os": "os",
    "host": "host",
    "username": "user",
    "docker": "image",
    "cpu_count": "cpus",
    "gpu": "gpu",
    "gpu_count": "gpus",
    "cuda": "cuda",
    "cudaVersion": "cuda",
}


@dataclass
class _Recorded:
    """Of one run; `files` are those it was read from, `trouble` why something couldn't be."""

    system: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    trouble: str = ""


async def environments_of(tower: Tower, rows: Sequence[int]) -> tuple[Facts, ...]:
    """The system and the packages of runs (global rows). Never raises for what can't be read: a note says so."""
    records = list(export.records(tower.catalogue, rows))
    found = await few_at_a_time(lambda row: _recorded(RunArtifacts(tower, row)), rows)
    systems = []
    for record, one in zip(records, found, strict=True):
        said = _said({**record["params"], **record["tags"]})
        systems.append({**said, **one.system} | ({"user": record["user"]} if record["user"] else {}))
    names = labels_of(records)
    notes = (
        told_once([", ".join(one.files) for one in found], names),
        told_once([one.trouble for one in found], names),
    )
    note = "; ".join(one for one in notes if one)
    return (
        Facts(SYSTEM, side_by_side(systems, _ORDER)),
        Facts(PACKAGES, side_by_side([one.packages for one in found]), note),
    )


def _said(said: Mapping[str, str]) -> dict[str, str]:
    """What params and tags tell of the machine."""
    found: dict[str, str] = {}
    for key, text in said.items():
        name = next((name for name, pattern in _SAID if pattern.fullmatch(key)), "")
        if name and text.strip():
            found.setdefault(name, text.strip())
    return found


# -- artifacts


async def _recorded(artifacts: RunArtifacts) -> _Recorded:
    async def made() -> tuple[_Recorded, int]:
        return await _read(artifacts, await _files(artifacts)), 0  # their texts are counted

    try:
        return await artifacts.remembered("environment", made)
    except TowerError as error:
        return _Recorded(trouble=artifacts.missed(error))


async def _files(artifacts: RunArtifacts) -> list[Artifact]:
    """Those that tell of packages or the machine, at most two folders deep; the nearest and most telling first."""
    top = await artifacts.folder()
    found = list(top.entries)
    left, level = _FAR_FOLDERS if artifacts.files.is_far else _FOLDERS, [one for one in top.entries if one.is_dir]
    while level and left:
        below: list[Artifact] = []
        for one in sorted(level, key=lambda folder: not _LIKELY.fullmatch(folder.name))[:left]:
            entries = (await artifacts.folder(one.path)).entries
            left -= 1
            found += entries
            if one.path.count("/") < 1 and not any(inner.name == _MODEL for inner in entries):
                below += [inner for inner in entries if inner.is_dir]
        level = below
    names = [*READERS, _METADATA]
    known = [one for one in found if not one.is_dir and one.name in names]
    return sorted(known, key=lambda one: (one.path.count("/"), names.index(one.name), one.path))[:_FILES]


async def _read(artifacts: RunArtifacts, files: Sequence[Artifact]) -> _Recorded:
    """All of them in one; the first that says something counts."""
    out = _Recorded()
    used: list[str] = []
    for file in files:
        try:
            listed, system = await _one(artifacts, file)
        except Invalid as error:
            out.trouble = out.trouble or error.tried.rstrip(".")
            continue
        for name, value in system.items():
            out.system.setdefault(name, value)
        new = {name: said for name, said in listed.packages.items() if name not in out.packages}
        out.packages |= new
        if new:
            used.append(file.path)
    out.files = tuple(used)
    return out


async def _one(artifacts: RunArtifacts, file: Artifact) -> tuple[Listed, dict[str, str]]:
    """What one file says of packages and of the system. Raises TowerError."""
    text = await artifacts.text(file.path)
    if file.name == _METADATA:
        return Listed(), dict(_of_metadata(await off_loop(lambda: read_text(text, file.path))))
    listed = await off_loop(lambda: READERS[file.name](text))
    return listed, {PYTHON: listed.python} if listed.python else {}


def _of_metadata(tree: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    for key, name in _OF_METADATA.items():
        value = tree.get(key)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
            yield name, str(value).strip()
