"""The last line of a log, however long the log is."""

from __future__ import annotations

import os

_BYTES = 4096


def last_line(log: str) -> str:
    """The last line with something on it, of what a progress bar left the last state; '' for none."""
    try:
        with open(log, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _BYTES))
            text = file.read(_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
    lines = (piece.strip() for line in reversed(text.split("\n")) for piece in reversed(line.split("\r")))
    return next((line for line in lines if line), "")


class Tails:
    """Last lines, read again only where a log has grown."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int, str]] = {}

    def line(self, log: str) -> str:
        """The last line of a log."""
        if not log:
            return ""
        try:
            stat = os.stat(log)
        except OSError:
            return ""
        known = self._known.get(log)
        if known is None or known[:2] != (stat.st_size, stat.st_mtime_ns):
            known = self._known[log] = (stat.st_size, stat.st_mtime_ns, last_line(log))
        return known[2]
