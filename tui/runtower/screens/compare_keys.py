"""What the keys do on the page of compared runs: move, fold, search, compare in another way, copy out."""

from __future__ import annotations

import shlex
from functools import partial

from textual import on

from runtower.acts.comparison import CONFIG, Comparison
from runtower.acts.compose_check import checked, is_at_hand
from runtower.acts.face import Face
from runtower.acts.run_files import RunFiles
from runtower.acts.sheets import SheetRow, SheetRows, markdown
from runtower.acts.text_files import artifact, revision
from runtower.config.words import yaml_of_changes
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.present.spans import inert
from runtower.screens.copying import copy_out
from runtower.screens.field import Field
from runtower.screens.menu import Choice, Menu
from runtower.screens.move_keys import MoveKeys
from runtower.screens.needle import Needle
from runtower.screens.over import OverScreen
from runtower.screens.text_diff import Side, TextDiffScreen
from runtower_widgets.config_diff import ConfigDiff


class CompareKeys(MoveKeys, OverScreen):
    """One method an action: `do_` + its id. `tab` is the one that is shown."""

    def __init__(self, keymap: Keymap, glyphs: Glyphs, face: Face, compared: Comparison) -> None:
        super().__init__(keymap, glyphs, face)
        self.compared = compared
        self.tab = CONFIG
        self._places: dict[str, str] = {}
        self._laid: tuple[SheetRows | None, int] = (None, 0)

    @property
    def is_busy(self) -> bool:
        return self.compared.is_reading(self.tab)

    @property
    def sheet(self) -> ConfigDiff:
        return self.query_one("#sheet", ConfigDiff)

    @property
    def row(self) -> SheetRow | None:
        """The line under the cursor."""
        shown = self.compared.shown(self.tab)
        return shown.at(self.sheet.cursor) if shown is not None and self.sheet.diff is shown else None

    def remember(self) -> None:
        """Which line the cursor stands on, for when others stand around it."""
        row = self.row
        if row is not None:
            self._places[self.tab] = row.path

    def place_of_cursor(self) -> int | None:
        """Where the cursor goes as the lines are others now; None where they are the same."""
        shown = self.compared.shown(self.tab)
        laid = (shown, shown.version if shown is not None else 0)
        if shown is None or laid == self._laid:
            return None
        self._laid = laid
        return shown.index_of(self._places.get(self.tab, ""))

    # -- move

    def _move(self, by: int) -> None:
        self.sheet.move_by(by)

    def _page(self, pages: float) -> None:
        self.sheet.move_page(pages)

    def do_page_first(self) -> None:
        self.sheet.move_to(0)

    def do_page_last(self) -> None:
        self.sheet.move_to(len(self.sheet.rows) - 1)

    def do_move_left(self) -> None:
        self.sheet.move_columns(-1)
        self.draw_soon()

    def do_move_right(self) -> None:
        self.sheet.move_columns(1)
        self.draw_soon()

    # -- what is shown

    def do_compare_differences(self) -> None:
        shown = self.compared.shown(self.tab)
        if shown is not None:
            self.remember()
            shown.only = not shown.only
            shown.lay()
            self.draw()

    def do_compare_open(self) -> None:
        """A section folds; a file that differs is shown line by line."""
        sides = self._sides()
        if sides is not None:
            self.app.push_screen(TextDiffScreen(self.keymap, self.glyphs, self.face, *sides))
            return
        self.sheet.fold()
        self.remember()
        self.draw()

    def _sides(self) -> tuple[Side, Side] | None:
        """The file of the cursor's line as both runs have it."""
        shown, row = self.compared.shown(self.tab), self.row
        file = shown.sheet.file(row) if shown is not None and row is not None else None
        desk = self.face.desk
        if file is None:
            return None
        if file.commits is not None:
            before, after = file.commits
            return (
                Side(before[:8], file.path, partial(revision, desk.folder, before, file.path)),
                Side(after[:8], file.path, partial(revision, desk.folder, after, file.path)),
            )
        first, second = (RunFiles(desk.tower, run) for run in self.compared.rows)
        return (
            Side(first.name, file.path, partial(artifact, first, file.path)),
            Side(second.name, file.path, partial(artifact, second, file.path)),
        )

    def do_compare_step(self) -> None:
        step = self.compared.step
        text = "" if step is None else str(step)
        self.app.push_screen(
            Field("metrics at the step; empty: the last ones", text, "", _wrong_step), self._chose_step
        )

    def _chose_step(self, text: str | None) -> None:
        if text is not None:
            self.compared.choose_step(int(text) if text.strip() else None)
            self.draw_soon()

    def do_compare_seeds(self) -> None:
        self.remember()
        self.compared.take_seeds(not self.compared.takes_seeds)
        self.draw()

    def do_compare_fold_all(self) -> None:
        shown = self.compared.shown(self.tab)
        if shown is not None:
            self.remember()
            shown.fold_all()
            self.draw()

    def do_compare_strict(self) -> None:
        self.compared.choose(not self.compared.strict, self.compared.heeds_rules)
        self.draw_soon()

    def do_compare_rules(self) -> None:
        self.compared.choose(self.compared.strict, not self.compared.heeds_rules)
        self.draw_soon()

    def do_compare_turn(self) -> None:
        self.compared.turn_round()
        self.draw_soon()

    def do_live_refresh(self) -> None:
        self.face.desk.tower.refresh()
        self.compared.forget()
        self.draw()

    def do_live_pause(self) -> None:
        self.pause_or_go_on()

    # -- next, and search

    def _jump(self, step: int) -> None:
        shown = self.compared.shown(self.tab)
        if not self.sheet.jump(step):
            what = "hit" if shown is not None and shown.needle else "difference"
            self.say(f"no further {what}" if step > 0 else f"no earlier {what}")
        self.remember()
        self.draw()

    def do_compare_next(self) -> None:
        self._jump(1)

    def do_compare_previous(self) -> None:
        self._jump(-1)

    def do_compare_search(self) -> None:
        shown = self.compared.shown(self.tab)
        if shown is not None:
            self.query_one(Needle).ask(shown.needle)
            self.draw()

    @on(Needle.Typed)
    def _typed(self, event: Needle.Typed) -> None:
        self._seek(event.text)

    @on(Needle.Searched)
    def _searched(self, event: Needle.Searched) -> None:
        self.query_one(Needle).leave()
        self.sheet.focus()
        shown, row = self.compared.shown(self.tab), self.row
        if shown is not None and shown.needle and (row is None or not shown.is_hit(row)) and not self.sheet.jump(1):
            self.sheet.move_to(0)
            self.sheet.jump(1)
        self.remember()
        self.draw_soon()

    def _seek(self, text: str) -> None:
        shown = self.compared.shown(self.tab)
        if shown is not None and shown.needle != text:
            shown.needle = text
            shown.lay()
            self.draw_soon()

    # -- take along

    async def do_compare_overrides(self) -> None:
        found = self.compared.found
        assert found is not None
        if not found.overrides.texts:
            self.say("nothing to copy: no override is needed" if not found.is_different else "no override says it")
            return
        text = " ".join(map(shlex.quote, found.overrides.texts))
        said = await copy_out(self.app, text, self.face.desk.copied_file)
        left = [f"{len(found.overrides.unsaid)} can't be said"] if found.overrides.unsaid else []
        left += [f"{len(found.hidden)} left out by rules"] if found.hidden else []
        self.say(f"{said}{'; ' if left else ''}{', '.join(left)}")
        if is_at_hand(found.a.source):
            settings = self.face.desk.settings
            rules = settings.diff.ignore if self.compared.heeds_rules else ()
            self.say(inert(str(await checked(found, self.face.desk.folder, rules, settings.redact)), self.glyphs))

    def do_compare_copy(self) -> None:
        offers = [Choice("md", "Markdown", "", "a table of what differs"), Choice("ids", "the ids of the runs")]
        if self.compared.found is not None and self.tab == CONFIG:
            offers.insert(1, Choice("yaml", "YAML", "", "what the second one has where they differ"))
        self.app.push_screen(Menu("copy", offers), self._copy)

    async def _copy(self, values: list[str] | None) -> None:
        shown, found = self.compared.shown(self.tab), self.compared.found
        if not values or shown is None:
            return
        if values[0] == "ids":
            text = " ".join(self.compared.run_ids)
        elif values[0] == "yaml":
            assert found is not None
            text = yaml_of_changes(found.difference, found.b.tree)
        else:
            text = markdown(shown.sheet, self.compared.names)
        self.say(await copy_out(self.app, text, self.face.desk.copied_file))

    def do_app_back(self) -> None:
        """One step back: the search, the page."""
        shown = self.compared.shown(self.tab)
        needle = self.query_one(Needle)
        if needle.is_typing or (shown is not None and shown.needle):
            needle.leave()
            self.sheet.focus()
            self._seek("")
            self.draw_soon()
        else:
            self.dismiss()


def _wrong_step(text: str) -> str:
    text = text.strip()
    return "" if not text or text.removeprefix("-").isdecimal() else "a step is a whole number"
