"""What may stand where the cursor is in a query that is being typed: asked of the parser itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

from lark import UnexpectedInput

from runtower.catalog.query.grammar import parser
from runtower.catalog.query.names import field_of
from runtower.catalog.query.spelling import IN_NAMES, QUOTED
from runtower.catalog.query.syntax import Field

Want = Literal["name", "comparison", "value", "state", "join"]

_WANTS: Final[Mapping[str, Want]] = {
    "NAME": "name",
    "OP": "comparison",
    "WORD": "value",
    "STATE": "state",
    "_AND": "join",
}
_LETTER: Final = re.compile(IN_NAMES)


@dataclass(frozen=True, slots=True)
class Gap:
    """`typed` is the word before the cursor, from character `start` on, without a quotation mark that is still open;
    `wants` what may stand there, None where nothing fits; `field` is the name before it in the same comparison."""

    start: int
    typed: str
    wants: Want | None
    field: Field | None = None


def gap(before: str) -> Gap:
    """The gap at the end of `before`, the text up to the cursor."""
    start = _word(before)
    typed = before[start:].lstrip("'\"`")
    reading = parser().parse_interactive(before[:start])
    try:
        tokens = list(reading.exhaust_lexer())
    except UnexpectedInput:
        return Gap(start, typed, None)
    accepts = cast("set[str]", reading.accepts())  # type: ignore[no-untyped-call]
    wants = next((want for name, want in _WANTS.items() if name in accepts), None)
    last = next((token for token in reversed(tokens) if token.type == "NAME"), None)
    field = None if last is None or wants == "name" else field_of(str(last), (last.start_pos or 0, last.end_pos or 0))
    return Gap(start, typed, wants, field)


def _word(before: str) -> int:
    """Where the word at the end begins; the end itself where there is none, or where it is closed by its quotes."""
    start, at = len(before), 0
    word: int | None = None
    while at < len(before):
        closed = QUOTED.match(before, at)
        if closed is not None:
            at, word = closed.end(), None
            continue
        if before[at] in "'\"`":
            return at if word is None or before[at] == "'" else word
        begun = at if word is None else word
        word = begun if _LETTER.match(before[at]) else None
        at += 1
    return start if word is None else word
