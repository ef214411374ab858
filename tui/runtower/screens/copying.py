"""Text to the clipboard over SSH, saying where it went."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from textual.app import App


async def copy_out(app: App[object], text: str, file: Path) -> str:
    """Offer the text in every way there is; a sentence that says which ones.

    OSC 52 gives no answer, so it is 'sent', never 'copied'. Inside tmux its buffer is filled; a private file always
    holds the last text.
    """
    where = []
    if os.environ.get("TMUX") and await _to_tmux(text):
        where.append("in tmux's buffer (prefix ])")
    app.copy_to_clipboard(text)
    where.append("sent to the terminal's clipboard (OSC 52)")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(text)
        where.append(f"in {file}")
    except OSError as error:
        where.append(f"not in a file ({error.strerror})")
    shown = text if len(text) <= 40 else text[:18] + "…" + text[-18:]
    return f"{shown}: {', '.join(where)}"


async def _to_tmux(text: str) -> bool:
    """Whether tmux took it."""
    try:
        process = await asyncio.create_subprocess_exec(
            "tmux",
            "load-buffer",
            "-",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await asyncio.wait_for(process.communicate(text.encode()), 2)
    except (OSError, TimeoutError):
        return False
    return process.returncode == 0
