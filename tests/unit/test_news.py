"""What happened while nobody looked."""

from __future__ import annotations

from typing import Any

import numpy as np
from support.catalogues import catalogue_of, key_of

from runtower.acts.news import since

LOSS = key_of("metrics.val_loss")
SEEN, NOW = 1_750_000_000_000, 1_750_000_000_000 + 3_600_000


def said(*runs: dict[str, Any], seen: int = SEEN) -> str:
    catalogue = catalogue_of(list(runs))
    return since(catalogue, np.arange(len(runs), dtype=np.int32), seen, NOW, LOSS, {})


def run(status: str, start: int, end: int | None = None, loss: float | None = None) -> dict[str, Any]:
    cells: dict[str, Any] = {"status": status, "start_time": float(SEEN + start)}
    return (
        cells | ({} if end is None else {"end_time": float(SEEN + end)}) | ({} if loss is None else {LOSS_NAME: loss})
    )


LOSS_NAME = "metrics.val_loss"


def test_what_ended_and_began_is_counted() -> None:
    line = said(run("FINISHED", -9, 5), run("FAILED", 1, 7), run("KILLED", 2, 8), run("RUNNING", 9))
    assert line.endswith(": 1 finished, 1 failed, 1 killed, 1 started")
    assert line.startswith("since ")


def test_a_new_best_is_named() -> None:
    assert said(run("FINISHED", -9, -5, 0.5), run("FINISHED", 1, 5, 0.25)).endswith(
        "1 finished, new best val_loss 0.25"
    )
    assert "best" not in said(run("FINISHED", -9, -5, 0.2), run("FINISHED", 1, 5, 0.25))
    assert "best" not in said(run("FINISHED", 1, 5, float("nan")), run("FINISHED", -9, -5, 0.2))


def test_nothing_happened_says_nothing() -> None:
    assert said(run("FINISHED", -9, -5)) == ""
    assert said(run("FINISHED", 1, 5), seen=0) == ""
    assert said() == ""
