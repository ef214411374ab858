"""`models history`: what happened to the aliases and stages of a model, without a screen."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from runtower.acts.model_history import gate_words, move_words, moves_of
from runtower.acts.registry_words import when
from runtower.commands.listing import write
from runtower.commands.model_finding import Found, found
from runtower.commands.model_tables import ListWish, cut, write_table
from runtower.commands.opening import Asked, context
from runtower.commands.tables import json_array
from runtower.domain.promotions import Destination, destination_of
from runtower.present.glyphs import UNICODE
from runtower.present.times import iso
from runtower.promote.history import Move

_ELSEWHERE: Final = "moved elsewhere, without a record"


def print_history(asked: Asked, name: str, to: str, wish: ListWish) -> None:
    """Print the moves of a model's aliases and stages, the newest first; `to` says of which, '' for all."""
    only = destination_of(to) if to else None
    asyncio.run(_print_history(asked, name, only, wish))


async def _print_history(asked: Asked, name: str, only: Destination | None, wish: ListWish) -> None:
    async with found(context(asked), name, asked.patience) as model:
        moves = [one for one in moves_of(model.now) if only in (None, one[0])]
    moves = cut([one for one in moves if one[1].record is not None or one[1].before], wish.limit, "moves")
    if wish.form == "json":
        write(json_array(_move_record(model, to, move) for to, move in moves))
        return
    head = ["to", "before", "after", "at", "who", "way", "gate", "override", "reason"]
    if wish.form:
        write_table(head, (_exact_move(to, move) for to, move in moves), wish.form)
        return
    write_table(["to", "move", "when", "who", "gate", "how"], (_move(to, move) for to, move in moves), "")


def _move(to: Destination, move: Move) -> list[str]:
    record = move.record
    words = move_words(move, UNICODE)
    if record is None:
        return [to.shown, words, "", "", "", _ELSEWHERE]
    said = [record.way, f"overridden: {record.override}" if record.override else "", record.reason]
    how = ": ".join(text for text in said if text)
    return [to.shown, words, when(record.at), record.who, gate_words(record), how]


def _exact_move(to: Destination, move: Move) -> list[str]:
    record, sides = move.record, [" ".join(move.before), " ".join(move.after)]
    if record is None:
        return [str(to), *sides, "", "", "elsewhere", "", "", ""]
    state = record.gate_state
    said = [record.way, state.value if state is not None else "", record.override, record.reason]
    return [str(to), *sides, iso(record.at), record.who, *said]


def _move_record(model: Found, to: Destination, move: Move) -> dict[str, Any]:
    """Of a move made elsewhere only what the registry shows is known."""
    record = move.record
    known: dict[str, Any] = {
        "source": model.target.name,
        "model": model.now.model.name,
        "to": str(to),
        "before": move.before,
        "after": move.after,
        "gone": move.gone,
        "elsewhere": move.elsewhere,
        "id": move.id or None,
        "at": move.at,
    }
    if record is None:
        return known | {"who": None, "version": None, "way": None, "gate": None}
    gate = {
        "state": record.gate_state,
        "rules": [{"rule": line.rule, "state": line.state, "says": line.says} for line in record.gate],
        "left_out": record.cut,
    }
    return known | {
        "who": record.who,
        "version": record.version or None,
        "way": record.way,
        "gate": gate,
        "archive": record.archive,
        "override": record.override or None,
        "reason": record.reason or None,
        "context": record.context,
        "copied_as": record.copied_as or None,
        "settled": record.settled,
    }
