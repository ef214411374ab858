"""Console output as a terminal would have left it: lines without colours, progress bars in their last state."""

from __future__ import annotations

import codecs
import re
from typing import Final

from runtower.present.glyphs import UNICODE, Glyphs
from runtower.present.spans import inert

KEPT_BYTES: Final = 1024 * 1024
_TAB: Final = 8
_ANSI: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, erase
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC, DCS and the like: titles, links
    r"|\x1b[()*+][0-9A-Za-z]|\x1b[@-Z\\^_=>78cDEHMNOZ]"
)
_ERRORS: Final = re.compile(
    r"Traceback \(most recent call last\)|\b\w*(?:Error|Exception|Interrupt)(?::|$)|\b(?:ERROR|FATAL|CRITICAL)\b"
    r"|\berror: |CUDA error|CUDA out of memory|[Oo]ut of [Mm]emory|\bOOM\b|oom[-_ ]?kill|\bKilled\b"
    r"|\bSIG(?:KILL|SEGV|TERM|ABRT|BUS)\b|Segmentation fault|core dumped|DUE TO TIME LIMIT|NCCL (?:error|WARN)"
)


# Each error holds one of these; looking for them first takes a tenth of the pattern's time.
_WORDS: Final = (
    *("Traceback", "Error", "Exception", "Interrupt", "ERROR", "FATAL", "CRITICAL", "error: ", "CUDA", "emory"),
    *("OOM", "oom", "Killed", "SIG", "Segm", "core dumped", "TIME LIMIT", "NCCL"),
)


def is_error(line: str) -> bool:
    """Whether a line tells of an error: a traceback and what was raised, CUDA, memory, a kill, a logger's ERROR."""
    for word in _WORDS:
        if word in line:
            return _ERRORS.search(line) is not None
    return False


def console_lines(text: str, glyphs: Glyphs = UNICODE) -> list[str]:
    """A text as a terminal would have left it."""
    held = ConsoleText(glyphs)
    held.feed(text.encode("utf-8", "surrogatepass"))
    return held.lines


class ConsoleText:
    """The last megabyte of an output, fed as it comes. `lines` is never changed, but replaced; `dropped` counts the
    lines before them that are no longer held, of what was fed."""

    def __init__(self, glyphs: Glyphs = UNICODE, keep: int = KEPT_BYTES) -> None:
        self._glyphs = glyphs
        self._keep = keep
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._open = ""  # what came after the last line's end
        self._done: list[str] = []
        self._size = 0
        self.dropped = 0
        self.lines: list[str] = []

    def feed(self, data: bytes) -> None:
        """What came next."""
        *whole, rest = (self._open + self._decoder.decode(data)).split("\n")
        done = self._done + [self._plain(line) for line in whole]
        self._open = _last_state(rest)
        self._size += sum(map(len, done[len(self._done) :])) + len(whole)
        if self._size > self._keep:
            gone = 0
            while gone < len(done) and self._size > self._keep * 3 // 4:
                self._size -= len(done[gone]) + 1
                gone += 1
            del done[:gone]
            self.dropped += gone
        self._done = done
        self.lines = [*done, self._plain(self._open)] if self._open else done

    def take(self, rest: bool = False) -> list[str]:
        """The lines that are whole, which are no longer held; with `rest` also what came after them."""
        taken = [*self._done, *([self._plain(self._open)] if rest and self._open else [])]
        self._done, self._size = [], 0
        self._open = "" if rest else self._open
        self.lines = [self._plain(self._open)] if self._open else []
        return taken

    def _plain(self, line: str) -> str:
        if line.isascii() and line.isprintable():
            return line
        text = _ANSI.sub("", line).rstrip("\r")
        return inert(text.rpartition("\r")[2].replace("\b", "").expandtabs(_TAB), self._glyphs)


def _last_state(line: str) -> str:
    """A line that isn't finished without what was written over; a bar of many steps isn't kept whole."""
    body = line.rstrip("\r")
    return body.rpartition("\r")[2] + line[len(body) :]
