"""A way through the runs of some experiments, latest first, a page at a time, that an insert doesn't shift.

A page token is an offset, so each page begins where the last one ended by *time*: at `start_time <=` of its last run,
which comes once more. Only where a whole page began in one millisecond the token is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from runtower.domain.errors import Invalid
from runtower.sources.mlflow.rest_reader import Reader
from runtower.sources.mlflow.rest_wire import Run


class Walk(msgspec.Struct, array_like=True):
    """Where a walk is: what it goes through, and where its next page begins."""

    experiment_ids: tuple[str, ...]
    condition: str = ""
    bound: int | None = None
    token: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A page of a walk. All runs that began after `low` and up to `high` (ms) are in it or in the ones before it, as
    far back as pages of that one `high` go; None: without that limit. `ended`: it was the last one."""

    runs: Sequence[Run]
    low: int | None
    high: int | None
    ended: bool


def step(reader: Reader, walk: Walk, size: int) -> Step:
    """The next page of at most `size` runs; moves the walk on. Raises TowerError, and then the walk stays."""
    high = walk.bound
    try:
        runs, token = reader.page(walk.experiment_ids, walk.condition, walk.bound, size, walk.token)
    except Invalid:
        # A server that was upgraded may not know its old token any more; the same time is begun anew.
        walk.token = ""
        raise
    last = min((run.info.start_time for run in runs if run.info.start_time is not None), default=None)
    if not token or last is None:
        return Step(runs, None, high, True)
    if high is None or last < high:
        walk.bound, walk.token = last, ""
    else:
        walk.token = token
    return Step(runs, last, high, False)
