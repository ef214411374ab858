"""What a server is asked first, before numpy and Arrow are there: its experiments, its version, the latest runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

from runtower.domain.errors import TowerError
from runtower.sources.mlflow import rest_wire
from runtower.sources.mlflow.address import Address
from runtower.sources.mlflow.rest_access import access_of
from runtower.sources.mlflow.rest_http import Connection
from runtower.sources.mlflow.rest_pages import FIRST_RUNS
from runtower.sources.mlflow.rest_reader import Reader, latest_first
from runtower.sources.mlflow.rest_wire import RawExperiment


class Beginning:
    """A connection, and its first answers: asked for in the calling thread, or, by `begin`, in one of its own."""

    def __init__(self, address: Address, options: Mapping[str, str]) -> None:
        """Raises Invalid for options that make no sense."""
        self.access = access_of(address, options, os.environ)
        self.connection = Connection(self.access)
        self.reader = Reader(self.connection)
        self._first: Future[tuple[Sequence[RawExperiment], str]] = Future()

    def first(self) -> tuple[Sequence[RawExperiment], str]:
        """All experiments, and the version of MLflow. Waits; raises TowerError."""
        return self._first.result()

    def ask(self, runs: bool = False) -> None:
        """Ask, for the latest `runs` of all experiments too; what goes wrong is raised by who wants the answer."""
        try:
            experiments = self.reader.experiments()
            version = self.connection.version()
        except TowerError as error:
            self._first.set_exception(error)
            return
        ids = latest_first(one.experiment_id for one in experiments)[: rest_wire.EXPERIMENTS_A_SEARCH]
        ahead = self.reader.plan_ahead(ids, FIRST_RUNS) if runs and ids else None
        self._first.set_result((experiments, version))
        if ahead is not None:
            self.reader.ask_ahead(ahead)


_begun: dict[tuple[str, frozenset[tuple[str, str]]], Beginning] = {}


def begin(address: Address, options: Mapping[str, str]) -> None:
    """Ask in a thread of its own. Raises as `Beginning`."""
    made = _begun[address.uri, frozenset(options.items())] = Beginning(address, options)
    threading.Thread(target=made.ask, args=(True,), name="beginning", daemon=True).start()


def begun(address: Address, options: Mapping[str, str]) -> Beginning:
    """The beginning that is under way, once; a new one else. Raises as `Beginning`."""
    found = _begun.pop((address.uri, frozenset(options.items())), None)
    if found is None:
        found = Beginning(address, options)
        found.ask()
    return found
