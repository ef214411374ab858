"""The process of one source: `python -P -m runtower.link.host DESCRIPTOR`, a socket to the terminal.

Frames move to a private descriptor and everything that a library prints goes to a log. Only what that takes is imported
here; numpy, Arrow and what stands on them come in `serving`, while a source that can waits for its first answers.
"""

from __future__ import annotations

import faulthandler
import importlib
import os
import sys
from pathlib import Path

from runtower.catalog import cache
from runtower.link import native
from runtower.link.channel import Channel
from runtower.link.kinds import find
from runtower.link.sourcelog import SourceLog, note
from runtower.link.wire import VERSION, Hello, Opened, WireError
from runtower.sources.port import BeginsEarly, Target


def main() -> None:
    channel = Channel(int(sys.argv[1]))
    messages = channel.receive()
    try:
        hello = next(messages, None)
        if not isinstance(hello, Hello):
            return
        if hello.version != VERSION:
            channel.send(Opened(VERSION, "", "", ""))
            return
        if not hello.writes:
            native.die_with(hello.parent)
        log = SourceLog(Path(hello.log))
        log.take_over()
        faulthandler.enable()
        if not hello.writes:
            _begin(hello)
        serving = importlib.import_module("runtower.link.serving")
        (serving.serve_writes if hello.writes else serving.serve)(hello, channel, messages, log)
    except WireError as error:
        note("the terminal can't be understood", error)
    finally:
        # Threads may be inside a library that never returns; nothing of theirs is worth waiting for.
        os._exit(0)


def _begin(hello: Hello) -> None:
    """Let the source ask early where it is about to be listed, and nothing is known of it."""
    if hello.paused or hello.held:
        return  # nobody wants runs now; nobody is asked before the folder is trusted
    target = Target(hello.name, hello.kind, hello.uri, hello.read_only, hello.options)
    if hello.known is not None or (hello.catalog and cache.files(Path(hello.catalog), target.file_key)):
        return
    try:
        kind = find(hello.kind)
        if isinstance(kind, BeginsEarly):
            kind.begin(target)
    except Exception:  # noqa: BLE001, S110 - opening, which comes next, meets and tells the same
        pass


if __name__ == "__main__":
    main()
