"""`runtower`: the screen, or a command. Starts the sources' processes before anything heavy is imported."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

from runtower import __version__
from runtower.domain.errors import Invalid, TowerError
from runtower.folders import Folders
from runtower.link.blas import one_thread
from runtower.settings_quick import given
from runtower.starting import Start, Starter

COMMANDS: Final = (
    *("runs", "show", "metric", "plot", "watch", "sources", "trust", "doctor", "settings", "docs"),
    *("artifacts", "download", "logs"),
    *("diff", "compare"),
    *("models", "gate", "promote", "rollback"),
    *("launch", "jobs", "stop", "gpus"),
    "dvc",
    *("rename", "tag", "delete", "restore", "mark-killed", "log"),
)
_READ_ONLY: Final = "--read-only"
_HELP: Final = f"""\
runtower {__version__}: ML runs and models, in a terminal.

  runtower                 what this folder's project has recorded
  runtower PATH|URI        an sqlite file, an mlruns or CSVLogger folder, a project, any URI of MLflow
  runtower --view NAME     with a view that was saved (may stand before a PATH or URI)
  runtower --source NAME   only this one of the sources (may stand before a PATH or URI)
  runtower demo [DIR]      a real little project, live
  runtower runs|show|metric|plot|watch|sources|doctor|settings --help
                           the same without a screen
  runtower artifacts|download|logs --help
                           the files of a run, and what it printed
  runtower diff|compare --help
                           how configs and runs differ, also as Hydra overrides
  runtower models [NAME...], runtower models versions|history NAME
                           registered models, their versions, and who was where
  runtower gate|promote|rollback --help
                           judge a version, promote it, bring the previous one back
  runtower dvc status|stages|why|experiments --help
                           a DVC project's pipeline: what is stale, and why
  runtower launch [--on slurm] [--gpus N] -- COMMAND
                           start a command as a job that outlives the terminal
  runtower jobs|logs|stop|gpus --help
                           what runs here and in Slurm, its logs, its end, the GPUs
  runtower rename|tag|delete|restore|mark-killed|log --help
                           change runs; what was changed, and how to do it by hand
  runtower sources add|remove, runtower trust --help
                           name a source; allow the servers that a project names
  runtower --read-only ... nothing is ever written to a source
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run; gives the exit code of docs/interfaces.md."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except TowerError as error:
        sys.stderr.write(f"runtower: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def _run(words: Sequence[str]) -> int:
    read_only = bool(words) and words[0] == _READ_ONLY
    words = words[1:] if read_only else words
    first = words[0] if words else ""
    if first in COMMANDS:
        with one_thread():
            from runtower.commands.entry import main as command  # noqa: PLC0415  click comes only for commands

        return command([first, _READ_ONLY, *words[1:]] if read_only else words)
    if first in ("--help", "-h", "help") or (first == "demo" and {"--help", "-h"} & set(words)):
        sys.stdout.write(_HELP)
        return 0
    if first == "--version":
        sys.stdout.write(f"runtower {__version__}\n")
        return 0
    view, words = _option(words, "view", "runtower settings lists the views.")
    source, words = _option(words, "source", "runtower sources lists them.")
    first = words[0] if words else ""
    named = words[1:] if first == "demo" else words
    if len(named) > 1 or any(word.startswith("-") for word in named):
        raise Invalid(f"runtower doesn't know {' '.join(words)!r}.", "runtower --help lists what it takes.")
    folders, folder = Folders.of(), Path.cwd()
    found = given(folder, os.environ, folders)
    known = found.settings
    known.read_only = known.read_only or read_only
    starter = Starter(known, folders, folder, found.origins)
    if view and view not in starter.settings.views:
        from runtower.acts.saved_views import named as view_named  # noqa: PLC0415  only to say which there are

        view_named(starter.settings.views, view)
    if first == "demo":
        start = starter.demo(Path(named[0]) if named else None)
    else:
        start = starter.named(first, source) if first else starter.here(source)
    start.view = view
    return _show(starter, start)


def _option(words: Sequence[str], option: str, remedy: str) -> tuple[str, list[str]]:
    """The name that is asked for, '' for none, and the other words. Raises Invalid for an option without a name."""
    rest = list(words)
    for place, word in enumerate(rest):
        if word.startswith(f"--{option}="):
            return word.removeprefix(f"--{option}="), rest[:place] + rest[place + 1 :]
        if word == f"--{option}":
            if place + 1 == len(rest):
                raise Invalid(f"--{option} has no name after it.", remedy)
            return rest[place + 1], rest[:place] + rest[place + 2 :]
    return "", rest


def _show(starter: Starter, start: Start) -> NoReturn:
    """The screen, and then the end of the process. Textual is imported while the sources' processes start."""
    gc.disable()  # nothing of what is imported now is garbage; it is collected for once after the first paint
    # Textual reads it when it is imported. At its own 60 a key that falls just behind a frame waits 17 ms for the next.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    from runtower.app import TowerApp  # noqa: PLC0415  see above

    sys.setswitchinterval(0.001)  # a thread that orders 100,000 rows hands over sooner when a key comes
    app = TowerApp(start, starter)
    try:
        app.run(mouse=starter.settings.mouse)
    finally:
        app.let_go()
    # The terminal is restored, the view and the curves are kept. Taking the interpreter down would only make people
    # wait: for its modules, and for threads that may still wait for a source.
    _end(app.return_code or 0)


def program() -> NoReturn:
    """Run, and end the process."""
    _end(main())


def _end(code: int) -> NoReturn:
    """Without taking the interpreter down: a thread that is in native code meanwhile would abort the process."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever read it is gone
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    program()
