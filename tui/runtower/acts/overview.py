"""What the overview of an opened run says beyond the pane: its children, and the data it was given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from runtower.acts.face import Face
from runtower.domain import runs
from runtower.domain.datasets import Dataset
from runtower.domain.errors import TowerError
from runtower.link.wire import Inputs
from runtower.present.glyphs import Glyphs
from runtower.present.numbers import exact
from runtower.present.spans import Line, inert, padded, shortened
from runtower.present.states import state

_CHILDREN: Final = 20
_NAME: Final = 40


class Overview:
    """Of one run, a global row. `arrived` is called on the loop once the data is known."""

    def __init__(self, face: Face, row: int, glyphs: Glyphs, arrived: Callable[[], None]) -> None:
        self._face = face
        self._row = row
        self._glyphs = glyphs
        self._arrived = arrived
        self._data: Sequence[Dataset] = ()
        self._asking: asyncio.Task[None] | None = None

    def ask(self) -> None:
        """Ask for the data, once."""
        if self._asking is None:
            self._asking = asyncio.ensure_future(self._ask())

    def close(self) -> None:
        """Nobody waits any more."""
        if self._asking is not None:
            self._asking.cancel()

    def lines(self, width: int) -> list[Line]:
        """What is known by now."""
        return [*self._headed("children", self._children(width)), *self._headed("data", self._given(width))]

    async def _ask(self) -> None:
        tower = self._face.desk.tower
        link = tower.links[int(tower.catalogue.source_numbers()[self._row])]
        try:
            self._data = await link.ask(Inputs(tower.catalogue.run_key(self._row).run_id))
        except TowerError:
            return  # a source that records none, or doesn't answer now: the line over the table says that
        self._arrived()

    def _children(self, width: int) -> list[Line]:
        """`lr=0.001  ▶ run  0.2207`, at most 20 of them."""
        desk = self._face.desk
        catalogue, metric = desk.tower.catalogue, desk.rows.metric
        below = desk.browser.below(self._row)
        room = max(12, min(_NAME, width // 2))
        lines: list[Line] = []
        for row in below[:_CHILDREN]:
            value = catalogue.numbers(metric).number(row) if metric is not None else None
            name = shortened(inert(self._face.name_of(row), self._glyphs), room, self._glyphs)
            status, source_status = (catalogue.texts(key).text(row) for key in (runs.STATUS, runs.SOURCE_STATUS))
            said, tone = state(status, source_status, self._glyphs)
            shown = "" if value is None else f"  {exact(value)}"
            lines.append(((padded(name, room) + "  ", ""), (padded(said, 9), tone), (shown, "bright")))
        if len(below) > _CHILDREN:
            lines.append(((f"and {len(below) - _CHILDREN} more", "dim"),))
        return lines

    def _given(self, width: int) -> list[Line]:
        """`coco  training  3f2a  s3 {...}`."""
        lines: list[Line] = []
        for one in self._data:
            told = "  ".join(part for part in (one.context, one.digest) if part)
            name, told = inert(one.name, self._glyphs), inert(told, self._glyphs)
            left = max(8, width - len(name) - len(told) - 6)
            where = shortened(inert(f"{one.source_type} {one.source}", self._glyphs), left, self._glyphs)
            lines.append(((name + "  ", ""), (told + "  ", "bright"), (where, "dim")))
        return lines

    @staticmethod
    def _headed(head: str, lines: Sequence[Line]) -> list[Line]:
        return [(), ((head, "title"),), *lines] if lines else []
