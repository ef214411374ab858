"""The page of a version in lines: its signature, its files, and the way back to data and code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from runtower.acts.model_card import PARTS, ModelCard
from runtower.acts.version_about import LABEL
from runtower.acts.version_files import VersionFiles
from runtower.acts.version_lineage import Lineage
from runtower.domain.models import ModelVersion
from runtower.present.glyphs import Glyphs
from runtower.present.sizes import size_text
from runtower.present.spans import Line, padded, shortened_end

_MOST_COLUMNS: Final = 40
_MOST_FILES: Final = 30


def file_lines(found: VersionFiles | None, one: ModelVersion, width: int, glyphs: Glyphs) -> list[Line]:
    """What its files tell."""
    if found is None:
        return _headed("model", [(("Reading its files ...", "dim"),)])
    lines: list[Line] = []
    if found.card is not None:
        lines += _headed("model", list(_model(found, one)))
        lines += _headed("signature", list(_signature(found.card)))
    if found.trouble:
        lines += _headed("files", [((f"{found.trouble}.", "warning"),)])
    if found.files:
        lines += _headed("files", list(_files(found, width, glyphs)))
    return lines


def _model(found: VersionFiles, one: ModelVersion) -> Iterator[Line]:
    card = found.card
    assert card is not None
    flavors = "   ".join(f"{flavor.name} {flavor.version}".strip() for flavor in card.flavors)
    made = ", ".join(text for text in (_of("Python", card.python), _of("MLflow", card.mlflow)) if text)
    size = found.size
    logged = card.model_id or one.model_id
    for name, text in (
        ("flavors", flavors),
        ("size", size_text(size) if size is not None else ""),
        ("example", card.example or "none was logged"),
        ("made with", made),
        ("logged", f"{logged}, a LoggedModel of MLflow 3" if logged else ""),
        ("source", one.source),
    ):
        if text:
            yield named(name, text, "dim" if text.startswith("none ") else "")


def _of(what: str, version: str) -> str:
    return f"{what} {version}" if version else ""


def _signature(card: ModelCard) -> Iterator[Line]:
    if card.signature is None:
        yield (("none was logged: what it takes and gives can't be compared", "warning"),)
        return
    for part in PARTS:
        columns = card.signature.get(part, ())
        for place, column in enumerate(columns[:_MOST_COLUMNS]):
            yield ((padded(part if not place else "", LABEL), "dim"), (column, ""))
        if len(columns) > _MOST_COLUMNS:
            yield ((" " * LABEL + f"and {len(columns) - _MOST_COLUMNS} more", "dim"),)


def _files(found: VersionFiles, width: int, glyphs: Glyphs) -> Iterator[Line]:
    for one in found.files[:_MOST_FILES]:
        size = size_text(one.size) if one.size is not None else "?"
        yield ((size.rjust(8) + "  ", "dim"), (shortened_end(found.path_of(one), width - 12, glyphs), ""))
    if len(found.files) > _MOST_FILES or not found.whole:
        yield ((f"and {len(found.files) - _MOST_FILES} more" if found.whole else "and more", "dim"),)


def lineage_lines(found: Lineage | None) -> list[Line]:
    """Run, config, data, code: the run itself stands above."""
    if found is None:
        return _headed("came from", [(("Reading ...", "dim"),)])
    lines = [named("config", f"{found.config}, {found.params} values" if found.params else found.config or "none")]
    for place, one in enumerate(found.data):
        context = f" ({one.context})" if one.context else ""
        lines.append(named("data" if not place else "", f"{one.name}{context}  {one.digest or 'no digest'}"))
    if not found.data:
        lines.append(named("data", found.no_data or "the run names no dataset", "warning" if found.no_data else "dim"))
    for place, fact in enumerate(found.code):
        lines.append(named("code" if not place else "", f"{fact.name} {fact.values[0] or 'not known'}"))
    if not found.code:
        lines.append(named("code", "the run names no commit", "dim"))
    return _headed("came from", lines)


def named(name: str, text: str, tone: str = "") -> Line:
    """`config   file:conf.yaml, 12 values`."""
    return ((padded(name, LABEL), "dim"), (text, tone))


def _headed(head: str, lines: list[Line]) -> list[Line]:
    return [(), ((head, "title"),), *lines]
