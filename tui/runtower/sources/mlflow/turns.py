"""Two SQLite libraries on one file: Python's own for looks and curves, ADBC's for reading whole tables.

POSIX locks belong to a process: where one library gives its lock up, the other's is gone as well
(https://sqlite.org/howtocorrupt.html, 2.2.1). So the two never hold one at the same time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Any number of transactions of the one library, or one of the other."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._together = 0
        self._alone = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """For the library that most transactions are of; may be entered again by the thread that is in it."""
        with self._change:
            self._change.wait_for(lambda: not self._alone)
            self._together += 1
        try:
            yield
        finally:
            with self._change:
                self._together -= 1
                self._change.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For the other one. Not from inside `together`."""
        with self._change:
            self._change.wait_for(lambda: not self._alone and not self._together)
            self._alone = True
        try:
            yield
        finally:
            with self._change:
                self._alone = False
                self._change.notify_all()
