"""The error of a query, which marks its place."""

from __future__ import annotations

from runtower.domain.errors import Invalid

Place = tuple[int, int]  # first character and the one after the last, from 0


class Misread(Invalid):
    """A query that can't be read or makes no sense. `place` is the part that is wrong, in `text`."""

    def __init__(self, what: str, remedy: str, text: str, place: Place) -> None:
        super().__init__(f"The query can't be read at character {place[0] + 1}: {what}.", remedy)
        self.what = what
        self.text = text
        self.place = place

    def pointed(self) -> tuple[str, str]:
        """The query, each control character as a space, and a line of carets to stand below it."""
        shown = "".join(letter if letter.isprintable() else " " for letter in self.text)
        start, end = self.place
        return shown, " " * start + "^" * max(1, end - start)
