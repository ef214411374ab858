"""Changes of a registry in words: what is about to happen, as a question and the command log have it."""

from __future__ import annotations

from runtower.domain.model_changes import (
    AddModel,
    AddVersion,
    Change,
    DeleteVersion,
    Describe,
    SetAlias,
    SetStage,
    SetTag,
)
from runtower.domain.promotions import DestinationKind, Promotion, Way


def promoting(promotion: Promotion) -> str:
    """`promote detector v4 to @champion`."""
    what = f"{promotion.model} v{promotion.version}"
    if promotion.way is Way.REMOVE:
        return f"take {promotion.to.shown} of {promotion.model} away"
    if promotion.way is Way.ROLLBACK:
        return f"bring {what} back to {promotion.to.shown}"
    if promotion.to.kind is DestinationKind.MODEL:
        return f"copy {what} to {promotion.to.name}"
    return f"promote {what} to {promotion.to.shown}"


def changing(change: Change) -> str:
    """`set the tag stage of detector v4 to ready`."""
    match change:
        case SetAlias(alias=alias, version=version):
            place = change.model
            return f"take @{alias} of {place} away" if version is None else f"give @{alias} of {place} to v{version}"
        case SetStage():
            return f"move {_place(change.model, change.version)} to stage {change.stage}"
        case SetTag(key=key, value=None):
            return f"take the tag {key} of {_place(change.model, change.version)} away"
        case SetTag():
            return f"set the tag {change.key} of {_place(change.model, change.version)} to {change.value}"
        case Describe():
            return f"write the description of {_place(change.model, change.version)}"
        case AddModel():
            return f"register the model {change.model}"
        case AddVersion():
            return f"register {change.source} as a version of {change.model}"
        case DeleteVersion():
            return f"delete {_place(change.model, change.version)}"


def _place(model: str, version: str) -> str:
    return f"{model} v{version}" if version else model
