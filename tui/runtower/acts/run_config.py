"""Where a run's config comes from. The only place that knows.

The best there is: what Hydra wrote, among the run's artifacts; a YAML or JSON config among them; what Hydra wrote into
an output folder that the run names and that is on this machine; the params.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from runtower.acts import export
from runtower.acts.find_log import Facts, named_output_folders
from runtower.acts.run_artifacts import RunArtifacts, few_at_a_time, named
from runtower.acts.tower import Tower
from runtower.config.files import HYDRA, HYDRA_FILES, hydra_config, hydra_folder, of_hydra
from runtower.config.flat import trees_of
from runtower.config.tree import Config
from runtower.config.yaml_text import read_text
from runtower.domain.artifacts import Artifact, Folder
from runtower.domain.errors import TowerError
from runtower.link.offloop import off_loop

PARAMS: Final = "the params"
# In this order; `model_config` and the like tell less than the params do.
_STEMS: Final = ("config", "params", "hparams", "hyperparameters", "train_config", "training_config", "args")
_NAMES: Final = tuple(f"{stem}.{suffix}" for stem in _STEMS for suffix in ("yaml", "yml", "json"))
_HYDRA_HOLDERS: Final = ("hydra", "outputs", "output", "conf", "config", "configs")
_HOLDERS: Final = ("conf", "config", "configs", "params", "hydra", "outputs", "output")
_OF_A_MODEL: Final = frozenset({"transformers_version", "architectures", "_diffusers_version"})
_SLACK_MS: Final = 60_000.0


@dataclass(frozen=True, slots=True)
class _Lacking:
    """Nothing better than the params; `why`: where something is there and can't be used, else ''."""

    why: str = ""


async def configs_of(tower: Tower, rows: Sequence[int]) -> list[Config]:
    """The configs of runs (global rows) that are compared with each other; `origin` says of each where it is from.

    Those that come from params are read together, so that a param that is a value in one of them and a parent in
    another one stays comparable. Never raises for what can't be read: the params take its place, as the origin says.
    """
    records = list(export.records(tower.catalogue, rows))

    async def recorded(place: int) -> Config | _Lacking:
        return await _recorded(RunArtifacts(tower, rows[place]), records[place])

    found = await few_at_a_time(recorded, range(len(rows)))
    flat = [place for place, one in enumerate(found) if isinstance(one, _Lacking)]
    trees = dict(zip(flat, trees_of([records[place]["params"] for place in flat]), strict=True))
    out: list[Config] = []
    for place, (one, record) in enumerate(zip(found, records, strict=True)):
        whose = of_run(record["name"], record["run_id"])
        if isinstance(one, Config):
            out.append(replace(one, origin=f"{one.origin}{whose}"))
        else:
            out.append(Config(trees[place], f"{PARAMS}{whose}" + (f"; {one.why}" if one.why else "")))
    return out


def of_run(name: str | None, run_id: str) -> str:
    """The part of an origin that names the run: ` of lr=0.001 (77b0e2d4)`."""
    return f" of {name} ({run_id[:8]})" if name else f" of {run_id}"


async def _recorded(artifacts: RunArtifacts, record: export.Record) -> Config | _Lacking:
    """What was written down of it, with the file or folder as its origin."""
    found = await _among_artifacts(artifacts)
    if isinstance(found, Config):
        return found
    here = await off_loop(lambda: _in_output_folder(artifacts.files.facts, record["end_time"]))
    return here if isinstance(here, Config) or (here.why and not found.why) else found


# -- artifacts


async def _among_artifacts(artifacts: RunArtifacts) -> Config | _Lacking:
    async def made() -> tuple[Config | _Lacking, int]:
        found = await _hydra(artifacts) or await _file(artifacts) or _Lacking()
        return found, 0  # its text is counted

    try:
        return await artifacts.remembered("config", made)
    except TowerError as error:
        return _Lacking(artifacts.missed(error))


async def _hydra(artifacts: RunArtifacts) -> Config | None:
    """Of Hydra's folder, wherever it was put among the artifacts: as `.hydra`, its content alone, or below another."""
    top = await artifacts.folder()
    for path in ("", HYDRA, *_HYDRA_HOLDERS):
        folder = top if not path else await _below(artifacts, top, path)
        if folder is None:
            continue
        if named(folder, "config.yaml") and (path == HYDRA or named(folder, "hydra.yaml")):
            return await _of_hydra(artifacts, folder, path)
        inner = f"{path}/{HYDRA}"
        if path not in ("", HYDRA) and _is_folder(folder, inner):
            below = await artifacts.folder(inner)
            if named(below, "config.yaml"):
                return await _of_hydra(artifacts, below, inner)
    return None


async def _of_hydra(artifacts: RunArtifacts, folder: Folder, path: str) -> Config:
    there = [one for one in folder.entries if not one.is_dir and one.name in HYDRA_FILES]
    texts = {one.name: await artifacts.text(one.path) for one in there}
    config = await off_loop(lambda: hydra_config(texts, path or "."))
    return replace(config, origin=f"{path}/config.yaml" if path else "config.yaml")


async def _file(artifacts: RunArtifacts) -> Config | None:
    """Of a YAML or JSON file, at the top or in a folder for such."""
    top = await artifacts.folder()
    for path in ("", *_HOLDERS):
        folder = top if not path else await _below(artifacts, top, path)
        for one in _candidates(folder) if folder is not None else ():
            text = await artifacts.text(one.path)
            tree: dict[Any, Any] = await off_loop(lambda text=text, path=one.path: read_text(text, path))  # type: ignore[misc]
            if not _OF_A_MODEL & tree.keys():
                return Config(tree, one.path)
    return None


def _candidates(folder: Folder) -> list[Artifact]:
    known = [one for one in folder.entries if not one.is_dir and one.name in _NAMES]
    return sorted(known, key=lambda one: _NAMES.index(one.name))


async def _below(artifacts: RunArtifacts, top: Folder, path: str) -> Folder | None:
    return await artifacts.folder(path) if _is_folder(top, path) else None


def _is_folder(folder: Folder, path: str) -> bool:
    return any(one.is_dir and one.path == path for one in folder.entries)


# -- Hydra's output folder


def _in_output_folder(facts: Facts, end_ms: float | None) -> Config | _Lacking:
    """Of the output folder that a param or tag names, where it is on this machine. Reads the disk."""
    for output in named_output_folders(facts):
        try:
            folder = hydra_folder(output)
            if folder is None:
                continue
            if _is_later(folder, end_ms):
                return _Lacking(f"{folder} was written after the run had ended, by another one")
            return of_hydra(folder)
        except OSError:
            continue  # a folder that may not be looked into isn't there for us
        except TowerError as error:
            return _Lacking(error.tried.rstrip("."))
    return _Lacking()


def _is_later(folder: Path, end_ms: float | None) -> bool:
    return end_ms is not None and (folder / "config.yaml").stat().st_mtime * 1000 > end_ms + _SLACK_MS
