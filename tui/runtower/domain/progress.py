"""How far a run is, where its params say how far it wants to go. Nothing is guessed from how long others took.

The names are those that trainers log: Lightning (`trainer.max_epochs`, metric `epoch`), Hugging Face
(`num_train_epochs`, `max_steps` with -1 for none), Keras (`epochs`), mmengine and others (`max_iters`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

T = TypeVar("T")

_SPLIT: Final = re.compile(r"[./:]")
_TOTALS: Final = {
    "epoch": ("max_epochs", "num_train_epochs", "num_epochs", "n_epochs", "total_epochs", "epochs"),
    "step": ("max_steps", "total_steps", "num_train_steps", "num_steps", "max_iters", "max_iterations"),
}
_DONE: Final = {"epoch": ("epoch",), "step": ("global_step", "step", "iter", "iteration")}


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` epochs or steps, `unit` says which."""

    unit: str
    done: float
    total: float

    def left_ms(self, elapsed_ms: float) -> float | None:
        """How long the rest takes if it goes on as in the `elapsed_ms` so far; None before anything was done."""
        return elapsed_ms * (self.total - self.done) / self.done if self.done > 0 else None


def progress_of(params: Mapping[str, str], metrics: Mapping[str, float], last_step: int | None) -> Progress | None:
    """By the params and the last values of the metrics; `last_step` is the last one of its main metric.

    None where no total is named, two differ, or what was done is more than that.
    """
    for unit in ("epoch", "step"):
        totals = {number for name in _TOTALS[unit] for number in _numbers(params, name)}
        if len(totals) != 1:
            continue
        total = totals.pop()
        done = next((value for name in _DONE[unit] for value in _named(metrics, name) if math.isfinite(value)), None)
        if done is None and unit == "step" and last_step is not None:
            done = float(last_step)
        if done is not None and 0 <= done <= total:
            return Progress(unit, done, total)
    return None


def _numbers(params: Mapping[str, str], name: str) -> list[float]:
    found = []
    for text in _named(params, name):
        try:
            number = float(text)
        except ValueError:
            continue
        if math.isfinite(number) and number > 0:
            found.append(number)
    return found


def _named(values: Mapping[str, T], name: str) -> list[T]:
    """The values whose key ends with this name."""
    return [value for key, value in values.items() if _SPLIT.split(key)[-1].casefold() == name]
