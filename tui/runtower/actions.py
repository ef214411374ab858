"""The registry of actions: what can be done, where, and by which keys.

Footer, `?`, the palette, docs/keys.md and a user's own bindings all come from these records. A screen does an action
in the method `do_` + its id with `_` for `.`, and says in `why_not(id)` why it can't be done now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a user can do.

    `keys` as Textual names them; a sequence has spaces ("g g"). `places` are the screens that offer it. `short` is
    what the footer says, '' where it never stands there. `starts` marks what starts, writes or stops something.
    """

    id: str
    title: str
    keys: tuple[str, ...]
    group: str
    places: tuple[str, ...] = ("runs",)
    short: str = ""
    tooltip: str = ""
    starts: bool = False


_LISTS: Final = ("runs", "sources")
_FILES: Final = ("artifacts", "log")
_RUN: Final = ("run", *_FILES)
_COMPARED: Final = ("compare", "curves")
_OPENED: Final = ("runs", *_RUN)
_TEXTS: Final = ("texts",)
_LINES: Final = (*_OPENED, *_COMPARED)
_SCROLLED: Final = (*_LINES, *_TEXTS)
_FIRST: Final = (*_RUN, *_COMPARED, *_TEXTS)
_PANES: Final = ("runs", "run", "artifacts", "curves")
_CHARTS: Final = ("run", "curves")
_DRAWN: Final = (*_SCROLLED, "points")
_PAGES: Final = (*_SCROLLED, "sources")
_ALL: Final = (*_DRAWN, "empty", "sources")
_SOURCES: Final = ("sources",)

ACTIONS: Final[tuple[Action, ...]] = (
    # Move
    Action("move.down", "Down", ("j", "down"), "Move", _PAGES),
    Action("move.up", "Up", ("k", "up"), "Move", _PAGES),
    Action("move.page_down", "Page down", ("pagedown",), "Move", _PAGES),
    Action("move.page_up", "Page up", ("pageup",), "Move", _PAGES),
    Action("move.half_down", "Half a page down", ("ctrl+d",), "Move", _SCROLLED),
    Action("move.half_up", "Half a page up", ("ctrl+u",), "Move", _SCROLLED),
    Action("move.first", "First row, and order again", ("g g", "home"), "Move", _LISTS),
    Action("move.last", "Last row", ("G", "end"), "Move", _LISTS),
    Action("move.left", "Column to the left", ("h", "left"), "Move", ("runs", "compare")),
    Action("move.right", "Column to the right", ("l", "right"), "Move", ("runs", "compare")),
    Action("page.first", "First line, or the beginning of the curves", ("g g", "home"), "Move", _FIRST),
    Action("page.last", "Last line, or the end of the curves", ("G", "end"), "Move", _FIRST),
    Action("tab.next", "Next tab", ("]", "."), "Move", (*_RUN, *_COMPARED), short="tab"),
    Action("tab.previous", "Previous tab", ("[", ","), "Move", (*_RUN, *_COMPARED)),
    Action("pane.next", "Next pane", ("tab",), "Move", _PANES, short="pane"),
    Action("pane.previous", "Previous pane", ("shift+tab",), "Move", _PANES),
    # Find
    Action(
        "find.filter",
        "Filter the rows as you type",
        ("/",),
        "Find",
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
    # Compare
    Action(
        "compare.differences",
        "Only what differs, or all",
        ("x",),
        "Compare",
        ("compare",),
        "only differences",
    ),
    Action("compare.next", "Next difference, or next hit", ("n",), "Compare", ("compare",), "next"),
    Action("compare.previous", "Previous difference, or previous hit", ("N",), "Compare", ("compare",)),
    Action("compare.search", "Search among the names", ("/",), "Compare", ("compare",), "search"),
    Action(
        "compare.open",
        "Fold the section, or look into the file",
        ("enter", "z a"),
        "Compare",
        ("compare",),
        "open",
        tooltip="an artifact that two runs have, or a file that changed between commits",
    ),
    Action("compare.fold_all", "Fold all sections, or none", ("z M", "z R"), "Compare", ("compare",)),
    Action(
        "compare.strict",
        "Strict, or not",
        ("s",),
        "Compare",
        ("compare",),
        "strict",
        tooltip="strictly 1 is not 1.0, and 0.001 not '0.001'",
    ),
    Action(
        "compare.rules",
        "Heed the rules that ignore some differences, or not",
        ("i",),
        "Compare",
        ("compare",),
        "ignore rules",
        tooltip="diff.ignore in settings",
    ),
    Action("compare.step", "Metrics at a step, or the last ones", ("a",), "Compare", ("compare",), "step"),
    Action(
        "compare.seeds",
        "Each run, or mean and spread over seeds",
        ("b",),
        "Compare",
        ("compare",),
        "seeds",
        tooltip="runs that differ only in what diff.ignore names",
    ),
    Action("compare.turn", "Turn the runs round", ("~",), "Compare", ("compare",), "turn round"),
    # Points
    Action("points.x", "Choose the column along x", ("a",), "Points", ("points",), "x"),
    Action("points.y", "Choose the column along y", ("m",), "Points", ("points",), "y"),
    Action("points.scale", "Linear or logarithmic y", ("^",), "Points", ("points",), "scale of y"),
    Action("points.scale_x", "Linear or logarithmic x", ("x",), "Points", ("points",), "scale of x"),
    Action("points.form", "Scatter or histogram", ("tab",), "Points", ("points",), "histogram or scatter"),
    # Charts
    Action(
        "chart.left",
        "Cursor to the left",
        ("left", "h"),
        "Charts",
        _CHARTS,
        short="cursor",
        tooltip="reads all charts",
    ),
    Action("chart.right", "Cursor to the right", ("right", "l"), "Charts", _CHARTS),
    Action("chart.zoom_in", "Zoom in", ("+",), "Charts", _CHARTS, short="zoom"),
    Action("chart.zoom_out", "Zoom out", ("-",), "Charts", _CHARTS),
    Action("chart.reset", "All of the curve again, no cursor", ("0",), "Charts", _CHARTS),
    Action("chart.alone", "One chart in full size, and back", ("z", "enter"), "Charts", _CHARTS, short="full size"),
    Action("chart.x", "Choose the x axis", ("a",), "Charts", _CHARTS, short="x axis"),
    Action("chart.scale", "Linear or logarithmic", ("^",), "Charts", _CHARTS, short="scale"),
    Action("chart.smooth", "Smooth more, then not at all", ("s",), "Charts", _CHARTS, short="smooth"),
    Action("chart.clip", "Clip outliers, and back", ("O",), "Charts", _CHARTS, short="clip"),
    Action("chart.spread", "Mean and band over the runs of a group, or each run", ("b",), "Charts", _CHARTS, "mean"),
    Action("chart.limits", "Limits of y, typed", (), "Charts", _CHARTS),
    Action("chart.metrics", "Choose the metrics", ("m",), "Charts", _CHARTS, short="metrics"),
    # Artifacts
    Action(
        "tree.unfold",
        "Unfold the folder, or go into the file",
        ("enter", "l", "right"),
        "Artifacts",
        ("artifacts",),
        short="open",
    ),
    Action("tree.fold", "Fold the folder, or go to the one above", ("h", "left"), "Artifacts", ("artifacts",), "fold"),
    Action("artifact.text", "Show the file as text, and back", ("t",), "Artifacts", ("artifacts",), short="as text"),
    Action(
        "artifact.download",
        "Download the file",
        ("D",),
        "Artifacts",
        ("artifacts",),
        short="download",
        tooltip="asks where to; esc stops it",
        starts=True,
    ),
    Action(
        "artifact.mark",
        "Mark the file, to compare another one with it",
        ("space",),
        "Artifacts",
        ("artifacts",),
        "mark",
        tooltip="of this run or another one",
    ),
    Action(
        "artifact.diff",
        "Compare the text with the marked file, or with that of another run",
        ("d",),
        "Artifacts",
        ("artifacts",),
        "compare",
        tooltip="the baseline, or a run that was opened with it",
    ),
    # Two texts
    Action("texts.next", "Next change", ("n",), "Two texts", _TEXTS, "next change"),
    Action("texts.previous", "Previous change", ("N",), "Two texts", _TEXTS),
    Action("texts.differences", "Only the changes, or all lines", ("x",), "Two texts", _TEXTS, "only differences"),
    # Log
    Action("log.open", "Log of the run", ("L",), "Log", ("runs", "run", "artifacts"), short="log"),
    Action("log.search", "Search", ("/",), "Log", ("log",), short="search"),
    Action("log.next", "Next hit", ("n",), "Log", ("log",), short="next"),
    Action("log.previous", "Previous hit", ("N",), "Log", ("log",)),
    Action("log.error_next", "Next error", ("}", "i"), "Log", ("log",), short="error"),
    Action("log.error_previous", "Previous error", ("{", "I"), "Log", ("log",)),
    Action("log.follow", "Follow the end, or stay here", ("F",), "Log", ("log",), short="follow"),
    Action("log.file", "Choose another file", ("v",), "Log", ("log",), short="files"),
    # Columns
    Action("columns.sort", "Sort by this column, again reverses", ("s",), "Columns", short="sort"),
    Action("columns.sort_more", "Sort by this column next", ("S",), "Columns"),
    Action("columns.choose", "Choose columns", ("v",), "Columns", short="columns"),
    Action("columns.hide", "Hide this column", ("-",), "Columns"),
    Action("columns.earlier", "Move this column to the left", ("<",), "Columns"),
    Action("columns.later", "Move this column to the right", (">",), "Columns"),
    Action("columns.narrower", "Make this column narrower", ("(",), "Columns"),
    Action("columns.wider", "Make this column wider", (")",), "Columns"),
    # Mark
    Action("mark.toggle", "Mark the run", ("space",), "Mark", short="mark"),
    Action("mark.range", "Mark from the last mark to here", ("V",), "Mark"),
    Action("mark.all", "Mark all that the filter shows", ("*",), "Mark"),
    Action("mark.invert", "Invert the marks", ("~",), "Mark"),
    Action("mark.pin", "Pin the run to the top", ("p",), "Mark"),
    Action("mark.baseline", "Make the run the baseline", ("=",), "Mark", short="baseline"),
    # Change
    Action("change.edit", "Change name, note or tags of the run", ("e",), "Change", short="edit", starts=True),
    Action(
        "change.delete",
        "Delete the run or the marked ones; restore deleted ones",
        ("X", "delete"),
        "Change",
        starts=True,
    ),
    Action("change.undo", "Undo the last change made here", ("u",), "Change", starts=True),
    Action("change.killed", "Mark a run KILLED whose process is gone", (), "Change", starts=True),
    Action("change.purge", "Copy the command that removes deleted runs for good", (), "Change"),
    Action("change.log", "Log of commands: what was changed, and how to do it by hand", ("@",), "Change"),
    # Take along
    Action("take.id", "Copy the run's id", ("y",), "Take along", _OPENED),
    Action("take.menu", "Copy something else", ("Y",), "Take along"),
    Action(
        "compare.overrides",
        "Copy the overrides of Hydra that turn the first config into the second",
        ("y",),
        "Take along",
        ("compare",),
        "as overrides",
    ),
    Action("compare.copy", "Copy as YAML or Markdown", ("Y",), "Take along", ("compare",)),
    # Live
    Action("live.refresh", "Refresh now, and order again", ("r",), "Live", _PAGES, "refresh"),
    Action("live.pause", "Pause or go on watching", ("w",), "Live", _LINES),
    Action(
        "alert.watch",
        "Watch the run or the marked ones",
        ("!",),
        "Live",
        ("runs", "run"),
        tooltip="be told when it ends, goes NaN or silent; again: no more",
    ),
    Action("alert.happened", "What happened to your runs", (), "Live"),
    # Everywhere
    Action("app.back", "Back", ("escape", "backspace"), "Everywhere", _ALL, "back"),
    Action("app.help", "Keys, searchable", ("?",), "Everywhere", _ALL, short="keys"),
    Action("app.palette", "Every action by name", (":", "ctrl+p"), "Everywhere", _DRAWN),
    Action("app.theme", "Next theme", (), "Everywhere", _DRAWN),
    Action("app.mouse", "Mouse on or off", (), "Everywhere"),
    Action("app.suspend", "To the shell; fg comes back", ("ctrl+z",), "Everywhere", _ALL),
    Action("app.quit", "Quit", ("q", "ctrl+q"), "Everywhere", _ALL),
    # The sources
    Action("sources.toggle", "Show the runs of the source, or not", ("space",), "Sources", _SOURCES, "show"),
    Action("sources.only", "Only the runs of this source, and to them", ("enter",), "Sources", _SOURCES, "only this"),
    Action("sources.all", "The runs of all sources", ("*",), "Sources", _SOURCES, "all"),
    Action("sources.add", "Add a source, for this sitting or for good", ("a",), "Sources", _SOURCES, "add"),
    Action("sources.read_only", "Read-only or not, in this sitting", ("W",), "Sources", _SOURCES, "read-only"),
    Action(
        "sources.trust",
        "Trust the server that the project's file names",
        ("T",),
        "Sources",
        _SOURCES,
        "trust",
        starts=True,
    ),
    # The first screen where nothing was found
    Action("empty.uri", "Name a server, a file or a folder", ("u",), "Start", ("empty",), starts=False),
    Action("empty.demo", "Open the demo project", ("D",), "Start", ("empty",), starts=True),
    Action("empty.snippet", "Copy three lines of Python that log a first run", ("p",), "Start", ("empty",)),
    # The demo's line of steps
    Action("demo.dismiss", "Dismiss the line of steps", (), "Demo"),
)

BY_ID: Final = {action.id: action for action in ACTIONS}


def at(place: str) -> tuple[Action, ...]:
    """The actions that a screen offers."""
    return tuple(action for action in ACTIONS if place in action.places)
