"""Tables as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from runtower.present.spans import inert


def markdown_lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table in which neither a pipe nor a newline of a value ends a cell."""
    for number, row in enumerate([head, *rows]):
        yield "| " + " | ".join(_cell(text) for text in row) + " |\n"
        if number == 0:
            yield "| " + " | ".join("---" for _ in head) + " |\n"


def _cell(text: str) -> str:
    flat = text.replace("\\", "\\\\").replace("|", "\\|").replace("\r\n", "<br>")
    return inert(flat.replace("\n", "<br>").replace("\r", "<br>"))
