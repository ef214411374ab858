"""A source that reads a registry of models: its own one or another, which is opened with the first question.

What is wrong with the registry is no reason not to show the runs.
"""

from __future__ import annotations

from collections.abc import Sequence

from runtower.domain.models import Model, ModelFiles, ModelNow
from runtower.sources.mlflow.later import Later
from runtower.sources.mlflow.registry import Registry
from runtower.sources.mlflow.registry_files import Runs, files_of


class WithRegistry:
    """Satisfies ReadsModels by `_registry` and `_runs`, which a source sets when it is opened."""

    _registry: Later[Registry]
    _runs: Runs

    def models(self) -> Sequence[Model]:
        return self._registry().models()

    def model(self, name: str) -> ModelNow:
        return self._registry().model(name)

    def model_files(self, name: str, version: str) -> ModelFiles:
        return files_of(self._registry(), self._runs, name, version)
