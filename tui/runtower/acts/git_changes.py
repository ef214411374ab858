"""What lies between the commits of runs, where their repository is at hand: `git diff`, by git itself.

Nothing that a repository or its settings name is run for it (no pager, external diff, textconv, fsmonitor), nothing is
fetched, and nothing is locked or written.
"""

from __future__ import annotations

import asyncio
import os
import re
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtower.domain.errors import Invalid

MOST_STAT: Final = 64 * 1024
MOST_TEXT: Final = 512 * 1024
_MOST_PAIRS: Final = 8
_PATIENCE: Final = 20.0  # seconds for one answer of git's
_COMMIT: Final = re.compile(r"[0-9a-fA-F]{7,64}")
_GIT: Final = (
    *("git", "--no-pager", "--literal-pathspecs"),
    *("-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-c", "protocol.allow=never"),
)
_DIFF: Final = (
    *("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-relative", "--submodule=short"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
)
_QUIET: Final = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"}
_LEFT_OUT: Final = frozenset({"GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_PAGER"})


@dataclass(frozen=True, slots=True)
class CodeChange:
    """From one commit to another: `git diff --stat` and the diff itself, both '' where `why` says why there is none.

    `stat_cut` and `cut`: only the beginning is here, 64 KB of the one and 512 KB of the other, in whole lines. `lacks`:
    which of the two couldn't be looked up, '' for none.
    """

    before: str
    after: str
    stat: str = ""
    text: str = ""
    stat_cut: bool = False
    cut: bool = False
    why: str = ""
    lacks: str = ""


async def changes_between(folder: Path, commits: Sequence[str | None]) -> tuple[CodeChange, ...]:
    """From the first of the commits that is one to each other, at most eight of them, in the repository of a folder.

    Empty where there are no two of them; only one where the first itself isn't there. Never raises for what git can't
    tell: the change says why.
    """
    known = [one for one in dict.fromkeys(commits) if one is not None and _COMMIT.fullmatch(one)]
    changes: list[CodeChange] = []
    for after in known[1 : _MOST_PAIRS + 1]:
        changes.append(await change_between(folder, known[0], after))
        if changes[-1].lacks == known[0]:
            break
    return tuple(changes)


async def change_between(folder: Path, before: str, after: str) -> CodeChange:
    """What turns one commit (7 to 64 hexadecimal digits) into another."""
    try:
        found: list[str] = []
        for commit in (before, after):
            if not _COMMIT.fullmatch(commit):
                return CodeChange(before, after, why=f"'{commit}' is no commit", lacks=commit)
            # With ^{commit} a tag or a tree of that name won't do.
            told = await _git(folder, ("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"), 200)
            if told.code:
                return CodeChange(before, after, why=await _why_not(folder, commit), lacks=commit)
            found.append(told.text.strip())
        stat = await _git(folder, (*_DIFF, "--stat=100", *found, "--"), MOST_STAT)
        text = await _git(folder, (*_DIFF, "--patch", *found, "--"), MOST_TEXT)
    except FileNotFoundError:
        return CodeChange(before, after, why="there is no git on this machine", lacks=before)
    except TimeoutError:
        return CodeChange(before, after, why=f"git gave no answer in {_PATIENCE:g} seconds", lacks=before)
    if stat.code or text.code:
        return CodeChange(before, after, why=f"git can't compare them: {stat.error or text.error}")
    return CodeChange(before, after, stat.text, text.text, stat.cut, text.cut)


async def file_at(folder: Path, commit: str, path: str, most: int) -> tuple[bytes, int]:
    """At most so many bytes of a file in a commit, and how many it has; none where it isn't there. Raises Invalid."""
    place = f"{commit}:{path}"
    try:
        size = await _git(folder, ("cat-file", "-s", place), 200)
        if size.code:
            return b"", 0
        data = await _git(folder, ("cat-file", "blob", place), most)
    except (FileNotFoundError, TimeoutError):
        raise Invalid("git gives no answer.", "Try git show in this folder.") from None
    return data.data, int(size.text)


async def _why_not(folder: Path, commit: str) -> str:
    where = await _git(folder, ("rev-parse", "--git-dir"), 4096)
    if where.code:
        return f"{folder} lies in no git repository that can be read"
    return f"commit {commit[:8]} isn't in the repository of {folder}"


@dataclass(frozen=True, slots=True)
class _Told:
    data: bytes
    cut: bool
    code: int
    error: str

    @property
    def text(self) -> str:
        return (_whole_lines(self.data) if self.cut else self.data).decode("utf-8", "replace")


async def _git(folder: Path, words: Sequence[str], most: int) -> _Told:
    """At most so many bytes of what git prints. Raises FileNotFoundError, TimeoutError."""
    environ = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT} | _QUIET
    process = await asyncio.create_subprocess_exec(
        *_GIT, *words, cwd=folder, env=environ, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    errors = asyncio.ensure_future(_all(process.stderr))
    try:
        async with asyncio.timeout(_PATIENCE):
            data = await _beginning(process.stdout, most + 1)
            if len(data) > most:
                return _Told(data[:most], True, 0, "")
            code = await process.wait()
            lines = (await errors).strip().splitlines()
            return _Told(data, False, code, lines[-1] if lines else f"it ended with {code}")
    finally:
        errors.cancel()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _beginning(stream: asyncio.StreamReader, most: int) -> bytes:
    out = bytearray()
    while len(out) < most and (piece := await stream.read(most - len(out))):
        out += piece
    return bytes(out)


async def _all(stream: asyncio.StreamReader) -> str:
    """Read to its end, so that nobody waits; the last of it."""
    last = b""
    while piece := await stream.read(4096):
        last = (last + piece)[-4096:]
    return last.decode("utf-8", "replace")


def _whole_lines(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1 or len(data)]
