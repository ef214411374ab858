"""What can be taken along, what is live, what is there everywhere, and the screens beside the runs."""

from __future__ import annotations

from typing import Final

from runtower.actions.action import Action
from runtower.actions.places import ALL, BOX, DRAWN, LINES, OPENED, PAGES, PIPELINE, PROMOTION, REGISTRY, SOURCES

EVERYWHERE: Final = (
    # Take along
    Action("take.id", "Copy the run's id", ("y",), "Take along", OPENED),
    Action("take.menu", "Copy something else", ("Y",), "Take along", ("runs", *REGISTRY)),
    Action("take.uri", "Copy the model's URI, as models:/name@alias", ("y",), "Take along", REGISTRY, "copy models:/"),
    Action(
        "take.command",
        "Copy the command that does it",
        ("y",),
        "Take along",
        (*PROMOTION, "jobs", *PIPELINE),
        "copy the command",
    ),
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
    Action("live.refresh", "Refresh now, and order again", ("r",), "Live", PAGES, "refresh"),
    Action("live.pause", "Pause or go on watching", ("w",), "Live", (*LINES, *REGISTRY, *BOX, *PIPELINE)),
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
    Action("app.back", "Back", ("escape", "backspace"), "Everywhere", ALL, "back"),
    Action("app.help", "Keys, searchable", ("?",), "Everywhere", ALL, short="keys"),
    Action("app.palette", "Every action by name", (":", "ctrl+p"), "Everywhere", DRAWN),
    Action("app.theme", "Next theme", (), "Everywhere", DRAWN),
    Action("app.mouse", "Mouse on or off", (), "Everywhere"),
    Action("app.suspend", "To the shell; fg comes back", ("ctrl+z",), "Everywhere", ALL),
    Action("app.quit", "Quit", ("q", "ctrl+q"), "Everywhere", ALL),
    # The sources
    Action("sources.toggle", "Show the runs of the source, or not", ("space",), "Sources", SOURCES, "show"),
    Action("sources.only", "Only the runs of this source, and to them", ("enter",), "Sources", SOURCES, "only this"),
    Action("sources.all", "The runs of all sources", ("*",), "Sources", SOURCES, "all"),
    Action("sources.add", "Add a source, for this sitting or for good", ("a",), "Sources", SOURCES, "add"),
    Action("sources.read_only", "Read-only or not, in this sitting", ("W",), "Sources", SOURCES, "read-only"),
    Action(
        "sources.trust",
        "Trust the server that the project's file names",
        ("T",),
        "Sources",
        SOURCES,
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
