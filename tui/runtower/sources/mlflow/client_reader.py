"""What is asked of MlflowClient: experiments, pages of runs, single runs, histories.

A page token is an offset, and an insert shifts it: so pages follow each other by start time. Where a whole page began
in one millisecond its token is used after all; runs without a start time come last in MLflow's order, and are found,
where a server can give them at all, by an offset behind all the others.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from mlflow import MlflowClient
from mlflow.entities import Experiment as RawExperiment
from mlflow.entities import Metric, Run, ViewType

from runtower.domain.errors import Broken, Invalid, NotFound
from runtower.domain.runs import Experiment
from runtower.sources.mlflow.address import Address
from runtower.sources.mlflow.client_errors import in_our_words

_EXPERIMENTS_A_PAGE: Final = 1_000
# Experiment ids in one search: a server takes them in one statement.
_EXPERIMENTS_A_SEARCH: Final = 500
_IDS_A_SEARCH: Final = 50
_MODELS: Final = 100  # of a run
_HAS_START: Final = f"attributes.start_time <= {2**63 - 1}"
_NEWEST_FIRST: Final = ("attributes.start_time DESC",)


class ClientReader:
    """All methods raise TowerError."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._startless_nowhere: list[Sequence[str]] = []
        with in_our_words(address):
            self.client = MlflowClient(tracking_uri=address.uri)

    def raw_experiments(self) -> list[RawExperiment]:
        """All experiments, deleted ones too."""
        found: list[RawExperiment] = []
        token: str | None = None
        with in_our_words(self._address):
            while True:
                page = self.client.search_experiments(ViewType.ALL, _EXPERIMENTS_A_PAGE, page_token=token)
                found.extend(page)
                token = page.token
                if not token:
                    return found

    def experiments(self) -> list[Experiment]:
        """All experiments, in the order of their ids."""
        found = [
            Experiment(raw.experiment_id, raw.name, raw.lifecycle_stage == "deleted") for raw in self.raw_experiments()
        ]
        return sorted(found, key=lambda one: (len(one.experiment_id), one.experiment_id))

    def newest(self, experiment_ids: Sequence[str], count: int) -> list[Run]:
        """The runs that began last, latest first."""
        found: list[Run] = []
        for ids in _pieces(experiment_ids, _EXPERIMENTS_A_SEARCH):
            found.extend(self._page(ids, _HAS_START, count, None)[0])
        found.sort(key=lambda run: run.info.start_time or 0, reverse=True)
        return found[:count]

    def matching(self, experiment_ids: Sequence[str], condition: str, page_size: int) -> Iterator[list[Run]]:
        """All runs that fulfil a condition, latest first within each page's experiments."""
        for ids in _pieces(experiment_ids, _EXPERIMENTS_A_SEARCH):
            yield from self._walk(ids, condition, page_size)

    def everything(self, experiment_ids: Sequence[str], page_size: int) -> Iterator[list[Run]]:
        """All runs, also those without a start time; no run twice."""
        for ids in _pieces(experiment_ids, _EXPERIMENTS_A_SEARCH):
            seen: set[str] = set()
            for page in self._walk(ids, _HAS_START, page_size):
                seen.update(run.info.run_id for run in page)
                yield page
            if ids in self._startless_nowhere:
                continue
            found = False
            for page in self._without_start(ids, page_size, len(seen)):
                if startless := [run for run in page if run.info.run_id not in seen]:
                    found = True
                    yield startless
            if not found:
                # Hardly any store has such runs: these experiments aren't asked for them again.
                self._startless_nowhere.append(ids)

    def by_ids(self, experiment_ids: Sequence[str], run_ids: Sequence[str]) -> list[Run]:
        """Those of these runs that there are."""
        found: list[Run] = []
        for ids in _pieces(run_ids, _IDS_A_SEARCH):
            quoted = ", ".join(f"'{run_id}'" for run_id in ids if "'" not in run_id)
            try:
                for page in self.matching(experiment_ids, f"attributes.run_id IN ({quoted})", len(ids)):
                    found.extend(page)
            except Invalid:
                # Servers before MLflow 1.30 don't filter by id.
                found.extend(run for run_id in ids if (run := self.run(run_id)) is not None)
        return found

    def run(self, run_id: str) -> Run | None:
        """One run, None where there is none of that id."""
        try:
            with in_our_words(self._address):
                return self.client.get_run(run_id)
        except NotFound:
            return None

    def models_of(self, run: Run) -> dict[str, str]:
        """The ids of a run's models by name, of several the newest; none before MLflow 3, and where none are told."""
        outputs = getattr(run, "outputs", None)  # not in older versions
        if outputs is None or not outputs.model_outputs:
            return {}
        condition = f"source_run_id = '{run.info.run_id}'"
        with in_our_words(self._address):
            found = self.client.search_logged_models([run.info.experiment_id], condition, max_results=_MODELS)
        return {one.name: one.model_id for one in sorted(found, key=lambda one: one.creation_timestamp)}

    def logged_model(self, model_id: str) -> tuple[str, str, str]:
        """The run of a model, its name, and where its files lie. Raises NotFound."""
        with in_our_words(self._address):
            found = self.client.get_logged_model(model_id)
        return found.source_run_id or "", found.name, found.artifact_location or ""

    def history(self, run_id: str, key: str) -> list[Metric]:
        """All points of one metric; none where the run doesn't have it. Raises NotFound for a run there isn't."""
        with in_our_words(self._address):
            points = list(self.client.get_metric_history(run_id, key))
        if not points and self.run(run_id) is None:
            raise NotFound(f"There is no run {run_id} in {self._address.shown}.", "Look again after the next refresh.")
        return points

    def _page(
        self, experiment_ids: Sequence[str], condition: str, size: int, token: str | None
    ) -> tuple[list[Run], str | None]:
        with in_our_words(self._address):
            page = self.client.search_runs(
                list(experiment_ids), condition, ViewType.ALL, size, list(_NEWEST_FIRST), token
            )
        return list(page), page.token or None

    def _walk(self, experiment_ids: Sequence[str], condition: str, size: int) -> Iterator[list[Run]]:
        bound: int | None = None
        token: str | None = None
        seen: set[str] = set()
        while True:
            limits = [text for text in (condition, _upto(bound)) if text]
            page, token = self._page(experiment_ids, " AND ".join(limits), size, token)
            fresh = [run for run in page if run.info.run_id not in seen]
            seen.update(run.info.run_id for run in fresh)
            if fresh:
                yield fresh
            if token is None:
                return
            last = page[-1].info.start_time if page else None
            if last is not None and (bound is None or last < bound):
                bound, token = last, None

    def _without_start(self, experiment_ids: Sequence[str], size: int, before: int) -> Iterator[list[Run]]:
        """The pages behind all runs that have a start time."""
        token: str | None = base64.b64encode(json.dumps({"offset": before}).encode()).decode()
        while token is not None:
            try:
                page, token = self._page(experiment_ids, "", size, token)
            except (Invalid, Broken):
                # A server with tokens of another make; or MLflow itself fails on what it would have to give, as on
                # a NULL start time in SQL stores. No client sees such a run.
                return
            if page:
                yield page


def _upto(bound: int | None) -> str:
    return "" if bound is None else f"attributes.start_time <= {bound}"


def _pieces(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece
