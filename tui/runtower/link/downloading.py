"""A file of a run brought onto this machine: whole or not at all, and never over another one unasked."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from runtower.domain.errors import Conflict, Forbidden, Invalid, NotFound, TowerError, Unreachable
from runtower.sources.port import ReadsArtifacts

NAME: Final = "download"
_EVERY: Final = 0.1
_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)


def download(
    source: ReadsArtifacts, arguments: Mapping[str, str], tell: Callable[[int, int | None, str], None]
) -> bytes:
    """Write the file `path` of the run `run_id` to `target`, an absolute path; gives that path back.

    It is written beside the target under another name, and renamed once it is whole. `replace`: '1' where a file that
    is there may be replaced. Raises Conflict where one is there and may not be, Invalid for a target that can't be,
    Unreachable where the file came short, and what the source and `tell` raise; then nothing is left behind.
    """
    target, replace = Path(arguments["target"]), arguments.get("replace") == "1"
    _check(target, replace)
    try:
        handle, unfinished = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.", suffix=".part")
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        with os.fdopen(handle, "wb") as out:
            done = total = 0
            told = 0.0
            for piece in source.artifact_pieces(arguments["run_id"], arguments["path"]):
                out.write(piece.data)
                done, total = piece.offset + len(piece.data), piece.total or 0
                if time.monotonic() - told >= _EVERY:
                    tell(done, piece.total, "")
                    told = time.monotonic()
            if done < total:
                text = f"'{arguments['path']}' came short: {done:,} of {total:,} bytes."
                raise Unreachable(text, "Nothing was written; try again.")
            tell(done, total or None, "")
            os.fchmod(handle, 0o666 & ~_umask())
        _put(Path(unfinished), target, replace)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        with suppress(OSError):
            os.unlink(unfinished)
    return os.fsencode(target)


def _check(target: Path, replace: bool) -> None:
    """Before anything is fetched."""
    if not target.is_absolute() or not target.name:
        raise Invalid(f"'{target}' is no path to write to.", "Give an absolute one, with a file's name.")
    if not target.parent.is_dir():
        raise NotFound(f"There is no folder {target.parent}.", "Make it first, or name another one.")
    if target.is_dir():
        raise Invalid(f"{target} is a folder.", "Name a file.")
    if not replace and os.path.lexists(target):
        raise _taken(target)


def _put(unfinished: Path, target: Path, replace: bool) -> None:
    """Give the whole file its name. Raises Conflict where somebody else was quicker, OSError."""
    if replace:
        os.replace(unfinished, target)
        return
    try:
        os.link(unfinished, target)  # never over another file, whoever makes one now
    except FileExistsError:
        raise _taken(target) from None
    except OSError:
        if os.path.lexists(target):
            raise _taken(target) from None
        os.rename(unfinished, target)  # a filesystem without links


def _taken(target: Path) -> Conflict:
    return Conflict(f"There is a file {target} already.", "Name another one, or say that it may be replaced.")


def _unwritable(target: Path, error: OSError) -> TowerError:
    what = f"{target} can't be written: {error.strerror or error}."
    if error.errno in _ROOM:
        return TowerError(what, "Make room, or name another place.")
    return Forbidden(what, "Name another folder.")


def _umask() -> int:
    """What a new file of this process may not be: there is no way to ask but to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
