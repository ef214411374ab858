"""metrics.csv, read as it grows: from the last whole line on, or anew where its header or its beginning changed."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path

from runtower.domain.series import MetricSeries
from runtower.sources.csvlogger.contract import STEP
from runtower.sources.csvlogger.folders import FileStamp
from runtower.sources.step_tables import columns, number, rows, series_of


@dataclass(slots=True)
class MetricsFile:
    """What was read of one file: the latest value of each metric, and up to where.

    latest    by column, all but `step`; the last cell of the column that isn't empty
    problem   what in the file isn't as it should be, '' where all is well
    """

    path: Path
    stamp: FileStamp | None = None
    header: tuple[str, ...] = ()
    latest: dict[str, float] = field(default_factory=dict)
    problem: str = ""
    _offset: int = 0
    _first_line: bytes = b""

    def catch_up(self, stamp: FileStamp) -> bool:
        """Read what is new; whether anything was read anew or on. Raises OSError."""
        if stamp == self.stamp:
            return False
        with self.path.open("rb") as file:
            first_line = file.readline()
            grew = self.stamp is not None and stamp.inode == self.stamp.inode and stamp.size >= self._offset
            if not grew or first_line != self._first_line or not self._ends_line(file):
                self._begin(first_line)
            file.seek(self._offset)
            self._take(file.read())
        self.stamp = stamp
        return True

    def _begin(self, first_line: bytes) -> None:
        self.latest, self.problem, self.header = {}, "", ()
        # A header without its newline is still being written.
        self._first_line = first_line if first_line.endswith(b"\n") else b""
        self._offset = len(self._first_line)
        if self._first_line:
            self.header = columns(self._first_line)

    def _ends_line(self, file: io.BufferedReader) -> bool:
        if self._offset == 0:
            return True
        file.seek(self._offset - 1)
        return file.read(1) == b"\n"

    def _take(self, block: bytes) -> None:
        if not self.header:
            return
        whole = block[: block.rfind(b"\n") + 1]
        self._offset += len(whole)
        for row in rows(whole):
            for column, cell in zip(self.header, row, strict=False):
                if cell and column != STEP:
                    value = number(cell)
                    if value is None:
                        self.problem = f"The column {column!r} holds {cell[:40]!r}, which is no number."
                    else:
                        self.latest[column] = value
            if len(row) != len(self.header):
                self.problem = f"A line has {len(row)} cells, the header {len(self.header)}."


def read_series(path: Path, run_id: str, key: str) -> MetricSeries | None:
    """The whole history of one column, None where there is no such column or nothing in it. Raises OSError."""
    content = path.read_bytes()
    return series_of(content[: content.rfind(b"\n") + 1], run_id, key, key, STEP) if key != STEP else None
