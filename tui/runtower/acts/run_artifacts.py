"""The artifacts of one run as others look through them: folders, and small files as text, each asked for once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Final, TypeVar

from runtower.acts.run_files import RunFiles
from runtower.acts.tower import Tower
from runtower.domain import runs
from runtower.domain.artifacts import MOST_BYTES, Artifact, Folder
from runtower.domain.errors import Invalid, NotFound, TowerError, Unreachable

LARGEST_TEXT: Final = 4 * 1024 * 1024  # bytes of a config, a list of packages or a patch
_AT_ONCE: Final = 4
# Seconds. Storages elsewhere may take minutes to say that they can't be reached, run after run.
_PATIENCE: Final = 30.0
_REST: Final = 60.0
_NO_ANSWER: Final = f"The place of the artifacts gave no answer in {_PATIENCE:g} seconds."
_FOLDER_BYTES: Final = 200  # about what an entry takes in memory

T = TypeVar("T")
R = TypeVar("R")


class RunArtifacts:
    """One run (a global row). What was read of it once it has ended the tower remembers."""

    def __init__(self, tower: Tower, row: int) -> None:
        self.row = row
        self.files = RunFiles(tower, row)
        self._memory = tower.artifacts
        catalogue = tower.catalogue
        stamp = (catalogue.texts(runs.STATUS).text(row), catalogue.numbers(runs.END_TIME).number(row))
        self._key = (catalogue.run_key(row), *stamp)  # a run that was taken up again is read again
        self._keeps = self.files.is_over

    async def folder(self, path: str = "") -> Folder:
        """What lies in one of its folders, '' for its own. Raises TowerError."""

        async def ask() -> tuple[Folder, int]:
            found = await self._in_time(lambda: self.files.folder(path))
            return found, _FOLDER_BYTES * len(found.entries)

        return await self._remembered(("folder", path), ask)

    async def text(self, path: str, most: int = LARGEST_TEXT) -> str:
        """A whole file as text. Raises TowerError: Invalid for one that is larger, or no text."""

        async def ask() -> tuple[str, int]:
            data = await self.data(path, most)
            try:
                return data.decode("utf-8-sig"), len(data)
            except UnicodeDecodeError as error:
                raise Invalid(f"{path} is no text: byte {error.start} isn't UTF-8.") from None

        return await self._remembered(("text", path), ask)

    async def data(self, path: str, most: int) -> bytes:
        """A whole file. Raises TowerError: Invalid for one with more bytes than `most`."""
        out = bytearray()
        while True:
            offset, wanted = len(out), min(MOST_BYTES, most + 1 - len(out))
            piece = await self._in_time(partial(self.files.part, path, offset, wanted))
            out += piece.data
            if len(out) > most or (piece.total or 0) > most:
                raise Invalid(f"{path} is larger than {most // 1024:,} KB.")
            if not piece.data or (piece.total is not None and len(out) >= piece.total):
                return bytes(out)

    def missed(self, error: TowerError) -> str:
        """What is to be said of an error; '' where nothing is missed for it: there is no such thing, or the source
        offers no artifacts at all, which it says as an error, too."""
        return error.tried.rstrip(".") if self.files.uri and not isinstance(error, NotFound) else ""

    async def _in_time(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer. Raises Unreachable where it doesn't come; then nobody waits for that source again for a while."""
        source, unanswered = self._key[0].source, self._memory.unanswered
        if time.monotonic() - unanswered.get(source, -_REST) < _REST:
            raise Unreachable(_NO_ANSWER)
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await ask()
        except TimeoutError:
            unanswered[source] = time.monotonic()
            raise Unreachable(_NO_ANSWER, "Are they where the run says, and is the way there open?") from None
        unanswered.pop(source, None)
        return found

    async def remembered(self, what: str, made: Callable[[], Awaitable[tuple[T, int]]]) -> T:
        """What `made` gives, with its size in bytes: made once for a run that has ended."""
        return await self._remembered(("made", what), made)

    async def _remembered(self, what: tuple[str, str], made: Callable[[], Awaitable[tuple[T, int]]]) -> T:
        key = (self._key, what)
        known: T | None = self._memory.get(key)
        if known is not None:
            return known
        found, size = await made()
        if self._keeps:
            self._memory.put(key, found, size + _FOLDER_BYTES)
        return found


def named(folder: Folder, *names: str) -> Artifact | None:
    """The first of these files that lies in a folder."""
    there = {one.name: one for one in folder.entries if not one.is_dir}
    return next((there[name] for name in names if name in there), None)


async def few_at_a_time(work: Callable[[T], Awaitable[R]], each: Iterable[T], most: int = _AT_ONCE) -> Sequence[R]:
    """What `work` gives for each, in their order, at most so many at once."""
    gate = asyncio.Semaphore(most)

    async def one(item: T) -> R:
        async with gate:
            return await work(item)

    return await asyncio.gather(*(one(item) for item in each))
