"""Tones: names for what text means, which the theme's variables turn into styles.

Not Textual's component classes: each of those is a node that the stylesheet matches again for every widget, which made
a third of the time to the first paint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

Span = tuple[str, str]


@dataclass(frozen=True)
class Tone:
    """How text of one meaning looks. `color` and `background` name variables of the theme."""

    color: str = ""
    background: str = ""
    bold: bool | None = None
    underline: bool | None = None


TONES: Final[Mapping[str, Tone]] = {
    "bright": Tone("tone-bright", bold=True),
    "dim": Tone("tone-dim"),
    "faint": Tone("tone-faint"),
    "title": Tone("tone-title", bold=True),
    "key": Tone("primary", bold=True),
    "rule": Tone("tone-faint"),
    "cursor": Tone(background="tone-cursor"),
    "cursor-away": Tone(background="tone-cursor-away"),
    "marked": Tone("accent", bold=True),
    "best": Tone("success", bold=True),
    "better": Tone("success"),
    "worse": Tone("error"),
    "warning": Tone("warning"),
    "error": Tone("error", bold=True),
    "hit": Tone("primary"),
    "state-running": Tone("primary"),
    "state-failed": Tone("error"),
    "state-killed": Tone("warning"),
    **{f"series-{n}": Tone(f"tone-series-{n}") for n in range(1, 9)},
    "active": Tone("tone-bright", bold=True, underline=True),
}


class Tones:
    """The styles of a widget's tones; '' is the widget's own style.

    Tones may be joined by spaces; a later one goes over an earlier one. An unknown one raises KeyError.
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
                found += self._of(TONES[name])
            self._styles[tone] = found
        return found

    def _of(self, tone: Tone) -> Style:
        variables = self._widget.app.theme_variables
        return Style(
            color=variables[tone.color] if tone.color else None,
            bgcolor=variables[tone.background] if tone.background else None,
            bold=tone.bold,
            underline=tone.underline,
        )

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
