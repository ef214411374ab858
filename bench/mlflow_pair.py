"""What MlflowClient needs for the same: `pages STORE COUNT` prints seconds, `poll STORE TIMES` CPU seconds of each,
`cpu STORE COUNT` CPU seconds of as many pages. STORE is a file or a server."""

from __future__ import annotations

import os
import sys
import time

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.store.entities import PagedList


def main() -> None:
    what, store, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    client = MlflowClient(tracking_uri=store if "://" in store else f"sqlite:///{store}")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]

    def search(most: int, token: str | None = None) -> PagedList[Run]:
        return client.search_runs(experiments, max_results=most, page_token=token)

    if what == "pages":
        began, token = time.perf_counter(), None
        for _ in range(count):
            token = search(1000, token).token
        print(time.perf_counter() - began)
        return
    if what == "cpu":
        before, token = time.process_time(), None
        for _ in range(count):
            token = search(1000, token).token
        print(time.process_time() - before)
        return
    search(100)
    spent = []
    for _ in range(count):
        before = time.process_time()
        search(100)
        spent.append(time.process_time() - before)
    print(",".join(map(str, spent)))


if __name__ == "__main__":
    main()
