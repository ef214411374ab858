"""The words of `plot`."""

from __future__ import annotations

import shutil
import sys
from typing import Any

import click

from runtower.commands.opening import Asked, chosen_format
from runtower.commands.options import CSV, JSON, WHERE, common
from runtower.domain.errors import Invalid


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.argument("key", metavar="METRIC")
@WHERE
@click.option("--x", default="step", show_default=True, metavar="X", help="step, time, relative, or another metric.")
@click.option("--log", is_flag=True, help="A logarithmic axis of values.")
@click.option("--smooth", default=0.0, metavar="WEIGHT", help="Exponential moving average, from 0 to below 1.")
@click.option("--size", default="", metavar="COLUMNSxLINES", help="In cells; the terminal's, else 80x24.")
@click.option("--svg", "as_svg", is_flag=True, help="An SVG picture.")
@JSON
@CSV
@common
def plot(
    runs: tuple[str, ...],
    key: str,
    where: str,
    x: str,
    log: bool,
    smooth: float,
    size: str,
    as_svg: bool,
    as_json: bool,
    as_csv: bool,
    **asked: Any,
) -> None:
    """Draw a METRIC of one or more RUNs as text."""
    from runtower.commands import plotting  # noqa: PLC0415  only here is plotext needed

    if as_svg and (as_json or as_csv):
        raise Invalid("--svg and another format can't both be.", "Choose one.")
    shape = plotting.Shape(x, log, smooth, _size(size), not (sys.stdout.encoding or "").lower().startswith("utf"))
    form = "svg" if as_svg else chosen_format(as_json, as_csv)
    plotting.plot(Asked(**asked), runs, key, where, shape, form)


def _size(text: str) -> tuple[int, int]:
    """`100x30`; '' is the terminal's own size less a line for the prompt. Raises Invalid."""
    if not text:
        columns, lines = shutil.get_terminal_size((80, 24))
        return columns, max(6, min(lines - 1, columns // 2))
    columns_text, _, lines_text = text.partition("x")
    if not columns_text.isdecimal() or not lines_text.isdecimal():
        raise Invalid(f"'{text}' is no size.", "Such as 100x30: columns and lines.")
    return int(columns_text), int(lines_text)
