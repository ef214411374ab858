"""The rules of alerts: which of them name a run, and what they want told of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from runtower.acts.where import matching, understood
from runtower.catalog.catalogue import Catalogue
from runtower.catalog.query.misread import Misread
from runtower.domain import runs
from runtower.domain.happenings import What
from runtower.domain.runs import ColumnKey, Kind
from runtower.settings import AlertSettings


class Rules:
    """The rules by name; `user` is who looks. `wrong` says by name what is wrong with a query."""

    def __init__(self, alerts: Mapping[str, AlertSettings], catalogue: Catalogue, user: str) -> None:
        self.alerts = {name: alert for name, alert in alerts.items() if alert.tell}
        self.wrong: dict[str, str] = {}
        self._catalogue = catalogue
        self._user = user

    @property
    def has_queries(self) -> bool:
        """Whether the parser is needed."""
        return any(alert.where for alert in self.alerts.values())

    @property
    def metrics(self) -> frozenset[ColumnKey]:
        """The metrics that the rules name."""
        return frozenset(ColumnKey(Kind.METRIC, key) for alert in self.alerts.values() for key in alert.metrics)

    def naming(self, rows: Sequence[int]) -> list[list[str]]:
        """For each of these global rows the names of the rules that name it, whatever they want told."""
        found: list[list[str]] = [[] for _ in rows]
        places = np.array(rows, np.int64)
        users = self._catalogue.texts(runs.USER)
        for name, alert in self.alerts.items():
            hits = np.ones(len(rows), bool)
            if alert.mine:
                hits &= np.array([users.text(row) == self._user for row in rows], bool)
            if alert.where and hits.any():
                hits &= self._matching(name, alert.where)[places]
            for place in np.flatnonzero(hits).tolist():
                found[place].append(name)
        return found

    def _matching(self, name: str, text: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        try:
            hits = matching(self._catalogue, understood(self._catalogue, text))
        except Misread as error:
            self.wrong.setdefault(name, f"alerts.{name}.where can't be read: {error}")
            return np.zeros(self._catalogue.size, bool)
        return np.asarray(hits)

    def telling(self, names: Collection[str], what: What) -> list[str]:
        """Those of these rules that want it told."""
        return [name for name in names if what in self.alerts[name].tell]
