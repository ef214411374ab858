"""Something that is opened when it is first wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Closes(Protocol):
    def close(self) -> None: ...


T = TypeVar("T", bound=Closes)


class Later(Generic[T]):
    """Gives what `opener` gives, the same one each time, to any number of threads. Raises what that raises, and tries
    again the next time."""

    def __init__(self, opener: Callable[[], T]) -> None:
        self._opener = opener
        self._lock = threading.Lock()
        self._opened: T | None = None

    def __call__(self) -> T:
        with self._lock:
            if self._opened is None:
                self._opened = self._opener()
            return self._opened

    def close(self) -> None:
        """Close it where it was opened."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None
