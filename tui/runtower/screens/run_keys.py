"""What the keys of the runs screen do beside the table: find, look, take along, leave."""

from __future__ import annotations

from typing import Final

from textual import on
from textual.message import Message
from textual.widgets import Input

from runtower.actions import at
from runtower.acts.compare_rows import rows_to_compare
from runtower.domain.errors import Invalid
from runtower.domain.runs import ColumnKey
from runtower.screens.alert_keys import AlertKeys
from runtower.screens.copying import copy_out
from runtower.screens.dvc_keys import DvcKeys
from runtower.screens.everywhere import next_theme, offer
from runtower.screens.menu import Choice, Menu
from runtower.screens.sources import SourcesScreen
from runtower.screens.table_keys import choices
from runtower_widgets.line import Line, Lines

_NEED_A_RUN: Final = frozenset(
    {
        "look.open",
        "log.open",
        "look.fold",
        "mark.toggle",
        "mark.range",
        "mark.pin",
        "mark.baseline",
        "take.id",
        "take.menu",
    }
)
_ON_GROUPS: Final = frozenset({"look.open", "look.fold", "mark.toggle"})
_NEED_ROWS: Final = frozenset({"mark.all", "mark.invert", "find.next", "find.previous", "look.metric", "look.points"})


class RunsScreen(AlertKeys, DvcKeys):
    """One method an action: `do_` + its id."""

    class MouseToggled(Message):
        """The mouse is to be ours, or the terminal's again."""

    def why_not(self, action_id: str) -> str:
        group = action_id.split(".")[0]
        if self.face is None:  # the keys wait; this greys them in the footer
            return "" if group in ("app", "pane") else "the runs are being read"
        if group == "change":
            return self.why_no_change(action_id)
        if group == "alert":
            return self.why_no_alert(action_id)
        if action_id == "dvc.act":
            return self.why_no_dvc()
        if action_id == "pipeline.open":
            return "" if self.desk.pipelines.numbers else "none of these sources is a DVC project"
        if group in ("jobs", "gpus", "job", "links"):
            return self.why_no_box(action_id)
        browser = self.desk.browser
        rows = len(browser.view)
        if (action_id in _NEED_A_RUN or action_id in _NEED_ROWS) and not rows:
            return "there is no run here"
        if action_id in _NEED_A_RUN - _ON_GROUPS and browser.view.group_at(self.table.cursor) is not None:
            return self.nothing_here()
        if action_id == "look.differences" and max(len(browser.view.hit_rows), len(browser.marks)) < 2:
            return "it takes two runs"
        if action_id == "look.compare":
            return rows_to_compare(browser, browser.row_at(self.table.cursor))[1]
        nested = browser.tree is not None and browser.tree.nested
        if action_id == "look.fold" and not nested and browser.view.groups is None:
            return "no run here has children"
        if action_id == "run.register":
            return self.why_no_register()
        if action_id == "view.open" and not self.desk.settings.views:
            return "no view is saved yet (:save)"
        if action_id == "demo.dismiss" and (not self.steps or self.desk.kept.demo_dismissed):
            return "no line of steps is shown"
        return ""

    async def act(self, action_id: str) -> None:
        await super().act(action_id)
        if self.step < len(self.steps) and action_id in self.steps[self.step][1]:
            self.step += 1
            self.draw_soon()

    # -- find

    def do_find_filter(self) -> None:
        top, search = self.query_one("#top"), self.query_one("#filter", Input)
        top.add_class("filtering")
        self.query_one("#slash", Line).say([(" / ", "key")])
        with search.prevent(Input.Changed):
            search.value = self.desk.browser.filter_text
        search.display = True
        self.set_focus(search)  # at once: what is typed next belongs into the field
        search.select_all()  # typing replaces the old filter, an arrow key keeps it
        self.draw_soon()

    @on(Input.Changed, "#filter")
    async def _filter_typed(self, event: Input.Changed) -> None:
        if self.face is None or not self.query_one("#top").has_class("filtering"):
            return
        try:
            self.desk.browser.set_filter(event.value)
        except Invalid as error:
            self.speak(error.tried, "warning")
            return
        await self._order()

    @on(Input.Submitted, "#filter")
    def _filter_kept(self, event: Input.Submitted) -> None:
        self._leave_filter()

    def _leave_filter(self) -> None:
        self.query_one("#top").remove_class("filtering")
        self.query_one("#filter", Input).display = False
        self.set_focus(self.table)
        self.draw_soon()

    def _hit(self, step: int) -> None:
        index = self.desk.browser.next_hit(self.table.cursor, step)
        if index is not None:
            self.table.move_to(index)

    def do_find_next(self) -> None:
        self._hit(1)

    def do_find_previous(self) -> None:
        self._hit(-1)

    def do_find_experiments(self) -> None:
        assert self.face is not None
        chosen = self.desk.browser.query.experiments
        offers = [Choice("*", "all experiments"), *choices(self.face.experiment_offers())]
        here = {f"{number}/{one}" for number, one in chosen} if chosen is not None else {"*"}
        start = next((place for place, choice in enumerate(offers) if choice.value in here), 0)
        footer = "type to search   enter pick   tab mark   ctrl+t all   esc back"
        menu = Menu("experiments", offers, marked=set(), footer=footer, start=start)
        self.app.push_screen(menu, self._chose_experiments)

    async def _chose_experiments(self, values: list[str] | None) -> None:
        if not values:
            return
        if "*" in values:
            self.desk.choose_experiments(None)
        else:
            pairs = (value.split("/", 1) for value in values)
            self.desk.choose_experiments(frozenset((int(number), one) for number, one in pairs))
        await self._order_from_the_top()

    def do_find_sources(self) -> None:
        assert self.face is not None
        self.app.push_screen(SourcesScreen(self.keymap, self.face, self.glyphs), self._chose_sources)

    async def _chose_sources(self, others: bool | None) -> None:
        if others:
            await self._order_from_the_top()
        self.draw_soon()

    async def do_find_mine(self) -> None:
        desk = self.desk
        desk.mine = not desk.mine
        desk.browser.only_user(desk.user if desk.mine else None)
        await self._order()

    async def do_find_deleted(self) -> None:
        browser = self.desk.browser
        browser.show_deleted(not browser.query.deleted)
        await self._order_from_the_top()

    # -- look

    def do_look_details(self) -> None:
        following = {"beside": "large", "large": "off", "off": "beside"}
        self._show_details(following.get(self.desk.kept.details, "beside"))

    def do_look_zoom(self) -> None:
        large = self.desk.kept.details
        self._show_details("beside" if large != "beside" else ("large" if self._pane_is_focused() else "off"))

    def _show_details(self, mode: str) -> None:
        self.desk.kept.details = mode
        self.lay_panes(self.size.width, self.size.height)
        (self.query_one("#details", Lines) if mode == "large" else self.table).focus()

    async def do_look_differences(self) -> None:
        """In the table the columns in which the runs differ, in the pane what differs from the baseline; and back."""
        columns = self.desk.columns
        if columns.only_differing:
            columns.show_all()
        elif (found := await columns.show_differing()) is not None:
            left = found.count - columns.differing_shown
            if not found.count:
                self.say(f"these runs are the same in all {found.asked} columns")
            elif left:
                self.say(f"{left} more params differ than there is room for; marks or a filter leave fewer")
        self.draw()

    def do_look_metric(self) -> None:
        assert self.face is not None
        self.app.push_screen(Menu("metric of the curve", choices(self.face.metric_offers())), self._chose_metric)

    def _chose_metric(self, values: list[str] | None) -> None:
        if values:
            self.desk.columns.use_metric(ColumnKey.of(values[0]))
            self.draw()

    def do_look_scale(self) -> None:
        rows = self.desk.rows
        rows.own_scale = not rows.own_scale
        rows.changed()
        self.say("each curve has its own scale" if rows.own_scale else "one scale for all curves")
        self.draw()

    def do_look_points(self) -> None:
        """The marked runs, or all, as points on a screen of their own."""
        from runtower.screens.points_screen import PointsScreen  # noqa: PLC0415  as for an opened run

        assert self.face is not None
        self.covered = True
        self.app.push_screen(PointsScreen(self.keymap, self.glyphs, self.face), self._uncovered)

    async def do_look_tree(self) -> None:
        """The tree or a flat list; from groups back to the tree."""
        browser = self.desk.browser
        browser.show_tree(not browser.query.tree or browser.query.group is not None)
        browser.group_by(None)
        await self._order()

    def do_look_group(self) -> None:
        assert self.face is not None
        offers, group = choices(self.face.group_offers()), self.desk.browser.query.group
        here = "" if group is None else group.value
        start = next((place for place, choice in enumerate(offers) if choice.value == here), 0)
        self.app.push_screen(Menu("group by", offers, start=start), self._chose_group)

    async def _chose_group(self, values: list[str] | None) -> None:
        if values:
            self.desk.browser.group_by(ColumnKey.of(values[0]) if values[0] else None)
            await self._order()

    # -- take along, live, everywhere

    async def do_take_id(self) -> None:
        await self._copy(self.desk.tower.catalogue.run_key(self._with_row()).run_id)

    def do_take_menu(self) -> None:
        assert self.face is not None
        self.app.push_screen(Menu("copy", choices(self.face.copy_offers(self._with_row()))), self._chose_copy)

    async def _chose_copy(self, values: list[str] | None) -> None:
        if values:
            await self._copy(values[0])

    async def _copy(self, text: str) -> None:
        self.say(await copy_out(self.app, text, self.desk.copied_file))

    async def do_live_refresh(self) -> None:
        self.desk.tower.refresh()
        await self._order()

    def do_live_pause(self) -> None:
        self.desk.pause(not self.desk.paused)
        self.draw()

    async def do_app_back(self) -> None:
        """One step back: the field that is typed in, the pane, the filter, the query, the deleted runs."""
        if self.querying:
            await self.clear_query()
        elif self.query_one("#top").has_class("filtering"):
            self.desk.browser.clear_filter()
            self._leave_filter()
            await self._order()
        elif self.face is not None and self.desk.kept.details == "large":
            self._show_details("beside")
        elif self._pane_is_focused():
            self.table.focus()
        elif self.face is not None and self.desk.browser.filter_text:
            self.desk.browser.clear_filter()
            await self._order()
        elif self.face is not None and self.desk.browser.where_text:
            self.desk.browser.set_where("")
            await self._order()
        elif self.face is not None and self.desk.browser.query.deleted:
            await self.do_find_deleted()

    def do_app_help(self) -> None:
        offer(self, "keys", at(self.place))

    def do_app_palette(self) -> None:
        offer(self, "actions", sorted(at(self.place), key=lambda action: action.id.split(".")[-1]))

    def do_app_theme(self) -> None:
        next_theme(self.app)

    def do_app_mouse(self) -> None:
        self.post_message(self.MouseToggled())

    def do_app_quit(self) -> None:
        if self.face is not None and self.desk.kept.details == "large":
            self._show_details("beside")
        elif not self.leave_when_settled():
            self.app.exit()

    def do_demo_dismiss(self) -> None:
        self.desk.kept.demo_dismissed = True
        self.draw()
