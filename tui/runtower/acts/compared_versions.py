"""Versions of a model beside each other: what a comparison of their runs doesn't show, signatures and flavors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runtower.acts.facts_sheet import FactsSheet
from runtower.acts.model_card import PARTS, ModelCard
from runtower.acts.registry_words import version_name
from runtower.acts.sheets import Sheet
from runtower.acts.sides import Fact, Facts, side_by_side, told_once
from runtower.acts.tower import Tower
from runtower.acts.version_files import VersionFiles, files_of_all
from runtower.domain.models import ModelVersion
from runtower.present.glyphs import Glyphs
from runtower.present.sizes import size_text

_EMPTY = "None of these versions has a file MLmodel that could be read."


@dataclass(frozen=True)
class ComparedVersions:
    """Some versions of models of one source, in the order of their runs."""

    number: int
    versions: tuple[ModelVersion, ...]

    @property
    def names(self) -> list[str]:
        """`detector v3`, or only `v3` where all are of one model."""
        one = len({version.model for version in self.versions}) == 1
        return [version_name(v.version) if one else f"{v.model} {version_name(v.version)}" for v in self.versions]

    def turned(self) -> ComparedVersions:
        """The last one first."""
        return ComparedVersions(self.number, self.versions[::-1])

    async def sheet(self, tower: Tower, glyphs: Glyphs) -> Sheet:
        """What their MLmodels say, side by side."""
        found = await files_of_all(tower, self.number, list(self.versions))
        return FactsSheet(facts_of(found, self.names), glyphs, _EMPTY)


def facts_of(found: Sequence[VersionFiles], names: Sequence[str]) -> list[Facts]:
    """Inputs, outputs and params of the signatures, and what the models are made of. A model without a signature is
    silent there: whether it takes the same can't be told."""
    trouble = told_once([one.trouble for one in found], names)
    cards = [one.card for one in found]
    sorts = [Facts(part, _columns(cards, part)) for part in PARTS]
    unsigned = [name for name, card in zip(names, cards, strict=True) if card is not None and card.signature is None]
    note = f"no signature: {', '.join(unsigned)}" if unsigned else ""
    sorts[0] = Facts(PARTS[0], sorts[0].rows, "; ".join(text for text in (note, trouble) if text))
    return [*sorts, Facts("model", side_by_side([_made(card) for card in cards]))]


def _columns(cards: Sequence[ModelCard | None], part: str) -> tuple[Fact, ...]:
    sides = [_types(card, part) for card in cards]
    silent = frozenset(n for n, card in enumerate(cards) if card is None or card.signature is None)
    names = dict.fromkeys(name for side in sides for name in side)
    return tuple(Fact(name, tuple(side.get(name) for side in sides), silent=silent) for name in names)


def _types(card: ModelCard | None, part: str) -> Mapping[str, str]:
    if card is None or card.signature is None:
        return {}
    named = (line.partition(": ") for line in card.signature.get(part, ()))
    return {name: kind or name for name, _, kind in named}


def _made(card: ModelCard | None) -> dict[str, str]:
    if card is None:
        return {}
    said = {f"flavor {flavor.name}": flavor.version or "no version" for flavor in card.flavors}
    size = size_text(card.size) if card.size is not None else ""
    made = {"python": card.python, "mlflow": card.mlflow, "loader": card.loader, "size": size}
    return said | {name: text for name, text in made.items() if text}
