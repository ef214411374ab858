"""From the text of a query to its syntax, by lark's LALR parser. Errors say what was expected, and where."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final, cast

from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from runtower.catalog.query.misread import Misread, Place
from runtower.catalog.query.names import field_of
from runtower.catalog.query.spelling import DOUBLE, IN_NAMES, OWN_WORDS, QUOTED, SINGLE, TICKED
from runtower.catalog.query.syntax import (
    Comparison,
    Field,
    Joined,
    Membership,
    Negation,
    Op,
    Presence,
    State,
    Syntax,
    Value,
)

LONGEST: Final = 20_000
_DEEPEST: Final = 60

_FAMILY: Final = r"(?:`\w+`|[^\W\d]\w*)\."
_NAME: Final = (
    rf"(?!(?:{OWN_WORDS})(?!{IN_NAMES}))"
    rf"(?:{_FAMILY}(?:{TICKED}|{DOUBLE})|`\w+`\.{IN_NAMES}*|{TICKED}|{DOUBLE}|[^\W\d]{IN_NAMES}*)"
)
_MOMENT: Final = (
    r"\d+(?:\.\d+)?\s*[a-z]+\s+ago(?!\w)"
    r"|\d{4}-\d\d-\d\d(?:[ T]\d\d?:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?(?![\w-])"
)

_GRAMMAR: Final = rf"""
?start: either
?either: both (_OR both)*
?both: term (_AND term)*
?term: NOT term -> negation
     | "(" either ")"
     | comparison
comparison: field OP value -> compared
          | field LIKE value -> compared
          | field IN "(" value ("," value)* ")" -> among
          | field NOT IN "(" value ("," value)* ")" -> not_among
          | field IS STATE -> present
          | field IS NOT STATE -> not_present
field: NAME
value: MOMENT | TEXT | WORD

OP.3: "<=" | ">=" | "!=" | "<>" | "==" | "=" | "<" | ">" | "~"
LIKE.4: /i?like(?!{IN_NAMES})/i
IN.4: /in(?!{IN_NAMES})/i
IS.4: /is(?!{IN_NAMES})/i
STATE.4: /(?:set|missing|null|nan)(?!{IN_NAMES})/i
NOT.5: /not(?!{IN_NAMES})/i
_AND.4: /and(?!{IN_NAMES})/i
_OR.4: /or(?!{IN_NAMES})/i
NAME.2: /{_NAME}/i
TEXT.3: /{SINGLE}|{DOUBLE}/
MOMENT.4: /{_MOMENT}/i
WORD.1: /[^\s()'"`,<>=!~]+/
%import common.WS
%ignore WS
"""

_SAID: Final = {
    "NAME": "a name",
    "OP": "a comparison (= != < <= > >= like ~ in is)",
    "STATE": "set, missing, nan",
    "WORD": "a value",
    "LPAR": "'('",
    "RPAR": "')'",
    "COMMA": "','",
    "IN": "'in'",
    "_AND": "'and'",
    "_OR": "'or'",
}


def parse(text: str) -> Syntax:
    """The syntax of a query. Raises Misread with the place of the first thing that doesn't fit."""
    if len(text) > LONGEST:
        raise Misread(f"it is longer than {LONGEST:,} characters", "", text, (LONGEST, len(text)))
    try:
        found = cast(Syntax, parser().parse(text))
    except UnexpectedInput as error:
        raise _misread(error, text) from None
    _check_depth(found, text)
    return found


@cache
def parser() -> Lark:
    """The parser; making it takes some 20 ms, so the first query does."""
    return Lark(_GRAMMAR, parser="lalr", transformer=_Reader(), propagate_positions=False)


@v_args(inline=True)
class _Reader(Transformer[Token, Any]):
    """Builds the syntax while lark reads, so that no depth of brackets is a depth of calls."""

    def field(self, name: Token) -> Field:
        return field_of(str(name), _place(name))

    def value(self, token: Token) -> Value:
        quoted = token.type == "TEXT"
        return Value(str(token)[1:-1] if quoted else str(token), quoted, _place(token))

    def compared(self, field: Field, op: Token, value: Value) -> Syntax:
        said = {"==": "=", "<>": "!="}.get(str(op), str(op).lower())
        return Comparison(field, cast(Op, said), value)

    def among(self, field: Field, _: Token, *values: Value) -> Syntax:
        return Membership(field, values, False)

    def not_among(self, field: Field, _: Token, __: Token, *values: Value) -> Syntax:
        return Membership(field, values, True)

    def present(self, field: Field, _: Token, state: Token) -> Syntax:
        return Presence(field, _state(state), False)

    def not_present(self, field: Field, _: Token, __: Token, state: Token) -> Syntax:
        return Presence(field, _state(state), True)

    def negation(self, _: Token, part: Syntax) -> Syntax:
        return part.part if isinstance(part, Negation) else Negation(part)

    def both(self, *parts: Syntax) -> Syntax:
        return Joined(parts, False)

    def either(self, *parts: Syntax) -> Syntax:
        return Joined(parts, True)


def _state(token: Token) -> State:
    word = str(token).lower()
    return cast(State, "missing" if word == "null" else word)


def _place(token: Token) -> Place:
    start = token.start_pos or 0
    return start, start + len(token)


def _check_depth(found: Syntax, text: str) -> None:
    level: list[Syntax] = [found]
    for _ in range(_DEEPEST):
        level = [part for one in level for part in _parts(one)]
        if not level:
            return
    raise Misread("it is nested too deeply", "Write it with fewer brackets.", text, (0, len(text)))


def _parts(one: Syntax) -> Iterable[Syntax]:
    if isinstance(one, Joined):
        return one.parts
    return (one.part,) if isinstance(one, Negation) else ()


# -- errors


def _misread(error: UnexpectedInput, text: str) -> Misread:
    if isinstance(error, UnexpectedToken):
        expected = set(error.accepts or error.expected)
        place = (len(text), len(text)) if error.token.type == "$END" else _place(error.token)
    elif isinstance(error, UnexpectedCharacters):
        at = error.pos_in_stream or 0
        expected, place = set(error.allowed or ()), (at, at + 1)
    else:
        expected, place = set(), (len(text), len(text))
    start, _ = place
    rest = text[start:]
    if rest[:1] in ("'", '"', "`") and not QUOTED.match(rest):
        return Misread("this quotation mark has no second one", f"Close it with {rest[0]}.", text, (start, len(text)))
    word = re.match(r"[\w.\/@:$#-]+|\S", rest)
    place = (start, start + len(word[0])) if word is not None else place
    if rest[:1] == ")" and expected <= {"$END"}:
        return Misread("this bracket closes nothing", "", text, place)
    instead = f", not {word[0]!r}" if word is not None else ", and here it ends"
    return Misread(f"expected is {_listed(expected)}{instead}", _hint(word[0] if word else ""), text, place)


def _listed(expected: set[str]) -> str:
    said = [words for name, words in _SAID.items() if name in expected]
    if "OP" in expected:
        said = [words for words in said if words != "'in'"]
    return " or ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said) if said else "the end"


def _hint(word: str) -> str:
    if word in ("&", "|", "!"):
        return "The words are and, or, not."
    if word == ";":
        return "Conditions are joined by and, or."
    return ""
