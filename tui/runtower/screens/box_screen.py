"""What the screens have in common that look at this machine: its jobs, its GPUs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runtower.acts.box import Box
from runtower.acts.face import Face
from runtower.domain.runs import RunKey
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line as Spans
from runtower.screens.job_keys import LinkKeys
from runtower.screens.listed_screen import ListedScreen
from runtower.screens.run_screen import RunScreen

_SCREENS = ("1 runs", "2 models", "5 jobs", "6 gpu")


class BoxScreen(LinkKeys, ListedScreen):
    """One method an action: `do_` + its id. Gives the screen to turn to, with the row to stand on there, '' for the
    runs."""

    face: Face

    def __init__(self, keymap: Keymap, glyphs: Glyphs, face: Face, what: str) -> None:
        super().__init__(keymap, glyphs, face)
        self.box: Box = face.desk.box
        self._unwatch = self.box.watch(what)

    def on_unmount(self) -> None:
        self._unwatch()

    def screens_line(self, here: str) -> Spans:
        """The product and its screens, this one in brackets."""
        named = [(f"[{one}]" if one == here else f" {one} ", "active" if one == here else "dim") for one in _SCREENS]
        if self.size.width < 90:
            named = [(text, tone) if tone == "active" else (f" {text.split()[0]}", tone) for text, tone in named]
        return ((" runtower ", "title"), *named)

    def gpus_busy(self) -> Sequence[tuple[str, str]]:
        """How many GPUs are in use."""
        gpus = self.box.gpus
        return [(f"gpu {gpus.busy}/{len(gpus.gpus)} busy   ", "")] if gpus is not None and gpus.gpus else []

    def run_name(self, key: RunKey) -> str:
        """What people call a run."""
        row = int(self.face.desk.tower.catalogue.rows_of([key])[0])
        return self.face.name_of(row) if row >= 0 else key.run_id[:8]

    # -- leading elsewhere

    def go_to_run(self, key: RunKey) -> None:
        row = int(self.face.desk.tower.catalogue.rows_of([key])[0])
        if row < 0:
            self.say("that run isn't known any more")
            return
        self.app.push_screen(RunScreen(self.keymap, self.glyphs, self.face, [row]), self._came_back)

    def _came_back(self, _: Any) -> None:
        self.draw()

    def go_to(self, screen: str, target: str) -> None:
        self.dismiss(f"{screen} {target}")

    def do_models_runs(self) -> None:
        self.dismiss("")

    def do_live_refresh(self) -> None:
        self.box.refresh()

    def do_app_back(self) -> None:
        if not self.one_back():
            self.dismiss("")

    def do_app_quit(self) -> None:
        self.dismiss("")
