"""`doctor`: what was found, what answers, what is wrong and how to mend it."""

from __future__ import annotations

import importlib.metadata
import locale
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import msgspec

from runtower import __version__
from runtower.commands.asking import Answer, ask
from runtower.commands.opening import Asked, context
from runtower.domain.errors import TowerError
from runtower.folders import Folders
from runtower.present.spans import inert

_PATIENCE: Final = 30.0
_exit: list[int] = []


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, what it is, whether that is fine, and the fix where it isn't."""

    topic: str
    says: str
    ok: bool = True
    fix: str = ""


def exit_code() -> int:
    """1 where the last report of this process found something wrong."""
    return _exit.pop() if _exit else 0


def report(asked: Asked, as_json: bool) -> None:
    """Print all findings."""
    findings = [*_versions(), *_sources(asked), *_terminal(), *_folders(Folders.of())]
    if as_json:
        sys.stdout.write(msgspec.json.encode([asdict(one) for one in findings]).decode() + "\n")
    else:
        for one in findings:
            sys.stdout.write(f"{'ok ' if one.ok else '!! '} {one.topic:12} {inert(one.says)}\n")
            if one.fix:
                sys.stdout.write(f"{'':16} {inert(one.fix)}\n")
    _exit[:] = [0 if all(one.ok for one in findings) else 1]


def _versions() -> Iterator[Finding]:
    yield Finding("runtower", f"{__version__}, Python {sys.version.split()[0]} at {sys.executable}")
    for package in ("textual", "mlflow", "pyarrow"):
        try:
            yield Finding(package, importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(package, "not installed", False, f"pip install {package}")


def _sources(asked: Asked) -> list[Finding]:
    try:
        work = context(asked)
    except TowerError as error:
        return [Finding("sources", error.tried, False, error.remedy)]
    if not work.targets:
        return [
            Finding("sources", f"none found; looked for {', '.join(work.looked)}", False, "Set MLFLOW_TRACKING_URI.")
        ]
    return [finding for answer in ask(work, min(asked.patience, _PATIENCE)) for finding in _of(answer)]


def _of(answer: Answer) -> Iterator[Finding]:
    name, health, identity, error = answer.target.name, answer.health, answer.identity, answer.error
    if error is not None or identity is None:
        yield Finding(name, error.tried if error is not None else "", False, error.remedy if error is not None else "")
    else:
        counted = f"{health.known} runs" + ("" if health.complete else " so far")
        yield Finding(name, f"{identity.address}: {counted}; {identity.how}")
    for notice in health.notices:
        yield Finding(name, notice)
    yield from _row_errors(answer.row_errors, name)


def _row_errors(errors: Mapping[str, str], source: str) -> list[Finding]:
    """How many runs could not be read whole, with the first of them."""
    if not errors:
        return []
    counted = "1 run" if len(errors) == 1 else f"{len(errors):,} runs"
    run_id = min(errors)
    fix = "The rest of such a run is shown all the same; its pane on the screen says what is wrong."
    return [Finding(source, f"{counted} could not be read whole. {run_id}: {errors[run_id]}", False, fix)]


def _terminal() -> Iterator[Finding]:
    term = os.environ.get("TERM", "")
    yield Finding("terminal", f"TERM={term or 'not set'}", term not in ("", "dumb") or not sys.stdout.isatty())
    colours = os.environ.get("COLORTERM") or ("256" if "256color" in term else "few")
    yield Finding("colours", "none (NO_COLOR)" if os.environ.get("NO_COLOR") else colours)
    encoding = locale.getpreferredencoding(False)
    fine = encoding.lower().replace("-", "") == "utf8"
    advice = "Glyphs should be one cell wide; if columns are ragged, or this isn't UTF-8, set glyphs: ascii."
    yield Finding("encoding", encoding, fine, "" if fine else advice)
    if os.environ.get("TMUX"):
        yield from _tmux()


def _tmux() -> Iterator[Finding]:
    for option, good, fix in (
        ("escape-time", ("0", "5", "10", "20", "25", "50"), "set -sg escape-time 10, or esc feels slow"),
        ("set-clipboard", ("on", "external"), "set -g set-clipboard on, so that y copies"),
        ("allow-passthrough", ("on", "all", "off", ""), ""),
    ):
        scope = ["-gwv"] if option == "allow-passthrough" else ["-sv"]
        try:
            asked = subprocess.run(["tmux", "show", *scope, option], capture_output=True, text=True, timeout=2)
        except (OSError, subprocess.TimeoutExpired) as error:
            yield Finding("tmux", f"{option} can't be asked: {type(error).__name__}")
            continue
        value = asked.stdout.strip()
        yield Finding("tmux", f"{option} {value or 'not known'}", value in good, "" if value in good else fix)


def _folders(folders: Folders) -> Iterator[Finding]:
    for name, folder in (("cache", folders.cache), ("state", folders.state), ("config", folders.config)):
        there = next(place for place in (folder, *folder.parents) if place.exists())
        fine = os.access(there, os.W_OK)
        size = f", {_size(folder) / 1e6:.1f} MB" if name == "cache" else ""
        yield Finding(
            name, f"{folder}{size}", fine, "" if fine else f"{there} can't be written: look at its permissions."
        )


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):  # passes over folders that go while they are counted, which rglob doesn't
        for name in names:
            with suppress(OSError):
                total += (Path(place) / name).stat().st_size
    return total
