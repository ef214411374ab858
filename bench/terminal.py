"""A program on a pseudo-terminal: what it paints is kept with the time it came, what it costs is read from /proc.

Linux only. A frame is what stands between the marks of synchronized output, and is on the screen when its end came.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

import pyte

ROWS, COLUMNS = 36, 120
FRAME_ENDS = b"\x1b[?2026l"
_ESCAPES = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]")
# What pyte doesn't know and would print.
_NOT_SHOWN = re.compile(rb"\x1b\[[<=>][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1b[P_].*?\x1b\\")
_CARRY = 40


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one read gave, and when (time.perf_counter)."""

    when: float
    data: bytes


class Terminal:
    """One program. Use it as a context manager: on leaving, the program is ended."""

    offspring_cpu: ClassVar[float] = 0.0  # of processes that a program started and did not wait for

    def __init__(
        self, argv: Sequence[str], environ: Mapping[str, str], rows: int = ROWS, columns: int = COLUMNS
    ) -> None:
        self.chunks: list[Chunk] = []
        self._words = b""
        self._open = True
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                os.execve(argv[0], list(argv), dict(environ))
            finally:
                os._exit(127)
        os.set_blocking(self._fd, False)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            Terminal.offspring_cpu += sum(cpu(one) for one in family(self.pid)[1:])
        self.press(b"q")
        for ending in (0, signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.kill(self.pid, ending)
            until = time.perf_counter() + 3
            while time.perf_counter() < until:
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    os.close(self._fd)
                    return
                self._read(0.02)

    def press(self, keys: bytes) -> float:
        """Send keys; the time at which they were sent."""
        now = time.perf_counter()
        with suppress(OSError):
            os.write(self._fd, keys)
        return now

    def listen(self, seconds: float, enough: Callable[[], bool] = lambda: False) -> bool:
        """Read for so long, or until `enough` holds after something came; whether it did."""
        until = time.perf_counter() + seconds
        while self._open and (left := until - time.perf_counter()) > 0:
            if self._read(left) and enough():
                return True
        return False

    def quiet(self, gap: float, most: float) -> None:
        """Read until nothing came for `gap` seconds, or for `most` at all."""
        until = time.perf_counter() + most
        while self._open and time.perf_counter() < until and self._read(gap):
            pass

    def await_words(self, pattern: str, seconds: float) -> None:
        """Read until this was painted since the last call. Raises TimeoutError with what is on the screen."""
        wanted = re.compile(pattern.encode())
        if not wanted.search(self._words) and not self.listen(seconds, lambda: bool(wanted.search(self._words))):
            screen = "\n".join(line for _, lines in frames(self.chunks) for line in lines[-ROWS:])
            raise TimeoutError(f"{pattern!r} was not painted in {seconds} s:\n{screen[-ROWS * COLUMNS :]}")
        self._words = b""

    def _read(self, patience: float) -> bool:
        """One read; whether anything came."""
        if not select.select([self._fd], [], [], max(0.0, patience))[0]:
            return False
        now = time.perf_counter()
        try:
            data = os.read(self._fd, 1 << 20)
        except OSError:
            data = b""
        if not data:
            self._open = False
            return False
        self.chunks.append(Chunk(now, data))
        # The only question a Textual program waits for an answer to: whether synchronized output is known.
        if b"\x1b[?2026$p" in data:
            self.press(b"\x1b[?2026;2$y")
        self._words = (self._words + _ESCAPES.sub(b"", data))[-400_000:]
        return True


def frames(chunks: Sequence[Chunk], rows: int = ROWS, columns: int = COLUMNS) -> Iterator[tuple[float, list[str]]]:
    """After each frame the time it was whole, and the lines of the screen."""
    screen = pyte.Screen(columns, rows)
    stream = pyte.ByteStream(screen)
    held = b""
    for chunk in chunks:
        held += chunk.data
        whole, mark, rest = held.rpartition(FRAME_ENDS)
        if mark:
            stream.feed(_NOT_SHOWN.sub(b"", whole))
            held = rest
            yield chunk.when, list(screen.display)


def first_frame(chunks: Sequence[Chunk], shows: Callable[[list[str]], bool]) -> float | None:
    """When the screen first showed it."""
    return next((when for when, lines in frames(chunks) if shows(lines)), None)


# -- costs


def family(pid: int) -> list[int]:
    """The process and all that it started and that lives."""
    out, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        out.append(one)
        with suppress(OSError):
            for thread in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{thread}/children") as children:
                    waiting += [int(child) for child in children.read().split()]
    return out


def cpu(pid: int) -> float:
    """Seconds of CPU of one process with all its threads, to the nanosecond (its CPUCLOCK_SCHED)."""
    return time.clock_gettime((~pid << 3) | 2)


def family_cpu(pid: int) -> float:
    return sum(cpu(one) for one in family(pid))


def pss(pid: int) -> float:
    """MB that the process takes, shared pages by share."""
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) / 1000


class Cores:
    """How many cores other processes took since this was made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._before = self._others()

    def others(self) -> float:
        return max(0.0, (self._others() - self._before) / (time.perf_counter() - self._began))

    @staticmethod
    def _others() -> float:
        with open("/proc/stat") as stat:
            user, nice, system, _, _, irq, softirq, *_ = map(int, stat.readline().split()[1:])
        ours = sum(os.times()[:4]) + Terminal.offspring_cpu
        return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK") - ours
