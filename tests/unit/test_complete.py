"""What a query may go on with, wherever its cursor stands."""

from __future__ import annotations

import pytest
from support.catalogues import catalogue_of

from runtower.acts.complete import Completer

CATALOGUE = catalogue_of(
    [
        {"name": f"run-{number}", "status": "FAILED", "start_time": 1.0, "metrics.val_loss": 1.0, "params.lr": "0.1"}
        | {"params.model": model, "params.a b": "it's", "tags.mlflow.user": "ana", "tags.odd": "both ' and \""}
        for number, model in enumerate(["vit", "vit", "cnn", "ViT-big"])
    ]
    + [{"metrics.train/loss": 1.0}]
)


def offered(before: str) -> list[str]:
    return [one.text for one in Completer(CATALOGUE).completions(before, 6)]


@pytest.mark.parametrize(
    ("before", "first"),
    [
        ("", ["metrics.val_loss ", "metrics.train/loss "]),
        ("val", ["metrics.val_loss "]),
        ("loss", ["metrics.val_loss ", "metrics.train/loss "]),
        ("metrics.", ["metrics.val_loss ", "metrics.train/loss "]),
        ("param.m", ["params.model "]),
        ("params.`a", ["params.`a b` "]),
        ("not (dura", ["duration "]),
        ("metrics.val_loss ", ["< ", "<= "]),
        ("lr ", ["= ", "!= "]),
        ("model li", ["like "]),
        ("start_time ", ["> ", "< "]),
        ("start_time > 2", ["2h ago"]),
        ("duration > ", ["10m", "1h"]),
        ("model = ", ["'vit'", "'ViT-big'", "'cnn'"]),
        ("model = 'b", ["'ViT-big'"]),
        ("model in ('vit', c", ["'cnn'"]),
        ("`a b` = ", ['"it\'s"']),
        ("lr = ", ["0.1"]),
        ("lr is ", ["set ", "missing ", "nan "]),
        ("lr is not m", ["missing "]),
        ("lr = 1 ", ["and ", "or "]),
        ("lr = 1 and mod", ["params.model "]),
        ("lr = '1'", [" and ", " or "]),
        ("status = f", ["'FAILED'"]),
    ],
)
def test_offers(before: str, first: list[str]) -> None:
    assert offered(before)[: len(first)] == first


@pytest.mark.parametrize("before", ["val_loss < ", "zzz ", "zzz = ", "tags.odd = ", "lr = 1 )", "< ", "and "])
def test_nothing_to_offer(before: str) -> None:
    assert offered(before) == []


def test_an_offer_takes_the_place_of_the_word_before_the_cursor() -> None:
    (one,) = Completer(CATALOGUE).completions("lr = 1 and params.mod", 6)
    assert (one.start, one.detail) == (len("lr = 1 and "), "param, in 4 runs")
