"""Decoding beside the event loop. numpy and pyarrow are imported here, at the first table and in a worker thread:
before the first paint nobody may wait for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtower.domain.runs import Experiment
from runtower.link import wire
from runtower.link.events import Base, Rows
from runtower.link.offloop import off_loop
from runtower.link.spool import Spool

if TYPE_CHECKING:
    from runtower.catalog.segment import Segment
    from runtower.link.decode import Found


async def rows(message: wire.Rows, spool: Spool) -> Rows:
    """Raises SpoolError, ValueError or msgspec.MsgspecError, as all of this page."""

    def work() -> Rows:
        from runtower.link import decode  # noqa: PLC0415 - the deferral of this page

        return decode.rows(message, spool)

    return await off_loop(work)


async def base(parcel: wire.Parcel, spool: Spool) -> tuple[Segment, tuple[Experiment, ...]]:
    def work() -> tuple[Segment, tuple[Experiment, ...]]:
        from runtower.link import decode  # noqa: PLC0415 - the deferral of this page

        return decode.base(parcel, spool)

    return await off_loop(work)


async def new_base(message: wire.Base, spool: Spool) -> Base:
    segment, _ = await base(message.table, spool)
    return Base(message.seq, message.base_id, segment)


async def answer(query: wire.Query, body: wire.Parcel, spool: Spool) -> Found:
    def work() -> Found:
        from runtower.link import decode  # noqa: PLC0415 - the deferral of this page

        return decode.answer(query, body, spool)

    return await off_loop(work)
