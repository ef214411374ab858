"""The log of a run as it is read: found, its end held, and read on while it grows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from runtower.acts.find_log import LogPlace, Search
from runtower.domain.artifacts import MOST_BYTES, Piece
from runtower.domain.errors import TowerError
from runtower.link.offloop import off_loop
from runtower.present.console import KEPT_BYTES, ConsoleText
from runtower.present.glyphs import Glyphs
from runtower.present.sizes import size_text

HOW_TO: Final = (
    'mlflow.log_artifact("train.log")',
    "A train.log beside a CSV log's metrics.csv, Hydra's job logging, and a Slurm job whose id is a tag (slurm_job_id)"
    " are found by themselves.",
)
_LEAP: Final = 4 * MOST_BYTES


class LogFiles(Protocol):
    """Whose log it is: a run, or a job."""

    run_id: str
    name: str

    @property
    def is_far(self) -> bool:
        """Whether it is read from behind a line."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether nothing more is printed, as far as is known."""
        ...

    async def find_log(self) -> Search:
        """Where it is, and where it was looked for."""
        ...

    async def log_part(self, place: LogPlace, offset: int, most: int) -> Piece:
        """A piece of it. Raises TowerError."""
        ...


class RunLog:
    """Its log, where it has one. `changed` is called on the loop after news; only one look is under way at a time."""

    def __init__(self, files: LogFiles, glyphs: Glyphs, changed: Callable[[], None]) -> None:
        self._files = files
        self._glyphs = glyphs
        self._changed = changed
        self._busy = False
        self.search: Search | None = None
        self.place: LogPlace | None = None
        self.text = ConsoleText(glyphs)
        self.begin = 0  # bytes of the file before what is held
        self.end = 0  # bytes of the file up to what was read last
        self.is_read = False
        self.error = ""

    @property
    def said(self) -> str:
        """How much of the file is held, in words."""
        if self.begin or self.text.dropped:
            return f"the last {size_text(min(KEPT_BYTES, self.end - self.begin))} of {size_text(self.end)}"
        return size_text(self.end)

    @property
    def grows(self) -> bool:
        """Whether it may grow: the run goes on, as far as is known, or its file costs nothing to look at."""
        return self.place is not None and not (self._files.is_over and self._files.is_far)

    @property
    def is_live(self) -> bool:
        """Whether the run goes on, as far as is known."""
        return not self._files.is_over

    async def find(self) -> bool:
        """Look for it, and read its end where it is found; whether it was. What goes wrong stands in `error`."""
        self.search = await self._files.find_log()
        if self.search.found:
            await self.choose(self.search.found[0])
        self._changed()
        return bool(self.search.found)

    async def choose(self, place: LogPlace) -> None:
        """Another file."""
        self.place = place
        self._begin_anew()
        await self.look()

    async def look(self) -> None:
        """Read what is new; nothing where a look is under way."""
        if self.place is None or self._busy:
            return
        self._busy, place = True, self.place
        before = (self.is_read, self.end, self.error)
        try:
            await self._read_on(place)
            self.error = ""
        except TowerError as error:
            self.error = str(error)
        finally:
            self._busy = False
        if place != self.place:
            await self.look()
        elif (self.is_read, self.end, self.error) != before:
            self._changed()

    async def _read_on(self, place: LogPlace) -> None:
        while True:
            offset = self.end if self.is_read else -KEPT_BYTES
            piece = await self._files.log_part(place, offset, KEPT_BYTES if offset < 0 else MOST_BYTES)
            if place != self.place:
                return  # another one was chosen meanwhile
            if self.is_read and piece.total is not None and not self.end <= piece.total <= self.end + _LEAP:
                self._begin_anew()  # written anew under the same name, or far ahead: its end is what counts
                continue
            data, text = piece.data, self.text
            if not self.is_read:
                self.begin = piece.offset
                if piece.offset:
                    data = data[data.find(b"\n") + 1 :]  # what stands before may be half a line
            await off_loop(lambda: text.feed(data))  # noqa: B023  awaited here
            self.is_read, self.end = True, piece.offset + len(piece.data)
            if len(piece.data) < MOST_BYTES:
                return

    def _begin_anew(self) -> None:
        self.text, self.is_read, self.begin, self.end = ConsoleText(self._glyphs), False, 0, 0
