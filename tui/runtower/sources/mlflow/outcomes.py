"""What became of a write that wasn't simply done or refused."""

from __future__ import annotations

from runtower.domain.errors import Unreachable


class Unsent(Unreachable):
    """Nobody took the connection: what was to be sent never was."""


class Failed(Unreachable):
    """MLflow itself says that it failed: it is done with what it was asked, and most likely took it back."""
