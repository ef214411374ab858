"""What is done with columns, with marks, and to runs."""

from __future__ import annotations

from typing import Final

from runtower.actions.action import Action
from runtower.actions.places import LISTED

COLUMNS: Final = (
    # Columns
    Action("columns.sort", "Sort by this column, again reverses", ("s",), "Columns", ("runs", *LISTED), "sort"),
    Action("columns.sort_more", "Sort by this column next", ("S",), "Columns"),
    Action("columns.choose", "Choose columns", ("v",), "Columns", short="columns"),
    Action("columns.hide", "Hide this column", ("-",), "Columns"),
    Action("columns.earlier", "Move this column to the left", ("<",), "Columns"),
    Action("columns.later", "Move this column to the right", (">",), "Columns"),
    Action("columns.narrower", "Make this column narrower", ("(",), "Columns"),
    Action("columns.wider", "Make this column wider", (")",), "Columns"),
    # Mark
    Action("mark.toggle", "Mark the run, the model or the version", ("space",), "Mark", ("runs", *LISTED), "mark"),
    Action("mark.range", "Mark from the last mark to here", ("V",), "Mark", ("runs", *LISTED)),
    Action("mark.all", "Mark all that the filter shows", ("*",), "Mark", ("runs", *LISTED)),
    Action("mark.invert", "Invert the marks", ("~",), "Mark", ("runs", *LISTED)),
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
)
