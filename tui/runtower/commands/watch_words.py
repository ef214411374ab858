"""The words of `watch`."""

from __future__ import annotations

from typing import Any

import click

from runtower.commands import watching
from runtower.commands.opening import Asked
from runtower.commands.options import WHERE, common
from runtower.domain.errors import Invalid

_HOOK = "--hook"


class _HookComesLast(click.Command):
    """All that follows `--hook` is the hook's: a program and its arguments, which may begin with a dash."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        place = args.index(_HOOK) if _HOOK in args else len(args)
        hook = args[place + 1 :]
        if place < len(args) and not hook:
            raise Invalid("--hook has no program after it.", "Write it last: --hook PROGRAM ARGUMENTS.")
        rest = super().parse_args(ctx, args[:place])
        ctx.params["hook"] = tuple(hook)
        return rest


@click.command(cls=_HookComesLast)
@WHERE
@click.option("--mine", is_flag=True, help="Only your own runs.")
@click.option(
    "--on",
    default="finished,failed,killed,nan,silent",
    show_default=True,
    metavar="KINDS",
    help="What to tell, separated by commas; `started` may be among them.",
)
@click.option("--until-done", is_flag=True, help="End when none of these runs is running; with 1 where one failed.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line: the run, and what happened.")
@click.option(
    "--hook-timeout", type=click.FloatRange(min=0, min_open=True), default=30.0, show_default=True, help="In seconds."
)
@click.option(_HOOK, metavar="PROGRAM ARGUMENTS", help="Run this with the run as JSON on its stdin. Comes last.")
@common
def watch(
    where: str,
    mine: bool,
    on: str,
    until_done: bool,
    as_json: bool,
    hook_timeout: float,
    hook: tuple[str, ...],
    **asked: Any,
) -> int:
    """Print a line when a run ends, goes NaN or falls silent, until ctrl+c."""
    wish = watching.Wish(where, mine, watching.kinds_of(on), hook, hook_timeout, as_json, until_done)
    return watching.watch(Asked(**asked), wish)
