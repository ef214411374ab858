"""The stages of a project with their states, and why: by DVC's own objects, without its locks.

`dvc status` fails while a stage runs, and says only that something changed; what is read here is read while stages run,
with what was and what is. DVC keeps the MD5s of files that it has seen, so that only files that changed are hashed.
"""

from __future__ import annotations

import json
import os
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Final

from runtower.domain.errors import NotFound
from runtower.domain.pipelines import Holder, Pipeline, Stage, StageState, Why
from runtower.sources.dvc.contract import LOCK_FILE
from runtower.sources.dvc.places import Disk
from runtower.sources.dvc.queue import is_alive
from runtower.sources.dvc.through_dvc import opened
from runtower.sources.dvc.values import Values
from runtower.sources.leaves import Unreadable, leaves

_LONGEST: Final = 300


class PipelineReader:
    """Reads the pipeline of one project."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._values = Values()

    def read(self) -> Pipeline:
        """As it is now. Raises NotFound where the project has no dvc.yaml."""
        if not Disk(self._root).pipeline_files():
            raise NotFound(f"{self._root} has no dvc.yaml, hence no pipeline.", "dvc stage add makes one.")
        held = holders(self._root)
        try:
            with opened(self._root) as repo:
                stages = self._stages(repo)
        except Unreadable as error:
            return Pipeline(time.time() * 1000, (), held, (str(error),))
        return Pipeline(time.time() * 1000, tuple(_running(_with_upstream(stages), held)), held)

    def _stages(self, repo: Any) -> list[Stage]:
        """In an order in which each comes after those that it builds on. Raises Unreadable for a circle."""
        from dvc.stage import PipelineStage  # noqa: PLC0415

        stages = {_name(repo, stage): stage for stage in repo.index.stages if isinstance(stage, PipelineStage)}
        above = _above(stages)
        sorter = TopologicalSorter({name: sorted(above[name]) for name in sorted(stages)})
        try:
            order = list(sorter.static_order())
        except CycleError as error:
            raise Unreadable(f"Stages build on each other: {' -> '.join(map(str, error.args[1]))}.") from error
        return [self._stage(repo, stages[name], tuple(sorted(above[name]))) for name in order]

    def _stage(self, repo: Any, stage: Any, upstream: tuple[str, ...]) -> Stage:
        def told(path: str) -> str:
            return str(repo.fs.relpath(path, repo.root_dir)).replace(os.sep, "/")

        deps = [dep for dep in stage.deps if not _is_params(dep)]
        params = [dep for dep in stage.deps if _is_params(dep)]
        locked, name = self._locked(stage), _name(repo, stage)
        state, why = StageState.FRESH, []
        outs = list(self._outs(stage, told))
        if locked is None:
            state = StageState.NEVER
        elif stage.frozen:
            state, why = StageState.FROZEN, outs
        else:
            why = [*self._command(stage, locked), *self._params(params, told), *self._deps(deps, told)]
            if stage.always_changed or stage.is_callback:
                what = "always_changed" if stage.always_changed else "neither dependencies nor outputs"
                why.append(Why("always", what))
            state = StageState.CHANGED if why or any(one.new == "modified" for one in outs) else state
            state = StageState.MISSING if outs and state is StageState.FRESH else state
            why += outs
        return Stage(
            name=name,
            file=told(stage.path),
            command=_command_text(stage.cmd),
            state=state,
            why=tuple(why),
            deps=tuple(told(dep.fs_path) if dep.protocol == "local" else str(dep) for dep in deps),
            params=tuple(f"{told(dep.fs_path)} {key}".strip() for dep in params for key in dep.params or ("",)),
            outs=tuple(told(out.fs_path) for out in stage.outs),
            upstream=upstream,
            group=name.partition("@")[0] if "@" in name else "",
            is_frozen=bool(stage.frozen),
        )

    def _locked(self, stage: Any) -> Mapping[str, Any] | None:
        """What dvc.lock says of a stage; None where it was never run."""
        folder = Path(stage.path).parent
        content = Disk(folder).content(LOCK_FILE)
        try:
            document = self._values.document(LOCK_FILE, content) if content is not None else {}
        except Unreadable:
            return None
        stages = document.get("stages", document) if isinstance(document, Mapping) else {}
        found = stages.get(stage.name) if isinstance(stages, Mapping) else None
        return found if isinstance(found, Mapping) else None

    def _command(self, stage: Any, locked: Mapping[str, Any]) -> Iterator[Why]:
        old, new = _command_text(locked.get("cmd")), _command_text(stage.cmd)
        if old != new:
            yield Why("command", "", old[:_LONGEST], new[:_LONGEST])

    def _params(self, params: list[Any], told: Any) -> Iterator[Why]:
        for dep in params:
            status = dep.workspace_status()
            if not status:
                continue
            file = told(dep.fs_path)
            old = _leaves(dep.hash_info.value if dep.hash_info else {})
            try:
                new = _leaves(dep.read_params(flatten=True))
            except Exception as error:  # noqa: BLE001 - as above
                yield Why("param", file, "", " ".join(str(error).split())[:_LONGEST])
                continue
            for key in dict.fromkeys((*old, *new)):
                if old.get(key) != new.get(key):
                    yield Why("param", f"{file} {key}", old.get(key, ""), new.get(key, ""))

    def _deps(self, deps: list[Any], told: Any) -> Iterator[Why]:
        for dep in deps:
            for path, word in dep.status().items():
                name = told(dep.fs_path) if dep.protocol == "local" else str(path)
                old = dep.hash_info.value[:7] if dep.hash_info and dep.hash_info.value else ""
                new = word
                if word == "modified" and dep.protocol == "local":
                    now = dep.get_hash()
                    new = str(now.value)[:7] if now and now.value else word
                yield Why("dep", name, old, new)

    def _outs(self, stage: Any, told: Any) -> Iterator[Why]:
        for out in stage.outs:
            for word in out.status().values():
                yield Why("out", told(out.fs_path), "", str(word))


def _above(stages: Mapping[str, Any]) -> dict[str, set[str]]:
    """By stage those that it builds on: whose output is a dependency of it, holds one or lies in one.

    DVC's own graph tells the same in a time that grows with the square of a chain's length.
    """
    made = {out.fs_path: name for name, stage in stages.items() for out in stage.outs}
    paths = sorted(made)
    found: dict[str, set[str]] = {name: set() for name in stages}
    for name, stage in stages.items():
        for dep in stage.deps:
            path = dep.fs_path
            if dep.protocol != "local":
                continue
            found[name].update(made[one] for one in (path, *_folders(path)) if one in made)
            first = bisect_left(paths, f"{path}{os.sep}")
            for one in paths[first:]:
                if not one.startswith(f"{path}{os.sep}"):
                    break
                found[name].add(made[one])
        found[name].discard(name)
    return found


def _folders(path: str) -> Iterator[str]:
    """All folders that a path lies in."""
    while (above := os.path.dirname(path)) != path:
        yield above
        path = above


def _leaves(document: Any) -> dict[str, str]:
    """Texts by dotted key."""
    return {key: text for key, text, _ in leaves(document)} if document else {}


def _is_params(dep: Any) -> bool:
    from dvc.dependency import ParamsDependency  # noqa: PLC0415

    return isinstance(dep, ParamsDependency)


def _name(repo: Any, stage: Any) -> str:
    """As commands take it: `train`, `nested/dvc.yaml:low`."""
    folder = repo.fs.relpath(repo.fs.parent(stage.path), repo.root_dir)
    name = getattr(stage, "name", "") or ""
    if not name:
        return str(repo.fs.relpath(stage.path, repo.root_dir))
    return name if folder == "." else f"{str(folder).replace(os.sep, '/')}/{Path(stage.path).name}:{name}"


def _command_text(command: Any) -> str:
    return "\n".join(map(str, command)) if isinstance(command, list) else str(command or "")


def _with_upstream(stages: list[Stage]) -> Iterator[Stage]:
    """A stage whose own things are as they were is stale where something that it builds on is."""
    stale: set[str] = set()
    for stage in stages:
        above = tuple(Why("upstream", name) for name in stage.upstream if name in stale)
        if above and not stage.is_frozen:
            state = StageState.UPSTREAM if stage.state is StageState.FRESH else stage.state
            stage = replace(stage, state=state, why=(*stage.why, *above))
        if stage.state.is_stale:
            stale.add(stage.name)
        yield stage


def _running(stages: Iterator[Stage], held: tuple[Holder, ...]) -> Iterator[Stage]:
    """Those whose outputs a living process is writing."""
    written = {path for holder in held for path in holder.writes}
    for stage in stages:
        yield replace(stage, state=StageState.RUNNING) if written & set(stage.outs) else stage


def holders(root: Path) -> tuple[Holder, ...]:
    """The living processes that hold paths of a project (`.dvc/tmp/rwlock`, dvc/rwlock.py), those that write first."""
    try:
        document = json.loads((root / ".dvc/tmp/rwlock").read_bytes() or b"{}")
    except (OSError, ValueError):
        return ()
    commands: dict[int, str] = {}
    writes: dict[int, list[str]] = {}
    for kind in ("write", "read"):
        paths = document.get(kind) if isinstance(document, dict) else None
        for path, found in paths.items() if isinstance(paths, dict) else ():
            for one in found if isinstance(found, list) else [found]:
                if isinstance(one, dict) and is_alive(pid := int(one.get("pid") or 0)):
                    program, space, rest = str(one.get("cmd") or "").partition(" ")
                    commands[pid] = f"{os.path.basename(program)}{space}{rest}"
                    if kind == "write":
                        writes.setdefault(pid, []).append(os.path.relpath(path, root).replace(os.sep, "/"))
    order = sorted(commands, key=lambda pid: (pid not in writes, pid))
    return tuple(Holder(pid, commands[pid], tuple(sorted(writes.get(pid, ())))) for pid in order)
