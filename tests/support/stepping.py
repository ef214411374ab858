"""Several clients that take steps in an order that a test chooses: each waits at every step until it is its turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class Stepping:
    """Runs clients in threads, one step of one of them at a time.

    `choose` is given those that aren't through and who took the last step (None at first), and names the next one.
    """

    def __init__(self, choose: Callable[[list[int], int | None], int]) -> None:
        self._choose = choose
        self._mine = threading.local()
        self._turn: int | None = None
        self._waiting: set[int] = set()
        self._alive: set[int] = set()
        self._changed = threading.Condition()

    def step(self) -> None:
        """Called by a client before each thing that others might see; nothing outside of one."""
        number = getattr(self._mine, "number", None)
        if number is None:
            return
        with self._changed:
            self._turn = None
            self._waiting.add(number)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._turn == number)
            self._waiting.discard(number)

    def run(self, clients: Sequence[Callable[[], T]]) -> list[T]:
        """Until all are through; what each gave."""
        results: dict[int, T] = {}
        self._alive = set(range(len(clients)))

        def live(number: int) -> None:
            self._mine.number = number
            self.step()
            try:
                results[number] = clients[number]()
            finally:
                with self._changed:
                    self._turn = None
                    self._alive.discard(number)
                    self._changed.notify_all()

        threads = [threading.Thread(target=live, args=(number,), daemon=True) for number in self._alive]
        for thread in threads:
            thread.start()
        last: int | None = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._turn is None and self._waiting == self._alive)
                if not self._alive:
                    break
                last = self._turn = self._choose(sorted(self._alive), last)
                self._waiting.discard(last)
                self._changed.notify_all()
        for thread in threads:
            thread.join()
        return [results[number] for number in range(len(clients))]
