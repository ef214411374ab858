"""The rules of a gate, declared and typed: what is written in a file or a tag becomes one of these, or an error that
says where it stands and what was meant."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from runtower.domain.errors import Invalid

LAST: Final = "last"
BEST: Final = "best"


@dataclass(frozen=True, slots=True)
class MustBeat:
    """A metric has to be better than another version's by at least `by`, and better at all.

    `over` is an alias, '' for whoever holds the destination. `take` is last, best or a step. `any_data`: it counts even
    where the two were evaluated on other data, or nobody knows on what.
    """

    metric: str
    by: float = 0.0
    over: str = ""
    take: str = LAST
    any_data: bool = False
    declared_by: str = ""

    def __str__(self) -> str:
        return f"must_beat {self.metric}{_by(self.by)}{_over(self.over)}{_taken(self.take)}"


@dataclass(frozen=True, slots=True)
class BeatsMean:
    """The mean over runs that differ only in `same_except` has to be better than the other version's, by so many
    standard deviations, with at least so many runs."""

    metric: str
    seeds: int = 3
    by_std: float = 1.0
    same_except: tuple[str, ...] = ("seed",)
    over: str = ""
    take: str = LAST
    any_data: bool = False
    declared_by: str = ""

    def __str__(self) -> str:
        by = f" by {self.by_std:g} std" if self.by_std else ""
        return f"beats_mean {self.metric}{by} of {self.seeds} seeds{_over(self.over)}{_taken(self.take)}"


@dataclass(frozen=True, slots=True)
class Limit:
    """The last value of a metric may be at most (`is_max`) or has to be at least `limit`."""

    metric: str
    limit: float
    is_max: bool
    declared_by: str = ""

    def __str__(self) -> str:
        return f"{'max' if self.is_max else 'min'} {self.metric} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class SameSignature:
    """The model takes and gives what the one at the destination does."""

    declared_by: str = ""

    def __str__(self) -> str:
        return "same_signature"


@dataclass(frozen=True, slots=True)
class RequiresTag:
    """The version has a tag; `value` None: of any value."""

    key: str
    value: str | None = None
    declared_by: str = ""

    def __str__(self) -> str:
        return f"requires_tag {self.key}" + (f"={self.value}" if self.value is not None else "")


@dataclass(frozen=True, slots=True)
class CleanGit:
    """The code that made the version was committed, without changes of its own."""

    declared_by: str = ""

    def __str__(self) -> str:
        return "clean_git"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Rules that somebody wrote and nobody can read: they hold, and can't be told."""

    says: str
    declared_by: str = ""

    def __str__(self) -> str:
        return "unreadable rules"


Rule = MustBeat | BeatsMean | Limit | SameSignature | RequiresTag | CleanGit | Unreadable


def rules_of(declared: object, where: str) -> tuple[Rule, ...]:
    """The rules of one map, such as `{must_beat: {metric: val_acc}, max: {latency_ms: 40}}`; `where` says where it
    stands. Raises Invalid."""
    if declared is None:
        return ()
    if not isinstance(declared, Mapping):
        raise Invalid(f"{where} has to be a map of rules, not '{declared}'.", f"Known rules are {', '.join(RULES)}.")
    found: list[Rule] = []
    for key, value in declared.items():
        _known(str(key), tuple(RULES), where, "rule")
        found += RULES[str(key)](value, f"{where}.{key}", where)
    return tuple(found)


def _must_beat(value: object, at: str, where: str) -> Iterator[Rule]:
    for one in value if isinstance(value, list | tuple) else [value]:
        given = _map(one, ("metric", "by", "over", "take", "data"), at)
        yield MustBeat(
            _metric(given, at),
            _number(given.get("by", 0), f"{at}.by", least=0),
            _alias(given.get("over"), f"{at}.over"),
            _take(given.get("take", LAST), f"{at}.take"),
            _any_data(given.get("data", "same"), f"{at}.data"),
            where,
        )


def _beats_mean(value: object, at: str, where: str) -> Iterator[Rule]:
    for one in value if isinstance(value, list | tuple) else [value]:
        given = _map(one, ("metric", "seeds", "by_std", "same_except", "over", "take", "data"), at)
        seeds = _number(given.get("seeds", 3), f"{at}.seeds", least=2)
        if not seeds.is_integer():
            raise Invalid(f"{at}.seeds has to be a whole number, not {seeds:g}.", "Three is usual.")
        yield BeatsMean(
            _metric(given, at),
            int(seeds),
            _number(given.get("by_std", 1.0), f"{at}.by_std", least=0),
            tuple(_texts(given.get("same_except", "seed"), f"{at}.same_except")),
            _alias(given.get("over"), f"{at}.over"),
            _take(given.get("take", LAST), f"{at}.take"),
            _any_data(given.get("data", "same"), f"{at}.data"),
            where,
        )


def _limits(is_max: bool) -> Callable[[object, str, str], Iterator[Rule]]:
    def read(value: object, at: str, where: str) -> Iterator[Rule]:
        if not isinstance(value, Mapping) or not value:
            raise Invalid(f"{at} has to be a map of metrics to numbers.", "Such as {latency_ms: 40}.")
        for metric, limit in value.items():
            yield Limit(str(metric), _number(limit, f"{at}.{metric}"), is_max, where)

    return read


def _requires_tag(value: object, at: str, where: str) -> Iterator[Rule]:
    if not isinstance(value, Mapping):
        value = dict.fromkeys(_texts(value, at))
    if not value:
        raise Invalid(f"{at} names no tag.", "Give a key, several, or {key: value}.")
    for key, wanted in value.items():
        text = None if wanted is None else str(wanted).lower() if isinstance(wanted, bool) else str(wanted)
        yield RequiresTag(str(key), text, where)


def _switch(rule: type[SameSignature] | type[CleanGit]) -> Callable[[object, str, str], Iterator[Rule]]:
    def read(value: object, at: str, where: str) -> Iterator[Rule]:
        word = str(value).lower()
        if word not in ("true", "false"):
            raise Invalid(f"{at} has to be true or false, not '{value}'.", "True makes it a rule.")
        if word == "true":
            yield rule(where)

    return read


RULES: Final[Mapping[str, Callable[[object, str, str], Iterator[Rule]]]] = {
    "must_beat": _must_beat,
    "beats_mean": _beats_mean,
    "max": _limits(True),
    "min": _limits(False),
    "same_signature": _switch(SameSignature),
    "requires_tag": _requires_tag,
    "clean_git": _switch(CleanGit),
}

# -- values


def _known(key: str, known: tuple[str, ...], where: str, what: str) -> None:
    if key in known:
        return
    near = difflib.get_close_matches(key, known, 1, 0.5)
    raise Invalid(
        f"{where}: there is no {what} '{key}'.",
        f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}.",
    )


def _map(value: object, keys: tuple[str, ...], at: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise Invalid(f"{at} has to be a map, not '{value}'.", f"It may have {', '.join(keys)}.")
    for key in value:
        _known(str(key), keys, at, "key")
    return value


def _metric(given: Mapping[str, object], at: str) -> str:
    metric = given.get("metric")
    if not isinstance(metric, str) or not metric:
        raise Invalid(f"{at} names no metric.", "Add 'metric: NAME'.")
    return metric


def _number(value: object, at: str, least: float = -math.inf) -> float:
    """A number, or a text that is one: a variable has texts only, and YAML 1.1 takes 1e-3 for one."""
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise Invalid(f"{at} has to be a number, not '{value}'.", "Correct it.")
    if number < least:
        raise Invalid(f"{at} has to be {least:g} or more, not {number:g}.", "Correct it.")
    return number


def _alias(value: object, at: str) -> str:
    text = "" if value is None else str(value).removeprefix("@")
    if not all(one.isalnum() or one in "-_" for one in text):
        raise Invalid(f"{at} has to be an alias, not '{value}'.", "Without it, who holds the destination is meant.")
    return text


def _take(value: object, at: str) -> str:
    text = str(value)
    if text in (LAST, BEST) or (not isinstance(value, bool) and text.removeprefix("-").isascii() and text.isdecimal()):
        return text
    raise Invalid(f"{at} can't be '{value}'.", "Choose last, best or a step, such as 300.")


def _any_data(value: object, at: str) -> bool:
    if value not in ("same", "any"):
        raise Invalid(f"{at} can't be '{value}'.", "Choose same or any.")
    return value == "any"


def _texts(value: object, at: str) -> list[str]:
    found = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(one, str) and one for one in found):
        raise Invalid(f"{at} has to be a text or a list of texts, not '{value}'.", "Correct it.")
    return [str(one) for one in found]


# -- words


def _by(by: float) -> str:
    return f" by {by:g}" if by else ""


def _over(over: str) -> str:
    return f" over @{over}" if over else ""


def _taken(take: str) -> str:
    return "" if take == LAST else f" ({take})" if take == BEST else f" (at {take})"
