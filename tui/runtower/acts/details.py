"""What the pane beside the rows says of one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runtower.acts.browse import Browser
from runtower.acts.choose import metrics_in_order
from runtower.acts.curves import Curves
from runtower.catalog.segment import RunCell
from runtower.domain import runs
from runtower.domain.progress import progress_of
from runtower.domain.runs import ColumnKey, Kind, Status
from runtower.domain.silence import MINUTE_MS, Lost, Silence
from runtower.domain.values import is_missing
from runtower.present.glyphs import Glyphs
from runtower.present.numbers import exact
from runtower.present.spans import Line, inert, padded, shortened, shortened_end, side_by_side, wrapped
from runtower.present.sparkline import sparkline
from runtower.present.states import in_words
from runtower.present.times import ago, clock, duration, short

CURVES_SHOWN: Final = 12
_INNER_TAGS: Final = ("mlflow.",)


@dataclass(frozen=True)
class RunDetails:
    """One run's values by family, in the order in which they are shown; `error`: what of it could not be read, `doubt`:
    that it isn't heard of, `watched`: that one is told of it by hand, `lives`: in what it runs on this machine."""

    row: int
    name: str
    attributes: dict[str, RunCell]
    metrics: list[RunCell]
    params: list[RunCell]
    tags: list[RunCell]
    error: str = ""
    doubt: Silence | Lost | None = None
    watched: bool = False
    lives: str = ""

    def curve_keys(self) -> list[ColumnKey]:
        """The metrics whose curves the pane shows."""
        return [cell.key for cell in self.metrics[:CURVES_SHOWN]]


def read(
    browser: Browser,
    row: int,
    metric: ColumnKey | None,
    order: MetricOrder,
    error: str = "",
    doubt: Silence | Lost | None = None,
) -> RunDetails:
    """Everything that is known of a run; one pass over the catalogue's pieces."""
    cells = [c for c in browser.catalogue.cells(row) if c.text is not None or not is_missing(c.number)]
    attributes = {cell.key.key: cell for cell in cells if cell.key.kind is Kind.ATTRIBUTE}
    metrics = sorted((c for c in cells if c.key.kind is Kind.METRIC), key=lambda c: (c.key != metric, c.key.key))
    if len(metrics) <= 200:
        metrics.sort(key=lambda c: (c.key != metric, *order.get(c.key), c.key.key))
    params = sorted((c for c in cells if c.key.kind is Kind.PARAM), key=lambda c: c.key.key)
    tags = sorted(
        (c for c in cells if c.key.kind is Kind.TAG), key=lambda c: (c.key.key.startswith(_INNER_TAGS), c.key.key)
    )
    name_cell = attributes.get("name")
    name = name_cell.text if name_cell and name_cell.text else browser.catalogue.run_key(row).run_id[:8]
    return RunDetails(row, name, attributes, metrics, params, tags, error, doubt)


class MetricOrder:
    """The most telling metrics first; worked out once for each ordering of the rows."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._ordered = -1
        self._places: dict[ColumnKey, int] = {}

    def get(self, key: ColumnKey) -> tuple[int]:
        if self._ordered != self._browser.ordered:
            self._ordered = self._browser.ordered
            known = metrics_in_order(self._browser.catalogue, self._browser.view.hit_rows[:400])
            self._places = {one: place for place, one in enumerate(known)}
        return (self._places.get(key, len(self._places)),)


class DetailLines:
    """Turns a run's values into the pane's lines."""

    def __init__(self, browser: Browser, curves: Curves, glyphs: Glyphs) -> None:
        self._browser = browser
        self._curves = curves
        self._glyphs = glyphs

    def all(
        self, details: RunDetails, base: RunDetails | None, width: int, now_ms: float, only_differences: bool
    ) -> list[Line]:
        """A column of everything: summary, what differs from the baseline, metrics, params, tags, origin."""
        lines = [self.summary(details, now_ms), *self.lives(details, width), *self.error(details, width, 6)]
        if base is not None and base.row != details.row:
            lines += self._headed(f"differs from the baseline {base.name}", self.differences(base, details, width))
        if not (only_differences and base is not None):
            lines += self._headed("metrics", self.metrics(details, width))
            lines += self._headed("params", [self._pair(c.key.key, _shown(c), width) for c in details.params])
            lines += self._headed("tags", [self._pair(c.key.key, _shown(c), width) for c in details.tags])
        lines += self._headed("origin", self.origin(details, width))
        return lines

    def beside(
        self, details: RunDetails, base: RunDetails | None, width: int, height: int, now_ms: float
    ) -> list[Line]:
        """Two columns that fit a low pane: metrics at the left, what differs or the params at the right."""
        left_width = width // 2 - 1
        right_width = width - left_width - 4  # with the space before each line
        left = [self.summary(details, now_ms), *self.lives(details, left_width), *self.error(details, left_width, 2)]
        left += self.metrics(details, left_width)
        if base is not None and base.row != details.row:
            right = self.differences(base, details, right_width)
        else:
            right = [self._pair(c.key.key, _shown(c), right_width) for c in details.params]
            right += self.origin(details, right_width)
        return side_by_side(left, right, left_width, self._glyphs)

    def one_line(self, details: RunDetails, base: RunDetails | None, width: int, now_ms: float) -> list[Line]:
        """Two lines for a small terminal."""
        first: Line = tuple(
            (shortened_end(text, width, self._glyphs), tone) for text, tone in self.summary(details, now_ms, True)
        )
        if details.error:
            return [first, *self.error(details, width, 1)]
        if base is not None and base.row != details.row:
            different = self.differences(base, details, width)
            more: Line = different[0] if different else ()
            if len(different) > 2:
                more = (*more, (f"  +{len(different) - 2} more", "dim"))
            return [first, more]
        values = "  ".join(f"{c.key.key} {_shown(c)}" for c in details.params)
        return [first, ((shortened_end(inert(values, self._glyphs), width, self._glyphs), ""),)]

    def lives(self, details: RunDetails, width: int) -> list[Line]:
        """What a running run is on: `gpu 1, pid 4711, job j12`; no line where nothing is known."""
        text = shortened_end(inert(details.lives, self._glyphs), width, self._glyphs)
        return [((text, ""),)] if text else []

    def summary(self, details: RunDetails, now_ms: float, lives: bool = False) -> Line:
        """One line: state, time, user, commit; with `lives` what it is on too."""
        parts: list[str] = []
        start, end = self._time(details, runs.START_TIME), self._time(details, runs.END_TIME)
        status = self._text(details, runs.STATUS) or ""
        if start is not None:
            took = (end if end is not None else now_ms) - start
            said = "so far" if end is None and status == "RUNNING" else ""
            if end is not None or said:
                parts.append(f"{status.lower()} {duration(took)} {said}".strip())
            else:
                parts.append(self._text(details, runs.SOURCE_STATUS) or status.lower())
            parts.append(
                f"started {clock(start, now_ms)}" if abs(now_ms - start) < 2 * 86_400_000 else ago(start, now_ms)
            )
        else:
            parts.append(status.lower())
        if details.doubt is not None:
            parts.insert(1, in_words(details.doubt))
        elif status == Status.RUNNING and start is not None:
            parts[1:1] = self._progress(details, start, now_ms)
        if lives:
            parts.append(inert(details.lives, self._glyphs))
        user = self._text(details, runs.USER)
        if user:
            parts.append(inert(user, self._glyphs))
        if self._text(details, runs.LIFECYCLE) == "deleted":
            parts.append("deleted")
        if details.watched:
            parts.append("watched")
        return ((", ".join(part for part in parts if part), "dim"),)

    def _progress(self, details: RunDetails, start: float, now_ms: float) -> list[str]:
        """`epoch 34 of 60`, `about 6m left`; nothing where the run doesn't say how far it goes."""
        curve = self._curves.get(details.row, details.metrics[0].key) if details.metrics else None
        params = {cell.key.key: _shown(cell) for cell in details.params}
        metrics = {cell.key.key: cell.number for cell in details.metrics}
        found = progress_of(params, metrics, curve.last_step if curve is not None else None)
        if found is None:
            return []
        logged = self._time(details, runs.LAST_LOGGED) or now_ms
        left = found.left_ms(logged - start)
        said = [f"{found.unit} {exact(found.done)} of {exact(found.total)}"]
        # It went on since it was last heard of.
        left = None if left is None else left - (now_ms - logged)
        if left is None:
            return said
        return [*said, f"about {short(left)} left" if left >= MINUTE_MS else "less than a minute left"]

    def error(self, details: RunDetails, width: int, most: int) -> list[Line]:
        """What of the run could not be read, in at most so many lines; none where all is well."""
        if not details.error:
            return []
        room = (width - 1) * most - 12 * (most - 1)  # what wrapping leaves free at the ends of lines
        text = shortened_end(inert(details.error, self._glyphs), room, self._glyphs)
        return wrapped(((text, "warning"),), width)[:most]

    def metrics(self, details: RunDetails, width: int) -> list[Line]:
        """`val_loss  0.2207  min 0.2207  max 0.9  ▇▆▄▃`; the last value, then the extremes of the whole history."""
        if not details.metrics:
            return [(("no metrics logged", "dim"),)]
        label = min(24, max(len(c.key.key) for c in details.metrics[:CURVES_SHOWN]) + 1, width // 3)
        lines: list[Line] = []
        for cell in details.metrics:
            name = padded(shortened(inert(cell.key.key, self._glyphs), label, self._glyphs), label)
            spans: list[tuple[str, str]] = [(name, ""), (f" {exact(cell.number):>10}", "bright")]
            curve = self._curves.get(details.row, cell.key)
            if curve is not None and curve.points > 1:
                lows = [v for v in curve.low.tolist() if v == v]
                highs = [v for v in curve.high.tolist() if v == v]
                room = width - label - 12
                if lows and room >= 44:
                    about = "~" if curve.sampled else ""
                    low, high = f"{about}{min(lows):.5g}", f"{about}{max(highs):.5g}"
                    spans.append((f"  min {low:<9} max {high:<9}", "dim"))
                    room -= 29
                if room > 4:
                    spans.append(("  " + sparkline(curve, min(24, room - 2), None, self._glyphs), ""))
            lines.append(tuple(spans))
        return lines

    def differences(self, base: RunDetails, details: RunDetails, width: int) -> list[Line]:
        """`optim.lr  0.0003 → 0.001` for each param that differs, and how many are equal."""
        old = {cell.key.key: _shown(cell) for cell in base.params}
        new = {cell.key.key: _shown(cell) for cell in details.params}
        lines: list[Line] = []
        equal = 0
        for key in sorted(old.keys() | new.keys()):
            before, after = old.get(key), new.get(key)
            if before == after:
                equal += 1
                continue
            label = min(22, width // 2)
            name = padded(shortened(inert(key, self._glyphs), label, self._glyphs), label)
            room = max(4, (width - label - 4) // 2)
            lines.append(
                (
                    (name, ""),
                    (" " + self._value(before, room), "dim"),
                    (f" {self._glyphs.arrow} ", "dim"),
                    (self._value(after, room), "bright"),
                )
            )
        lines.append(((f"{equal} equal", "dim"),))
        return lines

    def origin(self, details: RunDetails, width: int) -> list[Line]:
        """Where a run came from: script, commit, parent, ids."""
        key = self._browser.catalogue.run_key(details.row)
        pairs: list[tuple[str, str]] = []
        for label, attribute in (("script", runs.SOURCE_NAME), ("commit", runs.GIT_COMMIT), ("parent", runs.PARENT)):
            text = self._text(details, attribute)
            if text and attribute == runs.PARENT:
                text = self._parent_name(details.row) or text
            if text:
                pairs.append((label, text))
        experiment = self._browser.catalogue.texts(runs.EXPERIMENT).text(details.row)
        pairs += [("experiment", experiment or ""), ("run id", key.run_id), ("source", key.source)]
        uri = self._text(details, runs.ARTIFACT_URI)
        if uri:
            pairs.append(("artifacts", uri))
        return [self._pair(label, value, width) for label, value in pairs if value]

    def _parent_name(self, row: int) -> str | None:
        tree = self._browser.tree
        parent = int(tree.parent[row]) if tree is not None and row < len(tree.parent) else -1
        return self._browser.catalogue.texts(runs.NAME).text(parent) if parent >= 0 else None

    def _headed(self, head: str, lines: Sequence[Line]) -> list[Line]:
        return [(), ((head, "title"),), *lines] if lines else []

    def _pair(self, key: str, value: str, width: int) -> Line:
        label = min(22, max(10, width // 3))
        name = padded(shortened(inert(key, self._glyphs), label, self._glyphs), label)
        return ((name, "dim"), (" " + shortened(inert(value, self._glyphs), width - label - 1, self._glyphs), ""))

    def _value(self, text: str | None, room: int) -> str:
        return "not set" if text is None else shortened(inert(text, self._glyphs), room, self._glyphs)

    def _text(self, details: RunDetails, key: ColumnKey) -> str | None:
        cell = details.attributes.get(key.key)
        return cell.text if cell else None

    def _time(self, details: RunDetails, key: ColumnKey) -> float | None:
        cell = details.attributes.get(key.key)
        return cell.number if cell and cell.number == cell.number else None


def _shown(cell: RunCell) -> str:
    return cell.text if cell.text is not None else exact(cell.number)
