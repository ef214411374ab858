"""What the source's process says of its own health; a sentence is said when it becomes true, not again and again."""

from __future__ import annotations

import threading
import time

from runtower.domain.errors import TowerError
from runtower.link.channel import Channel
from runtower.link.wire import Report

_LONGEST = 2000


class Reports:
    """Keeps the present error and notices, and sends them when they change."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._sent = Report()
        self._error: tuple[str, str, str] = ("", "", "")
        self._next_try: float | None = None
        self._notices: dict[str, str] = {}
        self._heard: float | None = None

    def answered(self) -> None:
        """The source answered: whatever was wrong isn't any more."""
        self._heard = time.monotonic()
        self._error, self._next_try = ("", "", ""), None
        self._send()

    def failed(self, error: TowerError, next_try: float) -> None:
        """The source raised an error; it is tried again in `next_try` seconds."""
        self._error = (error.name, error.tried[:_LONGEST], error.remedy[:_LONGEST])
        self._next_try = next_try
        self._send()

    def notice(self, topic: str, text: str) -> None:
        """A sentence for people about one topic; '' takes it back."""
        if text:
            self._notices[topic] = text
        else:
            self._notices.pop(topic, None)
        self._send()

    def heard(self) -> float | None:
        """How many seconds ago the source answered."""
        return None if self._heard is None else time.monotonic() - self._heard

    def _send(self) -> None:
        with self._lock:
            report = Report(*self._error, self._next_try, tuple(self._notices.values()))
            if report != self._sent:
                self._sent = report
                self._channel.send(report)
