"""A registry of models in memory, at the port: it compares nothing, as MLflow does, and fails where it is told to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from runtower.domain.errors import Conflict, NotFound
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
from runtower.domain.models import ARCHIVED, READY, Model, ModelNow, ModelVersion


class MemoryRegistry:
    """`calls` are all that was asked of it, in order. `trouble` is called with each before (False) and after (True) it
    took effect, and may raise."""

    def __init__(self) -> None:
        self.models: dict[str, Model] = {}
        self.versions: dict[str, list[ModelVersion]] = {}
        self.calls: list[object] = []
        self.trouble: Callable[[object, bool], None] = lambda call, done: None

    def add(self, model: str, versions: int = 1, **aliases: str) -> None:
        """A model with so many versions, of which some have aliases."""
        self.models[model] = Model(model, aliases=aliases)
        self.versions[model] = [
            ModelVersion(model, str(number), f"run{number}", f"runs:/run{number}/model", tags={"n": str(number)})
            for number in range(versions, 0, -1)
        ]

    def model(self, name: str) -> ModelNow:
        self.trouble(name, False)
        if name not in self.models:
            raise NotFound(f"There is no model {name}.")
        now = ModelNow(self.models[name], tuple(self.versions[name]))
        self.calls.append(name)
        return now

    def change(self, change: Change) -> str:
        self.trouble(change, False)
        number = self._apply(change)
        self.calls.append(change)
        self.trouble(change, True)
        return number

    def writes(self) -> list[object]:
        """The changes that took effect."""
        return [call for call in self.calls if not isinstance(call, str)]

    # -- what others do

    def move(self, alias: str, version: str | None, model: str = "m") -> None:
        """As another client does, that leaves no record."""
        self._apply(SetAlias(model, alias, version))

    def alter(self, number: str, model: str = "m", **fields: object) -> None:
        """Change a version behind everybody's back."""
        self.versions[model] = [
            replace(one, **fields) if one.version == number else one  # type: ignore[arg-type]
            for one in self.versions[model]
        ]

    def tags(self, number: str = "", model: str = "m") -> dict[str, str]:
        """Those of a model, or of a version."""
        if not number:
            return dict(self.models[model].tags)
        return dict(next(one for one in self.versions[model] if one.version == number).tags)

    # -- effects

    def _apply(self, change: Change) -> str:
        if isinstance(change, AddModel):
            if change.model in self.models:
                raise Conflict(f"There is a model {change.model} already.")
            self.add(change.model, 0)
            return ""
        if change.model not in self.models:
            raise NotFound(f"There is no model {change.model}.")
        model, versions = self.models[change.model], self.versions[change.model]
        version = getattr(change, "version", None)
        if version and version not in {one.version for one in versions}:
            raise NotFound(f"{change.model} has no version {version}.")
        match change:
            case SetAlias(alias=alias):
                aliases = {key: one for key, one in model.aliases.items() if key != alias}
                self.models[change.model] = replace(
                    model, aliases=aliases | ({alias: version} if version is not None else {})
                )
            case SetStage(stage=stage, archive=archive):
                for one in versions:
                    if archive and one.stage == stage:
                        self.alter(one.version, change.model, stage=ARCHIVED)
                self.alter(change.version, change.model, stage=stage)
            case SetTag(key=key, value=value):
                tags = {name: text for name, text in self.tags(change.version, change.model).items() if name != key}
                if value is None and key not in self.tags(change.version, change.model):
                    raise NotFound(f"There is no tag {key}.")
                tags |= {key: value} if value is not None else {}
                if change.version:
                    self.alter(change.version, change.model, tags=tags)
                else:
                    self.models[change.model] = replace(model, tags=tags)
            case Describe(text=text):
                if change.version:
                    self.alter(change.version, change.model, description=text)
                else:
                    self.models[change.model] = replace(model, description=text)
            case AddVersion():
                number = str(max((int(one.version) for one in versions), default=0) + 1)
                new = ModelVersion(
                    change.model, number, change.run_id, change.source, tags=dict(change.tags), user="", status=READY
                )
                self.versions[change.model] = [new, *versions]
                return number
            case DeleteVersion():
                self.versions[change.model] = [one for one in versions if one.version != change.version]
                kept = {alias: one for alias, one in model.aliases.items() if one != change.version}
                self.models[change.model] = replace(model, aliases=kept)
        return ""


class StillClock:
    """Time that passes only while somebody waits."""

    def __init__(self, start: int = 1_700_000_000_000) -> None:
        self.ms = start
        self.ahead = 0  # ms by which it differs from the true time
        self.on_pause: Callable[[], None] = lambda: None

    def now_ms(self) -> int:
        return self.ms + self.ahead

    def running(self) -> float:
        return self.ms / 1000

    def pause(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)
        self.on_pause()
