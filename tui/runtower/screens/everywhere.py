"""What several screens offer alike: a menu of their actions, and the next theme."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from textual.app import App

from runtower.actions import Action
from runtower.screens.keys import KeyScreen
from runtower.screens.menu import Choice, Menu

_THEMES: Final = ("dark", "light", "contrast")


def group_and_id(action: Action) -> str:
    """What a menu tells of an action beside its title."""
    return f"{action.group.lower()}  {action.id}"


def offer(
    screen: KeyScreen, title: str, actions: Iterable[Action], detail: Callable[[Action], str] = group_and_id
) -> None:
    """A menu of actions over their screen, where the one that is picked is done."""
    keymap = screen.keymap
    offered = [Choice(a.id, a.title, keymap.shown_all(a.id), detail(a), screen.why_not(a.id)) for a in actions]

    async def chosen(values: list[str] | None) -> None:
        if values:
            await screen.act(values[0])

    screen.app.push_screen(Menu(title, offered, hint_width=12), chosen)


def next_theme(app: App[None]) -> None:
    """The theme after the one that is on."""
    place = _THEMES.index(app.theme) + 1 if app.theme in _THEMES else 0
    app.theme = _THEMES[place % len(_THEMES)]
