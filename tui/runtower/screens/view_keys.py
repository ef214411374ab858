"""Saved views on the screen: opened from a menu, and saved under a name."""

from __future__ import annotations

from typing import Final

from runtower.domain.errors import TowerError
from runtower.present.spans import inert, shortened
from runtower.screens.ask import Ask
from runtower.screens.menu import Choice, Menu
from runtower.screens.query_keys import QueryKeys
from runtower.screens.table_keys import choices

_REPLACE: Final = "replace"


class ViewKeys(QueryKeys):
    """What `:views` and `:save view` do."""

    def do_view_open(self) -> None:
        assert self.face is not None
        self.app.push_screen(Menu("views", choices(self.face.view_offers())), self._chose_view)

    async def _chose_view(self, values: list[str] | None) -> None:
        if not values:
            return
        try:
            self.desk.open_view(values[0])
        except TowerError as error:
            self.say(inert(str(error), self.glyphs))
            return
        await self._order_from_the_top()

    def do_view_save(self) -> None:
        file = shortened(inert(str(self.desk.project_file), self.glyphs), 52, self.glyphs)
        foot = f"enter writes it to {file}   esc back"
        self.app.push_screen(Ask("save what is shown as the view", foot), self._named)

    async def _named(self, name: str | None) -> None:
        if name is None:
            return
        if name not in self.desk.settings.views:
            await self._save(name)
            return
        offered = [
            Choice("", "keep the one that is there"),
            Choice(_REPLACE, "replace it by what is shown now", detail=self.desk.settings.views[name].where),
        ]

        async def answered(values: list[str] | None) -> None:
            if values == [_REPLACE]:
                await self._save(name)

        self.app.push_screen(Menu(f"there is a view {inert(name, self.glyphs)}", offered), answered)

    async def _save(self, name: str) -> None:
        try:
            file = await self.desk.save_view(name)
        except TowerError as error:
            self.say(inert(str(error), self.glyphs))
            return
        self.say(f"view {inert(name, self.glyphs)} is saved in {file}")
