"""Programs that are run when something happens to a run, each with the run as JSON on its stdin.

A hook is the words of a command, never a line for a shell. It runs in a session of its own, is ended after its time,
and what it prints is dropped but for the end of its stderr, which is logged where it fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from runtower.folders import private

_AT_ONCE: Final = 2
_MOST_WAITING: Final = 100
_STDERR_KEPT: Final = 2000
_LOGGED: Final = 1024 * 1024


class Hooks:
    """Runs hooks two at a time, in order. `trouble` is told what went wrong, each sentence once."""

    def __init__(self, logs: Path, trouble: Callable[[str], None], folder: Path | None = None) -> None:
        """`folder` to run them in, None: where runtower runs."""
        self._folder = folder
        self._log_file = logs / "hooks.log"
        self._trouble = trouble
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._said: set[str] = set()

    def run(self, argv: Sequence[str], record: dict[str, Any], timeout: float) -> None:
        """Begin it; `timeout` in seconds."""
        if len(self._tasks) >= _MOST_WAITING:
            self._say(
                f"More than {_MOST_WAITING} hooks wait for their turn; {Path(argv[0]).name} wasn't run for some runs."
            )
            return
        task = asyncio.ensure_future(self._run(list(argv), msgspec.json.encode(record), timeout))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until all that was begun has ended."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, argv: list[str], data: bytes, timeout: float) -> None:  # noqa: ASYNC109
        async with self._turns:
            try:
                process = await asyncio.create_subprocess_exec(
                    *argv, stdin=PIPE, stdout=DEVNULL, stderr=PIPE, cwd=self._folder, start_new_session=True
                )
            except (OSError, ValueError) as error:
                reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                self._failed(argv, f"could not be started: {reason}", b"")
                return
            try:
                _, said = await asyncio.wait_for(process.communicate(data), timeout)
            except TimeoutError:
                _end(process)
                self._failed(argv, f"took longer than {timeout:g} s and was ended", b"")
                return
            except asyncio.CancelledError:
                _end(process)
                raise
            if process.returncode:
                self._failed(argv, f"ended with code {process.returncode}", said)

    def _failed(self, argv: Sequence[str], why: str, said: bytes) -> None:
        self._log(f"{' '.join(map(repr, argv))} {why}\n{said[-_STDERR_KEPT:].decode(errors='replace')}".rstrip())
        self._say(f"The hook {Path(argv[0]).name} {why}. More is in {self._log_file}.")

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._trouble(text)

    def _log(self, text: str) -> None:
        """A folder that can't be written to costs only the log."""
        with contextlib.suppress(OSError):
            private(self._log_file.parent)
            full = self._log_file.exists() and self._log_file.stat().st_size > _LOGGED
            handler = logging.FileHandler(self._log_file, "w" if full else "a", encoding="utf-8")
            handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
            self._log_file.chmod(0o600)
            handler.emit(logging.LogRecord("runtower.hooks", logging.WARNING, "", 0, text, None, None))
            handler.close()


def _end(process: Process) -> None:
    """Kill it and all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
