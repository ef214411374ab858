"""What the screens of a registry cost: 1,000 models of 50 versions each."""

from __future__ import annotations

import re
from collections.abc import Callable

from measures import MINIMAL, Bench, Figures, Lines, answers, at_rest, cursor_run, home
from stores import Shape
from terminal import Terminal

REGISTERED = Shape(runs=2_000, models=1_000, versions=50)
_NAME = re.compile(r"^>\s+(\S+)")


def _cursor_row(lines: Lines) -> str:
    """The model or the version under the cursor."""
    line = next((line for line in lines if line.startswith(">")), "")
    found = _NAME.match(line)
    return found[1] if found else ""


def model_keys(bench: Bench) -> Figures:
    """Key to paint among 1,000 models, then among 50 versions, while the registry is read again every 20 s; the minimal
    app repaints one line."""
    figures: Figures = {"models_ms": [], "versions_ms": [], "first_s": [], "minimal_ms": []}
    keys = ([b"j"] * 12 + [b"k"] * 12) * 16  # some 40 s: two of the registry's readings fall into it
    for _ in bench.times(3):
        with home() as where, where.open(bench.store(REGISTERED)) as screen:
            screen.await_words("2,000 runs", 60)
            screen.listen(3)
            sent = screen.press(b"2")
            screen.await_words("1,000 models", 60)
            figures["first_s"].append(screen.chunks[-1].when - sent)
            at_rest(screen)
            figures["models_ms"] += answers(screen, keys, _cursor_row, 0.08, 0.04)
            screen.press(b"\r")
            screen.await_words("50 versions", 60)
            at_rest(screen)
            figures["versions_ms"] += answers(screen, keys, _cursor_row, 0.08, 0.04)
    with home() as where, Terminal(MINIMAL, where.environ) as screen:
        screen.await_words("run 0", 30)
        screen.listen(0.5)
        figures["minimal_ms"] = answers(screen, [b"j"] * 200, cursor_run, 0.08, 0.04)
    return figures


MEASURES: dict[str, Callable[[Bench], Figures]] = {model_keys.__name__: model_keys}
