"""`log`: what runtower wrote, from the command log."""

from __future__ import annotations

import sys
import time
from typing import Any

from runtower.commands.tables import json_array
from runtower.folders import Folders
from runtower.link.commandlog import Entry, Intent, ModelEntry, ModelIntent, read_all
from runtower.present.spans import inert
from runtower.present.times import clock


def print_log(limit: int, as_json: bool) -> None:
    """Print the newest `limit` writes, the newest last."""
    entries = read_all(Folders.of().commands)[-limit:]
    if as_json:
        for piece in json_array(_record(entry) for entry in entries):
            sys.stdout.write(piece)
        return
    now = time.time() * 1000
    for entry in entries:
        intent, result = entry.intent, entry.result
        head = f"{clock(intent.time, now)}  {entry.outcome:<8}{intent.who}  {intent.what}, on {intent.address}"
        sys.stdout.write(inert(head) + "\n")
        if result is not None and result.says:
            sys.stdout.write(f"  {inert(result.says)}\n")
        sys.stdout.write(f"  {inert(intent.command)}\n")


def _record(entry: Entry | ModelEntry) -> dict[str, Any]:
    intent, result = entry.intent, entry.result
    return {
        "id": intent.id,
        "time": intent.time,
        "who": intent.who,
        "source": intent.source,
        "address": intent.address,
        **(_of_run(entry.intent) if isinstance(entry, Entry) else _of_model(entry.intent)),
        "what": intent.what,
        "command": intent.command,
        "outcome": entry.outcome,
        "settled": result.time if result is not None else None,
        "error": result.error if result is not None else "",
        "says": result.says if result is not None else "",
    }


def _of_run(intent: Intent) -> dict[str, Any]:
    edit = intent.edit
    return {
        "run_id": edit.run_id,
        "name": intent.run_name,
        "field": edit.field,
        "key": edit.key,
        "before": edit.before,
        "after": edit.after,
    }


def _of_model(intent: ModelIntent) -> dict[str, Any]:
    promotion, edit = intent.promotion, intent.edit
    if promotion is not None:
        return {
            "model": promotion.model,
            "version": promotion.version,
            "to": str(promotion.to),
            "from": list(promotion.before),
            "way": promotion.way,
        }
    return {"model": edit.change.model} if edit is not None else {}
