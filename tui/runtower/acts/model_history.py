"""What happened to a model's aliases and stages: one line a move, the newest first, and all of it in full."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Sequence
from typing import Final

from runtower.acts.listed import Cell, Head, ListedRow
from runtower.acts.registry_words import when
from runtower.domain.errors import Invalid
from runtower.domain.models import PRODUCTION, STAGING, ModelNow, ModelVersion
from runtower.domain.promotions import Destination, DestinationKind, State, Way, destination_of
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line
from runtower.present.times import clock
from runtower.promote.history import Move, history
from runtower.promote.records import Record, all_records

HEADS: Final = (
    Head("to", "to", 14),
    Head("move", "move", 14),
    Head("when", "when", 10, right=True),
    Head("who", "who", 16),
    Head("gate", "gate", 16, least=90),
    Head("how", "how", 14, grows=True),
)
_TONES: Final = {State.MET.value: "better", State.NOT_MET.value: "worse", State.CANT_TELL.value: "warning"}
_ELSEWHERE: Final = "moved elsewhere: by another client, without a record"


def destinations_of(now: ModelNow) -> list[Destination]:
    """All that a version of this model was, or is, promoted to, as far as it lies in this model or is a copy of it."""
    found: dict[Destination, None] = dict.fromkeys(destination_of(alias) for alias in sorted(now.model.aliases))
    for stage in (PRODUCTION, STAGING):
        if now.in_stage(stage):
            found[Destination(DestinationKind.STAGE, stage)] = None
    for kept in all_records(now):
        try:
            found[destination_of(kept.record.to)] = None
        except Invalid:
            continue  # a newer version may know others
    return list(found)


def moves_of(now: ModelNow) -> list[tuple[Destination, Move]]:
    """All moves that are known, the newest first; those of which nobody knows when stand where they must have been."""
    found: list[tuple[float, int, Destination, Move]] = []
    for to in destinations_of(now):
        if to.kind is DestinationKind.MODEL and to.name != now.model.name:
            found += [(move.at or 0, 0, to, move) for move in _copies(now, to)]
            continue
        moves = history(now, to).moves
        for place, move in enumerate(moves):
            known = [one.at for one in moves[: place + 1] if one.at is not None]
            is_last = place == len(moves) - 1 and move.at is None
            found.append((time.time() * 1000 if is_last and known else max(known, default=0), place, to, move))
    found.sort(key=lambda one: (one[0], one[1]), reverse=True)
    return [(to, move) for _, _, to, move in found]


def _copies(now: ModelNow, to: Destination) -> Iterator[Move]:
    """What this model's versions tell of being copied into another one."""
    for kept in all_records(now):
        if kept.record.is_to(to) and kept.record.copied_as:
            yield Move(kept.record.before, (kept.record.copied_as,), kept.record, kept.id)


class HistoryRows:
    """The moves of a model as rows."""

    def __init__(self, now: ModelNow, glyphs: Glyphs) -> None:
        self._now = now
        self._glyphs = glyphs
        moves = [one for one in moves_of(now) if one[1].record is not None or one[1].before]
        self._moves: dict[Hashable, tuple[Destination, Move]] = {}
        for place, (to, move) in enumerate(moves):
            self._moves[move.id or f"{to} {len(moves) - place}"] = (to, move)
        self.rows = [ListedRow(key, self._cells(to, move)) for key, (to, move) in self._moves.items()]

    def version(self, key: Hashable) -> ModelVersion | None:
        """The version that came to be there."""
        _, move = self._moves[key]
        record = move.record
        number = record.version if record is not None and record.copied_as else next(iter(move.after), "")
        return self._now.version(number)

    def _cells(self, to: Destination, move: Move) -> dict[str, Cell]:
        record = move.record
        cells = {
            "to": Cell(to.shown, "hit"),
            "move": Cell(move_words(move, self._glyphs), "bright"),
            "when": Cell(when(move.at) if move.at is not None else "?", "dim", float(move.at) if move.at else None),
        }
        if record is None:
            return cells | {"who": Cell("not known", "dim", None), "how": Cell("moved elsewhere", "warning")}
        state = record.gate_state
        gate = gate_words(record)
        return cells | {
            "who": Cell(record.who),
            "gate": Cell(gate, _TONES.get(state.value, "") if state is not None else "dim"),
            "how": Cell(*_how(record)),
        }

    def about(self, key: Hashable | None) -> tuple[str, Sequence[Line]]:
        """A move in full."""
        to, move = self._moves[key]
        return f"{to.shown}  {move_words(move, self._glyphs)}", list(_about(move))


def move_words(move: Move, glyphs: Glyphs) -> str:
    """`v2 → v3`."""
    before, after = (", ".join(f"v{one}" for one in side) or "nobody" for side in (move.before, move.after))
    return f"{before} {glyphs.arrow} {after}"


def gate_words(record: Record) -> str:
    """`3 of 4 met`, or that there were no rules."""
    if not record.gate:
        return "no rules"
    met = sum(line.state == State.MET for line in record.gate)
    return f"{met} of {len(record.gate)} met"


def _how(record: Record) -> tuple[str, str]:
    if record.override:
        return f"overridden: {record.override}", "warning"
    words = {Way.PROMOTE.value: "promoted", Way.ROLLBACK.value: "brought back", Way.REMOVE.value: "taken away"}
    word = f"copied as v{record.copied_as}" if record.copied_as else words.get(record.way, record.way)
    return f"{word}: {record.reason}" if record.reason else word, ""


def _about(move: Move) -> Iterator[Line]:
    record = move.record
    if record is None:
        yield ((_ELSEWHERE, "warning"),)
        return
    moment = clock(record.at, time.time() * 1000)
    yield (("by        ", "dim"), (record.who, "bright"), (f", {moment}", ""))
    if record.context:
        yield (("in        ", "dim"), ("  ".join(f"{key} {value}" for key, value in record.context.items()), ""))
    for name, text in (("override", record.override), ("reason", record.reason)):
        if text:
            yield ((f"{name:<10}", "dim"), (text, ""))
    for line in record.gate:
        yield (
            (f"{line.state.replace('_', ' '):<9} ", _TONES.get(line.state, "")),
            (f"{line.rule}  ", ""),
            (line.says, "dim"),
        )
    if record.cut:
        yield ((f"and {record.cut} more rules, which didn't fit into the record", "dim"),)
    if not record.gate:
        yield (("gate      ", "dim"), ("no rules were declared", ""))
    if record.settled:
        yield (("Its end wasn't seen; it was found done later.", "dim"),)
    if move.gone:
        yield ((f"{', '.join(f'v{one}' for one in move.gone)}: deleted since", "warning"),)
