"""The rows of the runs table as cells: what a line of the view says, in text and tones."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from typing import Final, Protocol

import numpy as np

from runtower.acts.browse import Browser
from runtower.acts.choose import goal_of
from runtower.acts.curves import Curves
from runtower.acts.formats import Formats
from runtower.acts.group_rows import GroupRows
from runtower.acts.layout import CURVE, Layout
from runtower.acts.silences import Silences
from runtower.catalog import sweeps
from runtower.catalog import view as views
from runtower.catalog.columns import NumberColumn, TextColumn
from runtower.catalog.grouping import Groups
from runtower.catalog.segment import Ints
from runtower.domain import runs
from runtower.domain.runs import ColumnKey
from runtower.domain.series import CoarseCurve
from runtower.present.glyphs import Glyphs
from runtower.present.numbers import exact
from runtower.present.spans import Line, inert, shortened
from runtower.present.sparkline import Scale, common_scale, sparkline
from runtower.present.states import children_within, doubtful, state
from runtower.present.times import ago, duration
from runtower.settings import MetricSettings

_DRAWN_KEPT: Final = 2000
GUTTER: Final = "gutter"


class Spot(Protocol):
    """A column as the widget shows it: its id, and how many cells it has."""

    @property
    def id(self) -> str: ...

    @property
    def width(self) -> int: ...


class RunRows:
    """Cells for the lines of a browser's view. `version` is raised by whoever changed something that rows show.

    `metric` is the one of the curve. Orders and news that leave a line as it is leave `version` too.
    """

    def __init__(
        self,
        browser: Browser,
        curves: Curves,
        glyphs: Glyphs,
        metrics: Mapping[str, MetricSettings],
        silences: Silences,
    ) -> None:
        self.version = 0
        self.layout = Layout(())
        self.metric: ColumnKey | None = None
        self.own_scale = False
        self.narrow = False
        self.now_ms = time.time() * 1000
        self._browser = browser
        self._curves = curves
        self._glyphs = glyphs
        self._settings = metrics
        self._silences = silences
        self._told: set[int] = set()  # the runs of whose lines cells were made at this version
        self._keys: dict[str, ColumnKey] = {}
        self._grouped: Groups | None = None
        self._scale: Scale | None = None
        self._drawn: dict[tuple[int, int], tuple[CoarseCurve, Scale | None, str]] = {}
        self.formats = Formats(browser, metrics)
        self.groups = GroupRows(browser, glyphs, metrics, self.formats.of)

    def __len__(self) -> int:
        return len(self._browser.view)

    def changed(self) -> None:
        """Something that rows show is another now."""
        self.version += 1
        self._told.clear()

    def ordered(self) -> None:
        """The lines were ordered anew; one that only stands elsewhere now isn't made again."""
        view = self._browser.view
        keys = [*self.layout.shown, *([self.metric] if self.metric is not None else [])]
        if self.formats.settle(keys) or self._grouped is not view.groups:
            self.changed()
        self._grouped = view.groups

    def heard(self, rows: Ints) -> None:
        """News of these runs (global rows): lines change where one of them, or a child of one, is told."""
        tree = self._browser.tree
        if self._browser.view.groups is not None:
            self.changed()
        elif self._told:
            told = np.fromiter(self._told, np.int32, len(self._told))
            near = np.isin(rows, told).any()
            if not near and tree is not None and tree.nested:
                near = np.isin(tree.parent[rows[rows < len(tree.parent)]], told).any()
            if near:
                self.changed()

    def rescale(self, on_screen: Sequence[int]) -> None:
        """One scale over the curves of the runs on the screen."""
        metric, scale = self.metric, None
        if metric is not None and not self.own_scale:
            known = [self._curves.get(row, metric) for row in on_screen]
            scale = common_scale(curve for curve in known if curve is not None)
        if scale != self._scale:
            self._scale = scale
            self.changed()

    # -- cells

    def line_id(self, index: int) -> Hashable:
        """A run or a group, how it stands in the tree, and of a parent how many children it has."""
        view, tree = self._browser.view, self._browser.tree
        row, flags = int(view.refs[index]), int(view.flags[index])
        below = len(tree.children(row)) if flags & views.PARENT and tree is not None else 0
        return int(view.kinds[index]), row, int(view.depth[index]), flags, below

    def cells(self, index: int, columns: Sequence[Spot], cursor: bool) -> Sequence[Line]:
        """What one line of the view says in each of the columns."""
        view = self._browser.view
        row, depth, flags = int(view.refs[index]), int(view.depth[index]), int(view.flags[index])
        if view.kinds[index] == views.GROUP:
            return [self._group_cell(column, row, flags, cursor) for column in columns]
        self._told.add(row)
        dim = bool(flags & views.DIM)
        out: list[Line] = []
        for column in columns:
            if column.id == GUTTER:
                out.append(self._gutter(row, cursor))
                continue
            line = self._cell(self.key_of(column.id), row, depth, flags, column.width)
            out.append(tuple((text, "dim") for text, _ in line) if dim else line)
        return out

    def _group_cell(self, column: Spot, number: int, flags: int, cursor: bool) -> Line:
        if column.id == GUTTER:
            return self.groups.gutter(number, cursor)
        return self.groups.cell(self.key_of(column.id), number, flags, column.width, self.metric, self.now_ms)

    def key_of(self, column_id: str) -> ColumnKey:
        """The key behind a column's id on the screen, which may still be one of the layout before this one."""
        key = self._keys.get(column_id)
        if key is None:
            key = self._keys[column_id] = ColumnKey.of(column_id)
        return key

    def _gutter(self, row: int, here: bool) -> Line:
        glyphs, browser = self._glyphs, self._browser
        cursor = glyphs.cursor if here else " "
        mark = glyphs.marked if row in browser.marks else " "
        place = glyphs.baseline if row == browser.baseline else (glyphs.pinned if row in browser.pins else " ")
        return ((cursor, "bright"), (mark, "marked"), (place, "best"))

    def _cell(self, key: ColumnKey, row: int, depth: int, flags: int, width: int) -> Line:
        if key == runs.NAME:
            return self._name(row, depth, flags, width)
        if key == runs.STATUS:
            return self._state(row, flags, width)
        if key == CURVE:
            return self._curve(row, width)
        catalogue = self._browser.catalogue
        if key == runs.DURATION:
            return self._duration(row)
        if key in runs.TIME_ATTRIBUTES:
            then = catalogue.numbers(key).number(row)
            return ((ago(then, self.now_ms) if then is not None else "", "dim" if width < 9 else ""),)
        column = catalogue.column(key)
        if isinstance(column, NumberColumn):
            return self._number(key, column, row, flags, width)
        return self._text(key, column, row, width)

    def _name(self, row: int, depth: int, flags: int, width: int) -> Line:
        glyphs = self._glyphs
        catalogue = self._browser.catalogue
        name = catalogue.texts(runs.NAME).text(row)
        shown = inert(name, glyphs) if name else f"({catalogue.run_key(row).run_id[:8]})"
        lead = ""
        if depth:
            lead = " " * min(depth * 2 - 1, max(0, width // 2 - 3))
            lead += (glyphs.corner if flags & views.LAST else glyphs.branch) + " "
        if flags & views.FOLDED:
            lead += glyphs.folded + " "
        tone = "marked" if row in self._browser.marks else "bright"
        return ((lead, "dim"), (shortened(shown, width - len(lead), glyphs), tone if name else "dim"))

    def _state(self, row: int, flags: int, width: int) -> Line:
        browser = self._browser
        statuses = browser.catalogue.texts(runs.STATUS)
        if flags & views.PARENT and browser.tree is not None:
            counts = sweeps.child_states(browser.tree, statuses, row)
            line = children_within(counts, self._glyphs, width)
            if line is not None:
                return line
        doubt = self._silences.of(row, self.metric)
        if doubt is not None:
            return (doubtful(doubt, self._glyphs, width),)
        source_status = browser.catalogue.texts(runs.SOURCE_STATUS).text(row)
        return (state(statuses.text(row), source_status, self._glyphs, narrow=self.narrow and width < 6),)

    def _duration(self, row: int) -> Line:
        catalogue = self._browser.catalogue
        took = catalogue.numbers(runs.DURATION).number(row)
        if took is None:
            start = catalogue.numbers(runs.START_TIME).number(row)
            if start is None or catalogue.texts(runs.STATUS).text(row) != "RUNNING":
                return (("", ""),)
            took = max(0.0, self.now_ms - start)
        return ((duration(took), ""),)

    def _number(self, key: ColumnKey, column: NumberColumn, row: int, flags: int, width: int) -> Line:
        value = column.number(row)
        number_format = self.formats.of(key, column)
        if flags & views.PARENT and value is None and self._browser.tree is not None:
            best = sweeps.best_child(self._browser.tree, column, row, goal_of(key, self._settings) == "max")
            return (
                (("best " if width > 11 else "") + number_format.text(best), "dim") if best is not None else ("", ""),
            )
        if value is None:
            return (("", ""),)
        text = number_format.text(value)
        if len(text) > width:
            text = f"{value:.{max(0, width - 7)}e}"
        tone = "best" if self.formats.best(key, column) == value else ("bright" if key == self.metric else "")
        return ((text, "state-failed" if value != value else tone),)

    def _text(self, key: ColumnKey, column: TextColumn, row: int, width: int) -> Line:
        text = column.text(row)
        if text is None:
            return (("", ""),)
        if key == runs.GIT_COMMIT:
            return ((inert(text[:8], self._glyphs), "dim"),)
        number = column.number(row)
        if number is not None and len(text) > width:
            text = exact(number)
        tone = "dim" if key in (runs.USER, runs.EXPERIMENT, runs.SOURCE, runs.RUN_ID) else ""
        return ((shortened(inert(text, self._glyphs), width, self._glyphs), tone),)

    def _curve(self, row: int, width: int) -> Line:
        if self.metric is None:
            return (("", ""),)
        curve: CoarseCurve | None = self._curves.get(row, self.metric)
        if curve is None:
            return (("" if self._curves.has(row, self.metric) else self._glyphs.control, "faint"),)
        running = self._browser.catalogue.texts(runs.STATUS).text(row) == "RUNNING"
        drawn = self._drawn.get((row, width))
        if drawn is None or drawn[0] is not curve or drawn[1] != self._scale:
            if len(self._drawn) > _DRAWN_KEPT:
                self._drawn.clear()
            drawn = curve, self._scale, sparkline(curve, width, self._scale, self._glyphs)
            self._drawn[row, width] = drawn
        return ((drawn[2], "state-running" if running else ""),)
