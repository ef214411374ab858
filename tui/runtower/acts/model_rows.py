"""Registered models as rows of a table, and what is to be said of one of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

from runtower.acts.listed import Cell, Head, ListedRow
from runtower.acts.registries import Registries
from runtower.acts.registry_words import aliases_of, model_uri, stages_of, tags_of, version_name, when
from runtower.domain.models import Model
from runtower.present.spans import Line

_WIDEST: Final = 44


def model_rows(registries: Registries, names: Sequence[str]) -> list[ListedRow]:
    """All that are known; `names` are those of the sources. Those that changed last come first."""
    found = sorted(registries.known, key=lambda one: (-(one[1].updated or 0), one[1].name))
    return [
        ListedRow(key_of(number, model), _cells(model, names[number]), model.description) for number, model in found
    ]


def key_of(number: int, model: Model) -> Hashable:
    return (number, model.name)


def heads(registries: Registries) -> list[Head]:
    """The columns, as wide as what stands in them; which source a model is of is said where there are several."""
    models = [model for _, model in registries.known]
    aliases = max((len(aliases_of(model)) for model in models), default=0)
    stages = max((len(stages_of(model)) for model in models), default=0)
    shown = [Head("model", "model", 18, grows=True), Head("latest", "latest", 6)]
    shown.append(Head("aliases", "aliases", max(8, min(_WIDEST, aliases))))
    if stages:
        shown.append(Head("stages", "stages", max(8, min(_WIDEST, stages)), least=90))
    shown.append(Head("changed", "changed", 10, right=True))
    if len(registries.numbers) > 1:
        shown.append(Head("source", "source", 12, least=100))
    return [*shown, Head("tags", "tags", 20, least=130), Head("description", "description", 18, grows=True, least=160)]


def _cells(model: Model, source: str) -> dict[str, Cell]:
    first = model.description.strip().split("\n")[0]
    return {
        "model": Cell(model.name, "bright"),
        "latest": Cell(
            version_name(model.latest) if model.latest else "none", "" if model.latest else "dim", _number(model.latest)
        ),
        "aliases": Cell(aliases_of(model), "hit", aliases_of(model) or None),
        "stages": Cell(stages_of(model), "", stages_of(model) or None),
        "changed": Cell(when(model.updated), "dim", float(model.updated) if model.updated else None),
        "source": Cell(source, "dim"),
        "tags": Cell(tags_of(model.tags), "dim", tags_of(model.tags) or None),
        "description": Cell(first, "dim", first or None),
    }


def _number(version: str) -> float | None:
    return float(version) if version.isdecimal() else None


def about_model(model: Model) -> list[Line]:
    """What there is to say of a model, what matters most first."""
    first, *rest = model.description.strip().split("\n")
    said: list[Line] = [((first, ""),)] if first else []
    for name, text in (("aliases", aliases_of(model)), ("stages", stages_of(model)), ("tags", tags_of(model.tags))):
        if text:
            said.append(((f"{name:<9}", "dim"), (text, "bright" if name == "aliases" else "")))
    times = [f"{word} {when(at)}" for word, at in (("created", model.created), ("changed", model.updated)) if at]
    said.append(((f"{'uri':<9}", "dim"), (model_uri(model), ""), (f"   {', '.join(times)}" if times else "", "dim")))
    return [*said, *(((line, ""),) for line in rest)]
