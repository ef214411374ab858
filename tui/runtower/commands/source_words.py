"""The words of `sources` and `trust`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from runtower.commands import sources_listing, trusting
from runtower.commands.opening import Asked
from runtower.commands.options import JSON, common


@click.group(invoke_without_command=True)
@JSON
@common
@click.pass_context
def sources(words: click.Context, /, as_json: bool, **asked: Any) -> None:
    """List the sources: where each is, where it is named, and whether it answers now."""
    if words.invoked_subcommand is None:
        sources_listing.list_sources(Asked(**asked), as_json)


@sources.command()
@click.argument("name")
@click.argument("uri", metavar="PATH|URI")
@click.option("--kind", default="", metavar="KIND", help="mlflow, csvlogger or dvc; else the path or URI tells it.")
@click.option("--read-only", is_flag=True, help="Never write to it.")
def add(name: str, uri: str, kind: str, read_only: bool) -> None:
    """Name a source in the project's runtower.yaml."""
    sources_listing.add_source(name, uri, kind, read_only)


@sources.command()
@click.argument("name")
def remove(name: str) -> None:
    """Take a source out of the project's runtower.yaml. What it holds is left alone."""
    sources_listing.remove_source(name)


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--list", "listed", is_flag=True, help="What is trusted, by folder.")
@click.option("--revoke", is_flag=True, help="Trust nothing of the folder any more.")
@JSON
def trust(folder: Path | None, yes: bool, listed: bool, revoke: bool, as_json: bool) -> None:
    """Say which servers and hooks a project's runtower.yaml names, and what they would get; and allow it."""
    trusting.trust(folder, trusting.How(yes, listed, revoke, as_json))
