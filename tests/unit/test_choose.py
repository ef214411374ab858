"""Which metric and columns an experiment shows first."""

from __future__ import annotations

import numpy as np
import pytest
from support.catalogues import catalogue_of, key_of

from runtower.acts.choose import first_columns, goal, metrics_in_order, params_in_order
from runtower.settings import MetricSettings

ALL = np.arange(4, dtype=np.int32)


@pytest.mark.parametrize(
    ("metric", "wanted"),
    [
        ("val_loss", "min"),
        ("top1_error", "min"),
        ("val/acc", "max"),
        ("mAP", "max"),
        ("figure", ""),
        ("train.ppl", "min"),
    ],
)
def test_a_metrics_name_says_its_direction(metric: str, wanted: str) -> None:
    assert goal(metric, {}) == wanted


def test_the_settings_know_better() -> None:
    assert goal("val_loss", {"val_loss": MetricSettings("max")}) == "max"
    assert goal("val_loss", {"val_loss": MetricSettings()}) == "min"


def test_validation_comes_first_and_bookkeeping_last() -> None:
    names = ["epoch", "train_loss", "val_acc", "test_loss", "val_loss", "system/gpu"]
    catalogue = catalogue_of([{f"metrics.{name}": float(n) for name in names} for n in range(4)])
    order = [key.key for key in metrics_in_order(catalogue, ALL)]
    assert order[:4] == ["val_loss", "val_acc", "test_loss", "train_loss"]
    assert set(order[4:]) == {"epoch", "system/gpu"}


def test_a_rare_metric_stands_behind_what_most_runs_have() -> None:
    catalogue = catalogue_of(
        [{"metrics.figure": 1.0}, {"metrics.figure": 1.0}, {"metrics.figure": 1.0}, {"metrics.val_loss": 1.0}]
    )
    assert metrics_in_order(catalogue, ALL) == [key_of("metrics.figure"), key_of("metrics.val_loss")]


def test_params_that_are_the_same_in_all_runs_are_no_column() -> None:
    catalogue = catalogue_of(
        [
            {
                "params.lr": f"0.{n}",
                "params.optimizer": "adamw",
                "params.data_path": f"/d/{n % 2}",
                "params.seed": str(n),
            }
            for n in range(4)
        ]
    )
    order = [key.key for key in params_in_order(catalogue, ALL)]
    assert order[0] == "lr"
    assert "optimizer" not in order
    assert set(order[1:]) == {"data_path", "seed"}


def test_runs_without_anything_have_no_metric() -> None:
    assert first_columns(catalogue_of([{"name": "a"}] * 4), ALL) == (None, [], [])
