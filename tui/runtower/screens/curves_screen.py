"""The curves of compared runs over each other: a page over the comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from runtower.acts.comparison import CURVES
from runtower.acts.face import Face
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line as Spans
from runtower.screens.chart_keys import FOOTER, ChartKeys
from runtower.screens.run_lines import footer
from runtower_widgets.line import Line, Lines


class CurvesScreen(ChartKeys):
    """One method an action: `do_` + its id. Gives how many tabs to turn further, 0 for back to the runs."""

    place: ClassVar[str] = "curves"
    tab: str = CURVES

    def __init__(
        self,
        keymap: Keymap,
        glyphs: Glyphs,
        face: Face,
        rows: Sequence[int],
        head: Callable[[int, str], tuple[Spans, Spans]],
    ) -> None:
        """`head` makes the head line, of a width and what is said beside the tabs."""
        super().__init__(keymap, glyphs, face, rows)
        self._head = head
        self._left_out = len(rows) - len(self.rows)

    def draw(self) -> None:
        super().draw()
        if not self.is_there:
            return
        said = ", ".join(
            part for part in (self.pages(), f"{self._left_out} left out" if self._left_out else "") if part
        )
        self.query_one("#crumbs", Line).say(*self._head(self.size.width, said))
        if self.charts.metrics:
            self.draw_charts()
        else:
            self.query_one("#page", Lines).say([(), (("  None of these runs logged a metric.", "dim"),)], 0)
        self.query_one("#keys", Line).say(footer(self.keymap, self.why_not, self.size.width, _FOOTER))

    def why_not(self, action_id: str) -> str:
        if action_id.startswith("chart.") and action_id != "chart.metrics" and not self.charts.metrics:
            return "there are no charts here"
        return super().why_not(action_id)

    def do_tab_next(self) -> None:
        self.dismiss(1)

    def do_tab_previous(self) -> None:
        self.dismiss(-1)

    def do_live_refresh(self) -> None:
        self.face.desk.tower.refresh()

    def do_live_pause(self) -> None:
        self.pause_or_go_on()

    def do_app_back(self) -> None:
        if not self.one_back():
            self.dismiss(0)


_FOOTER = tuple(action_id for action_id in FOOTER if action_id != "log.open")
