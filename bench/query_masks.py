"""Evaluates queries over 100,000 runs in one process and prints milliseconds, a line a sample: `NAME MS`.

    python bench/query_masks.py ROUNDS

`first_ms` is the first time a query looks at its columns, `again_ms` each later one; `read_ms` is reading the text.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from runtower.acts.where import understood
from runtower.catalog.catalogue import Catalogue
from runtower.catalog.encoding import encode
from runtower.catalog.query.mask import columns_for, mask
from runtower.catalog.segment import Segment
from runtower.domain import runs
from runtower.domain.runs import Kind
from runtower.domain.values import MISSING
from runtower.sources.port import Delta, Numbers, Texts

RUNS = 100_000
QUERIES = {
    "three": "metrics.`val/loss` < 0.3 and params.model = 'vit' and params.lr >= 1e-3",
    "nested": "not (metrics.`val/loss` is nan or params.model in ('cnn', vit)) and start_time > 30 days ago",
    "like": "params.seed like '%99%' or name ilike 'RUN-7%'",
    "regex": "name ~ '^run-[0-9]*7$' and params.seed ~ '1$'",
}


def catalogue_of_runs() -> Catalogue:
    """Numbers with NaN and missing ones, texts of four words, and texts that are another in each run."""
    random = np.random.default_rng(0)
    loss = random.gamma(2.0, 0.3, RUNS)
    loss[random.random(RUNS) < 0.02] = np.nan
    loss[random.random(RUNS) < 0.05] = MISSING
    now = time.time() * 1000
    words = ("vit", "cnn", "bert", "xgb")
    cells = [
        Texts(*runs.NAME, None, [f"run-{number:06d}" for number in range(RUNS)]),
        Texts(*runs.STATUS, None, ["FINISHED"] * RUNS),
        Numbers(*runs.START_TIME, None, now - np.arange(RUNS) * 60_000.0),
        Numbers(Kind.METRIC, "val/loss", None, loss),
        Texts(Kind.PARAM, "model", None, [words[one] for one in random.integers(0, 4, RUNS)]),
        Texts(Kind.PARAM, "lr", None, [f"1e-{one}" for one in random.integers(1, 6, RUNS)]),
        Texts(Kind.PARAM, "seed", None, [str(one) for one in random.permutation(RUNS)]),
    ]
    ids = [f"{number:032x}" for number in range(RUNS)]
    catalogue = Catalogue()
    catalogue.source("bench")
    catalogue.add(0, 1, Segment.read(encode(Delta(ids, cells, b""), np.arange(RUNS, dtype=np.int32))))
    return catalogue


def main() -> None:
    catalogue = catalogue_of_runs()
    begun = time.perf_counter()
    understood(catalogue, "run_id = x")
    print(f"parser_ms {(time.perf_counter() - begun) * 1000:.4f}")
    for name, text in QUERIES.items():
        begun = time.perf_counter()
        where = understood(catalogue, text)
        print(f"read_ms {(time.perf_counter() - begun) * 1000:.4f}")
        columns = {key: catalogue.column(key) for key in columns_for(where.keys)}
        for number in range(1 + int(sys.argv[1])):
            begun = time.perf_counter()
            hits = mask(where.condition, columns, time.time() * 1000)
            print(f"{name}_{'again' if number else 'first'}_ms {(time.perf_counter() - begun) * 1000:.4f}")
        assert 0 < hits.sum() < RUNS


if __name__ == "__main__":
    main()
