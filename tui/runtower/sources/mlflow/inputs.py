"""The datasets of runs: out of a database, and as a server or MLflow's client give them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from runtower.domain.datasets import Dataset
from runtower.domain.errors import NotFound
from runtower.sources.mlflow.database import Database

_CONTEXT: Final = "mlflow.data.context"
_LONGEST: Final = 2_000
_INPUTS: Final = (
    "SELECT d.name, d.digest, coalesce((SELECT t.value FROM input_tags t WHERE t.input_uuid = i.input_uuid"  # noqa: S608
    f" AND t.name = '{_CONTEXT}'), ''), d.dataset_source_type, substr(d.dataset_source, 1, {_LONGEST})"
    " FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id"
    " WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id = ?"
)


class Pair(Protocol):
    """A tag of an input."""

    @property
    def key(self) -> str: ...

    @property
    def value(self) -> str: ...


class Raw(Protocol):
    """A dataset as MLflow tells it."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str: ...

    @property
    def source_type(self) -> str: ...

    @property
    def source(self) -> str: ...


class Given(Protocol):
    """An input of a run."""

    @property
    def dataset(self) -> Raw: ...

    @property
    def tags(self) -> Sequence[Pair]: ...


def read_inputs(database: Database, run_id: str) -> list[Dataset]:
    """Raises NotFound where there is no such run."""
    with database.reading() as connection:
        if connection.execute("SELECT 1 FROM runs WHERE run_uuid = ?", (run_id,)).fetchone() is None:
            raise NotFound(f"There is no run {run_id} in this store.", "Look again after the next refresh.")
        return _in_order(Dataset(*row) for row in connection.execute(_INPUTS, (run_id,)))


def datasets_of(given: Iterable[Given]) -> list[Dataset]:
    """Of inputs, in their order."""
    return _in_order(_dataset(one.dataset, one.tags) for one in given)


def _dataset(raw: Raw, tags: Sequence[Pair]) -> Dataset:
    context = next((tag.value for tag in tags if tag.key == _CONTEXT), "")
    return Dataset(raw.name, raw.digest, context, raw.source_type, raw.source[:_LONGEST])


def _in_order(found: Iterable[Dataset]) -> list[Dataset]:
    """By name."""
    return sorted(found, key=lambda one: (one.name, one.digest, one.context))
