"""What came from the source's process and the caller hasn't taken yet, made into events one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final

import msgspec

from runtower.domain.targets import Identity
from runtower.link import reading, wire
from runtower.link.events import Base, Event, Health, Opened
from runtower.link.spool import Spool, SpoolError

if TYPE_CHECKING:
    from runtower.catalog.segment import Segment

_ENOUGH: Final = 256

Message = wire.Opened | wire.Rows | wire.Base | Health


class Inbox:
    """A queue in the order of arrival. Decoding waits for the caller, and the caller for nothing else.

    `hold_back(True)` is called when so much waits that the source should rest, `lost` when rows can't be read.
    """

    def __init__(self, hold_back: Callable[[bool], None], lost: Callable[[str], None]) -> None:
        self._hold_back = hold_back
        self._lost = lost
        self._queue: deque[Message] = deque()
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._taken = False
        self._full = False
        self._closed = False
        self.base_id: str | None = None
        self.source_key: str | None = None

    def put(self, message: Message) -> None:
        self._queue.append(message)
        self._idle.clear()
        self._arrived.set()
        self._weigh()

    def wake(self) -> None:
        """Let the caller look whether something is wrong."""
        self._arrived.set()

    def close(self) -> None:
        """No more will come; the caller's loop ends after what is there."""
        self._closed = True
        self._arrived.set()

    async def settled(self) -> None:
        """Until the caller has applied everything; what nobody asked for is dropped."""
        if self._taken:
            await self._idle.wait()
        else:
            self._queue.clear()

    async def events(self, spool: Callable[[], Spool], check: Callable[[], None]) -> AsyncIterator[Event]:
        self._taken = True
        try:
            while True:
                while self._queue:
                    message = self._queue.popleft()
                    self._weigh()
                    event = await self._event(message, spool)
                    if event is not None:
                        yield event
                if self._closed:
                    return
                self._idle.set()
                self._arrived.clear()
                await self._arrived.wait()
                check()
        finally:
            self._taken = False
            self._idle.set()

    def _weigh(self) -> None:
        full = len(self._queue) > (_ENOUGH // 4 if self._full else _ENOUGH)
        if full != self._full:
            self._full = full
            self._hold_back(full)

    async def _event(self, message: Message, spool: Callable[[], Spool]) -> Event | None:
        try:
            match message:
                case Health():
                    return message
                case wire.Opened():
                    return await self._opened(message, spool())
                case wire.Rows():
                    return await reading.rows(message, spool())
                case wire.Base():
                    return await self._base(message, spool())
        except (SpoolError, ValueError, msgspec.MsgspecError) as error:
            # What a lost base would have replaced is still there and says the same; lost rows have to come again.
            if not self._closed and not isinstance(message, wire.Base):
                self._lost(str(error))
            return None

    async def _base(self, message: wire.Base, spool: Spool) -> Base:
        event = await reading.new_base(message, spool)
        self.base_id = event.base_id
        return event

    async def _opened(self, message: wire.Opened, spool: Spool) -> Opened:
        again = self.source_key is not None
        anew = not message.agreed and (again or message.base_id != self.base_id)
        base: Segment | None = None
        experiments = None
        if anew and message.base is not None:
            base, experiments = await reading.base(message.base, spool)
        else:
            spool.drop(message.base)
        reset = anew and (again or self.base_id is not None)
        self.source_key = message.key
        if not message.agreed:
            self.base_id = message.base_id
        identity = Identity(message.key, message.address, message.how)
        return Opened(identity, message.base_id, base, experiments, reset, message.edits)
