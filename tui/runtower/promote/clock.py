"""The time, as promotions need it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What time it is, and a way to wait."""

    def now_ms(self) -> int:
        """UTC epoch ms."""
        ...

    def running(self) -> float:
        """Seconds since some moment, that no setting of a clock moves; a suspended machine's sleep counts."""
        ...

    def pause(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def running(self) -> float:
        boot = getattr(time, "CLOCK_BOOTTIME", None)  # Linux; its monotonic clock stops while it sleeps
        return time.monotonic() if boot is None else time.clock_gettime(boot)

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)
