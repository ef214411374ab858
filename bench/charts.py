"""What charts cost: long histories from the store to the screen, and each key on what is there."""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Callable

from measures import Bench, Figures, Home, at_rest, home
from servers import served
from stores import Shape, metrics_of, run_id
from terminal import Terminal, cpu, frames

from runtower.link.drawing import Drawing
from runtower.link.wire import Curve
from runtower.sources.mlflow import SOURCE
from runtower.sources.port import Known, Target

MILLION = Shape(runs=200, metrics=3, params=3, history=1_000_000)
TEN = Shape(runs=200, metrics=3, params=3, history=1_000_000, long=10)
PAGES = Shape(runs=200, metrics=40, params=3, history=1_000, curves=40)
_BRAILLE = re.compile(r"[⠁-⣿]")
_PATIENCE = 120.0
_WIDE = (60, 200)


def opened(where: Home, target: str, rows: int, columns: int) -> Terminal:
    argv = [sys.executable, "-m", "runtower.cli", target]
    return Terminal(argv, where.environ, rows, columns)


def _run_opened(screen: Terminal, marked: int = 0) -> float:
    """Opens the newest run once the table is at rest, with the next ones marked; when enter was pressed."""
    screen.await_words("200 runs", _PATIENCE)
    screen.listen(3)
    screen.press(b"b")  # flat: the newest run first
    screen.listen(1)
    screen.press(b"gg")
    screen.listen(0.5)
    for _ in range(marked):
        screen.press(b" ")
        screen.listen(0.2)
        screen.press(b"j")
        screen.listen(0.2)
    screen.chunks = screen.chunks[:1]
    return screen.press(b"\r")


def _until(screen: Terminal, shows: Callable[[str], bool], rows: int, columns: int) -> float:
    """When the screen first showed it."""
    until = time.perf_counter() + _PATIENCE
    while time.perf_counter() < until:
        screen.quiet(0.4, 5)
        for when, lines in frames(screen.chunks, rows, columns):
            if shows("\n".join(lines[1:-1])):
                return when
    raise TimeoutError("the chart was never drawn")


def _first(text: str) -> bool:
    return "train/loss" in text and bool(_BRAILLE.search(text))


def _whole(text: str) -> bool:
    return _first(text) and "coarse so far" not in text and "reading" not in text


def chart_history(bench: Bench) -> Figures:
    """A history of 1,000,000 points of an sqlite file, from enter to its first picture and to all of it."""
    figures: Figures = {"first_s": [], "all_s": []}
    store = str(bench.store(MILLION))
    for _ in bench.times(3):
        with home() as where, opened(where, store, 36, 120) as screen:
            pressed = _run_opened(screen)
            figures["all_s"].append(_until(screen, _whole, 36, 120) - pressed)
            figures["first_s"].append(_until(screen, _first, 36, 120) - pressed)
    return figures


def chart_served(bench: Bench) -> Figures:
    """The same of a server: its sample."""
    figures: Figures = {"first_s": [], "sample_s": []}
    with served(bench.store(MILLION)) as server:
        for _ in bench.times(3):
            with home() as where, opened(where, server.url, 36, 120) as screen:
                pressed = _run_opened(screen)
                figures["sample_s"].append(_until(screen, _whole, 36, 120) - pressed)
                figures["first_s"].append(_until(screen, _first, 36, 120) - pressed)
    return figures


def chart_keys(bench: Bench) -> Figures:
    """Ten series of 1,000,000 points over each other, zoomed and panned: CPU of a key, and key to paint."""
    with home() as where, opened(where, str(bench.store(TEN)), 36, 120) as screen:
        _run_opened(screen, marked=10)
        _until(screen, _whole, 36, 120)
        at_rest(screen)
        keys = [*[b"+"] * 6, *[b"h"] * 20, *[b"l"] * 20, *[b"-"] * 6] * len(bench.times(3))
        return pressed(screen, keys)


def chart_pages(bench: Bench) -> Figures:
    """Pages of 12 and more charts on a terminal of 200 x 60: key to paint."""
    with home() as where, opened(where, str(bench.store(PAGES)), *_WIDE) as screen:
        _run_opened(screen)
        screen.listen(4)
        keys = [b"\x1b[6~", b"\x1b[6~", b"\x1b[5~", b"\x1b[5~"]
        for key in keys:  # what was never shown is fetched first
            screen.press(key)
            screen.listen(3)
        return pressed(screen, keys * len(bench.times(8)), gap=0.4)


def chart_tail(bench: Bench) -> Figures:
    """What ten live charts of a served run ask at a poll: the tail of each series, one question a metric (MLflow's API
    takes no more of them in one)."""
    figures: Figures = {"ms_per_series": []}
    with served(bench.store(PAGES)) as server:
        source, drawing = SOURCE.open(Target("t", "mlflow", server.url), Known()), Drawing()
        asked = [Curve(run_id(PAGES.runs - 1), key) for key in metrics_of(PAGES)[:10]]
        for curve in asked:
            drawing.curve(source, curve)
        for _ in bench.times(10):
            began = time.perf_counter()
            for curve in asked:
                drawing.curve(source, curve)
            figures["ms_per_series"].append((time.perf_counter() - began) * 1000 / len(asked))
        source.close()
    return figures


def pressed(screen: Terminal, keys: list[bytes], gap: float = 0.15) -> Figures:
    """By key the CPU of the terminal's process and the time to its first frame, in milliseconds."""
    figures: Figures = {"cpu_ms": [], "paint_ms": []}
    for key in keys:
        before, heard = cpu(screen.pid), len(screen.chunks)
        sent = screen.press(key)
        screen.listen(gap)
        if len(screen.chunks) > heard:
            figures["cpu_ms"].append((cpu(screen.pid) - before) * 1000)
            figures["paint_ms"].append((screen.chunks[heard].when - sent) * 1000)
    assert statistics.median(figures["cpu_ms"]) > 0
    return figures


MEASURES: dict[str, Callable[[Bench], Figures]] = {
    measure.__name__: measure for measure in (chart_history, chart_served, chart_tail, chart_keys, chart_pages)
}
