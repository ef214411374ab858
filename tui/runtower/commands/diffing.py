"""`diff`: what is different between two configs, wherever they are."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runtower.acts.compose_check import checked
from runtower.acts.config_diff import ConfigDiff, compared
from runtower.acts.run_config import configs_of
from runtower.commands import diff_listing
from runtower.commands.listing import resolved, write
from runtower.commands.opening import Asked, context, opened
from runtower.config.files import is_named, read_named
from runtower.config.tree import Config, dotted
from runtower.domain.errors import Different, Invalid
from runtower.folders import Folders
from runtower.present.spans import inert
from runtower.settings import Settings
from runtower.settings_quick import settings


@dataclass(frozen=True)
class DiffWish:
    """How they are compared: `form` is '' (for people), overrides, yaml, md or json; `whole` heeds no rules."""

    form: str = ""
    strict: bool = False
    whole: bool = False
    where: str = ""
    check: bool = False


def print_diff(asked: Asked, texts: tuple[str, str], wish: DiffWish) -> None:
    """Print what turns the first into the second. Raises Different where something does, TowerError."""
    named = {text: read_named(text) for text in texts if is_named(text)}
    runs = [text for text in texts if text not in named]
    if runs:
        known, found = asyncio.run(_of_runs(asked, runs, wish.where))
        named |= found
    else:
        known = settings(Path.cwd(), os.environ, Folders.of())
    ignore = () if wish.whole else known.diff.ignore
    found_diff = compared(named[texts[0]], named[texts[1]], ignore, known.redact, wish.strict)
    _print(found_diff, wish.form)
    if wish.check:
        said = asyncio.run(checked(found_diff, Path.cwd(), ignore, known.redact))
        sys.stderr.write(f"runtower: {inert(str(said))}\n")
        if said.found is not None and said.found.is_different:
            raise Invalid("The overrides don't make B of A.", "Compare what A was started with.")
    if found_diff.is_different:
        raise Different(found_diff.summary())


async def _of_runs(asked: Asked, texts: Sequence[str], where: str) -> tuple[Settings, dict[str, Config]]:
    work = context(asked)
    async with opened(work, asked.patience) as tower:
        rows = [resolved(tower.catalogue, text, where, work.settings.metrics) for text in texts]
        return work.settings, dict(zip(texts, await configs_of(tower, rows), strict=True))


def _print(found: ConfigDiff, form: str) -> None:
    if form == "json":
        write([diff_listing.as_json(found)])
    elif form == "yaml":
        write([diff_listing.as_yaml(found)])
    elif form == "md":
        write(diff_listing.markdown(found))
    elif form == "overrides":
        write(diff_listing.override_lines(found))
        _warn(found)
    else:
        write(diff_listing.plain(found))


def _warn(found: ConfigDiff) -> None:
    """What the overrides leave out."""
    for one in found.overrides.unsaid:
        sys.stderr.write(f"runtower: not said: {inert(dotted(one.path))} {inert(one.why)}\n")
    if found.hidden:
        names = ", ".join(dict.fromkeys(inert(dotted(one.path)) for one in found.hidden))
        sys.stderr.write(f"runtower: left out by rules: {names}; --all takes them in\n")
