"""What a commit, the workspace or a running experiment says: params, metrics, plots."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

from runtower.sources.dvc.cache import FOLDER, Cache
from runtower.sources.dvc.contract import LOCK_FILE, PARAMS_FILE
from runtower.sources.dvc.declared import Declared, Plot, declared, hashes
from runtower.sources.dvc.places import Content, Place
from runtower.sources.dvc.values import Values, some
from runtower.sources.leaves import Param, Unreadable

Fingerprint = tuple[str, ...]


@dataclass
class State:
    """Values by their key, and `problems`: what can't be read of them."""

    params: list[Param] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)
    plots: dict[str, Plot] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @cached_property
    def signature(self) -> str:
        """The same for two states that say the same; a state isn't changed once it was read."""
        said = repr((self.params, sorted(self.metrics.items()), self.problems))
        return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class States:
    """Reads states; what they have in common is read once."""

    def __init__(self, root: Path, resolve: Callable[[Path, str, Declared], None]) -> None:
        """`resolve` asks DVC what a revision's templates declare."""
        self._root = root
        self._cache = Cache(root)
        self._values = Values()
        self._resolve = resolve
        self._plain: dict[Fingerprint, Declared] = {}
        self._resolved: dict[Fingerprint, Declared] = {}
        self._hashes: dict[Fingerprint, dict[str, tuple[str, bool]]] = {}

    def read(self, place: Place, revision: str, with_metrics: bool = True) -> State:
        """The state at a place; `revision` is its commit, '' for none. Never raises for what can't be read."""
        found = self.declared_at(place, revision)
        state = State(plots=found.plots, problems=list(found.problems))
        state.params = _joined(self._params(place, found, state.problems))
        if with_metrics:
            state.metrics = dict(_named(self._metrics(place, found, state.problems)))
        return state

    def content(self, place: Place, path: str) -> Content | None:
        """A file, from where it is: the place itself, else the cache."""
        content = place.content(path)
        if content is not None:
            return content
        known = self._hashes_at(place)
        if path in known:
            return self._cache.content(*known[path])
        holder = _holder(path, known)
        md5 = self._cache.member(*known[holder], path[len(holder) + 1 :]) if holder else ""
        return self._cache.content(md5, known[holder][1]) if md5 else None

    def missing(self, place: Place, path: str) -> str:
        """Why a file that is named can't be read, as a sentence; '' for an output that was never made."""
        known = self._hashes_at(place)
        holder = _holder(path, known)
        if path in known or (holder and self._cache.member(*known[holder], path[len(holder) + 1 :]) is None):
            return f"{path} is not in DVC's cache; dvc pull brings it."
        return ""

    def declared_at(self, place: Place, revision: str) -> Declared:
        """Which files count there; worked out once for the same dvc.yaml and, with templates, what they ask for."""
        pipelines = self._pipelines(place)
        has_params = place.content(PARAMS_FILE) is not None
        key: Fingerprint = (*(f"{path} {content.id}" for path, content in pipelines.items()), str(has_params))
        plain = self._plain.get(key)
        if plain is None:
            plain = self._plain[key] = declared(place, self._values, pipelines)
        if not plain.needs_dvc:
            return plain
        key = (*key, repr(self._asked(place, plain)))
        if key not in self._resolved:
            found = declared(place, self._values, pipelines)
            try:
                self._resolve(self._root, revision, found)
            except Unreadable as error:
                found.problems.append(str(error))
            self._resolved[key] = found
        return self._resolved[key]

    def _pipelines(self, place: Place) -> dict[str, Content]:
        return {path: content for path in place.pipeline_files() if (content := place.content(path)) is not None}

    def _asked(self, place: Place, plain: Declared) -> list[object]:
        """What the templates' expressions stand for in the files that they may be in."""
        found: list[object] = []
        for path in sorted(plain.variables):
            content = place.content(path)
            try:
                document = self._values.document(path, content) if content is not None else None
            except Unreadable:
                document = None
            found.append([some(document, [expression]) for expression in sorted(plain.expressions)])
        return found

    def _hashes_at(self, place: Place) -> dict[str, tuple[str, bool]]:
        pipelines = self._pipelines(place)
        locks = [place.content(posixpath.join(posixpath.dirname(path), LOCK_FILE)) for path in pipelines]
        key = (*(one.id for one in pipelines.values()), *(one.id if one is not None else "" for one in locks))
        if key not in self._hashes:
            self._hashes[key] = hashes(place, self._values, pipelines)
        return self._hashes[key]

    def _params(self, place: Place, found: Declared, problems: list[str]) -> Iterator[tuple[str, list[Param]]]:
        for file, keys in found.params.items():
            for path in place.below(file) or [file]:
                content = self.content(place, path)
                if content is None:
                    said = self.missing(place, path)
                    problems.append(said or f"{path} isn't there, though dvc.yaml names it.")
                    continue
                try:
                    yield path, self._values.params(path, content, keys)
                except Unreadable as error:
                    problems.append(str(error))

    def _metrics(self, place: Place, found: Declared, problems: list[str]) -> Iterator[tuple[str, dict[str, float]]]:
        for file in found.metrics:
            for path in place.below(file) or [file]:
                content = self.content(place, path)
                if content is None:
                    if said := self.missing(place, path):
                        problems.append(said)
                    continue
                try:
                    yield path, self._values.metrics(path, content)
                except Unreadable as error:
                    problems.append(str(error))


def _holder(path: str, known: Mapping[str, tuple[str, bool]]) -> str:
    """The folder among DVC's outputs that a file lies in, '' for none."""
    while (path := posixpath.dirname(path)) not in ("", "/"):
        if path in known and known[path][0].endswith(FOLDER):
            return path
    return ""


def _joined(files: Iterator[tuple[str, list[Param]]]) -> list[Param]:
    """Keys as they stand in their files; `file:key` where two files have the same."""
    given = list(files)
    counts: dict[str, int] = {}
    for _, params in given:
        for key, _, _ in params:
            counts[key] = counts.get(key, 0) + 1
    return [
        (key if counts[key] == 1 else f"{path}:{key}", text, kind)
        for path, params in given
        for key, text, kind in params
    ]


def _named(files: Iterator[tuple[str, dict[str, float]]]) -> Iterator[tuple[str, float]]:
    given = list(files)
    counts: dict[str, int] = {}
    for _, values in given:
        for key in values:
            counts[key] = counts.get(key, 0) + 1
    for path, values in given:
        for key, number in values.items():
            yield (key if counts[key] == 1 else f"{path}:{key}"), number
