"""Plain edits of a registry: descriptions, tags, versions that are registered or deleted. Compared with what was shown,
written once, read back. Whatever moves an alias or a stage is a promotion (`transaction`)."""

from __future__ import annotations

from runtower.domain.errors import Conflict, Forbidden, Invalid, NotFound, OutcomeUnknown, TowerError, Unreachable
from runtower.domain.model_changes import (
    AddModel,
    AddVersion,
    Change,
    DeleteVersion,
    Describe,
    Edited,
    ModelEdit,
    SetAlias,
    SetStage,
    SetTag,
)
from runtower.domain.models import PRODUCTION, STAGING, ModelNow
from runtower.promote.declared import GATE_TAG, check_tag
from runtower.promote.records import OWN
from runtower.sources.port import EditsModels


def carry_out_edit(registry: EditsModels, edit: ModelEdit) -> Edited:
    """Compare, write, read back.

    Raises Conflict where it isn't as it was shown (what is already as wanted is done), Invalid or Forbidden for what is
    no plain edit, OutcomeUnknown only where it was begun and can't be read back, and what the registry raises.
    """
    change = edit.change
    _check(change)
    before = _before(registry, edit)
    if before is not None and _is_there(change, before):
        return Edited(before)
    version = ""
    try:
        version = registry.change(change)
    except OutcomeUnknown as error:
        return _read_back(registry, change, before, error)
    try:
        return Edited(registry.model(change.model), version)
    except TowerError as error:
        raise OutcomeUnknown(
            f"The registry took it, and can't be read back: {error.tried}", "Look at the model later."
        ) from error


def _check(change: Change) -> None:
    match change:
        case SetAlias() | SetStage():
            raise Invalid("An alias or a stage is moved by a promotion.", "Use promote.")
        case SetTag(key=key, value=value) if key == GATE_TAG:
            if change.version:
                raise Invalid(f"The tag {GATE_TAG} stands on a model, not on a version.", "Set it on the model.")
            if value is not None:
                check_tag(value)
        case SetTag(key=key) if key.startswith(OWN):
            raise Forbidden(f"Tags under {OWN} are records, which nobody changes.", "Choose another key.")
        case SetTag(key=""):
            raise Invalid("A tag needs a key.", "Write key=value.")


def _before(registry: EditsModels, edit: ModelEdit) -> ModelNow | None:
    """The model as it is, None where there is none yet. Raises Conflict where it isn't as it was shown."""
    change = edit.change
    try:
        now = registry.model(change.model)
    except NotFound:
        if isinstance(change, AddModel):
            return None
        raise
    match change:
        case AddModel():
            raise Conflict(f"There is a model {change.model} already.", "Choose another name.")
        case SetTag() | Describe() if not _is_there(change, now):
            value = _value(change, now)
            if value != edit.before:
                raise Conflict(
                    f"{_what(change)} isn't as it was shown: it is {_quoted(value)} now; nothing was changed.",
                    "Look at it again.",
                )
        case DeleteVersion():
            _check_unused(change, now)
    return now


def _check_unused(change: DeleteVersion, now: ModelNow) -> None:
    version = now.version(change.version)
    if version is None:
        raise NotFound(f"{change.model} has no version {change.version}.", "Look at its versions again.")
    held = [f"@{alias}" for alias, number in now.model.aliases.items() if number == change.version]
    held += [f"stage {version.stage}"] if version.stage in (STAGING, PRODUCTION) else []
    if held:
        raise Conflict(
            f"v{change.version} of {change.model} holds {' and '.join(held)}; it was not deleted.",
            "Promote another version there first.",
        )


def _value(change: SetTag | Describe, now: ModelNow) -> str | None:
    place = now.version(change.version) if change.version else now.model
    if place is None:
        raise NotFound(f"{change.model} has no version {change.version}.", "Look at its versions again.")
    return place.tags.get(change.key) if isinstance(change, SetTag) else place.description


def _is_there(change: Change, now: ModelNow) -> bool:
    match change:
        case SetTag(value=value):
            return _value(change, now) == value
        case Describe(text=text):
            return _value(change, now) == text
    return False


def _read_back(registry: EditsModels, change: Change, before: ModelNow | None, doubt: OutcomeUnknown) -> Edited:
    try:
        now: ModelNow | None = registry.model(change.model)
    except NotFound:
        now = None
    except TowerError as error:
        raise doubt from error
    if now is None:
        raise Unreachable(f"It did not take effect, as read back: {doubt.tried}", "Do it again if it is still wanted.")
    match change:
        case AddModel():
            return Edited(now)
        case AddVersion():
            known = {one.version for one in before.versions} if before is not None else set()
            new = [one for one in now.versions if one.version not in known and one.source == change.source]
            if new:
                return Edited(now, new[0].version)
        case DeleteVersion():
            if now.version(change.version) is None:
                return Edited(now)
        case _ if _is_there(change, now):
            return Edited(now)
    raise Unreachable(f"It did not take effect, as read back: {doubt.tried}", "Do it again if it is still wanted.")


def _what(change: SetTag | Describe) -> str:
    place = f"v{change.version} of {change.model}" if change.version else change.model
    return f"The tag {change.key} of {place}" if isinstance(change, SetTag) else f"The description of {place}"


def _quoted(value: str | None) -> str:
    if value is None:
        return "not set"
    return f"'{value}'" if len(value) <= 60 else f"'{value[:59]}…'"
