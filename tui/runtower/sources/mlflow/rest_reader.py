"""What is asked of a server: experiments, pages of runs, single runs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice

from runtower.domain.errors import Invalid, NotFound, TowerError
from runtower.sources.mlflow import rest_wire
from runtower.sources.mlflow.rest_http import Connection
from runtower.sources.mlflow.rest_wire import RawExperiment, Run, RunsPage, RunsQuestion


@dataclass
class Ahead:
    """A page that was asked for before anybody wanted it, and the `seconds` it took."""

    question: RunsQuestion
    answer: Future[RunsPage] = field(default_factory=Future)
    seconds: float = 0.0


class Reader:
    """All methods raise TowerError. Deleted experiments and runs are part of everything.

    `early`: seconds that the last page took where it was asked for early, 0 else.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ahead: Ahead | None = None
        self.early = 0.0

    def experiments(self) -> list[RawExperiment]:
        """All experiments, in the order of their ids."""
        found: dict[str, RawExperiment] = {}
        token = ""
        while True:
            question = rest_wire.ExperimentsQuestion(rest_wire.EXPERIMENTS_A_PAGE, "ALL", token)
            page = self._connection.post("experiments/search", question, rest_wire.experiments_page)
            found.update((one.experiment_id, one) for one in page.experiments)
            token = page.next_page_token
            if not token:
                return sorted(found.values(), key=lambda one: id_order(one.experiment_id))

    def page(
        self, experiment_ids: Sequence[str], condition: str, bound: int | None, size: int, token: str = ""
    ) -> tuple[list[Run], str]:
        """At most `size` runs that fulfil a condition and began at `bound` (ms) or before, latest first; and the token
        of the page after it, '' at the end."""
        question = _question(experiment_ids, condition, bound, size, token)
        page = self._answered_early(question) or self._searched(question)
        return page.runs, page.next_page_token

    def plan_ahead(self, experiment_ids: Sequence[str], size: int) -> Ahead:
        """From now on `page` waits for the first page of these experiments, which `ask_ahead` asks for."""
        self._ahead = Ahead(_question(experiment_ids, "", None, size, ""))
        return self._ahead

    def ask_ahead(self, ahead: Ahead) -> None:
        """Ask, in this thread. Never raises: `page` does, asked for the same."""
        began = time.monotonic()
        try:
            found = self._searched(ahead.question)
            ahead.seconds = time.monotonic() - began
            ahead.answer.set_result(found)
        except TowerError as error:
            ahead.answer.set_exception(error)

    def _answered_early(self, question: RunsQuestion) -> RunsPage | None:
        ahead, self._ahead, self.early = self._ahead, None, 0.0
        if ahead is None:
            return None
        if ahead.question != question:
            ahead.answer.exception()  # one page at a time, even one that isn't wanted any more
            return None
        page = ahead.answer.result()
        self.early = ahead.seconds
        return page

    def _searched(self, question: RunsQuestion) -> RunsPage:
        return self._connection.post("runs/search", question, rest_wire.runs_page)

    def by_ids(self, experiment_ids: Sequence[str], run_ids: Sequence[str]) -> list[Run]:
        """Those of these runs that there are in these experiments, which is more of them than one search takes."""
        found: list[Run] = []
        for ids in pieces([run_id for run_id in run_ids if "'" not in run_id], rest_wire.IDS_A_SEARCH):
            quoted = ", ".join(f"'{run_id}'" for run_id in ids)
            try:
                found += self.page(experiment_ids, f"attributes.run_id IN ({quoted})", None, len(ids))[0]
            except Invalid:
                # Servers before MLflow 1.30 don't filter by id.
                found += [run for run_id in ids if (run := self.run(run_id)) is not None]
        return found

    def run(self, run_id: str) -> Run | None:
        """One run, None where there is none of that id."""
        try:
            return self._connection.get("runs/get", {"run_id": run_id}, rest_wire.one_run).run
        except NotFound:
            return None


def _question(experiment_ids: Sequence[str], condition: str, bound: int | None, size: int, token: str) -> RunsQuestion:
    limit = f"attributes.start_time <= {rest_wire.HAS_START if bound is None else bound}"
    return RunsQuestion(
        experiment_ids=tuple(experiment_ids),
        filter=f"{condition} AND {limit}" if condition else limit,
        run_view_type="ALL",
        max_results=size,
        order_by=("attributes.start_time DESC",),
        page_token=token,
    )


def latest_first(experiment_ids: Iterable[str]) -> list[str]:
    """In the order in which a first sync goes through them: the ones made last first."""
    return sorted(experiment_ids, key=id_order, reverse=True)


def id_order(experiment_id: str) -> tuple[int, int, str]:
    """Databases count experiments, file stores draw long numbers; other servers may give any text."""
    is_number = experiment_id.isascii() and experiment_id.isdecimal()
    return (0, int(experiment_id), "") if is_number else (1, 0, experiment_id)


def pieces(items: Sequence[str], size: int) -> Iterator[list[str]]:
    """The items in their order, at most `size` at a time."""
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece
