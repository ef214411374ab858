"""What `f` does: a query is typed, understood with each letter, completed, kept or cleared."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from textual import on
from textual.widgets import Input

from runtower.catalog.query.misread import Misread
from runtower.present.spans import Span
from runtower.screens.query_field import OFFERS, QueryField, offer_lines
from runtower.screens.table_keys import TableKeys
from runtower_widgets.line import Line, Lines

if TYPE_CHECKING:
    from runtower.acts.complete import Completer

_LEAD: Final = 3
_FOOT: Final[tuple[Span, ...]] = (
    (" ", ""),
    ("enter", "key"),
    (" keep   ", "dim"),
    ("esc", "key"),
    (" clear   ", "dim"),
    ("tab", "key"),
    (" take   ", "dim"),
    ("up down", "key"),
    (" choose", "dim"),
)


class QueryKeys(TableKeys):
    """While a query is typed its field has every key but enter, esc, tab and the arrows up and down."""

    _completer: asyncio.Future[Completer] | None = None

    @property
    def querying(self) -> bool:
        """Whether a query is being typed."""
        return self.query_one("#top").has_class("querying")

    async def do_find_query(self) -> None:
        assert self.face is not None
        self._completer = asyncio.ensure_future(self.face.completer())
        field = await self._query_field()
        self.query_one("#top").add_class("querying")
        self.query_one("#slash", Line).say([(" f ", "key")])
        with field.prevent(Input.Changed):
            field.value = self.desk.browser.where_text
        self.set_focus(field)
        field.cursor_position = len(field.value)
        self.draw_soon()
        await self._understand(field.value)

    async def _query_field(self) -> QueryField:
        """The field and its list, made when the first query is typed."""
        found = self.query("#where").results(QueryField)
        for field in found:
            return field
        field = QueryField(id="where")
        await self.query_one("#top").mount(field, after="#slash")
        await self.mount(Lines(id="offers", can_focus=False))
        return field

    @on(Input.Changed, "#where")
    async def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.querying:
            await self._understand(event.value)

    @on(QueryField.Moved)
    async def _moved(self, event: QueryField.Moved) -> None:
        event.stop()
        field = self.query_one("#where", QueryField)
        if not field.offers:
            await self._offer(field)
        self._show_offers(field)

    @on(Input.Submitted, "#where")
    async def _kept(self, event: Input.Submitted) -> None:
        event.stop()
        if self.querying and self._set(event.value, done=True):
            self._leave_query()
        else:
            self.draw_soon()

    async def clear_query(self) -> None:
        """Esc: no query any more."""
        self.desk.browser.set_where("")
        self._leave_query()
        await self._order()

    async def _understand(self, text: str) -> None:
        """Rows by what is typed where it makes sense; else they stay and the place of the error is marked."""
        changed = text.strip() != self.desk.browser.where_text
        understood = self._set(text, done=False)
        field = self.query_one("#where", QueryField)
        await self._offer(field)
        self._show_offers(field)
        if understood and changed:
            await self._order()
        else:
            self.draw_soon()

    def _set(self, text: str, done: bool) -> bool:
        """Whether the text was understood. What is wrong at its end may only be unfinished: not a word until `done`."""
        field = self.query_one("#where", QueryField)
        lead = len(text) - len(text.lstrip())
        try:
            self.desk.browser.set_where(text)
        except Misread as error:
            start, end = (place + lead for place in error.place)
            unfinished = not done and end >= len(text.rstrip()) and field.cursor_position == len(text)
            field.mark(*((0, 0) if unfinished else (start, end)))
            said = f"{error.what[0].upper()}{error.what[1:]}. {error.remedy}".strip()
            self.aside = ("", "") if unfinished else (said, "warning")
            return False
        field.mark(0, 0)
        self.aside = ("", "")
        return True

    async def _offer(self, field: QueryField) -> None:
        assert self._completer is not None
        completer = await self._completer
        field.offer(completer.completions(field.before, OFFERS))

    def _show_offers(self, field: QueryField) -> None:
        pane = self.query_one("#offers", Lines)
        begin, width, lines = offer_lines(field, self.size.width - _LEAD - 1, self.glyphs)
        pane.display = bool(lines)
        if lines:
            pane.styles.offset = (_LEAD + begin - 1, 2)
            pane.styles.width, pane.styles.height = width + 1, len(lines)
            pane.say(lines)
            pane.refresh()

    def _leave_query(self) -> None:
        self.aside = ("", "")
        self.query_one("#top").remove_class("querying")
        self.query_one("#offers", Lines).display = False
        self.set_focus(self.table)
        self.draw_soon()

    def _draw_keys(self) -> None:
        if self.query("#where") and self.querying:
            self.query_one("#keys", Line).say(_FOOT)
        else:
            super()._draw_keys()
