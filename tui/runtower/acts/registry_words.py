"""What is said of models and versions in more than one place: their URIs, aliases, stages and states."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Final

from runtower.domain.models import FAILED, PENDING, PRODUCTION, READY, STAGING, Model, ModelVersion
from runtower.present.glyphs import Glyphs
from runtower.present.times import ago

_FIRST: Final = ("champion", "production", "prod", "live")


def version_name(version: str) -> str:
    """`v3`."""
    return f"v{version}"


def aliases_of(model: Model) -> str:
    """`@champion v3  @challenger v4`, those that matter most first."""
    return "  ".join(f"@{alias} {version_name(model.aliases[alias])}" for alias in in_order(model.aliases))


def in_order(aliases: Iterable[str]) -> list[str]:
    """Aliases that usually stand for what is in use first, the others in the order of the alphabet."""
    return sorted(aliases, key=lambda one: (one.casefold() not in _FIRST, one))


def stages_of(model: Model) -> str:
    """`Production v2  Staging v3`: what is archived isn't in use."""
    there = [stage for stage in (PRODUCTION, STAGING) if stage in model.stages]
    return "  ".join(f"{stage} {version_name(model.stages[stage])}" for stage in there)


def tags_of(tags: Mapping[str, str]) -> str:
    """`reviewed=yes  team=vision`, without those that runtower keeps its records in."""
    shown = {key: value for key, value in sorted(tags.items()) if not is_record(key)}
    return "  ".join(f"{key}={value}" if value else key for key, value in shown.items())


def is_record(key: str) -> bool:
    """Whether a tag is one of runtower's own records, which no user writes."""
    return key.startswith("runtower.") and key != "runtower.gate"


def uri_of(version: ModelVersion, alias: str = "") -> str:
    """`models:/detector@champion` where it has an alias, else `models:/detector/3`."""
    alias = alias or next(iter(in_order(version.aliases)), "")
    return f"models:/{version.model}@{alias}" if alias else f"models:/{version.model}/{version.version}"


def model_uri(model: Model) -> str:
    """That of the alias that matters most, else of its newest version."""
    alias = next(iter(in_order(model.aliases)), "")
    return f"models:/{model.name}@{alias}" if alias else f"models:/{model.name}/{model.latest or 'latest'}"


def state_of(version: ModelVersion, glyphs: Glyphs) -> tuple[str, str]:
    """Its status in a word with a sign, and the tone."""
    match version.status:
        case status if status == READY:
            return f"{glyphs.finished} ready", "better"
        case status if status == PENDING:
            return f"{glyphs.waiting} pending", "warning"
        case status if status == FAILED:
            return f"{glyphs.failed} failed", "worse"
        case status:
            return f"{glyphs.unknown} {status.lower()}", "warning"


def when(moment: int | None) -> str:
    """How long ago, '' where nobody knows."""
    return "" if moment is None else ago(moment, time.time() * 1000)
