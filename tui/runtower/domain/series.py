"""Metric histories, whole and coarse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COARSE_BUCKETS: Final = 32


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """The whole history of one metric of one run, in the order (step, time) of the source.

    Three arrays of one length: `steps` int64, `times` int64 (UTC epoch ms), `values` float64
    (NaN and the infinities as logged; repeated steps are kept). `sampled`: not all points, but some that the source
    picked evenly; a spike may be missing.
    """

    run_id: str
    key: str
    steps: NDArray[np.int64]
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    sampled: bool = False


@dataclass(frozen=True, slots=True)
class CoarseCurve:
    """A history in at most 32 buckets of equal step width, for a sparkline.

    `low` and `high` are float32 of one length (NaN: no finite point in that bucket); the first bucket begins at
    `first_step`, the last one ends at `last_step`. `points` counts what was logged, `odd` the NaN and infinities.
    `sampled`: made of a sample, as a server gives of a long history; then `points` and `odd` count the sample, and a
    spike may be missing.
    """

    run_id: str
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    first_step: int
    last_step: int
    points: int
    odd: int
    sampled: bool = False
