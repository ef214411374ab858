"""The screens that offer actions, by what they have in common."""

from __future__ import annotations

from typing import Final

REGISTRY: Final = ("models", "model", "version")
ROWS: Final = ("models", "model")
VERSIONS: Final = ("model", "version")
PROMOTION: Final = ("promotion",)
BOX: Final = ("jobs", "gpus")
PIPELINE: Final = ("pipeline",)
LISTED: Final = (*ROWS, *BOX, *PIPELINE)
RUNNING: Final = ("runs", *BOX)
LISTS: Final = ("runs", "sources", *LISTED)
FILES: Final = ("artifacts", "log")
RUN: Final = ("run", *FILES)
COMPARED: Final = ("compare", "curves")
OPENED: Final = ("runs", *RUN)
TEXTS: Final = ("texts",)
LINES: Final = (*OPENED, *COMPARED)
SCROLLED: Final = (*LINES, *TEXTS, *REGISTRY, *PROMOTION, *BOX, *PIPELINE)
FIRST: Final = (*RUN, *COMPARED, *TEXTS, "version", *PROMOTION)
PANES: Final = ("runs", "run", "artifacts", "curves")
CHARTS: Final = ("run", "curves")
DRAWN: Final = (*SCROLLED, "points")
PAGES: Final = (*SCROLLED, "sources")
ALL: Final = (*DRAWN, "empty", "sources")
SOURCES: Final = ("sources",)
