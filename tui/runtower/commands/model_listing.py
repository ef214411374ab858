"""`models` and `models versions`: the registries without a screen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from runtower.acts import export
from runtower.acts.registry_words import aliases_of, in_order, stages_of, tags_of, when
from runtower.acts.tower import Tower
from runtower.acts.version_rows import metrics_of, runs_of
from runtower.commands.listing import write
from runtower.commands.model_finding import Found, asked_all, asking, found, models_named
from runtower.commands.model_tables import ListWish, cut, time_of, write_table
from runtower.commands.opening import Asked, Context, context
from runtower.commands.tables import json_array
from runtower.domain import runs
from runtower.domain.errors import NotFound
from runtower.domain.models import NO_STAGE, Model, ModelVersion
from runtower.domain.runs import ColumnKey
from runtower.domain.values import is_missing
from runtower.link.wire import Models
from runtower.present.numbers import exact

_FEW: Final = 4


# -- models


def list_models(asked: Asked, names: Sequence[str], wish: ListWish) -> None:
    """Print all models, or those of these names. All of this page raise TowerError."""
    asyncio.run(_list_models(asked, names, wish))


async def _list_models(asked: Asked, names: Sequence[str], wish: ListWish) -> None:
    work = context(asked)
    async with asking(work) as tower:
        known = await _models(work, tower, names, asked.patience)
    known.sort(key=lambda one: (-(one[1].updated or 0), one[1].name))
    known = cut(known, wish.limit, "models")
    sources = [target.name for target in work.targets]
    if wish.form == "json":
        write(json_array(_model_record(model, sources[number]) for number, model in known))
        return
    several = [] if len(sources) == 1 and not wish.form else ["source"]
    head = [*several, "model", "latest", "aliases", "stages", "changed", "tags", "description"]
    cells = _exact_model if wish.form else _model
    lines = ([*(sources[number] for _ in several), *cells(model)] for number, model in known)
    write_table(head, lines, wish.form)


async def _models(work: Context, tower: Tower, names: Sequence[str], patience: float) -> list[tuple[int, Model]]:
    if names:
        return [
            (number, now.model)
            for name in dict.fromkeys(names)
            for number, now in await models_named(work, tower, name, patience)
        ]
    answers = await asked_all(work, [link.ask(Models()) for link in tower.links], patience)
    if not answers:
        sources = ", ".join(target.name for target in work.targets)
        raise NotFound(f"No registry of models is here: {sources} has none.", "Name a store with --tracking-uri.")
    return [(number, model) for number, answer in answers for model in answer.models or ()]


def _model(one: Model) -> list[str]:
    description = one.description.strip().split("\n")[0]
    return [one.name, one.latest, aliases_of(one), stages_of(one), when(one.updated), tags_of(one.tags), description]


def _exact_model(one: Model) -> list[str]:
    aliases = " ".join(f"{alias}={one.aliases[alias]}" for alias in in_order(one.aliases))
    stages = " ".join(f"{stage}={version}" for stage, version in one.stages.items())
    return [one.name, one.latest, aliases, stages, time_of(one.updated), tags_of(one.tags), one.description]


def _model_record(one: Model, source: str) -> dict[str, Any]:
    return {"source": source, **msgspec.to_builtins(one)}


# -- versions


def list_versions(asked: Asked, name: str, wish: ListWish) -> None:
    """Print the versions of a model, each with its run and that run's metrics."""
    asyncio.run(_list_versions(asked, name, wish))


async def _list_versions(asked: Asked, name: str, wish: ListWish) -> None:
    async with found(context(asked), name, asked.patience) as model:
        shown = cut(list(model.now.versions), wish.limit, "versions")
        await model.tower.bring(model.number, [one.run_id for one in shown if one.run_id])
        table = _Versions(model, shown)
        if wish.form == "json":
            write(json_array(map(table.record, shown)))
            return
        keys = table.metrics if wish.form else table.metrics[:_FEW]
        head = [
            "version",
            "aliases",
            "stage",
            "status",
            "run",
            *(str(key) if wish.form else key.key for key in keys),
            "created",
            "user",
        ]
        if wish.form:
            head = ["model", *head, "run_id", "tags", "description"]
        right = [False] * 5 + [True] * len(keys) + [False] * 2
        write_table(head, (table.cells(one, keys, bool(wish.form)) for one in shown), wish.form, right)


class _Versions:
    """Versions with what is known of their runs."""

    def __init__(self, model: Found, shown: Sequence[ModelVersion]) -> None:
        self._source = model.target.name
        self._catalogue = model.tower.catalogue
        self._rows = runs_of(model.tower, model.number, shown)
        self.metrics = metrics_of(model.tower, list(self._rows.values()))

    def cells(self, one: ModelVersion, keys: Sequence[ColumnKey], exactly: bool) -> list[str]:
        """`exactly`: for a program, times and ids in full."""
        stage = one.stage if exactly or one.stage != NO_STAGE else ""
        values = (self._value(one, key) for key in keys)
        metrics = ["" if value is None else exact(value) for value in values]
        created = time_of(one.created) if exactly else when(one.created)
        aliases = " ".join(one.aliases if exactly else (f"@{alias}" for alias in one.aliases))
        status = one.status if exactly else one.status.partition("_")[0].lower()
        cells = [one.version, aliases, stage, status, self._run(one), *metrics, created, one.user]
        return [one.model, *cells, one.run_id, tags_of(one.tags), one.description] if exactly else cells

    def record(self, one: ModelVersion) -> dict[str, Any]:
        """As --json gives it."""
        values = {key.key: self._value(one, key) for key in self.metrics}
        return {
            "source": self._source,
            "model": one.model,
            "version": one.version,
            "aliases": one.aliases,
            "stage": one.stage,
            "status": one.status,
            "status_message": one.status_message,
            "run_id": one.run_id or None,
            "run": self._run(one) or None,
            "metrics": {key: export.number(value) for key, value in values.items() if value is not None},
            "user": one.user,
            "created": one.created,
            "updated": one.updated,
            "made_from": one.source,
            "model_id": one.model_id or None,
            "tags": one.tags,
            "description": one.description,
        }

    def _run(self, one: ModelVersion) -> str:
        """Its name, '' where the run isn't there."""
        row = self._rows.get(one.version)
        return "" if row is None else self._catalogue.texts(runs.NAME).text(row) or one.run_id

    def _value(self, one: ModelVersion, key: ColumnKey) -> float | None:
        row = self._rows.get(one.version)
        value = None if row is None else self._catalogue.numbers(key).number(row)
        return None if value is None or is_missing(value) else float(value)
