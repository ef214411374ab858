"""The process that changes what one source has: begun by the first need, kept a minute, and ended in the middle of what
it does where its end isn't known."""

from __future__ import annotations

import asyncio
import getpass
import os
import socket
import time
from pathlib import Path
from typing import Final

from runtower.domain.errors import Cancelled
from runtower.folders import Folders
from runtower.link.client import Link
from runtower.link.commandlog import Intent, ModelIntent
from runtower.sources.port import Target

_UNUSED: Final = 60.0
_LONGEST_WRITE: Final = 120.0


class EditProcess:
    """Carries operations out over there. Lives on one event loop."""

    def __init__(self, target: Target, folders: Folders) -> None:
        self.target = target
        self._folders = folders
        self._link: Link | None = None
        self._under_way = 0
        self._leaving: asyncio.TimerHandle | None = None
        self.left = False

    @property
    def pid(self) -> int | None:
        """Of the process, where one runs."""
        return self._link.pid if self._link is not None else None

    def prepare(self) -> int:
        """Begin to open the source for changes, and give the process's pid, 0 where that isn't known yet: a question is
        being asked, and a library takes seconds to import."""
        pid = self._process().pid or 0
        self._rest()
        return pid

    async def operate(self, name: str, arguments: dict[str, str], deadline: float) -> bytes:
        """As `Link.operate`; `deadline` in seconds, the opening of the source included."""
        self._under_way += 1
        try:
            return await self._process().operate(name, arguments, deadline=deadline)
        finally:
            self._under_way -= 1
            self._rest()

    def abandon(self) -> None:
        """What may still be writing must not do so after it was read back."""
        if self._link is not None:
            self._link.abandon()
            self._link = None

    def leave(self) -> None:
        """For good, and at once; the process first finishes and logs what it has begun."""
        self.left = True
        self._let_go()

    def _let_go(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
        if self._link is not None:
            self._link.close()
            self._link = None

    def _process(self) -> Link:
        if self.left:
            raise Cancelled("runtower is leaving; nothing more is written.")
        if self._link is None:
            self._link = Link(self.target, self._folders, use_cache=False, writes=True)
            self._link.spawn()
        return self._link

    def _rest(self) -> None:
        """After a minute without need the process, and the library in it, is let go."""
        if self.left:
            return
        if self._leaving is not None:
            self._leaving.cancel()
        self._leaving = asyncio.get_running_loop().call_later(_UNUSED, self._unused)

    def _unused(self) -> None:
        if not self._under_way:
            self._let_go()


def who() -> str:
    """user@host: a statement, not a proof."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def boot() -> str:
    """This start of this machine, so that a pid can be told from a later one of the same number."""
    try:
        started = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        started = ""
    return f"{socket.gethostname()}:{started}"


def is_at_work(intent: Intent | ModelIntent) -> bool:
    """Whether the process that this write was given to may still be at it."""
    if time.time() * 1000 - intent.time > (intent.deadline + _LONGEST_WRITE) * 1000:
        return False
    if intent.boot != boot():
        return True  # another machine's process can't be looked at: the time decides
    try:
        os.kill(intent.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
