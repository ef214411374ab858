"""The keys that move through rows or lines, for every screen that has them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runtower_widgets.line import Lines
    from runtower_widgets.row_table import RowTable


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


class RowKeys(PageKeys):
    """Through the rows of a table, also to the first one and the last."""

    @property
    @abstractmethod
    def table(self) -> RowTable:
        """The one that is moved in."""

    def _move(self, by: int) -> None:
        self.table.move_by(by)

    def _page(self, pages: float) -> None:
        self.table.move_page(pages)

    def do_move_first(self) -> None:
        self.table.move_to(0)

    def do_move_last(self) -> None:
        self.table.move_to(len(self.table.rows) - 1)


class LineKeys(MoveKeys):
    """Through the lines of a page, also to its beginning and its end."""

    @property
    @abstractmethod
    def page(self) -> Lines:
        """The one that is moved in."""

    def _move(self, by: int) -> None:
        self.page.move_by(by)

    def _page(self, pages: float) -> None:
        self.page.move_by(int(pages * max(1, self.page.size.height - 1)))

    def do_page_first(self) -> None:
        self.page.move_by(-(10**6))

    def do_page_last(self) -> None:
        self.page.move_by(10**6)
