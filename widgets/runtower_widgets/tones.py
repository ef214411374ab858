"""Tones: names for what text means, which a theme's CSS turns into styles."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

Span = tuple[str, str]


class Tones:
    """The styles of a widget's tones: component class `tone--NAME`; '' is the widget's own style.

    Tones may be joined by spaces; a later one goes over an earlier one.
    """

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._styles: dict[str, Style] = {}

    def forget(self) -> None:
        """The theme changed."""
        self._styles.clear()

    def style(self, tone: str) -> Style:
        found = self._styles.get(tone)
        if found is None:
            found = self._widget.rich_style
            for name in tone.split():
                found += self._widget.get_component_rich_style(f"tone--{name}", partial=True)
            self._styles[tone] = found
        return found

    def strip(self, spans: Iterable[Span], width: int, ground: str = "") -> Strip:
        """A line of exactly `width` cells; `ground` is a tone beneath all of it."""
        segments: list[Segment] = []
        used = 0
        for text, tone in spans:
            length = len(text) if text.isascii() else cell_len(text)
            if used + length > width:
                text = set_cell_size(text, width - used)
                length = width - used
            if length > 0:
                segments.append(Segment(text, self.style(f"{ground} {tone}" if ground else tone)))
                used += length
            if used >= width:
                break
        if used < width:
            segments.append(Segment(" " * (width - used), self.style(ground)))
        return Strip(segments, width)


TONE_CLASSES = {
    f"tone--{name}"
    for name in (
        "bright",
        "dim",
        "faint",
        "title",
        "key",
        "rule",
        "cursor",
        "cursor-away",
        "marked",
        "best",
        "better",
        "worse",
        "warning",
        "error",
        "hit",
        "state-running",
        "state-failed",
        "state-killed",
        "active",
    )
}
