"""Which files of a project hold params, metrics and plots, by its dvc.yaml files.

What needs DVC to be understood (templates with `${}`, foreach, matrix, vars) is asked of DVC itself, once for the same
files (`through_dvc.py`).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runtower.sources.dvc.contract import LOCK_FILE, PARAMS_FILE
from runtower.sources.dvc.places import Content, Place
from runtower.sources.dvc.values import Values
from runtower.sources.leaves import Unreadable

_NO_FILES: Final = frozenset({"cmd", "desc", "meta"})
_EXPRESSION: Final = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True)
class Plot:
    """A file with points: `x` and `y` are columns, '' and () where dvc.yaml names none."""

    path: str
    x: str = ""
    y: tuple[str, ...] = ()


@dataclass
class Declared:
    """Paths relative to the project. `params` has the dotted keys of each file, none for all of it. `expressions` are
    what templates of files ask for (`train.parts`), `variables` the files that they may be in."""

    params: dict[str, tuple[str, ...]] = field(default_factory=dict)
    metrics: dict[str, None] = field(default_factory=dict)
    plots: dict[str, Plot] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    needs_dvc: bool = False
    expressions: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)

    def want(self, path: str, keys: tuple[str, ...]) -> None:
        """A param file, or more of its keys; () for all of it."""
        known = self.params.get(path)
        self.params[path] = keys if known is None else () if not known or not keys else (*known, *keys)


def declared(place: Place, values: Values, pipelines: Mapping[str, Content]) -> Declared:
    """What these dvc.yaml files (by path) declare; `problems` says what of them can't be read."""
    found = Declared()
    for path, content in pipelines.items():
        try:
            document = values.document(path, content)
        except Unreadable as error:
            found.problems.append(str(error))
            continue
        if not isinstance(document, Mapping):
            found.problems.append(f"{path} holds no map.")
            continue
        _read_pipeline(found, posixpath.dirname(path), document)
    if place.content(PARAMS_FILE) is not None:
        found.params[PARAMS_FILE] = ()
    return found


def hashes(place: Place, values: Values, pipelines: Mapping[str, Content]) -> dict[str, tuple[str, bool]]:
    """What the dvc.lock beside each dvc.yaml says of outputs: by path their MD5, and whether it is of DVC 3."""
    found: dict[str, tuple[str, bool]] = {}
    for path, content in pipelines.items():
        folder = posixpath.dirname(path)
        lock = place.content(posixpath.join(folder, LOCK_FILE))
        if lock is None:
            continue
        try:
            locked, document = values.document(LOCK_FILE, lock), values.document(path, content)
        except Unreadable:
            continue
        stages = locked.get("stages", locked) if isinstance(locked, Mapping) else {}
        declared_stages = document.get("stages") if isinstance(document, Mapping) else None
        for name, stage in stages.items() if isinstance(stages, Mapping) else ():
            told = declared_stages.get(str(name).partition("@")[0]) if isinstance(declared_stages, Mapping) else None
            told = told.get("do", told) if isinstance(told, Mapping) else {}
            wdir = told.get("wdir") if isinstance(told, Mapping) else None
            _read_lock(found, _joined(folder, str(wdir or ".")), stage)
    return found


def _read_pipeline(found: Declared, folder: str, document: Mapping[str, Any]) -> None:
    stages = document.get("stages")
    stages = stages if isinstance(stages, Mapping) else {}
    for stage in stages.values():
        if isinstance(stage, Mapping) and not _is_template(stage):
            _read_stage(found, folder, stage)
        elif isinstance(stage, Mapping):
            found.needs_dvc = True
            found.expressions.update(_expressions({key: stage[key] for key in stage.keys() - _NO_FILES}))
    if found.needs_dvc or document.get("vars"):
        found.needs_dvc = True
        given = [document.get("vars"), *(stage.get("vars") for stage in stages.values() if isinstance(stage, Mapping))]
        named = [one.partition(":")[0] for variables in given for one in _list(variables) if isinstance(one, str)]
        found.variables.update(_joined(folder, one) for one in (PARAMS_FILE, *named))
    for path in _texts(document.get("metrics")):
        found.metrics[_joined(folder, path)] = None
    for path in _texts(document.get("params")):
        found.want(_joined(folder, path), ())
    for plot in _plots(document.get("plots"), folder):
        found.plots[plot.path] = plot


def _is_template(stage: Mapping[str, Any]) -> bool:
    """Whether what files it declares can't be read as it stands; a command's own expressions don't count."""
    plain = {key: value for key, value in stage.items() if key not in _NO_FILES}
    return bool({"foreach", "matrix", "vars"} & stage.keys()) or any(True for _ in _expressions(plain))


def _expressions(value: Any) -> Iterator[str]:
    """What stands in `${...}` in a value, at any depth."""
    if isinstance(value, str):
        yield from (one.strip() for one in _EXPRESSION.findall(value))
    elif isinstance(value, Mapping):
        for key, below in value.items():
            yield from _expressions(str(key))
            if key != "cmd":
                yield from _expressions(below)
    elif isinstance(value, list):
        for one in value:
            yield from _expressions(one)


def _read_stage(found: Declared, folder: str, stage: Mapping[str, Any]) -> None:
    folder = _joined(folder, str(stage.get("wdir") or "."))
    for item in _list(stage.get("params")):
        if isinstance(item, str):
            found.want(_joined(folder, PARAMS_FILE), (item,))
        elif isinstance(item, Mapping):
            for file, keys in item.items():
                found.want(_joined(folder, str(file)), tuple(str(key) for key in _list(keys)))
    for path in _texts(stage.get("metrics")):
        found.metrics[_joined(folder, path)] = None
    for plot in _plots(stage.get("plots"), folder):
        found.plots[plot.path] = plot


def _read_lock(found: dict[str, tuple[str, bool]], folder: str, stage: Any) -> None:
    for out in _list(stage.get("outs")) if isinstance(stage, Mapping) else ():
        if isinstance(out, Mapping) and isinstance(out.get("md5"), str) and isinstance(out.get("path"), str):
            found[_joined(folder, out["path"])] = (out["md5"], out.get("hash") == "md5")


def _plots(given: Any, folder: str) -> Iterator[Plot]:
    """Plots of a stage (paths, or maps of one), or of a dvc.yaml (the same, and maps of an id to a definition)."""
    items: list[Any] = [{key: value} for key, value in given.items()] if isinstance(given, Mapping) else _list(given)
    for item in items:
        if isinstance(item, str):
            yield Plot(_joined(folder, item))
        elif isinstance(item, Mapping):
            for path, told in item.items():
                yield from _defined(str(path), told if isinstance(told, Mapping) else {}, folder)


def _defined(path: str, told: Mapping[str, Any], folder: str) -> Iterator[Plot]:
    x, y = told.get("x"), told.get("y")
    if isinstance(y, Mapping):  # columns by file
        for file, columns in y.items():
            column = x.get(file) if isinstance(x, Mapping) else x
            yield Plot(_joined(folder, str(file)), str(column or ""), tuple(map(str, _list(columns))))
    else:
        yield Plot(_joined(folder, path), str(x or "") if not isinstance(x, Mapping) else "", tuple(map(str, _list(y))))


def _texts(given: Any) -> Iterator[str]:
    """Paths, given plainly or as a map of one."""
    for item in _list(given):
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            yield from (str(key) for key in item)


def _list(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, list | tuple) else [given]


def _joined(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))
