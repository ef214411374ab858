"""The pages of docs/ that are made from the code: keys and settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from runtower.actions import ACTIONS, Action
from runtower.keymap import Keymap
from runtower.settings import (
    AlertSettings,
    DiffSettings,
    MetricSettings,
    PromoteSettings,
    Settings,
    SourceSettings,
    ViewSettings,
)

_MADE: Final = "<!-- Made by `runtower docs docs`; change the code instead. -->\n"


def keys_page() -> str:
    """docs/keys.md from the registry of actions."""
    keymap = Keymap()
    parts = [
        "# Keys\n",
        _MADE,
        "Your own go into `settings.yaml` as `keys: {ID: KEYS}`; several keys are separated by commas, the keys of a "
        "sequence by spaces, and an empty text takes an action's keys away. An action without keys is reached through "
        "the palette (`:`).\n",
    ]
    for group, actions in groupby(ACTIONS, key=lambda action: action.group):
        parts.append(f"## {group}\n")
        parts.append("| keys | what it does | where | id |\n| --- | --- | --- | --- |")
        parts += [_key_row(keymap, action) for action in actions]
        parts[-1] += "\n"
    return "\n".join(parts)


def _key_row(keymap: Keymap, action: Action) -> str:
    keys = " ".join(f"`{_escaped(key)}`" for key in keymap.shown_all(action.id).split())
    title = action.title + (f" ({action.tooltip})" if action.tooltip else "")
    return f"| {keys} | {_escaped(title)} | {', '.join(action.places)} | `{action.id}` |"


def settings_page() -> str:
    """docs/settings.md from the settings' classes."""
    parts = [
        "# Settings\n",
        _MADE,
        "Later ones win: defaults, your `~/.config/runtower/settings.yaml`, the project's `runtower.yaml` (the nearest "
        "one upward to the root of its git or DVC repository), variables `RUNTOWER_A__B`, flags. Lists replace, maps "
        "merge. `runtower settings` prints each value with where it came from. A project's file may hold neither "
        "credentials nor `${...}`, and a server that it names waits for your trust (docs/sources.md).\n",
        *_table(Settings),
        "\n## sources.NAME\n",
        *_table(SourceSettings),
        "\n## metrics.NAME\n",
        *_table(MetricSettings),
        "\n## views.NAME\n",
        *_table(ViewSettings),
        "\n## diff\n",
        *_table(DiffSettings),
        "\n## alerts.NAME\n",
        *_table(AlertSettings),
        "\n## promote\n",
        *_table(PromoteSettings),
        "\n## An example\n",
        "```yaml\nsources:\n  team: {kind: mlflow, uri: https://mlflow.example.org, read_only: true}\n"
        "  here: {uri: ./lightning_logs}\nmetrics:\n  val_loss: {goal: min, digits: 4}\ntheme: dark\n"
        "views:\n  good: {where: metrics.val_loss < 0.3, sort: [metrics.val_loss], columns: [status, params.lr]}\n"
        "keys:\n  find.filter: ctrl+f\n```\n",
    ]
    return "\n".join(parts)


def _table(kind: type[Any]) -> Iterator[str]:
    yield "| setting | default | what it is |\n| --- | --- | --- |"
    for field in dataclasses.fields(kind):
        default = field.default if field.default is not dataclasses.MISSING else None
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if field.name == "alerts":
            default = dict.fromkeys(default or (), "{mine: true}")  # the rule is told in its own table
        shown = str(default).lower() if isinstance(default, bool) else str(default)
        shown = "see below" if dataclasses.is_dataclass(default) else shown
        yield f"| `{field.name}` | `{shown if shown else repr('')}` | {_escaped(field.metadata['doc'])} |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def write(folder: Path) -> None:
    """Write the pages into a folder. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "keys.md").write_text(keys_page(), encoding="utf-8")
    (folder / "settings.md").write_text(settings_page(), encoding="utf-8")
