"""The words of `dvc`."""

from __future__ import annotations

from typing import Any, Final

import click

from runtower.commands import dvc_listing
from runtower.commands.choosing import Wish
from runtower.commands.opening import Asked
from runtower.commands.options import CSV, JSON, WHERE, common

_OBJECT: Final = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.group()
def dvc() -> None:
    """What a DVC project is like now: its stages and why they are stale, its experiments. Changes nothing."""


@dvc.command()
@_OBJECT
@common
def status(as_json: bool, **asked: Any) -> None:
    """How many stages are stale, and who holds the project's lock."""
    dvc_listing.print_status(Asked(**asked), as_json)


@dvc.command()
@click.option("--stale", is_flag=True, help="Only those that aren't fresh.")
@JSON
@common
def stages(stale: bool, as_json: bool, **asked: Any) -> None:
    """List the stages of all dvc.yaml files with their states, each after those that it builds on."""
    dvc_listing.print_stages(Asked(**asked), stale, as_json)


@dvc.command()
@click.argument("stage")
@JSON
@common
def why(stage: str, as_json: bool, **asked: Any) -> None:
    """Say why STAGE is stale: each param, file and command with what it was and is, and what it builds on."""
    dvc_listing.print_why(Asked(**asked), stage, as_json)


@dvc.command()
@WHERE
@click.option("--sort", default="", metavar="KEY[:desc]", help="A column, e.g. val_loss or start_time:desc.")
@click.option("--columns", default="", metavar="COLUMNS", help="Only these, e.g. name,val_loss,params.lr")
@click.option("--limit", type=click.IntRange(min=0), help="Not more.")
@JSON
@CSV
@common
def experiments(
    where: str, sort: str, columns: str, limit: int | None, as_json: bool, as_csv: bool, **asked: Any
) -> None:
    """List the experiments, commits and the workspace, as `runs` does."""
    form = "json" if as_json else "csv" if as_csv else ""
    dvc_listing.list_experiments(Asked(**asked), Wish(where=where, sort=sort, columns=columns, limit=limit), form)
