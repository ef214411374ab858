"""What a gate judges by, as values: what is known of the version to promote, of who holds the destination, and of those
that rules name. Nothing is read here; `needs` says what has to be.

What isn't known is said as such and never as its absence: a rule that needs it can't be told then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runtower.domain.promotions import State
from runtower.promote.rules import BeatsMean, CleanGit, Limit, MustBeat, Rule, SameSignature


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value to read: `take` is `last`, `best` or a step, as text."""

    metric: str
    take: str = "last"


@dataclass(frozen=True, slots=True)
class WantedSeeds:
    """Values to read of all finished runs that differ from a version's run only in these params."""

    metric: str
    take: str
    same_except: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """A value of a run. `value` is None where the run has no such metric, or none at that step.

    `taken` is `last`, `best` or `at 300`. `data` are the datasets it was evaluated on, as `name@digest`, in order; none
    where they aren't known.
    """

    metric: str
    value: float | None
    taken: str = "last"
    data: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seeds:
    """The finished runs that differ from a version's run only in `same_except`, itself among them, and their values."""

    wanted: WantedSeeds
    runs: tuple[str, ...]
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """What a model takes and gives: canonical JSON of each part, '' where the model doesn't declare that part.

    A model without a signature has all three empty; one whose signature isn't known has no value of this class.
    """

    inputs: str = ""
    outputs: str = ""
    params: str = ""

    def differs_in(self, other: Signature) -> tuple[str, ...]:
        """The names of the parts that aren't the same."""
        return tuple(part for part in ("inputs", "outputs", "params") if getattr(self, part) != getattr(other, part))


@dataclass(frozen=True, slots=True)
class Git:
    """Whether the code that made a version was committed, told beforehand, with a sentence's worth of words."""

    state: State
    says: str


@dataclass(frozen=True, slots=True)
class Side:
    """A version, as far as it is known. `trouble` says why its run couldn't be read, '' where it could.

    `signature` is None where it isn't known. A measure that isn't here was not read.
    """

    model: str
    version: str
    run_id: str = ""
    measures: Mapping[Wanted, Measure] = field(default_factory=dict)
    seeds: Mapping[WantedSeeds, Seeds] = field(default_factory=dict)
    signature: Signature | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    git: Git | None = None
    trouble: str = ""

    @property
    def shown(self) -> str:
        """`v3`."""
        return f"v{self.version}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a gate judges by.

    `holder` is who is at the destination (the newest in a stage), None for nobody. `aliases`: who has those that rules
    name with `over`, None for nobody; one that isn't here was not read. `goals`: `min` or `max` by metric; '' or
    nothing where nobody said which, for a gate doesn't go by names.
    """

    destination: str
    candidate: Side
    holder: Side | None
    aliases: Mapping[str, Side | None] = field(default_factory=dict)
    goals: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Needs:
    """What rules want to know: values and seeds of each side, the aliases that they name, and what else of the sides.
    `compares`: whether the holder is looked at at all."""

    values: tuple[Wanted, ...] = ()
    seeds: tuple[WantedSeeds, ...] = ()
    aliases: tuple[str, ...] = ()
    compares: bool = False
    signature: bool = False
    git: bool = False

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all metrics, each once."""
        return tuple(dict.fromkeys([*(one.metric for one in self.values), *(one.metric for one in self.seeds)]))


def needs(rules: Sequence[Rule]) -> Needs:
    """What has to be read before these rules can be judged."""
    values: list[Wanted] = []
    seeds: list[WantedSeeds] = []
    aliases: list[str] = []
    for rule in rules:
        match rule:
            case MustBeat(metric=metric, take=take):
                values.append(Wanted(metric, take))
            case BeatsMean(metric=metric, take=take, same_except=same):
                values.append(Wanted(metric, take))
                seeds.append(WantedSeeds(metric, take, same))
            case Limit(metric=metric):
                values.append(Wanted(metric))
        if isinstance(rule, MustBeat | BeatsMean) and rule.over:
            aliases.append(rule.over)
    return Needs(
        tuple(dict.fromkeys(values)),
        tuple(dict.fromkeys(seeds)),
        tuple(dict.fromkeys(aliases)),
        any(isinstance(rule, MustBeat | BeatsMean | SameSignature) for rule in rules),
        any(isinstance(rule, SameSignature) for rule in rules),
        any(isinstance(rule, CleanGit) for rule in rules),
    )
