"""The registry of actions: what can be done, where, and by which keys.

Footer, `?`, the palette, docs/keys.md and a user's own bindings all come from these records. A screen does an action
in the method `do_` + its id with `_` for `.`, and says in `why_not(id)` why it can't be done now.
"""

from __future__ import annotations

from typing import Final

from runtower.actions.action import Action
from runtower.actions.columns import COLUMNS
from runtower.actions.everywhere import EVERYWHERE
from runtower.actions.jobs import JOBS
from runtower.actions.models import MODELS
from runtower.actions.pages import PAGES
from runtower.actions.pipeline import PIPELINE
from runtower.actions.tables import TABLES

__all__ = ["ACTIONS", "BY_ID", "Action", "at"]

ACTIONS: Final[tuple[Action, ...]] = (*TABLES, *PAGES, *COLUMNS, *MODELS, *PIPELINE, *JOBS, *EVERYWHERE)

BY_ID: Final = {action.id: action for action in ACTIONS}


def at(place: str) -> tuple[Action, ...]:
    """The actions that a screen offers."""
    return tuple(action for action in ACTIONS if place in action.places)
