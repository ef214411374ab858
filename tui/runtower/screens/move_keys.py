"""The keys that move through rows or lines, for every screen that has them."""

from __future__ import annotations

from abc import abstractmethod


class PageKeys:
    """One method an action: `do_` + its id. A screen says what a step and a page are."""

    @abstractmethod
    def _move(self, by: int) -> None:
        """So many rows or lines down, up where negative."""

    @abstractmethod
    def _page(self, pages: float) -> None:
        """So many pages down, up where negative."""

    def do_move_down(self) -> None:
        self._move(1)

    def do_move_up(self) -> None:
        self._move(-1)

    def do_move_page_down(self) -> None:
        self._page(1)

    def do_move_page_up(self) -> None:
        self._page(-1)


class MoveKeys(PageKeys):
    """With half pages too."""

    def do_move_half_down(self) -> None:
        self._page(0.5)

    def do_move_half_up(self) -> None:
        self._page(-0.5)
