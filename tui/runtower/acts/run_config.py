"""Where a run's config comes from. The only place that knows."""

from __future__ import annotations

from collections.abc import Sequence

from runtower.acts import export
from runtower.catalog.catalogue import Catalogue
from runtower.config.flat import trees_of
from runtower.config.tree import Config


def configs_of(catalogue: Catalogue, rows: Sequence[int]) -> list[Config]:
    """The configs of runs (global rows) that are compared with each other: made of their params.

    They are read together, so that a param that is a value in one of them and a parent in another one stays comparable.
    """
    records = list(export.records(catalogue, rows))
    trees = trees_of([record["params"] for record in records])
    return [Config(tree, _origin(record)) for tree, record in zip(trees, records, strict=True)]


def _origin(record: export.Record) -> str:
    run_id = record["run_id"]
    name = record["name"]
    return f"the params of {name} ({run_id[:8]})" if name else f"the params of {run_id}"
