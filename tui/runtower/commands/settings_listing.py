"""`settings`: each value and where it came from."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runtower.commands.tables import json_array, plain_lines
from runtower.domain.targets import without_credentials
from runtower.folders import Folders
from runtower.settings_files import load


def print_settings(as_json: bool) -> None:
    """Print them; credentials in URIs are left out. Raises Invalid."""
    loaded = load(Path.cwd(), os.environ, Folders.of(), {})
    rows = [(key, _safe(key, value), _origin(key, loaded.origins)) for key, value in _flat(asdict(loaded.settings), "")]
    if as_json:
        pieces = json_array({"key": key, "value": value, "origin": origin} for key, value, origin in rows)
    else:
        texts = ([key, _text(value), origin] for key, value, origin in rows)
        pieces = plain_lines(("setting", "value", "from"), texts, (False, False, False))
    for piece in pieces:
        sys.stdout.write(piece)


def _safe(key: str, value: Any) -> Any:
    if ".options." in key and re.search(r"(?i)password|token|secret|key|headers\.", key):
        return "..."
    return without_credentials(value) if isinstance(value, str) else value


def _flat(values: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        name = f"{above}.{key}" if above else key
        if isinstance(value, dict) and value:
            yield from _flat(value, name)
        else:
            yield name, value


def _origin(key: str, origins: Mapping[str, str]) -> str:
    return origins.get(key, "default")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
