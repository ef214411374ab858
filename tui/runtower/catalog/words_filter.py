"""The filter that is typed with `/`: words, `!` inverted, `~` fuzzy, `/regular expression/` (RE2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from runtower.catalog.columns import Column, NumberColumn, TextColumn
from runtower.domain.errors import Invalid

Mask = NDArray[np.bool_]
RANKED: Final = 1000


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: `pattern` is RE2 where `regex`, else plain text; case never counts."""

    pattern: str
    regex: bool = False
    inverted: bool = False


@dataclass(frozen=True, slots=True)
class WordsFilter:
    """All terms must hold. `fuzzy` is the typed text where hits are to be ranked, else ''."""

    terms: tuple[Term, ...] = ()
    fuzzy: str = ""

    def __bool__(self) -> bool:
        return bool(self.terms)


def parse(text: str) -> WordsFilter:
    """What a typed filter means. Raises Invalid for a regular expression that RE2 can't read."""
    text = text.strip()
    inverted = text.startswith("!") and not text.startswith("! ")
    if (text[1:] if inverted else text).startswith("/"):
        body = text[1:] if inverted else text
        pattern = body[1:-1] if len(body) > 1 and body.endswith("/") else body[1:]
        return WordsFilter((Term(_checked(pattern), True, inverted),) if pattern else ())
    if text.startswith("~"):
        letters = text[1:].replace(" ", "")
        pattern = ".*?".join(re.escape(letter) for letter in letters)
        return WordsFilter((Term(pattern, True),), letters) if letters else WordsFilter()
    terms = [(word[1:], True) if word.startswith("!") else (word, False) for word in text.split()]
    return WordsFilter(tuple(Term(word, False, no) for word, no in terms if word))


def _checked(pattern: str) -> str:
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        reason = str(error).split(":")[-1].strip()
        raise Invalid(
            f"The regular expression {pattern!r} can't be read ({reason}).", "Correct it, or press esc."
        ) from error
    return pattern


def matches(words_filter: WordsFilter, columns: Sequence[Column], size: int) -> Mask:
    """By global row whether every term is found in one of the columns (an inverted one: in none)."""
    out = np.ones(size, bool)
    for term in words_filter.terms:
        hit = np.zeros(size, bool)
        for column in columns:
            if isinstance(column, TextColumn):
                hit |= _in_texts(term, column)
            elif not term.regex:
                hit |= _in_numbers(term, column)
        out &= ~hit if term.inverted else hit
    return out


def _in_texts(term: Term, column: TextColumn) -> Mask:
    if not len(column.words):
        return np.zeros(len(column.codes), bool)
    if term.regex:
        hits = pc.match_substring_regex(column.words, term.pattern, ignore_case=True)
    else:
        hits = pc.match_substring(column.folded, term.pattern.lower())
    return np.append(hits.to_numpy(zero_copy_only=False), False)[column.codes]


def _in_numbers(term: Term, column: NumberColumn) -> Mask:
    """A number is found by its own value: `/ 0.25` finds 0.25."""
    try:
        wanted = float(term.pattern)
    except ValueError:
        return np.zeros(len(column.values), bool)
    return np.asarray(column.values == wanted)


def ranked(letters: str, names: TextColumn, rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """Fuzzy hits, the first 1,000 best first: letters close together, near the start, in a short name."""
    head = rows[:RANKED]

    def badness(row: int) -> tuple[float, int]:
        name = (names.text(row) or "").casefold()
        spot, first, last = -1, -1, -1
        for letter in letters.casefold():
            spot = name.find(letter, spot + 1)
            if spot < 0:
                return (1e9, len(name))
            first = spot if first < 0 else first
            last = spot
        return (last - first + first / 4, len(name))

    return np.concatenate([np.array(sorted(head.tolist(), key=badness), np.int32), rows[RANKED:]])
