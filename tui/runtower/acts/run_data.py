"""What runs were given and what they made: datasets by digest, artifacts by size and, where that is cheap, content."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from runtower.acts import export
from runtower.acts.run_artifacts import RunArtifacts, few_at_a_time
from runtower.acts.sides import Fact, Facts, labels_of, told_once
from runtower.acts.tower import Tower
from runtower.domain.datasets import Dataset
from runtower.domain.errors import NotFound, TowerError
from runtower.domain.targets import without_credentials
from runtower.link.wire import Inputs

INPUTS, ARTIFACTS = "inputs", "artifacts"
_MOST_FOLDERS: Final = 100  # of a run
_MOST_FAR_FOLDERS: Final = 30  # of a run behind a line
_MOST_FILES: Final = 2_000
_MIB: Final = 1024 * 1024
# Bytes that are read to compare contents: of one file, and of all of them.
_NEAR: Final = (8 * _MIB, 64 * _MIB)
_FAR: Final = (1 * _MIB, 8 * _MIB)
_DIGITS: Final = 12


async def data_of(tower: Tower, rows: Sequence[int]) -> tuple[Facts, Facts]:
    """The inputs and the artifacts of runs (global rows). Never raises for what can't be read: a note says so."""
    names = labels_of(list(export.records(tower.catalogue, rows)))
    return await _inputs_of(tower, rows, names), await _artifacts_of(tower, rows, names)


# -- inputs


async def _inputs_of(tower: Tower, rows: Sequence[int], names: Sequence[str]) -> Facts:
    asked = await few_at_a_time(lambda row: _inputs(tower, row), rows)
    given = [dict(_by_use(found)) for found, _ in asked]
    facts: list[Fact] = []
    for use in dict.fromkeys(use for one in given for use in one):
        here = [one.get(use) for one in given]
        digests = tuple(None if one is None else one.digest or "no digest" for one in here)
        facts.append(Fact(use, digests, sure=all(one is None or one.digest for one in here)))
        sources = tuple(None if one is None else _source(one) for one in here)
        if any(sources):
            facts.append(Fact(f"{use} source", sources))
    return Facts(INPUTS, tuple(facts), told_once([trouble for _, trouble in asked], names))


async def _inputs(tower: Tower, row: int) -> tuple[Sequence[Dataset], str]:
    """The datasets, and why they can't be told."""
    link = tower.links[int(tower.catalogue.source_numbers()[row])]
    try:
        return await link.ask(Inputs(tower.catalogue.run_key(row).run_id)), ""
    except TowerError as error:
        # A source that records none says so with a plain error; there nothing is missed.
        return (), "" if type(error) in (TowerError, NotFound) else error.tried.rstrip(".")


def _by_use(found: Sequence[Dataset]) -> Iterator[tuple[str, Dataset]]:
    """`coco (training)`, and `coco (training) 2` for a second one of that name and use."""
    count: dict[str, int] = defaultdict(int)
    for one in sorted(found, key=lambda one: (one.name, one.context, one.digest)):
        use = f"{one.name} ({one.context})" if one.context else one.name
        count[use] += 1
        yield (use if count[use] == 1 else f"{use} {count[use]}"), one


def _source(one: Dataset) -> str | None:
    return without_credentials(f"{one.source_type} {one.source}".strip()) or None


# -- artifacts


@dataclass
class _Files:
    """The files of a run with their sizes in bytes; `said`: what isn't here."""

    sizes: dict[str, int | None] = field(default_factory=dict)
    said: str = ""


async def _artifacts_of(tower: Tower, rows: Sequence[int], names: Sequence[str]) -> Facts:
    runs = [RunArtifacts(tower, row) for row in rows]
    found = await few_at_a_time(_files, runs)
    digests = await _digests(runs, found)
    facts = [_fact(path, found, digests) for path in sorted({path for one in found for path in one.sizes})]
    return Facts(ARTIFACTS, tuple(facts), told_once([one.said for one in found], names))


def _fact(path: str, found: Sequence[_Files], digests: dict[tuple[int, str], str]) -> Fact:
    values: list[str | None] = []
    bare: set[str] = set()  # what doesn't tell of the content
    for place, one in enumerate(found):
        if path not in one.sizes:
            values.append(None)
            continue
        size, digest = one.sizes[path], digests.get((place, path))
        said = "size unknown" if size is None else f"{size} bytes"
        if digest is None and size != 0:
            bare.add(said)
        values.append(f"{said}, {digest}" if digest is not None else said)
    return Fact(path, tuple(values), sure=all(values.count(said) == 1 for said in bare))


async def _files(artifacts: RunArtifacts) -> _Files:
    """All files, a folder at a time."""
    out = _Files()
    waiting, left = [""], _MOST_FAR_FOLDERS if artifacts.files.is_far else _MOST_FOLDERS
    try:
        while waiting:
            if not left or len(out.sizes) >= _MOST_FILES:
                out.said = f"only the first {len(out.sizes):,} files were looked at"
                break
            folder = await artifacts.folder(waiting.pop(0))
            left -= 1
            waiting += [one.path for one in folder.entries if one.is_dir]
            out.sizes |= {one.path: one.size for one in folder.entries if not one.is_dir}
            if folder.left_out:
                out.said = f"{folder.left_out:,} files were not looked at"
    except NotFound:
        pass  # it has no artifacts
    except TowerError as error:
        out.said = artifacts.missed(error)
    return out


async def _digests(runs: Sequence[RunArtifacts], found: Sequence[_Files]) -> dict[tuple[int, str], str]:
    """Of files that have the same path and size in several runs, by run and path: the beginning of their SHA-256.

    The small ones first, until as much was read as may be.
    """
    largest, left = _FAR if any(run.files.is_far for run in runs) else _NEAR
    alike: dict[tuple[int, str], list[int]] = defaultdict(list)
    for place, one in enumerate(found):
        for path, size in one.sizes.items():
            if size:
                alike[size, path].append(place)
    wanted: list[tuple[int, str]] = []
    for (size, path), places in sorted(alike.items()):
        if len(places) < 2:
            continue
        left -= size * len(places)
        if size > largest or left < 0:
            break
        wanted += [(place, path) for place in places]

    async def digest(one: tuple[int, str]) -> str | None:
        return await _digest(runs[one[0]], one[1], largest)

    made = await few_at_a_time(digest, wanted)
    return {one: text for one, text in zip(wanted, made, strict=True) if text is not None}


async def _digest(artifacts: RunArtifacts, path: str, most: int) -> str | None:
    async def made() -> tuple[str, int]:
        return sha256(await artifacts.data(path, most)).hexdigest()[:_DIGITS], 0

    try:
        return await artifacts.remembered(f"sha256 {path}", made)
    except TowerError:
        return None  # that can't be told then, as the fact says
