"""What stands beside the tree of artifacts: the head over a file, its beginning, or why there is none."""

from __future__ import annotations

from rich.cells import cell_len

from runtower.acts.artifact_tree import ArtifactTree
from runtower.domain.artifacts import Artifact, Piece
from runtower.present.glyphs import Glyphs
from runtower.present.preview import preview
from runtower.present.spans import Line, inert, shortened, wrapped


def head(path: str, said: str, width: int, glyphs: Glyphs) -> Line:
    """The rule over the file, with its path and what of it is shown."""
    dash = glyphs.rule
    spans: list[tuple[str, str]] = [(f" {dash}{dash} ", "rule")]
    if path:
        name = shortened(inert(path, glyphs), max(8, width - len(said) - 10), glyphs)
        spans += [(name, "bright"), (f"  {said} " if said else " ", "dim")]
    used = sum(cell_len(text) for text, _ in spans)
    return (*spans, (dash * max(0, width - used - 1), "rule"))


def instead(tree: ArtifactTree, found: Artifact | None, uri: str, glyphs: Glyphs) -> list[Line]:
    """What is said where there is no file to look into; none where there is. `uri`: where the artifacts lie."""
    if tree.error:
        return [((inert(tree.error, glyphs), "warning"),)]
    if not tree.is_known:
        return [(("Reading ...", "dim"),)]
    if not len(tree):
        lines: list[Line] = [(("This run logged no artifacts.", ""),), ()]
        lines += [(("A line of Python logs one:", "dim"),), (('  mlflow.log_artifact("config.yaml")', "bright"),)]
        return [*lines, (), ((f"They would lie in {inert(uri, glyphs)}", "dim"),)]
    if found is None or found.is_dir:
        return [(("enter unfolds a folder; a file's beginning is shown here.", "dim"),)]
    return []


def beginning(
    found: Artifact, piece: Piece | str | None, width: int, as_text: bool, text_key: str, glyphs: Glyphs
) -> tuple[str, list[Line]]:
    """What of a file is shown, in words, and its lines. `piece`: what came of it, an error, or None for nothing yet."""
    if piece is None:
        return "", [(("reading ...", "dim"),)]
    if isinstance(piece, str):
        return "", wrapped(((inert(piece, glyphs), "warning"),), width)
    shown = preview(found.name, piece.data, piece.total, width - 1, as_text, glyphs)
    lines = list(shown.lines)
    if shown.is_binary:
        lines += [(), ((f"{text_key} shows it as text", "dim"),)]
    return shown.said, lines
