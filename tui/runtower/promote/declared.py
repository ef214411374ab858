"""Which rules hold for a model and a destination: those of the settings and those that stand on the model itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from runtower.domain.errors import Invalid
from runtower.domain.promotions import Destination, destination_of
from runtower.promote.rules import RULES, Rule, Unreadable, rules_of

GATE_TAG: Final = "runtower.gate"
ALL: Final = "*"

Gates = Mapping[str, Any]  # as in the settings: by model and by target, `*` for all


def rules_for(model: str, to: Destination, gates: Gates, tags: Mapping[str, str]) -> tuple[Rule, ...]:
    """All rules that hold: of the settings (`gates: {MODEL: {TARGET: {rules}}}`, `*` for any model or target), then of
    the model's tag `runtower.gate`. Each says where it stands. Raises Invalid where the settings make no sense; a tag
    that doesn't is a rule that can't be told."""
    found: list[Rule] = []
    for name in (model, ALL):
        targets = gates.get(name)
        for target, rules in _targets(targets, f"gates.{name}"):
            if _is_meant(target, to, f"gates.{name}"):
                found += rules_of(rules, f"gates.{name}.{target}")
    return (*found, *rules_of_tag(to, tags))


def check(gates: Gates) -> None:
    """Read all of the settings' rules. Raises Invalid, naming the place."""
    for name, targets in gates.items():
        for target, rules in _targets(targets, f"gates.{name}"):
            _destination(target, f"gates.{name}")
            rules_of(rules, f"gates.{name}.{target}")


def check_tag(text: str) -> None:
    """Read a text that is to become a model's tag `runtower.gate`. Raises Invalid."""
    declared = _parsed(text)
    if not RULES.keys() & declared.keys():
        check({"tag": declared})
    else:
        rules_of(declared, GATE_TAG)


def _targets(targets: object, where: str) -> Iterator[tuple[str, object]]:
    if targets is None:
        return
    if not isinstance(targets, Mapping):
        raise Invalid(f"{where} has to be a map of targets, not '{targets}'.", "Such as {champion: {must_beat: ...}}.")
    yield from ((str(target), rules) for target, rules in targets.items())


def _destination(target: str, where: str) -> Destination | None:
    """None for all of them."""
    if target == ALL:
        return None
    try:
        return destination_of(target)
    except Invalid as error:
        raise Invalid(f"{where}: {error.tried}", f"{error.remedy} Or * for all.") from None


def _is_meant(target: str, to: Destination, where: str) -> bool:
    return _destination(target, where) in (None, to)


def rules_of_tag(to: Destination, tags: Mapping[str, str]) -> tuple[Rule, ...]:
    """The rules that stand on a model. A copy into another model is also held to that one's tag."""
    text = tags.get(GATE_TAG, "")
    if not text.strip():
        return ()
    where = f"tag {GATE_TAG}"
    try:
        declared = _parsed(text)
        if RULES.keys() & declared.keys():  # rules for whatever target
            return rules_of(declared, where)
        found: list[Rule] = []
        for target, rules in declared.items():
            read = rules_of(rules, f"{where}.{target}")  # all: a misspelt rule looks like a target
            found += read if _is_meant(str(target), to, where) else ()
        return tuple(found)
    except Invalid as error:
        return (Unreadable(str(error), where),)


def _parsed(text: str) -> Mapping[str, Any]:
    """YAML, of which JSON is a part. Raises Invalid."""
    try:
        declared = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Invalid(f"The model's {GATE_TAG} is neither JSON nor YAML: {str(error).splitlines()[0]}.") from None
    if not isinstance(declared, dict):
        raise Invalid(f"The model's {GATE_TAG} has to be a map.", "Such as {champion: {must_beat: {metric: acc}}}.")
    return {str(key): value for key, value in declared.items()}
