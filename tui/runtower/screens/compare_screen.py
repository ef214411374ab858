"""Runs beside each other: their configs, metrics and curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult

from runtower.acts.compared_versions import ComparedVersions
from runtower.acts.comparison import CONFIG, CURVES, METRICS, Comparison
from runtower.acts.face import Face
from runtower.acts.sheets import SheetRow
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line as Spans
from runtower.present.spans import Span, inert, shortened, wrapped
from runtower.screens.compare_keys import CompareKeys
from runtower.screens.curves_screen import CurvesScreen
from runtower.screens.needle import TYPING, Needle
from runtower.screens.run_lines import footer
from runtower.screens.run_tabs import tabs_line
from runtower_widgets.config_diff import ConfigDiff, Wants, columns_of
from runtower_widgets.line import Line, Lines
from runtower_widgets.row_table import RowTable

_TALL: Final = 30
_PAIR: Final = 2
_FOOTER: Final = (
    "app.help",
    "compare.differences",
    "compare.next",
    "compare.overrides",
    "tab.next",
    "compare.rules",
    "compare.strict",
    "compare.search",
    "compare.open",
    "compare.seeds",
    "compare.step",
    "compare.turn",
)


class CompareScreen(CompareKeys):
    """One method an action: `do_` + its id. `rows` are global rows; the others are compared with the first."""

    place: ClassVar[str] = "compare"
    AUTO_FOCUS: ClassVar[str | None] = "#sheet"

    def __init__(
        self,
        keymap: Keymap,
        glyphs: Glyphs,
        face: Face,
        rows: Sequence[int],
        versions: ComparedVersions | None = None,
    ) -> None:
        """`versions` of a model that came from these runs, where these are compared; else the runs are."""
        super().__init__(keymap, glyphs, face, Comparison(face, glyphs, rows, self.draw_soon, versions))
        if versions is not None:
            self.tab = METRICS

    def compose(self) -> ComposeResult:
        yield Line(id="crumbs")
        yield ConfigDiff(id="sheet")
        yield Lines(id="instead", can_focus=False)
        yield Line(id="rule")
        yield Lines(id="full", can_focus=False)
        yield Line(id="summary")
        yield Needle()
        yield Line(id="keys")

    def on_mount(self) -> None:
        self.face.desk.tower.focus(self.compared.rows)

    def on_unmount(self) -> None:
        self.compared.close()

    def begin(self) -> None:
        self._show(self.tab)

    # -- drawing

    def draw(self) -> None:
        """Bring every line to what is known now."""
        super().draw()
        if not self.is_there or self.tab == CURVES:
            return
        width = self.size.width
        self.query_one("#crumbs", Line).say(*self._head(width, ""))
        self.query_one("#full").styles.height = self._full_lines
        shown = self.compared.shown(self.tab)
        instead = self._instead()
        self.set_class(bool(instead), "nothing")
        self.query_one("#instead", Lines).say([short for line in instead for short in wrapped(line, width - 2)])
        if shown is not None and not instead:
            heads = self._heads()
            columns = columns_of(width, heads, Wants(*shown.widths(len(heads))), self._shorten)
            self.sheet.compare(shown, columns, self.place_of_cursor())
            if self.focused is None:
                self.sheet.focus()  # it had lost it while there was nothing to show
        self._draw_row()
        self._draw_summary()
        is_typing = self.query_one(Needle).is_typing
        keys = TYPING if is_typing else footer(self.keymap, self.why_not, width, _FOOTER)
        self.query_one("#keys", Line).say(keys)

    @property
    def _full_lines(self) -> int:
        return 2 if self.size.height < _TALL else 4

    def _heads(self) -> list[str]:
        shown = self.compared.shown(self.tab)
        if shown is not None and shown.sheet.heads:
            return [inert(head, self.glyphs) for head in shown.sheet.heads]
        names = [inert(name, self.glyphs) for name in self.compared.names]
        browser = self.face.desk.browser
        if self.compared.rows[0] == browser.baseline:
            names[0] = f"{self.glyphs.baseline} {names[0]}"
        return names

    def _shorten(self, text: str, width: int) -> str:
        return shortened(text, width, self.glyphs)

    def _head(self, width: int, said: str) -> tuple[Spans, Spans]:
        """The head line: what is compared at the left, the tabs at the right."""
        gap = 2 if width >= 100 else 0
        right = tabs_line(self.compared.tabs, self.tab, gap, said)
        names = self.compared.names
        room = width - sum(len(text) for text, _ in right) - 13
        left: list[Span] = [(" compare ", "title"), (f"{self.glyphs.within} ", "dim")]
        if len(names) == _PAIR and room >= 18:
            each = (room - 3) // 2
            left += [
                (shortened(inert(names[0], self.glyphs), each, self.glyphs), "bright"),
                (f" {self.glyphs.arrow} ", "dim"),
            ]
            left.append((shortened(inert(names[1], self.glyphs), each, self.glyphs), "bright"))
        else:
            left.append((f"{len(names)} runs", "bright"))
        return tuple(left), right

    def _instead(self) -> list[Spans]:
        """What is said where there are no lines."""
        error = self.compared.errors.get(self.tab)
        if error:
            return [((inert(error, self.glyphs), "warning"),)]
        shown = self.compared.shown(self.tab)
        if shown is None:
            return [(("Reading ...", "dim"),)]
        if not shown.sheet.rows:
            return [((shown.sheet.empty, ""),)]
        if not len(shown):
            key = self.keymap.shown("compare.differences")
            return [(("Nothing differs.", ""),), (), ((f"{key} shows what is equal too.", "dim"),)]
        return []

    def _draw_row(self) -> None:
        """The line under the cursor with its values in full."""
        shown, row = self.compared.shown(self.tab), self.row
        dash, width, glyphs = self.glyphs.rule, self.size.width, self.glyphs
        rule, full = self.query_one("#rule", Line), self.query_one("#full", Lines)
        if shown is None or row is None or self._instead():
            rule.say([(f" {dash * (width - 2)}", "rule")])
            full.say(())
            return
        note = shown.sheet.note(row)
        name = shortened(inert(row.path, glyphs), max(8, width - len(note) - 12), glyphs)
        spans: list[Span] = [(f" {dash}{dash} ", "rule"), (name, "bright")]
        spans.append((f"  {inert(note, glyphs)} " if note else " ", "warning" if note else ""))
        used = sum(len(text) for text, _ in spans)
        rule.say([*spans, (dash * max(0, width - used - 1), "rule")])
        full.say(self._full(row), 0)

    def _full(self, row: SheetRow) -> list[Spans]:
        """A line for each of two runs, more where there is room; of more runs as many as can be said."""
        shown = self.compared.shown(self.tab)
        assert shown is not None
        sheet, width, glyphs, room = shown.sheet, self.size.width - 2, self.glyphs, self._full_lines
        names = shown.sheet.heads or self.compared.names
        said = [inert(sheet.origin(n) if row.is_section else sheet.full(row, n), glyphs) for n in range(len(names))]
        if len(names) == _PAIR:
            lines: list[Spans] = []
            for side, text in zip("AB", said, strict=True):
                short = shortened(text, (width - 4) * (room // _PAIR), glyphs)
                pieces = wrapped(((short, "bright" if side == "B" and not row.is_section else ""),), width - 4)
                lines += [((f" {side if n == 0 else ' '}  ", "dim"), *piece) for n, piece in enumerate(pieces)]
            return lines if any(said) else []
        if row.is_section:
            text = "; ".join(dict.fromkeys(one for one in said if one))
        else:
            seen = [0, *range(1 + self.sheet.first_column, len(names))]
            text = "   ".join(f"{shortened(inert(names[n], glyphs), 24, glyphs)}: {said[n]}" for n in seen)
        return [((" ", ""), *line) for line in wrapped(((text, ""),), width)[:room]]

    def _draw_summary(self) -> None:
        shown = self.compared.shown(self.tab)
        left: list[Span] = []
        right: list[Span] = []
        if shown is not None:
            words = shown.sheet.summary
            if self.tab == CONFIG:
                words += ", strict" if self.compared.strict else ""
                words += "" if self.compared.heeds_rules else ", no rules"
            left = [(f" {inert(words, self.glyphs)}", "")]
            if shown.needle:
                hits, more = shown.hits()
                text = f"{hits} hit{'s' * (hits != 1)}" + (f", {more} more among what is equal" if more else "")
                right = [(text + " ", "marked" if hits else "warning")]
            elif beyond := self._beyond():
                right = [(beyond, "dim")]
            elif self.compared.is_reading(self.tab):
                right = [("reading ... ", "dim")]
        self.query_one("#summary", Line).say(left, right)

    def _beyond(self) -> str:
        """How many runs stand beyond the edges."""
        shown = self.compared.shown(self.tab)
        count = len(self.compared.rows) if shown is None else len(shown.sheet.heads or self.compared.rows)
        if count <= _PAIR or self.sheet.diff is None:
            return ""
        seen = sum(column.id.isdecimal() for _, column, _ in self.sheet.shown_columns())
        before = self.sheet.first_column
        after = count - seen - before
        said = [f"{before} more to the left"] if before else []
        said += [f"{after} more to the right"] if after > 0 else []
        return f"{', '.join(said)} " if said else ""

    # -- tabs

    def _show(self, tab: str) -> None:
        """A tab of this page, or the curves over it."""
        self.remember()
        self.tab = tab
        if tab == CURVES:
            self.app.push_screen(
                CurvesScreen(self.keymap, self.glyphs, self.face, self.compared.rows, self._head), self._shown
            )
        else:
            self.draw()

    def _shown(self, by: int | None) -> None:
        """The curves were left for another tab, or for the runs."""
        if by:
            self._turn(by)
        else:
            self.dismiss()

    def _turn(self, by: int) -> None:
        tabs = self.compared.tabs
        self._show(tabs[(tabs.index(self.tab) + by) % len(tabs)])

    def do_tab_next(self) -> None:
        self._turn(1)

    def do_tab_previous(self) -> None:
        self._turn(-1)

    # -- what happens

    @on(RowTable.Moved)
    def _moved(self) -> None:
        if self.is_there and self.tab != CURVES:
            self.remember()
            self._draw_row()
            self._draw_summary()

    @on(RowTable.Opened)
    async def _opened(self) -> None:
        await self.act("compare.open")

    def why_not(self, action_id: str) -> str:
        if action_id == "compare.overrides" and len(self.compared.rows) > _PAIR:
            return "overrides turn one config into one other: compare two runs"
        if action_id in ("compare.overrides", "compare.strict", "compare.rules") and self.tab != CONFIG:
            return "that is for the configs (the tab config)"
        if action_id in ("compare.step", "compare.seeds") and self.tab != METRICS:
            return "that is for the metrics (the tab metrics)"
        if action_id == "compare.seeds" and not self.compared.has_seeds:
            return "no two of several configs differ in seeds only"
        if action_id == "compare.turn" and len(self.compared.rows) > _PAIR:
            return "only two can be turned round"
        if action_id in ("compare.overrides", "compare.copy") and self.compared.shown(self.tab) is None:
            return "it is being read"
        if action_id == "compare.differences" and self.tab == CONFIG and len(self.compared.rows) > _PAIR:
            return "of more than two configs only what varies is shown"
        return ""
