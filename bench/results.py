"""Keeps the figures (results.json) and tells them beside their targets (RESULTS.md)."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sqlite3
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Figures = dict[str, list[float]]

_HERE = Path(__file__).parent
_KEPT = _HERE / "results.json"
_OTHERS = "other_cores"
_PACKAGES = ("textual", "mlflow", "numpy", "pyarrow", "msgspec")


@dataclass(frozen=True)
class Target:
    """One row: `measure` and `figure` name what is told, `reduce` makes the number that `most` bounds."""

    title: str
    measure: str
    figure: str
    most: float
    unit: str
    quantile: float = 0.5
    note: Callable[[dict[str, Figures]], str] = lambda _: ""


def percentile(samples: list[float], share: float) -> float:
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def _said(measure: str, figure: str, words: str) -> Callable[[dict[str, Figures]], str]:
    def note(all_figures: dict[str, Figures]) -> str:
        samples = all_figures.get(measure, {}).get(figure)
        return words.format(statistics.median(samples)) if samples else ""

    return note


def _p99(measure: str) -> Callable[[dict[str, Figures]], str]:
    def note(all_figures: dict[str, Figures]) -> str:
        samples = all_figures.get(measure, {}).get("minimal_ms")
        return f"or twice the minimal app's p99, {percentile(samples, 0.99):.1f} ms" if samples else ""

    return note


TARGETS = (
    Target("first paint, against a minimal Textual app", "first_paint", "ratio", 1.5, "x",
           note=lambda all_figures: _said("first_paint", "ours_ms", "{:.0f} ms")(all_figures)
           + _said("first_paint", "minimal_ms", " against {:.0f} ms")(all_figures)
           + _said("first_paint", "cpu_ratio", "; in CPU {:.2f} x")(all_figures)),
    Target("start to 100,000 cached rows on the screen", "warm_start", "seconds", 1.0, "s"),
    Target("cold, 100,000 x 35: first rows", "cold_sync", "first_s", 1.2, "s"),
    Target("cold, 100,000 x 35: all rows", "cold_sync", "all_s", 7.0, "s",
           note=lambda all_figures: _said("cold_sync", "cpu_terminal_s", "CPU {:.1f} s terminal")(all_figures)
           + _said("cold_sync", "cpu_source_s", ", {:.1f} s source")(all_figures)
           + _said("cold_pair", "seconds_per_3000", "; MlflowClient needs {:.1f} s for the first 3,000")(all_figures)),
    Target("poll without a change, 100,000 runs, all processes' CPU", "poll", "ms_per_poll", 2.0, "ms",
           note=_said("poll_pair", "ms_per_poll", "MlflowClient.search_runs of 100: {:.0f} ms")),
    Target("10 runs with 5,000 keys of their own: time to all rows", "wide_runs", "ratio", 1.1, "x"),
    Target("10 runs with 5,000 keys of their own: more memory", "wide_runs", "more_mb", 40, "MB"),
    Target("cursor key to paint, 100,000 x 60, syncing: p50", "keys_while_syncing", "cursor_ms", 6, "ms",
           note=_said("keys_while_syncing", "minimal_ms", "minimal app {:.1f} ms")),
    Target("cursor key to paint: p99", "keys_while_syncing", "cursor_ms", 25, "ms", 0.99,
           note=_p99("keys_while_syncing")),
    Target("page key to paint, 100,000 x 60, syncing: p50", "keys_while_syncing", "page_ms", 12, "ms"),
    Target("page key to paint: p99", "keys_while_syncing", "page_ms", 25, "ms", 0.99,
           note=_p99("keys_while_syncing")),
    Target("filter letter to paint, 100,000 rows, flat", "filter_and_sort", "filter_flat_ms", 35, "ms"),
    Target("filter letter to paint, 100,000 rows, tree", "filter_and_sort", "filter_tree_ms", 70, "ms"),
    Target("sort key to paint, 100,000 rows, flat", "filter_and_sort", "sort_flat_ms", 35, "ms"),
    Target("sort key to paint, 100,000 rows, tree", "filter_and_sort", "sort_tree_ms", 70, "ms"),
    Target("query of three conditions, 100,000 rows: which match", "query", "three_again_ms", 5, "ms",
           note=lambda all_figures: _said("query", "three_first_ms", "the first time {:.1f} ms")(all_figures)
           + _said("query", "parser_ms", "; the parser once {:.0f} ms")(all_figures)
           + _said("query", "read_ms", ", then {:.1f} ms a text")(all_figures)),
    Target("query, two regular expressions on 200,000 different texts", "query", "regex_again_ms", 20, "ms"),
    Target("idle, a poll each 2 s, one running run: CPU of all processes", "idle", "cpu_percent", 0.5, "%",
           note=_said("idle", "cpu_percent_terminal", "terminal {:.2f} %")),
    Target("idle: bytes between minutes", "idle", "bytes_between_minutes", 0, "B",
           note=_said("idle", "bytes_of_minute", "{:.0f} B at a minute")),
    Target("memory (PSS), 100,000 x 60: terminal", "memory", "terminal_mb", 180, "MB",
           note=_said("memory", "warm_terminal_mb", "{:.0f} MB after a warm start")),
    Target("memory (PSS), 100,000 x 60: source", "memory", "source_mb", 120, "MB",
           note=_said("memory", "warm_source_mb", "{:.0f} MB after a warm start")),
    Target("a server's first rows: start, less 1.2 x one request by hand", "rest_first_rows", "more_s", 0.6, "s",
           note=lambda all_figures: _said("rest_first_rows", "first_s", "{:.2f} s")(all_figures)
           + _said("rest_first_rows", "request_s", " against {:.2f} s")(all_figures)
           + _said("rest_first_rows", "server_s", "; server's CPU {:.2f} s")(all_figures)),
    Target("a server's 10,000 runs: source's CPU per 1,000", "rest_sync", "source_per_1000_s", 0.1, "s",
           note=lambda all_figures: _said("rest_sync", "terminal_per_1000_s", "terminal {:.2f} s")(all_figures)
           + _said("rest_sync", "server_per_1000_s", ", server {:.2f} s")(all_figures)
           + _said("rest_sync", "all_s", "; all after {:.0f} s")(all_figures)
           + _said("rest_sync_pair", "per_1000_s", "; MlflowClient {:.2f} s")(all_figures)),
    Target("cursor key to paint while a server's 10,000 runs are read: p99", "rest_keys", "cursor_ms", 25, "ms", 0.99,
           note=_p99("rest_keys")),
    Target("an hour of watching 10 running runs: the server's CPU", "rest_watch", "server_percent", 3, "%",
           note=_said("rest_watch", "ours_percent", "ours {:.2f} %")),
    Target("a history of 1,000,000 points of sqlite: to its first picture", "chart_history", "first_s", 0.5, "s"),
    Target("a history of 1,000,000 points of sqlite: to all of it", "chart_history", "all_s", 2.5, "s"),
    Target("the same of a server: to its first picture", "chart_served", "first_s", 3, "s",
           note=_said("chart_served", "sample_s", "its sample of 2,500 after {:.1f} s")),
    Target("tail of each of 10 live charts of a server", "chart_tail", "ms_per_series", 17, "ms"),
    Target("10 series of 1,000,000 points: CPU of a zoom or a move", "chart_keys", "cpu_ms", 16, "ms",
           note=_said("chart_keys", "paint_ms", "key to paint {:.1f} ms")),
    Target("pages of 12 charts and more at 200x60: page key to paint", "chart_pages", "paint_ms", 50, "ms",
           note=_said("chart_pages", "cpu_ms", "CPU {:.1f} ms")),
    Target("two configs of 5,000 leaves: CPU from text to diff", "config_diff", "text_to_diff_ms", 60, "ms",
           note=lambda all_figures: _said("config_diff", "read_ms", "reading one {:.0f} ms")(all_figures)
           + _said("config_diff", "omegaconf_ms", ", OmegaConf.create {:.0f} ms")(all_figures)
           + _said("config_diff", "overrides_ms", "; overrides {:.1f} ms")(all_figures)),
    Target("what varies among 100 runs x 1,000 params: CPU", "config_matrix", "matrix_ms", 100, "ms",
           note=_said("config_matrix", "trees_ms", "texts to trees {:.0f} ms")),
    Target("key to paint in a matrix of 100 runs x 1,000 params: p50", "compare_keys", "paint_ms", 16, "ms",
           note=lambda all_figures: _said("compare_keys", "first_s", "first picture after {:.2f} s")(all_figures)
           + _said("compare_keys", "cpu_ms", ", CPU of a key {:.1f} ms")(all_figures)),
    Target("key to paint there: p99", "compare_keys", "paint_ms", 25, "ms", 0.99),
    Target("1,000 models x 50 versions: cursor key to paint among models, p50", "model_keys", "models_ms", 6, "ms",
           note=lambda all_figures: _said("model_keys", "minimal_ms", "minimal app {:.1f} ms")(all_figures)
           + _said("model_keys", "first_s", "; the models {:.2f} s after their key")(all_figures)),
    Target("the same among 50 versions, p50", "model_keys", "versions_ms", 6, "ms"),
    Target("the same among models while they are read again: p99", "model_keys", "models_ms", 25, "ms", 0.99,
           note=_p99("model_keys")),
    Target("memory (RSS) of a job's supervisor", "job_supervisor", "rss_mb", 15, "MB",
           note=_said("job_supervisor", "pss_mb", "{:.1f} MB with shared pages by share")),
    Target("CPU of a job's supervisor in a minute", "job_supervisor", "cpu_ms_per_minute", 1, "ms"),
    Target("200 queued jobs, runtower and the queue's keepers killed at random: ran twice", "job_kills", "twice", 0, "",
           note=lambda all_figures: _said("job_kills", "kills", "killed {:.0f} times")(all_figures)
           + _said("job_kills", "supervisors", ", with {:.0f} supervisors")(all_figures)
           + _said("job_kills", "lost", "; {:.0f} shown as lost")(all_figures)),
    Target("the same: neither ran once nor shown as lost", "job_kills", "neither", 0, ""),
    Target("1,000 processes and 10,000 output folders: to the links of 1,000 runs", "joins", "found_s", 1.0, "s",
           note=_said("joins", "links_ms", "the links {:.0f} ms of it")),
    Target("the same, then watched: CPU of the process that looks", "joins", "watch_percent", 0.5, "%",
           note=lambda all_figures: _said("joins", "looks_mb", "{:.0f} MB")(all_figures)
           + _said("joins", "new_s", "; a new folder after {:.1f} s while jobs are looked at")(all_figures)),
    Target("a log of 10 GB: key to its first screen", "job_log", "first_ms", 100, "ms"),
    Target("a log of 10 GB: more memory", "job_log", "more_mb", 20, "MB"),
    Target("a DVC project of 500 experiments: read cold", "dvc_project", "cold_s", 0.7, "s",
           note=lambda all_figures: _said("dvc_project", "dvc_cold_s", "dvc exp show {:.0f} s")(all_figures)
           + _said("dvc_project", "dvc_again_s", ", cached {:.1f} s")(all_figures)),
    Target("the same: one experiment more", "dvc_project", "refresh_ms", 50, "ms"),
    Target("the same: a look where nothing changed", "dvc_project", "poll_ms", 2, "ms"),
    Target("a DVC pipeline of 300 stages with states: a process's first time", "dvc_stages", "cold_s", 1.5, "s",
           note=lambda all_figures: _said("dvc_stages", "again_s", "again {:.2f} s")(all_figures)
           + _said("dvc_stages", "dvc_s", "; dvc status {:.1f} s")(all_figures)),
    Target("ten users watching the same: the server's CPU", "rest_users", "server_percent", 30, "%",
           note=lambda all_figures: _said("rest_users", "start_s", "their starts {:.1f} s of it")(all_figures)
           + _said("rest_users", "all_s", ", all rows of all after {:.0f} s")(all_figures)),
)  # fmt: skip


def keep(name: str, figures: Figures, other_cores: float) -> None:
    """Remember the samples of a measurement in the place of its last ones, and how busy others were meanwhile."""
    known = _read()
    figures = figures | {_OTHERS: [other_cores]}
    known[name] = {figure: [round(sample, 4) for sample in samples] for figure, samples in figures.items()}
    _KEPT.write_text(json.dumps(known, indent=1) + "\n")


def _read() -> dict[str, Figures]:
    return json.loads(_KEPT.read_text()) if _KEPT.exists() else {}


def write() -> None:
    """RESULTS.md of all that is known."""
    known = _read()
    lines = [
        "# Measured",
        "",
        "Written by `python bench/run.py`; a single row is repeated by the command next to it. Median (least to most)",
        "of whole runs of the program on a pseudo-terminal of 120 x 36. The file system's cache is warm throughout.",
        "",
        f"Machine: {_machine()}.",
        "",
        "`others` is about how many cores other work took on the same machine while a row was measured: times are only",
        "as good as that is near 0, and CPU time grows with it too. A row without it was measured beside other work.",
        "",
        "| | target | measured | samples | met | `python bench/run.py` | others | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for target in TARGETS:
        samples = known.get(target.measure, {}).get(target.figure, [])
        measured, met = "not yet", ""
        if samples:
            value = percentile(samples, target.quantile) if target.quantile != 0.5 else statistics.median(samples)
            measured = f"{_short(value)} {target.unit} ({_short(min(samples))} to {_short(max(samples))})"
            bound = target.most
            if "p99" in target.title and (minimal := known[target.measure].get("minimal_ms")):
                bound = max(bound, 2 * percentile(minimal, 0.99))
            met = "yes" if value <= bound else "**no**"
        cells = (
            target.title,
            f"{_short(target.most)} {target.unit}",
            measured,
            str(len(samples)),
            met,
            f"`{target.measure}`",
            "".join(f"{cores:.1f}" for cores in known.get(target.measure, {}).get(_OTHERS, [])),
            target.note(known),
        )
        lines.append("| " + " | ".join(cells) + " |")
    (_HERE / "RESULTS.md").write_text("\n".join(lines) + "\n")


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _machine() -> str:
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "unknown CPU")
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    python = f"{platform.python_implementation()} {platform.python_version()}, sqlite {sqlite3.sqlite_version}"
    return f"{os.cpu_count()} cores of {model}, Linux {platform.release()}, {python}, {packages}"
