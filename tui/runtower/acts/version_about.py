"""What is to be said of a version in a few lines: who has it, what it came from, what its run measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runtower.acts.registry_words import in_order, state_of, tags_of, uri_of, when
from runtower.acts.tower import Tower
from runtower.acts.version_rows import metrics_of
from runtower.domain import runs
from runtower.domain.models import NO_STAGE, READY, ModelVersion
from runtower.domain.values import is_missing
from runtower.present.glyphs import Glyphs
from runtower.present.numbers import exact
from runtower.present.spans import Line, Span, padded

LABEL: Final = 10  # cells of what is named at the left
_MOST: Final = 8


def about_version(tower: Tower, one: ModelVersion, row: int | None, glyphs: Glyphs) -> list[Line]:
    """The lines of the pane; `row` is its run's, where it is known."""
    said: list[Line] = []
    held: list[Span] = [(f"@{alias} ", "hit") for alias in in_order(one.aliases)]
    if one.stage != NO_STAGE:
        held.append((f"stage {one.stage} ", "hit"))
    state, tone = state_of(one, glyphs)
    by = f"by {one.user} " if one.user else ""
    held += [(f"{state} ", tone), (f"registered {by}{when(one.created)}", "dim")]
    if one.status != READY and one.status_message:
        held.append((f"  {one.status_message}", "warning"))
    said.append(_named("version", *held))
    said.append(_named("run", *run_words(tower, one, row)))
    if row is not None and (metrics := metric_words(tower, row)):
        said.append(_named("metrics", *metrics))
    if tags := tags_of(one.tags):
        said.append(_named("tags", (tags, "")))
    said.append(_named("uri", (uri_of(one), "")))
    if one.description:
        first, *rest = one.description.strip().split("\n")
        said += [_named("described", (first, "")), *(_named("", (line, "")) for line in rest)]
    return said


def _named(name: str, *spans: Span) -> Line:
    return ((padded(name, LABEL), "dim"), *spans)


def run_words(tower: Tower, one: ModelVersion, row: int | None) -> Sequence[Span]:
    """Name, id and commit of the run."""
    if not one.run_id:
        return [("none: the version names no run", "dim")]
    if row is None:
        return [(one.run_id, ""), ("  isn't among the runs of this source", "dim")]
    texts = tower.catalogue.texts
    commit = texts(runs.GIT_COMMIT).text(row) or ""
    spans = [(texts(runs.NAME).text(row) or one.run_id[:8], "bright"), (f"  {one.run_id}", "dim")]
    return [*spans, (f"  commit {commit[:8]}" if commit else "", "dim")]


def metric_words(tower: Tower, row: int) -> Sequence[Span]:
    """The most telling ones: `val_acc 0.9310   latency_ms 33.5`."""
    spans: list[Span] = []
    for key in metrics_of(tower, [row])[:_MOST]:
        value = tower.catalogue.numbers(key).number(row)
        if value is not None and not is_missing(value):
            spans += [(f"{key.key} ", "dim"), (f"{exact(value)}   ", "")]
    return spans
