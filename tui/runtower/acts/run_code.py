"""Which code runs were made with, as far as they recorded it: commit, script, a patch of what wasn't committed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from runtower.acts import export
from runtower.acts.run_artifacts import RunArtifacts, few_at_a_time
from runtower.acts.sides import Facts, labels_of, side_by_side, told_once
from runtower.acts.tower import Tower
from runtower.domain.artifacts import Artifact
from runtower.domain.errors import Invalid, TowerError
from runtower.domain.targets import without_credentials

TITLE: Final = "code"
COMMIT, PATCH = "commit", "patch"
_ORDER: Final = (COMMIT, "branch", "repository", "dirty", PATCH, "script", "type", "entry point")
_GIT: Final = r"(?:mlflow\.(?:source\.)?)?git[._/-]?"
_SAID: Final = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        (
            COMMIT,
            rf"{_GIT}(?:commit|sha|hash|rev|revision)(?:[._-]?(?:sha|hash|id))?|mlflow\.databricks\.gitRepoCommit",
        ),
        ("branch", rf"{_GIT}branch"),
        ("repository", rf"{_GIT}(?:repo|remote|repository)(?:[._-]?ur[li])?|mlflow\.databricks\.gitRepoUrl"),
        ("dirty", rf"{_GIT}(?:is[._-]?)?dirty"),
        ("type", r"mlflow\.source\.type"),
        ("entry point", r"mlflow\.project\.entryPoint"),
    )
)
_DIFF_TAGS: Final = ("mlflow.source.git.diff", "mlflow.git.diff", "git.diff", "git_diff")
_PATCHES: Final = re.compile(r".+\.(?:patch|diff)", re.IGNORECASE)
_HOLDERS: Final = re.compile(r".*(?:code|git|patch|diff|files|source|src|hydra).*", re.IGNORECASE)
_MOST_HOLDERS: Final = 8
_MOST_PATCHES: Final = 4


@dataclass(frozen=True)
class RunsCode:
    """Of runs, in their order: what is recorded, the commits for `git_changes`, and the patches as texts."""

    facts: Facts
    commits: tuple[str | None, ...]
    patches: tuple[str | None, ...]


@dataclass(frozen=True)
class _Patch:
    text: str | None = None
    files: tuple[str, ...] = ()
    trouble: str = ""


async def code_of(tower: Tower, rows: Sequence[int]) -> RunsCode:
    """The code of runs (global rows). Never raises for what can't be read: a note says so."""
    records = list(export.records(tower.catalogue, rows))
    found = await few_at_a_time(lambda row: _patch(RunArtifacts(tower, row)), rows)
    sides: list[dict[str, str]] = []
    patches: list[str | None] = []
    for record, patch in zip(records, found, strict=True):
        said = {**record["params"], **record["tags"]}
        side = _said(said) | {
            name: value for name, value in ((COMMIT, record["git_commit"]), ("script", record["source_name"])) if value
        }
        text = patch.text if patch.text is not None else next((said[key] for key in _DIFF_TAGS if said.get(key)), None)
        if text is not None:
            side[PATCH] = _described(text)
        sides.append(side)
        patches.append(text)
    names = labels_of(records)
    notes = (
        told_once([", ".join(one.files) for one in found], names),
        told_once([one.trouble for one in found], names),
    )
    facts = Facts(TITLE, side_by_side(sides, _ORDER), "; ".join(one for one in notes if one))
    return RunsCode(facts, tuple(side.get(COMMIT) for side in sides), tuple(patches))


def _said(said: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, text in said.items():
        name = next((name for name, pattern in _SAID if pattern.fullmatch(key)), "")
        if name and text.strip():
            found.setdefault(name, without_credentials(text.strip()))
    return found


def _described(text: str) -> str:
    """`214 lines, 4f2a9c01d4e5`: equal for equal patches."""
    count = len(text.splitlines())
    return f"{count:,} {'line' if count == 1 else 'lines'}, {sha256(text.encode()).hexdigest()[:12]}"


# -- artifacts


async def _patch(artifacts: RunArtifacts) -> _Patch:
    """What wasn't committed, where it was logged as a file, at the top or in a folder for such."""
    try:
        top = await artifacts.folder()
        entries = list(top.entries)
        for one in [one for one in top.entries if one.is_dir and _HOLDERS.fullmatch(one.name)][:_MOST_HOLDERS]:
            entries += (await artifacts.folder(one.path)).entries
        files = [one for one in entries if not one.is_dir and _PATCHES.fullmatch(one.name)][:_MOST_PATCHES]
        return await _read(artifacts, files)
    except TowerError as error:
        return _Patch(trouble=artifacts.missed(error))


async def _read(artifacts: RunArtifacts, files: Sequence[Artifact]) -> _Patch:
    texts: dict[str, str] = {}
    trouble = ""
    for file in files:
        try:
            texts[file.path] = await artifacts.text(file.path)
        except Invalid as error:
            trouble = trouble or error.tried.rstrip(".")
    return _Patch("\n".join(texts.values()) if texts else None, tuple(texts), trouble)
