"""How far a run is, by the names that trainers log."""

from __future__ import annotations

import pytest

from runtower.domain.progress import Progress, progress_of


@pytest.mark.parametrize(
    ("params", "metrics", "last_step", "expected"),
    [
        ({"trainer.max_epochs": "60"}, {"epoch": 34.0}, 4000, Progress("epoch", 34, 60)),
        ({"num_train_epochs": "3.0", "max_steps": "-1"}, {"train/epoch": 1.5}, 500, Progress("epoch", 1.5, 3)),
        ({"max_steps": "1000"}, {}, 250, Progress("step", 250, 1000)),
        ({"train/max_iters": "1e5"}, {"iter": 2e4}, None, Progress("step", 2e4, 1e5)),
        ({"max_epochs": "10", "max_steps": "1000"}, {}, 250, Progress("step", 250, 1000)),  # the epoch isn't logged
        ({"max_epochs": "10"}, {"epoch": 11.0}, 5, None),  # resumed, or another meaning
        ({"max_epochs": "10"}, {"epoch": float("nan")}, 5, None),
        ({"a.epochs": "10", "b.epochs": "20"}, {"epoch": 3.0}, 5, None),
        ({"max_epochs": "ten", "max_steps": "None"}, {"epoch": 3.0}, 5, None),
        ({}, {"epoch": 3.0}, 5, None),
    ],
)
def test_by_what_is_logged(params, metrics, last_step, expected) -> None:
    assert progress_of(params, metrics, last_step) == expected


def test_the_rest_takes_as_long_as_what_was_done() -> None:
    assert Progress("epoch", 30, 60).left_ms(600.0) == 600.0
    assert Progress("epoch", 60, 60).left_ms(600.0) == 0.0
    assert Progress("step", 0, 60).left_ms(600.0) is None
