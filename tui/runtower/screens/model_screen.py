"""One registered model: its versions, and the line of versions that each alias and stage went through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from runtower.acts.face import Face
from runtower.acts.listed import Head
from runtower.acts.model_history import HEADS as HISTORY_HEADS
from runtower.acts.model_history import HistoryRows
from runtower.acts.registry_words import uri_of, version_name
from runtower.acts.version_about import about_version
from runtower.acts.version_rows import VersionRows
from runtower.domain.models import Model, ModelNow, ModelVersion
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line as Spans
from runtower.present.spans import inert, shortened
from runtower.screens.listed_screen import ListedScreen
from runtower.screens.model_keys import RegistryKeys
from runtower.screens.run_tabs import tabs_line
from runtower.screens.version_keys import VersionKeys
from runtower.screens.version_screen import VersionScreen

VERSIONS, HISTORY = "versions", "history"
_TABS: Final = (VERSIONS, HISTORY)
_FOOTER: Final = (
    "app.help",
    "app.back",
    "model.open",
    "version.promote",
    "version.back",
    "version.compare",
    "tab.next",
    "take.uri",
    "model.edit",
    "find.filter",
    "columns.sort",
    "mark.toggle",
    "version.download",
)


class ModelScreen(VersionKeys, RegistryKeys, ListedScreen):
    """Gives whether one goes on to the runs. `number` is the source's."""

    place: ClassVar[str] = "model"
    footer_keys = _FOOTER

    def __init__(self, keymap: Keymap, glyphs: Glyphs, face: Face, number: int, name: str) -> None:
        super().__init__(keymap, glyphs, face)
        self._named = (number, name)
        self.tab = VERSIONS
        self._unwatch = face.desk.registries.watch((number, name))
        self._drawn: tuple[object, ...] = ()
        self._rows: VersionRows | None = None
        self._history: HistoryRows | None = None

    def on_unmount(self) -> None:
        self._unwatch()

    @property
    def now(self) -> ModelNow | None:
        """The model as it was read last."""
        return self.registries.model(self.number, self._named[1])

    # -- drawing

    def draw(self) -> None:
        """Bring every part to what the registry holds now."""
        super().draw()
        if not self.is_there:
            return
        now, desk = self.now, self.face.desk
        state = (self.tab, now, desk.tower.catalogue.size, self.registries.version)
        if now is not None and state != self._drawn:
            self._drawn = state
            self._rows = VersionRows(desk.tower, self.number, now, self.glyphs)
            self._history = HistoryRows(now, self.glyphs)
            self.listed.take(self._rows.rows if self.tab == VERSIONS else self._history.rows)
        elif now is None:
            self.listed.take(())
        self.draw_rows()
        self.draw_said()

    def heads(self) -> Sequence[Head]:
        if self.tab == HISTORY:
            return HISTORY_HEADS
        return self._rows.heads(self.size.width) if self._rows is not None else ()

    def status(self) -> tuple[Spans, Spans]:
        width = self.size.width
        right = tabs_line(_TABS, self.tab, 2 if width >= 100 else 0)
        error = self.registries.error(self.number, self._named[1])
        said = " no answer, as it was read last" if error is not None and self.now is not None else ""
        if not said and self.listed.marks:
            said = f" {len(self.listed.marks)} marked"
        if not said and self.now is not None and self.tab == VERSIONS:
            count = len(self.now.versions)
            said = f" {len(self.listed)} of {count}" if self.listed.needle else f" {count} version{'s' * (count != 1)}"
        room = width - sum(len(text) for text, _ in right) - len(said) - 14
        name = shortened(inert(self._named[1], self.glyphs), max(8, room), self.glyphs)
        left: Spans = ((" models ", "title"), (f"{self.glyphs.within} ", "dim"), (name, "bright"))
        return (*left, (said, "warning" if error is not None else "dim")), right

    def instead(self) -> Sequence[Spans]:
        if self.now is None:
            error = self.registries.error(self.number, self._named[1])
            return [((str(error), "warning") if error is not None else ("Reading ...", "dim"),)]
        if self.listed.total:
            return ()
        if self.tab == HISTORY:
            key = self.keymap.shown("version.promote")
            return [
                (("No promotion was recorded on this model's versions yet.", ""),),
                (),
                ((key, "key"), (" on a version promotes it, and leaves a record that everybody can see.", "")),
            ]
        return [(("This model has no version yet.", ""),)]

    def about(self) -> tuple[str, Sequence[Spans]]:
        if self.tab == HISTORY:
            assert self._history is not None
            return self._history.about(self.here)
        one = self.version_here
        assert one is not None
        assert self._rows is not None
        name = f"{self._named[1]} {version_name(one.version)}"
        return name, about_version(self.face.desk.tower, one, self._rows.runs.get(one.version), self.glyphs)

    # -- which version

    def registered_name(self) -> tuple[int, str]:
        return self._named

    @property
    def model_here(self) -> Model | None:
        return self.now.model if self.now is not None else None

    @property
    def version_here(self) -> ModelVersion | None:
        if self.now is None or self.here is None:
            return None
        if self.tab == HISTORY:
            return self._history.version(self.here) if self._history is not None else None
        return self.now.version(str(self.here))

    @property
    def marked(self) -> Sequence[ModelVersion]:
        if self.now is None or self.tab == HISTORY:
            return ()
        return [one for one in self.now.versions if one.version in self.listed.marks]

    # -- keys

    def why_not(self, action_id: str) -> str:
        if action_id == "model.open" and self.tab == HISTORY and self.version_here is None:
            return "that version isn't there any more"
        return ListedScreen.why_not(self, action_id) or self.why_no_version(action_id)

    def do_model_open(self) -> None:
        one = self.version_here
        assert one is not None
        screen = VersionScreen(self.keymap, self.glyphs, self.face, self.number, self._named[1], one.version)
        self.app.push_screen(screen, self.left)

    def uri_here(self) -> str:
        one = self.version_here
        assert one is not None
        return uri_of(one)

    def _turn_tab(self, by: int) -> None:
        self.tab = _TABS[(_TABS.index(self.tab) + by) % len(_TABS)]
        self.listed.order, self.listed.needle, self.listed.active = None, "", ""
        self.draw()
        self.table.move_to(0)

    def do_tab_next(self) -> None:
        self._turn_tab(1)

    def do_tab_previous(self) -> None:
        self._turn_tab(-1)

    def do_app_back(self) -> None:
        if not self.one_back() and not self.stop_download():
            self.dismiss(False)

    def do_app_quit(self) -> None:
        self.dismiss(False)
