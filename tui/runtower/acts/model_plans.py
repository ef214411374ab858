"""Changes of a model or a version besides its promotion, as they are asked about: description, tags, an alias taken
away, a version deleted."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

from runtower.acts.registrar import Ended, Registrar
from runtower.acts.registry_words import is_record
from runtower.domain.errors import Invalid
from runtower.domain.model_changes import DeleteVersion, Describe, ModelEdit, SetTag
from runtower.domain.models import NO_STAGE, Model, ModelVersion
from runtower.domain.promotions import Destination, DestinationKind, Promotion, Way
from runtower.domain.ulids import new_id
from runtower.promote.declared import GATE_TAG, check_tag
from runtower.promote.protection import is_protected
from runtower.promote.who import who
from runtower.settings import Settings

_ALIAS, _VERSION = "alias:", "version"


@dataclass(frozen=True)
class Planned:
    """A change with its question: `word` has to be typed, '' for none. `done` is what is said once it took effect."""

    title: str
    lines: tuple[tuple[str, str], ...]
    verb: str
    done: str
    change: ModelEdit | Promotion
    word: str = ""

    async def carry_out(self, registrar: Registrar, number: int) -> Ended:
        """On the source of that number. Never raises."""
        if isinstance(self.change, Promotion):
            return await registrar.promote(number, self.change)
        return await registrar.edit(number, self.change, self.title.rstrip("?"), self.done)


def tags_shown(tags: Mapping[str, str]) -> dict[str, str]:
    """Those that a user may change."""
    return {key: value for key, value in sorted(tags.items()) if not is_record(key)}


def tag_of(text: str) -> tuple[str, str]:
    """KEY=VALUE as typed. Raises Invalid."""
    key, equals, value = text.partition("=")
    if not key.strip() or not equals:
        raise Invalid("Write KEY=VALUE.")
    if is_record(key.strip()):
        raise Invalid(f"Tags that begin with runtower. hold its records; only {GATE_TAG} can be set.")
    return key.strip(), value.strip()


def check_value(key: str, value: str) -> None:
    """Raises Invalid where a gate's rules can't be read."""
    if key == GATE_TAG:
        check_tag(value)


def described(model: Model, version: ModelVersion | None, text: str) -> Planned:
    """Another description."""
    name, before = _of(model, version), version.description if version is not None else model.description
    edit = ModelEdit(Describe(model.name, _number(version), text), before)
    return Planned(
        f"change the description of {name}?",
        _old_and_new(before, text),
        "write it",
        f"{name} has the new description.",
        edit,
    )


def tagged(model: Model, version: ModelVersion | None, key: str, value: str | None) -> Planned:
    """A tag set, or with None taken away."""
    name, before = _of(model, version), (version.tags if version is not None else model.tags).get(key)
    edit = ModelEdit(SetTag(model.name, _number(version), key, value), before)
    if value is None:
        title, verb, done = (
            f"take the tag {key} away from {name}?",
            "take it away",
            f"{name} has no tag {key} any more.",
        )
    else:
        title, verb, done = f"set the tag {key} of {name}?", "set it", f"{name}: {key} is '{value}' now."
    return Planned(title, _old_and_new(before, value), verb, done, edit)


def deletions(model: Model, version: ModelVersion | None) -> list[tuple[str, str, str, str]]:
    """What can be taken away: value, text, detail, and why it can't be."""
    aliases = version.aliases if version is not None else tuple(sorted(model.aliases))
    found = [
        (f"{_ALIAS}{alias}", f"the alias @{alias}", f"v{model.aliases.get(alias, '?')} has it", "") for alias in aliases
    ]
    if version is not None:
        held = [f"@{alias}" for alias in version.aliases]
        held += [f"stage {version.stage}"] if version.stage not in (NO_STAGE, "Archived") else []
        why = f"it still has {', '.join(held)}: take that away first" if held else ""
        found.append((_VERSION, f"delete v{version.version} for good", "with its tags and records", why))
    return found


def removal(model: Model, version: ModelVersion | None, value: str, settings: Settings) -> Planned:
    """An alias taken away, or a version deleted."""
    if value.startswith(_ALIAS):
        alias = value.removeprefix(_ALIAS)
        to, holder = Destination(DestinationKind.ALIAS, alias), model.aliases.get(alias, "")
        name, context = who(os.environ)
        change = Promotion(
            new_id(), time.time_ns() // 1_000_000, name, model.name, "", to, (holder,), Way.REMOVE, context=context
        )
        lines = ((f"v{holder} has it now; then nobody does, and models:/{model.name}@{alias} loads nothing.", ""),)
        word = model.name if is_protected(to, settings) else ""
        return Planned(f"take {to.shown} away from {model.name} v{holder}?", lines, "take it away", "", change, word)
    assert version is not None
    name = _of(model, version)
    lines = (("Its tags, its description and its records go with it, and nothing brings them back.", "warning"),)
    edit = ModelEdit(DeleteVersion(model.name, version.version), None)
    return Planned(f"delete {name} for good?", lines, "delete it", f"{name} is deleted.", edit, model.name)


def _of(model: Model, version: ModelVersion | None) -> str:
    return model.name if version is None else f"{model.name} v{version.version}"


def _number(version: ModelVersion | None) -> str:
    return version.version if version is not None else ""


def _old_and_new(before: str | None, after: str | None) -> tuple[tuple[str, str], ...]:
    return (f"now:  {_said(before)}", "dim"), (f"then: {_said(after)}", "bright")


def _said(text: str | None) -> str:
    return text or "(none)"
