"""The words of `models`, `gate`, `promote` and `rollback`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from runtower.commands import model_history_listing, model_judging, model_listing, model_promoting
from runtower.commands.model_promoting import PromoteWish
from runtower.commands.model_tables import ListWish
from runtower.commands.opening import Asked, chosen_format
from runtower.commands.options import CSV, JSON, common
from runtower.commands.saying_yes import Yes, ask_reason

_MD: Final = click.option("--md", "as_md", is_flag=True, help="A Markdown table.")
_LIMIT: Final = click.option("--limit", type=click.IntRange(min=0), help="At most so many lines.")
_OBJECT: Final = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
_TO: Final = click.option("--to", required=True, metavar="T", help="An alias, stage:NAME, or model:NAME for a copy.")
_LIST: Final = "list"


class _ListsByDefault(click.Group):
    """`models NAME...` is `models list NAME...`; a model that is called like a command is named that way."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """An option that stands before a command (`runtower --read-only models versions`) is given to it."""
        leading = [word for word in args if not word.startswith("-")]
        first = leading[0] if leading else ""
        is_help = bool(args) and args[0] in ctx.help_option_names
        if first in self.commands and args[0] != first and args[: args.index(first)] == ["--read-only"]:
            args = [first, "--read-only", *args[2:]]
        elif not is_help and (not args or args[0] not in self.commands):
            args = [_LIST, *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListsByDefault)
def models() -> None:
    """List registered models: `models [NAME...]`; `models versions NAME` and `models history NAME` tell more of one."""


@models.command(_LIST)
@click.argument("names", nargs=-1)
@_LIMIT
@JSON
@CSV
@_MD
@common
def list_(names: tuple[str, ...], limit: int | None, as_json: bool, as_csv: bool, as_md: bool, **asked: Any) -> None:
    """List the registered models, or those of these NAMES; what `models` does without a word after it."""
    model_listing.list_models(Asked(**asked), names, ListWish(chosen_format(as_json, as_csv, as_md), limit))


@models.command()
@click.argument("name")
@_LIMIT
@JSON
@CSV
@_MD
@common
def versions(name: str, limit: int | None, as_json: bool, as_csv: bool, as_md: bool, **asked: Any) -> None:
    """List the versions of model NAME, the newest first: aliases, stage, status, run, and that run's metrics."""
    model_listing.list_versions(Asked(**asked), name, ListWish(chosen_format(as_json, as_csv, as_md), limit))


@models.command()
@click.argument("name")
@click.option("--to", default="", metavar="T", help="Only of this: an alias, stage:NAME or model:NAME.")
@_LIMIT
@JSON
@CSV
@_MD
@common
def history(name: str, to: str, limit: int | None, as_json: bool, as_csv: bool, as_md: bool, **asked: Any) -> None:
    """Tell what happened to the aliases and stages of model NAME, the newest first: who moved what, when, and why."""
    wish = ListWish(chosen_format(as_json, as_csv, as_md), limit)
    model_history_listing.print_history(Asked(**asked), name, to, wish)


@click.command()
@click.argument("name")
@click.argument("version")
@_TO
@_OBJECT
@common
def gate(name: str, version: str, to: str, as_json: bool, **asked: Any) -> None:
    """Judge whether VERSION (a number or @ALIAS) of model NAME may be promoted to T, and write nothing.

    Exits with 0 where all rules are met or none are declared, 3 where one isn't met, 11 where one can't be told.
    """
    model_judging.print_gate(Asked(**asked), name, version, to, as_json)


def _writing(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of what moves a version."""
    for option in (
        _OBJECT,
        click.option(
            "--yes-protected",
            metavar="NAME",
            help="The yes for a protected T: NAME is the model that changes.",
        ),
        click.option("--yes", is_flag=True, help="Don't ask, unless T is protected."),
        click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing."),
        click.option(
            "--if-holder", metavar="V|none", help="Only where this version is there now; several with commas."
        ),
        _TO,
    ):
        command = option(command)
    return common(command)


@click.command()
@click.argument("name")
@click.argument("version")
@click.option("--archive", is_flag=True, help="Who is in the stage goes to Archived.")
@click.option("--override", default="", metavar="REASON", help="Go on though the gate isn't met; REASON is recorded.")
@click.option("--reason", default="", metavar="TEXT", help="Why; recorded.")
@_writing
def promote(
    name: str,
    version: str,
    archive: bool,
    override: str,
    reason: str,
    to: str,
    if_holder: str | None,
    dry_run: bool,
    yes: bool,
    yes_protected: str | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Promote VERSION (a number or @ALIAS) of model NAME to T, if the gate is met and nobody else came first.

    Exits with 0 where it is done or was so already, 3 where the gate isn't met, 7 where another one holds T by now, 8
    where it isn't known whether it took effect, 11 where the gate can't be told.
    """
    confirmed = Yes(yes, yes_protected)
    wish = PromoteWish(to, confirmed, archive, if_holder, override, reason, dry_run, as_json)
    model_promoting.promote(Asked(**asked), name, version, wish)


@click.command()
@click.argument("name")
@click.option("--reason", default="", metavar="TEXT", help="Why; recorded, and asked for where it isn't given.")
@click.option("--beside", is_flag=True, help="Who is in the stage stays there, and doesn't go to Archived.")
@_writing
def rollback(
    name: str,
    reason: str,
    beside: bool,
    to: str,
    if_holder: str | None,
    dry_run: bool,
    yes: bool,
    yes_protected: str | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Bring back who was at T of model NAME before; rules are shown, and none stands in the way."""
    why = reason.strip() or ("" if dry_run else ask_reason())
    confirmed = Yes(yes, yes_protected)
    wish = PromoteWish(to, confirmed, not beside, if_holder, "", why, dry_run, as_json)
    model_promoting.rollback(Asked(**asked), name, wish)
