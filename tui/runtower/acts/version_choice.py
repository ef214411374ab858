"""Which versions are compared, and where a version can be promoted to or brought back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runtower.acts.model_history import destinations_of
from runtower.acts.offers import Offer
from runtower.acts.registry_words import in_order
from runtower.domain.models import PRODUCTION, STAGING, ModelNow, ModelVersion
from runtower.domain.promotions import Destination, DestinationKind
from runtower.promote.history import previous

MOST: Final = 20
_USUAL: Final = ("champion", "challenger")


def versions_to_compare(
    now: ModelNow, marked: Sequence[ModelVersion], here: ModelVersion | None
) -> tuple[list[ModelVersion], str]:
    """The versions, what the others are compared with first; or none, and why.

    Several marked ones, the oldest first; a single one, or the one `here`, with who has the alias that matters most, or
    else who is in production.
    """
    if len(marked) > MOST:
        return [], f"{len(marked)} versions are marked; {MOST} can be compared at once"
    if len(marked) > 1:
        return _with_runs(sorted(marked, key=lambda one: now.versions.index(one), reverse=True))
    one = marked[0] if marked else here
    if one is None:
        return [], "there is no version here"
    if marked and here is not None and here != one:
        return _with_runs([one, here])
    other = leader(now, one)
    if other is None:
        return [], "mark two versions: no other one has an alias or is in production"
    return _with_runs([other, one])


def leader(now: ModelNow, besides: ModelVersion) -> ModelVersion | None:
    """Who has the alias that matters most, or is in production; none but another version than that."""
    held = [now.model.aliases[alias] for alias in in_order(now.model.aliases)] + list(now.in_stage(PRODUCTION))
    found = (now.version(number) for number in held if number != besides.version)
    return next((one for one in found if one is not None), None)


def _with_runs(found: list[ModelVersion]) -> tuple[list[ModelVersion], str]:
    without = next((one for one in found if not one.run_id), None)
    if without is not None:
        return [], f"v{without.version} names no run that could be compared"
    return found, ""


def destinations(now: ModelNow, version: ModelVersion) -> list[Offer]:
    """Aliases that there are or usually are, and the stages, each with who is there."""
    names = list(dict.fromkeys([*in_order(now.model.aliases), *_USUAL]))
    offers = []
    for name in names:
        holder = now.model.aliases.get(name)
        said = "nobody has it" if holder is None else "it has it" if holder == version.version else f"v{holder} has it"
        offers.append(Offer(name, f"@{name}", said))
    for stage in (PRODUCTION, STAGING):
        held = now.in_stage(stage)
        said = ", ".join(f"v{one}" for one in held) or "nobody"
        offers.append(Offer(f"stage:{stage}", f"stage {stage}", f"{said} in it"))
    return offers


def ways_back(now: ModelNow) -> list[tuple[Destination, str]]:
    """Where there is a previous holder that could be brought back, and who it is."""
    places = [one for one in destinations_of(now) if one.kind is not DestinationKind.MODEL]
    found = ((place, previous(now, place)) for place in places)
    return [(place, version) for place, version in found if version is not None]
