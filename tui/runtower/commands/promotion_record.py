"""A promotion, planned or done, as --json gives it (docs/interfaces.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from runtower.acts import export
from runtower.acts.preparing import Prepared
from runtower.acts.promotion_sides import Delta
from runtower.domain.promotions import DestinationKind, Promoted, Promotion, Verdict
from runtower.promote.evidence import Measure
from runtower.promote.gate import overall
from runtower.promote.history import newest_first

_ENDED_BADLY: Final = ("refused", "unknown")


def record_of(
    source: str,
    outcome: str,
    prepared: Prepared,
    deltas: Sequence[Delta] = (),
    promotion: Promotion | None = None,
    promoted: Promoted | None = None,
    command: str = "",
    warnings: Sequence[str] = (),
) -> dict[str, Any]:
    """`promotion` is who would do it, and why; `promoted` is there once it was done, or was so already.

    `outcome`: `judged`, `planned`, `stopped` (by the gate), `already`, `done`, `refused` or `unknown`.
    """
    asked = prepared.asked
    done = outcome == "done"
    return {
        "source": source,
        "model": asked.model,
        "version": asked.version,
        "status": prepared.version.status,
        "to": str(asked.to),
        "before": prepared.before,
        "after": promoted.holders if promoted is not None else None if outcome in _ENDED_BADLY else _after(prepared),
        "holder": prepared.holder.version if prepared.holder is not None else None,
        "copied_as": (promoted.copied_as if promoted is not None else "") or None,
        "already": prepared.already or (promoted is not None and promoted.already),
        "done": done,
        "outcome": outcome,
        "way": asked.way,
        "archive": asked.archive,
        "gate": _gate(prepared),
        "metrics": [_metric(one) for one in deltas],
        "protected": prepared.protected,
        "override": (promotion.override if promotion is not None else "") or None,
        "reason": (promotion.reason if promotion is not None else "") or None,
        "who": promotion.who if promotion is not None else None,
        "context": promotion.context if promotion is not None else {},
        "id": promotion.id if promotion is not None and done else None,
        "warnings": [*(promoted.warnings if promoted is not None else ()), *warnings],
        "command": command or None,
    }


def _after(prepared: Prepared) -> tuple[str, ...] | None:
    """Who would be there; null for a copy, whose number the registry gives."""
    asked = prepared.asked
    if prepared.already:
        return prepared.before
    if asked.to.kind is DestinationKind.MODEL:
        return None
    if asked.to.kind is DestinationKind.STAGE and not asked.archive:
        return newest_first({asked.version, *prepared.before})
    return (asked.version,)


def _gate(prepared: Prepared) -> dict[str, Any] | None:
    """Null where nothing was judged, as there was nothing to do."""
    if prepared.evidence is None:
        return None
    return {
        "state": overall(prepared.gate),
        "says": prepared.gate_says,
        "rules": [_rule(one) for one in prepared.gate],
    }


def _rule(one: Verdict) -> dict[str, Any]:
    numbers = {key: export.number(value) if isinstance(value, float) else value for key, value in one.numbers.items()}
    return {
        "rule": one.rule,
        "state": one.state,
        "says": one.says,
        "comparative": one.comparative,
        "declared_by": one.declared_by,
        "numbers": numbers,
    }


def _metric(one: Delta) -> dict[str, Any]:
    """`better` is null where nobody said which way is better, or nothing can be compared."""
    better = None if one.guessed else {"better": True, "worse": False}.get(one.meaning)
    return {
        "metric": one.then.metric,
        "before": _measure(one.now),
        "after": _measure(one.then),
        "delta": None if one.delta is None else export.number(one.delta),
        "better": better,
        "same_data": one.same_data,
    }


def _measure(one: Measure | None) -> dict[str, Any] | None:
    if one is None:
        return None
    value = None if one.value is None else export.number(one.value)
    return {"value": value, "taken": one.taken, "data": one.data}
