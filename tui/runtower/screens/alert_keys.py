"""Runs watched by hand, and the list of what happened."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from runtower.domain.happenings import Happening
from runtower.domain.runs import RunKey
from runtower.present.glyphs import Glyphs
from runtower.present.spans import inert
from runtower.present.times import clock
from runtower.screens.edit_keys import EditKeys
from runtower.screens.keys import KeyScreen
from runtower.screens.menu import Choice, Menu

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtower.acts.face import Desk, Face


def watch(screen: KeyScreen, face: Face, glyphs: Glyphs, rows: Sequence[int]) -> None:
    """Watch these runs by hand; where all of them are watched already, none. Says so."""
    keys = {face.desk.tower.catalogue.run_key(row) for row in rows}
    name = inert(face.name_of(rows[0]), glyphs) if len(keys) == 1 else f"one of the {len(keys)} marked runs"
    if face.desk.alarms.toggle(keys):
        screen.say(f"you will be told when {name} ends, goes NaN or falls silent")
    else:
        screen.say(f"{name}: no longer watched by hand")


def why_not_watched(desk: Desk, rows: Sequence[int]) -> str:
    """Why these runs can't be watched, or not any longer, in words; '' where they can."""
    running = any(desk.editor.plans.is_running(row) for row in rows)
    watched = any(desk.tower.catalogue.run_key(row) in desk.alarms.watched for row in rows)
    return "" if running or watched else "it has ended" if len(rows) == 1 else "all of the marked runs have ended"


class AlertKeys(EditKeys):
    """What `!` and `:happened` do in the list of runs."""

    def why_no_alert(self, action_id: str) -> str:
        """`why_not` for the actions of this page."""
        if action_id == "alert.happened":
            return "" if self.desk.alarms.happened else "nothing so far"
        rows = self.editor.plans.rows_meant()
        if not rows:
            return "no run is meant" if self.desk.browser.marks else self.nothing_here()
        return why_not_watched(self.desk, rows)

    def do_alert_watch(self) -> None:
        assert self.face is not None
        watch(self, self.face, self.glyphs, self.editor.plans.rows_meant())
        self.draw_soon()

    def do_alert_happened(self) -> None:
        """The newest first; enter goes to the run."""
        happened = list(reversed(self.desk.alarms.happened))
        now = time.time() * 1000
        offered = [
            Choice(str(place), f"{one.name} {one.text}", "", _beside(one, now, len(self.desk.targets) > 1))
            for place, one in enumerate(happened)
        ]

        def chosen(values: list[str] | None) -> None:
            if values:
                self._go_to(happened[int(values[0])].run)

        foot = "type to search   enter to the run   esc back"
        self.app.push_screen(Menu("what happened", offered, footer=foot), chosen)

    def _go_to(self, key: RunKey) -> None:
        """To its line where it has one; nothing is ordered, filtered or unfolded for it: else the run is opened."""
        row = int(self.desk.tower.catalogue.rows_of([key])[0])
        if row < 0:
            self.say("the run isn't there any more")
            return
        index = self.desk.browser.view.index_of(row)
        if index >= 0:
            self.table.move_to(index)
        else:
            self.open_run([row])


def _beside(one: Happening, now_ms: float, several: bool) -> str:
    """When we heard of it, and of which of several sources."""
    when = "while you were away" if one.away else clock(one.at_ms, now_ms)
    return f"{one.source}  {when}" if several else when
