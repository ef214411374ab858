"""Times and durations as a query writes them. All milliseconds; times are UTC epoch, said in the local zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from runtower.domain.values import number_of

_UNITS: Final = {
    **dict.fromkeys(("ms",), 1.0),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1000.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60_000.0),
    **dict.fromkeys(("h", "hour", "hours"), 3_600_000.0),
    **dict.fromkeys(("d", "day", "days"), 86_400_000.0),
    **dict.fromkeys(("w", "week", "weeks"), 7 * 86_400_000.0),
}
_PIECE: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)", re.IGNORECASE)
_AGO: Final = re.compile(r"(.*\S)\s+ago\Z", re.IGNORECASE | re.DOTALL)
_DAYS: Final = {"today": 0, "yesterday": 1}


@dataclass(frozen=True, slots=True)
class Moment:
    """A time: `at` ms since the epoch, or where that is None `ago` ms before now, or the day so many days back.

    `day` is a whole day: its date, or how many days it lies back.
    """

    at: float | None = None
    ago: float = 0.0
    day: date | int | None = None

    def span(self, now_ms: float) -> tuple[float, float]:
        """From its first millisecond to the first one after it; both are the same for a point in time.

        Raises OverflowError, OSError or ValueError for a day that no calendar here has; `moment` gives no such one.
        """
        if self.day is not None:
            today = datetime.fromtimestamp(now_ms / 1000).date()
            day = self.day if isinstance(self.day, date) else today - timedelta(days=self.day)
            return _midnight(day), _midnight(day + timedelta(days=1))
        point = now_ms - self.ago if self.at is None else self.at
        return point, point


def _midnight(day: date) -> float:
    return datetime.combine(day, time()).timestamp() * 1000


def moment(text: str) -> Moment | None:
    """The time that a text says, None where it says none."""
    word = text.strip()
    if word.lower() == "now":
        return Moment()
    if word.lower() in _DAYS:
        return Moment(day=_DAYS[word.lower()])
    ago = _AGO.match(word)
    if ago is not None:
        back = duration(ago[1])
        return None if back is None else Moment(ago=back)
    number = number_of(word)
    if number is not None:
        return Moment(at=number)
    return _dated(word)


def _dated(word: str) -> Moment | None:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", word):
            whole = Moment(day=date.fromisoformat(word))
            whole.span(0.0)
            return whole
        if re.match(r"\d{4}-\d\d-\d\d[ T]", word):
            return Moment(at=datetime.fromisoformat(word).timestamp() * 1000)
    except (OverflowError, OSError, ValueError):
        pass  # 2026-13-01 and the year 0001 are dates of no calendar here: no time, which the caller says
    return None


def duration(text: str) -> float | None:
    """Milliseconds of `90s`, `1h30m`, `2 days` or a bare number of milliseconds; None where it is none."""
    number = number_of(text)
    if number is not None:
        return number
    total, end = 0.0, 0
    while end < len(text):
        piece = _PIECE.match(text, end)
        if piece is None or piece[2].lower() not in _UNITS:
            return None
        total += float(piece[1]) * _UNITS[piece[2].lower()]
        end = piece.end()
    return total if end else None
