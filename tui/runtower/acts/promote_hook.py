"""`on_promote`: the program that hears of each promotion that was made here, from the screen or by a command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from runtower.acts.hooks import Hooks
from runtower.domain.promotions import Promoted, Promotion
from runtower.promote.records import record_of
from runtower.starting import Starter


class PromoteHook:
    """Runs it where there is one and it may be run. `trouble` is told why it wasn't, and what went wrong."""

    def __init__(self, starter: Starter, trouble: Callable[[str], None]) -> None:
        self._starter = starter
        self._trouble = trouble
        self._hooks = Hooks(starter.folders.logs, trouble, starter.project_file.parent)

    def run(self, promotion: Promotion, promoted: Promoted, source: str) -> None:
        """Begin it, with the record as JSON on its stdin; not for what was so already."""
        settings = self._starter.settings.promote
        if not settings.on_promote or promoted.already:
            return
        why = self._starter.held_on_promote()
        if why:
            self._trouble(why)
            return
        self._hooks.run(settings.on_promote, hook_record(promotion, promoted, source), settings.timeout)

    async def settled(self) -> None:
        """Wait until it has ended."""
        await self._hooks.settled()


def hook_record(promotion: Promotion, promoted: Promoted, source: str) -> dict[str, Any]:
    """What it gets: the record as it stands on the version, its id, and the source."""
    record = msgspec.structs.replace(record_of(promotion), copied_as=promoted.copied_as)
    return {"id": promotion.id, "source": source, **msgspec.to_builtins(record)}
