"""Times as a person says them. Data is UTC epoch milliseconds; the local zone exists only here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400


def ago(then_ms: float, now_ms: float, zone: tzinfo | None = None) -> str:
    """`now`, `8m ago`, `2h ago`, `yesterday`, `3d ago`, `12 Mar`, `12 Mar 24`; what lies ahead is `in 5m`."""
    seconds = (now_ms - then_ms) / 1000
    if seconds < -_MINUTE:
        return f"in {short(-seconds * 1000)}"
    if seconds < _MINUTE:
        return "now"
    then, now = _local(then_ms, zone), _local(now_ms, zone)
    if then is None or now is None:
        return "?"
    days = (now.date() - then.date()).days
    if days == 0 or seconds < 6 * _HOUR:
        return f"{short(seconds * 1000)} ago"
    if days == 1:
        return "yesterday"
    if days < 7:
        return f"{days}d ago"
    return then.strftime("%-d %b") if then.year == now.year else then.strftime("%-d %b %y")


def short(milliseconds: float) -> str:
    """One unit, rounded down: `8m`, `3h`, `2d`."""
    seconds = milliseconds / 1000
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)}m"
    return f"{int(seconds // _HOUR)}h" if seconds < 2 * _DAY else f"{int(seconds // _DAY)}d"


def duration(milliseconds: float) -> str:
    """`0.4s`, `12s`, `8m`, `2h05`, `3d04h`."""
    seconds = milliseconds / 1000
    if seconds < 0:
        return "?"
    if seconds < 10:
        return f"{seconds:.1f}s"
    if seconds < _MINUTE:
        return f"{int(seconds)}s"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)}m{int(seconds % _MINUTE):02}" if seconds < 600 else f"{int(seconds // 60)}m"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)}h{int(seconds % _HOUR // _MINUTE):02}"
    return f"{int(seconds // _DAY)}d{int(seconds % _DAY // _HOUR):02}h"


def clock(then_ms: float, now_ms: float, zone: tzinfo | None = None) -> str:
    """`18:10` today, `yesterday 18:10`, `3 Mar 18:10` else."""
    then, now = _local(then_ms, zone), _local(now_ms, zone)
    if then is None or now is None:
        return "?"
    time = then.strftime("%H:%M")
    if then.date() == now.date():
        return time
    if then.date() == now.date() - timedelta(days=1):
        return f"yesterday {time}"
    return f"{then.strftime('%-d %b')} {time}"


def iso(then_ms: float) -> str:
    """ISO 8601 with Z and milliseconds where there are some, as CSV and Markdown show times."""
    text = datetime.fromtimestamp(then_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z").replace(".000Z", "Z")


def _local(then_ms: float, zone: tzinfo | None) -> datetime | None:
    """None for a time no calendar has (a store may hold anything)."""
    try:
        return datetime.fromtimestamp(then_ms / 1000, UTC).astimezone(zone)
    except (OverflowError, OSError, ValueError):
        return None
