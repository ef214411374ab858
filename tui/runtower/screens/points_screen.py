"""Runs as points: a scatter plot of two columns, or a histogram of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from textual.app import ComposeResult

from runtower.acts.charts import widened
from runtower.acts.face import Face
from runtower.acts.points import Axis, Points, axis_of, first_axes, histogram, points_of, rows_of
from runtower.domain.runs import ColumnKey
from runtower.keymap import Keymap
from runtower.present import axes
from runtower.present.glyphs import ASCII, Glyphs
from runtower.present.spans import Line as Spans
from runtower.present.spans import inert, shortened
from runtower.screens.menu import Choice, Menu
from runtower.screens.over import OverScreen
from runtower.screens.run_lines import footer
from runtower_widgets.line import Line, Lines
from runtower_widgets.pictures import Ruled, bars, scatter

_CRUMBS: Final = 12
_ROOM: Final = 0.04
_TONE: Final = "series-1"
_FOOTER: Final = ("points.x", "points.y", "points.scale_x", "points.scale", "points.form", "app.back", "app.help")


class PointsScreen(OverScreen):
    """One method an action: `do_` + its id."""

    place = "points"

    def __init__(self, keymap: Keymap, glyphs: Glyphs, face: Face) -> None:
        super().__init__(keymap, glyphs, face)
        table, browser = face.desk.rows, face.desk.browser
        self.rows = rows_of(browser)
        self.x, self.y = first_axes(browser, table.metric, table.layout.columns[table.layout.active].key)
        self.log_x, self.log_y, self.counts = self._is_wide(self.x), self._is_wide(self.y), False
        self._drawn: object = None

    def compose(self) -> ComposeResult:
        yield Line(id="crumbs")
        yield Lines(id="page")
        yield Line(id="keys")

    def draw(self) -> None:
        super().draw()
        if not self.is_there:
            return
        catalogue, pane = self.face.desk.tower.catalogue, self.query_one("#page", Lines)
        asked = (catalogue.version, self.x, self.y, self.log_x, self.log_y, self.counts, pane.size)
        if asked == self._drawn:
            return  # news of a source's health: plotext would draw the same for 100 ms and more
        self._drawn = asked
        found = points_of(
            self._scaled(axis_of(catalogue, self.x, self.rows), self.log_x),
            self._scaled(axis_of(catalogue, self.y, self.rows), self.log_y),
        )
        lines = (self._histogram if self.counts else self._scatter)(found, *pane.size)
        self.query_one("#crumbs", Line).say(*self._crumbs(found))
        pane.say([tuple(line) for line in lines], 0)
        self.query_one("#keys", Line).say(footer(self.keymap, self.why_not, self.size.width, _FOOTER))

    def _scaled(self, axis: Axis, log: bool) -> Axis:
        """On a logarithmic axis places are powers of ten, and what isn't above 0 has none."""
        if not log or axis.words:
            return axis
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.log10(np.where(axis.values > 0, axis.values, np.nan))
        return Axis(axis.key, values)

    def _scatter(self, found: Points, width: int, height: int) -> Sequence[Sequence[tuple[str, str]]]:
        if not found.there.any():
            return [(), ((f"  None of the {len(self.rows)} runs has both {self.x.key} and {self.y.key}.", "dim"),)]
        x, y = found.x.values[found.there], found.y.values[found.there]
        x_range, y_range = _range(x, found.x.words), _range(y, found.y.words)
        ruled = Ruled(
            x_range,
            y_range,
            self._marks(found.x, x_range, max(2, width // 16), self.log_x),
            self._marks(found.y, y_range, max(3, height // 3), self.log_y),
            self.glyphs is ASCII,
        )
        return scatter(x, y, ruled, width, height, _TONE)

    def _histogram(self, found: Points, width: int, height: int) -> Sequence[Sequence[tuple[str, str]]]:
        axis = found.y
        values = axis.values[~np.isnan(axis.values)]
        if not len(values):
            return [(), ((f"  None of the {len(self.rows)} runs has {self.y.key}.", "dim"),)]
        if axis.words:
            edges = np.arange(len(axis.words) + 1) - 0.5
            counts = np.bincount(values.astype(np.intp), minlength=len(axis.words))
        else:
            counts, edges = histogram(values, max(4, width // 4))
        limits = (float(edges[0]), float(edges[-1]))
        top = (0.0, float(counts.max()) * (1 + _ROOM))
        ruled = Ruled(
            limits,
            top,
            self._marks(axis, limits, max(2, width // 16), self.log_y),
            axes.marks(*top, max(3, height // 3), 8),
            self.glyphs is ASCII,
        )
        return bars(counts.tolist(), edges.tolist(), ruled, width, height, _TONE)

    def _marks(self, axis: Axis, limits: tuple[float, float], most: int, log: bool) -> list[tuple[float, str]]:
        if axis.words:
            return [
                (float(n), shortened(inert(word, self.glyphs), 14, self.glyphs)) for n, word in enumerate(axis.words)
            ]
        if log:
            low, high = (10.0**end for end in limits)
            return [(float(np.log10(value)), label) for value, label in axes.marks(low, high, most, 8, log=True)]
        return axes.marks(*limits, most, 8)

    def _crumbs(self, found: Points) -> tuple[Spans, Spans]:
        names = [inert(key.key, self.glyphs) for key in (self.x, self.y)]
        what = names[1] if self.counts else f"{names[1]} over {names[0]}"
        used = ~np.isnan(found.y.values) if self.counts else found.there
        out = len(self.rows) - int(used.sum())
        left: list[tuple[str, str]] = [(" runs ", "title"), (f"{self.glyphs.within} ", "dim")]
        said = [f"{int(used.sum()):,} runs", *([f"{out:,} without a value"] if out else [])]
        together = None if self.counts else found.correlation()
        if together is not None:
            said.append(f"rank correlation {together:.2f}")
        while len(said) > 1 and len(what) + len(", ".join(said)) > self.size.width - _CRUMBS:
            said.pop()
        right = ", ".join(said) + " "
        left.append((shortened(what, max(8, self.size.width - _CRUMBS - len(right)), self.glyphs), "bright"))
        return tuple(left), ((right, "dim"),)

    # -- keys

    def why_not(self, action_id: str) -> str:
        if self.counts and action_id in ("points.x", "points.scale_x"):
            return "a histogram has one column (tab: the other picture)"
        return ""

    def do_points_x(self) -> None:
        self._choose("x", self.x, self._chose_x)

    def do_points_y(self) -> None:
        self._choose("y", self.y, self._chose_y)

    def _choose(self, title: str, now: ColumnKey, chosen: Callable[[list[str] | None], None]) -> None:
        offers = [Choice(one.value, one.text, "", one.detail) for one in self.face.column_offers()[0]]
        start = next((n for n, one in enumerate(offers) if one.value == now.value), 0)
        self.app.push_screen(Menu(title, offers, start=start), chosen)

    def _chose_x(self, values: list[str] | None) -> None:
        if values:
            self.x = ColumnKey.of(values[0])
            self.log_x = self._is_wide(self.x)
            self.draw()

    def _chose_y(self, values: list[str] | None) -> None:
        if values:
            self.y = ColumnKey.of(values[0])
            self.log_y = self._is_wide(self.y)
            self.draw()

    def _is_wide(self, key: ColumnKey) -> bool:
        return axis_of(self.face.desk.tower.catalogue, key, self.rows).is_wide

    def do_points_scale(self) -> None:
        self.log_y = not self.log_y
        self.draw()

    def do_points_scale_x(self) -> None:
        self.log_x = not self.log_x
        self.draw()

    def do_points_form(self) -> None:
        self.counts = not self.counts
        self.draw()

    def do_app_back(self) -> None:
        self.dismiss()


def _range(values: np.ndarray[tuple[int], np.dtype[np.float64]], words: Sequence[str]) -> tuple[float, float]:
    """All of the values with a little room, or a place for each word."""
    if words:
        return -0.5, len(words) - 0.5
    low, high = widened(float(values.min()), float(values.max()))
    room = (high - low) * _ROOM
    return low - room, high + room
