"""The page of a promotion in lines: before and after beside each other, and the gate rule by rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from runtower.acts.preparing import Prepared
from runtower.acts.promotion_sides import Delta, Sides
from runtower.acts.registry_words import version_name, when
from runtower.acts.tower import Tower
from runtower.domain import runs
from runtower.domain.models import READY, ModelVersion
from runtower.domain.promotions import State, Verdict, Way
from runtower.present.glyphs import Glyphs
from runtower.present.numbers import NumberFormat, format_for
from runtower.present.spans import Line, Span, inert, padded, shortened
from runtower.promote.evidence import Measure

_LABEL: Final = 12
_LEAST: Final = 22
_MOST: Final = 46
_FOR_NAMES: Final = 34
_NOT_SAME: Final = "not the same data"
TONES: Final = {State.MET: "better", State.NOT_MET: "worse", State.CANT_TELL: "warning"}


class PromotionLines:
    """Of one prepared promotion, for a page of so many cells."""

    def __init__(self, tower: Tower, prepared: Prepared, sides: Sides | None, glyphs: Glyphs, width: int) -> None:
        self._tower = tower
        self._prepared = prepared
        self._sides = sides
        self._glyphs = glyphs
        self._width = width
        self._doubt_of_all = ""
        self._column = 0
        self._half = max(_LEAST, min(_MOST, (width - _LABEL - 20) // 2))
        self._is_narrow = self._half < _FOR_NAMES

    def lines(self) -> list[Line]:
        """All of the page but what is said of how it goes on."""
        return [*self._heads(), *self._metrics(), *self._differences(), (), *self._gate(), *self._warnings()]

    # -- before and after

    def _heads(self) -> Iterator[Line]:
        prepared = self._prepared
        now = "now nobody" if not prepared.before else f"now {self._who(prepared.holder)}"
        if len(prepared.before) > 1:
            more = len(prepared.before) - 1
            now += f" and {more} more"
        yield self._row("", ((now, "title"),), (("then ", "title"), (self._who(prepared.version), "title")))
        names = [self._run(prepared.holder), self._run(prepared.version)]
        yield self._row("run", ((names[0], "dim"),), ((names[1], "dim"),))

    def _who(self, one: ModelVersion | None) -> str:
        if one is None:
            return "a version that is gone"
        name = version_name(one.version) if one.model == self._prepared.asked.model else f"{one.model} v{one.version}"
        return ", ".join(text for text in (name, f"by {one.user}" if one.user else "", when(one.created)) if text)

    def _run(self, one: ModelVersion | None) -> str:
        if one is None or not one.run_id:
            return ""
        row = self._prepared.rows.get(one.run_id)
        return one.run_id[:8] if row is None else self._tower.catalogue.texts(runs.NAME).text(row) or one.run_id[:8]

    def _row(self, label: str, now: Line, then: Line) -> Line:
        left = _cut(now, self._half, self._glyphs)
        gap = " " * (self._half + 1 - sum(len(text) for text, _ in left))
        return (
            (padded(label, _LABEL), "dim"),
            *left,
            (gap, ""),
            *_cut(then, self._width - _LABEL - self._half, self._glyphs),
        )

    def _metrics(self) -> Iterator[Line]:
        if self._sides is None:
            yield ((f"{'':<{_LABEL}}reading the runs ...", "dim"),)
            return
        doubts = {_doubt(one) for one in self._sides.deltas}
        self._doubt_of_all = doubts.pop() if len(doubts) == 1 else ""
        formats = [_format(delta) for delta in self._sides.deltas]
        pairs = list(zip(self._sides.deltas, formats, strict=True))
        self._column = max((_length(_measure(one.then, numbers, self._is_narrow)) for one, numbers in pairs), default=0)
        for delta, numbers in pairs:
            yield from self._metric(delta, numbers)
        if self._doubt_of_all:
            said = f"{self._doubt_of_all}: these distances are no evidence"
            yield ((f"{'':<{_LABEL}}{said}", "warning"),)
        if not self._sides.deltas:
            yield ((f"{'':<{_LABEL}}its run logged no metric, or isn't there", "dim"),)

    def _metric(self, one: Delta, numbers: NumberFormat) -> Iterator[Line]:
        """What lies between the two is never cut; where the values aren't evidence for it, that is said beside it, or
        below."""
        label = shortened(one.then.metric, _LABEL - 1, self._glyphs)
        now: Line = () if one.now is None else _measure(one.now, numbers, self._is_narrow)
        then, room = _measure(one.then, numbers, self._is_narrow), self._width - _LABEL - self._half - 1
        delta = self._delta(one, numbers)
        doubt: Line = ()
        if not self._doubt_of_all and _doubt(one):
            doubt = ((f"  {_doubt(one)}", "warning"),)
        beside = _length(then) + _length(delta) + _length(doubt) <= room
        tail = (*delta, *doubt) if beside else delta
        left = _cut(then, room - _length(tail), self._glyphs)
        gap = " " * max(0, min(self._column, room - _length(tail)) - _length(left))
        yield self._row(label, now, (*left, (gap, ""), *tail))
        if doubt and not beside:
            yield self._row("", (), doubt)

    def _delta(self, one: Delta, numbers: NumberFormat) -> Line:
        if one.delta is None:
            return ()
        text = numbers.text(one.delta)
        text = text if text.startswith("-") else f"+{text}"
        if one.guessed and one.meaning in ("better", "worse"):
            return ((f"  {text} {one.meaning}?", "dim"),)
        tone = {"better": "better", "worse": "worse"}.get(one.meaning, "dim")
        return ((f"  {text} {one.meaning}".rstrip(), tone),)

    def _differences(self) -> Iterator[Line]:
        sides = self._sides
        if sides is None or not (sides.config or sides.signature or sides.environment):
            return
        for name, said in (
            ("config", sides.config),
            ("signature", sides.signature),
            ("environment", sides.environment),
        ):
            tone = "" if said.startswith("same") or said == "the same run" else "warning" if "not" in said else "bright"
            yield ((padded(name, _LABEL), "dim"), (shortened(inert(said), self._width - _LABEL, self._glyphs), tone))

    # -- the gate

    def _gate(self) -> Iterator[Line]:
        prepared = self._prepared
        if prepared.evidence is None:
            yield (("gate", "title"), ("  reading what its rules ask for ...", "dim"))
            return
        comparative = prepared.asked.way is Way.ROLLBACK and prepared.gate
        yield (("gate", "title"), (f"  {prepared.gate_says}", "" if prepared.gate else "warning"))
        yield from (line for verdict in prepared.gate for line in self._verdict(verdict))
        if comparative:
            yield (("            shown, and no obstacle: the way back is open whatever they say", "dim"),)

    def _verdict(self, one: Verdict) -> Iterator[Line]:
        sign = {State.MET: self._glyphs.finished, State.NOT_MET: self._glyphs.failed}.get(
            one.state, self._glyphs.unknown
        )
        text = f"{sign} {one.rule}"
        says = f"  {one.says}"
        if len(text) + len(says) <= self._width:
            yield ((text, TONES[one.state]), (says, ""))
            return
        yield ((text, TONES[one.state]),)
        yield ((f"    {one.says}", ""),)

    def _warnings(self) -> Iterator[Line]:
        prepared = self._prepared
        if prepared.version.status != READY:
            yield ()
            yield (
                (
                    f"v{prepared.version.version} is {prepared.version.status.lower()}; it has to be ready first.",
                    "warning",
                ),
            )
        if prepared.already:
            yield ()
            yield ((f"It is at {prepared.asked.to.shown} already: there is nothing to do.", "warning"),)
        if prepared.is_copy and prepared.there is None:
            yield ()
            yield ((f"There is no model {prepared.asked.to.name} yet: it would be registered.", ""),)


def _measure(one: Measure, numbers: NumberFormat, narrow: bool) -> Line:
    """`0.9240 best, coco@3f2a`, of the data only the digest where it is narrow."""
    if one.value is None:
        return (("not logged" if one.taken == "last" else f"none {one.taken}", "dim"),)
    data = ", ".join(_short(name, narrow) for name in one.data) or "data not known"
    return ((numbers.text(one.value), "bright"), (f" {one.taken}, {data}", "dim"))


def _format(one: Delta) -> NumberFormat:
    values = [side.value for side in (one.now, one.then) if side is not None and side.value is not None]
    return format_for(values) if values else NumberFormat()


def _doubt(one: Delta) -> str:
    """Why a distance is no evidence, '' where it is."""
    if one.is_evidence:
        return ""
    if one.now is not None and one.now.taken != one.then.taken:
        return "not taken alike"
    return _NOT_SAME if one.same_data is False else "not known to be the same data"


def _length(line: Line) -> int:
    return sum(len(text) for text, _ in line)


def _short(data: str, narrow: bool) -> str:
    name, _, digest = data.rpartition("@")
    return f"@{digest[:8]}" if narrow else f"{name}@{digest[:8]}"


def _cut(line: Sequence[Span], width: int, glyphs: Glyphs) -> Line:
    """The spans in at most so many cells."""
    out: list[Span] = []
    left = width
    for text, tone in line:
        piece = shortened(inert(text, glyphs), left, glyphs) if len(text) > left else inert(text, glyphs)
        if piece:
            out.append((piece, tone))
        left -= len(piece)
    return tuple(out)
