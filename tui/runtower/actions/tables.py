"""How one moves, finds and looks: the actions of tables and of all pages."""

from __future__ import annotations

from typing import Final

from runtower.actions.action import Action
from runtower.actions.places import COMPARED, FIRST, LISTED, LISTS, PAGES, PANES, RUN, SCROLLED

TABLES: Final = (
    # Move
    Action("move.down", "Down", ("j", "down"), "Move", PAGES),
    Action("move.up", "Up", ("k", "up"), "Move", PAGES),
    Action("move.page_down", "Page down", ("pagedown",), "Move", PAGES),
    Action("move.page_up", "Page up", ("pageup",), "Move", PAGES),
    Action("move.half_down", "Half a page down", ("ctrl+d",), "Move", SCROLLED),
    Action("move.half_up", "Half a page up", ("ctrl+u",), "Move", SCROLLED),
    Action("move.first", "First row, and order again", ("g g", "home"), "Move", LISTS),
    Action("move.last", "Last row", ("G", "end"), "Move", LISTS),
    Action("move.left", "Column to the left", ("h", "left"), "Move", ("runs", "compare", *LISTED)),
    Action("move.right", "Column to the right", ("l", "right"), "Move", ("runs", "compare", *LISTED)),
    Action("page.first", "First line, or the beginning of the curves", ("g g", "home"), "Move", FIRST),
    Action("page.last", "Last line, or the end of the curves", ("G", "end"), "Move", FIRST),
    Action("tab.next", "Next tab", ("]", "."), "Move", (*RUN, *COMPARED, "model"), short="tab"),
    Action("tab.previous", "Previous tab", ("[", ","), "Move", (*RUN, *COMPARED, "model")),
    Action("pane.next", "Next pane", ("tab",), "Move", PANES, short="pane"),
    Action("pane.previous", "Previous pane", ("shift+tab",), "Move", PANES),
    # Find
    Action(
        "find.filter",
        "Filter the rows as you type",
        ("/",),
        "Find",
        ("runs", *LISTED),
        short="filter",
        tooltip="words; !word not; ~fuzzy; /regex/",
    ),
    Action(
        "find.query",
        "Query the runs as you type",
        ("f",),
        "Find",
        short="query",
        tooltip="metrics.loss < 0.3 and params.model = 'vit'",
    ),
    Action("find.next", "Next hit", ("n",), "Find", tooltip="skips parents that are only shown for their children"),
    Action("find.previous", "Previous hit", ("N",), "Find"),
    Action("find.experiments", "Choose experiments", ("E",), "Find", short="experiments"),
    Action("find.sources", "Sources: which are shown, one more, read-only", ("t",), "Find", short="sources"),
    Action("find.mine", "My runs or everyone's", ("M",), "Find", short="mine"),
    Action("find.deleted", "Deleted runs or living ones", (), "Find"),
    Action("view.open", "Views: open a saved one", (), "Find"),
    Action("view.save", "Save what is shown as a view", (), "Find", starts=True),
    # Look
    Action("look.open", "Open the run", ("enter",), "Look", short="open"),
    Action("look.details", "Details: next to the rows, large, or off", ("d",), "Look"),
    Action("look.zoom", "The focused pane alone, and back", ("z",), "Look"),
    Action(
        "look.differences",
        "Only the columns in which runs differ",
        ("x",),
        "Look",
        short="only differences",
        tooltip="the marked runs, or all; in the pane what differs from the baseline",
    ),
    Action("look.metric", "Choose the metric of the curve", ("m",), "Look"),
    Action("look.scale", "One scale for all curves, or each its own", ("^",), "Look"),
    Action("look.fold", "Fold or unfold the children or the group", ("z a",), "Look"),
    Action("look.tree", "Tree or flat; from groups back to the tree", ("b",), "Look"),
    Action("look.group", "Group by a column", ("g b",), "Look", tooltip="with count, mean, spread and best"),
    Action("look.points", "Scatter or histogram of columns", ("g s",), "Look", tooltip="of the marked runs, or all"),
    Action(
        "look.compare",
        "Compare the marked runs, or this one with the baseline",
        ("c",),
        "Look",
        short="compare",
        tooltip="config, metrics and curves beside each other",
    ),
)
