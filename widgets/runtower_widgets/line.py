"""Lines of chrome and panes of lines: they redraw only what differs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from runtower_widgets.tones import Span, Tones

Spans = Sequence[Span]


class Line(Widget):
    """One line: `left` from the left edge, `right` at the right edge where there is room for it."""

    DEFAULT_CSS = "Line { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._left: Spans = ()
        self._right: Spans = ()
        self._tones = Tones(self)

    def say(self, left: Spans, right: Spans = ()) -> None:
        """Show this; nothing is sent to the terminal where it is what stands there."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        left = sum(cell_len(text) for text, _ in self._left)
        right = sum(cell_len(text) for text, _ in self._right)
        if not right:
            return self._tones.strip(self._left, width)
        gap = width - left - right
        if gap < 1:
            kept = self._tones.strip(self._left, max(0, width - right - 1))
            return Strip([*kept, *self._tones.strip([(" ", ""), *self._right], min(width, right + 1))])
        return self._tones.strip([*self._left, (" " * gap, ""), *self._right], width)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._tones.forget()


class Lines(Widget, can_focus=True):
    """A pane of lines that scrolls when there are more than fit."""

    DEFAULT_CSS = "Lines { height: 1fr; }"

    class Scrolled(Message):
        """Another part of the lines is shown."""

    def __init__(self, *, id: str | None = None, can_focus: bool = True) -> None:
        super().__init__(id=id)
        self.can_focus = can_focus
        self.top = 0
        self._lines: Sequence[Spans] = ()
        self._tones = Tones(self)

    def say(self, lines: Sequence[Spans], top: int | None = None) -> None:
        """Show these lines, from `top` on where given."""
        old, old_top = self._lines, self.top
        self._lines = lines
        self.top = self._clamped(self.top if top is None else top)
        if self.top != old_top:
            self.refresh()
            return
        height = self.size.height
        for y in range(height):
            at = self.top + y
            if (old[at] if at < len(old) else ()) != (lines[at] if at < len(lines) else ()):
                self.refresh(Region(0, y, self.size.width, 1))

    def move_by(self, lines: int) -> None:
        top = self._clamped(self.top + lines)
        if top != self.top:
            self.top = top
            self.refresh()
            self.post_message(self.Scrolled())

    def _clamped(self, top: int) -> int:
        return max(0, min(top, len(self._lines) - max(1, self.size.height)))

    @property
    def hidden_below(self) -> int:
        """How many lines stand below the last shown one."""
        return max(0, len(self._lines) - self.top - self.size.height)

    def render_line(self, y: int) -> Strip:
        at = self.top + y
        return self._tones.strip(self._lines[at] if at < len(self._lines) else (), self.size.width)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.move_by(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.move_by(-3)

    def on_resize(self, event: events.Resize) -> None:
        top = self._clamped(self.top)
        if top != self.top:
            self.top = top
            self.refresh()  # it was drawn at its new size before this came

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._tones.forget()
