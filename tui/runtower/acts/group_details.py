"""What the pane says of a group of runs: their states, how their metrics lie, and which params differ among them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from runtower.acts import choose
from runtower.acts.browse import Browser
from runtower.acts.group_rows import GroupRows, states_of
from runtower.acts.layout import title
from runtower.catalog.grouping import Spread, key_of
from runtower.domain.runs import ColumnKey, Kind
from runtower.present.glyphs import Glyphs
from runtower.present.numbers import exact
from runtower.present.spans import Line, inert, padded, shortened, shortened_end, side_by_side
from runtower.present.states import children

_VALUES_SHOWN = 12
_NUMBER = 10


@dataclass(frozen=True)
class GroupDetails:
    """A group's runs, taken together. `differ` are the params that differ among the runs that were looked at, with
    their values; `equal` counts those that don't."""

    name: str
    runs: int
    states: dict[str, int]
    metrics: list[tuple[ColumnKey, Spread]]
    differ: list[tuple[ColumnKey, list[str | None]]]
    equal: int
    looked_at: int


def read(browser: Browser, rows: GroupRows, number: int, shown: Sequence[ColumnKey]) -> GroupDetails:
    """What is known of a group of the view; metrics and their order are those that are `shown`."""
    groups = browser.view.groups
    assert groups is not None
    members, word = groups.members(number), groups.word(number)
    metrics = [key for key in dict.fromkeys(shown) if key.kind is Kind.METRIC]
    spreads = [(key, found) for key in metrics if (found := rows.spread(key, number)) is not None]
    values, looked_at = choose.param_values(browser.catalogue, members)
    values.pop(groups.by, None)
    differ = [(key, words) for key, words in values.items() if len({key_of(one) for one in words}) > 1]
    said = title(groups.by)
    return GroupDetails(
        f"no {said}" if word is None else f"{said}={word}",
        len(members),
        states_of(browser, groups, number),
        spreads,
        differ,
        len(values) - len(differ),
        looked_at,
    )


def lines(details: GroupDetails, width: int, form: str, glyphs: Glyphs) -> list[Line]:
    """The lines of the pane. `form`: `small` two lines, `beside` two columns, `all` everything in one column."""
    if form == "small":
        return [_summary(details, glyphs), _in_short(details, width, glyphs)]
    if form == "all":
        out = [_summary(details, glyphs), (), (("metrics", "title"),), *_metrics(details, width, glyphs)]
        return [*out, (), (("differs inside", "title"),), *_differences(details, width, glyphs)]
    half = width // 2 - 1
    left = [_summary(details, glyphs), *_metrics(details, half, glyphs)]
    right = _differences(details, width - half - 3, glyphs)
    return side_by_side(left, right, half, glyphs)


def _summary(details: GroupDetails, glyphs: Glyphs) -> Line:
    count = f"{details.runs:,} run{'s' if details.runs != 1 else ''}  "
    return ((count, ""), *children(details.states, glyphs))


def _metrics(details: GroupDetails, width: int, glyphs: Glyphs) -> list[Line]:
    """`val_loss   n  mean  std  min  max`, as many of the figures as there is room for; the values are finite ones."""
    if not details.metrics:
        return [(("no finite metric is shown", "dim"),)]
    label = min(24, max(len(key.key) for key, _ in details.metrics) + 1, max(8, width // 4))
    figures = max(1, min(4, (width - label - 6) // (_NUMBER + 1)))
    head = "".join(f" {name:>{_NUMBER}}" for name in ("mean", "std", "min", "max")[:figures])
    out: list[Line] = [((f"{'':{label}} {'n':>5}{head}", "dim"),)]
    for key, found in details.metrics:
        name = padded(shortened(inert(key.key, glyphs), label, glyphs), label)
        values = "".join(f" {_figure(one):>{_NUMBER}}" for one in (found.std, found.low, found.high)[: figures - 1])
        out.append(
            ((name, ""), (f" {found.count:>5}", "dim"), (f" {_figure(found.mean):>{_NUMBER}}", "bright"), (values, ""))
        )
    return out


def _figure(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.5g}" if abs(value) < 1e15 else f"{value:.3e}"


def _differences(details: GroupDetails, width: int, glyphs: Glyphs) -> list[Line]:
    """`optim.lr  0.0003, 0.001, 0.01` for each param that differs, then how many don't."""
    out: list[Line] = []
    label = min(22, max((len(key.key) for key, _ in details.differ), default=0) + 1, width // 2)
    for key, words in details.differ:
        name = padded(shortened(inert(key.key, glyphs), label, glyphs), label)
        out.append(((name, ""), (" " + _listed(words, width - label - 1, glyphs), "bright")))
    among = f", among {details.looked_at:,} of {details.runs:,} runs" if details.looked_at < details.runs else ""
    what = f"{details.equal} param{'s' if details.equal != 1 else ''} equal"
    return [*out, ((f"{what}{among}" if details.differ else f"no param differs, {what}{among}", "dim"),)]


def _listed(words: Sequence[str | None], width: int, glyphs: Glyphs) -> str:
    said = [inert(word, glyphs) if word is not None else "not set" for word in words[:_VALUES_SHOWN]]
    text = ", ".join(said) + (f", {len(words)} in all" if len(words) > len(said) else "")
    return shortened_end(text, width, glyphs)


def _in_short(details: GroupDetails, width: int, glyphs: Glyphs) -> Line:
    """One line for a small terminal: the first metric, then what differs."""
    parts: list[str] = []
    if details.metrics:
        key, found = details.metrics[0]
        std = "" if math.isnan(found.std) else f" {glyphs.spread}{found.std:.3g}"
        parts.append(f"{inert(key.key, glyphs)} {_figure(found.mean)}{std}, {exact(found.low)} to {exact(found.high)}")
    named = ", ".join(f"{inert(key.key, glyphs)} ({len(words)})" for key, words in details.differ)
    parts.append(f"differs: {named}" if named else "no param differs")
    text = "  ".join(parts)
    return ((shortened_end(text, width, glyphs), ""),)
