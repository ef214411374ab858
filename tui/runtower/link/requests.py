"""Queries and operations that wait for an answer, across the death of the process that worked on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from runtower.domain.errors import Broken, Cancelled, Invalid, OutcomeUnknown, TowerError, from_name
from runtower.link.wire import Answer, Ask, Operate, Parcel, Progress, Query, Refused, WireError, frame

STRIKES: Final = 3


@dataclass
class _Pending:
    message: Ask | Operate
    answer: asyncio.Future[Parcel]
    progress: Callable[[Progress], None] | None = None
    sent: bool = False
    started: bool = False
    strikes: int = 0


class Requests:
    """What was asked and isn't answered yet, by its number."""

    def __init__(self) -> None:
        self._pending: dict[int, _Pending] = {}
        self._count = 0
        self._generations: dict[str, int] = {}

    def ask(self, query: Query, topic: str) -> tuple[Ask, asyncio.Future[Parcel]]:
        """A new query. One of the same topic that still waits is answered with Cancelled: nobody wants it any more."""
        generation = self._generations[topic] = self._generations.get(topic, 0) + 1
        if topic:
            for request, pending in list(self._pending.items()):
                if isinstance(pending.message, Ask) and pending.message.topic == topic:
                    self._fail(request, Cancelled("A newer question took this one's place."))
        self._count += 1
        ask = Ask(self._count, generation, topic, query)
        return ask, self._wait(_Pending(ask, asyncio.get_running_loop().create_future()))

    def operate(
        self, name: str, arguments: dict[str, str], deadline: float | None, progress: Callable[[Progress], None] | None
    ) -> tuple[Operate, asyncio.Future[Parcel]]:
        """A new operation."""
        self._count += 1
        operate = Operate(self._count, name, arguments, deadline)
        return operate, self._wait(_Pending(operate, asyncio.get_running_loop().create_future(), progress))

    def forget(self, request: int) -> bool:
        """Stop waiting; whether it was still open."""
        return self._pending.pop(request, None) is not None

    def started(self, request: int) -> None:
        if request in self._pending:
            self._pending[request].started = True

    def progressed(self, progress: Progress) -> None:
        pending = self._pending.get(progress.request)
        if pending and pending.progress:
            # What goes wrong with who is told doesn't end the stream that told it.
            asyncio.get_running_loop().call_soon(pending.progress, progress)

    def answered(self, answer: Answer) -> Parcel | None:
        """Settle a request. Gives the body back where nobody asked for it (any more)."""
        pending = self._pending.get(answer.request)
        if pending is None or _generation(pending.message) != answer.generation:
            return answer.body
        del self._pending[answer.request]
        pending.answer.set_result(answer.body)
        return None

    def refused(self, refused: Refused) -> None:
        pending = self._pending.get(refused.request)
        if pending and _generation(pending.message) == refused.generation:
            self._fail(refused.request, from_name(refused.name, refused.tried, refused.remedy))

    def crashed(self) -> None:
        """Their process died. What it worked on has a strike; with three a query is set aside.

        An operation is never sent twice: whether it took effect can't be told from here.
        """
        for request, pending in list(self._pending.items()):
            if not pending.sent:
                continue
            if isinstance(pending.message, Operate):
                text = (
                    f"The source's process ended during '{pending.message.name}'; whether it took effect isn't known."
                )
                self._fail(request, OutcomeUnknown(text, "Look at its object before trying again."))
                continue
            pending.strikes += pending.started
            pending.sent = pending.started = False
            if pending.strikes >= STRIKES:
                text = f"The source's process ended {STRIKES} times while it read this."
                self._fail(request, Broken(text, "The request is set aside; the source's log has the details."))

    def unsent(self) -> Iterator[Ask | Operate]:
        """What the present process wasn't told yet; it counts as told now."""
        for pending in list(self._pending.values()):
            if not pending.sent:
                pending.sent = True
                yield pending.message

    def close(self) -> None:
        for request in list(self._pending):
            self._fail(request, Cancelled("The source was closed."))

    def _wait(self, pending: _Pending) -> asyncio.Future[Parcel]:
        try:
            frame(pending.message)
        except WireError as error:
            raise Invalid("The question is too long.", "Ask for less at once.") from error
        self._pending[pending.message.request] = pending
        return pending.answer

    def _fail(self, request: int, error: TowerError) -> None:
        answer = self._pending.pop(request).answer
        if not answer.done():
            answer.set_exception(error)


def _generation(message: Ask | Operate) -> int:
    return message.generation if isinstance(message, Ask) else 0
