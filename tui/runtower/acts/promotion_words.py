"""What is said of a promotion: its command, its title, and how it ended."""

from __future__ import annotations

import shlex

from runtower.acts.preparing import Asked, Prepared
from runtower.domain.promotions import DestinationKind, Promoted, Promotion, State, Way

NOBODY = "none"


def by_hand(promotion: Promotion, source: str = "", address: str = "") -> str:
    """The command that does the same: it refuses where the holder is another one by then. Where there is an `address`,
    it goes by that and not by the source's name."""
    back = promotion.way is Way.ROLLBACK
    if promotion.way is Way.REMOVE:
        does = f"mlflow.MlflowClient().delete_registered_model_alias({promotion.model!r}, {promotion.to.name!r})"
        return shlex.join(["python", "-c", f"import mlflow; {does}"])
    words = ["runtower", "rollback" if back else "promote", promotion.model]
    words += [] if back else [promotion.version]
    words += ["--to", str(promotion.to), "--if-holder", ",".join(promotion.before) or NOBODY]
    if promotion.to.kind is DestinationKind.STAGE and promotion.archive is not back:
        words.append("--beside" if back else "--archive")
    place = ("--tracking-uri", address) if address else ("--source", source)
    for option, text in (("--override", promotion.override), ("--reason", promotion.reason), place):
        if text:
            words += [option, text]
    return shlex.join(words)


def title_of(asked: Asked) -> str:
    """`promote detector v14 to @champion`."""
    is_copy = asked.to.kind is DestinationKind.MODEL
    verb = "bring back" if asked.way is Way.ROLLBACK else "copy" if is_copy else "promote"
    return f"{verb} {asked.model} v{asked.version} {'into' if is_copy else 'to'} {asked.to.shown}"


def question(prepared: Prepared, promotion: Promotion, address: str, command: str) -> list[tuple[str, str]]:
    """What is asked before it is written: what changes where, what the gate says, who answers for it, and the command
    that does the same."""
    asked = prepared.asked
    after = "a new version" if prepared.is_copy else f"v{asked.version}"
    lines = [(f"{asked.to.shown}: {_holders(prepared.before)} to {after}", "bright"), (f"on {address}", "")]
    if asked.to.kind is DestinationKind.STAGE and prepared.before:
        lines.append((f"{_holders(prepared.before)} {'goes to Archived' if asked.archive else 'stays there, too'}", ""))
    tone = "" if prepared.blocks is State.MET and prepared.gate else "warning"
    lines.append((f"gate: {prepared.gate_says}", tone))
    if promotion.override:
        lines.append((f"overridden: {promotion.override}", "warning"))
    if promotion.reason:
        lines.append((f"reason: {promotion.reason}", ""))
    context = "".join(f", {key} {value}" for key, value in promotion.context.items())
    lines.append((f"by {promotion.who}{context}", ""))
    return [*lines, ("", ""), ("by hand:", "dim"), (f"  {command}", "dim")]


def told(promotion: Promotion, promoted: Promoted) -> str:
    """How it went, as read back."""
    name, to = promotion.model, promotion.to
    if promoted.already:
        return f"{name} v{promotion.version} was {_at(to.kind)} {to.shown} already; nothing was written."
    before = _holders(promotion.before)
    if promotion.way is Way.REMOVE:
        return f"{name}: nobody has {to.shown} now; it was {before}."
    if to.kind is DestinationKind.MODEL:
        return f"{name} v{promotion.version} is {to.name} v{promoted.copied_as} now."
    left = f"; before it was {before}" if promotion.before else "; nobody had it before"
    also = [one for one in promoted.holders if one != promotion.version]
    beside = f", beside {_holders(tuple(also))}" if also else ""
    return f"{name}: {to.shown} is v{promotion.version} now{beside}{left}, as read back."


def _at(kind: DestinationKind) -> str:
    return "in" if kind is DestinationKind.STAGE else "at"


def _holders(versions: tuple[str, ...]) -> str:
    return ", ".join(f"v{one}" for one in versions) or "nobody"
