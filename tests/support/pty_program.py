"""runtower on a pseudo-terminal, as a user's shell starts it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

ROWS, COLUMNS = 24, 100
DEADLINE = 90.0
_ESCAPES = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[P_].*?\x1b\\|\x1b[ -/]*[0-~]")


class Program:
    """One program; leaving the context kills it where it hasn't ended."""

    def __init__(self, folder: Path, *words: str, environ: Mapping[str, str] | None = None) -> None:
        known = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(environ or {})}
        self.exit_code: int | None = None
        self.written = b""  # all that came, with its escape sequences
        self._painted = b""
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(folder)
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
                os.execve(sys.executable, [sys.executable, "-m", "runtower.cli", *words], known)
            finally:
                os._exit(127)

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        if self.exit_code is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def paints(self, text: str) -> None:
        """Wait until this was painted since the last call."""
        end = time.monotonic() + DEADLINE
        going = True
        while text.encode() not in self._painted:
            said = self._painted[-3000:].decode(errors="replace")
            assert going, f"it ended before {text!r} was painted:\n{said}"
            assert time.monotonic() < end, f"{text!r} was never painted:\n{said}"
            going = self._read(1.0)
        self._painted = b""

    def writes(self, sequence: bytes) -> None:
        """Wait until this was written since the program began."""
        end = time.monotonic() + DEADLINE
        while sequence not in self.written:
            assert self._read(1.0), f"it ended before {sequence!r} was written"
            assert time.monotonic() < end, f"{sequence!r} was never written:\n{self.written[-3000:]!r}"

    def ends(self) -> float:
        """Wait until the process has ended; seconds from now to then."""
        begun = time.monotonic()
        while self.exit_code is None:
            assert time.monotonic() < begun + DEADLINE, "it never ended"
            self._read(0.005)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return time.monotonic() - begun

    def kill(self) -> None:
        """End it as a terminal that dies does: without a chance to do anything."""
        os.kill(self.pid, signal.SIGKILL)
        self.ends()

    def _read(self, patience: float) -> bool:
        """Take in what comes; False once nothing can come any more."""
        if not select.select([self._fd], [], [], patience)[0]:
            return True
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:
            return False
        if b"\x1b[?2026$p" in data:  # whether synchronized output is known
            self.press("\x1b[?2026;2$y")
        self.written += data
        self._painted += _ESCAPES.sub(b"", data)
        return bool(data)


def processes_about(text: str) -> list[int]:
    """The processes whose command line holds a text, zombies apart."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                if text.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found
