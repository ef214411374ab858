"""httpx without its command line, which it imports where click and rich are installed: 45 ms of CPU at each start."""

from __future__ import annotations

import sys
from typing import Final

_COMMAND: Final = "httpx._main"

# What can't be imported httpx does without.
if "httpx" not in sys.modules:
    sys.modules[_COMMAND] = None  # type: ignore[assignment]

import httpx  # noqa: E402

if sys.modules.get(_COMMAND, httpx) is None:
    del sys.modules[_COMMAND]

__all__ = ["httpx"]
