"""What is measured, one function a row of the table in RESULTS.md. Each gives figures by name, all samples of them."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stores import Shape, stored
from terminal import Chunk, Terminal, cpu, family, family_cpu, first_frame, frames, pss

Figures = dict[str, list[float]]
Lines = list[str]

HERE = Path(__file__).parent
MINIMAL = (sys.executable, str(HERE / "minimal_app.py"))
MASKS = (sys.executable, str(HERE / "query_masks.py"))
PAIR = (sys.executable, str(HERE / "mlflow_pair.py"))
SMALL = Shape(runs=2_000)
LARGE = Shape()
WIDE = Shape(wide=10)
SIXTY = Shape(params=35, metrics=25)
_ROW = re.compile(r"run-\d{6}")
_HEAD = 3
_PATIENCE = 180.0


@dataclass
class Bench:
    """Where the stores are, and how often a thing is repeated (1.0: as in RESULTS.md)."""

    stores: Path
    effort: float = 1.0

    def store(self, shape: Shape) -> Path:
        """A store of this shape, in the file system's cache: what is measured is never the disk."""
        path = stored(self.stores, shape)
        with path.open("rb", buffering=0) as file:
            while file.read(1 << 24):
                pass
        return path

    def times(self, count: int) -> range:
        return range(max(1, round(count * self.effort)))


class Home:
    """A user's home of its own: nothing of the one who measures is read or written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        dropped = ("RUNTOWER_", "MLFLOW_", "XDG_", "PYTHON", "TEXTUAL")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        self.environ = kept | {
            "HOME": str(folder),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LC_ALL": "C.UTF-8",
        }

    def open(self, store: Path | str, **settings: str) -> Terminal:
        chosen = {f"RUNTOWER_{name.upper()}": value for name, value in settings.items()}
        return Terminal([sys.executable, "-m", "runtower.cli", str(store)], self.environ | chosen)

    @property
    def cache_files(self) -> list[Path]:
        return list((self.folder / ".cache/runtower/catalog").glob("*.cache"))


@contextmanager
def home() -> Iterator[Home]:
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        yield Home(folder)
    finally:
        time.sleep(0.3)  # the source's process takes its own files away
        shutil.rmtree(folder, ignore_errors=True)


# -- what the screen says


def complete(runs: int) -> Callable[[Lines], bool]:
    """Whether all runs are listed and nothing is being read any more."""
    return lambda lines: f"{runs:,} runs" in lines[0] and "reading" not in lines[0] and has_rows(lines)


def has_rows(lines: Lines) -> bool:
    return any(_ROW.search(line) for line in lines[_HEAD:20])


def cursor_run(lines: Lines) -> str:
    """The run under the cursor."""
    line = next((line for line in lines if line.startswith(("> ", "❯ "))), "")
    found = re.search(r"run[- ]\d+", line)
    return found[0] if found else ""


def listed(lines: Lines) -> str:
    """The first runs of the table, in order."""
    return " ".join(_ROW.findall(" ".join(lines[_HEAD:14])))


def hits(lines: Lines) -> str:
    """How many rows the filter shows."""
    found = re.search(r"[\d,]+ of [\d,]+", lines[1])
    return found[0] if found else ""


def seconds_to(screen: Terminal, shows: Callable[[Lines], bool]) -> float:
    when = first_frame(screen.chunks, shows)
    if when is None:
        raise TimeoutError("the screen never showed what was waited for")
    return when - screen.started


def until_complete(screen: Terminal, runs: int, patience: float = _PATIENCE) -> None:
    """Read until all is listed; the whole is looked at ten times a second at most."""
    words = f"{runs:,} runs"
    shows = complete(runs)
    until = time.perf_counter() + patience
    screen.await_words(words, patience)
    while time.perf_counter() < until:
        screen.quiet(0.3, 2.0)
        tail = screen.chunks[-400:]
        if first_frame(_whole(screen.chunks, tail), shows) is not None:
            return
    raise TimeoutError(f"not all of {words} were listed")


def _whole(chunks: Sequence[Chunk], tail: Sequence[Chunk]) -> Sequence[Chunk]:
    return chunks if len(tail) == len(chunks) else [chunks[0], *chunks[1:40], *tail]


def compacted(screen: Terminal, where: Home) -> None:
    """Read until the cache holds the table and both sides have come to rest."""
    until = time.perf_counter() + _PATIENCE
    while not where.cache_files and time.perf_counter() < until:
        screen.listen(0.2)
    at_rest(screen)


def at_rest(screen: Terminal) -> None:
    """Read until neither side does anything."""
    until = time.perf_counter() + _PATIENCE
    before = -1.0
    while (now := family_cpu(screen.pid)) - before > 0.05 and time.perf_counter() < until:
        before = now
        screen.listen(2.5)


def answers(
    screen: Terminal,
    keys: Sequence[bytes],
    tells: Callable[[Lines], str],
    gap: float,
    spread: float,
    during: Callable[[Lines], bool] = lambda _: True,
) -> list[float]:
    """Milliseconds from each key to the first frame in which what `tells` reads is another; keys are sent every `gap`
    to `gap + spread` seconds, and only those count that fall while `during` holds."""
    dice = random.Random(1)
    sent = []
    for key in keys:
        sent.append(screen.press(key))
        screen.listen(gap + spread * dice.random(), lambda: False)
    seen = [(when, tells(lines), during(lines)) for when, lines in frames(screen.chunks)]
    out, place = [], 0
    for when in sent:
        while place + 1 < len(seen) and seen[place + 1][0] < when:
            place += 1
        before = seen[place][1]
        if seen[place][2]:
            after = next((then for then, told, _ in seen[place + 1 :] if told and told != before), None)
            if after is not None:
                out.append((after - when) * 1000)
    return out


# -- the rows of the table


def first_paint(bench: Bench) -> Figures:
    """First paint of a minimal app and of ours, in turn."""
    store = bench.store(SMALL)
    figures: Figures = {name: [] for name in ("minimal_ms", "ours_ms", "minimal_cpu_ms", "ours_cpu_ms")}
    with home() as where:
        for turn in bench.times(10):
            for name in ("minimal", "ours"):
                ours = name == "ours"
                words = "runtower" if ours else "run 0"
                screen = where.open(store) if ours else Terminal(MINIMAL, where.environ)
                with screen:
                    screen.await_words(words, 30)
                    spent = cpu(screen.pid)
                    screen.quiet(0.15, 1)
                    paint = seconds_to(screen, lambda lines, words=words: words in "".join(lines))  # type: ignore[misc]
                    if turn or bench.effort < 1:  # the first turn fills the caches of bytecode
                        figures[f"{name}_ms"].append(paint * 1000)
                        figures[f"{name}_cpu_ms"].append(spent * 1000)
    for kind in ("", "cpu_"):
        pairs = zip(figures[f"ours_{kind}ms"], figures[f"minimal_{kind}ms"], strict=True)
        figures[f"{kind}ratio"] = [ours / minimal for ours, minimal in pairs]
    return figures


def warm_start(bench: Bench) -> Figures:
    """From the start to 100,000 cached rows on the screen."""
    store = bench.store(LARGE)
    seconds = []
    with home() as where:
        with where.open(store) as screen:
            until_complete(screen, LARGE.runs)
            compacted(screen, where)
        for _ in bench.times(7):
            with where.open(store) as screen:
                screen.await_words("100,000 runs", 60)
                screen.quiet(0.3, 3)
                seconds.append(seconds_to(screen, lambda lines: "100,000 runs" in lines[0] and has_rows(lines)))
    return {"seconds": seconds}


def cold_sync(bench: Bench) -> Figures:
    """A store that was never seen: the first rows, all rows, and what both processes used until then."""
    figures: Figures = {"first_s": [], "all_s": [], "cpu_terminal_s": [], "cpu_source_s": []}
    for _ in bench.times(3):
        _cold(bench.store(LARGE), figures)
    return figures


def _cold(store: Path, figures: Figures) -> None:
    with home() as where, where.open(store) as screen:
        until_complete(screen, LARGE.runs)
        figures["first_s"].append(seconds_to(screen, has_rows))
        figures["all_s"].append(seconds_to(screen, complete(LARGE.runs)))
        if "cpu_terminal_s" in figures:
            figures["cpu_terminal_s"].append(cpu(screen.pid))
            figures["cpu_source_s"].append(sum(cpu(pid) for pid in family(screen.pid)[1:]))
        if "terminal_mb" in figures:
            compacted(screen, where)
            figures["terminal_mb"].append(pss(screen.pid))
            figures["source_mb"].append(sum(pss(pid) for pid in family(screen.pid)[1:]))


def cold_pair(bench: Bench) -> Figures:
    """MlflowClient paging 3,000 runs of the same store, 1,000 a page; later pages are slower, so 100,000 runs take
    at least 33 times as long."""
    return {"seconds_per_3000": [_pair("pages", bench.store(LARGE), "3")[0] for _ in bench.times(2)]}


def _pair(*words: object) -> list[float]:
    argv = [*PAIR, *(str(word) for word in words)]
    with home() as where:
        said = subprocess.run(argv, check=True, capture_output=True, text=True, env=where.environ).stdout
    return [float(word) for word in said.split()[-1].split(",")]


def poll(bench: Bench) -> Figures:
    """CPU of a poll that finds nothing: ten polls a second against none (`w` pauses), in turn, of all processes."""
    figures: Figures = {"ms_per_poll": []}
    interval, window = 0.1, 12.0
    with home() as where, where.open(bench.store(LARGE), interval=str(interval)) as screen:
        until_complete(screen, LARGE.runs)
        compacted(screen, where)
        for _ in bench.times(4):
            busy = _spent(screen, window)
            screen.press(b"w")
            screen.listen(2)
            calm = _spent(screen, window)
            screen.press(b"w")
            screen.listen(2)
            figures["ms_per_poll"].append((busy - calm) * 1000 / (window / interval))
    return figures


def poll_pair(bench: Bench) -> Figures:
    """MlflowClient.search_runs for the newest 100 runs of the same store, CPU of one call."""
    return {"ms_per_poll": [s * 1000 for s in _pair("poll", bench.store(LARGE), "5")]}


def _spent(screen: Terminal, seconds: float) -> float:
    before = family_cpu(screen.pid)
    screen.listen(seconds)
    return family_cpu(screen.pid) - before


def wide_runs(bench: Bench) -> Figures:
    """The cold sync and memory with and without ten runs of 5,000 keys of their own, in turn."""
    plain: Figures = {"first_s": [], "all_s": [], "terminal_mb": [], "source_mb": []}
    wide: Figures = {name: [] for name in plain}
    for _ in bench.times(2):
        _cold(bench.store(LARGE), plain)
        _cold(bench.store(WIDE), wide)
    more = [
        sum(w) - sum(p)
        for w, p in zip(
            zip(wide["terminal_mb"], wide["source_mb"], strict=True),
            zip(plain["terminal_mb"], plain["source_mb"], strict=True),
            strict=True,
        )
    ]
    ratio = [w / p for w, p in zip(wide["all_s"], plain["all_s"], strict=True)]
    return {"ratio": ratio, "more_mb": more} | {f"wide_{k}": v for k, v in wide.items()} | plain


def keys_while_syncing(bench: Bench) -> Figures:
    """Key to paint during a cold sync of 100,000 runs x 60 keys; the minimal app repaints one line."""
    figures: Figures = {"cursor_ms": [], "page_ms": [], "minimal_ms": []}
    store = bench.store(SIXTY)
    kinds = {"cursor_ms": ([b"j"] * 12 + [b"k"] * 12) * 8, "page_ms": ([b"\x1b[6~"] * 4 + [b"\x1b[5~"] * 4) * 24}

    def reads(lines: Lines) -> bool:
        return "reading" in lines[0]

    for name, keys in kinds.items():
        for _ in bench.times(6):  # a sync is over after some 70 keys
            with home() as where, where.open(store) as screen:
                screen.await_words("reading", 60)
                screen.listen(0.6)
                figures[name] += answers(screen, keys, cursor_run, 0.05, 0.03, reads)
    with home() as where, Terminal(MINIMAL, where.environ) as screen:
        screen.await_words("run 0", 30)
        screen.listen(0.5)
        figures["minimal_ms"] = answers(screen, [b"j"] * 200, cursor_run, 0.04, 0.03)
    return figures


def filter_and_sort(bench: Bench) -> Figures:
    """Key to paint of each letter of a filter and of reversing the order, over 100,000 rows at rest."""
    figures: Figures = {}
    with home() as where, where.open(bench.store(LARGE)) as screen:
        until_complete(screen, LARGE.runs)
        compacted(screen, where)
        screen.press(b"l")  # to the metric's column, which has no ties
        for form in ("tree", "flat"):
            rounds = len(bench.times(16))
            screen.listen(1)
            figures[f"sort_{form}_ms"] = answers(screen, [b"s"] * rounds, listed, 0.5, 0.1)
            screen.press(b"/7")
            screen.listen(1)
            typed = [b"3", b"1", b"\x7f", b"\x7f"] * max(1, rounds // 4)
            figures[f"filter_{form}_ms"] = answers(screen, typed, hits, 0.5, 0.1)
            screen.press(b"\x1b")
            screen.listen(1)
            screen.press(b"b")
    return figures


def query(bench: Bench) -> Figures:
    """Masks of queries over 100,000 runs, computed in one process without a screen."""
    figures: Figures = {}
    with home() as where:
        argv = [*MASKS, str(len(bench.times(20)))]
        said = subprocess.run(argv, check=True, capture_output=True, text=True, env=where.environ).stdout
    for line in said.splitlines():
        name, sample = line.split()
        figures.setdefault(name, []).append(float(sample))
    return figures


def idle(bench: Bench) -> Figures:
    """Two minutes of a poll each 2 s with one running run that logs nothing."""
    figures: Figures = {
        "cpu_percent": [],
        "cpu_percent_terminal": [],
        "bytes_between_minutes": [],
        "bytes_of_minute": [],
    }
    with home() as where, where.open(bench.store(LARGE)) as screen:
        until_complete(screen, LARGE.runs)
        compacted(screen, where)
        painted = seconds_to(screen, lambda lines: "runtower" in lines[0]) + screen.started
        for _ in bench.times(2):
            heard, began = len(screen.chunks), time.perf_counter()
            before, before_terminal = family_cpu(screen.pid), cpu(screen.pid)
            screen.listen(60)
            took = time.perf_counter() - began
            figures["cpu_percent"].append((family_cpu(screen.pid) - before) / took * 100)
            figures["cpu_percent_terminal"].append((cpu(screen.pid) - before_terminal) / took * 100)
            minutes = [abs((c.when - painted + 30) % 60 - 30) < 1.5 for c in screen.chunks[heard:]]
            sizes = [len(c.data) for c in screen.chunks[heard:]]
            figures["bytes_of_minute"].append(sum(s for s, m in zip(sizes, minutes, strict=True) if m))
            figures["bytes_between_minutes"].append(sum(s for s, m in zip(sizes, minutes, strict=True) if not m))
    return figures


def memory(bench: Bench) -> Figures:
    """PSS at 100,000 x 60 once the table is compacted, of a cold start and of a warm one."""
    figures: Figures = {"terminal_mb": [], "source_mb": [], "warm_terminal_mb": [], "warm_source_mb": []}
    with home() as where:
        for first in (True, False):
            with where.open(bench.store(SIXTY)) as screen:
                until_complete(screen, SIXTY.runs)
                compacted(screen, where)
                prefix = "" if first else "warm_"
                figures[f"{prefix}terminal_mb"].append(pss(screen.pid))
                figures[f"{prefix}source_mb"].append(sum(pss(pid) for pid in family(screen.pid)[1:]))
    return figures


MEASURES: dict[str, Callable[[Bench], Figures]] = {
    measure.__name__: measure
    for measure in (
        first_paint,
        warm_start,
        cold_sync,
        cold_pair,
        poll,
        poll_pair,
        wide_runs,
        keys_while_syncing,
        filter_and_sort,
        query,
        idle,
        memory,
    )
}
