"""What was read of the artifacts of runs that have ended, which don't change any more: kept while the program runs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Final

_MOST_BYTES: Final = 64 * 1024 * 1024


class ArtifactMemory:
    """Folders and files by whom they belong to; what wasn't asked for longest goes first. Lives on one event loop.

    `unanswered`: by source, when (as of `time.monotonic`) a question about artifacts last got no answer in time.
    """

    def __init__(self, most: int = _MOST_BYTES) -> None:
        """`most` bytes are kept, as those who put them say."""
        self.unanswered: dict[str, float] = {}
        self._most = most
        self._held = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def get(self, key: Hashable) -> Any:
        """What was put there; None for nothing."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def put(self, key: Hashable, value: Any, size: int) -> None:
        """Keep it, unless it alone is too large."""
        if size > self._most:
            return
        self._held += size - self._kept.pop(key, (None, 0))[1]
        self._kept[key] = (value, size)
        while self._held > self._most:
            _, (_, gone) = self._kept.popitem(last=False)
            self._held -= gone
