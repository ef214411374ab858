"""Single changes of a registry, each one write: what of them has to be compared before is decided by who makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from runtower.domain.models import ModelNow


class SetAlias(msgspec.Struct, tag="set_alias", frozen=True):
    """Give an alias to a version; None takes it away."""

    model: str
    alias: str
    version: str | None


class SetStage(msgspec.Struct, tag="set_stage", frozen=True):
    """Move a version to a stage; `archive`: those that are in it go to Archived."""

    model: str
    version: str
    stage: str
    archive: bool = False


class SetTag(msgspec.Struct, tag="set_tag", frozen=True):
    """Set a tag of a model, or of a version where one is named; None takes it away."""

    model: str
    version: str
    key: str
    value: str | None


class Describe(msgspec.Struct, tag="describe", frozen=True):
    """Give a description to a model, or to a version where one is named."""

    model: str
    version: str
    text: str


class AddModel(msgspec.Struct, tag="add_model", frozen=True):
    """Register a model of that name, without a version."""

    model: str


class AddVersion(msgspec.Struct, tag="add_version", frozen=True):
    """Register files as the next version: `source` as MLflow spells it, among them `models:/NAME/VERSION` for a copy.

    `tags` come with it. Its run, where `run_id` isn't '', is kept.
    """

    model: str
    source: str
    run_id: str = ""
    tags: Mapping[str, str] = {}
    description: str = ""


class DeleteVersion(msgspec.Struct, tag="delete_version", frozen=True):
    """Delete a version for good, with its tags and aliases."""

    model: str
    version: str


Change = SetAlias | SetStage | SetTag | Describe | AddModel | AddVersion | DeleteVersion


@dataclass(frozen=True, slots=True)
class ModelEdit:
    """A change that is no promotion, and what was shown where it changes something: the old description or value of the
    tag, None for no such tag. A version that is deleted mustn't hold anything. For one that is added, `before` is the
    newest number until then, None for none; it isn't compared, and tells later whether it was added."""

    change: Change
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """The model as it was read back after an edit; `version` is the number of one that was added, else ''."""

    now: ModelNow
    version: str = ""
