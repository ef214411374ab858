"""The words of `diff` and `compare`."""

from __future__ import annotations

from typing import Any

import click

from runtower.commands import comparing, diffing
from runtower.commands.opening import Asked, chosen_format
from runtower.commands.options import CSV, WHERE, common
from runtower.domain.errors import Invalid


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--overrides", "as_overrides", is_flag=True, help="Hydra overrides that turn A into B, one a line.")
@click.option("--check", is_flag=True, help="With --overrides: let Hydra compose A with them, and compare that with B.")
@click.option("--yaml", "as_yaml", is_flag=True, help="What B has where they differ.")
@click.option("--md", "as_md", is_flag=True, help="A Markdown table.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--strict", is_flag=True, help="Tell 1 from 1.0, and 0.001 from the text '0.001'.")
@click.option("--all", "whole", is_flag=True, help="Heed no rules of diff.ignore.")
@WHERE
@common
def diff(
    a: str,
    b: str,
    as_overrides: bool,
    check: bool,
    as_yaml: bool,
    as_md: bool,
    as_json: bool,
    strict: bool,
    whole: bool,
    where: str,
    **asked: Any,
) -> None:
    """Say how the config of B differs from that of A; exits with 10 where it does.

    Each is a run (an id, the beginning of one, a name, @best:METRIC), a YAML or JSON file, a folder with Hydra's .hydra
    in it, or git:REVISION:PATH.
    """
    flags = {"overrides": as_overrides, "yaml": as_yaml, "md": as_md, "json": as_json}
    wanted = [name for name, on in flags.items() if on]
    if len(wanted) > 1:
        raise Invalid(f"--{wanted[0]} and --{wanted[1]} can't both be.", "Choose one.")
    if check and not as_overrides:
        raise Invalid("--check checks overrides.", "Give it with --overrides.")
    wish = diffing.DiffWish(wanted[0] if wanted else "", strict, whole, where, check)
    diffing.print_diff(Asked(**asked), (a, b), wish)


@click.command()
@click.argument("runs", nargs=-1, required=True)
@click.option("--seeds", is_flag=True, help="Take runs that differ only in seeds as one: mean, spread and number.")
@click.option("--step", type=int, metavar="N", help="Metrics at this step, or the nearest one before it.")
@click.option("--strict", is_flag=True, help="Tell 1 from 1.0, and 0.001 from the text '0.001'.")
@WHERE
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@CSV
@click.option("--md", "as_md", is_flag=True, help="A Markdown table.")
@common
def compare(
    runs: tuple[str, ...],
    seeds: bool,
    step: int | None,
    strict: bool,
    where: str,
    as_json: bool,
    as_csv: bool,
    as_md: bool,
    **asked: Any,
) -> None:
    """Put RUNS beside each other: metrics with the distance to the first one, the params that vary, and what differs of
    their environments, code, inputs and artifacts."""
    wish = comparing.CompareWish(chosen_format(as_json, as_csv, as_md), where, strict, seeds, step)
    comparing.print_comparison(Asked(**asked), runs, wish)
